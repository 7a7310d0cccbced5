# A transaction that stays open, having written marks, keeps its log from being
# emptied and dead rows from being removed.  Refreshes read no more pages for it,
# and what has grown is small again soon after it has ended.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $ROUNDS = 25;
my $db = 'postgres';
my $node = PostgreSQL::Test::Cluster->new('rotation');

$node->init;
$node->append_conf('postgresql.conf', <<CONF);
max_prepared_transactions = 4
autovacuum = off
segment.log_rotation_size = '128kB'
CONF
$node->start;
$node->safe_psql($db, <<SQL);
CREATE EXTENSION segment;
CREATE TABLE orders (customer int, at timestamptz DEFAULT now());
CREATE INDEX ON orders (customer);
SELECT segment.create_table('customers', 'customer', 'int');
SELECT segment.add_source('customers', 'orders', 'customer', 'at');
SELECT segment.add_score('customers', 'n', 'count(*)');
SELECT segment.create_table('others', 'customer', 'int');
SELECT segment.add_source('others', 'orders', 'customer', 'at');
SELECT segment.add_segment('others', 'here', 'true');
CALL segment.refresh('customers');
CALL segment.refresh('others');
SQL

# Pages of the extension's tables and indexes, and of the logs among them, that a
# round reads: events of 200 customers, collected and processed.
sub pages
{
	my ($rounds) = @_;
	my $round = <<SQL;
INSERT INTO orders (customer) SELECT 1 + (random() * 4999)::int FROM generate_series(1, 200);
CALL segment.refresh('customers');
CALL segment.refresh('others');
SQL
	my $count = <<SQL;
SELECT pg_stat_force_next_flush();
SELECT pg_stat_clear_snapshot();
\\o
SELECT 'fetched ' || sum(n) || ' logs ' || sum(n) FILTER (WHERE relname LIKE 'mark_log%')
	FROM (SELECT relname, pg_stat_get_blocks_fetched(oid) AS n FROM pg_class
		WHERE relnamespace = 'segment'::regnamespace AND relkind IN ('r', 'i')) c;
\\o /dev/null
SQL
	my $out = $node->safe_psql($db, "\\o /dev/null\n" . $count . $round x $rounds . $count);
	my @fetched = $out =~ /fetched (\d+) logs (\d+)/g;

	return map { int(($fetched[$_ + 2] - $fetched[$_]) / $rounds) } 0, 1;
}

my $size = "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE oid IN"
  . " ('segment.mark_log_0'::regclass, 'segment.mark_log_1'::regclass, 'segment.work'::regclass)";

sub exact
{
	my ($what) = @_;

	is( $node->safe_psql($db, <<SQL), '0', "verify() is empty $what");
CALL segment.refresh('customers');
CALL segment.refresh('others');
SELECT (SELECT count(*) FROM segment.verify('customers')) + (SELECT count(*) FROM segment.verify('others'))
	+ (SELECT count(*) FROM (SELECT customer, count(*) FROM orders GROUP BY 1
		EXCEPT SELECT customer, n FROM customers) d);
SQL
	return;
}

pages($ROUNDS);
$node->safe_psql($db, 'VACUUM');
my ($usual, $usual_logs) = pages($ROUNDS);
exact('before');
my $small = $node->safe_psql($db, $size);

# 7000: nobody else buys as
$node->safe_psql($db, "BEGIN; INSERT INTO orders VALUES (7000); PREPARE TRANSACTION 'held'");
my $holders = 'SELECT DISTINCT prepared::text FROM segment.logs WHERE prepared IS NOT NULL AND held_since IS NOT NULL';
is($node->safe_psql($db, $holders), '{held}', 'segment.logs names the prepared transaction that holds a log');
pages(4 * $ROUNDS);
my ($held, $held_logs) = pages($ROUNDS);
note("pages in a round (logs): $usual ($usual_logs), with a transaction open: $held ($held_logs)");
cmp_ok($held, '<=', 2 * $usual, 'no more than twice the pages are read while a transaction is open');
cmp_ok($held_logs, '<=', 2 * $usual_logs, 'nor of the logs');
exact('while it is open');
my $grown = $node->safe_psql($db, $size);
note("kB: " . int($small / 1024) . ', with a transaction open: ' . int($grown / 1024));
cmp_ok($grown, '<=', 4 * 1024 * 1024, 'logs and work do not grow without a bound meanwhile');
is($node->safe_psql($db, 'SELECT count(*) FROM customers WHERE customer = 7000'), '0', 'what it wrote does not show');
$node->safe_psql($db, "COMMIT PREPARED 'held'");
exact('after it has ended');
is($node->safe_psql($db, 'SELECT n FROM customers WHERE customer = 7000'), '1', 'what it wrote is not lost');
pages(20);
cmp_ok($node->safe_psql($db, $size), '<=', 2 * $small + 256 * 1024, 'within a rotation they are as small as before');
exact('in the end');

# both logs held: nothing can be emptied, and still no more is read
$node->safe_psql($db, "BEGIN; LOCK segment.mark_log_0, segment.mark_log_1 IN ROW EXCLUSIVE MODE;"
	  . " INSERT INTO orders VALUES (7001); PREPARE TRANSACTION 'held'");
pages(4 * $ROUNDS);
($held, $held_logs) = pages($ROUNDS);
note("with both logs held: $held ($held_logs)");
cmp_ok($held, '<=', 2 * $usual, 'no more are read where neither log can be emptied');
cmp_ok($held_logs, '<=', 2 * $usual_logs, 'nor of the logs');
$node->restart;
is($node->safe_psql($db, 'SELECT count(*) FROM pg_prepared_xacts'), '1', 'it is open after a restart, too');
is($node->safe_psql($db, $holders), '{held}', 'segment.logs names it then');
pages(2);
$node->stop('immediate');
$node->start;
pages(2);
$node->safe_psql($db, "COMMIT PREPARED 'held'");
exact('after crash and commit');
is($node->safe_psql($db, 'SELECT n FROM customers WHERE customer = 7001'), '1', 'a mark from before the crash is not lost');

# Many who wait for a refresh that does not come keep dead rows of others no longer
# than they are a small part of the file.
$node->safe_psql($db, <<SQL);
CREATE TABLE visits (customer int, at timestamptz DEFAULT now());
SELECT segment.create_table('visitors', 'customer', 'int');
SELECT segment.add_source('visitors', 'visits', 'customer', 'at');
SELECT segment.add_segment('visitors', 'here', 'true');
CALL segment.refresh('visitors');
INSERT INTO visits SELECT i FROM generate_series(1, 6000) i;
INSERT INTO visits SELECT i FROM generate_series(6001, 12000) i;
SQL
my $reader = $node->background_psql($db);
$reader->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM orders');
$node->safe_psql($db, <<SQL x 20);
INSERT INTO orders (customer) SELECT i FROM generate_series(1, 6000) i;
CALL segment.refresh('customers');
CALL segment.refresh('others');
SQL
$grown = $node->safe_psql($db, "SELECT pg_total_relation_size('segment.work')");
note('kB of work beside 12,000 who wait: ' . int($grown / 1024));
cmp_ok($grown, '<=', 24 * 1024 * 1024, 'nor does work, where many wait');
$reader->quit;
exact('beside many who wait');
is($node->safe_psql($db, "CALL segment.refresh('visitors'); SELECT count(*) FROM visitors WHERE here"), '12000', 'who waited is not lost');

$node->stop;
done_testing();
