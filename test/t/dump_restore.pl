# Dump and restore: a database with segment tables comes back with its
# definitions, rows and history; marks, work and bookmarks stay behind, and the
# first refresh rebuilds.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $as_of = "SET segment.as_of = '2024-06-01 00:00:00+00'; SET timezone = 'UTC';";

sub new_node
{
	my ($name) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init;
	$node->append_conf('postgresql.conf', "fsync = off\n");
	$node->start;
	$node->safe_psql('postgres', 'CREATE ROLE regress_segment_owner; CREATE ROLE regress_segment_reader;');
	return $node;
}

my @tables = ('crm.customers', 'crm."Quoted ""items"""');

# What plain SQL says the first segment table must hold.
my $truth = q{
	SELECT coalesce(e.customer, p.id), coalesce(e.n, 0), e.total, p.country,
		   coalesce(e.last_at > timestamptz '2024-06-01 00:00:00+00' - interval '30 days', false)
	FROM (SELECT customer, count(*) AS n, sum(amount) AS total, max(at) AS last_at
		  FROM (SELECT CASE customer WHEN 8 THEN 9 ELSE customer END AS customer, at, amount
				FROM (SELECT customer, at, amount FROM crm.purchase UNION ALL SELECT account, at, NULL FROM crm.visit) u) s
		  WHERE customer IS NOT NULL AND at <= '2024-06-01 00:00:00+00' GROUP BY customer) e
	FULL JOIN (SELECT * FROM crm.person WHERE id <> 8) p ON p.id = e.customer
	WHERE p.consent IS NOT FALSE ORDER BY 1};

# Refreshes and compares; in a database that has just come to be.
sub is_right
{
	my ($node, $db, $what) = @_;
	$node->safe_psql($db, "$as_of CALL segment.refresh('$_')") for @tables;
	is( $node->safe_psql($db, "$as_of " . join(' UNION ALL ', map { "SELECT * FROM segment.verify('$_')" } @tables)),
		'', "$what: verify() is empty");
	is( $node->safe_psql($db, "$as_of SELECT customer, n, total, country, active FROM crm.customers ORDER BY 1"),
		$node->safe_psql($db, "$as_of $truth"), "$what: the rows are those of plain SQL");
	return;
}

# Every way of changing the sources, then a look.
sub is_kept_right
{
	my ($node, $db, $what) = @_;
	my $before = $node->safe_psql($db, 'SELECT count(*) FROM crm.customers');
	$node->safe_psql($db, q{
		INSERT INTO crm.purchase (customer, at, amount, sku) VALUES (901, '2024-05-30', 1, 'tea'), (902, '2024-05-30', 1, 'milk');
		UPDATE crm.purchase SET customer = 903 WHERE customer = 4;
		DELETE FROM crm.purchase WHERE customer = 5;
		INSERT INTO crm.visit_may VALUES (904, '2024-05-30');
		UPDATE crm.person SET consent = NOT consent WHERE id = 6;
		INSERT INTO crm.person VALUES (905, 'XX', true);
		DELETE FROM crm.person WHERE id = 7;
	});
	is_right($node, $db, "$what, after changes");
	isnt($node->safe_psql($db, 'SELECT count(*) FROM crm.customers'), $before, "$what: the changes were noticed");
	$node->safe_psql($db, 'TRUNCATE crm.visit');
	is_right($node, $db, "$what, after TRUNCATE");
	return;
}

