-- Expressions that PostgreSQL takes but that would not mean what they say, and
-- rules that hold parts that may fail.
CREATE SCHEMA pitfalls;
SET search_path = pitfalls;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET segment.as_of = '2024-06-01 00:00:00+00';
CREATE TABLE event (customer int, at timestamptz, kind text, amount int);
CREATE TABLE person (id int PRIMARY KEY, word text, renews timestamptz, pause interval);
INSERT INTO event VALUES (1, '2024-05-31 12:00+00', '3 days', 4), (1, '2024-05-30 00:00+00', 'shoes', 0), (2, '2024-05-01 00:00+00', 'shoes', 0), (3, '2024-05-29 00:00+00', '10 days', 2);
SELECT segment.create_table('customers', 'customer', 'int');
SELECT segment.add_source('customers', 'event', key => 'customer', at => 'at', value => 'amount', item => 'kind');
SELECT segment.add_attributes('customers', 'person', key => 'id', columns => '{"word": "word", "renews": "renews", "pause": "pause"}');
SELECT segment.add_score('customers', 'n', 'count(*)');
SELECT segment.add_score('customers', 'total', 'sum(value)');
SELECT segment.add_score('customers', 'last_at', 'max(at)');

-- What comes of an expression in a place; "exact" if all its comparisons with
-- the time are understood, "until max_age" if not.
CREATE FUNCTION try(place text, expression text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	result text;
BEGIN
	SET LOCAL client_min_messages = error;
	CASE place
		WHEN 'rule' THEN PERFORM segment.add_segment('pitfalls.customers', 'tried', expression);
		WHEN 'score' THEN PERFORM segment.add_score('pitfalls.customers', 'tried', expression);
		WHEN 'value' THEN PERFORM segment.add_source('pitfalls.customers', 'pitfalls.event', key => 'customer', at => 'at', extra => jsonb_build_object('x', expression));
		WHEN 'attribute' THEN PERFORM segment.add_attributes('pitfalls.customers', 'pitfalls.person', 'id', jsonb_build_object('x', expression));
	END CASE;
	SELECT CASE WHEN unanalyzed IS NULL THEN 'exact' ELSE 'until max_age' END INTO result FROM segment.config_column WHERE tbl = 'pitfalls.customers'::regclass AND name = 'tried';
	RAISE EXCEPTION USING errcode = 'HO000', message = coalesce(result, 'accepted');
EXCEPTION
	WHEN SQLSTATE 'HO000' THEN
		RETURN SQLERRM;
	WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
		RETURN concat_ws(': ', SQLERRM, nullif(detail, ''));
END $$;
CREATE FUNCTION try_all(place text, VARIADIC expressions text[]) RETURNS SETOF text
LANGUAGE sql AS $$ SELECT format(E'%s\n    %s', e, pitfalls.try(place, e)) FROM unnest(expressions) WITH ORDINALITY AS u (e, n) ORDER BY n $$;
\pset format unaligned
\pset tuples_only on

\echo * literals that stand for the time of the definition
SELECT try_all('rule', 'last_at < ''today''', 'last_at < ''now''', 'last_at < timestamptz ''yesterday''', 'last_at::date = ''tomorrow''', 'last_at::date = date ''TODAY''', 'last_at < '' now ''',
	'last_at < ''now''::timestamptz', 'last_at < CAST(''today'' AS timestamp)', 'last_at::time > ''now''', 'last_at < ''today 12:00''', 'last_at = ANY (''{2024-01-01,today}'')', 'last_at = ANY (''{"now"}''::timestamptz[])',
	'last_at IN (''2024-01-01'', ''yesterday'')', 'last_at <@ ''[2024-01-01,today)''::tstzrange', 'last_at::date <@ daterange ''[yesterday,tomorrow)''', 'NOT (n > 1 AND last_at < ''yesterday'')',
	'last_at BETWEEN ''yesterday'' AND ''infinity''', 'CASE WHEN last_at < ''today'' THEN true END', 'coalesce(renews, ''now'') > last_at');
\echo * the same words elsewhere
SELECT try_all('rule', 'word = ''today''', 'word IN (''now'', ''yesterday'')', 'last_at < ''2024-05-01''', 'last_at < ''infinity''', 'last_at < ''epoch''', 'last_at < timestamptz ''2024-05-01 00:00 Europe/Berlin''', 'word = ''know''', 'word LIKE ''%now%'' AND last_at < now()');
SELECT try_all('score', 'count(*) FILTER (WHERE item = ''today'')', 'count(*) FILTER (WHERE at < ''today'')', 'max(at) > ''now''', 'coalesce(max(at), ''yesterday'')', 'count(*) FILTER (WHERE at > ''2024-01-01'')');
SELECT try_all('value', 'at < ''today''', 'kind = ''today''', '''now''', '''today''::date');
SELECT try_all('attribute', 'renews < ''today''', 'word = ''today''', 'coalesce(renews, ''now'')');

\echo * functions that look at more than their arguments: at settings, which are pinned, or at others
SELECT try_all('rule', 'last_at < to_timestamp(word, ''YYYY-MM-DD'')', 'last_at > to_date(''2024'', ''YYYY'')',
	'to_char(last_at, ''YYYY'') = ''2024''', 'format(''%s'', last_at) > ''2024''', 'last_at::text > ''2024''', 'length(concat(n, last_at)) > 5', 'date_trunc(''month'', last_at) = ''2024-05-01''', 'extract(year FROM last_at) = 2024', 'last_at + pause > ''2024-01-01''',
	'last_at::timestamp > ''2024-01-01''', 'last_at = ANY (ARRAY[renews])', 'age(last_at, renews) > ''1 day''', 'now() > last_at', 'age(last_at) > ''1 day''', 'last_at AT TIME ZONE ''Europe/Berlin'' > ''2024-01-01''', 'to_jsonb(last_at) IS NOT NULL',
	'current_setting(''application_name'') = ''x''', 'session_user = ''x''', 'current_user = ''x''', 'user = ''x''', 'current_schema = ''x''', 'current_catalog = ''x''', 'current_role = ''x''', 'pg_backend_pid() = 1', 'inet_client_addr() IS NULL', 'pg_is_in_recovery()',
	'table_to_xml(''pitfalls.person''::regclass, true, false, '''') IS NULL', 'has_table_privilege(''pitfalls.person'', ''SELECT'')', 'pg_table_is_visible(1)', 'obj_description(1) IS NULL', 'to_regclass(word) IS NULL', 'pg_get_userbyid(10) = word', 'version() = word', 'txid_current_if_assigned() IS NULL',
	'word::regclass IS NULL', 'pg_postmaster_start_time() > last_at', 'pg_conf_load_time() > last_at', 'col_description(1, 1) IS NULL', 'format_type(23, NULL) = ''integer''');
CREATE FUNCTION looks(int) RETURNS bool LANGUAGE sql STABLE AS 'SELECT count(*) > $1 FROM pitfalls.person';
CREATE FUNCTION adds(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + 1';
SELECT try_all('rule', 'pitfalls.looks(1)', 'pitfalls.adds(n::int) > 1');

\echo * functions that end with the session
CREATE FUNCTION pg_temp.passing(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + 1';
CREATE FUNCTION pg_temp.less(int, int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 < $2';
CREATE OPERATOR pitfalls.<<< (FUNCTION = pg_temp.less, LEFTARG = int, RIGHTARG = int);
CREATE AGGREGATE pg_temp.most(int) (SFUNC = int4larger, STYPE = int);
SELECT try_all('rule', 'pg_temp.passing(n::int) > 1', 'n::int OPERATOR(pitfalls.<<<) 1');
SELECT try_all('score', 'sum(pg_temp.passing(value))', 'pg_temp.most(value)');
SELECT try_all('value', 'pg_temp.passing(amount)');
SELECT try_all('attribute', 'pg_temp.passing(id)');
DROP OPERATOR pitfalls.<<< (int, int);
\pset format aligned
\pset tuples_only off

-- What may fail is evaluated only where the rule itself evaluates it.
SET client_min_messages = warning;
INSERT INTO person VALUES (1, 'x', '2024-06-10 00:00+00', '2 days'), (2, '7 days', NULL, NULL), (5, 'y', '2024-06-01 12:00+00', '1 month');
SELECT segment.add_score('customers', 'spans', 'count(*) FILTER (WHERE CASE WHEN item LIKE ''% days'' THEN at > now() - item::interval ELSE false END)');
SELECT segment.add_score('customers', 'and_spans', 'count(*) FILTER (WHERE item LIKE ''% days'' AND at > now() - (CASE WHEN item LIKE ''% days'' THEN item END)::interval)');
SELECT segment.add_score('customers', 'share', 'count(*) FILTER (WHERE value <> 0 AND CASE WHEN value <> 0 THEN at > now() - interval ''1 day'' * (8 / value) END)');
SELECT segment.add_segment('customers', 'case_rule', 'CASE WHEN word LIKE ''% days'' THEN last_at > now() - word::interval WHEN total > 0 THEN last_at > now() - interval ''1 day'' * (8 / total) ELSE last_at > now() - interval ''100 days'' END');
SELECT segment.add_segment('customers', 'or_rule', 'coalesce(word, ''x'') NOT LIKE ''% days'' OR last_at > now() - word::interval');
SELECT segment.add_segment('customers', 'and_rule', 'word LIKE ''% days'' AND last_at > now() - word::interval');
SELECT segment.add_segment('customers', 'moving_guard', 'CASE WHEN last_at > now() - interval ''2 days'' THEN false WHEN total > 0 THEN last_at > now() - interval ''1 day'' * (8 / total) ELSE false END');
SELECT segment.add_segment('customers', 'by_coalesce', 'coalesce(last_at > now() - interval ''3 days'', renews > now() - pause)');
SELECT segment.add_segment('customers', 'simple_case', 'CASE word WHEN ''7 days'' THEN last_at > now() - word::interval ELSE renews < now() END');
SELECT segment.add_segment('customers', 'never', 'false AND last_at > now() - ''bad''::text::interval');
SELECT name, unanalyzed FROM segment.segments WHERE tbl = 'customers'::regclass AND unanalyzed IS NOT NULL ORDER BY name;
SELECT segment.set_max_age('customers', '6 hours');
CALL segment.refresh('customers');
SELECT customer, n, spans, and_spans, share, case_rule, or_rule, and_rule, moving_guard, by_coalesce, simple_case, never FROM customers ORDER BY 1;
CREATE VIEW truth AS
SELECT coalesce(customer, id) AS customer, coalesce(spans, 0) AS spans, coalesce(spans, 0) AS and_spans, coalesce(share, 0) AS share,
	   coalesce(CASE WHEN word LIKE '% days' THEN last_at > t - word::interval WHEN total > 0 THEN last_at > t - interval '1 day' * (8 / total) ELSE last_at > t - interval '100 days' END, false) AS case_rule,
	   coalesce(CASE WHEN coalesce(word, 'x') NOT LIKE '% days' THEN true ELSE last_at > t - word::interval END, false) AS or_rule,
	   coalesce(CASE WHEN word LIKE '% days' THEN last_at > t - word::interval END, false) AS and_rule,
	   coalesce(CASE WHEN last_at > t - interval '2 days' THEN false WHEN total > 0 THEN last_at > t - interval '1 day' * (8 / total) END, false) AS moving_guard,
	   coalesce(last_at > t - interval '3 days', renews > t - pause, false) AS by_coalesce,
	   coalesce(CASE word WHEN '7 days' THEN last_at > t - word::interval ELSE renews < t END, false) AS simple_case
FROM (SELECT customer, sum(amount) AS total, max(at) AS last_at,
			 count(*) FILTER (WHERE CASE WHEN kind LIKE '% days' THEN at > segment.now() - kind::interval END) AS spans,
			 count(*) FILTER (WHERE CASE WHEN amount <> 0 THEN at > segment.now() - interval '1 day' * (8 / amount) END) AS share
	  FROM event WHERE at <= segment.now() GROUP BY 1) e
FULL JOIN person ON customer = id, LATERAL (SELECT segment.now() AS t) clock;

-- as time passes, at each instant at which something changes: rows that are not due, then all after a refresh
CREATE FUNCTION wrong() RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM pitfalls.truth t FULL JOIN pitfalls.customers c USING (customer)
	WHERE (c.valid_until > segment.now()) IS NOT FALSE
	  AND (t IS NULL OR c IS NULL OR NOT to_jsonb(t) @> (to_jsonb(c) - '{word,renews,pause,n,total,last_at,never,refreshed_at,valid_until}'::text[]))
$$;
CREATE FUNCTION differences() RETURNS TABLE (as_of timestamptz, due bigint, wrong bigint, wrong_after bigint, verified bigint)
LANGUAGE plpgsql AS $$
BEGIN
	FOREACH as_of IN ARRAY '{2024-06-01 11:59:59.999999+00,2024-06-01 12:00+00,2024-06-01 12:00:00.000001+00,2024-06-02 00:00+00,2024-06-02 12:00+00,2024-06-03 00:00+00,2024-06-03 12:00+00,2024-06-04 12:00+00,2024-06-08 00:00+00,2024-06-12 00:00+00,2024-08-09 00:00+00,2024-09-08 00:00+00,2024-09-09 00:00+00}'::timestamptz[] LOOP
		PERFORM set_config('segment.as_of', as_of::text, false);
		due := (SELECT count(*) FROM pitfalls.customers WHERE valid_until <= segment.now());
		wrong := pitfalls.wrong();
		CALL segment.refresh('pitfalls.customers');
		wrong_after := pitfalls.wrong();
		verified := (SELECT count(*) FROM segment.verify('pitfalls.customers'));
		RETURN NEXT;
	END LOOP;
	PERFORM set_config('segment.as_of', '2024-06-01 00:00:00+00', false);
	CALL segment.refresh('pitfalls.customers');
END $$;
SELECT * FROM differences();
SELECT segment.drop_segment('customers', name) FROM segment.segments WHERE tbl = 'customers'::regclass AND unanalyzed IS NOT NULL ORDER BY name;
CALL segment.rebuild('customers');
SELECT customer, valid_until FROM customers ORDER BY 1;
SELECT * FROM differences();

-- a rule that fails leaves the table as it is
SELECT segment.add_segment('customers', 'fails', '8 / total > 1');
\set VERBOSITY terse
CALL segment.refresh('customers');
\set VERBOSITY default
SELECT customer, n, case_rule FROM customers ORDER BY 1;
SELECT segment.drop_segment('customers', 'fails');
CALL segment.refresh('customers');
SELECT * FROM segment.verify('customers');

SELECT segment.drop_table('customers');
DROP SCHEMA pitfalls CASCADE;
