-- segment.trend(at, weight, period)
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS segment;
CREATE SCHEMA aggregate_trend;
SET search_path = aggregate_trend;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, MDY';
SET extra_float_digits = 0;

-- Meaning ---------------------------------------------------------------------

-- as in the reference
SET segment.as_of = '2026-01-31 00:00:00+00';
SELECT segment.trend(at, weight, '10 days')
FROM (VALUES (timestamptz '2026-01-31 00:00:00+00', 1),
             ('2026-01-25 00:00:00+00', 2),
             ('2026-01-21 00:00:00+00', 4)) e(at, weight);
SET segment.as_of = '2026-03-31 12:00:00+00';
-- 3 in the last ten days, 4 in the ten before
SELECT segment.trend(at, weight, '10 days')
FROM (VALUES (timestamptz '2026-03-31', 1), ('2026-03-25', 2), ('2026-03-20', 4), ('2026-03-01', 100), ('2026-04-01', 100)) e(at, weight);
-- each instant beside two rows of weight 1, one in each period: where do periods begin and end?
SELECT at, segment.trend(v, w, '1 day') AS ratio
FROM (VALUES (timestamptz '2026-03-31 12:00:00.000001'), ('2026-03-31 12:00'), ('2026-03-30 12:00:00.000001'), ('2026-03-30 12:00'),
             ('2026-03-29 12:00:00.000001'), ('2026-03-29 12:00'), ('-infinity'), ('infinity')) e(at),
     LATERAL (VALUES (at, 3), ('2026-03-31 06:00', 1), ('2026-03-30 06:00', 1)) r(v, w)
GROUP BY at ORDER BY at;
-- months are those of the calendar: one before 31 March is 28 February, two are 31 January
SELECT at, segment.trend(v, w, '1 month') AS ratio
FROM (VALUES (timestamptz '2026-02-28 12:00:00.000001'), ('2026-02-28 12:00'), ('2026-01-31 12:00:00.000001'), ('2026-01-31 12:00')) e(at),
     LATERAL (VALUES (at, 3), ('2026-03-31 06:00', 1), ('2026-02-01 06:00', 1)) r(v, w)
GROUP BY at ORDER BY at;
-- days are those of the session's time zone: 29 March has 23 hours in Berlin
SET TimeZone = 'Europe/Berlin';
SELECT segment.trend(at, 1, '3 days') AS days, segment.trend(at, 1, '72 hours') AS hours
FROM (VALUES (timestamptz '2026-03-31 12:00+00'), ('2026-03-28 12:30+00'), ('2026-03-26 12:00+00')) e(at);
SET TimeZone = 'UTC';
-- as of another instant; each group of rows is measured anew
SET segment.as_of = '2026-03-11 12:00:00+00';
SELECT k, segment.trend(at, weight, '10 days')
FROM (VALUES (1, timestamptz '2026-03-11', 6), (1, '2026-02-25', 4), (2, '2026-03-11', 1), (2, '2026-02-25', 4)) e(k, at, weight)
GROUP BY k ORDER BY k;
SET segment.as_of = '2026-03-31 12:00:00+00';
-- sums are exact, in whatever order: huge weights take nothing from the others
SELECT segment.trend(at, weight, '1 day' ORDER BY n) AS forward, segment.trend(at, weight, '1 day' ORDER BY n DESC) AS backward
FROM (VALUES (1, timestamptz '2026-03-31', 1e308), (2, '2026-03-31', 1e308), (3, '2026-03-31', 3), (4, '2026-03-31', -1e308), (5, '2026-03-31', -1e308),
             (6, '2026-03-30', 1e17), (7, '2026-03-30', 2), (8, '2026-03-30', -1e17)) e(n, at, weight);
