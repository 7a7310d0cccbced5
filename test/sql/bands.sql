-- Bands: the rank of a score within the whole population, against stored cut points.
SET client_min_messages = warning;
CREATE SCHEMA bands;
SET search_path = bands;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
SET segment.as_of = '2024-01-10 00:00:00+00';
CREATE TABLE event (customer int, at timestamptz, amount int);
SELECT segment.create_table('customers', 'customer', 'int');
SELECT segment.add_source('customers', 'event', key => 'customer', at => 'at', value => 'amount');
SELECT segment.add_score('customers', 'last_at', 'max(at)');
SELECT segment.add_score('customers', 'total', 'sum(value)');
SELECT segment.add_score('customers', 'items', 'CASE WHEN count(*) > 0 THEN ''{}''::json END');
SELECT segment.add_score('customers', 'list', 'array_agg(value)');
SELECT segment.add_score('customers', 'hour', 'max(at::timetz)');
SELECT segment.add_score('customers', 'device', 'CASE WHEN count(*) > 0 THEN ''08:00:2b:01:02:03''::macaddr END');
SELECT segment.add_segment('customers', 'buyer', 'total > 0');

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
		RETURN concat_ws(' -- ', SQLSTATE || ' ' || SQLERRM, nullif(hint, ''));
END $$;

-- what is refused
SELECT arguments, try(format('SELECT segment.add_band(''customers'', %s)', arguments))
FROM unnest(ARRAY[
	$$'b', 'nosuch'$$,
	$$'b', 'buyer'$$,
	$$'b', 'total + 1'$$,
	$$'b', 'items'$$,
	$$'b', 'list'$$,
	$$'b', 'hour'$$,
	$$'b', 'device'$$,
	$$'b', 'total', 1$$,
	$$'b', 'total', 1001$$,
	$$'b', 'total', NULL$$,
	$$'b', 'total', 5, NULL$$,
	$$'b', NULL$$,
	$$NULL, 'total'$$,
	$$'total', 'total'$$,
	$$'b', 'total', 1000$$,
	$$'b', 'total', descending => true$$]) WITH ORDINALITY u (arguments, n) ORDER BY n;
SELECT try('SELECT segment.recut(''customers'', ''total'')'), try('SELECT segment.recut(''customers'', NULL)'),
	   try('SELECT segment.recut(NULL, ''b'')'), try('SELECT segment.recut(''event'', ''b'')');
SELECT try('SELECT segment.drop_band(''customers'', ''total'')'), try('SELECT segment.band_shares(''customers'', ''total'')');

-- before anybody has a score there are no cut points, and the bands are NULL
SELECT segment.add_band('customers', 'quintile', 'total');
SELECT segment.add_band('customers', 'recency', 'last_at', 4, descending => true);
CALL segment.refresh('customers');
INSERT INTO event VALUES (100, '2024-01-01', NULL);
CALL segment.refresh('customers');
SELECT segment.recut('customers', 'quintile');
SET client_min_messages = notice;
SELECT segment.recut('customers', 'quintile');
SET client_min_messages = warning;
SELECT customer, quintile, recency FROM customers;
SELECT name, score, bands, descending, version, cuts, made_at, population, shares, ideal FROM segment.bands ORDER BY position;

-- the first refresh that finds scores makes them: equal scores, equal band
INSERT INTO event SELECT n, timestamptz '2024-01-01' - n * interval '1 day', CASE WHEN n <= 10 THEN n WHEN n <= 20 THEN 10 END
FROM generate_series(1, 22) n;
CALL segment.refresh('customers');
SELECT total, quintile, count(*) FROM customers GROUP BY 1, 2 ORDER BY 1;
SELECT recency, count(*), min(last_at), max(last_at) FROM customers GROUP BY 1 ORDER BY 1;
SELECT name, version, cuts, made_at, population, shares, ideal FROM segment.bands ORDER BY position;
SELECT jsonb_pretty(segment.definition('customers') -> 'bands');
SELECT * FROM segment.verify('customers');

-- others stand against the same cut points; the drift shows
SET segment.as_of = '2024-01-11 00:00:00+00';
INSERT INTO event SELECT 30 + n, '2024-01-10', 100 + n FROM generate_series(1, 15) n;
INSERT INTO event VALUES (1, '2024-01-10', -5);
CALL segment.refresh('customers');
SELECT name, version, shares FROM segment.bands ORDER BY position;
SELECT customer, total, quintile FROM customers WHERE customer IN (1, 31, 45) ORDER BY 1;
SELECT segment.current('customers', '31') ->> 'quintile' AS quintile;
SELECT * FROM segment.verify('customers');

