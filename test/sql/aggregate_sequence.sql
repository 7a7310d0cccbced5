-- segment.sequence_match, sequence_count, sequence_events(pattern, at, VARIADIC conditions)
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS segment;
CREATE SCHEMA aggregate_sequence;
SET search_path = aggregate_sequence;
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

-- Meaning ---------------------------------------------------------------------

-- events of one kind a second, seconds since the epoch
CREATE TABLE s AS
SELECT n::int - 1 AS t, to_timestamp(n - 1) AS at, d::int AS d
FROM regexp_split_to_table('000012000011', '') WITH ORDINALITY r(d, n);
CREATE TABLE patterns (n int GENERATED ALWAYS AS IDENTITY, pattern text);

CREATE FUNCTION seconds(timestamptz[]) RETURNS int[] LANGUAGE sql IMMUTABLE AS
'SELECT coalesce(array_agg(extract(epoch FROM at)::int ORDER BY n), ''{}'') FROM unnest($1) WITH ORDINALITY u(at, n)';

INSERT INTO patterns (pattern) VALUES
(''), ('.'), ('.*'), ('(?1)'), ('(?2)'), ('(?3)'), ('(?4)'),
('(?1)(?1)'), ('(?1)(?1)(?1)'), ('(?1)(?1)(?1)(?1)'), ('(?1)(?1)(?1)(?1)(?1)'), ('(?1)(?1)(?1)(?1)(?2)'),
('(?1)(?t>10)(?2)'), ('(?1)(?t>11)(?2)'), ('(?1)(?t<11)(?2)'), ('(?1)(?t<3)(?3)'), ('(?1)(?t<=2)(?3)'), ('(?1)(?t<2)(?3)'),
('(?2)(?t>=7)(?2)'), ('(?2)(?t>7)(?2)'), ('(?2)(?3)(?1)');
SELECT pattern, segment.sequence_match(pattern, at, d = 0, d = 1, d = 2, d = 3) AS match,
       segment.sequence_count(pattern, at, d = 0, d = 1, d = 2, d = 3) AS count,
       seconds(segment.sequence_events(pattern, at, d = 0, d = 1, d = 2, d = 3)) AS events
FROM s, patterns GROUP BY n, pattern ORDER BY n;
-- events that meet no condition do not exist
SELECT pattern, segment.sequence_match(pattern, at, d = 1, d = 2) AS match,
       segment.sequence_count(pattern, at, d = 1, d = 2) AS count,
       seconds(segment.sequence_events(pattern, at, d = 1, d = 2)) AS events
FROM s, unnest('{(?1)(?t==2)(?2), (?1)(?t==1)(?2), (?2)(?1), ...}'::text[]) pattern GROUP BY pattern ORDER BY pattern;
SELECT segment.sequence_match('(?1)(?2)', to_timestamp(t), d = 1, d = 2) AS without_3,
       segment.sequence_match('(?1)(?2)', to_timestamp(t), d = 1, d = 2, d = 3) AS with_3,
       segment.sequence_match('(?1)(?2)', to_timestamp(t), d = 1, d = 2, d = 4) AS with_4
FROM (VALUES (1, 1), (2, 3), (3, 2)) e(t, d);
SELECT segment.sequence_count('(?1).*(?2)', to_timestamp(t), d = 1, d = 2),
       seconds(segment.sequence_events('(?1).*(?2).*(?1)(?3)', to_timestamp(t), d = 1, d = 2, d = 4))
FROM (VALUES (1, 1), (2, 3), (3, 2), (4, 1), (5, 3), (6, 2)) e(t, d);
-- seconds, their fractions and intervals
SELECT segment.sequence_match(pattern, to_timestamp(t), d = 1, d = 2), pattern
FROM (VALUES (0.0, 1), (0.000001, 1), (1.5, 2), (3600, 1), (3600 + 86400, 2)) e(t, d),
     unnest(ARRAY['(?1)(?t<=1.499998)(?2)', '(?1)(?t<=1.499999)(?2)', '(?1)(?t==1.499999)(?2)', '(?1)(?t>1.5)(?1)',
                  '(?1)(?t==''1 day'')(?2)', '(?1)(?t==''P1D'')(?2)', '(?1)(?t==''24:00'')(?2)', '(?1)(?t>''1 month'')(?2)',
                  '(?2)(?t<''1 hour'')(?1)', '(?2)(?t<''59 minutes'')(?1)', '(?1)(?t>1000000000000)(?2)']) WITH ORDINALITY p(pattern, n)
