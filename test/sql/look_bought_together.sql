-- Which items are bought together: baskets, measures, rights.
SET timezone = 'UTC';
SET client_min_messages = warning;
CREATE ROLE regress_segment_shop;
CREATE ROLE regress_segment_clerk;
CREATE SCHEMA "Bas ""ket" AUTHORIZATION regress_segment_shop;
SET search_path = "Bas ""ket";
SET segment.as_of = '2028-03-08 12:00';
SET ROLE regress_segment_shop;
CREATE TABLE line (who text, at timestamptz, what text, item text, "the ""bill" int, kind text, shape json);
INSERT INTO line SELECT who, timestamptz '2028-03-01' + at * interval '1 hour', 'purchase', item, bill, left(item, 1), NULL
FROM (VALUES ('ana', 1, '{tea,milk,cup}', 1), ('ana', 3, '{tea,milk}', 1), ('ben', 1, '{milk,tea,milk}', 1), ('ben', 5, '{coffee,milk}', 2),
	('cleo', 1, '{coffee}', 3), ('cleo', 2, '{tea}', 4)) b(who, at, items, bill), unnest(items::text[]) item;
-- what makes no basket: nothing bought, no item, nobody, the future, no finite time, another event
INSERT INTO line VALUES ('ana', '2028-03-01 01:00', 'purchase', NULL, 1), ('dora', '2028-03-01 01:00', 'purchase', NULL, 1),
	(NULL, '2028-03-01 01:00', 'purchase', 'tea', 1), (NULL, '2028-03-01 01:00', 'purchase', 'milk', 1),
	('eve', '2028-03-08 12:00:00.000001', 'purchase', 'tea', 9), ('eve', '2028-03-08 12:00:00.000001', 'purchase', 'milk', 9),
	('eve', '-infinity', 'purchase', 'tea', 9), ('eve', '-infinity', 'purchase', 'milk', 9),
	('eve', '2028-03-01 01:00', 'view', 'tea', 9), ('eve', '2028-03-01 01:00', 'view', 'cup', 9), ('eve', '2028-03-01 01:00', 'purchase', 'soap', NULL);
SELECT segment.create_table('t', 'the "who', 'text');
SELECT segment.add_source('t', 'line', key => 'who', at => 'at', event => 'what', item => 'item',
	extra => '{"the \"bill": "\"the \"\"bill\"", "kind": "kind", "shape": "shape"}');

-- 7 baskets (soap is one); tea in 4, milk in 4, both in 3: 3/7, 3/4, 3/4, (3/7) / (4/7 * 4/7) = 21/16
SELECT a, b, baskets_a, baskets_b, shared, baskets, round(support::numeric, 4) AS support, confidence_ab, confidence_ba, lift FROM segment.bought_together('t');
-- all pairs: coffee with milk 1, 1/2, 1/4, 7/8; cup with either 1, 1, 1/4, 7/4
SELECT a, b, baskets_a, baskets_b, shared, baskets, round(support::numeric, 4) AS support, confidence_ab, confidence_ba, lift FROM segment.bought_together('t', min_baskets => 1);
SELECT a, b, shared FROM segment.bought_together('t', min_baskets => 1, min_support => 3 / 7.0::float8);
SELECT a, b, shared FROM segment.bought_together('t', min_baskets => 4);

-- other baskets: those of a gap, ana's two are one from two hours on
\set pairs 'a, b, baskets_a, baskets_b, shared, baskets'
SELECT :pairs FROM segment.bought_together('t', gap => '1:59:59.999999', min_baskets => 1) WHERE b = 'tea';
SELECT :pairs FROM segment.bought_together('t', gap => '2 hours', min_baskets => 1) WHERE b = 'tea';
SELECT :pairs FROM segment.bought_together('t', gap => '0', min_baskets => 1) WHERE b = 'tea';
-- of a column, within a customer: the bill 1 is ana's and ben's; and of the customer
SELECT :pairs FROM segment.bought_together('t', basket => 'the "bill', min_baskets => 1);
SELECT :pairs FROM segment.bought_together('t', basket => 'the "who', min_baskets => 1) WHERE b = 'tea';
-- of other events, or all; of part of the time, from since until just before until
SELECT :pairs FROM segment.bought_together('t', '{view}', min_baskets => 1);
SELECT :pairs FROM segment.bought_together('t', '{view,purchase}', basket => 'the "who', min_baskets => 1) WHERE 'cup' IN (a, b);
SELECT :pairs FROM segment.bought_together('t', NULL, basket => 'the "who', min_baskets => 1) WHERE 'cup' IN (a, b);
SELECT :pairs FROM segment.bought_together('t', since => '2028-03-01 01:00', until => '2028-03-01 03:00', min_baskets => 1);
SELECT :pairs FROM segment.bought_together('t', since => '2028-03-01 01:00:00.000001', until => '2028-03-01 03:00:00.000001', min_baskets => 1);
-- of other things than items
SELECT :pairs FROM segment.bought_together('t', item => 'kind', basket => 'the "who', min_baskets => 1);
-- as of another time
BEGIN;
SET LOCAL segment.as_of = '2028-03-01 01:00';
SELECT :pairs FROM segment.bought_together('t', min_baskets => 1);
SET LOCAL segment.as_of = '2028-03-09';
SELECT :pairs FROM segment.bought_together('t');
COMMIT;

