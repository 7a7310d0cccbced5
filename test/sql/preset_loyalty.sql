-- The presets loyalty and user_status: customers just inside and just outside every bound. Keys say what the customers
-- are. Noon of 1 March 2028.
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
SET IntervalStyle = 'postgres';
SET segment.as_of = '2028-03-01 12:00';
CREATE SCHEMA loyalty;
CREATE TABLE loyalty.events (who text, at timestamptz, what text);
CREATE INDEX ON loyalty.events (who);
CREATE TABLE loyalty.people (who text PRIMARY KEY);
INSERT INTO loyalty.people VALUES ('known by name alone');
SELECT segment.create_table('loyalty.customers', key => 'who', key_type => 'text');
SELECT segment.add_source('loyalty.customers', 'loyalty.events', key => 'who', at => 'at', event => 'what');
SELECT segment.add_attributes('loyalty.customers', 'loyalty.people', key => 'who', columns => '{}');

CREATE FUNCTION loyalty.put(who text, what text, VARIADIC ago interval[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO loyalty.events SELECT who, timestamptz '2028-03-01 12:00' - a, what FROM unnest(ago) a
$$;
\o /dev/null
SELECT loyalty.put('1 visit of 30 minutes', 'view', '50 days', '49 days 23:30');
SELECT loyalty.put('2 visits, just over 30 minutes apart', 'view', '50 days', '49 days 23:29:59.999999');
SELECT loyalty.put('3 visits', 'view', '50 days', '40 days', '30 days');
SELECT loyalty.put('1 visit, another in the future', 'view', '50 days', '-1 seconds');
SELECT loyalty.put('1 purchase', 'purchase', '10 days');
SELECT loyalty.put('1 purchase and a review', 'purchase', '10 days');
SELECT loyalty.put('1 purchase and a review', 'review', '9 days');
SELECT loyalty.put('a review alone', 'review', '9 days');
SELECT loyalty.put('2 purchases', 'purchase', '10 days', '10 days');
SELECT loyalty.put('2 purchases and a review', 'purchase', '20 days', '10 days');
SELECT loyalty.put('2 purchases and a review', 'review', '30 days');
SELECT loyalty.put('3 purchases, 2 reviews, shared', 'purchase', '200 days', '180 days -0.000001 seconds', '900 days');
SELECT loyalty.put('3 purchases, 2 reviews, shared', 'review', '800 days', '700 days');
SELECT loyalty.put('3 purchases, 2 reviews, shared', 'share', '600 days');
SELECT loyalty.put('2 purchases, the last 180 days ago', 'purchase', '900 days', '180 days');
SELECT loyalty.put('1 purchase 180 days ago, seen today', 'purchase', '180 days');
SELECT loyalty.put('1 purchase 180 days ago, seen today', 'view', '0');
SELECT loyalty.put('seen just under 90 days ago', 'login', '90 days -0.000001 seconds');
SELECT loyalty.put('seen 90 days ago', 'view', '90 days');
\o

-- The stages of loyalty need to know what an advocate does; none of these people refers.
SELECT segment.add_preset('loyalty.customers', 'loyalty', '{"advocacy": "referral"}');
SELECT segment.add_preset('loyalty.customers', 'loyalty');
SELECT segment.add_preset('loyalty.customers', 'user_status');
CALL segment.refresh('loyalty.customers');
SELECT name, unanalyzed FROM segment.groups WHERE tbl = 'loyalty.customers'::regclass AND unanalyzed IS NOT NULL
UNION ALL SELECT name, unanalyzed FROM segment.scores WHERE tbl = 'loyalty.customers'::regclass AND unanalyzed IS NOT NULL;
SELECT who, purchases, loyalty_visits, loyalty_advocacy, loyalty_stage, user_status
FROM loyalty.customers ORDER BY who COLLATE "C";
SELECT count(*) FROM segment.verify('loyalty.customers');

-- A microsecond earlier and later, and a second.
CREATE TABLE loyalty.noon AS SELECT * FROM loyalty.customers;
PREPARE moved AS
    SELECT c.who, b.loyalty_stage AS stage_before, c.loyalty_stage, b.user_status AS status_before, c.user_status
    FROM loyalty.customers c JOIN loyalty.noon b USING (who)
    WHERE (c.loyalty_stage, c.user_status) IS DISTINCT FROM (b.loyalty_stage, b.user_status) ORDER BY who COLLATE "C";
SET segment.as_of = '2028-03-01 11:59:59.999999';
CALL segment.refresh('loyalty.customers');
EXECUTE moved;
SELECT count(*) FROM segment.verify('loyalty.customers');
SET segment.as_of = '2028-03-01 12:00:00.000001';
CALL segment.refresh('loyalty.customers');
EXECUTE moved;
SELECT count(*) FROM segment.verify('loyalty.customers');
SET segment.as_of = '2028-03-01 12:00:01';
CALL segment.refresh('loyalty.customers');
EXECUTE moved;
SET segment.as_of = '2029-06-01';
CALL segment.refresh('loyalty.customers');
SELECT user_status, count(*) FROM loyalty.customers GROUP BY 1 ORDER BY 1;
SELECT count(*) FROM segment.verify('loyalty.customers');
SET segment.as_of = '2028-03-01 12:00';
CALL segment.refresh('loyalty.customers');

SELECT step, level, condition, holds, "values", changes_at
FROM segment.explain('loyalty.customers', '3 purchases, 2 reviews, shared', 'user_status');

-- Other options.
SELECT segment.drop_preset('loyalty.customers', 'loyalty');
SELECT segment.drop_preset('loyalty.customers', 'user_status');
SELECT attname FROM pg_attribute WHERE attrelid = 'loyalty.customers'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum;
SELECT segment.add_preset('loyalty.customers', 'loyalty', '{"visit": "view", "visit_gap": "30 minutes 0.000001 seconds",
    "repeat_visits": 3, "repeat_purchases": 3, "advocacy": "review", "advocate_events": 2}');
SELECT segment.add_preset('loyalty.customers', 'user_status', '{"regular_purchases": 3, "ex_after": "180 days -0.000001 seconds",
    "interest": ["view", "cart"], "potential_within": "90 days 0.000001 seconds"}');
CALL segment.refresh('loyalty.customers');
EXECUTE moved;
SELECT count(*) FROM segment.verify('loyalty.customers');
SELECT segment.drop_preset('loyalty.customers', 'loyalty');
-- Without advocates.
SELECT segment.add_preset('loyalty.customers', 'loyalty', '{"advocacy": null}');
CALL segment.refresh('loyalty.customers');
SELECT loyalty_stage, count(*) FROM loyalty.customers GROUP BY 1 ORDER BY 1;

SELECT segment.drop_table('loyalty.customers');
\o /dev/null
SET client_min_messages = warning;
DROP SCHEMA loyalty CASCADE;
