-- One generator for all aggregates: random events, and every way in which
-- PostgreSQL may compute an aggregate over them, beside plain SQL.
--
-- cases/NAME.sql registers calls with try.aggregate(); see there for an example.

CREATE SCHEMA try;

-- A call and the plain SQL that gives the same.
CREATE TABLE try.call (
	name text PRIMARY KEY,
	-- an aggregate call over the columns of "events", ending with its ")"
	call text NOT NULL,
	-- a query over "events" with the columns k and expected, without our C code;
	-- a key it leaves out has NULL
	oracle text NOT NULL,
	-- what {word} stands for in both: one of these is drawn for each seed
	choices jsonb NOT NULL,
	-- relative tolerance of floats
	tolerance float8 NOT NULL
);

CREATE TABLE try.failure (name text, seed int, way text, detail text);

CREATE FUNCTION try.aggregate(name text, call text, oracle text, choices jsonb DEFAULT '{}', tolerance float8 DEFAULT 1e-12)
RETURNS void LANGUAGE sql AS $$
	INSERT INTO try.call VALUES (name, call, oracle, choices, tolerance)
$$;

-- Dice ------------------------------------------------------------------------

CREATE FUNCTION try.dice(n int) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT floor(random() * n)::int';

CREATE FUNCTION try.pick(VARIADIC options text[]) RETURNS text LANGUAGE sql VOLATILE AS
'SELECT options[1 + try.dice(cardinality(options))]';

