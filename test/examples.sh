#!/bin/bash
# examples.sh: runs the examples of docs/examples that need data which is not
# part of the source, and compares their numbers with those of plain SQL.
#
#   SEGMENT_DATA=DIR   where the data are, as docs/examples/NAME/README.md says;
#                      without it these tests are skipped
#
# Connects as a superuser by PGHOST, PGPORT, PGUSER and PGDATABASE, to a server
# with the extension installed.  Prints TAP.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
. test/tap.sh

WORK=$(mktemp -d)
HOME_DATABASE=${PGDATABASE:-postgres}
DATABASE=segment_examples

drop() {
	psql -Xq -d "$HOME_DATABASE" -v ON_ERROR_STOP=1 -c 'SET client_min_messages = warning' -c "DROP DATABASE IF EXISTS $DATABASE"
}
trap 'rm -rf "$WORK"; drop' EXIT

# example NAME FILE... -- SCRIPT...: runs the scripts, then check.sql, which returns what is wrong.
example() {
	local name=$1 file script status=0
	shift
	while [ "$1" != -- ]; do
		file=${SEGMENT_DATA:-}/$1
		if [ -z "${SEGMENT_DATA:-}" ] || [ ! -r "$file" ]; then
			NUMBER=$((NUMBER + 1))
			echo "ok $NUMBER - $name # skip $1 is not here: SEGMENT_DATA names the directory"
			return
		fi
		shift
	done
	shift
	drop && psql -Xq -d "$HOME_DATABASE" -v ON_ERROR_STOP=1 -c "CREATE DATABASE $DATABASE" &&
		psql -Xq -d "$DATABASE" -v ON_ERROR_STOP=1 -c 'CREATE EXTENSION segment' >"$WORK/log" 2>&1 || status=1
	for script in "$@"; do
		[ "$status" -eq 0 ] || break
		psql -X -d "$DATABASE" -v ON_ERROR_STOP=1 -v data="$SEGMENT_DATA" -f "docs/examples/$name/$script" >"$WORK/log" 2>&1 || status=1
	done
	report "$name runs as written" "$status" "$WORK/log"
	[ "$status" -ne 0 ] ||
		check "$name: the numbers are those of plain SQL" \
			"$(psql -XAtq -d "$DATABASE" -v ON_ERROR_STOP=1 -f "docs/examples/$name/check.sql" 2>&1 | grep -v '^== ')"
}

# all_presets TEXT VARIABLE...: all presets on the log that the database has, by turns at two instants.
all_presets() {
	local text=$1 variable options=()
	shift
	for variable in "$@"; do
		options+=(-v "$variable")
	done
	check "$text: verify() is empty with all presets" \
		"$(psql -XAtq -d "$DATABASE" -v ON_ERROR_STOP=1 "${options[@]}" -f test/all_presets.sql 2>&1)"
}

drop && psql -Xq -d "$HOME_DATABASE" -v ON_ERROR_STOP=1 -c "CREATE DATABASE $DATABASE" &&
	psql -Xq -d "$DATABASE" -v ON_ERROR_STOP=1 -c 'CREATE EXTENSION segment' -c 'CREATE SCHEMA cdnow' \
		-c 'CREATE TABLE cdnow.log (customer_id int, ordered_on date, quantity int, amount numeric)' \
		-c "\\copy cdnow.log FROM PROGRAM 'gzip -dc docs/examples/cdnow/cdnow_master.csv.gz' (FORMAT csv, HEADER)" \
		-c 'CREATE INDEX ON cdnow.log (customer_id)' -c 'ANALYZE cdnow.log'
all_presets cdnow log=cdnow.log at=ordered_on event="'purchase'" value=amount item="'cd'" series=quantity \
	first='1998-03-29 00:30 Europe/London' second='1998-07-01 Europe/London'

example grocery grocery_campaign_descriptions.csv.gz grocery_campaigns.csv.gz grocery_coupon_redemptions.csv.gz \
	grocery_transactions_sample.csv.gz -- load.sql define.sql outcome.sql
example online_retail online_retail.csv.gz -- load.sql define.sql sizes.sql
[ ! -r "${SEGMENT_DATA:-}/online_retail.csv.gz" ] ||
	all_presets online_retail log=retail.lines at=invoiced_at event="CASE WHEN quantity > 0 THEN 'purchase' ELSE 'back' END" \
		value='quantity * unit_price' item=stock_code series='left(stock_code, 3)' \
		first='2011-10-30 00:30 Europe/London' second='2011-12-10 Europe/London'
example webshop ecommerce_clicks_synthetic.csv.gz -- load.sql define.sql sizes.sql

echo "1..$NUMBER"
exit "$BAD"
