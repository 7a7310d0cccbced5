# What happens around a scheduler: databases copied, renamed and dropped, the
# extension updated, roles that lose rights and go, restarts, jobs that crash,
# more jobs than workers.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use SegmentNode;
use Test::More;

my $node = segment_node('events', 'postgres, shop, copy');
my $db = 'shop';

# Is there one more customer, through the scheduler?
my $last = 0;
sub goes_on
{
	my ($database, $schema, $what) = @_;

	$last++;
	$node->safe_psql($database, "INSERT INTO $schema.orders VALUES ($last)");
	return wait_for($node, $database, "SELECT active FROM $schema.customers WHERE customer = $last", $what);
}

sub proven
{
	my ($database, $table) = @_;

	return is($node->safe_psql($database, "SELECT count(*) FROM segment.verify('$table')"), '0', "verify() of $table is empty");
}

# How many log lines there may be, at one a minute.
sub minutes_since
{
	my ($instant) = @_;

	return 1 + int((time - $instant) / 60);
}

sub jobs_running
{
	my ($database) = @_;

	return "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'segment job' AND datname = '$database'";
}

$node->safe_psql('postgres', "CREATE DATABASE $db");
$node->reload;
$node->safe_psql($db, 'CREATE EXTENSION segment');
make_shop($node, $db, $_) foreach qw(crm lost stays);
$node->safe_psql($db, "SELECT segment.schedule('$_.customers', 'continuous')") foreach qw(crm lost stays);
goes_on($db, $_, "$_ is refreshed") foreach qw(crm lost stays);

# a setting that can't be read
my $pid = scheduler_pid($node, $db);
$node->append_conf('postgresql.conf', q(segment.databases = 'shop, "copy'));
$node->reload;
goes_on($db, 'crm', 'with a list of databases that can not be read, schedulers stay');
ok($node->poll_query_until('postgres', "SELECT pg_read_file('" . $node->logfile . "') LIKE '%invalid list syntax in parameter \"segment.databases\"%'"),
	'and the log says so');
$node->append_conf('postgresql.conf', "segment.databases = 'postgres, shop, copy'");
$node->reload;
is(scheduler_pid($node, $db), $pid, 'it is the same scheduler');

# commands that need the database for themselves
$node->safe_psql('postgres', 'CREATE ROLE stranger LOGIN');
my ($rc, $out, $err) = $node->psql('postgres', "SET ROLE stranger; DROP DATABASE $db");
like($err, qr/must be owner of database/, 'a stranger may not drop the database');
($rc, $out, $err) = $node->psql('postgres', "SET ROLE stranger; CREATE DATABASE other TEMPLATE $db");
like($err, qr/permission denied to create database/, 'nor copy it');
is(scheduler_pid($node, $db), $pid, 'and does not end its scheduler');
$node->safe_psql($db, 'INSERT INTO crm.orders VALUES (100000)');
$node->safe_psql('postgres', "CREATE DATABASE copy TEMPLATE $db");
goes_on($db, 'crm', 'a database that was copied goes on');
$node->reload;
goes_on('copy', 'crm', 'and so does the copy');
wait_for($node, 'copy', 'SELECT active FROM crm.customers WHERE customer = 100000', 'with what was marked before');
proven('copy', 'crm.customers');

# the template that is copied if none is named
$node->append_conf('postgresql.conf', "segment.databases = 'postgres, shop, copy, template1'");
$node->reload;
wait_for($node, 'postgres', "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'segment scheduler' AND datname = 'template1'", 'template1 has a scheduler');
$node->safe_psql('postgres', 'CREATE DATABASE plain');
$node->safe_psql('postgres', 'DROP DATABASE plain');
$node->append_conf('postgresql.conf', "segment.databases = 'postgres, shop, copy'");
$node->reload;
$node->safe_psql('postgres', 'ALTER DATABASE copy RENAME TO moved');
$node->safe_psql('postgres', 'ALTER DATABASE moved RENAME TO copy');
$node->reload;
goes_on('copy', 'crm', 'a database was renamed, and back');

# a template may be copied by whoever may make databases
$node->safe_psql('postgres', "CREATE ROLE maker CREATEDB; ALTER DATABASE $db IS_TEMPLATE true");
goes_on($db, 'crm', 'a template is a database like any other');
$node->safe_psql('postgres', "SET ROLE maker; CREATE DATABASE made TEMPLATE $db");
goes_on($db, 'crm', 'and goes on when another\'s copy is made');
$node->safe_psql('postgres', "ALTER DATABASE $db IS_TEMPLATE false");
($rc, $out, $err) = $node->psql('postgres', "SET ROLE maker; CREATE DATABASE other TEMPLATE $db");
like($err, qr/permission denied to copy database/, 'who makes databases may copy no other');
$node->safe_psql('postgres', 'DROP DATABASE made');

