-- Time alone changes rows: valid_until says when, to the microsecond.
SET client_min_messages = warning;
CREATE SCHEMA clock;
SET search_path = clock;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET segment.as_of = '2024-03-01 00:00:00+00';
CREATE TABLE event (customer int, at timestamptz, kind text, ends timestamptz);
SELECT segment.create_table('customers', 'customer', 'int', 'Europe/Berlin');
SELECT segment.add_source('customers', 'event', key => 'customer', at => 'at', event => 'kind', extra => '{"ends": "ends"}');
SELECT segment.add_score('customers', 'recent', 'count(*) FILTER (WHERE at > now() - interval ''30 days'')');
CALL segment.refresh('customers');

-- looks as of an instant and its neighbours; refreshing then, or at the beginning only
CREATE PROCEDURE look(t timestamptz, refresh bool DEFAULT true)
LANGUAGE plpgsql AS $$
DECLARE
	r record;
BEGIN
	IF NOT refresh THEN
		CALL segment.refresh('clock.customers');
	END IF;
	FOR microseconds IN -1 .. 1 LOOP
		PERFORM set_config('segment.as_of', (t + microseconds * interval '1 microsecond')::text, false);
		IF refresh THEN
			CALL segment.refresh('clock.customers');
		END IF;
		FOR r IN SELECT to_jsonb(c) - 'customer' - 'refreshed_at' - 'valid_until' AS columns, c.* FROM clock.customers c ORDER BY customer LOOP
			RAISE WARNING '% %: % until %', segment.now(), r.customer, r.columns, r.valid_until;
		END LOOP;
		IF EXISTS (SELECT FROM segment.verify('clock.customers')) THEN
			RAISE WARNING '%: differs: %', segment.now(), (SELECT string_agg(v::text, ' ') FROM segment.verify('clock.customers') v);
		END IF;
	END LOOP;
	PERFORM set_config('segment.as_of', '2024-03-01 00:00:00+00', false);
END $$;

-- an event enters when its time comes and leaves a window at its end
INSERT INTO event VALUES (1, '2024-02-10 00:00+00'), (1, '2024-02-20 12:00+00'), (2, '2024-03-05 00:00+00'), (3, '-infinity'), (3, 'infinity');
CALL segment.refresh('customers');
SELECT * FROM customers ORDER BY customer;
CALL look('2024-03-05 00:00+00');
CALL look('2024-03-11 00:00+00');
CALL look('2024-03-11 00:00+00', false);

-- the customer without a row whose first event is to come has one in time
SELECT customer FROM customers ORDER BY 1;
SET segment.as_of = '2024-03-05 00:00:00+00';
CALL segment.refresh('customers');
SELECT customer FROM customers ORDER BY 1;
-- and back again
SET segment.as_of = '2024-03-01 00:00:00+00';
CALL segment.refresh('customers');
SELECT customer FROM customers ORDER BY 1;
SELECT * FROM segment.verify('customers');

-- each comparison at its instant: > and <= change at it, >= and < after it
TRUNCATE event;
SELECT segment.drop_score('customers', 'recent');
SELECT segment.add_score('customers', 'gt', 'count(*) FILTER (WHERE at > now() - interval ''1 day'')');
SELECT segment.add_score('customers', 'ge', 'count(*) FILTER (WHERE at >= now() - interval ''1 day'')');
SELECT segment.add_score('customers', 'lt', 'count(*) FILTER (WHERE at < now() - interval ''1 day'')');
SELECT segment.add_score('customers', 'le', 'count(*) FILTER (WHERE at <= now() - interval ''1 day'')');
SELECT segment.add_score('customers', 'eq', 'count(*) FILTER (WHERE at = now() - interval ''1 day'')');
INSERT INTO event VALUES (1, '2024-03-01 00:00+00');
CALL look('2024-03-02 00:00+00');
CALL look('2024-03-02 00:00+00', false);
SELECT segment.drop_score('customers', name) FROM unnest('{gt,ge,lt,le,eq}'::text[]) name;

