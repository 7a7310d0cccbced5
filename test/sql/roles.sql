-- Roles: an ordinary owner does everything, a stranger nothing, writers of
-- events need no right of ours, and no expression gets more than the owner's.
SET client_min_messages = warning;
CREATE ROLE regress_segment_owner;
CREATE ROLE regress_segment_stranger;
CREATE ROLE regress_segment_writer;
CREATE ROLE regress_segment_reader;
CREATE SCHEMA crm AUTHORIZATION regress_segment_owner;
GRANT USAGE ON SCHEMA crm TO regress_segment_stranger, regress_segment_writer, regress_segment_reader;
SET timezone = 'UTC';
SET segment.as_of = '2024-06-01 00:00:00+00';
SET search_path = crm;

-- an ordinary owner, who has no right but CREATE on a schema of its own
SET ROLE regress_segment_owner;
CREATE TABLE event (customer int, at timestamptz, amount numeric);
CREATE TABLE person (id int PRIMARY KEY, consent bool);
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON event, person TO regress_segment_writer;
SELECT segment.create_table('customers', 'customer', 'int');
SELECT segment.add_source('customers', 'event', key => 'customer', at => 'at', value => 'amount');
SELECT segment.add_attributes('customers', 'person', key => 'id', columns => '{"consent": "consent"}');
SELECT segment.add_score('customers', 'n', 'count(*)');
SELECT segment.add_score('customers', 'last_at', 'max(at)');
SELECT segment.add_segment('customers', 'active', 'last_at > now() - interval ''30 days''');
SELECT segment.set_eligible('customers', 'consent IS NOT FALSE');
SELECT segment.set_max_age('customers', '1 hour');
GRANT SELECT ON customers TO regress_segment_reader;
INSERT INTO event VALUES (1, '2024-05-20 00:00+00', 10);
CALL segment.refresh('customers');
CALL segment.rebuild('customers');
SELECT * FROM segment.verify('customers');
SELECT segment.current('customers', '1') -> 'n';
SELECT relname, pg_get_userbyid(relowner) AS owner FROM pg_class WHERE relnamespace = 'crm'::regnamespace AND relkind IN ('r', 'v') ORDER BY 1;
SELECT tbl FROM segment.tables;
SELECT count(*) FROM segment.scores;
SELECT count(*) FROM segment.segments;
SELECT count(*) FROM segment.sources;
SELECT jsonb_typeof(segment.definition('customers'));

-- the configuration, the marks and the bookmark are reached by functions alone
SELECT count(*) FROM segment.config_table;
SELECT count(*) FROM segment.mark_log_0;
INSERT INTO segment.config_column SELECT * FROM segment.config_column;
DELETE FROM segment.work;
UPDATE segment.bookmark SET snapshot = snapshot;
SELECT count(*) FROM segment.run;
SELECT nextval('segment.config_source_id_seq');
CREATE TABLE segment.mine ();
CREATE TRIGGER mine AFTER INSERT ON person FOR EACH ROW EXECUTE FUNCTION segment.capture();
CREATE TRIGGER mine AFTER INSERT ON person FOR EACH ROW EXECUTE FUNCTION segment.capture('1');
INSERT INTO person VALUES (5, true);
DROP TRIGGER IF EXISTS mine ON person;
SELECT segment.capture();

-- who writes events needs the right to write events, no more
SET ROLE regress_segment_writer;
INSERT INTO event VALUES (1, '2024-05-21 00:00+00', 5), (2, '2024-05-21 00:00+00', 5);
UPDATE event SET customer = 3 WHERE customer = 2;
DELETE FROM event WHERE amount = 10;
COPY event FROM stdin;
4	2024-05-21 00:00+00	1
\.
INSERT INTO person VALUES (3, false) ON CONFLICT (id) DO UPDATE SET consent = false;
SELECT * FROM customers;
SELECT count(*) FROM segment.mark_log_0;
SET ROLE regress_segment_owner;
CALL segment.refresh('customers');
SELECT customer, n, active FROM customers ORDER BY 1;
SELECT * FROM segment.verify('customers');
SET ROLE regress_segment_writer;
TRUNCATE event;
SET ROLE regress_segment_reader;
SELECT customer, n FROM customers ORDER BY 1;
SELECT * FROM customers_history;

