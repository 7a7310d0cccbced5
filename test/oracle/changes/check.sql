-- Checks: the rows and the history against plain SQL ---------------------------

-- What the segment table should hold, in plain SQL: __key and the columns.
CREATE FUNCTION changes.truth() RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	s changes.state;
	query text;
	part record;
	known text[] := '{}';
	now_is text;
BEGIN
	SELECT * INTO s FROM c_seed;
	now_is := format('timestamptz ''%s''', oracle.literal(s.as_of));
	SELECT format('WITH g AS (SELECT * FROM changes.counts_for()),'
				  ' e AS (SELECT coalesce(g.target::%s, stream.key) AS key, at, event, value, due FROM (%s) stream'
				  '   LEFT JOIN g ON g.key = stream.key::text WHERE stream.key IS NOT NULL AND at <= %s), k AS (SELECT DISTINCT key FROM e%s) SELECT k.key AS __key',
				  s.key_type, string_agg(stream, ' UNION ALL ' ORDER BY n) FILTER (WHERE kind = 'events'), now_is,
				  coalesce(string_agg(format(' UNION SELECT k FROM %s WHERE k IS NOT NULL AND k::text NOT IN (SELECT key FROM g)', rel), '') FILTER (WHERE kind = 'attributes'), ''))
	INTO query FROM c_source WHERE mapped;
	query := query || coalesce((SELECT string_agg(', ' || quote_ident(name), '') FROM c_column WHERE kind <> 'eligible'), '') ||
		format(' FROM (SELECT * FROM k WHERE key::text <> ALL (%L::text[])) k', ARRAY(SELECT key FROM c_erased));
	query := query || coalesce((SELECT string_agg(format(' LEFT JOIN (%s) _a%s ON _a%s.k = k.key', stream, n, n), '') FROM c_source
								WHERE mapped AND kind = 'attributes'), '');
	-- each column behind those that it reads
	known := ARRAY(SELECT name FROM c_column WHERE kind = 'attribute');
	LOOP
		SELECT * INTO part FROM c_column WHERE reads <@ known AND kind <> 'eligible' AND name <> ALL (known) LIMIT 1;
		EXIT WHEN part.name IS NULL;
		known := known || part.name;
		query := query || format(' CROSS JOIN LATERAL (SELECT %s AS %I%s) _%s',
			CASE part.kind
				WHEN 'band' THEN changes.plain_band(part.name, part.ours, part.bands, part.descending)
				WHEN 'segment' THEN format('coalesce((%s), false)', part.ours)
				WHEN 'group' THEN (SELECT 'CASE ' || string_agg(format('WHEN %s THEN %L', r, l), ' ' ORDER BY n) || ' ELSE NULL::text END'
								   FROM unnest(part.labels, part.rules) WITH ORDINALITY u(l, r, n))
				ELSE part.ours
			END, part.name, CASE part.over WHEN 'events' THEN ' FROM e WHERE e.key = k.key' ELSE '' END, cardinality(known));
	END LOOP;
	query := query || coalesce((SELECT ' WHERE ' || ours FROM c_column WHERE kind = 'eligible'), '');
	RETURN replace(query, 'now()', now_is);
END $$;

-- The band of a score against the cut points in force, in plain SQL.
CREATE FUNCTION changes.plain_band(name text, score text, bands int, descending bool) RETURNS text
LANGUAGE sql AS $$
	SELECT CASE WHEN c.cuts IS NULL THEN 'NULL::int' ELSE
		format('CASE WHEN %1$I IS NOT NULL THEN (SELECT %2$s count(*)::int FROM unnest(%3$L::text[]::%4$s[]) c WHERE c < %1$I) END',
			   score, CASE WHEN descending THEN bands || ' -' ELSE '1 +' END, c.cuts, c.type) END
	FROM c_seed s, changes.cuts(s.relid, plain_band.name) c
$$;

