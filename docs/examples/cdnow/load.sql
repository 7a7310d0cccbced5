-- The purchase log as an ordinary table of orders.

CREATE TABLE shop.orders (
    order_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id bigint NOT NULL,
    ordered_at  timestamptz NOT NULL DEFAULT now(),
    quantity    int NOT NULL,
    amount      numeric(10,2) NOT NULL
);
CREATE INDEX orders_customer_id ON shop.orders (customer_id);

CREATE TEMPORARY TABLE log (customer_id bigint, ordered_on date, quantity int, amount numeric);
\copy log FROM PROGRAM 'gzip -dc docs/examples/cdnow/cdnow_master.csv.gz' (FORMAT csv, HEADER)

INSERT INTO shop.orders (customer_id, ordered_at, quantity, amount)
SELECT customer_id, ordered_on + (current_date - max(ordered_on) OVER ()), quantity, amount
FROM log
ORDER BY ordered_on;

ANALYZE shop.orders;

\pset footer off
SELECT count(*) AS purchases, count(DISTINCT customer_id) AS customers, sum(amount) AS revenue,
       min(ordered_at)::date AS first_day, max(ordered_at)::date AS last_day
FROM shop.orders;
