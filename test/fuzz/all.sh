#!/bin/bash
# `make fuzz`: what is tried without a server, for as long as asked: each target
# of test/fuzz and then the states of test/fuzz/state.
#
#   FUZZ_SECONDS=60   of libFuzzer, for each target
#   FUZZ_TARGETS      as test/fuzz/run.sh has it; with states among them
#   PG_MAJOR=16       the PostgreSQL whose headers to use, where several are installed

. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

clean_environment
need_packages gcc libc6-dev make perl postgresql-MAJOR postgresql-server-dev-MAJOR
export PG_CONFIG=/usr/lib/postgresql/$PG_MAJOR/bin/pg_config
CLANG=$(sed -n 's/^CLANG *= *//p' "$(dirname "$("$PG_CONFIG" --pgxs)")/../Makefile.global")
command -v "${CLANG:-clang}" >/dev/null || CLANG=clang
export CLANG
clang_major=$("$CLANG" -dumpversion)
need_packages "libclang-rt-${clang_major%%.*}-dev"
LIMIT=${FUZZ_SECONDS:-60}
status=0
say "Fuzzing segment without a server, $LIMIT seconds for each target"
bash "$TOP/test/fuzz/run.sh" "$LIMIT" || status=1
if [ -z "${FUZZ_TARGETS:-}" ] || [[ " $FUZZ_TARGETS " = *" states "* ]]; then
	bash "$TOP/test/fuzz/state/run.sh" "$LIMIT" || status=1
fi
[ "$status" -eq 0 ] && say "fuzz: nothing found" || say "fuzz: FAILED"
exit "$status"
