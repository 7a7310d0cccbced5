-- segment.rhythm(at)
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS segment;
CREATE SCHEMA aggregate_rhythm;
SET search_path = aggregate_rhythm;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, MDY';
SET IntervalStyle = 'postgres';
SET segment.as_of = '2026-01-31 00:00:00+00';

-- Meaning ---------------------------------------------------------------------

-- gaps of 7, 3 and 11 days, whatever the order of the rows
SELECT (segment.rhythm(at)).*
FROM (VALUES (timestamptz '2026-01-11'), ('2026-01-01'), ('2026-01-22'), ('2026-01-08')) e(at);
-- like clockwork; due just now
SELECT (segment.rhythm(at)).* FROM generate_series(timestamptz '2026-01-01', '2026-01-26', '5 days') at;
-- an event that lies ahead does not count, until it is there
SELECT (segment.rhythm(at)).events, (segment.rhythm(at)).overdue
FROM (VALUES (timestamptz '2026-01-21'), ('2026-01-31'), ('2026-01-31 00:00:00.000001')) e(at);
SET segment.as_of = '2026-01-31 00:00:00.000001+00';
SELECT (segment.rhythm(at)).events, (segment.rhythm(at)).overdue
FROM (VALUES (timestamptz '2026-01-21'), ('2026-01-31'), ('2026-01-31 00:00:00.000001')) e(at);
SET segment.as_of = '2026-01-31 00:00:00+00';
-- without segment.as_of: the transaction's now()
RESET segment.as_of;
BEGIN;
SELECT (r).events, (r).expected_next - now() AS until_next, (r).overdue
FROM (SELECT segment.rhythm(at) AS r
      FROM (VALUES (now() - interval '3 hours'), (now() - interval '1 hour'), (now() + interval '1 microsecond')) e(at)) s;
COMMIT;
SET segment.as_of = '2026-01-31 00:00:00+00';
-- ties are gaps of 0, unless rows are counted once for each time
SELECT (segment.rhythm(at)).events, (segment.rhythm(at)).median, (segment.rhythm(DISTINCT at)).events, (segment.rhythm(DISTINCT at)).median
FROM (VALUES (timestamptz '2026-01-01'), ('2026-01-01'), ('2026-01-11'), ('2026-01-11'), ('2026-01-21')) e(at);
-- to the nearest microsecond, halves up: mean 1/2, median 1/2, deviation sqrt(1/2)
SELECT (segment.rhythm(at)).*
FROM (VALUES (timestamptz '2026-01-01'), ('2026-01-01'), ('2026-01-01 00:00:00.000001')) e(at);
-- mean 1/4, median 0, deviation 1/2
SELECT (segment.rhythm(at)).*
FROM (VALUES (timestamptz '2026-01-01'), ('2026-01-01'), ('2026-01-01'), ('2026-01-01'), ('2026-01-01 00:00:00.000001')) e(at);

-- What can't be said ---------------------------------------------------------------

SELECT (segment.rhythm(at)).* FROM (VALUES (timestamptz '2026-01-01')) e(at);
SELECT (segment.rhythm(at)).* FROM (VALUES (timestamptz '2026-01-01'), ('2026-01-11')) e(at);
SELECT (segment.rhythm(at)).* FROM (VALUES (timestamptz '2026-01-01'), ('2026-01-01'), ('2026-01-01')) e(at);
SELECT (segment.rhythm(at)).* FROM (VALUES (timestamptz '2026-01-01'), (NULL), ('infinity'), ('-infinity')) e(at);
SELECT segment.rhythm(NULL) IS NULL AS null_at, segment.rhythm('infinity') IS NULL AS infinity,
       segment.rhythm('-infinity') IS NULL AS minus_infinity, segment.rhythm('2026-02-01') IS NULL AS only_future;
SELECT segment.rhythm(now()) IS NULL AS empty FROM generate_series(1, 0);

-- The whole range of timestamps --------------------------------------------------------

