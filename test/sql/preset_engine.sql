-- The engine of presets: templates, options, which columns are made, sharing,
-- rights.  The preset it is tried with is put into the extension's tables here.
SET client_min_messages = notice;
SET timezone = 'UTC';
SET segment.as_of = '2028-03-01 12:00:00+00';
CREATE ROLE regress_segment_owner;
CREATE ROLE regress_segment_member IN ROLE regress_segment_owner;
CREATE ROLE regress_segment_stranger;
CREATE SCHEMA pe AUTHORIZATION regress_segment_owner;
GRANT USAGE ON SCHEMA pe TO PUBLIC;
SET ROLE regress_segment_owner;
CREATE TABLE pe.event (who text, at timestamptz, what text, item text, paid numeric, "odd ""name" text);
CREATE TABLE pe.person (who text, country text, "it's" int);
INSERT INTO pe.event VALUES
    ('ann', '2028-02-20', 'order', 'tea', 20, 'a'), ('ann', '2028-02-28', 'order', 'tea', 30, 'b'), ('ann', '2028-02-28', 'look', 'cup', NULL, NULL),
    ('bob', '2028-01-01', 'order', 'cup', 5, 'a'), ('cid', '2028-02-01', 'look', 'tea', NULL, NULL);
INSERT INTO pe.person VALUES ('ann', 'BE', 1), ('dan', 'NL', 2);
SELECT segment.create_table('pe.c', 'who', 'text');
SELECT segment.create_table('pe.empty', 'who', 'text');
RESET ROLE;

INSERT INTO segment.preset VALUES ('test', 'a preset for this test', 'nobody');
INSERT INTO segment.preset_option (preset, option, type, default_value, unit, description) VALUES
    ('test', 'word', 'text', '"it''s"', NULL, 'a text'),
    ('test', 'words', 'texts', '["a", "b"]', NULL, 'texts'),
    ('test', 'whole', 'integer', '3', 'things', 'an integer'),
    ('test', 'amount', 'number', '2.5', NULL, 'a number'),
    ('test', 'span', 'interval', '"30 days"', NULL, 'an interval'),
    ('test', 'flag', 'boolean', 'true', NULL, 'true or false'),
    ('test', 'cuts', 'numbers', '[1, 2]', NULL, 'numbers'),
    ('test', 'spans', 'intervals', '["1 hour", "2 hours"]', NULL, 'intervals'),
    ('test', 'thing', 'item', '"tea"', NULL, 'an item'),
    ('test', 'tag', 'event column', NULL, NULL, 'a column of the stream'),
    ('test', 'land', 'column', NULL, NULL, 'a column of the row'),
    ('test', 'sizes', 'labels', '[["big", "{{.test_n}} > 1"], ["small", "true"]]', NULL, 'labels'),
    ('test', 'purchase', 'event', '"order"', NULL, 'a purchase');
INSERT INTO segment.preset_column (preset, name, position, kind, expression, needs, unless, description) VALUES
    ('test', 'test_word', 1, 'score', '{{word}}::text', '{}', '{}', 'a text'),
    ('test', 'test_words', 2, 'score', '{{words}}', '{}', '{}', 'an array'),
    ('test', 'test_whole', 3, 'score', '10 -{{whole}}', '{}', '{}', 'an integer'),
    ('test', 'test_amount', 4, 'score', '10 -{{amount}}', '{}', '{}', 'a number'),
    ('test', 'test_span', 5, 'segment', 'now() < {{.last_purchase}} + {{span}}', '{}', '{}', 'it''s within the span'),
    ('test', 'test_flag', 6, 'segment', '{{flag}}', '{}', '{}', 'a flag'),
    ('test', 'test_cuts', 7, 'score', '{{cuts.2}} + cardinality({{cuts}})', '{}', '{}', 'cuts'),
    ('test', 'test_spans', 8, 'score', '{{spans.1}} + {{spans.2}}', '{}', '{}', 'spans'),
    ('test', 'test_tea', 9, 'score', 'count(*) FILTER (WHERE {{purchase}} AND {{thing}})', '{}', '{}', 'things'),
    ('test', 'test_tag', 10, 'score', 'max({{tag}})', '{}', '{}', 'the greatest tag'),
    ('test', 'test_land', 11, 'segment', '{{land}} = ''BE''', '{}', '{}', 'from BE'),
    ('test', 'test_after_land', 12, 'segment', 'NOT {{.test_land}}', '{}', '{}', 'reads what may not be there'),
    ('test', 'test_either', 13, 'score', '1', '{tag}', '{}', 'with a tag'),
    ('test', 'test_either', 14, 'score', '2', '{}', '{tag}', 'without a tag'),
    ('test', 'test_without', 15, 'score', '3', '{}', '{tag}', 'without a tag alone'),
    ('test', 'test_size', 16, 'group', '{{sizes}}', '{}', '{}', 'reads what comes later'),
    ('test', 'test_n', 17, 'score', 'count(*)', '{}', '{}', 'events');