-- a month is a month of the calendar: 29 February is a month before 29 March,
-- 30 March and 31 March, each from midnight to its time of day
TRUNCATE event;
SELECT segment.add_score('customers', 'month', 'count(*) FILTER (WHERE at > now() - interval ''1 month'')');
INSERT INTO event VALUES (1, '2024-02-29 11:00+00');
CALL look('2024-03-29 11:00+00');
CALL look('2024-03-29 23:00+00');
CALL look('2024-03-30 11:00+00');
CALL look('2024-03-30 23:00+00');
CALL look('2024-03-31 10:00+00');
SELECT segment.drop_score('customers', 'month');

-- a day is a day of the time zone: 23 hours when clocks go forward, 25 when back
TRUNCATE event;
SELECT segment.add_score('customers', 'day', 'count(*) FILTER (WHERE at > now() - interval ''1 day'')');
INSERT INTO event VALUES (1, '2024-03-30 10:00+00'), (2, '2024-03-30 01:30+00'), (3, '2024-10-26 00:30+00');
CALL look('2024-03-31 01:00+00');
CALL look('2024-03-31 01:30+00');
CALL look('2024-03-31 09:00+00');
CALL look('2024-10-27 00:30+00');
CALL look('2024-10-27 01:30+00');
SELECT segment.drop_score('customers', 'day');

-- rules over the row: NULL, two comparisons, what another rule says, time to come
TRUNCATE event;
SELECT segment.add_score('customers', 'last_buy', 'max(at) FILTER (WHERE event = ''buy'')');
SELECT segment.add_score('customers', 'ends', 'max(ends)');
SELECT segment.add_segment('customers', 'lapsed', 'last_buy < now() - interval ''10 days''');
SELECT segment.add_segment('customers', 'active', 'NOT lapsed');
SELECT segment.add_segment('customers', 'never', 'last_buy IS NULL OR last_buy < now() - interval ''20 days''');
SELECT segment.add_segment('customers', 'window', 'last_buy BETWEEN now() - interval ''15 days'' AND now() - interval ''5 days''');
SELECT segment.add_segment('customers', 'soon', 'ends > now() AND ends <= now() + interval ''3 days''');
INSERT INTO event VALUES (1, '2024-03-01 00:00+00', 'buy', '2024-03-10 00:00+00'), (2, '2024-03-01 00:00+00', 'view', 'infinity');
CALL segment.refresh('customers');
SELECT * FROM customers ORDER BY customer;
CALL look('2024-03-06 00:00+00');
CALL look('2024-03-07 00:00+00');
CALL look('2024-03-10 00:00+00');
CALL look('2024-03-11 00:00+00');
CALL look('2024-03-16 00:00+00');
CALL look('2024-03-21 00:00+00');

-- eligible for a time
SELECT segment.set_eligible('customers', 'ends > now()');
CALL look('2024-03-10 00:00+00');
SELECT segment.set_eligible('customers', NULL);

-- what can't be analyzed says so, and is looked at again after max_age
RESET client_min_messages;
SELECT segment.add_segment('customers', 'odd', 'extract(second FROM now()) = 5');
SET client_min_messages = warning;
SELECT segment.set_max_age('customers', '6 hours');
CALL segment.refresh('customers');
SELECT customer, odd, refreshed_at, valid_until FROM customers ORDER BY 1;
SELECT segment.set_max_age('customers', '0');
SELECT segment.set_max_age('customers', '-1 day');
SELECT segment.set_max_age('customers', NULL);

-- an instant that is none
SET segment.as_of = 'not a time';
SET segment.as_of = 'infinity';
SET segment.as_of = '2024-03-05';
SELECT segment.now();
RESET segment.as_of;
SELECT segment.now() = now();

SELECT segment.drop_table('customers');
DROP SCHEMA clock CASCADE;
