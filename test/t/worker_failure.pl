# A job that fails backs off and stops nobody; processes that are ended come back.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use SegmentNode;
use Test::More;

# here a customer for whom an expression fails is a failure of the job
my $node = segment_node('failure', 'postgres', 'segment.set_aside_limit = 0');
my $db = 'postgres';
my $bad = "tbl = 'bad.customers'::regclass";

$node->safe_psql($db, 'CREATE EXTENSION segment');
make_shop($node, $db, 'good');
make_shop($node, $db, 'bad');

# limits of sessions are not for jobs
$node->safe_psql($db, "ALTER ROLE $_ SET statement_timeout = '1ms'; ALTER ROLE $_ SET lock_timeout = '1ms';"
	. " ALTER ROLE $_ SET idle_in_transaction_session_timeout = '1ms'") for qw(good bad);
$node->safe_psql($db, <<'SQL');
SET ROLE bad;
SELECT segment.add_score('bad.customers', 'ratio', 'sum(1 / (value - 13))');
RESET ROLE;
SELECT segment.schedule('good.customers', 'continuous');
SELECT segment.schedule('bad.customers', 'continuous');
SQL
wait_for($node, $db, "SELECT count(*) = 2 FROM segment.status WHERE as_of IS NOT NULL", 'both tables are built');

# a failing job
$node->safe_psql($db, 'INSERT INTO bad.orders VALUES (1, now(), 13)');
wait_for($node, $db, "SELECT failures >= 2 AND last_error = 'column \"ratio\": division by zero' AND NOT running FROM segment.jobs WHERE $bad",
	'a failing job is tried again');
is($node->safe_psql($db, "SELECT next_run_at > last_started_at + interval '3.9 seconds' FROM segment.jobs WHERE $bad"),
	't', 'and rests longer each time');
is($node->safe_psql($db, "SELECT DISTINCT status, error FROM segment.runs WHERE $bad AND error IS NOT NULL"),
	'failed|column "ratio": division by zero', 'its runs say why');
$node->safe_psql($db, 'INSERT INTO good.orders VALUES (1)');
wait_for($node, $db, 'SELECT active FROM good.customers WHERE customer = 1', 'others go on');
is(log_lines($node, 'refresh of segment table .* failed: column .ratio.: division by zero'), 1, 'one log line a minute');
is(log_lines($node, 'background worker "segment job.*exited with exit code'), 0, 'a failure is no crash');
$node->safe_psql($db, 'UPDATE bad.orders SET amount = 12');
wait_for($node, $db, 'SELECT active FROM bad.customers WHERE customer = 1', 'when the cause is gone it recovers by itself');
wait_for($node, $db, "SELECT failures = 0 AND last_error IS NULL FROM segment.jobs WHERE $bad", 'and the failures are forgotten');

# an owner who may not log in
$node->safe_psql($db, 'ALTER ROLE good NOLOGIN; ALTER ROLE good SET segment.batch_size = 1');
wait_for($node, $db, "SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'segment job'", 'no job is left');
$node->safe_psql($db, 'INSERT INTO good.orders VALUES (2), (20)');
wait_for($node, $db, 'SELECT count(*) = 2 FROM good.customers WHERE customer IN (2, 20) AND active', 'the owner need not be able to log in');
is($node->safe_psql($db, 'SELECT count(DISTINCT xmin::text) FROM good.customers WHERE customer IN (2, 20)'), '2',
	'what is set for the owner holds all the same');
$node->safe_psql($db, 'ALTER ROLE good LOGIN; ALTER ROLE good RESET segment.batch_size');

# an owner who loses a right, and another owner
$node->safe_psql($db, 'ALTER TABLE bad.orders OWNER TO good; REVOKE ALL ON bad.orders FROM bad');
$node->safe_psql($db, 'INSERT INTO bad.orders VALUES (3)');
wait_for($node, $db, "SELECT last_error LIKE 'role \"bad\" may not read%' FROM segment.jobs WHERE $bad",
	'an owner who may no longer read a source is told so');
$node->safe_psql($db, 'GRANT SELECT, TRIGGER ON bad.orders TO bad');
wait_for($node, $db, 'SELECT active FROM bad.customers WHERE customer = 3', 'and goes on with the right');
$node->safe_psql($db, 'CREATE ROLE heir LOGIN; GRANT USAGE, CREATE ON SCHEMA bad TO heir;'
	  . ' GRANT SELECT, TRIGGER ON bad.orders TO heir;'
	  . ' REASSIGN OWNED BY bad TO heir; DROP OWNED BY bad; DROP ROLE bad;'
	  . ' INSERT INTO bad.orders VALUES (4)');
wait_for($node, $db, 'SELECT active FROM bad.customers WHERE customer = 4', 'the heir of a dropped role goes on');

