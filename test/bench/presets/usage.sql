CREATE TABLE plain.usage AS
WITH facts AS (
    SELECT customer_id, count(DISTINCT occurred_at::date) FILTER (WHERE kind IN ('login', 'use') AND occurred_at >= date_trunc('day', :now) - interval '27 days') AS days,
           count(*) FILTER (WHERE kind IN ('login', 'use') AND occurred_at > :now - interval '28 days') AS events,
           count(*) FILTER (WHERE kind IN ('login', 'use') AND occurred_at <= :now - interval '28 days' AND occurred_at > :now - interval '56 days') AS before,
           count(DISTINCT item) FILTER (WHERE kind = 'use' AND occurred_at > :now - interval '28 days') AS features,
           count(DISTINCT item) FILTER (WHERE kind = 'use' AND item IN ('feature 9', 'feature 10', 'feature 11') AND occurred_at > :now - interval '28 days') AS advanced,
           count(*) FILTER (WHERE kind = 'use' AND item = 'feature 1' AND occurred_at > :now - interval '28 days') AS a,
           count(*) FILTER (WHERE kind = 'use' AND item = 'feature 2' AND occurred_at > :now - interval '28 days') AS b,
           count(*) FILTER (WHERE kind = 'login' AND occurred_at > :now - interval '30 days') AS logins,
           max(occurred_at) FILTER (WHERE kind = 'login') AS last_login
    FROM presets.event WHERE kind IN ('login', 'use') AND occurred_at <= :now GROUP BY customer_id
), bands AS (
    SELECT customer_id, 1 + (rank() OVER (ORDER BY events) - 1) * 10 / count(*) OVER () AS band FROM facts WHERE events > 0
), readings AS (
    SELECT customer_id, count(*) FILTER (WHERE amount >= 0.95 * plan_limit) AS near
    FROM presets.event JOIN presets.account USING (customer_id)
    WHERE kind = 'meter' AND occurred_at > :now - interval '30 days' AND occurred_at <= :now GROUP BY customer_id
), lists AS (
    SELECT customer_id, (array_agg(amount ORDER BY occurred_at DESC, amount DESC))[1] AS size,
           coalesce((array_agg(amount ORDER BY occurred_at DESC, amount DESC) FILTER (WHERE occurred_at <= :now - interval '30 days'))[1],
                    (array_agg(amount ORDER BY occurred_at, amount))[1]) AS before
    FROM presets.event WHERE kind = 'list_size' AND occurred_at <= :now GROUP BY customer_id
)
SELECT customer_id, CASE WHEN days >= 16 THEN 'heavy' WHEN days >= 4 THEN 'medium' WHEN days >= 1 THEN 'light' END AS usage_tier,
       CASE WHEN band = 10 THEN 'super' WHEN band >= 6 THEN 'average' WHEN band >= 1 THEN 'light' END AS usage_level,
       days >= 20 AND advanced >= 2 AS power_user, logins BETWEEN 1 AND 4 AS casual_user, last_login <= :now - interval '30 days' AS inactive_at_risk,
       f.before >= 10 AND events <= 0.5 * f.before AS declining_usage, days >= 20 AND features IN (1, 2) AS narrow_daily_user,
       a >= 8 AND b <= 1 AS feature_gap, trial_ends > :now AND trial_ends <= :now + interval '7 days' AS trial_expiring,
       trial_ends > :now AND advanced >= 2 AS potential_power_user, near >= 3 AS near_plan_limit,
       size >= 100 AND size > l.before * 1.2 AS fast_list_growth
FROM presets.account LEFT JOIN facts f USING (customer_id) LEFT JOIN bands USING (customer_id)
LEFT JOIN readings USING (customer_id) LEFT JOIN lists l USING (customer_id);