-- a recut bands everybody anew, without the events; refreshed_at stays
SET segment.as_of = '2024-01-11 06:00:00+00';
SELECT segment.recut('customers', 'quintile');
SELECT name, version, cuts, made_at, population, shares FROM segment.bands ORDER BY position;
SELECT refreshed_at, count(*) FROM customers GROUP BY 1 ORDER BY 1;
SELECT customer, segment, label, entered_at, left_at FROM customers_history WHERE customer IN (1, 10, 31, 45) ORDER BY 1, 2, 4;
SELECT * FROM segment.verify('customers');
-- the cut points are those of plain SQL
SELECT cuts = (SELECT percentile_disc('{0.2,0.4,0.6,0.8}'::float8[]) WITHIN GROUP (ORDER BY total)::text[] FROM customers) AS as_plain_sql
FROM segment.bands WHERE name = 'quintile';
-- made again they are no new version; a rebuild makes all of them
SELECT segment.recut('customers', 'quintile');
CALL segment.rebuild('customers');
SELECT name, version, population, shares FROM segment.bands ORDER BY position;
SELECT band, version, cuts FROM segment.config_band_cut WHERE tbl = 'customers'::regclass ORDER BY 1, 2;

-- a recut is undone with its transaction, and needs its own snapshots
BEGIN;
DELETE FROM event WHERE customer > 5;
CALL segment.refresh('customers');
SELECT segment.recut('customers', 'quintile');
SELECT customer, total, quintile FROM customers ORDER BY 1;
SELECT * FROM segment.verify('customers');
ROLLBACK;
SELECT version, population FROM segment.bands WHERE name = 'quintile';
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT segment.recut('customers', 'quintile');
ROLLBACK;
SELECT * FROM segment.verify('customers');

-- columns that read bands: with time, level upon level, and a band of them
SELECT segment.add_segment('customers', 'champion', 'quintile = 5 AND last_at > now() - interval ''10 days''');
SELECT segment.add_score('customers', 'rfm', 'quintile * 10 + recency');
SELECT segment.add_band('customers', 'half', 'rfm', 2);
SELECT segment.add_group('customers', 'care', 'best', 'half = 2 AND champion', 'good', 'half = 2', 'rest', 'half IS NOT NULL');
CALL segment.refresh('customers');
SELECT half, care, champion, count(*), min(valid_until), max(valid_until) FROM customers GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
SELECT name, cuts FROM segment.bands WHERE name = 'half';
SELECT * FROM segment.verify('customers');
SELECT try('SELECT segment.drop_band(''customers'', ''half'')'), try('SELECT segment.drop_score(''customers'', ''rfm'')'),
	   try('SELECT segment.set_eligible(''customers'', ''total > 3 OR half = 2'')'), try('SELECT segment.set_eligible(''customers'', ''champion'')');
-- after valid_until has come for some, a recut leaves those to the refresh
INSERT INTO event SELECT 60 + n, '2024-01-05', 1000 + n FROM generate_series(1, 15) n;
CALL segment.refresh('customers');
SET segment.as_of = '2024-01-15 00:00:00+00';
SELECT segment.recut('customers', 'quintile');
SELECT champion, care, count(*) FROM customers GROUP BY 1, 2 ORDER BY 1, 2;
SELECT * FROM segment.verify('customers');
CALL segment.refresh('customers');
SELECT champion, care, count(*) FROM customers GROUP BY 1, 2 ORDER BY 1, 2;
SELECT * FROM segment.verify('customers');
SELECT segment.recut('customers', 'half');
SELECT segment.recut('customers', 'recency');
SELECT * FROM segment.verify('customers');
SET segment.as_of = '2024-01-14 00:00:00+00';
SELECT try('SELECT segment.recut(''customers'', ''half'')');
SET segment.as_of = '2024-01-20 00:00:00+00';
SELECT * FROM segment.verify('customers');

-- eligibility decides who is ranked
SELECT segment.set_eligible('customers', 'total > 10');
CALL segment.refresh('customers');
SELECT name, population, shares FROM segment.bands ORDER BY position;
SELECT * FROM segment.verify('customers');

