-- Rows that somebody may not see: row level security on sources, segment table
-- and history, values in errors and notices, tables and functions that change
-- their nature or owner between runs.
SET client_min_messages = notice;
\set VERBOSITY terse
SET timezone = 'UTC';
SET segment.as_of = '2024-06-01 00:00:00+00';
CREATE ROLE regress_segment_owner;
CREATE ROLE regress_segment_other;
CREATE ROLE regress_segment_reader;
CREATE ROLE regress_segment_few;
CREATE SCHEMA hidden AUTHORIZATION regress_segment_owner;
CREATE SCHEMA shared;
GRANT USAGE, CREATE ON SCHEMA shared TO regress_segment_owner, regress_segment_other;
GRANT USAGE ON SCHEMA hidden, shared TO PUBLIC;
SET ROLE regress_segment_owner;
SET search_path = hidden;
CREATE TABLE event (c int, at timestamptz, note text);
CREATE TABLE person (c int PRIMARY KEY, secret text, consent bool);
INSERT INTO event SELECT n % 4, timestamptz '2024-05-01 00:00+00' + n * interval '1 hour', n::text FROM generate_series(1, 12) n;
INSERT INTO person SELECT n, 'secret of ' || n, n <> 3 FROM generate_series(0, 3) n;
SELECT segment.create_table('t', 'c', 'int');
SELECT segment.add_source('t', 'event', key => 'c', at => 'at', item => 'note');
SELECT segment.add_attributes('t', 'person', 'c', '{"consent": "consent"}');
SELECT segment.add_score('t', 'n', 'count(*)');
SELECT segment.add_score('t', 'greatest', 'max(item::int)');
SELECT segment.add_band('t', 'b', 'n', 2);
SELECT segment.add_segment('t', 's', 'n > 1');
SELECT segment.set_eligible('t', 'consent');
CALL segment.refresh('t');
GRANT SELECT ON t, t_history TO regress_segment_reader, regress_segment_few;
RESET search_path;

-- each question of readers, as one line each
CREATE TABLE hidden.question (q text, n int GENERATED ALWAYS AS IDENTITY);
INSERT INTO hidden.question (q) VALUES
	($$SELECT segment.current('hidden.t', '1')$$), ($$SELECT segment.current('hidden.t', '3')$$), ($$SELECT segment.evaluate('hidden.t', '2024-05-30')$$), ($$SELECT segment.evaluate_rows(NULL::hidden.t, '2024-05-30')$$),
	($$SELECT segment.explain('hidden.t', '1', 'greatest')$$), ($$SELECT segment.explain('hidden.t', '3', 'greatest')$$), ($$SELECT segment.explain('hidden.t', '3', 's')$$), ($$SELECT segment.preview('hidden.t', 'greatest > 0')$$),
	($$SELECT segment.sizes('hidden.t')$$), ($$SELECT segment.overlap('hidden.t')$$), ($$SELECT segment.flow('hidden.t', '2024-05-01')$$), ($$SELECT segment.sizes_over_time('hidden.t', '1 month', '2024-05-01')$$), ($$SELECT segment.band_shares('hidden.t', 'b')$$),
	($$SELECT cuts, shares FROM segment.bands WHERE tbl = 'hidden.t'::regclass$$), ($$SELECT count(*) FROM segment.sizes WHERE tbl = 'hidden.t'::regclass$$), ($$SELECT count(*) FROM segment.overlap$$), ($$SELECT count(*) FROM segment.sizes_over_time$$), ($$SELECT count(*) FROM segment.flow$$), ($$SELECT count(*), count(error) FROM segment.runs WHERE tbl = 'hidden.t'::regclass$$);
GRANT SELECT ON hidden.question TO PUBLIC;
RESET ROLE;
CREATE FUNCTION shared.ask(q text) RETURNS text LANGUAGE plpgsql SET client_min_messages = error AS $$
DECLARE
	line text;
	lines text[] := '{}';
	detail text;
	context text;
BEGIN
	FOR line IN EXECUTE 'SELECT x::text FROM (' || q || ') x' LOOP
		lines := lines || line;
	END LOOP;
	RETURN array_to_string(lines, ' ');
EXCEPTION
	WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, context = PG_EXCEPTION_CONTEXT;
		RETURN SQLSTATE || ' ' || SQLERRM || coalesce(' -- ' || nullif(detail, ''), '') || CASE WHEN context ~ 'PL/pgSQL function hidden' THEN ' -- ' || context ELSE '' END;
