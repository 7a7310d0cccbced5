-- segment.sessions(at, gap)
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS segment;
CREATE SCHEMA aggregate_sessions;
SET search_path = aggregate_sessions;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, MDY';
SET IntervalStyle = 'postgres';

-- does the plan of a query have a node?
CREATE FUNCTION plan_has(query text, node text) RETURNS bool
LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        IF line ~ node THEN
            RETURN true;
        END IF;
    END LOOP;
    RETURN false;
END $$;

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

-- Random events against plain SQL, in any order and split in any way ----------------

CREATE TABLE events (part int, k int, at timestamptz, shuffle float8) PARTITION BY LIST (part);
CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1);
CREATE TABLE events_2 PARTITION OF events FOR VALUES IN (2);
CREATE TABLE events_3 PARTITION OF events FOR VALUES IN (3);

-- window functions; the average counted in numeric microseconds
CREATE FUNCTION oracle(gap interval) RETURNS TABLE (k int, s segment.sessions_result)
LANGUAGE sql AS $$
    WITH starts AS (
        SELECT k, at, coalesce(at - lag(at) OVER (PARTITION BY k ORDER BY at) > gap, true) AS starts
        FROM events WHERE isfinite(at)
    ),
    numbered AS (
        SELECT k, at, count(*) FILTER (WHERE starts) OVER (PARTITION BY k ORDER BY at ROWS UNBOUNDED PRECEDING) AS number
        FROM starts
    ),
    each AS (
        SELECT k, number, count(*) AS events, min(at) AS started, extract(epoch FROM max(at) - min(at)) * 1000000 AS duration
        FROM numbered GROUP BY k, number
    ),
    whole AS (
        SELECT k, count(*) AS sessions, sum(events)::bigint AS events, sum(duration)::bigint AS total,
               max(duration)::bigint AS longest, round(sum(duration) / count(*))::bigint AS average, max(started) AS last
        FROM each GROUP BY k
    )
    SELECT k, ROW(sessions, events, justify_hours(total * interval '1 microsecond'),
                  justify_hours(longest * interval '1 microsecond'), justify_hours(average * interval '1 microsecond'),
                  last)::segment.sessions_result
    FROM whole
$$;

SET enable_partitionwise_aggregate = on;
SET max_parallel_workers_per_gather = 0;
SELECT plan_has('SELECT k, segment.sessions(at, ''1 day'') FROM events GROUP BY k', 'Partial') AS splits;

DO $$
DECLARE
    gaps interval[] := '{0, 1 microsecond, 30 seconds, 30 minutes, 1 day, 5 days}';
    gap interval;
    step interval;
    bad record;
BEGIN
    FOR seed IN 1 .. 1000 LOOP
        PERFORM setseed(seed / 1000.0);
        gap := gaps[1 + floor(random() * 6)];
        -- whole steps, so that many distances equal the gap
        step := greatest(gap, '1 microsecond') / (1 + floor(random() * 3));
        DELETE FROM events;
        INSERT INTO events
        SELECT 1 + floor(random() * 3), floor(random() * 5),
               CASE WHEN r < 0.03 THEN NULL WHEN r < 0.06 THEN 'infinity' WHEN r < 0.09 THEN '-infinity'
                    ELSE timestamptz '2026-01-31' + floor(random() * 40) * step
                         + CASE WHEN random() < 0.3 THEN floor(random() * 3 - 1) * interval '1 microsecond' ELSE '0' END END,
               random()
        FROM (SELECT random() AS r FROM generate_series(1, 10 + floor(random() * 90)::int)) g;

        FOR bad IN
            WITH ours AS (SELECT k, segment.sessions(at, gap) AS as_stored,
                                 segment.sessions(at, gap ORDER BY at) AS in_order,
                                 segment.sessions(at, gap ORDER BY at DESC) AS backward,
                                 segment.sessions(at, gap ORDER BY shuffle) AS shuffled
                          FROM events GROUP BY k),
            split AS (SELECT k, segment.sessions(at, gap) AS s FROM events GROUP BY k)
            SELECT k, oracle.s AS expected, as_stored, in_order, backward, shuffled, split.s AS split
            FROM ours FULL JOIN split USING (k) LEFT JOIN oracle(gap) oracle USING (k)
            -- as text: intervals of equal length but other form differ
            WHERE (as_stored::text, in_order::text, backward::text, shuffled::text, split.s::text)
                  IS DISTINCT FROM (oracle.s::text, oracle.s::text, oracle.s::text, oracle.s::text, oracle.s::text)
        LOOP
            RAISE WARNING 'seed %, gap %: %', seed, gap, bad;
        END LOOP;
    END LOOP;
