# What the owner of a segment table has a background worker run, runs as the
# owner: also where he may not log in, and the worker's session is a
# superuser's (before PostgreSQL 17).  Nothing that it leaves behind runs later.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use SegmentNode;
use Test::More;

my $node = segment_node('security', 'postgres', "segment.set_aside_limit = 0\n");
my $db = 'postgres';

# Ways out of the owner's rights.  $1 in a way is the role's schema.
my @ways = (
	'INSERT INTO private.canary VALUES (current_user)',
	'RESET ROLE', 'SET ROLE NONE', 'SET ROLE postgres', 'SET LOCAL ROLE NONE',
	q{SELECT set_config('role', 'none', false)},
	'RESET SESSION AUTHORIZATION', 'SET SESSION AUTHORIZATION DEFAULT', 'SET SESSION AUTHORIZATION postgres',
	'INSERT INTO $1.late VALUES (1)',
	'DECLARE held CURSOR WITH HOLD FOR SELECT $1.steal()',
	'PREPARE p AS SELECT $1.steal()', 'LISTEN x', 'DISCARD ALL',
	'CREATE TEMP TABLE t (x int)', 'CREATE TEMP VIEW pg_class AS SELECT $1.steal()',
	'CREATE INDEX ON $1.indexed ($1.steal_index(x))', 'ALTER ROLE $1 SUPERUSER', 'ALTER ROLE $1 LOGIN',
	q{COPY (SELECT 1) TO PROGRAM 'true'}, q{SELECT pg_read_file('PG_VERSION')}, q{LOAD 'auto_explain'},
	q{ALTER SYSTEM SET archive_command = 'true'}, 'SET session_replication_role = replica',
	'DELETE FROM segment.config_table', 'UPDATE segment.run SET error = NULL', 'DROP EXTENSION segment');

