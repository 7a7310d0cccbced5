-- The preset engagement: people named for what they are, just inside and just outside of every bound.
SET client_min_messages = notice;
CREATE SCHEMA pengagement;
SET search_path = pengagement;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET segment.as_of = '2028-03-01 12:00:00+00';
CREATE TABLE event (who text, at timestamptz, what text, item text);
SELECT segment.create_table('people', 'who', 'text', 'Pacific/Auckland');
SELECT segment.add_source('people', 'event', 'who', 'at', 'what', item => 'item');
CREATE TABLE before AS SELECT segment.definition('people') AS definition;
\getenv inputdir PG_ABS_SRCDIR
\set helpers :inputdir '/preset_helpers.sql'
\set tbl people
\set echo :ECHO
\set ECHO none
\i :helpers
\set ECHO :echo

CREATE PROCEDURE events(who text, what text, ago interval, VARIADIC items text[] DEFAULT '{NULL}')
LANGUAGE sql AS $$
	INSERT INTO pengagement.event SELECT $1, segment.now() - $3, $2, i FROM unnest($4) i $$;

-- points: 1 a view, 2 a click or what is watched or heard, 3 what is done in social media
INSERT INTO event (who, at, what)
SELECT who, segment.now(), unnest(what) FROM (VALUES
	('high_20', array_fill('share'::text, '{6}') || '{click}'), ('average_19', array_fill('share'::text, '{6}') || '{view}'),
	('average_5', '{like,click}'::text[]), ('occasional_4', '{listen,click}'), ('occasional_1', '{view}'), ('none', '{visit}')) e (who, what);
CALL events('view_30', 'view', '30 days'); CALL events('view_29', 'view', '29 days 23:59:59.999999');
-- new, and keen
CALL events('new_3', 'signup', '29 days 23:59:59.999999'); CALL events('new_3', 'email_open', '1 day', 'a', 'b', 'c');
CALL events('old_3', 'signup', '30 days'); CALL events('old_3', 'email_open', '1 day', 'a', 'b', 'c');
CALL events('new_2', 'signup', '10 days'); CALL events('new_2', 'email_open', '1 day', 'a', 'b', 'b');
CALL events('again_3', 'signup', '100 days'); CALL events('again_3', 'signup', '10 days');
CALL events('again_3', 'email_open', '1 day', 'a', 'b', 'c');
-- reads, and clicks
CALL events('reads_3', 'email_open', '1 day', 'a', 'b', 'c');
CALL events('reads_since', 'email_open', '1 day', 'a', 'b'); CALL events('reads_since', 'email_open', '29 days 23:59:59.999999', 'c');
CALL events('reads_till', 'email_open', '1 day', 'a', 'b'); CALL events('reads_till', 'email_open', '30 days', 'c');
CALL events('reads_2', 'email_open', '1 day', 'a', 'b', 'b');
CALL events('clicks_in_site', 'email_open', '1 day', 'a', 'b', 'c'); CALL events('clicks_in_site', 'click', '1 day');
CALL events('clicks_in_email', 'email_open', '1 day', 'a', 'b', 'c'); CALL events('clicks_in_email', 'email_click', '1 day');
CALL events('clicked_30', 'email_open', '1 day', 'a', 'b', 'c'); CALL events('clicked_30', 'click', '30 days');
CALL events('clicked_30', 'email_click', '30 days');
-- quiet
CALL events('quiet_90', 'share', '90 days'); CALL events('quiet_89', 'email_open', '89 days 23:59:59.999999', 'a');
-- a year before, by the calendar: 1 March 2027
CALL events('lost', 'view', '1 year'); CALL events('lost_soon', 'view', '1 year -00:00:00.000001');
CALL events('back', 'view', '100 days'); CALL events('back', 'click', '1 day');
-- downloads
CALL events('loaded_29', 'download', '29 days 23:59:59.999999', 'guide'); CALL events('loaded_30', 'download', '30 days', 'guide');
CALL events('loaded_other', 'download', '1 day', 'terms');
CALL events('bought_before', 'purchase', '1 day 00:00:00.000001'); CALL events('bought_before', 'download', '1 day', 'guide');
CALL events('bought_with', 'purchase', '1 day'); CALL events('bought_with', 'download', '1 day', 'guide');
CALL events('bought_since', 'purchase', '1 hour'); CALL events('bought_since', 'download', '1 day', 'guide');
CALL events('again_since', 'purchase', '2 days'); CALL events('again_since', 'download', '3 days', 'guide');
CALL events('again_since', 'download', '1 day', 'price list');

SELECT segment.add_preset('people', 'engagement');
SELECT segment.drop_preset('people', 'engagement');
SELECT segment.add_preset('people', 'engagement', '{"content": ["guide", "price list"]}');
SELECT segment.add_preset('people', 'engagement', '{"prefix": "mail_", "only": ["reads_not_clicks", "downloaded_nurture"],
	"email_click": "email_click", "content": {"rule": "item <> ''terms''"}, "purchase": null}');
CALL segment.refresh('people');

SELECT who, engagement_points AS points, engagement_level FROM people
WHERE who ~ 'high|average|occasional|none|view|quiet' ORDER BY engagement_points DESC, who COLLATE "C";
SELECT * FROM members('engaged_new_subscriber', 'reads_not_clicks', 'mail_reads_not_clicks', 'reengage_inactive',
					  'downloaded_nurture', 'mail_downloaded_nurture');

