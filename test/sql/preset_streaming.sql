-- The preset streaming: viewers named for what they are, just inside and just outside of every bound.
SET client_min_messages = notice;
CREATE SCHEMA pstreaming;
SET search_path = pstreaming;
SET timezone = 'UTC';
SET datestyle = 'ISO';
-- one o'clock in the night of 2 March in Auckland
SET segment.as_of = '2028-03-01 12:00:00+00';
CREATE TABLE event (who text, at timestamptz, what text, item text, show text);
SELECT segment.create_table('viewers', 'who', 'text', 'Pacific/Auckland');
SELECT segment.add_source('viewers', 'event', 'who', 'at', 'what', item => 'item', extra => '{"show": "show"}');
CREATE TABLE before AS SELECT segment.definition('viewers') AS definition;
\getenv inputdir PG_ABS_SRCDIR
\set helpers :inputdir '/preset_helpers.sql'
\set tbl viewers
\set echo :ECHO
\set ECHO none
\i :helpers
\set ECHO :echo

CREATE PROCEDURE watch(who text, what text, ago interval[], item text DEFAULT NULL, show text DEFAULT NULL)
LANGUAGE sql AS $$
	INSERT INTO pstreaming.event SELECT $1, segment.now() - a, $2, coalesce($4, 'film ' || n), $5
	FROM unnest($3) WITH ORDINALITY u (a, n) $$;

-- completed, of what was started
CALL watch('high_4_of_5', 'start', array_fill(interval '20 days', '{5}')); CALL watch('high_4_of_5', 'complete', array_fill(interval '19 days', '{4}'));
CALL watch('medium_3_of_5', 'start', array_fill(interval '20 days', '{5}')); CALL watch('medium_3_of_5', 'complete', '{19d,18d,17d}');
CALL watch('medium_2_of_5', 'start', array_fill(interval '20 days', '{5}')); CALL watch('medium_2_of_5', 'complete', '{19d,18d}');
CALL watch('medium_2_of_3', 'start', '{20d,20d,20d}'); CALL watch('medium_2_of_3', 'complete', '{19d,18d}');
CALL watch('low_1_of_3', 'start', '{20d,20d,20d}'); CALL watch('low_1_of_3', 'complete', '{19d}');
CALL watch('low_0_of_3', 'start', '{20d,20d,20d}');
CALL watch('few_2_of_2', 'start', '{20d,20d}'); CALL watch('few_2_of_2', 'complete', '{19d,18d}');
CALL watch('same_film', 'start', '{20d,19d,18d}', 'film 1'); CALL watch('same_film', 'complete', '{19d}', 'film 1');
CALL watch('only_completed', 'complete', '{19d,18d,17d}');
CALL watch('started_90', 'start', '{90d}', 'film 9'); CALL watch('started_90', 'complete', '{19d,18d,17d}');
CALL watch('started_89', 'start', '{89d 23:59:59.999999}', 'film 9'); CALL watch('started_89', 'complete', '{19d,18d,17d}');
CALL watch('completed_90', 'start', '{20d,20d,20d}'); CALL watch('completed_90', 'complete', '{19d}');
CALL watch('completed_90', 'complete', '{90d}', 'film 2');
-- in one sitting
CALL watch('binge_3', 'complete', '{10h,8h,6h}'); CALL watch('binge_late', 'complete', '{10:00:00.000001,8h,6h}');
CALL watch('binge_2', 'complete', '{10h,9h}'); CALL watch('binge_6', 'complete', '{10h,9h,8h,7h,6h,5h}');
CALL watch('binge_90', 'complete', '{90d,89d 23h,89d 22h}');
CALL watch('binge_89', 'complete', '{89d 23:59:59.999999,89d 23h,89d 22h}');
-- given up
CALL watch('quit_30', 'start', '{30d}', 'one', 'alpha'); CALL watch('quit_29', 'start', '{29d 23:59:59.999999}', 'one', 'alpha');
CALL watch('quit_90', 'start', '{90d}', 'one', 'alpha'); CALL watch('quit_89', 'start', '{89d 23:59:59.999999}', 'one', 'alpha');
CALL watch('completed', 'start', '{40d}', 'one', 'alpha'); CALL watch('completed', 'complete', '{39d}', 'one', 'alpha');
CALL watch('second_left', 'start', '{45d}', 'one', 'alpha'); CALL watch('second_left', 'complete', '{44d}', 'one', 'alpha');
CALL watch('second_left', 'start', '{40d}', 'two', 'alpha');
CALL watch('came_back', 'start', '{40d}', 'one', 'alpha'); CALL watch('came_back', 'start', '{5d}', 'two', 'alpha');
CALL watch('two_series', 'start', '{40d}', 'one', 'alpha'); CALL watch('two_series', 'start', '{41d}', 'one', 'beta');
CALL watch('no_series', 'start', '{40d}', 'one');
CALL watch('finished', 'start', '{40d}', 'one', 'alpha'); CALL watch('finished', 'complete', '{40d}', 'one', 'alpha');
CALL watch('finished', 'finale', '{39d}', 'one', 'alpha');
-- parts of Auckland's day
INSERT INTO event SELECT who, at AT TIME ZONE 'Pacific/Auckland', 'start', 'film' FROM (VALUES
	('at_05', timestamp '2028-02-01 05:59:59.999999'), ('at_06', '2028-02-01 06:00'), ('at_11', '2028-02-01 11:59:59.999999'),
	('at_12', '2028-02-01 12:00'), ('at_17', '2028-02-01 17:59:59.999999'), ('at_18', '2028-02-01 18:00'),
	('at_21', '2028-02-01 21:59:59.999999'), ('at_22', '2028-02-01 22:00'), ('at_00', '2028-02-01 00:00'),
	('half', '2028-02-01 07:00'), ('half', '2028-02-01 19:00'), ('half_morning', '2028-02-01 07:00'), ('half_morning', '2028-02-01 23:00'),
	('half_afternoon', '2028-02-01 13:00'), ('half_afternoon', '2028-02-01 19:00'),
	('half_night', '2028-02-01 01:00'), ('half_night', '2028-02-01 23:00'), ('half_night', '2028-02-01 07:00'), ('half_night', '2028-02-01 19:00'),
	('two_of_three', '2028-02-01 07:00'), ('two_of_three', '2028-02-01 19:00'), ('two_of_three', '2028-02-02 19:00')) d (who, at);
