-- A log of events in the order of time, and each aggregate beside the best plain
-- SQL for the same.  Variables: events, customers.

CREATE SCHEMA scores;
CREATE TABLE scores.events (
    customer_id bigint NOT NULL, at timestamptz NOT NULL, event text NOT NULL, item text NOT NULL, value float8 NOT NULL,
    cohort int NOT NULL);
SELECT setseed(0.25) \g /dev/null
-- two of three events follow within minutes of another one of the customer
INSERT INTO scores.events
SELECT customer_id, at, (ARRAY['view', 'view', 'view', 'view', 'view', 'cart', 'cart', 'buy'])[1 + floor(random() * 8)::int],
       'item ' || floor(10 * random() * random()), 1 + floor(random() * 100), customer_id % 1000
FROM (SELECT n, 1 + (n / 3 * 7919::bigint) % :customers AS customer_id,
             now() - interval '1 year' * (1 - (n / 3 * 3)::float8 / :events)
                   + interval '5 minutes' * (n % 3) * random() AS at
      FROM generate_series(0, :events - 1) n) e
ORDER BY at;
VACUUM ANALYZE scores.events;
CREATE TABLE scores.customers AS SELECT customer_id, sum(value) AS value FROM scores.events GROUP BY customer_id;
VACUUM ANALYZE scores.customers;

-- What is measured: "c" and "plain" have a column value; {events} is the table, or
-- where both are compared a part of it.
CREATE TABLE scores.score (position int GENERATED ALWAYS AS IDENTITY, name text, keeps text, faster text, c text, plain text);

INSERT INTO scores.score (name, keeps, faster, c, plain) VALUES
('floor', '', '',
 $$SELECT customer_id, ROW(count(*), max(at), sum(value)) AS value FROM {events} GROUP BY customer_id$$, NULL),

('engagement', 'O(1)', '',
 $$SELECT customer_id, segment.engagement(at, value, '14 days') AS value FROM {events} WHERE at <= now() GROUP BY customer_id$$,
 $$SELECT customer_id, sum(value * power(0.5::float8, extract(epoch FROM now() - at)::float8 / 1209600)) AS value
   FROM {events} WHERE at <= now() GROUP BY customer_id$$),

('sessions', 'sessions', '≥ 5 ×',
 $$SELECT customer_id, (s).sessions AS value FROM (SELECT customer_id, segment.sessions(at, '30 minutes') AS s FROM {events} GROUP BY customer_id OFFSET 0) e$$,
 $$SELECT customer_id, count(*) AS value
   FROM (SELECT customer_id, count(*), max(at) - min(at)
         FROM (SELECT customer_id, at, count(*) FILTER (WHERE opens) OVER (PARTITION BY customer_id ORDER BY at) AS session
               FROM (SELECT customer_id, at, at - lag(at) OVER (PARTITION BY customer_id ORDER BY at) > interval '30 minutes' AS opens
                     FROM {events}) e) e
         GROUP BY customer_id, session) s
   GROUP BY customer_id$$),

('funnel', 'events', '≥ 5 ×',
 $$SELECT customer_id, segment.funnel(at, '7 days', event = 'view', event = 'cart', event = 'buy') AS value FROM {events} GROUP BY customer_id$$,
 $$SELECT customer_id, max(CASE WHEN event = 'buy' AND at <= begun_2 + interval '7 days' THEN 3
                                WHEN begun IS NOT NULL AND event = 'cart' THEN 2 WHEN event = 'view' THEN 1 ELSE 0 END) AS value
   FROM (SELECT customer_id, at, event, begun, max(begun) OVER (PARTITION BY customer_id ORDER BY at) AS begun_2
         FROM (SELECT customer_id, at, event, CASE WHEN event = 'cart' AND at <= viewed + interval '7 days' THEN viewed END AS begun
               FROM (SELECT customer_id, at, event, max(at) FILTER (WHERE event = 'view') OVER (PARTITION BY customer_id ORDER BY at) AS viewed
                     FROM {events}) e) e) e
   GROUP BY customer_id$$),

('sequence_match', 'events', '',
 $$SELECT customer_id, segment.sequence_match('(?1)(?2).*(?3)', at, event = 'view', event = 'cart', event = 'buy') AS value FROM {events} GROUP BY customer_id$$,
 $$SELECT customer_id, string_agg(left(event, 1), '' ORDER BY at) ~ 'vc.*b' AS value FROM {events} GROUP BY customer_id$$),

