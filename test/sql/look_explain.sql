-- Why a customer is in a segment or not, and until when.
SET client_min_messages = warning;
CREATE SCHEMA why;
SET search_path = why;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET segment.as_of = '2024-03-15 12:00:00+00';
CREATE TABLE event (customer int, at timestamptz, event text, amount numeric, product text);
CREATE TABLE person (id int PRIMARY KEY, country text, signed_up timestamptz, trial_ends date, consent bool);
SELECT segment.create_table('customers', 'customer', 'int', 'Europe/Berlin');
SELECT segment.add_source('customers', 'event', key => 'customer', at => 'at', event => 'event', value => 'amount', item => 'product');
SELECT segment.add_attributes('customers', 'person', key => 'id', columns => '{"country": "country", "signed_up": "signed_up", "trial_ends": "trial_ends", "consent": "consent"}');
SELECT segment.add_score('customers', 'orders', $$count(*) FILTER (WHERE event = 'order')$$);
SELECT segment.add_score('customers', 'revenue', $$sum(value) FILTER (WHERE event = 'order')$$);
SELECT segment.add_score('customers', 'last_order', $$max(at) FILTER (WHERE event = 'order')$$);
SELECT segment.add_score('customers', 'views_7d', $$count(*) FILTER (WHERE event = 'view' AND at > now() - interval '7 days')$$);
SELECT segment.add_score('customers', 'average', 'revenue / nullif(orders, 0)');
SELECT segment.add_segment('customers', 'lapsed', $$last_order <= now() - interval '90 days'$$);
SELECT segment.add_segment('customers', 'curious', $$views_7d > 3 AND (last_order IS NULL OR last_order < now() - interval '7 days')$$);
SELECT segment.add_segment('customers', 'new', $$signed_up > now() - interval '30 days'$$);
SELECT segment.add_segment('customers', 'trial ends', $$trial_ends > now() AND trial_ends <= now() + interval '7 days'$$);
SELECT segment.add_segment('customers', 'mixed', $$NOT (curious OR lapsed) AND (country IN ('DE', 'AT') OR orders >= 2) AND "trial ends" IS NOT TRUE$$);
SELECT segment.add_segment('customers', 'good', $$orders > 0 AND revenue / orders > 50 AND NOT lapsed$$);
SELECT segment.add_segment('customers', 'a "b'' c', $$curious AND country <> 'it''s' AND NOT "trial ends"$$);
SELECT segment.add_segment('customers', 'twice', $$lapsed OR (mixed AND lapsed)$$);
SELECT segment.add_score('customers', 'stage', $$CASE WHEN lapsed THEN 'asleep' WHEN orders >= 3 AND NOT new THEN 'regular "r"' WHEN revenue / nullif(orders, 0) > 10 THEN 'fresh' ELSE 'none' END$$);
INSERT INTO person VALUES (1, 'DE', '2024-02-20 10:00+00', '2024-03-20', true), (2, 'FR', '2023-05-01', NULL, true),
	(3, 'AT', '2024-03-10', '2024-03-16', false), (4, NULL, NULL, NULL, NULL);
INSERT INTO event VALUES
	(1, '2024-03-01 10:00+00', 'order', 120, 'a'), (1, '2024-03-10 09:00+00', 'view', NULL, 'b'), (1, '2024-03-11 09:00+00', 'view', NULL, 'b'),
	(1, '2024-03-12 09:00+00', 'view', NULL, 'b'), (1, '2024-03-13 09:00+00', 'view', NULL, 'b'), (1, '2024-03-14 09:00+00', 'view', NULL, 'b'),
	(2, '2023-12-31 01:30+00', 'order', 30, 'a'), (2, '2023-11-01 00:00+00', 'order', 20, 'a'), (2, '2023-10-01 00:00+00', 'order', 10, 'c'),
	(5, '2024-03-16 00:00+00', 'order', 5, 'a');
CALL segment.refresh('customers');