END $$;
\pset format unaligned
\pset tuples_only on
\echo * the source holds what only its owner may read, and an expression stumbles over it
SET ROLE regress_segment_owner;
CREATE FUNCTION hidden.loud(x text) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE NOTICE 'loud %', x; RAISE DEBUG 'loud %', x; RAISE LOG 'loud %', x; RETURN x::int; END $$;
INSERT INTO hidden.event VALUES (3, '2024-05-02', 'card 4711');
SET ROLE regress_segment_reader;
SELECT n || ': ' || shared.ask(q) FROM hidden.question ORDER BY n;
\echo * its owner is told
SET ROLE regress_segment_owner;
SELECT n || ': ' || shared.ask(q) FROM hidden.question WHERE n IN (2, 3, 4, 6) ORDER BY n;
DELETE FROM hidden.event WHERE note = 'card 4711';
\echo * a function that says what it reads is heard by its owner alone
SELECT segment.alter_score('hidden.t', 'greatest', 'max(hidden.loud(item))');
SET client_min_messages = notice;
SELECT segment.current('hidden.t', '1') ->> 'greatest';
SET ROLE regress_segment_reader;
SELECT segment.current('hidden.t', '1') ->> 'greatest';
SELECT key FROM segment.evaluate('hidden.t', '2024-05-30') ORDER BY 1;
SELECT count(*) > 0 FROM segment.explain('hidden.t', '1', 'greatest');
SET client_min_messages = debug1;
SELECT segment.current('hidden.t', '1') ->> 'greatest';
SET client_min_messages = notice;
SET ROLE regress_segment_owner;
SET client_min_messages = warning;
SELECT segment.alter_score('hidden.t', 'greatest', 'max(item::int)');
CALL segment.refresh('hidden.t');

\echo * rows of the segment table hidden: its figures are, too
ALTER TABLE hidden.t ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON hidden.t TO regress_segment_few USING (c = 1);
CREATE POLICY all_rows ON hidden.t TO regress_segment_reader USING (true);
SET ROLE regress_segment_few;
SELECT count(*) FROM hidden.t;
SELECT n || ': ' || shared.ask(q) FROM hidden.question ORDER BY n;
SET row_security = off;
SELECT n || ': ' || shared.ask(q) FROM hidden.question WHERE n IN (1, 9, 13, 14, 15) ORDER BY n;
RESET row_security;
\echo * of the history alone
SET ROLE regress_segment_owner;
ALTER TABLE hidden.t DISABLE ROW LEVEL SECURITY;
ALTER TABLE hidden.t_history ENABLE ROW LEVEL SECURITY;
SET ROLE regress_segment_few;
SELECT n || ': ' || left(shared.ask(q), 60) FROM hidden.question WHERE n IN (11, 12) ORDER BY n;
\echo * of columns
SET ROLE regress_segment_owner;
ALTER TABLE hidden.t_history DISABLE ROW LEVEL SECURITY;
REVOKE SELECT ON hidden.t FROM regress_segment_few;
GRANT SELECT (c, n) ON hidden.t TO regress_segment_few;
SET ROLE regress_segment_few;
SELECT count(n) FROM hidden.t;
SELECT n || ': ' || left(shared.ask(q), 60) FROM hidden.question WHERE n NOT IN (11, 12) ORDER BY n;

\echo * rows of a source hidden from the owner: refused at every question, not only at refresh
RESET ROLE;
ALTER TABLE hidden.event OWNER TO regress_segment_other;
ALTER TABLE hidden.person OWNER TO regress_segment_other;
GRANT ALL ON hidden.event, hidden.person TO regress_segment_owner;
SET ROLE regress_segment_other;
ALTER TABLE hidden.person ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON hidden.person USING (c = 1);
SET ROLE regress_segment_owner;
SELECT shared.ask($$SELECT segment.current('hidden.t', '1')$$);
SELECT shared.ask($$SELECT segment.evaluate('hidden.t', '2024-05-30')$$);
SELECT shared.ask($$SELECT segment.explain('hidden.t', '1', 's')$$);
SELECT shared.ask($$SELECT segment.verify('hidden.t')$$);
\set VERBOSITY terse
CALL segment.refresh('hidden.t');
SET ROLE regress_segment_other;
ALTER TABLE hidden.person DISABLE ROW LEVEL SECURITY;

