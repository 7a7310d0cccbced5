-- The table as it would have been at an instant: as a rebuild as of then gives it.
SET client_min_messages = warning;
CREATE SCHEMA "Asof ""x""";
SET search_path = "Asof ""x""";
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET segment.as_of = '2024-06-01 00:00:00+00';
CREATE TABLE event (customer int, at timestamptz, amount numeric(10,2));
CREATE TABLE person (id int PRIMARY KEY, country text);
SELECT segment.create_table('"Tab; le"', 'The "key"', 'int', 'Europe/Berlin');
SELECT segment.evaluate('"Tab; le"', '2024-06-01');
SELECT * FROM segment.evaluate_rows(NULL::"Tab; le", '2024-06-01');
SELECT segment.add_source('"Tab; le"', 'event', key => 'customer', at => 'at', value => 'amount');
SELECT segment.add_attributes('"Tab; le"', 'person', key => 'id', columns => '{"Cou''n\"try": "country"}');
SELECT segment.add_score('"Tab; le"', 'n', 'count(*) FILTER (WHERE at > now() - interval ''30 days'')');
SELECT segment.add_score('"Tab; le"', 'gone', 'count(*)');
SELECT segment.add_score('"Tab; le"', 'last_at', 'max(at)');
SELECT segment.add_score('"Tab; le"', 'SELECT', 'sum(value)');
SELECT segment.add_score('"Tab; le"', 'heat', 'round(engagement(at, 1, ''30 days'')::numeric, 3)');
SELECT segment.add_segment('"Tab; le"', 'lapsed', 'last_at <= now() - interval ''30 days''');
SELECT segment.add_segment('"Tab; le"', 'big', '"SELECT" >= 100 AND NOT lapsed');
SELECT segment.drop_score('"Tab; le"', 'gone');
SELECT segment.set_max_age('"Tab; le"', '100 days');
INSERT INTO event SELECT c, timestamptz '2024-01-01 12:00+00' + (c * 17 + i * 31) % 200 * interval '1 day', c * i
FROM generate_series(1, 8) c, generate_series(1, 5) i;
INSERT INTO person VALUES (1, 'DE'), (9, 'FR');
CALL segment.refresh('"Tab; le"');

-- columns of the user's own, and one made narrower
ALTER TABLE "Tab; le" ADD COLUMN mine text DEFAULT 'x', ALTER COLUMN "SELECT" TYPE numeric(12,1);
SELECT * FROM segment.evaluate_rows(NULL::"Tab; le", '2024-06-01') ORDER BY 1;
SELECT * FROM segment.evaluate('"Tab; le"', '2024-02-01') WHERE key IN ('3', '9') ORDER BY key;

-- beside the table rebuilt as of the same instant
CREATE FUNCTION beside_rebuild(t timestamptz) RETURNS TABLE (rows bigint, missing bigint, unexpected bigint, json_differs bigint)
LANGUAGE plpgsql AS $$
BEGIN
	CREATE TEMP TABLE evaluated AS SELECT * FROM segment.evaluate_rows(NULL::"Tab; le", t);
	CREATE TEMP TABLE evaluated_json AS SELECT * FROM segment.evaluate('"Tab; le"', t);
	PERFORM set_config('segment.as_of', t::text, true);
	SET LOCAL client_min_messages = error;
	CALL segment.rebuild('"Tab; le"');
	UPDATE "Tab; le" SET mine = NULL, refreshed_at = t;
	SELECT count(*) INTO rows FROM "Tab; le";
	SELECT count(*) INTO missing FROM (SELECT * FROM "Tab; le" EXCEPT ALL SELECT * FROM evaluated) d;
	SELECT count(*) INTO unexpected FROM (SELECT * FROM evaluated EXCEPT ALL SELECT * FROM "Tab; le") d;
	SET LOCAL timezone = 'Europe/Berlin';
	SELECT count(*) INTO json_differs FROM "Tab; le" s FULL JOIN evaluated_json e ON e.key = s."The ""key"""::text
	WHERE e."row" - 'SELECT' IS DISTINCT FROM to_jsonb(s) - 'mine' - 'SELECT';
	SET LOCAL timezone = 'UTC';
	SET LOCAL client_min_messages = warning;
	RAISE EXCEPTION '% rows as of %: missing %, unexpected %, JSON differs %', rows, t, missing, unexpected, json_differs;
