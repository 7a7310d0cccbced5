CREATE TABLE plain.benefits_sought AS
SELECT customer_id, CASE WHEN n >= 3 AND quality * 2 > n THEN 'quality' WHEN n >= 3 AND price * 2 > n THEN 'price'
                         WHEN n >= 3 AND (n - quality - price) * 2 > n THEN 'convenience' END AS benefits_sought
FROM (SELECT customer_id, count(*) AS n, count(*) FILTER (WHERE kind IN ('review', 'compare')) AS quality,
             count(*) FILTER (WHERE kind IN ('coupon', 'price_filter')) AS price
      FROM presets.event
      WHERE kind IN ('review', 'compare', 'coupon', 'price_filter', 'express', 'reorder') AND occurred_at > :now - interval '1 year' AND occurred_at <= :now
      GROUP BY customer_id) s;
