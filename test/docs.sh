#!/bin/bash
# docs.sh: runs the examples of the documentation that show an output, and
# compares.  Each page has a database and one session.
#
# docs/reference.md: an example is an indented block without an empty line; what
# follows its last ";" is the output.  The session begins with
# docs/examples/cdnow/orders.sql.
#
# docs/tutorial.md, docs/recipes.md, docs/presets.md, docs/reporting.md and docs/operations.md: what a reader types,
# each ```sql block, is run in order.  The ```text block behind one is how its
# output ends; what is not shown may be no error, warning or notice.  From the comment
# "<!-- test/docs.sh: outputs differ from here on -->" on, errors alone count.
#
# The tables of options in docs/presets.md are compared with the view segment.presets.
#
# Connects as a superuser by PGHOST, PGPORT, PGUSER and PGDATABASE, to a server
# with the extension installed.  Prints TAP; exit 1 if any differs.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

WORK=$(mktemp -d)
: "${PGDATABASE:=postgres}"
HOME_DATABASE=$PGDATABASE
DATABASE=segment_docs
NUMBER=0
BAD=0

drop() {
	psql -Xq -d "$HOME_DATABASE" -v ON_ERROR_STOP=1 -c 'SET client_min_messages = warning' -c "DROP DATABASE IF EXISTS $DATABASE"
}
trap 'rm -rf "$WORK"; drop' EXIT

# Example n becomes n.sql and n.expected; n.name says where it stands.

