-- Rules over scores that decay: right at every instant, though the score is
-- stored as of refreshed_at.
CREATE EXTENSION IF NOT EXISTS segment;
CREATE SCHEMA rule_decay;
SET search_path = rule_decay;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
CREATE TABLE event (customer int, at timestamptz, worth float8);
SELECT segment.create_table('customers', 'customer', 'int') \g /dev/null
SELECT segment.add_source('customers', 'event', key => 'customer', at => 'at', value => 'worth') \g /dev/null

-- The score is continuous, and says so; a rule that compares it is exact.  What is
-- no more exact than what it reads says that alone.
SELECT segment.add_score('customers', 'engagement', 'segment.engagement(at, value, ''7 days'')') \g /dev/null
SELECT segment.add_score('customers', 'lately', 'segment.engagement(at, value, ''1 day'')') \g /dev/null
SELECT segment.add_score('customers', 'double', 'engagement * 2') \g /dev/null
SELECT segment.add_score('customers', 'events', 'count(*)') \g /dev/null
SELECT segment.add_segment('customers', 'hot', 'engagement > 10') \g /dev/null
SELECT segment.add_segment('customers', 'in_debt', 'coalesce(engagement, 0) < -1') \g /dev/null
SELECT segment.add_segment('customers', 'above_events', 'double > events') \g /dev/null
SELECT segment.add_segment('customers', 'rising', 'lately * 7 > engagement') \g /dev/null
SELECT segment.add_segment('customers', 'middling', 'engagement BETWEEN 2 AND 5') \g /dev/null
SELECT segment.add_group('customers', 'heat', 'hot', 'engagement >= 50', 'warm', 'engagement >= 10') \g /dev/null
SELECT segment.add_score('customers', 'mixed', 'engagement + lately') \g /dev/null
SELECT segment.add_segment('customers', 'mixed_high', 'mixed > 20') \g /dev/null
SELECT segment.set_max_age('customers', '10 years') \g /dev/null

-- What time does to the row of one customer: each instant at which it is due,
-- and nothing differs from a computation of its own just before and at it.
CREATE TABLE seen (n serial, at timestamptz, heat text, segments text);
CREATE PROCEDURE follow(columns text[]) LANGUAGE plpgsql AS $$
DECLARE
	t timestamptz := segment.now();
	before jsonb;
	now jsonb;
	due timestamptz;
BEGIN
	TRUNCATE seen;
	FOR i IN 1 .. 1000 LOOP
		SELECT valid_until INTO due FROM customers;
		EXIT WHEN due > t + interval '100 days';
		PERFORM set_config('segment.as_of', (due - interval '1 microsecond')::text, false);
		IF EXISTS (SELECT FROM segment.verify('customers')) THEN
			RAISE 'not as said before %: %', due, (SELECT string_agg(v::text, ' ') FROM segment.verify('customers') v);
		END IF;
		-- a millisecond later what was to come has come
		PERFORM set_config('segment.as_of', (due + interval '1 millisecond')::text, false);
		SELECT to_jsonb(c) INTO before FROM customers c;
		CALL segment.refresh('customers');
		SELECT to_jsonb(c) INTO now FROM customers c;
		IF EXISTS (SELECT FROM unnest(columns) c WHERE before -> c IS DISTINCT FROM now -> c) THEN
			INSERT INTO seen (at, heat, segments)
			SELECT date_trunc('second', due + interval '10 milliseconds'), heat,
				   concat_ws(' ', CASE WHEN hot THEN 'hot' END, CASE WHEN in_debt THEN 'in_debt' END, CASE WHEN above_events THEN 'above_events' END,
							 CASE WHEN rising THEN 'rising' END, CASE WHEN middling THEN 'middling' END, now ->> 'whole', CASE WHEN now ->> 'tenth' = 'true' THEN 'tenth' END) FROM customers;
		END IF;
	END LOOP;
END $$;

-- An event worth 100, half-life 7 days: above 10 for 7 * log2(10) days, which are
-- 23 days 6:05:02.11.
INSERT INTO event VALUES (1, '2026-03-01', 100);
SET segment.as_of = '2026-03-01';
CALL segment.refresh('customers');
SET segment.as_of = '2026-03-15';
CALL segment.refresh('customers');
SELECT condition, holds, values, changes_at < '2026-03-01'::timestamptz + 7 * ln(10) / ln(2) * interval '1 day' AS not_later,
	   '2026-03-01'::timestamptz + 7 * ln(10) / ln(2) * interval '1 day' - changes_at < '1 millisecond' AS within_a_millisecond,
	   date_trunc('second', changes_at) AS changes_at
FROM segment.explain('customers', '1', 'hot') WHERE level < 2;
SELECT condition, holds, values, date_trunc('second', changes_at) AS changes_at FROM segment.explain('customers', '1', 'heat');
SET segment.as_of = '2026-03-01';
CALL segment.rebuild('customers');
CALL follow('{heat,hot,in_debt,above_events,rising,middling}');
SELECT at, heat, segments FROM seen ORDER BY n;

