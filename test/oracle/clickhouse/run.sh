#!/bin/sh
# Compares aggregates with those of ClickHouse on random cases; prints TAP.
#
#   test/oracle/clickhouse/run.sh              every family
#   test/oracle/clickhouse/run.sh funnel       one of them
#   ORACLE_SEED=17 ORACLE_CASES=100000 test/oracle/clickhouse/run.sh
#                                              other cases, and more of them than 20000
#
# Connects as a superuser by PGHOST, PGPORT, PGUSER and PGDATABASE, to a server
# with the extension installed, and makes a database of its own.  ClickHouse comes as the npm package chdb (half a
# gigabyte), from the directory CHDB_DIR, into which it is installed if it is not
# there; without CHDB_DIR, into a temporary one.  Where it can't be had, all is
# skipped, and that is a success.
#
# A family is a file family_NAME.js beside this one; compare.js says what is in it.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
version=3.4.0					# carries ClickHouse 26.7
work=$(mktemp -d)
home=${PGDATABASE:-postgres}

# sql DATABASE STATEMENT...
sql()
{
	database=$1
	shift
	for statement in "$@"; do
		psql -X -q -d "$database" -v ON_ERROR_STOP=1 -c 'SET client_min_messages = warning' -c "$statement" || return 1
	done
}

trap 'rm -rf "$work"; sql "$home" "DROP DATABASE IF EXISTS segment_clickhouse"' EXIT

skip()
{
	echo "ok 1 - comparison with ClickHouse # skip $1"
	echo "1..1"
	exit 0
}

command -v node >/dev/null || skip "node is not here"
chdb=${CHDB_DIR:-$work/chdb}
installed=$(sed -n 's/^ *"version": *"\(.*\)",*$/\1/p' "$chdb/node_modules/chdb/package.json" 2>/dev/null || true)
if [ "$installed" != "$version" ]; then
	command -v npm >/dev/null || skip "npm is not here"
	mkdir -p "$chdb"
	npm install --prefix "$chdb" --no-save --no-audit --no-fund --fetch-retries=1 "chdb@$version" >"$work/npm.log" 2>&1 ||
		skip "npm can't install chdb $version: $(grep -i error "$work/npm.log" | head -n 1)"
fi
(cd "$chdb" && node -e "require('chdb').query('SELECT 1')") >"$work/node.log" 2>&1 ||
	skip "chdb $version does not run here"

mkdir "$work/cases"
sql "$home" 'DROP DATABASE IF EXISTS segment_clickhouse' \
	"CREATE DATABASE segment_clickhouse TEMPLATE template0 ENCODING 'UTF8'" || exit 1
sql segment_clickhouse 'CREATE EXTENSION segment' || exit 1
PGDATABASE=segment_clickhouse CHDB_MODULE=$chdb/node_modules/chdb node "$here/compare.js" "$work/cases" "$@"
