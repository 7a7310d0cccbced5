-- What waits for a refresh: counted, and bounded.
CREATE SCHEMA backlog;
SET search_path = backlog;
SET client_min_messages = warning;
SET timezone = 'UTC';
SET segment.as_of = '2024-06-01 00:00:00+00';
CREATE TABLE purchase (customer int, at timestamptz DEFAULT '2024-05-20 00:00:00+00');
CREATE TABLE login (customer int, at timestamptz DEFAULT '2024-05-20 00:00:00+00');
DO $$
BEGIN
	PERFORM segment.create_table('customers', 'customer', 'int');
	PERFORM segment.add_source('customers', 'purchase', 'customer', 'at');
	PERFORM segment.add_score('customers', 'n', 'count(*)');
	PERFORM segment.create_table('visitors', 'customer', 'int');
	PERFORM segment.add_source('visitors', 'login', 'customer', 'at');
	PERFORM segment.add_score('visitors', 'n', 'count(*)');
END $$;
CALL segment.refresh('customers');
CALL segment.refresh('visitors');

CREATE VIEW waiting AS SELECT tbl, backlog, needs_rebuild, oldest_mark <= clock_timestamp() AS marked, lag > '0' AS lags
FROM segment.status ORDER BY tbl::text;
CREATE VIEW stands AS SELECT tbl::regclass, whole, count(*) FROM segment.work GROUP BY 1, 2 ORDER BY 1, 2;

-- in the logs, in work, or in both: each customer once
INSERT INTO purchase SELECT i FROM generate_series(1, 10) i;
INSERT INTO purchase SELECT i FROM generate_series(1, 5) i;
TABLE waiting;
CALL segment.refresh('visitors');
INSERT INTO purchase SELECT i FROM generate_series(8, 12) i;
TABLE waiting;
CALL segment.refresh('visitors');
TABLE waiting;
TABLE stands;

-- past the limit everybody takes the place of the keys, and of those that come after
SET segment.backlog_limit = 15;
INSERT INTO purchase SELECT i FROM generate_series(1, 15) i;
CALL segment.refresh('visitors');
TABLE stands;
INSERT INTO purchase VALUES (16);
CALL segment.refresh('visitors');
TABLE stands;
TABLE waiting;
INSERT INTO purchase VALUES (17);
CALL segment.refresh('visitors');
INSERT INTO login VALUES (1);
CALL segment.refresh('visitors');
TABLE stands;
-- others are not concerned
SELECT kind, processed FROM segment.runs WHERE tbl = 'visitors'::regclass ORDER BY id DESC LIMIT 1;
CALL segment.refresh('customers');
TABLE stands;
TABLE waiting;
SELECT count(*), sum(n) FROM customers;
SELECT * FROM segment.verify('customers');
-- then one by one again
INSERT INTO purchase VALUES (18), (19);
CALL segment.refresh('visitors');
TABLE stands;
CALL segment.refresh('customers');
SELECT * FROM segment.verify('customers');
RESET segment.backlog_limit;

-- first come, first served, whatever the key
SET segment.batch_size = 2;
CREATE TABLE batch (at timestamptz DEFAULT clock_timestamp(), keys int[]);
CREATE FUNCTION note_batch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO backlog.batch (keys) SELECT array_agg(customer ORDER BY customer) FROM new_rows;
	RETURN NULL;
END $$;
CREATE TRIGGER note AFTER UPDATE ON customers REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION note_batch();
INSERT INTO purchase VALUES (9), (8);
CALL segment.refresh('visitors');
INSERT INTO purchase VALUES (2), (1), (9);
CALL segment.refresh('visitors');
INSERT INTO purchase VALUES (5);
CALL segment.refresh('customers');
SELECT keys FROM batch ORDER BY at;
SELECT * FROM segment.verify('customers');
DROP TABLE batch CASCADE;
DROP TRIGGER note ON customers;
RESET segment.batch_size;

-- each key is looked for by itself in what waits, however many there are
SELECT pg_stat_force_next_flush();
SELECT sum(idx_blks_hit + idx_blks_read) AS before FROM pg_statio_all_indexes WHERE schemaname = 'segment' AND relname = 'work' \gset
INSERT INTO purchase SELECT i FROM generate_series(1, 9000) i;
CALL segment.refresh('visitors');
SELECT pg_stat_force_next_flush();
SELECT (sum(idx_blks_hit + idx_blks_read) - :before) / 9000 < 16 AS few FROM pg_statio_all_indexes WHERE schemaname = 'segment' AND relname = 'work';
TABLE stands;
CALL segment.refresh('customers');

-- the logs
SELECT log, bytes >= 0 AS size, held_by, prepared, held_since FROM segment.logs ORDER BY log;
SELECT count(*) FROM segment.logs WHERE active;
BEGIN;
INSERT INTO purchase VALUES (1);
SELECT count(*) FROM segment.logs WHERE bytes > 0 AND active;
ROLLBACK;

-- where what is not collected begins
SELECT segment.mark_place('{}', pg_current_snapshot(), 0), segment.mark_place('{1,2,3}', pg_current_snapshot(), 1),
	segment.mark_place(NULL, pg_current_snapshot(), 1);
SELECT segment.mark_place('{}', pg_current_snapshot(), 2);

-- a cursor over the logs keeps them as they are, and the refresh goes on
SET segment.log_rotation_size = '8kB';
INSERT INTO purchase SELECT i FROM generate_series(1, 5000) i;
CALL segment.refresh('customers');
DO $$
DECLARE r record;
BEGIN
	FOR r IN SELECT tbl FROM segment.status ORDER BY tbl::text LOOP
		INSERT INTO backlog.purchase SELECT i FROM generate_series(1, 5000) i;
		CALL segment.refresh(r.tbl);
	END LOOP;
END $$;
CALL segment.refresh('customers');
CALL segment.refresh('customers');
SELECT max(bytes) <= 65536 AS small FROM segment.logs WHERE NOT active;
SELECT * FROM segment.verify('customers');
SELECT count(*) FROM segment.verify('visitors');

DO $$ BEGIN PERFORM segment.drop_table('customers'); PERFORM segment.drop_table('visitors'); END $$;
DROP SCHEMA backlog CASCADE;
