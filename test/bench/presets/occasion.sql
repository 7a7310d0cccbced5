CREATE TABLE plain.occasion AS
WITH bought AS MATERIALIZED (
    SELECT customer_id, occurred_at AS at, extract(hour FROM occurred_at) AS hour, extract(isodow FROM occurred_at) AS day,
           occurred_at + interval '1 month' AS shifted
    FROM presets.event WHERE kind = 'purchase' AND occurred_at <= :now
), seasons AS (
    SELECT customer_id, max(n) AS n, (array_agg(years ORDER BY n DESC, season))[1] AS years
    FROM (SELECT customer_id, extract(quarter FROM shifted) AS season, count(*) AS n, count(DISTINCT extract(year FROM shifted)) AS years
          FROM bought GROUP BY 1, 2) s
    GROUP BY customer_id
), parts AS (
    SELECT DISTINCT ON (customer_id) customer_id, part
    FROM (SELECT customer_id, CASE WHEN hour < 6 OR hour >= 22 THEN 'night' WHEN hour < 12 THEN 'morning' WHEN hour < 18 THEN 'afternoon' ELSE 'evening' END AS part,
                 count(*) AS n
          FROM bought GROUP BY 1, 2) p
    ORDER BY customer_id, n DESC, part
), totals AS (
    SELECT customer_id, count(*) AS n, min(at) AS first, count(*) FILTER (WHERE day >= 6) AS weekend FROM bought GROUP BY customer_id
), signups AS (
    SELECT customer_id, min(occurred_at) AS signup FROM presets.event WHERE kind = 'signup' AND occurred_at <= :now GROUP BY customer_id
)
SELECT customer_id, s.years >= 2 AND s.n >= 0.5 * t.n AS seasonal_shopper, CASE WHEN t.n >= 3 THEN part END AS occasion_daypart,
       CASE WHEN t.n >= 3 THEN CASE WHEN weekend >= 0.5 * t.n THEN 'weekend' ELSE 'weekday' END END AS occasion_day,
       to_char(first, 'MM-DD') = to_char(:now, 'MM-DD') AND first < :now - interval '1 month' AS purchase_anniversary,
       to_char(signup, 'MM-DD') = to_char(:now, 'MM-DD') AND signup < :now - interval '1 month' AS signup_anniversary
FROM totals t JOIN seasons s USING (customer_id) JOIN parts USING (customer_id) FULL JOIN signups USING (customer_id);
