-- segment.engagement(at, weight, half_life)
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS segment;
CREATE SCHEMA aggregate_engagement;
SET search_path = aggregate_engagement;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, MDY';
SET IntervalStyle = 'postgres';
SET segment.as_of = '2026-01-31 00:00:00+00';

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

-- Random events against plain SQL, in any order and split in any way ----------------

CREATE TABLE events (part int, k int, at timestamptz, weight float8, shuffle float8) PARTITION BY LIST (part);
CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1);
CREATE TABLE events_2 PARTITION OF events FOR VALUES IN (2);
CREATE TABLE events_3 PARTITION OF events FOR VALUES IN (3);

SET enable_partitionwise_aggregate = on;
SET max_parallel_workers_per_gather = 0;
SELECT plan_has('SELECT k, segment.engagement(at, weight, ''1 day'') FROM events GROUP BY k', 'Partial') AS splits;

DO $$
DECLARE
    half_lives interval[] := '{1 microsecond, 1 second, 7 hours, 1 day, 30 days, 1 month 3 days, 1 year, 290000 years}';
    scales interval[] := '{1 second, 1 day, 100 days, 30 years}';
    h interval;
    s interval;
    bad record;
BEGIN
    FOR seed IN 1 .. 1000 LOOP
        PERFORM setseed(seed / 1000.0);
        h := half_lives[1 + floor(random() * 8)];
        s := scales[1 + floor(random() * 4)];
        DELETE FROM events;
        INSERT INTO events
        SELECT 1 + floor(random() * 3), floor(random() * 5),
               CASE WHEN r < 0.03 THEN NULL WHEN r < 0.06 THEN 'infinity' WHEN r < 0.09 THEN '-infinity'
                    WHEN r < 0.2 THEN timestamptz '2026-01-31' - s / 2      -- ties
                    ELSE timestamptz '2026-01-31' - (random() - 0.1) * s END,
               CASE WHEN random() < 0.05 THEN NULL ELSE 10 ^ (random() * 20 - 10) END,
               random()
        FROM (SELECT random() AS r FROM generate_series(1, 60)) g;

        FOR bad IN
            WITH oracle AS (
                SELECT k, sum(CASE WHEN at = '-infinity' OR x > 1000 THEN 0 ELSE weight * 2::float8 ^ -x END) AS value
                FROM (SELECT k, at, weight,
                             CASE WHEN at > '-infinity' THEN
                                 extract(epoch FROM timestamptz '2026-01-31' - at) / extract(epoch FROM h) END AS x
                      FROM events WHERE at <= '2026-01-31' AND weight IS NOT NULL) e
                GROUP BY k
            ),
            ours AS (SELECT k, segment.engagement(at, weight, h ORDER BY at) AS in_order,
                            segment.engagement(at, weight, h ORDER BY at DESC) AS backward,
                            segment.engagement(at, weight, h ORDER BY shuffle) AS shuffled
                     FROM events GROUP BY k),
            split AS (SELECT k, segment.engagement(at, weight, h) AS value FROM events GROUP BY k)
            SELECT k, oracle.value AS expected, in_order, backward, shuffled, split.value AS split
            FROM ours FULL JOIN split USING (k) LEFT JOIN oracle USING (k)
            WHERE NOT (close(in_order, oracle.value, 1e-11) AND close(in_order, backward, 1e-12) AND
                       close(in_order, shuffled, 1e-12) AND close(in_order, split.value, 1e-12))
        LOOP
            RAISE WARNING 'seed %, half-life %: %', seed, h, bad;
        END LOOP;
    END LOOP;
END $$;

-- mixed half-lives are found where parts meet, too
TRUNCATE events;
INSERT INTO events SELECT p, 1, '2026-01-30', 1 FROM generate_series(1, 3) p;
SELECT k, segment.engagement(at, weight, part * interval '1 day') FROM events GROUP BY k;

-- many rows: rounding does not add up
TRUNCATE events;
INSERT INTO events
SELECT 1 + i % 3, 1, timestamptz '2026-01-31' - i * interval '1 second', 0.1, random() FROM generate_series(1, 100000) i;
SELECT close(segment.engagement(at, weight, '1 day'), segment.engagement(at, weight, '1 day' ORDER BY shuffle), 1e-12) AS unordered,
       close(segment.engagement(at, weight, '1 day'),
             0.1 * 2 ^ (-1 / 86400.0) * (1 - 2 ^ (-100000 / 86400.0)) / (1 - 2 ^ (-1 / 86400.0)), 1e-10) AS geometric
FROM events;

-- Windows: the final function is called again and again -----------------------------

