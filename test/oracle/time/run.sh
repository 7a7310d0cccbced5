#!/bin/sh
# Property test: random rules over everything that moves with time.  No value
# may change before the instant that the time analysis says.
#
#   test/oracle/time/run.sh                            500 seeds of ten rules, two at a time
#   TIME_SEEDS="17 17" test/oracle/time/run.sh         repeats one seed
#   TIME_SEEDS="1 10000" test/oracle/time/run.sh       100,000 rules
#   TIME_PLANT=month (or zone, after, decay, round)    plants a bug, to see it found
#   TIME_KEEP=on                                       keeps the database segment_time
#
# Connects as a superuser by PGHOST, PGPORT, PGUSER and PGDATABASE, to a server
# with the extension installed.  Last line: "N passed, N failed"; exit 1 if any failed.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
set -- ${TIME_SEEDS:-1 500}
first=$1
last=${2:-$1}
jobs=2
: "${PGDATABASE:=postgres}"
home=$PGDATABASE
work=$(mktemp -d)

clean()
{
	rm -rf "$work"
	[ "${TIME_KEEP:-off}" = on ] || psql -X -q -d "$home" -c 'SET client_min_messages = warning' \
		-c 'DROP DATABASE IF EXISTS segment_time' || true
}
trap clean EXIT

psql -X -q -d "$home" -v ON_ERROR_STOP=1 <<-END
	SET client_min_messages = warning;
	DROP DATABASE IF EXISTS segment_time;
	CREATE DATABASE segment_time TEMPLATE template0 ENCODING 'UTF8';
END
PGDATABASE=segment_time
export PGDATABASE
psql -X -q -v ON_ERROR_STOP=1 -o "$work/out" -c 'CREATE EXTENSION segment' -f "$here/generator.sql" || exit 1

job=0
pids=
while [ $job -lt $jobs ]; do
	psql -X -q >>"$work/out" 2>&1 <<-END &
		CREATE SCHEMA job_$job;
		SET search_path = job_$job, clockwork;
		SET jit = off;
		SET client_min_messages = warning;
		SET statement_timeout = '2min';
		CALL make_tables();
		SELECT format('CALL run(%s, %L)', seed, '${TIME_PLANT:-}') FROM generate_series($((first + job)), $last, $jobs) seed
		\gexec
	END
	pids="$pids $!"
	job=$((job + 1))
done
status=0
for pid in $pids; do
	wait "$pid" || status=1
done
grep -E 'ERROR|FATAL|server closed' "$work/out" | sed 's/^/# /' || true

psql -X -q -A -t -v ON_ERROR_STOP=1 <<-END
	SELECT format('# seed %s, rule %s: %s', seed, rule, expression) || E'\n#   ' || replace(verdict, E'\n', ' ')
	FROM clockwork.result WHERE verdict IS NOT NULL ORDER BY seed, rule LIMIT ${TIME_LINES:-20};
	SELECT format('# %s rules, %s of them not analyzed; %s wake-ups, %s %% of them needless', count(*),
				  count(*) FILTER (WHERE unanalyzed IS NOT NULL), sum(wakes), round(100.0 * sum(needless) / sum(wakes), 1))
	FROM clockwork.result;
	SELECT format('#   %s: %s rules, %s not analyzed; %s wake-ups, %s %% needless', kind, count(*),
				  count(*) FILTER (WHERE unanalyzed IS NOT NULL), sum(wakes), round(100.0 * sum(needless) / sum(wakes), 1))
	FROM clockwork.result GROUP BY kind ORDER BY kind;
	SELECT format('%s passed, %s failed', count(*) FILTER (WHERE verdict IS NULL),
				  count(*) FILTER (WHERE verdict IS NOT NULL) + CASE WHEN $status = 0 AND count(*) = ($last - $first + 1) * 10 THEN 0 ELSE 1 END)
	FROM clockwork.result;
END
[ $status = 0 ] && [ "$(psql -X -q -A -t -c 'SELECT count(*) FROM clockwork.result WHERE verdict IS NOT NULL')" = 0 ]
