-- The preset starter: five segments, of which everybody with an event has exactly one.
SET client_min_messages = notice;
SET timezone = 'UTC';
CREATE SCHEMA starter;
CREATE TABLE starter.event (who text, at timestamptz, what text);
CREATE TABLE starter.person (who text PRIMARY KEY);
SELECT segment.create_table('starter.c', 'who', 'text', 'Europe/Berlin');
SELECT segment.add_source('starter.c', 'starter.event', key => 'who', at => 'at', event => 'what');
SELECT segment.add_attributes('starter.c', 'starter.person', 'who', '{}');
INSERT INTO starter.person VALUES ('never came');
SET segment.as_of = '2028-03-01 12:00:00+00';
INSERT INTO starter.event VALUES
    ('new: came just now', '2028-03-01 12:00+00', 'visit'),
    ('new: a microsecond less than 30 days ago', '2028-01-31 12:00:00.000001+00', 'visit'),
    ('at risk: 30 days ago', '2028-01-31 12:00+00', 'visit'),
    ('active: first 30 days ago, again today', '2028-01-31 12:00+00', 'visit'),
    ('active: first 30 days ago, again today', '2028-03-01 12:00+00', 'visit'),
    ('at risk: a microsecond less than 90 days ago', '2027-12-02 12:00:00.000001+00', 'visit'),
    ('lapsed: 90 days ago', '2027-12-02 12:00+00', 'visit'),
    ('new: comes tomorrow', '2028-03-02 12:00+00', 'visit'),
    ('new: 15 days ago', '2028-02-15 12:00+00', 'visit'),
    ('active: first 40 days ago, again a microsecond less than 30 days ago', '2028-01-21 12:00+00', 'visit'),
    ('active: first 40 days ago, again a microsecond less than 30 days ago', '2028-01-31 12:00:00.000001+00', 'visit'),
    ('at risk: first 100 days ago, again 40 days ago', '2027-11-22 12:00+00', 'visit'),
    ('at risk: first 100 days ago, again 40 days ago', '2028-01-21 12:00+00', 'visit'),
    ('at risk: 60 days ago', '2028-01-01 12:00+00', 'visit'),
    ('at risk: a microsecond less than 60 days ago', '2028-01-01 12:00:00.000001+00', 'visit');
INSERT INTO starter.event
SELECT w, last - n * interval '1 day', 'visit' FROM generate_series(0, 3) n, (VALUES ('new: four days', timestamptz '2028-03-01 12:00+00'),
    ('loyal: four days, the last a microsecond less than 30 days ago', '2028-01-31 12:00:00.000001+00'),
    ('at risk: four days, the last 30 days ago', '2028-01-31 12:00+00')) v(w, last);
-- The fourth day decides; midnight is that of Berlin.
INSERT INTO starter.event
SELECT w, d, 'visit' FROM (VALUES ('loyal: four days'), ('active: three days and a day of the same date in Berlin')) w(w),
    unnest(ARRAY[timestamptz '2028-01-01 22:30+00', '2028-02-10 12:00+00', '2028-02-20 12:00+00']) d;
INSERT INTO starter.event VALUES
    ('loyal: four days', '2028-01-01 23:00+00', 'visit'),
    ('active: three days and a day of the same date in Berlin', '2028-01-01 22:59+00', 'visit');
SELECT segment.add_preset('starter.c', 'starter');
CALL segment.refresh('starter.c');
CREATE VIEW starter.seen AS
SELECT who, concat_ws(' + ', CASE WHEN starter_new THEN 'new' END, CASE WHEN starter_loyal THEN 'loyal' END,
    CASE WHEN starter_active THEN 'active' END, CASE WHEN starter_at_risk THEN 'at risk' END,
    CASE WHEN starter_lapsed THEN 'lapsed' END) AS segments FROM starter.c;
