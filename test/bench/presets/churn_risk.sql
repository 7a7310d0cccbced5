CREATE TABLE plain.churn_risk AS
SELECT customer_id, overdue AS churn_overdue, declining AS churn_declining,
       CASE WHEN since >= 6 * gap THEN 'lost' WHEN since >= 3 * gap OR overdue AND declining THEN 'high'
            WHEN overdue OR declining THEN 'medium' WHEN gap IS NOT NULL THEN 'low' ELSE 'unknown' END AS churn_risk
FROM (SELECT *, coalesce(since >= 2 * gap, false) AS overdue, before >= 3 AND recent <= 0.5 * before AS declining
      FROM (SELECT customer_id, extract(epoch FROM :now - max(occurred_at)) AS since,
                   CASE WHEN count(*) >= 3 THEN greatest(percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM pause)), 7 * 86400) END AS gap,
                   count(*) FILTER (WHERE occurred_at > :now - interval '90 days') AS recent,
                   count(*) FILTER (WHERE occurred_at > :now - interval '180 days' AND occurred_at <= :now - interval '90 days') AS before
            FROM (SELECT customer_id, occurred_at, occurred_at - lag(occurred_at) OVER (PARTITION BY customer_id ORDER BY occurred_at) AS pause
                  FROM presets.event WHERE kind = 'purchase' AND occurred_at <= :now) p
            GROUP BY customer_id) s) c;