SET segment.as_of = '294276-12-31 23:59:59.999999+00';
-- two events: the next one would lie beyond it
SELECT (segment.rhythm(at)).*
FROM (VALUES (timestamptz '4713-11-24 00:00:00+00 BC'), ('294276-12-31 23:59:59.999999+00')) e(at);
-- expected at the last moment there is, and one after it
SELECT (segment.rhythm(at)).expected_next, (segment.rhythm(at - interval '1 microsecond')).expected_next
FROM (VALUES (timestamptz '294276-12-31 23:59:59.999998'), ('294276-12-31 23:59:59.999999')) e(at);
SELECT (segment.rhythm(at)).deviation, round((segment.rhythm(at)).regularity::numeric, 12) AS regularity
FROM (VALUES (timestamptz '4713-11-24 00:00:00+00 BC'), ('4713-11-24 00:00:00+00 BC'), ('294276-12-31 23:59:59.999999+00')) e(at);
SET segment.as_of = '2026-01-31 00:00:00+00';
-- the deviation of gaps of years is exact as well: sqrt(2) times 50 years and a microsecond
SELECT (r).deviation, justify_hours(round(sqrt(2::numeric) * (50 * 365.25 * 86400 * 1000000 + 1))::bigint * interval '1 microsecond') AS exact
FROM (SELECT segment.rhythm(at) AS r
      FROM (VALUES (timestamptz '1900-01-01'), ('1900-01-02'),
                   ('1900-01-03 00:00:00.000002'::timestamptz + 100 * 365.25 * interval '1 day')) e(at)) s;

-- Windows ----------------------------------------------------------------------------

SELECT at::date, (segment.rhythm(at) OVER (ORDER BY at ROWS 2 PRECEDING)).median
FROM (VALUES (timestamptz '2026-01-01'), ('2026-01-03'), ('2026-01-09'), ('2026-01-10')) e(at);

-- Serialized states that its functions can't have made ----------------------------------

CREATE AGGREGATE rhythm_bytes(timestamptz) (
    SFUNC = segment.rhythm_transition, STYPE = internal, FINALFUNC = segment.aggregate_serialize);
CREATE AGGREGATE rhythm_from(bytea, bytea) (
    SFUNC = bytea_string_agg_transfn, STYPE = internal, SERIALFUNC = bytea_string_agg_finalfn,
    DESERIALFUNC = segment.aggregate_deserialize, COMBINEFUNC = segment.aggregate_combine,
    FINALFUNC = segment.rhythm_final, PARALLEL = SAFE);
CREATE TABLE wire (part int, bytes bytea) PARTITION BY LIST (part);
CREATE TABLE wire_1 PARTITION OF wire FOR VALUES IN (1);
CREATE TABLE wire_2 PARTITION OF wire FOR VALUES IN (2);
INSERT INTO wire SELECT 1 + i % 2, '' FROM generate_series(1, 3000) i;
ANALYZE wire;
SET enable_partitionwise_aggregate = on;
SET max_parallel_workers_per_gather = 0;
CREATE FUNCTION from_bytes(a bytea, b bytea DEFAULT NULL) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE wire;
    INSERT INTO wire SELECT * FROM (VALUES (1, a), (2, b)) v(part, bytes) WHERE bytes IS NOT NULL;
    RETURN (SELECT rhythm_from(bytes, '')::text FROM wire);
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
CREATE TABLE valid AS
SELECT rhythm_bytes(at) AS bytes FROM (VALUES (timestamptz '2026-01-03'), ('2026-01-01')) e(at);
SELECT substr(bytes, 3) AS after_version, from_bytes(bytes), from_bytes(bytes, bytes) FROM valid;
SELECT from_bytes(overlay(bytes PLACING timestamptz_send('2026-01-02') FROM 3)) AS event_after_as_of,
       from_bytes(overlay(bytes PLACING timestamptz_send('infinity') FROM 3)) AS as_of_infinite,
       from_bytes(bytes, overlay(bytes PLACING timestamptz_send('2026-01-30') FROM 3)) AS other_as_of,
       from_bytes(set_byte(bytes, 13, 1)) AS fewer_events
FROM valid;

DROP SCHEMA aggregate_rhythm CASCADE;