('retention', 'O(1)', '',
 $$SELECT customer_id, segment.retention(event = 'view', event = 'cart', event = 'buy') AS value FROM {events} GROUP BY customer_id$$,
 $$SELECT customer_id, ARRAY[bool_or(event = 'view'), bool_or(event = 'view') AND bool_or(event = 'cart'), bool_or(event = 'view') AND bool_or(event = 'buy')] AS value
   FROM {events} GROUP BY customer_id$$),

('retention_periods', 'events', '',
 $$SELECT customer_id, segment.retention_periods(at, '30 days', 6) AS value FROM {events} GROUP BY customer_id$$,
 $$SELECT customer_id, ARRAY[true, bool_or(n = 1), bool_or(n = 2), bool_or(n = 3), bool_or(n = 4), bool_or(n = 5)] AS value
   FROM (SELECT customer_id, floor(extract(epoch FROM at - min(at) OVER (PARTITION BY customer_id)) / 2592000) AS n FROM {events}) e GROUP BY customer_id$$),

('streak', 'days', '≥ 5 ×',
 $$SELECT customer_id, (s).longest AS value FROM (SELECT customer_id, segment.streak(at) AS s FROM {events} GROUP BY customer_id OFFSET 0) e$$,
 $$SELECT customer_id, max(days)::int AS value
   FROM (SELECT customer_id, count(*) AS days, max(day) AS last
         FROM (SELECT customer_id, day, day - (row_number() OVER (PARTITION BY customer_id ORDER BY day))::int AS run
               FROM (SELECT DISTINCT customer_id, at::date AS day FROM {events} WHERE at <= now()) d) r
         GROUP BY customer_id, run) s
   GROUP BY customer_id$$),

('repeat_purchase', 'days', '',
 $$SELECT customer_id, (s).frequency AS value FROM (SELECT customer_id, segment.repeat_purchase(at) AS s FROM {events} GROUP BY customer_id OFFSET 0) e$$,
 $$SELECT customer_id, n AS value FROM (
     SELECT customer_id, (count(DISTINCT at::date) - 1)::int AS n, max(at)::date - min(at)::date, current_date - min(at)::date
     FROM {events} WHERE at <= now() GROUP BY customer_id) e$$),

-- in whole microseconds, since percentile_cont and segment.rhythm round halves in other ways
('rhythm', 'events', '≥ 5 ×',
 $$SELECT customer_id, round(extract(epoch FROM (s).median)::float8 * 1000000) AS value
   FROM (SELECT customer_id, segment.rhythm(at) AS s FROM {events} GROUP BY customer_id OFFSET 0) e$$,
 $$SELECT customer_id, floor(median + 0.5) AS value
   FROM (SELECT customer_id, avg(gap), percentile_cont(0.5) WITHIN GROUP (ORDER BY gap) AS median, stddev_samp(gap), max(at)
         FROM (SELECT customer_id, at, round(extract(epoch FROM at - lag(at) OVER (PARTITION BY customer_id ORDER BY at))::float8 * 1000000) AS gap
               FROM {events} WHERE at <= now()) g
         GROUP BY customer_id) e$$),

('affinity', 'items', '',
 $$SELECT customer_id, (s).top AS value FROM (SELECT customer_id, segment.affinity(item, value) AS s FROM {events} GROUP BY customer_id OFFSET 0) e$$,
 $$SELECT customer_id, max(item) FILTER (WHERE place = 1) AS value
   FROM (SELECT customer_id, item, weight, row_number() OVER (PARTITION BY customer_id ORDER BY weight DESC, item COLLATE "C") AS place
         FROM (SELECT customer_id, item, sum(value) AS weight FROM {events} GROUP BY customer_id, item) i) r
   GROUP BY customer_id$$),

('top_items', 'items', '',
 $$SELECT customer_id, segment.top_items(item, value, 3) AS value FROM {events} GROUP BY customer_id$$,
 $$SELECT customer_id, array_agg(item ORDER BY place) AS value
   FROM (SELECT customer_id, item, row_number() OVER (PARTITION BY customer_id ORDER BY weight DESC, item COLLATE "C") AS place
         FROM (SELECT customer_id, item, sum(value) AS weight FROM {events} GROUP BY customer_id, item) i) r
   WHERE place <= 3 GROUP BY customer_id$$),

