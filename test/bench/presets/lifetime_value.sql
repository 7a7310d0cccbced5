CREATE TABLE plain.lifetime_value AS
SELECT customer_id, CASE WHEN band = 10 THEN 'top' WHEN band >= 8 THEN 'high' WHEN band >= 4 THEN 'medium' WHEN band >= 1 THEN 'low'
                         ELSE 'none' END AS lifetime_value_tier
FROM presets.account
LEFT JOIN (SELECT customer_id, 1 + (rank() OVER (ORDER BY sum(amount)) - 1) * 10 / count(*) OVER () AS band
           FROM presets.event WHERE kind = 'purchase' AND occurred_at <= :now GROUP BY customer_id) b USING (customer_id);
