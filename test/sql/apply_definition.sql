-- Definitions as documents: what segment.definition() gives makes the same
-- table again, and what differs is changed in place.
SET client_min_messages = warning;
CREATE SCHEMA apply;
CREATE SCHEMA "Apply Böhm";
SET search_path = apply;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET segment.as_of = '2024-01-10 00:00:00+00';
CREATE TABLE event (customer bigint, at timestamp, amount int, kind varchar(10));
CREATE TABLE visit (customer int, at timestamptz, page text);
CREATE TABLE person (id int PRIMARY KEY, country text, plan text, born date);
CREATE TABLE "Apply Böhm"."Kauf""er" ("Kunde" int, "Wann" date, "Größe" numeric);
INSERT INTO event SELECT n, timestamp '2024-01-01' + n * interval '1 day', n * 10, 'buy' FROM generate_series(1, 8) n;
INSERT INTO visit SELECT n, timestamptz '2024-01-05' + n * interval '1 hour', 'home' FROM generate_series(5, 12) n;
INSERT INTO person SELECT n, CASE WHEN n % 2 = 0 THEN 'BE' ELSE 'DE' END, 'free', '1990-01-10' FROM generate_series(1, 10) n;
INSERT INTO "Apply Böhm"."Kauf""er" VALUES (1, '2024-01-09', 3.5);

-- A definition without what it was exported with: the name of its table.
CREATE FUNCTION nameless(tbl regclass) RETURNS jsonb LANGUAGE sql RETURN segment.definition(tbl) - 'table';
-- What applying it does, without anything but that.
CREATE FUNCTION plan(tbl regclass, change jsonb) RETURNS TABLE (action text, kind text, name text)
LANGUAGE sql AS $$ SELECT action, kind, name FROM segment.apply_definition(segment.definition(tbl) || change, dry_run => true) $$;
-- All that a segment table consists of, with the transactions that wrote it.
CREATE FUNCTION fingerprint(tbl regclass) RETURNS text LANGUAGE sql AS $$
	SELECT md5(string_agg(line, E'\n' ORDER BY line)) FROM (
		SELECT concat('table ', xmin, t) FROM segment.config_table t WHERE t.tbl = $1
		UNION ALL SELECT concat('source ', xmin, s) FROM segment.config_source s WHERE s.tbl = $1
		UNION ALL SELECT concat('column ', xmin, c) FROM segment.config_column c WHERE c.tbl = $1
		UNION ALL SELECT concat('cut ', xmin, c) FROM segment.config_band_cut c WHERE c.tbl = $1
		UNION ALL SELECT concat('job ', xmin, j) FROM segment.config_job j WHERE j.tbl = $1
		UNION ALL SELECT concat('work ', w) FROM segment.work w WHERE w.tbl = $1
		UNION ALL SELECT concat('mark ', m) FROM (TABLE segment.mark_log_0 UNION ALL TABLE segment.mark_log_1) m WHERE m.tbl = $1
		UNION ALL SELECT concat('attribute ', a.attnum, a.attname, a.atttypid, a.attisdropped) FROM pg_attribute a WHERE a.attrelid = $1
		UNION ALL SELECT concat('trigger ', g.oid, g.tgenabled) FROM pg_trigger g JOIN pg_proc p ON p.oid = g.tgfoid
			WHERE p.proname = 'capture' AND g.tgrelid IN (SELECT relation FROM segment.config_source WHERE config_source.tbl = $1)) f(line)
$$;
-- Tries a definition, undoes it, and says what came of it.
CREATE FUNCTION try(definition jsonb) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	hint text; context text; n bigint;
BEGIN
	SELECT count(*) INTO n FROM segment.apply_definition(definition);
	RAISE EXCEPTION USING errcode = 'HO000';
EXCEPTION
	WHEN SQLSTATE 'HO000' THEN
		RETURN 'accepted: ' || n;
	WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
		RETURN concat_ws(' -- ', SQLSTATE || ' ' || SQLERRM, nullif(hint, ''), substring(context FROM '^(?:expression of|[^\n]* of the definition)[^\n]*'));
