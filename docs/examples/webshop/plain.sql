-- Who is in which segment as of :as_of, by the words of docs/presets.md and by plain SQL
-- over the log: neither the segment table nor a function of the extension is asked.  One
-- temporary table a preset, its columns named as in the segment table.

\set QUIET on
CREATE TEMP TABLE clock AS SELECT timestamp :'as_of' AS t;

CREATE TEMP TABLE visitor AS SELECT DISTINCT user_id AS id FROM webshop.log;

CREATE TEMP TABLE click AS
    SELECT DISTINCT user_id AS id, session_id, event, clicked_at AS t FROM webshop.log, clock WHERE clicked_at <= clock.t;

CREATE TEMP TABLE buyer AS
    SELECT id, count(*) AS n, min(t) AS first, max(t) AS last FROM click WHERE event = 'purchase' GROUP BY id;

CREATE TEMP TABLE plain_cart_intent AS
    WITH cart AS (
        SELECT id, clock.t - max(click.t) AS age, max(click.t) AS t FROM click, clock
        WHERE event = 'add_to_cart' GROUP BY id, clock.t
    ), week AS ( -- since Monday
        SELECT id, count(*) FILTER (WHERE event = 'product_view') AS views, count(*) FILTER (WHERE event = 'purchase') AS bought
        FROM click, clock WHERE click.t >= clock.t::date - (extract(isodow FROM clock.t)::int - 1) GROUP BY id
    ), month AS (
        SELECT id, count(*) AS views FROM click, clock
        WHERE event = 'product_view' AND click.t > clock.t - interval '30 days' GROUP BY id
    ), left_behind AS (
        SELECT id, age FROM cart LEFT JOIN buyer b USING (id)
        WHERE age >= interval '1 hour' AND age < interval '30 days' AND (b.last IS NULL OR b.last < cart.t)
    )
    SELECT id, l.id IS NOT NULL AS cart_abandoner,
           CASE WHEN age >= interval '48 hours' THEN '48 h' WHEN age >= interval '24 hours' THEN '24 h'
                WHEN l.id IS NOT NULL THEN '1 h' END AS cart_stage,
           w.views > 3 AND w.bought = 0 AS high_intent_shopper,
           m.views >= 3 AND b.id IS NULL AS browser_non_buyer
    FROM visitor LEFT JOIN left_behind l USING (id) LEFT JOIN week w USING (id) LEFT JOIN month m USING (id)
         LEFT JOIN buyer b USING (id);

CREATE TEMP TABLE plain_journey AS
    WITH sign AS (
        SELECT c.id, max(c.t) FILTER (WHERE event IN ('home', 'catalog', 'search', 'promo_page')) AS aware,
               max(c.t) FILTER (WHERE event = 'product_view') AS viewed, count(*) FILTER (WHERE event = 'product_view') AS views,
               max(c.t) FILTER (WHERE event = 'add_to_cart') AS cart,
               max(c.t) FILTER (WHERE event = 'promo_page') AS promo,
               count(*) FILTER (WHERE event = 'promo_page' AND date_trunc('week', c.t) = date_trunc('week', clock.t)) AS promos
        FROM click c, clock
        WHERE c.t > clock.t - interval '30 days'
        GROUP BY c.id
    )
    SELECT id, CASE WHEN promos >= 3 AND promo > bought OR cart > bought THEN 'decision'
                    WHEN views >= 3 AND viewed > bought THEN 'consideration'
                    WHEN aware > bought THEN 'awareness' END AS journey_stage
    FROM visitor LEFT JOIN sign USING (id) LEFT JOIN buyer b USING (id),
         LATERAL (SELECT coalesce(b.last, '-infinity')) l(bought);