INSERT INTO event VALUES ('visitor', segment.now(), 'visit');

SELECT segment.add_preset('viewers', 'streaming');
SELECT segment.drop_preset('viewers', 'streaming');
SELECT segment.add_preset('viewers', 'streaming', '{"series": "show"}');
SELECT segment.add_preset('viewers', 'streaming', '{"prefix": "whole_", "only": ["series_quitter"], "series": "show", "finale": "finale"}');
CALL segment.refresh('viewers');

SELECT who, stream_items AS items, round(completion_rate::numeric, 3) AS rate, completion_level FROM viewers
WHERE who ~ '_of_|film|only|started|completed_90|visitor' ORDER BY completion_level, completion_rate, who COLLATE "C";
SELECT who, stream_binges, binge FROM viewers WHERE who LIKE 'binge%' ORDER BY who;
SELECT who, stream_given_up, series_quitter, whole_stream_given_up, whole_series_quitter FROM viewers
WHERE who ~ 'quit|second|completed$|came|series|finished' ORDER BY who COLLATE "C";
SELECT who, viewing_daypart FROM viewers WHERE who ~ '^at|half|three|visitor|binge_2' ORDER BY who COLLATE "C";

-- exact at every instant: no expression is left to max_age, and time alone moves those on the bounds
SELECT * FROM inexact();
SET client_min_messages = warning;
CALL look('2028-03-01 12:00:00.000001+00');
SELECT * FROM changes();
CALL look('2028-03-20 00:00:00+00');
CALL look('2028-08-01 00:00:00+00');
SELECT segment, label, count(*) FROM viewers_history WHERE left_at IS NULL GROUP BY 1, 2 ORDER BY segment COLLATE "C", label COLLATE "C";

SELECT segment.drop_preset('viewers', 'streaming'), segment.drop_preset('viewers', 'streaming', 'whole_');
SELECT definition IS NOT DISTINCT FROM segment.definition('viewers') AS as_before FROM before;
SELECT attname FROM pg_attribute WHERE attrelid = 'viewers'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum;

-- other bounds, of an earlier instant
SET segment.as_of = '2028-03-01 12:00:00+00';
SELECT segment.add_preset('viewers', 'streaming', '{"series": "show", "window": "365 days", "completion_items": 2, "completion_high": 0.9,
	"completion_medium": 0.6, "binge_items": 2, "binge_gap": "1 hour", "binge_times": 3, "quit_after": "40 days", "quit_series": 2,
	"daypart_hours": [5, 11, 17, 21], "daypart_share": 0.49}');
CALL segment.refresh('viewers');
SELECT completion_level, string_agg(who, ' ' ORDER BY who COLLATE "C") FROM viewers WHERE who ~ '_of_|film' GROUP BY 1 ORDER BY 1;
SELECT string_agg(who, ' ') FROM viewers WHERE binge;
SELECT string_agg(who, ' ') FROM viewers WHERE series_quitter;
SELECT viewing_daypart, string_agg(who, ' ' ORDER BY who COLLATE "C") FROM viewers WHERE who ~ '^at|half' GROUP BY 1 ORDER BY 1;
SELECT count(*) FROM segment.verify('viewers');
SELECT segment.drop_table('viewers');
-- many viewers, beside plain SQL
DELETE FROM event;
INSERT INTO event
SELECT 'viewer ' || n % 80, timestamptz '2028-03-05 00:00+00' - (n * n % 9973) * interval '5 minutes' * (1 + n % 80 % 3),
	   (ARRAY['start', 'complete', 'visit', 'finale', 'complete'])[1 + n * n % 11 % 5],
	   'film ' || n % 7919 % (1 + n % 80 % 30), (ARRAY['alpha', 'beta', 'gamma', 'delta', NULL])[1 + n / 80 % (1 + n % 80 % 5)]
