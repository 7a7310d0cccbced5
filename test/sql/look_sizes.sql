-- How large segments are, and how they overlap.
SET client_min_messages = warning;
CREATE SCHEMA "Si ""zes";
SET search_path = "Si ""zes";
SET timezone = 'UTC';
SET segment.as_of = '2024-06-01 00:00:00+00';
CREATE TABLE event (customer int, at timestamptz, amount int);
SELECT segment.create_table('"Tab"', 'The "key"', 'int');
SELECT * FROM segment.sizes('"Tab"');
SELECT * FROM segment.overlap('"Tab"');
SELECT segment.add_source('"Tab"', 'event', key => 'customer', at => 'at', value => 'amount');
SELECT segment.add_score('"Tab"', 'n', 'count(*)');
SELECT segment.add_segment('"Tab"', 'two', 'n % 2 = 0');
SELECT segment.add_segment('"Tab"', 'it''s "3"', 'n % 3 = 0');
SELECT segment.add_segment('"Tab"', 'SELECT', 'n >= 7');
SELECT segment.add_segment('"Tab"', 'nobody', 'n < 0');
SELECT segment.add_segment('"Tab"', 'nobody else', 'n < 0');
SELECT segment.add_segment('"Tab"', 'all', 'true');
-- nobody yet
SELECT * FROM segment.sizes('"Tab"');
SELECT count(*), sum(shared), count(jaccard) FROM segment.overlap('"Tab"');
INSERT INTO event SELECT c, '2024-05-01', 1 FROM generate_series(1, 100) c, generate_series(1, 11) i WHERE i <= 1 + c * c % 11;
CALL segment.refresh('"Tab"');
SELECT * FROM segment.sizes('"Tab"');
SELECT a, b, members_a, members_b, shared, round(jaccard::numeric, 4) AS jaccard FROM segment.overlap('"Tab"');

-- beside plain SQL
CREATE VIEW member AS
	SELECT "The ""key""" AS k, s.name FROM "Tab" t,
		LATERAL (VALUES ('two', two), ('it''s "3"', "it's ""3"""), ('SELECT', "SELECT"), ('nobody', nobody), ('nobody else', "nobody else"), ('all', "all")) s(name, member) WHERE member;
SELECT segment, label, members, customers, share FROM segment.sizes('"Tab"')
EXCEPT SELECT s.name, NULL, (SELECT count(*) FROM member m WHERE m.name = s.name), 100, (SELECT count(*) FROM member m WHERE m.name = s.name) / 100.0::float8 FROM segment.segments s;
SELECT a, b, members_a, members_b, shared, jaccard FROM segment.overlap('"Tab"')
EXCEPT SELECT a.name, b.name, a.n, b.n, c.n, c.n::float8 / nullif(a.n + b.n - c.n, 0)
FROM (SELECT name, (SELECT count(*) FROM member m WHERE m.name = s.name) AS n FROM segment.segments s) a,
	 (SELECT name, (SELECT count(*) FROM member m WHERE m.name = s.name) AS n FROM segment.segments s) b,
	 LATERAL (SELECT count(*) AS n FROM member ma JOIN member mb USING (k) WHERE ma.name = a.name AND mb.name = b.name) c
WHERE a.name <> b.name;
SELECT count(*) = 6 * 5 / 2 AS every_pair FROM segment.overlap('"Tab"');
DROP VIEW member;

-- more segments than a query has columns for pairs
SELECT count(segment.add_segment('"Tab"', 's' || i, 'n % ' || i || ' = 0')) FROM generate_series(1, 60) i;
CALL segment.refresh('"Tab"');
SELECT count(*), sum(shared) FROM segment.overlap('"Tab"');
SELECT count(*), sum(members) FROM segment.sizes('"Tab"');
SELECT count(segment.drop_segment('"Tab"', 's' || i)) FROM generate_series(1, 60) i;

-- the view: of the tables that the reader may read, all rows of them
CREATE ROLE regress_segment_counter;
SELECT segment.create_table('other', 'customer', 'int');
SELECT segment.add_segment('other', 'x', 'customer > 1');
SELECT tbl, segment, members FROM segment.sizes ORDER BY 1, 2;
SELECT segment, members FROM segment.sizes WHERE tbl = 'other'::regclass;
SET ROLE regress_segment_counter;
SELECT * FROM segment.sizes;
SELECT * FROM segment.sizes('"Si ""zes"."Tab"');
RESET ROLE;
GRANT USAGE ON SCHEMA "Si ""zes" TO regress_segment_counter;
SET ROLE regress_segment_counter;
SELECT * FROM segment.sizes;
SELECT * FROM segment.sizes('"Tab"');
SELECT * FROM segment.overlap('"Tab"');
RESET ROLE;
GRANT SELECT ON "Tab", other TO regress_segment_counter;
SET ROLE regress_segment_counter;
SELECT tbl, segment, members FROM segment.sizes ORDER BY 1, 2;
SELECT count(*) FROM segment.overlap('"Tab"');
RESET ROLE;
ALTER TABLE "Tab" ENABLE ROW LEVEL SECURITY;
CREATE POLICY hides ON "Tab" USING (1 / (n - n) = 1);
SET ROLE regress_segment_counter;
SELECT tbl, segment, members FROM segment.sizes ORDER BY 1, 2;
SELECT count(*) FROM segment.sizes('"Tab"');
SELECT count(*) FROM segment.overlap('"Tab"');
RESET ROLE;

-- a column that was dropped by hand spoils neither the view nor the other columns
ALTER TABLE "Tab" DISABLE ROW LEVEL SECURITY;
BEGIN;
SELECT segment.add_segment('other', 'gone', 'true');
SET session_replication_role = replica;
ALTER TABLE other DROP COLUMN gone;
RESET session_replication_role;
SELECT tbl, segment, members FROM segment.sizes WHERE tbl = 'other'::regclass ORDER BY 1, 2;
SELECT a, b FROM segment.overlap('other') WHERE 'gone' IN (a, b);
SELECT members, overlap ? 'gone' AS listed FROM segment.preview('other', 'true');
ROLLBACK;

SELECT * FROM segment.sizes(NULL);
SELECT * FROM segment.overlap(NULL);
SELECT * FROM segment.sizes('event');
SELECT segment.drop_table('other');
SELECT segment.drop_table('"Tab"');
DROP SCHEMA "Si ""zes" CASCADE;
DROP ROLE regress_segment_counter;
