CREATE TABLE plain.streaming AS
WITH e AS MATERIALIZED (
    SELECT customer_id, occurred_at AS at, kind, item, series FROM presets.event
    WHERE kind IN ('start', 'complete', 'finale') AND occurred_at > :now - interval '90 days' AND occurred_at <= :now
), items AS (
    SELECT customer_id, count(DISTINCT item) AS n, count(DISTINCT item) FILTER (WHERE kind = 'complete') AS completed
    FROM e WHERE kind <> 'finale' GROUP BY customer_id
), binges AS (
    SELECT customer_id, bool_or(second <= interval '2 hours' AND first <= interval '2 hours') AS binge
    FROM (SELECT customer_id, at - lag(at) OVER w AS second, lag(at) OVER w - lag(at, 2) OVER w AS first
          FROM e WHERE kind = 'complete' WINDOW w AS (PARTITION BY customer_id ORDER BY at)) c
    GROUP BY customer_id
), given_up AS (
    SELECT customer_id, bool_or(seen <= :now - interval '30 days' AND (finale IS NULL OR finale < seen)) AS quitter
    FROM (SELECT customer_id, max(at) FILTER (WHERE kind <> 'finale') AS seen, max(at) FILTER (WHERE kind = 'finale') AS finale
          FROM e GROUP BY customer_id, series) s
    GROUP BY customer_id
), parts AS (
    SELECT customer_id, coalesce(max(part) FILTER (WHERE n * 2 > total), 'mixed') AS part
    FROM (SELECT customer_id, part, count(*) AS n, sum(count(*)) OVER (PARTITION BY customer_id) AS total
          FROM (SELECT customer_id, CASE WHEN hour < 6 OR hour >= 22 THEN 'night' WHEN hour < 12 THEN 'morning' WHEN hour < 18 THEN 'afternoon' ELSE 'evening' END AS part
                FROM (SELECT customer_id, extract(hour FROM at) AS hour FROM e WHERE kind = 'start') h) p
          GROUP BY customer_id, part) q
    GROUP BY customer_id
)
SELECT customer_id, CASE WHEN n >= 3 THEN CASE WHEN completed >= 0.8 * n THEN 'high' WHEN completed >= 0.4 * n THEN 'medium' ELSE 'low' END END AS completion_level,
       binge, quitter AS series_quitter, part AS viewing_daypart
FROM items FULL JOIN binges USING (customer_id) FULL JOIN given_up USING (customer_id) FULL JOIN parts USING (customer_id);
