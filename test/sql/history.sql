-- History: who was in which segment when.
SET client_min_messages = warning;
CREATE SCHEMA past;
SET search_path = past;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET segment.as_of = '2024-01-10 00:00:00+00';
CREATE TABLE event (customer int, at timestamptz, amount int);
SELECT segment.create_table('customers', 'customer', 'int');
SELECT segment.add_source('customers', 'event', key => 'customer', at => 'at', value => 'amount');
SELECT segment.add_score('customers', 'last_at', 'max(at)');
SELECT segment.add_score('customers', 'total', 'sum(value)');
SELECT segment.add_segment('customers', 'active', 'last_at > now() - interval ''10 days''');
SELECT segment.add_segment('customers', 'big', 'total >= 100');
INSERT INTO event VALUES (1, '2024-01-05', 10), (2, '2024-01-09', 200), (3, '2023-01-01', 1);
CALL segment.refresh('customers');
SELECT customer, segment, label, entered_at, left_at FROM customers_history ORDER BY 1, 2, 4;

-- nothing changes, nothing is written; a change of other columns is none
SET segment.as_of = '2024-01-11 00:00:00+00';
INSERT INTO event VALUES (1, '2024-01-06', 10);
CALL segment.refresh('customers');
CALL segment.refresh('customers');
SELECT customer, segment, label, entered_at, left_at FROM customers_history ORDER BY 1, 2, 4;

-- leaves by time, comes back by an event, leaves again
SET segment.as_of = '2024-01-16 00:00:00+00';
CALL segment.refresh('customers');
INSERT INTO event VALUES (1, '2024-01-16', 100);
SET segment.as_of = '2024-01-17 00:00:00+00';
CALL segment.refresh('customers');
SET segment.as_of = '2024-02-20 00:00:00+00';
CALL segment.refresh('customers');
SELECT customer, segment, label, entered_at, left_at FROM customers_history ORDER BY 1, 2, 4;

-- a row that goes leaves everything; a rebuild changes no history
DELETE FROM event WHERE customer = 2;
CALL segment.refresh('customers');
CALL segment.rebuild('customers');
SELECT customer, segment, label, entered_at, left_at FROM customers_history ORDER BY 1, 2, 4;

-- rows that cease to be eligible
SELECT segment.set_eligible('customers', 'total < 100');
CALL segment.refresh('customers');
SELECT customer FROM customers;
SELECT segment.set_eligible('customers', NULL);
SET segment.as_of = '2024-02-21 00:00:00+00';
CALL segment.refresh('customers');
SELECT customer, segment, label, entered_at, left_at FROM customers_history ORDER BY 1, 2, 4;

-- in and out within one transaction, and in a transaction that is undone
BEGIN;
INSERT INTO event VALUES (4, '2024-02-21', 500);
CALL segment.refresh('customers');
DELETE FROM event WHERE customer = 4;
CALL segment.refresh('customers');
SELECT count(*) FROM customers_history WHERE customer = 4 AND left_at IS NULL;
ROLLBACK;
SELECT count(*) FROM customers_history WHERE customer = 4;

-- a segment that is defined later, defined anew, dropped
SELECT segment.add_segment('customers', 'small', 'total < 10');
CALL segment.refresh('customers');
SELECT customer, segment, label, entered_at, left_at FROM customers_history WHERE segment = 'small' ORDER BY 1, 2, 4;
SET segment.as_of = '2024-02-22 00:00:00+00';
SELECT segment.add_segment('customers', 'small', 'total < 1000');
SELECT segment.drop_segment('customers', 'small');
CALL segment.refresh('customers');
SELECT segment.add_segment('customers', 'small', 'total < 1000');
CALL segment.refresh('customers');
SELECT customer, segment, label, left_at IS NULL AS open FROM customers_history WHERE segment = 'small' AND left_at IS NULL ORDER BY 1, 2, 4;
SELECT segment.drop_segment('customers', 'small');
CALL segment.refresh('customers');
SELECT count(*) FROM customers_history WHERE segment = 'small' AND left_at IS NULL;

-- a member whose key moves
UPDATE event SET customer = 5 WHERE customer = 1;
CALL segment.refresh('customers');
SELECT customer, segment, label, entered_at, left_at FROM customers_history WHERE customer IN (1, 5) ORDER BY 1, 2, 4;

-- open intervals are the members, and no customer is in a segment twice at a time
CREATE VIEW member AS
	SELECT customer, 'big' AS segment FROM customers WHERE big UNION ALL SELECT customer, 'active' FROM customers WHERE active;
SELECT * FROM member EXCEPT ALL SELECT customer, segment FROM customers_history WHERE left_at IS NULL;
SELECT customer, segment FROM customers_history WHERE left_at IS NULL EXCEPT ALL SELECT * FROM member;
SELECT a.* FROM customers_history a JOIN customers_history b USING (customer, segment)
WHERE a.ctid <> b.ctid AND a.entered_at < coalesce(b.left_at, 'infinity') AND b.entered_at < coalesce(a.left_at, 'infinity');

