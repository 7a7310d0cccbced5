-- When time alone flips a comparison.
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, MDY';
SET segment.as_of = '2026-01-10 00:00:00+00';

-- Microseconds are linear; "after" is the next one.
SELECT segment.crossing('2026-01-10 12:00:00+00', '-90 minutes', false);
SELECT segment.crossing('2026-01-10 12:00:00+00', '-90 minutes', true);
SELECT segment.crossing('2026-01-20 12:00:00+00', '36:00', false);
-- The flip must lie after now: one microsecond ahead counts, now does not.
SELECT segment.crossing('2026-01-09 23:00:00.000001+00', '-1 hour', false);
SELECT segment.crossing('2026-01-09 23:00:00+00', '-1 hour', false);
SELECT segment.crossing('2026-01-09 23:00:00+00', '-1 hour', true);
SELECT segment.crossing('2026-01-09 22:59:59.999999+00', '-1 hour', true);
SELECT segment.crossing('2026-01-10 00:00:00+00', '0', true);

-- Month ends: 29, 30 and 31 March minus a month are all 28 February, so what
-- has come to hold during 28 March ceases to hold at each midnight after it.
SELECT segment.crossing('2026-02-28 12:00:00+00', '-1 month', false);
SET segment.as_of = '2026-03-28 12:00:00+00';
SELECT segment.crossing('2026-02-28 12:00:00+00', '-1 month', false);
SET segment.as_of = '2026-03-29 00:00:00+00';
SELECT segment.crossing('2026-02-28 12:00:00+00', '-1 month', false);
SET segment.as_of = '2026-03-31 11:59:59.999999+00';
SELECT segment.crossing('2026-02-28 12:00:00+00', '-1 month', false);
SET segment.as_of = '2026-03-31 12:00:00+00';
SELECT segment.crossing('2026-02-28 12:00:00+00', '-1 month', false);
-- 28 February plus a month is 28 March: 29 to 31 March are never reached.
SET segment.as_of = '2026-01-10 00:00:00+00';
SELECT segment.crossing('2026-03-30 12:00:00+00', '1 month', false);
SELECT segment.crossing('2026-04-30 12:00:00+00', '1 month', false);

-- Leap day: a year after 29 February 2024, and a year before 28 February 2029.
SET segment.as_of = '2024-06-01 00:00:00+00';
SELECT segment.crossing('2024-02-29 08:00:00+00', '-1 year', false);
SELECT segment.crossing('2029-02-28 08:00:00+00', '1 year', false);
SET segment.as_of = '2028-02-28 08:00:00+00';
SELECT segment.crossing('2029-02-28 08:00:00+00', '1 year', false);

-- Berlin 2026: 02:00 to 03:00 is skipped on 29 March, and comes twice on 25 October.
SET TimeZone = 'Europe/Berlin';
SET segment.as_of = '2026-01-10 00:00:00+00';
SELECT segment.crossing('2026-03-28 12:00:00', '-1 day', false);
SELECT segment.crossing('2026-03-29 01:30:00', '-1 day', false);
SELECT segment.crossing('2026-03-29 03:30:00', '-1 day', false);
SET segment.as_of = '2026-03-30 02:30:00';
SELECT segment.crossing('2026-03-29 03:30:00', '-1 day', false);
SET segment.as_of = '2026-03-30 03:00:00';
SELECT segment.crossing('2026-03-29 03:30:00', '-1 day', false);
SET segment.as_of = '2026-03-30 03:30:00';
SELECT segment.crossing('2026-03-29 03:30:00', '-1 day', false);
-- The first 02:30 is never reached by its own name, only passed over.
SET segment.as_of = '2026-10-01 00:00:00';
SELECT segment.crossing('2026-10-25 02:30:00+02', '-1 day', false);
SELECT segment.crossing('2026-10-25 02:30:00+01', '-1 day', false);
-- Both of them are named the same a day earlier.
SELECT segment.crossing('2026-10-24 02:30:00+02', '-1 day', false);
SET segment.as_of = '2026-10-25 02:30:00+02';
SELECT segment.crossing('2026-10-24 02:30:00+02', '-1 day', false);
SET segment.as_of = '2026-10-25 02:00:00+01';
SELECT segment.crossing('2026-10-24 02:30:00+02', '-1 day', false);
-- Hours do not care.
SELECT segment.crossing('2026-10-25 02:30:00+02', '-24 hours', false);