INSERT INTO segment.preset_column (preset, name, position, kind, score, bands, descending, description) VALUES
    ('test', 'test_band', 18, 'band', 'test_n', 3, true, 'a band');
INSERT INTO segment.preset_column (preset, name, position, kind, labels, rules, description) VALUES
    ('test', 'test_label', 19, 'group', '{fresh,stale}', '{"now() < {{.last_purchase}} + {{span}}","{{.last_purchase}} IS NOT NULL"}', 'a group');

-- The views.
SET ROLE regress_segment_stranger;
SELECT option, type, default_value, unit, description FROM segment.presets WHERE preset = 'test' ORDER BY option NULLS FIRST;
SELECT kind, name, definition, needs, unless, common FROM segment.preset_columns WHERE preset = 'test' ORDER BY common DESC, position;
SELECT option FROM segment.presets WHERE preset = 'rfm' AND option IS NOT NULL ORDER BY 1;
SELECT option, least, most FROM segment.presets WHERE preset = 'churn_risk' AND (least IS NOT NULL OR most IS NOT NULL) ORDER BY 1;
RESET ROLE;
-- All options of all presets are there, and each is used; no name is another preset's.
SELECT DISTINCT c.preset, c.name, o.found[1] AS option FROM segment.preset_column c,
    regexp_matches(concat(c.expression, c.rules::text), '\{\{([a-z][a-z0-9_]*)', 'g') o(found)
WHERE NOT EXISTS (SELECT FROM segment.preset_option p WHERE p.option = o.found[1] AND p.preset IN (c.preset, ''));
SELECT o.preset, o.option FROM segment.preset_option o WHERE o.preset <> '' AND NOT EXISTS (
    SELECT FROM segment.presets p WHERE p.preset = o.preset AND p.option = o.option);
SELECT o.preset, o.option, o.default_value FROM segment.preset_option o,
    LATERAL jsonb_array_elements(CASE jsonb_typeof(o.default_value) WHEN 'array' THEN o.default_value ELSE jsonb_build_array(o.default_value) END) d
