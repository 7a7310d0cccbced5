-- segment.concentration(value)
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS segment;
CREATE SCHEMA aggregate_concentration;
SET search_path = aggregate_concentration;
SET extra_float_digits = 0;

-- Meaning ---------------------------------------------------------------------

-- as in the reference; worked by hand: (-3 * 1 - 1 * 2 + 1 * 3 + 3 * 10) / (4 * 16)
SELECT segment.concentration(value) FROM (VALUES (10), (1), (3), (2)) e(value);
-- all alike, one of all, no correction for few values: (n - 1) / n at most
SELECT segment.concentration(5) AS alike FROM generate_series(1, 7);
SELECT n, segment.concentration((i = n)::int) AS one_has_all FROM (VALUES (1), (2), (4), (1000)) s(n), generate_series(1, n) i GROUP BY n ORDER BY n;
-- 20 % have 80 %, each group alike within itself
SELECT round(segment.concentration(CASE WHEN i <= 20 THEN 40 ELSE 2.5 END)::numeric, 12) AS rounded FROM generate_series(1, 100) i;
-- 1 to n: (n - 1) / (3 n), in any order
SELECT abs(segment.concentration(i) - 99999 / 300000.0) < 1e-15 AS up, abs(segment.concentration(i ORDER BY -i) - 99999 / 300000.0) < 1e-15 AS down,
       segment.concentration(i * 7919 % 100003) BETWEEN 0.33 AND 0.34 AS mixed
FROM generate_series(1, 100000) i;
-- scale does not matter, up to the greatest and down to the smallest values
SELECT segment.concentration(value * 1.5e307) AS huge, segment.concentration(value * 4.9e-324) AS tiny
FROM (VALUES (10::float8), (1), (3), (2)) e(value);
SELECT segment.concentration(value) FROM (VALUES (1.7976931348623157e308::float8), (1.7976931348623157e308), (4.9e-324)) e(value);
-- nearly alike: digits are not lost
SELECT segment.concentration(value) BETWEEN 4.999999e-11 AND 5.000001e-11 AS small FROM (VALUES (1::float8), (1.0000000002)) e(value);
-- 0 of either sign is the same
SELECT segment.concentration(value) FROM (VALUES ('-0'::float8), (0), ('-0'), (1)) e(value);

-- NULLs and nothing ---------------------------------------------------------------

SELECT segment.concentration(value) FROM (VALUES (1), (NULL), (3)) e(value);
SELECT segment.concentration(NULL) IS NULL AS no_value, segment.concentration(0) IS NULL AS nothing, segment.concentration(3) AS one;
SELECT segment.concentration(i) IS NULL AS empty FROM generate_series(1, 0) i;

-- Errors --------------------------------------------------------------------------

SELECT segment.concentration(-1);
\echo :LAST_ERROR_SQLSTATE
SELECT segment.concentration('NaN');
\echo :LAST_ERROR_SQLSTATE
SELECT segment.concentration('Infinity');
SELECT segment.concentration('-Infinity');

-- In parts ------------------------------------------------------------------------

CREATE TABLE events (part int, value float8) PARTITION BY LIST (part);
CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1);
CREATE TABLE events_2 PARTITION OF events FOR VALUES IN (2);
INSERT INTO events SELECT 1 + i % 2, i FROM generate_series(1, 1000) i;
ANALYZE events;
SET enable_partitionwise_aggregate = on;
SET max_parallel_workers_per_gather = 0;
EXPLAIN (COSTS OFF) SELECT segment.concentration(value) FROM events;
SELECT abs(segment.concentration(value) - 999 / 3000.0) < 1e-15 AS same FROM events;

-- Windows: the final function is called again and again
SELECT n, segment.concentration(value) OVER (ORDER BY n) FROM (VALUES (1, 4), (2, 0), (3, 4), (4, 8)) e(n, value);

DROP SCHEMA aggregate_concentration CASCADE;
