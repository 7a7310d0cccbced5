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

. "$(dirname "$0")/../lib.sh"

seeds "${TIME_SEEDS:-1 500}"
jobs=2
open_database segment_time "${TIME_KEEP:-off}"
load -f "$here/generator.sql"

session()
{
	psql -X -q <<-END
		CREATE SCHEMA job_$1;
		SET search_path = job_$1, clockwork;
		SET jit = off;
		SET client_min_messages = warning;
		SET statement_timeout = '2min';
		CALL make_tables();
		SELECT format('CALL run(%s, %L)', seed, '${TIME_PLANT:-}') FROM generate_series($((first + $1)), $last, $jobs) seed
		\gexec
	END
}
status=0
deal $jobs || status=1
remarks

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
