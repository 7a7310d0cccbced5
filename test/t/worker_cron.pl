# Cron lines in the scheduler.  Nobody waits for three o'clock: what is known of
# the last run is set as a clock that was moved, or a server that was away, would
# have left it.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use SegmentNode;
use Test::More;

my $node = segment_node('cron', 'postgres');
my $db = 'postgres';
my $tbl = "tbl = 'daily.customers'::regclass";
my $runs = "SELECT count(*) FROM segment.runs WHERE $tbl AND status = 'succeeded'";

# half a day from now, so that its time does not come while this runs
my $hour = $node->safe_psql($db, "SELECT extract(hour FROM now() AT TIME ZONE 'Asia/Kathmandu' + interval '12 hours')");
my $line = "30 $hour * * *";

# The scheduler looks again when somebody has committed marks.
sub set_last_run
{
	my ($instant) = @_;

	$node->safe_psql($db, "UPDATE segment.job_state SET planned_at = $instant"
		  . " WHERE $tbl; INSERT INTO other.orders VALUES (1)");
	wait_fresh($node, $db, 'other.customers', 'the scheduler has looked');
	return;
}

# The latest and the next time of the line, by plain SQL.
my $latest = "(date_trunc('day', now() AT TIME ZONE 'Asia/Kathmandu' - interval '$hour:30') + interval '$hour:30') AT TIME ZONE 'Asia/Kathmandu'";
my $planned = "SELECT s.planned_at = $latest AND j.next_run_at = $latest + interval '1 day' AND j.failures = 0 AND NOT j.running"
  . " FROM segment.jobs j JOIN segment.job_state s ON s.tbl = j.tbl WHERE j.$tbl";

$node->safe_psql($db, 'CREATE EXTENSION segment');
make_shop($node, $db, 'daily');
make_shop($node, $db, 'other');
$node->safe_psql($db, "SELECT segment.schedule('other.customers', 'continuous')");
$node->safe_psql($db, "SELECT segment.schedule('daily.customers', 'CRON_TZ=Asia/Kathmandu $line')");

# not at once
set_last_run('planned_at');
is($node->safe_psql($db, "SELECT count(*) FROM segment.runs WHERE $tbl"), '0', 'a cron line does not run at once');
$node->safe_psql($db, 'INSERT INTO daily.orders VALUES (1)');

# the server was away, or its clock was set forward
set_last_run("now() - interval '1 month'");
wait_for($node, $db, $runs, 'what was missed becomes one run', '1');
wait_for($node, $db, $planned, 'which stands for the last of them; the next is where the line says');
is($node->safe_psql($db, 'SELECT active FROM daily.customers WHERE customer = 1'), 't', 'it has refreshed');
set_last_run('planned_at');
is($node->safe_psql($db, $runs), '1', 'and there is no other');

# the clock was set back
set_last_run("now() + interval '2 days'");
wait_for($node, $db, $runs, 'a clock set back by days: a run at once', '2');
wait_for($node, $db, $planned, 'and then where the line says');
set_last_run("now() + interval '1 hour'");
is($node->safe_psql($db, $runs), '2', 'a clock set back by an hour: what was done is not done again');
is($node->safe_psql($db, "SELECT next_run_at > now() + interval '1 hour' FROM segment.jobs WHERE $tbl"), 't', 'the next comes later');

# a zone that the server does not know any more
$node->safe_psql($db, "UPDATE segment.config_job SET schedule = 'CRON_TZ=Gone/Away $line' WHERE $tbl; INSERT INTO other.orders VALUES (2)");
wait_for($node, $db, "SELECT failures >= 1 AND last_error LIKE 'the schedule can''t be read: %' FROM segment.jobs WHERE $tbl",
	'a schedule that can not be read is a failure');
is(log_lines($node, 'the schedule of segment table \d+ can\'t be read'), 1, 'and is logged once');
$node->safe_psql($db, 'INSERT INTO other.orders VALUES (3)');
wait_for($node, $db, 'SELECT active FROM other.customers WHERE customer = 3', 'others go on');
$node->safe_psql($db, "SELECT segment.schedule('daily.customers', '$line')");
is($node->safe_psql($db, "SELECT failures FROM segment.jobs WHERE $tbl"), '0', 'another schedule forgets it');

# restarts forget nothing
set_last_run("now() - interval '3 days'");
wait_for($node, $db, $runs, 'missed and made up', '3');
$node->restart;
$node->safe_psql($db, 'INSERT INTO other.orders VALUES (4)');
wait_for($node, $db, 'SELECT active FROM other.customers WHERE customer = 4', 'others run after a restart');
is($node->safe_psql($db, $runs), '3', 'what has run does not run again');

for my $schema (qw(daily other))
{
	is($node->safe_psql($db, "SELECT count(*) FROM segment.verify('$schema.customers')"), '0', "verify() of $schema.customers is empty");
}
$node->stop;
done_testing();
