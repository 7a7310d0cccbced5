-- What became of those who entered a segment.
SET client_min_messages = warning;
CREATE SCHEMA "Out ""come";
SET search_path = "Out ""come";
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET extra_float_digits = 0;
CREATE TABLE event (customer int, at timestamptz, kind text, amount numeric, item text);
CREATE INDEX ON event (customer);
SELECT segment.create_table('"Tab"', 'The "key"', 'int', 'Europe/Berlin');
SELECT * FROM segment.outcome('"Tab"', 'in', 'buy', '7 days', '2024-01-02');
SELECT segment.add_source('"Tab"', 'event', key => 'customer', at => 'at', event => 'kind', value => 'amount / CASE WHEN item = ''secret'' THEN 0 ELSE 1 END', item => 'item');
SELECT segment.add_score('"Tab"', 'joined', 'max(at) FILTER (WHERE event = ''join'')');
SELECT segment.add_score('"Tab"', 'parted', 'max(at) FILTER (WHERE event = ''leave'')');
SELECT segment.add_score('"Tab"', 'it''s', 'last(item, at) FILTER (WHERE event = ''join'')');
SELECT segment.add_segment('"Tab"', 'in', 'joined > coalesce(parted, ''-infinity'')');
SELECT segment.add_segment('"Tab"', 'lo''st', 'parted > joined');
SELECT segment.add_group('"Tab"', 'Ti"er', 'go''ld', '"it''s" = ''gold''', 'iron', '"it''s" = ''iron''', 'never', 'false');
SELECT segment.add_group('"Tab"', 'mailing', 'holdout', '"The ""key""" % 2 = 0', 'mail', 'true');

CREATE PROCEDURE day(since date, until date) LANGUAGE plpgsql AS $$
BEGIN
	FOR d IN 0 .. until - since LOOP
		PERFORM set_config('segment.as_of', (since + d + time '12:00')::text || '+00', false);
		CALL segment.refresh('"Out ""come"."Tab"');
	END LOOP;
END $$;

-- All but 8, who was there already, and 7, who is late, enter on 2 January at noon.
CALL day('2024-01-01', '2024-01-01');
INSERT INTO event VALUES
	(1, '2024-01-02 10:00+00', 'join', NULL, 'gold'), (1, '2024-01-03 10:00+00', 'buy', 10.50, NULL),
	(2, '2024-01-02 10:00+00', 'join', NULL, 'gold'),
	-- at the instant of entering: no; at the last one of seven days: yes
	(3, '2024-01-02 10:00+00', 'join', NULL, 'iron'), (3, '2024-01-02 12:00+00', 'buy', 7, NULL), (3, '2024-01-09 12:00+00', 'buy', 1, NULL),
	-- one moment late
	(4, '2024-01-02 10:00+00', 'join', NULL, 'iron'), (4, '2024-01-09 12:00:00.000001+00', 'buy', 100, NULL),
	-- leaves, comes again, buys in the second week: the first time counts
	(5, '2024-01-02 10:00+00', 'join', NULL, 'gold'), (5, '2024-01-04 10:00+00', 'leave', NULL, NULL), (5, '2024-01-06 10:00+00', 'join', NULL, 'gold'), (5, '2024-01-12 10:00+00', 'buy', 100, NULL),
	-- twice, once without a value
	(6, '2024-01-02 10:00+00', 'join', NULL, 'iron'), (6, '2024-01-03 10:00+00', 'buy', 5, NULL), (6, '2024-01-04 10:00+00', 'buy', NULL, NULL),
	-- not seven days ago when it is asked
	(7, '2024-01-28 10:00+00', 'join', NULL, 'iron'), (7, '2024-01-28 13:00+00', 'buy', 100, NULL),
	(8, '2023-12-20 10:00+00', 'join', NULL, 'gold'), (8, '2024-01-03 10:00+00', 'buy', 20, NULL),
	-- leaves and stays away; does something else, so is no silent one
	(9, '2024-01-02 10:00+00', 'join', NULL, 'gold'), (9, '2024-01-05 10:00+00', 'leave', NULL, NULL),
	-- is erased
	(10, '2024-01-02 10:00+00', 'join', NULL, 'gold'), (10, '2024-01-03 10:00+00', 'buy', 1000, NULL),
	-- moves from one label to the other: enters both
	(11, '2024-01-02 10:00+00', 'join', NULL, 'iron'), (11, '2024-01-05 10:00+00', 'join', NULL, 'gold'), (11, '2024-01-06 10:00+00', 'buy', 3, NULL),
	(NULL, '2024-01-03 10:00+00', 'buy', 1000, NULL), (1, NULL, 'buy', 1000, NULL);
