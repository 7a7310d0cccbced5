CREATE TABLE plain.purchase_behavior AS
WITH e AS MATERIALIZED (
    SELECT customer_id, occurred_at AS at, kind, amount, category FROM presets.event
    WHERE kind IN ('purchase', 'view', 'cart', 'coupon') AND occurred_at <= :now
), facts AS (
    SELECT customer_id, count(*) FILTER (WHERE kind = 'purchase') AS n, min(at) FILTER (WHERE kind = 'purchase') AS first,
           max(at) FILTER (WHERE kind = 'purchase') AS last, count(*) FILTER (WHERE kind = 'purchase' AND at > :now - interval '365 days') AS orders,
           sum(amount) FILTER (WHERE kind = 'purchase' AND at > :now - interval '365 days') AS spent,
           count(*) FILTER (WHERE kind = 'coupon' AND at > :now - interval '365 days') AS deals,
           min(at) FILTER (WHERE kind = 'view') AS viewed, max(at) FILTER (WHERE kind = 'cart') AS cart,
           count(*) FILTER (WHERE kind = 'view' AND at > :now - interval '365 days') AS views,
           count(*) FILTER (WHERE kind = 'view' AND at > :now - interval '7 days') AS lately
    FROM e GROUP BY customer_id
), gaps AS (
    SELECT customer_id, percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM gap)) AS gap
    FROM (SELECT customer_id, at - lag(at) OVER (PARTITION BY customer_id ORDER BY at) AS gap FROM e WHERE kind = 'purchase') p
    WHERE gap IS NOT NULL GROUP BY customer_id
), tastes AS (
    SELECT customer_id, max(bought) / nullif(sum(bought), 0) AS share, count(*) FILTER (WHERE viewed > 0) AS compared
    FROM (SELECT customer_id, count(*) FILTER (WHERE kind = 'purchase') AS bought, count(*) FILTER (WHERE kind = 'view') AS viewed
          FROM e WHERE kind IN ('purchase', 'view') AND at > :now - interval '365 days' GROUP BY customer_id, category) i
    GROUP BY customer_id
), bands AS (
    SELECT customer_id, 1 + (rank() OVER (ORDER BY spent) - 1) * 5 / count(*) OVER () AS band FROM facts WHERE spent IS NOT NULL
)
SELECT customer_id, n = 1 AS first_time_buyer, n >= 3 AND last > :now - interval '90 days' AS repeat_loyal,
       orders >= 5 AND band = 5 AS high_value_frequent, orders IN (1, 2) AND band = 5 AS high_value_infrequent,
       last <= :now - interval '90 days' AS lapsed, orders >= 2 AND deals >= 0.5 * orders AS deal_seeker,
       first >= viewed AND first <= viewed + interval '1 hour' AS impulse, first >= viewed + interval '7 days' AS researcher,
       orders >= 1 AND views >= 5 * orders AND compared >= 3 * orders AS complex,
       orders >= 1 AND views >= 5 * orders AND compared < 3 * orders AS dissonance_reducing,
       orders >= 3 AND share >= 0.6 AND views < 5 * orders AS habitual, orders >= 3 AND share <= 0.4 AND views < 5 * orders AS variety_seeking,
       coalesce(cart > :now - interval '7 days' AND (last IS NULL OR last < cart), false)
           OR lately >= 5 AND (last IS NULL OR last <= :now - interval '7 days')
           OR coalesce(n >= 3 AND extract(epoch FROM :now - last) BETWEEN 0.8 * gap AND 1.2 * gap, false) AS likely_to_buy
FROM facts LEFT JOIN gaps USING (customer_id) LEFT JOIN tastes USING (customer_id) LEFT JOIN bands USING (customer_id);
