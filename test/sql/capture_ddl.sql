-- What DDL does to sources: noticed at once, or else by the next refresh, which
-- then computes everybody; until then verify() judges nobody.  What a definition
-- could not survive is refused, with a hint.
SET client_min_messages = warning;
CREATE SCHEMA ddl;
SET search_path = ddl;
SET timezone = 'UTC';
SET segment.as_of = '2024-06-01 00:00:00+00';
CREATE TABLE event (customer int, at timestamptz, amount int) PARTITION BY RANGE (at);
CREATE TABLE event_old PARTITION OF event FOR VALUES FROM (MINVALUE) TO ('2024-03-01');
CREATE TABLE event_3 PARTITION OF event FOR VALUES FROM ('2024-03-01') TO ('2024-04-01');
CREATE TABLE event_4 PARTITION OF event FOR VALUES FROM ('2024-04-01') TO ('2024-05-01');
CREATE TABLE event_5 PARTITION OF event FOR VALUES FROM ('2024-05-01') TO ('2024-07-01');
INSERT INTO event SELECT n % 10, timestamptz '2024-02-20' + n * interval '36 hours', n % 3 FROM generate_series(1, 60) n;
DO $$ BEGIN
	PERFORM segment.create_table('buyers', 'customer', 'int');
	PERFORM segment.add_source('buyers', 'event', key => 'customer', at => 'at', value => 'amount');
	PERFORM segment.add_score('buyers', 'n', 'count(*)');
	PERFORM segment.add_score('buyers', 'total', 'sum(value)');
END $$;
CREATE FUNCTION unlike() RETURNS TABLE (what text, customer int, n bigint, total bigint) LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY
	WITH truth AS (SELECT e.customer, count(*) AS n, sum(e.amount)::bigint AS total FROM event e WHERE e.at <= '2024-06-01' GROUP BY 1),
		stored AS (SELECT b.customer, b.n, b.total::bigint FROM buyers b)
	(SELECT 'wrong', s.* FROM (TABLE stored EXCEPT ALL TABLE truth) s)
	UNION ALL (SELECT 'missing', t.* FROM (TABLE truth EXCEPT ALL TABLE stored) t);
END $$;
-- PostgreSQL before 15.14, 16.10 and 17.6 attaches no table that has such triggers
CREATE FUNCTION let_attach(part regclass) RETURNS void LANGUAGE plpgsql AS $$ DECLARE
	version int := current_setting('server_version_num');
	trigger name;
BEGIN
	IF version % 10000 < (CASE version / 10000 WHEN 15 THEN 14 WHEN 16 THEN 10 WHEN 17 THEN 6 ELSE 0 END) THEN
		FOR trigger IN SELECT tgname FROM pg_trigger WHERE tgrelid = part AND coalesce(tgnewtable, tgoldtable) IS NOT NULL LOOP
			EXECUTE format('DROP TRIGGER %I ON %s', trigger, part);
		END LOOP;
	END IF;
END $$;
CALL segment.refresh('buyers');
RESET client_min_messages;
\set QUIET on
\pset format unaligned
\pset tuples_only on
\set look 'SELECT format(''everybody: %s, marked: %s'', needs_rebuild, backlog) FROM segment.status WHERE tbl = ''buyers''::regclass; SELECT * FROM segment.verify(''buyers'');'
\set check 'SELECT format(''everybody: %s, marked: %s'', needs_rebuild, backlog) FROM segment.status WHERE tbl = ''buyers''::regclass; CALL segment.refresh(''buyers''); SELECT * FROM segment.verify(''buyers''); SELECT * FROM unlike();'
:check