WHERE o.type IN ('integer', 'number', 'numbers') AND ((d #>> '{}')::float8 < o.least OR (d #>> '{}')::float8 > o.most);
SELECT name, array_agg(DISTINCT preset) FROM segment.preset_column GROUP BY 1 HAVING count(DISTINCT preset) > 1;
SELECT preset FROM segment.preset_option WHERE preset <> '' UNION SELECT preset FROM segment.preset_column WHERE preset <> ''
EXCEPT SELECT name FROM segment.preset;

-- Who may.
SET ROLE regress_segment_stranger;
SELECT segment.add_preset('pe.c', 'test');
SELECT segment.drop_preset('pe.c', 'test');
SELECT * FROM segment.preset_option;
SET ROLE regress_segment_member;
-- Without a source, and without an event.
SELECT segment.add_preset('pe.c', 'rfm');
SELECT segment.drop_preset('pe.c', 'rfm');
SET ROLE regress_segment_owner;
SELECT segment.add_source('pe.c', 'pe.event', key => 'who', at => 'at', event => 'what', value => 'paid', item => 'item',
    extra => '{"tag": "\"odd \"\"name\"", "odd \"name": "\"odd \"\"name\"", "num": "paid"}');
SELECT segment.add_attributes('pe.c', 'pe.person', 'who', '{"country": "country", "it''s \"so\"": "\"it''s\""}');
CREATE TABLE pe.nothing (who text, at timestamptz, what text);
SELECT segment.add_source('pe.empty', 'pe.nothing', key => 'who', at => 'at', event => 'what');
SET ROLE regress_segment_member;
SELECT segment.add_preset('pe.empty', 'rfm');
SELECT segment.drop_preset('pe.empty', 'rfm');

-- What is wrong is said.
\set VERBOSITY terse
SELECT segment.add_preset('pe.c', 'tset');
SELECT segment.add_preset('pe.c', 'quite another');
\set VERBOSITY default
DO $$
DECLARE
    hint text;
BEGIN
    PERFORM segment.add_preset('pe.c', 'strater');
EXCEPTION
    WHEN invalid_parameter_value THEN
        GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
        RAISE NOTICE '%', regexp_replace(hint, 'Known: .*rfm, .*starter.*', 'Known: ...');
END $$;
SELECT segment.add_preset('pe.c', NULL);
SELECT segment.add_preset('pe.c', 'test', NULL);
SELECT segment.add_preset('pe.c', 'test', '[]');
SELECT segment.add_preset('pe.c', 'test', '"x"');
SELECT segment.add_preset('pe.c', 'test', '{"purchases": "order"}');
SELECT segment.add_preset('pe.c', 'test', '{"login": "in"}');
CREATE FUNCTION pe.try(options jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    message text;
    hint text;
BEGIN
    PERFORM segment.add_preset('pe.c', 'test', options);
    RAISE EXCEPTION USING errcode = 'OK000';
EXCEPTION
    WHEN SQLSTATE 'OK000' THEN
        RETURN 'ok';
    WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
        RETURN concat_ws(' / ', SQLSTATE, message, nullif(hint, ''));
END $$;
-- Options that have bounds, where a value beyond them would fail with each customer, or be wrong.
\set VERBOSITY terse
SELECT segment.add_preset('pe.c', 'cart_intent', '{"many_views": 0}');
SELECT segment.add_preset('pe.c', 'churn_risk', '{"lost_ratio": 1e300}');
SELECT segment.add_preset('pe.c', 'occasion', '{"anniversary_days": 181}');
SELECT segment.add_preset('pe.c', 'occasion', '{"dayparts": [6, 12, 18, 25]}');
SELECT segment.add_preset('pe.c', 'usage', '{"days": 2147483647}');
SELECT segment.add_preset('pe.c', 'streaming', '{"binge_items": 31}');
SELECT segment.add_preset('pe.c', 'lifetime_value', '{"margin": 40}');
SELECT segment.add_preset('pe.c', 'purchase_behavior', '{"habit_share": 60}');
SELECT segment.add_preset('pe.c', 'purchase_behavior', '{"variety_share": 60}');
SELECT segment.add_preset('pe.c', 'interest', '{"focused_share": 60}');
SELECT segment.add_preset('pe.c', 'benefits_sought', '{"dominant_share": 60}');
SELECT segment.add_preset('pe.c', 'occasion', '{"season_share": 60}');
SELECT segment.add_preset('pe.c', 'occasion', '{"weekend_share": 60}');
SELECT segment.add_preset('pe.c', 'streaming', '{"completion_high": 60}');
SELECT segment.add_preset('pe.c', 'streaming', '{"completion_medium": 60}');
SELECT segment.add_preset('pe.c', 'streaming', '{"daypart_share": 60}');
-- As many elements as it reads.
SELECT segment.add_preset('pe.c', 'streaming', '{"daypart_hours": [6, 12, 18], "only": ["viewing_daypart"], "check_events": false}');
SELECT segment.add_preset('pe.c', 'streaming', '{"daypart_hours": [5, 6, 12, 18, 22], "only": ["viewing_daypart"], "check_events": false}');
-- Of many names that are not there an error has twenty.
SELECT segment.add_preset('pe.c', 'starter', jsonb_build_object('activity', (SELECT jsonb_agg('e' || n) FROM generate_series(1, 1000) n)));
\set VERBOSITY default
SET client_min_messages = warning;
SELECT o AS options, pe.try(o::jsonb) FROM unnest(ARRAY[
    '{"word": 1}', '{"word": ["a"]}', '{"words": "a"}', '{"words": [1]}', '{"words": [null]}', '{"words": []}',
    '{"whole": 1.5}', '{"whole": "three"}', '{"whole": 3000000000}', '{"whole": "-7"}', '{"whole": null}', '{"whole": true}',
    '{"amount": "NaN"}', '{"amount": "Infinity"}', '{"amount": "-inf"}', '{"amount": 1e400}', '{"amount": "1e400"}', '{"amount": "1e308"}',
    '{"amount": "1; DROP TABLE pe.c"}', '{"amount": ""}', '{"amount": -0.5}', '{"amount": {"a": 1}}', '{"amount": "1e200000"}',
    '{"span": "a while"}', '{"span": 30}', '{"span": "-1 day"}', '{"span": "infinity"}', '{"span": "1 month"}', '{"span": "P1DT2H"}', '{"span": "0"}',
    '{"span": "200000000 years"}', '{"span": ""}', '{"span": "1000 years"}', '{"span": "1000 years 1 day"}', '{"span": "293000 years -105480000 days"}', '{"span": "1 month -1 day"}',
    '{"flag": "true"}', '{"flag": 1}', '{"flag": false}', '{"flag": null}',
    '{"cuts": [1]}', '{"cuts": [1, 2, 3]}', '{"cuts": [2, 1]}', '{"cuts": ["1", 2.5]}', '{"cuts": ["x", 2]}', '{"cuts": []}', '{"cuts": 1}',
    '{"spans": ["2 hours", "1 hour"]}', '{"spans": ["1 day", "1 month"]}', '{"spans": ["x", "y"]}', '{"spans": [1, 2]}',
    '{"thing": 5}', '{"thing": []}', '{"thing": [["a"]]}', '{"thing": {"rule": "item LIKE ''t%''"}}', '{"thing": null}',
    '{"thing": {"rule": "item"}}', '{"thing": {"rule": "true", "x": 1}}', '{"thing": {"rule": 5}}', '{"thing": {}}', '{"thing": {"rule": ""}}',
    '{"thing": {"rule": "true) OR (true"}}', '{"thing": {"rule": "count(*) > 1"}}', '{"thing": {"rule": "true -- "}}', '{"thing": {"rule": "true ORDER BY 1"}}',
    '{"thing": {"rule": "exists (select 1)"}}', '{"thing": {"rule": "random() > 0.5"}}', '{"thing": {"rule": "country = ''BE''"}}',
    '{"thing": {"rule": "at > now() - interval ''3 days''"}}',
    '{"tag": "tags"}', '{"tag": "tag"}', '{"tag": "odd \"name"}', '{"tag": "tag)"}', '{"tag": "ctid"}', '{"tag": "who"}', '{"tag": 1}',
    '{"land": "country"}', '{"land": "contry"}', '{"land": "refreshed_at"}', '{"land": "it''s \"so\""}', '{"land": "who"}',
    '{"sizes": []}', '{"sizes": [["a"]]}', '{"sizes": [["a", "true", "b"]]}', '{"sizes": [["a", true]]}', '{"sizes": "x"}', '{"sizes": [["a", "true"], ["a", "false"]]}',
    '{"sizes": [["", "true"]]}', '{"sizes": [["a", "{{.test_n}} > 1 AND {{.purchases}} > 0"]]}', '{"sizes": [["a", "{{whole}} > 1"]]}', '{"sizes": [["a", "{{.none}}"]]}',
    '{"sizes": [["a", "{{.test_n}}) OR (true"]]}', '{"sizes": [["a", "{{.test_size}} = ''a''"]]}', '{"sizes": null}',
    '{"only": []}', '{"only": "test_n"}', '{"only": ["none"]}', '{"only": ["test_tag"]}', '{"only": ["test_after_land"]}', '{"only": ["test_without"], "tag": "tag"}', '{"only": null}',
    '{"prefix": 1}', '{"prefix": null}', '{"check_events": "no"}', '{"check_events": null}'
    ]) WITH ORDINALITY u(o, n) ORDER BY n;

-- Texts stay what they are: none is SQL, and none is a template.
CREATE TABLE pe.hostile (n int, t text);
INSERT INTO pe.hostile VALUES (1, $$it's$$), (2, $$''; DROP TABLE pe.c; --$$), (3, '{{word}}'), (4, '{{.test_n}}'), (5, '%s %n %1$s'), (6, 'back\slash\'''),
    (7, repeat('x', 70)), (8, 'ÄÖ€😀'), (9, '$$'), (10, E'new\nline'), (11, '{{{{word}}}}'), (12, ''), (13, '}}'), (14, '{{');
DO $$
DECLARE
    h record;
    got record;
BEGIN
    FOR h IN SELECT * FROM pe.hostile ORDER BY n LOOP
        UPDATE pe.event SET what = CASE WHEN what = 'look' THEN what ELSE h.t END;
        PERFORM segment.add_preset('pe.c', 'test', jsonb_build_object('word', h.t, 'words', ARRAY[h.t, h.t], 'purchase', h.t,
            'thing', jsonb_build_array(h.t, 'tea'), 'sizes', jsonb_build_array(jsonb_build_array('l' || h.t, 'true'))));
        CALL segment.refresh('pe.c');
        SELECT test_word = h.t AND test_words = ARRAY[h.t, h.t] AND test_tea = 2 AND test_size = 'l' || h.t AS right_,
            test_word, test_words, test_tea, test_size INTO got FROM pe.c WHERE who = 'ann';
        IF got.right_ IS NOT TRUE THEN
            RAISE WARNING 'wrong for %: %', h.t, got;
        END IF;
        IF EXISTS (SELECT FROM segment.verify('pe.c')) THEN
            RAISE WARNING 'verify';
        END IF;
        PERFORM segment.drop_preset('pe.c', 'test');
    END LOOP;
    UPDATE pe.event SET what = 'order' WHERE what <> 'look';
END $$;
-- So do prefixes; a name has room for 63 bytes.
DO $$
DECLARE
    p text;
BEGIN
    FOREACH p IN ARRAY ARRAY['a b', 'it''s "', '%s', '{{.test_n}}', 'ÄÖ€', 'UPPER', 'select ', repeat('x', 50)] LOOP
        PERFORM segment.add_preset('pe.c', 'test', jsonb_build_object('prefix', p));
        CALL segment.refresh('pe.c');
        IF EXISTS (SELECT FROM segment.verify('pe.c')) OR NOT EXISTS (
            SELECT FROM segment.table_presets WHERE tbl = 'pe.c'::regclass AND prefix = p AND p || 'test_n' = ANY (columns)) THEN
            RAISE WARNING 'wrong for %', p;
        END IF;
        PERFORM segment.drop_preset('pe.c', 'test', p);
    END LOOP;
END $$;
SELECT segment.add_preset('pe.c', 'test', jsonb_build_object('prefix', repeat('x', 51)));

-- Mistakes in a preset itself are told as such.
RESET ROLE;
INSERT INTO segment.preset_column (preset, name, position, kind, expression, description) VALUES
    ('test', 'bad_option', 90, 'score', '{{nothing}}', ''),
    ('test', 'bad_need', 91, 'score', '1', ''),
    ('test', 'bad_column', 92, 'score', '{{.nothing}}', ''),
    ('test', 'bad_braces', 93, 'score', '{{ word }}', ''),
    ('test', 'bad_element', 94, 'score', '{{cuts.0}}', ''),
    ('test', 'bad_circle', 95, 'score', '{{.bad_circle_too}} + 1', ''),
    ('test', 'bad_circle_too', 96, 'score', '{{.bad_circle}} + 1', ''),
    ('test', 'bad_labels', 97, 'group', '{{word}}', ''),
    ('test', 'bad_group', 98, 'group', 'word', ''),
    ('test', 'bad_sql', 99, 'score', '{{word}} {{word}}', '');
UPDATE segment.preset_column SET needs = '{nothing}' WHERE name = 'bad_need';
SET ROLE regress_segment_member;
SELECT n, pe.try(jsonb_build_object('only', ARRAY['bad_' || n]))
FROM unnest('{option,need,column,braces,element,circle,labels,group,sql}'::text[]) n;
RESET ROLE;
DELETE FROM segment.preset_column WHERE name LIKE 'bad%';
SET ROLE regress_segment_member;

-- Added: one mark for all, in order, with comments; what is left out is told once.
SET client_min_messages = notice;
CALL segment.refresh('pe.c');
RESET ROLE;
CREATE FUNCTION pe.marks() RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM (SELECT * FROM segment.mark_log_0 UNION ALL SELECT * FROM segment.mark_log_1) m WHERE m.tbl = 'pe.c'::regclass $$;
SELECT pe.marks() AS before \gset
SET ROLE regress_segment_member;
SELECT segment.add_preset('pe.c', 'test');
RESET ROLE;
SELECT pe.marks() - :before AS marks;
SET ROLE regress_segment_member;
SELECT preset, prefix, options, columns FROM segment.table_presets;
CALL segment.refresh('pe.c');
SELECT who, test_words, test_whole, test_amount, test_span, test_flag, test_cuts, test_spans, test_tea, test_either, test_without, test_size, test_n, test_band, test_label
FROM pe.c ORDER BY 1;
SELECT col_description('pe.c'::regclass, attnum) FROM pg_attribute WHERE attrelid = 'pe.c'::regclass AND attname = 'test_span';
SELECT * FROM segment.verify('pe.c');
-- The same again is nothing to do; defaults written out are the same.
SELECT segment.add_preset('pe.c', 'test', '{"whole": 3, "prefix": "", "check_events": false}');
RESET ROLE;
SELECT pe.marks() - :before AS marks;
SET ROLE regress_segment_member;
SELECT options FROM segment.table_presets;
SELECT segment.add_preset('pe.c', 'test', '{"whole": 4}');
SELECT segment.add_preset('pe.c', 'test', '{"only": ["test_n"]}');
-- It may be altered, and is not altered back; what was dropped by hand comes again.
SELECT segment.alter_segment('pe.c', 'test_flag', 'false');
SELECT segment.drop_score('pe.c', 'test_tea');
SELECT 'test_tea' = ANY (columns) AS remembered FROM segment.table_presets;
SELECT segment.add_preset('pe.c', 'test');
SELECT 'test_tea' = ANY (columns) AS remembered, (SELECT rule FROM segment.segments WHERE name = 'test_flag' AND tbl = t.tbl) AS flag
FROM segment.table_presets t;
CALL segment.refresh('pe.c');
SELECT * FROM segment.verify('pe.c');

-- A second one shares what is the same, and minds what is not.
SELECT segment.add_preset('pe.c', 'rfm');
SELECT segment.add_preset('pe.c', 'rfm', '{"purchase": "look"}');
SELECT segment.add_preset('pe.c', 'rfm', '{"purchase": "order"}');
SELECT preset, columns FROM segment.table_presets WHERE preset = 'rfm';
SELECT segment.drop_preset('pe.c', 'test');
SELECT preset, columns FROM segment.table_presets ORDER BY 1;
CALL segment.refresh('pe.c');
SELECT who, last_purchase, rfm_frequency FROM pe.c ORDER BY 1;
SELECT * FROM segment.verify('pe.c');
-- With a prefix it may look at other events.
SELECT segment.add_preset('pe.c', 'rfm', '{"purchase": "look", "prefix": "look_", "only": ["rfm_f"]}');
CALL segment.refresh('pe.c');
SELECT who, rfm_frequency, look_rfm_frequency FROM pe.c ORDER BY 1;

-- What the user reads stays, with all of it.
SELECT segment.add_segment('pe.c', 'mine', 'look_rfm_f > 1');
SELECT segment.drop_preset('pe.c', 'rfm', 'look_');
SELECT columns FROM segment.table_presets WHERE prefix = 'look_';
SELECT segment.drop_segment('pe.c', 'mine');
SELECT segment.set_eligible('pe.c', 'rfm_frequency > 0');
SELECT segment.drop_preset('pe.c', 'rfm');
SELECT segment.set_eligible('pe.c', NULL);
SET ROLE regress_segment_owner;
CREATE VIEW pe.report AS SELECT rfm_score FROM pe.c;
SET ROLE regress_segment_member;
SELECT segment.drop_preset('pe.c', 'rfm');
SET ROLE regress_segment_owner;
DROP VIEW pe.report;
SET ROLE regress_segment_member;
SELECT segment.drop_preset('pe.c', 'rfm', 'see_');
SELECT segment.drop_preset('pe.c', 'starter');
SELECT segment.drop_preset('pe.c', 'rfm', 'look_');
SELECT segment.drop_preset('pe.c', 'rfm');
SELECT segment.drop_preset('pe.c', 'rfm');
-- What he made himself is shared, and stays his; it has to mean the same, however it is written.
SELECT segment.add_score('pe.c', 'last_purchase', $$max(at) FILTER (WHERE 'order' = event)$$);
SELECT segment.add_preset('pe.c', 'rfm', '{"purchase": "order"}');
SELECT segment.drop_score('pe.c', 'last_purchase');
SELECT segment.add_score('pe.c', 'last_purchase', $$max( at ) FILTER (WHERE (event) = 'order'::text)$$);
SELECT segment.add_preset('pe.c', 'rfm', '{"purchase": "order"}');
SELECT columns FROM segment.table_presets;
-- A preset is remembered across export and import.
SELECT segment.definition('pe.c') -> 'presets' AS presets;
SELECT * FROM segment.apply_definition(segment.definition('pe.c'));
SELECT action, kind, name FROM segment.apply_definition(jsonb_set(segment.definition('pe.c'), '{table}', '"pe.copy"')) WHERE kind IN ('preset', 'table');
SELECT tbl, preset, prefix, options, columns FROM segment.table_presets ORDER BY 1;
SELECT segment.definition('pe.c') - 'table' = segment.definition('pe.copy') - 'table' AS same;
SELECT segment.drop_preset('pe.copy', 'rfm');
SELECT name FROM segment.scores WHERE tbl = 'pe.copy'::regclass ORDER BY 1;
SELECT action, kind, name, before, after FROM segment.apply_definition(segment.definition('pe.c') - 'presets', true);
SELECT action, kind, name, after FROM segment.apply_definition(jsonb_set(segment.definition('pe.c'), '{groups}', '[]'), true);
SELECT * FROM segment.apply_definition(jsonb_set(segment.definition('pe.c'), '{presets,0,colums}', '[]'));
SELECT * FROM segment.apply_definition(jsonb_set(segment.definition('pe.c'), '{presets,0,options}', '[]'));
SELECT * FROM segment.apply_definition(jsonb_set(segment.definition('pe.c'), '{presets,1}', segment.definition('pe.c') #> '{presets,0}'));
-- A type that changes makes a column anew, and the preset's it stays.
SELECT action, kind, name FROM segment.apply_definition(jsonb_set(segment.definition('pe.c'), '{scores}', (
    SELECT jsonb_agg(CASE WHEN s ->> 'name' = 'rfm_frequency' THEN jsonb_set(s, '{expression}', '"count(*)::int"') ELSE s END)
    FROM jsonb_array_elements(segment.definition('pe.c') -> 'scores') s))) WHERE kind <> 'order';
SELECT 'rfm_frequency' = ANY (columns) AS remembered FROM segment.table_presets WHERE tbl = 'pe.c'::regclass;
SELECT segment.drop_preset('pe.c', 'rfm');
SELECT name FROM segment.scores WHERE tbl = 'pe.c'::regclass ORDER BY 1;

-- Names of events: what is there is named; a list needs one of its names.
SELECT segment.add_preset('pe.c', 'rfm');
SELECT segment.add_preset('pe.c', 'rfm', '{"purchase": ["bought", "sold"]}');
RESET ROLE;
INSERT INTO segment.preset_column (preset, name, position, kind, expression, description) VALUES
    ('test', 'many_events', 90, 'score', 'count(*) FILTER (WHERE {{view}} OR {{cart}} OR {{login}} OR {{purchase}})', '');
SET ROLE regress_segment_member;
SELECT segment.add_preset('pe.c', 'test', '{"only": ["many_events"], "view": ["see", "look"], "cart": ["basket", "bag"]}');
SELECT segment.add_preset('pe.c', 'test', '{"only": ["test_whole"], "view": ["see"]}');
SELECT segment.drop_preset('pe.c', 'test');
SELECT segment.add_preset('pe.c', 'rfm', '{"purchase": ["bought", "order"], "prefix": "a_"}');
SELECT segment.add_preset('pe.c', 'rfm', '{"purchase": null, "prefix": "b_"}');
SELECT segment.add_preset('pe.c', 'rfm', '{"purchase": {"rule": "event = ''bought'' AND value > 0"}, "prefix": "c_"}');
SELECT segment.add_preset('pe.c', 'rfm', '{"purchase": "bought", "check_events": false, "prefix": "d_"}');
CALL segment.refresh('pe.c');
SELECT who, a_rfm_frequency, b_rfm_frequency, c_rfm_frequency, d_rfm_frequency FROM pe.c ORDER BY 1;
SELECT * FROM segment.verify('pe.c');
SET client_min_messages = warning;
INSERT INTO pe.event SELECT 'eve', '2028-01-01', 'kind ' || n FROM generate_series(10, 40) n;
SELECT segment.add_preset('pe.c', 'rfm');

-- The stream is looked at as the owner, by whoever it is asked.
RESET ROLE;
SET ROLE regress_segment_owner;
CREATE FUNCTION pe.kind(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
    IF current_user <> 'regress_segment_owner' THEN
        RAISE EXCEPTION 'run as %', current_user;
    END IF;
    RETURN $1;
END $$;
CREATE TABLE pe.other (who text, at timestamptz, what text);
INSERT INTO pe.other VALUES ('ann', '2028-01-01', 'order');
SELECT segment.create_table('pe.seen', 'who', 'text');
SELECT segment.add_source('pe.seen', 'pe.other', key => 'who', at => 'at', event => 'pe.kind(what)');
SET ROLE regress_segment_member;
SELECT segment.add_preset('pe.seen', 'rfm');
SELECT segment.add_preset('pe.seen', 'rfm', '{"purchase": "order"}');
RESET ROLE;
SELECT segment.add_preset('pe.seen', 'rfm', '{"purchase": "order", "prefix": "again_"}');
SELECT has_table_privilege('regress_segment_stranger', 'pe.seen', 'SELECT');
SET ROLE regress_segment_stranger;
SELECT count(*) FROM segment.table_presets;
RESET ROLE;

-- Gone with the table, however that goes.
DROP TABLE pe.seen CASCADE;
SELECT segment.drop_table('pe.c');
SELECT segment.drop_table('pe.copy');
SELECT * FROM segment.config_preset;
SELECT * FROM segment.config_preset_column;
DELETE FROM segment.preset WHERE name = 'test';
DELETE FROM segment.preset_option WHERE preset = 'test';
DELETE FROM segment.preset_column WHERE preset = 'test';
SELECT segment.drop_table('pe.empty');
DROP SCHEMA pe CASCADE;
DROP ROLE regress_segment_member, regress_segment_owner, regress_segment_stranger;
