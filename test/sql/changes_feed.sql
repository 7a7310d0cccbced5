-- Who entered and left, after a cursor.
\set VERBOSITY terse
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE SCHEMA shop;
SET search_path = shop;
SET segment.as_of = '2024-06-01 00:00:00+00';
CREATE TABLE purchase (customer int, at timestamptz, amount int);
SELECT segment.create_table('customers', 'customer', 'int');
SELECT segment.add_source('customers', 'purchase', key => 'customer', at => 'at', value => 'amount');
SELECT segment.add_score('customers', 'total', 'sum(value)');
SELECT segment.add_score('customers', 'recent', 'count(*) FILTER (WHERE at > now() - interval ''30 days'')');
SELECT segment.add_segment('customers', 'big', 'total >= 30');
SELECT segment.add_segment('customers', 'active', 'recent > 0');
SELECT segment.add_group('customers', 'tier', 'gold', 'total >= 50', 'silver', 'total >= 20');
INSERT INTO purchase SELECT i, '2024-05-20', 10 * i FROM generate_series(1, 4) i;
CALL segment.refresh('customers');

-- kept from now on, and not what was before
SELECT segment.changes_cursor('customers');
SELECT * FROM segment.changes('customers', '1-0');
SELECT segment.keep_changes('customers');
SELECT change, customer, segment, label, entered, at FROM customers_changes;
SELECT segment.changes_cursor('customers') AS cursor \gset
SELECT segment, label, entered FROM segment.changes('customers', :'cursor');
INSERT INTO purchase VALUES (1, '2024-05-21', 10), (4, '2024-05-21', 10), (5, '2024-05-21', 1);
CALL segment.refresh('customers');
-- who goes from one label to another leaves the one first
SELECT at, key, segment, label, entered FROM segment.changes('customers', :'cursor') ORDER BY entered, key, segment;
SELECT string_agg(label || ' ' || entered, ', ' ORDER BY ordinality) FROM segment.changes('customers', :'cursor') WITH ORDINALITY WHERE key = '4';
-- from any of them on, and no more than wanted
SELECT key, segment, label, entered FROM segment.changes('customers', (SELECT cursor FROM segment.changes('customers', :'cursor', most => 1))) ORDER BY entered, key, segment;
SELECT count(*) FROM segment.changes('customers', segment.changes_cursor('customers'));
SELECT (SELECT array_agg(c.cursor) FROM segment.changes('customers', :'cursor') c)
	= ARRAY(SELECT concat(change, '-', to_hex((extract(epoch FROM written_at) * 1000000)::bigint)) FROM customers_changes WHERE change > 1 ORDER BY change) AS number_and_time;

-- a mirror that is led by the changes alone is what the rows and the history say, whatever happens
CREATE TABLE mirror (key int, segment text, label text, UNIQUE NULLS NOT DISTINCT (key, segment, label));
CREATE TABLE place (cursor text);
INSERT INTO place VALUES (segment.changes_cursor('customers'));
INSERT INTO mirror SELECT customer, segment, label FROM customers_history WHERE left_at IS NULL;
CREATE FUNCTION follow() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	c record;
	n int := 0;
	wrong text;
BEGIN
	FOR c IN SELECT * FROM segment.changes('customers', (SELECT cursor FROM place), 1000000) LOOP
		n := n + 1;
		IF c.entered THEN
			INSERT INTO mirror VALUES (c.key::int, c.segment, c.label);	-- fails if it is there
		ELSE
			DELETE FROM mirror m WHERE m.key = c.key::int AND m.segment = c.segment AND m.label IS NOT DISTINCT FROM c.label;
			IF NOT FOUND THEN
				RAISE EXCEPTION '% left % % and was not in it', c.key, c.segment, c.label;
			END IF;
		END IF;
		UPDATE place SET cursor = c.cursor;
	END LOOP;
	SELECT string_agg(d::text, ' ' ORDER BY d::text) INTO wrong FROM (
		(TABLE mirror EXCEPT SELECT customer, segment, label FROM customers_history WHERE left_at IS NULL)
		UNION ALL (SELECT customer, segment, label FROM customers_history WHERE left_at IS NULL EXCEPT TABLE mirror)
		UNION ALL SELECT key::int, problem, NULL FROM segment.verify('customers')) d;
	RETURN coalesce('differs: ' || wrong, CASE WHEN n > 0 THEN 'some' ELSE 'none' END);
