-- The preset usage: customers named for what they are, just inside and just outside of every bound.
SET client_min_messages = notice;
CREATE SCHEMA pusage;
SET search_path = pusage;
SET timezone = 'UTC';
SET datestyle = 'ISO';
-- one o'clock in the night of 2 March in Auckland
SET segment.as_of = '2028-03-01 12:00:00+00';
CREATE TABLE event (who text, at timestamptz, what text, item text, value numeric, lim numeric);
CREATE TABLE account (who text PRIMARY KEY, trial_ends timestamptz, plan_limit numeric);
SELECT segment.create_table('users', 'who', 'text', 'Pacific/Auckland');
SELECT segment.add_source('users', 'event', 'who', 'at', 'what', 'value', 'item', '{"lim": "lim"}');
SELECT segment.add_attributes('users', 'account', 'who', '{"trial_ends": "trial_ends", "plan_limit": "plan_limit"}');
CREATE TABLE before AS SELECT segment.definition('users') AS definition;
\getenv inputdir PG_ABS_SRCDIR
\set helpers :inputdir '/preset_helpers.sql'
\set tbl users
\set echo :ECHO
\set ECHO none
\i :helpers
\set ECHO :echo


-- one event in the first half hour of each of the last days, as Auckland has them
CREATE PROCEDURE days(who text, days int)
LANGUAGE sql AS $$
	INSERT INTO pusage.event (who, at, what)
	SELECT $1, (date '2028-03-02' - d + time '00:30') AT TIME ZONE 'Pacific/Auckland', 'login' FROM generate_series(0, $2 - 1) d $$;
CREATE PROCEDURE events(who text, times int, ago interval, what text, item text DEFAULT NULL)
LANGUAGE sql AS $$
	INSERT INTO pusage.event (who, at, what, item)
	SELECT $1, segment.now() - $3, $4, $5 FROM generate_series(1, $2) $$;

-- days of use
CALL days('daily_20', 20); CALL days('daily_19', 19); CALL days('heavy_16', 16); CALL days('medium_15', 15);
CALL days('medium_4', 4); CALL days('light_3', 3);
INSERT INTO event (who, at, what, item) VALUES
	('first_day', '2028-02-03 11:00:00+00', 'login', NULL), ('day_before', '2028-02-03 10:59:59.999999+00', 'login', NULL),
	('same_day', '2028-02-29 23:00:00+00', 'login', NULL), ('same_day', '2028-03-01 01:00:00+00', 'use', 'chart'),
	('two_days', '2028-03-01 10:30:00+00', 'login', NULL), ('two_days', '2028-03-01 11:30:00+00', 'login', NULL),
	('no_use', '2028-03-01 11:30:00+00', 'visit', NULL), ('later', '2028-03-01 12:00:00.000001+00', 'login', NULL);
-- and how widely
CALL days('power', 20); CALL days('power_one', 20); CALL days('power_19', 19); CALL days('narrow_2', 20); CALL days('wide_3', 20);
CALL days('narrow_28', 20); CALL days('wide_27', 20);
INSERT INTO event (who, at, what, item)
SELECT who, segment.now() - interval '1 minute', 'use', unnest(items) FROM (VALUES
	('power', '{chart,api,export}'::text[]), ('power_one', '{api,api,chart,table}'), ('power_19', '{chart,api,export}'),
	('narrow_2', '{chart,table,chart}'), ('narrow_28', '{chart,table}'), ('wide_27', '{chart,table}'), ('wide_3', '{chart,table,map}'),
	('trial_power', '{api,export}'), ('trial_one', '{api,api}'), ('trial_over', '{api,export}'),
	('trial_28', '{api}'), ('trial_27', '{api}'), ('event_trial_over', '{api,export}'), ('event_trial_power', '{api,export}'), ('event_trial_one', '{api,chart}')) f (who, items);
INSERT INTO event (who, at, what, item) VALUES
	('narrow_28', segment.now() - interval '28 days', 'use', 'map'), ('narrow_2', segment.now(), 'visit', 'map'),
	('wide_27', segment.now() - interval '27 days 23:59:59.999999', 'use', 'map'),
	('trial_28', segment.now() - interval '28 days', 'use', 'export'),
	('trial_27', segment.now() - interval '27 days 23:59:59.999999', 'use', 'export');
