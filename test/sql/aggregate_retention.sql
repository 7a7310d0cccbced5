-- segment.retention(conditions), segment.retention_periods(at, period, periods)
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS segment;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, MDY';

-- retention ---------------------------------------------------------------------

-- the example of the reference
SELECT k, segment.retention(at::date = '2026-01-01', at::date = '2026-01-02', at::date = '2026-01-08')
FROM (VALUES ('Ann', timestamptz '2026-01-01 10:00:00+00'), ('Ann', '2026-01-08 10:00:00+00'),
             ('Bob', '2026-01-02 10:00:00+00'), ('Bob', '2026-01-08 10:00:00+00')) e(k, at)
GROUP BY k ORDER BY k;
-- one row may meet several conditions, in any order
SELECT segment.retention(true, true), segment.retention(a, b) AS reversed
FROM (VALUES (false, true), (true, false)) e(a, b);
-- up to 64 of them, as an array too
SELECT segment.retention(true) AS one,
       segment.retention(VARIADIC array_fill(true, ARRAY[64])) = array_fill(true, ARRAY[64]) AS most,
       segment.retention(VARIADIC array_fill(true, ARRAY[63]) || false) = array_fill(true, ARRAY[63]) || false AS but_the_last;
SELECT segment.retention(VARIADIC c) FROM (VALUES ('{t,f,t}'::bool[]), ('{f,t,NULL}'), (NULL)) e(c);
-- a literal is a condition
SELECT segment.retention('yes', n = 2, 'off') FROM generate_series(1, 2) n;
-- domains are the types that they are over
CREATE DOMAIN pg_temp.flag AS boolean;
CREATE DOMAIN pg_temp.flags AS boolean[];
SELECT segment.retention(true::pg_temp.flag, false) AS one_by_one, segment.retention(ARRAY[true, false]::pg_temp.flag[]) AS of_domains,
       segment.retention('{t,f}'::pg_temp.flags) AS a_domain, segment.retention(VARIADIC '{t,f}'::pg_temp.flags) AS "variadic",
       segment.retention(VARIADIC ARRAY[true, false]::pg_temp.flag[]) AS variadic_domains;

-- Published cases of ClickHouse (tests 00688 and 00938, and the manual) and of duckdb-behavioral

CREATE TEMP TABLE days (day date, uid int);
INSERT INTO days
SELECT date '2018-08-06', uid FROM generate_series(0, 7) uid UNION ALL
SELECT '2018-08-07', uid FROM generate_series(0, 5) uid UNION ALL
SELECT '2018-08-08', uid FROM generate_series(0, 6) uid;
SELECT uid, segment.retention(day = '2018-08-06', day = '2018-08-07') AS r,
       segment.retention(true, day = '2018-08-06', day = '2018-08-07') AS all_of_them,
       segment.retention(uid % 2 = 0, day = '2018-08-06', day = '2018-08-07') AS even
FROM days WHERE day IN ('2018-08-06', '2018-08-07') GROUP BY uid ORDER BY uid LIMIT 5;
TRUNCATE days;
INSERT INTO days
SELECT date '2020-01-01', uid FROM generate_series(0, 4) uid UNION ALL
SELECT '2020-01-02', uid FROM generate_series(0, 9) uid UNION ALL
SELECT '2020-01-03', uid FROM generate_series(0, 14) uid;
CREATE TEMP VIEW retained AS
SELECT uid, segment.retention(day = '2020-01-01', day = '2020-01-02', day = '2020-01-03') AS r FROM days GROUP BY uid;
TABLE retained ORDER BY uid;
SELECT sum(r[1]::int) AS r1, sum(r[2]::int) AS r2, sum(r[3]::int) AS r3 FROM retained;
SELECT uid, segment.retention(day = 1, day = 2, day = 3), segment.retention(day = 4, day = 2) AS absent
FROM (VALUES (1, 1), (1, 2), (1, 3), (2, 1), (2, 3), (3, 1)) e(uid, day) GROUP BY uid ORDER BY uid;

-- NULL is not met; a row of nothing but NULLs is a row
SELECT segment.retention(a, b) FROM (VALUES (true, NULL::bool), (NULL, NULL)) e(a, b);
SELECT segment.retention(NULL::bool, NULL::bool) AS nulls;
SELECT segment.retention(true, false) IS NULL AS empty FROM generate_series(1, 0);
SELECT segment.retention(VARIADIC NULL::bool[]) IS NULL AS no_array;