-- a stranger is refused everything
SET ROLE regress_segment_stranger;
CREATE FUNCTION pg_temp.try(statement text) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RETURN statement || ': allowed';
EXCEPTION
	WHEN OTHERS THEN
		RETURN statement || ': ' || SQLSTATE || ' ' || SQLERRM;
END $$;
\pset format unaligned
\pset tuples_only on
CREATE TEMP TABLE attempt AS SELECT * FROM unnest(ARRAY[
	$$SELECT segment.create_table('crm.mine', 'k')$$,
	$$SELECT segment.add_source('crm.customers', 'crm.event', key => 'customer', at => 'at')$$,
	$$SELECT segment.add_attributes('crm.customers', 'crm.person', key => 'id', columns => '{"c": "consent"}')$$,
	$$SELECT segment.add_score('crm.customers', 'x', 'count(*)')$$,
	$$SELECT segment.add_segment('crm.customers', 'x', 'true')$$,
	$$SELECT segment.set_eligible('crm.customers', 'true')$$,
	$$SELECT segment.set_max_age('crm.customers', '1 day')$$,
	$$SELECT segment.drop_source('crm.customers', 'event')$$,
	$$SELECT segment.drop_attributes('crm.customers', 'person')$$,
	$$SELECT segment.drop_score('crm.customers', 'n')$$,
	$$SELECT segment.drop_segment('crm.customers', 'active')$$,
	$$SELECT segment.drop_table('crm.customers')$$,
	$$SELECT segment.definition('crm.customers')$$,
	$$SELECT * FROM segment.verify('crm.customers')$$,
	$$SELECT segment.current('crm.customers', '1')$$,
	$$CALL segment.refresh('crm.customers')$$,
	$$CALL segment.rebuild('crm.customers')$$,
	$$SELECT segment.schedule('crm.customers', '5 minutes')$$,
	$$SELECT segment.unschedule('crm.customers')$$,
	$$SELECT * FROM crm.customers$$,
	$$SELECT * FROM crm.customers_history$$,
	$$SELECT * FROM crm.customers_events$$]) WITH ORDINALITY AS a (statement, n);
SELECT pg_temp.try(statement) FROM attempt ORDER BY n;
SELECT count(*) FROM segment.tables;
SELECT count(*) FROM segment.scores;
SELECT count(*) FROM segment.segments;
SELECT count(*) FROM segment.sources;
SELECT count(*) FROM segment.status;
SELECT count(*) FROM segment.runs;
SELECT count(*) FROM segment.jobs;
\echo * who may read the table may verify nothing of its sources
SET ROLE regress_segment_owner;
GRANT SELECT ON customers TO regress_segment_stranger;
SET ROLE regress_segment_stranger;
SELECT pg_temp.try(statement) FROM attempt WHERE statement ~ 'verify|current|refresh|definition' ORDER BY n;
SELECT count(*) FROM segment.tables;
SELECT count(*) FROM segment.scores;
SELECT count(*) FROM segment.status;