# dropped while a refresh runs
my $blocker = $node->background_psql($db);
$blocker->query_safe('BEGIN; LOCK TABLE stays.customers IN SHARE MODE');
$node->safe_psql($db, 'INSERT INTO stays.orders VALUES (200000)');
wait_for($node, $db, "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'segment job' AND wait_event_type = 'Lock'",
	'a job waits');
($rc, $out, $err) = $node->psql('postgres', "DROP DATABASE $db");
like($err, qr/being accessed by other users/, 'sessions of users are in the way as ever');
$blocker->query_safe('COMMIT');
$blocker->quit;
wait_for($node, $db, 'SELECT active FROM stays.customers WHERE customer = 200000', 'the scheduler comes back');
$node->safe_psql('postgres', 'DROP DATABASE copy');
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_database WHERE datname = 'copy'"), '0', 'DROP DATABASE works beside a scheduler');
goes_on($db, 'crm', 'other databases go on');

# an update of the extension while a refresh runs
SKIP:
{
	my $version = $node->safe_psql($db, "SELECT extversion FROM pg_extension WHERE extname = 'segment'");
	my ($share) = $node->config_data('--sharedir');
	chomp $share;
	my $script = "$share/extension/segment--$version--$version.test.sql";
	skip 'the extension directory is not ours', 4 unless -w "$share/extension";

	open my $file, '>', $script or die "can not write $script";
	print $file "ALTER TABLE segment.job_state ADD COLUMN note text;\nCREATE FUNCTION segment.updated() RETURNS int LANGUAGE sql AS 'SELECT 1';\n";
	close $file;
	$blocker = $node->background_psql($db);
	$blocker->query_safe('BEGIN; LOCK TABLE crm.customers IN SHARE MODE');
	$node->safe_psql($db, 'INSERT INTO crm.orders VALUES (300000)');
	wait_for($node, $db, "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'segment job' AND wait_event_type = 'Lock'",
		'a job waits');
	($rc) = $node->psql($db, "SET lock_timeout = '60s'; ALTER EXTENSION segment UPDATE TO '$version.test'");
	is($rc, 0, 'the extension is updated while a refresh runs');
	unlink $script;
	$blocker->query_safe('COMMIT');
	$blocker->quit;
	wait_for($node, $db, 'SELECT active FROM crm.customers WHERE customer = 300000', 'which ends well');
	goes_on($db, 'crm', 'the next one does, too');
}

# roles
$node->safe_psql($db, "REVOKE CONNECT ON DATABASE $db FROM PUBLIC");
wait_for($node, $db, jobs_running($db), 'no job lingers', '0');
goes_on($db, 'crm', 'an owner who may not connect is served all the same');
$node->safe_psql($db, "GRANT CONNECT ON DATABASE $db TO PUBLIC");
$pid = scheduler_pid($node, $db);
$node->safe_psql($db, 'DROP OWNED BY lost CASCADE; DROP ROLE lost; DROP SCHEMA IF EXISTS lost CASCADE');
goes_on($db, 'crm', 'an owner is dropped with all that was his, and others go on');
is($node->safe_psql($db, "SELECT string_agg(tbl::text, ' ' ORDER BY tbl::text) FROM segment.jobs"), 'crm.customers stays.customers',
	'his job is gone');
is(scheduler_pid($node, $db), $pid, 'it is the same scheduler');

# a restart in the middle of a rebuild
$blocker = $node->background_psql($db);
$blocker->query_safe('BEGIN; LOCK TABLE segment.pending IN ACCESS EXCLUSIVE MODE');
$node->safe_psql($db, 'DELETE FROM stays.orders WHERE customer = 200000; SET segment.mark_limit = 0; INSERT INTO stays.orders SELECT generate_series(400000, 400100)');
wait_for($node, $db, "SELECT count(*) = 1 FROM segment.runs WHERE tbl = 'stays.customers'::regclass AND status = 'running' AND phase = 'applying'",
	'a rebuild is under way');
$node->stop('fast');
$blocker->{run}->finish;
$node->start;
wait_for($node, $db, 'SELECT active FROM stays.customers WHERE customer = 400100', 'after a restart it is done again');
wait_fresh($node, $db, 'stays.customers', 'and finished');
proven($db, 'stays.customers');
is($node->safe_psql($db, "SELECT count(*) > 0 FROM segment.runs WHERE tbl = 'stays.customers'::regclass AND status = 'interrupted'"), 't',
	'what the restart cut short is on record');

