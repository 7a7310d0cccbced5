-- The segment tables beside plain SQL over the log, at the end of it and on a day in
-- summer.  Returns what differs.

\pset footer off
SET client_min_messages = error;
SET TimeZone = 'Europe/London';

\set as_of '2011-12-10 00:00:00'
SET segment.as_of = :'as_of';
\ir plain.sql
\ir compare.sql

\echo '== events that count for nobody'
SELECT ignored_events FROM segment.status WHERE tbl = 'retail.customers'::regclass AND ignored_events IS DISTINCT FROM
    (SELECT count(*) + count(DISTINCT invoice_no) FROM retail.lines WHERE customer_id IS NULL);

\echo '== pairs that differ'
WITH product AS (
    SELECT DISTINCT invoice_no, upper(stock_code) AS item FROM retail.lines
    WHERE customer_id IS NOT NULL AND invoice_no NOT LIKE 'C%' AND quantity > 0 AND unit_price > 0 AND stock_code ~ '^\d{5}'
), popular AS (
    SELECT item, count(*) AS n FROM product GROUP BY item HAVING count(*) >= 400
), pair AS (
    SELECT p.item AS a, q.item AS b, count(*) AS shared
    FROM product p JOIN product q USING (invoice_no)
    WHERE p.item COLLATE "C" < q.item AND p.item IN (SELECT item FROM popular) AND q.item IN (SELECT item FROM popular)
    GROUP BY 1, 2 HAVING count(*) >= 400
), plain AS (
    SELECT a, b, shared, pa.n AS baskets_a, pb.n AS baskets_b, (SELECT count(DISTINCT invoice_no) FROM product) AS baskets
    FROM pair JOIN popular pa ON pa.item = a JOIN popular pb ON pb.item = b
)
SELECT a, b, p.shared, o.shared
FROM plain p FULL JOIN segment.bought_together('retail.customers', '{line}', 'invoice', min_baskets => 400) o USING (a, b)
WHERE (p.shared, p.baskets_a, p.baskets_b, p.baskets) IS DISTINCT FROM (o.shared, o.baskets_a, o.baskets_b, o.baskets)
   OR abs(o.support - p.shared::float8 / p.baskets) > 1e-12 OR abs(o.confidence_ab - p.shared::float8 / p.baskets_a) > 1e-12
   OR abs(o.confidence_ba - p.shared::float8 / p.baskets_b) > 1e-12
   OR abs(o.lift - p.shared::float8 * p.baskets / p.baskets_a / p.baskets_b) > 1e-9;
DISCARD TEMP;


-- Another instant: as of then everything is computed anew, compared, and taken back.
BEGIN;
\set as_of '2011-06-15 13:00:00'
SET LOCAL segment.as_of = :'as_of';
CALL segment.rebuild('retail.customers');
CALL segment.rebuild('retail.countries');
\ir plain.sql
\ir compare.sql
ROLLBACK;
