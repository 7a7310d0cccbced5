#!/bin/bash
# Every test but the long ones: builds with gcc and clang, then runs the suites
# of test/suites.sh, side by side, against a PostgreSQL of its own.  The last
# line is "N passed, N failed".
#
#   PG_MAJOR=16    the PostgreSQL to use, where several are installed
#   LANES_MAX=1    one suite after the other
#   SUITES='regress tap'   those alone whose name begins so
#   SEGMENT_DATA=DIR   the data of the examples that need some; skipped without

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$TOP/test/suites.sh"

compile() {
	local name=$1 status=0
	shift
	say "build-$name: $*"
	SECONDS=0
	attend build -s -j2 WERROR=1 "$@" all >"$LOGS/build-$name.log" 2>&1 || status=$?
	if [ "$status" -eq 0 ]; then
		tally "build-$name" 1 0 0
	else
		tally "build-$name" 0 1 1
		tail -n 100 "$LOGS/build-$name.log"
	fi
	return "$status"
}

clean_environment
need_packages gcc libc6-dev make perl libipc-run-perl postgresql-MAJOR postgresql-server-dev-MAJOR
want_package cppcheck || true
open_suites test
say "Testing segment against $("$PG_CONFIG" --version), in $BUILD"

# clang is there wherever the server headers are: they depend on it.
if command -v "$clang" >/dev/null; then
	compile clang CC="$clang" || true
	build -s clean >/dev/null
	clang_major=$("$clang" -dumpversion)
	want_package "libclang-rt-${clang_major%%.*}-dev" || true
else
	say "build-clang: skipped, no clang here"
fi
if compile gcc CC=gcc; then
	attend build -s install test/expected >"$LOGS/install.log" 2>&1 || { cat "$LOGS/install.log" >&2; die "make install failed"; }
	# What computes goes first; what waits, from the end.
	plan checks lint fuzz states oracle-time oracle-aggregates regress isolation oracle-tables oracle-changes \
		docs dashboard examples regress-ubsan oracle-cron oracle-clickhouse
	plan_tap
	# A preloaded library starts workers: TAP tests do that in clusters of their own.
	run_plan "$(lanes)" "${LANE_SETTINGS[@]}"
fi
finish_suites
