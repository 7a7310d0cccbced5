-- Bands: 1 + the number of cut points below, of five equal parts.
CREATE TABLE plain.rfm AS
SELECT customer_id, r::text || f || m AS rfm_score,
       CASE WHEN r = 5 AND f >= 4 THEN 'Champions' WHEN r IN (3, 4) AND f >= 4 THEN 'Loyal'
            WHEN r >= 4 AND f IN (2, 3) THEN 'Potential Loyalist' WHEN r = 5 THEN 'New' WHEN r = 4 THEN 'Promising'
            WHEN r = 3 AND f = 3 THEN 'Need Attention' WHEN r = 3 THEN 'About To Sleep'
            WHEN f IN (3, 4) THEN 'At Risk' WHEN f = 5 THEN 'Can''t Lose' ELSE 'Hibernating' END AS rfm_segment
FROM (SELECT customer_id, 1 + (rank() OVER (ORDER BY latest) - 1) * 5 / n AS r, 1 + (rank() OVER (ORDER BY purchases) - 1) * 5 / n AS f,
             1 + (rank() OVER (ORDER BY spent) - 1) * 5 / n AS m
      FROM (SELECT customer_id, max(occurred_at) AS latest, count(*) AS purchases, sum(amount) AS spent, count(*) OVER () AS n
            FROM presets.event WHERE kind = 'purchase' AND occurred_at <= :now GROUP BY customer_id) p) b;
