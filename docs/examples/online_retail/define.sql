-- A segment table of customers with eleven presets, two of them twice, and one of countries.

\set QUIET on
\o /dev/null
SET client_min_messages = warning;

-- Invoices were written in England, by the clocks of England.
SELECT segment.create_table('retail.customers', key => 'customer_id', key_type => 'int', time_zone => 'Europe/London');

-- An invoice is a purchase if somebody paid for products.  C is for what was taken
-- back, A for adjustments of the books.
SELECT segment.add_source('retail.customers', 'retail.invoices', key => 'customer_id', at => 'invoiced_at',
                          value => 'total', event => $$
    CASE WHEN invoice_no LIKE 'A%' THEN 'adjustment'
         WHEN invoice_no LIKE 'C%' AND is_discount THEN 'discount'
         WHEN invoice_no LIKE 'C%' AND has_products THEN 'cancellation'
         WHEN invoice_no LIKE 'C%' THEN 'refund'
         WHEN total = 0 THEN 'gift'
         WHEN has_products THEN 'purchase'
         ELSE 'charge' END$$);

-- A line tells what was bought: it is no purchase of its own, but has the item.  One
-- product is written 85123A and 85123a.
SELECT segment.add_source('retail.customers', 'retail.lines', key => 'customer_id', at => 'invoiced_at',
                          value => 'quantity * unit_price',
                          item => $$CASE WHEN stock_code ~ '^[0-9]{5}' THEN upper(stock_code) END$$,
                          event => $$
    CASE WHEN invoice_no LIKE 'C%' OR quantity <= 0 THEN 'line back'
         WHEN unit_price > 0 AND stock_code ~ '^[0-9]{5}' THEN 'line'
         ELSE 'other line' END$$,
                          extra => jsonb_build_object('invoice', 'invoice_no', 'theme', $$
    CASE WHEN stock_code !~ '^[0-9]{5}' THEN NULL
         WHEN description ~ 'CHRISTMAS|XMAS' THEN 'christmas'
         WHEN description ~ 'GARDEN|PLANT|FLOWER' THEN 'garden'
         WHEN description ~ 'KITCHEN|CAKE|BAKING|TEA |MUG|LUNCH' THEN 'kitchen'
         WHEN description ~ 'BAG' THEN 'bags'
         WHEN description ~ 'CARD|PAPER|WRAP' THEN 'paper' END$$, 'price_class', $$
    CASE WHEN invoice_no LIKE 'C%' OR stock_code !~ '^[0-9]{5}' THEN NULL
         WHEN unit_price < 1.25 THEN 'budget'
         WHEN unit_price >= 5 THEN 'premium'
         ELSE 'standard' END$$));

SELECT segment.add_preset('retail.customers', 'rfm');
SELECT segment.add_preset('retail.customers', 'starter', '{"activity": "purchase"}');
-- there are no views and no carts; how customers choose is seen from the lines
SELECT segment.add_preset('retail.customers', 'purchase_behavior',
                          '{"view": null, "cart": null, "taste": null, "deal": "discount", "deal_share": 0.2}');
SELECT segment.add_preset('retail.customers', 'purchase_behavior', '{"prefix": "line_", "purchase": "line", "view": null,
                          "cart": null, "taste": "item", "only": ["habitual", "variety_seeking"]}');
SELECT segment.add_preset('retail.customers', 'loyalty', '{"visit": "purchase", "advocacy": null}');
SELECT segment.add_preset('retail.customers', 'user_status');
SELECT segment.add_preset('retail.customers', 'lifetime_value');
-- the same with what was given back: those events have negative values
SELECT segment.add_preset('retail.customers', 'lifetime_value', '{"prefix": "net_", "margin": 0.4, "tier_amounts": [100, 500, 2500],
                          "purchase": ["purchase", "charge", "cancellation", "discount", "refund"]}');
SELECT segment.add_preset('retail.customers', 'churn_risk');
SELECT segment.add_preset('retail.customers', 'interest', '{"interest": "line", "category": "theme"}');
SELECT segment.add_preset('retail.customers', 'benefits_sought', $${"tag": "price_class", "least_signs": 10, "benefits": [
    ["price", "{{.benefit_dominant}} = 'budget'"], ["quality", "{{.benefit_dominant}} = 'premium'"]]}$$);
SELECT segment.add_preset('retail.customers', 'occasion', '{"signup": null}');
-- a shop of wholesalers: how regularly do they order?
SELECT segment.add_preset('retail.customers', 'usage', '{"login": "purchase", "use": null,
    "only": ["usage_tier", "usage_level", "casual_user", "inactive_at_risk", "declining_usage"],
    "window": "91 days", "days": 91, "heavy_days": 12, "medium_days": 3, "casual_window": "91 days", "casual_to": 2,
    "inactive_after": "91 days", "declining_from": 4}');

-- A country is the account, its customers are the users.
SELECT segment.create_table('retail.countries', key => 'country', key_type => 'text', time_zone => 'Europe/London');
SELECT segment.add_source('retail.countries', 'retail.invoices', key => 'country', at => 'invoiced_at', value => 'total',
                          event => $$CASE WHEN invoice_no LIKE 'C%' THEN 'cancellation' ELSE 'purchase' END$$,
                          extra => '{"user_id": "customer_id"}');
SELECT segment.add_preset('retail.countries', 'b2b', '{"ticket": "cancellation"}');
RESET client_min_messages;

-- Autumn as it went by: the history has who was where on these days.  Until the end the
-- bands stay as they were cut at the start, so that it can be seen who rose.
SELECT format($$SET segment.as_of = '%s 00:00 Europe/London'$$, day),
       $$CALL segment.refresh('retail.customers')$$, $$CALL segment.refresh('retail.countries')$$
FROM unnest('{2011-09-01, 2011-11-01, 2011-12-10}'::date[]) day
\gexec
SELECT segment.recut('retail.customers', name) FROM segment.bands WHERE tbl = 'retail.customers'::regclass;
\o
