-- Arms of experiments: the same for ever, as likely as their weights, independent.
CREATE SCHEMA arms;
SET search_path = arms;
SET client_min_messages = warning;

-- What no version may change.
SELECT k, segment.arm(k, 'spring', '{"control": 10, "mail": 90}') AS spring, segment.arm(k, 'summer', '{"control": 1, "mail": 1}') AS summer,
	segment.arm(k, 'summer', '{"a": 0.2, "b": 0.3, "c": 0.5}') AS three
FROM generate_series(1, 20) k;
SELECT md5(string_agg(segment.arm(k, 'spring', '{"a": 1, "b": 2, "c": 3, "d": 4}'), '' ORDER BY k)) FROM generate_series(-5000, 5000) k;
SELECT k, segment.arm(k, U&'Fr\00FChling', U&'{"A": 1, "\00C4": 1, "B": 1}'::jsonb) FROM (VALUES (U&'J\00FCrgen'), ('anna@example.com'), (''), ('O''Hara'), (' '), (U&'\+01F6D2')) v(k);
SELECT k, segment.arm(k, 'spring', '{"a": 1, "b": 1, "c": 1}') FROM (VALUES ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid), ('00000000-0000-0000-0000-000000000000')) v(k);
SELECT k, segment.arm(k, 'spring', '{"a": 1, "b": 1, "c": 1}') FROM (VALUES (9223372036854775807), (-9223372036854775808), (0)) v(k);

-- The rule in plain SQL.
CREATE FUNCTION plain(k text, experiment text, weights jsonb) RETURNS text LANGUAGE sql AS $$
	WITH arm AS (SELECT name, sum(weight::float8) OVER (ORDER BY octet_length(name), name COLLATE "C") AS ends, sum(weight::float8) OVER () AS total
		FROM jsonb_each_text(weights) w(name, weight))
	SELECT name FROM arm,
		(SELECT ('x' || left(encode(sha256(convert_to(experiment, 'UTF8') || '\x00' || convert_to(k, 'UTF8')), 'hex'), 16))::bit(64) AS b) h,
		LATERAL (SELECT ((b >> 11)::bigint)::float8 / 9007199254740992 AS place) p
	WHERE place * total < ends ORDER BY ends LIMIT 1
$$;
SELECT count(*) FROM generate_series(1, 3000) k, (VALUES ('spring', '{"control": 10, "mail": 90}'::jsonb), ('e', '{"zz": 0.1, "b": 1e3, "a": 777, "ccc": 50.5}'), ('x', '{"all": 1}')) v(e, w)
WHERE segment.arm(k, e, w) IS DISTINCT FROM plain(k::text, e, w);

-- One key, whatever its type; the order of the weights and their unit say nothing.
CREATE DOMAIN id AS int;
SELECT count(DISTINCT arms), bool_and(arms[1] = ALL (arms)) FROM generate_series(1, 2000) k,
	LATERAL (SELECT ARRAY[segment.arm(k, 'e', '{"a": 1, "b": 3}'), segment.arm(k::bigint, 'e', '{"b": 3, "a": 1}'), segment.arm(k::text, 'e', '{"a": 25, "b": 75}'), segment.arm(k::varchar, 'e', '{"a": 0.25, "b": 0.75}'),
		segment.arm(k::id, 'e', '{"a": 1, "b": 3}'), segment.arm(k::text::name, 'e', '{"a": 1, "b": 3}')] AS arms) a;
SELECT segment.arm(7::smallint, 'e', '{"a": 1, "b": 1}') = segment.arm('7', 'e', '{"a": 1, "b": 1}') AS equal,
	bool_and(segment.arm(u, 'e', '{"a": 1, "b": 1}') = segment.arm(u::text, 'e', '{"a": 1, "b": 1}')) AS uuids
FROM (SELECT md5(k::text)::uuid AS u FROM generate_series(1, 100) k) u;

-- As likely as they are to be: chi-square of 100,000 keys; less than that of 99.99 % of all hashes that are perfect.
CREATE FUNCTION chi_square(arms text[], weights float8[]) RETURNS numeric LANGUAGE sql AS $$
	SELECT round(sum((observed - expected) ^ 2 / expected)::numeric, 2)
	FROM (SELECT (SELECT count(*) FROM unnest(arms) a WHERE a = chr(96 + i::int)) AS observed,
			w / sum(w) OVER () * cardinality(arms) AS expected FROM unnest(weights) WITH ORDINALITY u(w, i)) c
$$;
CREATE TABLE key AS SELECT k, segment.arm(k, 'even', '{"a": 1, "b": 1, "c": 1, "d": 1, "e": 1, "f": 1, "g": 1, "h": 1, "i": 1, "j": 1}') AS even,
	segment.arm(k, 'odd', '{"a": 1, "b": 1, "c": 1, "d": 1, "e": 1, "f": 1, "g": 1, "h": 1, "i": 1, "j": 1}') AS odd,
	segment.arm(k, 'weighted', '{"a": 1, "b": 9, "c": 40, "d": 50}') AS weighted,
	segment.arm('customer-' || k || '@example.com', 'text', '{"a": 1, "b": 1, "c": 1, "d": 1, "e": 1, "f": 1, "g": 1, "h": 1, "i": 1, "j": 1}') AS text,
	segment.arm(k * 1000, 'even', '{"a": 1, "b": 1, "c": 1, "d": 1, "e": 1, "f": 1, "g": 1, "h": 1, "i": 1, "j": 1}') AS sparse
