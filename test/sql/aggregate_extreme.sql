-- segment.first(value, at), segment.last(value, at)
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS segment;
CREATE SCHEMA aggregate_extreme;
SET search_path = aggregate_extreme;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, MDY';
SET IntervalStyle = 'postgres';

-- Meaning ---------------------------------------------------------------------

SELECT segment.first(channel, at), segment.last(channel, at)
FROM (VALUES (timestamptz '2026-01-02', 'ad'), ('2026-01-01', 'search'), ('2026-01-03', 'mail')) e(at, channel);
-- at one time: the smallest is first, the greatest last
SELECT segment.first(n, at), segment.last(n, at)
FROM (VALUES (timestamptz '2026-01-01', 3), ('2026-01-01', 1), ('2026-01-01', 2)) e(at, n);
SELECT segment.first(word COLLATE "C", now()), segment.last(word COLLATE "C", now()) FROM (VALUES ('a'), ('B')) w(word);
-- what the order holds equal but is not the same: always the same one
SELECT segment.first(n, now()) AS first, segment.last(n, now()) AS last, segment.last(n, now() ORDER BY scale(n)) AS ascending,
       segment.last(n, now() ORDER BY scale(n) DESC) AS descending
FROM (VALUES (1.00), (1), (1.0)) v(n);
SELECT segment.first(f, now() ORDER BY n), segment.first(f, now() ORDER BY n DESC)
FROM (VALUES (1, '-0'::float8), (2, '0')) v(n, f);
-- types without an order: by their text or binary form
SELECT segment.first(j, now()), segment.last(j, now()) FROM (VALUES (json '{"b": 1}'), ('{"a": 2}')) v(j);
-- an empty string is a value, and so is a row of NULLs
CREATE TYPE pair AS (n int, word text);
SELECT segment.last(word, at) AS empty, segment.last(pair, at) AS nulls
FROM (VALUES (timestamptz '2026-01-01', 'a', ROW(1, 'a')::pair), ('2026-01-02', '', ROW(NULL, NULL)::pair)) e(at, word, pair);

-- NULLs, infinities, nothing ------------------------------------------------------

SELECT segment.first(v, at), segment.last(v, at)
FROM (VALUES (timestamptz '2026-01-01', NULL), ('2026-01-02', 'a'), ('2026-01-03', 'b'), ('2026-01-04', NULL), (NULL, 'c'),
             ('infinity', 'd'), ('-infinity', 'e')) e(at, v);
SELECT segment.last(NULL::int, now()) IS NULL AS null_value, segment.last(1, NULL) IS NULL AS null_at,
       segment.last(1, 'infinity') IS NULL AS infinity, segment.first(1, '-infinity') IS NULL AS minus_infinity;
SELECT segment.first(1, now()) IS NULL AS empty FROM generate_series(1, 0);
-- they do not look at the clock
SET segment.as_of = '2020-01-01';
SELECT segment.last(v, at) FROM (VALUES (timestamptz '2019-01-01', 'a'), ('2030-01-01', 'b')) e(at, v);
RESET segment.as_of;

-- Types, also in parts ---------------------------------------------------------------

CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN short AS text CHECK (length(VALUE) < 10);
CREATE TYPE odd AS (n int, acl aclitem);
CREATE TABLE changed (n int, gone text, word short, words text[]);
ALTER TABLE changed DROP COLUMN gone;
CREATE TABLE events (part int, at timestamptz, n int) PARTITION BY LIST (part);
CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1);
CREATE TABLE events_2 PARTITION OF events FOR VALUES IN (2);
INSERT INTO events SELECT 1 + i % 2, timestamptz '2026-01-01' + i / 2 * interval '1 second', i FROM generate_series(0, 3999) i;
ANALYZE events;
SET enable_partitionwise_aggregate = on;
SET max_parallel_workers_per_gather = 0;
EXPLAIN (COSTS OFF) SELECT segment.first(n, at), segment.last(n, at) FROM events;

-- the first and the last of a value made of n, in parts, and whether they are right
CREATE FUNCTION try_value(value text) RETURNS TABLE (value_type text, first text, last text, is_right bool)
LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT pg_typeof(f)::text, f::text, l::text, f::text = a.v::text AND l::text = b.v::text
        FROM (SELECT segment.first(%1$s, at) AS f, segment.last(%1$s, at) AS l FROM events) p,
             (SELECT %1$s AS v FROM events WHERE n = 0) a, (SELECT %1$s AS v FROM events WHERE n = 3999) b', value);
