-- segment.sessions(at, gap)
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS segment;
CREATE SCHEMA aggregate_sessions;
SET search_path = aggregate_sessions;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, MDY';
SET IntervalStyle = 'postgres';

-- Meaning ---------------------------------------------------------------------

-- a gap equal to the limit stays in the session, a microsecond more does not
SELECT (segment.sessions(at, '30 minutes')).*
FROM (VALUES (timestamptz '2026-01-01 10:00'), ('2026-01-01 10:30'), ('2026-01-01 11:00')) e(at);
SELECT (segment.sessions(at, '30 minutes')).*
FROM (VALUES (timestamptz '2026-01-01 10:00'), ('2026-01-01 10:30:00.000001'), ('2026-01-01 11:00')) e(at);
-- fields have names, the whole is a row
SELECT (segment.sessions(at, '1 hour')).sessions, segment.sessions(at, '1 hour')
FROM (VALUES (timestamptz '2026-01-01 10:00'), ('2026-01-02 10:00')) e(at);
-- the order of the rows does not matter
SELECT (segment.sessions(at, '1 hour')).*
FROM (VALUES (timestamptz '2026-01-02 11:00'), ('2026-01-01 10:20'), ('2026-01-02 10:30'), ('2026-01-01 10:00')) e(at);
-- ties are separate events of one session, also where the gap is 0
SELECT (segment.sessions(at, '0')).*
FROM (VALUES (timestamptz '2026-01-01'), ('2026-01-02'), ('2026-01-01'), ('2026-01-02'), ('2026-01-02 00:00:00.000001')) e(at);
-- durations look like the difference of two timestamps; the average is rounded to the microsecond
SELECT (s).*, timestamptz '2026-03-02 01:30' - '2026-01-01' AS difference
FROM (SELECT segment.sessions(at, '40 days') AS s
      FROM (VALUES (timestamptz '2026-01-01'), ('2026-01-31'), ('2026-03-02 01:30'), ('2027-01-01'), ('2027-01-01 00:00:00.000001')) e(at)) t;
-- lengths are those of extract(epoch): months of 30 days, years of 365.25
SELECT (segment.sessions(at, '1 month')).sessions AS month_of_30_days
FROM (VALUES (timestamptz '2026-01-01'), ('2026-01-31'), ('2026-03-03')) e(at);
SELECT (segment.sessions(at, '1 year')).sessions AS year
FROM (VALUES (timestamptz '2026-01-01'), ('2027-01-01 06:00'), ('2028-01-01 12:00:00.000001')) e(at);
-- sessions do not look at the clock
SET segment.as_of = '2020-01-01';
SELECT (segment.sessions(at, '1 day')).last_started_at FROM (VALUES (timestamptz '2019-01-01'), ('2030-01-01')) e(at);
RESET segment.as_of;
-- the whole range of timestamps
SELECT (segment.sessions(at, '290000 years')).*
FROM (VALUES (timestamptz '4713-11-24 00:00:00+00 BC'), ('2026-01-01'), ('294276-12-31 23:59:59.999999+00')) e(at);
SELECT (segment.sessions(at, '1 year')).*
FROM (VALUES (timestamptz '4713-11-24 00:00:00+00 BC'), ('294276-12-31 23:59:59.999999+00')) e(at);

-- NULLs, infinities, nothing ------------------------------------------------------

SELECT (segment.sessions(at, gap)).*
FROM (VALUES (timestamptz '2026-01-01', interval '1 hour'), (NULL, '1 hour'), ('2026-01-02', NULL),
             ('infinity', '1 hour'), ('-infinity', '1 hour')) e(at, gap);
SELECT segment.sessions(NULL, '1 day') IS NULL AS null_at,
       segment.sessions('2026-01-01', NULL) IS NULL AS null_gap,
       segment.sessions('infinity', '1 day') IS NULL AS infinity;
SELECT segment.sessions(now(), '1 day') IS NULL AS empty FROM generate_series(1, 0);

-- Errors --------------------------------------------------------------------------

SELECT segment.sessions('2026-01-01', '-1 microsecond');
\echo :LAST_ERROR_SQLSTATE
SELECT segment.sessions('infinity', '-1 day');
SELECT segment.sessions('2026-01-01', '300000 years');
\echo :LAST_ERROR_SQLSTATE
SELECT segment.sessions('2026-01-01', gap) FROM (VALUES (interval '1 day'), ('2 days')) e(gap);
\echo :LAST_ERROR_SQLSTATE
SELECT segment.sessions(at, gap) FROM (VALUES (timestamptz '2026-01-01', interval '1 day'), ('infinity', '2 days')) e(at, gap);

-- In parts ------------------------------------------------------------------------

-- mixed gaps are found where parts meet, too
CREATE TABLE events (part int, k int, at timestamptz) PARTITION BY LIST (part);
CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1);
CREATE TABLE events_2 PARTITION OF events FOR VALUES IN (2);
INSERT INTO events SELECT 1 + i % 2, 1, timestamptz '2026-01-01' + i * interval '3 seconds' FROM generate_series(1, 10000) i;
ANALYZE events;
SET enable_partitionwise_aggregate = on;
SET max_parallel_workers_per_gather = 0;
EXPLAIN (COSTS OFF) SELECT k, segment.sessions(at, part * interval '1 day') FROM events GROUP BY k;
SELECT k, segment.sessions(at, part * interval '1 day') FROM events GROUP BY k;
SELECT k, (segment.sessions(at, part * interval '0')).sessions FROM events GROUP BY k;
-- sessions that only meet where parts do
SELECT (segment.sessions(at, '5 seconds')).* FROM events GROUP BY k;

-- late events, forward and backward, join what lies on both sides
SELECT (segment.sessions(timestamptz '2026-01-01' + i * interval '1 minute', '1 minute' ORDER BY i % 2, i)).*
FROM generate_series(0, 1000) i;
SELECT (segment.sessions(timestamptz '2026-01-01' + i * interval '1 minute', '1 minute' ORDER BY i % 3 DESC, -i)).*
FROM generate_series(0, 1000) i;

DROP SCHEMA aggregate_sessions CASCADE;