END $$;
SELECT follow();
-- time alone
SET segment.as_of = '2024-06-25 00:00:00+00';
CALL segment.refresh('customers');
SELECT follow();
-- an interval that ends at the instant at which it began is not kept, but whoever heard of it hears of its end
INSERT INTO purchase VALUES (6, '2024-06-24', 100);
CALL segment.refresh('customers');
SELECT follow();
DELETE FROM purchase WHERE customer = 6;
CALL segment.refresh('customers');
SELECT count(*) FROM customers_history WHERE customer = 6;
SELECT follow();
-- both in one transaction, and a part that is undone
BEGIN;
INSERT INTO purchase VALUES (6, '2024-06-24', 100);
CALL segment.refresh('customers');
SAVEPOINT s;
DELETE FROM purchase WHERE customer = 6;
CALL segment.refresh('customers');
ROLLBACK TO s;
INSERT INTO purchase VALUES (7, '2024-06-24', 100);
CALL segment.refresh('customers');
COMMIT;
SELECT follow();
BEGIN;
DELETE FROM purchase WHERE customer = 7;
CALL segment.refresh('customers');
ROLLBACK;
SELECT follow();
-- definitions: a rule that changes, a segment that comes, one that goes, a band and its recut
SELECT segment.alter_segment('customers', 'big', 'total >= 20');
SELECT segment.add_segment('customers', 'small', 'NOT big');
SELECT segment.add_band('customers', 'half', 'total', 2);
CALL segment.refresh('customers');
SELECT follow();
SELECT segment.drop_segment('customers', 'small');
SELECT segment.alter_group('customers', 'tier', 'gold', 'total >= 100', 'iron', 'true');
SELECT follow();
CALL segment.refresh('customers');
SELECT follow();
INSERT INTO purchase SELECT 8, '2024-06-24', 1000;
CALL segment.refresh('customers');
SELECT segment.recut('customers', 'half');
SELECT follow();
-- back in time, with one who fails there
SELECT segment.add_score('customers', 'odd', '100 / (recent - 2)');
INSERT INTO purchase VALUES (2, '2024-06-24', 1), (2, '2024-06-24', 1);
CALL segment.refresh('customers');
SELECT key FROM segment.set_aside;
SET segment.as_of = '2024-05-22 00:00:00+00';
CALL segment.refresh('customers');
SELECT follow();
SET segment.as_of = '2024-08-01 00:00:00+00';
CALL segment.rebuild('customers');
SELECT follow();
-- rows deleted by hand: the intervals go on, and nobody hears of anything
DELETE FROM customers WHERE customer = 8;
CALL segment.rebuild('customers');
SELECT follow();

SET client_min_messages = error;
-- at random: events, refreshes of each kind, definitions, time, and a look now and then
DO $$
DECLARE
	at timestamptz := '2024-08-01 00:00:00+00';
	said text;
BEGIN
	PERFORM setseed(0.17);
	FOR i IN 1 .. 60 LOOP
		at := at + random() * interval '9 days';
		IF i % 20 = 0 THEN
			at := at - interval '20 days';
		END IF;
		PERFORM set_config('segment.as_of', at::text, false);
		INSERT INTO purchase SELECT random() * 30, at + (random() - 0.7) * interval '40 days', random() * 40 FROM generate_series(1, (random() * 6)::int);
		DELETE FROM purchase WHERE random() < 0.1;
		IF i % 7 = 0 THEN
			PERFORM segment.alter_segment('customers', 'active', format('recent > %s', (random() * 2)::int));
		END IF;
		IF i % 13 = 0 THEN
			PERFORM segment.alter_band('customers', 'half', 'total', 1 + i % 3 + 1);
		END IF;
		IF i % 5 = 0 THEN
			CALL segment.rebuild('customers');
		ELSE
			CALL segment.refresh('customers');
		END IF;
		IF i % 11 = 0 THEN
			PERFORM segment.recut('customers', 'half');
		END IF;
		IF random() < 0.5 THEN
			said := follow();
			IF said LIKE 'differs%' THEN
				RAISE EXCEPTION 'after %: %', i, said;
			END IF;
		END IF;
	END LOOP;
END $$;
SELECT follow() IN ('some', 'none');
SELECT count(*) > 300 AS many FROM customers_changes;

-- a refresh that changes no membership leaves no change
SELECT segment.changes_cursor('customers') AS cursor \gset
CALL segment.refresh('customers');
CALL segment.rebuild('customers');
SELECT segment.changes_cursor('customers') = :'cursor';

