-- segment.affinity(item [, weight]) and segment.top_items(item, weight, n)
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS segment;
CREATE SCHEMA aggregate_affinity;
SET search_path = aggregate_affinity;
SET extra_float_digits = 0;

-- Meaning ---------------------------------------------------------------------

-- as in the reference; worked by hand: shares 1/2, 1/4, 1/8, 1/8 have 1.75 bits
SELECT (segment.affinity(item, weight)).*
FROM (VALUES ('tea', 8), ('coffee', 16), ('milk', 4), ('coffee', 16), ('cocoa', 8), ('tea', 8), ('milk', 4),
             ('juice', 3), ('juice', -3)) e(item, weight);
SELECT segment.top_items(item, weight, 2)
FROM (VALUES ('tea', 1), ('coffee', 2), ('milk', 3), ('tea', 4), ('juice', 3)) e(item, weight);
SELECT (segment.affinity(item)).* FROM (VALUES ('tea'), ('coffee'), ('tea')) e(item);
SELECT segment.affinity(item), segment.top_items(item, 1, 1) FROM (VALUES ('tea'), ('tea')) e(item);
SELECT segment.top_items(item, weight, 2) AS two, segment.top_items(item, weight, 2147483647) AS all
FROM (VALUES ('tea', 1), ('coffee', 2), ('milk', 3), ('tea', 4)) e(item, weight);
-- many items, alike: log2(1000) bits
SELECT (a).top, (a).share, (a).items, round((a).entropy::numeric, 10) AS entropy
FROM (SELECT segment.affinity(to_char(i % 1000, 'FM000'), 0.1) AS a FROM generate_series(1, 10000) i) t;
SELECT segment.top_items(i::text, i, 5) FROM generate_series(1, 20000) i;
-- hardly varied at all: digits are not lost near a share of 1
SELECT (segment.affinity(item, weight)).entropy BETWEEN 5.4593e-15 AND 5.4594e-15 AS tiny
FROM (VALUES ('a', 1e16), ('b', 1)) e(item, weight);

-- Returns take back: items whose sum is not positive are left out
SELECT (segment.affinity(item, weight)).*, segment.top_items(item, weight, 9)
FROM (VALUES ('tea', 3), ('coffee', 5), ('coffee', -5), ('milk', 1), ('milk', -2), ('cocoa', 0), ('juice', 1)) e(item, weight);
SELECT segment.affinity(item, weight) IS NULL AS nothing, segment.top_items(item, weight, 9) IS NULL AS nothing
FROM (VALUES ('coffee', -5), ('milk', 0)) e(item, weight);

-- Ties: the first in the order of bytes, whatever the collation and the order of rows
SELECT (segment.affinity(item)).top, segment.top_items(item, 1, 99)
FROM (VALUES ('é'), ('z'), ('Z'), ('a'), ('zz'), ('10'), ('9'), ('')) e(item);
SELECT (segment.affinity(item ORDER BY n)).top AS forward, (segment.affinity(item ORDER BY n DESC)).top AS backward
FROM (VALUES (1, 'a'), (2, 'B'), (3, 'b'), (4, 'B'), (5, 'a')) e(n, item);
-- sums are exact: 1e17 takes nothing from the rest, in whatever order
SELECT segment.top_items(item, weight, 3 ORDER BY n) AS forward, segment.top_items(item, weight, 3 ORDER BY n DESC) AS backward
FROM (VALUES (1, 'a', 1e17), (2, 'b', 2), (3, 'a', 3), (4, 'a', -1e17), (5, 'c', 1e308), (6, 'c', 1e308), (7, 'c', -1e308),
             (8, 'c', -1e308), (9, 'c', 2)) e(n, item, weight);

-- Odd items: nothing, white space, long, alike at the start, differing in form alone
SELECT (segment.affinity(item, weight)).items, length((segment.affinity(item, weight)).top) AS longest
FROM (VALUES ('', 1), (' ', 1), ('a', 1), ('a ', 1), (repeat('long ', 200000), 2), (repeat('long ', 200000) || '!', 1),
             (U&'\00E9', 1), (U&'e\0301', 1), ('NULL', 1), ('{,"}', 1)) e(item, weight);
SELECT segment.top_items(item, 1, 9) FROM (VALUES (''), ('NULL'), ('a,b'), ('"'), ('{'), (U&'\+01F600')) e(item);

-- Weights of all magnitudes
SELECT (segment.affinity(item, weight)).* FROM (VALUES ('a', 1.5e308), ('b', 0.5e308), ('c', 4.9e-324)) e(item, weight);
SELECT (segment.affinity(item, weight)).* FROM (VALUES ('a', 1e-323::float8), ('b', 1e-323)) e(item, weight);

-- NULLs and nothing ---------------------------------------------------------------

SELECT segment.affinity(item, weight), segment.top_items(item, weight, n)
FROM (VALUES ('tea', 1::float8, 2), (NULL, 5, 2), ('milk', NULL, 2), ('milk', 1, NULL), (NULL, 'NaN', 0)) e(item, weight, n);
SELECT segment.affinity(NULL) IS NULL AS no_item, segment.affinity('a', NULL) IS NULL AS no_weight,
       segment.top_items('a', 1, NULL) IS NULL AS no_n;
SELECT segment.affinity(i::text) IS NULL AS empty, segment.top_items(i::text, 1, 1) IS NULL AS empty FROM generate_series(1, 0) i;

-- Errors --------------------------------------------------------------------------

SELECT segment.affinity('a', 'NaN');
\echo :LAST_ERROR_SQLSTATE
SELECT segment.affinity('a', '-Infinity');
SELECT segment.top_items('a', 'Infinity', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT segment.top_items('a', 1, 0);
\echo :LAST_ERROR_SQLSTATE
SELECT segment.top_items('a', 1, n) FROM (VALUES (1), (2)) e(n);
\echo :LAST_ERROR_SQLSTATE
-- an item's sum out of range; below the range it is left out
SELECT segment.affinity('a', 1e308) FROM generate_series(1, 2);
\echo :LAST_ERROR_SQLSTATE
SELECT segment.affinity(item, weight) FROM (VALUES ('a', -1e308), ('a', -1e308), ('b', 1)) e(item, weight);

-- In parts ------------------------------------------------------------------------

CREATE TABLE events (part int, item text) PARTITION BY LIST (part);
CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1);
CREATE TABLE events_2 PARTITION OF events FOR VALUES IN (2);
INSERT INTO events SELECT 1 + i % 2, i % 1000 FROM generate_series(1, 3000) i;
ANALYZE events;
SET enable_partitionwise_aggregate = on;
SET max_parallel_workers_per_gather = 0;
EXPLAIN (COSTS OFF) SELECT segment.top_items(item, 1, part) FROM events;
SELECT segment.top_items(item, 1, part) FROM events;
SELECT segment.top_items(item, 1e307, 2), (segment.affinity(item, 1e306)).items FROM events;

-- Windows: the final function is called again and again
SELECT n, segment.affinity(item, weight) OVER (ORDER BY n), segment.top_items(item, weight, 2) OVER (ORDER BY n)
FROM (VALUES (1, 'a', 1), (2, 'b', 2), (3, 'a', 2), (4, 'a', -3)) e(n, item, weight);

DROP SCHEMA aggregate_affinity CASCADE;