('unconverted', 'items', '',
 $$SELECT customer_id, cardinality(segment.unconverted(item, event = 'view', event = 'buy', at, 2)) AS value FROM {events} GROUP BY customer_id$$,
 $$SELECT customer_id, cardinality(coalesce(array_agg(item ORDER BY wanted DESC) FILTER (WHERE wants >= 2 AND (bought < wanted OR bought IS NULL)), '{}')) AS value
   FROM (SELECT customer_id, item, count(*) FILTER (WHERE event = 'view') AS wants, max(at) FILTER (WHERE event = 'view') AS wanted,
                max(at) FILTER (WHERE event = 'buy') AS bought FROM {events} GROUP BY customer_id, item) i
   GROUP BY customer_id$$),

('occasion', 'O(1)', '',
 $$SELECT customer_id, (s).month AS value FROM (SELECT customer_id, segment.occasion(at) AS s FROM {events} GROUP BY customer_id OFFSET 0) e$$,
 $$SELECT customer_id, month AS value FROM (
     SELECT customer_id, mode() WITHIN GROUP (ORDER BY extract(hour FROM at)), mode() WITHIN GROUP (ORDER BY extract(isodow FROM at)),
            mode() WITHIN GROUP (ORDER BY extract(month FROM at)::int) AS month, count(*) FROM {events} GROUP BY customer_id) e$$),

('trend', 'O(1)', '',
 $$SELECT customer_id, segment.trend(at, value, '30 days') AS value FROM {events} GROUP BY customer_id$$,
 $$SELECT customer_id, coalesce(sum(value) FILTER (WHERE at > now() - interval '30 days'), 0) /
          nullif(sum(value) FILTER (WHERE at > now() - interval '60 days' AND at <= now() - interval '30 days'), 0) AS value
   FROM {events} WHERE at <= now() GROUP BY customer_id$$),

('journey', 'O(1)', '',
 $$SELECT customer_id, (s).furthest_at AS value FROM (SELECT customer_id, segment.journey(at, event = 'view', event = 'cart', event = 'buy') AS s FROM {events} GROUP BY customer_id OFFSET 0) e$$,
 $$SELECT customer_id, (array_agg(at ORDER BY stage DESC, at))[1] AS value
   FROM (SELECT customer_id, at, CASE event WHEN 'view' THEN 1 WHEN 'cart' THEN 2 WHEN 'buy' THEN 3 END AS stage FROM {events}) e GROUP BY customer_id$$),

('first', 'O(1)', '',
 $$SELECT customer_id, segment.first(item, at) AS value FROM {events} GROUP BY customer_id$$,
 $$SELECT customer_id, (array_agg(item ORDER BY at, item))[1] AS value FROM {events} GROUP BY customer_id$$),

('concentration (of the customers)', 'values', '',
 $$SELECT 1 AS customer_id, segment.concentration(value) AS value FROM scores.customers$$,
 $$SELECT 1 AS customer_id, sum((2 * place - n - 1) * value) / (max(n) * sum(value)) AS value
   FROM (SELECT value, row_number() OVER (ORDER BY value) AS place, count(*) OVER () AS n FROM scores.customers) v$$);

-- The query that is timed: nothing of the result can be left out, and one row comes
-- back.  By customer, or by cohort, of which there are a thousand.
CREATE FUNCTION scores.timed(query text, by text DEFAULT 'customer_id') RETURNS text LANGUAGE sql AS $$
    SELECT format('SELECT count(*), count(value) FROM (%s OFFSET 0) x', replace(query, '{events}',
        format('(SELECT %I AS customer_id, at, event, item, value FROM scores.events) e', by)))
$$;

-- Scores of which C and plain SQL say something else about one customer in a hundred.
CREATE FUNCTION scores.differences() RETURNS TABLE (name text, customers bigint) LANGUAGE plpgsql AS $$
DECLARE
    s scores.score;
BEGIN
    CREATE TEMP TABLE part AS SELECT * FROM scores.events WHERE customer_id % 100 = 0;
    FOR s IN SELECT * FROM scores.score WHERE plain IS NOT NULL LOOP
        name := s.name;
        EXECUTE format($q$SELECT count(*) FROM (%s) c FULL JOIN (%s) p USING (customer_id)
                          WHERE to_jsonb(c.value) IS DISTINCT FROM to_jsonb(p.value)
                          AND NOT coalesce(jsonb_typeof(to_jsonb(c.value)) = 'number'
                                           AND abs(to_jsonb(c.value)::numeric - to_jsonb(p.value)::numeric) <= 1e-9 * to_jsonb(p.value)::numeric, false)$q$,
                       replace(s.c, '{events}', 'part'), replace(s.plain, '{events}', 'part')) INTO customers;
        IF customers > 0 THEN
            RETURN NEXT;
        END IF;
    END LOOP;
    DROP TABLE part;
END $$;
