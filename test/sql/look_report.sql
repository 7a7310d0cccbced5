-- The views that a dashboard reads: what the functions say, of the tables that the reader may read.
SET client_min_messages = warning;
CREATE SCHEMA "Re ""port";
SET search_path = "Re ""port";
SET timezone = 'America/New_York';
SET datestyle = 'ISO';
CREATE TABLE event (customer int, at timestamptz, amount int);
SELECT segment.create_table('"Tab"', 'customer', 'int', 'Europe/Berlin');
SELECT segment.add_source('"Tab"', 'event', key => 'customer', at => 'at', value => 'amount');
SELECT segment.add_score('"Tab"', 'n30', 'count(*) FILTER (WHERE at > now() - interval ''30 days'')');
SELECT segment.add_score('"Tab"', 'spent', 'sum(value)');
SELECT segment.add_segment('"Tab"', 'active', 'n30 > 0');
SELECT segment.add_segment('"Tab"', 'it''s "heavy', 'n30 >= 3');
SELECT segment.add_group('"Tab"', 'tier', 'gold', 'spent >= 30', 'silver', 'spent >= 10');
INSERT INTO event SELECT c, timestamptz '2024-01-01 12:00+00' + (c * c * 17 + i * i * 31) % 150 * interval '1 day', c % 7
FROM generate_series(1, 40) c, generate_series(1, 6) i;
SELECT tbl, state, as_of, seconds_behind FROM segment.freshness;
DO $$
BEGIN
	FOR i IN 0 .. 20 LOOP
		PERFORM set_config('segment.as_of', (timestamptz '2024-01-31 12:00+00' + i * interval '5 days 7 hours')::text, false);
		CALL segment.refresh('"Re ""port"."Tab"');
	END LOOP;
END $$;
SELECT segment.now();

-- the same as the functions
SELECT a, b, shared, jaccard FROM segment.overlap WHERE tbl = '"Tab"'::regclass EXCEPT ALL SELECT a, b, shared, jaccard FROM segment.overlap('"Tab"');
SELECT count(*), count(*) FILTER (WHERE tbl = '"Tab"'::regclass) FROM segment.overlap;
SELECT since, segment, source, target, count FROM segment.flow WHERE tbl = '"Tab"'::regclass;
SELECT count(*) FROM segment.flow v FULL JOIN segment.flow('"Tab"', '2024-04-16 07:00+00') f
	ON v.segment = f.segment AND v.source = coalesce(f."from", '(none)') AND v.target = coalesce(f."to", '(none)') WHERE v.count IS DISTINCT FROM f.customers;

-- ninety days, those of Berlin, one of which had 23 hours; at the end of each
SELECT segment, label, count(*), count(DISTINCT day), min(day), max(day), sum(members) FROM segment.sizes_over_time WHERE tbl = '"Tab"'::regclass GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*), count(*) FILTER (WHERE v.members <> (SELECT count(*) FROM "Tab_history" h WHERE h.segment = v.segment AND h.label IS NOT DISTINCT FROM v.label
	AND h.entered_at <= least(segment.now(), (v.day + 1)::timestamp AT TIME ZONE 'Europe/Berlin') AND (h.left_at > least(segment.now(), (v.day + 1)::timestamp AT TIME ZONE 'Europe/Berlin')) IS NOT false)) AS wrong
FROM segment.sizes_over_time v;
SELECT v.segment, v.label, v.members, s.members FROM segment.sizes_over_time v JOIN segment.sizes s ON s.tbl = v.tbl AND s.segment = v.segment AND s.label IS NOT DISTINCT FROM v.label
WHERE day = '2024-05-16' ORDER BY 1, 2;
-- just before and at midnight in Berlin
SET segment.as_of = '2024-05-17 21:59:59.999999+00';
SELECT min(day), max(day) FROM segment.sizes_over_time;
SET segment.as_of = '2024-05-17 22:00:00+00';
SELECT min(day), max(day) FROM segment.sizes_over_time;

-- where a day has no midnight, ninety days ago
SELECT segment.create_table('cairo', 'customer', 'int', 'Africa/Cairo');
SELECT segment.add_segment('cairo', 's', 'true');
SET segment.as_of = '2024-07-23 12:00:00+00';
SELECT count(*), min(day), max(day) FROM segment.sizes_over_time WHERE tbl = 'cairo'::regclass;
SELECT count(*) FROM segment.sizes_over_time('cairo', '1 day', '2024-04-26 00:00 Africa/Cairo', '2024-07-24 00:00 Africa/Cairo');
SET segment.as_of = '2024-07-22 12:00:00+00';
SELECT count(*), min(day), max(day) FROM segment.sizes_over_time WHERE tbl = 'cairo'::regclass;
SELECT segment.drop_table('cairo');

