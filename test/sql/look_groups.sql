-- Groups and bands in the questions of readers.
SET client_min_messages = warning;
CREATE SCHEMA kinds;
SET search_path = kinds;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET segment.as_of = '2024-06-01 00:00:00+00';
CREATE TABLE event (customer int, at timestamptz, amount int);
SELECT segment.create_table('customers', 'customer', 'int');
SELECT segment.add_source('customers', 'event', key => 'customer', at => 'at', value => 'amount');
SELECT segment.add_score('customers', 'n', 'count(*)');
SELECT segment.add_score('customers', 'total', 'sum(value)');
SELECT segment.add_score('customers', 'last_at', 'max(at)');
SELECT segment.add_segment('customers', 'recent', $$last_at > now() - interval '30 days'$$);
SELECT segment.add_group('customers', 'tier', 'gold', $$total >= 100 AND recent$$, 'silver', $$total / n > 10$$, 'it''s "none"', 'n > 0 OR total IS NULL', 'never', 'false');
SELECT segment.add_band('customers', 'rank', 'total', 3, descending => true);
SELECT segment.add_segment('customers', 'best', $$tier = 'gold' AND rank = 1$$);
INSERT INTO event SELECT c, timestamptz '2024-03-01 12:00+00' + (c * c * 7 + i * 13) % 90 * interval '1 day', c * i % 50
FROM generate_series(1, 30) c, generate_series(1, 6) i WHERE i <= 1 + c % 6;
CALL segment.rebuild('customers');
SELECT tier, rank, count(*) FROM customers GROUP BY 1, 2 ORDER BY 1, 2;
SELECT * FROM segment.verify('customers');

-- why each earlier label does not hold
SELECT key, e.* FROM (SELECT tier, min(customer)::text AS key FROM customers GROUP BY 1 ORDER BY 1 LIMIT 3) c, LATERAL segment.explain('customers', key, 'tier') e;
SELECT e.* FROM (SELECT min(customer)::text AS key FROM customers WHERE best) c, LATERAL segment.explain('customers', key, 'best') e;
SELECT e.* FROM (SELECT min(customer)::text AS key FROM customers WHERE best) c, LATERAL segment.explain('customers', key, 'rank') e;
-- a label changes with time when it says so, and not before
CREATE TABLE outcome AS SELECT customer, tier, e.changes_at FROM customers, LATERAL segment.explain('customers', customer::text, 'tier') e WHERE e.level = 0;
SELECT count(*), count(changes_at) FROM outcome;
SELECT o.customer, o.tier, a.tier FROM outcome o, LATERAL (SELECT * FROM segment.evaluate_rows(NULL::customers, coalesce(changes_at, '2030-01-01'))) a
WHERE o.customer = a.customer AND (o.tier IS DISTINCT FROM a.tier) <> (changes_at IS NOT NULL);
SELECT o.customer, o.tier, a.tier FROM outcome o, LATERAL (SELECT * FROM segment.evaluate_rows(NULL::customers, coalesce(changes_at, '2029-01-01') - interval '1 microsecond')) a
WHERE o.customer = a.customer AND o.tier IS DISTINCT FROM a.tier;

-- each label and band counts as a segment
SELECT segment, label, members, round(share::numeric, 3) AS share FROM segment.sizes('customers');
SELECT segment, label, members FROM segment.sizes('customers')
EXCEPT (SELECT 'tier', l, (SELECT count(*) FROM customers WHERE tier = l) FROM unnest('{gold,silver,"it''s \"none\"",never}'::text[]) l
	UNION ALL SELECT 'rank', b::text, (SELECT count(*) FROM customers WHERE rank = b) FROM generate_series(1, 3) b
	UNION ALL SELECT 'recent', NULL, count(*) FILTER (WHERE recent) FROM customers UNION ALL SELECT 'best', NULL, count(*) FILTER (WHERE best) FROM customers);
SELECT a, b, members_a, members_b, shared, round(jaccard::numeric, 3) AS jaccard FROM segment.overlap('customers');
SELECT count(*) FILTER (WHERE shared <> (SELECT count(*) FROM customers WHERE tier = substr(a, 7) AND rank = substr(b, 7)::int)) AS wrong, count(*)
FROM segment.overlap('customers') WHERE a LIKE 'tier: %' AND b LIKE 'rank: %';
SELECT members, jsonb_pretty(overlap) FROM segment.preview('customers', $$tier = 'gold' OR rank = 3$$);

-- from label to label
SET segment.as_of = '2024-06-20 00:00:00+00';
INSERT INTO event SELECT c, '2024-06-19', 200 FROM generate_series(1, 30, 4) c;
CALL segment.rebuild('customers');
SELECT * FROM segment.flow('customers', '2024-06-01', '2024-06-20');
SELECT sum(customers) = (SELECT count(*) FROM customers) AS everybody FROM segment.flow('customers', '2024-06-01') WHERE segment = 'tier';
SELECT * FROM segment.sizes_over_time('customers', '10 days', '2024-06-01') WHERE segment IN ('tier', 'best');
SELECT o.segment, o.label FROM segment.sizes_over_time('customers', '1 day', '2024-06-20') o FULL JOIN segment.sizes('customers') s
	ON o.segment = s.segment AND o.label IS NOT DISTINCT FROM s.label AND o.members = s.members
WHERE o.segment IS NULL OR s.segment IS NULL;

SELECT segment.drop_table('customers');
DROP SCHEMA kinds CASCADE;