# split_indented DIRECTORY PAGE: prints how many.
split_indented() {
	perl -e '
		my ($dir, $file) = @ARGV;
		my ($heading, $line, $n, @block) = ("", 0, 0);
		open my $in, "<", $file or die "$file: $!";
		sub finish {
			my $text = join "", @block;
			@block = ();
			return unless $text =~ /^(.*;)[ ]*\n(.*\S.*)$/s;
			my ($sql, $output) = ($1, $2);
			return unless $output =~ /^ *-+(\+-+)*\s*$/m;
			$n++;
			for (["sql", "$sql\n"], ["expected", $output], ["name", "$heading, line $line"]) {
				open my $out, ">", "$dir/$n.$_->[0]" or die $!;
				print $out $_->[1];
			}
		}
		while (my $text = <$in>) {
			if ($text =~ /^    (.*\n)/) { $line = $. unless @block; push @block, $1 }
			elsif ($text =~ /\S/) { finish(); $heading = $1 if $text =~ /^#+ (.*)/ }
			else { finish() }
		}
		finish();
		print "$n\n";
	' "$1" "$2"
}

# split_fenced DIRECTORY PAGE: prints how many; n.free: its output differs.
split_fenced() {
	perl -e '
		my ($dir, $file) = @ARGV;
		my ($heading, $n, $free, $kind) = ("", 0, 0, "");
		my $out;
		open my $in, "<", $file or die "$file: $!";
		while (my $text = <$in>) {
			if ($kind eq "" && $text =~ /^```(sql|text)$/) {
				$kind = $1;
				$n++ if $kind eq "sql";
				die "$file, line $.: an output of nothing\n" if $n == 0;
				die "$file, line $.: a second output\n" if $kind eq "text" && -e "$dir/$n.expected";
				for (["name", "$heading, line $."], $free ? (["free", ""]) : ()) {
					next if $kind eq "text";
					open my $about, ">", "$dir/$n.$_->[0]" or die $!;
					print $about $_->[1];
				}
				open $out, ">", "$dir/$n." . ($kind eq "sql" ? "sql" : "expected") or die $!;
			}
			elsif ($kind ne "" && $text =~ /^```$/) { close $out; $kind = "" }
			elsif ($kind ne "") { print $out $text }
			elsif ($text =~ /^#+ (.*)/) { $heading = $1 }
			elsif ($text =~ /^<!-- test\/docs.sh: outputs differ from here on -->$/) { $free = 1 }
		}
		print "$n\n";
	' "$1" "$2"
}

# Blanks at the end of a line and empty lines don't count.
plain() {
	sed -E 's/[[:blank:]]+$//; s/^psql:[^ ]* //; /^$/d' "$1"
}

# Without results of type void, which no page shows.
without_void() {
	perl -0pe 's/^ \w+\n-+\n\(1 row\)\n//mg'
}

# difference DIRECTORY N: what is wrong with an example, if anything.
difference() {
	local lines=0
	touch "$1/$2.got"
	plain "$1/$2.got" | without_void >"$1/got"
	if [ -e "$1/$2.free" ]; then
		grep -A 3 '^ERROR:' "$1/got"
		return
	fi
	if [ -e "$1/$2.expected" ]; then
		plain "$1/$2.expected" >"$1/expected"
		lines=$(wc -l <"$1/expected")
		[ "$PAGE" != docs/reference.md ] || lines=$(($(wc -l <"$1/got") + 1))
		diff "$1/expected" <(tail -n "$lines" "$1/got")
	fi
	head -n "-$lines" "$1/got" | grep -A 3 -E '^(ERROR|WARNING|NOTICE):'
}

# page PAGE SPLIT FIRST: FIRST is what the session begins with.
page() {
	local PAGE=$1 dir n count wrong
	dir=$WORK/$(basename "$PAGE" .md)
	mkdir "$dir"
	count=$("$2" "$dir" "$PAGE") || exit 1
	drop && psql -Xq -d "$HOME_DATABASE" -v ON_ERROR_STOP=1 -c "CREATE DATABASE $DATABASE TEMPLATE template0 ENCODING 'UTF8'" || exit 1
	{
		printf '%s\n' "$3"
		for n in $(seq "$count"); do
			printf '\\echo @%s\n' "$n"
			cat "$dir/$n.sql"
		done
	} >"$dir/all.sql"
	psql -Xq -d "$DATABASE" -f "$dir/all.sql" >"$dir/out" 2>&1
	awk -v dir="$dir" '/^@[0-9]+$/ { file = dir "/" substr($0, 2) ".got"; printf "" >file; next } file != "" { print >file }' "$dir/out"

	for n in $(seq "$count"); do
		NUMBER=$((NUMBER + 1))
		wrong=$(difference "$dir" "$n")
		if [ -z "$wrong" ]; then
			echo "ok $NUMBER - $(basename "$PAGE" .md): $(cat "$dir/$n.name")"
		else
			echo "not ok $NUMBER - $(basename "$PAGE" .md): $(cat "$dir/$n.name")"
			head -n 30 <<<"$wrong" | sed 's/^/#   /'
			BAD=1
		fi
	done
	if [ "$count" -eq 0 ]; then
		echo "not ok $((++NUMBER)) - no examples found in $PAGE"
		BAD=1
	fi
}

# page_options PAGE: preset, option, type, default and unit as COPY reads them.
page_options() {
	perl -ne '
		if (/^## (.*)/) { $preset = $1; $table = 0 }
		elsif (/^\| option \| type \| default \| unit \| meaning \|$/) { $table = 1 }
		elsif (!/^\|/) { $table = 0 }
		elsif ($table && !/^\|-/) {
			my (undef, $names, $type, $default, $unit) = map { s/^ +| +$//gr } split /\|/;
			my @names = $names =~ /`(\w+)`/g;
			my @defaults = $default =~ /`([^`]*)`/g;
			@defaults = ("{\"rule\": \"true\"}") x @names if $default eq "every event";
			@defaults = ("\\N") x @names if $default eq "null" || $type eq "labels";
			die "$names: $default\n" if @names != @defaults;
			print join("\t", $preset, $names[$_], $type, $defaults[$_], $unit eq "" ? "\\N" : $unit), "\n" for 0 .. $#names;
		}
	' "$1"
}

# options PAGE: is every option of every preset on the page as the view has it?
options() {
	local wrong
	wrong=$({
		echo 'CREATE TEMPORARY TABLE page (preset text, option text, type text, default_value jsonb, unit text);'
		echo 'COPY page FROM STDIN;'
		page_options "$1"
		echo '\.'
		cat <<-SQL
			SELECT CASE WHEN p IS NULL THEN 'missing' ELSE 'wrong' END, preset, option
			FROM (SELECT preset, option, type, CASE type WHEN 'labels' THEN NULL ELSE default_value END, unit FROM segment.presets
			      WHERE option NOT IN ('prefix', 'only', 'check_events')
			      EXCEPT TABLE page) AS v (preset, option)
			LEFT JOIN page p USING (preset, option)
			UNION ALL
			SELECT 'too much', preset, option FROM page WHERE (preset, option) NOT IN (SELECT preset, option FROM segment.presets WHERE option IS NOT NULL)
			ORDER BY 1, 2, 3;
		SQL
	} | psql -XqAt -d "$DATABASE" -v ON_ERROR_STOP=1 2>&1)
	NUMBER=$((NUMBER + 1))
	if [ -z "$wrong" ]; then
		echo "ok $NUMBER - $(basename "$1" .md): options"
	else
		echo "not ok $NUMBER - $(basename "$1" .md): options"
		sed 's/^/#   /' <<<"$wrong"
		BAD=1
	fi
}

page docs/reference.md split_indented 'CREATE EXTENSION segment;
\i docs/examples/cdnow/orders.sql
\pset footer off'
page docs/tutorial.md split_fenced ''
page docs/recipes.md split_fenced ''
page docs/reporting.md split_fenced '\i docs/examples/dashboard/load.sql'
page docs/presets.md split_fenced ''
options docs/presets.md
page docs/operations.md split_fenced "CREATE EXTENSION segment;
CREATE SCHEMA shop;
CREATE TABLE shop.orders (customer_id bigint, ordered_at timestamptz, amount numeric);
CREATE INDEX ON shop.orders (customer_id);
INSERT INTO shop.orders SELECT g, now() - interval '1 day', g FROM generate_series(1, 100) g;
SELECT segment.create_table('shop.customer_segments', key => 'customer_id');
SELECT segment.add_source('shop.customer_segments', 'shop.orders', key => 'customer_id', at => 'ordered_at', value => 'amount');
SELECT segment.add_score('shop.customer_segments', 'spent', 'sum(value)');
SELECT segment.add_segment('shop.customer_segments', 'big_spender', 'spent > 50');
CALL segment.refresh('shop.customer_segments');
DELETE FROM shop.customer_segments_history WHERE customer_id > 90;"
exit $BAD
