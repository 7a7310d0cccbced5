-- Serialized states of aggregates: what the one deserialize function of all of
-- them refuses.  Random damage is tried in test/oracle/aggregate and test/fuzz.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS segment;
CREATE SCHEMA aggregate_states;
SET search_path = aggregate_states;
SET TimeZone = 'UTC';

-- sessions_bytes shows the serialized state; the others, which only work where
-- a plan splits them, hand any bytes to the deserialize function.
CREATE AGGREGATE sessions_bytes(timestamptz, interval) (
    SFUNC = segment.sessions_transition, STYPE = internal, FINALFUNC = segment.aggregate_serialize);
CREATE AGGREGATE sessions_from(bytea, bytea) (
    SFUNC = bytea_string_agg_transfn, STYPE = internal, SERIALFUNC = bytea_string_agg_finalfn,
    DESERIALFUNC = segment.aggregate_deserialize, COMBINEFUNC = segment.aggregate_combine,
    FINALFUNC = segment.sessions_final, PARALLEL = SAFE);
CREATE AGGREGATE engagement_from(bytea, bytea) (
    SFUNC = bytea_string_agg_transfn, STYPE = internal, SERIALFUNC = bytea_string_agg_finalfn,
    DESERIALFUNC = segment.aggregate_deserialize, COMBINEFUNC = segment.aggregate_combine,
    FINALFUNC = segment.engagement_final, PARALLEL = SAFE);
-- a transition function on another kind's state
CREATE AGGREGATE mixed(timestamptz, interval) (
    SFUNC = segment.sessions_transition, STYPE = internal, FINALFUNC = segment.engagement_final);

CREATE TABLE wire (part int, bytes bytea) PARTITION BY LIST (part);
CREATE TABLE wire_1 PARTITION OF wire FOR VALUES IN (1);
CREATE TABLE wire_2 PARTITION OF wire FOR VALUES IN (2);
INSERT INTO wire SELECT 1 + i % 2, '' FROM generate_series(1, 3000) i;
ANALYZE wire;
TRUNCATE wire;
SET enable_partitionwise_aggregate = on;
SET max_parallel_workers_per_gather = 0;
EXPLAIN (COSTS OFF) SELECT sessions_from(bytes, '') FROM wire;

-- the result of the state, or of the two states, or the error
CREATE FUNCTION from_bytes(aggregate text, a bytea, b bytea DEFAULT NULL) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    DELETE FROM wire;
    INSERT INTO wire SELECT * FROM (VALUES (1, a), (2, b)) v(part, bytes) WHERE bytes IS NOT NULL;
    EXECUTE format('SELECT %I(bytes, '''') FROM wire', aggregate) INTO answer;
    RETURN answer;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;

CREATE TABLE valid AS
SELECT sessions_bytes(at, '1 hour') AS bytes
FROM (VALUES (timestamptz '2026-01-03'), ('2026-01-01'), ('2026-01-01 01:00')) e(at);
SELECT bytes, from_bytes('sessions_from', bytes), from_bytes('sessions_from', bytes, bytes) FROM valid;
SELECT what, from_bytes('sessions_from', hostile)
FROM valid, LATERAL (VALUES
    (1, 'empty', ''::bytea),
    (2, 'one byte', substr(bytes, 1, 1)),
    (3, 'no such kind', set_byte(bytes, 0, 255)),
    (4, 'another kind', set_byte(bytes, 0, 0)),
    (5, 'version', set_byte(bytes, 1, 0)),
    (6, 'gap', overlay(bytes PLACING '\xffffffffffffffff' FROM 3)),
    (7, 'fewer events than sessions', set_byte(bytes, 17, 1)),
    (8, 'count too small', set_byte(bytes, 21, 1)),
    (9, 'count too large', set_byte(bytes, 21, 3)),
    (10, 'count huge', overlay(bytes PLACING '\x7fffffff' FROM 19)),
    (11, 'count negative', overlay(bytes PLACING '\xffffffff' FROM 19)),
    (12, 'order', overlay(bytes PLACING substr(bytes, 39, 16) FROM 23)),
    (13, 'infinity', overlay(bytes PLACING '\x7fffffffffffffff' FROM 47)),
    (14, 'before all timestamps', overlay(bytes PLACING '\x8000000000000001' FROM 23)),
    (15, 'too short', substr(bytes, 1, 50)),
    (16, 'too long', bytes || '\x00')) h(n, what, hostile)
ORDER BY n;
-- states that do not belong together, or to the aggregate
SELECT from_bytes('sessions_from', bytes, set_byte(bytes, 9, 1)) AS other_gap,
       from_bytes('engagement_from', bytes) AS other_aggregate FROM valid;
SELECT mixed(now(), '1 hour');

-- every aggregate can be computed in parts, and its parts sent from one process to another
SELECT aggfnoid::regprocedure FROM pg_aggregate JOIN pg_proc ON oid = aggfnoid
WHERE pronamespace = 'segment'::regnamespace
  AND (aggcombinefn = 0 OR proparallel <> 's' OR (aggtranstype = 'internal'::regtype AND (aggserialfn = 0 OR aggdeserialfn = 0)));

DROP SCHEMA aggregate_states CASCADE;
