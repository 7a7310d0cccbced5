-- All presets together in one segment table, with options by which no column is left out:
-- nothing in them is inexact in time, verify() is empty at several instants, and all of them go again.
SET client_min_messages = warning;
SET timezone = 'UTC';
SET segment.as_of = '2028-03-01 12:00:00+00';
CREATE SCHEMA pa;
CREATE TABLE pa.event (who int, at timestamptz, what text, item text, paid numeric, category text, series text, login text, quota numeric);
INSERT INTO pa.event
SELECT n % 40, timestamptz '2028-03-10 00:00+00' - (n * n % 997) * interval '17 hours' * (n % 40 + 1) / 20 - n * interval '1 second',
       kinds[1 + (n * 7 + n / 40) % cardinality(kinds)], 'item ' || n * n % 11, CASE WHEN n % 5 > 0 THEN n % 100 END,
       'category ' || n * n % 4, CASE WHEN n % 3 > 0 THEN 'series ' || n % 5 END, 'user ' || n % 40 * 3 + n % 7 % 3, 100
FROM generate_series(1, 4000) n, LATERAL (SELECT '{purchase,view,cart,login,signup,email_open,click,use,use,start,complete,finale,meter,list_size,
    coupon,review,compare,share,like,play,download,express,trial,subscribe,limit_reached,support_ticket,application,interview,offer,hire,
    job_start,skill,else,view,login,purchase}'::text[]) k(kinds);
CREATE TABLE pa.account (who int PRIMARY KEY, plan_limit numeric, trial_ends timestamptz, seats int, joined date);
INSERT INTO pa.account
SELECT n, nullif(n % 6, 0) * 20, timestamptz '2028-03-01 00:00+00' + n * interval '5 hours', n % 4, date '2026-03-02' - n
FROM generate_series(1, 45) n;
SELECT segment.create_table('pa.c', 'who', 'int', 'Europe/Berlin');
SELECT segment.add_source('pa.c', 'pa.event', key => 'who', at => 'at', event => 'what', value => 'paid', item => 'item',
    extra => '{"category": "category", "series": "series", "user_id": "login", "quota": "quota"}');
SELECT segment.add_attributes('pa.c', 'pa.account', 'who', '{"plan_limit": "plan_limit", "trial_ends": "trial_ends", "seats": "seats", "joined": "joined"}');
CREATE TABLE pa.option (preset text, options jsonb);
INSERT INTO pa.option VALUES
    ('b2b', '{"seats": "seats", "limit_reached": "limit_reached"}'),
    ('candidates', '{"required_skills": ["item 1", "item 4"]}'),
    ('cart_intent', '{"cart_emptied": "else"}'),
    ('churn_risk', '{"usual_gap": "100 days"}'),
    ('engagement', '{"content": "item 3"}'),
    ('interest', '{"category": "category"}'),
    ('journey', '{"pricing": "item 5"}'),
    ('purchase_behavior', '{"deal": "coupon"}'),
    ('streaming', '{"series": "series", "finale": "finale"}'),
    ('usage', '{"advanced": ["item 1", "item 3", "item 4"], "feature_a": "item 0", "feature_b": "item 9", "trial_ends": "trial_ends",
                "meter": "meter", "plan_limit": "plan_limit", "list_size": "list_size", "list_at_least": 50}');
SELECT segment.add_score('pa.c', 'mine', 'count(*)');
DO $$
DECLARE
    p text;
BEGIN
    FOR p IN SELECT name FROM segment.preset ORDER BY name COLLATE "C" LOOP
        PERFORM segment.add_preset('pa.c', p, coalesce((SELECT options FROM pa.option o WHERE o.preset = p), '{}'));
    END LOOP;
END $$;
SELECT count(*) = (SELECT count(*) FROM segment.preset) AS "all there" FROM segment.table_presets;
SELECT preset, name AS "left out" FROM segment.preset_column
WHERE preset <> '' AND name NOT IN (SELECT unnest(columns) FROM segment.table_presets);
-- Those with another option for the same, once more; who is in them.
SELECT segment.add_preset('pa.c', 'usage', '{"prefix": "by event ", "trial": "trial", "subscribe": "subscribe", "meter": "meter", "limit_column": "quota",
    "advanced": ["item 1", "item 3", "item 4"], "only": ["trial_expiring", "potential_power_user", "near_plan_limit"]}');
SELECT segment.add_preset('pa.c', 'occasion', '{"prefix": "by column ", "signup_date": "joined", "anniversary_days": 7, "only": ["signup_anniversary"]}');
SELECT segment.add_preset('pa.c', 'purchase_behavior', '{"prefix": "with bounds ", "high_value": 500, "only": ["high_value_frequent", "high_value_infrequent"]}');
SELECT segment.add_preset('pa.c', 'rfm', '{"prefix": "with bounds ", "recency_cuts": ["30 days", "60 days", "90 days", "180 days"],
    "frequency_cuts": [2, 3, 5, 10], "monetary_cuts": [50, 100, 200, 400]}');
SELECT segment.add_preset('pa.c', 'lifetime_value', '{"prefix": "with bounds ", "tier_amounts": [50, 200, 500]}');
SELECT segment.add_preset('pa.c', 'benefits_sought', $${"prefix": "by tag ", "tag": "category", "benefits": [["four", "{{.benefit_dominant}} = 'category 0'"]]}$$);
SELECT segment.add_preset('pa.c', 'cart_intent', '{"prefix": "by length ", "view_window": "14 days", "many_views": 2, "only": ["high_intent_shopper"]}');
SELECT segment.add_preset('pa.c', 'journey', '{"prefix": "by length ", "pricing_window": "14 days", "pricing_event": "compare", "pricing_visits": 2}');
SELECT segment.add_preset('pa.c', 'streaming', '{"prefix": "by episode ", "series": "series", "only": ["series_quitter"]}');
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
-- Segments of which nobody was at any of these instants, so that nothing is shown of them.
SELECT name FROM segment.segments WHERE tbl = 'pa.c'::regclass AND name NOT IN (SELECT segment FROM pa.c_history) ORDER BY name COLLATE "C";
-- With a prefix they are there a second time.
DO $$
DECLARE
    p text;
BEGIN
    FOR p IN SELECT name FROM segment.preset ORDER BY name COLLATE "C" LOOP
        PERFORM segment.add_preset('pa.c', p, '{"prefix": "x "}' || coalesce((SELECT options FROM pa.option o WHERE o.preset = p), '{}'));
        PERFORM segment.drop_preset('pa.c', p, 'x ');
    END LOOP;
END $$;
SELECT count(*) FROM segment.apply_definition(segment.definition('pa.c'));
DO $$
DECLARE
    p text;
    x text;
BEGIN
    FOR p, x IN SELECT preset, prefix FROM segment.table_presets ORDER BY preset COLLATE "C", prefix COLLATE "C" LOOP
        PERFORM segment.drop_preset('pa.c', p, x);
    END LOOP;
END $$;
\d pa.c
SELECT segment.drop_table('pa.c');
DROP SCHEMA pa CASCADE;
