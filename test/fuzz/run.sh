#!/bin/bash
# run.sh [SECONDS]: the mathematics without a server.  NAME_test.c tries random
# cases beside brute force.  NAME_fuzz.c is given bytes by libFuzzer for as many
# seconds (3), under sanitizers, where clang has its run-time library.  Both are
# built with the files of their first comment's "of" line.  Prints TAP.
#
#   FUZZ_TARGETS='crossing sequence'   those alone
#   FUZZ_SEED=1                        of libFuzzer; random where SECONDS are more than 20
#   FUZZ_DIR                           keeps programs, corpora and failed inputs
#   PG_CONFIG, CC (gcc), CLANG (clang)

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

LIMIT=${1:-3}
OUT=${FUZZ_DIR:-}
CC=${CC:-gcc}
CLANG=${CLANG:-clang}
FLAGS="-g -Isrc -I$("${PG_CONFIG:-pg_config}" --includedir-server)"
. test/tap.sh

if [ -z "$OUT" ]; then
	OUT=$(mktemp -d)
	trap '[ "$BAD" -ne 0 ] || rm -rf "$OUT"' EXIT
fi
mkdir -p "$OUT/failed"
if [ -z "${FUZZ_SEED:-}" ]; then
	[ "$LIMIT" -le 20 ] && FUZZ_SEED=1 || FUZZ_SEED=$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')
fi

# files NAME: what it tries; "of" in its first comment, else the model of that name.
files() {
	local named
	named=$(sed -n '1,12s/^ \*	of \(.*\)$/\1/p' "$1")
	# shellcheck disable=SC2086
	ls ${named:-src/model/$(basename "$1" "_$2.c")*.c}
}

wanted() {
	[ -z "${FUZZ_TARGETS:-}" ] || [[ " $FUZZ_TARGETS " = *" $1 "* ]]
}

for source in test/fuzz/*_test.c; do
	name=$(basename "$source" _test.c)
	wanted "$name" || continue
	# shellcheck disable=SC2046,SC2086
	$CC -O2 $FLAGS -o "$OUT/${name}_test" "$source" $(files "$source" test) -lm >"$OUT/$name.log" 2>&1 &&
		"$OUT/${name}_test" >"$OUT/$name.log" 2>&1
	report "$name beside brute force: $(tail -n 1 "$OUT/$name.log")" $? "$OUT/$name.log"
done

libfuzzer=
! echo 'int LLVMFuzzerTestOneInput(const char *d, unsigned long n) { return 0; }' |
	$CLANG -fsanitize=fuzzer,address,undefined -x c - -o "$OUT/probe" 2>/dev/null || libfuzzer=yes
for source in test/fuzz/*_fuzz.c; do
	name=$(basename "$source" _fuzz.c)
	wanted "$name" || continue
	if [ -z "$libfuzzer" ]; then
		NUMBER=$((NUMBER + 1))
		echo "ok $NUMBER - $name # skip libFuzzer: clang or its run-time library (libclang-rt-*-dev) is missing"
		continue
	fi
	mkdir -p "$OUT/corpus/$name"
	status=0
	# shellcheck disable=SC2046,SC2086
	$CLANG -O1 $FLAGS -Wno-ignored-attributes -fno-sanitize-recover=all \
		-fsanitize=fuzzer,address,undefined,float-cast-overflow \
		-o "$OUT/${name}_fuzz" "$source" $(files "$source" fuzz) -lm >"$OUT/$name.log" 2>&1 &&
		ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 "$OUT/${name}_fuzz" -seed="$FUZZ_SEED" \
			-max_total_time="$LIMIT" -max_len=600 -timeout=20 -verbosity=0 -print_final_stats=1 \
			-artifact_prefix="$OUT/failed/$name-" "$OUT/corpus/$name" >"$OUT/$name.log" 2>&1 || status=$?
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$OUT/$name.log")
	report "$name: $LIMIT seconds of libFuzzer (seed $FUZZ_SEED, ${runs:-?} inputs)" "$status" "$OUT/$name.log"
done
[ "$BAD" -eq 0 ] || echo "# Inputs and programs are in $OUT; try one again with NAME_fuzz FILE."
echo "1..$NUMBER"
exit "$BAD"