-- a score of another type: the cut points are made anew
CREATE TABLE price (customer int, at timestamptz, amount numeric);
SELECT segment.add_source('customers', 'price', key => 'customer', at => 'at', value => 'amount');
CALL segment.refresh('customers');
SELECT version, type FROM segment.config_band_cut WHERE tbl = 'customers'::regclass AND band = 'quintile' ORDER BY 1;
SELECT * FROM segment.verify('customers');

-- going back in time takes the bands back too; a band that is dropped
SET segment.as_of = '2024-01-12 00:00:00+00';
CALL segment.refresh('customers');
SELECT * FROM segment.verify('customers');
SELECT segment.drop_group('customers', 'care');
SELECT segment.drop_band('customers', 'half');
SELECT count(*) FROM customers_history WHERE segment = 'half' AND left_at IS NULL;
SELECT count(*) FROM segment.config_band_cut WHERE band = 'half';
CALL segment.refresh('customers');
SELECT * FROM segment.verify('customers');
SELECT segment.drop_table('customers');
SELECT count(*) FROM segment.config_band_cut WHERE band = 'quintile';
DROP TABLE event, price;

-- a score that moves at every instant, and what reads its band
CREATE TABLE event (customer int, at timestamptz, amount int);
SELECT segment.create_table('customers', 'customer', 'int');
SELECT segment.add_source('customers', 'event', key => 'customer', at => 'at', value => 'amount');
SELECT segment.add_score('customers', 'love', 'segment.engagement(at, value, interval ''7 days'')');
SELECT segment.add_band('customers', 'fan', 'love', 3);
SELECT segment.add_segment('customers', 'top_fan', 'fan = 3');
INSERT INTO event SELECT n, timestamptz '2024-01-01' + n * interval '1 hour', n FROM generate_series(1, 9) n;
SET segment.as_of = '2024-01-10 00:00:00+00';
CALL segment.refresh('customers');
INSERT INTO event SELECT 20 + n, timestamptz '2024-01-01' + n * interval '1 hour', n + 3 FROM generate_series(1, 9) n;
SET segment.as_of = '2024-01-10 12:00:00+00';
CALL segment.refresh('customers');
SELECT segment.recut('customers', 'fan');
SELECT refreshed_at, fan, top_fan, count(*) FROM customers GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
SELECT name, unanalyzed, max_age, population, shares FROM segment.bands ORDER BY name;
SELECT * FROM segment.verify('customers');
-- one whose value is good for refreshed_at alone: everybody is computed from the events
SELECT segment.add_segment('customers', 'lucky_fan', 'fan = 3 AND to_char(now(), ''MI'') = ''30''');
CALL segment.refresh('customers');
SET segment.as_of = '2024-01-10 12:30:00+00';
INSERT INTO event VALUES (1, '2024-01-10 12:30', 1000);
SELECT segment.recut('customers', 'fan');
SELECT refreshed_at, fan, lucky_fan, count(*) FROM customers GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
CALL segment.refresh('customers');
SELECT * FROM segment.verify('customers');
SELECT segment.drop_table('customers');
DROP TABLE event;

-- any type that has an order, exactly; attributes too
CREATE DOMAIN points AS int;
CREATE TYPE mood AS ENUM ('sad', 'so so', 'glad');
CREATE TABLE person (id int, i int2, n numeric, f float8, t timestamptz, d date, s interval, p points, m mood, w text, v varchar(9), u uuid);
SELECT segment.create_table('people', 'id', 'int', 'Europe/Berlin');
SELECT segment.add_attributes('people', 'person', 'id',
	'{"i": "i", "n": "n", "f": "f", "t": "t", "d": "d", "s": "s", "p": "p", "m": "m", "w": "w", "v": "v", "u": "u"}');
