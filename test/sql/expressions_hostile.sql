-- Expressions that try to be more than one expression, or to reach what they
-- must not: each is refused with its error, or proven harmless.
SET client_min_messages = warning;
CREATE ROLE regress_segment_hostile;
CREATE SCHEMA hostile AUTHORIZATION regress_segment_hostile;
GRANT CREATE ON SCHEMA public TO regress_segment_hostile;
SET ROLE regress_segment_hostile;
SET search_path = hostile, public;
SET timezone = 'UTC';
SET segment.as_of = '2024-06-01 00:00:00+00';

CREATE TABLE hostile.event (customer bigint, at timestamptz, kind text, amount numeric, tags text[]);
CREATE TABLE hostile.secret (word text);
CREATE SEQUENCE hostile.seq;
INSERT INTO hostile.event VALUES (1, '2024-05-01 00:00+00', 'Buy', 10, '{a,b}'), (1, '2024-05-02 00:00+00', 'view', 20, '{}'),
								 (2, '2024-04-01 00:00+00', 'buy', 5, NULL);
SELECT segment.create_table('hostile.customers', 'customer');
SELECT segment.add_source('hostile.customers', 'hostile.event', key => 'customer', at => 'at', event => 'kind', value => 'amount');
SELECT segment.add_score('hostile.customers', 'n', 'count(*)');
SELECT segment.add_score('hostile.customers', 'total', 'sum(value)');
SELECT segment.add_score('hostile.customers', 'last_at', 'max(at)');
CALL segment.refresh('hostile.customers');

-- Tries an expression in a place, undoes it, and says what came of it.
CREATE FUNCTION hostile.try(place text, expression text) RETURNS text
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
	hint text;
BEGIN
	CASE place
		WHEN 'rule' THEN PERFORM segment.add_segment('customers', 'tried', expression);
		WHEN 'score' THEN PERFORM segment.add_score('customers', 'tried', expression);
		WHEN 'eligible' THEN PERFORM segment.set_eligible('customers', expression);
		WHEN 'key' THEN PERFORM segment.add_source('customers', 'event', key => expression, at => 'at');
		WHEN 'at' THEN PERFORM segment.add_source('customers', 'event', key => 'customer', at => expression);
		WHEN 'value' THEN PERFORM segment.add_source('customers', 'event', key => 'customer', at => 'at', value => expression);
		WHEN 'extra' THEN PERFORM segment.add_source('customers', 'event', key => 'customer', at => 'at', extra => jsonb_build_object('x', expression));
		WHEN 'attribute' THEN PERFORM segment.add_attributes('customers', 'event', 'customer', jsonb_build_object('x', expression));
	END CASE;
	RAISE EXCEPTION USING errcode = 'HO000';
EXCEPTION
	WHEN SQLSTATE 'HO000' THEN
		RETURN 'accepted';
	WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
		RETURN SQLSTATE || ' ' || SQLERRM || CASE WHEN hint <> '' THEN ' -- ' || hint ELSE '' END;
END $$;

CREATE FUNCTION hostile.try_all(place text, VARIADIC expressions text[]) RETURNS SETOF text
LANGUAGE sql SET search_path FROM CURRENT AS $$
	SELECT format(E'%s\n    %s', CASE WHEN length(e) > 80 THEN left(e, 30) || '...' ELSE coalesce(e, 'NULL') END, hostile.try(place, e))
	FROM unnest(expressions) WITH ORDINALITY AS u (e, n) ORDER BY n
$$;
\pset format unaligned
\pset tuples_only on

\echo * more than one expression
SELECT hostile.try_all('rule',
	'true) UNION SELECT (true',
	'true UNION SELECT true',
	'true; DROP TABLE hostile.secret',
	'true;',
	'true)',
	'(true',
	'true) OR (true',
	'n > 1, n > 2',
	'n > 1 AS x',
	'n > 1 x',
	'*',
	'DISTINCT n > 1',
	'ALL n > 1',
	'n > 1 FROM hostile.secret',
	'n > 1 WHERE true',
	'n > 1 GROUP BY n',
	'n > 1 HAVING true',
	'n > 1 ORDER BY n',
	'n > 1 LIMIT 1',
	'n > 1 OFFSET 1',
	'n > 1 FETCH FIRST ROW ONLY',
	'n > 1 FOR UPDATE',
	'n > 1 INTO hostile.stolen',
	'INTO hostile.stolen n > 1',
	'n > 1 WINDOW w AS ()',
	'VALUES (true)',
	'SELECT true',
	'TABLE hostile.secret',
	'x := true',
	'DEFAULT');

