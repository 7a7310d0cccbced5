CREATE TABLE plain.user_status AS
SELECT customer_id, CASE WHEN latest <= :now - interval '180 days' THEN 'ex' WHEN purchases >= 2 THEN 'regular' WHEN purchases = 1 THEN 'first-time'
                         WHEN seen > :now - interval '90 days' THEN 'potential' ELSE 'non' END AS user_status
FROM (SELECT customer_id, max(occurred_at) AS seen, max(occurred_at) FILTER (WHERE kind = 'purchase') AS latest,
             count(*) FILTER (WHERE kind = 'purchase') AS purchases
      FROM presets.event WHERE occurred_at <= :now GROUP BY customer_id) e;
