-- Who is in which segment as of :as_of, by the words of docs/presets.md and by plain SQL
-- over the lines of the log: neither the segment table nor a function of the extension
-- is asked.  One temporary table a preset, its columns named as in the segment table.

-- Times are those of the clocks in England; u is the same as an instant, for lengths of time.
\set QUIET on
CREATE TEMP TABLE clock AS
    SELECT timestamp :'as_of' AS t, timestamp :'as_of' AT TIME ZONE 'Europe/London' AS u;

CREATE TEMP TABLE invoice AS
    SELECT i.*, t AT TIME ZONE 'Europe/London' AS u,
           CASE left(invoice_no, 1)
               WHEN 'A' THEN 'adjustment'
               WHEN 'C' THEN CASE WHEN only_d THEN 'discount' WHEN products > 0 THEN 'cancellation' ELSE 'refund' END
               ELSE CASE WHEN total = 0 THEN 'gift' WHEN products = 0 THEN 'charge' ELSE 'purchase' END
           END AS kind
    FROM (SELECT invoice_no, customer_id AS id, min(country) AS country, min(invoiced_at) AS t, sum(quantity * unit_price) AS total,
                 sum((stock_code ~ '^\d{5}')::int) AS products, count(*) = sum((stock_code = 'D')::int) AS only_d
          FROM retail.lines GROUP BY 1, 2) i
    WHERE t <= (SELECT t FROM clock);

CREATE TEMP TABLE line AS
    SELECT customer_id AS id, invoiced_at AS t, upper(stock_code) AS item, description, unit_price,
           invoice_no NOT LIKE 'C%' AND quantity > 0 AND unit_price > 0 AS sold
    FROM retail.lines
    WHERE customer_id IS NOT NULL AND stock_code ~ '^\d{5}' AND invoiced_at <= (SELECT t FROM clock);

CREATE TEMP TABLE customer AS
    SELECT customer_id AS id, max(invoiced_at) AS last_event
    FROM retail.lines
    WHERE customer_id IS NOT NULL AND invoiced_at <= (SELECT t FROM clock)
    GROUP BY 1;

CREATE TEMP TABLE purchase AS SELECT * FROM invoice WHERE kind = 'purchase' AND id IS NOT NULL;

CREATE TEMP TABLE buyer AS
    SELECT id, count(*) AS n, min(t) AS first, max(t) AS last, max(u) AS last_u, sum(total) AS money,
           count(DISTINCT t::date) AS days
    FROM purchase GROUP BY id;

-- the highest values of the n-th parts of all values, the last one left out
CREATE FUNCTION pg_temp.cuts(sorted anyarray, parts int) RETURNS anyarray LANGUAGE sql AS $$
    SELECT array_agg(sorted[(i * cardinality(sorted) + parts - 1) / parts]) FROM generate_series(1, parts - 1) i
$$;
-- the part that x is in: equal values share it
CREATE FUNCTION pg_temp.band(x anyelement, cuts anyarray) RETURNS bigint LANGUAGE sql AS $$
    SELECT CASE WHEN x IS NOT NULL THEN 1 + count(*) END FROM unnest(cuts) cut WHERE cut < x
$$;

CREATE TEMP TABLE plain_rfm AS
    WITH cuts AS MATERIALIZED (
        SELECT pg_temp.cuts(array_agg(last ORDER BY last), 5) AS r, pg_temp.cuts(array_agg(n ORDER BY n), 5) AS f,
               pg_temp.cuts(array_agg(money ORDER BY money), 5) AS m
        FROM buyer
    ), ranked AS (
        SELECT c.id, pg_temp.band(last, r) AS r, pg_temp.band(n, f) AS f, pg_temp.band(money, m) AS m
        FROM customer c LEFT JOIN buyer USING (id), cuts
    )
    SELECT k.id, k.r AS rfm_r, k.f AS rfm_f, k.m AS rfm_m, k.r || '' || k.f || k.m AS rfm_score, g.label AS rfm_segment
    FROM ranked k
    LEFT JOIN (VALUES -- one line for each R, one column for each F
        (5, '{New,Potential Loyalist,Potential Loyalist,Champions,Champions}'::text[]),
        (4, '{Promising,Potential Loyalist,Potential Loyalist,Loyal,Loyal}'),
        (3, '{About To Sleep,About To Sleep,Need Attention,Loyal,Loyal}'),
        (2, '{Hibernating,Hibernating,At Risk,At Risk,Can''t Lose}'),
        (1, '{Hibernating,Hibernating,At Risk,At Risk,Can''t Lose}')) grid(r, row) ON grid.r = k.r
    CROSS JOIN LATERAL (SELECT grid.row[k.f]) g(label);

