-- The preset churn_risk: customers just inside and just outside every bound. Keys say what the customers are. Noon of
-- 1 March 2028; the last period begins on 2 December 2027 at noon, the one before it on 3 September.
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
SET IntervalStyle = 'postgres';
SET segment.as_of = '2028-03-01 12:00';
CREATE SCHEMA churn;
CREATE TABLE churn.events (who text, at timestamptz, what text);
CREATE INDEX ON churn.events (who);
SELECT segment.create_table('churn.customers', key => 'who', key_type => 'text');
SELECT segment.add_source('churn.customers', 'churn.events', key => 'who', at => 'at', event => 'what');

-- Purchases of one customer: so many, so far apart, the last so long ago.
CREATE FUNCTION churn.put(who text, purchases int, gap interval, ago interval) RETURNS void LANGUAGE sql AS $$
    INSERT INTO churn.events
    SELECT who, timestamptz '2028-03-01 12:00' - ago - (n - 1) * gap, 'purchase' FROM generate_series(1, purchases) n
$$;
\o /dev/null
INSERT INTO churn.events VALUES ('never bought', '2028-01-01', 'view');
SELECT churn.put('once', 1, '0', '1000 days');
SELECT churn.put('twice, 10 days apart', 2, '10 days', '1000 days');
SELECT churn.put('every 50 days, in time', 3, '50 days', '50 days');
SELECT churn.put('every 50 days, just under 2 gaps ago', 3, '50 days', '100 days -0.000001 seconds');
SELECT churn.put('every 50 days, 2 gaps ago', 3, '50 days', '100 days');
SELECT churn.put('every 50 days, just under 3 gaps ago', 3, '50 days', '150 days -0.000001 seconds');
SELECT churn.put('every 50 days, 3 gaps ago', 3, '50 days', '150 days');
SELECT churn.put('every 50 days, just under 6 gaps ago', 3, '50 days', '300 days -0.000001 seconds');
SELECT churn.put('every 50 days, 6 gaps ago', 3, '50 days', '300 days');
SELECT churn.put('every year, a year ago', 3, '365 days', '365 days');
SELECT churn.put('3 in an hour, 13 days ago', 3, '30 minutes', '13 days');
SELECT churn.put('3 at one time, 14 days ago', 3, '0', '14 days');
-- 4 in the period before and 2 in the last one: half
SELECT churn.put('from 4 to 2', 4, '10 days', '130 days');
SELECT churn.put('from 4 to 2', 2, '10 days', '10 days');
SELECT churn.put('from 4 to 3', 4, '10 days', '130 days');
SELECT churn.put('from 4 to 3', 3, '10 days', '10 days');
SELECT churn.put('from 2 to 1', 2, '20 days', '120 days');
SELECT churn.put('from 2 to 1', 1, '0', '30 days');
-- 3 in the period before, of which one at the bound, and 1 in the last one
SELECT churn.put('from 3 to 1, one 90 days ago', 3, '20 days', '90 days');
SELECT churn.put('from 3 to 1, one 90 days ago', 1, '0', '30 days');
SELECT churn.put('from 2 to 2, one just under 90 days ago', 3, '20 days', '90 days -0.000001 seconds');
SELECT churn.put('from 2 to 2, one just under 90 days ago', 1, '0', '30 days');
SELECT churn.put('from 3 to 1, one just under 180 days ago', 3, '30 days', '120 days -0.000001 seconds');
SELECT churn.put('from 3 to 1, one just under 180 days ago', 1, '0', '30 days');
SELECT churn.put('from 2 to 1, one 180 days ago', 3, '30 days', '120 days');
SELECT churn.put('from 2 to 1, one 180 days ago', 1, '0', '30 days');
SELECT churn.put('from 4 to 0, 5 gaps ago', 4, '20 days', '100 days');
SELECT churn.put('from 3 to 1, 2 gaps ago', 4, '35 days', '70 days');
\o

