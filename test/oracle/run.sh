#!/bin/sh
# Property test: compares segment tables with plain SQL, for one seed after another.
#
#   test/oracle/run.sh                                 200 seeds, two at a time
#   ORACLE_SEEDS=17 ORACLE_VERBOSE=on test/oracle/run.sh   repeats one, showing each statement
#   ORACLE_SEEDS="1000 2000" test/oracle/run.sh        seeds from 1000 to 2000
#   ORACLE_PLANT=lost (or late) test/oracle/run.sh     plants a bug, to see it found
#   ORACLE_KEEP=on test/oracle/run.sh                  keeps the database segment_oracle to look at
#
# Connects as a superuser by PGHOST, PGPORT, PGUSER and PGDATABASE, to a server
# with the extension installed.  Last line: "N passed, N failed"; exit 1 if any failed.

. "$(dirname "$0")/lib.sh"

seeds "${ORACLE_SEEDS:-1 200}"
jobs=${ORACLE_JOBS:-2}
plant=${ORACLE_PLANT:-}
verbose=${ORACLE_VERBOSE:-off}
open_database segment_oracle "${ORACLE_KEEP:-off}" regress_segment_oracle
load -f "$here/load.sql" -c "SELECT oracle.plant('$plant')"

# A new psql for every tenth seed.
session()
{
	seed=$((first + $1))
	while [ "$seed" -le "$last" ]; do
		n=0
		{
			echo "SET oracle.show = $verbose;"
			while [ $n -lt 10 ] && [ "$seed" -le "$last" ]; do
				printf '\\echo seed %s\n' "$seed"
				echo "CALL oracle.run_seed($seed, '$plant', '$keep');"
				seed=$((seed + jobs))
				n=$((n + 1))
			done
		} >"$work/commands.$1"
		psql -X -q -f "$work/commands.$1" || true
	done
}
deal "$jobs"

# Errors and, if asked for, statements; without the positions psql prefixes.
grep -hv -e '^seed ' "$work"/out.* | sed 's/^psql:[^ ]* //' | head -n "${ORACLE_LINES:-60}" || true
psql -X -q -A -t -v ON_ERROR_STOP=1 <<-END
	SELECT format(E'seed %s: %s\n  repeat with: ORACLE_SEEDS="%s" ORACLE_VERBOSE=on test/oracle/run.sh',
				  n, CASE WHEN r.seed IS NULL THEN 'error' ELSE problem END, n)
	FROM generate_series($first, $last) n LEFT JOIN oracle.result r ON r.seed = n
	WHERE r.seed IS NULL OR problem IS NOT NULL ORDER BY n LIMIT 20;
	SELECT format('%s passed, %s failed', count(*) FILTER (WHERE r.seed IS NOT NULL AND problem IS NULL),
				  count(*) FILTER (WHERE r.seed IS NULL OR problem IS NOT NULL))
	FROM generate_series($first, $last) n LEFT JOIN oracle.result r ON r.seed = n;
END
[ "$(psql -X -q -A -t -c "SELECT count(*) = $last - $first + 1 FROM oracle.result WHERE problem IS NULL")" = t ]