my $old = new_node('old');
$old->safe_psql('postgres', 'CREATE DATABASE shop');
$old->safe_psql('shop', q{
	CREATE EXTENSION segment;
	CREATE SCHEMA crm AUTHORIZATION regress_segment_owner;
	SET ROLE regress_segment_owner;
	SET client_min_messages = warning;
	CREATE TABLE crm.purchase (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer int, at timestamptz, amount numeric, sku text);
	CREATE TABLE crm.visit (account int, at timestamptz) PARTITION BY RANGE (at);
	CREATE TABLE crm.visit_april PARTITION OF crm.visit FOR VALUES FROM ('2024-04-01') TO ('2024-05-01');
	CREATE TABLE crm.visit_may PARTITION OF crm.visit FOR VALUES FROM ('2024-05-01') TO ('2024-07-01');
	CREATE TABLE crm.person (id int PRIMARY KEY, country text, consent bool);
	INSERT INTO crm.purchase (customer, at, amount, sku)
		SELECT n % 50, timestamptz '2024-03-01 00:00+00' + n * interval '7 hours', n % 9, 'sku ' || n % 7 FROM generate_series(1, 400) n;
	INSERT INTO crm.visit SELECT n % 80, timestamptz '2024-04-02' + n * interval '5 hours' FROM generate_series(1, 250) n;
	INSERT INTO crm.person SELECT n, chr(64 + n), n % 5 > 0 FROM generate_series(1, 20) n;

	SELECT segment.create_table('crm.customers', 'customer', 'int', 'Europe/Berlin');
	SELECT segment.add_source('crm.customers', 'crm.purchase', key => 'customer', at => 'at', value => 'amount', extra => '{"sku": "sku"}');
	SELECT segment.add_source('crm.customers', 'crm.visit', key => 'account', at => 'at');
	SELECT segment.add_attributes('crm.customers', 'crm.person', key => 'id', columns => '{"country": "country", "consent": "consent"}');
	SELECT segment.add_score('crm.customers', 'n', 'count(*)');
	SELECT segment.add_score('crm.customers', 'total', 'sum(value)');
	SELECT segment.add_score('crm.customers', 'last_at', 'max(at)');
	SELECT segment.add_score('crm.customers', 'recent', 'count(*) FILTER (WHERE at > now() - interval ''30 days'')');
	SELECT segment.add_segment('crm.customers', 'active', 'last_at > now() - interval ''30 days''');
	SELECT segment.add_segment('crm.customers', 'odd', 'extract(day FROM now()) = 5');
	SELECT segment.add_group('crm.customers', 'size', 'it''s big', 'total >= 100 AND active', 'small', 'n > 0');
	SELECT segment.set_eligible('crm.customers', 'consent IS NOT FALSE');
	SELECT segment.set_max_age('crm.customers', '3 hours');
	SELECT segment.merge('crm.customers', '8', '9');
	SELECT segment.create_table('crm."Quoted ""items"""', 'select', 'text');
	SELECT segment.add_source('crm."Quoted ""items"""', 'crm.purchase', key => 'sku', at => 'at');
	SELECT segment.add_score('crm."Quoted ""items"""', 'we"ird; name', 'count(*)');
	SELECT segment.add_segment('crm."Quoted ""items"""', 'user', '"we""ird; name" > 3');
	SELECT segment.add_band('crm."Quoted ""items"""', 'third', 'we"ird; name', 3);
	SELECT segment.add_preset('crm.customers', 'starter');
	SELECT segment.add_preset('crm."Quoted ""items"""', 'rfm', '{"purchase": "purchase", "prefix": "p \\"q\\" "}');
	SELECT segment.schedule('crm.customers', '5 minutes');
	SELECT segment.keep_changes('crm.customers');
	CREATE INDEX ON crm.customers (total);
	GRANT SELECT ON crm.customers TO regress_segment_reader;
});
is_right($old, 'shop', 'before');
my $history = "$as_of SELECT * FROM crm.customers_history ORDER BY 1, 2, 4";
$old->safe_psql('shop', "SET segment.as_of = '2024-05-20 00:00:00+00'; DELETE FROM crm.purchase WHERE customer = 3; CALL segment.rebuild('crm.customers')");
is_right($old, 'shop', 'before');

# Transaction numbers run far ahead of those of a new cluster; marks are waiting.
$old->safe_psql('shop', 'DO $$ BEGIN FOR n IN 1 .. 20000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$');
$old->safe_psql('shop', "$as_of CALL segment.refresh('crm.customers')");
$old->safe_psql('shop', q{INSERT INTO crm.purchase (customer, at, amount, sku) VALUES (900, '2024-05-31', 9, 'late')});
my $then = $old->safe_psql('shop', $history);
my $cursor = $old->safe_psql('shop', "SELECT segment.changes_cursor('crm.customers')");
my $views = join ';', map { "SELECT * FROM segment.$_ v ORDER BY v::text" }
  qw(tables sources scores segments groups bands table_presets merges);
$views .= '; ' . join '; ', map { "SELECT segment.definition('$_')" } @tables;
my $definitions = $old->safe_psql('shop', $views);
my $jobs = $old->safe_psql('shop', 'SELECT tbl, schedule FROM segment.jobs');
isnt($jobs, '', 'there is a schedule');

my $dir = PostgreSQL::Test::Utils::tempdir;
$old->command_ok([ 'pg_dump', '-Fc', '-f', "$dir/custom", 'shop' ], 'dump');
$old->command_ok([ 'pg_dump', '-Fp', '-f', "$dir/plain", 'shop' ], 'dump as a script');
my $new = new_node('new');
$old->safe_psql('shop', "$as_of CALL segment.refresh('crm.customers')");
my $later = $old->safe_psql('shop', "SELECT segment.changes_cursor('crm.customers')");
isnt($later, $cursor, 'there are changes after the dump');

