#!/bin/sh
# Property test: random cron lines in ten time zones over twenty years beside
# plain SQL.
#
#   test/oracle/cron/run.sh                            30 lines, each in every zone, two at a time
#   CRON_SEEDS="17 17" test/oracle/cron/run.sh         repeats one line
#   CRON_MOST=100000 test/oracle/cron/run.sh           lines of up to so many runs a year are compared over all
#                                                      twenty years, others in some windows of time
#   CRON_PLANT=first (or day)                          plants a bug, to see it found
#   CRON_KEEP=on                                       keeps the database segment_cron
#
# Connects as a superuser by PGHOST, PGPORT, PGUSER and PGDATABASE, to a server
# with the extension installed.  Last line: "N passed, N failed"; exit 1 if any failed.

. "$(dirname "$0")/../lib.sh"

seeds "${CRON_SEEDS:-1 30}"
jobs=2
open_database segment_cron "${CRON_KEEP:-off}"
load -f "$here/generator.sql"

session()
{
	psql -X -q <<-END
		SET search_path = cronlines;
		SET TimeZone = 'UTC';
		SET jit = off;
		SET statement_timeout = '10min';
		SELECT format('CALL run(%s, %s, %L)', seed, ${CRON_MOST:-800}, '${CRON_PLANT:-}') FROM generate_series($((first + $1)), $last, $jobs) seed
		\gexec
	END
}
status=0
deal $jobs || status=1
remarks

psql -X -q -A -t -v ON_ERROR_STOP=1 <<-END
	SELECT format('# seed %s: "%s" in %s %s', seed, line, zone, verdict)
	FROM cronlines.result WHERE verdict IS NOT NULL ORDER BY seed, zone LIMIT 20;
	SELECT format('# %s lines in %s zones, %s runs in %s windows of time, %s changes of the clock', count(DISTINCT seed),
				  count(DISTINCT zone), sum(runs), sum(windows), (SELECT count(*) FROM cronlines.change))
	FROM cronlines.result;
	SELECT format('%s passed, %s failed', count(*) FILTER (WHERE verdict IS NULL),
				  count(*) FILTER (WHERE verdict IS NOT NULL) + CASE WHEN $status = 0 AND count(*) = ($last - $first + 1) * 10 THEN 0 ELSE 1 END)
	FROM cronlines.result;
END
[ $status = 0 ] && [ "$(psql -X -q -A -t -c 'SELECT count(*) FROM cronlines.result WHERE verdict IS NOT NULL')" = 0 ]
