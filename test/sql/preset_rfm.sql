-- The preset rfm.
SET client_min_messages = warning;
SET timezone = 'UTC';
SET segment.as_of = '2028-03-01 12:00:00+00';
CREATE SCHEMA rfm;
CREATE TABLE rfm.event (who text, at timestamptz, what text, paid numeric);
SELECT segment.create_table('rfm.c', 'who', 'text');
SELECT segment.add_source('rfm.c', 'rfm.event', key => 'who', at => 'at', event => 'what', value => 'paid');
SELECT count(*) AS columns_before FROM pg_attribute WHERE attrelid = 'rfm.c'::regclass AND attnum > 0 AND NOT attisdropped \gset

-- Five times five customers: fifths of recency and of frequency fall on each of them.
INSERT INTO rfm.event
SELECT format('r%sf%s', r, f), timestamptz '2028-03-01 12:00+00' - (6 - r) * interval '10 days' - n * interval '1 second',
       'purchase', r * 100
FROM generate_series(1, 5) r, generate_series(1, 5) f, generate_series(1, f) n;
INSERT INTO rfm.event VALUES
    ('only looks', '2028-02-28', 'view', 1000),
    ('buys tomorrow', '2028-03-02 12:00', 'purchase', 10);
SELECT segment.add_preset('rfm.c', 'rfm');
CALL segment.refresh('rfm.c');
\d rfm.c
SELECT a.attname, col_description(a.attrelid, a.attnum) FROM pg_attribute a
WHERE attrelid = 'rfm.c'::regclass AND attnum > 0 AND NOT attisdropped AND col_description(a.attrelid, a.attnum) IS NOT NULL ORDER BY attnum;
-- All 25 cells, each in one segment, and once alone.
SELECT rfm_r AS r,
       max(rfm_segment) FILTER (WHERE rfm_f = 1) AS f1, max(rfm_segment) FILTER (WHERE rfm_f = 2) AS f2,
       max(rfm_segment) FILTER (WHERE rfm_f = 3) AS f3, max(rfm_segment) FILTER (WHERE rfm_f = 4) AS f4,
       max(rfm_segment) FILTER (WHERE rfm_f = 5) AS f5,
       count(DISTINCT rfm_f) AS cells, count(*) AS customers, bool_and(who = format('r%sf%s', rfm_r, rfm_f)) AS "as named"
FROM rfm.c WHERE rfm_r IS NOT NULL GROUP BY 1 ORDER BY 1 DESC;
-- Exactly one rule of the grid holds of each cell, so that their order is of no matter.
SELECT string_agg(format('(%s)', replace(replace(rule->>1, '{{.rfm_r}}', 'r'), '{{.rfm_f}}', 'f')), ', ') AS rules
FROM segment.preset_option, jsonb_array_elements(default_value) rule WHERE preset = 'rfm' AND option = 'grid' \gset
SELECT count(*) AS cells, min(holds), max(holds) FROM (
    SELECT r, f, count(*) AS holds FROM generate_series(1, 5) r, generate_series(1, 5) f, LATERAL (VALUES :rules) v(rule)
    WHERE rule GROUP BY 1, 2) c;
-- Money goes by the sum, 100 times r times f.
SELECT rfm_r AS r, string_agg(format('%s: %s', rfm_monetary, rfm_m), ', ' ORDER BY rfm_f) AS m
FROM rfm.c WHERE rfm_r IS NOT NULL GROUP BY 1 ORDER BY 1 DESC;
SELECT labels FROM segment.groups WHERE tbl = 'rfm.c'::regclass AND name = 'rfm_segment';
-- Who has not bought has no rank; who buys tomorrow has none before.
SELECT who, last_purchase, rfm_frequency, rfm_monetary, rfm_r, rfm_f, rfm_m, rfm_score, rfm_segment
FROM rfm.c WHERE who !~ '^r' OR who IN ('r1f1', 'r5f5') ORDER BY who COLLATE "C";
SELECT * FROM segment.verify('rfm.c');
SET segment.as_of = '2028-03-02 12:00:00+00';
CALL segment.refresh('rfm.c');
SELECT who, rfm_r, rfm_f, rfm_m, rfm_score FROM rfm.c WHERE who = 'buys tomorrow';
SELECT * FROM segment.verify('rfm.c');
-- It goes, and leaves nothing.
SELECT segment.drop_preset('rfm.c', 'rfm');
SELECT count(*) - :columns_before AS columns_more FROM pg_attribute WHERE attrelid = 'rfm.c'::regclass AND attnum > 0 AND NOT attisdropped;
SELECT * FROM segment.table_presets WHERE tbl = 'rfm.c'::regclass;

