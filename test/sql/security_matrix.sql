-- Every function and view of the schema, called by every kind of role.  The
-- lists come from the system catalogs: what is added to the extension without
-- a line here shows under "without a line".
--
-- To add a function: a line with its signature and a call, in the list below;
-- then look at what it prints for the five roles.  Each call is undone.
SET client_min_messages = error;
SET timezone = 'UTC';
SET segment.as_of = '2024-06-01 00:00:00+00';
SELECT current_database() AS database \gset
CREATE ROLE regress_segment_owner;
CREATE ROLE regress_segment_member IN ROLE regress_segment_owner;
CREATE ROLE regress_segment_reader;
CREATE ROLE regress_segment_writer;
CREATE ROLE regress_segment_stranger;
CREATE SCHEMA matrix AUTHORIZATION regress_segment_owner;
GRANT USAGE ON SCHEMA matrix TO PUBLIC;
SET ROLE regress_segment_owner;
CREATE TABLE matrix.event (c int, at timestamptz, amount numeric);
CREATE TABLE matrix.other (c int, at timestamptz);
CREATE TABLE matrix.person (c int PRIMARY KEY, country text);
INSERT INTO matrix.event SELECT n % 5, timestamptz '2024-05-01 00:00+00' + n * interval '1 hour', n FROM generate_series(1, 20) n;
INSERT INTO matrix.person VALUES (1, 'BE');
SELECT segment.create_table('matrix.t', 'c', 'int');
SELECT segment.add_source('matrix.t', 'matrix.event', key => 'c', at => 'at', value => 'amount');
SELECT segment.add_attributes('matrix.t', 'matrix.person', 'c', '{"country": "country"}');
SELECT segment.add_score('matrix.t', 'n', 'count(*)');
SELECT segment.add_score('matrix.t', 'spare', 'sum(value)');
SELECT segment.add_band('matrix.t', 'b', 'n', 2);
SELECT segment.add_segment('matrix.t', 's', 'n > 3');
SELECT segment.add_group('matrix.t', 'g', 'many', 'n > 3', 'few', 'true');
SELECT segment.keep_changes('matrix.t');
SELECT segment.merge('matrix.t', '99', '4');
SELECT segment.add_preset('matrix.t', 'starter');
CALL segment.refresh('matrix.t');
GRANT SELECT ON matrix.t, matrix.t_history, matrix.t_changes TO regress_segment_reader;
GRANT INSERT, UPDATE, DELETE, TRUNCATE ON matrix.event TO regress_segment_writer;
RESET ROLE;

