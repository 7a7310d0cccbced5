-- Which keys the triggers mark.  The definitions are written by hand, so that
-- this needs no other part of the extension than the triggers themselves.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS segment;
CREATE ROLE regress_capture_owner;
CREATE ROLE regress_capture_writer;
RESET client_min_messages;

CREATE SCHEMA capture_test;
SET search_path = capture_test;
GRANT USAGE ON SCHEMA capture_test TO PUBLIC;

-- A segment table, its one source, and the triggers on the given relations.
CREATE FUNCTION define(id int, key_type regtype, source regclass, key text,
                       time_zone text DEFAULT 'UTC', VARIADIC parts regclass[] DEFAULT '{}')
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  tbl regclass;
  part regclass;
BEGIN
  EXECUTE format('CREATE TABLE seg_%1$s (); ALTER TABLE seg_%1$s OWNER TO regress_capture_owner', id);
  tbl := 'seg_' || id;
  INSERT INTO segment.config_table (tbl, history, key_name, key_type, time_zone)
    VALUES (tbl, tbl, 'key', key_type, time_zone);
  INSERT INTO segment.config_source (id, tbl, kind, relation, name, key)
    VALUES (define.id, tbl, 'events', source, source::text, key);
  FOREACH part IN ARRAY source || parts LOOP
    EXECUTE format('CREATE TRIGGER i_%2$s AFTER INSERT ON %1$s REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION segment.capture(%2$L)', part, id);
    EXECUTE format('CREATE TRIGGER u_%2$s AFTER UPDATE ON %1$s REFERENCING OLD TABLE AS o NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION segment.capture(%2$L)', part, id);
    EXECUTE format('CREATE TRIGGER d_%2$s AFTER DELETE ON %1$s REFERENCING OLD TABLE AS o FOR EACH STATEMENT EXECUTE FUNCTION segment.capture(%2$L)', part, id);
    EXECUTE format('CREATE TRIGGER t_%2$s AFTER TRUNCATE ON %1$s FOR EACH STATEMENT EXECUTE FUNCTION segment.capture(%2$L)', part, id);
  END LOOP;
END $$;

-- The marks of a segment table since the last look; NULL marks everybody.
CREATE FUNCTION marks(id int) RETURNS TABLE (key text, marks bigint)
LANGUAGE sql SECURITY DEFINER SET search_path = capture_test AS $$
  WITH taken AS (
    DELETE FROM segment.mark_log_0 WHERE tbl = to_regclass('seg_' || id) RETURNING *
  ), taken_too AS (
    DELETE FROM segment.mark_log_1 WHERE tbl = to_regclass('seg_' || id) RETURNING *
  )
  SELECT key, count(*)
  FROM (TABLE taken UNION ALL TABLE taken_too) AS l
  GROUP BY key ORDER BY key COLLATE "C"
$$;

-- each statement marks each of its keys once
CREATE TABLE event (id int, customer int, note text);
SELECT define(9001, 'bigint', 'event', 'customer');
INSERT INTO event SELECT 1, g % 3 FROM generate_series(1, 100) AS g;
SELECT * FROM marks(9001);
INSERT INTO event VALUES (2, 77), (2, 77);
INSERT INTO event VALUES (2, NULL);
INSERT INTO event SELECT 1, 1 WHERE false;
SELECT * FROM marks(9001);
COPY event (id, customer) FROM stdin;
3	5
3	5
3	\N
3	-9
\.
SELECT * FROM marks(9001);

-- both keys of an update
UPDATE event SET customer = customer + 1000 WHERE id = 3;
SELECT * FROM marks(9001);
DELETE FROM event WHERE id = 3;
SELECT * FROM marks(9001);

-- a statement without rows doesn't even get a transaction id
BEGIN;
UPDATE event SET note = 'x' WHERE false;
DELETE FROM event WHERE false;
SELECT pg_current_xact_id_if_assigned() IS NULL AS untouched;
COMMIT;

-- upsert and MERGE
CREATE UNIQUE INDEX ON event (id) WHERE id > 100;
INSERT INTO event VALUES (101, 11), (102, 12);
SELECT count(*) FROM marks(9001);
INSERT INTO event VALUES (101, 21), (103, 13)
  ON CONFLICT (id) WHERE id > 100 DO UPDATE SET customer = excluded.customer;
SELECT * FROM marks(9001);
MERGE INTO event USING (VALUES (101, 31), (102, NULL), (105, 15)) AS s (i, c) ON event.id = s.i
  WHEN MATCHED AND c IS NULL THEN DELETE
  WHEN MATCHED THEN UPDATE SET customer = c
  WHEN NOT MATCHED THEN INSERT (id, customer) VALUES (i, c);
