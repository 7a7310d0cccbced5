-- What definitions take and refuse: time zones, max_age, names; and plain DDL
-- on the tables they are about.
SET client_min_messages = warning;
CREATE ROLE regress_segment_limits_owner;
CREATE ROLE regress_segment_limits_reader;
CREATE SCHEMA limits;
GRANT USAGE, CREATE ON SCHEMA limits TO regress_segment_limits_owner;
GRANT USAGE ON SCHEMA limits TO regress_segment_limits_reader;
SET search_path = limits;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET segment.as_of = '2024-07-02 00:00:00+00';

-- Tries a statement, undoes it, and says what came of it.
CREATE FUNCTION try(statement text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE statement;
	RAISE EXCEPTION USING errcode = 'HO000';
EXCEPTION
	WHEN SQLSTATE 'HO000' THEN
		RETURN 'accepted';
	WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
		RETURN concat_ws(' -- ', SQLERRM, nullif(hint, ''));
END $$;

-- time zones: places, not abbreviations that mean something else in summer
SELECT zone, try(format('SELECT segment.create_table(''limits.zone'', ''k'', time_zone => %L)', zone))
FROM unnest('{UTC,GMT,Europe/Berlin,America/New_York,Etc/GMT-5,"",nosuch,Nosuch/Place}'::text[]) WITH ORDINALITY AS u (zone, n) ORDER BY n;
-- not every system has these
SELECT zone, answer
FROM unnest('{CET,EET,MET,WET}'::text[]) zone, try(format('SELECT segment.create_table(''limits.zone'', ''k'', time_zone => %L)', zone)) answer
WHERE answer <> format('time zone "%s" is also an abbreviation with another meaning -- Name a place, such as Europe/Brussels.', zone)
AND answer <> format('time zone "%s" not recognized -- See the view pg_timezone_names.', zone);
CREATE TABLE clock (customer int, at timestamp, day date);
SELECT segment.create_table('zone', 'customer', 'int', 'Europe/Brussels');
SELECT segment.add_source('zone', 'clock', key => 'customer', at => 'at');
SELECT segment.add_source('zone', 'clock', key => 'customer + 10', at => 'day');
SELECT segment.add_score('zone', 'last_at', 'max(at)');
INSERT INTO clock VALUES (1, '2024-07-01 12:00', '2024-07-01'), (2, '2024-01-01 12:00', '2024-01-01');
CALL segment.refresh('zone');
SELECT customer, last_at, last_at = local AT TIME ZONE 'Europe/Brussels' AS as_plain_sql
FROM zone JOIN (SELECT customer, at FROM clock UNION ALL SELECT customer + 10, day FROM clock) c (customer, local) USING (customer) ORDER BY 1;
SELECT * FROM segment.verify('zone');

-- max_age: positive whatever the month, and within reach
SELECT age, try(format('SELECT segment.set_max_age(''limits.zone'', %L)', age))
FROM unnest('{1 day,1 microsecond,1 mon 1 day 01:00,100 years,0,-1 day,1 mon -29 days,1 day -01:00,-1 mon 40 days,1000000 years,2000000000 days,101 years}'::text[]) WITH ORDINALITY AS u (age, n) ORDER BY n;
SELECT segment.add_score('zone', 'second', 'extract(second FROM now())');
SELECT segment.set_max_age('zone', '1 microsecond');
CALL segment.refresh('zone');
SELECT customer, second, valid_until FROM zone ORDER BY 1;
SELECT segment.set_max_age('zone', '100 years');
CALL segment.refresh('zone');
SELECT customer, second, valid_until FROM zone ORDER BY 1;
SELECT * FROM segment.verify('zone');
SELECT segment.drop_table('zone');

-- names that quote, and columns called like those of our own queries
CREATE TABLE "it's" ("k""'" int, "at\" timestamptz, "%s" int);
SELECT segment.create_table('"o''brien"', 'customer', 'int');
SELECT segment.add_source('"o''brien"', '"it''s"', key => '"k""''"', at => '"at\"', value => '"%s"');
SELECT segment.add_score('"o''brien"', 'it''s "so"', 'sum(value)');
SELECT segment.add_segment('"o''brien"', '%s''', '"it''s ""so""" > 1');
INSERT INTO "it's" VALUES (1, '2024-05-01', 1), (1, '2024-05-01', 1);
CALL segment.refresh('"o''brien"');
SELECT customer, "it's ""so""", "%s'" FROM "o'brien";
SELECT obj_description('"o''brien_events"'::regclass, 'pg_class') LIKE '%o''brien%' AS said;
SELECT customer, segment FROM "o'brien_history";
SELECT * FROM segment.verify('"o''brien"');
SELECT segment.drop_table('"o''brien"');
SELECT relname FROM pg_class WHERE relnamespace = 'limits'::regnamespace AND relname LIKE 'o''%';
CREATE TABLE event (k int, at timestamptz, v int);
CREATE TABLE person (id int PRIMARY KEY, plan text);
CREATE FUNCTION try_name(key text, score text) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
	tbl regclass := segment.create_table('limits.named', key, 'int');
	dirty bigint;
	result bigint;
BEGIN
	PERFORM segment.add_source(tbl, 'limits.event', key => 'k', at => 'at');
	PERFORM segment.add_score(tbl, score, 'count(*)');
	INSERT INTO limits.event VALUES (1, '2024-05-01'), (2, '2024-05-01');
	CALL segment.refresh(tbl);
	INSERT INTO limits.event VALUES (1, '2024-05-02');
	SELECT count(*) INTO dirty FROM segment.verify(tbl);
	CALL segment.refresh(tbl);
	EXECUTE format('SELECT sum(%I) FROM limits.named', score) INTO result;
	SELECT result + 100 * dirty + 1000 * count(*) INTO result FROM segment.verify(tbl);
	PERFORM segment.drop_table(tbl);
	TRUNCATE limits.event;
	RETURN result;
END $$;
SELECT name, try_name(name, 'n') AS as_key, try_name('id', name) AS as_score
FROM unnest('{k,u,t,w,none,stored,expected,problem,name,differs,whole,due}'::text[]) WITH ORDINALITY AS x (name, n) ORDER BY n;

-- a score over events that names the customer's key, beside attributes
SELECT segment.create_table('scored', 'k', 'int');
SELECT segment.add_source('scored', 'event', key => 'k', at => 'at', value => 'v');
SELECT segment.add_attributes('scored', 'person', key => 'id', columns => '{"plan": "plan"}');
SELECT try('SELECT segment.add_score(''limits.scored'', ''n'', ''count(*) + k'')');
SELECT segment.add_score('scored', 'n', 'count(*)');
INSERT INTO event VALUES (1, '2024-05-01', 1);
INSERT INTO person VALUES (1, 'pro'), (2, 'free');
CALL segment.refresh('scored');
SELECT k, plan, n FROM scored ORDER BY 1;

-- a segment table that moves to another schema stays whole
CREATE SCHEMA limits_moved;
ALTER TABLE scored SET SCHEMA limits_moved;
SELECT segment.add_source('limits_moved.scored', 'event', key => 'k + 10', at => 'at', value => 'v');
SELECT schemaname, viewname FROM pg_views WHERE viewname = 'scored_events';
CALL segment.refresh('limits_moved.scored');
SELECT k, plan, n FROM limits_moved.scored ORDER BY 1;
SELECT * FROM segment.verify('limits_moved.scored');
ALTER TABLE limits_moved.scored SET SCHEMA limits;
DROP SCHEMA limits_moved;

-- columns dropped by hand, where no event trigger says no: told, and mended by a definition
SET session_replication_role = replica;
ALTER TABLE person DROP COLUMN plan;
RESET session_replication_role;
SELECT try('CALL segment.rebuild(''limits.scored'')');
SELECT segment.drop_attributes('scored', 'person');
CALL segment.refresh('scored');
SET session_replication_role = replica;
ALTER TABLE scored DROP COLUMN n;
RESET session_replication_role;
SELECT split_part(try('CALL segment.rebuild(''limits.scored'')'), ' -- ', 1) AS error;
SELECT segment.drop_score('scored', 'n');
SELECT segment.add_score('scored', 'n', 'count(*)');
CALL segment.refresh('scored');
SELECT k, n FROM scored ORDER BY 1;
SELECT * FROM segment.verify('scored');
-- a source's key renamed: the definition follows, and no mark is lost
ALTER TABLE event RENAME k TO who;
INSERT INTO event VALUES (5, '2024-05-01', 1);
ALTER TABLE event RENAME who TO k;
CALL segment.refresh('scored');
SELECT k, n FROM scored ORDER BY 1;
SELECT * FROM segment.verify('scored');

-- a foreign key that is checked late
CREATE TABLE customer (id int PRIMARY KEY);
INSERT INTO customer VALUES (1), (5), (11), (15);
ALTER TABLE scored ADD FOREIGN KEY (k) REFERENCES customer DEFERRABLE INITIALLY DEFERRED;
INSERT INTO event VALUES (5, '2024-05-02', 1), (11, '2024-05-02', 1);
DELETE FROM event WHERE k = 1;
INSERT INTO customer VALUES (21);
CALL segment.refresh('scored');
SELECT k, n FROM scored ORDER BY 1;
\set VERBOSITY terse
INSERT INTO event VALUES (99, '2024-05-02', 1);
CALL segment.refresh('scored');
\set VERBOSITY default
INSERT INTO customer VALUES (99), (109);
CALL segment.refresh('scored');
CALL segment.rebuild('scored');
SELECT k, n FROM scored ORDER BY 1;
SELECT * FROM segment.verify('scored');

-- DROP TABLE forgets the segment table whole, whatever goes with it
CREATE FUNCTION left_over(oid) RETURNS TABLE (what text, n bigint)
LANGUAGE sql AS $$
	SELECT * FROM (SELECT 'table', count(*) FROM segment.config_table WHERE tbl = $1 UNION ALL SELECT 'column', count(*) FROM segment.config_column WHERE tbl = $1
		UNION ALL SELECT 'source', count(*) FROM segment.config_source WHERE tbl = $1 UNION ALL SELECT 'job', count(*) FROM segment.config_job WHERE tbl = $1
		UNION ALL SELECT 'work', count(*) FROM segment.work WHERE tbl = $1 UNION ALL SELECT 'state', count(*) FROM segment.table_state WHERE tbl = $1
		UNION ALL SELECT 'pending', count(*) FROM segment.pending WHERE tbl = $1 UNION ALL SELECT 'run', count(*) FROM segment.run WHERE tbl = $1
		UNION ALL SELECT 'job_state', count(*) FROM segment.job_state WHERE tbl = $1
		UNION ALL SELECT 'trigger', count(*) FROM pg_trigger WHERE tgrelid IN (SELECT c.oid FROM pg_class c WHERE relnamespace = 'limits'::regnamespace) AND tgname LIKE 'segment%') t
	WHERE count > 0
$$;
SELECT 'scored'::regclass::oid AS scored \gset
INSERT INTO event VALUES (7, '2025-01-01', 1), (5, '2024-05-02', 1);
SELECT what FROM left_over(:scored) ORDER BY 1;
DROP TABLE scored CASCADE;
SELECT * FROM left_over(:scored);
INSERT INTO event VALUES (8, '2024-05-01', 1);
SELECT relname FROM pg_class WHERE relnamespace = 'limits'::regnamespace AND relname LIKE 'scored%' AND relkind IN ('r', 'v') ORDER BY 1;
SELECT try('SELECT segment.create_table(''limits.scored'', ''k'')');
DROP TABLE scored_history;
SELECT try('SELECT segment.create_table(''limits.scored'', ''k'')');
DROP VIEW scored_events;
SELECT try('SELECT segment.create_table(''limits.scored'', ''k'')');
-- one command for the source and the segment table
CREATE SCHEMA limits_gone;
CREATE TABLE limits_gone.event (k int, at timestamptz);
SELECT segment.create_table('limits_gone.counted', 'k', 'int');
SELECT segment.add_source('limits_gone.counted', 'limits_gone.event', key => 'k', at => 'at');
SELECT segment.add_source('limits_gone.counted', 'event', key => 'k', at => 'at');
SELECT segment.add_score('limits_gone.counted', 'n', 'count(*)');
CALL segment.refresh('limits_gone.counted');
SELECT 'limits_gone.counted'::regclass::oid AS counted \gset
SET client_min_messages = error;
DROP SCHEMA limits_gone CASCADE;
SET client_min_messages = warning;
SELECT * FROM left_over(:counted);
INSERT INTO event VALUES (8, '2024-05-01', 1);

-- row level security hides rows from current() too
SET ROLE regress_segment_limits_owner;
CREATE TABLE visit (customer int, at timestamptz);
SELECT segment.create_table('limits.guarded', 'customer', 'int');
SELECT segment.add_source('limits.guarded', 'limits.visit', key => 'customer', at => 'at');
SELECT segment.add_score('limits.guarded', 'n', 'count(*)');
INSERT INTO visit VALUES (1, '2024-05-01'), (2, '2024-05-01');
CALL segment.refresh('limits.guarded');
GRANT SELECT ON guarded TO regress_segment_limits_reader;
SET ROLE regress_segment_limits_reader;
SELECT segment.current('limits.guarded', '2') ->> 'n' AS n;
SET ROLE regress_segment_limits_owner;
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY first_only ON guarded USING (customer = 1);
SET ROLE regress_segment_limits_reader;
SELECT customer, n FROM guarded;
SELECT segment.current('limits.guarded', '2');
SELECT segment.current('limits.guarded', '1');
SET ROLE regress_segment_limits_owner;
SELECT segment.current('limits.guarded', '2') ->> 'n' AS n;
INSERT INTO visit VALUES (2, '2024-05-02');
CALL segment.refresh('limits.guarded');
SELECT customer, n FROM guarded ORDER BY 1;
SELECT * FROM segment.verify('limits.guarded');
RESET ROLE;

SELECT segment.drop_table('guarded');

-- no more columns than PostgreSQL allows, and what to do then, since dropped ones count as well
SELECT segment.create_table('limits.full', 'customer', 'int');
CREATE TABLE kept (customer int, at timestamptz);
SELECT segment.add_source('limits.full', 'kept', key => 'customer', at => 'at');
DO $$
BEGIN
    EXECUTE (SELECT 'ALTER TABLE limits.full ' || string_agg(format('ADD COLUMN c%s int', n), ', ') FROM generate_series(4, 1600) n);
END $$;
SELECT segment.add_score('limits.full', 'n', 'count(*)');
SELECT segment.add_preset('limits.full', 'starter');
CREATE TABLE whole AS SELECT segment.definition('limits.full') AS definition;
SELECT segment.drop_table('limits.full');
SELECT action, kind FROM whole, segment.apply_definition(definition);
SELECT segment.add_score('limits.full', 'n', 'count(*)');
SELECT segment.drop_table('limits.full');
DROP SCHEMA limits CASCADE;
DROP ROLE regress_segment_limits_owner, regress_segment_limits_reader;
