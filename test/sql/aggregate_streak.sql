-- segment.streak(at), segment.streak(at, unit)
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS segment;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, MDY';
SET segment.as_of = '2026-01-10 12:00:00+00';

-- Meaning ---------------------------------------------------------------------

-- the example of the reference
SELECT (segment.streak(at)).*
FROM (VALUES (timestamptz '2026-01-02 10:00:00+00'), ('2026-01-03 09:00:00+00'), ('2026-01-04 23:59:00+00'),
             ('2026-01-08 08:00:00+00'), ('2026-01-08 20:00:00+00'), ('2026-01-09 07:00:00+00')) e(at);
-- a run goes on if it holds today or yesterday, and is over if it ended before
SELECT what, segment.streak(at)
FROM (VALUES ('1 today', timestamptz '2026-01-10 00:00'), ('1 today', '2026-01-09'), ('1 today', '2026-01-08'),
             ('2 yesterday', '2026-01-09 23:59'), ('2 yesterday', '2026-01-08'),
             ('3 before', '2026-01-08 23:59'), ('3 before', '2026-01-07'),
             ('4 today, but not yesterday', '2026-01-10'), ('4 today, but not yesterday', '2026-01-08'), ('4 today, but not yesterday', '2026-01-07')) e(what, at)
GROUP BY what ORDER BY what;
-- what has not happened yet does not count
SELECT segment.streak(at)
FROM (VALUES (timestamptz '2026-01-09'), ('2026-01-10 12:00'), ('2026-01-10 12:00:00.000001'), ('2026-01-11')) e(at);
SELECT segment.streak('2026-01-10 12:00:00.000001') IS NULL AS only_future;
SET segment.as_of = '2026-01-11 00:00:00+00';
SELECT segment.streak(at) FROM (VALUES (timestamptz '2026-01-09'), ('2026-01-10 12:00:00.000001'), ('2026-01-11')) e(at);
-- without segment.as_of: the transaction's now()
RESET segment.as_of;
BEGIN;
SELECT (segment.streak(at)).current
FROM (VALUES (now()), (now() - interval '1 day'), (now() + interval '1 day')) e(at);
COMMIT;

-- ISO weeks: from Monday, over the end of the year; that of a Sunday is not over yet
SET segment.as_of = '2021-01-10 23:59:59+00';
SELECT segment.streak(at, 'week')
FROM (VALUES (timestamptz '2020-12-21 00:00'), ('2021-01-03 23:59'), ('2021-01-04')) e(at);
SELECT segment.streak(at, 'week') AS sunday_and_monday
FROM (VALUES (timestamptz '2020-12-27 23:59:59'), ('2020-12-28 00:00')) e(at);
SET segment.as_of = '2021-01-11 00:00:00+00';
SELECT (segment.streak('2021-01-03 23:59', 'week')).current AS over, (segment.streak('2021-01-04', 'week')).current AS last_week;
-- months, whatever their length
SET segment.as_of = '2024-03-31 23:59:59+00';
SELECT segment.streak(at, 'month')
FROM (VALUES (timestamptz '2023-11-30'), ('2024-01-31 23:59:59'), ('2024-02-01'), ('2024-02-29')) e(at);
SET segment.as_of = '2024-04-01 00:00:00+00';
SELECT (segment.streak('2024-02-29 23:59:59', 'month')).current AS over, (segment.streak('2024-03-01', 'month')).current AS last_month;
-- before 2000, where units are counted from, and years BC
SELECT segment.streak(at), segment.streak(at, 'week'), segment.streak(at, 'month')
FROM (VALUES (timestamptz '1999-12-31'), ('2000-01-01'), ('1999-12-30'), ('1999-11-30'), ('1999-12-26')) e(at);
SELECT segment.streak(at), segment.streak(at, 'week'), segment.streak(at, 'month')
FROM (VALUES (timestamptz '0001-12-31 BC'), ('0001-01-01')) e(at);
-- units in any case, one or many
SELECT segment.streak('2024-03-31', 'DAY') = segment.streak('2024-03-31', 'days')
   AND segment.streak('2024-03-31', 'Week') = segment.streak('2024-03-31', 'WEEKS')
   AND segment.streak('2024-03-31', 'month') = segment.streak('2024-03-31', 'Months')
   AND segment.streak('2024-03-31') = segment.streak('2024-03-31', 'day') AS same;
-- differently named, they are the same
SELECT segment.streak('2024-03-31', unit) FROM (VALUES ('day'), ('days'), ('DAY')) e(unit);
-- the order of the rows does not matter
SET segment.as_of = '2026-01-31 12:00:00+00';
SELECT (segment.streak(at ORDER BY at))::text = (segment.streak(at ORDER BY at DESC))::text
   AND (segment.streak(at ORDER BY at))::text = (segment.streak(at ORDER BY md5(at::text)))::text AS same, segment.streak(at)