SELECT at::date, segment.engagement(at, weight, '1 day') OVER (ORDER BY at),
       segment.engagement(at, weight, '1 day') OVER (ORDER BY at ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS two_rows
FROM (VALUES (timestamptz '2026-01-29', 4), ('2026-01-30', 2), ('2026-01-31', 1), ('2026-02-01', 1)) e(at, weight);

-- A parallel plan gives the same ----------------------------------------------------

CREATE TABLE parallel_events AS
SELECT i % 7 AS k, timestamptz '2026-01-31' - i * interval '1 minute' AS at, 1 + i % 10 AS weight
FROM generate_series(1, 20000) i;
ANALYZE parallel_events;
CREATE TABLE serial_result AS
SELECT k, segment.engagement(at, weight, '3 days') AS value FROM parallel_events GROUP BY k;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT plan_has(q, 'Gather') AND plan_has(q, 'Partial') AS parallel
FROM (VALUES ('SELECT k, segment.engagement(at, weight, ''3 days'') FROM parallel_events GROUP BY k')) v(q);
SELECT count(*) AS groups, bool_and(close(s.value, p.value, 1e-12)) AS same
FROM serial_result s
JOIN (SELECT k, segment.engagement(at, weight, '3 days') AS value FROM parallel_events GROUP BY k) p USING (k);
-- workers know the transaction's now()
RESET segment.as_of;
BEGIN;
SELECT segment.engagement(at, 1, '1 hour') AS now_in_workers
FROM (SELECT now() - interval '1 hour' AS at FROM parallel_events) e;
COMMIT;
SET segment.as_of = '2026-01-31 00:00:00+00';
SET max_parallel_workers_per_gather = 0;

-- Hostile serialized states ---------------------------------------------------------
-- engagement_bytes shows the serialized state; engagement_from_bytes, which only
-- works where a plan splits it, hands any bytes to the deserialize function.

CREATE AGGREGATE engagement_bytes(timestamptz, float8, interval) (
    SFUNC = segment.engagement_transition, STYPE = internal, FINALFUNC = segment.aggregate_serialize);
CREATE AGGREGATE engagement_from_bytes(bytea, bytea) (
    SFUNC = bytea_string_agg_transfn, STYPE = internal, SERIALFUNC = bytea_string_agg_finalfn,
    DESERIALFUNC = segment.aggregate_deserialize, COMBINEFUNC = segment.aggregate_combine,
    FINALFUNC = segment.engagement_final, PARALLEL = SAFE);
CREATE TABLE wire (part int, bytes bytea) PARTITION BY LIST (part);
CREATE TABLE wire_1 PARTITION OF wire FOR VALUES IN (1);
CREATE TABLE wire_2 PARTITION OF wire FOR VALUES IN (2);

-- the result of the state, or of the two states, or the error
CREATE FUNCTION from_bytes(a bytea, b bytea DEFAULT NULL) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM wire;
    INSERT INTO wire SELECT * FROM (VALUES (1, a), (2, b)) v(part, bytes) WHERE bytes IS NOT NULL;
    IF NOT plan_has('SELECT engagement_from_bytes(bytes, '''') FROM wire', 'Partial') THEN
        RETURN 'not split';
    END IF;
    RETURN engagement_from_bytes(bytes, '') FROM wire;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;

CREATE TABLE valid AS
SELECT engagement_bytes(at, weight, '10 days') AS bytes
FROM (VALUES (timestamptz '2026-01-31', 1), ('2026-01-21', 2), ('2026-01-11', 4)) e(at, weight);
SELECT bytes, from_bytes(bytes), from_bytes(bytes, bytes) FROM valid;
-- version, half-life 0, as-of infinity, sum NaN, exponent, flag, length
SELECT what, from_bytes(hostile)
FROM valid, LATERAL (VALUES
    (1, 'empty', ''::bytea),
    (2, 'version', set_byte(bytes, 0, 2)),
    (3, 'as_of', overlay(bytes PLACING '\x7fffffffffffffff' FROM 2)),
    (4, 'as_of', overlay(bytes PLACING '\x8000000000000001' FROM 2)),
    (5, 'half_life', overlay(bytes PLACING '\x0000000000000000' FROM 10)),
    (6, 'half_life', overlay(bytes PLACING '\xffffffffffffffff' FROM 10)),
    (7, 'sum NaN', overlay(bytes PLACING float8send('NaN') FROM 18)),
    (8, 'sum too large', overlay(bytes PLACING float8send(1e308) FROM 18)),
    (9, 'correction', overlay(bytes PLACING float8send('Infinity') FROM 26)),
    (10, 'nonfinite', overlay(bytes PLACING float8send(1) FROM 34)),
    (11, 'exponent', overlay(bytes PLACING '\x7fffffff' FROM 42)),
    (12, 'exponent', overlay(bytes PLACING '\x80000000' FROM 42)),
    (13, 'not counted', set_byte(bytes, 45, 0)),
    (14, 'counted', set_byte(bytes, 45, 2)),
    (15, 'too short', substr(bytes, 1, 45)),
    (16, 'too long', bytes || '\x00')) h(n, what, hostile)
ORDER BY n;
-- states that do not belong together
SELECT from_bytes(bytes, overlay(bytes PLACING '\x0000000000000000' FROM 2)) AS other_as_of,
       from_bytes(bytes, overlay(bytes PLACING '\x0000000000000001' FROM 10)) AS other_half_life,
       from_bytes(h, h) AS sum_out_of_range
FROM valid, overlay(overlay(bytes PLACING '\x00000440' FROM 42) PLACING float8send(2 ^ 64) FROM 18) h;
-- random damage ends in one of these
DO $$
DECLARE
    good bytea := (SELECT bytes FROM valid);
    hostile bytea;
    answer text;
BEGIN
    PERFORM setseed(0.5);
    FOR i IN 1 .. 1000 LOOP
        hostile := substr(good, 1, CASE WHEN random() < 0.2 THEN floor(random() * 47)::int ELSE 46 END);
        FOR j IN 1 .. floor(random() * 4) LOOP
            CONTINUE WHEN length(hostile) = 0;
            hostile := set_byte(hostile, floor(random() * length(hostile))::int, floor(random() * 256)::int);
        END LOOP;
        answer := from_bytes(hostile, CASE WHEN random() < 0.5 THEN good END);
        IF answer !~ '^(22P03 |08P01 |22023 half_life must be the same|22003 |-?[0-9.e+-]+$|-?Infinity$|NaN$)' THEN
            RAISE WARNING '% %', hostile, answer;
        END IF;
    END LOOP;
END $$;

DROP SCHEMA aggregate_engagement CASCADE;
