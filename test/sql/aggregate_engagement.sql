-- segment.engagement(at, weight, half_life)
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS segment;
CREATE SCHEMA aggregate_engagement;
SET search_path = aggregate_engagement;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, MDY';
SET IntervalStyle = 'postgres';
SET segment.as_of = '2026-01-31 00:00:00+00';

-- are two sums equal within a relative tolerance?  (What is nearly nothing is equal.)
CREATE FUNCTION close(a float8, b float8, tolerance float8) RETURNS bool
LANGUAGE sql AS $$
    SELECT a IS NOT DISTINCT FROM b
        OR (a IS NOT NULL AND b IS NOT NULL AND abs(a - b) <= tolerance * greatest(abs(a), abs(b), 1e-270))
$$;

-- Meaning ---------------------------------------------------------------------

-- an event as of now counts in full, one a half-life ago by half, a future one not yet
SELECT segment.engagement(at, weight, '10 days')
FROM (VALUES (timestamptz '2026-01-31', 1), ('2026-01-21', 2), ('2026-01-11', 4), ('2026-01-31 00:00:00.000001', 100)) e(at, weight);
-- it takes effect at its time
SET segment.as_of = '2026-01-31 00:00:00.000001+00';
SELECT round(segment.engagement(at, weight, '10 days')::numeric, 6)
FROM (VALUES (timestamptz '2026-01-31', 1), ('2026-01-31 00:00:00.000001', 100)) e(at, weight);
-- without segment.as_of: the transaction's now()
RESET segment.as_of;
BEGIN;
SELECT segment.engagement(at, 8, '1 hour')
FROM (VALUES (now()), (now() - interval '1 hour'), (now() + interval '1 microsecond')) e(at);
COMMIT;
SET segment.as_of = '2026-01-31 00:00:00+00';
-- parts of a half-life
SELECT round(segment.engagement('2026-01-26', 1, '10 days')::numeric, 12) AS root_of_half;
-- negative and zero weights
SELECT segment.engagement(at, weight, '10 days')
FROM (VALUES (timestamptz '2026-01-31', -1), ('2026-01-21', -2), ('2026-01-31', 0)) e(at, weight);
-- ties are separate events
SELECT segment.engagement('2026-01-21', 1, '10 days') FROM generate_series(1, 10);
-- lengths are those of extract(epoch): months of 30 days, years of 365.25
SELECT segment.engagement('2026-01-01', 1, '1 month') AS month,
       segment.engagement('2025-01-30 18:00', 1, '1 year') AS year,
       segment.engagement('2026-01-01', 1, '2 months -30 days') AS mixed;
SELECT segment.engagement('2026-01-01', 1, h) AS equal_lengths
FROM (VALUES (interval '1 month'), ('30 days'), ('720 hours')) l(h);

-- NULLs, infinities, nothing ------------------------------------------------------

SELECT segment.engagement(at, weight, half_life)
FROM (VALUES (timestamptz '2026-01-31', 1::float8, interval '1 day'),
             (NULL, 10, '1 day'), ('2026-01-31', NULL, '1 day'), ('2026-01-31', 100, NULL)) e(at, weight, half_life);
SELECT segment.engagement(NULL, 1, '1 day') IS NULL AS null_at,
       segment.engagement('2026-01-31', NULL, '1 day') IS NULL AS null_weight,
       segment.engagement('2026-01-31', 1, NULL) IS NULL AS null_half_life;
SELECT segment.engagement(now(), 1, '1 day') IS NULL AS empty FROM generate_series(1, 0);
SELECT segment.engagement('2026-02-01', 1, '1 day') IS NULL AS only_future;
SELECT segment.engagement('infinity', 1, '1 day') IS NULL AS infinity,
       segment.engagement('-infinity', 1, '100000 years') AS minus_infinity,
       segment.engagement('-infinity', 'NaN', '1 day') AS nan_at_minus_infinity;
SELECT segment.engagement('2026-01-31', 'NaN', '1 day') AS nan,
       segment.engagement('2020-01-31', 'Infinity', '1 microsecond') AS infinity,
       segment.engagement('2026-01-31', '-Infinity', '1 day') AS minus_infinity;
SELECT segment.engagement('2026-01-31', weight, '1 day') AS both_infinities
FROM (VALUES (1), ('Infinity'::float8), (2), ('-Infinity'), (3)) e(weight);

-- No overflow, nothing lost ---------------------------------------------------------