\echo * the view of the stream is looked at, and never computed from
SET ROLE regress_segment_owner;
BEGIN;
CREATE OR REPLACE VIEW hidden.t_events AS SELECT c, at, event, value, (1 / 0)::text AS item, source FROM (SELECT NULL::int AS c, now() AS at, ''::text AS event, NULL::float8 AS value, ''::text AS source) x;
SELECT pg_get_viewdef('hidden.t_events'::regclass) ~ '1 / 0';
SELECT segment.current('hidden.t', '1') ->> 'n';
SELECT count(*) FROM segment.evaluate('hidden.t', '2024-05-30');
ROLLBACK;
\echo * a view under the name of a source is not the source; one that the source has become is refused
RESET ROLE;
GRANT CREATE ON SCHEMA hidden TO regress_segment_other;
SET ROLE regress_segment_other;
BEGIN;
ALTER TABLE hidden.event RENAME TO event_before;
CREATE VIEW hidden.event AS SELECT 1 AS c, now() AS at, current_user::text AS note, 1 / 0 AS boom;
GRANT SELECT ON hidden.event TO PUBLIC;
RESET ROLE;
SELECT segment.current('hidden.t', '1') ->> 'n';
ROLLBACK;
-- until PostgreSQL 15 a table without rows and triggers can become a view
SELECT current_setting('server_version_num')::int < 160000 AS converts \gset
SET ROLE regress_segment_other;
CREATE FUNCTION shared.whoami() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'the view runs as %', current_user; RETURN ''; END $$;
TRUNCATE hidden.event;
SELECT count(*) FROM (SELECT format('DROP TRIGGER %I ON hidden.event', tgname) FROM pg_trigger WHERE tgrelid = 'hidden.event'::regclass) x;
DO $$ DECLARE t name; BEGIN FOR t IN SELECT tgname FROM pg_trigger WHERE tgrelid = 'hidden.event'::regclass LOOP EXECUTE format('DROP TRIGGER %I ON hidden.event', t); END LOOP; END $$;
VACUUM hidden.event;
\if :converts
CREATE RULE "_RETURN" AS ON SELECT TO hidden.event DO INSTEAD SELECT 1 AS c, '2024-05-01'::timestamptz AS at, shared.whoami() AS note;
\endif
RESET ROLE;
SELECT :'converts' = 'f' OR shared.ask($$SELECT segment.current('hidden.t', '1')$$) LIKE '42809 hidden.event is not a table%';
SELECT :'converts' = 'f' OR shared.ask($$SELECT segment.evaluate('hidden.t', '2024-05-30')$$) LIKE '42809 hidden.event is not a table%';
SELECT :'converts' = 'f' OR shared.ask($$SELECT segment.explain('hidden.t', '1', 's')$$) LIKE '42809 hidden.event is not a table%';
SELECT :'converts' = 'f' OR shared.ask($$SELECT segment.verify('hidden.t')$$) LIKE '42809 hidden.event is not a table%';
SET client_min_messages = error;
DO $$ BEGIN CALL segment.refresh('hidden.t'); EXCEPTION WHEN wrong_object_type THEN NULL; END $$;
SET client_min_messages = warning;
SELECT segment.drop_table('hidden.t');