SELECT * FROM marks(9001);

-- what is rolled back is not marked; all marks carry the top transaction's id
BEGIN;
INSERT INTO event VALUES (1, 501);
SAVEPOINT a;
INSERT INTO event VALUES (1, 502);
ROLLBACK TO a;
INSERT INTO event VALUES (1, 503);
SAVEPOINT b;
INSERT INTO event VALUES (1, 504);
SELECT count(*), bool_and(xid = pg_current_xact_id()) AS top
FROM (TABLE segment.mark_log_0 UNION ALL TABLE segment.mark_log_1) AS l
WHERE tbl = 'seg_9001'::regclass;
COMMIT;
SELECT * FROM marks(9001);

-- too many keys in one statement, and TRUNCATE, mark everybody
SET segment.mark_limit = 3;
INSERT INTO event SELECT 1, g % 3 FROM generate_series(1, 50) AS g;
SELECT * FROM marks(9001);
INSERT INTO event SELECT 1, g % 4 FROM generate_series(1, 50) AS g;
SELECT * FROM marks(9001);
SET segment.mark_limit = 0;
INSERT INTO event VALUES (1, 1);
SELECT * FROM marks(9001);
RESET segment.mark_limit;
INSERT INTO event SELECT 1, g % 3000 FROM generate_series(1, 9000) AS g;
SELECT count(*), sum(marks), min(key::int), max(key::int) FROM marks(9001);
TRUNCATE event;
SELECT * FROM marks(9001);

-- the column may move and change while a session goes on
INSERT INTO event VALUES (1, 1);
ALTER TABLE event DROP COLUMN id;
ALTER TABLE event ADD COLUMN extra int DEFAULT 7;
INSERT INTO event (customer) VALUES (2);
ALTER TABLE event ALTER COLUMN customer TYPE bigint;
INSERT INTO event (customer) VALUES (5000000000);
UPDATE event SET note = 'a';
SELECT * FROM marks(9001);
ALTER TABLE event RENAME COLUMN customer TO client;
INSERT INTO event (client) VALUES (3);
ALTER TABLE event RENAME COLUMN client TO customer;
INSERT INTO event (customer) VALUES (4);
SELECT * FROM marks(9001);

-- writers need no right on anything of ours
GRANT INSERT ON event TO regress_capture_writer;
SET ROLE regress_capture_writer;
INSERT INTO event (customer) VALUES (9);
RESET ROLE;
SELECT * FROM marks(9001);

-- two segment tables on one source
SELECT define(9002, 'text', 'event', 'note');
INSERT INTO event (customer, note) VALUES (1, 'one'), (2, 'two');
SELECT * FROM marks(9001);
SELECT * FROM marks(9002);

-- partitions: the root, a leaf, a leaf that numbers its columns otherwise
CREATE TABLE parted (id int, customer int, at date) PARTITION BY RANGE (at);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE parted_2 (junk text, at date, x int, customer int, id int);
ALTER TABLE parted_2 DROP COLUMN junk, DROP COLUMN x;
ALTER TABLE parted ATTACH PARTITION parted_2 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
SELECT define(9003, 'bigint', 'parted', 'customer', 'UTC', 'parted_1', 'parted_2');
INSERT INTO parted VALUES (1, 10, '2026-01-05'), (2, 20, '2026-02-05');
SELECT * FROM marks(9003);
INSERT INTO parted_1 VALUES (3, 30, '2026-01-06');
INSERT INTO parted_2 (id, customer, at) VALUES (4, 40, '2026-02-06');
SELECT * FROM marks(9003);
UPDATE parted SET at = '2026-02-07', customer = 11 WHERE customer = 10;
SELECT * FROM marks(9003);
DELETE FROM parted_2 WHERE customer = 40;
SELECT * FROM marks(9003);
TRUNCATE parted_1;
SELECT * FROM marks(9003);
-- a partition that was detached is no part of the source any more
ALTER TABLE parted DETACH PARTITION parted_2;
INSERT INTO parted_2 (id, customer, at) VALUES (5, 50, '2026-02-06');
SELECT * FROM marks(9003);

-- foreign keys
CREATE TABLE customer (id int PRIMARY KEY);
CREATE TABLE child (customer int REFERENCES customer ON DELETE CASCADE ON UPDATE CASCADE);
INSERT INTO customer VALUES (1), (2);
INSERT INTO child VALUES (1), (2);
SELECT define(9004, 'bigint', 'child', 'customer');
DELETE FROM customer WHERE id = 1;
UPDATE customer SET id = 3;
SELECT * FROM marks(9004);

-- key types: one text for one key, whatever the session's settings
CREATE TABLE typed (t text, v varchar(20), c char(5), u uuid, d date, ts timestamptz,
                    n numeric, f float8, b bytea, s smallint);