\echo * sources of others: SELECT and TRIGGER are needed, at every run
RESET ROLE;
CREATE SCHEMA other AUTHORIZATION regress_segment_stranger;
SET ROLE regress_segment_stranger;
SELECT segment.create_table('other.mine', 'customer', 'int');
SELECT segment.add_source('other.mine', 'crm.event', key => 'customer', at => 'at');
SET ROLE regress_segment_owner;
GRANT SELECT ON event TO regress_segment_stranger;
SET ROLE regress_segment_stranger;
SELECT segment.add_source('other.mine', 'crm.event', key => 'customer', at => 'at');
SET ROLE regress_segment_owner;
GRANT TRIGGER ON event TO regress_segment_stranger;
SET ROLE regress_segment_stranger;
SELECT segment.add_source('other.mine', 'crm.event', key => 'customer', at => 'at');
SELECT segment.add_score('other.mine', 'n', 'count(*)');
CALL segment.refresh('other.mine');
SET ROLE regress_segment_writer;
INSERT INTO event VALUES (1, '2024-05-21 00:00+00', 5), (2, '2024-05-21 00:00+00', 5);
SET ROLE regress_segment_stranger;
CALL segment.refresh('other.mine');
SELECT customer, n FROM other.mine ORDER BY 1;
SET ROLE regress_segment_owner;
CALL segment.refresh('customers');
SELECT * FROM segment.verify('customers');
REVOKE SELECT ON event FROM regress_segment_stranger;
INSERT INTO event VALUES (3, '2024-05-21 00:00+00', 5);
SET ROLE regress_segment_stranger;
CALL segment.refresh('other.mine');
CALL segment.rebuild('other.mine');
SELECT * FROM segment.verify('other.mine');
SELECT segment.current('other.mine', '1');
SELECT customer, n FROM other.mine ORDER BY 1;
\echo * a superuser refreshes with no more than the rights of the owner
RESET ROLE;
CALL segment.refresh('other.mine');
CALL segment.rebuild('other.mine');
\echo * the owner of a source may drop it, and goes on writing
SET ROLE regress_segment_owner;
INSERT INTO event VALUES (5, '2024-05-21 00:00+00', 5);
CALL segment.refresh('customers');
SELECT customer FROM customers ORDER BY 1;

\echo * expressions of an owner run as the owner, whoever calls
SET ROLE regress_segment_stranger;
CREATE TABLE other.event (k int, at timestamptz);
INSERT INTO other.event VALUES (1, '2024-05-01');
CREATE FUNCTION other.who() RETURNS text LANGUAGE sql STABLE AS 'SELECT current_user::text';
CREATE FUNCTION other.who_is(int) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT current_user::text';
CREATE FUNCTION other.escape(how text) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
	EXECUTE how;
	RETURN 'escaped: ' || current_user || ' ' || session_user;
EXCEPTION
	WHEN OTHERS THEN
		RETURN SQLERRM;
END $$;
SELECT segment.create_table('other.trap', 'customer', 'int');
SELECT segment.add_source('other.trap', 'other.event', key => 'k', at => 'at', item => 'other.who()');
SELECT segment.add_source('other.trap', 'other.event', key => 'k', at => 'at', item => 'other.who_is(k)', event => 'other.who_is(1)');
SELECT segment.add_score('other.trap', 'who', 'min(item)');
SELECT segment.add_score('other.trap', 'folded', 'min(event)');
SELECT segment.add_score('other.trap', 'again', 'other.who()');
SELECT segment.add_score('other.trap', 'counted', 'count(*) FILTER (WHERE other.who() = ''regress_segment_stranger'')');
SELECT segment.add_segment('other.trap', 'mine', 'other.who() = ''regress_segment_stranger''');
SELECT segment.add_score('other.trap', 'role', 'other.escape(''RESET ROLE'')');
SELECT segment.add_score('other.trap', 'session', 'other.escape(''SET SESSION AUTHORIZATION DEFAULT'')');
SELECT segment.add_score('other.trap', 'temp', 'other.escape(''CREATE TEMP TABLE x ()'')');
SELECT segment.add_score('other.trap', 'super', 'other.escape(''ALTER ROLE regress_segment_stranger SUPERUSER'')');
SELECT segment.add_score('other.trap', 'path', 'current_setting(''search_path'')');
RESET ROLE;
CALL segment.refresh('other.trap');
\pset expanded on
SELECT who, folded, again, counted, mine, role, session, temp, super, path FROM other.trap;
SELECT key, problem FROM segment.verify('other.trap');
SELECT segment.current('other.trap', '1') ->> 'who', segment.current('other.trap', '1') ->> 'role';
INSERT INTO other.event VALUES (2, '2024-05-01');
CALL segment.rebuild('other.trap');
SELECT DISTINCT who, again, role FROM other.trap;
\pset expanded off
SELECT rolsuper FROM pg_roles WHERE rolname = 'regress_segment_stranger';
\echo * a trigger put on the segment table or its history, and a deferred one, gain nothing
SET ROLE regress_segment_stranger;
CREATE TABLE other.seen (who text);
GRANT INSERT ON other.seen TO PUBLIC;
CREATE FUNCTION other.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO other.seen VALUES (current_user); RETURN NULL; END $$;
CREATE TRIGGER note AFTER INSERT OR UPDATE ON other.trap FOR EACH ROW EXECUTE FUNCTION other.note();
CREATE CONSTRAINT TRIGGER late AFTER INSERT OR UPDATE ON other.trap DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION other.note();
RESET ROLE;
INSERT INTO other.event VALUES (3, '2024-05-01');
\set VERBOSITY terse
CALL segment.refresh('other.trap');
\set VERBOSITY default
DROP TRIGGER late ON other.trap;
CALL segment.refresh('other.trap');
SELECT who, count(*) > 0 FROM other.seen GROUP BY who;