SELECT segment.add_band('people', 'band_' || c, c, 4, descending => c IN ('f', 'd', 'w')) FROM unnest('{i,n,f,t,d,s,p,m,w,v,u}'::text[]) c;
INSERT INTO person
SELECT k, k % 7, CASE k % 9 WHEN 0 THEN 'NaN' WHEN 1 THEN 'Infinity' WHEN 2 THEN NULL ELSE (k % 9) / 3.0 END,
	   CASE k % 8 WHEN 0 THEN 'NaN' WHEN 1 THEN '-Infinity' WHEN 2 THEN '-0' WHEN 3 THEN 0 ELSE 0.1 * (k % 8) + 0.2 END,
	   CASE k % 6 WHEN 0 THEN timestamptz 'infinity' ELSE timestamptz '2024-03-31 00:30:00.000001+00' + k % 6 * interval '1 hour' END,
	   CASE k % 6 WHEN 0 THEN date '-infinity' ELSE date '0044-03-15 BC' + k % 6 END,
	   CASE k % 5 WHEN 0 THEN interval '1 month' WHEN 1 THEN '30 days' WHEN 2 THEN '-1 day' WHEN 3 THEN '720:00:00' ELSE '1 year' END,
	   k % 10, (enum_range(NULL::mood))[1 + k % 3], CASE k % 4 WHEN 0 THEN '' WHEN 1 THEN '{"a,\' WHEN 2 THEN 'NULL' ELSE 'Zoë''s' END,
	   'v' || k % 5, md5((k % 11)::text)::uuid
FROM generate_series(1, 40) k;
SET datestyle = 'German';
SET intervalstyle = 'iso_8601';
SET extra_float_digits = 0;
CALL segment.refresh('people');
RESET extra_float_digits;
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
SELECT name, cuts FROM segment.bands WHERE name NOT IN ('band_f', 'band_s', 'band_w') ORDER BY position;
SELECT * FROM segment.verify('people');
-- as plain SQL has it: the highest of the lowest quarter, and so on; how many lie below
CREATE FUNCTION wrong(c text, down bool) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
	result bigint;
