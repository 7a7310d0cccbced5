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

. "$(dirname "$0")/../lib.sh"

seeds "${AGGREGATE_SEEDS:-1 1000}"
jobs=2
open_database segment_aggregates "${AGGREGATE_KEEP:-off}"
cat "$here/generator.sql" "$here"/cases/*.sql >"$work/load.sql"
load -f "$work/load.sql" -c 'CALL try.make_hostile()'

session()
{
	psql -X -q -v ON_ERROR_STOP=1 <<-END
		CREATE SCHEMA job_$1;
		SET search_path = job_$1;
		CALL try.make_tables();
		CALL try.run($((first + $1)), $last, $jobs, '${AGGREGATES:-}');
	END
}
status=0
deal $jobs || status=1
remarks
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