CREATE TEMP TABLE plain_starter AS
    SELECT c.id, first_age < 0 AS starter_new,
           first_age >= 0 AND last_age = 0 AND days >= 4 AS starter_loyal,
           first_age >= 0 AND last_age = 0 AND days < 4 AS starter_active,
           first_age >= 0 AND last_age = 1 AS starter_at_risk,
           first_age >= 0 AND last_age = 2 AS starter_lapsed
    FROM customer c LEFT JOIN buyer b USING (id), clock,
         LATERAL (SELECT CASE WHEN b.first + interval '30 days' > clock.t THEN -1 WHEN b.first IS NOT NULL THEN 0 END) a(first_age),
         LATERAL (SELECT CASE WHEN b.last + interval '30 days' > clock.t THEN 0
                              WHEN b.last + interval '90 days' > clock.t THEN 1 WHEN b.last IS NOT NULL THEN 2 END) l(last_age);

CREATE TEMP TABLE gap AS
    SELECT id, percentile_cont(0.5) WITHIN GROUP (ORDER BY gap) AS seconds
    FROM (SELECT id, extract(epoch FROM u - lag(u) OVER (PARTITION BY id ORDER BY u))::float8 AS gap FROM purchase) g
    WHERE gap IS NOT NULL
    GROUP BY id;

CREATE TEMP TABLE plain_purchase_behavior AS
    WITH year AS (
        SELECT id, count(*) AS n, sum(total) AS money FROM purchase, clock
        WHERE purchase.t > clock.t - interval '365 days' GROUP BY id
    ), fifth AS (
        SELECT id, pg_temp.band(money, (SELECT pg_temp.cuts(array_agg(money ORDER BY money), 5) FROM year)) AS band FROM year
    ), discount AS (
        SELECT id, count(*) AS n FROM invoice, clock
        WHERE kind = 'discount' AND invoice.t > clock.t - interval '365 days' GROUP BY id
    )
    SELECT c.id, b.n = 1 AS first_time_buyer,
           b.n >= 3 AND b.last + interval '90 days' > clock.t AS repeat_loyal,
           b.last + interval '90 days' <= clock.t AS lapsed,
           y.n >= 5 AND band = 5 AS high_value_frequent,
           y.n <= 2 AND band = 5 AS high_value_infrequent,
           y.n >= 2 AND d.n >= 0.2 * y.n AS deal_seeker,
           b.n >= 3 AND seconds > 0 AND extract(epoch FROM clock.u - last_u) >= 0.8 * seconds
               AND extract(epoch FROM clock.u - last_u) <= 1.2 * seconds AS likely_to_buy,
           band AS buying_spent_band
    FROM customer c LEFT JOIN buyer b USING (id) LEFT JOIN gap USING (id) LEFT JOIN year y USING (id)
         LEFT JOIN fifth USING (id) LEFT JOIN discount d USING (id), clock;

CREATE TEMP TABLE plain_taste AS
    WITH product AS (
        SELECT id, item, count(*) AS n FROM line, clock WHERE sold AND line.t > clock.t - interval '365 days' GROUP BY 1, 2
    ), share AS (
        SELECT id, sum(n) AS n, max(n) / sum(n) AS top FROM product GROUP BY id
    )
    SELECT id, n >= 3 AND top >= 0.6 AS line_habitual, n >= 3 AND top <= 0.4 AS line_variety_seeking
    FROM customer LEFT JOIN share USING (id);

CREATE TEMP TABLE plain_loyalty AS
    WITH visit AS ( -- a visit begins where nothing happened in the half hour before
        SELECT id, count(*) AS n
        FROM (SELECT id, u - lag(u) OVER (PARTITION BY id ORDER BY u) AS pause FROM purchase) p
        WHERE pause IS NULL OR pause > interval '30 minutes'
        GROUP BY id
    )
    SELECT id, CASE WHEN buyer.n >= 2 THEN 'repeat customer' WHEN buyer.n = 1 THEN 'customer' END AS loyalty_stage,
           coalesce(visit.n, 0) AS loyalty_visits
    FROM customer LEFT JOIN buyer USING (id) LEFT JOIN visit USING (id);