-- DETACH, writes behind our back, re-ATTACH with the triggers on
ALTER TABLE event DETACH PARTITION event_old;
:look
:check
UPDATE event_old SET customer = customer + 100;
:check
SELECT let_attach('event_old');
ALTER TABLE event ATTACH PARTITION event_old FOR VALUES FROM (MINVALUE) TO ('2024-03-01');
:check
SELECT count(*) FROM buyers WHERE customer > 100;
-- all of it between two refreshes
ALTER TABLE event DETACH PARTITION event_old;
UPDATE event_old SET customer = customer + 100;
SELECT let_attach('event_old');
ALTER TABLE event ATTACH PARTITION event_old FOR VALUES FROM (MINVALUE) TO ('2024-03-01');
:look
SET client_min_messages = error;
:check
RESET client_min_messages;
-- DETACH CONCURRENTLY
ALTER TABLE event DETACH PARTITION event_old CONCURRENTLY;
:check
-- DROP of a partition, ATTACH of a new one, CREATE of one
DROP TABLE event_3;
:check
CREATE TABLE event_2 (customer int, at timestamptz, amount int);
INSERT INTO event_2 VALUES (50, '2024-02-01', 5);
ALTER TABLE event ATTACH PARTITION event_2 FOR VALUES FROM ('2024-02-01') TO ('2024-03-01');
:check
CREATE TABLE event_3 PARTITION OF event FOR VALUES FROM ('2024-03-01') TO ('2024-04-01');
INSERT INTO event VALUES (51, '2024-03-01', 1);
INSERT INTO event_3 VALUES (52, '2024-03-01', 1);
:check
-- a branch with leaves that goes and comes back
CREATE TABLE event_6 (customer int, at timestamptz, amount int) PARTITION BY RANGE (at);
CREATE TABLE event_6_1 PARTITION OF event_6 DEFAULT;
INSERT INTO event_6 VALUES (61, '2024-01-01', 1);
ALTER TABLE event ATTACH PARTITION event_6 FOR VALUES FROM (MINVALUE) TO ('2024-02-01');
:check
ALTER TABLE event DETACH PARTITION event_6;
INSERT INTO event_6 VALUES (62, '2024-01-01', 1);
SELECT let_attach('event_6');
ALTER TABLE event ATTACH PARTITION event_6 FOR VALUES FROM (MINVALUE) TO ('2024-02-01');
SET client_min_messages = error;
:check
RESET client_min_messages;
INSERT INTO event_6_1 VALUES (63, '2024-01-01', 1);
:check

-- triggers that were off for a while: warned of
ALTER TABLE event_4 DISABLE TRIGGER ALL;
:look
INSERT INTO event_4 VALUES (70, '2024-04-01', 1);
ALTER TABLE event_4 ENABLE TRIGGER ALL;
:check
-- ENABLE TRIGGER ALL has made ordinary ones of all; the refresh has put that right
SELECT tgname ~ '_row$' AS row, tgname ~ '_truncate$' AS truncate, tgenabled, count(*) FROM pg_trigger WHERE tgrelid = 'event_4'::regclass GROUP BY 1, 2, 3 ORDER BY 1, 2;
-- still off: the refresh turns them on
ALTER TABLE event_4 DISABLE TRIGGER USER;
INSERT INTO event_4 VALUES (71, '2024-04-01', 1);
:check
-- within one transaction
BEGIN;
ALTER TABLE event_4 DISABLE TRIGGER USER;
INSERT INTO event_4 VALUES (72, '2024-04-01', 1);
ALTER TABLE event_4 ENABLE TRIGGER USER;
COMMIT;
:check
-- dropped
DO $$ BEGIN EXECUTE (SELECT format('DROP TRIGGER %I ON event_5', tgname) FROM pg_trigger WHERE tgrelid = 'event_5'::regclass AND tgname ~ '_insert$'); END $$;
INSERT INTO event_5 VALUES (73, '2024-05-01', 1);
:check
-- renamed: can not be told from other changes
DO $$ BEGIN EXECUTE (SELECT format('ALTER TRIGGER %I ON event_5 RENAME TO mine', tgname) FROM pg_trigger WHERE tgrelid = 'event_5'::regclass AND tgname ~ '_insert$'); END $$;
INSERT INTO event_5 VALUES (74, '2024-05-01', 1);
:check
:check

