-- What tests of presets have in common, made in the schema that comes first in
-- search_path.  Variable: tbl, the segment table, whose key is the column who.
-- The name is kept as a text, so that the table can be dropped and made again.

CREATE FUNCTION tested() RETURNS text LANGUAGE sql RETURN :'tbl';
-- who is in each of the segments
CREATE FUNCTION members(VARIADIC names text[]) RETURNS TABLE (segment text, members text)
LANGUAGE plpgsql AS $$
BEGIN
	FOREACH segment IN ARRAY names LOOP
		EXECUTE format('SELECT string_agg(who, '' '' ORDER BY who COLLATE "C") FROM %s WHERE %I', tested(), segment) INTO members;
		RETURN NEXT;
	END LOOP;
END $$;
-- definitions left to max_age: none, if all is exact at every instant
CREATE FUNCTION inexact() RETURNS TABLE (name name, unanalyzed text)
LANGUAGE sql AS $$
	SELECT name, unanalyzed FROM segment.scores WHERE unanalyzed IS NOT NULL
	UNION ALL SELECT name, unanalyzed FROM segment.segments WHERE unanalyzed IS NOT NULL
	UNION ALL SELECT name, unanalyzed FROM segment.groups WHERE unanalyzed IS NOT NULL
	UNION ALL SELECT name, unanalyzed FROM segment.bands WHERE unanalyzed IS NOT NULL $$;
-- goes to an instant and refreshes; complains of what is wrong before and after
CREATE PROCEDURE look(t timestamptz)
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('segment.as_of', t::text, false);
	IF EXISTS (SELECT FROM segment.verify(tested()::regclass)) THEN
		RAISE WARNING '%: differs before the refresh', t;
	END IF;
	CALL segment.refresh(tested()::regclass);
	IF EXISTS (SELECT FROM segment.verify(tested()::regclass)) THEN
		RAISE WARNING '%: differs', t;
	END IF;
END $$;
-- who has come and gone at this instant
CREATE FUNCTION changes() RETURNS TABLE (segment text, label text, entered text, "left" text)
LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format($q$
		SELECT segment, label, string_agg(who, ' ' ORDER BY who COLLATE "C") FILTER (WHERE entered_at = segment.now()),
			   string_agg(who, ' ' ORDER BY who COLLATE "C") FILTER (WHERE left_at = segment.now())
		FROM %s WHERE segment.now() IN (entered_at, left_at)
		GROUP BY 1, 2 ORDER BY segment COLLATE "C", label COLLATE "C"$q$, tested() || '_history');
END $$;
