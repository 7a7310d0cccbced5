#!/bin/bash
# docs.sh: runs the examples of docs/reference.md that show an output, and
# compares.  An example is an indented block without an empty line; what follows
# its last ";" is the output.  They share one session, which begins with docs/examples/cdnow/orders.sql.
#
# Connects as a superuser by PGHOST, PGPORT, PGUSER and PGDATABASE, to a server
# with the extension installed.  Prints TAP; exit 1 if any differs.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

WORK=$(mktemp -d)
: "${PGDATABASE:=postgres}"
HOME_DATABASE=$PGDATABASE
trap 'rm -rf "$WORK"; psql -Xq -d "$HOME_DATABASE" -c "SET client_min_messages = warning" -c "DROP DATABASE IF EXISTS segment_docs"' EXIT

psql -Xq -d "$HOME_DATABASE" -v ON_ERROR_STOP=1 -c 'SET client_min_messages = warning' \
	-c 'DROP DATABASE IF EXISTS segment_docs' -c "CREATE DATABASE segment_docs TEMPLATE template0 ENCODING 'UTF8'" || exit 1
export PGDATABASE=segment_docs
psql -Xq -v ON_ERROR_STOP=1 -c 'CREATE EXTENSION segment' || exit 1

# Example n becomes n.sql and n.expected; n.name says where it stands.
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
' "$WORK" docs/reference.md >"$WORK/count" || exit 1
count=$(cat "$WORK/count")

{
	echo '\i docs/examples/cdnow/orders.sql'
	echo '\pset footer off'
	for n in $(seq "$count"); do
		printf '\\echo @%s\n' "$n"
		cat "$WORK/$n.sql"
	done
} >"$WORK/all.sql"
psql -Xq -f "$WORK/all.sql" >"$WORK/out" 2>&1
awk -v dir="$WORK" '/^@[0-9]+$/ { file = dir "/" substr($0, 2) ".got"; printf "" >file; next } file != "" { print >file }' "$WORK/out"

# Blanks at the end of a line and empty lines don't count.
plain() {
	sed -E 's/[[:blank:]]+$//; s/^psql:[^ ]* //; /^$/d' "$1"
}

bad=0
for n in $(seq "$count"); do
	name=$(cat "$WORK/$n.name")
	touch "$WORK/$n.got"
	if difference=$(diff <(plain "$WORK/$n.expected") <(plain "$WORK/$n.got")); then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		head -n 30 <<<"$difference" | sed 's/^/#   /'
		bad=1
	fi
done
if [ "$count" -eq 0 ]; then
	echo "not ok 1 - no examples found in docs/reference.md"
	bad=1
fi
exit $bad