CREATE TEMP TABLE line (signature text PRIMARY KEY, call text NOT NULL);
INSERT INTO line VALUES
	-- definitions
	('segment.create_table(text,text,regtype,text)', $$SELECT segment.create_table('matrix.mine', 'k')$$),
	('segment.drop_table(regclass)', $$SELECT segment.drop_table('matrix.t')$$),
	('segment.set_max_age(regclass,interval)', $$SELECT segment.set_max_age('matrix.t', '2 days')$$),
	('segment.add_source(regclass,regclass,text,text,text,text,text,jsonb)', $$SELECT segment.add_source('matrix.t', 'matrix.other', 'c', 'at')$$),
	('segment.add_attributes(regclass,regclass,text,jsonb)', $$SELECT segment.add_attributes('matrix.t', 'matrix.person', 'c', '{"land": "country"}')$$),
	('segment.add_score(regclass,text,text)', $$SELECT segment.add_score('matrix.t', 'x', 'count(*)')$$),
	('segment.add_band(regclass,text,text,integer,boolean)', $$SELECT segment.add_band('matrix.t', 'x', 'n')$$),
	('segment.add_segment(regclass,text,text)', $$SELECT segment.add_segment('matrix.t', 'x', 'true')$$),
	('segment.add_group(regclass,text,text[])', $$SELECT segment.add_group('matrix.t', 'x', 'a', 'true')$$),
	('segment.alter_score(regclass,text,text)', $$SELECT segment.alter_score('matrix.t', 'n', 'count(value)')$$),
	('segment.alter_band(regclass,text,text,integer,boolean)', $$SELECT segment.alter_band('matrix.t', 'b', 'n', 3)$$),
	('segment.alter_segment(regclass,text,text)', $$SELECT segment.alter_segment('matrix.t', 's', 'n > 2')$$),
	('segment.alter_group(regclass,text,text[])', $$SELECT segment.alter_group('matrix.t', 'g', 'many', 'n > 1')$$),
	('segment.add_preset(regclass,text,jsonb)', $$SELECT segment.add_preset('matrix.t', 'rfm', '{"purchase": "event"}')$$),
	('segment.drop_preset(regclass,text,text)', $$SELECT segment.drop_preset('matrix.t', 'starter')$$),
	('segment.set_eligible(regclass,text)', $$SELECT segment.set_eligible('matrix.t', 'n > 0')$$),
	('segment.drop_source(regclass,text)', $$SELECT segment.drop_source('matrix.t', 'event')$$),
	('segment.drop_attributes(regclass,text)', $$SELECT segment.drop_attributes('matrix.t', 'person')$$),
	('segment.drop_score(regclass,text)', $$SELECT segment.drop_score('matrix.t', 'spare')$$),
	('segment.drop_band(regclass,text)', $$SELECT segment.drop_band('matrix.t', 'b')$$),
	('segment.drop_segment(regclass,text)', $$SELECT segment.drop_segment('matrix.t', 's')$$),
	('segment.drop_group(regclass,text)', $$SELECT segment.drop_group('matrix.t', 'g')$$),
	('segment.definition(regclass)', $$SELECT segment.definition('matrix.t')$$),
	('segment.apply_definition(jsonb,boolean)', $$SELECT segment.apply_definition((SELECT definition FROM defined), true)$$),
	('segment.schedule(regclass,text)', $$SELECT segment.schedule('matrix.t', '5 minutes')$$),
	('segment.unschedule(regclass)', $$SELECT segment.unschedule('matrix.t')$$),
	('segment.keep_changes(regclass,interval)', $$SELECT segment.keep_changes('matrix.t')$$),
	('segment.drop_changes(regclass)', $$SELECT segment.drop_changes('matrix.t')$$),
	-- keeping fresh
	('segment.refresh(regclass)', $$CALL segment.refresh('matrix.t')$$),
	('segment.rebuild(regclass)', $$CALL segment.rebuild('matrix.t')$$),
	('segment.recut(regclass,text)', $$SELECT segment.recut('matrix.t', 'b')$$),
	('segment.verify(regclass)', $$SELECT segment.verify('matrix.t')$$),
	('segment.erase(regclass,text,boolean)', $$SELECT segment.erase('matrix.t', '1')$$),
	('segment.unsuppress(regclass,text)', $$SELECT segment.unsuppress('matrix.t', '1')$$),
	('segment.is_suppressed(regclass,text)', $$SELECT segment.is_suppressed('matrix.t', '1')$$),
	('segment.merge(regclass,text,text)', $$SELECT segment.merge('matrix.t', '1', '2')$$),
	('segment.unmerge(regclass,text)', $$SELECT segment.unmerge('matrix.t', '1')$$),
	('segment.merged_into(regclass,text)', $$SELECT segment.merged_into('matrix.t', '1')$$),
	('segment.merged_keys(regclass)', $$SELECT segment.merged_keys('matrix.t')$$),
	('segment.merged_keys(regclass,text[])', $$SELECT segment.merged_keys('matrix.t', '{1}')$$),
	-- looking
	('segment.current(regclass,text)', $$SELECT segment.current('matrix.t', '1')$$),
	('segment.evaluate(regclass,timestamp with time zone)', $$SELECT segment.evaluate('matrix.t', '2024-05-20')$$),
	('segment.evaluate_rows(anyelement,timestamp with time zone)', $$SELECT segment.evaluate_rows(NULL::matrix.t, '2024-05-20')$$),
	('segment.explain(regclass,text,text)', $$SELECT segment.explain('matrix.t', '1', 's')$$),
	('segment.preview(regclass,text)', $$SELECT segment.preview('matrix.t', 'n > 1')$$),
	('segment.sizes(regclass)', $$SELECT segment.sizes('matrix.t')$$),
	('segment.overlap(regclass)', $$SELECT segment.overlap('matrix.t')$$),
	('segment.flow(regclass,timestamp with time zone,timestamp with time zone)', $$SELECT segment.flow('matrix.t', '2024-05-20')$$),
	('segment.sizes_over_time(regclass,interval,timestamp with time zone,timestamp with time zone)', $$SELECT segment.sizes_over_time('matrix.t', '1 day', '2024-05-20')$$),
	('segment.bought_together(regclass,text[],text,interval,timestamp with time zone,timestamp with time zone,text,bigint,double precision,integer)', $$SELECT segment.bought_together('matrix.t')$$),
	('segment.outcome(regclass,text,text,interval,timestamp with time zone,timestamp with time zone,text,jsonb,text,text,text,boolean,double precision)', $$SELECT segment.outcome('matrix.t', 's', 'event', '1 day', '2024-05-20')$$),
	('segment.band_shares(regclass,text)', $$SELECT segment.band_shares('matrix.t', 'b')$$),
	('segment.changes(regclass,text,integer)', $$SELECT segment.changes('matrix.t', segment.changes_cursor('matrix.t'))$$),
	('segment.changes_cursor(regclass)', $$SELECT segment.changes_cursor('matrix.t')$$),
	('segment.check_health(regclass,boolean)', $$SELECT segment.check_health('matrix.t')$$),
	('segment.progress()', $$SELECT segment.progress()$$),
	-- what tells nothing of any table
	('segment.now()', $$SELECT segment.now()$$),
	('segment.arm(text,text,jsonb)', $$SELECT segment.arm('a'::text, 'e', '{"a": 1}')$$),
	('segment.arm(bigint,text,jsonb)', $$SELECT segment.arm(1, 'e', '{"a": 1}')$$),
	('segment.arm(uuid,text,jsonb)', $$SELECT segment.arm('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid, 'e', '{"a": 1}')$$),
	('segment.rate_interval(bigint,bigint,double precision)', $$SELECT segment.rate_interval(1, 2)$$),
	('segment.rate_difference_interval(bigint,bigint,bigint,bigint,double precision)', $$SELECT segment.rate_difference_interval(1, 2, 1, 2)$$),
	('segment.mean_interval(double precision,double precision,bigint,double precision)', $$SELECT segment.mean_interval(1, 1, 2)$$),
	('segment.mean_difference_interval(double precision,double precision,bigint,double precision,double precision,bigint,double precision)', $$SELECT segment.mean_difference_interval(1, 1, 2, 1, 1, 2)$$),
	('segment.next_run(text,timestamp with time zone,integer,timestamp with time zone,timestamp with time zone,timestamp with time zone,text)', $$SELECT segment.next_run('1 hour', NULL, 0, NULL, NULL)$$),
	('segment.next_runs(text,integer,text,timestamp with time zone)', $$SELECT segment.next_runs('@daily', 2)$$),
	('segment.mark_place(bigint[],pg_snapshot,integer)', $$SELECT segment.mark_place('{}', pg_current_snapshot(), 0)$$),
	('segment.boundaries(text,text,integer)', $$SELECT segment.boundaries('day', 'UTC', 3)$$),
	('segment.crossing(timestamp with time zone,interval,boolean)', $$SELECT segment.crossing(now(), '1 day', true)$$),
	('segment.crossing(timestamp without time zone,interval,boolean)', $$SELECT segment.crossing(now()::timestamp, '1 day', true)$$),
	('segment.crossing(date,interval,boolean)', $$SELECT segment.crossing(now()::date, '1 day', true)$$),
	('segment.crossing_span(timestamp with time zone,interval,boolean)', $$SELECT segment.crossing_span(now(), '1 day', true)$$),
	('segment.next_change("any")', $$SELECT segment.next_change('local'::text, 'UTC'::text, 'trunc'::text, 'day'::text)$$),
	('segment.next_changes(integer,"any")', $$SELECT segment.next_changes(3, 'local'::text, 'UTC'::text, 'trunc'::text, 'day'::text)$$),
	('segment.next_flip(text,"any","any")', $$SELECT segment.next_flip('reaches'::text, '1 day'::interval, 'since'::text, now())$$),
	('segment.next_flip_within("any","any","any")', $$SELECT segment.next_flip_within('1 day'::interval, '2 days'::interval, 'since'::text, now())$$),
	('segment.next_decay(double precision,double precision,interval)', $$SELECT segment.next_decay(1, 0.5, '1 day')$$),
	('segment.next_decay_flip(text,double precision,interval,"any","any")', $$SELECT segment.next_decay_flip('passes', 8::float8, '1 day', 3::float8, 'plus'::text, 1::float8)$$),
	-- called by PostgreSQL alone
	('segment.capture()', $$SELECT segment.capture()$$),
	('segment.on_drop()', $$SELECT segment.on_drop()$$),
	('segment.on_ddl()', $$SELECT segment.on_ddl()$$);
CREATE TEMP TABLE defined AS SELECT segment.definition('matrix.t');
GRANT SELECT ON defined TO PUBLIC;

CREATE FUNCTION pg_temp.attempt(role text, call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	rows bigint;
BEGIN
	EXECUTE format('SET LOCAL ROLE regress_segment_%I', role);
	EXECUTE call;
	GET DIAGNOSTICS rows = ROW_COUNT;
	RAISE EXCEPTION USING errcode = 'OK000';
EXCEPTION
	WHEN SQLSTATE 'OK000' THEN
		RETURN 'ok';
	WHEN OTHERS THEN
		RETURN SQLSTATE;
END $$;
\pset format unaligned
\pset tuples_only on

\echo * functions without a line, lines without a function
SELECT p.oid::regprocedure FROM pg_proc p
WHERE pronamespace = 'segment'::regnamespace AND prokind <> 'a' AND NOT 'internal'::regtype = ANY (proargtypes)
	AND NOT EXISTS (SELECT FROM line WHERE signature = p.oid::regprocedure::text);
SELECT signature FROM line WHERE to_regprocedure(signature) IS NULL;

\echo * function: owner, member, reader, writer, stranger
SELECT format('%s: %s %s %s %s %s', split_part(signature, '(', 1), pg_temp.attempt('owner', call), pg_temp.attempt('member', call),
	pg_temp.attempt('reader', call), pg_temp.attempt('writer', call), pg_temp.attempt('stranger', call))
FROM line ORDER BY signature COLLATE "C";

\echo * the same of a relation that is no segment table, of none, and of NULL
SELECT format('%s: %s %s %s', split_part(signature, '(', 1), pg_temp.attempt('reader', replace(call, 'matrix.t''', 'pg_catalog.pg_authid''')),
	pg_temp.attempt('reader', replace(call, '''matrix.t''', '4294967295::oid::regclass')), pg_temp.attempt('reader', replace(call, '''matrix.t''', 'NULL')))
FROM line WHERE call ~ '''matrix\.t''' ORDER BY signature COLLATE "C";

\echo * view: rows that owner, member, reader, writer, stranger see
CREATE FUNCTION pg_temp.rows_seen(role text, view regclass) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	rows text;
BEGIN
	EXECUTE format('SET LOCAL ROLE regress_segment_%I', role);
	-- presets are the same for everybody
	EXECUTE format(CASE WHEN view IN ('segment.presets'::regclass, 'segment.preset_columns'::regclass)
		THEN 'SELECT CASE WHEN count(*) > 0 THEN ''all'' END FROM %s' ELSE 'SELECT count(*) FROM %s' END, view) INTO rows;
	RAISE EXCEPTION USING errcode = 'OK000';
EXCEPTION
	WHEN SQLSTATE 'OK000' THEN
		RETURN rows;
	WHEN OTHERS THEN
		RETURN SQLSTATE;
END $$;
SELECT format('%s: %s %s %s %s %s', oid::regclass, pg_temp.rows_seen('owner', oid), pg_temp.rows_seen('member', oid),
	pg_temp.rows_seen('reader', oid), pg_temp.rows_seen('writer', oid), pg_temp.rows_seen('stranger', oid))
FROM pg_class WHERE relnamespace = 'segment'::regnamespace AND relkind = 'v' ORDER BY relname COLLATE "C";
\echo * views are barriers, and nobody may write through them
SELECT oid::regclass FROM pg_class WHERE relnamespace = 'segment'::regnamespace AND relkind = 'v' AND has_table_privilege('regress_segment_stranger', oid, 'SELECT') AND NOT coalesce('security_barrier=true' = ANY (reloptions), false)
	AND 'security_barrier=on' <> ALL (coalesce(reloptions, '{}')) AND NOT coalesce(reloptions::text ~ 'security_barrier', false);
SELECT r, c.oid::regclass FROM pg_class c, unnest('{owner,member,reader,writer,stranger}'::text[]) r
WHERE relnamespace = 'segment'::regnamespace AND relkind = 'v' AND has_table_privilege('regress_segment_' || r, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER');
\echo * no right on tables and sequences, nor to create in the schema
SELECT r, c.oid::regclass FROM pg_class c, unnest('{owner,member,reader,writer,stranger}'::text[]) r
WHERE relnamespace = 'segment'::regnamespace AND relkind NOT IN ('v', 'i', 'c', 'S') AND (has_table_privilege('regress_segment_' || r, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
	OR has_any_column_privilege('regress_segment_' || r, c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'));
SELECT r, c.oid::regclass FROM pg_class c, unnest('{owner,member,reader,writer,stranger}'::text[]) r
WHERE relnamespace = 'segment'::regnamespace AND relkind = 'S' AND has_sequence_privilege('regress_segment_' || r, c.oid, 'USAGE, SELECT, UPDATE');
SELECT has_schema_privilege('regress_segment_stranger', 'segment', 'CREATE');
\echo * nothing runs with rights that its caller has not, but by way of C
SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'segment'::regnamespace AND (prosecdef OR prolang <> (SELECT oid FROM pg_language WHERE lanname = 'c') AND prokind <> 'a');
\echo * what writers of events are given: nothing
SELECT oid::regclass FROM pg_class WHERE relnamespace = 'matrix'::regnamespace AND relkind IN ('r', 'v') AND oid <> 'matrix.event'::regclass
	AND has_table_privilege('regress_segment_writer', oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER');
\echo * the data of the catalogs, changed by hand, by whoever is no superuser
SELECT r, pg_temp.attempt(r, format('DELETE FROM %s', c.oid::regclass)), pg_temp.attempt(r, format('TRUNCATE %s', c.oid::regclass)), pg_temp.attempt(r, format('LOCK %s IN ACCESS SHARE MODE', c.oid::regclass)),
	pg_temp.attempt(r, format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', c.oid::regclass)), pg_temp.attempt(r, format('CREATE TRIGGER x AFTER INSERT ON %s EXECUTE FUNCTION segment.capture()', c.oid::regclass)),
	pg_temp.attempt(r, format('CREATE RULE x AS ON INSERT TO %s DO NOTHING', c.oid::regclass)), pg_temp.attempt(r, format('CREATE INDEX ON %s ((1))', c.oid::regclass)), count(*) > 10
FROM pg_class c, unnest('{owner,stranger}'::text[]) r
WHERE relnamespace = 'segment'::regnamespace AND relkind = 'r' GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 ORDER BY 1;

\echo * support functions called by hand, with every argument NULL: an error or NULL, no crash
CREATE FUNCTION pg_temp.by_hand(called regprocedure) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	arguments text;
	result text;
BEGIN
	SELECT string_agg(format('NULL::%s', CASE WHEN t IN ('internal'::regtype, '"any"'::regtype, 'anyelement'::regtype) THEN 'unknown'::regtype ELSE t::regtype END), ', ')
	INTO arguments FROM unnest((SELECT proargtypes::oid[] FROM pg_proc WHERE oid = called)) t;
	EXECUTE format('%s %s(%s)', CASE (SELECT prokind FROM pg_proc WHERE oid = called) WHEN 'p' THEN 'CALL' ELSE 'SELECT' END, called::regproc, arguments);
	RETURN 'NULL or no row';
EXCEPTION
	WHEN OTHERS THEN
		RETURN SQLSTATE || CASE WHEN SQLSTATE IN ('22004', '42883', '39P01', '39P03', '22023', '42809', '42804') THEN '' ELSE ' ' || called || SQLERRM END;
END $$;
SET ROLE regress_segment_stranger;
-- minor versions of PostgreSQL differ in how they refuse a value of type internal
SELECT DISTINCT regexp_replace(pg_temp.by_hand(oid), '^(42883$|42804$|0A000 .*cannot accept a value of type internal)', 'refused') FROM pg_proc
WHERE pronamespace = 'segment'::regnamespace AND prokind <> 'a' AND 'internal'::regtype = ANY (proargtypes) ORDER BY 1;
SELECT count(*) > 40 FROM pg_proc WHERE pronamespace = 'segment'::regnamespace AND prokind <> 'a' AND 'internal'::regtype = ANY (proargtypes);
SELECT DISTINCT pg_temp.by_hand(oid) FROM pg_proc
WHERE pronamespace = 'segment'::regnamespace AND prokind <> 'a' AND NOT 'internal'::regtype = ANY (proargtypes) AND pronargs > 0 ORDER BY 1;
DO $$ DECLARE
	called text;
BEGIN
	FOREACH called IN ARRAY ARRAY[$call$segment.aggregate_deserialize('\x00'::bytea, '1')$call$,
			$call$segment.aggregate_deserialize('\x00'::bytea, 'x'::cstring)$call$,
			$call$segment.aggregate_serialize('1')$call$,
			$call$segment.sessions_transition('1', now(), '1 hour')$call$,
			$call$segment.funnel_transition(NULL, now(), '1 hour', VARIADIC NULL::bool[])$call$] LOOP
		BEGIN
			EXECUTE 'SELECT ' || called;
			RAISE WARNING '% is not refused', called;
		EXCEPTION WHEN undefined_function OR feature_not_supported THEN NULL;
		END;
	END LOOP;
END $$;
\set VERBOSITY terse
RESET ROLE;

SELECT segment.drop_table('matrix.t');
DROP TABLE line, defined;
DROP SCHEMA matrix CASCADE;
DROP ROLE regress_segment_owner, regress_segment_member, regress_segment_reader, regress_segment_writer, regress_segment_stranger;
