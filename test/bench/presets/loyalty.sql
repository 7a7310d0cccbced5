CREATE TABLE plain.loyalty AS
SELECT customer_id, CASE WHEN purchases >= 2 AND advocacy >= 1 THEN 'advocate' WHEN purchases >= 2 THEN 'repeat customer'
                         WHEN purchases = 1 THEN 'customer' WHEN visits >= 2 THEN 'repeat visitor' ELSE 'first-time visitor' END AS loyalty_stage
FROM (SELECT customer_id, count(*) FILTER (WHERE kind = 'purchase') AS purchases,
             count(*) FILTER (WHERE kind IN ('referral', 'review', 'share')) AS advocacy,
             count(*) FILTER (WHERE pause IS NULL OR pause > interval '30 minutes') AS visits
      FROM (SELECT customer_id, kind, occurred_at - lag(occurred_at) OVER (PARTITION BY customer_id ORDER BY occurred_at) AS pause
            FROM presets.event WHERE occurred_at <= :now) e
      GROUP BY customer_id) s;