\echo * text that is no expression
SELECT hostile.try_all('rule', '', ' ', E'\n\t', '-- nothing', '/* nothing */', ';', '''', '"', '$$', 'n >', '> n', E'n > 1 \\', '\g', 'n > 1 \; DROP TABLE hostile.secret');

\echo * comments
SELECT hostile.try_all('rule', 'n > 1 --', 'n > 1 -- the rest) swallowed', 'n > 1 /*', 'n > 1 /* closed */', '/* a */ n /* b */ > 1', 'n > 1 */', E'n --\n> 1', 'n > 1 /* nested /* only one */');

\echo * volatile, set-returning, window functions
SELECT hostile.try_all('rule', 'random() < 0.5', 'clock_timestamp() > last_at', 'nextval(''hostile.seq'') > 1', 'setval(''hostile.seq'', 5) > 1',
	'pg_sleep(0) IS NULL', 'generate_series(1, 3) > 1', 'unnest(ARRAY[true])', 'regexp_split_to_table(''a'', ''b'') = ''a''',
	'rank() OVER () > 1', 'sum(n) OVER () > 1', 'lag(n) OVER (ORDER BY n) > 1', 'gen_random_uuid() IS NULL',
	'timeofday() IS NULL', 'set_config(''role'', ''none'', false) IS NULL', 'pg_advisory_lock(1) IS NULL', 'lo_create(0) > 0',
	'query_to_xml(''SELECT 1'', true, true, '''') IS NULL', 'pg_read_file(''/etc/passwd'') IS NULL', 'current_setting(''port'') IS NULL',
	'now() > last_at', 'statement_timestamp() > last_at', 'currval(''hostile.seq'') = 1');
SELECT hostile.try_all('score', 'sum(random())', 'count(*) FILTER (WHERE random() < 0.5)', 'count(clock_timestamp())', 'generate_series(1, count(*))',
	'unnest(array_agg(event))', 'sum(value) OVER ()', 'sum(sum(value)) OVER ()', 'row_number() OVER ()');

\echo * sub-selects
SELECT hostile.try_all('rule', '(SELECT true)', 'EXISTS (SELECT FROM hostile.secret)', 'n IN (SELECT 1)', 'n = ANY (SELECT 1)', 'n > ALL (VALUES (1))',
	'n = ANY (ARRAY(SELECT 1))', 'n IN (1, 2)', 'n = ANY (ARRAY[1, 2])', '(WITH x AS (DELETE FROM hostile.secret RETURNING true) SELECT true FROM x)',
	'(n, 1) = (SELECT 1, 2)', 'CASE WHEN n > 1 THEN (SELECT true) ELSE false END');
SELECT hostile.try_all('score', 'sum((SELECT 1))', 'count(*) FILTER (WHERE EXISTS (SELECT 1))', 'array_agg(value ORDER BY (SELECT 1))', '(SELECT count(*) FROM hostile.secret)');

\echo * parameters, whole rows, system columns, other relations
SELECT hostile.try_all('rule', '$1', 'n > $1', ':n > 1', '@n > 1', 'customers IS NULL', 'customers.*  IS NULL', 'ctid IS NULL', 'tableoid = 1259', 'xmin IS NULL', 'customers.n > 1',
	'hostile.customers.n > 1', 'secret.word = ''x''', 'hostile.secret.word = ''x''', 'event.amount > 1', 'old.n > 1', 'new.n > 1', 'excluded.n > 1', 'refreshed_at < now()', 'valid_until > now()', 'customer > 1');
