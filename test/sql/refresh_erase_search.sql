-- After erase() and the user's own deletions, no table of the database holds the key.
\set VERBOSITY terse
SET client_min_messages = warning;
SET timezone = 'UTC';
SET segment.as_of = '2024-06-01 00:00:00+00';

-- Which tables hold a text, in whatever column, those of the system and TOAST included.
CREATE FUNCTION search(needle text) RETURNS TABLE (relation text) LANGUAGE plpgsql AS $$
DECLARE
	r regclass;
	found boolean;
BEGIN
	FOR r IN SELECT c.oid FROM pg_class c JOIN pg_am a ON a.oid = c.relam
		WHERE a.amtype = 't' AND c.relpersistence <> 't' ORDER BY c.oid::regclass::text
	LOOP
		EXECUTE format('SELECT EXISTS (SELECT FROM %s t WHERE strpos(ROW(t.*)::text, $1) > 0 OR strpos(ROW(t.*)::text, $2) > 0)', r)
			INTO found USING needle, encode(needle::bytea, 'hex');
		IF found THEN
			relation := regexp_replace(r::text, 'mark_log_\d', 'mark_log_N');
			RETURN NEXT;
		END IF;
	END LOOP;
END $$;

CREATE TABLE purchase (customer text, amount numeric, at timestamptz DEFAULT '2024-05-20');
CREATE TABLE person (id text PRIMARY KEY, country text);
INSERT INTO purchase SELECT 'customer-' || i, i FROM generate_series(1, 30) i;
INSERT INTO person SELECT 'customer-' || i, 'BE' FROM generate_series(1, 30) i;
INSERT INTO purchase VALUES ('customer-zebra-4711', 40, '2024-05-20'), ('customer-zebra-4711', 5, '2024-07-01');
INSERT INTO purchase VALUES ('customer-okapi-0815', 40, '2024-07-01');
INSERT INTO person VALUES ('customer-zebra-4711', 'BE');
SELECT segment.create_table('customers', 'customer', 'text');
SELECT segment.add_source('customers', 'purchase', key => 'customer', at => 'at', value => 'amount');
SELECT segment.add_attributes('customers', 'person', key => 'id', columns => '{"country": "country"}');
SELECT segment.add_score('customers', 'total', 'sum(value)');
SELECT segment.add_score('customers', 'inverse', 'sum(1 / value)');
SELECT segment.add_segment('customers', 'big', 'total >= 30');
SELECT segment.add_group('customers', 'size', 'large', 'total >= 30', 'small', 'total < 30');
CALL segment.refresh('customers');
CREATE VIEW kept AS SELECT count(*) FROM customers;

-- everywhere that a key can stand: collected and failed, so that it is in work; marked; named by errors; sampled by ANALYZE
INSERT INTO purchase VALUES ('customer-zebra-4711', 0), ('customer-okapi-0815', 0);
SET segment.set_aside_limit = 0;
CALL segment.refresh('customers');
RESET segment.set_aside_limit;
UPDATE purchase SET amount = 1 WHERE amount = 0;
INSERT INTO segment.aside (tbl, key, name, sqlstate, error, since, tried_at, retry_at)
	SELECT 'customers'::regclass, k, 'total', '22P02', 'invalid input syntax for type integer: "customer-zebra-4711"', now(), now(), now()
	FROM unnest('{customer-zebra-4711, customer-okapi-0815, customer-1}'::text[]) k;
INSERT INTO segment.run (tbl, kind, pid, started_at, status, error)
	SELECT 'customers'::regclass, 'refresh', 0, now(), 'failed', format('invalid input syntax for type integer: "%s"', k)
	FROM unnest('{customer-zebra-4711, customer-okapi-0815, customer-1}'::text[]) k;
INSERT INTO segment.job_state (tbl, error) VALUES ('customers'::regclass, 'invalid input syntax for type integer: "customer-zebra-4711"');
ANALYZE;
SELECT * FROM search('customer-zebra-4711');
SELECT * FROM search('customer-okapi-0815');

-- events deleted first
DELETE FROM purchase WHERE customer = 'customer-zebra-4711';
DELETE FROM person WHERE id = 'customer-zebra-4711';
SELECT rows, history, waiting, marks > 0 AS marks, errors, suppressed FROM segment.erase('customers', 'customer-zebra-4711');
-- the planner's samples of the user's own tables are the user's
SELECT * FROM search('customer-zebra-4711');
ANALYZE purchase, person;
SELECT * FROM search('customer-zebra-4711');

-- events deleted afterwards, in two goes: the deletion marks the customer, so the erasure is repeated
SELECT rows, waiting, marks > 0 AS marks, errors FROM segment.erase('customers', 'customer-okapi-0815');
SELECT * FROM search('customer-okapi-0815');
DELETE FROM purchase WHERE customer = 'customer-okapi-0815';
ANALYZE purchase;
CALL segment.refresh('customers');
SELECT * FROM search('customer-okapi-0815');
SELECT rows, waiting, marks > 0 AS marks, errors FROM segment.erase('customers', 'customer-okapi-0815');
SELECT * FROM search('customer-okapi-0815');

-- events that come later do not make it more than a mark
INSERT INTO purchase VALUES ('customer-zebra-4711', 40);
CALL segment.refresh('customers');
CALL segment.rebuild('customers');
SELECT * FROM search('customer-zebra-4711');
SELECT * FROM segment.verify('customers');

-- a visitor who became a customer is erased along with him
INSERT INTO purchase VALUES ('visitor-quagga-1', 1), ('visitor-gnu-2', 1);
SELECT segment.merge('customers', 'visitor-quagga-1', 'customer-7'), segment.merge('customers', 'visitor-gnu-2', 'customer-8');
CALL segment.refresh('customers');
INSERT INTO purchase VALUES ('visitor-quagga-1', 2);
ANALYZE;
SELECT * FROM search('visitor-quagga-1');
DELETE FROM purchase WHERE customer IN ('visitor-quagga-1', 'customer-7');
DELETE FROM person WHERE id = 'customer-7';
SELECT rows, history, marks > 0 AS marks, merges, suppressed FROM segment.erase('customers', 'customer-7');
ANALYZE purchase, person;
SELECT * FROM search('visitor-quagga-1');
SELECT from_key FROM segment.merges;

-- the last of all customers: there is nothing to sample any more
SELECT count(*) FROM (SELECT segment.erase('customers', customer) FROM (TABLE customers) c WHERE customer <> 'customer-30') e;
ANALYZE customers_history;
SELECT most_common_vals FROM pg_stats WHERE tablename = 'customers_history' AND attname = 'customer';
SELECT rows, history FROM segment.erase('customers', 'customer-30');
SELECT most_common_vals FROM pg_stats WHERE tablename = 'customers_history' AND attname = 'customer';
SELECT count(*) FROM customers;

DROP VIEW kept;
SELECT segment.drop_table('customers');
DROP TABLE purchase, person;
DROP FUNCTION search(text);