\echo * a table of a superuser: functions, types, partitions of others, at the definition and at every run
RESET ROLE;
CREATE SCHEMA super;
CREATE TABLE super.event (c int, at timestamptz, x int) PARTITION BY RANGE (c);
CREATE TABLE super.low PARTITION OF super.event FOR VALUES FROM (0) TO (10);
CREATE TABLE super.high PARTITION OF super.event FOR VALUES FROM (10) TO (20);
INSERT INTO super.event VALUES (1, '2024-05-01', 1), (11, '2024-05-01', 1);
CREATE FUNCTION shared.trusted(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
SELECT segment.create_table('super.t', 'c', 'int');
SELECT segment.add_source('super.t', 'super.event', 'c', 'at', value => 'shared.trusted(x)');
SELECT segment.add_score('super.t', 'n', 'count(shared.trusted(1))');
CALL segment.refresh('super.t');
SET ROLE regress_segment_other;
CREATE DOMAIN shared.other_domain AS int CHECK (VALUE > 0);
CREATE FUNCTION shared.other_fn(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE AGGREGATE shared.other_sum(int) (SFUNC = int4pl, STYPE = int);
CREATE OPERATOR shared.+ (FUNCTION = shared.other_fn, RIGHTARG = int);
RESET ROLE;
SELECT segment.add_score('super.t', 'x', 'count(shared.other_fn(1))');
SELECT segment.add_score('super.t', 'x', 'shared.other_sum(1)');
SELECT segment.add_score('super.t', 'x', 'count(OPERATOR(shared.+) 1)');
SELECT segment.add_score('super.t', 'x', 'count(1::shared.other_domain)');
SELECT segment.add_score('super.t', 'x', 'count(''{1}''::shared.other_domain[])');
-- since PostgreSQL 17
SELECT current_setting('server_version_num')::int < 170000 OR shared.ask($q$SELECT segment.add_score('super.t', 'x', 'count(JSON_VALUE(''1'', ''$'' RETURNING shared.other_domain))')$q$) LIKE '42501 %';
SELECT segment.add_segment('super.t', 'x', 'n > shared.other_fn(1)');
SELECT segment.add_group('super.t', 'x', 'a', 'n > shared.other_fn(1)');
SELECT segment.set_eligible('super.t', 'n > shared.other_fn(1)');
ALTER FUNCTION shared.trusted(int) OWNER TO regress_segment_other;
CALL segment.refresh('super.t');
SELECT segment.current('super.t', '1');
SELECT count(*) FROM segment.evaluate('super.t', '2024-05-30');
SELECT count(*) FROM segment.explain('super.t', '1', 'n');
SELECT count(*) FROM segment.verify('super.t');
ALTER FUNCTION shared.trusted(int) OWNER TO CURRENT_USER;
ALTER TABLE super.high OWNER TO regress_segment_other;
CALL segment.refresh('super.t');
SELECT segment.current('super.t', '1');
ALTER TABLE super.high OWNER TO CURRENT_USER;
CALL segment.rebuild('super.t');
SELECT c, n FROM super.t ORDER BY 1;
\echo * and one that is given to a superuser later
GRANT CREATE ON SCHEMA super TO regress_segment_owner;
GRANT USAGE ON SCHEMA super TO regress_segment_owner;
SET ROLE regress_segment_owner;
CREATE TABLE super.mine (c int, at timestamptz);
SELECT segment.create_table('super.given', 'c', 'int');
SELECT segment.add_source('super.given', 'super.mine', 'c', 'at');
SELECT segment.add_score('super.given', 'n', 'count(shared.other_fn(1))');
RESET ROLE;
REASSIGN OWNED BY regress_segment_owner TO CURRENT_USER;
CALL segment.refresh('super.given');
SELECT segment.drop_table('super.given');
SELECT segment.drop_table('super.t');

\echo * functions and operators made later beside the ones that were meant
CREATE SCHEMA work AUTHORIZATION regress_segment_owner;
SET ROLE regress_segment_owner;
CREATE TABLE work.event (c int, at timestamptz);
INSERT INTO work.event VALUES (1, '2024-05-01'), (1, '2024-05-02');
CREATE FUNCTION shared.f(numeric) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE FUNCTION shared.plus(numeric, numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT $1 + $2';
CREATE OPERATOR shared.+ (FUNCTION = shared.plus, LEFTARG = numeric, RIGHTARG = numeric);
SELECT segment.create_table('work.t', 'c', 'int');
SELECT segment.add_source('work.t', 'work.event', 'c', 'at');
SELECT segment.add_score('work.t', 'n', 'count(*)');
SELECT segment.add_score('work.t', 'f', 'shared.f(n)');
SELECT segment.add_score('work.t', 'p', 'n OPERATOR(shared.+) 1');
SET ROLE regress_segment_other;
CREATE FUNCTION shared.f(bigint) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE EXCEPTION 'planted as %', current_user; END $$;
CREATE FUNCTION shared.f(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE EXCEPTION 'planted as %', current_user; END $$;
CREATE FUNCTION shared.f(anyelement) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE EXCEPTION 'planted as %', current_user; END $$;
CREATE FUNCTION shared.f(VARIADIC numeric[]) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE EXCEPTION 'planted as %', current_user; END $$;
CREATE FUNCTION shared.plus(bigint, int) RETURNS numeric LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE EXCEPTION 'planted as %', current_user; END $$;
CREATE OPERATOR shared.+ (FUNCTION = shared.plus, LEFTARG = bigint, RIGHTARG = int);
RESET ROLE;
CALL segment.refresh('work.t');
SELECT c, n, f, p FROM work.t;
SELECT count(*) FROM segment.verify('work.t');
SELECT segment.definition('work.t') -> 'scores';
SELECT segment.drop_table('work.t');
DROP SCHEMA hidden, shared, super, work CASCADE;
DROP OWNED BY regress_segment_owner, regress_segment_other;
DROP ROLE regress_segment_owner, regress_segment_other, regress_segment_reader, regress_segment_few;
