-- What a refresh does: differences only, whole or not at all.
SET client_min_messages = warning;
CREATE SCHEMA apply;
SET search_path = apply;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET segment.as_of = '2024-06-01 00:00:00+00';
CREATE TABLE event (id int GENERATED ALWAYS AS IDENTITY, customer int, at timestamptz DEFAULT '2024-05-20 00:00+00', amount numeric DEFAULT 1, note text);
INSERT INTO event (customer) SELECT n FROM generate_series(1, 100) n;
SELECT segment.create_table('customers', 'customer', 'int');

-- before there is a source, before there is a column
CALL segment.refresh('customers');
SELECT count(*) FROM customers;
SELECT segment.add_source('customers', 'event', key => 'customer', at => 'at', value => 'amount', item => 'note');
CALL segment.refresh('customers');
SELECT count(*), min(refreshed_at), max(valid_until) FROM customers;
SELECT segment.add_score('customers', 'n', 'count(*)');
SELECT segment.add_score('customers', 'total', 'sum(value)');
SELECT segment.add_segment('customers', 'active', 'n > 0');
CALL segment.refresh('customers');
SELECT count(*), sum(n), sum(total), count(*) FILTER (WHERE active) FROM customers;
\d customers
\d customers_history
\d customers_events

-- a row that comes out the same is not rewritten
CREATE TEMP TABLE before AS SELECT customer, ctid AS at_tid, xmin::text AS by_xid, refreshed_at FROM customers;
SET segment.as_of = '2024-06-02 00:00:00+00';
UPDATE event SET note = 'same' WHERE customer <= 50;
UPDATE event SET amount = 2 WHERE customer = 7;
INSERT INTO event (customer) VALUES (8), (101);
DELETE FROM event WHERE customer = 9;
CALL segment.refresh('customers');
SELECT coalesce(c.customer, b.customer) AS customer, c.n, c.total, c.refreshed_at
FROM customers c FULL JOIN before b USING (customer)
WHERE (c.ctid, c.xmin::text) IS DISTINCT FROM (b.at_tid, b.by_xid) ORDER BY 1;
DROP TABLE before;
CREATE TEMP TABLE before AS SELECT customer, ctid AS at_tid, xmin::text AS by_xid FROM customers;
CALL segment.rebuild('customers');
CALL segment.refresh('customers');
SELECT count(*) FROM customers c FULL JOIN before b USING (customer) WHERE (c.ctid, c.xmin::text) IS DISTINCT FROM (b.at_tid, b.by_xid);
SELECT * FROM segment.verify('customers');

-- batches of a few, more customers than one
SET segment.batch_size = 7;
UPDATE event SET amount = 3;
INSERT INTO event (customer) SELECT n FROM generate_series(200, 230) n;
CALL segment.refresh('customers');
SELECT count(*), sum(n), sum(total) FROM customers;
CALL segment.rebuild('customers');
SELECT count(*), sum(n), sum(total) FROM customers;
SELECT * FROM segment.verify('customers');
RESET segment.batch_size;

-- in a transaction block: all or nothing, with what the transaction itself wrote
BEGIN;
INSERT INTO event (customer) VALUES (300), (1);
CALL segment.refresh('customers');
SELECT customer, n FROM customers WHERE customer IN (1, 300) ORDER BY 1;
DELETE FROM event WHERE customer = 300;
CALL segment.refresh('customers');
SELECT customer, n FROM customers WHERE customer IN (1, 300) ORDER BY 1;
INSERT INTO event (customer) VALUES (301);
COMMIT;
CALL segment.refresh('customers');
SELECT customer, n FROM customers WHERE customer IN (1, 300, 301) ORDER BY 1;
SELECT * FROM segment.verify('customers');
BEGIN;
INSERT INTO event (customer) VALUES (1);
CALL segment.refresh('customers');
ROLLBACK;
SELECT customer, n FROM customers WHERE customer = 1;
SELECT * FROM segment.verify('customers');
BEGIN;
INSERT INTO event (customer) VALUES (2);
SAVEPOINT a;
CALL segment.refresh('customers');
SELECT customer, n FROM customers WHERE customer = 2;
ROLLBACK TO a;
SELECT customer, n FROM customers WHERE customer = 2;
COMMIT;
CALL segment.refresh('customers');
SELECT customer, n FROM customers WHERE customer = 2;
SELECT * FROM segment.verify('customers');

