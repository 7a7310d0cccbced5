#!/bin/bash
# build.sh DIRECTORY: builds DIRECTORY/replay with gcc and, where clang has its
# run-time library, DIRECTORY/fuzzer, of all of src/aggregate and src/model.
#
#   PG_CONFIG, CC (gcc), CLANG (clang)

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."

OUT=$1
HERE=test/fuzz/state
PG_CONFIG=${PG_CONFIG:-pg_config}
export LC_ALL=C

mkdir -p "$OUT"
find sql -name '*.sql' ! -path 'sql/upgrades/*' ! -name 'segment--*' -print0 | sort -z |
	xargs -0 perl $HERE/functions.pl >"$OUT/functions.c"

# Functions of the server that the shim has not: they end the program by name.
stubs() {
	cat <<-'END'
		#include <stdio.h>
		#include <stdlib.h>
		static void missing(const char *name)
		{
			fprintf(stderr, "FAILED: test/fuzz/state/values.c lacks %s\n", name);
			abort();
		}
	END
	sed -nE 's/.*undefined (reference to `|symbol: )([A-Za-z_0-9]+).*/\2/p' | sort -u |
		sed 's/.*/void &(void); void &(void) { missing("&"); }/'
}

# program NAME COMPILER COMMON-FLAGS COMPILE-FLAGS LINK-FLAGS
# Signed overflow is looked for, though the library is built with -fwrapv:
# nothing in it relies on that.
program() {
	local name=$1 compiler=$2 common=$3 compile=$4 link=$5 file object objects=() jobs=0
	local dir=$OUT/$name.o
	mkdir -p "$dir"
	for file in src/aggregate/*.c src/model/*.c $HERE/*.c "$OUT/functions.c"; do
		[ "$name" = replay ] || [ "$file" != $HERE/replay.c ] || continue
		object=$dir/${file//\//_}.o
		objects+=("$object")
		# Coverage of the library alone is of interest.
		[[ $file = src/* ]] || compile=
		# shellcheck disable=SC2086
		$compiler -g -O1 -fno-omit-frame-pointer $common $compile -DUSE_ASSERT_CHECKING \
			-D_GNU_SOURCE -Isrc -I$HERE -I"$("$PG_CONFIG" --includedir-server)" -c -o "$object" "$file" &
		jobs=$((jobs + 1))
		if [ $((jobs % 2)) -eq 0 ]; then
			wait_all
		fi
	done
	wait_all
	for object in "${objects[@]}"; do
		[ -e "$object" ] || return 1
	done
	# shellcheck disable=SC2086
	$compiler $common $link "${objects[@]}" -lm -o "$OUT/$name" 2>"$dir/link.log" && return
	stubs <"$dir/link.log" >"$dir/stubs.c"
	# shellcheck disable=SC2086
	$compiler $common $link -fno-builtin -w "${objects[@]}" "$dir/stubs.c" -lm -o "$OUT/$name"
}

wait_all() {
	local job
	for job in $(jobs -p); do
		wait "$job"
	done
}

rm -rf "$OUT/replay" "$OUT/fuzzer" "$OUT"/*.o
program replay "${CC:-gcc}" "-fsanitize=address,undefined -fno-sanitize-recover=all" "" ""

CLANG=${CLANG:-clang}
if echo 'int LLVMFuzzerTestOneInput(const char *d, unsigned long n) { return 0; }' |
	$CLANG -fsanitize=fuzzer,address,undefined -x c - -o "$OUT/probe" 2>/dev/null; then
	program fuzzer "$CLANG" \
		"-Wno-ignored-attributes -fsanitize=address,undefined,float-cast-overflow -fno-sanitize-recover=all" \
		"-fsanitize=fuzzer-no-link" "-fsanitize=fuzzer"
fi