-- Fields of mixed sign.
SET TimeZone = 'UTC';
SET segment.as_of = '2026-01-10 00:00:00+00';
SELECT segment.crossing('2026-03-12 10:00:00+00', '1 month -3 days 4 hours', false);

-- Never: infinite, null, out of range.
SELECT segment.crossing('infinity', '-1 day', false),
       segment.crossing('-infinity', '-1 month', true),
       segment.crossing(NULL, '-1 day', false),
       segment.crossing('2026-02-01', NULL, false),
       segment.crossing('2026-02-01', '-1 day', NULL);
SELECT shift, segment.crossing('2026-02-01 00:00:00+00', shift, true)
FROM (VALUES ('-300000 years'::interval), ('300000 years'), ('-178000000 years'), ('178000000 years'),
             ('-2000000000 days'), ('2000000000 days'), ('-2500000000 hours'), ('2500000000 hours'),
             ('178000000 years -2000000000 days 2500000000 hours'),
             ('-2147483648 months -2147483648 days -2500000000 hours')) AS huge (shift);
SELECT segment.crossing('294276-12-31 23:59:59.999999+00', '0', true),
       segment.crossing('294276-12-31 23:59:59.999999+00', '0', false),
       segment.crossing('294276-12-31 00:00:00+00', '-1 day', false),
       segment.crossing('294276-12-30 00:00:00+00', '-1 day', false),
       segment.crossing('4713-01-01 00:00:00+00 BC', '1 month', false);

-- Spans: of the difference now - at, a month is 30 days and a day 24 hours.
SET TimeZone = 'Europe/Berlin';
SELECT segment.crossing_span('2026-03-01 12:00:00', '30 days', false);
SELECT segment.crossing_span('2026-03-01 12:00:00', '1 month', true);
SELECT segment.crossing_span('2026-03-01 12:00:00', '1 month -720 hours', false);
SELECT segment.crossing_span('2026-01-20 12:00:00', '-11 days', false);
SELECT segment.crossing_span('2026-01-09 01:00:00', '1 day', false),
       segment.crossing_span('2026-01-09 01:00:00', '1 day', true);
SELECT segment.crossing_span('infinity', '1 day', false),
       segment.crossing_span('2026-03-01', '178000000 years', false),
       segment.crossing_span('2026-03-01', '-178000000 years', false),
       segment.crossing_span('2026-03-01', '178000000 years -2000000000 days', false),
       segment.crossing_span('294276-12-31 23:00:00+00', '1 hour', false),
       segment.crossing_span('2026-03-01', NULL, false);

-- Against an oracle that knows nothing of calendars: it cuts time into pieces
-- and assumes only that within a piece, now + shift moves as now does.  That
-- holds where clocks change at multiples of the step in UTC; "bent" counts the
-- pieces of a sample of which it does not.
CREATE FUNCTION crossing_oracle(at timestamptz, shift interval, after boolean,
                                t timestamptz, step interval) RETURNS timestamptz
LANGUAGE plpgsql AS $$
DECLARE
    target timestamptz := at + CASE WHEN after THEN interval '1 us' ELSE interval '0' END;
    held   boolean     := t + shift >= target;
    slack  interval    := CASE WHEN extract(year FROM shift) <> 0 OR extract(month FROM shift) <> 0
                               THEN interval '216 hours' ELSE interval '60 hours' END;
BEGIN
    RETURN (
        SELECT CASE WHEN (p + shift >= target) <> held THEN p ELSE p + (target - (p + shift)) END
        FROM generate_series(date_bin(step, greatest(t, at - shift - slack), 'epoch'),
                             at - shift + slack, step) AS g,
             LATERAL (SELECT CASE WHEN g < t THEN t ELSE g END AS p OFFSET 0) AS piece
        WHERE (p + shift >= target) <> held
           OR NOT held AND p + shift + (g + step - p) > target
        LIMIT 1);
END $$;

CREATE FUNCTION crossing_bent(at timestamptz, shift interval, step interval) RETURNS bigint
LANGUAGE sql AS $$
    SELECT count(*) FROM generate_series(date_bin(step, at - shift - interval '9 days', 'epoch'),
                                         at - shift + interval '9 days', step) AS g
    WHERE g + shift + (step - interval '1 us') <> g + (step - interval '1 us') + shift
$$;

