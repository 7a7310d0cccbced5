-- Preset journey: awareness, consideration, decision.
SET client_min_messages = warning;
SET timezone = 'Asia/Tokyo';
CREATE SCHEMA jo;
CREATE TABLE jo.event (who text, at timestamptz, what text, item text);
CREATE INDEX ON jo.event (who);
SELECT segment.create_table('jo.t', 'who', 'text', time_zone => 'Asia/Tokyo');
SELECT segment.add_source('jo.t', 'jo.event', key => 'who', at => 'at', event => 'what', item => 'item');
CREATE TABLE jo.before AS SELECT segment.definition('jo.t') AS d;

-- Wednesday noon in Tokyo, Tuesday night elsewhere; the week began on Monday, 6 March
\set noon '\'2028-03-08 12:00\''
SET segment.as_of = :noon;
INSERT INTO jo.event SELECT who, at::timestamptz, what, item FROM (VALUES
	('aware by a mail', '{2028-03-01}', 'email_open', 'news'), ('aware by a signup', '{2028-03-01}', 'signup', NULL),
	('aware by 2 views', '{2028-03-01,2028-03-02}', 'view', 'tea'),
	('aware for less than 30 d', '{2028-02-07 12:00:00.000001}', 'click', 'ad'), ('aware for 30 d', '{2028-02-07 12:00}', 'click', 'ad'),
	('only logs in', '{2028-03-01}', 'login', NULL),
	('considers by 3 views', '{2028-02-07 12:00:00.000001,2028-03-01,2028-03-01}', 'view', 'tea'),
	('2 of 3 views in 30 d', '{2028-02-07 12:00,2028-03-01,2028-03-01}', 'view', 'tea'),
	('3 views, then bought', '{2028-03-01,2028-03-02,2028-03-03}', 'view', 'tea'),
	('3 views, bought with the last', '{2028-03-01,2028-03-02,2028-03-03}', 'view', 'tea'),
	('3 views, bought before the last', '{2028-03-01,2028-03-02,2028-03-03}', 'view', 'tea'),
	('decides by 3 visits', '{2028-03-06 00:00,2028-03-07,2028-03-08}', 'view', 'pricing'),
	('2 visits, 1 on Sunday', '{2028-03-05 23:59:59.999999,2028-03-07,2028-03-08}', 'view', '/pricing'),
	('2 visits', '{2028-03-07,2028-03-08}', 'view', 'pricing'),
	('3 visits, then bought', '{2028-03-06,2028-03-07,2028-03-07 01:00}', 'view', 'pricing'),
	('3 visits, bought, visited again', '{2028-03-06,2028-03-06 01:00,2028-03-06 02:00,2028-03-08}', 'view', 'pricing'),
	('3 visits by an event', '{2028-03-06,2028-03-06 01:00,2028-03-06 02:00}', 'pricing_view', NULL),
	('decides by a cart', '{2028-02-07 12:00:00.000001}', 'cart', 'tea'), ('cart of 30 d', '{2028-02-07 12:00}', 'cart', 'tea'),
	('cart, then bought', '{2028-03-08}', 'cart', 'tea'), ('cart, bought before', '{2028-03-08}', 'cart', 'tea')) v(who, times, what, item), unnest(times::text[]) at;
INSERT INTO jo.event VALUES
	('3 views, then bought', '2028-03-04', 'purchase'), ('3 views, bought with the last', '2028-03-03', 'purchase'),
	('3 views, bought before the last', '2028-03-02 12:00', 'purchase'),
	('3 visits, then bought', '2028-03-07 02:00', 'purchase'), ('3 visits, bought, visited again', '2028-03-07', 'purchase'),
	('cart, then bought', '2028-03-08 01:00', 'purchase'), ('cart, bought before', '2028-03-07', 'purchase');

SET client_min_messages = notice;
SELECT segment.add_preset('jo.t', 'journey');
SET client_min_messages = warning;
\set show 'CALL segment.refresh(\'jo.t\'); SELECT who, journey_stage AS stage, journey_views AS views, journey_pricing_visits AS visits FROM jo.t ORDER BY who; SELECT * FROM segment.verify(\'jo.t\');'
:show
SELECT name FROM segment.scores WHERE tbl = 'jo.t'::regclass AND unanalyzed IS NOT NULL
UNION ALL SELECT name FROM segment.groups WHERE tbl = 'jo.t'::regclass AND unanalyzed IS NOT NULL;
-- a microsecond later three are 30 days away
CREATE TABLE jo.was AS TABLE jo.t;
SET segment.as_of = '2028-03-08 12:00:00.000001';
CALL segment.refresh('jo.t');
SELECT who, was.journey_stage AS was, t.journey_stage AS stage FROM jo.t JOIN jo.was USING (who)
WHERE was.journey_stage IS DISTINCT FROM t.journey_stage ORDER BY who;
SELECT * FROM segment.verify('jo.t');
-- the week ends on Sunday at midnight
\set deciding 'CALL segment.refresh(\'jo.t\'); SELECT who, journey_stage FROM jo.t WHERE who LIKE \'%visits%\' ORDER BY who; SELECT * FROM segment.verify(\'jo.t\');'
SET segment.as_of = '2028-03-12 23:59:59.999999';
:deciding
SET segment.as_of = '2028-03-13 00:00';
:deciding

-- other options: nobody buys, the pricing page is an event, three days and a half
SET segment.as_of = :noon;
SELECT segment.drop_preset('jo.t', 'journey');
SELECT segment.add_preset('jo.t', 'journey', $$ {"purchase": null, "cart": null, "pricing": {"rule": "item LIKE '%pric%'"}, "pricing_event": "pricing_view",
	"pricing_window": "3 days 12 hours 1 microsecond", "pricing_visits": 3, "awareness": ["login", "view"], "considering_views": 2, "journey_window": "1 week"} $$);
:show
SELECT segment.drop_preset('jo.t', 'journey');
SELECT * FROM jo.before WHERE d IS DISTINCT FROM segment.definition('jo.t');
SELECT segment.drop_table('jo.t');
DROP SCHEMA jo CASCADE;