GROUP BY n, pattern ORDER BY n;
-- a wait leaves the event it ends at to the next element
SELECT pattern, seconds(segment.sequence_events(pattern, to_timestamp(t), d = 1, d = 2)), segment.sequence_match(pattern, to_timestamp(t), d = 1, d = 2)
FROM (VALUES (0, 1), (5, 1), (6, 2), (20, 2)) e(t, d),
     unnest('{(?1)(?t>=6)(?2), (?1)(?t>=6).(?2), (?1).(?t<=1)(?2), (?1)(?t==6)(?2), (?1)(?t==6).*(?2)(?t==14)(?2)}'::text[]) WITH ORDINALITY p(pattern, n)
GROUP BY n, pattern ORDER BY n;
-- the first chain, though its first event has to be given up
SELECT seconds(segment.sequence_events('(?3)(?1)(?3)(?2)(?1)', to_timestamp(t), '1' = ANY (d), '2' = ANY (d), '3' = ANY (d)))
FROM (VALUES (1, '{1}'::char[]), (3, '{1,2,3}'), (5, '{1,3}'), (7, '{1,2,3}'), (10, '{1,3}'), (12, '{2,3}'), (14, '{1,2,3}')) e(t, d);
-- what can be passed when the last event is taken
SELECT pattern, segment.sequence_match(pattern, at, true)
FROM (VALUES (to_timestamp(0)), (to_timestamp(1))) e(at),
     unnest('{(?1)(?1).*, (?1)(?1)(?t<1), (?1)(?1)(?t<=0), (?1)(?1)(?t>=0), (?1)(?1)(?t>=0).*(?t<5), (?1)(?1)(?t>0), (?1)(?1)(?t>=1), (?1)(?1)(?t==0), (?1)(?1).}'::text[])
         WITH ORDINALITY p(pattern, n)
GROUP BY n, pattern ORDER BY n;
-- events of one time come in the order of their conditions, whatever that of the rows
SELECT segment.sequence_match(pattern, at, a, b ORDER BY a, b) AS one, segment.sequence_match(pattern, at, a, b ORDER BY a DESC, b DESC) AS other, pattern
FROM (VALUES (to_timestamp(0), true, false), (to_timestamp(0), false, true), (to_timestamp(0), true, true)) e(at, a, b),
     unnest('{(?1)(?2), (?2)(?1), (?1)(?2)(?1), (?1)(?1), (?2)(?2)}'::text[]) pattern
GROUP BY pattern ORDER BY pattern;
-- the whole range of timestamps
SELECT segment.sequence_match('(?1)(?t>''290000 years'')(?2)', at, a, NOT a) AS far, segment.sequence_match('(?1)(?t<9223372036853)(?2)', at, a, NOT a) AS not_near
FROM (VALUES (timestamptz '4713-11-24 00:00:00+00 BC', true), ('294276-12-31 23:59:59.999999+00', false)) e(at, a);

-- Conditions --------------------------------------------------------------------

-- one by one or as an array; NULL is not met
SELECT segment.sequence_count('(?1)(?2)', at, a, NULL, b) AS null_2, segment.sequence_count('(?1)(?3)', at, a, NULL, b) AS each,
       segment.sequence_count('(?1)(?3)', at, VARIADIC ARRAY[a, NULL, b]) AS variadic, segment.sequence_count('(?1)(?3)', at, ARRAY[a, NULL, b]) AS "array"
FROM (VALUES (to_timestamp(0), true, NULL), (to_timestamp(1), NULL, true), (to_timestamp(2), true, false), (to_timestamp(3), false, true)) e(at, a, b);
-- 64 of them
SELECT segment.sequence_events('(?64)(?1)', to_timestamp(t), VARIADIC array_fill(false, ARRAY[64 - t]) || true || array_fill(false, ARRAY[t - 1]))
FROM generate_series(1, 64) t;
SELECT segment.sequence_events('(?1).*(?64)', to_timestamp(t), VARIADIC array_fill(false, ARRAY[t - 1]) || true || array_fill(false, ARRAY[64 - t]))
FROM generate_series(1, 64) t;

