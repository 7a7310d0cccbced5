#!/bin/bash
# run.sh [quick]: cppcheck, in seconds, and unless quick clang-tidy, in minutes,
# over the C of the library.  No finding is let through: what is none is said
# beside the line, with its reason (cppcheck-suppress, NOLINT), or for all
# of the tree in .clang-tidy.  Prints TAP.
#
#   PG_CONFIG            where the server's headers are
#   CPPCHECK, CLANG_TIDY

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

. test/tap.sh
JOBS=$(nproc)

# skip NAME
skip() {
	NUMBER=$((NUMBER + 1))
	echo "ok $NUMBER # skip $1 is not here"
}

if command -v "${CPPCHECK:-cppcheck}" >/dev/null; then
	# legacyUninitvar takes a designator for a use of the variable of that name; uninitvar does not.
	check "cppcheck has no finding" "$("${CPPCHECK:-cppcheck}" -q -j "$JOBS" --language=c --std=c11 --library=posix \
		--library=test/lint/postgresql.cfg --enable=warning,performance,portability --inline-suppr --suppress=legacyUninitvar \
		--error-exitcode=1 --template='{file}:{line}: {id}: {message}' -Isrc src $(ls test/fuzz/*.c) 2>&1)"
else
	skip cppcheck
fi

if [ "${1:-}" != quick ]; then
	if command -v "${CLANG_TIDY:-clang-tidy}" >/dev/null; then
		include=$("${PG_CONFIG:-pg_config}" --includedir-server)
		# Assertions tell what holds.
		check "clang-tidy has no finding" "$(find src -name '*.c' -print0 | sort -z |
			INCLUDE=$include CLANG_TIDY=${CLANG_TIDY:-clang-tidy} xargs -0 -n 4 -P "$JOBS" sh -c \
				'"$CLANG_TIDY" --quiet "$@" -- -Isrc "-I$INCLUDE" -D_GNU_SOURCE -DUSE_ASSERT_CHECKING 2>/dev/null' sh)"
	else
		skip clang-tidy
	fi
fi
echo "1..$NUMBER"
exit "$BAD"
