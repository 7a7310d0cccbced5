-- The preset lifetime_value: customers just inside and just outside every tier.
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
SET IntervalStyle = 'postgres';
SET segment.as_of = '2028-03-01 12:00';
CREATE SCHEMA worth;
CREATE TABLE worth.events (who text, at timestamptz, what text, value numeric);
CREATE INDEX ON worth.events (who);
SELECT segment.create_table('worth.customers', key => 'who', key_type => 'text');
SELECT segment.add_source('worth.customers', 'worth.events', key => 'who', at => 'at', event => 'what', value => 'value');
-- Twenty customers worth 10 to 200: two are a tenth.
INSERT INTO worth.events SELECT 'worth ' || to_char(n * 10, 'FM000'), '2028-01-01', 'purchase', n * 5
FROM generate_series(1, 20) n, generate_series(1, 2);
INSERT INTO worth.events VALUES
    ('worth 200', '2028-03-01 12:00:01', 'purchase', 1000),
    ('worth 200', '2028-01-01', 'view', 1000),
    ('looked only', '2028-01-01', 'view', NULL),
    ('of unknown worth', '2028-01-01', 'purchase', NULL);

SELECT segment.add_preset('worth.customers', 'lifetime_value');
CALL segment.refresh('worth.customers');
SELECT who, lifetime_value, lifetime_value_band AS band, lifetime_value_tier AS tier
FROM worth.customers ORDER BY lifetime_value, who;
SELECT count(*) FROM segment.verify('worth.customers');
SELECT step, level, condition, holds, "values", changes_at
FROM segment.explain('worth.customers', 'worth 180', 'lifetime_value_tier');
-- The purchase of the future counts when its time comes, as does a return.
INSERT INTO worth.events VALUES ('worth 190', '2028-03-01 12:00:01', 'purchase', -500);
CALL segment.refresh('worth.customers');
SET segment.as_of = '2028-03-01 12:00:01';
CALL segment.refresh('worth.customers');
SELECT who, lifetime_value, lifetime_value_band AS band, lifetime_value_tier AS tier
FROM worth.customers WHERE who IN ('worth 190', 'worth 200') ORDER BY who;
SELECT count(*) FROM segment.verify('worth.customers');
SELECT segment.drop_preset('worth.customers', 'lifetime_value');
SELECT attname FROM pg_attribute WHERE attrelid = 'worth.customers'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum;

-- Other tenths.
SELECT segment.add_preset('worth.customers', 'lifetime_value', '{"top_band": 9, "high_band": 7, "medium_band": 3}');
CALL segment.refresh('worth.customers');
SELECT lifetime_value_tier AS tier, count(*), min(lifetime_value), max(lifetime_value)
FROM worth.customers GROUP BY 1 ORDER BY 3 DESC NULLS LAST;
SELECT segment.drop_preset('worth.customers', 'lifetime_value');
-- Amounts, of the margin; each bound belongs to the tier above it.
SELECT segment.add_preset('worth.customers', 'lifetime_value', '{"margin": 0.4, "tier_amounts": [20, 44, 64]}');
CALL segment.refresh('worth.customers');
SELECT lifetime_value_tier AS tier, count(*), min(lifetime_value), max(lifetime_value)
FROM worth.customers GROUP BY 1 ORDER BY 3 DESC NULLS LAST;
SELECT count(*) FROM segment.verify('worth.customers');

SELECT segment.drop_table('worth.customers');
\o /dev/null
SET client_min_messages = warning;
DROP SCHEMA worth CASCADE;
