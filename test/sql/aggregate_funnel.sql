-- segment.funnel(at, within, steps), segment.funnel_by(mode, at, within, steps), segment.funnel_times(at, within, steps)
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS segment;
CREATE SCHEMA aggregate_funnel;
SET search_path = aggregate_funnel;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, MDY';

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

-- the instant n seconds after some other one
CREATE FUNCTION s(n int) RETURNS timestamptz
LANGUAGE sql IMMUTABLE AS $$ SELECT timestamptz '2026-01-01 00:00:00+00' + n * interval '1 second' $$;

-- Cases of ClickHouse's own tests of windowFunnel -------------------------------------

-- one event in each second
CREATE TABLE seconds AS SELECT s(i) AS at, 1000 + i AS event FROM generate_series(0, 8) i;
SELECT segment.funnel(at, '10000 s', event = 1000) AS is_1,
       segment.funnel(at, '10000 s', event = 1000, event = 1001) AS is_2,
       segment.funnel(at, '10000 s', event = 1000, event = 1001, event = 1002) AS is_3,
       segment.funnel(at, '10000 s', event = 1000, event = 1001, event = 1002, event = 1008) AS is_4,
       segment.funnel(at, '1 s', event = 1000) AS is_1,
       segment.funnel(at, '2 s', event = 1003, event = 1004, event = 1005, event = 1006, event = 1007) AS is_3,
       segment.funnel(at, '3 s', event = 1003, event = 1004, event = 1005, event = 1006, event = 1007) AS is_4,
       segment.funnel(at, '4 s', event = 1003, event = 1004, event = 1005, event = 1006, event = 1007) AS is_5,
       segment.funnel(at, '10000 s', event = 1001, event = 1008) AS is_2,
       segment.funnel(at, '10000 s', event = 1008, event = 1001) AS is_1,
       segment.funnel(at, '4 s', event <= 1007, event >= 1002, event <= 1006, event >= 1004) AS is_4
FROM seconds;
-- an event that repeats
SELECT segment.funnel(at, '10000 s', event = 1000, event = 1001, event = 1002, event = 1003, event = 1004, event = 1005, event = 1006) AS is_7,
       segment.funnel_by('strict_deduplication', at, '10000 s',
                         event = 1000, event = 1001, event = 1002, event = 1003, event = 1004, event = 1005, event = 1006) AS is_6
FROM (VALUES (s(0), 1000), (s(10), 1001), (s(20), 1002), (s(30), 1003), (s(40), 1004), (s(50), 1005), (s(51), 1005),
             (s(60), 1006), (s(70), 1007), (s(80), 1008)) e(at, event);
SELECT segment.funnel_by('strict_deduplication', at, '10 s', event = 'a', event = 'b', event = 'c', event = 'd') AS is_3
FROM (VALUES (s(1), 'a'), (s(2), 'b'), (s(3), 'c'), (s(4), 'b'), (s(5), 'd')) e(at, event);
-- other events in between
SELECT events, segment.funnel(at, '86400 s', event = 'a', event = 'b', event = 'c') AS "default",
       segment.funnel_by('strict_order', at, '86400 s', event = 'a', event = 'b', event = 'c') AS strict_order,
       segment.funnel_by('strict_deduplication, strict_order', at, '86400 s', event = 'a', event = 'b', event = 'c') AS both
FROM (VALUES (1, 'abc'), (2, 'adbc'), (3, 'aabbcc'), (4, 'aaaabbcc'), (5, 'aabbdcc'), (6, 'ccbbaa'), (7, 'acb')) u(n, events),
     LATERAL (SELECT s(i) AS at, substr(events, i, 1) AS event FROM generate_series(1, length(events)) i) e
GROUP BY n, events ORDER BY n;
-- conditions that are NULL
SELECT k, segment.funnel(at, '10 s', coalesce(a, '') = 'a1', coalesce(a, '') = 'a2') AS coalesced,
       segment.funnel(at, '10 s', a = 'a1', a = 'a2') AS nulls,
       segment.funnel(at, '10 s', a = 'a1', b = 'b2') AS two,
       segment.funnel(at, '10 s', a IS NULL AND b IS NULL) AS none,
       segment.funnel(at, '10 s', a IS NULL, b = 'b3') AS later,
       segment.funnel_by('strict_order', at, '10 s', a IS NULL, b = 'b3') AS strict
