CREATE TABLE plain.journey AS
SELECT customer_id,
       CASE WHEN pricing_visits >= 3 AND pricing_at > last OR cart > last AND cart > :now - interval '30 days' THEN 'decision'
            WHEN views >= 3 AND view_at > last THEN 'consideration'
            WHEN touched_at > last AND touched_at > :now - interval '30 days' THEN 'awareness' END AS journey_stage
FROM (SELECT customer_id, coalesce(max(occurred_at) FILTER (WHERE kind = 'purchase'), '-infinity') AS last,
             max(occurred_at) FILTER (WHERE kind = 'cart') AS cart, max(occurred_at) FILTER (WHERE kind = 'view') AS view_at,
             max(occurred_at) FILTER (WHERE kind IN ('view', 'click', 'email_open', 'signup')) AS touched_at,
             count(*) FILTER (WHERE kind = 'view' AND occurred_at > :now - interval '30 days') AS views,
             max(occurred_at) FILTER (WHERE kind = 'view' AND item IN ('pricing', '/pricing')) AS pricing_at,
             count(*) FILTER (WHERE kind = 'view' AND item IN ('pricing', '/pricing') AND occurred_at >= date_trunc('week', :now)) AS pricing_visits
      FROM presets.event WHERE kind IN ('view', 'click', 'email_open', 'signup', 'cart', 'purchase') AND occurred_at <= :now
      GROUP BY customer_id) e;