CREATE TEMP TABLE plain_user_status AS
    SELECT id, CASE WHEN last + interval '180 days' <= clock.t THEN 'ex' WHEN n >= 2 THEN 'regular' WHEN n = 1 THEN 'first-time'
                    WHEN last_event + interval '90 days' > clock.t THEN 'potential' ELSE 'non' END AS user_status
    FROM customer LEFT JOIN buyer USING (id), clock;

CREATE TEMP TABLE plain_lifetime_value AS
    WITH tenth AS (
        SELECT id, pg_temp.band(money, (SELECT pg_temp.cuts(array_agg(money ORDER BY money), 10) FROM buyer)) AS band FROM buyer
    ), net AS (
        SELECT id, sum(total) * 0.4 AS money FROM invoice WHERE kind NOT IN ('gift', 'adjustment') GROUP BY id
    )
    SELECT id, band AS lifetime_value_band,
           CASE WHEN band = 10 THEN 'top' WHEN band >= 8 THEN 'high' WHEN band >= 4 THEN 'medium' WHEN band >= 1 THEN 'low'
                ELSE 'none' END AS lifetime_value_tier,
           net.money AS net_lifetime_value,
           CASE WHEN net.money >= 2500 THEN 'top' WHEN net.money >= 500 THEN 'high' WHEN net.money >= 100 THEN 'medium'
                WHEN net.money IS NOT NULL THEN 'low' ELSE 'none' END AS net_lifetime_value_tier
    FROM customer LEFT JOIN tenth USING (id) LEFT JOIN net USING (id);

CREATE TEMP TABLE plain_churn_risk AS
    WITH period AS (
        SELECT id, count(*) FILTER (WHERE p.t > clock.t - interval '90 days') AS recent,
               count(*) FILTER (WHERE p.t <= clock.t - interval '90 days') AS before
        FROM purchase p, clock
        WHERE p.t > clock.t - interval '180 days' GROUP BY id
    ), late AS (
        SELECT id, n, extract(epoch FROM clock.u - last_u) / greatest(seconds, 7 * 86400)::numeric AS gaps,
               recent, coalesce(before, 0) AS before
        FROM customer LEFT JOIN buyer USING (id) LEFT JOIN gap USING (id) LEFT JOIN period USING (id), clock
    )
    SELECT id, n >= 3 AND gaps >= 2 AS churn_overdue, before >= 3 AND recent * 2 <= before AS churn_declining,
           CASE WHEN n < 3 THEN 'unknown'
                WHEN gaps >= 6 THEN 'lost'
                WHEN gaps >= 3 OR gaps >= 2 AND before >= 3 AND recent * 2 <= before THEN 'high'
                WHEN gaps >= 2 OR before >= 3 AND recent * 2 <= before THEN 'medium'
                WHEN n >= 3 THEN 'low' END AS churn_risk
    FROM late;

CREATE TEMP TABLE plain_interest AS
    WITH theme AS (
        SELECT id, theme, count(*) AS n
        FROM (SELECT id, CASE WHEN description ~ 'CHRISTMAS|XMAS' THEN 'christmas'
                              WHEN description ~ 'GARDEN|PLANT|FLOWER' THEN 'garden'
                              WHEN description ~ 'KITCHEN|CAKE|BAKING|TEA |MUG|LUNCH' THEN 'kitchen'
                              WHEN description ~ 'BAG' THEN 'bags'
                              WHEN description ~ 'CARD|PAPER|WRAP' THEN 'paper' END AS theme
              FROM line, clock WHERE sold AND line.t > clock.t - interval '90 days') l
        WHERE theme IS NOT NULL
        GROUP BY 1, 2
    ), top AS (
        SELECT DISTINCT ON (id) id, theme, n, sum(n) OVER (PARTITION BY id) AS total FROM theme
        ORDER BY id, n DESC, theme COLLATE "C"
    )
    SELECT id, theme AS interest_category,
           CASE WHEN total >= 3 THEN CASE WHEN n >= 0.6 * total THEN 'focused' ELSE 'mixed' END END AS interest_focus
    FROM customer LEFT JOIN top USING (id);

CREATE TEMP TABLE plain_benefits_sought AS
    WITH sign AS (
        SELECT id, count(*) AS n, sum((unit_price < 1.25)::int) AS budget, sum((unit_price >= 5)::int) AS premium
        FROM line, clock WHERE sold AND line.t > clock.t - interval '1 year' GROUP BY id
    )
    SELECT id, CASE WHEN n >= 10 AND budget * 2 > n THEN 'price'
                    WHEN n >= 10 AND premium * 2 > n THEN 'quality' END AS benefits_sought
    FROM customer LEFT JOIN sign USING (id);