-- where event triggers do not fire, the next refresh notices
SET session_replication_role = replica;
ALTER TABLE event DETACH PARTITION event_6;
RESET session_replication_role;
:look
:check
SET session_replication_role = replica;
ALTER TABLE event_4 DISABLE TRIGGER USER;
RESET session_replication_role;
INSERT INTO event_4 VALUES (75, '2024-04-01', 1);
SET session_replication_role = replica;
ALTER TABLE event_4 ENABLE TRIGGER USER;
DROP TABLE event_2;
RESET session_replication_role;
:look
:check
-- nothing is noticed that did not happen
ALTER TABLE event ADD COLUMN note text;
CREATE INDEX ON event (customer);
ALTER TABLE event ALTER COLUMN amount SET STATISTICS 500;
CREATE TABLE unconcerned (customer int);
ALTER TABLE unconcerned RENAME COLUMN customer TO client;
DROP TABLE unconcerned;
:check

-- renamed columns are followed, in every session and by every part
ALTER TABLE event RENAME COLUMN customer TO client;
INSERT INTO event (client, at, amount) VALUES (80, '2024-05-01', 1);
INSERT INTO event_5 (client, at, amount) VALUES (81, '2024-05-01', 1);
ALTER TABLE event RENAME COLUMN at TO happened;
ALTER TABLE event RENAME COLUMN amount TO "Amount of €";
SELECT key, at, value FROM segment.sources WHERE tbl = 'buyers'::regclass;
SELECT segment.definition('buyers') -> 'sources';
CALL segment.refresh('buyers');
SELECT * FROM segment.verify('buyers');
SELECT customer, n FROM buyers WHERE customer >= 80 ORDER BY 1;
-- names that change places, in one transaction
BEGIN;
ALTER TABLE event RENAME COLUMN client TO swap;
ALTER TABLE event RENAME COLUMN "Amount of €" TO client;
ALTER TABLE event RENAME COLUMN swap TO "Amount of €";
INSERT INTO event ("Amount of €", happened, client) VALUES (82, '2024-05-01', 7);
COMMIT;
SELECT key, at, value FROM segment.sources WHERE tbl = 'buyers'::regclass;
CALL segment.refresh('buyers');
SELECT * FROM segment.verify('buyers');
SELECT customer, n, total FROM buyers WHERE customer >= 82 ORDER BY 1;
-- where event triggers do not fire: writers go on, and the refresh follows
SET session_replication_role = replica;
ALTER TABLE event RENAME COLUMN "Amount of €" TO customer;
ALTER TABLE event RENAME COLUMN client TO amount;
ALTER TABLE event RENAME COLUMN happened TO at;
ALTER TABLE event ADD COLUMN happened timestamptz;
RESET session_replication_role;
SELECT key, at, value FROM segment.sources WHERE tbl = 'buyers'::regclass;
INSERT INTO event (customer, at, amount) VALUES (83, '2024-05-01', 7);
INSERT INTO event_5 (customer, at, amount) VALUES (84, '2024-05-01', 7);
CALL segment.refresh('buyers');
SELECT key, at, value FROM segment.sources WHERE tbl = 'buyers'::regclass;
SELECT * FROM unlike();
:check
-- followed before a definition is changed, too
SET session_replication_role = replica;
ALTER TABLE event RENAME COLUMN amount TO paid;
RESET session_replication_role;
SELECT segment.add_score('buyers', 'most', 'max(value)');
ALTER TABLE event RENAME COLUMN paid TO amount;
:check

-- the table renamed and moved; the segment table, too
CREATE SCHEMA ddl_elsewhere;
ALTER TABLE event RENAME TO happening;
ALTER TABLE happening SET SCHEMA ddl_elsewhere;
INSERT INTO ddl_elsewhere.happening (customer, at, amount) VALUES (85, '2024-05-01', 7);
ALTER TABLE buyers RENAME TO clients;
CALL segment.refresh('clients');
SELECT * FROM segment.verify('clients');
SELECT customer, n FROM clients WHERE customer = 85;
ALTER TABLE clients RENAME TO buyers;
ALTER TABLE ddl_elsewhere.happening SET SCHEMA ddl;
ALTER TABLE happening RENAME TO event;