\echo * a superuser and the tables and functions of others
SELECT segment.create_table('crm.root', 'customer', 'int');
SELECT segment.add_source('crm.root', 'crm.event', key => 'customer', at => 'at');
SELECT segment.add_attributes('crm.root', 'crm.person', key => 'id', columns => '{"c": "consent"}');
CREATE TABLE crm.own (k int, at timestamptz);
SELECT segment.add_source('crm.root', 'crm.own', key => 'k', at => 'at');
SELECT segment.add_score('crm.root', 'n', 'count(*)');
SELECT segment.add_score('crm.root', 'f', 'other.who()');
SELECT segment.add_score('crm.root', 'g', 'count(*) FILTER (WHERE other.who() = ''x'')');
ALTER TABLE crm.own OWNER TO regress_segment_stranger;
INSERT INTO crm.own VALUES (1, '2024-05-01');
CALL segment.refresh('crm.root');
SELECT segment.drop_table('crm.root');

\echo * row level security
SET ROLE regress_segment_owner;
CREATE TABLE hidden (customer int, at timestamptz);
ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, TRIGGER ON hidden TO regress_segment_stranger;
CREATE POLICY few ON hidden USING (customer > 1);
INSERT INTO hidden VALUES (1, '2024-05-01'), (2, '2024-05-01');
SET ROLE regress_segment_stranger;
SELECT segment.create_table('other.hid', 'customer', 'int');
SELECT segment.add_source('other.hid', 'crm.hidden', key => 'customer', at => 'at');
SET ROLE regress_segment_owner;
SELECT segment.add_source('customers', 'hidden', key => 'customer', at => 'at');
ALTER TABLE hidden FORCE ROW LEVEL SECURITY;
SELECT segment.add_source('customers', 'hidden', key => 'customer', at => 'at');
INSERT INTO event VALUES (6, '2024-05-21 00:00+00', 5);
CALL segment.refresh('customers');
ALTER TABLE hidden NO FORCE ROW LEVEL SECURITY;
ALTER TABLE event ENABLE ROW LEVEL SECURITY;
ALTER TABLE event FORCE ROW LEVEL SECURITY;
CREATE POLICY none ON event USING (false) WITH CHECK (true);
INSERT INTO event VALUES (7, '2024-05-21 00:00+00', 5);
CALL segment.refresh('customers');
ALTER TABLE event DISABLE ROW LEVEL SECURITY;
CALL segment.refresh('customers');
SELECT customer FROM customers ORDER BY 1;
SELECT * FROM segment.verify('customers');

\echo * a new owner
RESET ROLE;
SELECT segment.drop_table('other.mine');
SELECT segment.drop_table('other.trap');
SELECT segment.drop_table('other.hid');
GRANT CREATE ON SCHEMA crm TO regress_segment_reader;
REASSIGN OWNED BY regress_segment_owner TO regress_segment_reader;
SET ROLE regress_segment_owner;
CALL segment.refresh('crm.customers');
SET ROLE regress_segment_reader;
INSERT INTO crm.event VALUES (8, '2024-05-21 00:00+00', 5);
CALL segment.refresh('crm.customers');
SELECT count(*) FROM crm.customers WHERE customer = 8;
SELECT * FROM segment.verify('crm.customers');
SELECT segment.drop_table('crm.customers');

RESET ROLE;
DROP TABLE attempt;
DROP FUNCTION pg_temp.try(text);
DROP SCHEMA crm, other CASCADE;
DROP ROLE regress_segment_owner, regress_segment_stranger, regress_segment_writer, regress_segment_reader;