-- erased: the key is gone, and the cursors of others go on
SELECT rows, history > 1 AS history FROM segment.erase('customers', '8');
SELECT count(*) FROM customers_changes WHERE customer = 8;
SELECT count(*) > 0 AS blank FROM customers_changes WHERE customer IS NULL AND segment IS NOT NULL;
SELECT key IS NULL AS erased FROM segment.changes('customers', (SELECT concat(change, '-', to_hex((extract(epoch FROM written_at) * 1000000)::bigint)) FROM customers_changes ORDER BY change LIMIT 1))
WHERE key IS NULL LIMIT 1;

-- what is older than it is kept goes, but for the newest of it; a cursor from before it is refused
SELECT segment.keep_changes('customers', '3 days');
SELECT concat(change, '-', to_hex((extract(epoch FROM written_at - interval '4 days') * 1000000)::bigint)) AS cursor, change FROM customers_changes ORDER BY change OFFSET 9 LIMIT 1 \gset
UPDATE customers_changes SET written_at = written_at - interval '4 days' WHERE change <= :change;
CALL segment.rebuild('customers');
SELECT min(change) = :change AS kept FROM customers_changes;
SELECT count(*) > 100 FROM segment.changes('customers', :'cursor', 1000000);
SELECT * FROM segment.changes('customers', '1-' || split_part(:'cursor', '-', 2));
UPDATE customers_changes SET written_at = written_at - interval '4 days';
CALL segment.rebuild('customers');
SELECT count(*) FROM customers_changes;
SELECT count(*) FROM segment.changes('customers', segment.changes_cursor('customers'));
-- and one of another state: the same number, another time
SELECT * FROM segment.changes('customers', split_part(segment.changes_cursor('customers'), '-', 1) || '-1');

-- what is no cursor
SELECT * FROM segment.changes('customers', 'x');
SELECT * FROM segment.changes('customers', '1-');
SELECT * FROM segment.changes('customers', '1-x');
SELECT * FROM segment.changes('customers', '99999999999999999999-1');
SELECT * FROM segment.changes('customers', NULL);
SELECT * FROM segment.changes('customers', '1-1', 0);
SELECT * FROM segment.changes('purchase', '1-1');
SELECT segment.keep_changes('customers', '-1 day');
SELECT segment.keep_changes('customers', '0');
SELECT segment.keep_changes('customers', '100 years 1 microsecond');
SELECT segment.keep_changes('customers', '2000000000 hours');
SELECT segment.keep_changes('customers', NULL);

-- rights: those on the changes themselves
CREATE ROLE regress_segment_consumer;
GRANT USAGE ON SCHEMA shop TO regress_segment_consumer;
GRANT SELECT ON customers TO regress_segment_consumer;
SET ROLE regress_segment_consumer;
SELECT segment.changes_cursor('customers');
SELECT segment.keep_changes('customers');
SELECT segment.drop_changes('customers');
RESET ROLE;
GRANT SELECT ON customers_changes TO regress_segment_consumer;
SET ROLE regress_segment_consumer;
SELECT count(*) FROM segment.changes('customers', segment.changes_cursor('customers'));
RESET ROLE;
ALTER TABLE customers_changes ENABLE ROW LEVEL SECURITY;
SET ROLE regress_segment_consumer;
SELECT segment.changes_cursor('customers');
RESET ROLE;

-- dropped by hand, or by function; made again, the old cursors are none of it
DROP TABLE customers_changes;
SELECT count(*) FROM segment.config_changes;
INSERT INTO purchase SELECT 9, '2024-06-24', 1000;
CALL segment.refresh('customers');
SELECT segment.changes_cursor('customers');
SELECT segment.keep_changes('customers');
SELECT * FROM segment.changes('customers', :'cursor');
SELECT segment.drop_changes('customers');
SET client_min_messages = notice;
SELECT segment.drop_changes('customers');
SET client_min_messages = warning;
CREATE TABLE customers_changes ();
SELECT segment.keep_changes('customers');
DROP TABLE customers_changes;
SELECT segment.create_table('"Odd ""name"', 'change');
SELECT segment.keep_changes('"Odd ""name"');
SELECT segment.create_table('"Odd ""na%me"', 'my "key"', 'text');
SELECT segment.keep_changes('"Odd ""na%me"');
ALTER TABLE "Odd ""na%me_changes" RENAME TO elsewhere;
SELECT segment.changes_cursor('"Odd ""na%me"') IS NOT NULL;
SELECT segment.drop_table('"Odd ""na%me"'), segment.drop_table('"Odd ""name"'), segment.drop_table('customers');
SELECT count(*) FROM segment.config_changes;
SELECT to_regclass('elsewhere');
DROP SCHEMA shop CASCADE;
DROP ROLE regress_segment_consumer;