-- type changed, column dropped: refused where a source reads it, with what to do
ALTER TABLE event ALTER COLUMN customer TYPE bigint;
ALTER TABLE event DROP COLUMN amount;
ALTER TABLE event DROP COLUMN amount CASCADE;
ALTER TABLE event DROP COLUMN happened, DROP COLUMN note;
BEGIN;
SELECT segment.drop_score('buyers', 'total'), segment.drop_score('buyers', 'most');
SELECT segment.drop_source('buyers', 'event');
ALTER TABLE event ALTER COLUMN amount TYPE bigint;
SELECT segment.add_source('buyers', 'event', key => 'customer', at => 'at', value => 'amount');
SELECT segment.add_score('buyers', 'total', 'sum(value)');
COMMIT;
:check

-- attributes: nothing of PostgreSQL's protects them
CREATE TABLE person (id int PRIMARY KEY, land text, plan text, other text);
INSERT INTO person VALUES (1, 'de', 'free', 'x'), (2, 'fr', 'paid', 'x');
SELECT segment.add_attributes('buyers', 'person', key => 'id', columns => '{"country": "upper(land)", "plan": "plan"}');
ALTER TABLE person ALTER COLUMN plan TYPE varchar(10);
ALTER TABLE person DROP COLUMN land;
ALTER TABLE person DROP COLUMN other;
ALTER TABLE person RENAME COLUMN land TO country;
ALTER TABLE person RENAME COLUMN id TO person_id;
UPDATE person SET country = 'it' WHERE person_id = 2;
CALL segment.refresh('buyers');
SELECT * FROM segment.verify('buyers');
SELECT customer, country, plan FROM buyers WHERE customer <= 2 ORDER BY 1;
SELECT segment.definition('buyers') -> 'attributes';
-- behind the back of the event triggers: the refresh says what to do
SET session_replication_role = replica;
ALTER TABLE person ALTER COLUMN plan TYPE varchar(10);
RESET session_replication_role;
CALL segment.refresh('buyers');
SET session_replication_role = replica;
ALTER TABLE person ALTER COLUMN plan TYPE text;
ALTER TABLE person DROP COLUMN plan;
RESET session_replication_role;
CALL segment.refresh('buyers');
SELECT segment.drop_attributes('buyers', 'person');
SELECT segment.add_attributes('buyers', 'person', key => 'person_id', columns => '{"country": "upper(country)"}');
CALL segment.refresh('buyers');
SELECT * FROM segment.verify('buyers');
-- dropped: CASCADE takes its columns along, unless others read them
SELECT segment.add_segment('buyers', 'german', 'country = ''DE''');
DROP TABLE person;
DROP TABLE person CASCADE;
SELECT segment.drop_segment('buyers', 'german');
DROP TABLE person CASCADE;
CALL segment.refresh('buyers');
SELECT * FROM segment.verify('buyers');
SELECT column_name FROM information_schema.columns WHERE table_schema = 'ddl' AND table_name = 'buyers' ORDER BY ordinal_position;

-- its triggers gone before, as pg_restore --clean does it: nobody is in the way, and it is said what is left to do
CREATE TABLE person (id int PRIMARY KEY, land text);
SELECT segment.add_attributes('buyers', 'person', key => 'id', columns => '{"country": "land"}');
CALL segment.refresh('buyers');
DO $$ BEGIN EXECUTE (SELECT string_agg(format('DROP TRIGGER %I ON person', tgname), ';') FROM pg_trigger WHERE tgrelid = 'person'::regclass AND NOT tgisinternal); END $$;
DROP TABLE person;
CALL segment.refresh('buyers');
SELECT action, kind, name FROM segment.apply_definition(segment.definition('buyers'));
:check