END $$;

-- a table of all kinds, which read each other across the kinds
SELECT segment.create_table('customers', 'customer', 'int', 'Europe/Brussels');
SELECT segment.add_source('customers', 'visit', key => 'customer', at => 'at', item => 'page');
SELECT segment.add_source('customers', '"Apply Böhm"."Kauf""er"', key => '"Kunde"', at => '"Wann"', value => '"Größe"', extra => '{"Größe \"x\"": "\"Größe\""}');
SELECT segment.add_attributes('customers', 'person', key => 'id', columns => '{"Land": "country", "born": "born"}');
SELECT segment.add_score('customers', 'total', 'sum(value)');
SELECT segment.add_score('customers', 'last_at', 'max(at) FILTER (WHERE event = ''visit'')');
SELECT segment.add_segment('customers', 'Belgian', '"Land" = ''BE''');
SELECT segment.add_score('customers', 'points', 'CASE WHEN "Belgian" THEN coalesce(total, 0) ELSE 1 END');
SELECT segment.add_band('customers', 'rank', 'points', 3, descending => true);
SELECT segment.add_group('customers', 'stage', 'to''p', 'rank = 1 AND last_at > now() - interval ''90 days''', 'rest', 'true');
SELECT segment.add_segment('customers', 'high', 'stage = ''to''''p''');
SELECT segment.alter_segment('customers', 'Belgian', '"Land" = ''BE'' AND born IS NOT NULL');
SELECT segment.set_eligible('customers', 'born IS NOT NULL OR total > 0');
SELECT segment.set_max_age('customers', '1 month 2 days 03:00');
CALL segment.refresh('customers');

-- round trip to another table: equal definitions, equal rows
SELECT * FROM segment.apply_definition(segment.definition('customers') || '{"table": "apply.\"Zweite Böhm\""}');
SELECT nameless('customers') = nameless('"Zweite Böhm"') AS equal;
CALL segment.refresh('"Zweite Böhm"');
SELECT count(*) AS rows FROM customers;
SELECT customer, total, last_at, "Land", born, "Belgian", points, rank, stage, high, valid_until FROM customers
EXCEPT SELECT customer, total, last_at, "Land", born, "Belgian", points, rank, stage, high, valid_until FROM "Zweite Böhm";
SELECT * FROM segment.verify('"Zweite Böhm"');
SELECT jsonb_pretty(nameless('customers'));

-- applying it again does nothing
CREATE TABLE before AS SELECT fingerprint('customers');
SELECT * FROM segment.apply_definition(segment.definition('customers'));
SELECT * FROM segment.apply_definition(segment.definition('customers'), dry_run => true);
SELECT * FROM segment.apply_definition(segment.definition('customers') - 'order' - 'key_type' - 'time_zone');
BEGIN;
SELECT * FROM segment.apply_definition(segment.definition('customers'));
SELECT DISTINCT mode FROM pg_locks WHERE relation IN ('customers'::regclass, 'customers_events'::regclass, 'visit'::regclass) AND pid = pg_backend_pid() ORDER BY 1;
ROLLBACK;
SELECT fingerprint('customers') = fingerprint AS untouched FROM before;

-- a mixed change: tried, then done
CREATE TABLE changed AS SELECT jsonb_set(jsonb_set(segment.definition('customers'), '{sources,0,value}', 'null'), '{segments,1,rule}', '"stage IS NOT NULL"')
	|| '{"attributes": [{"source": "apply.person", "key": "id", "columns": {"Land": "upper(country)", "plan": "plan"}}],
		 "scores": [{"name": "points", "expression": "CASE WHEN \"Belgian\" THEN 3 ELSE 1 END"},
					{"name": "last_at", "expression": "max(at)"}],
		 "segments": [{"name": "Belgian", "rule": "\"Land\" = ''BE''"}, {"name": "free", "rule": "plan = ''free'' AND rank = 2"}],
		 "groups": [{"name": "high", "labels": [{"label": "a", "rule": "points > 2"}]}],
		 "bands": [{"name": "rank", "score": "points"}],
		 "order": ["plan", "rank", "points", "last_at", "Land", "Belgian", "free", "high"],
		 "eligible": null, "max_age": "2 days", "schedule": "5 minutes",
		 "sources": [{"source": "visit", "key": "customer", "at": "at"}, {"source": "event", "key": "customer::int", "at": "at", "event": "kind", "value": "amount"}]}' AS definition;