# a rule that takes for ever
$node->safe_psql($db, <<'SQL');
CREATE FUNCTION good.slow(x float8) RETURNS float8 IMMUTABLE LANGUAGE plpgsql
AS $$BEGIN PERFORM pg_catalog.pg_sleep(600); RETURN x; END$$;
ALTER FUNCTION good.slow OWNER TO good;
ALTER ROLE good SET segment.job_timeout = '500ms';
SQL
wait_for($node, $db, "SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'segment job'", 'the next job has the limit');
SKIP:
{
	my ($rc) = $node->psql($db, "SET ROLE good; SELECT segment.add_score('good.customers', 'slow', 'good.slow(sum(value))')");
	skip 'functions of the owner are refused', 10 if $rc != 0;
	wait_for($node, $db, "SELECT last_error = 'canceled because of segment.job_timeout' AND failures >= 2 FROM segment.jobs WHERE tbl = 'good.customers'::regclass",
		'it is cancelled, and tried again');
	is($node->safe_psql($db, "SELECT DISTINCT status FROM segment.runs WHERE error LIKE 'canceled%'"), 'failed', 'its runs failed');
	is(log_lines($node, 'refresh of segment table .* failed: canceled because of segment.job_timeout'), 1, 'with one log line');

	# ended by hand
	$node->safe_psql($db, 'ALTER ROLE good RESET segment.job_timeout');
	$node->safe_psql($db, "SELECT segment.schedule('good.customers', 'continuous')");
	wait_for($node, $db, "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'segment job' AND wait_event = 'PgSleep'",
		'a run takes for ever');
	$node->safe_psql($db, 'INSERT INTO bad.orders VALUES (6)');
	wait_for($node, $db, 'SELECT active FROM bad.customers WHERE customer = 6', 'others are on time');
	is($node->safe_psql($db, "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'segment job' AND wait_event = 'PgSleep'"),
		1, 'meanwhile');
	# what runs stays as it is; the next run is not to take for ever
	$node->safe_psql($db, 'CREATE OR REPLACE FUNCTION good.slow(x float8) RETURNS float8 IMMUTABLE LANGUAGE sql AS $$SELECT x$$');
	$node->safe_psql($db, 'SELECT pg_terminate_backend(' . job_pid($node, 'good.customers') . ')');
	wait_for($node, $db, "SELECT count(*) = 1 FROM segment.runs WHERE tbl = 'good.customers'::regclass AND status = 'interrupted'",
		'a run whose process is ended is marked so');
	# counted in the same transaction, but forgotten by a success soon
	is(log_lines($node, 'the job that refreshes segment table \d+ was interrupted'), 1, 'and counted');
	$node->safe_psql($db, 'INSERT INTO good.orders VALUES (5)');
	wait_for($node, $db, 'SELECT active FROM good.customers WHERE customer = 5', 'it comes back by itself');
}

# the scheduler and the launcher ended by hand
for my $type ('segment scheduler', 'segment launcher')
{
	my $old = $node->safe_psql($db, "SELECT pid FROM pg_stat_activity WHERE backend_type = '$type'");
	$node->safe_psql($db, "SELECT pg_terminate_backend($old)");
	my $customer = $type eq 'segment scheduler' ? 20 : 21;
	$node->safe_psql($db, "INSERT INTO good.orders VALUES ($customer)");
	wait_for($node, $db, "SELECT active FROM good.customers WHERE customer = $customer", "$type comes back");
	wait_for($node, $db, "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = '$type' AND pid <> $old",
		'and there is one');
}

# a job that outlives its scheduler, and is ended then
$node->safe_psql($db, <<'SQL');
BEGIN;
SET ROLE good;
SELECT segment.schedule('good.customers', '1 hour');
COMMIT;
SQL
wait_for($node, $db, "SELECT last_started_at IS NOT NULL AND NOT running FROM segment.jobs WHERE tbl = 'good.customers'::regclass",
	'good is refreshed by the hour');
$node->safe_psql($db, 'TRUNCATE good.orders');
my $blocker = $node->background_psql($db);
$blocker->query_safe('BEGIN; LOCK TABLE segment.pending IN ACCESS EXCLUSIVE MODE');
$node->safe_psql($db, "SELECT segment.schedule('good.customers', '2 hours')");
wait_for($node, $db, "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'segment job' AND wait_event_type = 'Lock'",
	'a job waits for a lock');
is($node->safe_psql($db, "SELECT phase, done FROM segment.runs WHERE status = 'running'"), 'applying|0',
	'how far it is can be seen');
my $old_scheduler = scheduler_pid($node, $db);
$node->safe_psql($db, "SELECT pg_terminate_backend($old_scheduler)");
wait_for($node, $db, "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'segment scheduler' AND pid <> $old_scheduler",
	'another scheduler has come');
my $orphan = job_pid($node, 'good.customers');
$node->safe_psql($db, "SELECT pg_terminate_backend($orphan)");
wait_for($node, $db, "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'segment job' AND pid <> $orphan",
	'it learns of the end of a job that is not its own, and starts another');
$blocker->query_safe('COMMIT');
$blocker->quit;
wait_for($node, $db, "SELECT failures = 0 AND NOT running FROM segment.jobs WHERE tbl = 'good.customers'::regclass", 'which succeeds');
$node->safe_psql($db, "SELECT segment.schedule('good.customers', 'continuous')");

# no worker to be had
$node->append_conf('postgresql.conf', 'max_worker_processes = 3');
$node->restart;
$node->safe_psql($db, 'INSERT INTO good.orders VALUES (30); INSERT INTO bad.orders VALUES (30)');
wait_for($node, $db, "SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'segment job'"
	. " AND EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'segment scheduler')",
	'with the logical replication launcher, no worker is left for jobs');
$node->append_conf('postgresql.conf', 'max_worker_processes = 4');
$node->restart;
wait_for($node, $db, 'SELECT (SELECT active FROM good.customers WHERE customer = 30)'
	. ' AND (SELECT active FROM bad.customers WHERE customer = 30)', 'with one worker, jobs take turns');
is(log_lines($node, 'no background worker is free for a segment job') > 0, 1, 'the log says why it was late');

for my $schema (qw(good bad))
{
	wait_fresh($node, $db, "$schema.customers", "$schema.customers is fresh");
	is($node->safe_psql($db, "SELECT count(*) FROM segment.verify('$schema.customers')"), '0',
		"verify() of $schema.customers is empty");
}
$node->stop;
done_testing();