END $$;
SELECT value_type, replace(first, role, 'owner') AS first, replace(last, role, 'owner') AS last, is_right
FROM unnest(ARRAY[
    '(n % 2 = 1)', 'chr(65 + n % 2)::"char"', 'n::int2', 'n', 'n::int8', 'n::float4', 'n::float8 / 3', 'n / 3.0', 'n::text', 'n::text::varchar(8)',
    'n::text::char(6)', 'n::text::name', 'n::text::bytea', 'n::text::short', 'at', 'at::date', 'n * interval ''1 hour''', 'at::time', 'at::timetz',
    '(ARRAY[''sad'', ''happy''])[1 + n % 2]::mood', 'lpad(n::text, 32, ''0'')::uuid', '(''10.0.0.'' || n % 2)::inet', 'point(n, 1)',
    'ARRAY[n, NULL]', 'array_append(ARRAY[n::text], ''x'')', 'ARRAY[(ARRAY[''sad'', ''happy''])[1 + n % 2]::mood, NULL]', 'int4range(n, n + 2)', 'nummultirange(numrange(n, n + 2))',
    'json_build_object(''n'', lpad(n::text, 4))', 'jsonb_build_object(''n'', n)', 'ROW(n, n::text)::pair', 'ARRAY[ROW(n, ''x'')::pair]',
    'ROW(n, n::text, ARRAY[NULL, ''x''])::changed', 'n::bit(12)', 'to_tsvector(''simple'', chr(97 + n % 2))',
    'makeaclitem(10, 10, CASE WHEN n % 2 = 1 THEN ''SELECT'' ELSE ''INSERT'' END, false)',
    'ARRAY[makeaclitem(10, 10, CASE WHEN n % 2 = 1 THEN ''SELECT'' ELSE ''INSERT'' END, false)]',
    'ROW(n, makeaclitem(10, 10, ''SELECT'', false))::odd']) WITH ORDINALITY u(v, place),
     try_value(v) t, LATERAL (SELECT rolname FROM pg_roles WHERE oid = 10) r(role)
ORDER BY place;

-- whatever the client's encoding
SET client_encoding = 'LATIN1';
SELECT segment.first(word || n, at) = word || 0 AS first, segment.last(ROW(n, word)::pair, at) = ROW(3999, word)::pair AS last
FROM (SELECT at, n, convert_from('\xc3a4e282ac', 'UTF8') AS word FROM events) e GROUP BY word;
RESET client_encoding;

-- compressed values, and values that are stored elsewhere
CREATE TABLE large (part int, at timestamptz, v text, pair pair) PARTITION BY LIST (part);
CREATE TABLE large_1 PARTITION OF large FOR VALUES IN (1);
CREATE TABLE large_2 PARTITION OF large FOR VALUES IN (2);
INSERT INTO large SELECT 1 + i % 2, timestamptz '2026-01-01' + i / 2 * interval '1 second', v, ROW(i, v)::pair
FROM generate_series(0, 999) i,
     LATERAL (SELECT CASE WHEN i % 3 = 0 THEN repeat(i::text, 5000)
                          ELSE (SELECT string_agg(md5(j::text || i), '') FROM generate_series(1, 200) j) END AS v) l;
ANALYZE large;
EXPLAIN (COSTS OFF) SELECT segment.last(v, at) FROM large;
SELECT segment.first(v, at) = (array_agg(v ORDER BY at, v))[1] AS first, segment.last(v, at) = (array_agg(v ORDER BY at DESC, v DESC))[1] AS last,
       segment.last(pair, at) = (array_agg(pair ORDER BY at DESC, pair DESC))[1] AS last_pair
FROM large;

-- Memory: what is passed over is let go -------------------------------------------------

