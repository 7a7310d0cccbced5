-- The presets of buying together, with their defaults, over many customers: all they say is said again by plain SQL that
-- uses nothing of the extension.
SET TimeZone = 'Europe/Berlin';
CREATE SCHEMA shop;
CREATE TABLE shop.events (who int, at timestamptz, what text, item text, value numeric);
CREATE INDEX ON shop.events (who);
SELECT segment.create_table('shop.customers', key => 'who', key_type => 'int', time_zone => 'Europe/Berlin');
SELECT segment.add_source('shop.customers', 'shop.events', key => 'who', at => 'at', event => 'what', value => 'value', item => 'item');

-- 400 customers of three years; a hash of customer and number decides when, what and how much.
INSERT INTO shop.events
SELECT who, timestamptz '2025-01-01' + make_interval(mins => when_from + (h1 % (1 + 1440 * 30 * (who % 37))) + (h2 % 90)), what,
       CASE WHEN h3 % 11 > 0 THEN chr(97 + h3 % (1 + who % 9)) END,
       CASE WHEN what = 'purchase' AND h4 % 13 > 0 THEN (h4 % 20000) / 100.0 * CASE WHEN who % 11 = 0 THEN 30 ELSE 1 END END
FROM (SELECT who, 1440 * (17 * who % 900) AS when_from, h1, h2, h3, h4,
             (ARRAY['view', 'view', 'purchase', 'cart', 'view', 'purchase', 'coupon', 'review', 'share', 'purchase'])
                 [1 + h0 % (1 + who % 10)] AS what
      FROM (SELECT who, ('x' || substr(h, 1, 4))::bit(16)::int AS h0, ('x' || substr(h, 5, 7))::bit(28)::int AS h1,
                   ('x' || substr(h, 12, 4))::bit(16)::int AS h2, ('x' || substr(h, 16, 4))::bit(16)::int AS h3,
                   ('x' || substr(h, 20, 4))::bit(16)::int AS h4
            FROM generate_series(1, 400) who, generate_series(1, 40) n, md5(format('%s %s', who, n)) h
            WHERE n <= 1 + 7 * who % 40) r) e;

SET segment.as_of = '2027-07-01 12:00';
SELECT segment.add_preset('shop.customers', 'purchase_behavior', '{"deal": "coupon"}');
SELECT segment.add_preset('shop.customers', 'loyalty', '{"advocacy": ["review", "share"]}');
SELECT segment.add_preset('shop.customers', 'user_status');
SELECT segment.add_preset('shop.customers', 'lifetime_value', '{"margin": 0.3}');
SELECT segment.add_preset('shop.customers', 'churn_risk', '{"usual_gap": "100 days"}');
SELECT preset, cardinality(columns) FROM segment.table_presets WHERE tbl = 'shop.customers'::regclass ORDER BY preset;
CALL segment.refresh('shop.customers');

-- Everything of a customer as of the setting. Gaps are lengths, windows those of the calendar.
CREATE VIEW shop.plain AS
WITH clock AS (SELECT current_setting('segment.as_of')::timestamptz AS t),
e AS (SELECT e.* FROM shop.events e, clock WHERE at <= t),
bought AS (
    SELECT who, count(*) AS n, min(at) AS first, max(at) AS last, 0.3 * sum(value) AS worth,
           count(*) FILTER (WHERE at > t - interval '365 days') AS orders,
           sum(value) FILTER (WHERE at > t - interval '365 days') AS spent,
           count(*) FILTER (WHERE at > t - interval '90 days') AS recent,
           count(*) FILTER (WHERE at <= t - interval '90 days' AND at > t - interval '180 days') AS before
    FROM e, clock WHERE what = 'purchase' GROUP BY who, t),
gaps AS (
    SELECT who, nullif(percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM gap)), 0) AS gap
    FROM (SELECT who, at - lag(at) OVER (PARTITION BY who ORDER BY at) AS gap FROM e WHERE what = 'purchase') g
    WHERE gap IS NOT NULL GROUP BY who),
taste AS (
    SELECT who, max(n) / sum(n) AS share
    FROM (SELECT who, item, count(*) AS n FROM e, clock
          WHERE what = 'purchase' AND item IS NOT NULL AND at > t - interval '365 days' GROUP BY who, item) i GROUP BY who),
looked AS (
    SELECT who, min(at) AS first, count(*) FILTER (WHERE at > t - interval '365 days') AS views,
           nullif(count(DISTINCT item) FILTER (WHERE at > t - interval '365 days'), 0) AS items,
           count(*) FILTER (WHERE at > t - interval '7 days') AS recent
    FROM e, clock WHERE what = 'view' GROUP BY who, t),
others AS (
    SELECT who, max(at) AS seen, max(at) FILTER (WHERE what = 'cart') AS cart,
           count(*) FILTER (WHERE what IN ('review', 'share')) AS praise,
           count(*) FILTER (WHERE what = 'coupon' AND at > t - interval '365 days') AS deals
    FROM e, clock GROUP BY who, t),
visits AS (
    SELECT who, count(*) FILTER (WHERE pause IS NULL OR pause > interval '30 minutes') AS n
    FROM (SELECT who, at - lag(at) OVER (PARTITION BY who ORDER BY at) AS pause FROM e) p GROUP BY who),
-- in band b of k is who is above the amount at place ceil(n * (b - 1) / k) of n, and above no later one
cuts AS (
    SELECT percentile_disc(ARRAY[0.2, 0.4, 0.6, 0.8]) WITHIN GROUP (ORDER BY spent) AS spent,
           percentile_disc(ARRAY[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]) WITHIN GROUP (ORDER BY worth) AS worth
    FROM bought),