SET segment.as_of = '2024-01-01 12:00+00';
CALL segment.rebuild('"Tab"');
CALL day('2024-01-02', '2024-01-31');
SELECT * FROM "Tab_history" WHERE segment = 'in' ORDER BY 1, entered_at;
SELECT erased.rows FROM segment.erase('"Tab"', '10') erased;

\pset expanded on
SELECT * FROM segment.outcome('"Tab"', 'in', 'buy', '7 days', '2024-01-02');
\pset expanded off
-- for each arm of an experiment, and of a group
SELECT arm, entered, pending, observed, converted, rate, lift, round(lift_low::numeric, 4) AS low, round(lift_high::numeric, 4) AS high, relative_lift, events, value, value_per_member AS per, value_lift, departed, churned
FROM segment.outcome('"Tab"', 'in', 'buy', '7 days', '2024-01-02', arms => 'mailing');
SELECT arm, entered, pending, observed, converted, lift, churned FROM segment.outcome('"Tab"', 'in', 'buy', '7 days', '2024-01-02', arms => 'mailing', control => 'mail');
SELECT arm, entered, observed, converted, rate_low, lift FROM segment.outcome('"Tab"', 'in', 'buy', '7 days', '2024-01-02', experiment => 'spring', weights => '{"control": 1, "mail": 2, "nob''ody": 0.000001}');
SELECT arm, count(*) FROM (SELECT DISTINCT "The ""key""", segment.arm("The ""key""", 'spring', '{"control": 1, "mail": 2, "nob''ody": 0.000001}') AS arm FROM "Tab_history" WHERE segment = 'in' AND entered_at >= '2024-01-02') c GROUP BY 1;
-- of a group: for each label, also one that nobody ever had
SELECT label, arm, entered, observed, converted, value FROM segment.outcome('"Tab"', 'Ti"er', 'buy', '7 days', '2024-01-02', arms => 'mailing');
-- churned: those without any event, or those who are in a segment when the time is up
SELECT observed, departed, churned, churn_rate, round(churn_low::numeric, 4) AS low, round(churn_high::numeric, 4) AS high FROM segment.outcome('"Tab"', 'in', 'buy', '7 days', '2024-01-02');
SELECT observed, departed, churned, churn_rate, round(churn_low::numeric, 4) AS low, round(churn_high::numeric, 4) AS high FROM segment.outcome('"Tab"', 'in', 'buy', '7 days', '2024-01-02', churn => 'lo''st', level => 0.8);
-- two days after entering, 5 was lost; after three days 9, too; on the fourth 5 is back
SELECT n, churned FROM unnest('{1,2,3,4}'::int[]) n, segment.outcome('"Tab"', 'in', 'buy', n * interval '1 day', '2024-01-02', churn => 'lo''st');
-- from when, until when: the one instant counts, the other does not; who is in at "since" can be counted from there
SELECT v.*, entered, pending, converted FROM (VALUES ('2024-01-02 12:00+00'::timestamptz, NULL::timestamptz), ('2024-01-02 12:00:00.000001+00', NULL), ('2024-01-01 12:00+00', NULL), ('-infinity', NULL), ('2024-01-02', '2024-01-02 12:00+00'), ('2024-01-02', '2024-01-02 12:00:00.000001+00'), ('2024-01-02', 'infinity'), ('2024-01-02', '2024-01-02'), ('infinity', NULL)) v(since, until),
	segment.outcome('"Tab"', 'in', 'buy', '7 days', since, until);
SELECT since, entered, converted, value FROM unnest('{2024-01-02 00:00+00,2024-01-03 11:00+00,2024-01-05 00:00+00,-infinity}'::timestamptz[]) since, segment.outcome('"Tab"', 'in', 'buy', '7 days', since, already_in => true);
-- as it was to be seen before: nobody is observed, then some
SELECT as_of, o.* FROM unnest('{2024-01-02 11:00+00,2024-01-02 12:00+00,2024-01-09 11:59+00,2024-01-09 12:00+00}'::timestamptz[]) as_of,
	LATERAL (SELECT set_config('segment.as_of', as_of::text, false)) s, LATERAL (SELECT entered, pending, observed, converted FROM segment.outcome('"Tab"', 'in', 'buy', '7 days', CASE WHEN s IS NOT NULL THEN '2024-01-02'::timestamptz END)) o;
