-- As-of instants that go forth and back, and refreshes that end before they are done.
SET client_min_messages = warning;
CREATE SCHEMA asof;
SET search_path = asof;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET segment.as_of = '2024-06-01 00:00:00+00';
CREATE TABLE event (customer int, at timestamptz);
SELECT segment.create_table('customers', 'customer', 'int');
SELECT segment.add_source('customers', 'event', key => 'customer', at => 'at');
SELECT segment.add_score('customers', 'n', 'count(*) FILTER (WHERE at > now() - interval ''1 day'')');
SELECT segment.add_segment('customers', 'active', 'n > 0');
INSERT INTO event VALUES (1, '2024-05-31 11:30+00'), (2, '2024-05-31 12:00+00'), (3, '2024-06-03 00:00+00');
CALL segment.refresh('customers');
SELECT * FROM customers ORDER BY 1;

-- a refresh as of a later instant that fails after its first batch
ALTER TABLE customers ADD CONSTRAINT stays CHECK (customer <> 2 OR n > 0);
SET segment.as_of = '2024-07-01 00:00:00+00';
SET segment.batch_size = 1;
SET segment.set_aside_limit = 0;
\set VERBOSITY terse
CALL segment.refresh('customers');
\set VERBOSITY default
SELECT * FROM customers ORDER BY 1;
ALTER TABLE customers DROP CONSTRAINT stays;
-- is undone by the next as of today
SET segment.as_of = '2024-06-01 06:00:00+00';
CALL segment.refresh('customers');
SELECT * FROM customers ORDER BY 1;
SELECT * FROM customers_history ORDER BY 1, 3;
SELECT * FROM segment.verify('customers');
RESET segment.batch_size;
RESET segment.set_aside_limit;

-- one that is undone whole leaves nothing to undo
BEGIN;
SET LOCAL segment.as_of = '2030-01-01 00:00:00+00';
CALL segment.refresh('customers');
ROLLBACK;
SELECT * FROM segment.verify('customers');

-- forth and back: each as if it were the first
CREATE FUNCTION rows_as_of(t timestamptz, rebuild bool) RETURNS SETOF text
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('segment.as_of', t::text, false);
	IF rebuild THEN
		CALL segment.rebuild('asof.customers');
	ELSE
		CALL segment.refresh('asof.customers');
	END IF;
	RETURN QUERY SELECT format('%s: %s, %s', c.customer, c.n, c.valid_until) FROM asof.customers c ORDER BY customer;
	RETURN QUERY SELECT 'differs: ' || v FROM segment.verify('asof.customers') v;
END $$;
SELECT t, rows_as_of(t, false) FROM unnest('{2024-06-01 11:59:59.999999+00,2024-06-01 12:00+00,2024-06-03 00:00+00,2024-06-04 00:00+00,2024-06-01 12:00+00,2024-05-31 12:00+00,2024-05-31 11:59+00,2024-06-03 23:00+00}'::timestamptz[]) t;
SELECT t, ARRAY(SELECT rows_as_of(t, false)) = ARRAY(SELECT rows_as_of(t, true)) AS as_rebuilt
FROM unnest('{2024-06-03 00:00+00,2024-05-31 13:00+00,2024-06-04 00:00+00}'::timestamptz[]) t;

-- events of the time between, and a definition that is changed in the future
SET segment.as_of = '2024-06-10 00:00:00+00';
CALL segment.refresh('customers');
INSERT INTO event VALUES (1, '2024-06-05 00:00+00'), (4, '2024-06-09 12:00+00');
SELECT segment.add_score('customers', 'all_of_them', 'count(*)');
CALL segment.refresh('customers');
SELECT customer, n, all_of_them, valid_until FROM customers ORDER BY 1;
SET segment.as_of = '2024-06-05 00:00:00+00';
CALL segment.refresh('customers');
SELECT customer, n, all_of_them, valid_until FROM customers ORDER BY 1;
SELECT * FROM segment.verify('customers');
SET segment.as_of = '2024-06-09 12:00:00+00';
CALL segment.refresh('customers');
SELECT customer, n, all_of_them, valid_until FROM customers ORDER BY 1;
SELECT * FROM segment.verify('customers');

-- a segment that was dropped since is not entered again
SELECT segment.drop_segment('customers', 'active');
SET segment.as_of = '2024-06-01 00:00:00+00';
CALL segment.refresh('customers');
SELECT * FROM customers_history WHERE left_at IS NULL;
SET segment.as_of = '2024-06-20 00:00:00+00';
CALL segment.refresh('customers');
SELECT * FROM customers_history WHERE left_at IS NULL;
SELECT * FROM segment.verify('customers');

-- what fails as of this instant (a Sunday, day 0) but stands where no event needs it, is not computed beforehand
SET segment.as_of = '2024-06-23 00:00:00+00';
SELECT segment.add_score('customers', 'quotient', 'sum(CASE WHEN customer > 9 THEN 7 / extract(dow FROM now()) ELSE customer END)');
SELECT segment.add_score('customers', 'ever', 'count(*) FILTER (WHERE customer > 9 AND at > now() - interval ''9999 years'')');
SELECT segment.add_score('customers', 'endless', 'max(CASE WHEN customer > 9 THEN now() - timestamptz ''infinity'' ELSE interval ''1 day'' END)');
CALL segment.refresh('customers');
SELECT customer, quotient, ever, endless FROM customers ORDER BY 1;
SELECT * FROM segment.verify('customers');

SELECT segment.drop_table('customers');
DROP SCHEMA asof CASCADE;
