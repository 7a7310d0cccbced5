-- segment.unconverted(item, wanted, converted, at [, at_least])
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS segment;
CREATE SCHEMA aggregate_unconverted;
SET search_path = aggregate_unconverted;
SET TimeZone = 'UTC';

-- Meaning ---------------------------------------------------------------------

-- as in the reference
SELECT segment.unconverted(item, event = 'cart', event = 'buy', at)
FROM (VALUES (timestamptz '2026-01-01', 'cart', 'tea'), ('2026-01-01', 'cart', 'milk'), ('2026-01-02', 'cart', 'cocoa'),
             ('2026-01-03', 'buy', 'tea'), ('2026-01-03', 'buy', 'milk'), ('2026-01-04', 'cart', 'milk')) e(at, event, item);
-- the abandoned cart: tea was bought, milk wanted again since, cocoa never bought
CREATE TABLE events AS
SELECT * FROM (VALUES
    (timestamptz '2026-01-01', 'cart', 'tea'), ('2026-01-01', 'cart', 'milk'), ('2026-01-02', 'cart', 'cocoa'),
    ('2026-01-03', 'buy', 'tea'), ('2026-01-03', 'buy', 'milk'), ('2026-01-04', 'cart', 'milk'),
    ('2026-01-05', 'buy', 'bread'), ('2026-01-06', 'look', 'cake')) e(at, event, item);
SELECT segment.unconverted(item, event = 'cart', event = 'buy', at) FROM events;
-- wanted so many times, over all rows, also before a conversion
SELECT n, segment.unconverted(item, event = 'cart', event = 'buy', at, n) FROM events, generate_series(1, 3) n GROUP BY n ORDER BY n;
-- a conversion at the same time counts, a microsecond earlier it does not
SELECT segment.unconverted(item, wanted, NOT wanted, at)
FROM (VALUES ('a', true, timestamptz '2026-01-01'), ('a', false, '2026-01-01'),
             ('b', true, '2026-01-01'), ('b', false, '2025-12-31 23:59:59.999999')) e(item, wanted, at);
-- a row that is both converts at its own time, and may be wanted again
SELECT segment.unconverted(item, true, converted, at)
FROM (VALUES ('a', true, timestamptz '2026-01-01'), ('b', true, '2026-01-01'), ('b', false, '2026-01-02')) e(item, converted, at);
-- the order of the rows does not matter, ties are in the order of bytes
SELECT segment.unconverted(item, true, false, at) AS stored, segment.unconverted(item, true, false, at ORDER BY item DESC) AS other
FROM (VALUES ('é', timestamptz '2026-01-01'), ('a', '2026-01-01'), ('B', '2026-01-01'), ('', '2026-01-01'), ('aa', '2026-01-01'),
             ('z', '2026-01-02'), ('a', '2025-01-01'), (repeat('x', 40), '2026-01-01')) e(item, at);
-- many items
SELECT segment.unconverted((i % 5000)::text, i <= 5000, i > 5003, '2026-01-01') FROM generate_series(1, 10000) i;
-- the whole range of timestamps; the clock is not looked at
SELECT segment.unconverted(item, true, false, at)
FROM (VALUES ('first', timestamptz '4713-11-24 00:00:00+00 BC'), ('last', '294276-12-31 23:59:59.999999+00')) e(item, at);

-- NULLs, infinities, nothing ------------------------------------------------------

SELECT segment.unconverted(item, wanted, converted, at)
FROM (VALUES ('a', true, NULL, timestamptz '2026-01-01'), ('b', NULL, true, '2026-01-01'), ('c', true, false, NULL),
             (NULL, true, false, '2026-01-01'), ('d', true, false, 'infinity'), ('a', false, true, '-infinity'),
             ('a', NULL, NULL, '2026-01-02')) e(item, wanted, converted, at);
SELECT segment.unconverted('a', true, true, '2026-01-01') AS converted,
       segment.unconverted('a', NULL, NULL, '2026-01-01') AS not_wanted,
       segment.unconverted(NULL, true, false, '2026-01-01') IS NULL AS no_item,
       segment.unconverted('a', true, false, NULL) IS NULL AS no_at,
       segment.unconverted('a', true, false, 'infinity') IS NULL AS infinity,
       segment.unconverted('a', true, false, '2026-01-01', NULL) IS NULL AS no_at_least;
SELECT segment.unconverted('a', true, false, now()) IS NULL AS empty FROM generate_series(1, 0);

-- Errors --------------------------------------------------------------------------

SELECT segment.unconverted('a', true, false, now(), 0);
\echo :LAST_ERROR_SQLSTATE
SELECT segment.unconverted('a', true, false, 'infinity', -1);
SELECT segment.unconverted('a', true, false, now(), n) FROM generate_series(1, 2) n;
\echo :LAST_ERROR_SQLSTATE
SELECT segment.unconverted('a', true, false, at, n) FROM (VALUES (timestamptz '2026-01-01', 1), ('infinity', 2)) e(at, n);

-- In parts ------------------------------------------------------------------------

CREATE TABLE parts (part int, at timestamptz, item text) PARTITION BY LIST (part);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2);
INSERT INTO parts SELECT 1 + i % 2, timestamptz '2026-01-01' + i * interval '1 hour', i % 7 FROM generate_series(1, 1000) i;
ANALYZE parts;
SET enable_partitionwise_aggregate = on;
SET max_parallel_workers_per_gather = 0;
EXPLAIN (COSTS OFF) SELECT segment.unconverted(item, part = 1, part = 2, at) FROM parts;
SELECT segment.unconverted(item, part = 1, part = 2, at) FROM parts;
SELECT segment.unconverted(item, true, false, at, part) FROM parts;

-- Windows: the final function is called again and again
SELECT n, segment.unconverted(item, n < 4, n >= 4, timestamptz '2026-01-01' + n * interval '1 day') OVER (ORDER BY n)
FROM (VALUES (1, 'a'), (2, 'b'), (3, 'a'), (4, 'b'), (5, 'a')) e(n, item);

DROP SCHEMA aggregate_unconverted CASCADE;
