# Schedules keep segment tables fresh: after a commit, when time passes, at intervals.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use SegmentNode;
use Test::More;

my $node = segment_node('fresh', 'postgres');
my $db = 'postgres';

$node->safe_psql($db, 'CREATE EXTENSION segment');
make_shop($node, $db, 'crm');
make_shop($node, $db, 'brief', '5 seconds');
make_shop($node, $db, 'hourly');

# continuous
$node->safe_psql($db, "SELECT segment.schedule('crm.customers', 'continuous')");
wait_for($node, $db, "SELECT as_of IS NOT NULL FROM segment.status WHERE tbl = 'crm.customers'::regclass",
	'a table is built when it is scheduled');
$node->safe_psql($db, 'INSERT INTO crm.orders VALUES (1), (2)');
wait_for($node, $db, 'SELECT count(*) = 2 FROM crm.customers WHERE active', 'a commit shows');
$node->safe_psql($db, 'DELETE FROM crm.orders WHERE customer = 2');
wait_for($node, $db, 'SELECT count(*) = 1 FROM crm.customers WHERE active', 'a delete shows');
$node->safe_psql($db, 'BEGIN; INSERT INTO crm.orders VALUES (3); ROLLBACK; INSERT INTO crm.orders VALUES (4)');
wait_for($node, $db, "SELECT string_agg(customer::text, ',' ORDER BY customer) = '1,4' FROM crm.customers WHERE active",
	'a rollback does not');
$node->safe_psql($db, 'BEGIN; INSERT INTO crm.orders VALUES (5); SAVEPOINT s;'
	  . ' INSERT INTO crm.orders VALUES (6); ROLLBACK TO s; COMMIT');
wait_for($node, $db, "SELECT string_agg(customer::text, ',' ORDER BY customer) = '1,4,5' FROM crm.customers WHERE active",
	'nor does a savepoint that was rolled back');
is($node->safe_psql($db, "SELECT usename FROM pg_stat_activity WHERE backend_type = 'segment job'"
	  . " UNION SELECT 'crm'"), 'crm', 'the job is connected as the owner');

# time alone
$node->safe_psql($db, "SELECT segment.schedule('brief.customers', 'continuous')");
$node->safe_psql($db, "INSERT INTO brief.orders VALUES (7)");
wait_for($node, $db, 'SELECT active FROM brief.customers WHERE customer = 7', 'a customer enters by an event');
wait_for($node, $db, 'SELECT NOT active FROM brief.customers WHERE customer = 7', 'and leaves as time passes, with nothing committed');
wait_for($node, $db, "SELECT next_run_at IS NULL FROM segment.jobs WHERE tbl = 'brief.customers'::regclass",
	'then nothing is due');

# an event of the future takes effect at its time
$node->safe_psql($db, "INSERT INTO crm.orders VALUES (8, now() + interval '3 seconds')");
is($node->safe_psql($db, 'SELECT count(*) FROM crm.customers WHERE customer = 8 AND active'), '0',
	'a future event does not count yet');
wait_for($node, $db, 'SELECT active FROM crm.customers WHERE customer = 8', 'it counts when its time has come');

# nobody works without need
wait_for($node, $db, "SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'segment job'",
	'with nothing to do no job runs');
is($node->safe_psql($db, "SELECT count(*) FROM pg_stat_activity WHERE backend_type IN"
	  . " ('segment scheduler', 'segment launcher') AND (xact_start IS NOT NULL OR backend_xmin IS NOT NULL)"),
	'0', 'scheduler and launcher sleep without transaction or snapshot');

# intervals
$node->safe_psql($db, "SELECT segment.schedule('hourly.customers', '1 hour')");
wait_for($node, $db, "SELECT last_started_at IS NOT NULL AND NOT running AND next_run_at > now()"
	. " FROM segment.jobs WHERE tbl = 'hourly.customers'::regclass", 'the first run comes at once');
$node->safe_psql($db, 'INSERT INTO hourly.orders VALUES (9)');
wait_for($node, $db, "SELECT backlog = 1 FROM segment.status WHERE tbl = 'hourly.customers'::regclass",
	'between its runs a commit waits');
$node->safe_psql($db, "SELECT segment.schedule('hourly.customers', '1 second')");
wait_for($node, $db, 'SELECT active FROM hourly.customers WHERE customer = 9', 'until the next run');
my $runs = "SELECT count(*) FROM segment.runs WHERE tbl = 'hourly.customers'::regclass AND status = 'succeeded'";
my $before = $node->safe_psql($db, $runs);
wait_for($node, $db, "SELECT ($runs) >= $before + 3", 'runs follow one another');
$node->safe_psql($db, "SELECT segment.unschedule('hourly.customers')");
is($node->safe_psql($db, "SELECT count(*) FROM segment.jobs WHERE tbl = 'hourly.customers'::regclass"), '0',
	'an unscheduled table has no job');

# SIGHUP: taken off the list, put on it again
$node->append_conf('postgresql.conf', "segment.databases = ''");
$node->reload;
wait_for($node, $db, "SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'segment scheduler'",
	'a database taken off the list has no scheduler');
$node->safe_psql($db, 'INSERT INTO crm.orders VALUES (10)');
my ($rc, $out, $err) = $node->psql($db, "SELECT segment.schedule('crm.customers', 'continuous')");
like($err, qr/WARNING: .*no schedule runs in database "postgres"/, 'and schedule() says so');
$node->append_conf('postgresql.conf', "segment.databases = 'postgres'");
$node->reload;
wait_for($node, $db, 'SELECT active FROM crm.customers WHERE customer = 10', 'put on it again, it catches up');

for my $schema (qw(crm brief hourly))
{
	wait_fresh($node, $db, "$schema.customers", "$schema.customers is fresh") if $schema ne 'hourly';
	is($node->safe_psql($db, "SELECT count(*) FROM segment.verify('$schema.customers')"), '0',
		"verify() of $schema.customers is empty");
}
$node->stop;
done_testing();