-- Below zero it goes up: -8 is no longer below -1 after 21 days.
TRUNCATE event;
INSERT INTO event VALUES (1, '2026-03-01', -8);
SET segment.as_of = '2026-03-01';
CALL segment.rebuild('customers');
CALL follow('{heat,hot,in_debt,above_events,rising,middling}');
SELECT at, heat, segments FROM seen ORDER BY n;

-- Rounded, it stands still in between: 3.5 rounds to 4, 2.5 to 2, 1.5 to 2, 0.5 to 0.
SELECT segment.add_score('customers', 'whole', 'round(engagement)') \g /dev/null
SELECT segment.add_score('customers', 'tenths', 'round(engagement::numeric - 3, 1)') \g /dev/null
SELECT segment.add_segment('customers', 'tenth', 'tenths = 0.1') \g /dev/null
SELECT name, unanalyzed FROM segment.scores WHERE name IN ('whole', 'tenths') ORDER BY name;
TRUNCATE event;
INSERT INTO event VALUES (1, '2026-03-01', 4);
SET segment.as_of = '2026-03-01';
CALL segment.rebuild('customers');
CALL follow('{whole}');
SELECT at, segments FROM seen ORDER BY n;
SET segment.as_of = '2026-03-01';
CALL segment.rebuild('customers');
CALL follow('{tenth}');
SELECT at, segments FROM seen ORDER BY n;

-- Events of one instant cancel out to the last digit, whenever they are looked at.
TRUNCATE event;
INSERT INTO event VALUES (1, '2026-03-01', 1), (1, '2026-03-01', 2), (1, '2026-03-01', -3);
DO $$
BEGIN
	FOR i IN 1 .. 200 LOOP
		PERFORM set_config('segment.as_of', ('2026-03-01'::timestamptz + i * interval '1 hour 7 minutes')::text, true);
		ASSERT (segment.current('customers', '1') ->> 'engagement')::float8 = 0, i;
	END LOOP;
END $$;

-- A rule that new cut points make look at what decays is not computed from the
-- stored value, which is as of refreshed_at: 16 is below 4 after 14 days.
TRUNCATE event;
SELECT segment.drop_table('customers') \g /dev/null
SELECT segment.create_table('customers', 'customer', 'int') \g /dev/null
SELECT segment.add_source('customers', 'event', key => 'customer', at => 'at', value => 'worth') \g /dev/null
SET client_min_messages = warning;
SELECT segment.add_score('customers', 'engagement', 'segment.engagement(at, value, ''7 days'')') \g /dev/null
SELECT segment.add_score('customers', 'events', 'count(*)') \g /dev/null
SELECT segment.add_band('customers', 'rank', 'events', 2) \g /dev/null
SELECT segment.add_segment('customers', 'good', 'rank = 1 OR engagement > 4') \g /dev/null
SELECT segment.set_max_age('customers', '10 years') \g /dev/null
INSERT INTO event SELECT c, '2026-03-01', 8 FROM generate_series(1, 2) c, generate_series(0, c);
SET segment.as_of = '2026-03-01';
CALL segment.rebuild('customers');
INSERT INTO event SELECT c, '2026-03-01', 8 FROM generate_series(3, 5) c;
CALL segment.refresh('customers');
SELECT customer, events, rank, good, date_trunc('second', valid_until + '10 ms') AS valid_until FROM customers ORDER BY customer;
SET segment.as_of = '2026-03-14';
SELECT segment.recut('customers', 'rank') \g /dev/null
SELECT * FROM segment.verify('customers');
SELECT customer, events, rank, good, date_trunc('second', valid_until + '10 ms') AS valid_until FROM customers ORDER BY customer;
SET segment.as_of = '2026-03-15 12:00';
CALL segment.refresh('customers');
SELECT * FROM segment.verify('customers');
SELECT customer, good FROM customers ORDER BY customer;
SET client_min_messages = notice;

SET segment.as_of = '2026-03-01';
-- What the steps are given by hand.
SELECT date_trunc('second', t + '10 ms') AS at, n FROM (VALUES
	(segment.next_decay_flip('passes', 8::float8, '1 day', 3::float8, 'times'::text, 2::float8, 'plus'::text, 1::float8), 'at 1'),
	(segment.next_decay_flip('either', 8::float8, '1 day', 2.37::float8, 'round'::text, 0), 'never'),
	(segment.next_decay_flip('reaches', 8::float8, '1 day', 1.25, 'numeric'::text, 0, 'round'::text, 2), 'at 1.245'),
	(segment.next_decay_flip('reaches', -8::float8, '1 day', 12::float8, 'from'::text, 4::float8), 'at once'),
	(segment.next_decay_flip('reaches', -8::float8, '1 day', 6::float8, 'from'::text, 4::float8), 'at -2'),
	(segment.next_decay_flip('reaches', 8::float8, '1 day', 1::float8, 'over'::text, 0::float8), 'by zero')) v (t, n);
SELECT segment.next_decay_flip('reaches', 8::float8, '1 day', 1::float8, 'squared'::text, 0);
SELECT segment.next_decay_flip('reaches', 8::float8, '1 day', 1::float8, 'plus'::text, 1);
SELECT segment.next_decay_flip('reaches', 8::float8, '1 day', 1::float8, 'round'::text, 0, 'plus'::text);

SET client_min_messages = warning;
DROP SCHEMA rule_decay CASCADE;
