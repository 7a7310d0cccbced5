-- Preset benefits_sought: what a customer is after.
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE SCHEMA ben;
CREATE TABLE ben.event (who text, at timestamptz, what text, item text, tag text);
CREATE INDEX ON ben.event (who);
SELECT segment.create_table('ben.t', 'who', 'text', time_zone => 'UTC');
SELECT segment.add_source('ben.t', 'ben.event', key => 'who', at => 'at', event => 'what', item => 'item', extra => '{"tag": "tag"}');
CREATE TABLE ben.before AS SELECT segment.definition('ben.t') AS d;

\set noon '\'2028-03-08 12:00\''
SET segment.as_of = :noon;
INSERT INTO ben.event SELECT who, timestamptz :noon - ago::interval, what, 'organic tea', tag
FROM (VALUES
	('quality', '1 day', '{review,compare,review}', 'green'), ('price', '1 day', '{coupon,price_filter,coupon}', 'cheap'),
	('convenience', '1 day', '{express,reorder,reorder}', NULL),
	('2 signs', '1 day', '{review,compare}', 'green'), ('half is not most', '1 day', '{review,compare,coupon,coupon}', 'green'),
	('3 of 5', '1 day', '{review,coupon,express,coupon,coupon}', 'green'), ('nothing', '1 day', '{view,view,view}', NULL),
	('3 within the year', '365 days 23:59:59.999999', '{review,compare,review}', 'green'), ('3 a year ago', '1 year', '{review,compare,review}', 'green'),
	('of signs, not events', '1 day', '{view,view,view,view,coupon,coupon,coupon}', NULL)) v(who, ago, events, tag), unnest(events::text[]) what;
SET client_min_messages = notice;
SELECT segment.add_preset('ben.t', 'benefits_sought');
SET client_min_messages = warning;
\set show 'CALL segment.refresh(\'ben.t\'); SELECT who, benefit_dominant, round(benefit_share::numeric, 3) AS share, benefits_sought FROM ben.t ORDER BY who; SELECT * FROM segment.verify(\'ben.t\');'
:show
SELECT name FROM segment.scores WHERE tbl = 'ben.t'::regclass AND unanalyzed IS NOT NULL
UNION ALL SELECT name FROM segment.groups WHERE tbl = 'ben.t'::regclass AND unanalyzed IS NOT NULL;
SET segment.as_of = '2028-03-08 12:00:00.000001';
CALL segment.refresh('ben.t');
SELECT who, benefits_sought FROM ben.t WHERE who ~ 'year' ORDER BY who;
SELECT * FROM segment.verify('ben.t');

-- by rules
SET segment.as_of = :noon;
SELECT segment.drop_preset('ben.t', 'benefits_sought');
SELECT segment.add_preset('ben.t', 'benefits_sought', $$ {"quality": {"rule": "item LIKE 'organic%' AND event <> 'coupon'"}, "convenience": null,
	"price": "coupon", "least_signs": 2, "dominant_share": 0.4, "benefits_window": "2 years"} $$);
:show
-- by tags of one's own
SELECT segment.drop_preset('ben.t', 'benefits_sought');
SELECT segment.add_preset('ben.t', 'benefits_sought', $$ {"tag": "tag", "benefits": [["thrifty", "{{.benefit_dominant}} = 'cheap'"], ["caring", "{{.benefit_dominant}} = 'green'"]]} $$);
:show
SELECT segment.drop_preset('ben.t', 'benefits_sought');
SELECT * FROM ben.before WHERE d IS DISTINCT FROM segment.definition('ben.t');
SELECT segment.drop_table('ben.t');
DROP SCHEMA ben CASCADE;
