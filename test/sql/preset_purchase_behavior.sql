-- The preset purchase_behavior: customers just inside and just outside every bound.
-- Keys say what the customers are. It is noon of 1 March 2028; a window of 365 days begins at noon of 2 March 2027.
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
SET IntervalStyle = 'postgres';
SET segment.as_of = '2028-03-01 12:00';
CREATE SCHEMA buying;
CREATE TABLE buying.events (who text, at timestamptz, what text, item text, value numeric, coupon text);
CREATE INDEX ON buying.events (who);
SELECT segment.create_table('buying.customers', key => 'who', key_type => 'text');
SELECT segment.add_source('buying.customers', 'buying.events', key => 'who', at => 'at', event => 'what',
                          value => 'value', item => 'item', extra => '{"coupon": "coupon", "kind": "left(item, 1)"}');

-- Events of one customer: so long ago, of these items by turns, all of one value.
CREATE FUNCTION buying.put(who text, what text, ago interval[], value numeric DEFAULT NULL, items text[] DEFAULT '{thing}',
                           coupon text DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
    INSERT INTO buying.events
    SELECT who, timestamptz '2028-03-01 12:00' - a.ago, what, items[1 + (a.n - 1) % cardinality(items)], value, coupon
    FROM unnest(ago) WITH ORDINALITY AS a(ago, n)
$$;
CREATE FUNCTION buying.days(first int, last int, step int DEFAULT 1) RETURNS interval[] LANGUAGE sql AS $$
    SELECT array_agg(make_interval(days => d)) FROM generate_series(first, last, step) d
$$;

-- Each customer whose key begins so, with the segments that they are in.
PREPARE segments(text) AS
    SELECT c.who, coalesce(string_agg(s.key, ', ' ORDER BY s.key COLLATE "C"), '-') AS segments
    FROM buying.customers c LEFT JOIN LATERAL jsonb_each_text(to_jsonb(c)) s ON s.value = 'true'
    WHERE c.who LIKE $1 GROUP BY c.who ORDER BY c.who COLLATE "C";

\o /dev/null
-- counts of purchases, all of them long ago, far apart and of little value
SELECT buying.put('count: none', 'view', '{400 days}');
SELECT buying.put('count: one', 'purchase', '{400 days}', 1);
SELECT buying.put('count: two', 'purchase', '{900 days,400 days}', 1);
-- loyal and lapsed
SELECT buying.put('loyal: 3, the last just under 90 days ago', 'purchase', '{2000 days,1000 days,90 days -0.000001 seconds}', 1);
SELECT buying.put('loyal: 3, the last 90 days ago', 'purchase', '{2000 days,1000 days,90 days}', 1);
SELECT buying.put('loyal: 2, the last just under 90 days ago', 'purchase', '{1000 days,90 days -0.000001 seconds}', 1);
SELECT buying.put('loyal: 3, the last in the future', 'purchase', '{2000 days,1000 days,-1 seconds}', 1);
-- value: 500 in the window
SELECT buying.put('value: 5 for 500', 'purchase', '{360 days,300 days,200 days,190 days,100 days}', 100);
SELECT buying.put('value: 5 for 499.95', 'purchase', '{360 days,300 days,200 days,190 days,100 days}', 99.99);
SELECT buying.put('value: 4 for 500', 'purchase', '{360 days,300 days,200 days,100 days}', 125);
SELECT buying.put('value: 5 for 625, one 365 days ago', 'purchase', '{365 days,300 days,200 days,190 days,100 days}', 125);
SELECT buying.put('value: 5 for 625, one just under 365 days ago', 'purchase', '{365 days -0.000001 seconds,300 days,200 days,190 days,100 days}', 125);
SELECT buying.put('value: 3 for 501', 'purchase', '{360 days,300 days,100 days}', 167);
SELECT buying.put('value: 2 for 500', 'purchase', '{360 days,100 days}', 250);
SELECT buying.put('value: 2 for 499.98', 'purchase', '{360 days,100 days}', 249.99);
SELECT buying.put('value: 1 for 500', 'purchase', '{100 days}', 500);
SELECT buying.put('value: 1 for 500, 365 days ago', 'purchase', '{365 days}', 500);
SELECT buying.put('value: 2 of unknown value', 'purchase', '{360 days,100 days}');
-- deals
SELECT buying.put('deal: 2 of 4', 'purchase', '{360 days,100 days}', 1);
SELECT buying.put('deal: 2 of 4', 'purchase', '{350 days,110 days}', 1, coupon => 'SPRING');
SELECT buying.put('deal: 1 of 3', 'purchase', '{360 days,100 days}', 1);
SELECT buying.put('deal: 1 of 3', 'purchase', '{350 days}', 1, coupon => 'SPRING');
SELECT buying.put('deal: 1 of 1', 'purchase', '{100 days}', 1, coupon => 'SPRING');
SELECT buying.put('deal: 1 of 3, and 1 of 1 365 days ago', 'purchase', '{365 days,100 days}', 1, coupon => 'SPRING');
SELECT buying.put('deal: 1 of 3, and 1 of 1 365 days ago', 'purchase', '{350 days,110 days}', 1, coupon => '');
SELECT buying.put('deal: 1 of 3, and 1 viewed', 'purchase', '{350 days,110 days}', 1);
SELECT buying.put('deal: 1 of 3, and 1 viewed', 'purchase', '{100 days}', 1, coupon => 'SPRING');
SELECT buying.put('deal: 1 of 3, and 1 viewed', 'view', '{110 days}', 1, coupon => 'SPRING');
-- from the first view to the first purchase
SELECT buying.put('decides: at once', 'view', '{400 days}');
SELECT buying.put('decides: at once', 'purchase', '{400 days}', 1);
SELECT buying.put('decides: in 1 hour', 'view', '{400 days}');
SELECT buying.put('decides: in 1 hour', 'purchase', '{399 days 23:00}', 1);
SELECT buying.put('decides: in just over 1 hour', 'view', '{400 days}');
SELECT buying.put('decides: in just over 1 hour', 'purchase', '{399 days 22:59:59.999999}', 1);
SELECT buying.put('decides: in just under 7 days', 'view', '{400 days}');
SELECT buying.put('decides: in just under 7 days', 'purchase', '{393 days 00:00:00.000001}', 1);
SELECT buying.put('decides: in 7 days', 'view', '{400 days,393 days 00:10}');
SELECT buying.put('decides: in 7 days', 'purchase', '{393 days}', 1);
SELECT buying.put('decides: before the first view', 'view', '{393 days}');
SELECT buying.put('decides: before the first view', 'purchase', '{400 days}', 1);
SELECT buying.put('decides: without a view', 'purchase', '{400 days}', 1);
SELECT buying.put('decides: not yet', 'view', '{400 days}');
-- taste: shares of 5 and 7 purchases
SELECT buying.put('taste: 3 of 5 alike', 'purchase', buying.days(100, 180, 20), 1, '{tea,tea,tea,cup,pot}');
SELECT buying.put('taste: 4 of 7 alike', 'purchase', buying.days(100, 220, 20), 1, '{tea,tea,tea,tea,cup,cup,pot}');
SELECT buying.put('taste: 2 of 2 alike', 'purchase', '{360 days,100 days}', 1, '{tea}');
SELECT buying.put('taste: 3 of 7 alike', 'purchase', buying.days(100, 220, 20), 1, '{tea,tea,tea,cup,pot,pan,jug}');
SELECT buying.put('taste: 2 of 5 alike', 'purchase', buying.days(100, 180, 20), 1, '{tea,tea,cup,pot,pan}');
SELECT buying.put('taste: 1 of 2 alike', 'purchase', '{360 days,100 days}', 1, '{tea,cup}');
SELECT buying.put('taste: 3 of nobody knows what', 'purchase', '{360 days,200 days,100 days}', 1, '{NULL}');
-- involvement: views for each purchase
SELECT buying.put('views: 14 for 3 alike', 'view', buying.days(200, 213), items => '{tea,cup,pot}');
SELECT buying.put('views: 14 for 3 alike', 'purchase', '{200 days,150 days,100 days}', 1);
SELECT buying.put('views: 15 of 9 for 3 alike', 'view', buying.days(200, 214), items => '{a,b,c,d,e,f,g,h,i}');
SELECT buying.put('views: 15 of 9 for 3 alike', 'purchase', '{200 days,150 days,100 days}', 1);
SELECT buying.put('views: 15 of 8 for 3 different', 'view', buying.days(200, 214), items => '{a,b,c,d,e,f,g,h}');
SELECT buying.put('views: 15 of 8 for 3 different', 'purchase', '{200 days,150 days,100 days}', 1, '{a,b,c}');
SELECT buying.put('views: 14 for 3 different', 'view', buying.days(200, 213), items => '{tea,cup,pot}');
SELECT buying.put('views: 14 for 3 different', 'purchase', '{200 days,150 days,100 days}', 1, '{a,b,c}');
SELECT buying.put('views: 5 of 3 for 1', 'view', buying.days(100, 104), items => '{tea,cup,pot}');
SELECT buying.put('views: 5 of 3 for 1', 'purchase', '{100 days}', 1);
SELECT buying.put('views: 4 of 3 for 1', 'view', buying.days(100, 103), items => '{tea,cup,pot}');
SELECT buying.put('views: 4 of 3 for 1', 'purchase', '{100 days}', 1);
SELECT buying.put('views: 5 of 2 for 1', 'view', buying.days(100, 104), items => '{tea,cup}');
SELECT buying.put('views: 5 of 2 for 1', 'purchase', '{100 days}', 1);
SELECT buying.put('views: 5 of nobody knows what for 1', 'view', buying.days(100, 104), items => '{NULL}');
SELECT buying.put('views: 5 of nobody knows what for 1', 'purchase', '{100 days}', 1);
SELECT buying.put('views: 4 of 3 for 1, and 1 365 days ago', 'view', '{365 days,300 days,200 days,100 days,100 days}', items => '{tea,tea,cup,pot}');
SELECT buying.put('views: 4 of 3 for 1, and 1 365 days ago', 'purchase', '{100 days}', 1);
SELECT buying.put('views: 5 of 2 for 1, and 1 of 1 365 days ago', 'view', '{365 days,300 days,200 days,150 days,100 days,100 days}', items => '{tea,cup,cup,pot}');
UPDATE buying.events SET item = 'cup' WHERE who = 'views: 5 of 2 for 1, and 1 of 1 365 days ago' AND item = 'tea' AND at > '2027-03-02 12:00';
SELECT buying.put('views: 5 of 2 for 1, and 1 of 1 365 days ago', 'purchase', '{100 days}', 1);
SELECT buying.put('views: 5 of 3 for nothing', 'view', buying.days(100, 104), items => '{tea,cup,pot}');
-- likely to buy
SELECT buying.put('likely: cart just under 7 days ago', 'cart', '{7 days -0.000001 seconds}');
SELECT buying.put('likely: cart 7 days ago', 'cart', '{7 days}');
SELECT buying.put('likely: cart, bought at the same time', 'cart', '{2 days}');
SELECT buying.put('likely: cart, bought at the same time', 'purchase', '{2 days}', 1);
SELECT buying.put('likely: cart, bought just before', 'cart', '{2 days}');
SELECT buying.put('likely: cart, bought just before', 'purchase', '{2 days 00:00:00.000001}', 1);
SELECT buying.put('likely: 5 views in just under 7 days', 'view', '{7 days -0.000001 seconds,6 days,5 days,4 days,3 days}');
SELECT buying.put('likely: 5 views in 7 days', 'view', '{7 days,6 days,5 days,4 days,3 days}');
SELECT buying.put('likely: 5 views, bought just under 7 days ago', 'view', buying.days(1, 5));
SELECT buying.put('likely: 5 views, bought just under 7 days ago', 'purchase', '{7 days -0.000001 seconds}', 1);
SELECT buying.put('likely: 5 views, bought 7 days ago', 'view', buying.days(1, 5));
SELECT buying.put('likely: 5 views, bought 7 days ago', 'purchase', '{7 days}', 1);
SELECT buying.put('likely: every 10 days, 8 days ago', 'purchase', '{28 days,18 days,8 days}', 1);
SELECT buying.put('likely: every 10 days, just under 8 days ago', 'purchase', '{27 days 23:59:59.999999,17 days 23:59:59.999999,7 days 23:59:59.999999}', 1);
SELECT buying.put('likely: every 10 days, 12 days ago', 'purchase', '{32 days,22 days,12 days}', 1);
SELECT buying.put('likely: every 10 days, just over 12 days ago', 'purchase', '{32 days 00:00:00.000001,22 days 00:00:00.000001,12 days 00:00:00.000001}', 1);
SELECT buying.put('likely: 2 purchases, 10 days ago', 'purchase', '{20 days,10 days}', 1);
SELECT buying.put('likely: 3 purchases at one time, now', 'purchase', '{0,0,0}', 1);
\o

SELECT segment.add_preset('buying.customers', 'purchase_behavior',
    '{"high_value": 500, "deal": {"rule": "event = ''purchase'' AND coupon <> ''''"}}');
CALL segment.refresh('buying.customers');
SELECT name, unanalyzed FROM segment.segments WHERE tbl = 'buying.customers'::regclass AND unanalyzed IS NOT NULL
UNION ALL SELECT name, unanalyzed FROM segment.scores WHERE tbl = 'buying.customers'::regclass AND unanalyzed IS NOT NULL;

EXECUTE segments('count:%');
EXECUTE segments('loyal:%');
EXECUTE segments('value:%');
EXECUTE segments('deal:%');
EXECUTE segments('decides:%');
EXECUTE segments('taste:%');
EXECUTE segments('views:%');
EXECUTE segments('likely:%');
SELECT count(*) FROM segment.verify('buying.customers');

-- A microsecond earlier and later: only who stands at a bound of time comes or goes.
CREATE TABLE buying.noon AS SELECT * FROM buying.customers;
PREPARE moved AS
    SELECT c.who, string_agg(CASE WHEN s.value = 'true' THEN '+' ELSE '-' END || s.key, ', ' ORDER BY s.key COLLATE "C") AS moved
    FROM buying.customers c JOIN buying.noon b USING (who), jsonb_each_text(to_jsonb(c)) s
    WHERE s.value IN ('true', 'false') AND s.value <> to_jsonb(b) ->> s.key
    GROUP BY c.who ORDER BY c.who COLLATE "C";
SET segment.as_of = '2028-03-01 12:00:00.000001';
CALL segment.refresh('buying.customers');
EXECUTE moved;
SELECT count(*) FROM segment.verify('buying.customers');
SET segment.as_of = '2028-03-01 11:59:59.999999';
CALL segment.refresh('buying.customers');
EXECUTE moved;
SELECT count(*) FROM segment.verify('buying.customers');
SET segment.as_of = '2028-03-01 12:00:01';
CALL segment.refresh('buying.customers');
EXECUTE segments('loyal: 3, the last in the future');
SET segment.as_of = '2029-06-01';
CALL segment.refresh('buying.customers');
SELECT count(*) FROM segment.verify('buying.customers');
SET segment.as_of = '2028-03-01 12:00';
CALL segment.refresh('buying.customers');

-- Why.
SELECT step, level, condition, holds, "values", changes_at
FROM segment.explain('buying.customers', 'likely: every 10 days, 8 days ago', 'likely_to_buy');
SELECT step, level, condition, holds, "values", changes_at
FROM segment.explain('buying.customers', 'taste: 3 of 5 alike', 'habitual');

-- Other options: each threshold moved by so much that somebody comes or goes.
SELECT segment.drop_preset('buying.customers', 'purchase_behavior');
SELECT attname FROM pg_attribute WHERE attrelid = 'buying.customers'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum;
SELECT segment.add_preset('buying.customers', 'purchase_behavior', '{
    "window": "365 days 00:00:00.000001", "loyal_purchases": 2, "lapsed_after": "90 days 00:00:00.000001",
    "frequent_purchases": 4, "infrequent_purchases": 3, "high_value": 499.95,
    "deal": {"rule": "coupon = ''SPRING''"}, "deal_share": 0.33, "deal_purchases": 1,
    "impulse_within": "1:00:00.000001", "research_after": "6 days 23:59:59.999999",
    "taste_purchases": 2, "habit_share": 0.57, "variety_share": 0.5, "involved_views": 4, "compared_items": 2,
    "likely_within": "7 days 00:00:00.000001", "likely_views": 6, "due_purchases": 2, "due_from": 0.79, "due_until": 1.21}');
CALL segment.refresh('buying.customers');
EXECUTE moved;
SELECT count(*) FROM segment.verify('buying.customers');
SELECT segment.drop_preset('buying.customers', 'purchase_behavior');

-- Without views, without carts, without both: nothing else changes.
SELECT segment.add_preset('buying.customers', 'purchase_behavior', '{"view": null, "only": ["likely_to_buy", "habitual", "variety_seeking"]}');
CALL segment.refresh('buying.customers');
EXECUTE moved;
SELECT segment.drop_preset('buying.customers', 'purchase_behavior');
SELECT segment.add_preset('buying.customers', 'purchase_behavior', '{"cart": null, "only": ["likely_to_buy", "habitual", "variety_seeking"]}');
CALL segment.refresh('buying.customers');
EXECUTE moved;
SELECT segment.drop_preset('buying.customers', 'purchase_behavior');
SELECT segment.add_preset('buying.customers', 'purchase_behavior', '{"view": null, "cart": null, "only": ["likely_to_buy"]}');
CALL segment.refresh('buying.customers');
EXECUTE moved;
SELECT segment.drop_preset('buying.customers', 'purchase_behavior');

-- Without views, carts, taste and deals; spending by fifths of those who bought. What is left out is said.
DELETE FROM buying.events WHERE who NOT LIKE 'value:%' AND who <> 'count: none';
SELECT segment.add_preset('buying.customers', 'purchase_behavior', '{"view": null, "cart": null, "taste": null}');
CALL segment.refresh('buying.customers');
SELECT who, buying_orders, buying_spent, buying_spent_band, high_value_frequent, high_value_infrequent
FROM buying.customers ORDER BY buying_spent, who COLLATE "C";
SELECT count(*) FROM segment.verify('buying.customers');
SELECT segment.drop_preset('buying.customers', 'purchase_behavior');
-- Views without carts, carts without views: other roads to likely_to_buy.
INSERT INTO buying.events (who, at, what) SELECT 'viewer', timestamptz '2028-02-29', 'view' FROM generate_series(1, 5);
INSERT INTO buying.events (who, at, what) VALUES ('carter', '2028-02-29', 'cart');
SELECT buying.put('potter', 'purchase', '{300 days,200 days,100 days}', NULL, '{pot,pan,pipe}') \g /dev/null
SELECT segment.add_preset('buying.customers', 'purchase_behavior', '{"cart": null, "infrequent_purchases": 3, "high_value_band": 4}');
CALL segment.refresh('buying.customers');
SELECT who, buying_orders, high_value_frequent, high_value_infrequent, likely_to_buy
FROM buying.customers WHERE likely_to_buy OR high_value_frequent OR high_value_infrequent ORDER BY who COLLATE "C";
SELECT who FROM buying.customers WHERE variety_seeking;
SELECT segment.drop_preset('buying.customers', 'purchase_behavior');
-- Only some columns; a taste for kinds instead of items; the preset beside itself.
SELECT segment.add_preset('buying.customers', 'purchase_behavior',
    '{"view": null, "taste": "kind", "only": ["likely_to_buy", "habitual"]}');
SELECT segment.add_preset('buying.customers', 'purchase_behavior',
    '{"purchase": null, "prefix": "our_", "only": ["likely_to_buy"]}');
CALL segment.refresh('buying.customers');
SELECT who, last_cart, likely_to_buy, our_likely_to_buy FROM buying.customers WHERE likely_to_buy OR our_likely_to_buy ORDER BY who COLLATE "C";
SELECT who FROM buying.customers WHERE habitual AND who = 'potter';
SELECT count(*) FROM segment.verify('buying.customers');
SELECT segment.drop_preset('buying.customers', 'purchase_behavior', 'our_');
SELECT segment.drop_preset('buying.customers', 'purchase_behavior');
SELECT attname FROM pg_attribute WHERE attrelid = 'buying.customers'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum;
-- An event that is not there is an error that says which.
SELECT segment.add_preset('buying.customers', 'purchase_behavior', '{"purchase": "order"}');

SELECT segment.drop_table('buying.customers');
\o /dev/null
SET client_min_messages = warning;
DROP SCHEMA buying CASCADE;