FROM generate_series(1, 100000) k;
SELECT x2, x2 < most AS passes FROM (SELECT array_agg(even) AS even, array_agg(odd) AS odd, array_agg(weighted) AS weighted, array_agg(text) AS text, array_agg(sparse) AS sparse FROM key) k,
	LATERAL (VALUES (chi_square(even, '{1,1,1,1,1,1,1,1,1,1}'), 33.72), (chi_square(odd, '{1,1,1,1,1,1,1,1,1,1}'), 33.72), (chi_square(weighted, '{1,9,40,50}'), 21.11),
		(chi_square(text, '{1,1,1,1,1,1,1,1,1,1}'), 33.72), (chi_square(sparse, '{1,1,1,1,1,1,1,1,1,1}'), 33.72)) v(x2, most);
-- Two experiments, and an experiment with keys that are alike, say nothing of each other: 81 degrees of freedom.
SELECT round(sum((n - e) ^ 2 / e), 2) AS x2, sum((n - e) ^ 2 / e) < 136.6 AS passes FROM (SELECT count(*) AS n, sum(count(*)) OVER (PARTITION BY even) * sum(count(*)) OVER (PARTITION BY odd) / 100000 AS e FROM key GROUP BY even, odd) c;
SELECT round(sum((n - e) ^ 2 / e), 2) AS x2, sum((n - e) ^ 2 / e) < 136.6 AS passes FROM (SELECT count(*) AS n, sum(count(*)) OVER (PARTITION BY a.even) * sum(count(*)) OVER (PARTITION BY b.even) / 99999 AS e FROM key a JOIN key b ON b.k = a.k + 1 GROUP BY a.even, b.even) c;
-- A name and a key do not run into each other.
SELECT count(*) BETWEEN 400 AND 600 AS independent FROM generate_series(1, 1000) k WHERE segment.arm('1' || k, 'e', '{"a": 1, "b": 1}') = segment.arm(k::text, 'e1', '{"a": 1, "b": 1}');
SELECT provolatile, proparallel, proisstrict, count(*) FROM pg_proc WHERE oid::regproc::text = 'segment.arm' GROUP BY 1, 2, 3;
SELECT segment.arm(NULL::text, 'e', '{"a": 1}'), segment.arm(1, NULL, '{"a": 1}'), segment.arm(1, 'e', NULL);

-- Refused.
SELECT segment.arm(1, 'e', '{}');
SELECT segment.arm(1, 'e', '[]');
SELECT segment.arm(1, 'e', '[1, 2]');
SELECT segment.arm(1, 'e', '3');
SELECT segment.arm(1, 'e', '"a"');
SELECT segment.arm(1, 'e', 'null');
SELECT segment.arm(1, '', '{"a": 1}');
SELECT segment.arm(1, 'e', '{"": 1}');
SELECT segment.arm(1, 'e', '{"a": 0, "b": 1}');
SELECT segment.arm(1, 'e', '{"a": 1, "b": -1}');
SELECT segment.arm(1, 'e', '{"a": "NaN"}');
SELECT segment.arm(1, 'e', '{"a": "1"}');
SELECT segment.arm(1, 'e', '{"a": null}');
SELECT segment.arm(1, 'e', '{"a": true}');
SELECT segment.arm(1, 'e', '{"a": {"b": 1}}');
SELECT segment.arm(1, 'e', '{"a": [1]}');
SELECT segment.arm(1, 'e', '{"a": 1e400}');
SELECT segment.arm(1, 'e', '{"a": 1e308, "b": 1e308}');
SELECT segment.arm(1, 'e', '{"a": 1e-400}');
SELECT segment.arm(1.5, 'e', '{"a": 1}');
-- the last of two of a name counts, as in any jsonb; a weight may be as small and as large as a float8
SELECT segment.arm(1, 'e', '{"a": 1, "a": 2}'), segment.arm(1, 'e', '{"a": 1e-300, "b": 1e300}');

-- In rules: whoever comes later moves nobody.
CREATE TABLE event (customer int, at timestamptz);
INSERT INTO event SELECT k, '2024-05-01 00:00+00' FROM generate_series(1, 500) k;
SELECT segment.create_table('customers', 'customer', 'int');
SELECT segment.add_source('customers', 'event', key => 'customer', at => 'at');
SELECT segment.add_group('customers', 'spring', 'holdout', $$arm(customer, 'spring', '{"holdout": 10, "mail": 90}') = 'holdout'$$, 'mail', 'true');
SELECT segment.add_segment('customers', 'holdout', $$arm(customer, 'spring', '{"holdout": 10, "mail": 90}') = 'holdout'$$);
SELECT segment.add_score('customers', 'arm', $$arm(customer::text, 'spring', '{"holdout": 10, "mail": 90}')$$);
SELECT unanalyzed FROM segment.segments WHERE tbl = 'customers'::regclass UNION SELECT unanalyzed FROM segment.scores WHERE tbl = 'customers'::regclass;
SET segment.as_of = '2024-06-01 00:00+00';
CALL segment.refresh('customers');
SELECT spring, holdout, arm, count(*), min(valid_until) FROM customers GROUP BY 1, 2, 3 ORDER BY 1;
CREATE TABLE before AS SELECT customer, arm FROM customers;
INSERT INTO event SELECT k, '2024-05-01 00:00+00' FROM generate_series(501, 700) k;
SET segment.as_of = '2024-06-02 00:00+00';
CALL segment.refresh('customers');
SELECT count(*), count(*) FILTER (WHERE a.arm = b.arm) FROM customers a JOIN before b USING (customer);
SELECT * FROM segment.verify('customers');
SELECT segment.drop_table('customers');
DROP SCHEMA arms CASCADE;