SELECT hostile.try_all('score', 'count(ctid)', 'count(tableoid)', 'count(amount)', 'count(kind)', 'max(customer)', 'count(event.*)', 'max(n)', 'count(valid_until)');
SELECT hostile.try_all('key', 'ctid', 'tableoid', 'event', '$1', 'random()::bigint', '(SELECT 1)', 'count(*)', 'sum(amount) OVER ()', 'generate_series(1, 2)', 'kind', 'nosuch', 'customer; DROP TABLE secret', 'customer -- x', 'customer + 1', 'now()', 'NULL', '1');
SELECT hostile.try_all('at', 'kind', 'customer', 'now()', 'clock_timestamp()', 'at + random() * interval ''1 day''', 'at + interval ''1 hour''', 'NULL', '''yesterday''', '''2024-01-01''', 'max(at)');
SELECT hostile.try_all('value', 'kind', 'amount', 'amount::float8', '1', 'tags', 'ROW(1, 2)', 'event', 'NULL', 'true', '(SELECT 1)', 'amount, 1', 'now()');
SELECT hostile.try_all('extra', 'kind', 'event', 'unnest(tags)', 'tags', '(SELECT 1)', 'kind AS y', 'NULL', 'ROW(1)', '');
SELECT hostile.try_all('attribute', 'kind', 'count(*)', '(SELECT 1)', 'random()', 'kind, kind', 'ROW(1)', 'now()', '');

\echo * aggregates where they do not belong
SELECT hostile.try_all('rule', 'count(*) > 1', 'sum(n) > 1', 'grouping(n) > 1', 'bool_or(true)', 'max(last_at) > now()');
SELECT hostile.try_all('eligible', 'count(*) > 1', 'tried', 'n > 1', 'nosuch', '1', 'random() > 0');
SELECT hostile.try_all('score', 'sum(count(*))', 'max(sum(value))', 'sum(value) FILTER (WHERE count(*) > 1)', 'value', 'count(*) + value', 'at', 'event', 'max(at) + value * interval ''1 day''',
	'n + value', 'n + count(*)', 'total + 1', 'grouping(event)', 'count(DISTINCT event)', 'string_agg(event, '','' ORDER BY at)', 'percentile_cont(0.5) WITHIN GROUP (ORDER BY value)', 'mode() WITHIN GROUP (ORDER BY event)',
	'rank(1) WITHIN GROUP (ORDER BY value)', 'count(nosuch)', 'nosuch', 'nosuch(value)', 'sum(event)', 'count(', 'count(*) FILTER (WHERE 1)', 'count(*) FILTER (event = ''buy'')', 'array_agg(value)', 'jsonb_agg(event)', 'ROW(count(*), 1)', 'NULL', '''text''', '1');

\echo * types
SELECT hostile.try_all('rule', '1', 'n', '''true''', '''maybe''', 'NULL', 'NULL::boolean', 'total', 'last_at', 'n = ''x''', 'last_at > 1', 'ROW(true)', 'ARRAY[true]', 'n::boolean', 'true', 'n > nosuch', 'NOSUCH', '"N" > 1', 'N > 1', '"n" > 1', 'U&"\006e" > 1');