SET segment.as_of = '2024-01-31 12:00+00';
-- days are those of Berlin, where 26 March had 23 hours
INSERT INTO "Tab_history" VALUES (77, 'dst', NULL, '2023-03-25 12:00+00', NULL);
INSERT INTO event VALUES (77, '2023-03-26 11:00+00', 'buy', 1, NULL), (77, '2023-03-26 11:00:01+00', 'buy', 1, NULL), (77, '2023-03-26 12:00+00', 'buy', 1, NULL);
SET timezone = 'Asia/Tokyo';
SELECT within, events FROM unnest('{1 day,24 hours}'::interval[]) within, segment.outcome('"Tab"', 'dst', 'buy', within, '2023-01-01');
SET timezone = 'UTC';
DELETE FROM "Tab_history" WHERE segment = 'dst';

-- Random ones beside plain SQL.
CREATE FUNCTION pick(i int, what text, n int) RETURNS int LANGUAGE sql AS $$ SELECT ('x' || left(md5(i || what), 7))::bit(28)::int % n $$;
INSERT INTO event SELECT 100 + pick(i, 'who', 300), timestamptz '2024-02-01 00:00+00' + pick(i, 'when', 30 * 24 * 60) * interval '1 minute', (ARRAY['join', 'leave', 'buy', 'buy', 'look'])[1 + pick(i, 'what', 5)],
	CASE WHEN pick(i, 'worth', 10) > 0 THEN pick(i, 'value', 10000) / 100.0 END, (ARRAY['gold', 'iron', 'none'])[1 + pick(i, 'label', 3)] FROM generate_series(1, 1500) i;
CALL day('2024-02-01', '2024-03-05');
CREATE FUNCTION plain(name text, what text, within interval, since timestamptz, until timestamptz, churn text)
RETURNS TABLE (label text, arm text, entered bigint, pending bigint, observed bigint, converted bigint, rate float8, rate_low float8, rate_high float8, events numeric, value float8, per float8, departed bigint, churned bigint)
LANGUAGE sql SET timezone = 'Europe/Berlin' AS $$
	WITH entry AS (SELECT "The ""key""" AS k, label, min(entered_at) AS t FROM "Tab_history" WHERE segment = name AND entered_at >= since AND (until IS NULL OR entered_at < until) GROUP BY 1, 2),
	judged AS (SELECT e.*, t + within <= segment.now() AS ok, (SELECT label FROM "Tab_history" h WHERE h."The ""key""" = k AND segment = 'mailing' AND entered_at <= t AND coalesce(left_at, 'infinity') > t) AS arm,
		(SELECT count(*) FROM event v WHERE v.customer = k AND v.kind = what AND v.at > t AND v.at <= t + within) AS n,
		(SELECT coalesce(sum(amount), 0) FROM event v WHERE v.customer = k AND v.kind = what AND v.at > t AND v.at <= t + within) AS money,
		EXISTS (SELECT FROM event v WHERE v.customer = k AND v.at > t AND v.at <= t + within) AS alive,
		EXISTS (SELECT FROM "Tab_history" h WHERE h."The ""key""" = k AND h.segment = name AND h.label IS NOT DISTINCT FROM e.label AND h.entered_at = t AND h.left_at <= t + within) AS gone,
		EXISTS (SELECT FROM "Tab_history" h WHERE h."The ""key""" = k AND segment = churn AND entered_at <= t + within AND coalesce(left_at, 'infinity') > t + within) AS lost FROM entry e),
	c AS (SELECT label, arm, count(*) AS entered, count(*) FILTER (WHERE NOT ok) AS pending, count(*) FILTER (WHERE ok) AS n, count(*) FILTER (WHERE ok AND n > 0) AS x, sum(n) FILTER (WHERE ok) AS events,
		sum(money) FILTER (WHERE ok) AS value, avg(money) FILTER (WHERE ok) AS per, count(*) FILTER (WHERE ok AND gone) AS departed,
		count(*) FILTER (WHERE ok AND CASE WHEN churn IS NULL THEN NOT alive ELSE judged.lost END) AS churned FROM judged GROUP BY 1, 2)
	SELECT label, arm, entered, pending, n, x, x::float8 / nullif(n, 0), (x + 1.92072941034706) / nullif(n + 3.84145882069412, 0) - r, (x + 1.92072941034706) / (n + 3.84145882069412) + r, events, value, per, departed, churned
	FROM c, LATERAL (SELECT 1.95996398454005 / (n + 3.84145882069412) * sqrt(x * (n - x)::float8 / nullif(n, 0) + 0.960364705173515) AS r) w