-- logins of the last 30 days
CALL events('quiet_30', 1, '30 days', 'login'); CALL events('casual_1', 1, '29 days 23:59:59.999999', 'login');
CALL events('casual_4', 4, '3 days', 'login'); CALL events('often_5', 5, '3 days', 'login');
-- less use than before
CALL events('fell_to_5', 10, '40 days', 'use', 'chart'); CALL events('fell_to_5', 5, '0', 'use', 'chart');
CALL events('fell_to_6', 10, '40 days', 'use', 'chart'); CALL events('fell_to_6', 6, '1 day', 'use', 'chart');
CALL events('fell_from_9', 9, '40 days', 'use', 'chart'); CALL events('fell_to_0', 10, '40 days', 'use', 'chart');
CALL events('before_28', 9, '40 days', 'use', 'chart'); CALL events('before_28', 1, '28 days', 'use', 'chart');
CALL events('within_28', 9, '40 days', 'use', 'chart'); CALL events('within_28', 1, '27 days 23:59:59.999999', 'use', 'chart');
CALL events('within_56', 9, '40 days', 'use', 'chart'); CALL events('within_56', 1, '55 days 23:59:59.999999', 'use', 'chart');
CALL events('before_56', 9, '40 days', 'use', 'chart'); CALL events('before_56', 1, '56 days', 'use', 'chart');
-- A and B
CALL events('gap_8_1', 8, '1 day', 'use', 'chart'); CALL events('gap_8_1', 1, '1 day', 'use', 'map');
CALL events('gap_8_2', 8, '1 day', 'use', 'chart'); CALL events('gap_8_2', 2, '1 day', 'use', 'map');
CALL events('gap_8_0', 8, '1 day', 'use', 'chart'); CALL events('gap_7_0', 7, '1 day', 'use', 'chart');
CALL events('gap_a_28', 7, '1 day', 'use', 'chart'); CALL events('gap_a_28', 1, '28 days', 'use', 'chart');
CALL events('gap_b_28', 8, '1 day', 'use', 'chart'); CALL events('gap_b_28', 1, '1 day', 'use', 'map');
CALL events('gap_b_28', 1, '28 days', 'use', 'map');
-- trials
INSERT INTO account (who, trial_ends)
SELECT who, segment.now() + ends FROM (VALUES
	('trial_7d', interval '7 days'), ('trial_8d', '7 days 00:00:00.000001'), ('trial_now', '0'), ('trial_last', '00:00:00.000001'),
	('trial_power', '10 days'), ('trial_one', '10 days'), ('trial_over', '0'), ('trial_28', '10 days'), ('trial_27', '10 days')) t (who, ends);
CALL events('event_7d', 1, '7 days', 'trial'); CALL events('event_8d', 1, '6 days 23:59:59.999999', 'trial');
CALL events('event_over', 1, '14 days', 'trial'); CALL events('event_last', 1, '13 days 23:59:59.999999', 'trial');
CALL events('event_paid', 1, '10 days', 'trial'); CALL events('event_paid', 1, '1 day', 'subscribe');
CALL events('event_with', 1, '10 days', 'trial'); CALL events('event_with', 1, '10 days', 'subscribe');
CALL events('event_again', 1, '12 days', 'subscribe'); CALL events('event_again', 1, '10 days', 'trial');
CALL events('event_trial_power', 1, '1 day', 'trial'); CALL events('event_trial_one', 1, '1 day', 'trial');
CALL events('event_trial_over', 1, '14 days', 'trial');
-- limits
INSERT INTO account (who, plan_limit) VALUES ('near_3', 100), ('near_2', 100), ('near_since', 100), ('near_till', 100), ('unlimited', NULL), ('nothing', 0);
INSERT INTO event (who, at, what, value, lim)
SELECT who, segment.now() - ago, 'reading', unnest(readings), lim FROM (VALUES
	('near_3', interval '1 day', '{96,95,10,95}'::numeric[], 100), ('near_2', '1 day', '{96,95,94.99}', 100),
	('near_since', '29 days 23:59:59.999999', '{95}', 100), ('near_since', '1 day', '{95,95}', 100),
	('near_till', '30 days', '{95}', 100), ('near_till', '1 day', '{95,95}', 100),
	('unlimited', '1 day', '{95,95,95}', NULL), ('nothing', '1 day', '{0,0,0}', 0)) r (who, ago, readings, lim);