CREATE VIEW reader AS SELECT customer, "Land", rank FROM customers;
-- whether the schedule runs on this server is of no interest here
SET client_min_messages = error;
CREATE TABLE tried AS SELECT * FROM changed, segment.apply_definition(definition, dry_run => true) WITH ORDINALITY;
SELECT fingerprint('customers') = fingerprint AS untouched FROM before;
SET segment.as_of = '2024-01-11 00:00:00+00';
CREATE TABLE done AS SELECT * FROM changed, segment.apply_definition(definition) WITH ORDINALITY;
SET client_min_messages = warning;
SELECT action, kind, name, before, after FROM done ORDER BY ordinality;
SELECT count(*) AS differing FROM tried FULL JOIN done USING (ordinality) WHERE (tried.action, tried.kind, tried.name, tried.before, tried.after) IS DISTINCT FROM (done.action, done.kind, done.name, done.before, done.after);
SELECT attnum, attname, atttypid::regtype FROM pg_attribute WHERE attrelid = 'customers'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY 1;
SELECT string_agg(name, ', ' ORDER BY position) FROM segment.config_column WHERE tbl = 'customers'::regclass;
SELECT tgrelid::regclass, count(*) FROM pg_trigger WHERE tgname LIKE 'segment%' AND tgrelid IN ('event'::regclass, 'visit'::regclass, '"Apply Böhm"."Kauf""er"'::regclass) GROUP BY 1 ORDER BY 1;
SELECT count(*) FILTER (WHERE left_at IS NULL) AS open, count(*) > 0 AS kept FROM customers_history WHERE segment = 'stage';
CALL segment.refresh('customers');
SELECT * FROM segment.verify('customers');
SELECT customer, plan, "Land", last_at, points, rank, high FROM customers ORDER BY 1;
SELECT * FROM changed, segment.apply_definition(definition);
SELECT segment.definition('customers') ->> 'order' AS "order", segment.definition('customers') ->> 'schedule' AS schedule;

-- single changes
SELECT * FROM plan('customers', '{"groups": []}');
SELECT * FROM plan('customers', '{"segments": [{"name": "Belgian", "rule": "free"}, {"name": "free", "rule": "plan = ''free''"}]}');
SELECT * FROM plan('customers', '{"attributes": [{"source": "person", "key": "id + 1", "columns": {"Land": "upper(country)", "plan": "length(plan)"}}], "segments": [{"name": "Belgian", "rule": "plan = 4"}]}');
SELECT action, kind, name FROM segment.apply_definition(jsonb_set(segment.definition('customers'), '{groups,0,labels,0,rule}', '"points > 1"'));
CALL segment.refresh('customers');
SELECT * FROM segment.verify('customers');
-- a schedule and an order alone
SELECT * FROM segment.apply_definition(segment.definition('customers') - 'schedule' || '{"order": ["high"]}');
SELECT * FROM segment.apply_definition(segment.definition('customers'));

SELECT count(*), to_regclass('nowhere') FROM segment.apply_definition(segment.definition('customers') || '{"table": "nowhere"}', dry_run => true);

-- a hand-written one, in no order
SELECT * FROM segment.apply_definition('{
	"table": "handmade", "key": "customer",
	"segments": [{"name": "c", "rule": "b = ''x''"}, {"name": "a", "rule": "n > 1"}],
	"groups": [{"name": "b", "labels": [{"label": "x", "rule": "d = 1 AND a"}]}],
	"bands": [{"name": "d", "score": "m", "bands": 2}],
	"scores": [{"name": "m", "expression": "handmade.n * 2"}, {"name": "n", "expression": "count(*)"}],
	"sources": [{"source": "visit", "key": "customer", "at": "at"}]}');
