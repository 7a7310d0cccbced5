-- Code that the owner of a segment table, or of its source, hides wherever
-- PostgreSQL lets it: while a superuser looks at the table, refreshes and alters
-- it, it runs as the owner, in a security-restricted operation, or not at all.
SET client_min_messages = error;
\set VERBOSITY terse
SET timezone = 'UTC';
SET segment.as_of = '2024-06-01 00:00:00+00';
SELECT current_user AS me \gset
CREATE ROLE regress_segment_owner;
CREATE ROLE regress_segment_writer;
CREATE SCHEMA attack AUTHORIZATION regress_segment_owner;
CREATE SCHEMA private;
CREATE TABLE private.canary (what text);

SET ROLE regress_segment_owner;
SET search_path = attack;
GRANT USAGE ON SCHEMA attack TO regress_segment_writer;
CREATE TABLE seen (action text, place text, who text, PRIMARY KEY (action, place, who));
CREATE TABLE tried (what text, outcome text, PRIMARY KEY (what, outcome));

-- what must not run as anybody else, nor later
CREATE FUNCTION steal(how text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN INSERT INTO private.canary VALUES (how); RETURN how; END $$;
CREATE FUNCTION steal_trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM attack.steal('deferred trigger'); RETURN NULL; END $$;
CREATE FUNCTION steal_index(x int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM attack.steal('index'); RETURN x; EXCEPTION WHEN insufficient_privilege THEN RETURN x; END $$;
CREATE FUNCTION as_superuser() RETURNS text LANGUAGE sql AS $$ SELECT attack.steal('SET role of a function') $$;
CREATE TABLE late (x int);
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON late DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION steal_trigger();
CREATE TABLE indexed (x int);
INSERT INTO indexed VALUES (1);

CREATE FUNCTION attempts() RETURNS text[] LANGUAGE sql AS $$ SELECT ARRAY[
	'SELECT attack.steal(''directly'')',
	'RESET ROLE', 'SET ROLE NONE', 'SET ROLE "' || session_user || '"', 'SET LOCAL ROLE NONE', 'SELECT set_config(''role'', ''none'', false)',
	'UPDATE pg_settings SET setting = ''none'' WHERE name = ''role''',
	'RESET SESSION AUTHORIZATION', 'SET SESSION AUTHORIZATION DEFAULT', 'SET LOCAL SESSION AUTHORIZATION DEFAULT', 'SET SESSION AUTHORIZATION "' || session_user || '"', 'RESET ALL',
	'INSERT INTO attack.late VALUES (1)',
	'DECLARE held CURSOR WITH HOLD FOR SELECT attack.steal(''held cursor'')',
	'CREATE TEMP TABLE left_behind (x int)', 'CREATE TEMP VIEW left_behind AS SELECT attack.steal(''temporary view'')', 'CREATE FUNCTION pg_temp.now() RETURNS timestamptz LANGUAGE sql AS ''SELECT NULL::timestamptz''',
	'PREPARE left_behind AS SELECT attack.steal(''prepared'')', 'LISTEN left_behind', 'DISCARD ALL', 'DEALLOCATE ALL', 'CLOSE ALL',
	'SELECT attack.as_superuser()', 'ALTER FUNCTION attack.as_superuser() SET role = ''none''',
	'CREATE INDEX ON attack.indexed (attack.steal_index(x))', 'ANALYZE attack.indexed', 'REINDEX TABLE attack.indexed', 'DROP INDEX attack.indexed_steal_index_idx', 'REFRESH MATERIALIZED VIEW attack.later',
	'ALTER ROLE regress_segment_owner SUPERUSER', 'GRANT pg_write_all_data TO regress_segment_owner', 'ALTER SYSTEM SET archive_command = ''true''',
	'COPY (SELECT 1) TO PROGRAM ''true''', 'COPY attack.indexed FROM ''/etc/passwd''', 'SELECT pg_read_file(''PG_VERSION'')', 'SELECT lo_import(''/etc/passwd'')', 'LOAD ''auto_explain''',
	'CREATE FUNCTION attack.c() RETURNS int LANGUAGE c AS ''segment''', 'CREATE EVENT TRIGGER attack ON ddl_command_start EXECUTE FUNCTION segment.on_drop()',
	'ALTER EXTENSION segment DROP TABLE segment.work', 'DROP EXTENSION segment', 'CREATE TABLE segment.mine ()', 'CREATE FUNCTION segment.lower(varchar) RETURNS text LANGUAGE sql AS ''SELECT 1::text''',
	'UPDATE segment.config_column SET expression = ''attack.steal(''''catalog'''')''', 'DELETE FROM segment.config_table', 'TRUNCATE segment.mark_log_0', 'INSERT INTO segment.work SELECT', 'SELECT * FROM segment.config_table FOR UPDATE',
	'UPDATE pg_class SET relowner = 10 WHERE relname = ''late''', 'INSERT INTO pg_auth_members SELECT', 'UPDATE pg_proc SET proowner = 10', 'SET session_replication_role = replica', 'SET allow_system_table_mods = on',
	'SELECT pg_terminate_backend(pg_backend_pid()) WHERE current_user <> ''regress_segment_owner''', 'COMMIT', 'ROLLBACK', 'CALL segment.refresh(''segment.config_table'')'] $$;
CREATE FUNCTION note(at_place text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	attempt text;
	result text;
BEGIN
	INSERT INTO attack.seen VALUES (current_setting('attack.action', true), at_place, current_user) ON CONFLICT DO NOTHING;
	IF NOT FOUND OR current_setting('attack.trying', true) = 'yes' OR
		(SELECT count(*) > 1 FROM attack.seen s WHERE s.place = at_place AND s.who = current_user) THEN
		RETURN;
	END IF;
	PERFORM set_config('attack.trying', 'yes', true);
	FOREACH attempt IN ARRAY attack.attempts() LOOP
		BEGIN
			EXECUTE attempt;
			result := 'done by ' || current_user;
		EXCEPTION
			WHEN OTHERS THEN
				result := SQLSTATE;
		END;
		INSERT INTO attack.tried VALUES (replace(attempt, session_user, 'superuser'), result) ON CONFLICT DO NOTHING;
	END LOOP;
	PERFORM set_config('attack.trying', '', true);
END $$;
-- said to be immutable and stable, which PostgreSQL takes on trust
CREATE FUNCTION spy(place text) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM attack.note(place); RETURN true; END $$;
CREATE FUNCTION spy_int(place text, x int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM attack.note(place); RETURN x; END $$;
CREATE FUNCTION spy_number(place text, x numeric) RETURNS numeric LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM attack.note(place); RETURN x; END $$;
CREATE FUNCTION spy_interval(place text, x interval) RETURNS interval LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM attack.note(place); RETURN x; END $$;
CREATE FUNCTION spy_stable(place text) RETURNS bool LANGUAGE plpgsql STABLE AS $$ BEGIN PERFORM attack.note(place); RETURN true; END $$;
CREATE FUNCTION spy_trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM attack.note(tg_argv[0]); RETURN coalesce(NEW, OLD); END $$;
CREATE FUNCTION spy_sum(state int, value int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM attack.note('aggregate'); RETURN coalesce(state, 0) + coalesce(value, 0); END $$;
CREATE AGGREGATE spy_total(int) (SFUNC = spy_sum, STYPE = int);
CREATE DOMAIN spy_domain AS int CHECK (attack.spy_int('domain', VALUE) = VALUE);
CREATE TYPE spy_row AS (x spy_domain);
CREATE TYPE spy_kind AS ENUM ('a', 'b');
CREATE FUNCTION spy_cast(spy_kind) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM attack.note('cast'); RETURN 1; END $$;
CREATE CAST (spy_kind AS int) WITH FUNCTION spy_cast(spy_kind) AS IMPLICIT;
CREATE FUNCTION spy_same(int, spy_kind) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM attack.note('operator'); RETURN true; END $$;
CREATE OPERATOR = (FUNCTION = spy_same, LEFTARG = int, RIGHTARG = spy_kind);

CREATE TABLE event (c int, at timestamptz, kind spy_kind DEFAULT 'a', amount numeric DEFAULT 1);
CREATE TABLE person (c int PRIMARY KEY, country text);
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON event, person TO regress_segment_writer;
INSERT INTO event SELECT n % 5, '2024-05-01 00:00+00'::timestamptz + n * interval '1 hour' FROM generate_series(1, 40) n;
INSERT INTO person SELECT n, 'BE' FROM generate_series(1, 6) n;

-- what it plants runs here and now, with all its rights: nothing is tried yet
SET attack.action = 'define';
SET attack.trying = 'yes';
SELECT segment.create_table('t', 'c', 'attack.spy_domain');
SELECT segment.add_source('t', 'event', key => 'attack.spy_int(''key'', c)', at => 'at', value => 'attack.spy_number(''value'', amount)',
	item => 'CASE WHEN attack.spy(''item'') THEN ''x'' END', event => 'CASE WHEN kind OPERATOR(attack.=) ANY (''{a}''::attack.spy_kind[]) THEN ''a'' ELSE kind::text END',
	extra => '{"kind": "kind", "number": "kind::int", "lit": "''{1}''::attack.spy_domain[]"}');
SELECT segment.add_source('t', 'event', key => 'attack.spy_int(''key'', c)', at => 'at', value => 'attack.spy_number(''value'', amount)',
	item => 'CASE WHEN attack.spy(''item'') THEN ''x'' END', event => 'CASE WHEN 1 OPERATOR(attack.=) kind THEN ''a'' ELSE kind::text END',
	extra => '{"kind": "kind", "number": "kind::int", "lit": "''{1}''::attack.spy_domain[]"}');
SELECT segment.add_attributes('t', 'person', 'attack.spy_int(''attribute key'', c)', '{"country": "CASE WHEN attack.spy(''attribute'') THEN country END"}');
SELECT segment.add_score('t', 'n', 'count(*)');
SELECT segment.add_score('t', 'total', 'attack.spy_total(number)');
SELECT segment.add_score('t', 'warm', 'segment.engagement(at, 1, attack.spy_interval(''half-life'', ''7 days''))');
SELECT segment.add_score('t', 'literal', 'count(*) FILTER (WHERE cardinality(''{1,2}''::attack.spy_domain[]) = 2 AND ''(3)''::attack.spy_row IS NOT NULL)');
SELECT segment.add_score('t', 'constant', 'attack.spy_number(''constant'', 2) * n');
SELECT segment.add_score('t', 'last_at', 'max(at)');
SELECT segment.add_band('t', 'tier', 'n');
SELECT segment.add_segment('t', 'recent', 'last_at > now() - attack.spy_interval(''window'', ''90 days'') AND attack.spy(''rule'') AND attack.spy_stable(''stable rule'')');
SELECT segment.add_segment('t', 'hot', 'warm > attack.spy_number(''threshold'', 0.001)');
SELECT segment.add_segment('t', 'typed', 'cardinality(''{4}''::attack.spy_domain[]) = 1 AND n > 0');
SELECT segment.add_group('t', 'kind', 'all', 'attack.spy(''group'')', 'none', 'n = 0');
SELECT segment.set_eligible('t', 'attack.spy(''eligible'') AND n < 100');
CALL segment.refresh('t');

-- around the tables
CREATE INDEX ON event ((c + attack.spy_int('index', 1)));
CREATE INDEX ON t ((n + attack.spy_int('index of table', 1)));
CREATE INDEX ON t (n) WHERE attack.spy('predicate of table');
CREATE INDEX ON t_history ((length(segment) + attack.spy_int('index of history', 1)));
CREATE STATISTICS spied ON (c + attack.spy_int('statistics', 1)), at FROM event;
ALTER TABLE event ADD CONSTRAINT spied CHECK (attack.spy('check of event') AND attack.spy_int('check', 1) = 1) NOT VALID;
ALTER TABLE t ADD CONSTRAINT spied CHECK (attack.spy('check of table'));
ALTER TABLE t ADD COLUMN note bool DEFAULT attack.spy('default');
ALTER TABLE t ADD COLUMN generated int GENERATED ALWAYS AS (attack.spy_int('generated', 1)) STORED;
CREATE TRIGGER b BEFORE INSERT OR UPDATE OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION spy_trigger('before trigger');
CREATE TRIGGER a AFTER INSERT OR UPDATE OR DELETE ON t FOR EACH STATEMENT EXECUTE FUNCTION spy_trigger('after trigger');
CREATE CONSTRAINT TRIGGER c AFTER INSERT OR UPDATE ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION spy_trigger('constraint trigger');
CREATE CONSTRAINT TRIGGER h AFTER INSERT OR UPDATE ON t_history DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION spy_trigger('constraint trigger of history');
ALTER TABLE person ENABLE ROW LEVEL SECURITY;
CREATE POLICY spied ON person USING (attack.spy('policy'));
CREATE MATERIALIZED VIEW later AS SELECT attack.spy('materialized view');
ANALYZE event, t;
TRUNCATE seen, tried;
SET attack.trying = '';
GRANT SELECT ON ALL TABLES IN SCHEMA attack TO regress_segment_writer;
RESET ROLE;
SET search_path = pg_catalog;
\set change 'SET ROLE regress_segment_owner; SET attack.trying = ''yes''; UPDATE attack.event SET amount = amount + 1; INSERT INTO attack.event (c, at) SELECT 20 + count(*), ''2024-05-01'' FROM attack.event; SET attack.trying = ''''; RESET ROLE;'
CREATE FUNCTION pg_temp.action(name text) RETURNS void LANGUAGE sql AS $$ SELECT set_config('attack.action', name, false) $$;
\pset format unaligned
\pset tuples_only on
SELECT pg_temp.action('superuser refreshes');
:change
CALL segment.refresh('attack.t');
SELECT pg_temp.action('superuser rebuilds');
:change
CALL segment.rebuild('attack.t');
SELECT pg_temp.action('superuser verifies');
:change
SELECT count(*) FROM segment.verify('attack.t');
SELECT pg_temp.action('superuser looks');
SELECT segment.current('attack.t', '1') ->> 'n';
SELECT count(*) FROM segment.evaluate('attack.t', '2024-05-20');
SELECT count(*) FROM segment.evaluate_rows(NULL::attack.t, '2024-05-20');
SELECT count(*) > 0 FROM segment.explain('attack.t', '1', 'recent');
SELECT count(*) > 0 FROM segment.explain('attack.t', '1', 'hot');
SELECT count(*) > 0 FROM segment.explain('attack.t', '1', 'warm');
SELECT count(*) > 0 FROM segment.explain('attack.t', '1', 'kind');
SELECT members FROM segment.preview('attack.t', 'warm > 0.001 AND recent AND tier > 1');
SELECT members FROM segment.preview('attack.t', 'attack.spy(''preview'') AND cardinality(''{5}''::attack.spy_domain[]) = 1');
SELECT count(*) > 0 FROM segment.sizes('attack.t');
SELECT count(*) > 0 FROM segment.overlap('attack.t');
SELECT count(*) > 0 FROM segment.flow('attack.t', '2024-05-01');
SELECT count(*) > 0 FROM segment.sizes_over_time('attack.t', '1 day', '2024-05-25');
SELECT segment.band_shares('attack.t', 'tier') IS NOT NULL;
SELECT jsonb_typeof(segment.definition('attack.t'));
SELECT pg_temp.action('superuser reads views');
-- so that the constant in the index is computed anew
SET ROLE regress_segment_owner;
ALTER INDEX attack.t_expr_idx SET (fillfactor = 80);
RESET ROLE;
SELECT count(*) > 0 FROM segment.tables;
SELECT count(*) > 0 FROM segment.sources;
SELECT count(*) > 0 FROM segment.scores;
SELECT count(*) > 0 FROM segment.segments;
SELECT count(*) > 0 FROM segment.groups;
SELECT count(shares) > 0 FROM segment.bands;
SELECT count(*) > 0 FROM segment.sizes;
SELECT count(*) > 0 FROM segment.status;
SELECT count(*) > 0 FROM segment.runs;
SELECT count(*) = 0 FROM segment.jobs;
SELECT place, who FROM attack.seen WHERE action = 'superuser reads views' AND place = 'index of table';
SELECT pg_temp.action('superuser changes the definition');
SELECT segment.add_score('attack.t', 'more', 'count(*) FILTER (WHERE value > 0)');
SELECT segment.alter_score('attack.t', 'more', 'count(*) FILTER (WHERE value > 1)');
SELECT segment.add_segment('attack.t', 'hotter', 'warm > 0.5 AND attack.spy(''rule of superuser'')');
SELECT segment.alter_segment('attack.t', 'hotter', 'warm > 0.6');
SELECT segment.alter_group('attack.t', 'kind', 'all', 'attack.spy(''group'')', 'hot', 'warm > 2');
SELECT segment.alter_band('attack.t', 'tier', 'n', 3);
SELECT segment.recut('attack.t', 'tier');
SELECT segment.set_max_age('attack.t', '2 days');
SELECT count(*) FROM segment.apply_definition(segment.definition('attack.t'), dry_run => true);
SELECT count(*) FROM segment.apply_definition(segment.definition('attack.t') || '{"max_age": "3 days"}');
SELECT segment.drop_segment('attack.t', 'hotter');
SELECT segment.drop_score('attack.t', 'more');
SELECT segment.drop_attributes('attack.t', 'person');
:change
CALL segment.refresh('attack.t');
SELECT pg_temp.action('superuser in a block');
:change
BEGIN;
SET CONSTRAINTS ALL IMMEDIATE;
CALL segment.refresh('attack.t');
CALL segment.rebuild('attack.t');
COMMIT;
SELECT pg_temp.action('');
\echo * whose rights it had
SELECT DISTINCT who FROM attack.seen;
-- when PostgreSQL computes a constant of an index, a statistic or a partial constraint depends on its caches
SELECT string_agg(DISTINCT place, ', ' ORDER BY place) FROM attack.seen WHERE place !~ '^(index|statistics|predicate|check$)';
SELECT action, count(DISTINCT place) > 2 AS ran FROM attack.seen WHERE action ~ 'refreshes|rebuilds|verifies|looks|block' GROUP BY action ORDER BY action;
\echo * what it tried, and what came of it
SELECT what, string_agg(outcome, ' | ' ORDER BY outcome) FROM attack.tried GROUP BY what ORDER BY what COLLATE "C";
\echo * what was left behind
SELECT * FROM private.canary;
SELECT current_user = :'me', session_user = :'me', current_setting('role'), current_setting('search_path');
SELECT name FROM pg_cursors WHERE name = 'held';
SELECT name FROM pg_prepared_statements;
SELECT relname FROM pg_class WHERE pg_table_is_visible(oid) AND relname = 'left_behind';
SELECT * FROM pg_listening_channels();
SELECT rolsuper, rolcreaterole FROM pg_roles WHERE rolname = 'regress_segment_owner';
SELECT proname FROM pg_proc WHERE pronamespace = 'segment'::regnamespace AND proowner = 'regress_segment_owner'::regrole;

\echo * the code of a writer and of an owner in one statement: each with his own rights
SELECT segment.drop_table('attack.t');
SET ROLE regress_segment_owner;
TRUNCATE attack.seen, attack.tried;
SET search_path = attack;
ALTER TABLE event DROP CONSTRAINT spied;
DROP INDEX event_expr_idx;
DROP STATISTICS spied;
SELECT segment.create_table('t', 'c', 'int');
SELECT segment.add_source('t', 'event', key => 'attack.spy_int(''key'', c)', at => 'at');
SELECT segment.add_score('t', 'n', 'count(*)');
RESET search_path;
SET ROLE regress_segment_writer;
SET attack.action = 'writer inserts';
INSERT INTO attack.event (c, at) VALUES (1, '2024-05-30');
UPDATE attack.event SET c = 2 WHERE at = '2024-05-30';
DELETE FROM attack.event WHERE at = '2024-05-30';
SET attack.action = '';
SELECT current_user, count(*) FROM attack.seen WHERE who <> 'regress_segment_owner';
SELECT DISTINCT place, who FROM attack.seen;
SELECT what FROM attack.tried WHERE outcome LIKE 'done by%' AND outcome <> 'done by regress_segment_owner';
-- and the writer has got no right by it
SELECT c.oid::regclass FROM pg_class c WHERE relnamespace = 'segment'::regnamespace AND relkind IN ('r', 'S')
	AND CASE relkind WHEN 'r' THEN has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') ELSE has_sequence_privilege(c.oid, 'USAGE, SELECT, UPDATE') END;
RESET ROLE;
SELECT * FROM private.canary;
SELECT segment.drop_table('attack.t');
DROP SCHEMA attack, private CASCADE;
DROP OWNED BY regress_segment_owner;
DROP ROLE regress_segment_owner, regress_segment_writer;
