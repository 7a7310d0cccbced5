CREATE TABLE plain.interest AS
SELECT customer_id, CASE WHEN sum(n) >= 3 THEN CASE WHEN max(n) >= 0.6 * sum(n) THEN 'focused' ELSE 'mixed' END END AS interest_focus
FROM (SELECT customer_id, category, count(*) AS n FROM presets.event
      WHERE kind IN ('view', 'cart', 'purchase') AND occurred_at > :now - interval '90 days' AND occurred_at <= :now AND category IS NOT NULL
      GROUP BY customer_id, category) c
GROUP BY customer_id;