$$;
CREATE FUNCTION beside(name text, what text, within interval, since timestamptz, until timestamptz, lost text) RETURNS TABLE (lines bigint, entered numeric, pending numeric, converted numeric, wrong bigint) LANGUAGE sql AS $$
	SELECT count(*), sum(o.entered), sum(o.pending), sum(o.converted), count(*) FILTER (WHERE CASE WHEN p.entered IS NULL THEN o.entered <> 0 OR o.rate IS NOT NULL ELSE
		(o.entered, o.pending, o.observed, o.converted, o.events, o.departed, o.churned) IS DISTINCT FROM (p.entered, p.pending, p.observed, p.converted, coalesce(p.events, 0)::bigint, p.departed, p.churned)
		OR (round(o.rate::numeric, 9), round(o.rate_low::numeric, 9), round(o.rate_high::numeric, 9), round(o.value::numeric, 6), round(o.value_per_member::numeric, 6))
			IS DISTINCT FROM (round(p.rate::numeric, 9), round(p.rate_low::numeric, 9), round(p.rate_high::numeric, 9), round(p.value::numeric, 6), round(p.per::numeric, 6)) END)
	FROM segment.outcome('"Tab"', name, what, within, since, until, arms => 'mailing', churn => lost) o
	FULL JOIN plain(name, what, within, since, until, lost) p ON coalesce(o.label, '-') = coalesce(p.label, '-') AND coalesce(o.arm, '-') = coalesce(p.arm, '-')
$$;
SELECT name, what, within, b.* FROM (VALUES ('in', 'buy', '7 days'), ('Ti"er', 'buy', '3 days 5 hours'), ('in', 'look', '2 weeks'), ('lo''st', 'join', '14 days'), ('mailing', 'no such', '1 day'), ('in', 'buy', '40 years')) v(name, what, within),
	beside(name, what, within::interval, '2024-02-01', NULL, NULL) b;
SELECT name, within, lost, b.* FROM (VALUES ('in', '12 days', 'lo''st'), ('Ti"er', '10 days', 'in')) v(name, within, lost), beside(name, 'buy', within::interval, '2024-02-05', '2024-02-20 12:00+00', lost) b;
-- of each arm on its own, the differences are those of the functions that make intervals
SELECT count(*), count(*) FILTER (WHERE (o.lift, o.lift_low, o.lift_high) IS DISTINCT FROM (o.rate - c.rate, r.low, r.high) OR round((o.value_lift - (o.value_per_member - c.value_per_member))::numeric, 9) <> 0
	OR abs(o.relative_lift - (o.rate / c.rate - 1)) > 1e-12 OR NOT o.value_lift BETWEEN o.value_lift_low AND o.value_lift_high OR NOT o.value_per_member BETWEEN o.value_low AND o.value_high) AS wrong
FROM segment.outcome('"Tab"', 'Ti"er', 'buy', '7 days', '2024-02-01', arms => 'mailing') o
JOIN segment.outcome('"Tab"', 'Ti"er', 'buy', '7 days', '2024-02-01', arms => 'mailing') c ON c.arm = 'holdout' AND c.label = o.label, segment.rate_difference_interval(o.converted, o.observed, c.converted, c.observed) r
WHERE o.arm = 'mail' AND o.observed > 0;
-- nothing of what an arm says depends on the others
SELECT sum(entered) = max(all_entered) AS same, sum(converted) = max(all_converted) AS converted, round(sum(value)::numeric, 2) = max(all_value) AS value
FROM segment.outcome('"Tab"', 'in', 'buy', '7 days', '2024-02-01', experiment => 'e', weights => '{"a": 1, "b": 1, "c": 5}'),
	LATERAL (SELECT entered AS all_entered, converted AS all_converted, round(value::numeric, 2) AS all_value FROM segment.outcome('"Tab"', 'in', 'buy', '7 days', '2024-02-01')) o;