sub plant
{
	my ($role) = @_;
	my $ways = join(', ', map { (my $way = $_) =~ s/\$1/$role/g; "\$way\$$way\$way\$" } @ways);

	$node->safe_psql($db, <<SQL);
SET ROLE $role;
SET search_path = $role;
CREATE TABLE seen (place text, who text, session text, PRIMARY KEY (place, who, session));
CREATE TABLE tried (way text, outcome text, PRIMARY KEY (way, outcome));
CREATE TABLE late (x int);
CREATE TABLE indexed (x int);
INSERT INTO indexed VALUES (1);
CREATE FUNCTION steal() RETURNS text LANGUAGE plpgsql AS \$\$ BEGIN INSERT INTO private.canary VALUES (current_user); RETURN ''; END \$\$;
CREATE FUNCTION steal_trigger() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN PERFORM $role.steal(); RETURN NULL; END \$\$;
CREATE FUNCTION steal_index(x int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS \$\$
BEGIN
	INSERT INTO $role.seen VALUES ('index', current_user, session_user) ON CONFLICT DO NOTHING;
	RETURN x;
EXCEPTION WHEN OTHERS THEN
	RETURN x;
END \$\$;
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON late DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION steal_trigger();
CREATE FUNCTION note(place text) RETURNS void LANGUAGE plpgsql AS \$\$
DECLARE
	way text;
	outcome text;
BEGIN
	INSERT INTO $role.seen VALUES (place, current_user, session_user) ON CONFLICT DO NOTHING;
	IF NOT FOUND OR current_setting('application_name') NOT LIKE 'segment:%' THEN
		RETURN;
	END IF;
	FOREACH way IN ARRAY ARRAY[$ways] LOOP
		BEGIN
			EXECUTE way;
			outcome := 'done';
		EXCEPTION WHEN OTHERS THEN
			outcome := SQLSTATE;
		END;
		INSERT INTO $role.tried VALUES (way, outcome) ON CONFLICT DO NOTHING;
	END LOOP;
END \$\$;
CREATE FUNCTION spy(place text) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS \$\$ BEGIN PERFORM $role.note(place); RETURN true; END \$\$;
CREATE FUNCTION spy_trigger() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN PERFORM $role.note('trigger'); RETURN NEW; END \$\$;
SELECT segment.add_score('customers', 'scored', 'count(*) FILTER (WHERE $role.spy(''score''))');
SELECT segment.add_segment('customers', 'ruled', '$role.spy(''rule'') AND orders_recent > 0');
CREATE TRIGGER spy BEFORE INSERT OR UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION spy_trigger();
TRUNCATE seen;
SELECT segment.schedule('customers', 'continuous');
SQL
	return;
}

$node->safe_psql($db, <<'SQL');
CREATE EXTENSION segment;
CREATE SCHEMA private;
CREATE TABLE private.canary (who text);
SQL
make_shop($node, $db, 'may_log_in');
make_shop($node, $db, 'may_not');
$node->safe_psql($db, 'ALTER ROLE may_not NOLOGIN');
for my $role ('may_log_in', 'may_not')
{
	plant($role);
	$node->safe_psql($db, "INSERT INTO $role.orders (customer) VALUES (1)");
	wait_for($node, $db, "SELECT ruled FROM $role.customers WHERE customer = 1", "$role: the worker computes");
	$node->safe_psql($db, "INSERT INTO $role.orders (customer) VALUES (1)");
	wait_for($node, $db, "SELECT scored = 2 FROM $role.customers WHERE customer = 1", "$role: and again");
	is($node->safe_psql($db, "SELECT count(DISTINCT place) >= 3 FROM $role.seen"), 't', "$role: its code ran");
	is($node->safe_psql($db, "SELECT DISTINCT who FROM $role.seen"), $role, "$role: as the owner");
	is($node->safe_psql($db, "SELECT way FROM $role.tried WHERE outcome = 'done' ORDER BY 1"),
		"CREATE INDEX ON $role.indexed ($role.steal_index(x))", "$role: every way out is closed");
	is($node->safe_psql($db, "SELECT count(DISTINCT way) FROM $role.tried"), scalar(@ways), "$role: and was tried");
}

# before PostgreSQL 17 nobody can connect as a role that may not log in
is($node->safe_psql($db, "SELECT DISTINCT session FROM may_log_in.seen"), 'may_log_in', 'the session is the owner\'s');
is($node->safe_psql($db, "SELECT DISTINCT session = CASE WHEN current_setting('server_version_num')::int >= 170000"
	  . " THEN 'may_not' ELSE (SELECT rolname FROM pg_roles WHERE oid = 10) END FROM may_not.seen"),
	't', 'where he may not log in it is a superuser\'s');
is($node->safe_psql($db, 'SELECT count(*) FROM private.canary'), '0', 'nothing was written as anybody else');
is($node->safe_psql($db, "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'may_%' AND rolsuper"), '0', 'nobody became superuser');
is($node->safe_psql($db, "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'may_not'"), 'f', 'nor may log in since');

# what a job says in its errors, its readers do not see
$node->safe_psql($db, <<'SQL');
CREATE ROLE reader;
GRANT USAGE ON SCHEMA may_not TO reader;
GRANT SELECT ON may_not.customers TO reader;
ALTER TABLE may_not.orders ADD COLUMN code text;
SET ROLE may_not;
SELECT segment.add_source('may_not.customers', 'may_not.orders', 'customer', 'at', event => '''coded''', item => 'code');
SELECT segment.add_score('may_not.customers', 'coded', 'max(item::int)');
INSERT INTO may_not.orders (customer, code) VALUES (2, 'card 4711');
SQL
wait_for($node, $db, "SELECT last_error LIKE '%card 4711%' FROM segment.jobs WHERE tbl = 'may_not.customers'::regclass", 'the job fails and says why');
is($node->safe_psql($db, "SET ROLE may_not; SELECT count(*) > 0 FROM segment.runs WHERE error LIKE '%card 4711%'"), 't', 'the owner reads it');
is($node->safe_psql($db, "SET ROLE reader; SELECT count(*) > 0, count(error) FROM segment.runs WHERE tbl = 'may_not.customers'::regclass"), 't|0', 'a reader sees that runs failed, and not why');
is($node->safe_psql($db, "SET ROLE reader; SELECT failures > 0, last_error FROM segment.jobs WHERE tbl = 'may_not.customers'::regclass"), 't|', 'nor does the job tell');

# what an ordinary role may dump, and what becomes of it
$node->safe_psql($db, 'CREATE DATABASE restored OWNER may_log_in');
$node->safe_psql('restored', 'CREATE EXTENSION segment');
my @dump = ('pg_dump', '-h', $node->host, '-p', $node->port, '-U', 'may_log_in');
$node->command_fails_like([ @dump, $db ], qr/permission denied for (table|schema|sequence)/, 'an ordinary role can not dump the configuration');
$node->command_ok([ @dump, '-n', 'may_log_in', '-f', $node->basedir . '/mine.sql', $db ], 'but its own schema');
$node->command_ok([ 'psql', '-X', '-v', 'ON_ERROR_STOP=1', '-h', $node->host, '-p', $node->port, '-U', 'may_log_in', '-f', $node->basedir . '/mine.sql', 'restored' ],
	'and restore it');
is($node->safe_psql('restored', 'SET ROLE may_log_in; INSERT INTO may_log_in.orders (customer) VALUES (1);'
	  . ' SELECT count(*) FROM may_log_in.customers WHERE ruled'), '1', 'as plain tables, that are written as before');
is($node->safe_psql('restored', 'SELECT count(*) FROM segment.tables'), '0', 'and no segment table');
is($node->safe_psql('restored', 'SELECT count(*) FROM segment.mark_log_0'), '0', 'whose triggers mark nothing');

$node->stop;
done_testing();
