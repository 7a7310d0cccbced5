CREATE TABLE plain.engagement AS
SELECT customer_id, CASE WHEN points >= 20 THEN 'high' WHEN points >= 5 THEN 'average' WHEN points > 0 THEN 'occasional' END AS engagement_level,
       signup > :now - interval '30 days' AND emails >= 3 AS engaged_new_subscriber, emails >= 3 AND clicks = 0 AS reads_not_clicks,
       engaged <= :now - interval '90 days' AND engaged > :now - interval '1 year' AS reengage_inactive,
       loaded > :now - interval '30 days' AND (bought IS NULL OR bought < loaded) AS downloaded_nurture
FROM (SELECT customer_id, sum(CASE kind WHEN 'view' THEN 1 WHEN 'click' THEN 2 WHEN 'play' THEN 2 WHEN 'like' THEN 3 WHEN 'share' THEN 3 END)
                 FILTER (WHERE occurred_at > :now - interval '30 days') AS points,
             count(DISTINCT item) FILTER (WHERE kind = 'email_open' AND occurred_at > :now - interval '30 days') AS emails,
             count(*) FILTER (WHERE kind = 'click' AND occurred_at > :now - interval '30 days') AS clicks,
             min(occurred_at) FILTER (WHERE kind = 'signup') AS signup, max(occurred_at) FILTER (WHERE kind = 'purchase') AS bought,
             max(occurred_at) FILTER (WHERE kind = 'download' AND item IN ('whitepaper', 'price list')) AS loaded,
             max(occurred_at) FILTER (WHERE kind IN ('view', 'email_open', 'click', 'play', 'like', 'share')) AS engaged
      FROM presets.event
      WHERE kind IN ('view', 'click', 'play', 'like', 'share', 'email_open', 'signup', 'purchase', 'download') AND occurred_at <= :now
      GROUP BY customer_id) e;