-- Cut points of one's own: fixed bounds, exact in time.
TRUNCATE rfm.event;
INSERT INTO rfm.event VALUES
    ('one purchase', '2028-01-01 00:00', 'purchase', 9.99),
    ('two purchases', '2028-01-01 00:00', 'purchase', 5), ('two purchases', '2028-01-01 00:00', 'purchase', 5),
    ('ten for 1000', '2028-01-01 00:00', 'purchase', 991);
INSERT INTO rfm.event SELECT 'ten for 1000', '2027-12-31', 'purchase', 1 FROM generate_series(1, 9);
INSERT INTO rfm.event VALUES ('only looks', '2028-01-01', 'view', NULL), ('free', '2028-01-01 00:00', 'purchase', NULL);
SELECT segment.add_preset('rfm.c', 'rfm', '{"recency_cuts": ["7 days", "1 month", "60 days", "90 days"],
    "frequency_cuts": [2, 3, 5, 10], "monetary_cuts": [10, 100, "500.5", 1000]}');
SELECT name, expression FROM segment.scores WHERE tbl = 'rfm.c'::regclass AND name ~ 'rfm_[rfm]$' ORDER BY 1;
SELECT name, unanalyzed FROM segment.scores WHERE tbl = 'rfm.c'::regclass AND unanalyzed IS NOT NULL;
SET segment.as_of = '2028-01-07 23:59:59.999999+00';
CALL segment.refresh('rfm.c');
SELECT who, rfm_r, rfm_f, rfm_m, rfm_score, rfm_segment FROM rfm.c ORDER BY who COLLATE "C";
SELECT * FROM segment.verify('rfm.c');
SELECT instant, (SELECT string_agg(DISTINCT rfm_score, ' ' ORDER BY rfm_score) FROM segment.evaluate_rows(NULL::rfm.c, instant)) AS scores
FROM (VALUES (timestamptz '2028-01-08 00:00:00+00'), ('2028-01-31 23:59:59.999999+00'), ('2028-02-01 00:00:00+00'),
             ('2028-02-29 23:59:59.999999+00'), ('2028-03-01 00:00:00+00'), ('2028-03-30 23:59:59.999999+00'),
             ('2028-03-31 00:00:00+00')) v(instant);
-- Rows become due when they change.
SET segment.as_of = '2028-01-08 00:00:00+00';
CALL segment.refresh('rfm.c');
SELECT who, rfm_score, valid_until FROM rfm.c WHERE rfm_score IS NOT NULL ORDER BY who COLLATE "C";
SELECT * FROM segment.verify('rfm.c');
SET segment.as_of = '2028-03-31 00:00:00+00';
CALL segment.refresh('rfm.c');
SELECT who, rfm_score, valid_until FROM rfm.c WHERE rfm_score IS NOT NULL ORDER BY who COLLATE "C";
SELECT * FROM segment.verify('rfm.c');
SELECT segment.drop_preset('rfm.c', 'rfm');

