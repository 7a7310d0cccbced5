-- The purchase log as it is, for the examples of docs/reference.md: purchases of
-- 23,570 customers from 1997-01-01 to 1998-06-30, seen on the day after.  Start
-- psql in the top directory of the source tree.

CREATE TEMPORARY TABLE orders (customer_id bigint, ordered_at timestamptz, quantity int, amount float8);
SET TimeZone = 'UTC';
\copy orders FROM PROGRAM 'gzip -dc docs/examples/cdnow/cdnow_master.csv.gz' (FORMAT csv, HEADER)
ANALYZE orders;
SET segment.as_of = '1998-07-01';