bands AS (
    SELECT who, (SELECT 1 + count(*) FROM unnest(c.spent) cut WHERE cut < b.spent) AS fifth,
           CASE WHEN b.worth IS NOT NULL THEN (SELECT 1 + count(*) FROM unnest(c.worth) cut WHERE cut < b.worth) END AS tenth
    FROM bought b, cuts c),
c AS (
    SELECT o.who, t, coalesce(b.n, 0) AS n, b.first, b.last, coalesce(orders, 0) AS orders, coalesce(b.recent, 0) AS bought_lately,
           coalesce(before, 0) AS bought_before, fifth, tenth, share, l.first AS looked_first, coalesce(views, 0) AS views, items,
           coalesce(l.recent, 0) AS looked_lately, seen, cart, praise, deals, v.n AS visits, gap,
           extract(epoch FROM t - last) AS since,
           CASE WHEN b.n >= 3 THEN greatest(coalesce(gap, 0), 7 * 86400) WHEN b.n >= 1 THEN 100 * 86400 END AS measure
    FROM clock, others o JOIN visits v USING (who) LEFT JOIN bought b USING (who) LEFT JOIN gaps USING (who)
         LEFT JOIN taste USING (who) LEFT JOIN looked l USING (who) LEFT JOIN bands USING (who)),
d AS (
    SELECT *, coalesce(since >= 2 * measure, false) AS overdue, bought_before >= 3 AND bought_lately <= bought_before / 2.0 AS declining
    FROM c)
SELECT who, n = 1 AS first_time_buyer,
       coalesce(n >= 3 AND last > t - interval '90 days', false) AS repeat_loyal,
       coalesce(orders >= 5 AND fifth = 5, false) AS high_value_frequent,
       coalesce(orders IN (1, 2) AND fifth = 5, false) AS high_value_infrequent,
       coalesce(last <= t - interval '90 days', false) AS lapsed,
       orders >= 2 AND deals >= 0.5 * orders AS deal_seeker,
       coalesce(first >= looked_first AND first <= looked_first + interval '1 hour', false) AS impulse,
       coalesce(first >= looked_first + interval '7 days', false) AS researcher,
       coalesce(orders >= 1 AND views >= 5 * orders AND items >= 3 * orders, false) AS complex,
       coalesce(orders >= 1 AND views >= 5 * orders AND items < 3 * orders, false) AS dissonance_reducing,
       coalesce(orders >= 3 AND share >= 0.6 AND views < 5 * orders, false) AS habitual,
       coalesce(orders >= 3 AND share <= 0.4 AND views < 5 * orders, false) AS variety_seeking,
       coalesce(cart > t - interval '7 days' AND cart > last, cart > t - interval '7 days', false)
           OR looked_lately >= 5 AND coalesce(last <= t - interval '7 days', true)
           OR coalesce(n >= 3 AND since BETWEEN 0.8 * gap AND 1.2 * gap, false) AS likely_to_buy,
       CASE WHEN n >= 2 AND praise >= 1 THEN 'advocate' WHEN n >= 2 THEN 'repeat customer' WHEN n = 1 THEN 'customer'
            WHEN visits >= 2 THEN 'repeat visitor' ELSE 'first-time visitor' END AS loyalty_stage,
       CASE WHEN last <= t - interval '180 days' THEN 'ex' WHEN n >= 2 THEN 'regular' WHEN n = 1 THEN 'first-time'
            WHEN seen > t - interval '90 days' THEN 'potential' ELSE 'non' END AS user_status,
       CASE WHEN tenth = 10 THEN 'top' WHEN tenth >= 8 THEN 'high' WHEN tenth >= 4 THEN 'medium' WHEN tenth >= 1 THEN 'low'
            ELSE 'none' END AS lifetime_value_tier,
       overdue AS churn_overdue, declining AS churn_declining,
       CASE WHEN since >= 6 * measure THEN 'lost' WHEN since >= 3 * measure OR overdue AND declining THEN 'high'
            WHEN overdue OR declining THEN 'medium' WHEN measure IS NOT NULL THEN 'low' END AS churn_risk
FROM d;

-- How many of each, and nobody who differs.
PREPARE sizes AS
    SELECT s.key AS name, s.value, count(*) FROM shop.plain p, jsonb_each_text(to_jsonb(p) - 'who') s
    WHERE s.value <> 'false' GROUP BY 1, 2 ORDER BY s.key COLLATE "C", s.value COLLATE "C";
PREPARE differences AS
    SELECT p.who, s.key, s.value AS plain, to_jsonb(c) ->> s.key AS preset
    FROM shop.plain p FULL JOIN shop.customers c USING (who), jsonb_each_text(to_jsonb(p)) s
    WHERE s.value IS DISTINCT FROM to_jsonb(c) ->> s.key;
EXECUTE sizes;
EXECUTE differences;
SELECT count(*) FROM segment.verify('shop.customers');
-- Time passes: rows that are due change, and nothing else is read. Bands are cut anew to compare.
SET segment.as_of = '2027-07-03 18:30';
CALL segment.refresh('shop.customers');
SELECT count(*) FROM segment.verify('shop.customers');
SELECT segment.recut('shop.customers', name) FROM segment.bands WHERE tbl = 'shop.customers'::regclass ORDER BY name;
CALL segment.refresh('shop.customers');
EXECUTE differences;
SET segment.as_of = '2027-11-11 11:11:11';
CALL segment.refresh('shop.customers');
SELECT count(*) FROM segment.verify('shop.customers');
CALL segment.rebuild('shop.customers');
EXECUTE sizes;
EXECUTE differences;

SELECT segment.drop_table('shop.customers');
\o /dev/null
SET client_min_messages = warning;
DROP SCHEMA shop CASCADE;