FROM (VALUES (1, s(1), 'a1', 'b1'), (1, s(2), 'a2', 'b2'), (2, s(1), 'a1', NULL), (2, s(2), 'a2', NULL), (3, s(1), NULL, NULL),
             (4, s(1), NULL, 'b1'), (4, s(2), 'a2', NULL), (4, s(3), NULL, 'b3')) e(k, at, a, b)
GROUP BY k ORDER BY k;
-- events at the same time
SELECT segment.funnel(at, '10000 s', event = 1000, event = 1001, event = 1002, event = 1003, event = 1004) AS is_5,
       segment.funnel_by('strict_increase', at, '10000 s', event = 1000, event = 1001, event = 1002, event = 1003, event = 1004) AS is_2,
       segment.funnel(at, '10000 s', event = 1004, event = 1004, event = 1004) AS is_3,
       segment.funnel_by('strict_once', at, '10000 s', event = 1004, event = 1004, event = 1004) AS is_1,
       segment.funnel_by('strict_increase', at, '10000 s', event = 1004, event = 1004, event = 1004) AS is_1
FROM (VALUES (s(0), 1000), (s(1), 1001), (s(1), 1002), (s(1), 1003), (s(2), 1004)) e(at, event);
SELECT segment.funnel(at, '30 days', event = 1003, event = 1009, event = 1007, event = 1010) AS is_4
FROM (VALUES (timestamptz '2019-01-29 10:00', 1003), ('2019-01-31 09:00', 1007), ('2019-01-30 08:00', 1009), ('2019-02-01 08:00', 1010)) e(at, event);

-- Meaning -------------------------------------------------------------------------

-- the window counts from the first step, its end included; the first step may come again
SELECT segment.funnel(at, '1 hour', event = 'a', event = 'b', event = 'c') AS is_3,
       segment.funnel(at, '59:59.999999', event = 'a', event = 'b', event = 'c') AS is_2,
       segment.funnel(at, '0', event = 'a', event = 'b', event = 'c') AS is_1
FROM (VALUES (timestamptz '2026-01-01 10:00', 'a'), ('2026-01-01 12:00', 'a'), ('2026-01-01 12:30', 'b'), ('2026-01-01 13:00', 'c'),
             ('2026-01-01 15:00', 'c')) e(at, event);
-- nobody needs to have taken the first step, nor the next one
SELECT segment.funnel(at, '1 hour', event = 'b', event = 'a') AS is_1, segment.funnel(at, '1 hour', event = 'c', event = 'a') AS is_0,
       segment.funnel_times(at, '1 hour', event = 'c', event = 'a') AS none
FROM (VALUES (s(1), 'a'), (s(2), 'b')) e(at, event);
-- lengths are those of extract(epoch): months of 30 days
SELECT segment.funnel(at, '1 month', event = 'a', event = 'b') AS month_of_30_days
FROM (VALUES (timestamptz '2026-01-01', 'a'), ('2026-01-31 00:00:00.000001', 'b')) e(at, event);
-- the order of the rows does not matter, nor that of events at the same time
SELECT segment.funnel(at, '1 hour', event = 'a', event = 'b', event = 'c' ORDER BY n) AS one,
       segment.funnel(at, '1 hour', event = 'a', event = 'b', event = 'c' ORDER BY n DESC) AS other,
       segment.funnel_times(at, '1 hour', event = 'a', event = 'b', event = 'c' ORDER BY n DESC) AS times
FROM (VALUES (1, s(2), 'c'), (2, s(2), 'b'), (3, s(1), 'a'), (4, s(3), 'a')) e(n, at, event);
-- the whole range of timestamps
SELECT segment.funnel(at, '290000 years', n = 1, n = 2, n = 3) AS is_2, segment.funnel(at, '292000 years', n = 2, n = 3) AS is_2,
       segment.funnel_times(at, '292000 years', n = 2, n = 3) AS times
FROM (VALUES (1, timestamptz '4713-11-24 00:00:00+00 BC'), (2, '2026-01-01'), (3, '294276-12-31 23:59:59.999999+00')) e(n, at);
-- 64 steps
SELECT segment.funnel(s(i), '1 day', VARIADIC ARRAY(SELECT i = step FROM generate_series(1, 64) step)) AS is_64
FROM generate_series(1, 64) i;

