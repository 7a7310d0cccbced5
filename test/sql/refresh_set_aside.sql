-- Customers for whom an expression fails: set aside, reported, and the others go on.
CREATE SCHEMA aside;
SET search_path = aside;
SET client_min_messages = warning;
SET TimeZone = 'UTC';
SET segment.as_of = '2024-06-01 00:00:00+00';
CREATE TABLE purchase (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer int, at timestamptz, amount numeric);
CREATE INDEX ON purchase (customer);
INSERT INTO purchase (customer, at, amount)
SELECT i % 40, '2024-05-01 00:00:00+00'::timestamptz + i * interval '1 hour', 1 + i % 7 FROM generate_series(1, 400) i;
CREATE TABLE person (id int PRIMARY KEY, born text);
INSERT INTO person SELECT i, '2000' FROM generate_series(0, 45) i;
SELECT segment.create_table('customers', 'customer', 'int');
SELECT segment.add_source('customers', 'purchase', 'customer', 'at', value => 'amount');
SELECT segment.add_score('customers', 'n', 'count(*)');
SELECT segment.add_score('customers', 'ratio', 'sum(100 / value)');
SELECT segment.add_score('customers', 'recent', 'count(*) FILTER (WHERE at > now() - interval ''20 days'')');
SELECT segment.add_segment('customers', 'big', 'ratio > 300');
SELECT segment.add_segment('customers', 'active', 'recent > 0');
CALL segment.refresh('customers');
CREATE VIEW failing AS SELECT key, part, sqlstate, error, since, tried_at, retry_at FROM segment.set_aside
	WHERE tbl = 'customers'::regclass ORDER BY key::int;
CREATE VIEW last_run AS SELECT kind, status, processed, set_aside, error FROM segment.runs
	WHERE tbl = 'customers'::regclass ORDER BY id DESC LIMIT 1;
-- rows that are wrong, or stale though nobody set the customer aside; in plain SQL
CREATE VIEW wrong AS SELECT c.customer, c.n, p.n AS expected FROM customers c FULL JOIN
	(SELECT customer, count(*) AS n FROM purchase WHERE at <= segment.now() GROUP BY 1) p USING (customer)
	WHERE c.n IS DISTINCT FROM coalesce(p.n, 0) AND NOT EXISTS (SELECT FROM failing f WHERE f.key = customer::text) ORDER BY 1;

-- one of many
INSERT INTO purchase (customer, at, amount) SELECT i, '2024-05-30 00:00:00+00', i - 20 FROM generate_series(10, 30) i;
CALL segment.refresh('customers');
TABLE failing;
TABLE last_run;
TABLE wrong;
SELECT n FROM customers WHERE customer = 20;
SELECT set_aside, backlog, next_due FROM segment.status WHERE tbl = 'customers'::regclass;
-- it is neither judged nor computed; all others are
SET client_min_messages = notice;
SELECT * FROM segment.verify('customers');
SET client_min_messages = warning;
UPDATE customers SET n = 0 WHERE customer = 21;
SELECT * FROM segment.verify('customers');
UPDATE customers SET n = 11 WHERE customer = 21;

-- who asks is told which column
SELECT segment.current('customers', '20');
SELECT * FROM segment.explain('customers', '20', 'big');
SELECT * FROM segment.evaluate('customers', '2024-06-01 00:00:00+00');
SELECT * FROM segment.evaluate_rows(NULL::customers, '2024-06-01 00:00:00+00');
SELECT segment.current('customers', '21') ->> 'n' AS n;

-- nothing to do is nothing tried; after a minute, then two
CALL segment.refresh('customers');
TABLE last_run;
SET segment.as_of = '2024-06-01 00:01:00+00';
CALL segment.refresh('customers');
TABLE last_run;
SET segment.as_of = '2024-06-01 00:02:00+00';
CALL segment.refresh('customers');
TABLE failing;
SET segment.as_of = '2024-06-05 00:00:00+00';
CALL segment.refresh('customers');
TABLE failing;

-- a crowd falls due at one instant, a batch is small, and one of them fails: it ends
SET segment.batch_size = 3;
SET segment.as_of = '2024-06-08 00:00:00+00';
CALL segment.refresh('customers');
TABLE wrong;
SELECT * FROM segment.verify('customers');
SELECT count(*) FROM segment.status WHERE next_due <= '2024-06-08 00:00:00+00' AND tbl = 'customers'::regclass;
RESET segment.batch_size;