-- columns of the segment table belong to the definition; others do not
ALTER TABLE buyers RENAME COLUMN n TO count;
ALTER TABLE buyers RENAME COLUMN customer TO client;
ALTER TABLE buyers DROP COLUMN n;
ALTER TABLE buyers ALTER COLUMN n TYPE numeric;
ALTER TABLE buyers ADD COLUMN mine int;
ALTER TABLE buyers RENAME COLUMN mine TO my_own;
ALTER TABLE buyers DROP COLUMN my_own;
SET session_replication_role = replica;
ALTER TABLE buyers RENAME COLUMN n TO count;
RESET session_replication_role;
CALL segment.refresh('buyers');
ALTER TABLE buyers RENAME COLUMN count TO n;
SET session_replication_role = replica;
ALTER TABLE buyers ALTER COLUMN n TYPE numeric;
RESET session_replication_role;
CALL segment.refresh('buyers');
SET session_replication_role = replica;
ALTER TABLE buyers ALTER COLUMN n TYPE bigint;
RESET session_replication_role;
:check

-- the stream view dropped: said, and made anew
DROP VIEW buyers_events;
INSERT INTO event (customer, at, amount) VALUES (86, '2024-05-01', 7);
CALL segment.refresh('buyers');
SELECT action, kind, name FROM segment.apply_definition(segment.definition('buyers'));
:check
SELECT count(*) > 0 FROM buyers_events;

-- an event table dropped and made anew; CASCADE takes it out of the definition
CREATE TABLE visit (customer int, at timestamptz);
SELECT segment.add_source('buyers', 'visit', key => 'customer', at => 'at');
INSERT INTO visit VALUES (1, '2024-05-01'), (90, '2024-05-01');
CALL segment.refresh('buyers');
SELECT customer, n FROM buyers WHERE customer = 90;
DROP TABLE visit;
DROP TABLE visit CASCADE;
SELECT name FROM segment.sources WHERE tbl = 'buyers'::regclass;
CREATE TABLE visit (customer int, at timestamptz);
INSERT INTO visit VALUES (1, '2024-05-01');
:check
SELECT count(*) FROM buyers_events WHERE source = 'visit';
SELECT segment.add_source('buyers', 'visit', key => 'customer', at => 'at');
CALL segment.refresh('buyers');
SELECT * FROM segment.verify('buyers');
DROP TABLE event CASCADE;
CALL segment.refresh('buyers');
SELECT * FROM segment.verify('buyers');
SELECT customer, n FROM buyers;

-- inheritance: NO INHERIT and INHERIT
CREATE TABLE parent (customer int, at timestamptz);
CREATE TABLE child () INHERITS (parent);
SELECT segment.create_table('heirs', 'customer', 'int');
SELECT segment.add_source('heirs', 'parent', key => 'customer', at => 'at');
SELECT segment.add_score('heirs', 'n', 'count(*)');
INSERT INTO child VALUES (1, '2024-05-01');
CALL segment.refresh('heirs');
ALTER TABLE child NO INHERIT parent;
CALL segment.refresh('heirs');
SELECT count(*) FROM heirs;
INSERT INTO child VALUES (2, '2024-05-01');
SELECT let_attach('child');
ALTER TABLE child INHERIT parent;
INSERT INTO child VALUES (3, '2024-05-01');
CALL segment.refresh('heirs');
SELECT * FROM segment.verify('heirs');
SELECT customer, n FROM heirs ORDER BY 1;
-- between two refreshes, where event triggers do not fire
SET session_replication_role = replica;
ALTER TABLE child NO INHERIT parent;
INSERT INTO child VALUES (4, '2024-05-01');
SELECT let_attach('child');
ALTER TABLE child INHERIT parent;
RESET session_replication_role;
SELECT * FROM segment.verify('heirs');
SET client_min_messages = error;
CALL segment.refresh('heirs');
RESET client_min_messages;
SELECT * FROM segment.verify('heirs');
SELECT customer, n FROM heirs ORDER BY 1;