CREATE FUNCTION peak_memory(query text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ' || query INTO plan;
    RETURN substring(plan::text FROM '"Peak Memory Usage": (\d+)');
END $$;
SET enable_partitionwise_aggregate = off;
SET enable_sort = off;
SELECT peak_memory('SELECT i % 2, segment.last(repeat(''x'', 5000 + i % 77), now() + i * interval ''1 second''),
                    segment.first(repeat(''x'', 5000 + i % 77), now() - i * interval ''1 second'')
                    FROM generate_series(1, 20000) i GROUP BY 1') < 1000 AS bounded;
RESET enable_sort;

-- Windows: what was returned stays ----------------------------------------------------

SELECT n, segment.first(v, at) OVER w, segment.last(v, at) OVER w, segment.last(v, at) OVER (w ROWS 1 PRECEDING) AS of_two
FROM (VALUES (1, timestamptz '2026-01-02', 'b'), (2, '2026-01-01', 'aaa'), (3, '2026-01-04', 'c'), (4, '2026-01-03', 'd')) e(n, at, v)
WINDOW w AS (ORDER BY n);
SELECT segment.first(v, at) FILTER (WHERE v <> 'a'), segment.last(DISTINCT v, at)
FROM (VALUES (timestamptz '2026-01-02', 'b'), ('2026-01-01', 'a')) e(at, v);

-- Errors --------------------------------------------------------------------------

SELECT segment.last(ROW(1, 2), now());
\echo :LAST_ERROR_SQLSTATE
SELECT segment.first(ARRAY[ROW(1, 2)], now());
\echo :LAST_ERROR_SQLSTATE
CREATE TABLE words (a text COLLATE "C", b text COLLATE "POSIX");
INSERT INTO words VALUES ('a', 'b');
SELECT segment.last(a || b, now()) FROM words;
\echo :LAST_ERROR_SQLSTATE
SELECT segment.last(a || b COLLATE "C", now()) FROM words;

-- Serialized states of another type, or damaged ------------------------------------------

CREATE AGGREGATE last_bytes(anyelement, timestamptz) (
    SFUNC = segment.last_transition, STYPE = internal, FINALFUNC = segment.aggregate_serialize);
CREATE AGGREGATE first_bytes(anyelement, timestamptz) (
    SFUNC = segment.first_transition, STYPE = internal, FINALFUNC = segment.aggregate_serialize);
-- the value of a valid state is of type bytea, that of the first argument
CREATE AGGREGATE last_from(bytea, bytea) (
    SFUNC = bytea_string_agg_transfn, STYPE = internal, SERIALFUNC = bytea_string_agg_finalfn,
    DESERIALFUNC = segment.aggregate_deserialize, COMBINEFUNC = segment.extreme_combine,
    FINALFUNC = segment.aggregate_serialize, PARALLEL = SAFE);
-- the combine function of the others does not do
CREATE AGGREGATE last_combined(bytea, bytea) (
    SFUNC = bytea_string_agg_transfn, STYPE = internal, SERIALFUNC = bytea_string_agg_finalfn,
    DESERIALFUNC = segment.aggregate_deserialize, COMBINEFUNC = segment.aggregate_combine,
    FINALFUNC = segment.aggregate_serialize, PARALLEL = SAFE);
CREATE TABLE wire (part int, bytes bytea) PARTITION BY LIST (part);
CREATE TABLE wire_1 PARTITION OF wire FOR VALUES IN (1);
CREATE TABLE wire_2 PARTITION OF wire FOR VALUES IN (2);
INSERT INTO wire SELECT 1 + i % 2, '' FROM generate_series(1, 3000) i;
ANALYZE wire;
SET enable_partitionwise_aggregate = on;
CREATE FUNCTION from_bytes(a bytea, b bytea DEFAULT NULL, aggregate text DEFAULT 'last_from') RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    TRUNCATE wire;
    INSERT INTO wire SELECT * FROM (VALUES (1, a), (2, b)) v(part, bytes) WHERE bytes IS NOT NULL;
    EXECUTE format('SELECT %I(bytes, '''')::text FROM wire', aggregate) INTO answer;
    RETURN answer;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
CREATE TABLE valid AS
SELECT last_bytes('\xabcd'::bytea, '2026-01-01') AS bytes, last_bytes('\xabce'::bytea, '2026-01-01') AS greater,
       last_bytes('\xabcc'::bytea, '2026-01-02') AS later, first_bytes('\xab'::bytea, '2026-01-01') AS first,
       last_bytes(7, '2026-01-01') AS number, last_bytes('text'::text, '2026-01-01') AS words;
SELECT from_bytes(bytes) = bytes::text AS alone, from_bytes(bytes, greater) = greater::text AS greater,
       from_bytes(greater, bytes) = greater::text AS turned, from_bytes(bytes, later) = later::text AS later FROM valid;
SELECT from_bytes(number) AS number, from_bytes(words, bytes) AS words, from_bytes(first, bytes) AS first,
       from_bytes(bytes, bytes, 'last_combined') AS combined FROM valid;
-- after kind and version: time, type, length, value
-- (the type's own messages are not ours)
SELECT what, regexp_replace(from_bytes(hostile), '^22P02.*', '22P02')
FROM valid, LATERAL (VALUES
    (1, 'infinity', overlay(bytes PLACING timestamptz_send('infinity') FROM 3)),
    (2, 'no type', overlay(bytes PLACING int4send(0) FROM 11)),
    (3, 'no such type', overlay(bytes PLACING int4send(-2) FROM 11)),
    (4, 'pseudo-type', overlay(bytes PLACING int4send('record'::regtype::oid::int) FROM 11)),
    (5, 'too few bytes for the type', overlay(bytes PLACING int4send('int8'::regtype::oid::int) FROM 11)),
    (6, 'too many bytes for the type', overlay(bytes PLACING int4send('bool'::regtype::oid::int) FROM 11)),
    (7, 'a type with no binary form', overlay(bytes PLACING int4send('aclitem'::regtype::oid::int) FROM 11)),
    (8, 'length negative', overlay(bytes PLACING int4send(-1) FROM 15)),
    (9, 'length too small', overlay(bytes PLACING int4send(1) FROM 15)),
    (10, 'length too large', overlay(bytes PLACING int4send(3) FROM 15)),
    (11, 'length huge', overlay(bytes PLACING int4send(2147483647) FROM 15)),
    (12, 'too short', substr(bytes, 1, 19)),
    (13, 'too long', bytes || '\x00')) h(n, what, hostile)
ORDER BY n;

DROP SCHEMA aggregate_extreme CASCADE;