-- baskets that are too large, and none
SET client_min_messages = notice;
SELECT :pairs FROM segment.bought_together('t', max_items => 2, min_baskets => 1);
SELECT :pairs FROM segment.bought_together('t', '{buy}');
SELECT :pairs FROM segment.bought_together('t', '{}');
SET client_min_messages = warning;

-- mistakes
\set VERBOSITY default
SELECT * FROM segment.bought_together('t', basket => 'bill');
SELECT * FROM segment.bought_together('t', item => '"item"; DROP TABLE line');
SELECT * FROM segment.bought_together('t', basket => 'at', gap => '1 hour');
SELECT * FROM segment.bought_together('t', gap => '-1 hour');
SELECT * FROM segment.bought_together('t', min_baskets => 0);
SELECT * FROM segment.bought_together('t', min_support => 'NaN');
SELECT * FROM segment.bought_together('t', max_items => 1);
SELECT * FROM segment.bought_together('t', item => NULL);
SELECT * FROM segment.bought_together(NULL);
SELECT * FROM segment.bought_together('line');
SELECT * FROM segment.bought_together('t', basket => 'shape');

-- whoever may read the stream; what the owner has put into it runs as the owner
RESET ROLE;
GRANT USAGE ON SCHEMA "Bas ""ket" TO regress_segment_clerk;
GRANT SELECT ON t TO regress_segment_clerk;
SET ROLE regress_segment_clerk;
SELECT :pairs FROM segment.bought_together('t');
RESET ROLE;
GRANT SELECT ("the ""who", at, event, item) ON t_events TO regress_segment_clerk;
SET ROLE regress_segment_clerk;
SELECT :pairs FROM segment.bought_together('t');
RESET ROLE;
GRANT SELECT ON t_events TO regress_segment_clerk;
SET ROLE regress_segment_clerk;
SELECT :pairs FROM segment.bought_together('t');
RESET ROLE;
SET ROLE regress_segment_shop;
CREATE TYPE mood AS (feeling text);
CREATE FUNCTION told(mood) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE 'this runs as %', current_user; END $$;
CREATE CAST (mood AS text) WITH FUNCTION told(mood);
CREATE TABLE feeling (who text, at timestamptz, mood mood);
INSERT INTO feeling VALUES ('ana', '2028-03-01', ROW('fine'));
SELECT segment.create_table('m', 'who', 'text');
SELECT segment.add_source('m', 'feeling', key => 'who', at => 'at', item => 'who', extra => '{"mood": "mood"}');
GRANT SELECT ON m_events TO regress_segment_clerk;
RESET ROLE;
SET ROLE regress_segment_clerk;
\set SHOW_CONTEXT never
SELECT count(*) FROM segment.bought_together('m', NULL, item => 'mood');
\set SHOW_CONTEXT errors
RESET ROLE;
SET ROLE regress_segment_shop;

-- beside plain SQL that joins lines with lines: 300 baskets of up to 12 items of 40
CREATE TABLE sale (who int, at timestamptz, item text, bill int);
INSERT INTO sale SELECT n % 70, timestamptz '2027-01-01' + n % 13 * interval '1 day', 'i' || (hashint4(n * 31 + i * 7) & 1023) % (1 + (hashint4(n) & 1023) % 40), n
FROM generate_series(1, 300) n, generate_series(1, 12) i WHERE (hashint4(n * 12 + i) & 3) > 0;
SELECT segment.create_table('s', 'who', 'int');
SELECT segment.add_source('s', 'sale', key => 'who', at => 'at', event => $$'sale'$$, item => 'item', extra => '{"bill": "bill"}');
CREATE VIEW plain AS
	WITH l AS (SELECT DISTINCT bill, item COLLATE "C" AS item FROM sale), n AS (SELECT count(DISTINCT bill) AS n FROM sale), one AS (SELECT item, count(*) AS n FROM l GROUP BY 1)
	SELECT x.item AS a, y.item AS b, p.n AS baskets_a, q.n AS baskets_b, count(*) AS shared, n.n AS baskets, count(*)::float8 / n.n AS support,
		count(*)::float8 / p.n AS confidence_ab, count(*)::float8 / q.n AS confidence_ba, count(*)::float8 * n.n / (p.n::float8 * q.n) AS lift
	FROM l x JOIN l y ON x.bill = y.bill AND x.item < y.item JOIN one p ON p.item = x.item JOIN one q ON q.item = y.item, n
	GROUP BY 1, 2, 3, 4, 6;