-- A band (or NULL: all) whose cut points are not those of the scores in the table.
CREATE FUNCTION changes.wrong_cuts(wanted text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	s changes.state;
	b record;
	wrong text;
BEGIN
	SELECT * INTO s FROM c_seed;
	FOR b IN SELECT c.name, c.ours, c.bands, v.type, v.cuts FROM c_column c, changes.cuts(s.relid, c.name) v
			 WHERE kind = 'band' AND c.name = coalesce(wanted, c.name) LOOP
		-- without a score they stay as they were
		EXECUTE format('WITH v AS (SELECT array_agg(%1$I ORDER BY %1$I) AS v, count(*) AS n FROM %2$s WHERE %1$I IS NOT NULL),
			cut AS (SELECT array_agg(v[ceil(i * n::numeric / %5$s)] ORDER BY i) AS c, max(n) AS n FROM v, generate_series(1, %5$s - 1) i)
			SELECT format(''cuts of %%s are %%s, not %%s'', %3$L, %4$L, c) FROM cut WHERE n > 0 AND c%6$s IS DISTINCT FROM %7$s',
			b.ours, s.tbl, b.name, b.cuts, b.bands,
			'::' || b.type || '[]', CASE WHEN b.cuts IS NULL THEN 'NULL' ELSE format('%L::text[]::%s[]', b.cuts, b.type) END) INTO wrong;
		EXIT WHEN wrong IS NOT NULL;
	END LOOP;
	RETURN wrong;
END $$;

-- A query of who is in what by the rows: key, segment, label.
CREATE FUNCTION changes.members() RETURNS text
LANGUAGE sql AS $$
	SELECT 'SELECT NULL::text AS key, NULL::text AS segment, NULL::text AS label WHERE false' ||
		coalesce(string_agg(format(' UNION ALL SELECT %I::text, %L, %s FROM %s WHERE %I%s', s.key_name, name,
			CASE WHEN kind = 'segment' THEN 'NULL' ELSE quote_ident(name) || '::text' END, s.tbl, name,
			CASE WHEN kind <> 'segment' THEN ' IS NOT NULL' ELSE '' END), ''), '')
	FROM c_seed s, c_column WHERE kind IN ('segment', 'group', 'band')
$$;

-- What the rows say now goes into the history that there should be.  Called
-- after whatever may have changed them as of now.
CREATE FUNCTION changes.observe() RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	t timestamptz := (SELECT as_of FROM c_seed);
BEGIN
	EXECUTE 'CREATE TEMP TABLE c_members ON COMMIT DROP AS ' || changes.members();
	DELETE FROM c_history h WHERE left_at IS NULL AND entered_at >= t
		AND NOT EXISTS (SELECT FROM c_members m WHERE m.key = h.key AND m.segment = h.segment AND m.label IS NOT DISTINCT FROM h.label);
	UPDATE c_history h SET left_at = t WHERE left_at IS NULL
		AND NOT EXISTS (SELECT FROM c_members m WHERE m.key = h.key AND m.segment = h.segment AND m.label IS NOT DISTINCT FROM h.label);
	INSERT INTO c_history SELECT key, segment, label, t FROM c_members m
	WHERE NOT EXISTS (SELECT FROM c_history h WHERE m.key = h.key AND m.segment = h.segment AND h.left_at IS NULL);
	DELETE FROM c_looked WHERE as_of >= t;
	DELETE FROM c_checkpoint WHERE as_of >= t;
	IF oracle.chance(0.3) THEN
		INSERT INTO c_looked VALUES (t);
		INSERT INTO c_checkpoint SELECT t, * FROM c_members;
	END IF;
	DROP TABLE c_members;
END $$;

-- After a refresh or a rebuild.
CREATE FUNCTION changes.refreshed() RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	s changes.state;
BEGIN
	SELECT * INTO s FROM c_seed;
	IF s.as_of < s.latest THEN
		DELETE FROM c_history WHERE entered_at > s.as_of;
		UPDATE c_history SET left_at = NULL WHERE left_at > s.as_of;
	END IF;
	UPDATE c_seed SET latest = as_of;
	PERFORM changes.observe(), nextval('changes.refreshed');
END $$;

-- What is wrong with the history by itself, and beside rows and checkpoints.
CREATE FUNCTION changes.wrong_history() RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	s changes.state;
	wrong text;
BEGIN
	SELECT * INTO s FROM c_seed;
	EXECUTE format($q$
		WITH h AS MATERIALIZED (SELECT %1$I::text AS key, segment, label, entered_at, left_at FROM %2$s),
		members AS MATERIALIZED (%3$s),
		open AS (SELECT key, segment, label FROM h WHERE left_at IS NULL),
		seen AS MATERIALIZED (SELECT l.as_of, h.key, h.segment, h.label FROM c_looked l
							  JOIN h ON h.entered_at <= l.as_of AND coalesce(h.left_at, 'infinity') > l.as_of)
		SELECT 'history overlaps: ' || h::text
		FROM (SELECT *, lag(coalesce(left_at, 'infinity')) OVER (PARTITION BY key, segment ORDER BY entered_at, left_at) AS before FROM h) h
		WHERE before > entered_at
		UNION ALL
		SELECT 'history backwards: ' || h::text FROM h WHERE (entered_at < coalesce(left_at, 'infinity')) IS NOT TRUE
		UNION ALL
		SELECT 'not open in the history: ' || x::text FROM (SELECT * FROM members EXCEPT ALL SELECT * FROM open) x
		UNION ALL
		SELECT 'open, but no member: ' || x::text FROM (SELECT * FROM open EXCEPT ALL SELECT * FROM members) x
		UNION ALL
		SELECT 'the history has lost: ' || x::text FROM (SELECT * FROM c_checkpoint EXCEPT ALL SELECT * FROM seen) x
		UNION ALL
		SELECT 'the history says later on: ' || x::text FROM (SELECT * FROM seen EXCEPT ALL SELECT * FROM c_checkpoint) x
		UNION ALL
		SELECT 'missing in the history: ' || x::text FROM (SELECT * FROM c_history EXCEPT ALL SELECT * FROM h) x
		UNION ALL
		SELECT 'too much in the history: ' || x::text FROM (SELECT * FROM h EXCEPT ALL SELECT * FROM c_history) x
		LIMIT 1 $q$, s.key_name, s.history, changes.members())
	INTO wrong;
	RETURN wrong;
END $$;

-- Rows that are not as plain SQL has them, right after a refresh.
CREATE FUNCTION changes.wrong_rows() RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	s changes.state;
	wrong text;
BEGIN
	SELECT * INTO s FROM c_seed;
	EXECUTE format($q$
		WITH truth AS (%1$s)
		SELECT format(E'key %%s\n  have  %%s\n  truth %%s', coalesce(h.%3$I, t.__key),
			(SELECT jsonb_object_agg(key, value) FROM (SELECT * FROM jsonb_each(to_jsonb(h)) EXCEPT SELECT * FROM jsonb_each(to_jsonb(t))) x),
			(SELECT jsonb_object_agg(key, value) FROM (SELECT * FROM jsonb_each(to_jsonb(t)) EXCEPT SELECT * FROM jsonb_each(to_jsonb(h))) x))
		FROM truth t FULL JOIN %2$s h ON h.%3$I = t.__key
		WHERE to_jsonb(h) - %4$L::text[] IS DISTINCT FROM to_jsonb(t) - %4$L::text[]
		UNION ALL
		SELECT 'row already due: ' || h::text FROM %2$s h WHERE (valid_until > %5$L) IS NOT TRUE
		LIMIT 1 $q$, changes.truth(), s.tbl, s.key_name,
		changes.loose() || ARRAY['__key', 'refreshed_at', 'valid_until', s.key_name], s.as_of)
	INTO wrong;
	RETURN wrong;
END $$;

CREATE FUNCTION changes.verify() RETURNS text
LANGUAGE sql AS $$
	SELECT (SELECT format(E'verify: %s: %s\n  stored   %s\n  expected %s', v.key, v.problem, v.stored, v.expected)
			FROM segment.verify(s.relid) v LIMIT 1) FROM c_seed s
$$;

-- All of it; fresh: after a refresh as of now.
CREATE FUNCTION changes.look(fresh bool) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	wrong text;
	t timestamptz := (SELECT as_of FROM c_seed);
	ahead timestamptz;
BEGIN
	PERFORM set_config('TimeZone', (SELECT zone FROM c_seed), true);
	wrong := coalesce(changes.wrong_history(), CASE WHEN fresh THEN changes.wrong_rows() END, changes.verify());
	IF wrong IS NULL AND oracle.chance(0.25) THEN
		ahead := t + random() * oracle.pick('1 hour', '2 days', '40 days', '1 year')::interval;
		PERFORM set_config('segment.as_of', oracle.literal(ahead), false);
		wrong := format('at %s without a refresh: ', ahead) || changes.verify();
		PERFORM set_config('segment.as_of', oracle.literal(t), false);
	END IF;
	RETURN wrong;
END $$;
