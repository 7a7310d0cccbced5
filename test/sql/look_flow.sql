-- Who went from where to where, and how large segments were, by the history.
SET client_min_messages = warning;
CREATE SCHEMA "Fl ""ow";
SET search_path = "Fl ""ow";
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET segment.as_of = '2024-01-31 12:00:00+00';
CREATE TABLE event (customer int, at timestamptz, amount int);
SELECT segment.create_table('"Tab"', 'The "key"', 'int', 'Europe/Berlin');
SELECT * FROM segment.flow('"Tab"', '2024-01-01');
SELECT * FROM segment.sizes_over_time('"Tab"', '1 day', '2024-01-30');
SELECT segment.add_source('"Tab"', 'event', key => 'customer', at => 'at', value => 'amount');
SELECT segment.add_score('"Tab"', 'n30', 'count(*) FILTER (WHERE at > now() - interval ''30 days'')');
SELECT segment.add_segment('"Tab"', 'active', 'n30 > 0');
SELECT segment.add_segment('"Tab"', 'it''s "heavy', 'n30 >= 3');
SELECT segment.add_segment('"Tab"', 'nobody', 'n30 < 0');
SELECT segment.add_segment('"Tab"', 'dropped', 'n30 >= 2');
INSERT INTO event SELECT c, timestamptz '2024-01-01 12:00+00' + (c * c * 17 + i * i * 31) % 150 * interval '1 day', 1
FROM generate_series(1, 40) c, generate_series(1, 6) i;
SELECT * FROM segment.sizes_over_time('"Tab"', '1 day', '2024-01-31');
DO $$
BEGIN
	FOR i IN 0 .. 12 LOOP
		PERFORM set_config('segment.as_of', (timestamptz '2024-01-31 12:00+00' + i * interval '9 days 5 hours')::text, false);
		CALL segment.refresh('"Fl ""ow"."Tab"');
	END LOOP;
END $$;
SELECT segment.drop_segment('"Tab"', 'dropped');
-- labels, as groups have them
INSERT INTO "Tab_history" SELECT c, 'tier', (ARRAY['light', 'medium', 'heavy'])[1 + (c * 7 + i * i) % 3],
	timestamptz '2024-02-01' + i * interval '20 days' + c * interval '1 hour', CASE WHEN i < 3 THEN timestamptz '2024-02-01' + i * interval '20 days' + interval '12 days' + c * interval '9 hours' END
FROM generate_series(1, 20) c, generate_series(0, 3) i;
SELECT count(*), count(label), count(left_at) FROM "Tab_history";

-- from one instant to another
SELECT * FROM segment.flow('"Tab"', '2024-02-10', '2024-04-01');
SELECT * FROM segment.flow('"Tab"', '-infinity') WHERE segment = 'active';
SELECT sum(customers) FROM segment.flow('"Tab"', '2024-02-10', '2024-02-10') WHERE "from" IS DISTINCT FROM "to";
CREATE FUNCTION state(t timestamptz) RETURNS TABLE (k int, segment text, name text)
LANGUAGE sql AS $$
	SELECT "The ""key""", segment, coalesce(label, segment) FROM "Tab_history" WHERE t >= entered_at AND t < coalesce(left_at, 'infinity')
$$;
CREATE FUNCTION beside(s timestamptz, u timestamptz) RETURNS TABLE (lines bigint, customers numeric, differences bigint)
LANGUAGE sql AS $$
	WITH plain AS (SELECT segment, a.name, b.name, count(*) FROM state(s) a FULL JOIN state(u) b USING (k, segment) GROUP BY 1, 2, 3),
		flow AS (SELECT * FROM segment.flow('"Tab"', s, u))
	SELECT (SELECT count(*) FROM flow), (SELECT sum(customers) FROM flow),
		(SELECT count(*) FROM ((TABLE plain EXCEPT ALL TABLE flow) UNION ALL (TABLE flow EXCEPT ALL TABLE plain)) d)
$$;
SELECT b.* FROM (VALUES (0, 100), (5, 30), (30, 31), (-10, 10), (20, 20), (29.0, 95.5)) v(s, u),
	LATERAL beside(timestamptz '2024-02-01 00:00+00' + s * interval '1 day', timestamptz '2024-02-01 00:00+00' + u * interval '1 day') b;
-- at the very instants of the history
SELECT sum(lines) > 100 AS many, sum(differences) FROM (SELECT DISTINCT entered_at AS s FROM "Tab_history" ORDER BY 1 LIMIT 12) a,
	(SELECT DISTINCT left_at AS u FROM "Tab_history" WHERE left_at > '2024-04-01' ORDER BY 1 LIMIT 12) b, LATERAL beside(s, u);

