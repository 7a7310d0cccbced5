-- Run: changes, jumps in time, refreshes, and the comparison with the truth --

-- One random change of an event table or of the attributes, as a statement.
CREATE FUNCTION oracle.some_change() RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	s oracle.state;
	target record;
	dice float8 := random();
	modulus int := 2 + oracle.rnd(12);
	few text;
	col text;
BEGIN
	SELECT * INTO s FROM oracle_seed;
	SELECT * INTO target FROM oracle_target ORDER BY random() LIMIT 1;
	few := format('id %% %s = %s', modulus, oracle.rnd(modulus));
	IF s.attributes IS NOT NULL AND oracle.chance(0.25) THEN
		col := (ARRAY['land', 'ends', 'optin', 'k'])[1 + oracle.rnd(4)];
		RETURN CASE
			WHEN dice < 0.4 THEN oracle.some_attributes(s.attributes, s)
			WHEN dice < 0.6 THEN format('DELETE FROM %s WHERE k = %L', s.attributes, oracle.some_key(s.key_type))
			WHEN dice < 0.63 THEN format('TRUNCATE %s', s.attributes)
			WHEN col = 'k' THEN
				format('UPDATE %1$s SET k = %2$L WHERE k = %3$L AND NOT EXISTS (SELECT FROM %1$s WHERE k = %2$L)',
					   s.attributes, oracle.some_key(s.key_type), oracle.some_key(s.key_type))
			ELSE format('UPDATE %s SET %s = %L', s.attributes, col,
						CASE col WHEN 'land' THEN oracle.pick('de', 'nl', NULL)
							WHEN 'ends' THEN oracle.some_at(s.base + interval '20 days')
							ELSE oracle.pick('true', 'true', 'false', NULL) END)
				 || format(' WHERE k = %L', oracle.some_key(s.key_type))
		END;
	END IF;
	IF dice < 0.35 AND NOT target.leaf THEN
		RETURN format('INSERT INTO %s (k, t, ev, val, it, due) VALUES %s', target.rel,
					  oracle.some_rows(1 + oracle.rnd(4), s.key_type, s.base));
	ELSIF dice < 0.40 AND target.by_id THEN
		RETURN format('INSERT INTO %s (id, k, t, ev, val, it, due) SELECT %s, * FROM (VALUES %s) v ON CONFLICT (id) DO UPDATE SET (k, t, val) = (excluded.k, excluded.t, 5)',
					  target.rel, 1 + oracle.rnd(20), oracle.typed_row(s));
	ELSIF dice < 0.45 AND NOT target.leaf THEN
		RETURN format('MERGE INTO %s e USING generate_series(%s, %s) n ON e.id = n WHEN MATCHED AND n %% 2 = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET k = %L WHEN NOT MATCHED THEN INSERT (k, t, ev) VALUES (%L, %L, %L)',
					  target.rel, 10 + oracle.rnd(20), 30 + oracle.rnd(5), oracle.some_key(s.key_type),
					  oracle.some_key(s.key_type), oracle.some_at(s.base), oracle.some_event());
	ELSIF dice < 0.50 THEN
		RETURN format('WITH gone AS (DELETE FROM %s WHERE %s RETURNING k, t, ev, val, it, due) INSERT INTO %s (k, t, ev, val, it, due) SELECT * FROM gone',
					  target.rel, few, (SELECT rel FROM oracle_target WHERE NOT leaf ORDER BY random() LIMIT 1));
	ELSIF dice < 0.65 THEN
		RETURN format('DELETE FROM %s WHERE %s', target.rel, few);
	ELSIF dice < 0.67 THEN
		RETURN format('TRUNCATE %s', target.rel);
	END IF;
	col := (ARRAY['k', 't', 'ev', 'val', 'it', 'due'])[1 + oracle.rnd(6)];
	IF target.leaf AND col = 't' THEN
		col := 'k';				-- a leaf can't send its rows elsewhere
	END IF;
	RETURN format('UPDATE %s SET %I = %L WHERE %s', target.rel, col,
				  CASE col WHEN 'k' THEN oracle.some_key(s.key_type) WHEN 't' THEN oracle.some_at(s.base)
					  WHEN 'ev' THEN oracle.some_event() WHEN 'val' THEN oracle.rnd(50)::text
					  WHEN 'it' THEN oracle.pick('plum', NULL) ELSE oracle.some_at(s.base + interval '20 days') END,
				  few);
END $$;

-- A row of literals with their types, for the places where they are not inferred.
CREATE FUNCTION oracle.typed_row(s oracle.state) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
	RETURN format('(%L::%s, %L::timestamptz, %L, %s, %L, NULL::timestamptz)', oracle.some_key(s.key_type), s.key_type,
				  oracle.some_at(s.base), oracle.some_event(), oracle.rnd(30), 'plum');
END $$;

-- Runs a change, or runs it and rolls back to a savepoint.
CREATE FUNCTION oracle.change(undo bool) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM oracle.run(oracle.some_change());
	IF undo THEN
		PERFORM oracle.say('undone');
		RAISE EXCEPTION USING errcode = 'OR001';
	END IF;