-- lists
INSERT INTO event (who, at, what, value)
SELECT who, segment.now() - ago, 'list', size FROM (VALUES
	('grew_21', interval '30 days', 100), ('grew_21', '1 day', 121), ('grew_20', '30 days', 100), ('grew_20', '1 day', 120),
	('grew_new', '2 days', 100), ('grew_new', '1 day', 121), ('list_100', '10 days', 0), ('list_100', '1 day', 100),
	('list_99', '10 days', 0), ('list_99', '1 day', 99),
	('grew_since', '60 days', 200), ('grew_since', '30 days', 100), ('grew_since', '1 day', 121),
	('fell', '60 days', 200), ('fell', '29 days 23:59:59.999999', 100), ('fell', '1 day', 121)) l (who, ago, size);

-- what is not given is told
SELECT segment.add_preset('users', 'usage');
SELECT segment.drop_preset('users', 'usage');
SELECT segment.add_preset('users', 'usage', '{"advanced": ["api", "export"], "feature_a": "chart", "feature_b": "map",
	"trial_ends": "trial_ends", "meter": "reading", "plan_limit": "plan_limit", "list_size": "list"}');
SELECT segment.add_preset('users', 'usage', '{"prefix": "event_", "only": ["trial_expiring", "potential_power_user", "near_plan_limit"],
	"advanced": ["api", "export"], "trial": "trial", "subscribe": "subscribe", "meter": "reading", "limit_column": "lim"}');
CALL segment.refresh('users');

SELECT who, usage_days, usage_tier FROM users
WHERE who IN ('daily_20', 'heavy_16', 'medium_15', 'medium_4', 'light_3', 'first_day', 'day_before', 'same_day', 'two_days', 'no_use', 'later', 'trial_7d')
ORDER BY usage_days DESC, who COLLATE "C";
SELECT * FROM members('power_user', 'narrow_daily_user', 'casual_user', 'inactive_at_risk', 'declining_usage', 'feature_gap',
					  'trial_expiring', 'potential_power_user', 'near_plan_limit', 'fast_list_growth',
					  'event_trial_expiring', 'event_potential_power_user', 'event_near_plan_limit');

-- exact at every instant: no expression is left to max_age, and time alone moves those on the bounds
SELECT * FROM inexact();
SET client_min_messages = warning;
CALL look('2028-03-01 12:00:00.000001+00');
SELECT * FROM changes() WHERE segment NOT IN ('usage_band', 'usage_level');
-- midnight in Auckland
CALL look('2028-03-02 10:59:59.999999+00');
CALL look('2028-03-02 11:00:00+00');
SELECT * FROM changes() WHERE segment NOT IN ('usage_band', 'usage_level');
CALL look('2028-03-15 00:00:00+00');
CALL look('2028-06-01 00:00:00+00');
SELECT segment, label, count(*) FROM users_history WHERE left_at IS NULL GROUP BY 1, 2 ORDER BY segment COLLATE "C", label COLLATE "C";

SELECT segment.drop_preset('users', 'usage'), segment.drop_preset('users', 'usage', 'event_');
SELECT definition IS NOT DISTINCT FROM segment.definition('users') AS as_before FROM before;
SELECT attname FROM pg_attribute WHERE attrelid = 'users'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum;

-- other bounds, of an earlier instant
SET segment.as_of = '2028-03-01 12:00:00+00';
SELECT segment.add_preset('users', 'usage', '{"advanced": {"rule": "item LIKE ''ap%''"}, "advanced_at_least": 1, "daily_days": 19,
	"heavy_days": 20, "medium_days": 15, "narrow_features": 3, "casual_from": 2, "casual_to": 5, "inactive_after": "29 days",
	"declining_from": 9, "declining_to": 0.6, "feature_a": "chart", "feature_b": "map", "often": 7, "rarely": 2,
	"trial_ends": "trial_ends", "trial_warning": "10 days", "meter": "reading", "plan_limit": "plan_limit", "near_share": 0.9499,
	"near_times": 3, "list_size": "list", "growth_above": 0.19, "list_at_least": 99}');
