#!/bin/bash
# dashboard.sh: runs every query of docs/examples/dashboard/grafana.json against
# the demo's data, as the role that the documentation gives to a dashboard, with
# Grafana's macros and variables replaced as Grafana does.
#
# Connects as a superuser by PGHOST, PGPORT, PGUSER and PGDATABASE, to a server
# with the extension installed.  Prints TAP; exit 1 if anything is wrong.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

. test/tap.sh
HERE=docs/examples/dashboard
DASHBOARD=$HERE/grafana.json
WORK=$(mktemp -d)
: "${PGDATABASE:=postgres}"
HOME_DATABASE=$PGDATABASE
export PGDATABASE=segment_dashboard
ROLE=segment_dashboard					# as role.sql has it

drop() {
	psql -Xq -d "$HOME_DATABASE" -v ON_ERROR_STOP=1 <<-END
		SET client_min_messages = warning;
		DROP DATABASE IF EXISTS $PGDATABASE;
		DROP ROLE IF EXISTS $ROLE;
	END
}
trap 'rm -rf "$WORK"; drop' EXIT

# What a login would set, which SET SESSION AUTHORIZATION does not.
as_role="SET SESSION AUTHORIZATION $ROLE; SET default_transaction_read_only = on; SET statement_timeout = '30s'; SET jit = off; SET segment.as_of = '1998-07-01 00:00+00'"

# queries LOG OPTION...: the results of all queries.
queries() {
	local log=$WORK/$1
	shift
	perl "$HERE/queries.pl" --from=1997-02-01T00:00:00Z --to=1998-07-01T00:00:00Z --before="$as_role" "$@" "$DASHBOARD" >"$log" 2>&1 ||
		echo "{\"title\": \"queries.pl $*\", \"error\": \"exit status $?\"}" >>"$log"
}

# What is wrong with results, a line each: PROGRAM sees each as $_.
of_results() {
	perl -MJSON::PP -ne '
		our ($r, %rows, %columns, %seen);
		$r = eval { decode_json($_) } or do { print; next };
		my $name = defined $r->{variable} ? "variable $r->{variable}" : "panel " . ($r->{id} // "") . " ($r->{title})";
		BEGIN { *wrong = sub { print "$_[0]: $_[1]\n" } }
		'"$2" "$WORK/$1"
}

errors='wrong($name, $r->{error}) if defined $r->{error};'

check "the dashboard is JSON, with what Grafana needs to import it" "$(perl -MJSON::PP -0777 -ne '
	my $d = eval { decode_json($_) } or do { print "$@"; exit };
	for my $key (qw(title uid schemaVersion panels templating time)) { print "no $key\n" unless defined $d->{$key} }
	print "it has an id, which is that of one server\n" if defined $d->{id};
	my (%id, %cell, %variable, %used);
	my @place;
	$variable{$_->{name}}++ for @{ $d->{templating}{list} };
	print "variable $_ twice\n" for grep { $variable{$_} > 1 } sort keys %variable;
	for my $p (@{ $d->{panels} }) {
		my $name = "panel $p->{id} ($p->{title})";
		print "$name: its id is not the only one\n" if $id{$p->{id}}++;
		my $g = $p->{gridPos};
		print "$name: does not fit\n" if $g->{x} < 0 || $g->{x} + $g->{w} > 24 || $g->{w} < 1 || $g->{h} < 1;
		for my $x ($g->{x} .. $g->{x} + $g->{w} - 1) {
			for my $y ($g->{y} .. $g->{y} + $g->{h} - 1) { push @place, $name if $cell{"$x $y"}++ }
		}
		next if $p->{type} eq "row";
		print "$name: $p->{type} is no panel that comes with Grafana\n" unless $p->{type} =~ /^(stat|barchart|timeseries|table)$/;
		print "$name: no description\n" unless $p->{description};
		print "$name: no query\n" unless @{ $p->{targets} };
		my %ref;
		for my $t (@{ $p->{targets} }) {
			print "$name: refId $t->{refId} twice\n" if $ref{$t->{refId}}++;
			print "$name: a query without rawSql\n" unless $t->{rawQuery} && $t->{rawSql};
			print "$name: $t->{format}?\n" unless $t->{format} =~ /^(table|time_series)$/;
		}
		for ($p, @{ $p->{targets} }) {
			print "$name: not the data source of the variable\n"
				unless $_->{datasource}{uid} eq "\${datasource}" && $_->{datasource}{type} eq "grafana-postgresql-datasource";
		}
	}
	for (@{ $d->{templating}{list} }) {
		print "variable $_->{name}: not the data source of the variable\n" if $_->{type} eq "query" && $_->{datasource}{uid} ne "\${datasource}";
	}
	print "$_: lies upon another\n" for do { my %s; grep { !$s{$_}++ } @place };
	my $text = $_;
	$used{$1 // $2}++ while $text =~ /\$\{(\w+)(?::\w+)?\}|\$(?!_)(\w+)/g;
	print "variable $_ is not used\n" for grep { !$used{$_} } sort keys %variable;
	print "variable $_ is not defined\n" for grep { !$variable{$_} } sort keys %used;
' "$DASHBOARD")"

drop && createdb --maintenance-db="$HOME_DATABASE" -T template0 -E UTF8 "$PGDATABASE" || exit 1
check "the demo data load" "$(psql -Xq -v ON_ERROR_STOP=1 -f $HERE/load.sql 2>&1)"
check "the role is made" "$(psql -Xq -v ON_ERROR_STOP=1 -f $HERE/role.sql 2>&1)"
# Names that need quoting, and a table with neither segments nor history nor rows.
check "a second segment table" "$(psql -Xqt -v ON_ERROR_STOP=1 2>&1 <<-'END' | sed '/^[[:blank:]]*$/d'
	CREATE SCHEMA "It's ""odd""";
	SELECT FROM segment.create_table('"It''s ""odd""".customers', 'the "key"');
	GRANT USAGE ON SCHEMA "It's ""odd""" TO segment_dashboard;
	GRANT SELECT ON "It's ""odd""".customers, "It's ""odd""".customers_history TO segment_dashboard;
END
)"

check "the role may not change or read anything else" "$(for sql in 'TABLE shop.orders' \
	'CREATE TEMPORARY TABLE t ()' 'SET default_transaction_read_only = off; DELETE FROM shop.customers' \
	"SET default_transaction_read_only = off; CALL segment.refresh('shop.customers')" 'TABLE segment.config_table'; do
		! psql -Xq -v ON_ERROR_STOP=1 -c "$as_role" -c "$sql" >"$WORK/out" 2>&1 || echo "not refused: $sql"
		grep -qE 'permission denied|must be owner|read-only' "$WORK/out" || cat "$WORK/out"
	done)"