EXCEPTION
	WHEN SQLSTATE 'OR001' THEN
		NULL;
END $$;

-- The next instant to look from: an instant at which something may change, the
-- microsecond before or after it, or anywhere.
CREATE FUNCTION oracle.some_instant(after timestamptz) RETURNS timestamptz
LANGUAGE plpgsql AS $$
DECLARE
	s oracle.state;
	dice float8 := random();
	t timestamptz;
	column_of text := oracle.pick('t', 't', 'due');
	rel text := (SELECT rel FROM oracle_target WHERE NOT leaf ORDER BY random() LIMIT 1);
	"window" text := oracle.window_no(1 + oracle.rnd(14));
	sign text := oracle.pick('+', '+', '-');
	zone text := current_setting('TimeZone');
BEGIN
	SELECT * INTO s FROM oracle_seed;
	PERFORM set_config('TimeZone', s.zone, true);
	IF dice < 0.25 THEN
		EXECUTE format('SELECT min(valid_until) FROM %s', s.tbl) INTO t;
	ELSIF dice < 0.35 THEN
		EXECUTE format('SELECT valid_until FROM %s ORDER BY random() LIMIT 1', s.tbl) INTO t;
	ELSIF dice < 0.75 THEN
		EXECUTE format('SELECT %1$I::timestamptz %2$s interval %3$L FROM %4$s WHERE isfinite(%1$I) AND %1$I BETWEEN %5$L::timestamptz - interval ''2 years'' AND %5$L::timestamptz + interval ''2 years'' AND %1$I::timestamptz %2$s interval %3$L >= %6$L ORDER BY %1$I, random() LIMIT 1',
					   column_of, sign, "window", rel, s.base, after) INTO t;
	ELSIF dice < 0.9 THEN
		t := after + random() * interval '20 days';
	ELSE
		t := after + random() * interval '1 hour';
	END IF;
	PERFORM set_config('TimeZone', zone, true);
	IF t IS NULL OR NOT isfinite(t) OR t < after OR t > s.base + interval '800 days' THEN
		t := after + random() * interval '3 days';
	END IF;
	RETURN greatest(after, t + (oracle.rnd(3) - 1) * interval '1 microsecond');
END $$;

-- What the segment table should hold, in plain SQL: __key and the columns.
CREATE FUNCTION oracle.truth(as_of timestamptz) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	s oracle.state;
	query text;
BEGIN
	SELECT * INTO s FROM oracle_seed;
	SELECT format('WITH e AS (SELECT * FROM (%s) stream WHERE key IS NOT NULL AND at <= {T}), k AS (SELECT key FROM e%s) SELECT k.key AS __key',
				  string_agg(stream, ' UNION ALL ' ORDER BY n),
				  CASE WHEN s.attributes IS NULL THEN ' GROUP BY key'
					   ELSE format(' UNION SELECT k FROM %s WHERE k IS NOT NULL', s.attributes) END)
	INTO query FROM oracle_source WHERE mapped;
	query := query || coalesce((SELECT string_agg(', ' || quote_ident(name), '' ORDER BY pos) FROM oracle_column
								WHERE over <> 'eligible'), '') || ' FROM k';
	IF s.attributes IS NOT NULL THEN
		query := query || format(' LEFT JOIN (SELECT k AS __k, upper(land) AS country, ends AS "trial ends", optin FROM %s) a ON a.__k = k.key', s.attributes);
	END IF;
	-- each column beside those it is computed from
	SELECT query || coalesce(string_agg(
		CASE over
			WHEN 'band' THEN format(' CROSS JOIN LATERAL (SELECT %s AS %I) _%s',
									oracle.plain_band(s.relid, name, ours, bands, descending), name, made)
			WHEN 'events' THEN format(' CROSS JOIN LATERAL (SELECT %s AS %I FROM e WHERE e.key = k.key) _%s', plain, name, made)
			ELSE format(' CROSS JOIN LATERAL (SELECT %s AS %I) _%s', plain, name, made)
		END, '' ORDER BY pos), '')
	INTO query
	FROM (SELECT *, row_number() OVER (ORDER BY pos) AS made FROM oracle_column WHERE over NOT IN ('eligible', 'attribute')) c;
	query := query || coalesce((SELECT ' WHERE ' || plain FROM oracle_column WHERE over = 'eligible'), '');
	RETURN replace(query, '{T}', format('timestamptz ''%s''', oracle.literal(as_of)));
END $$;

-- Are two values the same: numbers to 1e-9 if they are floats.
CREATE FUNCTION oracle.same(a jsonb, b jsonb, floats bool) RETURNS bool
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	IF a IS NOT DISTINCT FROM b THEN
		RETURN true;
	ELSIF a IS NULL OR b IS NULL THEN
		RETURN false;
	ELSIF jsonb_typeof(a) = 'object' AND jsonb_typeof(b) = 'object' THEN
		RETURN NOT EXISTS (SELECT FROM jsonb_each(a) x FULL JOIN jsonb_each(b) y USING (key)
						   WHERE NOT oracle.same(x.value, y.value, floats));
	ELSIF floats AND jsonb_typeof(a) = 'number' AND jsonb_typeof(b) = 'number' THEN
		RETURN abs(a::float8 - b::float8) <= 1e-9 * greatest(abs(a::float8), abs(b::float8));
	END IF;
	RETURN false;
