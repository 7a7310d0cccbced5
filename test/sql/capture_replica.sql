-- Where ordinary triggers do not fire: session_replication_role = replica.  The
-- trigger for each row marks there, each key once in a subtransaction.
SET client_min_messages = warning;
CREATE SCHEMA replica;
SET search_path = replica;
SET timezone = 'UTC';
SET segment.as_of = '2024-06-01 00:00:00+00';
CREATE TABLE event (customer int, at timestamptz DEFAULT '2024-05-01', amount int DEFAULT 1) PARTITION BY LIST (amount);
CREATE TABLE event_1 PARTITION OF event FOR VALUES IN (1);
CREATE TABLE event_rest (note text, amount int, at timestamptz DEFAULT '2024-05-01', customer int);
ALTER TABLE event_rest DROP COLUMN note;
ALTER TABLE event ATTACH PARTITION event_rest DEFAULT;
CREATE TABLE mail (address text, at timestamptz DEFAULT '2024-05-01');
CREATE TABLE tag (id uuid, at timestamptz DEFAULT '2024-05-01');
INSERT INTO event SELECT n % 10, '2024-05-01', n % 3 FROM generate_series(1, 60) n;
DO $$ BEGIN
	PERFORM segment.create_table('buyers', 'customer', 'int');
	PERFORM segment.add_source('buyers', 'event', key => 'customer', at => 'at', value => 'amount');
	PERFORM segment.add_score('buyers', 'n', 'count(*)');
	PERFORM segment.create_table('mailed', 'mail', 'text');
	PERFORM segment.add_source('mailed', 'mail', key => 'lower(address)', at => 'at');
	PERFORM segment.add_score('mailed', 'n', 'count(*)');
	PERFORM segment.create_table('tagged', 'tag', 'uuid');
	PERFORM segment.add_source('tagged', 'tag', key => 'id', at => 'at');
	PERFORM segment.add_score('tagged', 'n', 'count(*)');
END $$;
CALL segment.refresh('buyers');
CALL segment.refresh('mailed');
CALL segment.refresh('tagged');
RESET client_min_messages;
\set QUIET on
\pset format unaligned
\pset tuples_only on
CREATE VIEW marks AS
	SELECT tbl::regclass AS tbl, key, count(*) AS times
	FROM (SELECT * FROM segment.mark_log_0 UNION ALL SELECT * FROM segment.mark_log_1) m
	WHERE NOT pg_visible_in_snapshot(xid, (SELECT snapshot FROM segment.bookmark)) GROUP BY 1, 2;
\set check 'SELECT * FROM marks ORDER BY tbl::text, key::text COLLATE "C"; CALL segment.refresh(''buyers''); CALL segment.refresh(''mailed''); CALL segment.refresh(''tagged''); SELECT * FROM segment.verify(''buyers'') UNION ALL SELECT * FROM segment.verify(''mailed'') UNION ALL SELECT * FROM segment.verify(''tagged'');'
:check

SELECT c.relname, tgname ~ '_row$' AS row, tgtype & 32 > 0 AS truncate, tgenabled, count(*)
FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid
WHERE c.relnamespace = 'replica'::regnamespace GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3;

SET session_replication_role = replica;
-- rows of one customer are marked once
INSERT INTO event (customer) SELECT n % 2 FROM generate_series(1, 100) n;
:check
COPY event (customer, amount) FROM stdin;
11	1
11	2
12	2
\N	1
\.
:check
-- both keys; both partitions; one that numbers its columns otherwise
UPDATE event SET customer = 13, amount = 5 WHERE customer = 11;
DELETE FROM event_rest WHERE customer = 12;
:check
-- key expressions, with the rights of the segment table's owner; uuid
INSERT INTO mail VALUES ('Ann@X.org'), ('ANN@x.org'), ('bob@x.org');
INSERT INTO tag VALUES ('00000000-0000-0000-0000-000000000001'), ('00000000-0000-0000-0000-000000000001');
:check
UPDATE mail SET address = 'Cid@x.org' WHERE address = 'ANN@x.org';
DELETE FROM tag;
:check
-- several statements of one transaction mark once; savepoints take their marks along
BEGIN;
INSERT INTO event VALUES (20);
INSERT INTO event VALUES (20);
UPDATE event SET amount = 1 WHERE customer = 20;
SAVEPOINT a;
INSERT INTO event VALUES (20), (21);
ROLLBACK TO a;
INSERT INTO event VALUES (21), (22);
RELEASE a;
INSERT INTO event VALUES (22);
SELECT * FROM marks ORDER BY key;
COMMIT;
CALL segment.refresh('buyers');
SELECT * FROM segment.verify('buyers');
-- the same in the transaction after it, and beside a refresh in a block
INSERT INTO event VALUES (20);
BEGIN;
INSERT INTO event VALUES (23);
CALL segment.refresh('buyers');
INSERT INTO event VALUES (23), (24);
CALL segment.refresh('buyers');
SELECT customer, n FROM buyers WHERE customer >= 23 ORDER BY 1;
INSERT INTO event VALUES (23), (24);
COMMIT;
CALL segment.refresh('buyers');
SELECT customer, n FROM buyers WHERE customer >= 23 ORDER BY 1;
SELECT * FROM segment.verify('buyers');
-- beyond the limit: everybody, once
SET segment.mark_limit = 3;
INSERT INTO event SELECT n FROM generate_series(30, 40) n;
RESET segment.mark_limit;
SELECT tbl, key IS NULL AS everybody, sum(times) FROM marks GROUP BY 1, 2 ORDER BY 2;
CALL segment.refresh('buyers');
-- TRUNCATE
TRUNCATE event_1;
:check
TRUNCATE event, mail;
:check
SELECT (SELECT count(*) FROM buyers), (SELECT count(*) FROM mailed);
RESET session_replication_role;
-- and back again: ordinary triggers, no more marks than before
INSERT INTO event VALUES (1), (1), (2);
TRUNCATE mail;
:check

-- what an erasure deletes of the marks is marked again; a column renamed where no event trigger fires
SET session_replication_role = replica;
BEGIN;
INSERT INTO event VALUES (50);
DELETE FROM event WHERE customer = 50;
SELECT marks, suppressed FROM segment.erase('buyers', '50', suppress => false);
INSERT INTO event VALUES (50);
COMMIT;
:check
ALTER TABLE event RENAME customer TO buyer;
SELECT rows, suppressed FROM segment.erase('buyers', '50', suppress => false);
:check
ALTER TABLE event RENAME buyer TO customer;
SELECT rows, suppressed FROM segment.erase('buyers', '50');
RESET session_replication_role;
:check
SELECT segment.unsuppress('buyers', '50');
:check

-- a replica-role refresh is one like any other
SET session_replication_role = replica;
INSERT INTO event VALUES (3);
CALL segment.rebuild('buyers');
SELECT * FROM segment.verify('buyers');
RESET session_replication_role;
SELECT customer, n FROM buyers ORDER BY 1;

SET client_min_messages = warning;
DROP SCHEMA replica CASCADE;
