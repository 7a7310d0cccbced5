-- Keys and columns of types that are more than their name: lengths, equal
-- values that are spelled differently, long values.
SET client_min_messages = warning;
CREATE SCHEMA kinds;
SET search_path = kinds;
SET timezone = 'UTC';
SET segment.as_of = '2024-06-01 00:00:00+00';

-- char(n) and bit(n) keep their length
CREATE TABLE event (customer char(5), at timestamptz, currency char(3), flags bit(4));
CREATE TABLE person (id char(5) PRIMARY KEY, country char(2), flags bit(3));
INSERT INTO person VALUES ('aa', 'DE', '101'), ('ab', 'DK', '010');
INSERT INTO event VALUES ('aa', '2024-05-01', 'EUR', '1010'), ('ab', '2024-05-01', 'USD', '0101'), ('ab', '2024-05-01', 'EUR', '0101');
SELECT segment.create_table('customers', 'customer', 'char(5)'::regtype);
SELECT segment.add_source('customers', 'event', key => 'customer', at => 'at', item => 'currency', extra => '{"currency": "currency", "flags": "flags"}');
SELECT segment.add_attributes('customers', 'person', key => 'id', columns => '{"country": "country", "marks": "flags"}');
SELECT segment.add_score('customers', 'n', 'count(*)');
SELECT segment.add_score('customers', 'currency', 'max(currency)');
SELECT segment.add_score('customers', 'flags', 'bit_or(flags)');
SELECT segment.add_score('customers', 'items', 'string_agg(item, '','' ORDER BY item)');
SELECT segment.add_segment('customers', 'german', 'country = ''DE''');
CALL segment.refresh('customers');
SELECT customer, country, marks, n, currency, flags, items, german FROM customers ORDER BY 1;
SELECT customer, currency, flags, item FROM customers_events ORDER BY 1, 2;
INSERT INTO event VALUES ('ab  ', '2024-05-02', 'SEK', '1111');
UPDATE person SET country = 'DE' WHERE id = 'ab';
CALL segment.refresh('customers');
SELECT customer, country, n, currency, flags, german FROM customers ORDER BY 1;
SELECT segment.current('customers', 'ab') ->> 'n' AS n;
SELECT * FROM segment.verify('customers');
SELECT segment.create_table('flagged', 'flags', 'bit(4)'::regtype);
SELECT segment.add_source('flagged', 'event', key => 'flags', at => 'at');
SELECT segment.add_score('flagged', 'n', 'count(*)');
CALL segment.refresh('flagged');
SELECT flags, n FROM flagged ORDER BY 1;
SELECT * FROM segment.verify('flagged');

-- equal though they are spelled differently: one customer, and while one spelling waits none is judged
CREATE TABLE amount_event (k numeric, f float8, at timestamptz);
SELECT segment.create_table('amounts', 'k', 'numeric');
SELECT segment.add_source('amounts', 'amount_event', key => 'k', at => 'at');
SELECT segment.add_score('amounts', 'n', 'count(*)');
SELECT segment.create_table('floats', 'f', 'float8');
SELECT segment.add_source('floats', 'amount_event', key => 'f', at => 'at');
SELECT segment.add_score('floats', 'n', 'count(*)');
INSERT INTO amount_event VALUES (1.0, 0, '2024-05-01');
CALL segment.refresh('amounts');
CALL segment.refresh('floats');
RESET client_min_messages;
INSERT INTO amount_event VALUES (1.00, '-0', '2024-05-02');
SELECT * FROM segment.verify('amounts');
SELECT * FROM segment.verify('floats');
INSERT INTO amount_event VALUES (1, 0, '2024-05-03'), (1.000, '-0', '2024-05-03');
SET segment.batch_size = 1;
CALL segment.refresh('amounts');
CALL segment.refresh('floats');
SELECT k = 1 AS is_one, n FROM amounts;
SELECT f = 0 AS is_zero, n FROM floats;
SELECT * FROM segment.verify('amounts');
SELECT * FROM segment.verify('floats');
RESET segment.batch_size;
SET client_min_messages = warning;

