CREATE TABLE plain.b2b AS
SELECT customer_id, active > 0 AND active >= 0.8 * seats OR limits >= 3 AS upgrade_ready, active < 0.5 * seats AS seats_idle,
       tickets >= 3 OR active < 0.5 * before AS needs_help,
       CASE WHEN active = 0 THEN 'quiet' WHEN first > :now - interval '30 days' THEN 'new' WHEN active > before THEN 'growing'
            WHEN active < before THEN 'shrinking' ELSE 'steady' END AS account_trend
FROM (SELECT customer_id, min(occurred_at) AS first, count(DISTINCT user_id) FILTER (WHERE occurred_at > :now - interval '30 days') AS active,
             count(DISTINCT user_id) FILTER (WHERE occurred_at <= :now - interval '30 days' AND occurred_at > :now - interval '60 days') AS before,
             count(*) FILTER (WHERE kind = 'limit_reached' AND occurred_at > :now - interval '30 days') AS limits,
             count(*) FILTER (WHERE kind = 'support_ticket' AND occurred_at > :now - interval '14 days') AS tickets
      FROM presets.event WHERE occurred_at <= :now GROUP BY customer_id) e
JOIN presets.account USING (customer_id);
