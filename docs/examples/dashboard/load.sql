-- The purchase log with its own dates, and a segment table that was refreshed each month
-- while it went on, so that there is a history to look at.  Run by a superuser in
-- a database of its own, with psql started in the top directory of the source tree.
-- The session stays at the day after the log, 1998-07-01.

\set was_quiet :QUIET
\set QUIET on

CREATE EXTENSION segment;
CREATE SCHEMA shop;
SET TimeZone = 'UTC';

CREATE TABLE shop.orders (
    order_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id bigint NOT NULL,
    ordered_at  timestamptz NOT NULL,
    quantity    int NOT NULL,
    amount      numeric(10,2) NOT NULL
);
\copy shop.orders (customer_id, ordered_at, quantity, amount) FROM PROGRAM 'gzip -dc docs/examples/cdnow/cdnow_master.csv.gz' (FORMAT csv, HEADER)
CREATE INDEX orders_customer_id ON shop.orders (customer_id);
ANALYZE shop.orders;

-- The scores and segments of the demo, and a group for the stages of a customer's life
\ir ../cdnow/define.sql
SELECT segment.drop_segment('shop.customers', 'just_bought');
SELECT segment.add_group('shop.customers', 'stage',
                         'new',     'new',
                         'regular', 'active AND orders >= 3',
                         'active',  'active',
                         'cooling', 'NOT lapsed',
                         'lapsed',  'true');

DO $$
DECLARE
    instant timestamptz;
BEGIN
    FOR instant IN SELECT generate_series(timestamptz '1997-02-01', '1998-07-01', interval '1 month')
    LOOP
        PERFORM set_config('segment.as_of', instant::text, false);
        CALL segment.refresh('shop.customers');
    END LOOP;
END
$$;

\o
\pset tuples_only off
\set QUIET :was_quiet
