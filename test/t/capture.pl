# Changes that reach a source in other ways than a session's own statements: a
# subscription that copies and applies, pg_restore --disable-triggers, prepared
# transactions that are committed much later; and that a worker hears at once of DDL.
use strict;
use warnings;
use lib 'test/t';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SegmentNode;
use Test::More;

my $publisher = PostgreSQL::Test::Cluster->new('publisher');
$publisher->init(allows_streaming => 'logical');
$publisher->start;
my $node = segment_node('capture', '', "max_prepared_transactions = 5\nmax_logical_replication_workers = 4\nwal_retrieve_retry_interval = 100ms\n");

my $tables = q{
	CREATE SCHEMA shop;
	CREATE TABLE shop.event (id int PRIMARY KEY, customer int, at timestamptz DEFAULT '2024-05-01', amount int DEFAULT 1);
	CREATE TABLE shop.visit (id int, customer int, at timestamptz DEFAULT '2024-05-01', PRIMARY KEY (id, customer)) PARTITION BY RANGE (customer);
	CREATE TABLE shop.visit_low PARTITION OF shop.visit FOR VALUES FROM (MINVALUE) TO (50);
	CREATE TABLE shop.visit_high PARTITION OF shop.visit FOR VALUES FROM (50) TO (MAXVALUE);
};
$publisher->safe_psql('postgres', $tables . q{
	INSERT INTO shop.event SELECT n, n % 20 FROM generate_series(1, 100) n;
	INSERT INTO shop.visit SELECT n, n % 100 FROM generate_series(1, 100) n;
	CREATE PUBLICATION shop FOR TABLE shop.event, shop.visit WITH (publish_via_partition_root = true);
});
$node->safe_psql('postgres', "CREATE EXTENSION segment; $tables" . q{
	SELECT segment.create_table('shop.customers', 'customer', 'int');
	SELECT segment.add_source('shop.customers', 'shop.event', key => 'customer', at => 'at', value => 'amount');
	SELECT segment.add_source('shop.customers', 'shop.visit', key => 'customer', at => 'at');
	SELECT segment.add_score('shop.customers', 'n', 'count(*)');
	SELECT segment.add_score('shop.customers', 'total', 'sum(value)');
	CALL segment.refresh('shop.customers');
});

# Who is marked, a refresh, and whether all is right then; nobody may be left out.
sub is_right
{
	my ($what, $marks) = @_;

	is( $node->safe_psql('postgres', q{
			SELECT CASE WHEN needs_rebuild THEN 'everybody' ELSE backlog::text END
			FROM segment.status WHERE tbl = 'shop.customers'::regclass}),
		$marks, "$what: marked") if defined $marks;
	$node->safe_psql('postgres', q{CALL segment.refresh('shop.customers')});
	my ($ret, $out, $err) = $node->psql('postgres', q{SELECT * FROM segment.verify('shop.customers')});
	is("$ret$out$err", '0', "$what: verify() judges everybody and finds nothing");
	is( $node->safe_psql('postgres', q{
			WITH truth AS (SELECT customer, count(*) AS n, sum(amount) AS total FROM
					(SELECT customer, amount FROM shop.event UNION ALL SELECT customer, NULL FROM shop.visit) e GROUP BY 1)
			SELECT * FROM truth t FULL JOIN shop.customers c USING (customer)
			WHERE (t.n, t.total) IS DISTINCT FROM (c.n, c.total)}),
		'', "$what: the rows are those of plain SQL");
	return;
}
is_right('at first', '0');

# A subscription: the initial copy, then each kind of change.
my $from = $publisher->connstr . ' dbname=postgres';
$node->safe_psql('postgres', "CREATE SUBSCRIPTION shop CONNECTION '$from' PUBLICATION shop");
$node->wait_for_subscription_sync($publisher, 'shop');
is($node->safe_psql('postgres', 'SELECT (SELECT count(*) FROM shop.event), (SELECT count(*) FROM shop.visit)'), '100|100', 'copied');
is_right('initial copy', '100');
sub replicate
{
	my ($sql, $what, $marks) = @_;

	$publisher->safe_psql('postgres', $sql);
	$publisher->wait_for_catchup('shop');
	is_right($what, $marks);
	return;
}
replicate('INSERT INTO shop.event SELECT n, n % 3 + 200 FROM generate_series(101, 130) n; INSERT INTO shop.visit VALUES (101, 3), (102, 77)', 'INSERT applied', 5);
replicate('UPDATE shop.event SET customer = 300 WHERE id = 1; UPDATE shop.visit SET customer = 78 WHERE id = 101', 'UPDATE applied', 4);
replicate('DELETE FROM shop.event WHERE customer = 2; DELETE FROM shop.visit WHERE id = 102', 'DELETE applied', 2);
replicate('BEGIN; INSERT INTO shop.event VALUES (201, 400); SAVEPOINT a; INSERT INTO shop.event VALUES (202, 401); ROLLBACK TO a; INSERT INTO shop.event VALUES (203, 402); COMMIT', 'savepoints applied', 2);
replicate('TRUNCATE shop.visit', 'TRUNCATE applied', 'everybody');
$node->safe_psql('postgres', 'ALTER SUBSCRIPTION shop DISABLE');

