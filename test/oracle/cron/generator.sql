-- Random cron lines in time zones with odd clocks, from 2010 to 2030: their runs
-- beside those that plain SQL finds.  Plain SQL uses none of the extension's
-- functions but the one on trial.
--
-- Away from changes of the clock a local time is one instant, which AT TIME ZONE
-- gives.  Around a change every minute of real time is looked at, and what the
-- clock showed then.

CREATE SCHEMA cronlines;
SET search_path = cronlines;
SET TimeZone = 'UTC';
SET jit = off;

CREATE TABLE result (seed int, zone text, line text, runs bigint, windows bigint, verdict text);

CREATE TABLE zone (zone text PRIMARY KEY);
INSERT INTO zone VALUES ('UTC'), ('Europe/Berlin'), ('America/New_York'), ('America/Sao_Paulo'), ('Australia/Lord_Howe'),
	('Asia/Kathmandu'), ('Africa/Casablanca'), ('America/Havana'), ('Asia/Kolkata'), ('Pacific/Apia');

CREATE TABLE day AS
SELECT d::date AS day, extract(day FROM d)::int AS dom, extract(month FROM d)::int AS month, extract(dow FROM d)::int AS dow
FROM generate_series(timestamp '2009-12-25', timestamp '2030-01-06', interval '1 day') d;

-- The clocks ------------------------------------------------------------------------

-- The minute from which on a clock is another distance from UTC, and how far it jumps.
CREATE TABLE change AS
WITH by_day AS (
	SELECT zone, d, d AT TIME ZONE zone - d AT TIME ZONE 'UTC' AS distance,
		   lead(d AT TIME ZONE zone - d AT TIME ZONE 'UTC') OVER (PARTITION BY zone ORDER BY d) AS next_distance
	FROM zone, generate_series(timestamptz '2009-12-20', timestamptz '2030-01-10', interval '1 day') d
), by_minute AS (
	SELECT zone, m, m AT TIME ZONE zone - m AT TIME ZONE 'UTC' AS distance,
		   lag(m AT TIME ZONE zone - m AT TIME ZONE 'UTC') OVER (PARTITION BY zone, d ORDER BY m) AS last_distance
	FROM by_day, generate_series(d, d + interval '1 day', interval '1 minute') m
	WHERE distance <> next_distance
)
SELECT row_number() OVER (ORDER BY zone, m)::int AS id, zone, m AS at, distance - last_distance AS jump,
	   greatest(distance - last_distance, last_distance - distance) AS size
FROM by_minute WHERE distance <> last_distance;

-- What the clock showed in every minute around a change.
CREATE TABLE shown AS
SELECT id, zone, t, t AT TIME ZONE zone AS label
FROM change, generate_series(at - size - interval '3 hours', at + size + interval '3 hours', interval '1 minute') t;
CREATE INDEX ON shown (zone, label, t);
CREATE INDEX ON shown (id, label);

-- The hours on the wall for which it is looked up there.
CREATE TABLE odd_hour AS
SELECT DISTINCT ON (zone, hour) zone, hour, id
FROM change, generate_series(
	date_trunc('hour', least((at - interval '1 minute') AT TIME ZONE zone, at AT TIME ZONE zone)) - interval '1 hour',
	date_trunc('hour', greatest((at - interval '1 minute') AT TIME ZONE zone, at AT TIME ZONE zone)) + interval '1 hour',
	interval '1 hour') hour
ORDER BY zone, hour, id;
ANALYZE;

-- Random lines ------------------------------------------------------------------------

CREATE FUNCTION dice(n int) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT floor(random() * n)::int';