CALL segment.refresh('users');
SELECT usage_tier, string_agg(who, ' ' ORDER BY who COLLATE "C") FROM users WHERE usage_days > 2 GROUP BY 1 ORDER BY 1;
SELECT * FROM members('power_user', 'narrow_daily_user', 'casual_user', 'inactive_at_risk', 'declining_usage', 'feature_gap',
					  'trial_expiring', 'potential_power_user', 'near_plan_limit', 'fast_list_growth');
SELECT count(*) FROM segment.verify('users');
SELECT segment.drop_table('users');

-- super, average, light: ten users of one to ten uses, one of none and one of whom nothing is known
DELETE FROM event;
INSERT INTO event (who, at, what, item) SELECT format('uses_%s', to_char(n, 'FM00')), segment.now(), 'use', 'chart'
FROM generate_series(1, 10) n, generate_series(1, n);
INSERT INTO event (who, at, what) VALUES ('visits', segment.now(), 'visit'), ('long_ago', segment.now() - interval '28 days', 'use');
SELECT segment.create_table('users', 'who', 'text');
SELECT segment.add_source('users', 'event', 'who', 'at', 'what', 'value', 'item');
SELECT segment.add_preset('users', 'usage', '{"only": ["usage_level"], "login": null}');
SELECT segment.add_preset('users', 'usage', '{"only": ["usage_level"], "login": null, "prefix": "other_", "super_band": 9, "average_band": 4}');
CALL segment.refresh('users');
SELECT usage_level, string_agg(who, ' ' ORDER BY who COLLATE "C") FROM users GROUP BY 1 ORDER BY 1;
SELECT other_usage_level, string_agg(who, ' ' ORDER BY who COLLATE "C") FROM users GROUP BY 1 ORDER BY 1;
SELECT count(*) FROM segment.verify('users');
SELECT segment.drop_table('users');
-- many users, beside plain SQL
DELETE FROM event;
DELETE FROM account;
INSERT INTO event
SELECT 'user ' || n % 80, timestamptz '2028-03-05 00:00+00' - (n * n % 9973) * interval '5 minutes' * (1 + n % 80 % 3),
	   CASE WHEN n % 80 < 40 OR n % 7 > 2 THEN (ARRAY['use', 'use', 'login', 'reading', 'list'])[1 + n * n % 13 % 5] ELSE 'visit' END,
	   (ARRAY['chart', 'map', 'api', 'export', 'table'])[1 + n / 80 % (1 + n % 80 % 5)], n % 11 + 90 + n % 80 % 5, 100
FROM generate_series(1, 8000) n;
INSERT INTO account SELECT 'user ' || n, timestamptz '2028-03-01 00:00+00' + n * interval '5 hours', 100 FROM generate_series(0, 85) n;
SELECT segment.create_table('users', 'who', 'text', 'Pacific/Auckland');
SELECT segment.add_source('users', 'event', 'who', 'at', 'what', 'value', 'item', '{"lim": "lim"}');
SELECT segment.add_attributes('users', 'account', 'who', '{"trial_ends": "trial_ends", "plan_limit": "plan_limit"}');
SELECT segment.add_preset('users', 'usage', '{"advanced": ["api", "export"], "feature_a": "chart", "feature_b": "map",
	"trial_ends": "trial_ends", "meter": "reading", "plan_limit": "plan_limit", "list_size": "list", "growth_above": 0.05,
	"list_at_least": 95, "declining_to": 0.8}');