SELECT segment.add_preset('churn.customers', 'churn_risk');
CALL segment.refresh('churn.customers');
SELECT name, unanalyzed FROM segment.segments WHERE tbl = 'churn.customers'::regclass AND unanalyzed IS NOT NULL
UNION ALL SELECT name, unanalyzed FROM segment.groups WHERE tbl = 'churn.customers'::regclass AND unanalyzed IS NOT NULL
UNION ALL SELECT name, unanalyzed FROM segment.scores WHERE tbl = 'churn.customers'::regclass AND unanalyzed IS NOT NULL;
SELECT who, churn_gap AS gap, churn_before AS before, churn_recent AS recent, churn_overdue AS overdue,
       churn_declining AS declining, churn_risk
FROM churn.customers ORDER BY who COLLATE "C";
SELECT count(*) FROM segment.verify('churn.customers');

-- A microsecond earlier and later; a year.
CREATE TABLE churn.noon AS SELECT * FROM churn.customers;
PREPARE moved AS
    SELECT c.who, c.churn_before AS before, c.churn_recent AS recent, b.churn_risk AS risk_before, c.churn_risk
    FROM churn.customers c JOIN churn.noon b USING (who)
    WHERE (c.churn_before, c.churn_recent, c.churn_overdue, c.churn_declining, c.churn_risk)
        IS DISTINCT FROM (b.churn_before, b.churn_recent, b.churn_overdue, b.churn_declining, b.churn_risk)
    ORDER BY who COLLATE "C";
SET segment.as_of = '2028-03-01 11:59:59.999999';
CALL segment.refresh('churn.customers');
EXECUTE moved;
SELECT count(*) FROM segment.verify('churn.customers');
SET segment.as_of = '2028-03-01 12:00:00.000001';
CALL segment.refresh('churn.customers');
EXECUTE moved;
SELECT count(*) FROM segment.verify('churn.customers');
SET segment.as_of = '2031-03-01';
CALL segment.refresh('churn.customers');
SELECT churn_risk, count(*) FROM churn.customers GROUP BY 1 ORDER BY 1;
SELECT count(*) FROM segment.verify('churn.customers');
SET segment.as_of = '2028-03-01 12:00';
CALL segment.refresh('churn.customers');

-- Why.
SELECT step, level, condition, holds, "values", changes_at
FROM segment.explain('churn.customers', 'from 4 to 2', 'churn_risk');

-- Other options.
SELECT segment.drop_preset('churn.customers', 'churn_risk');
SELECT attname FROM pg_attribute WHERE attrelid = 'churn.customers'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum;
SELECT segment.add_preset('churn.customers', 'churn_risk', '{"rhythm_purchases": 2, "least_gap": "20 days",
    "usual_gap": "400 days", "overdue_ratio": 1, "high_ratio": 1.5, "lost_ratio": 5,
    "decline_period": "90 days 0.000001 seconds", "decline_ratio": 0.75, "decline_purchases": 2}');
CALL segment.refresh('churn.customers');
EXECUTE moved;
SELECT who, churn_gap FROM churn.customers WHERE who LIKE '3 %' OR who LIKE '%ce%' AND who NOT LIKE 'from%' ORDER BY who COLLATE "C";
SELECT count(*) FROM segment.verify('churn.customers');


-- The two periods are those of the table's time zone: 180 days ago it was an hour earlier on the clocks of the world.
SELECT segment.create_table('churn.berlin', key => 'who', key_type => 'text', time_zone => 'Europe/Berlin');
SELECT segment.add_source('churn.berlin', 'churn.events', key => 'who', at => 'at', event => 'what');
DELETE FROM churn.events;
INSERT INTO churn.events VALUES ('180 days ago', '2027-09-03 11:00', 'purchase'),
    ('just under 180 days ago', '2027-09-03 11:00:00.000001', 'purchase');
SELECT segment.add_preset('churn.berlin', 'churn_risk');
CALL segment.refresh('churn.berlin');
SELECT who, churn_before, valid_until FROM churn.berlin ORDER BY 1;
SELECT count(*) FROM segment.verify('churn.berlin');

SELECT segment.drop_table('churn.berlin');
SELECT segment.drop_table('churn.customers');
\o /dev/null
SET client_min_messages = warning;
DROP SCHEMA churn CASCADE;
