-- segment.journey(at, VARIADIC stages)
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS segment;
CREATE SCHEMA aggregate_journey;
SET search_path = aggregate_journey;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, MDY';

-- Meaning ---------------------------------------------------------------------

-- furthest: first time at the highest stage; latest: last time at any
CREATE TABLE visits (at timestamptz, page text);
INSERT INTO visits VALUES ('2026-01-05', 'cart'), ('2026-01-01', 'view'), ('2026-01-02', 'order'), ('2026-01-03', 'cart'),
                          ('2026-01-04', 'order'), ('2026-01-06', 'view'), ('2026-01-07', 'help');
SELECT (segment.journey(at, page = 'view', page = 'cart', page = 'order')).* FROM visits;
SELECT (segment.journey(at, VARIADIC ARRAY[page = 'view', page = 'cart', page = 'order'])).* FROM visits;
-- a row is at the highest stage it meets
SELECT (segment.journey(at, true, page IN ('cart', 'order'), page = 'order')).* FROM visits;
-- stages need not be reached one after the other
SELECT (segment.journey(at, false, false, page = 'order')).* FROM visits;
-- of several rows at one time, the highest stage
SELECT (segment.journey(at, stage = 1, stage = 2, stage = 3)).*
FROM (VALUES (timestamptz '2026-01-01', 3), ('2026-01-02', 1), ('2026-01-02', 2), ('2026-01-02', 1)) e(at, stage);
-- it does not look at the clock
SET segment.as_of = '2020-01-01';
SELECT (segment.journey(at, true)).latest_at FROM visits;
RESET segment.as_of;
-- 64 stages
SELECT (segment.journey(at, VARIADIC array_fill(false, ARRAY[63]) || true)).furthest FROM visits;

-- NULLs, infinities, nothing ------------------------------------------------------

-- a stage that is NULL is not met
SELECT (segment.journey(at, true, NULL)).* FROM visits;
SELECT (segment.journey(at, page = 'none', NULL::bool)).*, segment.journey(at, false) IS NULL AS is_null FROM visits;
SELECT (segment.journey(at, stage = 1, stage = 2)).*
FROM (VALUES (timestamptz '2026-01-01', 1), (NULL, 2), ('infinity', 2), ('-infinity', 2)) e(at, stage);
SELECT (segment.journey(at, VARIADIC stages)).*
FROM (VALUES (timestamptz '2026-01-01', '{t,f}'::bool[]), ('2026-01-02', NULL), (NULL, '{t}')) e(at, stages);
SELECT segment.journey(NULL, true) IS NULL AS null_at, segment.journey('infinity', true) IS NULL AS infinity,
       segment.journey(now(), VARIADIC NULL::bool[]) IS NULL AS null_stages;
SELECT segment.journey(now(), true) IS NULL AS empty FROM generate_series(1, 0);

-- Errors --------------------------------------------------------------------------

SELECT segment.journey(now(), 1);
\echo :LAST_ERROR_SQLSTATE
SELECT segment.journey(now(), VARIADIC '{}'::bool[]);
\echo :LAST_ERROR_SQLSTATE
SELECT segment.journey(now(), VARIADIC array_fill(true, ARRAY[65]));
\echo :LAST_ERROR_SQLSTATE
SELECT segment.journey(at, VARIADIC stages)
FROM (VALUES (timestamptz '2026-01-01', '{t,f}'::bool[]), ('2026-01-02', '{t}')) e(at, stages);
\echo :LAST_ERROR_SQLSTATE
-- whether or not the row counts
SELECT segment.journey(at, VARIADIC stages)
FROM (VALUES (timestamptz '2026-01-01', '{t,f}'::bool[]), ('infinity', '{t}')) e(at, stages);

-- Windows, also with an array -------------------------------------------------------

SELECT at::date, segment.journey(at, page = 'view', page = 'cart', page = 'order') OVER w,
       segment.journey(at, VARIADIC ARRAY[page = 'view', page = 'cart', page = 'order']) OVER w
FROM visits WINDOW w AS (ORDER BY at ROWS 1 PRECEDING);

-- In parts --------------------------------------------------------------------------

-- rows with different numbers of stages are found where parts meet, too
CREATE TABLE events (part int, k int, at timestamptz) PARTITION BY LIST (part);
CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1);
CREATE TABLE events_2 PARTITION OF events FOR VALUES IN (2);
INSERT INTO events SELECT 1 + i % 2, 1, timestamptz '2026-01-31' - i * interval '1 second' FROM generate_series(1, 3000) i;
ANALYZE events;
SET enable_partitionwise_aggregate = on;
SET max_parallel_workers_per_gather = 0;
EXPLAIN (COSTS OFF) SELECT k, segment.journey(at, VARIADIC array_fill(true, ARRAY[part])) FROM events GROUP BY k;
SELECT k, segment.journey(at, VARIADIC array_fill(true, ARRAY[part])) FROM events GROUP BY k;

-- Serialized states that its functions can't have made ----------------------------------

CREATE AGGREGATE journey_bytes(timestamptz, VARIADIC "any") (
    SFUNC = segment.journey_transition, STYPE = internal, FINALFUNC = segment.aggregate_serialize);
CREATE AGGREGATE journey_from(bytea, bytea) (
    SFUNC = bytea_string_agg_transfn, STYPE = internal, SERIALFUNC = bytea_string_agg_finalfn,
    DESERIALFUNC = segment.aggregate_deserialize, COMBINEFUNC = segment.aggregate_combine,
    FINALFUNC = segment.journey_final, PARALLEL = SAFE);
CREATE TABLE wire (part int, bytes bytea) PARTITION BY LIST (part);
CREATE TABLE wire_1 PARTITION OF wire FOR VALUES IN (1);
CREATE TABLE wire_2 PARTITION OF wire FOR VALUES IN (2);
INSERT INTO wire SELECT 1 + i % 2, '' FROM generate_series(1, 3000) i;
ANALYZE wire;
CREATE FUNCTION from_bytes(a bytea) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE wire;
    INSERT INTO wire VALUES (1, a);
    RETURN (SELECT journey_from(bytes, '')::text FROM wire);
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
CREATE TABLE valid AS SELECT journey_bytes(at, page = 'view', page = 'cart', page = 'order') AS bytes FROM visits;
SELECT substr(bytes, 3) AS after_version, from_bytes(bytes) FROM valid;
-- after kind and version: stages, counted, furthest, latest, and their times
SELECT what, from_bytes(hostile)
FROM valid, LATERAL (VALUES
    (1, 'no stages', set_byte(bytes, 2, 0)),
    (2, 'too many stages', set_byte(bytes, 2, 65)),
    (3, 'fewer stages than reached', set_byte(bytes, 2, 2)),
    (4, 'not counted', set_byte(bytes, 3, 0)),
    (5, 'counted', set_byte(bytes, 3, 2)),
    (6, 'none furthest', set_byte(bytes, 4, 0)),
    (7, 'none latest', set_byte(bytes, 5, 0)),
    (8, 'latest above furthest', set_byte(bytes, 5, 4)),
    (9, 'furthest after latest', overlay(bytes PLACING timestamptz_send('2026-01-08') FROM 7)),
    (10, 'furthest at the time of a lower latest', overlay(bytes PLACING timestamptz_send('2026-01-06') FROM 7)),
    (11, 'infinity', overlay(bytes PLACING timestamptz_send('infinity') FROM 15)),
    (12, 'too short', substr(bytes, 1, 21)),
    (13, 'too long', bytes || '\x00')) h(n, what, hostile)
ORDER BY n;

DROP SCHEMA aggregate_journey CASCADE;