SELECT count(*) > 500 AS many FROM plain;
SELECT * FROM segment.bought_together('s', '{sale}', 'bill', min_baskets => 1) EXCEPT SELECT * FROM plain;
SELECT * FROM plain EXCEPT SELECT * FROM segment.bought_together('s', '{sale}', 'bill', min_baskets => 1);
SELECT count(*) AS wrong FROM (SELECT * FROM plain WHERE support >= 0.03 AND shared >= 2 EXCEPT SELECT * FROM segment.bought_together('s', '{sale}', 'bill', min_support => 0.03)) d;
RESET ROLE;
DROP VIEW plain;
-- an error in an expression of a source does not show the query
CREATE TABLE part (who int, at timestamptz, whole int);
INSERT INTO part VALUES (1, '2024-01-01', 0);
SELECT segment.create_table('p', 'who', 'int');
SELECT segment.add_source('p', 'part', key => 'who', at => 'at', event => $$'purchase'$$, item => '(1 / whole)::text');
SELECT * FROM segment.bought_together('p');
SELECT segment.drop_table('p');

-- and beside it on a month of a real shop's invoices, where they are at hand; unreadable customers and cancellations as they are
SELECT segment.create_table('o', 'customer', 'bigint');
CREATE TABLE retail (invoice text, stock_code text, description text, quantity int, at timestamptz, price numeric, customer bigint, country text);
\set there `test -r "${SEGMENT_DATA:-$PG_ABS_SRCDIR/../../shared/data}/online_retail.csv.gz" && echo true || echo false`
\if :there
\copy retail FROM PROGRAM 'gzip -dc "${SEGMENT_DATA:-$PG_ABS_SRCDIR/../../shared/data}/online_retail.csv.gz"' (FORMAT csv, HEADER) WHERE at >= '2011-02-01' AND at < '2011-03-01'
\endif
SELECT segment.add_source('o', 'retail', key => 'customer', at => 'at', event => $$CASE WHEN quantity > 0 THEN 'purchase' ELSE 'return' END$$,
	item => 'stock_code', extra => '{"invoice": "invoice"}');
CREATE VIEW plain AS
	WITH l AS (SELECT DISTINCT invoice, stock_code COLLATE "C" AS item FROM retail WHERE quantity > 0 AND customer IS NOT NULL),
		one AS (SELECT item, count(*) AS n FROM l GROUP BY 1)
	SELECT x.item AS a, y.item AS b, p.n AS baskets_a, q.n AS baskets_b, count(*) AS shared, n.n AS baskets, count(*)::float8 / n.n AS support,
		count(*)::float8 / p.n AS confidence_ab, count(*)::float8 / q.n AS confidence_ba, count(*)::float8 * n.n / (p.n::float8 * q.n) AS lift
	FROM l x JOIN l y ON x.invoice = y.invoice AND x.item < y.item JOIN one p ON p.item = x.item JOIN one q ON q.item = y.item,
		(SELECT count(DISTINCT invoice) AS n FROM l) n
	GROUP BY 1, 2, 3, 4, 6 HAVING count(*) >= 10;
SELECT count(*) AS differences FROM (SELECT * FROM segment.bought_together('o', basket => 'invoice', min_baskets => 10, max_items => 5000) EXCEPT SELECT * FROM plain) d;
SELECT count(*) AS differences FROM (SELECT * FROM plain EXCEPT SELECT * FROM segment.bought_together('o', basket => 'invoice', min_baskets => 10, max_items => 5000)) d;

SELECT segment.drop_table('o');
SELECT segment.drop_table('s');
SELECT segment.drop_table('m');
SELECT segment.drop_table('t');
DROP SCHEMA "Bas ""ket" CASCADE;
DROP ROLE regress_segment_shop, regress_segment_clerk;
