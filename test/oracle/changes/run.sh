#!/bin/sh
# Property test: segment tables whose definition changes all the time, among
# events, erasures, refreshes, rollbacks and jumps in time.  For each seed 200 random
# changes; after each refresh the rows and the history are compared with plain
# SQL, and verify() has to be empty at all times.
#
#   test/oracle/changes/run.sh                             10 seeds, two at a time
#   CHANGES_SEEDS=17 CHANGES_VERBOSE=on .../run.sh         repeats one, showing each statement
#   CHANGES_SEEDS="100 200" CHANGES_STEPS=1000 .../run.sh  seeds from 100 to 200, 1000 changes each
#   CHANGES_PATH=alone .../run.sh                          refreshes outside of transaction blocks alone; block: inside;
#                                                          mixed; else it depends on the seed
#   CHANGES_PLANT=work .../run.sh                          plants a bug, to see it found: work (a change is forgotten),
#                                                          open, split, retro, gap (in the history)
#   CHANGES_KEEP=on .../run.sh                             keeps the database segment_changes to look at
#
# Connects as a superuser by PGHOST, PGPORT, PGUSER and PGDATABASE, to a server
# with the extension installed.  Last line: "N passed, N failed"; exit 1 if any failed.

. "$(dirname "$0")/../lib.sh"

seeds "${CHANGES_SEEDS:-1 10}"
jobs=${CHANGES_JOBS:-2}
steps=${CHANGES_STEPS:-200}
path=${CHANGES_PATH:-}
plant=${CHANGES_PLANT:-}
verbose=${CHANGES_VERBOSE:-off}
open_database segment_changes "${CHANGES_KEEP:-off}" regress_segment_changes
load -f "$here/load.sql" -c "SELECT changes.plant('$plant', NULL)"

# A new psql for every seed.
session()
{
	seed=$((first + $1))
	while [ "$seed" -le "$last" ]; do
		case $((seed % 3)) in 0) way=alone ;; 1) way=mixed ;; *) way=block ;; esac
		psql -X -q -v ON_ERROR_STOP=1 -c "SET changes.show = $verbose" \
			-c "CALL changes.run_seed($seed, $steps, '${path:-$way}', '$plant', '$keep')" || true
		seed=$((seed + jobs))
	done
}

deal "$jobs"

# Errors and, if asked for, statements.
cat "$work"/out.* | head -n "${CHANGES_LINES:-60}" || true
psql -X -q -A -t -v ON_ERROR_STOP=1 <<-END
	SELECT format(E'seed %s: %s\n  repeat with: CHANGES_SEEDS="%s" CHANGES_STEPS=$steps CHANGES_PATH=$path CHANGES_VERBOSE=on test/oracle/changes/run.sh',
				  n, CASE WHEN r.seed IS NULL THEN 'error' ELSE problem END, n)
	FROM generate_series($first, $last) n LEFT JOIN changes.result r ON r.seed = n
	WHERE r.seed IS NULL OR problem IS NOT NULL ORDER BY n LIMIT 20;
	SELECT format('%s changes of definitions, %s refused as they should be, %s refreshes', d.last_value, r.last_value, f.last_value)
	FROM changes.done d, changes.refused r, changes.refreshed f;
	SELECT format('%s passed, %s failed', count(*) FILTER (WHERE r.seed IS NOT NULL AND problem IS NULL),
				  count(*) FILTER (WHERE r.seed IS NULL OR problem IS NOT NULL))
	FROM generate_series($first, $last) n LEFT JOIN changes.result r ON r.seed = n;
END
[ "$(psql -X -q -A -t -c "SELECT count(*) = $last - $first + 1 FROM changes.result WHERE problem IS NULL")" = t ]