CREATE FUNCTION expected(t timestamptz) RETURNS TABLE (who text, tier text, segments bool[])
LANGUAGE sql SET timezone = 'Pacific/Auckland' AS $$
	WITH stream AS (
		SELECT e.*, (at AT TIME ZONE 'Pacific/Auckland')::date > (t AT TIME ZONE 'Pacific/Auckland')::date - 28 AS recent_day,
			   at > t - interval '28 days' AS recent, at > t - interval '30 days' AS month
		FROM pusage.event e WHERE at <= t
	), list AS (
		SELECT DISTINCT ON (who) who, value AS now FROM stream WHERE what = 'list' ORDER BY who, at DESC, value DESC
	), list_then AS (
		SELECT DISTINCT ON (who) who, value AS then FROM stream WHERE what = 'list'
		ORDER BY who, month, CASE WHEN NOT month THEN at END DESC, at, CASE WHEN NOT month THEN value END DESC, value
	), facts AS (
		SELECT who, count(DISTINCT (at AT TIME ZONE 'Pacific/Auckland')::date) FILTER (WHERE what IN ('use', 'login') AND recent_day) AS days,
			   count(*) FILTER (WHERE what IN ('use', 'login') AND recent) AS events,
			   count(*) FILTER (WHERE what IN ('use', 'login') AND NOT recent AND at > t - interval '56 days') AS before,
			   count(DISTINCT item) FILTER (WHERE what = 'use' AND recent) AS features,
			   count(DISTINCT item) FILTER (WHERE what = 'use' AND recent AND item IN ('api', 'export')) AS advanced,
			   count(*) FILTER (WHERE what = 'use' AND recent AND item = 'chart') AS a,
			   count(*) FILTER (WHERE what = 'use' AND recent AND item = 'map') AS b,
			   count(*) FILTER (WHERE what = 'login' AND month) AS logins,
			   bool_or(what = 'login') AS known,
			   count(*) FILTER (WHERE what = 'reading' AND month AND value >= 95) AS near
		FROM stream GROUP BY who
	)
	SELECT who, CASE WHEN days >= 16 THEN 'heavy' WHEN days >= 4 THEN 'medium' WHEN days > 0 THEN 'light' END,
		   ARRAY[days >= 20 AND advanced >= 2, logins BETWEEN 1 AND 4, known AND logins = 0, before >= 10 AND events <= 0.8 * before,
				 days >= 20 AND features IN (1, 2), a >= 8 AND b <= 1, trial_ends > t AND trial_ends <= t + interval '7 days',
				 trial_ends > t AND advanced >= 2, near >= 3, now >= 95 AND now > 1.05 * "then"]
	FROM pusage.account LEFT JOIN facts USING (who) LEFT JOIN list USING (who) LEFT JOIN list_then USING (who) $$;
CREATE PROCEDURE compare(t timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
	r record;
BEGIN
	CALL pusage.look(t);
	FOR r IN
		SELECT count(*), count(*) FILTER (WHERE tier IS DISTINCT FROM usage_tier) AS wrong_tiers,
			   count(*) FILTER (WHERE i.is <> array_replace(segments, NULL, false)) AS wrong_segments,
			   string_agg(DISTINCT coalesce(tier, '-') COLLATE "C", ' ' ORDER BY coalesce(tier, '-') COLLATE "C") AS tiers,
			   (SELECT string_agg(members::text, ' ' ORDER BY n) FROM (
					SELECT n, count(*) FILTER (WHERE b) AS members FROM pusage.expected(t), unnest(segments) WITH ORDINALITY u (b, n) GROUP BY n) s) AS sizes
		FROM pusage.expected(t) FULL JOIN pusage.users u USING (who), LATERAL (
			SELECT ARRAY[power_user, casual_user, inactive_at_risk, declining_usage, narrow_daily_user, feature_gap, trial_expiring,
						 potential_power_user, near_plan_limit, fast_list_growth]) i ("is")
	LOOP
		RAISE WARNING '%: %', t, r;
	END LOOP;
END $$;
CALL compare('2028-02-10 00:00:00+00');
CALL compare('2028-03-01 12:00:00+00');
CALL compare('2028-03-04 23:00:00+00');
-- Auckland's summer time has ended ten hours ago
CALL compare('2028-04-02 00:00:00+00');
SELECT segment.drop_table('users');
\set VERBOSITY terse
SET client_min_messages = warning;
DROP SCHEMA pusage CASCADE;