foreach my $way ('custom', 'jobs', 'plain')
{
	$new->safe_psql('postgres', "CREATE DATABASE $way");
	if ($way eq 'plain')
	{
		$new->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $way, '-f', "$dir/plain" ], 'restore by script');
	}
	else
	{
		my @jobs = $way eq 'jobs' ? ('-j', '2') : ();
		$new->command_ok([ 'pg_restore', '--exit-on-error', @jobs, '-d', $way, "$dir/custom" ], "restore: $way");
		if ($way eq 'custom')
		{
			is_right($new, $way, 'before a restore over it');
			$new->command_ok([ 'pg_restore', '--clean', '--if-exists', '--exit-on-error', '-d', $way, "$dir/custom" ], 'restore over what is there');
		}
	}
	is($new->safe_psql($way, $views), $definitions, "$way: definitions came along");
	is($new->safe_psql($way, 'SELECT tbl, schedule FROM segment.jobs'), $jobs, "$way: so did the schedule");
	is($new->safe_psql($way, $history), $then, "$way: so did the history");
	is( $new->safe_psql($way, q{
			SELECT (SELECT count(*) FROM segment.mark_log_0) + (SELECT count(*) FROM segment.mark_log_1)
				+ (SELECT count(*) FROM segment.work) + (SELECT count(*) FROM segment.table_state)
				+ (SELECT count(*) FROM segment.pending)}),
		'0', "$way: marks, work and state did not");
	is( $new->safe_psql($way, 'SELECT pg_snapshot_xmax(snapshot) <= pg_snapshot_xmax(pg_current_snapshot()) FROM segment.bookmark'),
		't', "$way: the bookmark is of this cluster");

	# a change before the first refresh, which has to rebuild
	$new->safe_psql($way, q{INSERT INTO crm.purchase (customer, at, amount, sku) VALUES (910, '2024-05-31', 9, 'late')});
	is_right($new, $way, $way);
	is( $new->safe_psql($way, "SELECT min(processed) >= (SELECT count(*) FROM crm.customers) FROM segment.runs WHERE tbl = 'crm.customers'::regclass"), 't', "$way: the first refresh rebuilds");
	is( $new->safe_psql($way, "$as_of SELECT * FROM crm.customers_history WHERE customer < 900 ORDER BY 1, 2, 4"),
		$then, "$way: the rebuild leaves the history alone");
	is( $new->safe_psql($way, "SELECT string_agg(DISTINCT key, ',' ORDER BY key) FROM segment.changes('crm.customers', '$cursor')"),
		'900,910', "$way: changes go on from a cursor of before");
	my (undef, undef, $refused) = $new->psql($way, "SELECT * FROM segment.changes('crm.customers', '$later')");
	like($refused, qr/after this cursor are not known/, "$way: not from one that was made after the dump");
	is_kept_right($new, $way, $way);

	# still the owner's, and still to be changed
	$new->safe_psql($way, q{
		SET ROLE regress_segment_owner; SET client_min_messages = warning;
		CREATE TABLE crm.extra (customer int, at timestamptz);
		SELECT segment.add_source('crm.customers', 'crm.extra', key => 'customer', at => 'at');
		SELECT segment.add_score('crm.customers', 'extras', 'count(*) FILTER (WHERE source = ''extra'')');
		INSERT INTO crm.extra VALUES (1, '2024-05-31'), (950, '2024-05-31');});
	$new->safe_psql($way, "SET ROLE regress_segment_owner; $as_of CALL segment.refresh('crm.customers')");
	is( $new->safe_psql($way, "$as_of SELECT count(*), sum(extras) FROM crm.customers WHERE extras > 0"), '2|2', "$way: a new source");
	$new->safe_psql($way, q{
		SET ROLE regress_segment_owner;
		SELECT segment.drop_preset(tbl, preset, prefix) FROM segment.table_presets;});
	is( $new->safe_psql($way, "SELECT count(*) FROM segment.config_preset_column") . $new->safe_psql($way, q{
			SELECT attname FROM pg_attribute WHERE attrelid IN (SELECT tbl FROM segment.tables) AND NOT attisdropped AND attname ~ '^(starter|p "q"|rfm)'}),
		'0', "$way: presets go with their columns");
	is( $new->safe_psql($way, "$as_of SELECT * FROM segment.verify('crm.customers')"), '', "$way: verify() is empty at the end");
}

# A database made from another as its template shares the cluster's transactions.
$old->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE shop');
is_right($old, 'copy', 'template');
is_kept_right($old, 'copy', 'template');
is_kept_right($old, 'shop', 'the original');

done_testing();
