-- Each finding of the view health appears, and vanishes when it is mended.  In
-- the past that the clock is set to everything is stale: that stands below.
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE SCHEMA "He alth";
SET search_path = "He alth";
SET timezone = 'UTC';
SET segment.as_of = '2024-06-01 00:00:00+00';
CREATE FUNCTION look() RETURNS TABLE (finding text, subject text, detail text) LANGUAGE sql SET search_path = "He alth" AS $$
	SELECT finding, subject, regexp_replace(detail, 'rebuild of .*', 'rebuild of …') FROM segment.health WHERE finding <> 'stale' ORDER BY tbl::text, finding, subject, detail
$$;
CREATE TABLE event (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer int, at timestamptz, kind text DEFAULT 'buy', amount int, item text);
SELECT segment.create_table('tab', 'customer', 'int');
SELECT finding, subject, detail, advice FROM segment.health ORDER BY 1;
CALL segment.refresh('tab');
SELECT * FROM look();
SELECT segment.add_source('tab', 'event', key => 'customer', at => 'at', event => 'kind', value => 'amount', item => 'item');
CALL segment.refresh('tab');
SELECT * FROM look();
CREATE INDEX ON event (at, customer);
CREATE INDEX part ON event (customer) WHERE amount > 0;
SELECT * FROM look();
DROP INDEX part;
CREATE INDEX ON event (customer, at);
INSERT INTO event (customer, at, amount) SELECT c, timestamptz '2024-05-30 12:00+00' - i * interval '3 days', c FROM generate_series(1, 200) c, generate_series(1, 3) i;
SELECT segment.add_score('tab', 'n', 'count(*)');
SELECT segment.add_score('tab', 'total', 'sum(value)');
SELECT segment.add_score('tab', 'last', 'max(at)');
SELECT segment.add_segment('tab', 'half', 'total > 300');
CALL segment.refresh('tab');
SELECT * FROM look();

-- empty, too small
SELECT segment.add_segment('tab', 'nobody', 'total < 0');
SELECT segment.add_segment('tab', 'one', 'total = 3');
SELECT segment.add_group('tab', 'g', 'some', 'total > 300', 'none', 'total < 0', 'few', 'total < 10', 'most', 'true');
-- of what is not computed yet nothing is said
SELECT finding, subject, detail, advice FROM segment.health WHERE finding <> 'stale';
CALL segment.refresh('tab');
SELECT finding, subject, detail, advice FROM segment.health ORDER BY 1, 2;
SET segment.health_min_share = 0.02;
SELECT * FROM look();
SET segment.health_min_share = 0;
SELECT * FROM look();
RESET segment.health_min_share;
SELECT segment.drop_segment('tab', 'nobody'), segment.drop_segment('tab', 'one'), segment.drop_group('tab', 'g');
SELECT * FROM look();

-- nearly identical
SELECT segment.add_segment('tab', 'half too', 'total > 303');
CALL segment.refresh('tab');
SELECT * FROM look();
SET segment.health_similarity = 0.995;
SELECT * FROM look();
RESET segment.health_similarity;
SELECT segment.alter_segment('tab', 'half too', 'total > 400');
CALL segment.refresh('tab');
SELECT * FROM look();

-- band drift, by ties and by new scores
SELECT segment.add_band('tab', 'quarter', 'total', 4);
SELECT segment.add_band('tab', 'tied', 'n', 2);
CALL segment.refresh('tab');
SELECT * FROM look();
SELECT segment.drop_band('tab', 'tied');
UPDATE event SET amount = amount + 190 WHERE customer < 120;
CALL segment.refresh('tab');
SELECT finding, subject, detail FROM look() WHERE finding = 'band_drift';
SET segment.health_band_drift = 1000;
SELECT finding FROM look() WHERE finding = 'band_drift';
RESET segment.health_band_drift;
SELECT segment.recut('tab', 'quarter');
SELECT finding FROM look() WHERE finding = 'band_drift';
-- a segment that names a band is meant to be the same
SELECT segment.add_segment('tab', 'best', 'quarter = 4');
CALL segment.refresh('tab');
SELECT * FROM look() WHERE subject LIKE '%best%';
SELECT segment.drop_segment('tab', 'best');
SELECT segment.drop_band('tab', 'quarter');
SELECT segment.drop_segment('tab', 'half too'), segment.drop_segment('tab', 'half');
SELECT * FROM look();

