#!/bin/bash
# Which lines of C the suites that need a server execute: a build with gcc's
# --coverage under regress, isolation, oracle, documentation and TAP tests.
# Prints the share of each file below 80 %, of each room, and of all.  Fails if
# a suite does, or if the share of all lines is less than COVERAGE_LEAST.
#
#   COVERAGE_LEAST=90    per cent
#   COVERAGE_DIR         keeps there what gcov says of each file: "#####" marks a
#                        line that nothing executes
#   SUITES='regress'     those suites alone
#   PG_MAJOR=16          the PostgreSQL to use, where several are installed

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$TOP/test/suites.sh"

clean_environment
need_packages gcc libc6-dev make perl libipc-run-perl postgresql-MAJOR postgresql-server-dev-MAJOR
open_suites coverage
say "Coverage of segment's C in $("$PG_CONFIG" --version), in $BUILD"

attend build -s -j2 CC=gcc COPT="-O0 --coverage" install test/expected \
	>"$LOGS/build.log" 2>&1 || { cat "$LOGS/build.log" >&2; die "the build failed"; }

plan regress isolation oracle-tables oracle-changes oracle-aggregates oracle-time docs
plan_tap
# Lines need few seeds.
export ORACLE_SEEDS=${ORACLE_SEEDS:-1 40} CHANGES_SEEDS=${CHANGES_SEEDS:-1 2} \
	AGGREGATE_SEEDS=${AGGREGATE_SEEDS:-1 50} TIME_SEEDS=${TIME_SEEDS:-1 40}
run_plan "$(lanes)" "${LANE_SETTINGS[@]}"

# Processes write what they count when they end.
stop_lanes_clusters
cd "$BUILD/src"
SECONDS=0
find src -name '*.gcda' | sort | while read -r file; do
	as_worker gcov -r -s "$BUILD/src" -o "$(dirname "$file")" "${file%.gcda}.c" 2>/dev/null
done >"$LOGS/gcov.log"
if [ -n "${COVERAGE_DIR:-}" ]; then
	mkdir -p "$COVERAGE_DIR"
	cp ./*.c.gcov "$COVERAGE_DIR/"
fi

say ""
# A .c file is listed once, by the object that is made of it.
awk -F"[':% ]+" -v least="${COVERAGE_LEAST:-90}" '
	/^File .src\/.*\.c/ { file = $2; next }
	/^File/ { file = "" }
	/^Lines executed/ && file != "" {
		lines = $5; done = lines * $3 / 100; share = $3; path = file
		room = path; sub(/^src\//, "", room); if (!sub(/\/.*/, "", room)) room = "(top)"
		all += lines; all_done += done; of[room] += lines; done_of[room] += done
		if (share < 80) low[path] = sprintf("%5.1f %% of %4d lines  %s", share, lines, path)
		file = ""
	}
	END {
		print "Files below 80 %:"
		sort = "sort"; for (path in low) print "  " low[path] | sort; close(sort)
		print "Rooms:"
		for (room in of) printf("  %5.1f %% of %5d lines  %s\n", 100 * done_of[room] / of[room], of[room], room) | sort; close(sort)
		printf("All:\n  %5.1f %% of %5d lines\n", 100 * all_done / all, all)
		exit !(all > 0 && 100 * all_done / all >= least)
	}' "$LOGS/gcov.log" && status=0 || status=1
tally "coverage" $((1 - status)) "$status" "$status"
finish_suites