CREATE TEMP TABLE plain_purchase_behavior AS
    WITH view AS (
        SELECT id, min(click.t) AS first, count(*) FILTER (WHERE click.t > clock.t - interval '7 days') AS recent
        FROM click, clock WHERE event = 'product_view' GROUP BY id
    ), cart AS (
        SELECT id, max(t) AS last FROM click WHERE event = 'add_to_cart' GROUP BY id
    ), gap AS (
        SELECT id, percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM gap)::float8) * interval '1 second' AS usual
        FROM (SELECT id, t - lag(t) OVER (PARTITION BY id ORDER BY t) AS gap FROM click WHERE event = 'purchase') g
        WHERE gap IS NOT NULL GROUP BY id
    )
    SELECT id, b.n = 1 AS first_time_buyer, b.n >= 3 AND b.last + interval '90 days' > clock.t AS repeat_loyal,
           b.last + interval '90 days' <= clock.t AS lapsed,
           b.first >= v.first AND b.first - v.first <= interval '1 hour' AS impulse,
           b.first - v.first >= interval '7 days' AS researcher,
           coalesce(cart.last + interval '7 days' > clock.t AND (b.id IS NULL OR b.last < cart.last), false)
           OR coalesce(v.recent >= 5 AND (b.id IS NULL OR b.last + interval '7 days' <= clock.t), false)
           OR coalesce(b.n >= 3 AND clock.t - b.last >= 0.8 * usual AND clock.t - b.last <= 1.2 * usual, false) AS likely_to_buy
    FROM visitor LEFT JOIN buyer b USING (id) LEFT JOIN view v USING (id) LEFT JOIN cart USING (id) LEFT JOIN gap USING (id), clock;

CREATE TEMP TABLE plain_loyalty AS
    WITH visit AS (
        SELECT id, count(*) AS n
        FROM (SELECT id, t - lag(t) OVER (PARTITION BY id ORDER BY t) AS pause FROM click) p
        WHERE pause IS NULL OR pause > interval '30 minutes' GROUP BY id
    ), review AS (
        SELECT DISTINCT id FROM click WHERE event = 'review_page'
    )
    SELECT id, CASE WHEN buyer.n >= 2 AND review.id IS NOT NULL THEN 'advocate' WHEN buyer.n >= 2 THEN 'repeat customer'
                    WHEN buyer.n = 1 THEN 'customer' WHEN visit.n >= 2 THEN 'repeat visitor'
                    WHEN visit.n = 1 THEN 'first-time visitor' END AS loyalty_stage
    FROM visitor LEFT JOIN buyer USING (id) LEFT JOIN visit USING (id) LEFT JOIN review USING (id);

CREATE TEMP TABLE plain_user_status AS
    WITH interest AS (
        SELECT id, max(t) AS last FROM click WHERE event IN ('product_view', 'add_to_cart') GROUP BY id
    )
    SELECT id, CASE WHEN b.last + interval '180 days' <= clock.t THEN 'ex' WHEN n >= 2 THEN 'regular' WHEN n = 1 THEN 'first-time'
                    WHEN i.last + interval '90 days' > clock.t THEN 'potential' ELSE 'non' END AS user_status
    FROM visitor LEFT JOIN buyer b USING (id) LEFT JOIN interest i USING (id), clock;

CREATE TEMP TABLE plain_benefits_sought AS
    WITH sign AS (
        SELECT id, sum((event IN ('compare', 'review_page'))::int) AS quality, sum((event = 'promo_page')::int) AS price,
               sum((event = 'wishlist_add')::int) AS convenience
        FROM click, clock WHERE click.t > clock.t - interval '1 year' GROUP BY id
    )
    SELECT id, CASE WHEN total < 3 THEN NULL WHEN quality * 2 > total THEN 'quality' WHEN price * 2 > total THEN 'price'
                    WHEN convenience * 2 > total THEN 'convenience' END AS benefits_sought
    FROM visitor LEFT JOIN sign USING (id), LATERAL (SELECT quality + price + convenience) s(total);

CREATE TEMP TABLE plain_engagement AS
    WITH point AS (
        SELECT id, sum(p) FILTER (WHERE click.t > clock.t - interval '30 days') AS points, max(click.t) AS last
        FROM click JOIN (VALUES ('review_page', 3), ('search', 2), ('filter_results', 2), ('product_view', 1)) v(event, p)
             USING (event), clock
        GROUP BY id
    )
    SELECT id, CASE WHEN points >= 20 THEN 'high' WHEN points >= 5 THEN 'average'
                    WHEN points > 0 THEN 'occasional' END AS engagement_level,
           last + interval '90 days' <= clock.t AND last + interval '1 year' > clock.t AS reengage_inactive
    FROM visitor LEFT JOIN point USING (id), clock;