-- funnel_times: the first chain to come furthest, each step before its last as late as can be
SELECT segment.funnel(at, '10 s', event = 'a', event = 'b', event = 'c') AS level,
       segment.funnel_times(at, '10 s', event = 'a', event = 'b', event = 'c') AS times
FROM (VALUES (s(1), 'a'), (s(2), 'a'), (s(3), 'b'), (s(4), 'b'), (s(5), 'a'), (s(6), 'c'), (s(7), 'c'), (s(8), 'b')) e(at, event);
SELECT segment.funnel_times(at, '10 s', event = 'a', event = 'b', event = 'c') AS times
FROM (VALUES (s(1), 'a'), (s(2), 'b'), (s(3), 'a'), (s(4), 'b')) e(at, event);
-- one event may be several steps
SELECT segment.funnel_times(at, '10 s', event >= 'a', event >= 'b', event >= 'c') AS times
FROM (VALUES (s(1), 'a'), (s(2), 'c')) e(at, event);

-- Modes -----------------------------------------------------------------------------

-- one row for each mode, one column for each sequence of events; a digit is a step, "-" an event of none, those between
-- "(" and ")" happen at the same time, "1=2" is one event that meets both
CREATE FUNCTION level(mode text, steps int, script text) RETURNS int
LANGUAGE sql AS $$
    WITH RECURSIVE walk(rest, event, at, tied) AS (
        SELECT script, NULL, 0, false
        UNION ALL
        SELECT substr(rest, 1 + length(token)), CASE WHEN token ~ '^[()]$' THEN NULL ELSE token END,
               at + CASE WHEN token = ')' THEN 0 WHEN tied THEN 0 ELSE 1 END,
               CASE token WHEN '(' THEN true WHEN ')' THEN false ELSE tied END
        FROM walk, LATERAL (SELECT substring(rest FROM '^(\d(?:=\d)*|.)') AS token) t WHERE rest <> ''
    )
    SELECT segment.funnel_by(mode, s(at), '5 s', VARIADIC ARRAY(SELECT strpos(event, i::text) > 0 FROM generate_series(1, steps) i))
    FROM walk WHERE event IS NOT NULL
$$;
SELECT mode, level(mode, 3, '123') AS "123", level(mode, 3, '1-23') AS "1-23", level(mode, 3, '1323') AS "1323",
       level(mode, 3, '1223') AS "1223", level(mode, 3, '1123') AS "1123", level(mode, 3, '1(23)') AS "1(23)",
       level(mode, 3, '(12)3') AS "(12)3", level(mode, 3, '1=23') AS "1=23", level(mode, 3, '1=2=3') AS "1=2=3",
       level(mode, 3, '(1=2=31=2=31=2=3)') AS "3 of 1=2=3", level(mode, 3, '1(22)3') AS "1(22)3", level(mode, 3, '1(1=2)3') AS "1(1=2)3",
       level(mode, 3, '-123') AS "-123", level(mode, 3, '2123') AS "2123", level(mode, 3, '1-----23') AS "late"
FROM unnest('{"", strict_order, "strict_order,allow_reentry", strict_deduplication, strict_increase, strict_once,
              "strict_increase,strict_once", "strict_order,strict_once", "strict_deduplication,strict_once"}'::text[]) WITH ORDINALITY m(mode, n)
ORDER BY n;
-- with strict_once, events at the same time find their steps: the second for 2, the first for 3
SELECT level('strict_once', 3, '1(2=32)') AS is_3, level('strict_once', 3, '1(23=2)') AS is_3, level('strict_once', 3, '1(2=3)') AS is_2;
-- two events at the same time that could be the step are a repetition, in whatever order they come
SELECT level('strict_deduplication,strict_once', 3, '(1=22)3') AS is_2, level('strict_deduplication,strict_once', 3, '(21=2)3') AS is_2;
-- spaces around words, words twice, the empty text
SELECT segment.funnel_by(mode, s(i), '1 day', i = 1, i = 3) AS level, mode
FROM generate_series(1, 3) i, unnest('{"  strict_order	, strict_order ,strict_once","  ",""}'::text[]) mode GROUP BY mode ORDER BY mode;

-- Steps: boolean expressions or an array, the same in meaning ---------------------------