-- a rebuild: once with those known, once with one who is new
CALL segment.rebuild('customers');
INSERT INTO purchase (customer, at, amount) VALUES (33, '2024-05-30 00:00:00+00', 0), (34, '2024-05-30 00:00:00+00', 1), (77, '2024-05-30 00:00:00+00', 0);
SET segment.batch_size = 7;
CALL segment.rebuild('customers');
RESET segment.batch_size;
TABLE failing;
TABLE last_run;
TABLE wrong;
SELECT * FROM segment.verify('customers');
-- back in time: the history of those set aside stays with their rows
SET segment.as_of = '2024-06-03 00:00:00+00';
CALL segment.refresh('customers');
TABLE wrong;
SELECT * FROM segment.verify('customers');

-- mended by an event, and by a score that is altered
DELETE FROM purchase WHERE customer = 20 AND amount = 0;
CALL segment.refresh('customers');
SELECT key FROM failing;
SELECT n FROM customers WHERE customer = 20;
SELECT segment.add_score('customers', 'later', 'n + 1');
CALL segment.refresh('customers');
SELECT count(*) FROM customers WHERE later = n + 1;
SELECT key FROM failing;
SELECT segment.alter_score('customers', 'ratio', 'sum(100 / nullif(value, 0))');
CALL segment.refresh('customers');
TABLE failing;
TABLE wrong;
SELECT * FROM segment.verify('customers');

-- a column over the row: its values come from the rows, until somebody fails
SELECT segment.add_score('customers', 'share', '100 / (customer - 12)');
CALL segment.refresh('customers');
SELECT count(*), min(error), min(part) FROM failing;
SELECT count(*) FROM customers WHERE share = 100 / nullif(customer - 12, 0);
SELECT * FROM segment.verify('customers');
SELECT segment.alter_score('customers', 'share', '100 / nullif(customer - 12, 0)');
CALL segment.refresh('customers');
TABLE failing;
SELECT * FROM segment.verify('customers');

-- bands: who is set aside keeps his, and the others are cut without him
SELECT segment.add_band('customers', 'third', 'ratio', 3);
CALL segment.refresh('customers');
SELECT segment.add_score('customers', 'check_it', 'sum(1 / (value - 50))');
INSERT INTO purchase (customer, at, amount) VALUES (5, '2024-05-30 00:00:00+00', 50);
CALL segment.refresh('customers');
SELECT key, part FROM failing;
SELECT segment.recut('customers', 'third');
SELECT * FROM segment.verify('customers');
CALL segment.rebuild('customers');
SELECT key, part FROM failing;
SELECT count(third), count(*) FROM customers;
SELECT segment.drop_score('customers', 'check_it');
CALL segment.refresh('customers');
TABLE failing;
-- a rule that new cut points make fail for a third of them, though nobody alone failed before
SELECT segment.add_score('customers', 'by_band', '1 / (third - 2)');
SET segment.set_aside_limit = 10;
CALL segment.refresh('customers');
SELECT segment.drop_score('customers', 'by_band');
CALL segment.refresh('customers');
RESET segment.set_aside_limit;
SELECT * FROM segment.verify('customers');

-- groups, eligibility, attributes, and the instant of an event
SELECT segment.add_group('customers', 'kind', 'a', '10 / (customer - 6) > 0', 'b', 'n > 0');
CALL segment.refresh('customers');
SELECT key, part, error FROM failing;
SELECT segment.drop_group('customers', 'kind');
SELECT segment.set_eligible('customers', 'customer = 0 OR 10 / (customer - 7) < 100');
CALL segment.refresh('customers');
SELECT key, part, error FROM failing;
SELECT segment.current('customers', '7');
SELECT segment.set_eligible('customers', NULL);
SELECT segment.add_attributes('customers', 'person', 'id', '{"born": "born::int"}');
CALL segment.refresh('customers');
UPDATE person SET born = 'unknown' WHERE id = 8;
UPDATE person SET born = '1999' WHERE id = 9;
CALL segment.refresh('customers');
SELECT key, part, error FROM failing;
SELECT customer, born FROM customers WHERE customer IN (8, 9) ORDER BY 1;
CALL segment.rebuild('customers');
SELECT key, part, error FROM failing;
SELECT * FROM segment.verify('customers');
UPDATE person SET born = '1998' WHERE id = 8;
CALL segment.refresh('customers');
TABLE failing;
CREATE TABLE visit (customer int, day text);
CREATE FUNCTION instant(day text) RETURNS timestamptz IMMUTABLE LANGUAGE plpgsql
AS $$BEGIN RETURN day || ' 00:00:00+00'; END$$;
SELECT segment.add_source('customers', 'visit', 'customer', 'aside.instant(day)');
INSERT INTO visit VALUES (1, '2024-05-01'), (2, 'some day'), (3, '2024-05-03');
CALL segment.refresh('customers');
SELECT key, part, error FROM failing;
SELECT customer, n FROM customers WHERE customer IN (1, 2, 3) ORDER BY 1;
SELECT * FROM segment.verify('customers');
SELECT segment.current('customers', '2');
SELECT segment.drop_source('customers', 'visit');
CALL segment.refresh('customers');
TABLE failing;

