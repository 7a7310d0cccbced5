-- Consent: a rule of eligibility over an attribute.
\set VERBOSITY terse
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE SCHEMA shop;
SET search_path = shop;
SET segment.as_of = '2024-06-01 00:00:00+00';
CREATE TABLE purchase (customer int, at timestamptz, amount int);
CREATE TABLE person (id int PRIMARY KEY, marketing_consent boolean, consent_until timestamptz);
INSERT INTO purchase SELECT i, '2024-05-20', 10 * i FROM generate_series(1, 4) i;
INSERT INTO person SELECT i, true FROM generate_series(1, 3) i;
SELECT segment.create_table('customers', 'customer', 'int');
SELECT segment.add_source('customers', 'purchase', key => 'customer', at => 'at', value => 'amount');
SELECT segment.add_attributes('customers', 'person', 'id', '{"consent": "marketing_consent", "consent_until": "consent_until"}');
SELECT segment.add_score('customers', 'total', 'sum(value)');
SELECT segment.add_band('customers', 'half', 'total', 2);
SELECT segment.add_segment('customers', 'big', 'total >= 20');
SELECT segment.add_group('customers', 'tier', 'gold', 'total >= 30', 'rest', 'true');
SELECT segment.set_eligible('customers', 'consent AND (consent_until IS NULL OR now() < consent_until)');
SELECT segment.keep_changes('customers');
SELECT segment.changes_cursor('customers') AS cursor \gset
CALL segment.refresh('customers');
-- of whom nothing is known, has not consented
SELECT customer, total, half, big, tier FROM customers ORDER BY 1;
SELECT population FROM segment.bands;

-- withdrawn: out of the table, of every segment, group and band at the next refresh; the history says until when
SET segment.as_of = '2024-06-02 00:00:00+00';
UPDATE person SET marketing_consent = false WHERE id = 2;
UPDATE person SET marketing_consent = NULL WHERE id = 3;
SELECT segment.current('customers', '2');
CALL segment.refresh('customers');
SELECT customer FROM customers ORDER BY 1;
SELECT customer, segment, label, entered_at, left_at FROM customers_history WHERE customer IN (2, 3) ORDER BY 1, 2;
SELECT segment, label, entered FROM segment.changes('customers', :'cursor') WHERE key = '2' ORDER BY at, segment;
SELECT key FROM segment.evaluate('customers', '2024-06-02') ORDER BY 1;
SELECT members FROM segment.sizes('customers') WHERE segment = 'big';
-- events do not bring anybody back
INSERT INTO purchase VALUES (2, '2024-06-01', 100);
CALL segment.refresh('customers');
CALL segment.rebuild('customers');
SELECT customer FROM customers ORDER BY 1;
-- given again: back with all that happened, in the history from now on
SET segment.as_of = '2024-06-03 00:00:00+00';
UPDATE person SET marketing_consent = true WHERE id = 2;
CALL segment.refresh('customers');
SELECT customer, total, big, tier FROM customers ORDER BY 1;
SELECT segment, label, entered_at, left_at FROM customers_history WHERE customer = 2 AND segment <> 'half' ORDER BY 1, 3;
-- for a time: it ends by itself
UPDATE person SET consent_until = '2024-06-05 00:00+00' WHERE id = 2;
CALL segment.refresh('customers');
SELECT valid_until FROM customers WHERE customer = 2;
SET segment.as_of = '2024-06-05 00:00:00+00';
CALL segment.refresh('customers');
SELECT count(*) FROM customers WHERE customer = 2;
SELECT max(left_at) FROM customers_history WHERE customer = 2;
SELECT * FROM segment.verify('customers');
-- who is no longer a person at all
DELETE FROM person WHERE id = 1;
CALL segment.refresh('customers');
SELECT count(*) FROM customers;
SELECT * FROM segment.verify('customers');
-- withdrawal keeps the past; erasure does not
UPDATE person SET consent_until = NULL WHERE id = 2;
CALL segment.refresh('customers');
SELECT rows, history, suppressed FROM segment.erase('customers', '2');
SELECT count(*) FROM customers_history WHERE customer = 2;
SELECT count(*) FROM customers_changes WHERE customer = 2;
UPDATE person SET marketing_consent = true;
CALL segment.refresh('customers');
SELECT customer FROM customers ORDER BY 1;
SELECT segment.drop_table('customers');
DROP SCHEMA shop CASCADE;