-- as fresh as it is
SET segment.as_of = '2024-05-16 20:00:00+00';
SELECT tbl, state, as_of, seconds_behind > 0 AS late, backlog, set_aside, schedule, failures FROM segment.freshness;
CALL segment.refresh('"Tab"');
INSERT INTO event VALUES (7, '2024-05-16', 1), (8, '2024-05-16', 1);
SELECT state, seconds_behind >= 0 AS late, backlog FROM segment.freshness;
CALL segment.refresh('"Tab"');
SELECT state, seconds_behind, backlog FROM segment.freshness;
-- time alone
SELECT next_due > segment.now() AS due, next_due AS as_of FROM segment.status \gset
SET segment.as_of = :'as_of';
SELECT state, seconds_behind > 0 AS late FROM segment.freshness;
CALL segment.refresh('"Tab"');
SELECT state, seconds_behind FROM segment.freshness;
-- a new column, and a truncated source
SELECT segment.add_segment('"Tab"', 'late', 'n30 = 0');
SELECT state FROM segment.freshness;
CALL segment.refresh('"Tab"');
SELECT state FROM segment.freshness;
BEGIN;
TRUNCATE event;
SELECT state, seconds_behind >= 0 AS late FROM segment.freshness;
ROLLBACK;
-- a job that fails, as the worker would have noted it
SET client_min_messages = error;    -- whether schedules run depends on the server
SELECT segment.schedule('"Tab"', '5 minutes');
SET client_min_messages = warning;
BEGIN;
INSERT INTO segment.job_state (tbl, failures, error) VALUES ('"Tab"'::regclass, 3, 'boom') ON CONFLICT (tbl) DO UPDATE SET failures = 3;
SELECT state, schedule, failures FROM segment.freshness;
ROLLBACK;
SELECT state, schedule, failures FROM segment.freshness;

-- who reads what: the history is asked for where the history is read
CREATE ROLE regress_segment_dashboard;
CREATE FUNCTION seen() RETURNS TABLE (sizes bigint, overlap bigint, sizes_over_time bigint, flow bigint, freshness bigint)
LANGUAGE sql AS $$
	SELECT (SELECT count(DISTINCT tbl) FROM segment.sizes), (SELECT count(DISTINCT tbl) FROM segment.overlap), (SELECT count(DISTINCT tbl) FROM segment.sizes_over_time),
		(SELECT count(DISTINCT tbl) FROM segment.flow), (SELECT count(*) FROM segment.freshness)
$$;
SELECT segment.create_table('other', 'customer', 'int');
SELECT segment.add_segment('other', 'x', 'customer > 1');
SELECT segment.add_segment('other', 'y', 'customer > 2');
GRANT USAGE ON SCHEMA "Re ""port" TO regress_segment_dashboard;
SET ROLE regress_segment_dashboard;
SELECT * FROM seen();
RESET ROLE;
GRANT SELECT ON "Tab" TO regress_segment_dashboard;
SET ROLE regress_segment_dashboard;
SELECT * FROM seen();
SELECT count(*) FROM segment.flow WHERE tbl = '"Tab"'::regclass;
RESET ROLE;
GRANT SELECT ON "Tab_history" TO regress_segment_dashboard;
SET ROLE regress_segment_dashboard;
SELECT * FROM seen();
SET default_transaction_read_only = on;
SELECT * FROM seen();
RESET default_transaction_read_only;
RESET ROLE;
-- the history alone
REVOKE SELECT ON "Tab" FROM regress_segment_dashboard;
SET ROLE regress_segment_dashboard;
SELECT * FROM seen();
RESET ROLE;
GRANT SELECT ON "Tab" TO regress_segment_dashboard;
ALTER TABLE "Tab_history" ENABLE ROW LEVEL SECURITY;
SET ROLE regress_segment_dashboard;
SELECT * FROM seen();
RESET ROLE;
ALTER TABLE "Tab_history" DISABLE ROW LEVEL SECURITY;
ALTER TABLE "Tab" ENABLE ROW LEVEL SECURITY;
SET ROLE regress_segment_dashboard;
SELECT * FROM seen();
RESET ROLE;
ALTER TABLE "Tab" DISABLE ROW LEVEL SECURITY;

-- numbers without customers: what the owner stores, others may read
CREATE MATERIALIZED VIEW numbers AS SELECT tbl, day, segment, label, members FROM segment.sizes_over_time WHERE tbl = '"Tab"'::regclass;
REVOKE SELECT ON "Tab", "Tab_history" FROM regress_segment_dashboard;
GRANT SELECT ON numbers TO regress_segment_dashboard;
REFRESH MATERIALIZED VIEW numbers;
SET ROLE regress_segment_dashboard;
SELECT * FROM seen();
SELECT tbl, segment, members FROM numbers WHERE day = (SELECT max(day) FROM numbers) AND label IS NULL ORDER BY 2;
RESET ROLE;
DROP MATERIALIZED VIEW numbers;

SELECT segment.drop_table('other');
SELECT segment.drop_table('"Tab"');
DROP SCHEMA "Re ""port" CASCADE;
DROP ROLE regress_segment_dashboard;