CREATE TEMP TABLE plain_usage AS
    WITH month AS ( -- each click is of interest, but for the page of errors
        SELECT id, count(DISTINCT c.t::date) FILTER (WHERE c.t::date > clock.t::date - 28) AS days,
               count(*) FILTER (WHERE c.t > clock.t - interval '28 days') AS n,
               count(*) FILTER (WHERE c.t <= clock.t - interval '28 days' AND c.t > clock.t - interval '56 days') AS before,
               count(DISTINCT CASE WHEN event IN ('product_view', 'add_to_cart', 'purchase') THEN 'product' ELSE event END)
                   FILTER (WHERE c.t > clock.t - interval '28 days') AS features,
               count(DISTINCT event) FILTER (WHERE event IN ('compare', 'wishlist_add', 'filter_results')
                                             AND c.t > clock.t - interval '28 days') AS advanced,
               count(*) FILTER (WHERE event = 'search' AND c.t > clock.t - interval '28 days') AS searches,
               count(*) FILTER (WHERE event = 'compare' AND c.t > clock.t - interval '28 days') AS compared
        FROM click c, clock WHERE event <> 'error_page' GROUP BY id
    ), login AS (
        SELECT id, count(*) FILTER (WHERE click.t > clock.t - interval '30 days') AS n, max(click.t) AS last
        FROM click, clock WHERE event = 'account_page' GROUP BY id
    ), place AS ( -- equal numbers of clicks share the lowest place
        SELECT id, (SELECT count(*) FROM month o WHERE o.n > 0 AND o.n < m.n) AS below,
               (SELECT count(*) FROM month WHERE n > 0) AS users
        FROM month m WHERE n > 0
    ), tenth AS ( -- cut point i is at place ceil(i N / 10); it is below whoever has more clicks than stand there
        SELECT id, 1 + (SELECT count(*) FROM generate_series(1, 9) i WHERE (i * users + 9) / 10 <= below) AS band FROM place
    )
    SELECT id, band AS usage_band,
           CASE WHEN days >= 6 THEN 'heavy' WHEN days >= 3 THEN 'medium' WHEN days >= 1 THEN 'light' END AS usage_tier,
           CASE WHEN band = 10 THEN 'super' WHEN band >= 6 THEN 'average' WHEN band IS NOT NULL THEN 'light' END AS usage_level,
           days >= 5 AND advanced >= 2 AS power_user, days >= 5 AND features BETWEEN 1 AND 5 AS narrow_daily_user,
           login.n BETWEEN 1 AND 4 AS casual_user, login.last + interval '30 days' <= clock.t AS inactive_at_risk,
           before >= 10 AND month.n * 2 <= before AS declining_usage,
           searches >= 3 AND compared = 0 AS feature_gap
    FROM visitor LEFT JOIN month USING (id) LEFT JOIN tenth USING (id) LEFT JOIN login USING (id), clock;

-- A step is reached if it comes at the time of the one before it or later, and within a day of the first.
CREATE TEMP TABLE plain_funnel AS
    WITH start AS (
        SELECT id, t AS t1 FROM click WHERE event = 'product_view'
    ), chain AS (
        SELECT s.id, t1, min(c.t) AS t2 FROM start s LEFT JOIN click c
            ON c.id = s.id AND c.event = 'add_to_cart' AND c.t BETWEEN t1 AND t1 + interval '1 day' GROUP BY 1, 2
    ), chain3 AS (
        SELECT s.id, t1, t2, min(c.t) AS t3 FROM chain s LEFT JOIN click c
            ON c.id = s.id AND c.event = 'shipping_details' AND c.t BETWEEN t2 AND t1 + interval '1 day' GROUP BY 1, 2, 3
    ), chain4 AS (
        SELECT s.id, t1, t2, t3, min(c.t) AS t4 FROM chain3 s LEFT JOIN click c
            ON c.id = s.id AND c.event = 'payment_details' AND c.t BETWEEN t3 AND t1 + interval '1 day' GROUP BY 1, 2, 3, 4
    ), chain5 AS (
        SELECT s.id, t1, t2, t3, t4, min(c.t) AS t5 FROM chain4 s LEFT JOIN click c
            ON c.id = s.id AND c.event = 'purchase' AND c.t BETWEEN t4 AND t1 + interval '1 day' GROUP BY 1, 2, 3, 4, 5
    ), level AS (
        SELECT id, max(1 + num_nonnulls(t2, t3, t4, t5)) AS level FROM chain5 GROUP BY id
    )
    SELECT id, (ARRAY['looked', 'cart', 'shipping', 'payment', 'bought'])[level] AS step FROM level;

CREATE TEMP TABLE plain_checkout AS
    SELECT id, coalesce(step, 'nothing') AS checkout_step FROM visitor LEFT JOIN plain_funnel USING (id);