-- A value of a field as it may be written.
CREATE FUNCTION written(value int, field text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	name text := CASE field
		WHEN 'month' THEN (ARRAY['jan','feb','mar','apr','may','jun','jul','aug','sep','oct','nov','dec'])[value]
		WHEN 'dow' THEN (ARRAY['sun','mon','tue','wed','thu','fri','sat','sun'])[value + 1] END;
BEGIN
	RETURN CASE dice(CASE WHEN name IS NULL THEN 5 ELSE 10 END)
		WHEN 0 THEN lpad(value::text, 2, '0') WHEN 7 THEN upper(name) WHEN 8 THEN initcap(name) WHEN 9 THEN name
		ELSE value::text END;
END $$;

CREATE FUNCTION item(field text, low int, high int, OUT line text, OUT vals int[], OUT any_value bool) LANGUAGE plpgsql AS $$
DECLARE
	a int := low + dice(high - low + 1);
	b int := low + dice(high - low + 1);
	step int := 1;
	last int := CASE field WHEN 'dow' THEN 6 ELSE high END;
BEGIN
	any_value := dice(6) = 0;
	IF any_value THEN
		a := low;
		b := last;
		line := '*';
	ELSIF dice(2) = 0 OR a = b THEN
		b := a;
		line := written(a, field);
	ELSE
		SELECT least(a, b), greatest(a, b) INTO a, b;
		line := written(a, field) || '-' || written(b, field);
	END IF;
	IF b > a AND dice(2) = 0 THEN
		step := 1 + dice(b - a);
		line := line || '/' || step;
	END IF;
	vals := ARRAY(SELECT CASE field WHEN 'dow' THEN v % 7 ELSE v END FROM generate_series(a, b, step) v);
END $$;

-- stars: in how many of ten lines the field is left open
CREATE FUNCTION field(field text, low int, high int, stars int, OUT line text, OUT vals int[], OUT any_value bool) LANGUAGE plpgsql AS $$
DECLARE
	one record;
BEGIN
	IF dice(10) < stars THEN
		line := '*';
		any_value := true;
		vals := ARRAY(SELECT v % CASE field WHEN 'dow' THEN 7 ELSE 100 END FROM generate_series(low, high) v);
		RETURN;
	END IF;
	line := '';
	vals := '{}';
	any_value := false;
	FOR i IN 0 .. CASE WHEN dice(3) = 0 THEN dice(4) ELSE 0 END LOOP
		one := item(field, low, high);
		line := concat(line, CASE WHEN i > 0 THEN ',' END, one.line);
		vals := vals || one.vals;
		any_value := any_value OR one.any_value;
	END LOOP;
END $$;

-- The oracle ------------------------------------------------------------------------

-- All runs of a line in a window of time, from what its fields say.
CREATE FUNCTION truth(in_zone text, lo timestamptz, hi timestamptz, minutes int[], hours int[], doms int[], months int[], dows int[],
	either_day bool, by_the_clock bool) RETURNS SETOF timestamptz LANGUAGE sql AS $$
	WITH hour AS MATERIALIZED (
		SELECT d.day + make_interval(hours => h) AS hour
		FROM day d, (SELECT DISTINCT unnest(hours)) h(h)
		WHERE d.day BETWEEN lo::date - 2 AND hi::date + 2 AND d.month = ANY (months)
		AND CASE WHEN either_day THEN d.dom = ANY (doms) OR d.dow = ANY (dows) ELSE d.dom = ANY (doms) AND d.dow = ANY (dows) END
	), label AS (
		SELECT h.hour + make_interval(mins => m) AS label, o.id
		FROM hour h LEFT JOIN odd_hour o ON o.zone = in_zone AND o.hour = h.hour, (SELECT DISTINCT unnest(minutes)) m(m)
	), run AS (
		SELECT label AT TIME ZONE in_zone AS t FROM label WHERE id IS NULL
		UNION
		SELECT s.t FROM label l JOIN shown s ON s.zone = in_zone AND s.label = l.label WHERE l.id IS NOT NULL AND by_the_clock
		UNION
		SELECT coalesce((SELECT min(s.t) FROM shown s WHERE s.zone = in_zone AND s.label = l.label),
						(SELECT min(s.t) FROM shown s WHERE s.id = l.id AND s.label > l.label))
		FROM label l WHERE l.id IS NOT NULL AND NOT by_the_clock
	)
	SELECT t FROM run WHERE t > lo AND t <= hi
$$;

-- All twenty years at once; or, if there are too many runs, days around changes and others.
CREATE FUNCTION windows(in_zone text, runs_a_year float8, most int, OUT lo timestamptz, OUT hi timestamptz)
RETURNS SETOF record LANGUAGE plpgsql AS $$
BEGIN
	IF runs_a_year <= most THEN
		lo := '2010-01-01';
		hi := '2030-01-01';
		RETURN NEXT;
		RETURN;
	END IF;
	RETURN QUERY SELECT at - interval '5 hours', at + interval '4 hours' + size FROM change
		WHERE zone = in_zone AND at BETWEEN '2010-01-03' AND '2029-12-30' ORDER BY random() LIMIT greatest(5, most / 1000);
	RETURN QUERY SELECT at, at + interval '9 hours'
		FROM (SELECT timestamptz '2010-01-02' + dice(7200) * interval '1 day' + dice(86400) * interval '1 second'
			  FROM generate_series(1, 2)) r(at);
END $$;

-- Windows in which the runs differ.
CREATE FUNCTION judge(in_zone text, in_line text, minutes int[], hours int[], doms int[], months int[], dows int[],
	either_day bool, by_the_clock bool, most int, plant text, OUT runs bigint, OUT windows bigint, OUT verdict text) LANGUAGE plpgsql AS $$
DECLARE
	runs_a_year float8 := (SELECT count(DISTINCT m) FROM unnest(minutes) m) * (SELECT count(DISTINCT h) FROM unnest(hours) h)
		* (SELECT count(*) FROM day WHERE month = ANY (months)
		   AND CASE WHEN either_day THEN dom = ANY (doms) OR dow = ANY (dows) ELSE dom = ANY (doms) AND dow = ANY (dows) END) / 20.0;
	w record;
	expected timestamptz[];
	got timestamptz[];
BEGIN
	runs := 0;
	windows := 0;
	IF plant = 'first' THEN
		by_the_clock := true;
	ELSIF plant = 'day' THEN
		either_day := NOT either_day;
	END IF;
	FOR w IN SELECT * FROM windows(in_zone, runs_a_year, most) LOOP
		expected := ARRAY(SELECT t FROM truth(in_zone, w.lo, w.hi, minutes, hours, doms, months, dows, either_day, by_the_clock) t ORDER BY t);
		BEGIN
			got := ARRAY(SELECT r FROM segment.next_runs(in_line, cardinality(expected) + 1, in_zone, w.lo) r WHERE r <= w.hi ORDER BY r);
		EXCEPTION WHEN invalid_parameter_value THEN
			-- right if there is no such day
			got := CASE WHEN EXISTS (SELECT FROM day WHERE month = ANY (months) AND dom = ANY (doms)) OR either_day
						THEN '{infinity}' ELSE '{}' END;
		END;
		runs := runs + cardinality(expected);
		windows := windows + 1;
		IF got IS DISTINCT FROM expected THEN
			verdict := (SELECT format('after %s: %s instead of %s', w.lo, coalesce(g::text, 'none'), coalesce(e::text, 'none'))
						FROM unnest(got, expected) u(g, e) WHERE g IS DISTINCT FROM e LIMIT 1);
			RETURN;
		END IF;
	END LOOP;
END $$;

CREATE PROCEDURE run(in_seed int, most int, plant text) LANGUAGE plpgsql AS $$
DECLARE
	minute record;
	hour record;
	dom record;
	month record;
	dow record;
	line text;
BEGIN
	PERFORM setseed(sin(in_seed));
	minute := field('minute', 0, 59, 2);
	hour := field('hour', 0, 23, 2);
	dom := field('dom', 1, 31, 6);
	month := field('month', 1, 12, 6);
	dow := field('dow', 0, 7, 6);
	line := concat_ws(' ', minute.line, hour.line, dom.line, month.line, dow.line);
	INSERT INTO cronlines.result
	SELECT in_seed, z.zone, line, j.runs, j.windows, j.verdict
	FROM cronlines.zone z, cronlines.judge(z.zone, line, minute.vals, hour.vals, dom.vals, month.vals, dow.vals,
		NOT dom.any_value AND NOT dow.any_value, minute.any_value OR hour.any_value, most, plant) j;
	COMMIT;
END $$;
