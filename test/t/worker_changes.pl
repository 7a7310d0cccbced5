# Consent withdrawn beside a continuous schedule, what is told of it, and the
# consumer of docs/examples/consumer, killed before each of its commands.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use IPC::Run;
use PostgreSQL::Test::Utils;
use SegmentNode;
use Test::More;

my $node = segment_node('changes', 'postgres');
my $db = 'postgres';
my $example = "$FindBin::RealBin/../../docs/examples/consumer";

$node->safe_psql($db, 'CREATE EXTENSION segment');
make_shop($node, $db, 'shop');
$node->safe_psql($db, <<'SQL');
CREATE PROCEDURE wait_until(question text) LANGUAGE plpgsql AS $$
DECLARE
	holds boolean;
BEGIN
	FOR i IN 1 .. 36000 LOOP
		EXECUTE 'SELECT ' || question INTO holds;
		EXIT WHEN holds;
		PERFORM pg_sleep(0.005);
	END LOOP;
END $$;
GRANT EXECUTE ON PROCEDURE wait_until TO PUBLIC;
SET ROLE shop;
CREATE TABLE shop.person (id bigint PRIMARY KEY, consent boolean);
INSERT INTO shop.person SELECT i, true FROM generate_series(1, 5) i;
INSERT INTO shop.orders SELECT i FROM generate_series(1, 5) i;
SELECT segment.add_attributes('shop.customers', 'shop.person', 'id', '{"consent": "consent"}');
SELECT segment.set_eligible('shop.customers', 'consent');
SELECT segment.keep_changes('shop.customers');
CALL segment.refresh('shop.customers');
SELECT segment.schedule('shop.customers', 'continuous');
SQL
wait_fresh($node, $db, 'shop.customers', 'the table is fresh');

# Makes a change, and asks until it shows: whether it does, and after how many milliseconds.
sub shows_quietly
{
	my ($change, $question) = @_;
	my $out = $node->safe_psql($db, <<SQL);
$change;
CREATE TEMP TABLE since AS SELECT clock_timestamp() AS at;
CALL wait_until(\$q\$$question\$q\$);
SELECT ($question), (extract(epoch FROM clock_timestamp() - at) * 1000)::int FROM since;
SQL
	return split /\|/, $out;
}

sub shows
{
	my ($change, $question, $what) = @_;
	my ($holds, $ms) = shows_quietly($change, $question);
	is($holds, 't', $what);
	note("$what: $ms ms after the commit");
	return;
}

my $row = 'EXISTS (SELECT FROM shop.customers WHERE customer = 3)';
my $cursor = $node->safe_psql($db, "SELECT segment.changes_cursor('shop.customers')");
is($node->safe_psql($db, "SELECT $row"), 't', 'who consents has a row');
for my $round (1 .. 3)
{
	shows('UPDATE shop.person SET consent = false WHERE id = 3', "NOT $row", 'who withdraws it has none');
	shows('UPDATE shop.person SET consent = true WHERE id = 3', $row, 'who gives it again comes back');
}
shows('UPDATE shop.person SET consent = NULL WHERE id = 3', "NOT $row", 'who says nothing has none');
is($node->safe_psql($db, "SELECT count(*), count(left_at) FROM shop.customers_history WHERE customer = 3 AND segment = 'active'"),
	'4|4', 'the history says when');
is($node->safe_psql($db, "SELECT string_agg(CASE WHEN entered THEN 'in' ELSE 'out' END, ' ')"
	  . " FROM segment.changes('shop.customers', '$cursor') WHERE key = '3'"),
	'out in out in out in out', 'and the changes in which order');
$node->safe_psql($db, "SET ROLE shop; SELECT segment.erase('shop.customers', '3')");
shows('UPDATE shop.person SET consent = true WHERE id IN (3, 4); INSERT INTO shop.orders VALUES (3), (6);'
	  . ' INSERT INTO shop.person VALUES (6, true)', 'EXISTS (SELECT FROM shop.customers WHERE customer = 6)',
	'others come');
is($node->safe_psql($db, "SELECT $row, (SELECT count(*) FROM shop.customers_history WHERE customer = 3),"
	  . " (SELECT count(*) FROM segment.changes('shop.customers', '$cursor') WHERE key = '3')"),
	'f|0|0', 'who is erased stays out, and nothing is left of him');

# what a job tells
my ($in, $out) = ("LISTEN segment;\nUPDATE shop.person SET consent = false WHERE id = 5;\n", '');
my $listener = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr($db) ], '<', \$in, '>', \$out,
	IPC::Run::timeout(180));
while ($out !~ /Asynchronous notification/)
{
	$in .= "SELECT pg_sleep(0.01);\n";
	$listener->pump until $in eq '';
	$listener->pump_nb;
}
$in .= "\\q\n";
$listener->finish;
like($out, qr/^Asynchronous notification "segment" with payload "\{"table": "shop\.customers", "entered": 0, "left": 1, "as_of": "[-0-9]+T[:.0-9]+\+00:00"\}"/m,
	'a job tells whoever listens');