SELECT segment.funnel(at, '10 s', VARIADIC ARRAY[event = 'a', NULL, event = 'b']) AS is_1,
       segment.funnel(at, '10 s', event = 'a', NULL, event = 'b') AS is_1,
       segment.funnel(at, '10 s', VARIADIC '[0:1]={t,f}'::bool[]) AS is_1,
       segment.funnel(at, '10 s', VARIADIC ARRAY[[true, event = 'a'], [event = 'b', NULL]]) AS is_3,
       segment.funnel(at, '10 s', 't', event = 'b') AS is_2
FROM (VALUES (s(1), 'a'), (s(2), 'b')) e(at, event);
-- of an array that is NULL nothing is known
SELECT segment.funnel(at, '10 s', VARIADIC steps) AS is_1
FROM (VALUES (s(1), '{t,f}'::bool[]), (s(2), NULL)) e(at, steps);
SELECT segment.funnel(s(1), '10 s', VARIADIC NULL::bool[]) IS NULL AS nothing;

-- NULLs, infinities, nothing ------------------------------------------------------------

SELECT segment.funnel(at, within, event = 'a', event = 'b') AS level, segment.funnel_by(mode, at, within, event = 'a', event = 'b') AS by_mode,
       segment.funnel_times(at, within, event = 'a', event = 'b') AS times
FROM (VALUES (s(1), interval '1 day', '', 'a'), (NULL, '1 day', '', 'b'), (s(2), NULL, '', 'b'), ('infinity', '1 day', '', 'b'),
             ('-infinity', '1 day', '', 'a')) e(at, within, mode, event);
SELECT segment.funnel_by(mode, s(i), '1 day', i = 1, i = 2) AS is_1 FROM (VALUES (1, ''), (2, NULL)) e(i, mode);
SELECT segment.funnel(NULL, '1 day', true) IS NULL AS null_at, segment.funnel(s(1), NULL, true) IS NULL AS null_within,
       segment.funnel_by(NULL, s(1), '1 day', true) IS NULL AS null_mode, segment.funnel('infinity', '1 day', true) IS NULL AS infinity,
       segment.funnel_times('-infinity', '1 day', true) IS NULL AS minus_infinity,
       segment.funnel(s(1), '1 day', false) AS is_0, segment.funnel_times(s(1), '1 day', false) AS none,
       segment.funnel_by('strict_order', s(1), '1 day', NULL::bool) AS is_0;
SELECT segment.funnel(now(), '1 day', true) IS NULL AS empty, segment.funnel_times(now(), '1 day', true) IS NULL AS empty
FROM generate_series(1, 0);

-- Errors --------------------------------------------------------------------------------

SELECT segment.funnel(s(1), '-1 microsecond', true);
\echo :LAST_ERROR_SQLSTATE
SELECT segment.funnel('infinity', '-1 day', true);
SELECT segment.funnel_times(s(1), '300000 years', true);
\echo :LAST_ERROR_SQLSTATE
SELECT segment.funnel(s(1), within, true) FROM (VALUES (interval '1 day'), ('2 days')) e(within);
\echo :LAST_ERROR_SQLSTATE
SELECT segment.funnel_by('strict', s(1), '1 day', true);
\echo :LAST_ERROR_SQLSTATE
SELECT segment.funnel_by('strict_order, Strict_Once', s(1), '1 day', true);
SELECT segment.funnel_by('strict_order,', s(1), '1 day', true);
SELECT segment.funnel_by('allow_reentry,strict_once', s(1), '1 day', true);
\echo :LAST_ERROR_SQLSTATE
-- also in a row that does not count
SELECT segment.funnel_by('no', 'infinity', '1 day', true);
SELECT segment.funnel_by(mode, s(1), '1 day', true) FROM (VALUES ('strict_order'), ('strict_once')) e(mode);
\echo :LAST_ERROR_SQLSTATE
-- words that say the same are the same
SELECT segment.funnel_by(mode, s(1), '1 day', true) FROM (VALUES ('strict_order,strict_once'), ('strict_once, strict_order')) e(mode);
\set VERBOSITY sqlstate
SELECT segment.funnel(s(1), '1 day');
\set VERBOSITY default
SELECT segment.funnel(s(1), '1 day', 1, 2);
\echo :LAST_ERROR_SQLSTATE
SELECT segment.funnel(s(1), '1 day', VARIADIC '{1,2}'::int[]);
SELECT segment.funnel(s(1), '1 day', VARIADIC '{}'::bool[]);
\echo :LAST_ERROR_SQLSTATE
SELECT segment.funnel(s(1), '1 day', VARIADIC array_fill(true, ARRAY[65]));
\echo :LAST_ERROR_SQLSTATE
SELECT segment.funnel(s(1), '1 day', VARIADIC steps) FROM (VALUES ('{t,f}'::bool[]), ('{t}')) e(steps);
\echo :LAST_ERROR_SQLSTATE