-- a segment that was dropped is in the history; a group that came later has no arm for whoever entered before
SELECT segment.drop_segment('"Tab"', 'lo''st');
SELECT entered > 0 AS entered FROM segment.outcome('"Tab"', 'lo''st', 'join', '14 days', '2024-02-01');
SELECT segment.add_group('"Tab"', 'late', 'a', '"The ""key""" % 3 = 0', 'b', 'true');
SELECT arm, entered FROM segment.outcome('"Tab"', 'in', 'buy', '7 days', '2024-01-02', '2024-01-03', arms => 'late');
CALL segment.refresh('"Tab"');
SELECT arm, entered FROM segment.outcome('"Tab"', 'in', 'buy', '7 days', '2024-01-02', '2024-01-03', arms => 'late');

-- who is in no arm is no control; a sum that float8 can not hold is infinite; of an event that nobody had, one is told
SELECT segment.add_group('"Tab"', 'few', 'a', '"The ""key""" % 3 = 0', 'b', '"The ""key""" % 3 = 1');
CALL segment.refresh('"Tab"');
SET segment.as_of = '2024-03-20 12:00+00';
SELECT arm, observed > 10 AS many, converted > 0 AS some, lift, value_lift FROM segment.outcome('"Tab"', 'in', 'look', '14 days', '2024-03-05 12:00:01', arms => 'few', already_in => true);
SET segment.as_of = '2024-03-05 12:00+00';
INSERT INTO event VALUES (1, '2024-01-03 11:00+00', 'large', 1e308, NULL), (2, '2024-01-03 11:00+00', 'large', 1e308, NULL), (1, '2024-01-04 11:00+00', 'large', 1e308, NULL),
	(1, '2024-01-03 11:00+00', 'small', -1e400, NULL), (1, '2024-01-03 11:00+00', 'odd', 'NaN', NULL), (1, '2024-01-03 11:00+00', 'fair', 1e130, NULL), (2, '2024-01-03 11:00+00', 'fair', -1e130, NULL);
SELECT event, events, value, value_per_member, value_low, value_high FROM unnest('{large,small,odd,fair}'::text[]) event, segment.outcome('"Tab"', 'in', event, '7 days', '2024-01-02', '2024-01-03');
SET client_min_messages = notice;
SELECT arm, entered, converted FROM segment.outcome('"Tab"', 'in', 'Buy', '7 days', '2024-01-02', '2024-01-03', arms => 'mailing');
-- it happened, but to nobody of these
SELECT entered, converted FROM segment.outcome('"Tab"', 'in', 'look', '1 second', '2024-01-02', '2024-01-03');
SELECT (segment.outcome('"Tab"', 'in', 'buy it', '7 days', '2024-01-02', '2024-01-03')).converted;
SET client_min_messages = warning;
DELETE FROM event WHERE kind IN ('large', 'small', 'odd', 'fair');

-- refused
SELECT segment.outcome(NULL, 'in', 'buy', '7 days', '2024-01-02');
SELECT segment.outcome('"Tab"', NULL, 'buy', '7 days', '2024-01-02');
SELECT segment.outcome('"Tab"', 'in', NULL, '7 days', '2024-01-02');
SELECT segment.outcome('"Tab"', 'in', 'buy', NULL, '2024-01-02');
SELECT segment.outcome('"Tab"', 'in', 'buy', '7 days', NULL);
SELECT segment.outcome('"Tab"', 'in', 'buy', '7 days', '2024-01-02', level => NULL);
SELECT segment.outcome('"Tab"', 'in', 'buy', '7 days', '2024-01-02', level => 95);
SELECT segment.outcome('"Tab"', 'in', 'buy', '0', '2024-01-02');
SELECT segment.outcome('"Tab"', 'in', 'buy', '-1 day', '2024-01-02');
SELECT segment.outcome('"Tab"', 'in', 'buy', '300000 years', '2024-01-02', already_in => true);
SELECT segment.outcome('"Tab"', 'in', 'buy', '7 days', '2024-01-02', '2024-01-01');
SELECT segment.outcome('event', 'in', 'buy', '7 days', '2024-01-02');
SELECT segment.outcome('"Tab"', 'inn', 'buy', '7 days', '2024-01-02');
SELECT segment.outcome('"Tab"', 'joined', 'buy', '7 days', '2024-01-02');
SELECT segment.outcome('"Tab"', 'in', 'buy', '7 days', '2024-01-02', experiment => 'spring');
SELECT segment.outcome('"Tab"', 'in', 'buy', '7 days', '2024-01-02', weights => '{"a": 1}');
SELECT segment.outcome('"Tab"', 'in', 'buy', '7 days', '2024-01-02', experiment => 'spring', weights => '{"a": 0}');
SELECT segment.outcome('"Tab"', 'in', 'buy', '7 days', '2024-01-02', experiment => 'spring', weights => '{"a": 1}', arms => 'mailing');
SELECT segment.outcome('"Tab"', 'in', 'buy', '7 days', '2024-01-02', arms => 'in');
SELECT segment.outcome('"Tab"', 'in', 'buy', '7 days', '2024-01-02', arms => 'mailing', control => 'none');
SELECT segment.outcome('"Tab"', 'in', 'buy', '7 days', '2024-01-02', control => 'holdout');
SELECT segment.outcome('"Tab"', 'in', 'buy', '7 days', '2024-01-02', churn => 'mailing');