SELECT * FROM segment.explain('customers', '2', 'lapsed');
SELECT * FROM segment.explain('customers', '1', 'curious');
SELECT * FROM segment.explain('customers', '1', 'new');
SELECT * FROM segment.explain('customers', '3', 'trial ends');
SELECT * FROM segment.explain('customers', '2', 'mixed');
SELECT * FROM segment.explain('customers', '4', 'mixed');
SELECT * FROM segment.explain('customers', '1', 'a "b'' c');
-- a condition that does not matter now is told of all the same
SELECT segment.add_segment('customers', 'abroad', $$country = 'PT' AND signed_up > now() - interval '30 days'$$);
SELECT * FROM segment.explain('customers', '1', 'abroad');
-- a segment that is read twice is opened once
SELECT * FROM segment.explain('customers', '2', 'twice');
-- what the rule does not evaluate, and could fail, is not evaluated
SELECT * FROM segment.explain('customers', '4', 'good');
SELECT * FROM segment.explain('customers', '2', 'good');
-- the first that holds
SELECT * FROM segment.explain('customers', '2', 'stage');
SELECT * FROM segment.explain('customers', '1', 'stage');
SELECT * FROM segment.explain('customers', '4', 'stage');
-- scores and attributes
SELECT * FROM segment.explain('customers', '1', 'views_7d');
SELECT * FROM segment.explain('customers', '2', 'average');
SELECT * FROM segment.explain('customers', '2', 'country');
-- times of the session's zone; also while the customer is dirty
SET timezone = 'America/New_York';
INSERT INTO event VALUES (2, '2024-03-15 11:00+00', 'order', 500, 'a');
SELECT * FROM segment.explain('customers', '2', 'lapsed');
SHOW timezone;
SET timezone = 'UTC';

-- what time does, beside the table evaluated at these instants: it differs when
-- the explanation says so, not before, and never if it says so
CREATE FUNCTION value_at(who int, name text, t timestamptz) RETURNS text
LANGUAGE sql AS $$
	SELECT "row" ->> name FROM segment.evaluate('customers', t) WHERE key = who::text
$$;
CREATE TABLE outcome AS
SELECT c AS who, s.name, e.holds, e.condition, e.changes_at, value_at(c, s.name, '2024-03-15 12:00+00') AS value
FROM (VALUES (1), (2), (3), (4)) c(c),
	(SELECT name FROM segment.segments UNION ALL VALUES ('stage'), ('views_7d'), ('average')) s,
	LATERAL segment.explain('customers', c::text, s.name) e WHERE e.level = 0;
SELECT count(*), count(changes_at) AS will_change FROM outcome;
SELECT who, name, holds, value, changes_at FROM outcome WHERE changes_at IS NOT NULL ORDER BY who, name;
SELECT * FROM outcome WHERE holds::text IS DISTINCT FROM value AND condition LIKE 'segment %';
SELECT * FROM (SELECT * FROM outcome WHERE changes_at IS NOT NULL OFFSET 0) o WHERE value_at(who, name, changes_at) = value;
SELECT * FROM outcome, LATERAL (VALUES (interval '1 microsecond'), ('1 hour'), ('1 day')) before(i)
WHERE changes_at - i > '2024-03-15 12:00+00' AND value_at(who, name, changes_at - i) IS DISTINCT FROM value;
SELECT * FROM outcome, generate_series(1, 12) i
WHERE changes_at IS NULL AND value_at(who, name, timestamptz '2024-03-15 12:00+00' + i * i * interval '63 hours') IS DISTINCT FROM value;

-- more instants than are looked at: an instant before which nothing changes
INSERT INTO event SELECT 6, timestamptz '2024-03-09 00:00+00' + i * interval '1 minute', 'view', 1, 'x' FROM generate_series(1, 300) i;
SELECT * FROM segment.explain('customers', '6', 'curious');
SELECT value_at(6, 'curious', '2024-03-16 01:40:59.999999+00');
INSERT INTO event VALUES (6, '2024-06-01', 'order', 1, 'x');
SELECT * FROM segment.explain('customers', '6', 'curious');
-- what is not analyzed: when it is due again
SELECT segment.add_score('customers', 'heat', $$engagement(at, 1, '1 day')$$);
SELECT segment.add_segment('customers', 'hot', 'heat ^ 2 > 0.25 OR lapsed');
SELECT step, condition, holds, changes_at FROM segment.explain('customers', '1', 'hot');

-- scores below what reads them, with how many events were counted; and groups and bands
SELECT segment.add_score('customers', 'rate', $$round(count(*) FILTER (WHERE event = 'order' AND value > 5) * 1.0 / nullif(count(*) FILTER (WHERE event = 'view'), 0), 2)$$);
SELECT segment.add_score('customers', 'events', 'count(*)');
SELECT segment.add_group('customers', 'size', 'large', 'average > 100', 'small', 'average > 0');
SELECT segment.add_band('customers', 'rank', 'events', 2);
SELECT segment.add_segment('customers', 'top', $$rate > 0.1 AND size = 'large' AND (rank = 2 OR average > 10) AND country IS NOT NULL$$);
SELECT segment.recut('customers', 'rank');
SELECT step, condition, holds, values FROM segment.explain('customers', '1', 'top');
SELECT step, condition, holds, values FROM segment.explain('customers', '4', 'rate');
SELECT step, condition, holds, values FROM segment.explain('customers', '5', 'events');