-- Draws one of the choices for each {word}.
CREATE FUNCTION try.draw(choices jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	drawn jsonb := '{}';
	word text;
	options jsonb;
BEGIN
	FOR word, options IN SELECT * FROM jsonb_each(choices) ORDER BY 1 LOOP
		drawn := drawn || jsonb_build_object(word, options -> try.dice(jsonb_array_length(options)));
	END LOOP;
	RETURN drawn;
END $$;

CREATE FUNCTION try.fill(template text, drawn jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	word text;
	value text;
BEGIN
	FOR word, value IN SELECT * FROM jsonb_each_text(drawn) LOOP
		template := replace(template, '{' || word || '}', value);
	END LOOP;
	RETURN template;
END $$;

-- Random events -----------------------------------------------------------------
-- Columns: k the customer, at, id the order of arrival; item; n a small number;
-- weight, signed finite floats, the first not negative; a, b, c, d, e conditions;
-- part says how a plan splits them, shuffle gives another order.

CREATE PROCEDURE try.make_tables() LANGUAGE plpgsql AS $$
BEGIN
	CREATE TABLE events (
		part int, id int, k int, at timestamptz, item text, n int, weight float8, signed float8,
		a bool, b bool, c bool, d bool, e bool, shuffle float8
	) PARTITION BY LIST (part);
	CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1);
	CREATE TABLE events_2 PARTITION OF events FOR VALUES IN (2);
	CREATE TABLE events_3 PARTITION OF events FOR VALUES IN (3);
	CREATE TABLE wire (part int, bytes bytea) PARTITION BY LIST (part);
	CREATE TABLE wire_1 PARTITION OF wire FOR VALUES IN (1);
	CREATE TABLE wire_2 PARTITION OF wire FOR VALUES IN (2);
	-- The planner splits a plan if it expects few groups.
	INSERT INTO events (part, k) SELECT 1 + i % 3, i % 6 FROM generate_series(1, 3000) i;
	INSERT INTO wire SELECT 1 + i % 2, '' FROM generate_series(1, 3000) i;
	ANALYZE events, wire;
	TRUNCATE wire;
END $$;

CREATE PROCEDURE try.make_events(seed int) LANGUAGE plpgsql AS $$
DECLARE
	base timestamptz;
	step interval;
	odd float8;
	met float8;
	span int;
	keys int;
	split text;
	weights text;
BEGIN
	PERFORM setseed(seed % 1000000 / 1000000.0);
	PERFORM set_config('TimeZone', try.pick('UTC', 'UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu',
											'Pacific/Apia', 'Australia/Lord_Howe', 'America/St_Johns'), false);
	base := try.pick('2026-01-31 00:00+00', '2025-03-30 00:30+00', '2025-10-26 00:30+00', '2025-11-02 05:00+00',
					 '2024-02-29 12:00+00', '1999-12-31 23:59:59.5+00', '2000-01-01 00:00+00', '1969-12-28 10:00+00',
					 '2011-12-30 09:00+00');
	step := try.pick('1 microsecond', '1 second', '20 minutes', '1 hour', '12 hours', '1 day', '7 days', '30 days');
	odd := try.pick('0', '0', '0.04')::float8;
	met := try.pick('0.15', '0.4', '0.7')::float8;
	span := try.pick('3', '15', '40', '400')::int;
	keys := try.pick('1', '3', '6')::int;
	split := try.pick('random', 'random', 'time', 'one');
	weights := try.pick('whole', 'cents', 'wild');
	PERFORM set_config('segment.as_of', (base + try.dice(span + 5) * step)::text, false);

	TRUNCATE events;
	INSERT INTO events
	SELECT CASE split WHEN 'random' THEN 1 + try.dice(3) WHEN 'time' THEN 1 + 3 * number / (count + 1) ELSE 2 END,
		   number, try.dice(keys),
		   CASE WHEN dice < odd THEN NULL WHEN dice < 2 * odd THEN 'infinity' WHEN dice < 3 * odd THEN '-infinity'
				ELSE base + place * step + CASE WHEN random() < 0.2 THEN try.dice(3) - 1 ELSE 0 END * interval '1 microsecond' END,
		   CASE WHEN random() < 0.05 THEN NULL
				ELSE try.pick('a', 'b', 'c', 'd', 'e', 'f', '', 'Ä', 'aa', repeat('long ', 30)) END,
		   1 + try.dice(9),
		   CASE WHEN random() < odd THEN NULL ELSE abs(w) END, CASE WHEN random() < odd THEN NULL ELSE w END,
		   try.maybe(met, odd), try.maybe(met, odd), try.maybe(met, odd), try.maybe(met, odd), try.maybe(met, odd),
		   random()
	FROM (SELECT number, count, random() AS dice,
				 -- in the order of time, or in none
				 CASE split WHEN 'time' THEN number * span / count ELSE try.dice(span) END AS place,
				 CASE weights WHEN 'whole' THEN try.dice(12) - 2 WHEN 'cents' THEN (try.dice(2000) - 300) / 100.0
					  ELSE (random() - 0.2) * power(10::float8, try.dice(40) - 20) END::float8 AS w
		  FROM (SELECT 1 + try.dice(90) AS count) c, LATERAL generate_series(1, count) number) g;
END $$;

CREATE FUNCTION try.maybe(met float8, odd float8) RETURNS bool LANGUAGE sql VOLATILE AS
'SELECT CASE WHEN random() < odd THEN NULL ELSE random() < met END';

-- Comparing -----------------------------------------------------------------------

-- Do two results say the same, floats within the tolerance?
CREATE FUNCTION try.same(x jsonb, y jsonb, tolerance float8) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	IF x IS NOT DISTINCT FROM y THEN
		RETURN true;
	ELSIF x IS NULL OR y IS NULL OR jsonb_typeof(x) <> jsonb_typeof(y) THEN
		RETURN false;
	ELSIF jsonb_typeof(x) = 'number' THEN
		RETURN abs(x::numeric - y::numeric) <= greatest(tolerance::numeric * greatest(abs(x::numeric), abs(y::numeric)), 1e-100);
	ELSIF jsonb_typeof(x) = 'array' THEN
		RETURN jsonb_array_length(x) = jsonb_array_length(y)
			AND NOT EXISTS (SELECT FROM generate_series(0, jsonb_array_length(x) - 1) i WHERE NOT try.same(x -> i, y -> i, tolerance));
	ELSIF jsonb_typeof(x) = 'object' THEN
		RETURN NOT EXISTS (SELECT FROM jsonb_object_keys(x || y) key WHERE NOT (x ? key AND y ? key AND try.same(x -> key, y -> key, tolerance)));
	END IF;
	RETURN false;
END $$;

-- Does the plan of a query have a node?
CREATE FUNCTION try.plan_has(query text, node text) RETURNS bool LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		IF line ~ node THEN
			RETURN true;
		END IF;
	END LOOP;
	RETURN false;
END $$;

-- Compares queries with the columns k and one for each way with what the oracle
-- gives, all in one statement; a query's ways are its columns' names.
CREATE PROCEDURE try.compare(c try.call, seed int, oracle text, queries text[], ways text[], filled text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format(
		'INSERT INTO try.failure
		 SELECT %L, %s, way, format(''%%s, k = %%s, TimeZone %%s, as of %%s: expected %%s, got %%s'', %L, k, current_setting(''TimeZone''),
				current_setting(''segment.as_of''), coalesce(expected::text, ''NULL''), coalesce(result::text, ''NULL''))
		 FROM (SELECT k, to_jsonb(o.expected) AS expected, w.way, w.result
			   FROM (%s) q1 %s LEFT JOIN (%s) o USING (k), LATERAL (VALUES %s) w(way, result)) x
		 WHERE result IS DISTINCT FROM expected AND NOT coalesce(try.same(result, expected, %L), false) LIMIT 4',
		c.name, seed, filled, queries[1],
		(SELECT string_agg(format('FULL JOIN (%s) q%s USING (k)', query, n), ' ' ORDER BY n)
		 FROM unnest(queries) WITH ORDINALITY q(query, n) WHERE n > 1),
		oracle,
		(SELECT string_agg(format('(%L, to_jsonb(%I))', way, way), ', ') FROM unnest(ways) way), c.tolerance);
END $$;

-- One call over the events of one seed, in every way.
CREATE PROCEDURE try.one(c try.call, seed int) LANGUAGE plpgsql AS $$
DECLARE
	drawn jsonb := try.draw(c.choices);
	call text := try.fill(c.call, drawn);
	oracle text := try.fill(c.oracle, drawn);
	frame text;
	query text;
	ordered text := regexp_replace(call, '\)$', '');
BEGIN
	-- whole, in several orders; and in parts, whose states are serialized, deserialized and combined
	CALL try.compare(c, seed, oracle,
		ARRAY[format('SELECT k, %1$s ORDER BY id) AS "in order", %1$s ORDER BY at DESC NULLS FIRST) AS "backward", %1$s ORDER BY shuffle) AS "shuffled" FROM events GROUP BY k',
					 ordered),
			  format('SELECT k, %s AS "in parts" FROM events GROUP BY k', call)],
		'{in order, backward, shuffled, in parts}', call);

	-- as a window function, whose final function is called for every row
	IF seed % 20 = 0 THEN
		FOREACH frame IN ARRAY '{ROWS UNBOUNDED PRECEDING, ROWS BETWEEN 4 PRECEDING AND 1 PRECEDING, ROWS BETWEEN 2 PRECEDING AND 2 FOLLOWING}'::text[] LOOP
			DROP TABLE IF EXISTS windowed;
			EXECUTE format('CREATE TEMP TABLE windowed AS SELECT id, k, to_jsonb(%s OVER (PARTITION BY k ORDER BY id %s)) AS result FROM events', call, frame);
			EXECUTE format(
				'INSERT INTO try.failure SELECT %L, %s, ''window'', format(''%%s OVER (%%s): expected %%s, got %%s'', %L, %L, expected, result)
				 FROM (SELECT w.id, w.result, (SELECT to_jsonb(%s) FROM (SELECT *, row_number() OVER (ORDER BY id) AS place FROM events WHERE k = w.k) e
								  WHERE place BETWEEN w.place %s AND w.place %s) AS expected
					   FROM (SELECT *, row_number() OVER (PARTITION BY k ORDER BY id) AS place FROM windowed) w) x
				 WHERE result IS DISTINCT FROM expected AND NOT coalesce(try.same(result, expected, %L), false) LIMIT 1',
				c.name, seed, call, frame, call,
				CASE WHEN frame LIKE '%UNBOUNDED%' THEN '- 1000000' WHEN frame LIKE '%4 PREC%' THEN '- 4' ELSE '- 2' END,
				CASE WHEN frame LIKE '%UNBOUNDED%' THEN '' WHEN frame LIKE '%4 PREC%' THEN '- 1' ELSE '+ 2' END,
				c.tolerance);
		END LOOP;
	END IF;

	-- by parallel workers
	IF seed % 50 = 0 THEN
		SET LOCAL max_parallel_workers_per_gather = 2;
		SET LOCAL parallel_setup_cost = 0;
		SET LOCAL parallel_tuple_cost = 0;
		SET LOCAL min_parallel_table_scan_size = 0;
		SET LOCAL enable_partitionwise_aggregate = off;
		query := format('SELECT k, %s AS "in parallel" FROM events GROUP BY k', call);
		CALL try.compare(c, seed, oracle, ARRAY[query], '{in parallel}', call);
		IF seed = 50 AND NOT (try.plan_has(query, 'Gather') AND try.plan_has(query, 'Partial')) THEN
			INSERT INTO try.failure VALUES (c.name, seed, 'in parallel', 'the plan is not parallel');
		END IF;
		SET LOCAL max_parallel_workers_per_gather = 0;
		SET LOCAL enable_partitionwise_aggregate = on;
	END IF;
EXCEPTION WHEN OTHERS THEN
	INSERT INTO try.failure VALUES (c.name, seed, 'error', call || ': ' || SQLSTATE || ' ' || SQLERRM);
END $$;

-- Every call, over the events of each seed.
CREATE PROCEDURE try.run(first int, last int, step int, only_names text) LANGUAGE plpgsql AS $$
DECLARE
	c try.call;
	seed int := first;
BEGIN
	SET client_min_messages = warning;
	SET enable_partitionwise_aggregate = on;
	SET max_parallel_workers_per_gather = 0;
	SET IntervalStyle = 'postgres';
	WHILE seed <= last LOOP
		CALL try.make_events(seed);
		IF seed = first AND NOT try.plan_has('SELECT k, segment.sessions(at, ''1 day'') FROM events GROUP BY k', 'Partial') THEN
			INSERT INTO try.failure VALUES ('generator', seed, 'in parts', 'the plan does not split');
		END IF;
		FOR c IN SELECT * FROM try.call WHERE name ~ only_names ORDER BY name LOOP
			CALL try.one(c, seed);
			CALL try.hostile(c, seed);
		END LOOP;
		COMMIT;
		seed := seed + step;
	END LOOP;
END $$;

-- Hostile states ----------------------------------------------------------------------
-- For every aggregate X, try.X_bytes shows the serialized state, and try.X_from takes
-- any bytes for one; it only works where a plan splits it.

CREATE PROCEDURE try.make_hostile() LANGUAGE plpgsql AS $$
DECLARE
	x record;
	made text[] := '{}';
BEGIN
	FOR x IN
		SELECT p.proname, pg_get_function_arguments(p.oid) AS arguments, a.aggtransfn::oid::regproc::text AS transition,
			   a.aggcombinefn::oid::regproc::text AS combine,
			   CASE WHEN a.aggfinalextra THEN 'segment.aggregate_serialize' ELSE a.aggfinalfn::oid::regproc::text END AS final
		FROM pg_aggregate a JOIN pg_proc p ON p.oid = a.aggfnoid
		WHERE p.pronamespace = 'segment'::regnamespace AND p.prokind = 'a'
		ORDER BY p.oid
	LOOP
		EXECUTE format('CREATE AGGREGATE try.%I(%s) (SFUNC = %s, STYPE = internal, FINALFUNC = segment.aggregate_serialize)',
					   x.proname || '_bytes', x.arguments, x.transition);
		CONTINUE WHEN x.proname = ANY (made);
		made := made || x.proname::text;
		EXECUTE format('CREATE AGGREGATE try.%I(bytea, bytea) (SFUNC = bytea_string_agg_transfn, STYPE = internal, SERIALFUNC = bytea_string_agg_finalfn,
						DESERIALFUNC = segment.aggregate_deserialize, COMBINEFUNC = %s, FINALFUNC = %s, PARALLEL = SAFE)',
					   x.proname || '_from', x.combine, x.final);
	END LOOP;
END $$;

-- The serialized state of a random group, damaged or not, alone or with another: a
-- result, or one of the errors that hostile bytes deserve.
CREATE PROCEDURE try.hostile(c try.call, seed int) LANGUAGE plpgsql AS $$
DECLARE
	name text := substring(c.call FROM '^segment\.(\w+)\(');
	call text := try.fill(c.call, try.draw(c.choices));
	good bytea[];
	hostile bytea;
BEGIN
	EXECUTE format('SELECT array_agg(bytes) FROM (SELECT %s AS bytes FROM events GROUP BY k) s WHERE bytes IS NOT NULL',
				   regexp_replace(call, '^segment\.\w+', format('try.%I', name || '_bytes')))
	INTO good;
	IF good IS NULL THEN
		RETURN;
	END IF;
	hostile := good[1 + try.dice(cardinality(good))];
	IF random() < 0.2 THEN
		hostile := substr(hostile, 1, try.dice(length(hostile)));
	END IF;
	FOR i IN 1 .. try.dice(4) LOOP
		CONTINUE WHEN length(hostile) = 0;
		-- more often the start, where the structure is
		hostile := set_byte(hostile, floor(length(hostile) * power(random(), 2))::int, try.dice(256));
	END LOOP;
	DELETE FROM wire;
	INSERT INTO wire VALUES (1, hostile);
	IF random() < 0.5 THEN
		INSERT INTO wire VALUES (2, good[1]);
	END IF;
	IF seed <= 2 AND NOT try.plan_has(format('SELECT try.%I(bytes, '''') FROM wire', name || '_from'), 'Partial') THEN
		INSERT INTO try.failure VALUES (c.name, seed, 'hostile', 'the plan does not split');
	END IF;
	EXECUTE format('SELECT try.%I(bytes, '''') FROM wire', name || '_from');
EXCEPTION WHEN OTHERS THEN
	IF SQLSTATE !~ '^(22|08P01|54000|42804)' THEN
		INSERT INTO try.failure VALUES (c.name, seed, 'hostile',
			format('%s: %s %s', hostile, SQLSTATE, SQLERRM));
	END IF;
END $$;