-- numbers out of range, and one that is none
SELECT segment.add_score('customers', 'huge', 'exp(sum(value)::float8)');
INSERT INTO purchase (customer, at, amount) VALUES (11, '2024-05-30 00:00:00+00', 1000), (12, '2024-05-30 00:00:00+00', 'NaN');
CALL segment.refresh('customers');
SELECT key, part, error FROM failing;
SELECT customer, huge FROM customers WHERE customer = 12;
SELECT * FROM segment.verify('customers');
SELECT segment.drop_score('customers', 'huge');
CALL segment.refresh('customers');
TABLE failing;

-- what the table itself refuses: a trigger, a constraint, a unique index
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
AS $$BEGIN IF NEW.customer = 15 THEN RAISE EXCEPTION 'not him'; END IF; RETURN NEW; END$$;
CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION refuse();
ALTER TABLE customers ADD CHECK (n < 20 OR customer <> 16);
CREATE UNIQUE INDEX one_of_them ON customers (n) WHERE n >= 50;
INSERT INTO purchase (customer, at, amount) SELECT c, '2024-05-29 00:00:00+00', 1 FROM generate_series(14, 17) c, generate_series(1, 20);
INSERT INTO purchase (customer, at, amount) SELECT c, '2024-05-29 00:00:00+00', 1 FROM (VALUES (1), (2)) v(c), generate_series(1, 60);
DELETE FROM purchase p USING (SELECT id, row_number() OVER (PARTITION BY customer ORDER BY id) AS i FROM purchase) d
	WHERE p.id = d.id AND p.customer IN (1, 2) AND i > 60;
CALL segment.refresh('customers');
SELECT key, part, sqlstate, error FROM failing;
TABLE wrong;
SELECT * FROM segment.verify('customers');
CALL segment.rebuild('customers');
SELECT key, part, sqlstate, error FROM failing;
SELECT * FROM segment.verify('customers');
DROP TRIGGER refuse ON customers;
DROP INDEX one_of_them;
ALTER TABLE customers DROP CONSTRAINT customers_check;
CALL segment.rebuild('customers');
TABLE failing;
SELECT * FROM segment.verify('customers');

-- in a transaction block: with the block
BEGIN;
UPDATE purchase SET amount = 60 WHERE customer IN (1, 2);
SELECT segment.add_score('customers', 'check_it', 'sum(1 / (value - 60))');
CALL segment.refresh('customers');
SELECT key, part FROM failing;
SAVEPOINT s;
UPDATE purchase SET amount = 61 WHERE customer = 1;
CALL segment.refresh('customers');
SELECT key, part FROM failing;
ROLLBACK TO s;
SELECT key, part FROM failing;
ROLLBACK;
TABLE failing;
CALL segment.refresh('customers');
SELECT * FROM segment.verify('customers');

-- too many: the definition is to blame
SET segment.set_aside_limit = 5;
INSERT INTO purchase (customer, at, amount) SELECT i, '2024-05-30 00:00:00+00', 7 FROM generate_series(1, 9) i;
SELECT segment.add_score('customers', 'check_it', 'sum(1 / (value - 7))');
CALL segment.refresh('customers');
TABLE failing;
SELECT segment.drop_score('customers', 'check_it');
SELECT segment.add_score('customers', 'check_it', 'sum(1 / (value - 77))');
CALL segment.refresh('customers');
INSERT INTO purchase (customer, at, amount) SELECT i, '2024-05-30 00:00:00+00', 77 FROM generate_series(1, 5) i;
CALL segment.refresh('customers');
INSERT INTO purchase (customer, at, amount) SELECT i, '2024-05-30 00:00:00+00', 77 FROM generate_series(1, 10) i;
-- who was set aside before does not count
CALL segment.refresh('customers');
SELECT count(*) FROM failing;
INSERT INTO purchase (customer, at, amount) SELECT i, '2024-05-30 00:00:00+00', 77 FROM generate_series(11, 16) i;
CALL segment.refresh('customers');
CALL segment.rebuild('customers');
SELECT count(*) FROM failing;
SELECT backlog FROM segment.status WHERE tbl = 'customers'::regclass;
-- none at all
SET segment.set_aside_limit = 0;
DELETE FROM purchase WHERE customer BETWEEN 1 AND 16 AND amount = 77;
CALL segment.refresh('customers');
TABLE failing;
INSERT INTO purchase (customer, at, amount) VALUES (1, '2024-05-30 00:00:00+00', 77);
CALL segment.refresh('customers');
TABLE failing;
RESET segment.set_aside_limit;