BEGIN
	EXECUTE format('WITH a AS (SELECT array_agg(%1$I ORDER BY %1$I) AS v, count(%1$I) AS n FROM people WHERE %1$I IS NOT NULL),
		cut AS (SELECT v[ceil(g * n / 4.0)] AS c FROM a, generate_series(1, 3) g)
		SELECT count(*) FROM people WHERE %2$I IS DISTINCT FROM
		CASE WHEN %1$I IS NOT NULL THEN (SELECT CASE WHEN %3$L THEN 4 - count(*) ELSE 1 + count(*) END FROM cut WHERE c < %1$I) END', c, 'band_' || c, down) INTO result;
	RETURN result;
END $$;
SELECT c, wrong(c, c IN ('f', 'd', 'w')) FROM unnest('{i,n,f,t,d,s,p,m,w,v,u}'::text[]) c WHERE wrong(c, c IN ('f', 'd', 'w')) > 0;
SELECT segment.recut('people', 'band_' || c) FROM unnest('{i,n,f,t,d,s,p,m,w,v,u}'::text[]) c;
SELECT count(*), max(version) FROM segment.bands;	-- equal cut points are no new version
-- as many bands as customers: each has its own
SELECT segment.add_band('people', 'rank', 'key', 40) FROM (SELECT segment.add_score('people', 'key', 'id')) k;
CALL segment.refresh('people');
SELECT count(*) FROM people WHERE rank <> id;

-- what a recut makes of a time was not always so: the row is of now then
CREATE TABLE call (customer int, at timestamptz, amount int);
INSERT INTO call SELECT n, timestamptz '2024-01-10 00:00:00+00' - n * interval '1 hour', n FROM generate_series(1, 30) n;
SET segment.as_of = '2024-01-10 00:00:00+00';
SELECT segment.create_table('callers', 'customer', 'int');
SELECT segment.add_source('callers', 'call', key => 'customer', at => 'at', value => 'amount');
SELECT segment.add_score('callers', 'total', 'sum(value)');
SELECT segment.add_score('callers', 'last_at', 'max(at)');
SELECT segment.add_band('callers', 'third', 'total', 3);
SELECT segment.add_segment('callers', 'quiet', 'third = 2 AND last_at < now() - interval ''1 day''');
CALL segment.refresh('callers');
SET segment.as_of = '2024-01-10 06:00:00+00';
INSERT INTO call SELECT 100 + n, segment.now(), 100 + n FROM generate_series(1, 12) n;
CALL segment.refresh('callers');
SELECT segment.recut('callers', 'third');
SELECT * FROM segment.verify('callers');
SET segment.as_of = '2024-01-10 03:00:00+00';
SELECT * FROM segment.verify('callers');
SET segment.as_of = '2024-01-10 06:00:00+00';
SET client_min_messages = error;
SELECT segment.add_score('callers', 'second', 'extract(second FROM now())');
SELECT segment.add_segment('callers', 'both', 'quiet AND second >= 0');
SET client_min_messages = warning;
CALL segment.refresh('callers');
SET segment.as_of = '2024-01-10 12:00:00+00';
INSERT INTO call SELECT 200 + n, segment.now(), 1 FROM generate_series(1, 24) n;
CALL segment.refresh('callers');
SELECT segment.recut('callers', 'third');
SELECT * FROM segment.verify('callers');
-- scores that wait to be computed anew are, before cut points are made of them
SELECT segment.add_score('callers', 'twice', 'total * 2');
SELECT segment.add_band('callers', 'by_twice', 'twice', 2);
CALL segment.refresh('callers');
SELECT segment.alter_score('callers', 'twice', 'total * -2');
SELECT segment.recut('callers', 'by_twice');
SELECT new_columns FROM segment.status WHERE tbl = 'callers'::regclass;
CALL segment.refresh('callers');
SELECT version, cuts, shares FROM segment.bands WHERE name = 'by_twice';
SELECT * FROM segment.verify('callers');
-- who is dirty when a band is altered does not lose it, nor what reads it, until the others have it
SELECT segment.add_segment('callers', 'second_half', 'by_twice = 2');
CALL segment.refresh('callers');
SELECT segment.alter_band('callers', 'by_twice', 'total', 2, true);
INSERT INTO call VALUES (1, '2024-01-10 11:00:00+00', 0);
SET segment.as_of = '2024-01-10 12:00:01+00';
CALL segment.refresh('callers');
SELECT segment, label, entered_at, left_at FROM callers_history
WHERE customer = 1 AND segment IN ('by_twice', 'second_half') ORDER BY 1, 3;
SELECT * FROM segment.verify('callers');
SELECT segment.drop_table('callers');
SET segment.as_of = '2024-01-10 12:30:00+00';

-- who may read the table sees its bands, and nobody else
CREATE ROLE regress_segment_bands_reader;
GRANT USAGE ON SCHEMA bands TO regress_segment_bands_reader;
SET ROLE regress_segment_bands_reader;
SELECT count(*) FROM segment.bands;
SELECT segment.band_shares('people'::regclass, 'rank') IS NOT NULL AS allowed;
SELECT segment.recut('people', 'rank');
RESET ROLE;
GRANT SELECT ON people TO regress_segment_bands_reader;
SET ROLE regress_segment_bands_reader;
SELECT name, shares FROM segment.bands WHERE name = 'band_m';
RESET ROLE;
-- nor what the cut points say of customers whom row level security hides from them; row_security off breaks nothing
ALTER TABLE people ENABLE ROW LEVEL SECURITY;
SET ROLE regress_segment_bands_reader;
SELECT name, version, cuts, population, shares, ideal FROM segment.bands WHERE name = 'band_m';
SELECT segment.band_shares('people', 'band_m');
SET row_security = off;
SELECT count(*), count(cuts), count(shares) FROM segment.bands WHERE tbl = 'people'::regclass;
RESET row_security;
RESET ROLE;
ALTER TABLE people DISABLE ROW LEVEL SECURITY;
SELECT segment.band_shares(1::regclass, 'band_m');	-- as of a table that has been dropped

-- a recut is a run; where constraints are deferred it says what to do
SELECT kind, status, processed, changed FROM segment.runs WHERE tbl = 'people'::regclass AND kind = 'recut' ORDER BY id DESC LIMIT 1;
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON people DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION nothing();
UPDATE people SET i = -i;
SELECT try('SELECT segment.recut(''people'', ''band_i'')');
BEGIN;
SET CONSTRAINTS ALL IMMEDIATE;
SELECT segment.recut('people', 'band_i');
SELECT kind, status, processed > 0 AS processed, changed > 0 AS changed FROM segment.runs WHERE tbl = 'people'::regclass ORDER BY id DESC LIMIT 1;
ROLLBACK;
-- a column dropped by hand hides no other band
SET session_replication_role = replica;
ALTER TABLE people DROP COLUMN band_u;
RESET session_replication_role;
SELECT count(*), count(shares) FROM segment.bands;
SELECT segment.drop_table('people');
DROP SCHEMA bands CASCADE;
DROP ROLE regress_segment_bands_reader;