-- nobody has left since long
SELECT segment.add_segment('tab', 'ever', 'n > 0');
SELECT segment.add_segment('tab', 'lately', 'last > now() - interval ''100 days''');
SELECT segment.add_group('tab', 'g', 'many', 'n > 5', 'few', 'true');
CALL segment.refresh('tab');
SET segment.health_similarity = 1;
UPDATE event SET at = timestamptz '2024-01-01 00:00+00' + id * interval '1 hour' WHERE customer = 1;
CALL segment.refresh('tab');
SET segment.as_of = '2024-08-29 00:00:00+00';
INSERT INTO event (customer, at, amount) SELECT c, '2024-08-28', c FROM generate_series(2, 200) c;
CALL segment.refresh('tab');
SELECT * FROM look() WHERE finding = 'never_left';
SET segment.as_of = '2024-08-31 00:00:00+00';
SELECT finding, subject, detail, advice FROM segment.health WHERE finding = 'never_left' ORDER BY subject;
DELETE FROM event WHERE customer = 2;
INSERT INTO event (customer, at) SELECT 3, timestamptz '2024-08-28 00:00+00' - i * interval '1 hour' FROM generate_series(1, 4) i;
CALL segment.refresh('tab');
SELECT * FROM look() WHERE finding = 'never_left';
SET segment.health_stay = '1d';
SELECT * FROM look() WHERE finding = 'never_left';
SET segment.as_of = '2024-09-02 00:00:00+00';
SELECT subject FROM look() WHERE finding = 'never_left';
SELECT segment.drop_group('tab', 'g'), segment.drop_segment('tab', 'lately'), segment.drop_segment('tab', 'ever');
RESET segment.health_stay;
RESET segment.health_similarity;

-- sources: quiet, of the future, without key or time, twice; a table without an index on the time
SELECT * FROM look();
SET segment.as_of = '2024-09-06 00:00:00+00';
SELECT * FROM look();
SET segment.health_quiet = '30d';
SELECT * FROM look();
RESET segment.health_quiet;
INSERT INTO event (customer, at) VALUES (4, '2024-09-05 23:00+00'), (5, '2025-01-01 00:00+00');
SELECT * FROM look();
DELETE FROM event WHERE at > '2024-12-01';
INSERT INTO event (customer, at) VALUES (NULL, '2024-09-05 22:00+00'), (NULL, '2024-09-05 22:00+00'), (6, NULL);
SELECT * FROM look();
CALL segment.rebuild('tab');
SELECT * FROM look();
DELETE FROM event WHERE customer IS NULL OR at IS NULL;
SELECT * FROM look();
CALL segment.rebuild('tab');
SELECT * FROM look();
SELECT max(id) AS latest FROM event \gset
INSERT INTO event (customer, at, kind, amount, item) SELECT customer, at, kind, amount, item FROM event WHERE customer BETWEEN 10 AND 12 AND amount IS NOT NULL;
SELECT * FROM look();
DELETE FROM event WHERE id > :latest;
SELECT * FROM look();
CALL segment.refresh('tab');

-- three customers can not be in five bands evenly; six who are in one are not
CREATE TABLE dear (customer int, at timestamptz, price int);
CREATE INDEX ON dear (customer);
INSERT INTO dear SELECT i, '2024-09-05', i FROM generate_series(1, 3) i;
SELECT segment.create_table('three', 'customer', 'int');
SELECT segment.add_source('three', 'dear', key => 'customer', at => 'at', value => 'price');
SELECT segment.add_score('three', 'paid', 'sum(value)');
SELECT segment.add_band('three', 'fifth', 'paid', 5);
CALL segment.refresh('three');
SELECT * FROM look();
INSERT INTO dear SELECT i, '2024-09-05', 3 FROM generate_series(4, 9) i;
CALL segment.refresh('three');
SELECT * FROM look();
SELECT segment.drop_table('three');

-- lines of an order at one time: extra columns tell them apart
CREATE TABLE line (customer int, at date, no int);
CREATE INDEX ON line (customer);
INSERT INTO line SELECT 1, '2024-09-05', i FROM generate_series(1, 3) i;
SELECT segment.add_source('tab', 'line', key => 'customer', at => 'at', extra => '{"no": "no"}');
CALL segment.refresh('tab');
SELECT * FROM look();
INSERT INTO line VALUES (1, '2024-09-05', 3);
SELECT * FROM look();
SELECT segment.drop_source('tab', 'line');