# The consumer, killed before its first command, before its second, and so on,
# until there is none before which it could be killed.  What it sends to keeps
# one file for each id, and counts what it is sent again.
my $dir = PostgreSQL::Test::Utils::tempdir();
append_to_file("$dir/send", <<'SH');
#!/bin/bash
set -o noclobber
if ! echo "$2" 2>/dev/null >"${0%/*}/got.$1"; then
	set +o noclobber
	echo "$1" >>"${0%/*}/again"
fi
SH
append_to_file("$dir/trap", <<'SH');
if [ "${0##*/}" = consumer.sh ]; then
	set -T
	commands=0
	trap '[ $((++commands)) -lt "$KILL_BEFORE" ] || kill -KILL $$ $BASHPID' DEBUG
fi
SH
chmod 0700, "$dir/send";
$node->command_ok([ 'psql', '-Xq', '-d', $node->connstr($db), '-v', 'ON_ERROR_STOP=1', '-v', 'tbl=shop.customers',
	'-v', 'segment=active', '-f', "$example/setup.sql" ], 'the consumer is set up');
my ($before, $status, $bought) = (0, 1, 100);
$node->safe_psql($db, 'INSERT INTO shop.person SELECT i, true FROM generate_series(100, 1000) i');
while ($status != 0 && $before < 500)
{
	local %ENV = (%ENV, BASH_ENV => "$dir/trap", KILL_BEFORE => ++$before,
		PGHOST => $node->host, PGPORT => $node->port, PGDATABASE => $db);
	# two enter, one leaves
	my $as_bought = 'ARRAY(SELECT DISTINCT customer FROM shop.orders WHERE customer >= 100 ORDER BY 1)'
	  . ' = ARRAY(SELECT customer FROM shop.customers WHERE active AND customer >= 100 ORDER BY 1)';
	shows_quietly("INSERT INTO shop.orders VALUES ($bought), ($bought + 1);"
		  . " DELETE FROM shop.orders WHERE customer = $bought - 1", $as_bought);
	$bought += 2;
	$status = system('bash', "$example/consumer.sh", "$dir/send");
}

is($status, 0, "the consumer was killed before each of its commands ($before) and came through");
my @got = map { slurp_file($_) } glob "$dir/got.*";
chomp @got;
is(join(' ', sort { $a <=> $b } @got),
	$node->safe_psql($db, "SELECT string_agg(customer::text, ' ' ORDER BY customer) FROM shop.customers_history"
		  . " WHERE segment = 'active' AND customer >= 100"), 'each who entered was sent, and once');
ok(-s "$dir/again", 'some were sent again, and dropped by their id');
is($node->safe_psql($db, 'SELECT count(*) FROM consumer.message WHERE sent_at IS NULL'), '0', 'nothing is left to send');
is($node->safe_psql($db, "SELECT p.cursor = segment.changes_cursor('shop.customers') FROM consumer.place p"), 't', 'it has read all');

# each of two tables from its own cursor
$node->safe_psql($db, <<'SQL');
SET ROLE shop;
SELECT segment.create_table('shop.others', 'customer');
SELECT segment.add_source('shop.others', 'shop.orders', key => 'customer', at => 'at');
SELECT segment.add_segment('shop.others', 'any', 'true');
SELECT segment.keep_changes('shop.others');
CALL segment.refresh('shop.others');
RESET ROLE;
INSERT INTO consumer.place VALUES ('shop.others', 'none', segment.changes_cursor('shop.others'));
INSERT INTO shop.orders VALUES (5000);
SET ROLE shop;
CALL segment.refresh('shop.others');
RESET ROLE;
SELECT consumer.take(1000);
SQL
is($node->safe_psql($db, 'SELECT count(*), bool_and(p.cursor = segment.changes_cursor(p.tbl)) FROM consumer.place p'),
	'2|t', 'two tables are read, each from where it was');

# a key may be any text
$node->safe_psql($db, "INSERT INTO consumer.message (id, key) VALUES ('any', E'\\tone\nand two\t ')");
{
	local %ENV = (%ENV, PGHOST => $node->host, PGPORT => $node->port, PGDATABASE => $db);
	is(system('bash', "$example/consumer.sh", "$dir/send"), 0, 'a key of two lines is sent');
}
is(slurp_file("$dir/got.any"), "\tone\nand two\t \n", 'as it is');
# a cursor that is not known is no end of what is to be read
$node->safe_psql($db, "UPDATE consumer.place SET cursor = '1-0'");
{
	local %ENV = (%ENV, PGHOST => $node->host, PGPORT => $node->port, PGDATABASE => $db);
	my ($said, $error) = run_command([ 'bash', "$example/consumer.sh", "$dir/send" ]);
	isnt($?, 0, 'it fails where the cursor is not known');
	like($error, qr/after this cursor are not known/, 'and says so');
}
wait_fresh($node, $db, 'shop.customers', 'the table is fresh');
is($node->safe_psql($db, "SELECT count(*) FROM segment.verify('shop.customers')"), '0', 'verify() is empty');
$node->stop;
done_testing();
