# A customer for whom an expression fails does not fail the job; limits of sessions and what they do to a refresh.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use SegmentNode;
use Test::More;

my $node = segment_node('aside', 'postgres');
my $db = 'postgres';
my $shop = "tbl = 'shop.customers'::regclass";

$node->safe_psql($db, 'CREATE EXTENSION segment');
make_shop($node, $db, 'shop');
$node->safe_psql($db, <<'SQL');
SET ROLE shop;
SELECT segment.add_score('shop.customers', 'ratio', 'sum(1 / (value - 13))');
SELECT segment.schedule('shop.customers', 'continuous');
INSERT INTO shop.orders SELECT i FROM generate_series(1, 20) i;
SQL
wait_for($node, $db, 'SELECT count(*) = 20 FROM shop.customers WHERE active', 'the table is built');

$node->safe_psql($db, 'INSERT INTO shop.orders VALUES (7, now(), 13), (8, now(), 1), (21, now(), 1)');
wait_for($node, $db, 'SELECT (SELECT orders_recent FROM shop.customers WHERE customer = 8) = 2'
	  . ' AND EXISTS (SELECT FROM shop.customers WHERE customer = 21)', 'the others go on');
wait_fresh($node, $db, 'shop.customers', 'nothing is left to do');
is($node->safe_psql($db, "SELECT key, part, sqlstate FROM segment.set_aside WHERE $shop"), '7|column ratio|22012', 'he is set aside');
is($node->safe_psql($db, "SELECT failures, last_error IS NULL FROM segment.jobs WHERE $shop"), '0|t', 'the job has not failed');
is($node->safe_psql($db, 'SELECT orders_recent FROM shop.customers WHERE customer = 7'), '1', 'his row stays as it was');

# others are refreshed again and again: he does not make the job spin, nor fill the log
for my $i (1 .. 3)
{
	$node->safe_psql($db, "INSERT INTO shop.orders VALUES (7, now(), 13), (9, now(), $i)");
	wait_for($node, $db, "SELECT orders_recent = 1 + $i FROM shop.customers WHERE customer = 9", "refresh $i");
}
is(log_lines($node, '1 customer of segment table shop.customers was set aside'), 1, 'one log line a minute');
wait_fresh($node, $db, 'shop.customers', 'nothing is left to do again');
is($node->safe_psql($db, "SELECT next_run_at = retry_at AND retry_at >= tried_at + interval '1 minute'"
	. " FROM segment.jobs JOIN segment.set_aside USING (tbl) WHERE $shop"), 't', 'the job is due again when he is tried again');

# he is tried again by the clock, and also after a restart
$node->safe_psql($db, "CREATE TABLE runs_before AS SELECT max(id) AS id FROM segment.runs;"
	. " UPDATE segment.aside SET retry_at = now(); UPDATE segment.table_state_version SET next_due = now()");
$node->restart;
wait_for($node, $db, "SELECT tried_at > (SELECT started_at FROM segment.runs r WHERE r.id = (SELECT id FROM runs_before))"
	. " AND retry_at > now() FROM segment.set_aside WHERE $shop", 'tried again');
$node->safe_psql($db, 'UPDATE shop.orders SET amount = 1 WHERE customer = 7');
wait_for($node, $db, "SELECT count(*) = 0 FROM segment.set_aside WHERE $shop", 'mended by an event');
wait_fresh($node, $db, 'shop.customers', 'and fresh');
is($node->safe_psql($db, "SELECT count(*) FROM segment.verify('shop.customers')"), '0', 'verify() is empty');

# a client's limits
$node->safe_psql($db, "SELECT segment.unschedule('shop.customers')");
my $blocker = $node->background_psql($db);
$blocker->query_safe('BEGIN; LOCK TABLE shop.customers IN EXCLUSIVE MODE');
$node->safe_psql($db, 'INSERT INTO shop.orders VALUES (30)');
my ($rc, $out, $err) = $node->psql($db, "SET lock_timeout = '10ms'; CALL segment.refresh('shop.customers')");
like($err, qr/canceling statement due to lock timeout/, 'lock_timeout of a client holds');
($rc, $out, $err) = $node->psql($db, "SET statement_timeout = '10ms'; CALL segment.refresh('shop.customers')");
like($err, qr/canceling statement due to statement timeout/, 'statement_timeout, too');
$blocker->query_safe('COMMIT');
$blocker->quit;
my $idle = $node->background_psql($db, on_error_stop => 0);
my $pid = $idle->query_safe('SELECT pg_backend_pid()');
$idle->query_safe("BEGIN; CALL segment.refresh('shop.customers')");
is($node->safe_psql($db, 'SELECT count(*) FROM shop.customers WHERE customer = 30'), '0', 'a refresh in a block is not committed');
$idle->{stdin} .= "SET idle_in_transaction_session_timeout = '1ms';\n";
$idle->{run}->pump_nb;
wait_for($node, $db, "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid", 'its session is ended');
eval { $idle->{run}->finish };
is($node->safe_psql($db, "SELECT backlog FROM segment.status WHERE $shop"), '1', 'the work is there still');
$node->safe_psql($db, "CALL segment.refresh('shop.customers')");
is($node->safe_psql($db, 'SELECT count(*) FROM shop.customers WHERE customer = 30'), '1', 'and is done by the next');
is($node->safe_psql($db, "SELECT count(*) FROM segment.verify('shop.customers')"), '0', 'verify() is empty');
$node->stop;
done_testing();
