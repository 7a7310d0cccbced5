-- Columns that mean something else from now on: they stay where they are, and
-- so does the history.
SET client_min_messages = warning;
CREATE SCHEMA alter;
SET search_path = alter;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET segment.as_of = '2024-01-10 00:00:00+00';
CREATE TABLE event (customer int, at timestamptz, amount int);
INSERT INTO event SELECT n, timestamptz '2024-01-01' + n * interval '1 day', n * 10 FROM generate_series(1, 8) n;
SELECT segment.create_table('customers', 'customer', 'int');
SELECT segment.add_source('customers', 'event', key => 'customer', at => 'at', value => 'amount');
SELECT segment.add_score('customers', 'total', 'sum(value)');
SELECT segment.add_score('customers', 'last_at', 'max(at)');
SELECT segment.add_score('customers', 'points', 'total * 2');
SELECT segment.add_band('customers', 'rank', 'points', 2);
SELECT segment.add_segment('customers', 'big', 'points >= 100');
SELECT segment.add_segment('customers', 'recent', 'last_at > now() - interval ''5 days''');
SELECT segment.add_group('customers', 'stage', 'top', 'big AND recent', 'rest', 'true');
CALL segment.refresh('customers');

-- Tries a statement, undoes it, and says what came of it.
CREATE FUNCTION try(statement text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	hint text; context text;
BEGIN
	EXECUTE statement;
	RAISE EXCEPTION USING errcode = 'HO000';
EXCEPTION
	WHEN SQLSTATE 'HO000' THEN
		RETURN 'accepted';
	WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
		RETURN concat_ws(' -- ', SQLSTATE || ' ' || SQLERRM, nullif(hint, ''), substring(context FROM '^expression of [^\n]*'));
END $$;

-- what is refused
SELECT statement, try(format('SELECT segment.alter_%s', statement))
FROM unnest(ARRAY[
	$$score('customers', 'nosuch', 'total')$$,
	$$score('customers', 'big', 'total')$$,
	$$segment('customers', 'total', 'true')$$,
	$$segment('customers', NULL, 'true')$$,
	$$segment('event', 'big', 'true')$$,
	$$segment('customers', 'big', 'points')$$,
	$$segment('customers', 'big', 'nosuch > 1')$$,
	$$score('customers', 'points', 'total::numeric')$$,
	$$score('customers', 'total', 'sum(value)::int')$$,
	$$band('customers', 'rank', 'nosuch')$$,
	$$band('customers', 'rank', 'points', 1)$$,
	$$group('customers', 'stage', 'top')$$,
	$$group('customers', 'stage', 'top', 'true', 'top', 'false')$$,
	-- circles
	$$segment('customers', 'big', 'big')$$,
	$$segment('customers', 'big', 'stage = ''rest''')$$,
	$$score('customers', 'points', 'rank + total')$$,
	$$score('customers', 'total', 'points + CASE stage WHEN ''top'' THEN 1 END')$$,
	$$group('customers', 'stage', 'top', 'big', 'other', 'stage IS NULL')$$]) WITH ORDINALITY u (statement, n) ORDER BY n;
BEGIN;
SELECT segment.set_eligible('customers', 'NOT recent OR total > 0');
SELECT try($$SELECT segment.alter_segment('customers', 'recent', 'rank = 1')$$);
SELECT try($$SELECT segment.alter_segment('customers', 'recent', 'total > 7')$$);
ROLLBACK;

-- what reads the table goes on; nothing is done for what means the same
CREATE VIEW reader AS SELECT customer, big, stage, rank FROM customers;
CREATE INDEX customers_big ON customers (big);
CREATE TABLE before AS SELECT attname, attnum FROM pg_attribute WHERE attrelid = 'customers'::regclass;
CREATE VIEW definition AS SELECT name, xmin::text AS version FROM segment.config_column WHERE tbl = 'customers'::regclass;
CREATE TABLE was AS SELECT * FROM definition;
CREATE VIEW marks AS SELECT count(*) AS n FROM (TABLE segment.mark_log_0 UNION ALL TABLE segment.mark_log_1) m WHERE tbl = 'customers'::regclass;
CREATE TABLE marked AS SELECT * FROM marks;
SELECT segment.alter_segment('customers', 'big', 'points>=100');
SELECT segment.alter_score('customers', 'points', ' total * 2 ');
SELECT segment.alter_band('customers', 'rank', 'points', 2);
SELECT segment.alter_group('customers', 'stage', 'top', '(big) AND recent', 'rest', 'TRUE');
TABLE definition EXCEPT TABLE was;
SELECT m.n = marks.n AS none_marked FROM marked m, marks;

-- a segment: who stays a member has the same interval, who comes and who goes is written down
SET segment.as_of = '2024-01-11 00:00:00+00';
SELECT segment.alter_segment('customers', 'big', 'points BETWEEN 80 AND 130');
SELECT name, rule FROM segment.segments WHERE tbl = 'customers'::regclass ORDER BY 1;
CALL segment.refresh('customers');
SELECT * FROM segment.verify('customers');
SELECT customer, points, big, rank, stage FROM customers ORDER BY 1;
SELECT customer, entered_at, left_at FROM customers_history WHERE segment = 'big' ORDER BY 1, 2;
SELECT customer, label, entered_at, left_at FROM customers_history WHERE segment = 'stage' AND customer > 3 ORDER BY 1, 2, 3;

-- a score that comes out the same: its bands are cut anew, and nobody moves
SET segment.as_of = '2024-01-11 06:00:00+00';
SELECT segment.alter_score('customers', 'points', 'total + total');
CALL segment.refresh('customers');
SELECT * FROM segment.verify('customers');
SELECT version, cuts, retired_at FROM segment.config_band_cut WHERE tbl = 'customers'::regclass ORDER BY 1;
SELECT count(*) AS moved FROM customers_history WHERE '2024-01-11 06:00:00+00' IN (entered_at, left_at);

-- a score: what reads it is computed anew, and its bands are cut anew
SET segment.as_of = '2024-01-11 12:00:00+00';
SELECT segment.alter_score('customers', 'points', 'CASE WHEN recent THEN total ELSE 1000 - total END');
SELECT name, version, cuts FROM segment.bands WHERE tbl = 'customers'::regclass;
SELECT version, cuts, retired_at FROM segment.config_band_cut WHERE tbl = 'customers'::regclass ORDER BY 1;
CALL segment.refresh('customers');
SELECT * FROM segment.verify('customers');
SELECT customer, total, recent, points, big, rank, stage, valid_until FROM customers ORDER BY 1;
SELECT name, version, cuts FROM segment.bands WHERE tbl = 'customers'::regclass;
SELECT customer, label, entered_at, left_at FROM customers_history WHERE segment = 'rank' ORDER BY 1, 3;
-- from the row to the events, and back
SELECT segment.alter_score('customers', 'points', 'count(*) FILTER (WHERE value > 40) * 100');
CALL segment.refresh('customers');
SELECT * FROM segment.verify('customers');
SELECT customer, points, big, rank FROM customers ORDER BY 1;
SELECT segment.alter_score('customers', 'points', 'total * 2');
CALL segment.refresh('customers');
SELECT * FROM segment.verify('customers');
SELECT customer, points, big, rank FROM customers ORDER BY 1;

-- a band and a group
SET segment.as_of = '2024-01-12 00:00:00+00';
SELECT segment.alter_band('customers', 'rank', 'total', 4, descending => true);
SELECT name, score, bands, descending, version FROM segment.bands WHERE tbl = 'customers'::regclass;
SELECT segment.alter_group('customers', 'stage', 'first', 'rank = 1', 'rest', 'rank < 4');
CALL segment.refresh('customers');
SELECT * FROM segment.verify('customers');
SELECT * FROM reader ORDER BY 1;
SELECT version, cuts, retired_at FROM segment.config_band_cut WHERE tbl = 'customers'::regclass ORDER BY 1;
SELECT customer, label, entered_at, left_at FROM customers_history WHERE segment = 'stage' AND entered_at >= '2024-01-11 12:00' OR left_at > '2024-01-11 12:00' AND segment = 'stage' ORDER BY 1, 3;

-- a segment that reads a column defined after it
SELECT segment.alter_segment('customers', 'recent', 'last_at > now() - interval ''5 days'' OR rank = 1');
SELECT segment.add_source('customers', 'event', key => 'customer', at => 'at + interval ''1 hour''', event => '''again''', value => 'amount');
CALL segment.refresh('customers');
SELECT * FROM segment.verify('customers');
SELECT customer, total, rank, recent, stage FROM customers ORDER BY 1;
SELECT segment.alter_group('customers', 'stage', 'first', 'recent', 'rest', 'true');
SELECT try($$SELECT segment.alter_band('customers', 'rank', 'last_at')$$);
SELECT try($$SELECT segment.alter_score('customers', 'total', 'sum(value) + count(*)')$$);

-- what moves in a way that is not analyzed is said of the column and of what reads it
SET client_min_messages = notice;
SELECT segment.alter_score('customers', 'points', 'total + extract(second FROM now())::bigint');
SELECT segment.alter_segment('customers', 'big', 'total > 5');
SET client_min_messages = warning;
SELECT segment.alter_score('customers', 'points', 'total * 2');
SELECT name, unanalyzed FROM segment.config_column WHERE tbl = 'customers'::regclass AND unanalyzed IS NOT NULL;

-- dropping: history stays, closed
SET segment.as_of = '2024-01-13 00:00:00+00';
-- what a view reads can not be dropped
SELECT segment.drop_segment('customers', 'big');
DROP VIEW reader;
SELECT segment.drop_group('customers', 'stage');
SELECT count(*) > 0 AS kept, count(*) FILTER (WHERE left_at IS NULL) AS open FROM customers_history WHERE segment = 'stage';
CALL segment.refresh('customers');
SELECT * FROM segment.verify('customers');
SELECT a.attname FROM before b JOIN pg_attribute a ON a.attrelid = 'customers'::regclass AND a.attname = b.attname AND a.attnum <> b.attnum;
SELECT a.* FROM customers_history a JOIN customers_history b USING (customer, segment)
WHERE a.ctid <> b.ctid AND a.entered_at < coalesce(b.left_at, 'infinity') AND b.entered_at < coalesce(a.left_at, 'infinity');

DROP VIEW definition, marks;
SELECT segment.drop_table('customers');
DROP SCHEMA alter CASCADE;
