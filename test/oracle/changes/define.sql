-- Changes of the definition, in the segment table and in the model ------------

-- Runs a statement that has to fail with an error of this SQLSTATE (or class),
-- or with NULL has to succeed, unless with the error that it may fail with;
-- returns whether it did.
CREATE FUNCTION changes.try(statement text, error text, may_fail text DEFAULT NULL) RETURNS bool
LANGUAGE plpgsql AS $$
BEGIN
	IF error IS NULL AND may_fail IS NULL THEN
		PERFORM changes.run(statement);
		PERFORM nextval('changes.done');
		RETURN true;
	END IF;
	BEGIN
		PERFORM changes.run(statement);
	EXCEPTION
		WHEN OTHERS THEN
			IF NOT (starts_with(SQLSTATE, coalesce(error, may_fail)) OR SQLSTATE = may_fail) THEN
				RAISE EXCEPTION '% instead of % by %: %', SQLSTATE, error, statement, SQLERRM;
			END IF;
			PERFORM nextval('changes.refused');
			RETURN false;
	END;
	IF error IS NULL THEN
		PERFORM nextval('changes.done');
		RETURN true;
	END IF;
	RAISE EXCEPTION 'accepted, but should be refused with %: %', error, statement;
END $$;

-- A name for a column, of which there are few, so that they come again.
CREATE FUNCTION changes.some_name() RETURNS text
LANGUAGE sql VOLATILE AS $$
	SELECT name FROM unnest('{a1,a2,a3,a4,a5,a6,a7,a8,a9,b1,b2,b3,b4,b5,b6,b7,b8,b9,"Ç \"1\"; --",select}'::text[]) name
	ORDER BY name IN (SELECT c.name FROM c_column c) AND random() < 0.97, random() LIMIT 1
$$;