-- large tables: a sample of their blocks; all of them if asked for
CREATE TABLE page (customer int, at timestamp, fill text DEFAULT repeat('x', 3500)) WITH (autovacuum_enabled = off);
ALTER TABLE page ALTER COLUMN fill SET STORAGE PLAIN;
INSERT INTO page (customer, at) SELECT i % 50, '2024-09-05' FROM generate_series(1, 3000) i;
SELECT segment.add_source('tab', 'page', key => 'customer', at => 'at');
CALL segment.refresh('tab');
SELECT finding, subject, detail ~ '^[0-9]+ of [0-9]+ events looked at are there before' AS detail FROM look();
UPDATE page SET at = at - random() * interval '4 days';
CREATE INDEX ON page (customer);
CALL segment.refresh('tab');
SELECT * FROM look();
INSERT INTO page SELECT customer, at FROM page WHERE customer = 7;
CALL segment.refresh('tab');
-- whose events are looked through, the sample says
SELECT finding, subject, detail ~ '^60 of [0-9]+ events' AS detail FROM segment.check_health('tab');
SELECT finding, subject FROM segment.check_health('tab', NULL);
SELECT segment.drop_source('tab', 'page');
CALL segment.refresh('tab');
-- a partitioned table, and one whose key is an expression
CREATE TABLE parted (mail varchar(40), at timestamptz) PARTITION BY RANGE (at);
CREATE TABLE part_1 PARTITION OF parted FOR VALUES FROM ('2024-01-01') TO ('2024-09-01');
CREATE TABLE part_2 PARTITION OF parted FOR VALUES FROM ('2024-09-01') TO ('2025-01-01');
CREATE INDEX ON part_1 (lower(mail::text));
INSERT INTO parted VALUES ('1', '2024-08-01'), ('2', '2024-09-05');
SELECT segment.create_table('mail', 'email', 'text');
SELECT segment.add_source('mail', 'parted', key => 'lower(mail)', at => 'at');
SELECT segment.add_source('mail', 'parted', key => 'mail', at => 'at', event => '''x''');
CALL segment.refresh('mail');
SELECT * FROM look();
CREATE INDEX ON parted (lower(mail));
CREATE INDEX ON parted (mail);
SELECT * FROM look();
-- keys that look alike
INSERT INTO parted VALUES ('Ann@x.be', '2024-09-05'), ('ann@x.be ', '2024-09-05'), ('Bob @x.be', '2024-09-05'), ('bob', '2024-09-05');
CALL segment.refresh('mail');
SELECT * FROM look();
UPDATE parted SET mail = lower(btrim(mail)), at = at + CASE WHEN mail::text COLLATE "C" < 'b' THEN interval '1 hour' ELSE interval '0' END;
CALL segment.refresh('mail');
SELECT * FROM look();
-- attributes
CREATE TABLE person (email text, country text);
INSERT INTO person VALUES ('ann@x.be', 'BE'), (NULL, 'BE');
SELECT segment.add_attributes('mail', 'person', 'email', '{"country": "country"}');
CALL segment.refresh('mail');
SELECT * FROM look();
DELETE FROM person WHERE email IS NULL;
CREATE INDEX ON person USING hash (email);
CALL segment.refresh('mail');
SELECT * FROM look();

-- customers set aside, triggers disabled
SELECT segment.add_score('mail', 'odd', '1 / (count(*) - 2)');
INSERT INTO parted VALUES ('eve', '2024-09-05');
DELETE FROM parted WHERE mail = 'ann@x.be';
CALL segment.refresh('mail');
SELECT * FROM look();
SELECT segment.alter_score('mail', 'odd', 'count(*)');
CALL segment.refresh('mail');
SELECT * FROM look();
ALTER TABLE person DISABLE TRIGGER USER;
SELECT finding, subject, detail ~ '^segment_[0-9]+_delete, ' AS detail FROM look();
ALTER TABLE person ENABLE TRIGGER USER;
CALL segment.refresh('mail');
SELECT * FROM look();

