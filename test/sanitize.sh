#!/bin/bash
# The suites that need a server, against a build with gcc's
# UndefinedBehaviorSanitizer.  What it says in a server's log is a failure, too.
# AddressSanitizer has what runs without a server (make fuzz): in a server,
# memory contexts would hide from it what it looks for; make valgrind looks
# there.  The last line is "N passed, N failed".
#
#   SUITES='regress'     those suites alone
#   PG_MAJOR=16          the PostgreSQL to use, where several are installed

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$TOP/test/suites.sh"

clean_environment
need_packages gcc libc6-dev make perl libipc-run-perl postgresql-MAJOR postgresql-server-dev-MAJOR
open_suites sanitize
say "Testing segment against $("$PG_CONFIG" --version) with UndefinedBehaviorSanitizer, in $BUILD"
attend build -s -j2 CC=gcc COPT="$UBSAN_FLAGS" install test/expected >"$LOGS/build.log" 2>&1 ||
	{ cat "$LOGS/build.log" >&2; die "the build failed"; }

plan regress isolation oracle-tables oracle-changes oracle-aggregates oracle-time docs
plan_tap
export ORACLE_SEEDS=${ORACLE_SEEDS:-1 60} CHANGES_SEEDS=${CHANGES_SEEDS:-1 4} \
	AGGREGATE_SEEDS=${AGGREGATE_SEEDS:-1 200} TIME_SEEDS=${TIME_SEEDS:-1 100}
run_plan "$(lanes)" "${LANE_SETTINGS[@]}"
ubsan_findings
finish_suites
