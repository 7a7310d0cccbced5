# Extensions, databases and servers that come and go under a running scheduler.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SegmentNode;
use Test::More;

my $node = segment_node('database', 'postgres, "Later"', "wal_level = replica\nmax_wal_senders = 4");
my $db = 'postgres';

# dropped and created again
$node->safe_psql($db, 'CREATE EXTENSION segment');
make_shop($node, $db, 'crm');
$node->safe_psql($db, "SELECT segment.schedule('crm.customers', 'continuous'); INSERT INTO crm.orders VALUES (1)");
wait_for($node, $db, 'SELECT active FROM crm.customers WHERE customer = 1', 'the table is fresh');
my $pid = scheduler_pid($node, $db);
$node->safe_psql($db, 'DROP EXTENSION segment CASCADE');
$node->safe_psql($db, 'DROP SCHEMA crm CASCADE; DROP OWNED BY crm; DROP ROLE crm');
$node->safe_psql($db, 'CREATE EXTENSION segment');
make_shop($node, $db, 'crm');
$node->safe_psql($db, "SELECT segment.schedule('crm.customers', 'continuous'); INSERT INTO crm.orders VALUES (2)");
wait_for($node, $db, 'SELECT active FROM crm.customers WHERE customer = 2', 'the extension dropped and created again');
is(scheduler_pid($node, $db), $pid, 'under the same scheduler');
is(log_lines($node, 'ERROR: .*(config_job|segment\.)'), 0, 'which has met no error');

# a database that comes later, and goes
is(log_lines($node, 'no segment schedules run in database "Later"'), 1, 'one line for a missing database');
$node->safe_psql($db, 'CREATE DATABASE "Later"');
$node->safe_psql('Later', 'CREATE EXTENSION segment; GRANT CREATE ON DATABASE "Later" TO crm');
$node->safe_psql('Later', <<'SQL');
SET ROLE crm;
CREATE SCHEMA crm;
SET search_path = crm;
CREATE TABLE orders (customer bigint, at timestamptz DEFAULT now());
SELECT segment.create_table('customers', 'customer');
SELECT segment.add_source('customers', 'orders', 'customer', 'at');
SELECT segment.add_score('customers', 'orders', 'count(*)');
SELECT segment.add_segment('customers', 'active', 'orders > 0');
SELECT segment.schedule('customers', 'continuous');
INSERT INTO orders VALUES (3);
SQL
$node->reload;
wait_for($node, 'Later', 'SELECT active FROM crm.customers WHERE customer = 3', 'a database created later gets its scheduler');
$node->safe_psql($db, 'DROP DATABASE "Later" WITH (FORCE)');
wait_for($node, $db, "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = 'Later'", 'and can be dropped');
$node->safe_psql($db, 'INSERT INTO crm.orders VALUES (4)');
wait_for($node, $db, 'SELECT active FROM crm.customers WHERE customer = 4', 'others go on');

# standby and promotion
$node->safe_psql($db, "SELECT segment.keep_changes('crm.customers')");
my $cursor = $node->safe_psql($db, "SELECT segment.changes_cursor('crm.customers')");
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->safe_psql($db, 'INSERT INTO crm.orders VALUES (5)');
wait_for($node, $db, 'SELECT active FROM crm.customers WHERE customer = 5', 'the primary goes on');
$node->wait_for_catchup($standby);
wait_for($standby, $db, 'SELECT active FROM crm.customers WHERE customer = 5', 'the standby shows it');
is($standby->safe_psql($db, "SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'segment%'"), '0',
	'no scheduler on a standby');
for my $call ("SELECT segment.schedule('crm.customers', '1 hour')", "SELECT segment.unschedule('crm.customers')",
	"CALL segment.refresh('crm.customers')", "CALL segment.rebuild('crm.customers')",
	"SELECT segment.erase('crm.customers', '5')", "SELECT segment.unsuppress('crm.customers', '5')",
	"SELECT segment.merge('crm.customers', '5', '6')", "SELECT segment.unmerge('crm.customers', '5')",
	"SELECT segment.add_score('crm.customers', 'n', 'count(*)')", "SELECT segment.keep_changes('crm.customers')",
	"SELECT segment.drop_table('crm.customers')",
	"SELECT segment.apply_definition(segment.definition('crm.customers'), true)")
{
	my ($rc, $out, $err) = $standby->psql($db, "\\set VERBOSITY verbose\n$call");
	like($err, qr/ERROR:  25006: cannot execute segment\.\w+\(\) during recovery.*HINT:/s, "no $call there");
}
is($standby->safe_psql($db, "SELECT segment.current('crm.customers', '5') ->> 'active', (SELECT count(*) FROM segment.verify('crm.customers')),"
	  . " (SELECT count(*) FROM segment.evaluate_rows(NULL::crm.customers, now()))"
	  . " = (SELECT count(*) FROM crm.customers), (SELECT count(*) > 0 FROM segment.explain('crm.customers', '5', 'active'))"),
	'true|0|t|t', 'what is asked there is answered');
is($standby->safe_psql($db, "SELECT key, segment, entered, cursor = segment.changes_cursor('crm.customers')"
	  . " FROM segment.changes('crm.customers', '$cursor')"), '5|active|t|t', 'changes are read there');
is($standby->safe_psql($db, "SELECT count(*) > 0, count(*) FILTER (WHERE finding = 'not_checked') FROM segment.check_health('crm.customers')"),
	't|0', 'so is what is odd');
$node->stop;
$standby->promote;
$standby->safe_psql($db, 'INSERT INTO crm.orders VALUES (6)');
wait_for($standby, $db, 'SELECT active FROM crm.customers WHERE customer = 6', 'schedules run after promotion');
is($standby->safe_psql($db, "SELECT string_agg(key, ' ') FROM segment.changes('crm.customers', '$cursor')"), '5 6',
	'a cursor of the old primary goes on on the new one');
wait_fresh($standby, $db, 'crm.customers', 'the table is fresh');
is($standby->safe_psql($db, "SELECT count(*) FROM segment.verify('crm.customers')"), '0', 'verify() is empty');

# not preloaded
$standby->append_conf('postgresql.conf', "shared_preload_libraries = ''");
$standby->restart;
my ($rc, $out, $err) = $standby->psql($db, "SELECT segment.schedule('crm.customers', 'continuous')");
is($rc, 0, 'schedule() works without preloading');
like($err, qr/WARNING: .*no schedule runs on this server.*shared_preload_libraries/s, 'and says what is missing');
$standby->safe_psql($db, "INSERT INTO crm.orders VALUES (7); CALL segment.refresh('crm.customers')");
is($standby->safe_psql($db, 'SELECT active FROM crm.customers WHERE customer = 7'), 't', 'refresh works without it');
$standby->stop;
done_testing();