-- NULLs, infinities, nothing ------------------------------------------------------

SELECT segment.sequence_match(pattern, at, true), segment.sequence_count(pattern, at, true), segment.sequence_events(pattern, at, true)
FROM (VALUES ('(?1)(?1)', timestamptz '2026-01-01'), ('(?1)(?1)', NULL), (NULL, '2026-01-02'), ('(?1)(?1)', 'infinity'), ('(?1)(?1)', '-infinity')) e(pattern, at);
SELECT segment.sequence_match('', NULL, true) IS NULL AS null_at, segment.sequence_match(NULL, now(), true) IS NULL AS null_pattern,
       segment.sequence_match('', 'infinity', true) IS NULL AS infinity, segment.sequence_count('', now(), VARIADIC NULL::bool[]) IS NULL AS null_array;
SELECT segment.sequence_match('', now(), true) IS NULL AS match, segment.sequence_count('', now(), true) IS NULL AS count,
       segment.sequence_events('', now(), true) IS NULL AS events
FROM generate_series(1, 0);
-- rows, but no event
SELECT segment.sequence_match('(?1)', now(), false) AS match, segment.sequence_count('(?1)', now(), false) AS count, segment.sequence_events('(?1)', now(), false) AS events,
       segment.sequence_match('.*', now(), false) AS star, segment.sequence_count('.*', now(), false) AS stars;

-- Errors --------------------------------------------------------------------------

