#!/bin/bash
# run.sh [SECONDS [DIRECTORY]]: tries the states of all aggregates without a
# server, under sanitizers: random rows and changed states, then as many seconds
# (20) of libFuzzer where clang has its run-time library.  Prints TAP.
#
# The inputs that libFuzzer found worth keeping, and what failed, stay in the
# directory; without one, all is removed unless something failed.
#
#   RUNS=10000    random inputs
#   SEED=1        of them, and of libFuzzer; a random one where SECONDS are more than 20
#   PG_CONFIG, CC, CLANG   as build.sh has them

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1

LIMIT=${1:-20}
OUT=${2:-}
. ../../tap.sh

# In a case all memory is freed, and old memory is found out soon.
export ASAN_OPTIONS=quarantine_size_mb=8:malloc_context_size=8:detect_leaks=0
export UBSAN_OPTIONS=print_stacktrace=1

if [ -z "$OUT" ]; then
	OUT=$(mktemp -d)
	trap '[ "$BAD" -ne 0 ] || rm -rf "$OUT"' EXIT
fi

mkdir -p "$OUT/seeds" "$OUT/corpus" "$OUT/failed"
if ! bash build.sh "$OUT" >"$OUT/build.log" 2>&1; then
	report "the states of aggregates build without a server" 1 "$OUT/build.log"
	echo "1..$NUMBER"
	exit 1
fi

# A short run tries the same every time, as far as libFuzzer lets it; a long one, new ground.
if [ -z "${SEED:-}" ]; then
	[ "$LIMIT" -le 20 ] && SEED=1 || SEED=$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')
fi
"$OUT/replay" --random "${RUNS:-10000}" "$SEED" >"$OUT/replay.log" 2>&1
report "random rows, and changed states (seed $SEED)" $? "$OUT/replay.log"

if [ -x "$OUT/fuzzer" ]; then
	if "$OUT/replay" --seeds "$OUT/seeds" 400 "$SEED" >"$OUT/seeds.log" 2>&1; then
		"$OUT/fuzzer" -seed="$SEED" -max_total_time="$LIMIT" -max_len=1000 -timeout=20 \
			-dict=wire.dict -verbosity=0 -print_final_stats=1 \
			-artifact_prefix="$OUT/failed/" "$OUT/corpus" "$OUT/seeds" >"$OUT/fuzzer.log" 2>&1
		status=$?
	else
		status=1
		cp "$OUT/seeds.log" "$OUT/fuzzer.log"
	fi
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$OUT/fuzzer.log")
	report "$LIMIT seconds of libFuzzer (seed $SEED, ${runs:-?} inputs)" "$status" "$OUT/fuzzer.log"
else
	NUMBER=$((NUMBER + 1))
	echo "ok $NUMBER # skip libFuzzer: clang or its run-time library (libclang-rt-*-dev) is missing"
fi
[ "$BAD" -eq 0 ] || echo "# Inputs and programs are in $OUT; try one again with replay FILE."
echo "1..$NUMBER"
exit "$BAD"