-- Changes of the clock, to the step.
CREATE FUNCTION clock_changes(first timestamptz, last timestamptz, step interval) RETURNS timestamptz[]
LANGUAGE sql AS $$
    SELECT array_agg(t)
    FROM generate_series(first, last, interval '24 hours') AS d,
         generate_series(d, d + interval '24 hours' - step, step) AS t
    WHERE extract(timezone FROM d) <> extract(timezone FROM d + interval '24 hours')
      AND extract(timezone FROM t) <> extract(timezone FROM t - step)
$$;

CREATE FUNCTION random_shift() RETURNS interval
LANGUAGE plpgsql AS $$
DECLARE
    kind int := floor(random() * 8);
BEGIN
    RETURN CASE
        WHEN kind <= 1 THEN make_interval(days => (random() * 80 - 40)::int)
        WHEN kind <= 3 THEN make_interval(months => (random() * 26 - 13)::int)
        WHEN kind = 4 THEN make_interval(months => (random() * 4 - 2)::int, days => (random() * 6 - 3)::int)
        WHEN kind = 5 THEN make_interval(months => (random() * 26 - 13)::int, days => (random() * 80 - 40)::int,
                                         secs => round((random() * 200000 - 100000)::numeric, 6)::float8)
        WHEN kind = 6 THEN make_interval(days => (random() * 10 - 5)::int, hours => (random() * 200 - 100)::int)
        ELSE make_interval(secs => round((random() * 2000000 - 1000000)::numeric, 6)::float8)
    END;
END $$;

