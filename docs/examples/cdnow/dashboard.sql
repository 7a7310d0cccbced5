-- What a dashboard would ask: plain queries on a plain table.

\pset footer off
\pset null '-'
SET timezone = 'UTC';

\echo '== A dashboard reads the table like any other: customers by the days since their last order'
\set ECHO queries
SELECT (ARRAY['0 to 29', '30 to 89', '90 to 179', '180 to 364', '365 and more'])[1 + bucket] AS days,
       count(*) AS customers, sum(orders) AS orders, sum(spent) AS spent, round(avg(basket), 2) AS basket
FROM shop.customers,
     width_bucket(extract(day FROM now() - last_order), ARRAY[30, 90, 180, 365]) AS bucket
GROUP BY bucket
ORDER BY bucket;
\set ECHO none

\echo '== Whom to call today: big spenders about to be lost'
\set ECHO queries
SELECT customer_id, orders, spent, basket, last_order::date, valid_until::date AS next_change
FROM shop.customers
WHERE at_risk AND big_spender
ORDER BY spent DESC
LIMIT 5;
\set ECHO none

\echo '== What the worker did'
\set ECHO queries
SELECT started_at::timestamp(3), finished_at - started_at AS took, kind, status, processed, changed
FROM segment.runs
ORDER BY started_at DESC
LIMIT 6;
\pset expanded on
SELECT * FROM segment.status;