-- an error that is not of data is the run's
CREATE FUNCTION broken(x numeric) RETURNS numeric IMMUTABLE LANGUAGE plpgsql AS $$BEGIN RETURN nothing(x); END$$;
DELETE FROM purchase WHERE customer = 1 AND amount = 77;
SELECT segment.add_score('customers', 'broke', 'aside.broken(sum(value))');
CALL segment.refresh('customers');
CREATE OR REPLACE FUNCTION broken(x numeric) RETURNS numeric IMMUTABLE LANGUAGE plpgsql
AS $$BEGIN IF x > 150 THEN RAISE EXCEPTION 'too much' USING ERRCODE = 'SHOP1'; END IF; RETURN x; END$$;
INSERT INTO purchase (customer, at, amount) VALUES (1, '2024-05-30 00:00:00+00', 10000);
CALL segment.refresh('customers');
SELECT key, part, sqlstate, error FROM failing WHERE key = '1';
CREATE OR REPLACE FUNCTION broken(x numeric) RETURNS numeric IMMUTABLE LANGUAGE plpgsql
AS $$BEGIN IF x > 150 THEN PERFORM pg_sleep(600); END IF; RETURN x; END$$;
\set SHOW_CONTEXT never
SET statement_timeout = '100ms';
CALL segment.rebuild('customers');
RESET statement_timeout;
\set SHOW_CONTEXT errors
CREATE OR REPLACE FUNCTION broken(x numeric) RETURNS numeric IMMUTABLE LANGUAGE plpgsql AS $$BEGIN RETURN x; END$$;
CALL segment.rebuild('customers');
TABLE failing;
SELECT * FROM segment.verify('customers');

-- errors may quote events: the owner is shown them, a reader is not
CREATE FUNCTION parsed(x text) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$BEGIN RETURN x; END$$;
SELECT segment.add_score('customers', 'parsed', 'aside.parsed(CASE WHEN customer = 3 THEN ''secret'' ELSE ''1'' END)');
CALL segment.refresh('customers');
SELECT key, part, error FROM segment.set_aside;
CREATE ROLE aside_reader;
GRANT USAGE ON SCHEMA aside TO aside_reader;
GRANT SELECT ON customers TO aside_reader;
SET ROLE aside_reader;
SELECT key, part, sqlstate, error FROM segment.set_aside;
SELECT DISTINCT error FROM segment.runs;
RESET ROLE;
ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
SET ROLE aside_reader;
SELECT * FROM segment.set_aside;
RESET ROLE;
ALTER TABLE customers DISABLE ROW LEVEL SECURITY;
REVOKE SELECT ON customers FROM aside_reader;
SET ROLE aside_reader;
SELECT * FROM segment.set_aside;
RESET ROLE;

-- who is erased leaves no trace, and fails no more, though the events are there still
SELECT rows, waiting, suppressed FROM segment.erase('customers', '3');
SELECT count(*) FROM segment.aside;
CALL segment.rebuild('customers');
SELECT count(*) FROM segment.aside;
SELECT count(*) FROM customers WHERE customer = 3;
SELECT * FROM segment.verify('customers');
INSERT INTO purchase (customer, at, amount) VALUES (4, '2024-05-30 00:00:00+00', 0);
SELECT segment.alter_score('customers', 'ratio', 'sum(100 / value)');
CALL segment.refresh('customers');
SELECT key FROM segment.set_aside ORDER BY key::int;
SELECT * FROM segment.verify('customers');

-- a column may be dropped while a refresh is under way: who is set aside is tried again by the next one
CREATE FUNCTION drops() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN UPDATE segment.aside SET retry_at = '-infinity'; RETURN NULL; END$$;
CREATE TRIGGER drops AFTER UPDATE ON customers FOR EACH STATEMENT EXECUTE FUNCTION drops();
INSERT INTO purchase (customer, at, amount) VALUES (5, '2024-05-30 00:00:00+00', 1);
CALL segment.refresh('customers');
SELECT key, retry_at FROM segment.set_aside ORDER BY key::int;
SELECT next_due, lag >= '0' AS lags, set_aside FROM segment.status WHERE tbl = 'customers'::regclass;
DROP TRIGGER drops ON customers;
CALL segment.refresh('customers');
SELECT key, retry_at > segment.now() AS later FROM segment.set_aside ORDER BY key::int;

-- gone with the table
DROP VIEW wrong, failing, last_run;
SELECT segment.drop_table('customers');
SELECT count(*) FROM segment.aside;
REVOKE ALL ON SCHEMA aside FROM aside_reader;
DROP ROLE aside_reader;
DROP SCHEMA aside CASCADE;