-- Random comparisons in one zone: near changes of the clock and ends of months,
-- on either side of the shift.
CREATE FUNCTION crossing_cases(zone text, cases int, first timestamptz, last timestamptz, step interval)
RETURNS TABLE (at timestamptz, shift interval, after boolean, t timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
    changes timestamptz[];
    kind    int;
BEGIN
    PERFORM set_config('TimeZone', zone, false);
    changes := clock_changes(first, last, step);
    FOR i IN 1 .. cases LOOP
        shift := random_shift();
        after := random() < 0.5;
        kind := floor(random() * 4);
        at := CASE
            WHEN kind <= 1 AND changes IS NOT NULL
                THEN changes[1 + floor(random() * cardinality(changes))] + (random() * 60 - 30) * interval '1 hour'
            WHEN kind <= 2
                THEN date_trunc('month', first + random() * (last - first)) + (random() * 140 - 100) * interval '1 hour'
            ELSE first + random() * (last - first)
        END;
        IF random() < 0.5 THEN
            at := at + shift;
        END IF;
        IF random() < 0.5 THEN
            at := date_bin('15 minutes', at, 'epoch');
        END IF;
        kind := floor(random() * 8);
        t := at - shift + CASE
            WHEN kind = 0 THEN -random() * interval '100 days'
            WHEN kind <= 3 THEN (random() * 12 - 8) * interval '24 hours'
            WHEN kind <= 5 THEN (random() * 60 - 40) * interval '1 hour'
            WHEN kind = 6 THEN (random() * 4 - 2) * interval '1 hour'
            ELSE (floor(random() * 3) - 1) * interval '1 us'
        END;
        IF random() < 0.3 THEN
            t := date_bin('15 minutes', t, 'epoch');
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;

-- The cases on which the oracle disagrees with segment.crossing or, to see that
-- it can, with the subtraction that one would write by hand.
CREATE FUNCTION crossing_mismatches(zone text, cases int, first timestamptz, last timestamptz,
                                    step interval DEFAULT '30 minutes', by_hand boolean DEFAULT false)
RETURNS TABLE (in_zone text, at timestamptz, shift interval, after boolean, t timestamptz,
               answer timestamptz, expected timestamptz, bent bigint)
LANGUAGE plpgsql AS $$
BEGIN
    in_zone := zone;
    FOR at, shift, after, t IN SELECT * FROM crossing_cases(zone, cases, first, last, step) LOOP
        PERFORM set_config('segment.as_of', t::text, false);
        IF by_hand THEN
            answer := at - shift + CASE WHEN after THEN interval '1 us' ELSE interval '0' END;
            answer := CASE WHEN answer > t THEN answer END;
        ELSE
            answer := segment.crossing(at, shift, after);
        END IF;
        expected := crossing_oracle(at, shift, after, t, step);
        bent := CASE WHEN random() < 0.02 THEN crossing_bent(at, shift, step) ELSE 0 END;
        IF answer IS DISTINCT FROM expected OR bent > 0 THEN
            RETURN NEXT;
        END IF;
    END LOOP;
END $$;

SELECT setseed(0.42);
SELECT m.*
FROM unnest(ARRAY['UTC', 'Europe/Berlin', 'America/New_York', 'America/Sao_Paulo', 'Australia/Lord_Howe',
                  'Africa/Casablanca', 'Asia/Tehran', 'Asia/Beirut', 'America/St_Johns']) AS zone,
     crossing_mismatches(zone, 4000, '2012-01-01 00:00:00+00', '2030-01-01 00:00:00+00') AS m;
-- A day skipped whole.
SELECT * FROM crossing_mismatches('Pacific/Apia', 4000, '2011-11-01 00:00:00+00', '2012-02-01 00:00:00+00');
SELECT * FROM crossing_mismatches('Pacific/Kwajalein', 4000, '1993-08-01 00:00:00+00', '1993-09-10 00:00:00+00');
-- By hand it would be wrong.
SELECT count(*) > 100 AS seen
FROM crossing_mismatches('Europe/Berlin', 2000, '2012-01-01 00:00:00+00', '2030-01-01 00:00:00+00', by_hand => true);

-- Spans against interval comparison itself.
CREATE FUNCTION span_mismatches(cases int)
RETURNS TABLE (at timestamptz, span interval, after boolean, t timestamptz, answer timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
    held boolean;
BEGIN
    FOR i IN 1 .. cases LOOP
        span := random_shift();
        after := random() < 0.5;
        at := timestamptz '2026-01-01 00:00:00+00' + random() * interval '1000 days';
        t := at + span + (random() * 8 - 5) * interval '1 day';
        PERFORM set_config('segment.as_of', t::text, false);
        answer := segment.crossing_span(at, span, after);
        held := CASE WHEN after THEN t - at > span ELSE t - at >= span END;
        IF (answer IS NULL) <> held OR answer <= t OR
           (CASE WHEN after
                 THEN answer - interval '1 us' - at > span OR NOT answer - at > span
                 ELSE answer - interval '1 us' - at >= span OR NOT answer - at >= span END) THEN
            RETURN NEXT;
        END IF;
    END LOOP;
END $$;
SET TimeZone = 'Europe/Berlin';
SELECT * FROM span_mismatches(3000);

-- a target that is no time
SELECT segment.next_flip('either', 'x'::text, 'days'::text, 3);

-- a value that steps passes over what lies between two others; and its next changes
SET segment.as_of = '2024-02-28 12:00+01';
SELECT segment.next_flip_within('2024-03-02'::date, '2024-03-03'::date, 'local'::text, ''::text, 'trunc'::text, 'day'::text) AS reached,
	segment.next_flip_within('2024-03-02'::date, '2024-03-03'::date, 'local'::text, ''::text, 'trunc'::text, 'month'::text) AS passed,
	segment.next_flip_within('2024-03-01'::date, '2024-03-03'::date, 'local'::text, ''::text, 'trunc'::text, 'month'::text) AS met,
	segment.next_flip_within('2024-02-01'::date, '2024-04-03'::date, 'local'::text, ''::text, 'trunc'::text, 'month'::text) AS stayed,
	segment.next_flip_within(NULL::date, '2024-03-03'::date, 'local'::text, ''::text, 'trunc'::text, 'day'::text) AS unknown,
	segment.next_flip_within('2024-03-02'::date, 'infinity'::date, 'local'::text, ''::text, 'trunc'::text, 'day'::text) AS infinite;
SELECT segment.next_changes(3, 'local'::text, ''::text, 'trunc'::text, 'month'::text),
	segment.next_changes(3, 'age'::text, timestamptz '2024-01-30 06:00+01', 'fields'::text, 'month'::text),
	segment.next_changes(0, 'trunc'::text, 'hour'::text), segment.next_changes(2, 'local'::text, 'Nowhere/Land'::text, 'trunc'::text, 'day'::text);
SELECT segment.next_changes(3, 'local'::text, ''::text, 'trunc'::text, 'day'::text, 'since'::text, timestamp '2024-01-01');

RESET segment.as_of;
RESET TimeZone;
DROP FUNCTION crossing_oracle, crossing_bent, clock_changes, random_shift, crossing_cases, crossing_mismatches, span_mismatches;