# Prepared, left alone while other refreshes run and a log is emptied, committed much later.
$node->safe_psql('postgres', q{BEGIN; INSERT INTO shop.event VALUES (301, 500), (302, 501); DELETE FROM shop.event WHERE customer = 4; PREPARE TRANSACTION 'late'});
$node->safe_psql('postgres', q{BEGIN; INSERT INTO shop.event VALUES (303, 502); PREPARE TRANSACTION 'never'});
$node->safe_psql('postgres', q{SET session_replication_role = replica; BEGIN; INSERT INTO shop.event VALUES (304, 503), (305, 503); PREPARE TRANSACTION 'replica'});
for my $round (1 .. 3)
{
	$node->safe_psql('postgres', "INSERT INTO shop.event VALUES (310 + $round, 510)");
	is_right("a transaction is prepared, round $round", '1');
}
$node->restart;
is_right('restarted', '0');
$node->safe_psql('postgres', q{COMMIT PREPARED 'late'});
is_right('COMMIT PREPARED', '3');
$node->safe_psql('postgres', q{ROLLBACK PREPARED 'never'});
is_right('ROLLBACK PREPARED', '0');
$node->safe_psql('postgres', q{COMMIT PREPARED 'replica'});
is_right('COMMIT PREPARED of replica role', '1');

# pg_restore --disable-triggers: noticed, repaired, warned of, everybody computed anew.
my $dir = PostgreSQL::Test::Utils::tempdir;
$node->command_ok([ 'pg_dump', '-Fc', '-a', '-t', 'shop.event', '-f', "$dir/data", 'postgres' ], 'dump of the rows');
$node->safe_psql('postgres', 'DELETE FROM shop.event WHERE customer < 10');
is_right('deleted');
$node->safe_psql('postgres', 'DELETE FROM shop.event');
is_right('deleted wholly');
$node->command_ok([ 'pg_restore', '-a', '--disable-triggers', '-d', 'postgres', "$dir/data" ], 'pg_restore --disable-triggers');
my ($ret, $out, $err) = $node->psql('postgres', q{SELECT * FROM segment.verify('shop.customers')});
like($err, qr/no customer of segment table shop.customers was judged/, 'verify() judges nobody then');
($ret, $out, $err) = $node->psql('postgres', q{CALL segment.refresh('shop.customers')});
like($err, qr/WARNING:  changes of shop.event may have gone unnoticed/, 'the refresh warns');
is_right('restored with triggers disabled', '0');
$node->safe_psql('postgres', q{INSERT INTO shop.event VALUES (401, 600)});
is_right('triggers are on again', '1');
$node->safe_psql('postgres', q{SET session_replication_role = replica; INSERT INTO shop.event VALUES (402, 601)});
is_right('in replica role, too', '1');

# A worker hears of DDL when it is committed.
$node->safe_psql('postgres', q{SELECT segment.schedule('shop.customers', 'continuous')});
$node->append_conf('postgresql.conf', "segment.databases = 'postgres'");
$node->reload;
wait_fresh($node, 'postgres', 'shop.customers', 'a worker keeps it fresh');
$node->safe_psql('postgres', 'INSERT INTO shop.visit SELECT n, n FROM generate_series(0, 99) n');
wait_fresh($node, 'postgres', 'shop.customers', 'after INSERT');
for my $ddl ('ALTER TABLE shop.visit DETACH PARTITION shop.visit_high',
	'ALTER TABLE shop.visit ATTACH PARTITION shop.visit_high FOR VALUES FROM (50) TO (MAXVALUE)',
	'ALTER TABLE shop.visit DETACH PARTITION shop.visit_high CONCURRENTLY',
	'DROP TABLE shop.visit_low', 'ALTER TABLE shop.visit RENAME COLUMN customer TO client')
{
	# PostgreSQL before 15.14, 16.10 and 17.6 attaches no table that has such triggers
	$node->safe_psql('postgres', <<'SQL') if $ddl =~ /ATTACH/;
DO $$ DECLARE
	version int := current_setting('server_version_num');
	trigger name;
BEGIN
	IF version % 10000 < (CASE version / 10000 WHEN 15 THEN 14 WHEN 16 THEN 10 WHEN 17 THEN 6 ELSE 0 END) THEN
		FOR trigger IN SELECT tgname FROM pg_trigger WHERE tgrelid = 'shop.visit_high'::regclass AND coalesce(tgnewtable, tgoldtable) IS NOT NULL LOOP
			EXECUTE format('DROP TRIGGER %I ON shop.visit_high', trigger);
		END LOOP;
	END IF;
END $$
SQL
	$node->safe_psql('postgres', $ddl);
	wait_fresh($node, 'postgres', 'shop.customers', $ddl);
	is($node->safe_psql('postgres', q{SELECT sum(n) FROM shop.customers}),
		$node->safe_psql('postgres', 'SELECT (SELECT count(*) FROM shop.event) + (SELECT count(*) FROM shop.visit)'), 'as it should be');
}
$node->safe_psql('postgres', q{SELECT segment.unschedule('shop.customers')});
done_testing();