-- conditions read as they were written, and mean what they say: defined again from
-- what is shown, they are kept in the same form
CREATE TYPE tier AS ENUM ('gold', 'it''s');
CREATE TABLE detail (id int PRIMARY KEY, tier tier, code varchar(9), born date, seen timestamp, n int, big bigint, f float8, tags text[], "Odd (name" text);
SELECT segment.add_attributes('customers', 'detail', key => 'id', columns =>
	'{"tier": "tier", "code": "code", "born": "born", "seen": "seen", "n": "n", "big": "big", "f": "f", "tags": "tags", "Odd (name": "\"Odd (name\""}');
INSERT INTO detail (id) VALUES (1);
CREATE TABLE rule (n serial, rule text);
INSERT INTO rule (rule) VALUES
	($$tier = 'gold'$$), ($$tier <> 'it''s'$$), ($$tier IN ('gold', 'it''s')$$), ($$code = 'x'$$), ($$code NOT IN ('x', 'y')$$), ($$code LIKE 'x%'$$),
	($$n IN (1, 2, -3)$$), ($$n > -5$$), ($$f > 0.5$$), ($$f > -0.5$$), ($$f < 'Infinity'$$), ($$big > 1$$), ($$n + big > 3$$), ($$big = 1.5$$),
	($$(n + 1) * 2 > 3$$), ($$-(n + 1) > 3$$), ($$(n - 1)::text = '3'$$), ($$n - (n - 1) > 3$$), ($$(n > 1) = (n > 2)$$), ($$((n + 1)) > ((n - 1))$$), ($$n % 2 = 1$$),
	($$NOT (n + 1) * 2 > n$$), ($$(n + 1) IS NULL$$), ($$(n + 1) IS DISTINCT FROM 2$$),
	($$born >= '1990-01-01'$$), ($$born IN ('1990-01-01', '1991-01-01')$$), ($$seen > '1990-01-01 10:00'$$), ($$signed_up > '1990-01-01 10:00+00'$$),
	($$signed_up > now() - interval '1 month'$$), ($$signed_up > now() - interval '1 year 2 months -3 days 04:05:06.7'$$), ($$signed_up > now() - interval '-48 hours'$$),
	($$now() - signed_up > interval '48 hours'$$), ($$(now() - signed_up) / 2 > interval '1 week'$$), ($$(now() - interval '1 day')::date > born$$),
	($$current_date - born > 7$$), ($$now()::date - 7 > born$$), ($$(born - current_date) * 2 > 3$$), ($$age(now(), born) > interval '18 years'$$),
	($$extract(year FROM age(born)) >= 18$$), ($$extract(epoch FROM now() - signed_up) / 86400 > 30$$), ($$date_trunc('week', signed_up) = date_trunc('week', now())$$),
	($$(now() - interval '1 day') AT TIME ZONE 'UTC' > seen$$), ($$"Odd (name" = 'a (b - c) > (d)'$$), ($$"Odd (name" = E'\\(\n''::interval'$$), ($$code ~ '^(a|b)'$$),
	($$tags && ARRAY['a', 'b']$$), ($$tags @> '{a}'$$), ($$'a' = ANY (tags)$$), ($$coalesce(n, 0) > 3$$), ($$greatest(n, 1) > least(big, 2)$$), ($$CASE WHEN n > 1 THEN (n - 1) > 2 ELSE false END$$),
	($$trim(both 'x' FROM code) = 'y'$$), ($$code || 'x' = 'y'$$), ($$(n || 'x') = 'y'$$), ($$(n + 1, n) = (1, 2)$$), ($$n BETWEEN SYMMETRIC 1 AND 2$$), ($$n::numeric / 2 > 1.5$$);