\echo * unqualified names resolve in pg_catalog and segment only
CREATE FUNCTION public.lower(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE EXCEPTION 'planted lower'; END $$;
CREATE FUNCTION hostile.lower(varchar) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE EXCEPTION 'planted lower'; END $$;
CREATE FUNCTION hostile.planted(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE EXCEPTION 'planted function'; END $$;
CREATE FUNCTION pg_temp.planted(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE EXCEPTION 'planted function'; END $$;
CREATE FUNCTION public.count(bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE EXCEPTION 'planted count'; END $$;
CREATE FUNCTION public.now() RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$ BEGIN RAISE EXCEPTION 'planted now'; END $$;
CREATE FUNCTION public.planted_equal(bigint, bigint) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE EXCEPTION 'planted operator'; END $$;
CREATE FUNCTION public.planted_equal(text, text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE EXCEPTION 'planted operator'; END $$;
CREATE FUNCTION public.planted_greater(bigint, integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE EXCEPTION 'planted operator'; END $$;
CREATE OPERATOR public.= (FUNCTION = public.planted_equal, LEFTARG = bigint, RIGHTARG = bigint);
CREATE OPERATOR public.= (FUNCTION = public.planted_equal, LEFTARG = text, RIGHTARG = text);
CREATE OPERATOR public.> (FUNCTION = public.planted_greater, LEFTARG = bigint, RIGHTARG = integer);
SET search_path = public, hostile, pg_temp, pg_catalog;
SELECT hostile.try_all('rule', 'planted(''x'') = ''x''', 'pg_temp.planted(''x'') = ''x''', 'n OPERATOR(public.>) 1');
SELECT segment.add_score('hostile.customers', 'buys', 'count(*) FILTER (WHERE lower(event) = ''buy'')');
SELECT segment.add_score('hostile.customers', 'days', 'count(at) FILTER (WHERE at > now() - interval ''45 days'')');
SELECT segment.add_segment('hostile.customers', 'buyer', 'buys > 0 AND n = n');
CALL segment.refresh('hostile.customers');
SELECT * FROM segment.verify('hostile.customers');
SELECT segment.current('hostile.customers', '1') ->> 'buys';
INSERT INTO hostile.event VALUES (3, '2024-05-01 00:00+00', 'BUY', 1);
CALL segment.rebuild('hostile.customers');
SET search_path = hostile, public;
SELECT customer, n, buys, days, buyer FROM hostile.customers ORDER BY customer;
DROP OPERATOR public.= (bigint, bigint);
DROP OPERATOR public.= (text, text);
DROP OPERATOR public.> (bigint, integer);
DROP FUNCTION public.lower(text), hostile.lower(varchar), public.count(bigint), public.now(), hostile.planted(text), pg_temp.planted(text);
DROP FUNCTION public.planted_equal(bigint, bigint), public.planted_equal(text, text), public.planted_greater(bigint, integer);

\echo * long and deep
SELECT hostile.try('rule', repeat('(', 100) || 'n > 1' || repeat(')', 100)),
	   hostile.try('rule', 'n > 1' || repeat(' AND n > 1', 1000)),
	   hostile.try('rule', repeat('NOT ', 500) || 'n > 1'),
	   hostile.try('rule', 'n > ' || repeat('1 + ', 500) || '1'),
	   hostile.try('rule', 'n IN (1' || repeat(', 1', 10000) || ')'),
	   length(hostile.try('rule', 'length(''' || repeat('x', 1000000) || ''') > 1'));
SELECT left(hostile.try('rule', repeat('(', 20000) || 'n > 1' || repeat(')', 20000)), 60);
SELECT left(hostile.try('rule', 'n > ' || repeat('- ', 30000) || '1'), 60);

\echo * names
CREATE FUNCTION hostile.try_name(name text) RETURNS text
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
	hint text;
	seen bool;
BEGIN
	PERFORM segment.add_score('customers', name, 'count(*)');
	PERFORM segment.add_segment('customers', 'uses', quote_ident(name) || ' > 1');
	CALL segment.refresh('customers');
	SELECT every((to_jsonb(this_row) ->> name)::int = this_row.n AND this_row.uses = (this_row.n > 1)) INTO seen FROM customers this_row;
	seen := seen AND NOT EXISTS (SELECT FROM segment.verify('customers'));
	RAISE EXCEPTION USING errcode = 'HO000';
EXCEPTION
	WHEN SQLSTATE 'HO000' THEN
		RETURN CASE WHEN seen THEN 'works' ELSE 'wrong' END;
	WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
		RETURN SQLSTATE || ' ' || SQLERRM || CASE WHEN hint <> '' THEN ' -- ' || hint ELSE '' END;
END $$;
SELECT format('%s: %s', name, hostile.try_name(name)) FROM unnest(ARRAY[
	'we"ird name; drop', 'select', 'user', 'order', 'table', 'now', 'count', 'Upper', 'ünïcödé 客户', '1', '%s', '$1', E'back\\slash', E'two\nlines', '''', '""', ' ', '--', '/*', '{T}',
	'at', 'event', 'value', 'item', 'source', 'key', 'was', 'member', 'stored', 'excluded', 'new', 'old', 'label', 'problem', 'segment', 'as_of', 'crossing', 'due', 'customers',
	repeat('n', 62), repeat('n', 63), repeat('n', 64), repeat('é', 31), repeat('é', 32),
	'', 'customer', 'n', 'refreshed_at', 'valid_until', 'ctid', 'tableoid', 'xmin', '__segment_eligible', '__segment_x']) WITH ORDINALITY AS u (name, i) ORDER BY i;

\echo * tables with such names
CREATE FUNCTION hostile.try_table(name text, key text) RETURNS text
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
	made regclass;
	hint text;
	rows bigint;
BEGIN
	made := segment.create_table(name, key);
	PERFORM segment.add_source(made, 'event', key => 'customer', at => 'at');
	PERFORM segment.add_score(made, 'n', 'count(*)');
	PERFORM segment.add_segment(made, 'many', 'n > 1');
	CALL segment.refresh(made);
	EXECUTE format('SELECT count(*) FROM %s', made) INTO rows;
	rows := rows + (SELECT count(*) FROM segment.verify(made));
	RAISE EXCEPTION USING errcode = 'HO000', message = format('%s, %s rows', made, rows);
EXCEPTION
	WHEN SQLSTATE 'HO000' THEN
		RETURN SQLERRM;
	WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
		RETURN SQLSTATE || ' ' || SQLERRM || CASE WHEN hint <> '' THEN ' -- ' || hint ELSE '' END;
END $$;
-- all letters, for those that a query could use for itself
SELECT string_agg(letter || ': ' || hostile.try_name(letter), E'\n' ORDER BY letter) FROM regexp_split_to_table('abcdefghijklmopqrstuvwxyz', '') letter WHERE hostile.try_name(letter) <> 'works';
SELECT string_agg(letter || ': ' || hostile.try_table('t', letter), E'\n' ORDER BY letter) FROM regexp_split_to_table('abcdefghijklmopqrstuvwxyz', '') letter WHERE hostile.try_table('t', letter) <> 't, 3 rows';
SELECT format('%s (%s): %s', name, key, hostile.try_table(name, key)) FROM (VALUES
	('plain', 'id'), ('hostile.qualified', 'id'), ('"Quoted ""name""; drop"', 'we"ird; key'), ('"select"', 'select'), ('select', 'order'), ('ünïcödé', '客户'), ('Upper', 'Upper'),
	(repeat('t', 54), 'id'), (repeat('t', 55), 'id'), (repeat('t', 56), 'id'), (repeat('t', 63), 'id'), (repeat('t', 64), 'id'),
	('a.b.c', 'id'), ('nosuch.t', 'id'), ('', 'id'), ('t; DROP TABLE hostile.secret', 'id'), ('t', ''), ('pg_catalog.t', 'id'), ('segment.t', 'id'), ('public.t', 'id'), ('pg_temp.t', 'id'),
	('t', 'at'), ('t', 'event'), ('t', 'segment'), ('t', 'label'), ('t', 'refreshed_at'), ('t', 'valid_until'), ('t', 'entered_at'), ('t', 'n'), ('t', '__segment_key'), ('t', 'ctid'), ('customers', 'id'), ('event', 'id')) AS v (name, key);

\echo * NULL
SELECT left(hostile.try(place, NULL), 5), place FROM unnest('{rule,score,key,at,extra,attribute}'::text[]) place;
SELECT left(hostile.try_table('t', NULL), 5), left(hostile.try_table(NULL, 'id'), 5);

\echo * nothing was done
SELECT count(*) FROM hostile.secret;
SELECT count(*) FROM pg_class WHERE relname = 'stolen';
SELECT last_value, is_called FROM hostile.seq;
SELECT current_user, current_setting('role');
SELECT * FROM segment.verify('hostile.customers');

RESET ROLE;
SELECT segment.drop_table('hostile.customers');
DROP SCHEMA hostile CASCADE;
REVOKE CREATE ON SCHEMA public FROM regress_segment_hostile;
DROP ROLE regress_segment_hostile;
