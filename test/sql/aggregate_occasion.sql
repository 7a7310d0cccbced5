-- segment.occasion(at)
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS segment;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, MDY';

-- Meaning ---------------------------------------------------------------------

-- the example of the reference: mostly at 20, on Saturdays, in December, that of three years
SELECT (segment.occasion(at)).*
FROM (VALUES (timestamptz '2023-12-16 20:10:00+00'), ('2024-12-07 20:59:00+00'), ('2025-06-28 09:00:00+00'),
             ('2025-12-13 20:30:00+00')) e(at);
-- an hour, a day of the week, a month begin with their first microsecond
SELECT at, segment.occasion(at)
FROM (VALUES (timestamptz '2026-02-28 23:59:59.999999'), ('2026-03-01 00:00'), ('2026-03-01 23:00'), ('2026-03-02 00:00'),
             ('1999-12-31 23:59:59.999999'), ('2000-01-01'), ('0001-12-31 23:59:59.999999 BC')) e(at)
GROUP BY at ORDER BY at;
-- of those equally frequent it is the smallest
SELECT segment.occasion(at)
FROM (VALUES (timestamptz '2026-03-04 17:00'), ('2026-02-03 09:00'), ('2026-05-05 12:00'), ('2026-05-05 09:00'), ('2026-03-04 17:00')) e(at);
-- an hour and a day need not be of the same events
SELECT segment.occasion(at)
FROM (VALUES (timestamptz '2026-01-05 09:00'), ('2026-01-05 10:00'), ('2026-01-06 11:00'), ('2026-01-07 11:00')) e(at);
-- several events in a month of one year are of one year
SELECT (segment.occasion(at)).years_in_month
FROM (VALUES (timestamptz '2024-05-01'), ('2024-05-31'), ('2025-05-01'), ('2025-04-30')) e(at);
-- it does not look at the clock
SET segment.as_of = '2020-01-01';
SELECT (segment.occasion(at)).years_in_month FROM (VALUES (timestamptz '2019-01-01'), ('2030-01-01')) e(at);
RESET segment.as_of;

-- Time zones --------------------------------------------------------------------

CREATE TEMP TABLE instants AS
SELECT * FROM (VALUES (timestamptz '2026-12-31 18:20+00'), ('2026-12-31 18:40+00'), ('2027-12-31 18:20+00')) e(at);
SET TimeZone = 'Asia/Kathmandu';
SELECT segment.occasion(at) FROM instants;
SET TimeZone = 'Pacific/Kiritimati';
SELECT segment.occasion(at) FROM instants;
SET TimeZone = 'Pacific/Pago_Pago';
SELECT segment.occasion(at) FROM instants;
-- an hour that comes twice is one; one that is skipped has no events
SET TimeZone = 'Europe/Berlin';
SELECT segment.occasion(at) FROM (VALUES (timestamptz '2026-10-25 02:30+02'), ('2026-10-25 02:30+01'), ('2026-10-25 03:00+01')) e(at);
SELECT segment.occasion(at) FROM (VALUES (timestamptz '2026-03-29 01:59:59+01'), ('2026-03-29 03:00+02'), ('2026-03-29 03:59+02')) e(at);
SET TimeZone = 'UTC';

-- Few events and many -------------------------------------------------------------

-- around the number at which their counts are kept in place of their hours
SELECT n, (o).*
FROM (SELECT n, segment.occasion(timestamptz '2025-01-01' + i * i * interval '5 hours') AS o
      FROM unnest('{7, 8, 9, 16, 63, 64, 65, 66, 129}'::int[]) n, generate_series(1, n) i GROUP BY n) s ORDER BY n;
SELECT (o).*, hours, weekdays, months, years
FROM (SELECT segment.occasion(at) AS o, mode() WITHIN GROUP (ORDER BY extract(hour FROM at)) AS hours,
             mode() WITHIN GROUP (ORDER BY extract(isodow FROM at)) AS weekdays,
             mode() WITHIN GROUP (ORDER BY extract(month FROM at)) AS months,
             count(DISTINCT extract(year FROM at)) FILTER (WHERE extract(month FROM at) = 1) AS years
      FROM (SELECT timestamptz '1950-01-01' + i::numeric * i % 999983 * interval '1 hour' AS at FROM generate_series(1, 20000) i) e) s;
-- years BC and the whole range of timestamps, few and many
SELECT n, segment.occasion(at)
FROM (VALUES (1), (100)) v(n), generate_series(1, n) i,
     (VALUES (timestamptz '4714-11-24 00:00:00+00 BC'), ('0001-12-31 BC'), ('0001-11-01'), ('294276-11-30 23:59:59.999999+00')) e(at)
GROUP BY n ORDER BY n;
SET TimeZone = 'Pacific/Pago_Pago';
SELECT segment.occasion('4714-11-24 00:00:00+00 BC');
SET TimeZone = 'Pacific/Kiritimati';
SELECT segment.occasion('294276-12-31 23:59:59.999999+00');
SET TimeZone = 'UTC';

-- NULLs, infinities, nothing ------------------------------------------------------

SELECT segment.occasion(at) FROM (VALUES (timestamptz '2026-01-01'), (NULL), ('infinity'), ('-infinity')) e(at);
SELECT segment.occasion(NULL) IS NULL AS null_at, segment.occasion('infinity') IS NULL AS infinity;
SELECT segment.occasion(now()) IS NULL AS empty FROM generate_series(1, 0);

-- The last change of the clocks that a zone's table has is not the last one: what
-- is found for an event at that very second does not hold for all time.
SET TimeZone = 'Europe/Berlin';
SELECT count(*) AS days, count(*) FILTER (WHERE (o).hour <> extract(hour FROM at)) AS "wrong hours"
FROM (SELECT at, segment.occasion(at) AS o
      FROM (SELECT make_timestamptz(y, m, 31 - extract(dow FROM make_date(y, m, 31))::int, 1, 0, 0, 'UTC') + i * interval '10 days' AS at
            FROM generate_series(2000, 2999) y, unnest('{3, 10}'::int[]) m, generate_series(0, 1) i) e
      GROUP BY at ORDER BY at) s;
SET TimeZone = 'UTC';