SELECT segment.definition('handmade') ->> 'order' AS "order";
CALL segment.refresh('handmade');
SELECT * FROM segment.verify('handmade');
SELECT string_agg(action, ',') FROM segment.apply_definition(segment.definition('handmade'));
-- dropped by hand, where no event trigger says no: made anew
ALTER TABLE handmade DROP COLUMN a;
SET session_replication_role = replica;
ALTER TABLE handmade DROP COLUMN a;
RESET session_replication_role;
SELECT action, kind, name FROM segment.apply_definition(segment.definition('handmade'));
CALL segment.refresh('handmade');
SELECT * FROM segment.verify('handmade');

-- what is refused
SELECT change, try(segment.definition('handmade') || change::jsonb)
FROM unnest(ARRAY[
	$${"tabel": "x"}$$,
	$${"table": "nosuch.x"}$$,
	$${"table": "event"}$$,
	$${"table": 1}$$,
	$${"table": null}$$,
	$${"key": "id"}$$,
	$${"key_type": "text"}$$,
	$${"time_zone": "Europe/Brussels"}$$,
	$${"max_age": "soon"}$$,
	$${"max_age": "-1 day"}$$,
	$${"schedule": "sometimes"}$$,
	$${"scores": {}}$$,
	$${"scores": [1]}$$,
	$${"scores": [{"name": "n"}]}$$,
	$${"scores": [{"name": "n", "expression": "count(*)"}, {"name": "m", "expression": 3}]}$$,
	$${"scores": [{"name": "", "expression": "count(*)"}]}$$,
	$${"scores": [{"name": "n", "expression": "count(*)", "type": "int"}]}$$,
	$${"scores": [{"name": "n", "expression": "count(*)"}]}$$,
	$${"scores": [{"name": "n", "expression": "n +"}]}$$,
	$${"scores": [{"name": "n", "expression": "count(*)"}, {"name": "a", "expression": "1"}]}$$,
	$${"segments": [{"name": "a", "rule": "c"}, {"name": "c", "rule": "b = 'x'"}]}$$,
	$${"segments": [{"name": "a", "rule": "n > 1"}, {"name": "c", "rule": "nosuch"}]}$$,
	$${"segments": [{"name": "refreshed_at", "rule": "n > 1"}, {"name": "a", "rule": "true"}]}$$,
	$${"groups": [{"name": "b", "labels": [{"label": "x", "rule": "a"}, {"label": "x", "rule": "a"}]}]}$$,
	$${"groups": [{"name": "b", "labels": []}]}$$,
	$${"groups": [{"name": "b", "labels": [{"label": "x"}]}]}$$,
	$${"bands": [{"name": "d", "score": "m", "bands": 2.5}]}$$,
	$${"bands": [{"name": "d", "score": "m", "bands": 1}]}$$,
	$${"bands": [{"name": "d", "score": "nosuch"}]}$$,
	$${"bands": [{"name": "d", "score": "m", "descending": "yes"}]}$$,
	$${"bands": []}$$,
	$${"sources": [{"source": "visit", "key": "customer"}]}$$,
	$${"sources": [{"source": "nosuch", "key": "customer", "at": "at"}]}$$,
	$${"sources": [{"source": "visit", "key": "custom", "at": "at"}]}$$,
	$${"sources": [{"source": "visit", "key": "customer", "at": "at"}, {"source": "visit", "key": "customer", "at": "at"}]}$$,
	$${"attributes": [{"source": "person", "key": "id"}]}$$,
	$${"attributes": [{"source": "person", "key": "id", "columns": {"x": 1}}]}$$,
	$${"attributes": [{"source": "person", "key": "id", "columns": {"a": "plan"}}]}$$,
	$${"order": ["z", "a"]}$$,
	$${"order": ["a", "a"]}$$,
	$${"order": "a"}$$,
	$${"eligible": "d = 1"}$$,
	$${"eligible": "count(*) > 1"}$$,
	$${"eligible": true}$$,
	$${}$$]) WITH ORDINALITY u (change, n) ORDER BY n;
