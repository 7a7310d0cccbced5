-- What the worker does by itself.  Nothing here calls refresh.

\pset footer off
\pset null '-'
SET timezone = 'UTC';

\echo
\echo '== From now on the worker keeps it fresh'
SELECT clock_timestamp() AS before \gset
\o /dev/null
SELECT segment.schedule('shop.customers', 'continuous');
\o
SELECT shop.wait_until($$EXISTS (SELECT FROM segment.runs WHERE status = 'succeeded')$$) AS seen \gset
SELECT count(*) AS customers, to_char(:'seen'::timestamptz - :'before'::timestamptz, 'SS.MS') AS seconds_from_schedule_to_built
FROM shop.customers;

\echo '== Sizes of the segments'
SELECT s.segment, count(*) AS customers, round(100.0 * count(*) / (SELECT count(*) FROM shop.customers), 1) AS percent
FROM shop.customers c
CROSS JOIN LATERAL (VALUES ('new', c.new), ('one_time', c.one_time), ('active', c.active), ('rising', c.rising),
                           ('loyal', c.loyal), ('big_spender', c.big_spender), ('at_risk', c.at_risk),
                           ('lapsed', c.lapsed), ('just_bought', c.just_bought)) AS s (segment, member)
WHERE s.member
GROUP BY s.segment
ORDER BY customers DESC;

-- The best customer at risk whose tenth order is the next one
SELECT customer_id AS buyer FROM shop.customers
WHERE at_risk AND orders = 9 ORDER BY spent DESC LIMIT 1 \gset
\set look 'SELECT customer_id, orders, spent, last_order::timestamp(0), active, loyal, at_risk, just_bought, valid_until FROM shop.customers WHERE customer_id = '

\echo '== An event: customer' :buyer 'is at risk, and buys'
:look :buyer;
SELECT clock_timestamp() AS before \gset
INSERT INTO shop.orders (customer_id, quantity, amount) VALUES (:buyer, 2, 29.90) RETURNING order_id \gset
SELECT shop.wait_until(format('(SELECT loyal FROM shop.customers WHERE customer_id = %s)', :buyer)) AS seen \gset
:look :buyer;
SELECT round(extract(epoch FROM :'seen'::timestamptz - :'before'::timestamptz) * 1000, 1)
       AS milliseconds_from_insert_to_visible_membership;

\echo '== Time: nothing happens any more, and the customer leaves just_bought at the instant foretold in valid_until'
SELECT valid_until AS foretold FROM shop.customers WHERE customer_id = :buyer \gset
SELECT shop.wait_until(format('(SELECT NOT just_bought FROM shop.customers WHERE customer_id = %s)', :buyer)) AS seen \gset
:look :buyer;
SELECT :'foretold'::timestamptz AS foretold, :'seen'::timestamptz AS seen,
       round(extract(epoch FROM :'seen'::timestamptz - :'foretold'::timestamptz) * 1000, 1) AS milliseconds_late;

\echo '== Somebody nobody knew buys'
SELECT max(customer_id) + 1 AS newcomer FROM shop.orders \gset
SELECT clock_timestamp() AS before \gset
INSERT INTO shop.orders (customer_id, quantity, amount) VALUES (:newcomer, 1, 12.00);
SELECT shop.wait_until(format('EXISTS (SELECT FROM shop.customers WHERE customer_id = %s AND new)', :newcomer)) AS seen \gset
SELECT customer_id, orders, spent, new, one_time, active,
       round(extract(epoch FROM :'seen'::timestamptz - :'before'::timestamptz) * 1000, 1) AS milliseconds
FROM shop.customers WHERE customer_id = :newcomer;

\echo '== The order of customer' :buyer 'is cancelled: the row is deleted, and the customer is at risk again'
SELECT clock_timestamp() AS before \gset
DELETE FROM shop.orders WHERE order_id = :order_id;
SELECT shop.wait_until(format('(SELECT at_risk FROM shop.customers WHERE customer_id = %s)', :buyer)) AS seen \gset
SELECT customer_id, orders, spent, active, loyal, at_risk,
       round(extract(epoch FROM :'seen'::timestamptz - :'before'::timestamptz) * 1000, 1) AS milliseconds
FROM shop.customers WHERE customer_id = :buyer;

\echo '== Its history'
SELECT segment, entered_at, left_at FROM shop.customers_history
WHERE customer_id = :buyer ORDER BY entered_at, segment;

\echo '== Proof: verify() recomputes every customer from the events, and returns the rows that differ'
SELECT count(*) AS rows_that_differ FROM segment.verify('shop.customers');
