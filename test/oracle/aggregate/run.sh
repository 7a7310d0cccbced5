#!/bin/sh
# Property test: every aggregate beside plain SQL, on random events, in every way
# that PostgreSQL may compute it: in any order, in parts, in parallel, as a window
# function; and with hostile bytes in place of a state.
#
#   test/oracle/aggregate/run.sh                          1,000 seeds, two at a time
#   AGGREGATE_SEEDS="17 17" AGGREGATES='^streak' test/oracle/aggregate/run.sh
#                                                         repeats one seed for some calls
#   AGGREGATE_KEEP=on                                     keeps the database segment_aggregates
#
# Connects as a superuser by PGHOST, PGPORT, PGUSER and PGDATABASE, to a server
# with the extension installed.  Prints TAP; exit 1 if anything failed.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
set -- ${AGGREGATE_SEEDS:-1 1000}
first=$1
last=${2:-$1}
jobs=2
: "${PGDATABASE:=postgres}"
home=$PGDATABASE
work=$(mktemp -d)

clean()
{
	rm -rf "$work"
	[ "${AGGREGATE_KEEP:-off}" = on ] || psql -X -q -d "$home" -c 'SET client_min_messages = warning' \
		-c 'DROP DATABASE IF EXISTS segment_aggregates' || true
}
trap clean EXIT

psql -X -q -d "$home" -v ON_ERROR_STOP=1 <<-END
	SET client_min_messages = warning;
	DROP DATABASE IF EXISTS segment_aggregates;
	CREATE DATABASE segment_aggregates TEMPLATE template0 ENCODING 'UTF8';
END
PGDATABASE=segment_aggregates
export PGDATABASE
{
	echo 'CREATE EXTENSION segment;'
	cat "$here/generator.sql" "$here"/cases/*.sql
	echo 'CALL try.make_hostile();'
} >"$work/load.sql"
psql -X -q -v ON_ERROR_STOP=1 -o "$work/out" -f "$work/load.sql" || exit 1

job=0
pids=
while [ $job -lt $jobs ]; do
	psql -X -q -v ON_ERROR_STOP=1 >>"$work/out" 2>&1 <<-END &
		CREATE SCHEMA job_$job;
		SET search_path = job_$job;
		CALL try.make_tables();
		CALL try.run($((first + job)), $last, $jobs, '${AGGREGATES:-}');
	END
	pids="$pids $!"
	job=$((job + 1))
done
status=0
for pid in $pids; do
	wait "$pid" || status=1
done
grep -E 'ERROR|FATAL|server closed' "$work/out" | sed 's/^/# /' || true
[ $status = 0 ] || echo "not ok - the generator ended before its last seed"

psql -X -q -A -t -v ON_ERROR_STOP=1 <<-END
	SELECT CASE WHEN f.name IS NULL THEN 'ok' ELSE 'not ok' END || ' ' || row_number() OVER (ORDER BY name)
		   || format(' - %s, seeds %s to %s', name, $first, $last)
		   || coalesce(E'\n' || f.details, '')
	FROM (SELECT name FROM try.call WHERE name ~ '${AGGREGATES:-}' UNION SELECT name FROM try.failure) c
	LEFT JOIN (SELECT name, string_agg(format('#   seed %s, %s: %s', seed, way, replace(detail, E'\n', ' ')), E'\n' ORDER BY seed) AS details
			   FROM (SELECT *, row_number() OVER (PARTITION BY name ORDER BY seed) AS place FROM try.failure) n
			   WHERE place <= 5 GROUP BY name) f USING (name)
	ORDER BY name;
END
[ "$(psql -X -q -A -t -c 'SELECT count(*) FROM try.failure')" = 0 ] && [ $status = 0 ]