FROM generate_series(timestamptz '2025-01-01', '2026-01-31', '7 hours') e(at) WHERE extract(day FROM at) NOT IN (7, 8, 20);

-- Time zones --------------------------------------------------------------------

-- the same instants on other clocks
SET segment.as_of = '2026-01-10 12:00:00+00';
CREATE TEMP TABLE instants AS
SELECT * FROM (VALUES (timestamptz '2026-01-08 09:30+00'), ('2026-01-08 10:30+00'), ('2026-01-09 12:00+00')) e(at);
SET TimeZone = 'UTC';
SELECT segment.streak(at) FROM instants;
SET TimeZone = 'Pacific/Kiritimati';
SELECT segment.streak(at) FROM instants;
SET TimeZone = 'Pacific/Pago_Pago';
SELECT segment.streak(at) FROM instants;
SET TimeZone = 'Asia/Kathmandu';
SELECT segment.streak(at) FROM (VALUES (timestamptz '2026-01-09 18:14:59+00'), ('2026-01-09 18:15+00')) e(at);
-- days of 23 and of 25 hours: midnight is where the clock says so
SET TimeZone = 'Europe/Berlin';
SET segment.as_of = '2026-03-30 12:00:00+02';
SELECT segment.streak(at) FROM (VALUES (timestamptz '2026-03-28 23:59:59+01'), ('2026-03-29 00:00+01'), ('2026-03-29 23:59:59+02'), ('2026-03-30 00:00+02')) e(at);
SET segment.as_of = '2026-10-26 12:00:00+01';
SELECT segment.streak(at) FROM (VALUES (timestamptz '2026-10-24 23:59:59+02'), ('2026-10-25 02:30+02'), ('2026-10-25 02:30+01'), ('2026-10-25 23:59:59+01'), ('2026-10-26 00:00+01')) e(at);
-- Samoa had no 30 December 2011: the days around it are not in a row
SET TimeZone = 'Pacific/Apia';
SET segment.as_of = '2011-12-31 12:00:00+14';
SELECT segment.streak(at) FROM (VALUES (timestamptz '2011-12-29 23:59:59-10'), ('2011-12-31 00:00+14')) e(at);
-- a clock that goes back past midnight: a day begins twice, and the later event is of the earlier day
SET TimeZone = 'America/St_Johns';
SET segment.as_of = '2006-10-28 23:30:00-03:30';
SELECT segment.streak('2006-10-29 00:00:30-02:30') AS tomorrow;
SELECT segment.streak(at) AS both FROM (VALUES (timestamptz '2006-10-29 00:00:30-02:30'), ('2006-10-28 23:10-03:30')) e(at);
SET TimeZone = 'UTC';

-- the whole range of timestamps
SET segment.as_of = '294276-12-31 23:59:59.999999+00';
SELECT segment.streak(at), segment.streak(at, 'week'), segment.streak(at, 'month')
FROM (VALUES (timestamptz '4714-11-24 00:00:00+00 BC'), ('294276-12-31 23:59:59.999999+00')) e(at);
SET TimeZone = 'Pacific/Pago_Pago';
SELECT segment.streak(at) FROM (VALUES (timestamptz '4714-11-24 00:00:00+00 BC'), ('4714-11-24 11:00:00+00 BC')) e(at);
SET TimeZone = 'Pacific/Kiritimati';
SELECT segment.streak('294276-12-31 23:59:59.999999+00');
SET TimeZone = 'UTC';

-- NULLs, infinities, nothing ------------------------------------------------------

SET segment.as_of = '2026-01-10 12:00:00+00';
SELECT segment.streak(at, unit)
FROM (VALUES (timestamptz '2026-01-10', 'day'), (NULL, 'day'), ('2026-01-09', NULL), ('infinity', 'day'), ('-infinity', 'day')) e(at, unit);
SELECT segment.streak(NULL) IS NULL AS null_at, segment.streak('2026-01-10', NULL) IS NULL AS null_unit,
       segment.streak('infinity') IS NULL AS infinity, segment.streak('-infinity') IS NULL AS minus_infinity;
SELECT segment.streak(now()) IS NULL AS empty FROM generate_series(1, 0);

-- Errors --------------------------------------------------------------------------

SELECT segment.streak('2026-01-10', 'fortnight');
\echo :LAST_ERROR_SQLSTATE
SELECT segment.streak('2026-01-10', '');
SELECT segment.streak('2026-01-10', 'dayss');
SELECT segment.streak('2026-01-10', 'weekdays');
SELECT segment.streak('2026-01-10', unit) FROM (VALUES ('day'), ('week')) e(unit);
\echo :LAST_ERROR_SQLSTATE
-- whether or not the row counts
SELECT segment.streak(at, unit) FROM (VALUES (timestamptz '2026-01-10', 'day'), ('2027-01-10', 'week')) e(at, unit);
SELECT segment.streak('infinity', 'year');
