-- Events of some thousand customers in the order of time, and the same scores
-- by the C aggregates and in plain SQL.  Variable: events.

CREATE SCHEMA stream;
CREATE TABLE stream.events (customer_id bigint NOT NULL, at timestamptz NOT NULL, weight float8 NOT NULL);
SELECT setseed(0.25) \g /dev/null
-- two of three events follow within minutes of another one of the customer
INSERT INTO stream.events
SELECT customer_id, at, 1 + (n % 5)
FROM (SELECT n, 1 + (n / 3) % (:events / 40) AS customer_id,
             now() - interval '1 year' * (1 - (n / 3 * 3)::float8 / :events)
                   + interval '5 minutes' * (n % 3) * random() AS at
      FROM generate_series(0, :events - 1) n) e
ORDER BY at;
VACUUM ANALYZE stream.events;

CREATE VIEW stream.sessions_c AS
SELECT customer_id, (s).sessions, (s).events, (s).total, (s).longest, (s).last_started_at
FROM (SELECT customer_id, segment.sessions(at, interval '30 minutes') AS s
      FROM stream.events GROUP BY customer_id OFFSET 0) x;

CREATE VIEW stream.sessions_plain AS
SELECT customer_id, count(*) AS sessions, sum(events)::bigint AS events, sum(ended - started) AS total,
       max(ended - started) AS longest, max(started) AS last_started_at
FROM (SELECT customer_id, count(*) AS events, min(at) AS started, max(at) AS ended
      FROM (SELECT customer_id, at, count(*) FILTER (WHERE opens) OVER (PARTITION BY customer_id ORDER BY at) AS session
            FROM (SELECT customer_id, at,
                         at - lag(at) OVER (PARTITION BY customer_id ORDER BY at) > interval '30 minutes' AS opens
                  FROM stream.events) e) e
      GROUP BY customer_id, session) s
GROUP BY customer_id;

CREATE VIEW stream.engagement_c AS
SELECT customer_id, segment.engagement(at, weight, interval '14 days') AS engagement
FROM stream.events WHERE at <= now() GROUP BY customer_id;

CREATE VIEW stream.engagement_plain AS
SELECT customer_id, sum(weight * power(0.5::float8, extract(epoch FROM now() - at)::float8 / 1209600)) AS engagement
FROM stream.events WHERE at <= now() GROUP BY customer_id;

CREATE VIEW stream.differences AS
SELECT customer_id FROM (TABLE stream.sessions_plain EXCEPT TABLE stream.sessions_c) s
UNION ALL
SELECT customer_id FROM stream.engagement_plain p JOIN stream.engagement_c c USING (customer_id)
WHERE abs(p.engagement - c.engagement) > 1e-9 * p.engagement;
