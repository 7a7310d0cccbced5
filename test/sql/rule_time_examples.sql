-- Examples counted out by hand: when a segment changes although nothing happens.
SET client_min_messages = warning;
CREATE SCHEMA examples;
SET search_path = examples;
SET timezone = 'Europe/Berlin';
SET datestyle = 'ISO';
CREATE TABLE event (customer int, at timestamptz, kind text, item text);
CREATE TABLE account (customer int, born date, trial_ends timestamptz);
CREATE PROCEDURE begin()
LANGUAGE plpgsql AS $$
BEGIN
	IF to_regclass('examples.customers') IS NOT NULL THEN
		PERFORM segment.drop_table('examples.customers');
	END IF;
	TRUNCATE examples.event, examples.account;
	PERFORM segment.create_table('examples.customers', 'customer', 'int', 'Europe/Berlin');
	PERFORM segment.add_source('examples.customers', 'examples.event', key => 'customer', at => 'at', event => 'kind', item => 'item');
	PERFORM segment.add_attributes('examples.customers', 'examples.account', 'customer', '{"born": "born", "trial_ends": "trial_ends"}');
END $$;
CALL begin();

-- The rows as of an instant, and at each of the next instants at which one of
-- them is due: as before a microsecond earlier, and all of them right at it.
CREATE TABLE seen (n serial, what text);
CREATE PROCEDURE follow(start timestamptz, steps int)
LANGUAGE plpgsql AS $$
DECLARE
	t timestamptz := start;
	r record;
	before jsonb;
BEGIN
	FOR step IN 0 .. steps LOOP
		PERFORM set_config('segment.as_of', (t - interval '1 microsecond')::text, false);
		IF step > 0 AND EXISTS (SELECT FROM segment.verify('examples.customers')) THEN
			INSERT INTO examples.seen (what) SELECT format('differs before %s: %s', t, (SELECT string_agg(v::text, ' ') FROM segment.verify('examples.customers') v));
		END IF;
		PERFORM set_config('segment.as_of', t::text, false);
		IF step = 0 THEN
			CALL segment.rebuild('examples.customers');
		ELSE
			CALL segment.refresh('examples.customers');
		END IF;
		IF EXISTS (SELECT FROM segment.verify('examples.customers')) THEN
			INSERT INTO examples.seen (what) SELECT format('differs at %s: %s', t, (SELECT string_agg(v::text, ' ') FROM segment.verify('examples.customers') v));
		END IF;
		FOR r IN SELECT to_jsonb(c) - 'customer' - 'refreshed_at' - 'valid_until' - 'born' - 'trial_ends' AS columns, c.* FROM examples.customers c
			WHERE refreshed_at = t ORDER BY customer LOOP
			INSERT INTO examples.seen (what) SELECT format('%s customer %s: %s until %s', t, r.customer, r.columns, r.valid_until);
		END LOOP;
		SELECT min(valid_until) INTO t FROM examples.customers;
		EXIT WHEN t = 'infinity';
	END LOOP;
	CALL examples.begin();
END $$;

-- No purchase for 90 days: 15 January and 16 + 28 + 31 + 15 days are 15 April,
-- at the same time of a day that has come to be summer time.
INSERT INTO event VALUES (1, '2026-01-15 10:00', 'buy', NULL), (2, '2026-01-15 10:00', 'visit', NULL);
SELECT segment.add_score('customers', 'last_purchase', 'max(at) FILTER (WHERE event = ''buy'')');
SELECT segment.add_segment('customers', 'gone', 'last_purchase <= now() - interval ''90 days''');
CALL follow('2026-02-01', 2);
SELECT what FROM seen ORDER BY n \g (format=unaligned tuples_only=on)
TRUNCATE seen;

