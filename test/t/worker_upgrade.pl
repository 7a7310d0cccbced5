# pg_upgrade carries segment tables, marks that nobody has collected, and
# schedules into a new cluster; there they go on by themselves.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SegmentNode;
use Test::More;

my $db = 'postgres';
my $old = segment_node('old', $db);

$old->safe_psql($db, 'CREATE EXTENSION segment');
make_shop($old, $db, 'crm');
make_shop($old, $db, 'cron');
$old->safe_psql($db, <<'SQL');
INSERT INTO crm.orders SELECT g, now() - g * interval '1 day' FROM generate_series(1, 100) g;
INSERT INTO cron.orders SELECT g FROM generate_series(1, 100) g;
CALL segment.refresh('cron.customers');
SELECT segment.schedule('crm.customers', 'continuous');
SELECT segment.schedule('cron.customers', '0 0 29 2 *');
SQL
wait_fresh($old, $db, 'crm.customers', 'the old cluster is fresh');

# marks that are not collected, in a database that does not run schedules any more
$old->append_conf('postgresql.conf', "segment.databases = ''");
$old->restart;
$old->safe_psql($db, 'INSERT INTO crm.orders VALUES (1000); DELETE FROM crm.orders WHERE customer = 5;'
	. ' INSERT INTO cron.orders VALUES (1000)');
my $backlog = 'SELECT string_agg(backlog::text, \',\' ORDER BY tbl::text) FROM segment.status';
is($old->safe_psql($db, $backlog), '2,1', 'customers wait in the old cluster');
my $history = 'SELECT count(*) FROM crm.customers_history';
my $before = $old->safe_psql($db, $history);
my $jobs = 'SELECT string_agg(concat(tbl, \' \', schedule), \',\' ORDER BY tbl::text) FROM segment.jobs';
my $scheduled = $old->safe_psql($db, $jobs);
$old->stop;

my $new = PostgreSQL::Test::Cluster->new('new');
$new->init(allows_streaming => 1);
$new->append_conf('postgresql.conf', "shared_preload_libraries = 'segment'\nsegment.databases = '$db'\nmax_worker_processes = 16\n");
my ($bin) = $new->config_data('--bindir');
chomp $bin;

# it leaves its logs where it is called
chdir $PostgreSQL::Test::Utils::tmp_check or die "can not enter $PostgreSQL::Test::Utils::tmp_check";
ok(run_log([ 'pg_upgrade', '-d', $old->data_dir, '-D', $new->data_dir, '-b', $bin, '-B', $bin,
		'-s', $new->host, '-p', $old->port, '-P', $new->port ]), 'pg_upgrade')
  or BAIL_OUT('nothing was upgraded');
$new->start;
wait_fresh($new, $db, 'crm.customers', 'the new cluster refreshes by itself');
is($new->safe_psql($db, 'SELECT active FROM crm.customers WHERE customer = 1000'), 't', 'what was marked before shows');
is($new->safe_psql($db, $jobs), $scheduled, 'schedules are kept');
is($new->safe_psql($db, "SELECT last_started_at IS NULL AND next_run_at > now() FROM segment.jobs WHERE tbl = 'cron.customers'::regclass"),
	't', 'a cron line waits for its time');
cmp_ok($new->safe_psql($db, $history), '>', $before, 'the history goes on');
$new->safe_psql($db, "CALL segment.refresh('cron.customers'); INSERT INTO crm.orders VALUES (1001)");
wait_for($new, $db, 'SELECT active FROM crm.customers WHERE customer = 1001', 'triggers mark in the new cluster');
for my $schema (qw(crm cron))
{
	is($new->safe_psql($db, "SELECT count(*) FROM segment.verify('$schema.customers')"), '0', "verify() of $schema.customers is empty");
}
$new->stop;
done_testing();