-- off as well: gone, or where rows are replicated alone
SELECT 'segment_' || max(id) AS ours FROM segment.config_source \gset
\set insert :ours _insert
\set delete :ours _delete
\set truncate :ours _truncate
DROP TRIGGER :insert ON person;
ALTER TABLE person ENABLE REPLICA TRIGGER :delete, ENABLE REPLICA TRIGGER :truncate;
SELECT finding, subject, replace(detail, :'ours', 'segment_N') AS detail FROM look();
CALL segment.refresh('mail');
SELECT * FROM look();

-- stale, failing, late
INSERT INTO person VALUES ('new', 'FR');
SET segment.health_lag = 0;
SELECT finding, subject, regexp_replace(detail, '^[0-9:.]+', '…') AS detail, advice FROM segment.health WHERE tbl = 'mail'::regclass;
RESET segment.health_lag;
SELECT * FROM look();
SET client_min_messages = error;    -- whether schedules run depends on the server
SELECT segment.schedule('mail', '1 hour');
SET client_min_messages = warning;
SET segment.health_lag = 0;
SELECT finding, advice FROM segment.health WHERE tbl = 'mail'::regclass AND finding = 'stale';
CALL segment.refresh('mail');
SELECT finding FROM segment.health WHERE tbl = 'mail'::regclass;
RESET segment.health_lag;
INSERT INTO segment.job_state (tbl, failures, not_before, error) VALUES ('mail'::regclass, 3, '2100-01-01', 'division by zero');
SELECT * FROM look();
UPDATE segment.job_state SET failures = 0, not_before = NULL, planned_at = '2024-01-01' WHERE tbl = 'mail'::regclass;
SELECT finding, subject, detail FROM look();
UPDATE segment.job_state SET planned_at = now() WHERE tbl = 'mail'::regclass;
SELECT * FROM look();

-- presets: an event that has another name now
SELECT segment.add_preset('tab', 'rfm', '{"purchase": ["buy", "order"], "check_events": false}');
CALL segment.refresh('tab');
SELECT * FROM look() WHERE finding IN ('event_never_seen', 'not_checked');
UPDATE event SET kind = 'order' WHERE customer > 150;
SELECT * FROM look() WHERE finding IN ('event_never_seen', 'not_checked');
SELECT segment.drop_preset('tab', 'rfm');
SELECT segment.add_preset('tab', 'rfm', '{"purchase": {"rule": "value > 1"}}');
SELECT * FROM look() WHERE finding IN ('event_never_seen', 'not_checked');
SELECT segment.drop_preset('tab', 'rfm');
-- of the events that stand in what was made: not those of an alternative, nor of columns that were left out
SELECT segment.add_preset('tab', 'benefits_sought', '{"quality": null, "price": null, "convenience": ["buy", "rush"], "check_events": false, "prefix": "a_"}');
SELECT segment.add_preset('tab', 'benefits_sought', '{"tag": "item", "benefits": [["a", "{{.benefit_dominant}} = ''a''"]], "prefix": "b_"}');
SELECT segment.add_preset('tab', 'engagement', '{"only": ["reads_not_clicks"], "check_events": false}');
SELECT preset, prefix, columns FROM segment.table_presets WHERE tbl = 'tab'::regclass ORDER BY 1, 2;
SELECT * FROM look() WHERE finding IN ('event_never_seen', 'not_checked');
SELECT segment.drop_preset('tab', 'benefits_sought', 'a_'), segment.drop_preset('tab', 'benefits_sought', 'b_'), segment.drop_preset('tab', 'engagement');
-- another role's table is not read as a superuser, by no step
CREATE ROLE regress_segment_health;
SELECT segment.add_preset('tab', 'rfm', '{"purchase": "nothing", "check_events": false}');
CALL segment.refresh('tab');
SELECT * FROM look() WHERE finding IN ('event_never_seen', 'not_checked');
ALTER TABLE event OWNER TO regress_segment_health;
SELECT * FROM look() WHERE finding IN ('event_never_seen', 'not_checked');
ALTER TABLE event OWNER TO CURRENT_USER;
SELECT segment.drop_preset('tab', 'rfm');
CALL segment.refresh('tab');