-- a key that narrows the source's
CREATE TABLE wide (k bigint, code varchar(20), at timestamptz);
SELECT segment.create_table('narrow', 'k', 'int');
SELECT segment.add_source('narrow', 'wide', key => 'k', at => 'at');
SELECT segment.create_table('codes', 'code', 'varchar(3)'::regtype);
SELECT segment.add_source('codes', 'wide', key => 'code', at => 'at');
SELECT segment.add_score('codes', 'n', 'count(*)');
INSERT INTO wide VALUES (5000000000, 'abcd', '2024-05-01'), (1, 'abce', '2024-05-01');
CALL segment.refresh('codes');
SELECT code, n FROM codes ORDER BY 1;
SELECT * FROM segment.verify('codes');

-- one column under several collations, the same column in two sources
CREATE TABLE plain (k text, at timestamptz);
CREATE TABLE bytes (k text COLLATE "C", at timestamptz);
SELECT segment.create_table('collated', 'k', 'text');
SELECT segment.add_source('collated', 'plain', key => 'k', at => 'at');
SELECT segment.add_source('collated', 'bytes', key => 'k', at => 'at', item => 'k || ''!''', extra => '{"own": "k"}');
SELECT segment.add_attributes('collated', 'bytes', key => 'k', columns => '{"named": "k"}');
SELECT segment.drop_source('collated', 'bytes');
SELECT segment.add_source('collated', 'bytes', key => 'k', at => 'at', extra => '{"own": "k"}');
SELECT segment.add_score('collated', 'n', 'count(*)');
SELECT segment.add_score('collated', 'own', 'max(own)');
INSERT INTO plain VALUES ('a', '2024-05-01'), ('B', '2024-05-01');
INSERT INTO bytes VALUES ('a', '2024-05-01');
CALL segment.refresh('collated');
INSERT INTO bytes VALUES ('a', '2024-05-01'), ('B', '2024-05-01');
CALL segment.refresh('collated');
SELECT k, n, own, named FROM collated ORDER BY k COLLATE "C";
SELECT * FROM segment.verify('collated');

-- keys that no index takes stop the refresh of their own table alone
CREATE TABLE long_event (k text, at timestamptz);
SELECT segment.create_table('longs', 'k', 'text');
SELECT segment.add_source('longs', 'long_event', key => 'k', at => 'at');
SELECT segment.add_score('longs', 'n', 'count(*)');
CALL segment.refresh('longs');
CALL segment.refresh('amounts');
-- as long as no page holds, and hard to compress
INSERT INTO long_event SELECT string_agg(md5(i::text), ''), '2024-05-01' FROM generate_series(1, 400) i;
INSERT INTO long_event SELECT string_agg(md5(i::text), ''), '2024-05-01' FROM generate_series(1, 40) i;
INSERT INTO long_event VALUES ('short', '2024-05-01');
INSERT INTO amount_event VALUES (2, 2, '2024-05-01');
CALL segment.refresh('amounts');
SELECT k, n FROM amounts WHERE k = 2;
SELECT * FROM segment.verify('amounts');
\set VERBOSITY terse
DO $$
BEGIN
	CALL segment.refresh('longs');
EXCEPTION
	WHEN program_limit_exceeded THEN
		RAISE WARNING 'too long for the table''s own index';
END $$;
\set VERBOSITY default
DELETE FROM long_event WHERE length(k) > 10000;
CALL segment.refresh('longs');
SELECT length(k), n FROM longs ORDER BY 1;
INSERT INTO long_event SELECT k, at FROM long_event;
CALL segment.refresh('longs');
SELECT length(k), n FROM longs ORDER BY 1;
SELECT * FROM segment.verify('longs');

SELECT segment.drop_table(tbl) FROM unnest('{customers,flagged,amounts,floats,codes,narrow,collated,longs}'::regclass[]) tbl;
DROP SCHEMA kinds CASCADE;