-- what is handed down by the parent of a source
CREATE TABLE plan (name text);
CREATE TABLE plan_paid (customer int) INHERITS (plan);
SELECT segment.add_attributes('heirs', 'plan_paid', key => 'customer', columns => '{"plan": "name"}');
INSERT INTO plan_paid VALUES ('gold', 1);
ALTER TABLE plan ALTER COLUMN name TYPE varchar(10);
ALTER TABLE plan DROP COLUMN name;
ALTER TABLE plan RENAME COLUMN name TO plan_name;
SELECT extra FROM segment.sources WHERE tbl = 'heirs'::regclass AND kind = 'attributes';
CALL segment.refresh('heirs');
SELECT * FROM segment.verify('heirs');
SELECT customer, plan FROM heirs ORDER BY 1;
SELECT segment.drop_attributes('heirs', 'plan_paid');

-- vacuuming the catalogs is no change; nor is how the session reads strings
SELECT segment.add_source('heirs', 'parent', key => 'customer', at => 'at', event => $$'it''s a \ '$$);
CALL segment.refresh('heirs');
VACUUM (FULL, FREEZE) pg_trigger;
VACUUM (FULL, FREEZE) pg_inherits;
SET standard_conforming_strings = off;
ALTER TABLE parent ADD COLUMN more int;
ALTER TABLE parent DROP COLUMN more;
RESET standard_conforming_strings;
SELECT needs_rebuild FROM segment.status WHERE tbl = 'heirs'::regclass;
SELECT * FROM segment.verify('heirs');

-- DDL of roles that may do nothing else goes on, whatever is there of the extension
CREATE ROLE regress_ddl_stranger;
GRANT CREATE, USAGE ON SCHEMA ddl TO regress_ddl_stranger;
SET ROLE regress_ddl_stranger;
CREATE TABLE own (id int, other int);
ALTER TABLE own RENAME COLUMN id TO key;
ALTER TABLE own DROP COLUMN other;
ALTER TABLE buyers DROP COLUMN n;
RESET ROLE;
ALTER TABLE parent OWNER TO regress_ddl_stranger;
ALTER TABLE heirs OWNER TO regress_ddl_stranger;
ALTER TABLE heirs_history OWNER TO regress_ddl_stranger;
ALTER TABLE heirs_events OWNER TO regress_ddl_stranger;
ALTER TABLE child OWNER TO regress_ddl_stranger;
SET ROLE regress_ddl_stranger;
ALTER TABLE parent RENAME COLUMN customer TO who;
ALTER TABLE child NO INHERIT parent;
RESET ROLE;
SELECT key FROM segment.sources WHERE tbl = 'heirs'::regclass;
CALL segment.refresh('heirs');
SELECT * FROM segment.verify('heirs');
SELECT count(*) FROM heirs;
DO $$ BEGIN
	ALTER EXTENSION segment DROP VIEW segment.table_state;
	ALTER VIEW segment.table_state RENAME TO away;
	ALTER TABLE ddl.parent DISABLE TRIGGER USER;
	DROP TABLE ddl.own;
	RAISE division_by_zero USING MESSAGE = 'undone';
EXCEPTION WHEN division_by_zero THEN
	RAISE NOTICE '%', sqlerrm;
END $$;

-- a generated column gets another expression, virtual where there is such a thing
SET client_min_messages = warning;
SELECT current_setting('server_version_num')::int >= 180000 AS has_virtual, current_setting('server_version_num')::int >= 170000 AS has_set \gset
SELECT CASE WHEN :'has_virtual' THEN 'VIRTUAL' ELSE 'STORED' END AS kind \gset
CREATE TABLE derived (customer int, at timestamptz DEFAULT '2024-05-01', amount int, worth int GENERATED ALWAYS AS (amount * 2) :kind,
	code int GENERATED ALWAYS AS (customer % 3) :kind, other int GENERATED ALWAYS AS (amount * 4) STORED);