-- What the history has open of dropped columns ends: now, but not before what
-- it says already; and nothing is refreshed as of before then, but as going back.
CREATE FUNCTION changes.dropped(names text[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	t timestamptz := (SELECT greatest(as_of, latest) FROM c_seed);
BEGIN
	DELETE FROM c_history WHERE segment = ANY (names) AND left_at IS NULL AND entered_at >= t;
	UPDATE c_history SET left_at = t WHERE segment = ANY (names) AND left_at IS NULL;
	DELETE FROM c_checkpoint WHERE segment = ANY (names) AND as_of >= t;
	UPDATE c_seed SET latest = t
	WHERE latest IS NOT NULL AND EXISTS (SELECT FROM c_column WHERE name = ANY (names) AND kind IN ('segment', 'group', 'band'));
	DELETE FROM c_column WHERE name = ANY (names);
END $$;

-- The rule of eligibility must not read a band.
CREATE FUNCTION changes.reads_band(names text[]) RETURNS bool
LANGUAGE sql AS $$
	SELECT EXISTS (SELECT FROM c_column WHERE kind = 'band' AND name = ANY (changes.read_by(names)))
$$;

-- Adds a column (or with alter: gives one another expression); returns whether it did.
CREATE FUNCTION changes.put(wanted text, old text DEFAULT NULL) RETURNS bool
LANGUAGE plpgsql AS $$
DECLARE
	s changes.state;
	c c_column;
	e record;
	verb text := CASE WHEN old IS NULL THEN 'add' ELSE 'alter' END;
	mine text[];
	fixed text := (SELECT type FROM c_column WHERE name = old);
	error text;
BEGIN
	UPDATE c_seed SET made = made + 1 RETURNING * INTO s;
	c.made := s.made;
	c.name := coalesce(old, changes.some_name());
	c.kind := wanted;
	c.over := 'row';
	mine := changes.readers(ARRAY[c.name]);
	IF old IS NOT NULL AND oracle.chance(0.1) THEN
		mine := '{}';				-- may become a circle
	END IF;
	IF wanted = 'score' THEN
		c.over := oracle.pick('events', 'row');
		e := changes.fill(c.over, fixed, mine);
		c.type := e.type;
		c.ours := e.ours;
		c.reads := e.reads;
	ELSIF wanted = 'segment' THEN
		e := changes.fill('rule', NULL, mine);
		c.type := 'bool';
		c.ours := e.ours;
		c.reads := e.reads;
	ELSIF wanted = 'group' THEN
		SELECT labels, rules, g.reads INTO c.labels, c.rules, c.reads FROM changes.fill_group(mine) g;
		c.type := 'text';
		c.ours := (SELECT string_agg(format(', %L, %L', l, r), '' ORDER BY n) FROM unnest(c.labels, c.rules) WITH ORDINALITY u(l, r, n));
	ELSE
		c.type := 'int';
		c.bands := 2 + oracle.rnd(4);
		c.descending := oracle.chance(0.5);
		SELECT name, ARRAY[name] INTO c.ours, c.reads FROM c_column
		WHERE kind IN ('score', 'attribute') AND type <> 'bool' AND name <> ALL (mine) ORDER BY random() LIMIT 1;
	END IF;
	IF c.ours IS NULL THEN
		RETURN false;
	END IF;
	IF old IS NULL THEN
		error := (SELECT '42701' FROM c_column WHERE name = c.name);
	ELSIF c.reads && changes.readers(ARRAY[old]) THEN
		error := '42';
	ELSIF '__segment_eligible' = ANY (changes.readers(ARRAY[old])) AND (wanted = 'band' OR changes.reads_band(c.reads)) THEN
		error := '42P17';
	END IF;
	IF NOT changes.try(format('SELECT segment.%s_%s(%L, %L', verb, wanted, s.tbl, c.name) ||
					   CASE wanted WHEN 'group' THEN c.ours || ')'
						   WHEN 'band' THEN format(', %L, %s, %L)', c.ours, c.bands, c.descending)
						   ELSE format(', %L)', c.ours) END, error,
					   -- an altered column keeps its type, of which the model knows the kind alone
					   CASE WHEN old IS NOT NULL THEN '42804' END) THEN
		RETURN false;
	END IF;
	DELETE FROM c_column WHERE name = old;
	INSERT INTO c_column SELECT c.*;
	RETURN true;
END $$;

CREATE FUNCTION changes.drop_column() RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	s changes.state;
	victim c_column;
BEGIN
	SELECT * INTO s FROM c_seed;
	-- mostly one that nothing reads
	SELECT * INTO victim FROM c_column c
	WHERE kind IN ('score', 'segment', 'group', 'band')
	ORDER BY EXISTS (SELECT FROM c_column r WHERE c.name = ANY (r.reads)) AND random() < 0.8, random() LIMIT 1;
	IF victim.name IS NOT NULL AND
		changes.try(format('SELECT segment.drop_%s(%L, %L)', victim.kind, s.tbl, victim.name),
					CASE WHEN changes.readers(ARRAY[victim.name]) <> ARRAY[victim.name] THEN '2BP01' END) THEN
		PERFORM changes.dropped(ARRAY[victim.name]);
	END IF;
END $$;

-- Maps an event table or a table of attributes, or takes it out again.
CREATE FUNCTION changes.map(source int) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	s changes.state;
	m c_source;
	names text[] := ARRAY(SELECT c.name FROM c_column c WHERE c.source = map.source);
BEGIN
	SELECT * INTO s FROM c_seed;
	SELECT * INTO m FROM c_source WHERE n = map.source;
	IF NOT m.mapped THEN
		PERFORM changes.try(m.mapping, NULL);
		INSERT INTO c_column (made, name, kind, over, type, reads, source)
		SELECT s.made, a.name, 'attribute', 'attributes', a.type, '{}', m.n
		FROM (VALUES (1, 'country', 'text'), (1, 'trial ends', 'time'), (1, 'optin', 'bool'), (2, 'level', 'int'), (2, 'ends2', 'time')) a (n, name, type)
		WHERE m.kind = 'attributes' AND a.n = m.n;
	ELSIF m.kind = 'events' THEN
		IF (SELECT count(*) FROM c_source WHERE kind = 'events' AND mapped) < 2 THEN
			RETURN;
		END IF;
		PERFORM changes.try(format('SELECT segment.drop_source(%L, %L)', s.tbl, m.name), NULL);
	ELSIF NOT changes.try(format('SELECT segment.drop_attributes(%L, %L)', s.tbl, m.name),
						  (SELECT '2BP01' FROM c_column WHERE reads && names LIMIT 1)) THEN
		RETURN;
	END IF;
	DELETE FROM c_column c WHERE c.name = ANY (names);
	UPDATE c_source SET mapped = NOT mapped WHERE n = m.n;
END $$;

CREATE FUNCTION changes.set_eligible(everybody bool) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	s changes.state;
	e record;
BEGIN
	SELECT * INTO s FROM c_seed;
	IF NOT everybody THEN
		e := changes.fill('rule', NULL, '{}');
		IF e.ours IS NULL OR NOT changes.try(format('SELECT segment.set_eligible(%L, %L)', s.tbl, e.ours),
											 CASE WHEN changes.reads_band(e.reads) THEN '42P17' END) THEN
			RETURN;
		END IF;
	ELSE
		PERFORM changes.try(format('SELECT segment.set_eligible(%L, NULL)', s.tbl), NULL);
	END IF;
	DELETE FROM c_column WHERE kind = 'eligible';
	IF NOT everybody THEN
		INSERT INTO c_column (made, name, kind, over, type, ours, reads)
		VALUES (0, '__segment_eligible', 'eligible', 'row', 'bool', e.ours, e.reads);
	END IF;
END $$;

CREATE FUNCTION changes.recut() RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	s changes.state;
	band text := (SELECT name FROM c_column WHERE kind = 'band' ORDER BY random() LIMIT 1);
BEGIN
	SELECT * INTO s FROM c_seed;
	IF band IS NULL OR NOT changes.try(format('SELECT segment.recut(%L, %L)', s.tbl, band), CASE WHEN s.as_of < s.latest THEN '55000' END) THEN
		RETURN NULL;
	END IF;
	UPDATE c_seed SET latest = as_of WHERE latest IS NOT NULL;
	PERFORM changes.observe();
	RETURN changes.wrong_cuts(band);
END $$;

-- Keeps the definition for later, or goes back to it as a whole.
CREATE FUNCTION changes.exchange() RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	s changes.state;
	saved c_saved;
BEGIN
	SELECT * INTO s FROM c_seed;
	SELECT * INTO saved FROM c_saved;
	DELETE FROM c_saved;
	INSERT INTO c_saved SELECT segment.definition(s.relid), (SELECT jsonb_agg(to_jsonb(c)) FROM c_source c),
		(SELECT jsonb_agg(to_jsonb(c)) FROM c_column c);
	IF saved.definition IS NULL OR to_regprocedure('segment.apply_definition(jsonb,boolean)') IS NULL THEN
		RETURN;
	END IF;
	PERFORM changes.try(format('SELECT * FROM segment.apply_definition(%L)', saved.definition), NULL);
	PERFORM changes.dropped(ARRAY(
		SELECT c.name FROM c_column c
		WHERE NOT EXISTS (SELECT FROM jsonb_populate_recordset(NULL::c_column, saved.columns) k WHERE k.name = c.name AND k.kind = c.kind)));
	TRUNCATE c_column, c_source;
	INSERT INTO c_column SELECT * FROM jsonb_populate_recordset(NULL::c_column, saved.columns);
	INSERT INTO c_source SELECT * FROM jsonb_populate_recordset(NULL::c_source, saved.sources);
	IF EXISTS (SELECT FROM segment.apply_definition(saved.definition, true)) THEN
		RAISE EXCEPTION 'a definition that was applied is to be changed again: %',
			(SELECT jsonb_agg(to_jsonb(p)) FROM segment.apply_definition(saved.definition, true) p);
	END IF;
END $$;

-- One random change of the definition; returns what was wrong, else NULL.
CREATE FUNCTION changes.redefine() RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	s changes.state;
	dice float8 := random();
	many bool := (SELECT count(*) > 16 FROM c_column);
	old c_column;
	wrong text;
BEGIN
	SELECT * INTO s FROM c_seed;
	IF dice < 0.38 AND NOT many THEN
		PERFORM changes.put(oracle.pick('score', 'score', 'segment', 'segment', 'group', 'band'));
	ELSIF dice < 0.56 THEN
		PERFORM changes.drop_column();
	ELSIF dice < 0.76 THEN
		SELECT * INTO old FROM c_column WHERE kind IN ('score', 'segment', 'group', 'band') ORDER BY random() LIMIT 1;
		IF old.name IS NULL OR to_regproc('segment.alter_' || old.kind) IS NULL THEN
			PERFORM changes.drop_column();
		ELSE
			PERFORM changes.put(old.kind, old.name);
		END IF;
	ELSIF dice < 0.82 THEN
		PERFORM changes.map(n) FROM (SELECT n FROM c_source ORDER BY random() LIMIT 1) one;
	ELSIF dice < 0.88 THEN
		PERFORM changes.set_eligible(oracle.chance(0.5));
	ELSIF dice < 0.90 THEN
		PERFORM changes.try(format('SELECT segment.set_max_age(%L, %L)', s.tbl, oracle.pick('1 hour', '1 day', '1 month')), NULL);
	ELSIF dice < 0.96 THEN
		wrong := changes.recut();
	ELSE
		PERFORM changes.exchange();
	END IF;
	-- who has a row must be known at every instant
	IF '__segment_eligible' = ANY (changes.loose()) THEN
		PERFORM changes.set_eligible(true);
	END IF;
	RETURN wrong;
END $$;