END $$;

-- Compares the segment table with the truth.  As of the refresh every row must
-- be right; at a later instant, those whose valid_until has not come, and no
-- customer may be missing who is not awaited.
CREATE FUNCTION oracle.compare(as_of timestamptz, refreshed bool) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	s oracle.state;
	rule text := (SELECT string_agg(format('SELECT %%1$s AS k, %L::text AS s, %s AS l FROM %%2$s WHERE %I%s', name,
											 CASE WHEN over = 'rule' THEN 'NULL::text' ELSE quote_ident(name) || '::text' END,
											 name, CASE WHEN over <> 'rule' THEN ' IS NOT NULL' END), ' UNION ALL ')
				  FROM oracle_column WHERE over IN ('rule', 'group', 'band'));
	wrong text;
BEGIN
	SELECT * INTO s FROM oracle_seed;
	PERFORM set_config('TimeZone', s.zone, true);
	EXECUTE format($q$
		WITH truth AS (%1$s),
		wrong AS (
			SELECT coalesce(h.%3$I, t.__key)::text AS key, to_jsonb(h) AS have, to_jsonb(t) - '__key' AS truth
			FROM truth t FULL JOIN %2$s h ON h.%3$I = t.__key
			WHERE (%4$L OR h.%3$I IS NULL OR h.valid_until > %5$L)
			  AND NOT (h.%3$I IS NULL AND NOT %4$L AND EXISTS (
				SELECT FROM segment.pending p WHERE p.tbl = %2$L::regclass AND p.key::%6$s = t.__key AND p.due <= %5$L))
			  AND NOT oracle.same(to_jsonb(h) - %3$L - '{refreshed_at,valid_until}'::text[], to_jsonb(t) - '__key', %7$L))
		SELECT format(E'key %%L, %%s wrong\n  have  %%s\n  truth %%s', key, count(*) OVER (), have, truth) FROM wrong LIMIT 1
		$q$, oracle.truth(as_of), s.tbl, s.key_name, refreshed, as_of, s.key_type, s.val_type = 'float8')
	INTO wrong;
	IF wrong IS NOT NULL OR NOT refreshed THEN
		RETURN wrong;
	END IF;
	EXECUTE format($q$
		SELECT 'row already due: ' || h::text FROM %1$s h WHERE (valid_until > %2$L) IS NOT TRUE OR refreshed_at IS NULL
		UNION ALL
		SELECT format('next_due is %%s, but %%s', next_due, first) FROM segment.table_state,
			(SELECT least((SELECT min(valid_until) FROM %1$s),
						  (SELECT min(due) FROM segment.pending WHERE tbl = %1$L::regclass)) AS first) f
		WHERE tbl = %1$L::regclass AND next_due > first
		LIMIT 1 $q$, s.tbl, as_of)
	INTO wrong;
	IF wrong IS NULL THEN
		EXECUTE format($q$
			WITH members AS (%1$s), open AS (SELECT %2$I AS k, segment AS s, label AS l FROM %3$s WHERE left_at IS NULL)
			SELECT 'history: ' || coalesce(m.k, o.k)::text || ' in ' || coalesce(m.s, o.s) || CASE WHEN m.k IS NULL THEN ' still open' WHEN o.k IS NULL THEN ' not open' ELSE ' otherwise' END
			FROM members m FULL JOIN open o ON m.k = o.k AND m.s = o.s WHERE m.k IS NULL OR o.k IS NULL OR m.l IS DISTINCT FROM o.l
			UNION ALL
			SELECT 'history overlaps: ' || a::text FROM %3$s a JOIN %3$s b USING (%2$I, segment)
			WHERE a.ctid <> b.ctid AND a.entered_at < coalesce(b.left_at, 'infinity') AND b.entered_at < coalesce(a.left_at, 'infinity')
			UNION ALL
			SELECT 'history backwards: ' || a::text FROM %3$s a WHERE a.left_at < a.entered_at
			LIMIT 1 $q$,
			format(coalesce(rule, 'SELECT %1$s AS k, NULL::text AS s, NULL::text AS l FROM %2$s WHERE false'), quote_ident(s.key_name), s.tbl),
			s.key_name, s.history)
		INTO wrong;
	END IF;
	RETURN wrong;
END $$;

-- Sets the instant and looks: verify() and the truth.  NULL if all is well.
CREATE FUNCTION oracle.look(as_of timestamptz, refreshed bool) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	wrong text;
BEGIN
	PERFORM set_config('segment.as_of', oracle.literal(as_of), false);
	SELECT format('verify: %s: %s%s  stored   %s%s  expected %s', v.key, v.problem, E'\n', v.stored, E'\n', v.expected)
	INTO wrong FROM segment.verify((SELECT relid FROM oracle_seed)) v LIMIT 1;
	RETURN coalesce(wrong, oracle.compare(as_of, refreshed));
END $$;