END $$;

-- mixed gaps are found where parts meet, too
TRUNCATE events;
INSERT INTO events SELECT p, 1, '2026-01-30' FROM generate_series(1, 3) p;
SELECT k, segment.sessions(at, part * interval '1 day') FROM events GROUP BY k;

-- many events, most of them in order
TRUNCATE events;
INSERT INTO events
SELECT 1 + i % 3, 1, timestamptz '2026-01-01' + i * CASE WHEN i % 1000 = 0 THEN interval '0.5 second' ELSE '1 second' END
FROM generate_series(1, 100000) i;
SELECT segment.sessions(at, '1 second')::text = (SELECT s::text FROM oracle('1 second')) AS same FROM events;

-- Windows: the final function is called again and again -----------------------------

SELECT at, (segment.sessions(at, '1 hour') OVER (ORDER BY n)).*
FROM (VALUES (1, timestamptz '2026-01-29 10:00'), (2, '2026-01-29 12:00'), (3, '2026-01-29 11:00'), (4, '2026-01-29 14:00')) e(n, at);
CREATE TABLE window_events AS
SELECT n, timestamptz '2026-01-01' + n * n % 211 * interval '1 hour' AS at FROM generate_series(1, 200) n;
SELECT count(*) AS differ
FROM (SELECT n, segment.sessions(at, '3 hours') OVER (ORDER BY n) AS s FROM window_events) w
WHERE s::text <> (SELECT segment.sessions(at, '3 hours')::text FROM window_events e WHERE e.n <= w.n);

-- A parallel plan gives the same ----------------------------------------------------

CREATE TABLE parallel_events AS
SELECT i % 7 AS k, timestamptz '2026-01-31' - i * i % 9973 * interval '1 minute' AS at
FROM generate_series(1, 20000) i;
ANALYZE parallel_events;
CREATE TABLE serial_result AS
SELECT k, segment.sessions(at, '30 minutes') AS s FROM parallel_events GROUP BY k;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT plan_has(q, 'Gather') AND plan_has(q, 'Partial') AS parallel
FROM (VALUES ('SELECT k, segment.sessions(at, ''30 minutes'') FROM parallel_events GROUP BY k')) v(q);
SELECT count(*) AS groups, bool_and(a.s::text = b.s::text) AS same
FROM serial_result a
JOIN (SELECT k, segment.sessions(at, '30 minutes') AS s FROM parallel_events GROUP BY k) b USING (k);
SET max_parallel_workers_per_gather = 0;

-- Hostile serialized states ---------------------------------------------------------
-- sessions_bytes shows the serialized state; sessions_from_bytes, which only works
-- where a plan splits it, hands any bytes to the deserialize function.

CREATE AGGREGATE sessions_bytes(timestamptz, interval) (
    SFUNC = segment.sessions_transition, STYPE = internal, FINALFUNC = segment.aggregate_serialize);
CREATE AGGREGATE sessions_from_bytes(bytea, bytea) (
    SFUNC = bytea_string_agg_transfn, STYPE = internal, SERIALFUNC = bytea_string_agg_finalfn,
    DESERIALFUNC = segment.aggregate_deserialize, COMBINEFUNC = segment.aggregate_combine,
    FINALFUNC = segment.sessions_final, PARALLEL = SAFE);