-- at instants that are a step apart
SELECT at, segment, members FROM segment.sizes_over_time('"Tab"', '15 days', '2024-02-01', '2024-03-10') WHERE segment <> 'tier';
SELECT at, label, members FROM segment.sizes_over_time('"Tab"', '20 days', '2024-02-07', '2024-03-10') WHERE segment = 'tier';
CREATE FUNCTION beside_sizes(step interval, s timestamptz, u timestamptz) RETURNS TABLE (lines bigint, points bigint, wrong bigint)
LANGUAGE sql AS $$
	SELECT count(*), count(DISTINCT o.at), count(*) FILTER (WHERE members <>
		(SELECT count(*) FROM "Tab_history" h WHERE h.segment = o.segment AND h.label IS NOT DISTINCT FROM o.label AND o.at >= h.entered_at AND o.at < coalesce(h.left_at, 'infinity')))
	FROM segment.sizes_over_time('"Tab"', step, s, u) o
$$;
SELECT step, b.* FROM unnest('{1 day,7 days,5 hours,1 month,1 month 1 day 01:00:00,1 year}'::interval[]) step,
	LATERAL beside_sizes(step, '2024-01-31 11:00+00', '2024-05-21 22:00+00') b;
-- the step falls on the instants themselves
SELECT beside_sizes('9 days 5 hours', '2024-01-31 12:00+00', '2024-05-21 00:00+00');
-- months end where they end, days are those of Berlin, and no instant is lost to either
SELECT DISTINCT at FROM segment.sizes_over_time('"Tab"', '1 month', '2024-01-31 00:00+00', '2024-05-31 00:00+00') ORDER BY 1;
SELECT DISTINCT at FROM segment.sizes_over_time('"Tab"', '1 day', '2024-03-29 01:30+00', '2024-04-02 00:30+00') ORDER BY 1;
SELECT DISTINCT at FROM segment.sizes_over_time('"Tab"', '12 hours', '2024-03-30 00:00+00', '2024-03-31 23:00+00') ORDER BY 1;
SELECT count(DISTINCT at), min(at), max(at) FROM segment.sizes_over_time('"Tab"', '1 microsecond', '2024-03-30 00:00+00', '2024-03-30 00:00:00.000010+00');
SELECT at FROM segment.sizes_over_time('"Tab"', '1 day', '2024-03-30 00:00+00', '2024-03-30 00:00+00') WHERE segment = 'active';
-- until now, if nothing else is said
SELECT max(at), segment.now() FROM segment.sizes_over_time('"Tab"', '1 hour', '2024-05-20 16:00+00');
-- what it says of now are the members
SELECT o.segment, o.members, s.members FROM segment.sizes_over_time('"Tab"', '1 hour', segment.now()) o JOIN segment.sizes('"Tab"') s USING (segment);

-- refused
SELECT segment.flow('"Tab"', NULL);
SELECT segment.flow(NULL, '2024-01-01');
SELECT segment.flow('"Tab"', '2024-03-01', '2024-02-01');
SELECT segment.flow('event', '2024-03-01');
SELECT segment.sizes_over_time('"Tab"', '0', '2024-01-01');
SELECT segment.sizes_over_time('"Tab"', '1 month -1 day', '2024-01-01');
SELECT segment.sizes_over_time('"Tab"', NULL, '2024-01-01');
SELECT segment.sizes_over_time('"Tab"', '1 second', '2024-01-01', '2024-02-01');
SELECT segment.sizes_over_time('"Tab"', '1 microsecond', '4713-01-01 BC', '294276-12-31');
SELECT segment.sizes_over_time('"Tab"', '1 day', NULL);
SELECT segment.sizes_over_time('"Tab"', '1 day', '-infinity');
SELECT segment.sizes_over_time('"Tab"', '1 day', '2024-01-01', 'infinity');
SELECT segment.sizes_over_time('"Tab"', '1 day', '2024-01-02', '2024-01-01');

-- the history is read, so it is the history that the reader must be able to read
CREATE ROLE regress_segment_historian;
GRANT USAGE ON SCHEMA "Fl ""ow" TO regress_segment_historian;
GRANT SELECT ON "Tab" TO regress_segment_historian;
SET ROLE regress_segment_historian;
SELECT count(*) FROM segment.flow('"Tab"', '2024-02-10');
SELECT count(*) FROM segment.sizes_over_time('"Tab"', '1 day', '2024-02-10');
RESET ROLE;
GRANT SELECT ON "Tab_history" TO regress_segment_historian;
SET ROLE regress_segment_historian;
SELECT count(*) FROM segment.flow('"Tab"', '2024-02-10', '2024-03-01');
SELECT count(*) FROM segment.sizes_over_time('"Tab"', '1 day', '2024-02-10', '2024-03-01');
RESET ROLE;
ALTER TABLE "Tab_history" ENABLE ROW LEVEL SECURITY;
SET ROLE regress_segment_historian;
SELECT count(*) FROM segment.flow('"Tab"', '2024-02-10');
SELECT count(*) FROM segment.sizes_over_time('"Tab"', '1 day', '2024-02-10');
RESET ROLE;

SELECT segment.drop_table('"Tab"');
DROP SCHEMA "Fl ""ow" CASCADE;
DROP ROLE regress_segment_historian;