queries demo --set=table=shop.customers
check "every query runs" "$(of_results demo "$errors")"
check "the variables have the demo's values" "$(of_results demo '
	BEGIN { %rows = (table => "shop.customers", grouping => "stage", history => "shop.customers_history",
		segment => "active at_risk big_spender lapsed loyal new one_time rising") }
	if (defined $r->{variable}) {
		my $found = join " ", grep { $r->{variable} ne "table" || !/odd/ } map { $_->[0] } @{ $r->{rows} };
		wrong($name, $found) if $found ne delete $rows{$r->{variable}};
	}
	END { print "no variable $_\n" for sort keys %rows }')"
check "each has the columns that its panel shows" "$(of_results demo '
	BEGIN { %columns = map { my ($id, $list) = split /: /; $id => $list }
		"1: state text", "2: seconds_behind double precision", "3: backlog bigint", "4: set_aside bigint", "5: customers bigint",
		"6: segment text, members bigint",
		"7: time timestamp with time zone, metric text, value bigint", "8: time timestamp with time zone, metric text, value bigint",
		"9: source text, target text, count bigint",
		"10: time numeric, metric text, value bigint",
		"11: a text, b text, members_a bigint, members_b bigint, shared bigint, jaccard double precision",
		"12: segment text, arm text, " . join(", ", map { "$_ bigint" } qw(entered observed converted)) . ", " .
			join(", ", map { "$_ double precision" } qw(rate rate_low rate_high lift lift_low lift_high value_per_member)),
		"13: time timestamp with time zone, metric text, value double precision",
		"14: table text, state text, as_of timestamp with time zone, seconds_behind double precision, backlog bigint, set_aside bigint, schedule text, failures integer" }
	if (defined $r->{id}) {
		my $found = join ", ", map { "@$_" } @{ $r->{columns} // [] };
		wrong($name, $found) if $found ne (delete $columns{$r->{id}} // "");
	}
	END { print "no panel $_\n" for sort keys %columns }')"
check "time series are in order" "$(of_results demo '
	if (($r->{format} // "") eq "time_series") {
		my @time = map { $_->[0] } @{ $r->{rows} };
		my $numeric = $r->{columns}[0][1] eq "numeric";
		my ($first) = grep { $numeric ? $time[$_ - 1] > $time[$_] : $time[$_ - 1] gt $time[$_] } 1 .. $#time;
		wrong($name, "out of order at $time[$first]") if defined $first;
	}')"
check "each has rows where the demo has some" "$(of_results demo '
	if (defined $r->{id} && $r->{id} != 13) {
		wrong($name, "no rows") unless @{ $r->{rows} // [] };
		wrong($name, "NULL alone") unless grep { defined } map { @$_ } @{ $r->{rows} // [] };
	}')"
# Beside plain SQL, which knows nothing of the extension but its tables.
check "the numbers are those of the tables" "$(diff <(of_results demo '
		print join("|", $r->{id}, map { $_ // "" } @$_), "\n" for !defined $r->{id} ? ()
			: $r->{id} == 7 ? grep { $_->[0] =~ /^1998-01-20/ && $_->[1] eq "loyal" } @{ $r->{rows} }
			: $r->{id} == 12 ? map { [@$_[0, 2 .. 4]] } grep { $_->[0] eq "at_risk" } @{ $r->{rows} }
			: $r->{id} =~ /^(1|2|3|5|6|9)$/ ? @{ $r->{rows} } : ();' | sed 's/T00:00:00+00:00//') <(psql -XAtq <<-'END'
	SELECT 1, 'up to date';
	SELECT 2, 0;
	SELECT 3, 0;
	SELECT 5, count(*) FROM shop.customers;
	SELECT 6, s.name, count(*) FILTER (WHERE member) FROM shop.customers, LATERAL (VALUES ('active', active), ('at_risk', at_risk), ('big_spender', big_spender), ('lapsed', lapsed),
		('loyal', loyal), ('new', new), ('one_time', one_time), ('rising', rising)) s (name, member) GROUP BY 2 ORDER BY count(*) FILTER (WHERE member) DESC, 2;
	SELECT 7, '1998-01-20', 'loyal', count(*) FROM shop.customers_history WHERE segment = 'loyal' AND entered_at <= '1998-01-20 00:00+00' AND (left_at > '1998-01-20 00:00+00') IS NOT false;
	SELECT 9, coalesce(b.label, '(none)'), coalesce(a.label, '(none)'), count(*)
	FROM (SELECT customer_id, label FROM shop.customers_history WHERE segment = 'stage' AND left_at IS NULL) a
	FULL JOIN (SELECT customer_id, label FROM shop.customers_history WHERE segment = 'stage' AND entered_at <= '1997-02-01 00:00+00') b USING (customer_id)
	GROUP BY 2, 3 ORDER BY 4 DESC, 2, 3;
	SELECT 12, 'at_risk', count(*), count(*) FILTER (WHERE judged), count(*) FILTER (WHERE judged AND EXISTS
		(SELECT FROM shop.orders o WHERE o.customer_id = e.customer_id AND ordered_at > at AND ordered_at <= at + interval '30 days'))
	FROM (SELECT customer_id, min(entered_at) AS at, min(entered_at) <= timestamptz '1998-07-01' - interval '30 days' AS judged FROM shop.customers_history
		WHERE segment = 'at_risk' AND entered_at < '1998-07-01' GROUP BY 1) e;
END
))"

queries today --set=table=shop.customers --from="$(date -ud yesterday +%FT%TZ)" --to="$(date -ud tomorrow +%FT%TZ)" --interval=1h
check "runs are there on the day that they were made" "$(of_results today "$errors"'
	wrong($name, scalar @{ $r->{rows} }) if ($r->{id} // 0) == 13 && @{ $r->{rows} // [] } != 18;')"
queries few --set=table=shop.customers --set=segment=loyal --set=segment=new
check "of two segments chosen, two are shown" "$(of_results few "$errors"'
	if (($r->{id} // 0) =~ /^(6|7)$/) {
		my %found = map { $_->[$r->{id} == 6 ? 0 : 1] => 1 } @{ $r->{rows} };
		wrong($name, join " ", sort keys %found) if "@{[sort keys %found]}" ne "loyal new";
	}')"
queries arms --set=table=shop.customers --set=segment=at_risk --set=experiment=spring --set=weights='{"mail": 9, "holdout": 1}'
check "the outcome by arms of an experiment" "$(of_results arms "$errors"'
	if (($r->{id} // 0) == 12) {
		my @row = @{ $r->{rows} };
		wrong($name, "arms @{[map { $_->[1] } @row]}") if "@{[map { $_->[1] } @row]}" ne "holdout mail";
		wrong($name, "no lift") if !defined $row[1][8] || defined $row[0][8] && $row[0][8] != 0;
	}')"
psql -Xq -c "SELECT FROM segment.add_group('shop.customers', 'arm', 'mail', 'customer_id % 2 = 0', 'holdout', 'true')" -c "SET segment.as_of = '1998-07-01'" -c "CALL segment.refresh('shop.customers')" >/dev/null
queries group --set=table=shop.customers --set=segment=at_risk --set=arms=arm
check "the outcome by the labels of a group" "$(of_results group "$errors"'
	if (($r->{id} // 0) == 12) {
		my $found = join " ", sort map { $_->[1] // "NULL" } @{ $r->{rows} };
		wrong($name, "arms $found") if $found ne "NULL holdout mail";
	}')"
queries odd --set=table="\"It's \"\"odd\"\"\".customers"
check "a table without segments, with an odd name" "$(of_results odd "$errors"'
	wrong($name, scalar @{ $r->{rows} }) if defined $r->{id} && @{ $r->{rows} // [] } != ($r->{id} == 14 ? 2 : $r->{id} <= 5 ? 1 : 0);')"
check "intervals as Grafana writes them are PostgreSQL's" "$(for step in 30s 1m 5m 1h 2h 6h 12h 1d 2d 7d 1w 30d 1y; do
		psql -XAtq -v ON_ERROR_STOP=1 -c "SELECT '$step' WHERE interval '$step' <> make_interval(secs => $(perl -e '
			my %unit = (s => 1, m => 60, h => 3600, d => 86400, w => 604800, y => 360 * 86400);
			$ARGV[0] =~ /(\d+)(\w)/; print $1 * $unit{$2}' "$step"))" 2>&1
	done)"
echo "1..$NUMBER"
exit "$BAD"
