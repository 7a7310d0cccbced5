# A server with the library preloaded, and questions about its jobs.  Tests ask
# until the answer is there; none sleeps to see what happens.
package SegmentNode;

use strict;
use warnings;
use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

our @EXPORT = qw(segment_node make_shop wait_for wait_fresh scheduler_pid job_pid log_lines);

# A started node whose schedulers run in the given databases.
sub segment_node
{
	my ($name, $databases, $more) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(allows_streaming => 1);
	$node->append_conf('postgresql.conf', <<CONF);
shared_preload_libraries = 'segment'
segment.databases = '$databases'
max_worker_processes = 16
restart_after_crash = on
autovacuum_naptime = 1h
CONF
	$node->append_conf('postgresql.conf', $more) if defined $more;
	$node->start;
	return $node;
}

# An event table and a segment table over it, in a schema of a role of the same name.
sub make_shop
{
	my ($node, $db, $owner, $window) = @_;
	$window = '90 days' unless defined $window;

	$node->safe_psql($db, <<SQL);
CREATE ROLE $owner LOGIN;
GRANT CREATE ON DATABASE $db TO $owner;
SET ROLE $owner;
CREATE SCHEMA $owner;
SET search_path = $owner;
CREATE TABLE orders (customer bigint, at timestamptz DEFAULT now(), amount float8 DEFAULT 1);
SELECT segment.create_table('customers', 'customer');
SELECT segment.add_source('customers', 'orders', 'customer', 'at', value => 'amount');
SELECT segment.add_score('customers', 'orders_recent',
	'count(*) FILTER (WHERE at > now() - interval ''$window'')');
SELECT segment.add_segment('customers', 'active', 'orders_recent > 0');
SQL
	return;
}

# Asks until the answer is as expected ('t' unless given).
sub wait_for
{
	my ($node, $db, $query, $what, $expected) = @_;
	my $found = $node->poll_query_until($db, $query, defined $expected ? $expected : 't');

	Test::More::ok($found, $what);
	return $found;
}

# Waits until nothing is left to do for a table.
sub wait_fresh
{
	my ($node, $db, $table, $what) = @_;

	return wait_for($node, $db, <<SQL, $what);
SELECT backlog = 0 AND NOT needs_rebuild AND oldest_mark IS NULL
	AND NOT EXISTS (SELECT FROM segment.runs r WHERE r.tbl = s.tbl AND r.status = 'running')
FROM segment.status s WHERE s.tbl = '$table'::regclass
SQL
}

sub scheduler_pid
{
	my ($node, $db) = @_;

	return $node->safe_psql('postgres', <<SQL);
SELECT pid FROM pg_stat_activity WHERE backend_type = 'segment scheduler' AND datname = '$db'
SQL
}

# The process that refreshes a table, or nothing.
sub job_pid
{
	my ($node, $table) = @_;

	return $node->safe_psql('postgres', <<SQL);
SELECT pid FROM pg_stat_activity
WHERE backend_type = 'segment job' AND application_name = 'segment: $table'
SQL
}

# How many lines of the server log match.
sub log_lines
{
	my ($node, $pattern) = @_;
	my @lines = split /\n/, slurp_file($node->logfile);

	return scalar grep { /$pattern/ } @lines;
}

1;
