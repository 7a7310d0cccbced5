# A job killed with SIGKILL in mid-refresh, again and again, under load: nothing
# is lost, and everything goes on by itself.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SegmentNode;
use Test::More;
use Time::HiRes qw(usleep);

my $kills = $ENV{SEGMENT_KILLS} || 20;
my $seed = $ENV{SEGMENT_SEED} || time;
my $node = segment_node('crash', 'postgres', "segment.batch_size = 50\nlog_min_messages = warning");
my $db = 'postgres';
my $tbl = "tbl = 'crm.customers'::regclass";
my @writers;

srand($seed);
note "seed $seed";
$node->safe_psql($db, 'CREATE EXTENSION segment');
make_shop($node, $db, 'crm', '20 seconds');
$node->safe_psql($db, <<'SQL');
INSERT INTO crm.orders SELECT g % 3000, now() - random() * interval '40 seconds' FROM generate_series(1, 10000) g;
SELECT segment.schedule('crm.customers', 'continuous');
SQL

# Single rows, statements of many rows, changes of key, deletes; one in twenty rolled back.
sub start_writer
{
	my ($id, $loops) = @_;
	my $customer = '(random() * 3000)::int';
	my $sql = <<SQL;
SELECT setseed(@{[rand()]});
DO \$\$
BEGIN
	FOR i IN 1..$loops LOOP
		INSERT INTO crm.orders VALUES ($customer);
		CASE i % 5
		WHEN 0 THEN INSERT INTO crm.orders SELECT $customer FROM generate_series(1, 100);
		WHEN 1 THEN UPDATE crm.orders SET customer = $customer WHERE customer = $customer;
		WHEN 2 THEN DELETE FROM crm.orders WHERE customer = $customer;
		WHEN 3 THEN INSERT INTO crm.orders VALUES ($customer, clock_timestamp() + random() * interval '5 seconds');
		ELSE NULL;
		END CASE;
		IF random() < 0.05 THEN ROLLBACK; ELSE COMMIT; END IF;
		PERFORM pg_sleep(0.005);
	END LOOP;
END\$\$;
SQL
	my ($in, $out, $err) = ($sql, '', '');

	return IPC::Run::start(
		[ 'psql', '-XqAt', '-d', $node->connstr($db), '-v', 'ON_ERROR_STOP=1' ],
		'<', \$in, '>', \$out, '2>', \$err);
}

sub end_writers
{
	$_->finish foreach @writers;
	@writers = ();
	return;
}

# The process of a run of our table that is under way, and the run.
sub running
{
	my ($rc, $out) = $node->psql($db, "SELECT r.pid, r.id FROM segment.runs r"
		  . " JOIN pg_stat_activity a USING (pid) WHERE $tbl AND status = 'running' AND backend_type = 'segment job'");

	return $rc == 0 && $out =~ /^(\d+)\|(\d+)$/ ? ($1, $2) : ();
}

# Kills the job of a run under way; returns the run if it was cut short.
sub kill_a_run
{
	my ($pid, $run) = running();

	usleep(1000 * int(rand(100)));
	return unless defined $pid && kill(9, $pid);
	end_writers();    # the postmaster ends every session
	$node->poll_query_until($db, 'SELECT true') or die 'the server did not come back';
	return if $node->safe_psql($db, "SELECT status FROM segment.runs WHERE id = $run") eq 'succeeded';
	return $run;
}

my $killed = 0;
my $last_run = 0;
for my $round (1 .. $kills)
{
	wait_for($node, $db, "SELECT count(*) > 0 FROM segment.runs WHERE $tbl AND status = 'succeeded' AND id > $last_run",
		"round $round: refreshed by itself");
	my $deadline = time + $PostgreSQL::Test::Utils::timeout_default;
	my $run;
	while (!defined $run && time < $deadline)
	{
		if (!@writers)
		{
			push @writers, start_writer($_, 1_000_000) foreach 1 .. 2;

			# all customers at once, so that there is a middle to be killed in
			$node->safe_psql($db, 'UPDATE crm.orders SET amount = amount + 1');
		}
		$run = kill_a_run();
	}
	next unless defined $run;
	$killed++;
	$last_run = $run;
}
is($killed, $kills, 'every round killed a job');

push @writers, start_writer($_, 100) foreach 1 .. 2;
end_writers();
wait_for($node, $db, "SELECT count(*) > 0 FROM segment.runs WHERE $tbl AND status = 'succeeded' AND id > $last_run",
	'refreshed after the last one');
wait_fresh($node, $db, 'crm.customers', 'the table is fresh');
is($node->safe_psql($db, "SELECT count(*) FROM segment.verify('crm.customers')"), '0', 'verify() is empty');
cmp_ok($node->safe_psql($db, "SELECT count(*) FROM segment.runs WHERE $tbl AND status = 'interrupted'"),
	'>=', $kills, 'every interrupted run is on record');
is($node->safe_psql($db, "SELECT count(*) FROM segment.runs WHERE $tbl AND status = 'failed'"), '0', 'none failed');
$node->stop;
done_testing();