FROM generate_series(1, 8000) n;
SELECT segment.create_table('viewers', 'who', 'text', 'Pacific/Auckland');
SELECT segment.add_source('viewers', 'event', 'who', 'at', 'what', item => 'item', extra => '{"show": "show"}');
SELECT segment.add_preset('viewers', 'streaming', '{"series": "show", "binge_gap": "1 hour"}');
SELECT segment.add_preset('viewers', 'streaming', '{"prefix": "whole_", "only": ["series_quitter"], "series": "show", "finale": "finale"}');
CREATE FUNCTION expected(t timestamptz) RETURNS TABLE (who text, level text, daypart text, segments bool[])
LANGUAGE sql SET timezone = 'Pacific/Auckland' AS $$
	WITH stream AS (
		SELECT e.*, extract(hour FROM at AT TIME ZONE 'Pacific/Auckland') AS hour FROM pstreaming.event e
		WHERE at <= t AND at > t - interval '90 days'
	), items AS (
		SELECT who, count(DISTINCT item) AS n, count(DISTINCT item) FILTER (WHERE what = 'complete') AS completed
		FROM stream WHERE what IN ('start', 'complete') GROUP BY who
	), rows AS (
		SELECT who, at - lag(at, 2) OVER w <= interval '2 hours' AND at - lag(at) OVER w <= interval '1 hour'
			   AND lag(at) OVER w - lag(at, 2) OVER w <= interval '1 hour' AS three
		FROM stream WHERE what = 'complete' WINDOW w AS (PARTITION BY who ORDER BY at)
	), series AS (
		SELECT who, bool_or(started AND NOT coalesce(completed >= started_at, false) AND seen <= t - interval '30 days') AS quit,
			   bool_or(begun AND NOT coalesce(finale >= seen, false) AND seen_or_finale <= t - interval '30 days') AS whole
		FROM (
			SELECT who, bool_or(what = 'start') AS started, max(at) FILTER (WHERE what = 'start') AS started_at,
				   max(at) FILTER (WHERE what = 'complete') AS completed, max(at) FILTER (WHERE what <> 'finale') AS seen,
				   max(at) AS seen_or_finale, bool_or(what <> 'finale') AS begun, max(at) FILTER (WHERE what = 'finale') AS finale
			FROM stream WHERE what <> 'visit' AND show IS NOT NULL GROUP BY who, show) s
		GROUP BY who
	), parts AS (
		SELECT who, part, count(*) * 2 > sum(count(*)) OVER (PARTITION BY who) AS most
		FROM (SELECT who, CASE WHEN hour < 6 OR hour >= 22 THEN 'night' WHEN hour < 12 THEN 'morning' WHEN hour < 18 THEN 'afternoon' ELSE 'evening' END AS part
			  FROM stream WHERE what = 'start') p
		GROUP BY who, part
	)
	SELECT who, (SELECT CASE WHEN n < 3 THEN NULL WHEN completed >= 0.8 * n THEN 'high' WHEN completed >= 0.4 * n THEN 'medium' ELSE 'low' END
				 FROM items i WHERE i.who = e.who),
		   (SELECT coalesce(min(part) FILTER (WHERE most), 'mixed') FROM parts p WHERE p.who = e.who GROUP BY who),
		   ARRAY[(SELECT bool_or(three) FROM rows r WHERE r.who = e.who), (SELECT quit FROM series s WHERE s.who = e.who),
				 (SELECT whole FROM series s WHERE s.who = e.who)]
	FROM (SELECT DISTINCT who FROM pstreaming.event WHERE at <= t) e $$;
CREATE PROCEDURE compare(t timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
	r record;
BEGIN
	CALL pstreaming.look(t);
	FOR r IN
		SELECT count(*), count(*) FILTER (WHERE level IS DISTINCT FROM completion_level) AS wrong_levels,
			   count(*) FILTER (WHERE daypart IS DISTINCT FROM viewing_daypart) AS wrong_dayparts,
			   count(*) FILTER (WHERE ARRAY[binge, series_quitter, whole_series_quitter] <> array_replace(segments, NULL, false)) AS wrong_segments,
			   count(DISTINCT level) AS levels, count(DISTINCT daypart) AS dayparts,
			   count(*) FILTER (WHERE segments[1]) AS binge, count(*) FILTER (WHERE segments[2]) AS quit, count(*) FILTER (WHERE segments[3]) AS whole
		FROM pstreaming.expected(t) FULL JOIN pstreaming.viewers USING (who)
	LOOP
		RAISE WARNING '%: %', t, to_jsonb(r);
	END LOOP;
END $$;
CALL compare('2028-02-10 00:00:00+00');
CALL compare('2028-03-01 12:00:00+00');
-- Auckland's summer time has ended ten hours ago
CALL compare('2028-04-02 00:00:00+00');
CALL compare('2028-05-25 00:00:00+00');
SELECT segment.drop_table('viewers');
\set VERBOSITY terse
DROP SCHEMA pstreaming CASCADE;