INSERT INTO derived (customer, amount) SELECT n % 7, n FROM generate_series(1, 20) n;
DO $$ BEGIN
	PERFORM segment.create_table('coded', 'code', 'int');
	PERFORM segment.add_source('coded', 'derived', key => 'code', at => 'at', value => 'worth');
	PERFORM segment.add_score('coded', 'total', 'sum(value)');
END $$;
CREATE OR REPLACE FUNCTION unlike() RETURNS TABLE (what text, customer int, n bigint, total bigint) LANGUAGE sql AS $$
	SELECT 'differs', coalesce(d.code, c.code), d.total, c.total
	FROM (SELECT code, sum(worth) AS total FROM derived GROUP BY 1) d FULL JOIN coded c USING (code)
	WHERE d.total IS DISTINCT FROM c.total $$;
\set coded_look 'SELECT format(''everybody: %s, marked: %s'', needs_rebuild, backlog) FROM segment.status WHERE tbl = ''coded''::regclass; SELECT * FROM segment.verify(''coded'');'
\set coded_check 'SELECT format(''everybody: %s, marked: %s'', needs_rebuild, backlog) FROM segment.status WHERE tbl = ''coded''::regclass; CALL segment.refresh(''coded''); SELECT * FROM segment.verify(''coded''); SELECT * FROM unlike();'
SELECT CASE WHEN :'has_set' THEN 'ALTER TABLE derived ALTER COLUMN worth SET EXPRESSION AS (amount * 3)' ELSE 'ALTER TABLE derived ALTER COLUMN other DROP EXPRESSION' END AS change \gset
CALL segment.refresh('coded');
RESET client_min_messages;
:coded_check
:change;
:coded_look
:coded_check
SET session_replication_role = replica;
SELECT CASE WHEN :'has_set' THEN 'ALTER TABLE derived ALTER COLUMN code SET EXPRESSION AS (customer % 5)' ELSE 'ALTER TABLE derived ADD COLUMN further int GENERATED ALWAYS AS (amount) STORED' END AS change \gset
:change;
RESET session_replication_role;
:coded_look
:coded_check
UPDATE derived SET amount = amount + 1, customer = customer + 1 WHERE customer = 3;
:coded_check
-- a source is dropped of an owner who may no longer make the stream of those that
-- are left: the drop goes on, and he is told what to do when he may again
GRANT USAGE, CREATE ON SCHEMA ddl TO regress_ddl_stranger;
SET ROLE regress_ddl_stranger;
CREATE TABLE kept (customer int, at timestamptz);
CREATE TABLE lost (customer int, at timestamptz);
INSERT INTO kept VALUES (1, '2024-05-01'), (1, '2024-05-02');
INSERT INTO lost VALUES (1, '2024-05-01');
DO $$ BEGIN
	PERFORM segment.create_table('streams', 'customer', 'int');
	PERFORM segment.add_source('streams', 'kept', key => 'customer', at => 'at');
	PERFORM segment.add_source('streams', 'lost', key => 'customer', at => 'at');
	PERFORM segment.add_score('streams', 'n', 'count(*)');
END $$;
CALL segment.refresh('streams');
RESET ROLE;
REVOKE CREATE ON SCHEMA ddl FROM regress_ddl_stranger;
SET ROLE regress_ddl_stranger;
SET client_min_messages = warning;
DROP TABLE lost CASCADE;
RESET client_min_messages;
CALL segment.refresh('streams');
RESET ROLE;
GRANT CREATE ON SCHEMA ddl TO regress_ddl_stranger;
SET ROLE regress_ddl_stranger;
SELECT * FROM segment.apply_definition(segment.definition('streams'));
CALL segment.refresh('streams');
SELECT name FROM segment.sources WHERE tbl = 'streams'::regclass;
SELECT customer, n FROM streams;
SELECT count(*) FROM streams_events;
SELECT * FROM segment.verify('streams');
RESET ROLE;

SET client_min_messages = warning;
DROP SCHEMA ddl, ddl_elsewhere CASCADE;
DROP OWNED BY regress_ddl_stranger;
DROP ROLE regress_ddl_stranger;
