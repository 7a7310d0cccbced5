-- Preset interest: the favorite category and how much of the interest it holds.
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE SCHEMA intr;
CREATE TABLE intr.event (who text, at timestamptz, what text, item text, category text);
CREATE INDEX ON intr.event (who);
SELECT segment.create_table('intr.t', 'who', 'text', time_zone => 'UTC');
SELECT segment.add_source('intr.t', 'intr.event', key => 'who', at => 'at', event => 'what', item => 'item',
	extra => '{"Category of it": "category"}');
CREATE TABLE intr.before AS SELECT segment.definition('intr.t') AS d;

\set noon '\'2028-03-08 12:00\''
SET segment.as_of = :noon;
-- who, ago, event, items
INSERT INTO intr.event SELECT who, timestamptz :noon - ago::interval, what, item, CASE WHEN item IN ('tea', 'cup') THEN 'kitchen' WHEN item = 'rake' THEN 'garden' END
FROM (VALUES
	('focused on 3 of 5', '1 day', 'view', '{tea,tea,tea,rake,cup}'),
	('mixed, 4 of 7', '1 day', 'view', '{tea,tea,tea,tea,rake,rake,cup}'),
	('2 events', '1 day', 'view', '{tea,tea}'), ('3 events of 3 kinds', '1 day', 'view', '{tea}'), ('3 events of 3 kinds', '1 day', 'cart', '{tea}'),
	('3 events of 3 kinds', '1 day', 'purchase', '{tea}'), ('3 events of another kind', '1 day', 'search', '{tea,tea,tea}'),
	('last within 90 d', '89 days 23:59:59.999999', 'view', '{tea,tea,tea}'), ('last 90 d ago', '90 days', 'view', '{tea,tea,tea}'),
	('a tie, by name', '1 day', 'view', '{tea,tea,cup,cup}'), ('without items', '1 day', 'view', '{NULL,NULL,NULL}'),
	('2 of 5 without items', '1 day', 'view', '{tea,tea,rake,NULL,NULL}')) v(who, ago, what, items), unnest(items::text[]) item;
SET client_min_messages = notice;
SELECT segment.add_preset('intr.t', 'interest');
SET client_min_messages = warning;
\set show 'CALL segment.refresh(\'intr.t\'); SELECT who, interest_category AS category, round(interest_share::numeric, 3) AS share, interest_events AS events, interest_focus AS focus FROM intr.t ORDER BY who; SELECT * FROM segment.verify(\'intr.t\');'
:show
SELECT name FROM segment.scores WHERE tbl = 'intr.t'::regclass AND unanalyzed IS NOT NULL
UNION ALL SELECT name FROM segment.groups WHERE tbl = 'intr.t'::regclass AND unanalyzed IS NOT NULL;
CREATE TABLE intr.was AS TABLE intr.t;
SET segment.as_of = '2028-03-08 12:00:00.000001';
CALL segment.refresh('intr.t');
SELECT who, was.interest_focus AS was, t.interest_focus AS focus, t.interest_category, t.interest_events FROM intr.t JOIN intr.was USING (who)
WHERE was.interest_events <> t.interest_events;
SELECT * FROM segment.verify('intr.t');

-- other options: categories of an extra column, beside the first by a prefix
SET segment.as_of = :noon;
SELECT segment.add_preset('intr.t', 'interest', '{"prefix": "by_", "category": "Category of it", "interest": ["view", "search"], "interest_window": "1 year",
	"least_events": 2, "focused_share": 0.75}');
CALL segment.refresh('intr.t');
SELECT who, interest_category AS item, by_interest_category AS category, round(by_interest_share::numeric, 3) AS share, by_interest_focus AS focus FROM intr.t ORDER BY who;
SELECT * FROM segment.verify('intr.t');
SELECT segment.drop_preset('intr.t', 'interest', 'by_');
SELECT segment.drop_preset('intr.t', 'interest');
SELECT * FROM intr.before WHERE d IS DISTINCT FROM segment.definition('intr.t');
SELECT segment.drop_table('intr.t');
DROP SCHEMA intr CASCADE;
