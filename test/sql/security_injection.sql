-- Hundreds of strings that try to become SQL, through every argument that takes
-- an expression or a name: each is refused with an error that is the caller's,
-- or does what it says, and nothing else.  Each place has its part of the
-- strings; with SEGMENT_ALL_STRINGS=yes in the environment, all of them.
SET client_min_messages = error;
SET timezone = 'UTC';
SET segment.as_of = '2024-06-01 00:00:00+00';
CREATE ROLE regress_segment_owner;
CREATE ROLE regress_segment_reader;
CREATE SCHEMA inject AUTHORIZATION regress_segment_owner;
SET ROLE regress_segment_owner;
SET search_path = inject;
CREATE TABLE canary (what text);
CREATE TABLE secret (word text);
INSERT INTO secret VALUES ('hush');
CREATE FUNCTION pwn() RETURNS bool LANGUAGE plpgsql AS $$ BEGIN INSERT INTO inject.canary VALUES (current_query()); RETURN true; END $$;
CREATE TABLE event (c int, at timestamptz, kind text, amount numeric);
CREATE TABLE other (c int, at timestamptz, kind text, amount numeric);
CREATE TABLE person (c int PRIMARY KEY, country text);
INSERT INTO event SELECT n % 3, timestamptz '2024-05-01 00:00+00' + n * interval '1 hour', 'buy', n FROM generate_series(1, 6) n;
INSERT INTO person VALUES (1, 'BE'), (9, 'FR');
SELECT segment.create_table('t', 'c', 'int');
SELECT segment.add_source('t', 'event', key => 'c', at => 'at', event => 'kind', value => 'amount');
SELECT segment.add_attributes('t', 'person', 'c', '{"country": "country"}');
SELECT segment.add_score('t', 'n', 'count(*)');
SELECT segment.add_band('t', 'b', 'n', 2);
SELECT segment.add_segment('t', 's', 'n > 1');
SELECT segment.add_group('t', 'g', 'many', 'n > 1', 'few', 'true');
CALL segment.refresh('t');
GRANT USAGE ON SCHEMA inject TO regress_segment_reader;
GRANT SELECT ON t, t_history TO regress_segment_reader;

-- what it would do, and how it would get there
CREATE TABLE string (s text PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY);
INSERT INTO string (s) SELECT replace(form, '@', (ARRAY['DELETE FROM inject.secret', 'DROP TABLE inject.secret CASCADE', 'SELECT inject.pwn()', 'INSERT INTO inject.canary SELECT word FROM inject.secret', 'GRANT ALL ON inject.secret TO PUBLIC'])[1 + n % 5])
FROM unnest(ARRAY[
		'@', ';@', '; @', 'true; @', 'n > 1; @; --', 'true); @; --', 'true)); @; --', '1) AS x; @; --', 'count(*)); @; SELECT (1', ''' ; @; --', ''''') ; @ ; --', 'x''; @; SELECT ''x', '"; @; --', 'n" > 1; @; --"',
		'(@)', 'EXISTS (@ RETURNING 1)', '(WITH w AS (@ RETURNING 1) SELECT true FROM w)', 'true UNION @', 'true UNION ALL SELECT true; @', '1 = 1 OR (@)', 'CASE WHEN true THEN (@) END',
		'$$; @; $$', '$q$; @; $q$', '$$''; @; --$$', 'E''\''; @; --''', '''\''; @; --', 'U&''\0027; @; --''', 'U&"\0022; @; --"', '/* */; @', '/*; */ @', '-- x' || chr(10) || '; @', 'n > 1' || chr(13) || '; @', 'true' || chr(10) || ';' || chr(10) || '@',
		'%s; @', '%1$s; @', '%n%n%n; @', '%I; @; %L', '\; @', '\\''; @; --', '\x27; @; --', chr(8217) || '; @; --', chr(65287) || '; @; --', chr(700) || '); @; --', 'n > 1 ' || chr(160) || '; @', '${@}', '`@`', '$(@)', '{{@}}', ':''@''', 'true -- ' || chr(8232) || '@',
		'COPY (@) TO PROGRAM ''true''', 'DO $x$ BEGIN @; END $x$', 'EXECUTE ''@''', 'PREPARE p AS @', 'query_to_xml(''@'', true, true, '''') IS NULL', 'pg_catalog.query_to_xml($$@$$, true, true, '''') IS NOT NULL', 'pg_sleep(0) IS NULL OR (@)', 'dblink(''@'')', 'set_config(''search_path'', ''@'', false) IS NULL',
		'inject.pwn() OR (@)', 'lo_import(''@'') > 0', 'count(*) FILTER (WHERE (@) IS NULL)', 'sum((@))', 'n > ANY (ARRAY(@))', 'ROW((@)) IS NULL', 'n[(@)]', '(t).n > (@)', 'LATERAL (@)', 'n > 1 ORDER BY (@)', 'n > 1 LIMIT (@)', 'n > 1 INTO inject.stolen; @', 'n > 1 FOR UPDATE; @']) WITH ORDINALITY f (form, n)
