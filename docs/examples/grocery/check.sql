-- The numbers of outcome.sql beside plain SQL over the tables of the grocer, which
-- asks neither the segment table nor its history.  Returns the lines that differ.

\pset footer off
SET TimeZone = 'UTC';
-- that nobody redeemed campaign 24, outcome.sql has said
SET client_min_messages = warning;
SET segment.as_of = '2018-01-01 00:00+00';

\echo '== campaigns that differ'
WITH plain AS (
    SELECT c.campaign_id, count(*) AS entered,
           count(*) FILTER (WHERE c.end_date < '2018-01-01') AS observed,
           count(*) FILTER (WHERE c.end_date < '2018-01-01' AND EXISTS (
               SELECT FROM grocery.redemptions r
               WHERE r.household_id = m.household_id AND r.campaign_id = c.campaign_id
                 AND r.redemption_date BETWEEN c.start_date AND c.end_date)) AS converted
    FROM grocery.campaigns c JOIN grocery.mailings m USING (campaign_id)
    GROUP BY c.campaign_id
), ours AS (
    SELECT c.campaign_id, o.*
    FROM grocery.campaigns c,
         segment.outcome('grocery.households', 'campaign_' || c.campaign_id, 'redeem ' || c.campaign_id,
                         (c.end_date - c.start_date + 1) * interval '1 day', c.start_date) o
)
SELECT p.*, o.entered, o.pending, o.observed, o.converted, o.rate_low, o.rate_high
FROM plain p FULL JOIN ours o USING (campaign_id)
-- where z is 1.96, the bounds of the rate solve (rate - p)^2 = z^2 p (1 - p) / n
WHERE (p.entered, p.observed, p.converted) IS DISTINCT FROM (o.entered, o.observed, o.converted)
   OR o.pending <> o.entered - o.observed
   OR (o.observed > 0 AND (
       NOT o.converted::float8 / o.observed BETWEEN o.rate_low AND o.rate_high
       OR abs((o.rate - o.rate_low) ^ 2 - 3.841458820694124 * o.rate_low * (1 - o.rate_low) / o.observed) > 1e-12
       OR abs((o.rate - o.rate_high) ^ 2 - 3.841458820694124 * o.rate_high * (1 - o.rate_high) / o.observed) > 1e-12));

\echo '== arms that differ'
WITH household AS (
    SELECT c.campaign_id, c.start_date, t.household_id,
           CASE WHEN EXISTS (SELECT FROM grocery.mailings m
                             WHERE m.household_id = t.household_id AND m.campaign_id = c.campaign_id)
                THEN 'mailed' ELSE 'not mailed' END AS arm
    FROM grocery.campaigns c JOIN grocery.transactions t
      ON t.transaction_timestamp <= c.start_date AND t.transaction_timestamp > c.start_date - interval '8 weeks'
    WHERE c.campaign_id IN (8, 13, 18)
    GROUP BY 1, 2, 3, 4
), spent AS (
    SELECT h.*, count(t.household_id) AS events, coalesce(sum(t.sales_value), 0) AS value
    FROM household h LEFT JOIN grocery.transactions t
      ON t.household_id = h.household_id AND t.transaction_timestamp > h.start_date
     AND t.transaction_timestamp <= h.start_date + interval '8 weeks'
    GROUP BY 1, 2, 3, 4
), plain AS (
    SELECT campaign_id, arm, count(*) AS n, count(*) FILTER (WHERE events > 0) AS converted, sum(events) AS events,
           avg(value) AS mean, var_samp(value) AS variance,
           -- silent: no mail either, and no coupon
           count(*) FILTER (WHERE events = 0
               AND NOT EXISTS (SELECT FROM grocery.mailings m WHERE m.household_id = s.household_id
                               AND m.sent_on > s.start_date AND m.sent_on <= s.start_date + interval '8 weeks')
               AND NOT EXISTS (SELECT FROM grocery.redemptions r WHERE r.household_id = s.household_id
                               AND r.redemption_date >= s.start_date
                               AND r.redemption_date < s.start_date + interval '8 weeks')) AS churned
    FROM spent s
    GROUP BY 1, 2
), ours AS (
    SELECT c.campaign_id, o.*
    FROM grocery.campaigns c,
         segment.outcome('grocery.households', 'regular', 'purchase', '8 weeks', c.start_date, c.start_date + 1,
                         already_in => true, arms => 'mail_' || c.campaign_id, control => 'not mailed') o
    WHERE c.campaign_id IN (8, 13, 18)
)
SELECT p.*, o.observed, o.converted, o.events, o.value, o.value_low, o.value_high, o.value_lift_low, o.value_lift_high,
       o.churned
FROM plain p FULL JOIN ours o USING (campaign_id, arm)
JOIN plain k ON k.campaign_id = p.campaign_id AND k.arm = 'not mailed'
-- so many households that Student's t is 1.96, to three places
WHERE (p.n, p.converted, p.events, p.churned) IS DISTINCT FROM (o.observed, o.converted, o.events, o.churned)
   OR abs(o.value - p.mean * p.n) > 1e-6
   OR abs((o.value_high - o.value_low) / 2 / (1.96 * sqrt(p.variance / p.n)) - 1) > 0.003
   OR abs((o.value_high + o.value_low) / 2 - p.mean) > 1e-6
   OR (p.arm = 'mailed' AND (
       abs((o.value_lift_high - o.value_lift_low) / 2 / (1.96 * sqrt(p.variance / p.n + k.variance / k.n)) - 1) > 0.003
       OR abs(o.value_lift - (p.mean - k.mean)) > 1e-6
       OR abs(o.lift - (p.converted::float8 / p.n - k.converted::float8 / k.n)) > 1e-12));

\echo '== rows that differ from a recomputation'
SELECT * FROM segment.verify('grocery.households');
