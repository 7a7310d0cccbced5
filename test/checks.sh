#!/bin/bash
# checks.sh [PSQL]: what must hold of the source tree itself; with PSQL, also of
# the extension it installs (connection settings come from the environment).
# Prints TAP.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

PSQL=${1:-}
. test/tap.sh
VERSION=$(sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" segment.control)

ours() {
	find src sql test docs Makefile segment.control .ci .github -type f \
		! -name '*.o' ! -name '*.bc' ! -name '*.so' ! -name '*.gz' ! -path 'test/checks.sh' \
		! -path 'sql/segment--*' ! -path 'sql/upgrades/*' -print0
}

check "version is one of semantic versioning" \
	"$(grep -qE '^[0-9]+\.[0-9]+\.[0-9]+(-[a-z0-9.]+)?$' <<<"$VERSION" || echo "'$VERSION'")"
check "version stands in segment.control alone" \
	"$(ours | xargs -0 grep -nF -- "$VERSION" | grep -v '^segment.control:')"
check "META.json is JSON, and takes its version from there" \
	"$(sed "s/@VERSION@/$VERSION/g" META.json | VERSION=$VERSION perl -MJSON::PP -0777 -ne '
		my $meta = decode_json($_);
		for ($meta, $meta->{provides}{segment}) {
			print "version is $_->{version}" if $_->{version} ne $ENV{VERSION};
		}' 2>&1)"
check "every source file is built" \
	"$(find src -name '*.c' | sed 's/c$/o/' | sort | comm -23 - <(grep -oE 'src/[a-z_/]+\.o' Makefile | sort))"
check "every part of the install script is used" \
	"$(find sql -name '*.sql' ! -name 'segment--*' ! -path 'sql/upgrades/*' | sort |
		comm -23 - <(grep -oE 'sql/[a-z0-9_/]+\.sql' Makefile | sort))"
# pg_regress looks into sql/ of its output directory, the top one, before that of its input.
check "no part of the install script has the name of a test" \
	"$(find sql -maxdepth 1 -name '*.sql' -printf '%f\n' | sort | comm -12 - <(find test/sql -name '*.sql' -printf '%f\n' | sort))"
check "every regression test has its expected output, and the other way round" \
	"$({ find test/sql test/specs -name '*.sql' -o -name '*.spec'; } 2>/dev/null |
		sed 's,.*/,,; s/\.[a-z]*$//' | sort |
		comm -3 - <(find expected -name '*.out' 2>/dev/null | sed -E 's,.*/,,; s/(_[0-9])?\.out$//' | sort -u))"
check "nothing is left to do" \
	"$(ours | xargs -0 grep -nwE 'TODO|FIXME|XXX')"
check "compat.h alone knows PostgreSQL versions" \
	"$(grep -rnw --include='*.[ch]' PG_VERSION_NUM src | grep -v '^src/compat.h:')"
# PostgreSQL 16 began to cast them to one type, which clang refuses to do for another.
check "every walker and mutator takes a void *" \
	"$(grep -rhoE --include='*.c' '(tree_walker|tree_mutator)\([^,;]+, *[a-z_]+' src | sed 's/.*[, ]//' | sort -u |
		while read -r walker; do grep -rnE --include='*.c' "\<$walker\(Node \*" src | grep -v 'void \*'; done)"
check "no file of C is longer than 500 lines" \
	"$(find src -name '*.[ch]' -exec wc -l {} + | awk '$2 != "total" && $1 > 500')"
check "no trailing white space" \
	"$(ours | xargs -0 grep -nIE '[[:blank:]]+$' | grep -v '\.md:' | head -n 20)"

if [ -n "$PSQL" ]; then
	query() {
		"$PSQL" -XAtq -v ON_ERROR_STOP=1 -c "$1" 2>&1
	}
	check "every released version can be updated to this one" \
		"$(query "SELECT source || ' to ' || target FROM pg_extension_update_paths('segment')
				  WHERE target = '$VERSION' AND path IS NULL")"
	check "the extension installs" "$(query 'CREATE EXTENSION segment')"
	check "every function, type, table and view of the extension has a comment" \
		"$(query "SELECT pg_describe_object(classid, objid, 0)
			FROM pg_depend
			WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
			AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'segment')
			AND obj_description(objid, classid::regclass::name) IS NULL
			AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = objid AND c.relkind NOT IN ('r', 'p', 'v', 'm'))
			AND NOT EXISTS (SELECT FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
							WHERE t.oid = objid AND (t.typelem <> 0 OR c.relkind <> 'c'))
			ORDER BY 1")"
	query 'DROP EXTENSION segment' >/dev/null
fi

echo "1..$NUMBER"
exit "$BAD"