-- Split in parts ------------------------------------------------------------------------

CREATE TABLE events (part int, k int, at timestamptz, event int) PARTITION BY LIST (part);
CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1);
CREATE TABLE events_2 PARTITION OF events FOR VALUES IN (2);
CREATE TABLE events_3 PARTITION OF events FOR VALUES IN (3);
SET enable_partitionwise_aggregate = on;
SET max_parallel_workers_per_gather = 0;

-- a part without events that count still has its constants
INSERT INTO events SELECT p, 1, '2026-01-30', 1 FROM generate_series(1, 3) p;
UPDATE events SET at = 'infinity' WHERE part = 2;
SELECT plan_has('SELECT k, segment.funnel(at, ''1 day'', event = 1) FROM events GROUP BY k', 'Partial') AS splits;
SELECT k, segment.funnel(at, '1 day', event = 1), segment.funnel_by('strict_order', at, '1 day', event = 1) FROM events GROUP BY k;
SELECT k, segment.funnel(at, part * interval '1 day', event = 1) FROM events GROUP BY k;
SELECT k, segment.funnel_by(CASE part WHEN 2 THEN 'strict_once' ELSE '' END, at, '1 day', event = 1) FROM events GROUP BY k;
SELECT k, segment.funnel(at, '1 day', VARIADIC array_fill(true, ARRAY[part])) FROM events GROUP BY k;
-- many events, most of them in order: steps that come round again and again
TRUNCATE events;
INSERT INTO events
SELECT 1 + i % 3, i % 5, s(i - CASE WHEN i % 1000 = 0 THEN 500 ELSE 0 END), i / 5 % 40 FROM generate_series(1, 100000) i;
SELECT k, segment.funnel(at, '1 hour', event = 3, event = 10, event = 5, event = 39) AS is_4,
       segment.funnel_by('strict_once', at, '199 s', event = 3, event = 10, event = 5, event = 39) AS is_2,
       segment.funnel_times(at, '1 hour', event = 3, event = 10, event = 5, event = 39) AS times
FROM events GROUP BY k ORDER BY k;

-- Windows: the final function is called again and again -----------------------------------

SELECT at, event, segment.funnel(at, '10 s', event = 'a', event = 'b', event = 'c') OVER w,
       segment.funnel_times(at, '10 s', event = 'a', event = 'b', event = 'c') OVER w,
       segment.funnel_by('strict_order', at, '10 s', VARIADIC ARRAY[event = 'a', event = 'b', event = 'c']) OVER w
FROM (VALUES (1, s(1), 'x'), (2, s(3), 'b'), (3, s(2), 'a'), (4, s(5), 'c'), (5, s(4), 'c')) e(n, at, event)
WINDOW w AS (ORDER BY n);

-- Hostile serialized states -----------------------------------------------------------------
-- funnel_bytes shows the serialized state; funnel_from_bytes, which only works
-- where a plan splits it, hands any bytes to the deserialize function.

CREATE AGGREGATE funnel_bytes(text, timestamptz, interval, VARIADIC "any") (
    SFUNC = segment.funnel_by_transition, STYPE = internal, FINALFUNC = segment.aggregate_serialize);
CREATE AGGREGATE funnel_from_bytes(bytea, bytea) (
    SFUNC = bytea_string_agg_transfn, STYPE = internal, SERIALFUNC = bytea_string_agg_finalfn,
    DESERIALFUNC = segment.aggregate_deserialize, COMBINEFUNC = segment.aggregate_combine,
    FINALFUNC = segment.funnel_final, PARALLEL = SAFE);
CREATE TABLE wire (part int, bytes bytea) PARTITION BY LIST (part);
CREATE TABLE wire_1 PARTITION OF wire FOR VALUES IN (1);
CREATE TABLE wire_2 PARTITION OF wire FOR VALUES IN (2);
INSERT INTO wire SELECT 1 + i % 2, '' FROM generate_series(1, 3000) i;
ANALYZE wire;
TRUNCATE wire;