SELECT segments = split_part(who, ':', 1) AS "as named", * FROM starter.seen ORDER BY who COLLATE "C";
SELECT * FROM segment.verify('starter.c');
SELECT name FROM segment.segments WHERE tbl = 'starter.c'::regclass AND unanalyzed IS NOT NULL;
-- A microsecond later, a day later, and when all have lapsed.
SET segment.as_of = '2028-03-01 12:00:00.000001+00';
CALL segment.refresh('starter.c');
SELECT * FROM starter.seen WHERE segments <> split_part(who, ':', 1) ORDER BY who COLLATE "C";
SELECT * FROM segment.verify('starter.c');
SET segment.as_of = '2028-03-02 12:00:00+00';
CALL segment.refresh('starter.c');
SELECT * FROM starter.seen WHERE segments <> split_part(who, ':', 1) ORDER BY who COLLATE "C";
SELECT * FROM segment.verify('starter.c');
-- Days are those of Berlin, where the clocks go forward on 26 March.
SET segment.as_of = '2028-04-05 14:00:00+02';
INSERT INTO starter.event VALUES
    ('new: a microsecond less than 30 days ago, in winter', '2028-03-06 14:00:00.000001+01', 'visit'),
    ('at risk: 30 days ago, in winter', '2028-03-06 14:00+01', 'visit'),
    ('active: first 40 days ago, again a microsecond less than 30 days ago, in winter', '2028-02-25 14:00+01', 'visit'),
    ('active: first 40 days ago, again a microsecond less than 30 days ago, in winter', '2028-03-06 14:00:00.000001+01', 'visit'),
    ('at risk: a microsecond less than 90 days ago, in winter', '2028-01-06 14:00:00.000001+01', 'visit'),
    ('lapsed: 90 days ago, in winter', '2028-01-06 14:00+01', 'visit');
CALL segment.refresh('starter.c');
SELECT segments = split_part(who, ':', 1) AS "as named", * FROM starter.seen WHERE who ~ 'winter' ORDER BY who COLLATE "C";
SELECT * FROM segment.verify('starter.c');
DELETE FROM starter.event WHERE who ~ 'winter';
SET segment.as_of = '2028-05-31 12:00:00+00';
CALL segment.refresh('starter.c');
SELECT segments, count(*) FROM starter.seen GROUP BY 1 ORDER BY 1;
SELECT * FROM segment.verify('starter.c');
SELECT segment.drop_preset('starter.c', 'starter');
DROP VIEW starter.seen;
SELECT segment.drop_preset('starter.c', 'starter');

-- What counts as active is an option, and so are the bounds; even odd ones leave nobody in two.
INSERT INTO starter.event VALUES ('active: three days and a day of the same date in Berlin', '2028-03-01 12:00+00', 'mail sent'),
    ('mailed a year ago, visits today', '2027-03-01 12:00+00', 'mail sent'),
    ('mailed a year ago, visits today', '2028-03-01 12:00+00', 'visit'),
    ('visited 60 days ago, mailed today', '2028-01-01 12:00+00', 'visit'),
    ('visited 60 days ago, mailed today', '2028-03-01 12:00+00', 'mail sent'),
    ('mailed today', '2028-03-01 12:00+00', 'mail sent');
SELECT segment.add_preset('starter.c', 'starter', '{"activity": "visit", "new_for": "1 day", "active_for": "60 days",
    "lapsed_after": "30 days", "loyal_days": 2}');
SET segment.as_of = '2028-03-01 12:00:00+00';
CALL segment.rebuild('starter.c');
SELECT who, starter_days, starter_new, starter_loyal, starter_active, starter_at_risk, starter_lapsed FROM starter.c ORDER BY who COLLATE "C";
SELECT * FROM segment.verify('starter.c');
SELECT segment.drop_preset('starter.c', 'starter');
-- Who is new is nothing else, however soon the others lapse.
SELECT segment.add_preset('starter.c', 'starter', '{"new_for": "60 days", "active_for": "10 days", "lapsed_after": "20 days"}');
CALL segment.refresh('starter.c');
SELECT who, starter_new, starter_loyal, starter_active, starter_at_risk, starter_lapsed FROM starter.c
WHERE who ~ '(15|less than 30) days ago$|^visited' ORDER BY who COLLATE "C";
SELECT * FROM segment.verify('starter.c');
SELECT segment.drop_preset('starter.c', 'starter');
\d starter.c
SELECT segment.drop_table('starter.c');
DROP SCHEMA starter CASCADE;
