-- verify() can fail: what was tampered with is reported, with what is wrong.
CREATE SCHEMA tamper;
SET search_path = tamper;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET segment.as_of = '2024-06-01 00:00:00+00';
CREATE TABLE event (customer int, at timestamptz, amount numeric, score float8);
INSERT INTO event SELECT n, timestamptz '2024-05-01 00:00+00' + n * interval '1 day', n, n / 3.0 FROM generate_series(1, 9) n;
SELECT segment.create_table('customers', 'customer', 'int');
SELECT segment.add_source('customers', 'event', key => 'customer', at => 'at', value => 'amount', extra => '{"score": "score"}');
SELECT segment.add_score('customers', 'n', 'count(*)');
SELECT segment.add_score('customers', 'total', 'sum(value)');
SELECT segment.add_score('customers', 'mean', 'avg(score)');
SELECT segment.add_score('customers', 'last_at', 'max(at)');
SELECT segment.add_segment('customers', 'active', 'last_at > now() - interval ''30 days''');
CALL segment.refresh('customers');
SELECT * FROM segment.verify('customers');

-- one after the other, each undone
BEGIN;
UPDATE customers SET total = total + 0.01 WHERE customer = 1;
UPDATE customers SET total = NULL WHERE customer = 2;
UPDATE customers SET active = NOT active WHERE customer = 3;
UPDATE customers SET mean = mean * (1 + 1e-6) WHERE customer = 4;
UPDATE customers SET last_at = last_at + interval '1 microsecond' WHERE customer = 5;
SELECT key, problem, stored - 'refreshed_at' - 'valid_until' AS stored, expected - 'refreshed_at' - 'valid_until' AS expected FROM segment.verify('customers') ORDER BY key;
ROLLBACK;
BEGIN;
DELETE FROM customers WHERE customer = 2;
SELECT key, problem, stored, expected - 'refreshed_at' - 'valid_until' AS expected FROM segment.verify('customers');
ROLLBACK;
BEGIN;
INSERT INTO customers (customer, n, active, refreshed_at, valid_until) VALUES (77, 1, true, segment.now(), 'infinity');
SELECT key, problem, stored - 'refreshed_at' - 'valid_until' AS stored, expected FROM segment.verify('customers');
ROLLBACK;
BEGIN;
UPDATE customers SET customer = 78 WHERE customer = 3;
SELECT key, problem FROM segment.verify('customers') ORDER BY key;
ROLLBACK;
BEGIN;
TRUNCATE customers CASCADE;
SELECT count(*), min(problem), max(problem) FROM segment.verify('customers');
ROLLBACK;

-- a valid_until that is too late: seen when its time has come
BEGIN;
UPDATE customers SET valid_until = 'infinity' WHERE customer = 4;
SELECT key, problem FROM segment.verify('customers');
SET LOCAL segment.as_of = '2024-06-04 00:00:00+00';
SELECT key, problem, stored ->> 'active' AS stored, expected ->> 'active' AS expected FROM segment.verify('customers');
ROLLBACK;
-- one that is too early is only looked at for nothing
BEGIN;
UPDATE customers SET valid_until = (SELECT next_due FROM segment.status WHERE tbl = 'customers'::regclass) WHERE customer = 4;
SELECT key, problem FROM segment.verify('customers');
ROLLBACK;
-- but not before the instant at which, as refreshes know, the first row is due: it would stay as it is
BEGIN;
UPDATE customers SET valid_until = segment.now() - interval '1 second' WHERE customer = 4;
UPDATE customers SET valid_until = '-infinity', n = n + 1 WHERE customer = 1;
SELECT key, problem, stored, expected FROM segment.verify('customers') ORDER BY key;
ROLLBACK;

-- events whose marks were lost; where triggers are off, nothing is judged
BEGIN;
INSERT INTO event VALUES (1, '2024-05-05 00:00+00', 1, 1), (10, '2024-05-05 00:00+00', 1, 1);
DELETE FROM event WHERE customer = 9;
DELETE FROM segment.mark_log_0;
DELETE FROM segment.mark_log_1;
SELECT key, problem FROM segment.verify('customers') ORDER BY key;
ALTER TABLE event DISABLE TRIGGER USER;
DELETE FROM segment.mark_log_0;
DELETE FROM segment.mark_log_1;
SELECT key, problem FROM segment.verify('customers') ORDER BY key;
ROLLBACK;

-- customers who are dirty or due are not judged, and counted
BEGIN;
UPDATE customers SET n = 99;
COMMIT;
INSERT INTO event VALUES (1, '2024-05-05 00:00+00', 1, 1), (2, '2024-05-05 00:00+00', 1, 1), (11, '2024-05-05 00:00+00', 1, 1);
SELECT key, problem FROM segment.verify('customers') ORDER BY key;
SET segment.as_of = '2024-06-05 00:00:00+00';
SELECT key, problem FROM segment.verify('customers') ORDER BY key;
SET segment.mark_limit = 1;
UPDATE event SET amount = amount;
RESET segment.mark_limit;
SELECT key, problem FROM segment.verify('customers') ORDER BY key;
-- also those of a writer that has not committed, when it is this transaction
CALL segment.rebuild('customers');
SELECT key, problem FROM segment.verify('customers') ORDER BY key;
BEGIN;
DELETE FROM event WHERE customer = 1;
SELECT key, problem FROM segment.verify('customers') ORDER BY key;
ROLLBACK;
SELECT key, problem FROM segment.verify('customers') ORDER BY key;

-- a float that differs by no more than is tolerated may be banded on the other side of a cut point
SELECT segment.add_band('customers', 'rank', 'mean', 9);
SELECT segment.add_segment('customers', 'upper', 'rank > 2');
SELECT segment.add_group('customers', 'half', 'high', 'upper AND mean > 0', 'low', 'true');
CALL segment.refresh('customers');
SELECT customer, rank, upper, half FROM customers WHERE customer = 3;
CREATE FUNCTION moved(new_mean float8, new_rank int, new_upper boolean, new_half text)
RETURNS TABLE (problem text, stored text) LANGUAGE plpgsql AS $$
BEGIN
	UPDATE customers SET mean = new_mean, rank = new_rank, upper = new_upper, half = new_half WHERE customer = 3;
	RETURN QUERY SELECT v.problem, v.stored::text FROM segment.verify('customers') v WHERE v.problem <> 'history';
	UPDATE customers SET mean = 1, rank = 2, upper = false, half = 'low' WHERE customer = 3;
END $$;
SELECT * FROM moved(1 + 1e-15, 4, true, 'high');
SELECT * FROM moved(1 + 1e-15, 4, true, 'low');
SELECT * FROM moved(1 + 1e-15, 4, false, 'low');
SELECT * FROM moved(1 + 1e-15, 3, true, 'high');
SELECT * FROM moved(1, 3, true, 'high');
SELECT * FROM moved(1.2, 3, true, 'high');
SELECT * FROM moved(1, 2, false, 'low');

SELECT segment.drop_table('customers');
DROP FUNCTION moved;
DROP SCHEMA tamper CASCADE;