-- also when the as-of goes back before what the history tells: to before a
-- customer went and a segment was dropped, whose members it must not bring back
SET segment.as_of = '2024-02-21 12:00:00+00';
CALL segment.refresh('customers');
SELECT * FROM member EXCEPT ALL SELECT customer, segment FROM customers_history WHERE left_at IS NULL;
SELECT customer, segment FROM customers_history WHERE left_at IS NULL EXCEPT ALL SELECT * FROM member;
SELECT a.* FROM customers_history a JOIN customers_history b USING (customer, segment)
WHERE a.ctid <> b.ctid AND a.entered_at < coalesce(b.left_at, 'infinity') AND b.entered_at < coalesce(a.left_at, 'infinity');
INSERT INTO event VALUES (1, '2024-02-21', 500);
CALL segment.refresh('customers');
SELECT * FROM member EXCEPT ALL SELECT customer, segment FROM customers_history WHERE left_at IS NULL;
SELECT customer, segment FROM customers_history WHERE left_at IS NULL EXCEPT ALL SELECT * FROM member;
SELECT a.* FROM customers_history a JOIN customers_history b USING (customer, segment)
WHERE a.ctid <> b.ctid AND a.entered_at < coalesce(b.left_at, 'infinity') AND b.entered_at < coalesce(a.left_at, 'infinity');
SELECT * FROM segment.verify('customers');

-- a clock that goes back by less than a second, which no refresh takes for going back in time
DELETE FROM event;
SELECT segment.add_group('customers', 'sum', 'one', 'total = 1', 'two', 'total = 2', 'three', 'total = 3');
RESET segment.as_of;
INSERT INTO event VALUES (1, '2024-02-01', 1);
CALL segment.rebuild('customers');
CREATE FUNCTION advance() RETURNS text LANGUAGE sql
RETURN set_config('segment.as_of', (clock_timestamp() + interval '900 milliseconds')::text, false);
SELECT advance() IS NULL AS failed;
INSERT INTO event VALUES (1, '2024-02-01', 1);
CALL segment.refresh('customers');
RESET segment.as_of;
INSERT INTO event VALUES (1, '2024-02-01', 1);
CALL segment.refresh('customers');
SELECT count(*) FILTER (WHERE left_at IS NULL AND label = 'three') AS open, count(*) FILTER (WHERE early) AS overlapping
FROM (SELECT *, entered_at < lag(left_at) OVER (PARTITION BY customer, segment ORDER BY entered_at) AS early
	  FROM customers_history WHERE segment = 'sum') h;
SELECT * FROM segment.verify('customers');

-- rows deleted by hand: who comes back goes on where he is still in, and a rebuild ends what nobody is in
SET segment.as_of = '2040-01-01 00:00:00+00';
SELECT segment.add_segment('customers', 'some', 'total > 0');
INSERT INTO event SELECT n, '2024-03-01', n FROM generate_series(10, 15) n;
INSERT INTO event SELECT n, '2024-03-01', 1 FROM generate_series(20, 21) n;
CALL segment.refresh('customers');
SET segment.as_of = '2040-01-02 00:00:00+00';
DELETE FROM customers WHERE customer IN (10, 11, 12, 20, 21);
INSERT INTO event VALUES (10, '2024-03-02', 1), (11, '2024-03-02', -11), (20, '2024-03-02', 1);
DELETE FROM event WHERE customer = 12;
CALL segment.refresh('customers');
SELECT customer, segment, label, entered_at, left_at FROM customers_history WHERE customer IN (10, 11, 12, 20, 21) ORDER BY 1, 2, 4;
SELECT key, problem, stored, expected FROM segment.verify('customers') ORDER BY 1, 2, 3;
CALL segment.rebuild('customers');
SELECT customer, segment, label, entered_at, left_at FROM customers_history WHERE customer IN (12, 21) ORDER BY 1, 2, 4;
SELECT * FROM segment.verify('customers');

-- a segment dropped as of an instant before the latest refresh, as in a transaction that began
-- earlier: what the refresh saw was so; and no refresh comes before the drop
SET segment.as_of = '2040-01-01 12:00:00+00';
SELECT segment.drop_segment('customers', 'some');
SELECT count(*), min(left_at), max(left_at) FROM customers_history WHERE segment = 'some' AND customer BETWEEN 13 AND 15;
SET segment.as_of = '2040-01-03 00:00:00+00';
SELECT segment.drop_group('customers', 'sum');
SET segment.as_of = '2040-01-02 12:00:00+00';
SELECT segment.add_group('customers', 'sum', 'large', 'total >= 10');
CALL segment.refresh('customers');
SELECT count(*) FILTER (WHERE left_at IS NULL) AS open, count(*) FILTER (WHERE early) AS overlapping
FROM (SELECT *, entered_at < lag(left_at) OVER (PARTITION BY customer, segment ORDER BY entered_at) AS early
	  FROM customers_history WHERE segment = 'sum') h;
SELECT * FROM segment.verify('customers');

-- verify as of before the latest refresh: since when somebody has had no row is not known
SELECT segment.set_eligible('customers', 'now() < timestamptz ''2040-01-04 00:00:00+00''');
SET segment.as_of = '2040-01-05 00:00:00+00';
CALL segment.refresh('customers');
SET segment.as_of = '2040-01-03 00:00:00+00';
SELECT count(*) AS customers FROM customers;
SELECT * FROM segment.verify('customers');

-- a history dropped by hand
BEGIN;
DROP VIEW member;
DROP TABLE customers_history;
SAVEPOINT before;
CALL segment.refresh('customers');
ROLLBACK TO before;
SELECT segment.recut('customers', 'none');
ROLLBACK TO before;
SELECT * FROM segment.verify('customers');
ROLLBACK TO before;
SELECT jsonb_array_length(segment.definition('customers') -> 'segments') AS segments;
SELECT segment.drop_table('customers');
ROLLBACK;

DROP VIEW member;
SELECT segment.drop_table('customers');
DROP SCHEMA past CASCADE;