CREATE TABLE wire (part int, bytes bytea) PARTITION BY LIST (part);
CREATE TABLE wire_1 PARTITION OF wire FOR VALUES IN (1);
CREATE TABLE wire_2 PARTITION OF wire FOR VALUES IN (2);

-- the result of the state, or of the two states, or the error
CREATE FUNCTION from_bytes(a bytea, b bytea DEFAULT NULL) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM wire;
    INSERT INTO wire SELECT * FROM (VALUES (1, a), (2, b)) v(part, bytes) WHERE bytes IS NOT NULL;
    IF NOT plan_has('SELECT sessions_from_bytes(bytes, '''') FROM wire', 'Partial') THEN
        RETURN 'not split';
    END IF;
    RETURN sessions_from_bytes(bytes, '') FROM wire;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;

CREATE TABLE valid AS
SELECT sessions_bytes(at, '1 hour') AS bytes
FROM (VALUES (timestamptz '2026-01-03'), ('2026-01-01'), ('2026-01-01 01:00')) e(at);
SELECT bytes, from_bytes(bytes), from_bytes(bytes, bytes) FROM valid;
SELECT from_bytes(sessions_bytes('infinity', '1 hour')) IS NULL AS no_events,
       from_bytes(sessions_bytes('infinity', '1 hour'), (SELECT bytes FROM valid)) AS one_without_events;
SELECT what, from_bytes(hostile)
FROM valid, LATERAL (VALUES
    (1, 'empty', ''::bytea),
    (2, 'version', set_byte(bytes, 0, 0)),
    (3, 'gap', overlay(bytes PLACING '\xffffffffffffffff' FROM 2)),
    (4, 'count too small', set_byte(bytes, 12, 2)),
    (5, 'count too large', set_byte(bytes, 12, 4)),
    (6, 'count huge', overlay(bytes PLACING '\x7fffffff' FROM 10)),
    (7, 'count negative', overlay(bytes PLACING '\xffffffff' FROM 10)),
    (8, 'count wraps', overlay(bytes PLACING '\x20000003' FROM 10)),
    (9, 'order', overlay(bytes PLACING substr(bytes, 30, 8) FROM 14)),
    (10, 'infinity', overlay(bytes PLACING '\x7fffffffffffffff' FROM 30)),
    (11, 'minus infinity', overlay(bytes PLACING '\x8000000000000000' FROM 14)),
    (12, 'before all timestamps', overlay(bytes PLACING '\x8000000000000001' FROM 14)),
    (13, 'too short', substr(bytes, 1, 36)),
    (14, 'no count', substr(bytes, 1, 9)),
    (15, 'too long', bytes || '\x00'),
    (16, 'an event more', bytes || '\x0000000000000000')) h(n, what, hostile)
ORDER BY n;
SELECT from_bytes(bytes, set_byte(bytes, 8, 1)) AS other_gap FROM valid;
-- random damage ends in one of these
DO $$
DECLARE
    good bytea := (SELECT bytes FROM valid);
    hostile bytea;
    answer text;
BEGIN
    PERFORM setseed(0.5);
    FOR i IN 1 .. 1000 LOOP
        hostile := substr(good, 1, CASE WHEN random() < 0.2 THEN floor(random() * 38)::int ELSE 37 END);
        FOR j IN 1 .. floor(random() * 4) LOOP
            CONTINUE WHEN length(hostile) = 0;
            hostile := set_byte(hostile, floor(random() * length(hostile))::int, floor(random() * 256)::int);
        END LOOP;
        answer := from_bytes(hostile, CASE WHEN random() < 0.5 THEN good END);
        IF answer !~ '^(22P03 |08P01 |22023 gap must be the same|\()' THEN
            RAISE WARNING '% %', hostile, answer;
        END IF;
    END LOOP;
END $$;

DROP SCHEMA aggregate_sessions CASCADE;