-- years with a half-life of microseconds, and the other way round
SELECT segment.engagement(at, weight, '1 microsecond')
FROM (VALUES (timestamptz '1970-01-01', 1e308), ('2026-01-30 23:59:59.999999', 4), ('2026-01-31', 1)) e(at, weight);
SELECT segment.engagement(at, 1, '290000 years')
FROM generate_series(timestamptz '2026-01-31' - interval '1 second', '2026-01-31', '1 microsecond') e(at)
WHERE at > '2026-01-30 23:59:59.999';
-- the whole range of timestamps
SET segment.as_of = '294276-12-31 23:59:59.999999+00';
SELECT segment.engagement(at, 1, '1 microsecond') AS shortest,
       round(segment.engagement(at, 1, '290000 years')::numeric, 12) AS longest
FROM (VALUES (timestamptz '4713-11-24 00:00:00+00 BC'), ('294276-12-31 23:59:59.999999+00')) e(at);
SET segment.as_of = '2026-01-31 00:00:00+00';
-- weights whose plain sum would overflow, in every order
SELECT segment.engagement('2025-10-23', 1e308, '1 day') = 1e308 / 2 ^ 93 AS decayed FROM generate_series(1, 128);
SELECT segment.engagement('2026-01-31', weight, '1 day')
FROM (VALUES (1e308), (1e308), (-1e308)) e(weight);
SELECT segment.engagement('2026-01-31', 1e308, '1 day') FROM generate_series(1, 2);
\echo :LAST_ERROR_SQLSTATE
-- the smallest weights keep their value
SELECT segment.engagement('2026-01-31', 5e-324, '1 day') = 15e-324 AS smallest FROM generate_series(1, 3);
-- small terms survive large ones
SELECT segment.engagement('2026-01-31', weight, '1 day')
FROM (VALUES (1), (1e100), (1), (-1e100)) e(weight);

-- Errors --------------------------------------------------------------------------

SELECT segment.engagement('2026-01-31', 1, '0');
\echo :LAST_ERROR_SQLSTATE
SELECT segment.engagement('2026-01-31', 1, '-1 day');
\echo :LAST_ERROR_SQLSTATE
SELECT segment.engagement('2026-01-31', 1, '1 month -30 days');
SELECT segment.engagement('2026-01-31', 1, '300000 years');
\echo :LAST_ERROR_SQLSTATE
SELECT segment.engagement('2026-01-31', 1, h) FROM (VALUES (interval '1 day'), ('2 days')) e(h);
\echo :LAST_ERROR_SQLSTATE
-- whether or not the row counts
SELECT segment.engagement('2027-01-31', 1, h) FROM (VALUES (interval '1 day'), ('2 days')) e(h);
SELECT segment.engagement('infinity', 1, '-1 day');

-- In parts ------------------------------------------------------------------------

-- mixed half-lives are found where parts meet, too
CREATE TABLE events (part int, k int, at timestamptz, weight float8) PARTITION BY LIST (part);
CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1);
CREATE TABLE events_2 PARTITION OF events FOR VALUES IN (2);
INSERT INTO events SELECT 1 + i % 2, 1, timestamptz '2026-01-31' - i * interval '1 second', 0.1 FROM generate_series(1, 100000) i;
ANALYZE events;
SET enable_partitionwise_aggregate = on;
SET max_parallel_workers_per_gather = 0;
EXPLAIN (COSTS OFF) SELECT k, segment.engagement(at, weight, part * interval '1 day') FROM events GROUP BY k;
SELECT k, segment.engagement(at, weight, part * interval '1 day') FROM events GROUP BY k;

-- many rows: rounding does not add up
SELECT close(segment.engagement(at, weight, '1 day'), segment.engagement(at, weight, '1 day' ORDER BY at DESC), 1e-12) AS unordered,
       close(segment.engagement(at, weight, '1 day'),
             0.1 * 2 ^ (-1 / 86400.0) * (1 - 2 ^ (-100000 / 86400.0)) / (1 - 2 ^ (-1 / 86400.0)), 1e-10) AS geometric
FROM events;

-- workers know the transaction's now()
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
RESET segment.as_of;
BEGIN;
SELECT segment.engagement(at, 1, '1 hour') AS now_in_workers
FROM (SELECT now() - interval '1 hour' AS at FROM events) e;
COMMIT;

DROP SCHEMA aggregate_engagement CASCADE;
