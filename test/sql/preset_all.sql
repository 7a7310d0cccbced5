-- All presets together in one segment table: each can be added with its defaults, nothing in
-- them is inexact in time, verify() is empty at several instants, and all of them go again.
SET client_min_messages = warning;
SET timezone = 'UTC';
SET segment.as_of = '2028-03-01 12:00:00+00';
CREATE SCHEMA pa;
CREATE TABLE pa.event (who int, at timestamptz, what text, item text, paid numeric);
INSERT INTO pa.event
SELECT n % 40, timestamptz '2028-03-10 00:00+00' - (n * n % 997) * interval '17 hours' - n * interval '1 second',
       (ARRAY['purchase', 'view', 'cart', 'login', 'signup', 'email_open', 'click', 'else'])[1 + (n * 7 + n / 40) % 8],
       'item ' || n * n % 11, CASE WHEN n % 5 > 0 THEN n % 100 END
FROM generate_series(1, 2000) n;
SELECT segment.create_table('pa.c', 'who', 'int', 'Europe/Berlin');
SELECT segment.add_source('pa.c', 'pa.event', key => 'who', at => 'at', event => 'what', value => 'paid', item => 'item', extra => '{"user_id": "item"}');
SELECT segment.add_score('pa.c', 'mine', 'count(*)');
DO $$
DECLARE
    p text;
BEGIN
    FOR p IN SELECT name FROM segment.preset ORDER BY name COLLATE "C" LOOP
        PERFORM segment.add_preset('pa.c', p, '{"check_events": false}');
    END LOOP;
END $$;
SELECT count(*) = (SELECT count(*) FROM segment.preset) AS "all there" FROM segment.table_presets;
SELECT name, unanalyzed FROM segment.config_column WHERE tbl = 'pa.c'::regclass AND unanalyzed IS NOT NULL;
CALL segment.refresh('pa.c');
SELECT * FROM segment.verify('pa.c');
SET segment.as_of = '2028-03-02 00:00:00+01';
CALL segment.refresh('pa.c');
SELECT * FROM segment.verify('pa.c');
SET segment.as_of = '2028-04-15 07:00:00+00';
CALL segment.refresh('pa.c');
SELECT * FROM segment.verify('pa.c');
SET segment.as_of = '2029-04-15 07:00:00+00';
CALL segment.refresh('pa.c');
SELECT * FROM segment.verify('pa.c');
-- With a prefix they are there a second time.
DO $$
DECLARE
    p text;
BEGIN
    FOR p IN SELECT name FROM segment.preset ORDER BY name COLLATE "C" LOOP
        PERFORM segment.add_preset('pa.c', p, '{"check_events": false, "prefix": "x "}');
        PERFORM segment.drop_preset('pa.c', p, 'x ');
    END LOOP;
END $$;
SELECT count(*) FROM segment.apply_definition(segment.definition('pa.c'));
DO $$
DECLARE
    p text;
BEGIN
    FOR p IN SELECT preset FROM segment.table_presets ORDER BY preset COLLATE "C" LOOP
        PERFORM segment.drop_preset('pa.c', p);
    END LOOP;
END $$;
\d pa.c
SELECT segment.drop_table('pa.c');
DROP SCHEMA pa CASCADE;
