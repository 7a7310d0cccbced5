-- Keys of every kind: each type is tried with the same changes, and compared
-- with plain SQL after each.
SET client_min_messages = warning;
CREATE SCHEMA keys;
SET search_path = keys;
SET timezone = 'UTC';
SET segment.as_of = '2024-06-01 00:00:00+00';

-- The customers of whom the segment table and plain SQL disagree.
CREATE FUNCTION keys.differ(tbl regclass, source regclass, key_type text) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM %s s FULL JOIN (SELECT k, count(*) AS n, sum(v) AS total, min(at) AS first_at, max(at) AS last_at
					FROM %s WHERE k IS NOT NULL AND at <= ''2024-06-01 00:00:00+00'' GROUP BY k) t ON s.customer = t.k
					WHERE (s.n, s.total, s.first_at, s.last_at, s.recent) IS DISTINCT FROM
						  (t.n, t.total, t.first_at, t.last_at, t.last_at > timestamptz ''2024-06-01 00:00:00+00'' - interval ''30 days'')',
				   tbl, source) INTO n;
	RETURN n + (SELECT count(*) FROM segment.verify(tbl));
END $$;

-- Keys given as text; the first six are used, the others come later.
CREATE PROCEDURE keys.try(key_type text, VARIADIC k text[])
LANGUAGE plpgsql AS $$
DECLARE
	-- an alias of the type's name that makes an identifier
	word text := regexp_replace(key_type, '\W', '_', 'g');
	tbl regclass;
	counts bigint[] := '{}';
	rows bigint;