-- No login for 30 days, across the night of 25 October that has 25 hours: 30 days
-- are until the same time of day, 720 hours are not.
INSERT INTO event VALUES (1, '2026-10-10 08:30', 'login', NULL);
SELECT segment.add_score('customers', 'last_login', 'max(at) FILTER (WHERE event = ''login'')');
SELECT segment.add_segment('customers', 'quiet_days', 'last_login <= now() - interval ''30 days''');
SELECT segment.add_segment('customers', 'quiet_hours', 'last_login <= now() - interval ''720 hours''');
CALL follow('2026-10-12', 3);
SELECT what FROM seen ORDER BY n \g (format=unaligned tuples_only=on)
TRUNCATE seen;

-- Viewed one product more than 3 times within 7 days and has not bought it since:
-- the first of four views leaves after 7 days.  The tea was bought.
INSERT INTO event VALUES (1, '2026-05-01 10:00', 'view', 'pot'), (1, '2026-05-02 10:00', 'view', 'pot'), (1, '2026-05-03 10:00', 'view', 'pot'),
	(1, '2026-05-04 10:00', 'view', 'pot'), (2, '2026-05-01 10:00', 'view', 'tea'), (2, '2026-05-02 10:00', 'view', 'tea'),
	(2, '2026-05-03 10:00', 'view', 'tea'), (2, '2026-05-04 10:00', 'view', 'tea'), (2, '2026-05-04 11:00', 'buy', 'tea');
SELECT segment.add_score('customers', 'wants',
	'segment.unconverted(item, event = ''view'' AND at > now() - interval ''7 days'', event = ''buy'', at, 4)');
SELECT segment.add_segment('customers', 'undecided', 'cardinality(wants) > 0');
CALL follow('2026-05-05', 1);
SELECT what FROM seen ORDER BY n \g (format=unaligned tuples_only=on)
TRUNCATE seen;

-- Signed up within 30 days and opened at least 3 different emails.
INSERT INTO event VALUES (1, '2026-06-01 00:00', 'signup', NULL), (1, '2026-06-03 00:00', 'open', 'a'), (1, '2026-06-04 00:00', 'open', 'b'),
	(1, '2026-06-05 00:00', 'open', 'c'), (2, '2026-06-02 00:00', 'signup', NULL), (2, '2026-06-03 00:00', 'open', 'a'), (2, '2026-06-04 00:00', 'open', 'a');
SELECT segment.add_score('customers', 'signed_up', 'min(at) FILTER (WHERE event = ''signup'')');
SELECT segment.add_score('customers', 'opened', 'count(DISTINCT item) FILTER (WHERE event = ''open'')');
SELECT segment.add_segment('customers', 'keen', 'signed_up > now() - interval ''30 days'' AND opened >= 3');
CALL follow('2026-06-10', 2);
SELECT what FROM seen ORDER BY n \g (format=unaligned tuples_only=on)
TRUNCATE seen;

-- Bought in this calendar month, at the end of February of a leap year: until
-- 1 March.
INSERT INTO event VALUES (1, '2028-02-29 23:59:59', 'buy', NULL), (2, '2028-01-31 23:59:59', 'buy', NULL);
SELECT segment.add_score('customers', 'bought', 'count(*) FILTER (WHERE event = ''buy'' AND date_trunc(''month'', at) = date_trunc(''month'', now()))');
SELECT segment.add_segment('customers', 'bought_this_month', 'bought > 0');
CALL follow('2028-02-29 23:59:59.5', 2);
SELECT what FROM seen ORDER BY n \g (format=unaligned tuples_only=on)
TRUNCATE seen;

-- Birthday within 7 days: the day of the year of today is that of the birthday or
-- up to 7 before.  5 March is day 64 of 2026, so from day 57, 26 February.
INSERT INTO account VALUES (1, '1990-03-05', NULL);
SELECT segment.add_segment('customers', 'birthday', 'extract(doy FROM born) - extract(doy FROM now()) BETWEEN 0 AND 7');
CALL follow('2026-01-10', 2);
SELECT what FROM seen ORDER BY n \g (format=unaligned tuples_only=on)
TRUNCATE seen;