-- at other isolation levels, in a read-only transaction, by a function
BEGIN ISOLATION LEVEL REPEATABLE READ;
INSERT INTO event (customer) VALUES (3);
CALL segment.refresh('customers');
COMMIT;
CALL segment.refresh('customers');
SELECT customer, n FROM customers WHERE customer = 3;
BEGIN ISOLATION LEVEL SERIALIZABLE;
CALL segment.refresh('customers');
COMMIT;
BEGIN READ ONLY;
\set VERBOSITY terse
CALL segment.refresh('customers');
\set VERBOSITY default
ROLLBACK;
INSERT INTO event (customer) VALUES (4);
DO $$ BEGIN CALL segment.refresh('customers'); END $$;
SELECT customer, n FROM customers WHERE customer = 4;
SELECT * FROM segment.verify('customers');

-- a user's own index, foreign key, view and rights on the segment table survive a rebuild
CREATE INDEX ON customers (total);
CREATE VIEW best AS SELECT * FROM customers WHERE total > 5;
CREATE TABLE letter (customer int REFERENCES customers ON DELETE CASCADE);
INSERT INTO letter VALUES (1), (2);
INSERT INTO event (customer, amount) VALUES (5, 100);
CALL segment.rebuild('customers');
SELECT count(*) FROM letter;
SELECT customer, total FROM best ORDER BY 1;
DELETE FROM event WHERE customer = 1;
CALL segment.refresh('customers');
SELECT count(*) FROM letter;
DROP TABLE letter;
DROP VIEW best;

-- segment tables are written by refresh alone; it mends what others did
SELECT * FROM segment.verify('customers');
UPDATE customers SET n = -1 WHERE customer = 2;
CALL segment.rebuild('customers');
SELECT customer, n FROM customers WHERE customer = 2;

-- an as-of that goes back sees less
SET segment.as_of = '2024-05-19 23:59:59.999999+00';
CALL segment.refresh('customers');
SELECT count(*) FROM customers;
SET segment.as_of = '2024-06-03 00:00:00+00';
CALL segment.refresh('customers');
SELECT count(*) FROM customers;
SELECT * FROM segment.verify('customers');

-- current() tells what a refresh would write, also while dirty
INSERT INTO event (customer, amount) VALUES (6, 50), (400, 4);
SELECT segment.current('customers', '6') - 'refreshed_at';
SELECT segment.current('customers', '400') - 'refreshed_at';
SELECT segment.current('customers', '999');
SELECT segment.current('customers', NULL);
\set VERBOSITY terse
SELECT segment.current('customers', 'x');
\set VERBOSITY default
CALL segment.refresh('customers');
SELECT to_jsonb(c) - 'refreshed_at' FROM customers c WHERE customer IN (6, 400) ORDER BY customer;

-- nothing to do, and things that are no segment tables
CALL segment.refresh('customers');
CALL segment.refresh('event');
CALL segment.rebuild('event');
SELECT * FROM segment.verify('event');
CALL segment.refresh(NULL);
CALL segment.refresh('nosuch');
CALL segment.refresh(0);
SELECT segment.drop_table('event');
SELECT segment.drop_table('customers');
SELECT to_regclass('customers'), to_regclass('customers_history'), to_regclass('customers_events');
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'event'::regclass;
INSERT INTO event (customer) VALUES (1);

DROP SCHEMA apply CASCADE;
