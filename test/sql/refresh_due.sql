-- A crowd that is due at once is worked off in batches, the longest due first;
-- who is marked does not wait for it.
SET client_min_messages = warning;
CREATE SCHEMA due_check;
SET search_path = due_check;
CREATE TABLE logins (customer bigint, at timestamptz);
CREATE INDEX ON logins (customer);
SELECT segment.create_table('people', 'customer');
SELECT segment.add_source('people', 'logins', 'customer', 'at');
SELECT segment.add_score('people', 'last_login', 'max(at)');
SELECT segment.add_segment('people', 'today', $$last_login >= date_trunc('day', now())$$);
-- some have no row before their event comes
INSERT INTO logins SELECT n, '2026-03-01 10:00+00' FROM generate_series(101, 140) n;
INSERT INTO logins SELECT n, '2026-03-02 10:00+00' FROM generate_series(141, 160) n;
INSERT INTO logins SELECT n, '2026-03-02 12:00+00' FROM generate_series(161, 165) n;
SET segment.as_of = '2026-03-01 11:00+00';
CALL segment.refresh('people');
SELECT count(*), valid_until FROM people GROUP BY valid_until;
SELECT count(*) AS pending, min(due), max(due) FROM segment.pending WHERE tbl = 'people'::regclass;

-- what each transaction writes, in order; the first one lets customer 990 log in
CREATE TABLE written (id int GENERATED ALWAYS AS IDENTITY, xid xid8 DEFAULT pg_current_xact_id(), customer bigint);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM due_check.written) THEN
        INSERT INTO due_check.logins VALUES (990, '2026-03-03 00:00:01+00');
    END IF;
    INSERT INTO due_check.written (customer) VALUES (new.customer);
    RETURN NULL;
END $$;
CREATE TRIGGER note AFTER INSERT OR UPDATE ON people FOR EACH ROW EXECUTE FUNCTION note();
CREATE VIEW batches AS
SELECT row_number() OVER (ORDER BY min(id)) AS batch, count(*),
       count(*) FILTER (WHERE customer BETWEEN 101 AND 140) AS first_midnight,
       count(*) FILTER (WHERE customer BETWEEN 141 AND 165) AS others_due,
       array_agg(customer ORDER BY customer) FILTER (WHERE customer > 165) AS marked
FROM written GROUP BY xid;

SET segment.batch_size = 10;
SET segment.as_of = '2026-03-03 00:00:05+00';
INSERT INTO logins SELECT n, '2026-03-03 00:00:01+00' FROM generate_series(900, 902) n;
CALL segment.refresh('people');
SELECT * FROM batches ORDER BY batch;
SELECT today, count(*) FROM people GROUP BY today ORDER BY today;
SELECT * FROM segment.verify('people');

-- a crowd of marks leaves half of each batch to those who are due
DROP TRIGGER note ON people;
SET segment.as_of = '2026-03-04 00:00:05+00';
INSERT INTO logins SELECT n, '2026-03-04 00:00:01+00' FROM generate_series(101, 140) n;
CALL segment.refresh('people');
DELETE FROM written WHERE customer < 1000;
INSERT INTO written (customer) VALUES (0);
CREATE TRIGGER note AFTER INSERT OR UPDATE ON people FOR EACH ROW EXECUTE FUNCTION note();
SET segment.as_of = '2026-03-05 00:00:05+00';
INSERT INTO logins SELECT n, '2026-03-05 00:00:01+00' FROM generate_series(201, 230) n;
CALL segment.refresh('people');
SELECT batch, count, first_midnight AS due, marked FROM batches ORDER BY batch;
SELECT * FROM segment.verify('people');

-- in a transaction block as well
DROP TRIGGER note ON people;
SET segment.as_of = '2026-03-06 00:00:05+00';
BEGIN;
CALL segment.refresh('people');
COMMIT;
SELECT today, count(*) FROM people GROUP BY today ORDER BY today;
SELECT * FROM segment.verify('people');

-- more of one instant than are looked up at once, some of them gone meanwhile
SET segment.batch_size = 7;
INSERT INTO logins SELECT n, '2026-03-06 00:00:02+00' FROM generate_series(1001, 2000) n;
CALL segment.refresh('people');
DELETE FROM people WHERE customer % 3 = 0;
SET segment.as_of = '2026-03-07 00:00:00+00';
CALL segment.refresh('people');
SELECT today, count(*), min(valid_until) FROM people GROUP BY today ORDER BY today;
SELECT next_due FROM segment.status WHERE tbl = 'people'::regclass;

-- rows that a trigger keeps as they are: no refresh goes round for ever
INSERT INTO logins SELECT n, '2026-03-07 00:00:02+00' FROM generate_series(1, 2000) n;
SET segment.as_of = '2026-03-07 00:00:05+00';
CALL segment.refresh('people');
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER keep BEFORE UPDATE ON people FOR EACH ROW EXECUTE FUNCTION keep();
SET segment.as_of = '2026-03-08 00:00:05+00';
\set VERBOSITY terse
CALL segment.refresh('people');
\set VERBOSITY default
DROP TRIGGER keep ON people;
CALL segment.refresh('people');
SELECT today, count(*) FROM people GROUP BY today ORDER BY today;
SELECT * FROM segment.verify('people');
DROP SCHEMA due_check CASCADE;
