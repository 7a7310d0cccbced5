-- What a dashboard would ask: plain queries on a plain table.

\pset footer off
\pset null '-'
SET timezone = 'UTC';
\set ECHO queries

\echo '== A dashboard reads the table like any other'
\echo
SELECT width_bucket(extract(day FROM now() - last_order), ARRAY[30, 90, 180, 365]) AS recency,
       min(last_order)::date AS from_day, max(last_order)::date AS to_day,
       count(*) AS customers, sum(orders) AS orders, sum(spent) AS spent, round(avg(basket), 2) AS basket
FROM shop.customers
GROUP BY recency
ORDER BY recency;

-- Whom to call today: big spenders about to be lost
SELECT customer_id, orders, spent, basket, last_order::date, valid_until::date AS next_change
FROM shop.customers
WHERE at_risk AND big_spender
ORDER BY spent DESC
LIMIT 5;

SELECT started_at::timestamp(3), finished_at - started_at AS took, kind, status, processed, changed
FROM segment.runs
ORDER BY started_at DESC
LIMIT 6;
\pset expanded on
SELECT * FROM segment.status;