-- whoever may read the history and the stream may ask; errors tell others nothing of the events
CREATE ROLE regress_segment_analyst;
GRANT USAGE ON SCHEMA "Out ""come" TO regress_segment_analyst;
GRANT SELECT ON "Tab", "Tab_history" TO regress_segment_analyst;
SET ROLE regress_segment_analyst;
SELECT entered FROM segment.outcome('"Tab"', 'in', 'buy', '7 days', '2024-01-02');
RESET ROLE;
GRANT SELECT ON "Tab_events" TO regress_segment_analyst;
REVOKE SELECT ON "Tab_history" FROM regress_segment_analyst;
SET ROLE regress_segment_analyst;
SELECT entered FROM segment.outcome('"Tab"', 'in', 'buy', '7 days', '2024-01-02');
RESET ROLE;
GRANT SELECT ON "Tab_history" TO regress_segment_analyst;
SET ROLE regress_segment_analyst;
SELECT entered FROM segment.outcome('"Tab"', 'in', 'buy', '7 days', '2024-01-02', '2024-02-01');
RESET ROLE;
INSERT INTO event VALUES (1, '2024-01-03 10:00+00', 'buy', 7, 'secret');
SELECT entered FROM segment.outcome('"Tab"', 'in', 'buy', '7 days', '2024-01-02', '2024-02-01');
SET ROLE regress_segment_analyst;
SELECT entered FROM segment.outcome('"Tab"', 'in', 'buy', '7 days', '2024-01-02', '2024-02-01');
RESET ROLE;
ALTER TABLE "Tab_history" ENABLE ROW LEVEL SECURITY;
SET ROLE regress_segment_analyst;
SELECT entered FROM segment.outcome('"Tab"', 'in', 'buy', '7 days', '2024-01-02');
RESET ROLE;
SELECT segment.drop_table('"Tab"');

-- values that are no numbers, and keys that an experiment takes or not
CREATE TABLE other (id uuid, day date, at timestamptz, span interval);
INSERT INTO other VALUES ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '2024-01-01', '2024-01-01', '1 hour'), ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '2024-01-01', '2024-01-02 00:00+00', '2 hours');
SET segment.as_of = '2024-01-01 12:00+00';
SELECT segment.create_table('ids', 'id', 'uuid');
SELECT segment.add_source('ids', 'other', key => 'id', at => 'at', value => 'span');
SELECT segment.add_segment('ids', 'all', 'true');
SELECT segment.create_table('days', 'day', 'date');
SELECT segment.add_source('days', 'other', key => 'day', at => 'at', event => '''there''');
SELECT segment.add_segment('days', 'all', 'true');
CALL segment.refresh('ids');
CALL segment.refresh('days');
SET segment.as_of = '2024-01-03 00:00+00';
SELECT arm, observed, converted, events, value, value_per_member, value_low FROM segment.outcome('ids', 'all', 'other', '1 day', '2024-01-01', experiment => 'e', weights => '{"a": 1}');
SELECT arm, observed, converted, events, value, value_per_member, value_low FROM segment.outcome('days', 'all', 'there', '1 day', '2024-01-01');
SELECT segment.outcome('days', 'all', 'there', '1 day', '2024-01-01', experiment => 'e', weights => '{"a": 1}');
SELECT segment.drop_table('ids'), segment.drop_table('days');
DROP SCHEMA "Out ""come" CASCADE;
DROP ROLE regress_segment_analyst;
