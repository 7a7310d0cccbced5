-- The definition of the demo's segment table.

\set QUIET on
\pset tuples_only on
\o /dev/null

SELECT segment.create_table('shop.customers', key => 'customer_id', key_type => 'bigint', time_zone => 'UTC');

SELECT segment.add_source('shop.customers', 'shop.orders', key => 'customer_id', at => 'ordered_at',
                          event => $$'purchase'$$, value => 'amount');

-- Scores: recency, frequency, money
SELECT segment.add_score('shop.customers', 'first_order', 'min(at)');
SELECT segment.add_score('shop.customers', 'last_order',  'max(at)');
SELECT segment.add_score('shop.customers', 'orders',      'count(*)');
SELECT segment.add_score('shop.customers', 'orders_90d',  $$count(*) FILTER (WHERE at > now() - interval '90 days')$$);
SELECT segment.add_score('shop.customers', 'spent',       'sum(value)');
SELECT segment.add_score('shop.customers', 'basket',      'round(spent / orders, 2)');

-- Segments: rules over the scores, many of which move with the clock
SELECT segment.add_segment('shop.customers', 'new',         $$first_order > now() - interval '30 days'$$);
SELECT segment.add_segment('shop.customers', 'one_time',    $$orders = 1$$);
SELECT segment.add_segment('shop.customers', 'active',      $$last_order > now() - interval '90 days'$$);
SELECT segment.add_segment('shop.customers', 'rising',      $$orders_90d >= 3$$);
SELECT segment.add_segment('shop.customers', 'loyal',       $$orders >= 10 AND active$$);
SELECT segment.add_segment('shop.customers', 'big_spender', $$spent >= 500$$);
SELECT segment.add_segment('shop.customers', 'at_risk',     $$orders >= 3 AND NOT active
                                                              AND last_order > now() - interval '180 days'$$);
SELECT segment.add_segment('shop.customers', 'lapsed',      $$last_order <= now() - interval '180 days'$$);
SELECT segment.add_segment('shop.customers', 'just_bought', $$last_order > now() - interval '5 seconds'$$);
