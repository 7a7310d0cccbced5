-- Names of every kind that are hostile, or at the edge of what a name can be:
-- each works through the whole life of a definition, or is refused with a clear
-- error.  A group is tried with its label, an extra with the name of a source
-- and its column; for scores, tables and keys see expressions_hostile.  Each name
-- is tried as one or two of the five kinds; with SEGMENT_ALL_STRINGS=yes in the
-- environment, as all.
SET client_min_messages = error;
SET timezone = 'UTC';
SET segment.as_of = '2024-06-01 00:00:00+00';
CREATE ROLE regress_segment_names;
CREATE SCHEMA names AUTHORIZATION regress_segment_names;
SET ROLE regress_segment_names;
CREATE TABLE names.event (c int, at timestamptz, amount numeric);
CREATE TABLE names.person (c int PRIMARY KEY, country text);
INSERT INTO names.event SELECT n % 3, timestamptz '2024-05-01 00:00+00' + n * interval '1 hour', n FROM generate_series(1, 6) n;
INSERT INTO names.person VALUES (1, 'BE');
CREATE TABLE names.canary (x int);

-- defined, refreshed, verified, asked about, written down, made again from that, taken away
CREATE FUNCTION names.life(kind text, name text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	source regclass := 'names.event';
	written jsonb;
	wrong text := '';
	the_label text := CASE WHEN kind = 'group' AND name <> '' THEN name ELSE 'plain' END;
	grp text := CASE kind WHEN 'group' THEN name ELSE 'grp' END;
	sgm text := CASE kind WHEN 'segment' THEN name ELSE 'sgm' END;
	band text := CASE kind WHEN 'band' THEN name ELSE 'bnd' END;
	extra text := CASE kind WHEN 'extra' THEN name ELSE 'ext' END;
	attribute text := CASE kind WHEN 'attribute' THEN name ELSE 'att' END;
BEGIN
	IF kind = 'extra' AND name !~ 'id$|^$|^at$|xmin' AND octet_length(name) < 64 THEN
		EXECUTE format('CREATE TABLE names.%I (%1$I int, at timestamptz, amount numeric)', name);
		EXECUTE format('INSERT INTO names.%I SELECT * FROM names.event', name);
		source := format('names.%I', name)::regclass;
	END IF;
	PERFORM segment.create_table('names.t', 'c', 'int');
	PERFORM segment.add_source('names.t', source, CASE source WHEN 'names.event'::regclass THEN 'c' ELSE quote_ident(name) END, 'at', extra => jsonb_build_object(extra, 'amount'));
	PERFORM segment.add_attributes('names.t', 'names.person', 'c', jsonb_build_object(attribute, 'country'));
	PERFORM segment.add_score('names.t', 'n', format('count(%I)', extra));
	PERFORM segment.add_band('names.t', band, 'n', 2);
	PERFORM segment.add_segment('names.t', sgm, 'n > 1');
	PERFORM segment.add_group('names.t', grp, the_label, format('n > 1 AND %I IS NULL', attribute), 'rest', 'true');
	PERFORM segment.add_segment('names.t', 'reader', format('%I = %L OR %I OR %I > 1', grp, the_label, sgm, band));
	CALL segment.refresh('names.t');
	INSERT INTO names.event VALUES (1, '2024-05-03', 1);
	CALL segment.refresh('names.t');
	IF EXISTS (SELECT FROM segment.verify('names.t')) THEN
		wrong := wrong || ' verify';
	END IF;
	IF (SELECT count(*) FROM segment.explain('names.t', '1', grp)) = 0 OR (SELECT count(*) FROM segment.explain('names.t', '1', band)) = 0 THEN
		wrong := wrong || ' explain';
	END IF;
	IF (SELECT segment.current('names.t', '1') - 'refreshed_at') <> (SELECT to_jsonb(t) - 'refreshed_at' FROM names.t WHERE c = 1) THEN
		wrong := wrong || ' current';
	END IF;
	IF NOT EXISTS (SELECT FROM names.t_history h WHERE h.segment = grp AND h.label = the_label) OR NOT EXISTS (SELECT FROM names.t_history h WHERE h.segment = band) THEN
		wrong := wrong || ' history';
	END IF;
	PERFORM segment.preview('names.t', format('%I = %L', grp, the_label)), segment.sizes('names.t'), segment.overlap('names.t'), segment.flow('names.t', '2024-05-01'), segment.sizes_over_time('names.t', '1 month', '2024-05-01'),
		segment.recut('names.t', band);
	PERFORM FROM segment.sizes WHERE tbl = 'names.t'::regclass;
	written := segment.definition('names.t');
	IF EXISTS (SELECT FROM segment.apply_definition(written)) THEN
		wrong := wrong || ' applied to itself';
	END IF;
	PERFORM segment.drop_table('names.t');
	PERFORM segment.apply_definition(written);
	IF segment.definition('names.t') <> written THEN
		wrong := wrong || ' definition';
	END IF;
	CALL segment.refresh('names.t');
	IF EXISTS (SELECT FROM segment.verify('names.t')) THEN
		wrong := wrong || ' verify again';
	END IF;
	PERFORM segment.drop_segment('names.t', 'reader'), segment.drop_group('names.t', grp), segment.drop_segment('names.t', sgm), segment.drop_band('names.t', band);
	PERFORM segment.drop_attributes('names.t', 'person'), segment.drop_score('names.t', 'n'), segment.drop_source('names.t', (SELECT relname FROM pg_class WHERE oid = source));
	PERFORM segment.drop_table('names.t');
	RAISE EXCEPTION USING errcode = 'OK000';
EXCEPTION
	WHEN SQLSTATE 'OK000' THEN
		RETURN CASE wrong WHEN '' THEN 'works' ELSE 'wrong:' || wrong END;
	WHEN OTHERS THEN
		RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
\pset format unaligned
\pset tuples_only on
CREATE TEMP TABLE outcome (kind text, i int, name text, outcome text);
\getenv all SEGMENT_ALL_STRINGS
\if :{?all}
\else
\set all no
\endif
-- a statement for each life
\set ECHO none
SELECT format('INSERT INTO outcome SELECT %1$L, %2$s, %3$L, names.life(%1$L, %3$L)', kind, i, name)
FROM unnest('{extra,attribute,band,segment,group}'::text[]) WITH ORDINALITY k (kind, place),
	unnest(ARRAY['a"b''c; DROP TABLE names.canary; --', E'back\\slash\\', '%s%n%1$s%%', E'new\nline', '$1', ' ', 'select', U&'\00DCn\00EF \5BA2\200E',
		repeat('x', 63), repeat('é', 31) || 'x', repeat('客', 21), repeat('x', 64), repeat('é', 32), repeat('x', 62) || 'é', '', 'ctid', 'xmin', 'valid_until', '__segment_x', 'at']) WITH ORDINALITY n (name, i)
WHERE :'all' = 'yes' OR (place + i) % 3 = 0 OR kind = 'extra' AND i > 15 \gexec
\set ECHO all
\echo * kinds of names, names
SELECT count(DISTINCT kind), count(DISTINCT name) FROM outcome;
\echo * what is refused, and the kinds that do not do the same
SELECT left(name, 20), octet_length(name), left(min(outcome) FILTER (WHERE kind <> 'extra'), 5), string_agg(kind, ' ' ORDER BY kind COLLATE "C") FILTER (WHERE left(outcome, 5) <> usual)
FROM (SELECT *, min(left(outcome, 5)) FILTER (WHERE kind <> 'extra') OVER (PARTITION BY i) AS usual FROM outcome) o
GROUP BY i, name HAVING max(usual) <> 'works' OR bool_or(left(outcome, 5) <> usual) ORDER BY i;
\echo * failures of ours
SELECT kind, name, outcome FROM outcome WHERE outcome LIKE 'wrong%' OR outcome ~ '^(XX|P0|58)';
\echo * nothing was done
SELECT count(*) FROM names.canary;
SELECT count(*) FROM segment.tables;
RESET ROLE;
DROP TABLE outcome;
DROP SCHEMA names CASCADE;
DROP ROLE regress_segment_names;