-- Each bound of frequency and of money from both sides, and each cell where the rank is not the number itself.
INSERT INTO rfm.event SELECT to_char(n, 'FM00') || ' times', '2028-03-30', 'purchase', 1000 / n
FROM unnest('{1,3,4,7,8,11,12,15,16,17}'::int[]) n, generate_series(1, n);
INSERT INTO rfm.event SELECT 'pays ' || paid, '2028-03-30', 'purchase', paid
FROM unnest('{9.99,10,99.99,100,500.49,500.5,999.99,1000,1001}'::numeric[]) paid;
INSERT INTO rfm.event VALUES ('pays 9.99', '2028-03-30', 'view', 1000);
SELECT segment.add_preset('rfm.c', 'rfm', '{"recency_cuts": ["10 days", "20 days", "30 days", "40 days"],
    "frequency_cuts": [4, 8, 12, 16], "monetary_cuts": [10, 100, 500.5, 1000]}');
CALL segment.refresh('rfm.c');
SELECT who, rfm_frequency, rfm_monetary, rfm_score FROM rfm.c WHERE who ~ 'times|pays|free|looks' ORDER BY who COLLATE "C";
SELECT days, string_agg(DISTINCT format('%s: %s', rfm_f, rfm_segment), ', ') AS segments,
    string_agg(DISTINCT rfm_segment, ', ') FILTER (WHERE who ~ 'pays') AS "of one purchase"
FROM unnest('{0,10,20,30,40}'::int[]) days, segment.evaluate_rows(NULL::rfm.c, '2028-03-30 00:00+00'::timestamptz + days * interval '1 day')
WHERE who ~ 'times|pays' GROUP BY 1 ORDER BY 1;
SELECT * FROM segment.verify('rfm.c');
SELECT segment.drop_preset('rfm.c', 'rfm');
DELETE FROM rfm.event WHERE who ~ 'times|pays';
CALL segment.refresh('rfm.c');

-- Cut points that are none.
\set VERBOSITY default
SELECT segment.add_preset('rfm.c', 'rfm', '{"recency_cuts": ["7 days"]}');
SELECT segment.add_preset('rfm.c', 'rfm', '{"frequency_cuts": [1, 2, 3, 4, 5]}');
SELECT segment.add_preset('rfm.c', 'rfm', '{"frequency_cuts": [1, 2, 2, 4]}');
SELECT segment.add_preset('rfm.c', 'rfm', '{"monetary_cuts": 10}');
\set VERBOSITY terse

-- Another grid, and another name of the event.
SELECT segment.add_preset('rfm.c', 'rfm', $${"purchase": ["purchase", "order"], "frequency_cuts": [2, 3, 5, 10], "prefix": "my_",
    "grid": [["one", "{{.rfm_f}} = 1"], ["it's more", "my_rfm_f > 1 AND {{.rfm_m}} IS NOT NULL"]]}$$);
CALL segment.refresh('rfm.c');
SELECT who, my_rfm_r IS NOT NULL AS ranked, my_rfm_f, my_rfm_segment FROM rfm.c ORDER BY who COLLATE "C";
SELECT * FROM segment.verify('rfm.c');
SELECT segment.drop_preset('rfm.c', 'rfm', 'my_');
SELECT count(*) - :columns_before AS columns_more FROM pg_attribute WHERE attrelid = 'rfm.c'::regclass AND attnum > 0 AND NOT attisdropped;

-- Columns of it alone: what they read comes along.
SELECT segment.add_preset('rfm.c', 'rfm', '{"only": ["rfm_f"]}');
SELECT columns FROM segment.table_presets WHERE tbl = 'rfm.c'::regclass;
-- Fifths of ten are two each.
TRUNCATE rfm.event;
INSERT INTO rfm.event SELECT n || ' times', '2028-03-01', 'purchase', 1 FROM generate_series(1, 10) n, generate_series(1, n);
CALL segment.rebuild('rfm.c');
SELECT rfm_f, string_agg(who, ', ' ORDER BY rfm_frequency) FROM rfm.c GROUP BY 1 ORDER BY 1;
SELECT segment.drop_table('rfm.c');
SELECT count(*) FROM segment.config_preset WHERE tbl::oid NOT IN (SELECT oid FROM pg_class);
DROP SCHEMA rfm CASCADE;