-- nothing lately is 0; nothing before is NULL, as is what cancels out
SELECT segment.trend('2026-03-30', 1, '1 day') AS stopped, segment.trend('2026-03-31', 1, '1 day') IS NULL AS new;
SELECT segment.trend(at, weight, '1 day') IS NULL AS cancelled
FROM (VALUES (timestamptz '2026-03-31', 1), ('2026-03-30', 1), ('2026-03-30', -1)) e(at, weight);
-- returns outweigh
SELECT segment.trend(at, weight, '1 day') FROM (VALUES (timestamptz '2026-03-31', -1), ('2026-03-30', 2)) e(at, weight);
-- the transaction's now() without as_of
RESET segment.as_of;
BEGIN;
SELECT segment.trend(at, weight, '1 hour') FROM (VALUES (now(), 1), (now() - interval '1 hour', 2), (now() + interval '1 second', 4)) e(at, weight);
COMMIT;
SET segment.as_of = '2026-03-31 12:00:00+00';

-- NULLs and nothing ---------------------------------------------------------------

SELECT segment.trend(at, weight, period)
FROM (VALUES (timestamptz '2026-03-31', 1::float8, interval '1 day'), ('2026-03-30', 2, '1 day'),
             (NULL, 1, '1 day'), ('2026-03-31', NULL, '1 day'), ('2026-03-31', 1, NULL), (NULL, 'NaN', '-1 day')) e(at, weight, period);
SELECT segment.trend(NULL, 1, '1 day') IS NULL AS no_at, segment.trend('2026-03-31', NULL, '1 day') IS NULL AS no_weight,
       segment.trend('2026-03-31', 1, NULL) IS NULL AS no_period, segment.trend('infinity', 1, '1 day') IS NULL AS not_yet;
SELECT segment.trend(now(), 1, '1 day') IS NULL AS empty FROM generate_series(1, 0);

-- Errors --------------------------------------------------------------------------

SELECT segment.trend('2026-03-31', 1, '0');
\echo :LAST_ERROR_SQLSTATE
SELECT segment.trend('infinity', 1, '-1 day');
SELECT segment.trend('2026-03-31', 1, '1 month -1 day');
\echo :LAST_ERROR_SQLSTATE
SELECT segment.trend('2026-03-31', 1, '300000 years');
\echo :LAST_ERROR_SQLSTATE
SELECT segment.trend('2026-03-31', 1, '3400 years');
\echo :LAST_ERROR_SQLSTATE
SELECT segment.trend('2026-03-31', 1, '3300 years') IS NULL AS long;
SELECT segment.trend('2000-01-01', 'NaN', '1 day');
\echo :LAST_ERROR_SQLSTATE
SELECT segment.trend('2026-03-31', 1, p) FROM (VALUES (interval '1 day'), ('2 days')) e(p);
\echo :LAST_ERROR_SQLSTATE
-- not the same in the calendar
SELECT segment.trend('2026-03-31', 1, p) FROM (VALUES (interval '1 day'), ('24 hours')) e(p);
-- out of range
SELECT segment.trend(at, 1e308, '1 day') FROM (VALUES (timestamptz '2026-03-31'), ('2026-03-31'), ('2026-03-30')) e(at);
\echo :LAST_ERROR_SQLSTATE
SELECT segment.trend(at, weight, '1 day') FROM (VALUES (timestamptz '2026-03-31', 1e300), ('2026-03-30', 1e-300)) e(at, weight);
\echo :LAST_ERROR_SQLSTATE

-- In parts ------------------------------------------------------------------------

CREATE TABLE events (part int, at timestamptz) PARTITION BY LIST (part);
CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1);
CREATE TABLE events_2 PARTITION OF events FOR VALUES IN (2);
INSERT INTO events SELECT 1 + i % 2, timestamptz '2026-03-31 12:00' - i * interval '1 hour' FROM generate_series(0, 999) i;
ANALYZE events;
SET enable_partitionwise_aggregate = on;
SET max_parallel_workers_per_gather = 0;
EXPLAIN (COSTS OFF) SELECT segment.trend(at, part, '1 day') FROM events;
SELECT segment.trend(at, part, '1 day') FROM events;
SELECT segment.trend(at, part, part * interval '1 day') FROM events;

-- Windows: the final function is called again and again
SELECT n, segment.trend(at, n, '1 day') OVER (ORDER BY n)
FROM (VALUES (1, timestamptz '2026-03-31'), (2, '2026-03-30'), (3, '2026-03-31'), (4, '2026-03-30'), (5, '2026-01-01')) e(n, at);

DROP SCHEMA aggregate_trend CASCADE;
