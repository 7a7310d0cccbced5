-- Preset occasion: season, time of day, weekend, anniversaries.
SET client_min_messages = warning;
SET timezone = 'Europe/Berlin';
CREATE SCHEMA occ;
CREATE TABLE occ.event (who text, at timestamptz, what text);
CREATE INDEX ON occ.event (who);
CREATE TABLE occ.person (who text PRIMARY KEY, since date);
SELECT segment.create_table('occ.t', 'who', 'text', time_zone => 'Europe/Berlin');
SELECT segment.add_source('occ.t', 'occ.event', key => 'who', at => 'at', event => 'what');
SELECT segment.add_attributes('occ.t', 'occ.person', 'who', '{"since": "since"}');
CREATE TABLE occ.before AS SELECT segment.definition('occ.t') AS d;
SET segment.as_of = '2027-02-28 12:00';

-- seasons: of December, March, June and September
INSERT INTO occ.event SELECT who, at, 'purchase' FROM (VALUES
	('two winters', '{2024-12-01 00:00,2026-02-28 23:59:59.999999}'::timestamptz[]), ('two summers, to the end', '{2024-06-01 00:00,2025-08-31 23:59:59.999999}'),
	('one winter, two years', '{2024-12-31,2025-01-01}'), ('winter, and a day late', '{2024-12-01,2026-03-01 00:00}'),
	('winter, and a moment early', '{2024-11-30 23:59:59.999999,2026-01-15}'), ('one springtime, twice', '{2024-04-01,2024-05-01}'),
	('half in winter', '{2023-12-24,2024-12-24,2024-04-01,2024-07-01}'), ('less than half', '{2023-12-24,2024-12-24,2024-04-01,2024-07-01,2024-10-01}'),
	('three autumns', '{2023-09-01,2024-10-01,2025-11-30}')) s(who, times), unnest(times) at;
-- times of day and weekends; 2026-06-01 is a Monday
INSERT INTO occ.event SELECT who, at::timestamptz, 'purchase' FROM (VALUES
	('mornings', '{2026-06-01 06:00,2026-06-02 11:59:59.999999,2026-06-03 20:00}'), ('nights', '{2026-06-01 05:59:59.999999,2026-06-02 22:00,2026-06-03 15:00}'),
	('afternoons', '{2026-06-01 12:00,2026-06-02 17:59:59.999999,2026-06-03 20:00}'), ('evenings', '{2026-06-01 18:00,2026-06-02 21:59:59.999999,2026-06-03 09:00}'),
	('2 mornings', '{2026-06-01 06:00,2026-06-02 07:00}'), ('morning and evening', '{2026-06-01 07:00,2026-06-01 19:00,2026-06-02 07:00,2026-06-02 19:00}'),
	('weekends', '{2026-06-06 00:00,2026-06-07 23:59:59.999999,2026-06-05 23:59:59.999999}'), ('half at weekends', '{2026-06-06 12:00,2026-06-07 12:00,2026-06-08 12:00,2026-06-09 12:00}'),
	('weekdays', '{2026-06-05 23:59:59.999999,2026-06-08 00:00,2026-06-07 12:00}')) d(who, times), unnest(times::text[]) at;
-- anniversaries
INSERT INTO occ.event SELECT who, at::timestamptz, what FROM (VALUES
	('bought on 28 February', '2025-02-28 23:59:59.999999', 'purchase'), ('bought on 1 March', '2025-03-01 00:00', 'purchase'),
	('bought on 29 February', '2024-02-29 12:00', 'purchase'), ('bought at no time', '-infinity', 'purchase'), ('bought at no time', '-infinity', 'signup'), ('bought today', '2027-02-28 00:00', 'purchase'), ('first bought in May', '2025-05-01 00:00', 'purchase'),
	('first bought in May', '2026-02-28 10:00', 'purchase'), ('signed up on 28 February', '2026-02-28 10:00', 'signup'), ('signed up on 27 February', '2026-02-27 10:00', 'signup')) a(who, at, what);

SET client_min_messages = notice;
SELECT segment.add_preset('occ.t', 'occasion');
SET client_min_messages = warning;
\set show 'CALL segment.refresh(\'occ.t\'); SELECT who, occasion_season AS season, seasonal_shopper AS seasonal, occasion_daypart AS daypart, round(occasion_weekend_share::numeric, 2) AS weekend, occasion_day AS day, purchase_anniversary AS bought, signup_anniversary AS signed_up FROM occ.t ORDER BY who; SELECT * FROM segment.verify(\'occ.t\');'
:show
SELECT name FROM segment.scores WHERE tbl = 'occ.t'::regclass AND unanalyzed IS NOT NULL
UNION ALL SELECT name FROM segment.segments WHERE tbl = 'occ.t'::regclass AND unanalyzed IS NOT NULL
UNION ALL SELECT name FROM segment.groups WHERE tbl = 'occ.t'::regclass AND unanalyzed IS NOT NULL;

-- days begin and end at midnight; 29 February is the day after the 28th
\set days 'CALL segment.refresh(\'occ.t\'); SELECT who, purchase_anniversary AS bought, signup_anniversary AS signed_up FROM occ.t WHERE purchase_anniversary OR signup_anniversary ORDER BY who; SELECT * FROM segment.verify(\'occ.t\');'
SET segment.as_of = '2027-02-28 23:59:59.999999';
:days
SET segment.as_of = '2027-03-01 00:00';
:days
SET segment.as_of = '2028-02-28 12:00';
:days
SET segment.as_of = '2028-02-29 12:00';
:days
SET segment.as_of = '2028-03-01 12:00';
:days

-- over the end of the year
\set on 'CALL segment.refresh(\'occ.t\'); SELECT who, purchase_anniversary_on AS bought_on, signup_anniversary_on AS signed_up_on FROM occ.t WHERE who ~ \'signed|May|one winter|weekdays|half in\' ORDER BY who; SELECT * FROM segment.verify(\'occ.t\');'
SET segment.as_of = '2028-06-30 23:59:59.999999';
:on
SET segment.as_of = '2028-07-01 00:00';
:on
SET segment.as_of = '2028-12-31 12:00';
:on
:days
SET segment.as_of = '2029-01-01 12:00';
:on
-- other options: quarters of the calendar, three years, half days, the weekend from Friday on, a week ahead, a date as the signup
SET segment.as_of = '2029-02-22 12:00';
SELECT segment.drop_preset('occ.t', 'occasion');
INSERT INTO occ.person VALUES ('mornings', '2024-03-01'), ('nights', '2024-03-02'), ('evenings', '2029-02-22'), ('weekdays', '2031-02-24'), ('weekends', '2024-02-29'), ('afternoons', '-infinity'), ('2 mornings', 'infinity');
INSERT INTO occ.event VALUES ('three autumns', '2026-12-31 23:59:59.999999', 'purchase');
SELECT segment.add_preset('occ.t', 'occasion', $$ {"season_shift": "0", "season_years": 3, "season_share": 0.3, "least_purchases": 2, "dayparts": [7, 12, 18, 20],
	"weekend_days": [5, 6], "weekend_share": 0.6, "anniversary_days": 7, "signup_date": "since"} $$);
:show
SELECT segment.drop_preset('occ.t', 'occasion');
SELECT * FROM occ.before WHERE d IS DISTINCT FROM segment.definition('occ.t');
SELECT segment.drop_table('occ.t');
DROP SCHEMA occ CASCADE;
