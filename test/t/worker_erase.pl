# The right to erasure beside a worker that keeps the table fresh and writers who go on; and after a restore.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use IPC::Run;
use PostgreSQL::Test::Utils;
use SegmentNode;
use Test::More;

my $node = segment_node('erase', 'postgres');
my $db = 'postgres';
my $zebra = 'customer-zebra-4711';

$node->safe_psql($db, <<'SQL');
CREATE EXTENSION segment;
CREATE TABLE visit (customer text, at timestamptz DEFAULT now(), item text DEFAULT '1');
SELECT segment.create_table('customers', 'customer', 'text');
SELECT segment.add_source('customers', 'visit', 'customer', 'at', item => 'item');
SELECT segment.add_score('customers', 'n', 'count(*)');
SELECT segment.add_score('customers', 'items', 'sum(item::int)');
SELECT segment.add_segment('customers', 'seen', 'n > 0');
INSERT INTO visit SELECT 'customer-' || i FROM generate_series(1, 20) i;
SELECT segment.schedule('customers', 'continuous');
-- which tables hold a text, in whatever column
CREATE FUNCTION search(needle text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	r regclass;
	found boolean;
	result text[] := '{}';
BEGIN
	FOR r IN SELECT c.oid FROM pg_class c JOIN pg_am a ON a.oid = c.relam
		WHERE a.amtype = 't' AND c.relpersistence <> 't' ORDER BY c.oid::regclass::text
	LOOP
		EXECUTE format('SELECT EXISTS (SELECT FROM %s t WHERE strpos(ROW(t.*)::text, $1) > 0)', r)
			INTO found USING needle;
		IF found THEN
			result := result || r::text;
		END IF;
	END LOOP;
	RETURN array_to_string(result, ' ');
END $$;
SQL

# a customer whose events make the job fail, in a text that names the customer
$node->safe_psql($db, "INSERT INTO visit VALUES ('$zebra')");
wait_for($node, $db, "SELECT count(*) = 21 FROM customers", 'the table is built');
$node->safe_psql($db, "INSERT INTO visit (customer, item) VALUES ('$zebra', '$zebra')");
wait_for($node, $db, "SELECT last_error LIKE '%$zebra%' FROM segment.jobs", 'a job fails, and says over whom');
like($node->safe_psql($db, "SELECT search('$zebra')"), qr/job_state.*run.*visit/, 'the texts are kept');

# events first, then what is kept of them
$node->safe_psql($db, "DELETE FROM visit WHERE customer = '$zebra'");
$node->safe_psql($db, "SELECT segment.erase('customers', '$zebra')");
wait_fresh($node, $db, 'customers', 'the job goes on');
is($node->safe_psql($db, "SELECT count(*) FROM customers"), '20', 'without the customer');
$node->safe_psql($db, "SELECT segment.erase('customers', '$zebra'); VACUUM ANALYZE");
is($node->safe_psql($db, "SELECT search('$zebra')"), '', 'no table holds the key');

# erased one by one while writers go on
my $writes = join '', map { "INSERT INTO visit SELECT 'customer-' || i FROM generate_series(1, 20) i WHERE i % 5 = $_ % 5;\n" } 1 .. 300;
my ($out, $err) = ('', '');
my $writer = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr($db), '-f', '-' ], '<', \$writes, '>', \$out, '2>', \$err);
my $erased = 0;
$erased += $node->safe_psql($db, "SELECT rows FROM segment.erase('customers', 'customer-$_')") for 1 .. 10;
$writer->finish;
is($err, '', 'writers see nothing of it');
is($erased, 10, 'ten rows were erased');
$node->safe_psql($db, "INSERT INTO visit VALUES ('$zebra'), ('customer-3')");
wait_fresh($node, $db, 'customers', 'all that was written is worked off');
my $rows = "SELECT string_agg(customer, ' ' ORDER BY customer) FROM customers";
my $others = join ' ', sort map { "customer-$_" } 11 .. 20;
is($node->safe_psql($db, $rows), $others, 'who was erased stays so');
is($node->safe_psql($db, 'SELECT count(DISTINCT customer) FROM customers_history'), '10', 'in the history, too');
is($node->safe_psql($db, "SELECT count(*) FROM segment.verify('customers')"), '0', 'verify() is empty');

# in another database, from a dump
my $dump = $node->basedir . '/dump';
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, '-d', $node->connstr($db) ], 'pg_dump');
$node->safe_psql($db, 'CREATE DATABASE restored');
$node->command_ok([ 'pg_restore', '-d', $node->connstr('restored'), $dump ], 'pg_restore');
$node->safe_psql('restored', "CALL segment.refresh('customers')");
is($node->safe_psql('restored', $rows), $others, 'who was erased stays so after a restore');
is($node->safe_psql('restored', "SELECT count(*) FROM segment.verify('customers')"), '0', 'verify() is empty there');
is($node->safe_psql('restored', "SELECT segment.unsuppress('customers', 'customer-3')"), 't', 'one is let in again');
$node->safe_psql('restored', "CALL segment.refresh('customers')");
is($node->safe_psql('restored', "SELECT n = (SELECT count(*) FROM visit WHERE customer = 'customer-3') FROM customers WHERE customer = 'customer-3'"),
	't', 'with all events');
$node->stop;
done_testing();