BEGIN
	EXECUTE format('CREATE TABLE keys.event_%s (id int GENERATED ALWAYS AS IDENTITY, k %s, at timestamptz, v numeric)', word, key_type);
	tbl := segment.create_table('keys.customers_' || word, 'customer', key_type::regtype);
	PERFORM segment.add_source(tbl, ('keys.event_' || word)::regclass, key => 'k', at => 'at', value => 'v');
	PERFORM segment.add_score(tbl, 'n', 'count(*)');
	PERFORM segment.add_score(tbl, 'total', 'sum(value)');
	PERFORM segment.add_score(tbl, 'first_at', 'min(at)');
	PERFORM segment.add_score(tbl, 'last_at', 'max(at)');
	PERFORM segment.add_segment(tbl, 'recent', 'last_at > now() - interval ''30 days''');
	EXECUTE format('INSERT INTO keys.event_%s (k, at, v) SELECT k::%s, ''2024-03-01 00:00+00''::timestamptz + n * interval ''15 days'', n
					FROM unnest($1) WITH ORDINALITY AS u (k, n), generate_series(1, 3) WHERE n <= 6', word, key_type) USING k;
	EXECUTE format('INSERT INTO keys.event_%s (k, at, v) VALUES (NULL, ''2024-05-01'', 1), (%L, NULL, 1), (%L, ''infinity'', 1), (%L, ''-infinity'', 1)', word, k[1], k[1], k[2]);
	CALL segment.refresh(tbl);
	counts := counts || keys.differ(tbl, ('keys.event_' || word)::regclass, key_type);
	EXECUTE format('INSERT INTO keys.event_%s (k, at, v) SELECT k::%s, ''2024-05-20 00:00+00'', 7 FROM unnest($1) k', word, key_type) USING k;
	CALL segment.refresh(tbl);
	counts := counts || keys.differ(tbl, ('keys.event_' || word)::regclass, key_type);
	EXECUTE format('UPDATE keys.event_%s SET k = %L::%s WHERE k = %L::%3$s', word, k[2], key_type, k[1]);
	CALL segment.refresh(tbl);
	counts := counts || keys.differ(tbl, ('keys.event_' || word)::regclass, key_type);
	EXECUTE format('UPDATE keys.event_%s SET k = NULL WHERE k = %L::%s', word, k[3], key_type);
	EXECUTE format('DELETE FROM keys.event_%s WHERE k = %L::%s', word, k[4], key_type);
	CALL segment.refresh(tbl);
	counts := counts || keys.differ(tbl, ('keys.event_' || word)::regclass, key_type);
	EXECUTE format('UPDATE keys.event_%s SET v = v + 1', word);
	CALL segment.refresh(tbl);
	counts := counts || keys.differ(tbl, ('keys.event_' || word)::regclass, key_type);
	CALL segment.rebuild(tbl);
	counts := counts || keys.differ(tbl, ('keys.event_' || word)::regclass, key_type);
	counts := counts || (SELECT count(*) FROM unnest(k) u WHERE segment.current(tbl, u) IS NULL);
	EXECUTE format('SELECT count(*) FROM %s', tbl) INTO rows;
	RAISE WARNING '%: % rows, differences %', key_type, rows, counts;
END $$;

-- the last count is of the keys without a row: three left, or those that are equal
CALL keys.try('bigint', '0', '1', '-1', '9223372036854775807', '-9223372036854775808', '42', '7');
CALL keys.try('int', '0', '1', '-1', '2147483647', '-2147483648', '42', '7');
CALL keys.try('smallint', '0', '1', '-1', '32767', '-32768', '42', '7');
CALL keys.try('uuid', '00000000-0000-0000-0000-000000000000', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'ffffffff-ffff-ffff-ffff-ffffffffffff',
			  'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'c0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'd0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{e0eebc999c0b4ef8bb6d6bb9bd380a11}');
CALL keys.try('text', '', ' ', '''', '"quoted"', E'back\\slash', 'ünïcödé 客户 😀', 'NULL', '{}', '(1,2)', '%s', '$1', E'tab\tand\nline', 'a', 'A', 'a ', repeat('long ', 600));
CALL keys.try('varchar', '', ' ', 'a', 'b', 'c', 'd', 'e');
CALL keys.try('bpchar', 'a', 'b', 'c', 'd', 'e', 'f', 'g ', 'g');
CALL keys.try('name', 'a', 'b', 'c', 'd', 'e', 'f', 'g');
CALL keys.try('numeric', '1', '1.5', '-0.001', '1e40', 'NaN', 'Infinity', '1.50', '1.0');
CALL keys.try('float8', '1', '0.1', '0.30000000000000004', '1e300', 'NaN', '-Infinity', '-0', '0');
CALL keys.try('date', '2024-01-01', '1999-12-31', 'infinity', '-infinity', '0044-03-15 BC', '2024-02-29', '5874897-12-31');
CALL keys.try('timestamptz', '2024-01-01 00:00+00', '2024-01-01 00:00:00.000001+00', 'infinity', '-infinity', '0044-03-15 BC', '2024-02-29', '2024-01-01 01:00+01');
CALL keys.try('interval', '1 day', '24:00:00', '1 month', '30 days', '-1 day', '1 microsecond', '720:00:00');
CALL keys.try('inet', '10.0.0.1', '10.0.0.0/8', '::1', '0.0.0.0/0', '10.0.0.1/32', '192.168.0.1', '10.0.0.2');
CALL keys.try('bytea', '\x', '\x00', '\xff', '\x0001', '\x27', '\x5c', '\xdeadbeef');
CALL keys.try('boolean', 'true', 'false', 't', 'f', 'yes', 'no', 'on');
CALL keys.try('int[]', '{}', '{1}', '{1,2}', '{NULL}', '{{1},{2}}', '{3}', '{4}');
CALL keys.try('jsonb', '{}', '[]', '1', '1.0', '"a"', 'null', '{"a": 1}');

-- a type without a btree operator class, and types that are no base types
CALL keys.try('point', '(0,0)', '(1,1)');
CALL keys.try('xid', '1', '2');
CREATE DOMAIN keys.account AS int CHECK (VALUE > 0);
CALL keys.try('keys.account', '1', '2', '3', '4', '5', '6', '7');
CREATE TYPE keys.plan AS ENUM ('free', 'paid', 'it''s', 'd', 'e', 'f', 'g');
CALL keys.try('keys.plan', 'free', 'paid', 'it''s', 'd', 'e', 'f', 'g');
CREATE TYPE keys.pair AS (a int, b text);
CALL keys.try('keys.pair', '(1,a)', '(1,b)', '(2,)', '(,)', '(3,"x y")', '(4,"""")', '(5,"")');

-- a collation of the column's own
CREATE TABLE keys.byte_event (k text COLLATE "C", at timestamptz, note text COLLATE "POSIX");
SELECT segment.create_table('keys.byte_customers', 'k', 'text');
SELECT segment.add_source('keys.byte_customers', 'keys.byte_event', key => 'k', at => 'at', item => 'note', extra => '{"note": "note"}');
SELECT segment.add_score('keys.byte_customers', 'n', 'count(*)');
SELECT segment.add_score('keys.byte_customers', 'note', 'max(note)');
INSERT INTO keys.byte_event VALUES ('a', '2024-01-01', 'x'), ('B', '2024-01-01', 'y');
CALL segment.refresh('keys.byte_customers');
SELECT k, n, note FROM keys.byte_customers ORDER BY k COLLATE "C";
SELECT * FROM segment.verify('keys.byte_customers');

-- text that is equal though it is spelled differently
CREATE COLLATION keys.loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE keys.loose_event (k text COLLATE keys.loose, at timestamptz);
SELECT segment.create_table('keys.loose_customers', 'k', 'text');
SELECT segment.add_source('keys.loose_customers', 'keys.loose_event', key => 'k', at => 'at');
SELECT segment.add_score('keys.loose_customers', 'n', 'count(*)');
INSERT INTO keys.loose_event VALUES ('Anna', '2024-01-01'), ('anna', '2024-01-02'), ('Bob', '2024-01-01');
CALL segment.refresh('keys.loose_customers');
SELECT k COLLATE "C" AS k, n FROM keys.loose_customers ORDER BY 1;
INSERT INTO keys.loose_event VALUES ('ANNA', '2024-01-01'), ('bob', '2024-01-02');
CALL segment.refresh('keys.loose_customers');
SELECT k COLLATE "C" AS k, n FROM keys.loose_customers ORDER BY 1;
DELETE FROM keys.loose_event WHERE k = 'anna';
CALL segment.refresh('keys.loose_customers');
SELECT k COLLATE "C" AS k, n FROM keys.loose_customers ORDER BY 1;
SELECT * FROM segment.verify('keys.loose_customers');

-- the key is an expression; its type is not that of the table
CREATE TABLE keys.mail (address text, at timestamptz);
SELECT segment.create_table('keys.people', 'address', 'text');
SELECT segment.add_source('keys.people', 'keys.mail', key => 'nullif(lower(btrim(address)), '''')', at => 'at');
SELECT segment.add_score('keys.people', 'mails', 'count(*)');
INSERT INTO keys.mail VALUES ('Ann@x.org', '2024-01-01'), (' ann@x.org', '2024-01-02'), ('', '2024-01-02'), ('BOB@x.org', '2024-01-03');
CALL segment.refresh('keys.people');
UPDATE keys.mail SET address = ' ' WHERE address LIKE 'Ann%';
UPDATE keys.mail SET address = 'bob@X.org ' WHERE address = '';
CALL segment.refresh('keys.people');
SELECT address, mails FROM keys.people ORDER BY 1;
SELECT * FROM segment.verify('keys.people');
CREATE TABLE keys.odd (k text, big bigint, at timestamptz);
SELECT segment.create_table('keys.ints', 'k', 'int');
SELECT segment.add_source('keys.ints', 'keys.odd', key => 'k', at => 'at');
SELECT segment.add_source('keys.ints', 'keys.odd', key => 'big', at => 'at');
SELECT segment.add_source('keys.ints', 'keys.odd', key => 'k::int', at => 'at');

-- a key that doesn't fit is the writer's error or nobody's, never a lost mark
INSERT INTO keys.odd VALUES ('1', 1, '2024-01-01');
INSERT INTO keys.odd VALUES ('x', 1, '2024-01-01');
CALL segment.refresh('keys.ints');
SELECT k FROM keys.ints;

DO $$
DECLARE
	tbl regclass;
BEGIN
	FOR tbl IN SELECT t.tbl FROM segment.config_table t JOIN pg_class c ON c.oid = t.tbl WHERE relnamespace = 'keys'::regnamespace LOOP
		PERFORM segment.drop_table(tbl);
	END LOOP;
END $$;
DROP SCHEMA keys CASCADE;