SELECT try('[]'), try('1'), try('{}'), try('{"table": "handmade"}'), try(NULL);
-- an error while it is tried undoes no more than itself
SELECT * FROM segment.apply_definition(segment.definition('handmade') || '{"bands": []}', dry_run => true);
BEGIN;
SELECT segment.add_score('handmade', 'extra', 'n + 1');
SELECT action, kind, name FROM segment.apply_definition(segment.definition('handmade') || '{"segments": [], "groups": []}', dry_run => true);
SELECT count(*) FROM segment.scores WHERE tbl = 'handmade'::regclass;
ROLLBACK;

-- cut points between values of a score that is another now are out of force, though what is between stays as it is
SELECT segment.add_score('handmade', 'figure', 'n');
SELECT segment.add_score('handmade', 'digits', 'length(figure::text)');
SELECT segment.add_band('handmade', 'size', 'digits', 2);
CALL segment.refresh('handmade');
SELECT version, cuts FROM segment.bands WHERE tbl = 'handmade'::regclass AND name = 'size';
SELECT action, kind, name FROM segment.apply_definition(replace(segment.definition('handmade')::text,
	'{"name": "figure", "expression": "n"}', '{"name": "figure", "expression": "n * 100.0"}')::jsonb);
SELECT version, cuts FROM segment.bands WHERE tbl = 'handmade'::regclass AND name = 'size';
CALL segment.refresh('handmade');
SELECT version, cuts FROM segment.bands WHERE tbl = 'handmade'::regclass AND name = 'size';
SELECT * FROM segment.verify('handmade');

-- only the owner
CREATE ROLE regress_segment_apply;
GRANT USAGE ON SCHEMA apply TO regress_segment_apply;
CREATE TABLE handed AS SELECT segment.definition('handmade') AS definition;
GRANT SELECT ON handed TO regress_segment_apply;
SET ROLE regress_segment_apply;
SELECT try(definition), try(definition || '{"table": "apply.other"}') FROM handed;
RESET ROLE;
GRANT CREATE ON SCHEMA apply TO regress_segment_apply;
SET ROLE regress_segment_apply;
SELECT try(definition || '{"table": "apply.other"}') FROM handed;
RESET ROLE;
GRANT SELECT, TRIGGER ON visit TO regress_segment_apply;
SET ROLE regress_segment_apply;
SELECT action, kind, name FROM handed, segment.apply_definition(definition || '{"table": "apply.other"}');
CALL segment.refresh('apply.other');
SELECT * FROM segment.verify('apply.other');
RESET ROLE;
-- a zone however it is spelled
SELECT segment.create_table('spelled', 'id', time_zone => 'europe/berlin');
SELECT time_zone FROM segment.tables WHERE tbl = 'spelled'::regclass;
SELECT * FROM segment.apply_definition(segment.definition('spelled') || '{"time_zone": "EUROPE/Berlin"}');
-- what moves in ways unknown stands where the source has its key
CREATE TABLE placed (a int, b int, c int, id int, at timestamptz);
SELECT segment.add_source('spelled', 'placed', key => 'id', at => 'at');
SELECT segment.add_score('spelled', 'clock', 'to_char(now(), ''HH24'')::int + count(*)');
SELECT attnum FROM pg_attribute WHERE attrelid = 'spelled'::regclass AND attname = 'clock';
SELECT * FROM segment.apply_definition(segment.definition('spelled'));
SELECT segment.drop_source('spelled', 'placed');
SELECT segment.add_source('spelled', 'placed', key => 'id', at => 'at');
SELECT segment.drop_table('spelled');
SELECT segment.drop_table('other'), segment.drop_table('handmade'), segment.drop_table('"Zweite Böhm"');
DROP VIEW reader;
SELECT segment.drop_table('customers');
DROP SCHEMA apply, "Apply Böhm" CASCADE;
DROP ROLE regress_segment_apply;
