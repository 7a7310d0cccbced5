-- A segment table of visitors with eight presets and a funnel.

\set QUIET on
\o /dev/null
SET client_min_messages = warning;

SELECT segment.create_table('webshop.visitors', key => 'user_id', key_type => 'text', time_zone => 'UTC');
SELECT segment.add_attributes('webshop.visitors', 'webshop.users', key => 'user_id', columns => '{"channel": "channel"}');
-- The log does not say which product: so all are one.  Other pages are items of their own.
SELECT segment.add_source('webshop.visitors', 'webshop.clicks', key => 'user_id', at => 'clicked_at', event => 'event',
                          item => $$CASE WHEN event IN ('product_view', 'add_to_cart', 'purchase') THEN 'product' ELSE event END$$);

SELECT segment.add_preset('webshop.visitors', 'cart_intent', '{"view": "product_view", "cart": "add_to_cart"}');
-- there is no page of prices; who comes for the promotions three times in a week is as near
SELECT segment.add_preset('webshop.visitors', 'journey', '{"view": "product_view", "cart": "add_to_cart",
                          "awareness": ["home", "catalog", "search", "promo_page"],
                          "pricing": null, "pricing_event": "promo_page"}');
SELECT segment.add_preset('webshop.visitors', 'purchase_behavior', '{"view": "product_view", "cart": "add_to_cart",
                          "only": ["first_time_buyer", "repeat_loyal", "lapsed", "impulse", "researcher", "likely_to_buy"]}');
SELECT segment.add_preset('webshop.visitors', 'loyalty', '{"advocacy": "review_page"}');
SELECT segment.add_preset('webshop.visitors', 'user_status', '{"interest": ["product_view", "add_to_cart"]}');
SELECT segment.add_preset('webshop.visitors', 'benefits_sought', '{"quality": ["compare", "review_page"], "price": "promo_page",
                          "convenience": "wishlist_add"}');
SELECT segment.add_preset('webshop.visitors', 'engagement', '{"view": "product_view", "click": ["search", "filter_results"],
                          "social": "review_page", "media": null, "signup": null, "email_open": null, "download": null}');
SELECT segment.add_preset('webshop.visitors', 'usage', $${"login": "account_page", "use": {"rule": "event <> 'error_page'"},
    "advanced": ["compare", "wishlist_add", "filter_results"], "feature_a": "search", "feature_b": "compare",
    "daily_days": 5, "heavy_days": 6, "medium_days": 3, "often": 3, "rarely": 0, "narrow_features": 5,
    "only": ["usage_tier", "usage_level", "power_user", "casual_user", "inactive_at_risk", "declining_usage",
             "narrow_daily_user", "feature_gap"]}$$);

-- How far a visitor came towards a purchase within a day: a rule of one's own, not a preset.
SELECT segment.add_score('webshop.visitors', 'checkout', $$funnel(at, '1 day', event = 'product_view', event = 'add_to_cart',
                         event = 'shipping_details', event = 'payment_details', event = 'purchase')$$);
SELECT segment.add_group('webshop.visitors', 'checkout_step', 'bought', 'checkout = 5', 'payment', 'checkout = 4',
                         'shipping', 'checkout = 3', 'cart', 'checkout = 2', 'looked', 'checkout = 1', 'nothing', 'true');

-- June as it went by, day by day: the history has who was where.
SELECT format($$SET segment.as_of = '%s 00:00+00'$$, day::date), $$CALL segment.refresh('webshop.visitors')$$
FROM generate_series(timestamp '2024-06-01', '2024-06-30', '1 day') day
\gexec
SELECT segment.recut('webshop.visitors', 'usage_band');
\o
