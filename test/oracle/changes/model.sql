-- Model: the definition as the test holds it ---------------------------------
-- It stands in temporary tables: a rollback takes it back with what was done.

CREATE TYPE changes.state AS (schema text, tbl text, relid regclass, history text, key_name text, key_type text,
							  zone text, as_of timestamptz, latest timestamptz, made int);

CREATE FUNCTION changes.forget() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	CREATE TEMP TABLE IF NOT EXISTS c_seed OF changes.state;
	-- event tables and tables of attributes, and how each is mapped
	CREATE TEMP TABLE IF NOT EXISTS c_source (n int, kind text, rel text, name text, mapping text, stream text, mapped bool);
	-- every column, and the rule of eligibility: how it is given, what it reads
	CREATE TEMP TABLE IF NOT EXISTS c_column (made int, name text, kind text, over text, type text, ours text, reads text[],
											  source int, bands int, descending bool, labels text[], rules text[]);
	-- the history as it should be
	CREATE TEMP TABLE IF NOT EXISTS c_history (key text, segment text, label text, entered_at timestamptz, left_at timestamptz);
	-- customers who were erased and stay so
	CREATE TEMP TABLE IF NOT EXISTS c_erased (key text);
	-- keys whose events count for another
	CREATE TEMP TABLE IF NOT EXISTS c_merged (from_key text, into_key text);
	-- who was in what at earlier instants, as the segment table said then
	CREATE TEMP TABLE IF NOT EXISTS c_looked (as_of timestamptz);
	CREATE TEMP TABLE IF NOT EXISTS c_checkpoint (as_of timestamptz, key text, segment text, label text);
	-- an earlier definition
	CREATE TEMP TABLE IF NOT EXISTS c_saved (definition jsonb, sources jsonb, columns jsonb);
	TRUNCATE c_seed, c_source, c_column, c_history, c_erased, c_merged, c_looked, c_checkpoint, c_saved;
END $$;

-- Each merged key and the one at the end of the chain.
CREATE FUNCTION changes.counts_for() RETURNS TABLE (key text, target text)
LANGUAGE sql STABLE AS $$
	WITH RECURSIVE up (key, target) AS (
		SELECT from_key, into_key FROM c_merged
		UNION ALL SELECT u.key, m.into_key FROM up u JOIN c_merged m ON m.from_key = u.target)
	SELECT * FROM up WHERE target NOT IN (SELECT from_key FROM c_merged)
$$;