EXCEPTION
	WHEN raise_exception THEN
		RAISE WARNING '%', SQLERRM;
END $$;
SELECT FROM unnest('{2023-12-31,2024-01-25 12:00+00,2024-02-24 11:59:59.999999+00,2024-02-24 12:00+00,2024-03-31 01:00+00,2024-06-01,2024-07-20,2030-01-01}'::timestamptz[]) t, LATERAL beside_rebuild(t);

-- of the events that the caller's snapshot sees, his own transaction's among them
BEGIN;
INSERT INTO event VALUES (20, '2024-05-31', 1);
SELECT count(*) FROM segment.evaluate('"Tab; le"', '2024-06-01') WHERE key = '20';
SELECT count(*) FROM segment.evaluate('"Tab; le"', '2024-05-30') WHERE key = '20';
ROLLBACK;
-- who is not eligible then has no row
SELECT segment.set_eligible('"Tab; le"', 'n > 1 OR "Cou''n""try" IS NOT NULL');
SELECT "The ""key""", n FROM segment.evaluate_rows(NULL::"Tab; le", '2024-03-01') ORDER BY 1;
SELECT segment.set_eligible('"Tab; le"', NULL);
-- where it may stand; the caller's settings are left alone
SELECT (segment.evaluate_rows(NULL::"Tab; le", '2024-03-01')).lapsed, count(*) FROM generate_series(1, 2) GROUP BY 1 ORDER BY 1;
SELECT t, count(*) FILTER (WHERE lapsed) AS lapsed, count(*) FROM unnest('{2024-02-01,2024-06-01,2024-08-01}'::timestamptz[]) t,
	LATERAL segment.evaluate_rows(NULL::"Tab; le", t) GROUP BY 1 ORDER BY 1;
SELECT e.n FROM "Tab; le" s JOIN segment.evaluate_rows(s, '2024-04-01') e USING ("The ""key""") WHERE s."The ""key""" = 3;
SHOW segment.as_of;
SHOW timezone;
SHOW search_path;

-- refused
SELECT segment.evaluate('"Tab; le"', NULL);
SELECT segment.evaluate(NULL, '2024-06-01');
SELECT segment.evaluate('event', '2024-06-01');
SELECT segment.evaluate('"Tab; le"', 'infinity');
SELECT segment.evaluate_rows(NULL::"Tab; le", NULL);
SELECT segment.evaluate_rows(NULL::"Tab; le", '-infinity');
SELECT segment.evaluate_rows(NULL::event, '2024-06-01');
SELECT segment.evaluate_rows(1, '2024-06-01');

-- readers
CREATE ROLE regress_segment_looker;
GRANT USAGE ON SCHEMA "Asof ""x""" TO regress_segment_looker;
GRANT SELECT ("The ""key""") ON "Tab; le" TO regress_segment_looker;
SET ROLE regress_segment_looker;
SELECT count(*) FROM segment.evaluate('"Tab; le"', '2024-06-01');
SELECT count(*) FROM segment.evaluate_rows(NULL::"Tab; le", '2024-06-01');
RESET ROLE;
GRANT SELECT ON "Tab; le" TO regress_segment_looker;
SET ROLE regress_segment_looker;
SELECT count(*) FROM segment.evaluate('"Tab; le"', '2024-06-01');
SELECT count(*) FROM segment.evaluate_rows(NULL::"Tab; le", '2024-06-01');
RESET ROLE;
ALTER TABLE "Tab; le" ENABLE ROW LEVEL SECURITY;
SET ROLE regress_segment_looker;
SELECT count(*) FROM segment.evaluate('"Tab; le"', '2024-06-01');
SELECT count(*) FROM segment.evaluate_rows(NULL::"Tab; le", '2024-06-01');
RESET ROLE;

SELECT segment.drop_table('"Tab; le"');
DROP SCHEMA "Asof ""x""" CASCADE;
DROP ROLE regress_segment_looker;