-- exact at every instant: no expression is left to max_age, and time alone moves those on the bounds
SELECT * FROM inexact();
SET client_min_messages = warning;
CALL look('2028-03-01 12:00:00.000001+00');
SELECT * FROM changes();
CALL look('2028-03-20 00:00:00+00');
CALL look('2028-07-01 00:00:00+00');
SELECT segment, label, count(*) FROM people_history WHERE left_at IS NULL GROUP BY 1, 2 ORDER BY segment COLLATE "C", label COLLATE "C";

SELECT segment.drop_preset('people', 'engagement'), segment.drop_preset('people', 'engagement', 'mail_');
SELECT definition IS NOT DISTINCT FROM segment.definition('people') AS as_before FROM before;
SELECT attname FROM pg_attribute WHERE attrelid = 'people'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum;

-- other bounds, of an earlier instant
SET segment.as_of = '2028-03-01 12:00:00+00';
SELECT segment.add_preset('people', 'engagement', '{"window": "31 days", "social": null, "media": null, "email_click": "email_click",
	"view_points": 0.5, "click_points": 5, "high_from": 5, "average_from": 1, "new_within": "31 days", "new_emails": 2, "read_emails": 2,
	"inactive_after": "89 days", "lost_after": "366 days", "content": "guide", "nurture_within": "31 days"}');
CALL segment.refresh('people');
SELECT engagement_points, engagement_level, string_agg(who, ' ' ORDER BY who COLLATE "C") FROM people GROUP BY 1, 2 ORDER BY 1, 2;
SELECT * FROM members('engaged_new_subscriber', 'reads_not_clicks', 'reengage_inactive', 'downloaded_nurture');
SELECT count(*) FROM segment.verify('people');
SELECT segment.drop_table('people');
-- many people, beside plain SQL
DELETE FROM event;
INSERT INTO event
SELECT 'person ' || n % 80, timestamptz '2028-03-05 00:00+00' - (n * n % 9973) * interval '7 minutes' * (1 + n % 80 % 3) - n % 10 * interval '20 days',
	   (ARRAY['view', 'email_open', 'click', 'download', 'signup', 'purchase', 'share', 'play', 'visit'])[1 + n / 80 % (2 + n % 80 % 8)],
	   (ARRAY['a', 'b', 'c', 'guide', 'd'])[1 + n * 7 % 79 % 5]
FROM generate_series(1, 4000) n;
SELECT segment.create_table('people', 'who', 'text');
SELECT segment.add_source('people', 'event', 'who', 'at', 'what', item => 'item');
SELECT segment.add_preset('people', 'engagement', '{"content": "guide"}');
CREATE FUNCTION expected(t timestamptz) RETURNS TABLE (who text, level text, segments bool[])
LANGUAGE sql AS $$
	SELECT who, CASE WHEN points >= 20 THEN 'high' WHEN points >= 5 THEN 'average' WHEN points > 0 THEN 'occasional' END,
		   ARRAY[t - signup < interval '30 days' AND emails >= 3, emails >= 3 AND clicks = 0,
				 t - engaged >= interval '90 days' AND engaged > t - interval '1 year',
				 t - loaded < interval '30 days' AND (bought IS NULL OR bought < loaded)]
	FROM (
		SELECT who, sum(CASE what WHEN 'view' THEN 1 WHEN 'click' THEN 2 WHEN 'play' THEN 2 WHEN 'share' THEN 3 END)
			   FILTER (WHERE t - at < interval '30 days') AS points,
			   count(DISTINCT item) FILTER (WHERE what = 'email_open' AND t - at < interval '30 days') AS emails,
			   count(*) FILTER (WHERE what = 'click' AND t - at < interval '30 days') AS clicks,
			   min(at) FILTER (WHERE what = 'signup') AS signup, max(at) FILTER (WHERE what = 'purchase') AS bought,
			   max(at) FILTER (WHERE what = 'download' AND item = 'guide') AS loaded,
			   max(at) FILTER (WHERE what IN ('view', 'email_open', 'click', 'share', 'play')) AS engaged
		FROM pengagement.event WHERE at <= t GROUP BY who) f $$;
CREATE PROCEDURE compare(t timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
	r record;
BEGIN
	CALL pengagement.look(t);
	FOR r IN
		SELECT count(*), count(*) FILTER (WHERE level IS DISTINCT FROM engagement_level) AS wrong_levels,
			   count(*) FILTER (WHERE ARRAY[engaged_new_subscriber, reads_not_clicks, reengage_inactive, downloaded_nurture]
									  <> array_replace(segments, NULL, false)) AS wrong_segments,
			   count(DISTINCT level) AS levels, count(*) FILTER (WHERE segments[1]) AS new, count(*) FILTER (WHERE segments[2]) AS reads,
			   count(*) FILTER (WHERE segments[3]) AS inactive, count(*) FILTER (WHERE segments[4]) AS nurture
		FROM pengagement.expected(t) FULL JOIN pengagement.people USING (who)
	LOOP
		RAISE WARNING '%: %', t, to_jsonb(r);
	END LOOP;
END $$;
CALL compare('2028-02-10 00:00:00+00');
CALL compare('2028-03-01 12:00:00+00');
CALL compare('2028-04-02 00:00:00+00');
SELECT segment.drop_table('people');
\set VERBOSITY terse
DROP SCHEMA pengagement CASCADE;