-- Runs a statement as the owner; CHANGES_VERBOSE shows it.
CREATE FUNCTION changes.run(statement text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM changes.say(statement);
	EXECUTE statement;
END $$;

CREATE FUNCTION changes.say(what text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	IF current_setting('changes.show', true) = 'on' THEN
		RAISE INFO '%', what;
	END IF;
END $$;

-- Counts what was done; not undone by a rollback of the seed's transactions.
CREATE SEQUENCE changes.done;
CREATE SEQUENCE changes.refused;
CREATE SEQUENCE changes.refreshed;
GRANT USAGE ON SEQUENCE changes.done, changes.refused, changes.refreshed TO PUBLIC;

-- Columns that read the named ones, directly or by way of others, and these.
CREATE FUNCTION changes.readers(names text[]) RETURNS text[]
LANGUAGE sql AS $$
	WITH RECURSIVE r (name) AS (
		SELECT unnest(names)
		UNION SELECT c.name FROM r JOIN c_column c ON r.name = ANY (c.reads))
	SELECT coalesce(array_agg(name), '{}') FROM r
$$;

-- Columns that the named ones read, directly or by way of others, and these.
CREATE FUNCTION changes.read_by(names text[]) RETURNS text[]
LANGUAGE sql AS $$
	WITH RECURSIVE r (name) AS (
		SELECT unnest(names)
		UNION SELECT unnest(c.reads) FROM r JOIN c_column c ON c.name = r.name)
	SELECT coalesce(array_agg(name), '{}') FROM r
$$;

-- Columns with a part whose instants of change are not known: what reads them
-- is exact as of refreshed_at alone.  These are left to verify().
CREATE FUNCTION changes.unanalyzed(tbl regclass) RETURNS text[]
LANGUAGE sql SECURITY DEFINER AS $$
	SELECT coalesce(array_agg(name::text), '{}') FROM segment.config_column c WHERE c.tbl = $1 AND unanalyzed IS NOT NULL
$$;

CREATE FUNCTION changes.loose() RETURNS text[]
LANGUAGE sql AS $$ SELECT changes.readers(changes.unanalyzed((SELECT relid FROM c_seed))) $$;

-- The cut points in force of a band; NULL before there are any, and once its
-- score is another one.
CREATE FUNCTION changes.cuts(tbl regclass, name text, OUT cuts text[], OUT type text)
LANGUAGE sql SECURITY DEFINER AS $$
	SELECT cuts, type::text
	FROM (SELECT * FROM segment.config_band_cut b WHERE b.tbl = $1 AND b.band = $2 ORDER BY version DESC LIMIT 1) b
	WHERE to_jsonb(b) ->> 'retired_at' IS NULL
$$;

-- Expressions.  now() becomes the instant as a literal in plain SQL.  {i} is a
-- window, {cmp} a comparison, {ev} an event, {n} a number; {int}, {num}, {time},
-- {text}, {bool}, {span} and the same with a 2 are columns of such a type.

CREATE TABLE changes.template (
	over text NOT NULL,		-- events, row, rule
	type text NOT NULL,
	ours text NOT NULL
);

INSERT INTO changes.template VALUES
('events', 'int', 'count(*)'),
('events', 'int', 'count(*) FILTER (WHERE event = {ev})'),
('events', 'int', 'count(*) FILTER (WHERE at {cmp} now() - interval {i})'),
('events', 'int', 'count(*) FILTER (WHERE at {cmp} now() - interval {i})'),
('events', 'int', 'count(*) FILTER (WHERE due > now())'),
('events', 'int', 'count(DISTINCT event) FILTER (WHERE at > now() - interval {i})'),
('events', 'num', 'sum(value)'),
('events', 'num', 'sum(value) FILTER (WHERE at >= now() - interval {i})'),
('events', 'num', 'max(value) FILTER (WHERE event = {ev})'),
('events', 'time', 'max(at)'),
('events', 'time', 'max(at) FILTER (WHERE event = {ev})'),
('events', 'time', 'min(due) FILTER (WHERE due > now() + interval {i})'),
('events', 'text', 'max(event COLLATE "C")'),
('events', 'bool', 'bool_or(event = {ev})'),
('events', 'span', 'now() - max(at) FILTER (WHERE isfinite(at))'),
('row', 'int', 'coalesce({int}, 0) % 1000 * 2 + 1'),
('row', 'int', 'coalesce({int}, 0) % 1000 + coalesce({int2}, 0) % 1000'),
('row', 'int', 'CASE WHEN {bool} THEN {int} ELSE 0 END'),
('row', 'int', 'CASE WHEN {time} > now() - interval {i} THEN 2 ELSE 1 END'),
('row', 'num', 'CASE WHEN {bool} THEN {num} END'),
('row', 'time', 'greatest({time}, {time2})'),
('row', 'text', 'left(coalesce({text}, ''-''), 5) || coalesce({int}, 0) % 10'),
('row', 'bool', '{bool} IS NOT TRUE'),
('row', 'bool', '{time} < now() - interval {i}'),
('row', 'span', 'now() - CASE WHEN isfinite({time}) THEN {time} END'),
('rule', 'bool', '{time} {cmp} now() - interval {i}'),
('rule', 'bool', '{time} {cmp} now() - interval {i}'),
('rule', 'bool', '{time} IS NULL OR {time} < now() - interval {i}'),
('rule', 'bool', '{time} > now() - interval {i} AND {int} > 1'),
('rule', 'bool', '{time} < now() + interval {i} AND {bool}'),
('rule', 'bool', '{num} > {n}'),
('rule', 'bool', '{num} > {n} OR {time} < now() - interval {i}'),
('rule', 'bool', '{int} % 3 = 1'),
('rule', 'bool', '{int} >= 2'),
('rule', 'bool', '{int} IN (1, 2, 5)'),
('rule', 'bool', '{bool} AND NOT {bool2}'),
('rule', 'bool', '{bool} OR {int} = 0'),
('rule', 'bool', '{bool} IS NOT TRUE AND {bool2} IS NOT TRUE'),
('rule', 'bool', '{text} IN (''buy'', ''low'', ''de'', ''high'')'),
('rule', 'bool', '{text} IS DISTINCT FROM {text2}'),
('rule', 'bool', '{span} > interval {i}');

GRANT SELECT ON changes.template TO PUBLIC;

-- Fills in a template, with no column of those excluded; NULL if there is none to read.
CREATE FUNCTION changes.fill(wanted_over text, wanted_type text, excluded text[], OUT ours text, OUT type text, OUT reads text[])
LANGUAGE plpgsql AS $$
DECLARE
	place text[];
	choice text;
BEGIN
	SELECT t.ours, t.type INTO ours, type FROM changes.template t
	WHERE t.over = wanted_over AND t.type = coalesce(wanted_type, t.type) ORDER BY random() LIMIT 1;
	reads := '{}';
	FOR place IN
		SELECT ARRAY[p, v] FROM (VALUES
			('{i}', quote_literal(oracle.window_no(2 + oracle.rnd(14)))),
			('{n}', oracle.rnd(40)::text),
			('{cmp}', oracle.pick('>', '>=', '<', '<=')),
			('{ev}', quote_literal(oracle.pick('buy', 'view', 'return')))) AS v (p, v)
	LOOP
		ours := replace(ours, place[1], place[2]);
	END LOOP;
	FOR place IN SELECT ARRAY['{' || t || n || '}', t]
		FROM unnest('{int,num,time,text,bool,span}'::text[]) t, unnest('{"",2}'::text[]) n
	LOOP
		CONTINUE WHEN position(place[1] IN ours) = 0;
		SELECT c.name INTO choice FROM c_column c
		WHERE c.type = place[2] AND c.kind <> 'eligible' AND c.name <> ALL (excluded) ORDER BY random() LIMIT 1;
		ours := replace(ours, place[1], quote_ident(choice));
		reads := CASE WHEN choice = ANY (reads) THEN reads ELSE reads || choice END;
	END LOOP;
END $$;

-- Fills in the labels and rules of a group.
CREATE FUNCTION changes.fill_group(excluded text[], OUT labels text[], OUT rules text[], OUT reads text[])
LANGUAGE plpgsql AS $$
DECLARE
	e record;
	candidates text[] := ARRAY['high', 'l''abel "2"', 'low', 'buy'];
BEGIN
	labels := '{}';
	rules := '{}';
	reads := '{}';
	IF oracle.chance(0.5) THEN
		candidates := ARRAY['low', 'buy', 'high'];
	END IF;
	FOR n IN 1 .. 1 + oracle.rnd(cardinality(candidates)) LOOP
		e := changes.fill('rule', NULL, excluded);
		CONTINUE WHEN e.ours IS NULL;
		labels := labels || candidates[n];
		rules := rules || e.ours;
		reads := ARRAY(SELECT unnest(reads) UNION SELECT unnest(e.reads));
	END LOOP;
END $$;