CREATE FUNCTION define(name text, rule text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	PERFORM segment.add_segment('why.customers', name, rule);
	SELECT s.rule INTO result FROM segment.segments s WHERE s.name = define.name;
	RETURN result;
EXCEPTION WHEN others THEN
	RETURN sqlerrm;
END $$;
SELECT rule, define('s' || n, rule) AS error FROM (SELECT * FROM rule ORDER BY n OFFSET 0) r WHERE define('s' || n, rule) NOT LIKE '%(%';
CREATE TABLE shown AS SELECT n, rule, string_agg(ltrim(condition), ' ' ORDER BY step) FILTER (WHERE level = 1) AS condition
FROM rule, segment.explain('customers', '1', 's' || n) GROUP BY 1, 2;
SELECT rule, condition FROM shown WHERE condition <> rule ORDER BY n;
SELECT s.rule, condition, define('t' || s.n, condition) AS kept_as FROM shown s, segment.segments g
WHERE g.name = 's' || n AND define('u' || s.n, condition) <> g.rule ORDER BY n;

-- what fails where the rule does not evaluate it: unknown, and no error
INSERT INTO person VALUES (7, 'XX', 'infinity', NULL, true), (8, 'Europe/Berlin', '2024-03-10', NULL, true);
SELECT segment.add_segment('customers', 'arriving', $$signed_up > now() OR now() - signed_up < interval '7 days' OR age(now(), signed_up) > '1 year'$$);
SELECT * FROM segment.explain('customers', '7', 'arriving');
SELECT * FROM segment.explain('customers', '8', 'arriving');
SELECT segment.add_segment('customers', 'zoned', $$country = 'XX' OR country <> 'FR' AND now() AT TIME ZONE country > '2024-03-18'$$);
SELECT * FROM segment.explain('customers', '7', 'zoned');
SELECT * FROM segment.explain('customers', '8', 'zoned');
SELECT segment.add_segment('customers', 'many', $$country = 'XX' OR orders + 9223372036854775807 > 0$$);
SELECT * FROM segment.explain('customers', '7', 'many');
INSERT INTO event VALUES (7, '2024-03-01', 'order', 1, 'x');
SELECT * FROM segment.explain('customers', '7', 'many');
-- the rule itself fails
INSERT INTO event VALUES (8, '2024-03-01', 'order', 1, 'x');
\set VERBOSITY terse
SELECT * FROM segment.explain('customers', '8', 'many');
\set VERBOSITY default
-- it will fail at an instant still to come: nothing changes before
SELECT segment.add_segment('customers', 'day', $$country = 'XX' OR 1 / (extract(day FROM current_date) - 18) > 0 OR signed_up < now() - interval '30 days'$$);
SELECT * FROM segment.explain('customers', '8', 'day');
SELECT * FROM segment.explain('customers', '7', 'day');
SELECT segment.drop_segment('customers', name) FROM (VALUES ('arriving'), ('zoned'), ('many'), ('day')) s(name);

-- nobody, and nobody yet
SET client_min_messages = notice;
SELECT * FROM segment.explain('customers', '77', 'lapsed');
SELECT * FROM segment.explain('customers', '5', 'lapsed');
SELECT segment.set_eligible('customers', 'consent OR orders > 3');
-- not eligible: the owner sees why
SELECT * FROM segment.explain('customers', '3', 'new');
SELECT * FROM segment.explain('customers', '1', 'new');
CREATE ROLE regress_segment_asker;
GRANT USAGE ON SCHEMA why TO regress_segment_asker;
SET ROLE regress_segment_asker;
SELECT * FROM segment.explain('customers', '1', 'new');
RESET ROLE;
GRANT SELECT ON customers TO regress_segment_asker;
SET ROLE regress_segment_asker;
SELECT * FROM segment.explain('customers', '1', 'new');
SELECT * FROM segment.explain('customers', '3', 'new');
RESET ROLE;
ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
SET ROLE regress_segment_asker;
SELECT * FROM segment.explain('customers', '1', 'new');
RESET ROLE;

-- refused
SELECT * FROM segment.explain('customers', '1', 'nothing');
SELECT * FROM segment.explain('customers', '1', '__segment_eligible');
SELECT * FROM segment.explain('customers', 'x', 'new');
SELECT segment.current('customers', 'x');
SELECT * FROM segment.explain('event', '1', 'new');
SELECT * FROM segment.explain('customers', NULL, 'new');
SELECT * FROM segment.explain('customers', '1', NULL);
SELECT * FROM segment.explain(NULL, '1', 'new');

SET client_min_messages = warning;
SELECT segment.drop_table('customers');
DROP SCHEMA why CASCADE;
DROP ROLE regress_segment_asker;