CREATE FUNCTION complain(pattern text, conditions int DEFAULT 2) RETURNS TABLE (state text, message text, detail text, hint text)
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM segment.sequence_match(pattern, now(), VARIADIC array_fill(true, ARRAY[conditions]));
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN NEXT;
END $$;
\x on
SELECT (complain(pattern)).*
FROM unnest(ARRAY['x', '(?1) (?2)', '(?1)*', '(?1', '(?1)(?', '(?0)', '(?1).(?3)', '(?99999999999)', '(?t=1)', '(?t!=1)', '(?1)(?t>=)',
                  '(?t>-1)', '(?t>0.0000001)', '(?t>9223372036854)', '(?t<''1 houx'')', '(?t<''-1 hour'')', '(?t<''infinity'')', '(?t<'''')',
                  '(?t<''1 hour)', '(?1)(?t>=1)(?t<2)(?2)', '(?t<''300000 years'')']) pattern;
SELECT (complain(repeat('(?1)', 251))).*;
\x off
SELECT complain(repeat('.', 1000)) AS just_as_long_as_may_be;
-- rows that do not count in the end are checked too
SELECT segment.sequence_match('é(', 'infinity', true);
SELECT segment.sequence_match('(?1)', now(), 1);
SELECT segment.sequence_match('(?1)', now(), VARIADIC '{}'::bool[]);
-- what must be the same
SELECT segment.sequence_match(pattern, now(), true) FROM (VALUES ('.'), ('..')) e(pattern);
\echo :LAST_ERROR_SQLSTATE
SELECT segment.sequence_match('.', now(), VARIADIC conditions) FROM (VALUES ('{t}'::bool[]), ('{t,f}')) e(conditions);
\echo :LAST_ERROR_SQLSTATE
-- a state belongs to its aggregate
CREATE AGGREGATE mixed(text, timestamptz, VARIADIC "any") (SFUNC = segment.sequence_transition, STYPE = internal, FINALFUNC = segment.sessions_final);
SELECT mixed('.', now(), true);

-- Groups, windows, parts ----------------------------------------------------------

-- patterns of groups, more than are shared
SELECT length(pattern), segment.sequence_match(pattern, at, true), segment.sequence_count(pattern, at, true)
FROM (SELECT repeat('.', n) AS pattern, to_timestamp(i) AS at FROM generate_series(1, 12) n, generate_series(1, 8) i ORDER BY i, n) e
GROUP BY pattern ORDER BY 1;
-- sorted groups, whose memory comes and goes
SET enable_hashagg = off;
SELECT sum(count) FROM (SELECT segment.sequence_count('(?1)(?t<=1)(?2)', to_timestamp(i), i % 2 = 0, i % 2 = 1) AS count
                        FROM generate_series(1, 1000) k, generate_series(1, 10) i GROUP BY k) g;
RESET enable_hashagg;
SELECT t, d, seconds(segment.sequence_events('(?1)(?2)(?3)', at, d = 0, d = 1, d = 2) OVER (ORDER BY t)) AS so_far,
       segment.sequence_count('(?1)(?1)', at, VARIADIC ARRAY[d = 0]) OVER (ORDER BY t ROWS BETWEEN 3 PRECEDING AND CURRENT ROW) AS of_four
FROM s ORDER BY t;

CREATE TABLE events (part int, k int, at timestamptz, d int) PARTITION BY LIST (part);
CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1);
CREATE TABLE events_2 PARTITION OF events FOR VALUES IN (2);
INSERT INTO events SELECT 1 + i % 2, i % 4 / 2, to_timestamp(i), i % 7 FROM generate_series(1, 10000) i;
ANALYZE events;
CREATE TABLE whole AS
SELECT k, segment.sequence_count('(?1)(?t<''10 seconds'')(?2)', at, d = 0, d = 3) AS count, segment.sequence_events('(?2)(?1)(?3)(?1)', at, d = 0, d = 3, d = 6) AS events
FROM events GROUP BY k;
SELECT k, count, seconds(events) FROM whole ORDER BY k;
SET enable_partitionwise_aggregate = on;
SET max_parallel_workers_per_gather = 0;
SELECT plan_has('SELECT k, segment.sequence_count(''(?1)'', at, d = 0) FROM events GROUP BY k', 'Partial') AS splits;
SELECT count(*) AS as_whole FROM whole JOIN (
    SELECT k, segment.sequence_count('(?1)(?t<''10 seconds'')(?2)', at, d = 0, d = 3) AS count, segment.sequence_events('(?2)(?1)(?3)(?1)', at, d = 0, d = 3, d = 6) AS events
    FROM events GROUP BY k) parts USING (k, count, events);
-- what must be the same is compared where parts meet, too
SELECT k, segment.sequence_match(repeat('.', part), at, true) FROM events GROUP BY k;
SELECT k, segment.sequence_match('(?1)', at, VARIADIC array_fill(true, ARRAY[part])) FROM events GROUP BY k;

RESET enable_partitionwise_aggregate;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT plan_has('SELECT k, segment.sequence_count(''(?1)'', at, d = 0) FROM events GROUP BY k', 'Gather') AS parallel;
SELECT count(*) AS as_whole FROM whole JOIN (
    SELECT k, segment.sequence_count('(?1)(?t<''10 seconds'')(?2)', at, d = 0, d = 3) AS count, segment.sequence_events('(?2)(?1)(?3)(?1)', at, d = 0, d = 3, d = 6) AS events
    FROM events GROUP BY k) workers USING (k, count, events);
RESET max_parallel_workers_per_gather;

-- Hostile patterns ----------------------------------------------------------------
-- A search that goes back would not come to an end.

SELECT pattern, segment.sequence_match(pattern, at, true, false), segment.sequence_count(pattern, at, true, false), cardinality(segment.sequence_events(pattern, at, true, false))
FROM (SELECT to_timestamp(i / 3) AS at FROM generate_series(1, 20000) i) e,
     unnest('{.*.*.*.*.*.*.*.*(?2), (?1).*(?1).*(?1).*(?1).*(?1).*(?2), (?1)(?t>=0)(?1)(?t>=0)(?1)(?t>=0)(?1)(?t>=0)(?2),
              (?1)(?t<100000)(?1)(?t<100000)(?1)(?t<100000)(?2), (?1)(?t==1).*(?1)(?t==1).*(?1)(?t==1).*(?2)}'::text[]) WITH ORDINALITY p(pattern, n)
GROUP BY n, pattern ORDER BY n;
SELECT segment.sequence_match(repeat('(?1).*', 166), at, true, false) AS many, segment.sequence_match(repeat('(?1).*', 165) || '(?2)', at, true, false) AS none
FROM (SELECT to_timestamp(i) AS at FROM generate_series(1, 2000) i) e;
