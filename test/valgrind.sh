#!/bin/bash
# The regression tests with the server under valgrind's memcheck.  What it finds
# is shown for each process.  Known of PostgreSQL itself is what
# test/valgrind.supp names.  Takes an hour or so; the last line is "N passed, N failed".
#
#   REGRESS_TESTS='keys groups'   those regression tests alone
#   PG_MAJOR=16                   the PostgreSQL to use, where several are installed

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$TOP/test/suites.sh"

SUITE_LIMIT=14400

clean_environment
need_packages gcc libc6-dev make perl valgrind postgresql-MAJOR postgresql-server-dev-MAJOR
open_suites valgrind
say "Testing segment against $("$PG_CONFIG" --version) under valgrind, in $BUILD"
attend build -s -j2 CC=gcc COPT='-O1 -g -fno-omit-frame-pointer' install test/expected >"$LOGS/build.log" 2>&1 ||
	{ cat "$LOGS/build.log" >&2; die "the build failed"; }
as_worker mkdir "$BUILD/memcheck"
wrap_server valgrind --quiet --leak-check=no --trace-children=yes --track-origins=no --read-var-info=no \
	--num-callers=25 --gen-suppressions=all --suppressions="$BUILD/src/test/valgrind.supp" \
	--log-file="$BUILD/memcheck/%p.log"

if [ -n "${REGRESS_TESTS:-}" ]; then
	plan "regress $REGRESS_TESTS"
else
	plan regress
fi
run_plan 1 "${LANE_SETTINGS[@]}"
stop_lanes_clusters

say "memcheck"
SECONDS=0
bad=0
for file in "$BUILD"/memcheck/*.log; do
	[ -s "$file" ] || continue
	bad=$((bad + 1))
	[ "$bad" -gt 20 ] || head -n 80 "$file" | sed 's/^/# /'
done
say "# $(find "$BUILD/memcheck" -name '*.log' | wc -l) processes"
tally memcheck $((bad == 0)) "$bad" "$bad"
finish_suites