-- The same by age: a year older in seven days than today.  Of a 29 February it is
-- 1 March in years that have none.
INSERT INTO account VALUES (1, '1990-03-05', NULL), (2, '1992-02-29', NULL);
SELECT segment.add_segment('customers', 'birthday',
	'extract(year FROM age(current_date + 7, born)) > extract(year FROM age(current_date - 1, born))');
CALL follow('2026-01-10', 4);
SELECT what FROM seen ORDER BY n \g (format=unaligned tuples_only=on)
TRUNCATE seen;

-- A cart left for 1, 24 and 48 hours.
INSERT INTO event VALUES (1, '2026-03-28 12:00', 'cart', NULL), (2, '2026-03-28 12:00', 'cart', NULL), (2, '2026-03-28 12:30', 'buy', NULL);
SELECT segment.add_score('customers', 'cart', 'max(at) FILTER (WHERE event = ''cart'')');
SELECT segment.add_score('customers', 'bought', 'max(at) FILTER (WHERE event = ''buy'')');
SELECT segment.add_score('customers', 'left_at', 'CASE WHEN bought IS NULL OR bought < cart THEN cart END');
SELECT segment.add_score('customers', 'stage',
	'CASE WHEN left_at <= now() - interval ''48 hours'' THEN ''48 hours'' WHEN left_at <= now() - interval ''24 hours'' THEN ''24 hours'' WHEN left_at <= now() - interval ''1 hour'' THEN ''1 hour'' END');
CALL follow('2026-03-28 12:45', 4);
SELECT what FROM seen ORDER BY n \g (format=unaligned tuples_only=on)
TRUNCATE seen;

-- In segment A and never in B: who visits and never bought anything.
INSERT INTO event VALUES (1, '2026-07-01 09:00', 'visit', NULL), (2, '2026-07-01 09:00', 'visit', NULL), (2, '2020-01-01', 'buy', NULL);
SELECT segment.add_score('customers', 'visits', 'count(*) FILTER (WHERE event = ''visit'' AND at > now() - interval ''1 week'')');
SELECT segment.add_score('customers', 'purchases', 'count(*) FILTER (WHERE event = ''buy'')');
SELECT segment.add_segment('customers', 'a', 'visits > 0');
SELECT segment.add_segment('customers', 'b', 'purchases > 0');
SELECT segment.add_segment('customers', 'a_never_b', 'a AND NOT b');
CALL follow('2026-07-02', 1);
SELECT what FROM seen ORDER BY n \g (format=unaligned tuples_only=on)
TRUNCATE seen;

-- A trial that ends within 7 days: a week before it, and over when it is over.
INSERT INTO account VALUES (1, NULL, '2026-04-03 18:00'), (2, NULL, NULL);
SELECT segment.add_segment('customers', 'trial_ends_soon', 'trial_ends BETWEEN now() AND now() + interval ''7 days''');
CALL follow('2026-03-20', 2);
SELECT what FROM seen ORDER BY n \g (format=unaligned tuples_only=on)
TRUNCATE seen;

-- Engagement, 8 today with a half-life of 10 days, is below 2 after 20 days; the
-- instant is given a little early, and looked at until it has come.
INSERT INTO event VALUES (1, '2026-05-01 00:00', 'visit', NULL);
SELECT segment.add_score('customers', 'engagement', 'segment.engagement(at, 8, ''10 days'')');
SELECT segment.add_segment('customers', 'cold', 'engagement < 2');
SELECT segment.set_max_age('customers', '1 year');
SET segment.as_of = '2026-05-01 00:00';
CALL segment.refresh('customers');
SELECT engagement, cold, '2026-05-21 00:00' - valid_until BETWEEN '0' AND '00:00:00.001' AS just_before FROM customers;
SET segment.as_of = '2026-05-21 00:00';
SELECT segment.current('customers', '1') - 'valid_until' AS at;
SET segment.as_of = '2026-05-21 00:00:00.000001';
CALL segment.refresh('customers');
SELECT engagement < 2 AS below, cold, valid_until FROM customers;
SELECT count(*) AS different FROM segment.verify('customers');

DROP SCHEMA examples CASCADE;