-- whose: of tables that the reader may read, all rows of them; errors are the owner's
CREATE TABLE third (customer int, at timestamptz);
INSERT INTO third VALUES (1, '2024-09-05');
CREATE INDEX ON third (customer);
SELECT segment.add_source('tab', 'third', key => 'customer', at => 'at', value => 'CASE WHEN customer = 2 THEN 1 / (customer - 2) END');
CALL segment.refresh('tab');
SELECT * FROM look();
INSERT INTO third VALUES (2, '2024-09-05');
SELECT * FROM look();
SET ROLE regress_segment_health;
SELECT count(*) FROM segment.health;
SELECT * FROM segment.check_health((SELECT oid FROM pg_class WHERE relname = 'tab'));
RESET ROLE;
GRANT USAGE ON SCHEMA "He alth" TO regress_segment_health;
GRANT SELECT ON tab TO regress_segment_health;
SET ROLE regress_segment_health;
SELECT tbl, finding, subject, detail FROM segment.health ORDER BY 2, 3;
RESET ROLE;
DELETE FROM third WHERE customer = 2;
SELECT * FROM look();
-- who stops it sees what was done, and no query of ours
CREATE FUNCTION stop(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$BEGIN RAISE query_canceled; END$$;
CREATE TABLE fourth (customer int, at timestamptz);
SELECT segment.add_source('tab', 'fourth', key => '"He alth".stop(customer)', at => 'at');
ALTER TABLE fourth DISABLE TRIGGER USER;
INSERT INTO fourth VALUES (1, '2024-09-05');
\set VERBOSITY default
SELECT * FROM segment.check_health('tab');
\set VERBOSITY terse
SELECT segment.drop_source('tab', 'fourth');
CALL segment.refresh('tab');
-- what the history says is for its readers
SELECT segment.add_segment('tab', 'once', 'n > 0');
CALL segment.refresh('tab');
UPDATE tab_history SET entered_at = '2024-01-01' WHERE segment = 'once';
SELECT * FROM look() WHERE finding = 'never_left';
SET ROLE regress_segment_health;
SELECT finding, subject FROM segment.health WHERE finding IN ('never_left', 'not_checked') ORDER BY 1;
RESET ROLE;
GRANT SELECT ON tab_history TO regress_segment_health;
SET ROLE regress_segment_health;
SELECT finding, subject FROM segment.health WHERE finding IN ('never_left', 'not_checked') ORDER BY 1;
RESET ROLE;
ALTER TABLE tab_history ENABLE ROW LEVEL SECURITY;
SET ROLE regress_segment_health;
SELECT finding, subject FROM segment.health WHERE finding IN ('never_left', 'not_checked') ORDER BY 1;
RESET ROLE;
SELECT segment.drop_segment('tab', 'once');
CALL segment.refresh('tab');
DROP TABLE third CASCADE;
ALTER TABLE tab ENABLE ROW LEVEL SECURITY;
SET segment.health_lag = 0;
INSERT INTO event (customer, at) VALUES (4, NULL);
SET ROLE regress_segment_health;
SELECT tbl, finding, subject FROM segment.health ORDER BY 2, 3;
SELECT * FROM segment.check_health('tab');
RESET ROLE;
RESET segment.health_lag;
-- whatever things are called
CREATE TABLE "it's %s ""100%""" ("Who %I" text, "when" timestamptz);
SELECT segment.create_table('"%L of ''it''"', '%s key', 'text');
SELECT segment.add_source('"%L of ''it''"', '"it''s %s ""100%"""', '"Who %I"', '"when"');
SELECT segment.add_segment('"%L of ''it''"', 'n''s "%1$s"', 'true');
SELECT segment.add_segment('"%L of ''it''"', '% \too', '"n''s ""%1$s"""');
INSERT INTO "it's %s ""100%""" VALUES ('a%', '2024-01-01'), ('A%', '2024-01-01'), (NULL, '2025-01-01'), ('a%', '2024-01-01');
CALL segment.refresh('"%L of ''it''"');
SELECT * FROM look() WHERE subject IS DISTINCT FROM 'event';
SELECT segment.drop_table('"%L of ''it''"');
-- history dropped, sources gone: the others say what they have to say
DROP TABLE mail_history;
SELECT * FROM look();
SELECT * FROM segment.flow('mail', '2024-01-01');
SELECT * FROM segment.check_health('event');
SELECT * FROM segment.check_health(NULL);

SELECT segment.drop_table('mail'), segment.drop_table('tab');
DROP SCHEMA "He alth" CASCADE;
DROP ROLE regress_segment_health;
