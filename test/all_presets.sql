-- All presets together on a log; prints what is wrong.  Variables: log, a table of
-- events by customer_id; at, event, value, item, series, expressions over it; first
-- and second, instants, of which the second is that of the last events.

SET client_min_messages = warning;
\o /dev/null
CREATE SCHEMA everything;
SELECT segment.create_table('everything.customers', 'customer_id', 'int', 'Europe/London');
SELECT segment.add_source('everything.customers', :'log', key => 'customer_id', at => :'at', event => :'event', value => :'value', item => :'item',
    extra => jsonb_build_object('user_id', 'customer_id % 7', 'series', :'series'));
CREATE TABLE everything.account AS
    SELECT DISTINCT customer_id, 20 AS plan_limit, :'second'::timestamptz + customer_id % 30 * interval '1 day' AS trial_ends, customer_id % 5 AS seats
    FROM :log WHERE customer_id IS NOT NULL;
SELECT segment.add_attributes('everything.customers', 'everything.account', 'customer_id',
    '{"plan_limit": "plan_limit", "trial_ends": "trial_ends", "seats": "seats"}');
-- Purchases stand for what else the presets ask for, so that as much as can be has members.
SELECT segment.add_preset('everything.customers', name, '{"check_events": false}' || coalesce(options::jsonb, '{}'))
FROM segment.preset LEFT JOIN (VALUES
    ('b2b', '{"seats": "seats", "limit_reached": {"rule": "value > 100"}, "ticket": {"rule": "value < 10"}}'),
    ('candidates', '{"application": "purchase", "interview": {"rule": "value > 20"}, "offer": {"rule": "value > 50"}, "hire": {"rule": "value > 100"},
                     "skill": "purchase", "required_skills": ["cd"]}'),
    ('churn_risk', '{"usual_gap": "100 days"}'),
    ('engagement', '{"media": "purchase", "download": "purchase", "content": {"rule": "true"}}'),
    ('loyalty', '{"advocacy": {"rule": "value > 200"}}'),
    ('purchase_behavior', '{"deal": {"rule": "value < 12"}}'),
    ('streaming', '{"start": "purchase", "complete": {"rule": "value > 15"}, "series": "series", "finale": {"rule": "value > 100"}}'),
    ('usage', '{"login": "purchase", "use": {"rule": "value > 15"}, "advanced": {"rule": "true"}, "feature_a": {"rule": "value > 20"},
                "feature_b": {"rule": "value > 40"}, "trial_ends": "trial_ends", "meter": "purchase", "plan_limit": "plan_limit", "list_size": "purchase"}')
    ) o (preset, options) ON preset = name
ORDER BY name COLLATE "C";
\o

SELECT name || ' is not there' FROM segment.preset WHERE name NOT IN (SELECT preset FROM segment.table_presets WHERE tbl = 'everything.customers'::regclass);
SELECT name || ' is not exact: ' || unanalyzed FROM segment.config_column WHERE tbl = 'everything.customers'::regclass AND unanalyzed IS NOT NULL;
SET segment.as_of = :'first';
CALL segment.refresh('everything.customers');
SELECT 'the table is empty' WHERE NOT EXISTS (SELECT FROM everything.customers);
SELECT * FROM segment.verify('everything.customers') LIMIT 20;
SET segment.as_of = :'second';
CALL segment.refresh('everything.customers');
SELECT * FROM segment.verify('everything.customers') LIMIT 20;