-- Windows: what leaves the frame is taken back, what is left decides
SELECT n, segment.retention(a, b) OVER w AS r, segment.retention(a, b) OVER (w ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS two,
       segment.retention(a, b) OVER (w ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING) AS before
FROM (VALUES (1, true, false), (2, false, true), (3, false, false), (4, true, true), (5, true, NULL), (6, NULL, true)) e(n, a, b)
WINDOW w AS (ORDER BY n);
-- arrays, NULL or of another length where frames do not meet
SELECT n, segment.retention(VARIADIC c) OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
FROM (VALUES (1, '{t,f}'::bool[]), (2, NULL), (3, NULL), (4, '{t,t,t}'), (5, '{f,t,f}')) e(n, c);

-- Errors
SELECT segment.retention(VARIADIC c) OVER (ORDER BY n) FROM (VALUES (1, '{t}'::bool[]), (2, '{t,t}')) e(n, c);
SELECT segment.retention(VARIADIC c) OVER (ORDER BY n ROWS 1 PRECEDING) FROM (VALUES (1, '{t}'::bool[]), (2, '{t,t}')) e(n, c);
SELECT segment.retention();
\echo :LAST_ERROR_SQLSTATE
SELECT segment.retention(true, 1);
\echo :LAST_ERROR_SQLSTATE
SELECT segment.retention(VARIADIC '{}'::bool[]);
\echo :LAST_ERROR_SQLSTATE
SELECT segment.retention(VARIADIC array_fill(true, ARRAY[65]));
\echo :LAST_ERROR_SQLSTATE
SELECT segment.retention(VARIADIC c) FROM (VALUES ('{t}'::bool[]), ('{t,t}')) e(c);
\echo :LAST_ERROR_SQLSTATE

-- retention_periods ---------------------------------------------------------------

-- the example of the reference: a period holds its start, not its end
SELECT segment.retention_periods(at, '1 week', 4)
FROM (VALUES (timestamptz '2026-01-01 10:00:00+00'), ('2026-01-08 09:59:00+00'),
             ('2026-01-15 10:00:00+00'), ('2026-03-01 00:00:00+00')) e(at);
SELECT segment.retention_periods(at, '1 hour', 4)
FROM (VALUES (timestamptz '2026-01-01 10:00'), ('2026-01-01 11:00'), ('2026-01-01 12:59:59.999999'), ('2026-01-01 14:00')) e(at);
-- the first one is met by the first event; the present has no part in it
SELECT segment.retention_periods('2100-01-01', '1 day', 1) AS one, segment.retention_periods('2100-01-01', '1 day', 3) AS three;
-- months end when they end, counted from the first event
SELECT segment.retention_periods(at, '1 month', 5)
FROM (VALUES (timestamptz '2026-01-31'), ('2026-02-28'), ('2026-03-30 23:59:59.999999'), ('2026-04-30'), ('2026-05-30')) e(at);
SELECT segment.retention_periods(at, '1 year', 6)
FROM (VALUES (timestamptz '2024-02-29'), ('2025-02-28'), ('2028-02-28 23:59:59'), ('2028-02-29')) e(at);
-- many periods
SELECT cardinality(r), r[1], r[2], r[9999], r[10000]
FROM (SELECT segment.retention_periods(at, '1 day', 10000) AS r
      FROM (VALUES (timestamptz '2000-01-01'), (timestamptz '2000-01-01' + interval '9999 days')) e(at)) s;
-- the order of the rows does not matter
SELECT segment.retention_periods(at, '3 days', 9 ORDER BY at DESC) AS backward, segment.retention_periods(at, '3 days', 9)
FROM (VALUES (timestamptz '2026-01-20'), ('2026-01-02'), ('2026-01-01'), ('2026-01-08')) e(at);

-- Time zones: 1 day is a day on the clock, 24 hours are not
SET TimeZone = 'Europe/Berlin';
SELECT segment.retention_periods(at, '1 day', 3) AS days, segment.retention_periods(at, '24 hours', 3) AS hours
FROM (VALUES (timestamptz '2026-03-28 12:00+01'), ('2026-03-29 12:30+02')) e(at);
SELECT segment.retention_periods(at, '1 day', 3) AS days, segment.retention_periods(at, '24 hours', 3) AS hours
FROM (VALUES (timestamptz '2026-10-24 12:00+02'), ('2026-10-25 11:30+01')) e(at);
-- where the clock skips 02:30, a day ends at 03:30
SELECT segment.retention_periods(at, '1 day', 3)
FROM (VALUES (timestamptz '2026-03-28 02:30+01'), ('2026-03-29 03:29:59+02'), ('2026-03-30 02:30+02')) e(at);
-- where it comes twice, the second counts
SELECT segment.retention_periods(at, '1 day', 3)
FROM (VALUES (timestamptz '2026-10-24 02:30+02'), ('2026-10-25 02:30+02'), ('2026-10-26 02:29:59+01')) e(at);
-- in a month, too
SELECT segment.retention_periods(at, '1 month', 2)
FROM (VALUES (timestamptz '2026-02-28 02:30+01'), ('2026-03-28 02:29:59+01')) e(at);
-- a day that never was holds nothing
SET TimeZone = 'Pacific/Apia';
SELECT segment.retention_periods(at, '1 day', 5)
FROM (VALUES (timestamptz '2011-12-28 10:00-10'), ('2011-12-29 10:00-10'), ('2011-12-31 09:59:59+14'), ('2011-12-31 10:00+14')) e(at);
SET TimeZone = 'UTC';

-- What begins after the end of time holds nothing, and is no error
SELECT segment.retention_periods(at, '1 day', 4) AS days, segment.retention_periods(at, '1 month', 3) AS months,
       segment.retention_periods(at, '1 hour', 2) AS hours, segment.retention_periods(at, '290000 years', 10000) = array[true] || array_fill(false, array[9999]) AS years
FROM (VALUES (timestamptz '294276-12-30 12:00+00'), ('294276-12-31 23:59:59.999999+00')) e(at);
SELECT segment.retention_periods(at, '100000 years', 4) AS years, segment.retention_periods(at, '100000000 days', 3) AS days,
       segment.retention_periods(at, '290000 years 100 days 1 microsecond', 3) AS mixed
FROM (VALUES (timestamptz '4714-11-24 00:00:00+00 BC'), ('294276-12-31 23:59:59.999999+00')) e(at);
SET TimeZone = 'Pacific/Kiritimati';
SELECT segment.retention_periods(at, '1 day', 4) AS days
FROM (VALUES (timestamptz '294276-12-30 12:00+00'), ('294276-12-31 23:59:59.999999+00')) e(at);
SET TimeZone = 'Pacific/Pago_Pago';
SELECT segment.retention_periods(at, '1 month 1 day', 3)
FROM (VALUES (timestamptz '4714-11-24 00:00:00+00 BC'), ('4714-12-26 00:00:00+00 BC')) e(at);
SET TimeZone = 'UTC';

-- NULLs, infinities, nothing
SELECT segment.retention_periods(at, period, n)
FROM (VALUES (timestamptz '2026-01-01', interval '1 day', 2), (NULL, '1 day', 2), ('2026-01-02', NULL, 2), ('2026-01-02', '1 day', NULL),
             ('infinity', '1 day', 2), ('-infinity', '1 day', 2)) e(at, period, n);
SELECT segment.retention_periods(NULL, '1 day', 2) IS NULL AS null_at, segment.retention_periods('infinity', '1 day', 2) IS NULL AS infinity,
       segment.retention_periods('2026-01-01', NULL, 2) IS NULL AS null_period;
SELECT segment.retention_periods(now(), '1 day', 2) IS NULL AS empty FROM generate_series(1, 0);

-- Errors
SELECT segment.retention_periods('2026-01-01', '0', 2);
\echo :LAST_ERROR_SQLSTATE
SELECT segment.retention_periods('2026-01-01', '-1 day', 2);
SELECT segment.retention_periods('2026-01-01', '1 month -1 day', 2);
SELECT segment.retention_periods('2026-01-01', '1 day -1 second', 2);
SELECT segment.retention_periods('2026-01-01', '300000 years', 2);
\echo :LAST_ERROR_SQLSTATE
SELECT segment.retention_periods('2026-01-01', '1 day', 0);
\echo :LAST_ERROR_SQLSTATE
SELECT segment.retention_periods('2026-01-01', '1 day', 10001);
-- equal lengths may be different periods
SELECT segment.retention_periods('2026-01-01', period, 2) FROM (VALUES (interval '1 month'), ('30 days')) e(period);
\echo :LAST_ERROR_SQLSTATE
SELECT segment.retention_periods('2026-01-01', '1 day', n) FROM generate_series(1, 2) n;
-- whether or not the row counts
SELECT segment.retention_periods(at, '1 day', n) FROM (VALUES (timestamptz '2026-01-01', 1), ('infinity', 2)) e(at, n);
SELECT segment.retention_periods('infinity', '1 day', 0);
