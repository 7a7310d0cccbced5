-- Preset cart_intent: carts by stages, intent, browsers.
SET client_min_messages = warning;
SET timezone = 'America/New_York';
CREATE SCHEMA ci;
CREATE TABLE ci.event (who text, at timestamptz, what text, item text);
CREATE INDEX ON ci.event (who);
SELECT segment.create_table('ci.t', 'who', 'text', time_zone => 'America/New_York');
SELECT segment.add_source('ci.t', 'ci.event', key => 'who', at => 'at', event => 'what', item => 'item');
CREATE TABLE ci.before AS SELECT segment.definition('ci.t') AS d;

-- Wednesday noon; the week began on Monday, 6 March
\set noon '\'2028-03-08 12:00\''
SET segment.as_of = :noon;
INSERT INTO ci.event SELECT who, timestamptz :noon - ago::interval, 'cart', 'tea' FROM (VALUES
	('cart not yet 1 h', '59 minutes 59.999999 seconds'), ('cart 1 h', '1 hour'),
	('cart not yet 24 h', '23:59:59.999999'), ('cart 24 h', '24 hours'),
	('cart not yet 48 h', '47:59:59.999999'), ('cart 48 h', '48 hours'),
	('cart not yet 30 d', '29 days 23:59:59.999999'), ('cart 30 d', '30 days'),
	('cart, bought after', '2 hours'), ('cart, bought at once', '2 hours'), ('cart, bought before', '2 hours'),
	('cart, and a new one', '5 hours'), ('cart, and a new one', '1 minute'), ('cart, emptied', '2 hours')) c(who, ago);
INSERT INTO ci.event SELECT who, timestamptz :noon - ago::interval, what, NULL FROM (VALUES
	('cart, bought after', '1 hour', 'purchase'), ('cart, bought at once', '2 hours', 'purchase'),
	('cart, bought before', '2 hours 1 microsecond', 'purchase'), ('cart, emptied', '1 hour', 'empty')) p(who, ago, what);
INSERT INTO ci.event SELECT who, day::timestamptz, 'view', item FROM (VALUES
	('4 views since Monday', '{2028-03-06 00:00,2028-03-06 00:01,2028-03-07,2028-03-08}', 'tea'),
	('3 views this week', '{2028-03-06,2028-03-07,2028-03-08}', 'tea'),
	('4 views, one on Sunday', '{2028-03-05 23:59:59.999999,2028-03-06,2028-03-07,2028-03-08}', 'tea'),
	('2 and 2 views', '{2028-03-06,2028-03-07}', 'tea'), ('2 and 2 views', '{2028-03-06,2028-03-07}', 'pot'),
	('4 views, bought after', '{2028-03-06,2028-03-07,2028-03-07 01:00,2028-03-07 02:00}', 'tea'),
	('4 views, bought between', '{2028-03-06,2028-03-07,2028-03-07 01:00,2028-03-07 02:00}', 'tea'),
	('4 views, bought last week', '{2028-03-06,2028-03-07,2028-03-07 01:00,2028-03-07 02:00}', 'tea'),
	('4 views, bought another', '{2028-03-06,2028-03-07,2028-03-07 01:00,2028-03-07 02:00}', 'tea'),
	('4 views of nothing', '{2028-03-06,2028-03-07,2028-03-07 01:00,2028-03-07 02:00}', NULL),
	('2 views', '{2028-03-01,2028-03-02}', 'tea'),
	('3 views in 30 days', '{2028-02-07 12:00:00.000001,2028-02-10,2028-02-11}', 'tea'),
	('3 views, one before', '{2028-02-07 12:00,2028-02-10,2028-02-11}', 'tea'),
	('3 views, bought years ago', '{2028-03-01,2028-03-02,2028-03-02}', 'tea')) v(who, days, item), unnest(days::text[]) day;
INSERT INTO ci.event VALUES
	('4 views, bought after', '2028-03-08', 'purchase', 'tea'), ('4 views, bought between', '2028-03-06 12:00', 'purchase', 'tea'),
	('4 views, bought last week', '2028-03-05 23:59', 'purchase', 'tea'), ('4 views, bought another', '2028-03-08', 'purchase', 'pot'),
	('3 views, bought years ago', '2020-01-01', 'purchase', 'tea');

SET client_min_messages = notice;
SELECT segment.add_preset('ci.t', 'cart_intent');
SET client_min_messages = warning;
\set show 'CALL segment.refresh(\'ci.t\'); SELECT who, cart_abandoner AS abandoner, cart_stage AS stage, intent_items AS wants, high_intent_shopper AS intent, browser_views AS views, browser_non_buyer AS browser FROM ci.t ORDER BY who; SELECT * FROM segment.verify(\'ci.t\');'
:show
-- nothing of it is without an exact time
SELECT name FROM segment.scores WHERE tbl = 'ci.t'::regclass AND unanalyzed IS NOT NULL
UNION ALL SELECT name FROM segment.segments WHERE tbl = 'ci.t'::regclass AND unanalyzed IS NOT NULL
UNION ALL SELECT name FROM segment.groups WHERE tbl = 'ci.t'::regclass AND unanalyzed IS NOT NULL;

-- a microsecond changes three carts, a view and no intent
SET segment.as_of = '2028-03-08 12:00:00.000001';
CREATE TABLE ci.was AS TABLE ci.t;
CALL segment.refresh('ci.t');
SELECT who, was.cart_stage AS was, t.cart_stage AS stage, was.browser_views AS views_before, t.browser_views AS views FROM ci.t JOIN ci.was USING (who)
WHERE (was.cart_stage, was.browser_views) IS DISTINCT FROM (t.cart_stage, t.browser_views) ORDER BY who;
SELECT * FROM segment.verify('ci.t');
-- the week ends on Sunday at midnight, in summer time by then
\set intent 'CALL segment.refresh(\'ci.t\'); SELECT who FROM ci.t WHERE high_intent_shopper ORDER BY who; SELECT * FROM segment.verify(\'ci.t\');'
SET segment.as_of = '2028-03-12 23:59:59.999999';
:intent
SET segment.as_of = '2028-03-13 00:00';
:intent

-- other options
SET segment.as_of = :noon;
SELECT segment.drop_preset('ci.t', 'cart_intent');
SELECT segment.add_preset('ci.t', 'cart_intent', $$ {"cart_emptied": "empty", "abandoned_after": "30 minutes", "given_up_after": "2 days",
	"stages": [["late", "{{.cart_abandoner}} AND {{.last_cart}} <= now() - interval '1 day'"], ["early", "{{.cart_abandoner}}"]],
	"view_window": "3 days", "many_views": 3, "least_browsing": 2, "browser_window": "1 week"} $$);
:show
SELECT segment.drop_preset('ci.t', 'cart_intent');

-- without carts, and without views
SET client_min_messages = notice;
SELECT segment.add_preset('ci.t', 'cart_intent', '{"cart": null, "prefix": "looks_"}');
SELECT segment.add_preset('ci.t', 'cart_intent', '{"view": null, "prefix": "carts_"}');
SET client_min_messages = warning;
SELECT preset, prefix, columns FROM segment.table_presets WHERE tbl = 'ci.t'::regclass ORDER BY prefix;
SELECT segment.drop_preset('ci.t', 'cart_intent', prefix) FROM (VALUES ('looks_'), ('carts_')) v(prefix);
SELECT * FROM ci.before WHERE d IS DISTINCT FROM segment.definition('ci.t');
SELECT segment.drop_table('ci.t');
DROP SCHEMA ci CASCADE;