# a job that ends its own process each time
make_shop($node, $db, 'crashing');
$node->safe_psql($db, <<'SQL');
CREATE FUNCTION crashing.end_it(x bigint) RETURNS bigint IMMUTABLE LANGUAGE plpgsql
AS $$BEGIN PERFORM pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid()) WHERE x > 0; RETURN x; END$$;
ALTER FUNCTION crashing.end_it OWNER TO crashing;
SET ROLE crashing;
SELECT segment.add_score('crashing.customers', 'ends', 'crashing.end_it(count(*))');
RESET ROLE;
INSERT INTO crashing.orders VALUES (1);
SELECT segment.schedule('crashing.customers', 'continuous');
SQL
my $started = time;
my $crashing = "tbl = 'crashing.customers'::regclass";
wait_for($node, $db, "SELECT failures >= 3 AND last_error = 'the refresh was interrupted' AND NOT running FROM segment.jobs WHERE $crashing",
	'a job that dies is tried again');
is($node->safe_psql($db, "SELECT next_run_at > last_started_at + interval '3 seconds' FROM segment.jobs WHERE $crashing"), 't', 'less and less often');
my $oid = $node->safe_psql($db, "SELECT 'crashing.customers'::regclass::oid");
cmp_ok(log_lines($node, "the job that refreshes segment table $oid was interrupted"), '<=', minutes_since($started), 'with one log line a minute');
goes_on($db, 'crm', 'others go on');
$node->safe_psql($db, "ALTER SYSTEM SET segment.runs_kept = 2; SELECT pg_reload_conf()");
my $seen = $node->safe_psql($db, "SELECT failures FROM segment.jobs WHERE $crashing");
wait_for($node, $db, "SELECT failures > $seen AND NOT running FROM segment.jobs WHERE $crashing", 'it dies again');
cmp_ok($node->safe_psql($db, "SELECT count(*) FROM segment.runs WHERE $crashing"), '<=', 3, 'runs that are cut short have a bound, too');
$node->safe_psql($db, 'CREATE OR REPLACE FUNCTION crashing.end_it(x bigint) RETURNS bigint IMMUTABLE LANGUAGE sql AS $$SELECT x$$');
$node->safe_psql($db, "SELECT segment.schedule('crashing.customers', 'continuous')");
wait_for($node, $db, "SELECT failures = 0 FROM segment.jobs WHERE $crashing AND EXISTS (SELECT FROM crashing.customers WHERE active)",
	'mended and scheduled again, it recovers');

# many tables, two workers for them
my $many = $ENV{SEGMENT_TABLES} || 100;
$node->append_conf('postgresql.conf', 'max_worker_processes = 5');
$node->restart;
$started = time;
my $complaints = log_lines($node, 'no background worker is free for a segment job');
$node->safe_psql($db, <<SQL);
SET ROLE crm;
CREATE TABLE crm.logins (customer bigint, at timestamptz DEFAULT now());
DO \$\$
BEGIN
	FOR i IN 1..$many LOOP
		PERFORM segment.create_table('crm.many_' || i, 'customer');
		PERFORM segment.add_source(('crm.many_' || i)::regclass, 'crm.logins', 'customer', 'at');
		PERFORM segment.add_score(('crm.many_' || i)::regclass, 'logins', 'count(*)');
		PERFORM segment.schedule(('crm.many_' || i)::regclass, 'continuous');
	END LOOP;
END\$\$;
INSERT INTO crm.logins VALUES (1), (2);
SQL
my $fresh = "SELECT count(*) FROM segment.status WHERE tbl::text LIKE 'crm.many%' AND as_of IS NOT NULL AND backlog = 0 AND NOT needs_rebuild";
wait_for($node, $db, $fresh, "$many tables take turns", $many);
is($node->safe_psql($db, "SELECT count(*) FROM segment.runs WHERE tbl::text LIKE 'crm.many%' AND status IN ('failed', 'interrupted')"), '0', 'none fails');
cmp_ok(log_lines($node, 'no background worker is free for a segment job') - $complaints, '<=', minutes_since($started), 'the log is not flooded');
goes_on($db, 'crm', 'and nobody starves');
is($node->safe_psql($db, "SELECT count(*) FROM pg_stat_activity WHERE backend_type IN ('segment scheduler', 'segment launcher')"
	  . " AND (xact_start IS NOT NULL OR backend_xmin IS NOT NULL OR backend_xid IS NOT NULL)"), '0', 'who sleeps holds back no vacuum')
  if wait_for($node, $db, jobs_running($db), 'all is done', '0');
proven($db, $_) foreach (qw(crm.customers crm.many_1), "crm.many_$many");
$node->stop;
done_testing();