-- the result of the state, or of the two states, or the error
CREATE FUNCTION from_bytes(a bytea, b bytea DEFAULT NULL) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM wire;
    INSERT INTO wire SELECT * FROM (VALUES (1, a), (2, b)) v(part, bytes) WHERE bytes IS NOT NULL;
    IF NOT plan_has('SELECT funnel_from_bytes(bytes, '''') FROM wire', 'Partial') THEN
        RETURN 'not split';
    END IF;
    RETURN funnel_from_bytes(bytes, '') FROM wire;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;

CREATE TABLE valid AS
SELECT funnel_bytes('strict_order,strict_once', at, '1 hour', event = 'a', event = 'b') AS bytes
FROM (VALUES (timestamptz '2026-01-03', 'b'), ('2026-01-01', 'x'), ('2026-01-02 23:00', 'a')) e(at, event);
SELECT bytes, from_bytes(bytes), from_bytes(bytes, bytes) FROM valid;
SELECT from_bytes(funnel_bytes('strict_order,strict_once', 'infinity', '1 hour', true, true)) IS NULL AS no_events,
       from_bytes(funnel_bytes('strict_order,strict_once', 'infinity', '1 hour', true, true), (SELECT bytes FROM valid)) AS one_without_events;
-- after id and version: window (8 bytes), steps, modes, counted, count (4 bytes), events (16 bytes each)
SELECT what, from_bytes(hostile)
FROM valid, LATERAL (VALUES
    (1, 'empty', ''::bytea),
    (2, 'no such kind', set_byte(bytes, 0, 255)),
    (3, 'version', set_byte(bytes, 1, 0)),
    (4, 'window', overlay(bytes PLACING '\xffffffffffffffff' FROM 3)),
    (5, 'no steps', set_byte(bytes, 10, 0)),
    (6, 'fewer steps than marks', set_byte(bytes, 10, 1)),
    (7, 'too many steps', set_byte(bytes, 10, 65)),
    (8, 'mode', set_byte(bytes, 11, 32)),
    (9, 'allow_reentry alone', set_byte(bytes, 11, 16)),
    (10, 'an event of no step', set_byte(bytes, 11, 8)),
    (11, 'events, but none counted', set_byte(bytes, 12, 0)),
    (12, 'counted', set_byte(bytes, 12, 2)),
    (13, 'count too small', set_byte(bytes, 16, 2)),
    (14, 'count too large', set_byte(bytes, 16, 4)),
    (15, 'count huge', overlay(bytes PLACING '\x7fffffff' FROM 14)),
    (16, 'count negative', overlay(bytes PLACING '\xffffffff' FROM 14)),
    (17, 'order', overlay(bytes PLACING substr(bytes, 50, 8) FROM 18)),
    (18, 'infinity', overlay(bytes PLACING '\x7fffffffffffffff' FROM 50)),
    (19, 'minus infinity', overlay(bytes PLACING '\x8000000000000000' FROM 18)),
    (20, 'before all timestamps', overlay(bytes PLACING '\x8000000000000001' FROM 18)),
    (21, 'marks', set_byte(bytes, 64, 4)),
    (22, 'too short', substr(bytes, 1, 64)),
    (23, 'no count', substr(bytes, 1, 13)),
    (24, 'too long', bytes || '\x00')) h(n, what, hostile)
ORDER BY n;
SELECT from_bytes(bytes, set_byte(bytes, 9, 1)) AS other_window, from_bytes(bytes, set_byte(bytes, 10, 3)) AS other_steps,
       from_bytes(bytes, set_byte(bytes, 11, 1)) AS other_mode FROM valid;

-- A domain is as good as its type -------------------------------------------------

CREATE DOMAIN flag AS boolean;
CREATE DOMAIN flags AS boolean[];
SELECT segment.funnel(at, '1 day', a::flag, NOT a) AS booleans, segment.funnel(at, '1 day', ARRAY[a, NOT a]::flags) AS an_array,
       segment.funnel(at, '1 day', VARIADIC ARRAY[a, NOT a]::flags) AS variadic
FROM (VALUES (timestamptz '2026-01-01', true), ('2026-01-02', false)) e(at, a);

DROP SCHEMA aggregate_funnel CASCADE;
