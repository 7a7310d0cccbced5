-- Every aggregate as a score of a segment table: NOTICEs for those that look at
-- the clock and for no others; days are those of the table's time zone.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS segment;
CREATE SCHEMA rule_aggregates;
SET search_path = rule_aggregates;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, MDY';
SET IntervalStyle = 'postgres';

CREATE TABLE clicks (visitor int, clicked_at timestamptz, page text, worth numeric);
INSERT INTO clicks
SELECT 1 + i % 3, timestamptz '2026-01-30 22:30+00' - i * i % 97 * interval '5 hours', (ARRAY['home', 'shop', 'cart', 'paid'])[1 + i * 7 % 4], i % 5
FROM generate_series(1, 60) i;

SELECT segment.create_table('visitors', key => 'visitor', key_type => 'int', time_zone => 'Asia/Kathmandu') \g /dev/null
SELECT segment.add_source('visitors', 'clicks', key => 'visitor', at => 'clicked_at', event => 'page', item => 'page', value => 'worth') \g /dev/null

CREATE FUNCTION add(name text, expression text) RETURNS void LANGUAGE sql AS
$$ SELECT segment.add_score('visitors', name, expression) $$;

-- these depend on the events alone; in what is set to mean a day, on the time zone
SET client_min_messages = notice;
SELECT add('visits', $$(segment.sessions(at, '1 day')).sessions$$),
       add('level', $$segment.funnel(at, '7 days', event = 'home', event = 'cart', event = 'paid')$$),
       add('strict_level', $$segment.funnel_by('strict_order', at, '7 days', event = 'home', event = 'cart')$$),
       add('reached', $$segment.funnel_times(at, '7 days', event = 'home', event = 'cart')$$),
       add('came_back', $$segment.sequence_match('(?1)(?t<''1 day'')(?2)', at, event = 'shop', event = 'home')$$),
       add('rounds', $$segment.sequence_count('(?1).*(?2)', at, event = 'home', event = 'paid')$$),
       add('seen', $$segment.sequence_events('(?1).*(?2)', at, event = 'home', event = 'paid')$$),
       add('kept', $$segment.retention(event = 'home', event = 'paid')$$),
       add('weeks', $$segment.retention_periods(at, '1 week', 3)$$),
       add('favorite', $$(segment.affinity(item)).top$$),
       add('liked', $$segment.top_items(item, value::float8, 2)$$),
       add('left_over', $$segment.unconverted(item, event = 'shop', event = 'cart', at)$$),
       add('hour', $$(segment.occasion(at)).hour$$),
       add('stage', $$(segment.journey(at, event = 'home', event = 'cart')).furthest$$),
       add('first_page', $$segment.first(item, at)$$),
       add('last_page', $$segment.last(item, at)$$),
       add('spread', $$segment.concentration(value::float8)$$) \g /dev/null
-- these look at the clock
SELECT add('engaged', $$segment.engagement(at, 1, '1 week')$$) \g /dev/null
SELECT add('row_of_days', $$(segment.streak(at)).current$$) \g /dev/null
SELECT add('repeats', $$(segment.repeat_purchase(at)).frequency$$) \g /dev/null
SELECT add('overdue', $$(segment.rhythm(at)).overdue$$) \g /dev/null
SELECT add('rising', $$segment.trend(at, 1, '1 week')$$) \g /dev/null
SET client_min_messages = warning;

SET segment.as_of = '2026-01-31 12:00+00';
CALL segment.refresh('visitors');
SELECT * FROM segment.verify('visitors');
SELECT visitor, visits, level, strict_level, came_back, rounds, kept, weeks, favorite, liked, left_over, hour, stage, first_page,
       last_page, round(spread::numeric, 6) AS spread, row_of_days, repeats
FROM visitors ORDER BY visitor;
-- the session's time zone does not matter, the table's does
SELECT c.visitor, v.row_of_days = s.current AS days, v.hour = o.hour AS hour
FROM visitors v JOIN (SELECT visitor, segment.streak(clicked_at) AS s, segment.occasion(clicked_at) AS o FROM clicks GROUP BY visitor) c USING (visitor),
     LATERAL (SELECT (c.s).current) s, LATERAL (SELECT (c.o).hour) o
ORDER BY visitor;
SET TimeZone = 'Asia/Kathmandu';
SELECT c.visitor, v.row_of_days = s.current AS days, v.hour = o.hour AS hour
FROM visitors v JOIN (SELECT visitor, segment.streak(clicked_at) AS s, segment.occasion(clicked_at) AS o FROM clicks GROUP BY visitor) c USING (visitor),
     LATERAL (SELECT (c.s).current) s, LATERAL (SELECT (c.o).hour) o
ORDER BY visitor;

-- what a row says follows from its events, also after some came late and others went
INSERT INTO clicks VALUES (1, '2026-01-30 20:00+00', 'paid', 4), (2, '2026-01-20 03:00+00', 'home', 2);
DELETE FROM clicks WHERE visitor = 3 AND page = 'home';
SET segment.as_of = '2026-02-02 12:00+00';
CALL segment.refresh('visitors');
SELECT * FROM segment.verify('visitors');

-- a condition that compares with now() changes at a known instant, without an event
SELECT segment.create_table('recent', key => 'visitor', key_type => 'int', time_zone => 'Asia/Kathmandu') \g /dev/null
SELECT segment.add_source('recent', 'clicks', key => 'visitor', at => 'clicked_at', event => 'page') \g /dev/null
SET client_min_messages = notice;
SELECT segment.add_score('recent', 'kept', $$retention(true, at > now() - interval '5 days')$$),
       segment.add_score('recent', 'level', $$funnel(at, '30 days', true, event = 'home' AND at > now() - interval '6 days')$$) \g /dev/null
SET client_min_messages = warning;
CALL segment.refresh('recent');
SELECT r.visitor, kept, level, valid_until = (SELECT min(instant) FROM (
           SELECT clicked_at + interval '5 days' AS instant FROM clicks c WHERE c.visitor = r.visitor UNION ALL
           SELECT clicked_at + interval '6 days' FROM clicks c WHERE c.visitor = r.visitor AND page = 'home') i
       WHERE instant > segment.now()) AS valid_until_the_next
FROM recent r ORDER BY visitor;
SET segment.as_of = '2026-02-10 12:00+00';
CALL segment.refresh('recent');
SELECT visitor, kept, level, valid_until FROM recent ORDER BY visitor;
SELECT * FROM segment.verify('recent');

SELECT segment.drop_table('recent') \g /dev/null
SELECT segment.drop_table('visitors') \g /dev/null
DROP SCHEMA rule_aggregates CASCADE;