ON CONFLICT DO NOTHING;
INSERT INTO string (s) VALUES
	('inject.pwn()'), ('pwn()'), ('inject.pwn'), ('(inject.pwn())::text'), ('inject.pwn() IS NULL'), ('count(inject.pwn())'), ('bool_or(inject.pwn())'), ('inject.secret'), ('inject.secret.word'), ('secret'), ('(SELECT word FROM inject.secret)'),
	('''inject.pwn''::regproc'), ('''inject.secret''::regclass'), ('''inject.canary''::regclass::text'), ('currval(''inject.x'')'), ('pg_read_file(''PG_VERSION'')'), ('pg_ls_dir(''.'')'), ('pg_stat_file(''PG_VERSION'')'), ('current_setting(''data_directory'')'), ('version()'), ('current_user'), ('session_user'), ('user'), ('current_query()'),
	('pg_terminate_backend(pg_backend_pid())'), ('pg_reload_conf()'), ('pg_switch_wal()'), ('pg_advisory_lock(1)'), ('txid_current()'), ('nextval(''inject.x'')'), ('random()'), ('clock_timestamp()'), ('segment.now()'), ('segment.definition(''inject.t'')'), ('segment.drop_table(''inject.t'')'), ('segment.drop_table(''inject.t'') IS NULL'),
	('segment.add_score(''inject.t'', ''z'', ''count(*)'')'), ('segment.sizes(''inject.t'')'), ('segment.current(''inject.t'', ''1'')'), ('segment.evaluate(''inject.t'', now())'), ('segment.verify(''inject.t'')'), ('segment.capture()'), ('segment.aggregate_combine(NULL, NULL)'), ('segment.aggregate_deserialize(''\x00'', NULL)'),
	('array_in(''{1}''::cstring, 23, -1)'), ('record_in(''(1)''::cstring, 2249, -1)'), ('domain_in(''1''::cstring, 23, -1)'), ('int4in(''x''::cstring)'), ('pg_catalog.pg_get_expr('''', 0)'), ('has_table_privilege(''inject.secret'', ''SELECT'')'), ('xpath(''//x'', ''<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><x>&b;</x>''::xml)'), ('xmlparse(document ''<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><x>&b;</x>'')'),
	(''), (' '), (';'), (''''), ('"'), ('""'), ('\'), ('%'), ('%s'), ('%n'), ('%1$s'), ('%%'), ('$1'), ('$0'), ('$2147483648'), (':x'), ('?'), ('@'), ('#'), ('~'), ('*'), ('t.*'), ('event.*'), ('NULL'), ('null'), ('DEFAULT'), ('true'), ('1'), ('''x'''), ('1e999999'), ('9999999999999999999999'), ('0x1F'), ('1/0'), ('n/0'), ('count(*)/0'), ('''a''::int'), ('''\''::text'), ('E''\000'''), ('U&''\0000'''), ('U&''\D800'''), ('chr(0)'),
	(chr(127)), (chr(1)), (chr(65279) || 'true'), (chr(8203)), (chr(1114111)), (repeat('(', 3000)), (repeat('(', 3000) || '1' || repeat(')', 3000)), (repeat('NOT ', 3000) || 'true'), ('n' || repeat('::int', 3000)), (repeat('x', 100000)), ('''' || repeat('x', 100000) || ''''), (repeat('-', 5001) || '1'), ('ARRAY' || repeat('[', 300) || '1' || repeat(']', 300)), ('n ' || repeat('COLLATE "C" ', 300)),
	('ctid'), ('xmin'), ('tableoid'), ('oid'), ('"ctid"'), ('__segment_key'), ('__segment_eligible'), ('__segment_n'), ('valid_until'), ('refreshed_at'), ('n'), ('c'), ('at'), ('kind'), ('amount'), ('country'), ('s'), ('g'), ('b'), ('"n"'), ('t.n'), ('inject.t.n'), ('now()'), ('count(*)'), ('max(at)'), ('GROUPING(n)'), ('n OVER ()'), ('count(*) OVER ()'), ('generate_series(1, 3)'), ('unnest(ARRAY[1])'),
	('pg_temp.x()'), ('pg_temp.x'), ('nosuch.x()'), ('nosuch()'), ('n OPERATOR(inject.=) 1'), ('n OPERATOR(nosuch.=) 1'), ('n COLLATE nosuch'), ('n::nosuch'), ('n::inject.t'), ('NULL::inject.t IS NULL'), ('(NULL::inject.secret).word'), ('''(hush)''::inject.secret'), ('row_to_json(t)'), ('t::text'), ('event::text'), ('ROW(1, 2)'), ('''now'''), ('''now''::timestamptz'), ('''today''::date > at'), ('VARIADIC ARRAY[1]'), ('f(VARIADIC ARRAY[1])'), ('count(DISTINCT *)'), ('mode() WITHIN GROUP (ORDER BY kind)')
ON CONFLICT DO NOTHING;
SELECT count(*) >= 200 FROM string;

-- the places, %L being the string
CREATE TABLE place (name text PRIMARY KEY, call text, is_expression bool GENERATED ALWAYS AS (name IN ('key', 'at', 'value', 'extra', 'attribute', 'score', 'altered score', 'segment', 'group rule', 'eligible', 'preview', 'document: score')) STORED);
INSERT INTO place VALUES
	('key', 'SELECT segment.add_source(''inject.t'', ''inject.other'', key => %L, at => ''at'')'),
	('at', 'SELECT segment.add_source(''inject.t'', ''inject.other'', key => ''c'', at => %L)'),
	('event', 'SELECT segment.add_source(''inject.t'', ''inject.other'', key => ''c'', at => ''at'', event => %L)'),
	('value', 'SELECT segment.add_source(''inject.t'', ''inject.other'', key => ''c'', at => ''at'', value => %L)'),
	('item', 'SELECT segment.add_source(''inject.t'', ''inject.other'', key => ''c'', at => ''at'', item => %L)'),
	('extra', 'SELECT segment.add_source(''inject.t'', ''inject.other'', key => ''c'', at => ''at'', extra => jsonb_build_object(''x'', %L::text))'),
	('extra name', 'SELECT segment.add_source(''inject.t'', ''inject.other'', key => ''c'', at => ''at'', extra => jsonb_build_object(%L::text, ''1''))'),
	('attribute', 'SELECT segment.add_attributes(''inject.t'', ''inject.person'', ''c'', jsonb_build_object(''x'', %L::text))'),
	('attribute key', 'SELECT segment.add_attributes(''inject.t'', ''inject.person'', %L, ''{"x": "country"}'')'),
	('attribute name', 'SELECT segment.add_attributes(''inject.t'', ''inject.person'', ''c'', jsonb_build_object(%L::text, ''country''))'),
	('score', 'SELECT segment.add_score(''inject.t'', ''x'', %L)'),
	('score name', 'SELECT segment.add_score(''inject.t'', %L, ''count(*)'')'),
	('altered score', 'SELECT segment.alter_score(''inject.t'', ''n'', %L)'),
	('segment', 'SELECT segment.add_segment(''inject.t'', ''x'', %L)'),
	('segment name', 'SELECT segment.add_segment(''inject.t'', %L, ''n > 1'')'),
	('group rule', 'SELECT segment.add_group(''inject.t'', ''x'', ''label'', %L)'),
	('group label', 'SELECT segment.add_group(''inject.t'', ''x'', %L, ''n > 0'')'),
	('group name', 'SELECT segment.add_group(''inject.t'', %L, ''label'', ''n > 0'')'),
	('band name', 'SELECT segment.add_band(''inject.t'', %L, ''n'')'),
	('band score', 'SELECT segment.add_band(''inject.t'', ''x'', %L)'),
	('eligible', 'SELECT segment.set_eligible(''inject.t'', %L)'),
	('preview', 'SELECT segment.preview(''inject.t'', %L)'),
	('document: score', 'SELECT segment.apply_definition(jsonb_set(segment.definition(''inject.t''), ''{scores,0,expression}'', to_jsonb(%L::text)))'),
	('document: table', 'SELECT segment.apply_definition(jsonb_set(segment.definition(''inject.t''), ''{table}'', to_jsonb(%L::text)))'),
	('document: key', 'SELECT segment.apply_definition(jsonb_set(segment.definition(''inject.t''), ''{key}'', to_jsonb(%L::text)))'),
	('document: zone', 'SELECT segment.apply_definition(jsonb_set(segment.definition(''inject.t''), ''{time_zone}'', to_jsonb(%L::text)))'),
	('document: age', 'SELECT segment.apply_definition(jsonb_set(segment.definition(''inject.t''), ''{max_age}'', to_jsonb(%L::text)))'),
	('document: schedule', 'SELECT segment.apply_definition(jsonb_set(segment.definition(''inject.t''), ''{schedule}'', to_jsonb(%L::text)))'),
	('document: member', 'SELECT segment.apply_definition(jsonb_build_object(%L::text, 1) || segment.definition(''inject.t''))'),
	('table name', 'SELECT segment.create_table(%L, ''c'')'),
	('key name', 'SELECT segment.create_table(''inject.x'', %L)'),
	('time zone', 'SELECT segment.create_table(''inject.x'', ''c'', time_zone => %L)'),
	('schedule', 'SELECT segment.schedule(''inject.t'', %L)'),
	('current', 'SELECT segment.current(''inject.t'', %L)'),
	('explain key', 'SELECT segment.explain(''inject.t'', %L, ''s'')'),
	('explain name', 'SELECT segment.explain(''inject.t'', ''1'', %L)'),
	('recut', 'SELECT segment.recut(''inject.t'', %L)'),
	('drop source', 'SELECT segment.drop_source(''inject.t'', %L)'),
	('drop score', 'SELECT segment.drop_score(''inject.t'', %L)'),
	('drop group', 'SELECT segment.drop_group(''inject.t'', %L)'),
	('boundaries', 'SELECT segment.boundaries(%L, %1$L, 1)'),
	('next_run', 'SELECT segment.next_run(%L, NULL, 0, NULL, NULL)'),
	('pattern', 'SELECT segment.sequence_match(%L, event, at, true) FROM inject.t_events'),
	('next_change', 'SELECT segment.next_change(%L::text, %1$L::text)');
-- One string in one place; if it is taken, the table is refreshed with it.
CREATE FUNCTION try(in_place text, call text, s text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	problems text;
BEGIN
	EXECUTE format(call, s);
	IF in_place !~ ' name$|preview|document' AND in_place ~ '^(key|at|event|value|item|extra|attribute|score|altered|segment|group|band|eligible)' THEN
		INSERT INTO inject.other VALUES (1, '2024-05-02 00:00+00', 'x', 1);
		CALL segment.refresh('inject.t');
		SELECT string_agg(v::text, ' ') INTO problems FROM segment.verify('inject.t') v;
		PERFORM count(*) FROM inject.t_events;
		PERFORM segment.definition('inject.t');
	END IF;
	IF problems IS NOT NULL THEN
		RAISE EXCEPTION 'verify: %', problems;
	END IF;
	RAISE EXCEPTION USING errcode = 'OK000';
EXCEPTION
	WHEN SQLSTATE 'OK000' THEN
		RETURN 'ok';
	WHEN OTHERS THEN
		-- an error that is the caller's, not one of the machine
		IF SQLSTATE ~ '^(XX|P0|58)' OR replace(SQLERRM, s, '') ~ 'could not run|cache lookup|unrecognized|unexpected' THEN
			RETURN 'bad ' || SQLSTATE || ' ' || left(SQLERRM, 200);
		END IF;
		RETURN SQLSTATE;
END $$;
CREATE VIEW counted AS SELECT (SELECT count(*) FROM pg_class WHERE relnamespace::regnamespace::text !~ '^pg_') AS relations, (SELECT count(*) FROM pg_proc WHERE pronamespace::regnamespace::text !~ '^pg_temp') AS functions,
	(SELECT count(*) FROM pg_trigger) AS triggers, (SELECT count(*) FROM pg_namespace WHERE nspname !~ '^pg_') AS schemas, (SELECT count(*) FROM pg_attribute WHERE attrelid = 'inject.t'::regclass AND NOT attisdropped) AS columns;
CREATE TABLE before AS SELECT segment.definition('t'), NULL::inject.counted AS counted;
UPDATE before SET counted = (SELECT c FROM counted c);
RESET search_path;
\pset format unaligned
\pset tuples_only on
CREATE TEMP TABLE tried (name text, s text, outcome text);
\getenv all SEGMENT_ALL_STRINGS
\if :{?all}
\else
\set all no
\endif
-- a statement for each place
SELECT format('INSERT INTO tried SELECT %1$L, s, inject.try(%1$L, %2$L, s) FROM inject.string WHERE %3$L = ''yes'' OR n %% %4$s = %5$s', name, call, :'all',
	CASE WHEN is_expression THEN 4 ELSE 12 END, row_number() OVER () % CASE WHEN is_expression THEN 4 ELSE 12 END)
FROM (SELECT * FROM inject.place ORDER BY is_expression, name COLLATE "C") p \gexec
\echo * bad
SELECT name, left(s, 60), length(s), outcome FROM tried WHERE outcome LIKE 'bad%' ORDER BY name, s COLLATE "C" LIMIT 40;
\echo * each string has been an expression, and each place has had its share
SELECT count(*), min(n) >= 15 FROM (SELECT name, count(*) AS n FROM tried GROUP BY name) t;
SELECT count(*) FROM inject.string s WHERE NOT EXISTS (SELECT FROM tried t JOIN inject.place USING (name) WHERE t.s = s.s AND is_expression);
\echo * a reader, in what is open to readers
SET ROLE regress_segment_reader;
CREATE FUNCTION pg_temp.read(call text, s text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format(call, s);
	RETURN 'ok';
EXCEPTION
	WHEN OTHERS THEN
		RETURN CASE WHEN SQLSTATE ~ '^(XX|P0|58)' OR replace(SQLERRM, s, '') ~ 'hush|could not run|cache lookup|unrecognized|unexpected' THEN 'bad ' || SQLSTATE || ' ' || SQLERRM ELSE SQLSTATE END;
END $$;
RESET ROLE;
GRANT SELECT ON inject.string, inject.place TO regress_segment_reader;
SET ROLE regress_segment_reader;
SELECT p.name, s.s, o FROM inject.place p, inject.string s, pg_temp.read(p.call, s.s) o
WHERE p.name IN ('preview', 'current', 'explain key', 'explain name') AND s.n % 4 = length(p.name) % 4 AND o LIKE 'bad%';
DROP FUNCTION pg_temp.read(text, text);
RESET ROLE;
\echo * nothing was done
SELECT * FROM inject.canary;
SELECT word FROM inject.secret;
SELECT has_table_privilege('regress_segment_reader', 'inject.secret', 'SELECT');
SELECT definition = segment.definition('inject.t'), counted = (SELECT c FROM inject.counted c) FROM inject.before;
SELECT count(*) FROM segment.verify('inject.t');
DROP TABLE tried;
DROP TABLE inject.before;
DROP VIEW inject.counted;
SELECT segment.drop_table('inject.t');
DROP SCHEMA inject CASCADE;
DROP ROLE regress_segment_owner, regress_segment_reader;