SELECT define(9010, 'text', 'typed', 't');
SELECT define(9011, 'text', 'typed', 'v');
SELECT define(9012, 'text', 'typed', 'c');
SELECT define(9013, 'uuid', 'typed', 'u');
SELECT define(9014, 'date', 'typed', 'd');
SELECT define(9015, 'timestamptz', 'typed', 'ts', 'Asia/Tokyo');
SELECT define(9016, 'numeric', 'typed', 'n');
SELECT define(9017, 'float8', 'typed', 'f');
SELECT define(9018, 'bytea', 'typed', 'b');
SELECT define(9019, 'bigint', 'typed', 's');
SELECT define(9020, 'int', 'typed', 'n');
SELECT define(9021, 'text', 'typed', 'lower(t)');
SET DateStyle = 'German';
SET TimeZone = 'America/New_York';
SET extra_float_digits = -5;
SET bytea_output = 'escape';
INSERT INTO typed VALUES ('Joe''s "X"', 'ab ', 'ab', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11',
                          '2026-03-04', '2026-03-04 05:06:07+00', 1.50, 0.1::float8 + 0.2, '\xff00', -3);
SHOW DateStyle;
RESET DateStyle;
RESET TimeZone;
RESET extra_float_digits;
RESET bytea_output;
SELECT i, m.* FROM generate_series(9010, 9021) AS i, marks(i) AS m ORDER BY i;

-- an expression runs with the rights of the segment table's owner
CREATE FUNCTION masked(int) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN RETURN current_user || $1; END $$;
ALTER FUNCTION masked(int) OWNER TO regress_capture_owner;
REVOKE EXECUTE ON FUNCTION masked(int) FROM PUBLIC;
CREATE TABLE secret (id int);
GRANT INSERT ON secret TO regress_capture_writer;
SELECT define(9030, 'text', 'secret', 'capture_test.masked(id)');
SET ROLE regress_capture_writer;
INSERT INTO secret VALUES (1), (2), (1);
SELECT current_user;
RESET ROLE;
SELECT * FROM marks(9030);
-- a function may change, and so may the owner
CREATE OR REPLACE FUNCTION masked(int) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'new' || $1 $$;
INSERT INTO secret VALUES (3);
SELECT * FROM marks(9030);
ALTER TABLE seg_9030 OWNER TO regress_capture_writer;
INSERT INTO secret VALUES (3);

-- an error in the midst leaves the session as it was
CREATE TABLE payload (id int, data jsonb);
SELECT define(9031, 'bigint', 'payload', '((data ->> ''id''::text))::bigint');
BEGIN;
INSERT INTO payload VALUES (1, '{"id": 8}');
SAVEPOINT s;
INSERT INTO payload VALUES (1, '{"id": "x"}');
ROLLBACK TO s;
SHOW search_path;
INSERT INTO payload VALUES (1, '{"id": 9}'), (2, '{}');
COMMIT;
SELECT * FROM marks(9031);

-- a source or a segment table that is gone has nothing to mark
DELETE FROM segment.config_source WHERE id = 9031;
ALTER TABLE payload ADD COLUMN x int;
INSERT INTO payload VALUES (1, '{"id": 10}');
DROP TABLE seg_9010;
INSERT INTO typed (t) VALUES ('gone');
SELECT * FROM marks(9021);

-- triggers of other shapes are refused; on other relations they do nothing
CREATE TABLE other (customer int);
CREATE TRIGGER x BEFORE INSERT ON other FOR EACH ROW EXECUTE FUNCTION segment.capture('9001');
INSERT INTO other VALUES (1);
DROP TRIGGER x ON other;
CREATE TRIGGER x AFTER INSERT ON other FOR EACH STATEMENT EXECUTE FUNCTION segment.capture('9001');
INSERT INTO other VALUES (1);
DROP TRIGGER x ON other;
CREATE TRIGGER x AFTER INSERT ON other REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION segment.capture('9001');
INSERT INTO other VALUES (1);
SELECT * FROM marks(9001);
SELECT segment.capture();

-- neither the logs nor the bookmark can be reached by others
SET ROLE regress_capture_writer;
SELECT * FROM segment.mark_log_0;
SELECT * FROM segment.bookmark;
RESET ROLE;

DELETE FROM segment.config_source WHERE id BETWEEN 9000 AND 9099;
DELETE FROM segment.config_table WHERE tbl::text LIKE '%seg_90%' OR tbl::oid NOT IN (SELECT oid FROM pg_class);
SET client_min_messages = warning;
DROP SCHEMA capture_test CASCADE;
DROP ROLE regress_capture_owner;
DROP ROLE regress_capture_writer;
