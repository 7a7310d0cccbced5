CREATE TABLE plain.starter AS
SELECT customer_id, is_new AS starter_new, NOT is_new AND active AND days >= 4 AS starter_loyal,
       NOT is_new AND active AND days < 4 AS starter_active, NOT is_new AND NOT active AND NOT lapsed AS starter_at_risk,
       NOT is_new AND lapsed AS starter_lapsed
FROM (SELECT customer_id, min(occurred_at) + interval '30 days' > :now AS is_new, max(occurred_at) + interval '30 days' > :now AS active,
             max(occurred_at) + interval '90 days' <= :now AS lapsed, count(DISTINCT occurred_at::date) AS days
      FROM presets.event WHERE occurred_at <= :now GROUP BY customer_id) e;
