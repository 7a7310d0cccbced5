-- Who would be in a segment, before it is saved.
SET client_min_messages = warning;
CREATE SCHEMA "Pre ""view";
SET search_path = "Pre ""view";
SET timezone = 'UTC';
SET segment.as_of = '2024-06-01 00:00:00+00';
CREATE TABLE event (customer int, at timestamptz, amount int);
SELECT segment.create_table('"Tab"', 'The "key"', 'int', 'Europe/Berlin');
SELECT * FROM segment.preview('"Tab"', '"The ""key""" > 1');
SELECT segment.add_source('"Tab"', 'event', key => 'customer', at => 'at', value => 'amount');
SELECT segment.add_score('"Tab"', 'n', 'count(*)');
SELECT segment.add_score('"Tab"', 'total', 'sum(value)');
SELECT segment.add_score('"Tab"', 'last_at', 'max(at)');
SELECT * FROM segment.preview('"Tab"', 'n > 1');
INSERT INTO event SELECT c, timestamptz '2024-01-01 12:00+00' + (c * 17 + i * 31) % 150 * interval '1 day', nullif(c * i % 7, 3)
FROM generate_series(1, 60) c, generate_series(1, 5) i WHERE i <= 1 + c % 5;
CALL segment.refresh('"Tab"');
SELECT * FROM segment.preview('"Tab"', 'n > 1');
SELECT segment.add_segment('"Tab"', 'big', 'total >= 10');
SELECT segment.add_segment('"Tab"', 'it''s "so', 'last_at > now() - interval ''30 days''');
SELECT segment.add_segment('"Tab"', 'none', 'false');
CALL segment.refresh('"Tab"');

-- beside plain SQL, and beside the segment itself
CREATE FUNCTION beside(rule text) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
	p record;
	plain record;
	count_of_segment bigint;
BEGIN
	SELECT * INTO p FROM segment.preview('"Tab"', rule);
	EXECUTE format($q$SELECT count(*) FILTER (WHERE r) AS members, count(*) AS customers,
		coalesce((array_agg("The ""key""" ORDER BY "The ""key""") FILTER (WHERE r))[1:5]::text[], '{}') AS examples,
		count(*) FILTER (WHERE big) AS big, count(*) FILTER (WHERE r AND big) AS shared_big,
		count(*) FILTER (WHERE "it's ""so" AND r) AS shared_so, count(*) FILTER (WHERE "it's ""so") AS so
		FROM (SELECT *, segment.now() AS now, (%s) AS r FROM "Tab") t$q$, rule) INTO plain;
	PERFORM segment.add_segment('"Tab"', 'tried', rule);
	CALL segment.refresh('"Tab"');
	EXECUTE 'SELECT count(*) FROM "Tab" WHERE tried' INTO count_of_segment;
	PERFORM segment.drop_segment('"Tab"', 'tried');
	RETURN NEXT format('%s of %s %s: %s', p.members, p.customers, p.examples, ROW(p.members, p.customers, p.examples) = ROW(plain.members, plain.customers, plain.examples)
		AND p.members = count_of_segment AND p.share = p.members::float8 / p.customers
		AND p.overlap = jsonb_build_object(
			'big', jsonb_build_object('members', plain.big, 'shared', plain.shared_big, 'jaccard', round(plain.shared_big::numeric / nullif(plain.big + plain.members - plain.shared_big, 0), 4)),
			'it''s "so', jsonb_build_object('members', plain.so, 'shared', plain.shared_so, 'jaccard', round(plain.shared_so::numeric / nullif(plain.so + plain.members - plain.shared_so, 0), 4)),
			'none', jsonb_build_object('members', 0, 'shared', 0, 'jaccard', CASE WHEN p.members > 0 THEN 0.0000 END)));
END $$;
SELECT beside(rule) FROM unnest(ARRAY['n >= 3', 'total > 5 AND n < 4', 'NULL::bool', 'true', 'total IS NULL OR big', 'last_at <= segment.now() - interval ''60 days''',
	'"it''s ""so" AND NOT big', 'none', '"The ""key""" % 2 = 0']) rule;
SELECT jsonb_object_keys(overlap) FROM segment.preview('"Tab"', 'true') ORDER BY 1;
SELECT name FROM segment.segments ORDER BY 1;
SELECT * FROM segment.verify('"Tab"');

-- by the rows as they stand
INSERT INTO event SELECT 61, '2024-05-31', 1 FROM generate_series(1, 9);
SELECT members FROM segment.preview('"Tab"', 'n > 5');
CALL segment.refresh('"Tab"');
SELECT members, examples FROM segment.preview('"Tab"', 'n > 5');
-- what is not analyzed is said
SELECT members, unanalyzed FROM segment.preview('"Tab"', 'sin(extract(epoch from now())) * n > 0');

-- the errors are those of add_segment
CREATE FUNCTION error_of(statement text, rule text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE statement USING rule;
	RETURN 'allowed';
EXCEPTION
	WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
		RETURN SQLSTATE || ' ' || replace(SQLERRM, 'segment "x"', 'the rule') || ' / ' || hint;
END $$;
SELECT rule, p AS preview, p = error_of('SELECT segment.add_segment(''"Tab"'', ''x'', $1)', rule) AS same
FROM (SELECT rule, error_of('SELECT * FROM segment.preview(''"Tab"'', $1)', rule) AS p FROM unnest(ARRAY['', 'n', 'missing > 1', 'n > 1; DROP TABLE event', 'n > 1 FROM event', 'count(*) > 1',
	'random() < 0.5', 'EXISTS (SELECT 1)', 'refreshed_at > now()', 'last_at > ''now''', 'n >', 'true AS x', 'n > generate_series(1, 2)', '*']) rule) r;
\set VERBOSITY terse
SELECT segment.preview('"Tab"', 'n / (n - n) > 1');
\set VERBOSITY default
SELECT segment.preview('"Tab"', NULL);
SELECT segment.preview(NULL, 'true');
SELECT segment.preview('event', 'true');
SELECT name FROM segment.segments ORDER BY 1;

-- the rule runs with its caller's rights, not with the owner's
CREATE FUNCTION whoami() RETURNS name LANGUAGE sql STABLE AS 'SELECT current_user';
CREATE ROLE regress_segment_curious;
GRANT USAGE ON SCHEMA "Pre ""view" TO regress_segment_curious;
SET ROLE regress_segment_curious;
SELECT members FROM segment.preview('"Tab"', 'true');
RESET ROLE;
GRANT SELECT ON "Tab" TO regress_segment_curious;
SET ROLE regress_segment_curious;
SELECT members, customers FROM segment.preview('"Tab"', '"Pre ""view".whoami() = ''regress_segment_curious''');
SELECT members, customers FROM segment.preview('"Tab"', '"Pre ""view".whoami() <> ''regress_segment_curious''');
SELECT segment.add_segment('"Tab"', 'x', 'true');
CREATE FUNCTION pg_temp.mine() RETURNS bool LANGUAGE sql STABLE AS 'SELECT true';
SELECT members FROM segment.preview('"Tab"', 'pg_temp.mine()');
DROP FUNCTION pg_temp.mine();
RESET ROLE;
ALTER TABLE "Tab" ENABLE ROW LEVEL SECURITY;
SET ROLE regress_segment_curious;
SELECT members FROM segment.preview('"Tab"', 'true');
RESET ROLE;

SELECT segment.drop_table('"Tab"');
DROP SCHEMA "Pre ""view" CASCADE;
DROP ROLE regress_segment_curious;