CREATE TEMP TABLE plain_occasion AS
    WITH season AS ( -- December counts with the January after it
        SELECT DISTINCT ON (id) id, extract(quarter FROM t + interval '1 month') AS season, count(*) AS n,
               count(DISTINCT extract(year FROM t + interval '1 month')) AS years
        FROM purchase GROUP BY id, season ORDER BY id, n DESC, season
    ), part AS (
        SELECT id, CASE WHEN t::time >= '22:00' OR t::time < '6:00' THEN 'night' WHEN t::time < '12:00' THEN 'morning'
                        WHEN t::time < '18:00' THEN 'afternoon' ELSE 'evening' END AS part, count(*) AS n
        FROM purchase GROUP BY 1, 2
    ), weekend AS (
        SELECT id, count(*) AS n FROM purchase WHERE to_char(t, 'Dy') IN ('Sat', 'Sun') GROUP BY id
    )
    SELECT id, s.n * 2 >= b.n AND s.years >= 2 AS seasonal_shopper,
           CASE WHEN b.n >= 3 THEN part END AS occasion_daypart,
           CASE WHEN b.n >= 3 THEN CASE WHEN w.n * 2 >= b.n THEN 'weekend' ELSE 'weekday' END END AS occasion_day,
           to_char(first, 'MM-DD') = to_char(clock.t, 'MM-DD') AND extract(year FROM first) < extract(year FROM clock.t)
               AS purchase_anniversary
    FROM customer LEFT JOIN buyer b USING (id) LEFT JOIN season s USING (id) LEFT JOIN weekend w USING (id)
         LEFT JOIN (SELECT DISTINCT ON (id) id, part FROM part ORDER BY id, n DESC, part) p USING (id), clock;

CREATE TEMP TABLE plain_usage AS
    WITH quarter AS (
        SELECT id, count(*) FILTER (WHERE p.t > clock.t - interval '91 days') AS n,
               count(*) FILTER (WHERE p.t <= clock.t - interval '91 days') AS before,
               count(DISTINCT p.t::date) FILTER (WHERE p.t::date > clock.t::date - 91) AS used_on
        FROM purchase p, clock
        WHERE p.t > clock.t - interval '182 days' GROUP BY id
    ), tenth AS (
        SELECT id, pg_temp.band(n, (SELECT pg_temp.cuts(array_agg(n ORDER BY n), 10) FROM quarter WHERE n > 0)) AS band
        FROM quarter WHERE n > 0
    )
    SELECT id, band AS usage_band,
           CASE WHEN used_on >= 12 THEN 'heavy' WHEN used_on >= 3 THEN 'medium' WHEN used_on >= 1 THEN 'light' END AS usage_tier,
           CASE WHEN band = 10 THEN 'super' WHEN band >= 6 THEN 'average' WHEN band >= 1 THEN 'light' END AS usage_level,
           q.n BETWEEN 1 AND 2 AS casual_user, last + interval '91 days' <= clock.t AS inactive_at_risk,
           before >= 4 AND q.n * 2 <= before AS declining_usage
    FROM customer LEFT JOIN buyer USING (id) LEFT JOIN quarter q USING (id) LEFT JOIN tenth USING (id), clock;

CREATE TEMP TABLE plain_country AS
    SELECT country AS id, min(i.t) AS first,
           count(DISTINCT i.id) FILTER (WHERE i.t > clock.t - interval '30 days') AS now,
           count(DISTINCT i.id) FILTER (WHERE i.t > clock.t - interval '60 days' AND i.t <= clock.t - interval '30 days') AS before,
           count(*) FILTER (WHERE i.t > clock.t - interval '14 days' AND invoice_no LIKE 'C%') AS tickets
    FROM invoice i, clock GROUP BY 1;

CREATE TEMP TABLE plain_b2b AS
    SELECT p.id, tickets >= 3 OR now * 2 < before AS needs_help,
           CASE WHEN now = 0 THEN 'quiet' WHEN first + interval '30 days' > clock.t THEN 'new' WHEN now > before THEN 'growing'
                WHEN now < before THEN 'shrinking' ELSE 'steady' END AS account_trend
    FROM plain_country p, clock;
