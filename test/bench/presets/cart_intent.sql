CREATE TABLE plain.cart_intent AS
WITH items AS (
    SELECT DISTINCT customer_id FROM presets.event
    WHERE kind IN ('view', 'purchase') AND occurred_at > :now - interval '7 days' AND occurred_at <= :now
    GROUP BY customer_id, item HAVING count(*) FILTER (WHERE kind = 'view') >= 4 AND NOT bool_or(kind = 'purchase')
)
SELECT customer_id, abandoned AS cart_abandoner,
       CASE WHEN abandoned THEN CASE WHEN cart <= :now - interval '48 hours' THEN '48 h' WHEN cart <= :now - interval '24 hours' THEN '24 h' ELSE '1 h' END END AS cart_stage,
       views >= 3 AND last IS NULL AS browser_non_buyer, i.customer_id IS NOT NULL AS high_intent_shopper
FROM (SELECT customer_id, cart, last, views, coalesce(cart > coalesce(last, '-infinity') AND cart <= :now - interval '1 hour'
             AND cart > :now - interval '30 days', false) AS abandoned
      FROM (SELECT customer_id, max(occurred_at) FILTER (WHERE kind = 'cart') AS cart, max(occurred_at) FILTER (WHERE kind = 'purchase') AS last,
                   count(*) FILTER (WHERE kind = 'view' AND occurred_at > :now - interval '30 days') AS views
            FROM presets.event WHERE kind IN ('view', 'cart', 'purchase') AND occurred_at <= :now GROUP BY customer_id) e) s
LEFT JOIN items i USING (customer_id);
