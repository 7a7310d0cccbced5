-- A seed from beginning to end ----------------------------------------------

CREATE TABLE oracle.result (
	seed    int PRIMARY KEY,
	problem text			-- NULL: passed
);

-- Planted bugs, to see that the test can fail: 'lost' forgets work, 'late'
-- puts off valid_until.
CREATE FUNCTION oracle.lose_work() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
	RETURN CASE WHEN hashtext(new.key) % 7 = 0 AND NOT new.whole THEN NULL ELSE new END;
END $$;

CREATE FUNCTION oracle.plant(bug text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	IF bug = 'lost' THEN
		CREATE TRIGGER oracle_lose_work BEFORE INSERT ON segment.work
			FOR EACH ROW EXECUTE FUNCTION oracle.lose_work();
	END IF;
END $$;

-- The session of a seed: strange settings, which must not matter.
CREATE FUNCTION oracle.strange_settings() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('TimeZone', oracle.some_zone(), false),
		set_config('DateStyle', oracle.pick('ISO, YMD', 'SQL, DMY', 'German', 'Postgres, MDY'), false),
		set_config('IntervalStyle', oracle.pick('postgres', 'iso_8601', 'sql_standard'), false),
		set_config('extra_float_digits', oracle.pick('1', '0'), false),
		set_config('search_path', oracle.pick('public', 'pg_catalog', 'segment, public', '""'), false),
		set_config('segment.batch_size', oracle.pick('2', '10000', '10000'), false),
		set_config('segment.mark_limit', oracle.pick('2', '10000', '10000', '10000'), false),
		set_config('client_min_messages', 'error', false);
END $$;

CREATE FUNCTION oracle.usual_settings() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('role', 'none', false), set_config('segment.as_of', '', false);
	PERFORM set_config(name, reset_val, false) FROM pg_settings
	WHERE name IN ('TimeZone', 'DateStyle', 'IntervalStyle', 'extra_float_digits', 'search_path', 'client_min_messages',
				   'segment.batch_size', 'segment.mark_limit');
END $$;

CREATE PROCEDURE oracle.run_seed(seed int, bug text DEFAULT '', keep bool DEFAULT false)
LANGUAGE plpgsql AS $$
DECLARE
	s oracle.state;
	wrong text;
	step int := 0;
	steps int;
	dice float8;
	band text;
	cut bool;
BEGIN
	PERFORM oracle.usual_settings();
	DELETE FROM oracle.result r WHERE r.seed = run_seed.seed;
	PERFORM setseed(seed / 1000003.0);
	PERFORM oracle.strange_settings();
	PERFORM set_config('role', 'regress_segment_oracle', false);
	PERFORM oracle.forget();
	wrong := oracle.make(seed);
	SELECT * INTO s FROM oracle_seed;
	COMMIT;
	steps := 3 + oracle.rnd(4);
	WHILE wrong IS NULL AND step < steps LOOP
		step := step + 1;
		IF step > 1 THEN
			FOR n IN 1 .. oracle.rnd(5) LOOP
				PERFORM oracle.change(oracle.chance(0.12));
				IF oracle.chance(0.08) THEN
					PERFORM oracle.say('rolled back');
					ROLLBACK;
				ELSIF oracle.chance(0.4) THEN
					COMMIT;
				END IF;
			END LOOP;
			COMMIT;
			IF oracle.chance(0.25) THEN
				wrong := oracle.redefine();
			END IF;
		END IF;
		IF oracle.chance(0.12) AND step > 1 THEN
			s.as_of := s.as_of - random() * interval '40 days';
		ELSIF oracle.chance(0.85) THEN
			s.as_of := oracle.some_instant(s.as_of);
		END IF;
		PERFORM set_config('segment.as_of', oracle.literal(s.as_of), false);
		COMMIT;
		IF step > 1 AND oracle.chance(0.15) THEN
			PERFORM oracle.recut();
			COMMIT;
		END IF;
		dice := random();
		cut := dice < 0.15;
		band := NULL;
		PERFORM oracle.say(format('-- step %s, as of %s', step, oracle.literal(s.as_of)));
		IF dice < 0.15 THEN
			PERFORM oracle.say('CALL segment.rebuild');
			CALL segment.rebuild(s.relid);
		ELSIF dice < 0.5 THEN
			PERFORM oracle.say('CALL segment.refresh');
			CALL segment.refresh(s.relid);
		ELSE
			-- in one transaction, with what it writes itself before and after
			IF step > 1 AND oracle.chance(0.6) THEN
				PERFORM oracle.refresh_within(s, step);
				COMMIT;
			END IF;
			PERFORM oracle.run(format('CALL segment.refresh(%L)', s.tbl));
		END IF;
		COMMIT;
		IF NOT cut AND oracle.chance(0.25) THEN
			band := oracle.recut();
			cut := band IS NOT NULL;
			COMMIT;
		END IF;
		PERFORM set_config('role', 'none', false);
		IF cut THEN
			wrong := coalesce(wrong, oracle.wrong_cuts(band));
		END IF;
		IF bug = 'late' THEN
			EXECUTE format('UPDATE %s SET valid_until = valid_until + interval ''3 days''', s.tbl);
		END IF;
		wrong := coalesce(wrong, oracle.look(s.as_of, true));
		FOR n IN 1 .. 3 LOOP
			EXIT WHEN wrong IS NOT NULL;
			wrong := oracle.look_later(s.as_of);
		END LOOP;
		PERFORM set_config('role', 'regress_segment_oracle', false);
		COMMIT;
	END LOOP;
	PERFORM set_config('role', 'none', false);
	INSERT INTO oracle.result
	VALUES (seed, format('step %s, as of %s: %s', step, oracle.literal(s.as_of), wrong));
	UPDATE oracle.result r SET problem = NULL WHERE r.seed = run_seed.seed AND wrong IS NULL;
	COMMIT;
	IF NOT keep THEN
		PERFORM set_config('role', 'regress_segment_oracle', false);
		PERFORM segment.drop_table(s.relid);
		PERFORM oracle.run(format('DROP SCHEMA %I CASCADE', s.schema));
	END IF;
	PERFORM oracle.usual_settings();
END $$;

-- Changes, refreshes and changes again in the transaction of the caller; the
-- refresh may be undone.
CREATE FUNCTION oracle.refresh_within(s oracle.state, step int) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM oracle.change(false);
	BEGIN
		PERFORM oracle.run(format('CALL segment.refresh(%L)', s.tbl));
		IF oracle.chance(0.5) THEN
			PERFORM oracle.change(oracle.chance(0.3));
		END IF;
		IF oracle.chance(0.3) THEN
			PERFORM oracle.say('undone');
			RAISE EXCEPTION USING errcode = 'OR001';
		END IF;
	EXCEPTION
		WHEN SQLSTATE 'OR001' THEN
			NULL;
	END;
	IF oracle.chance(0.7) THEN
		PERFORM oracle.change(false);
	END IF;
END $$;

CREATE FUNCTION oracle.look_later(as_of timestamptz) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	t timestamptz := oracle.some_instant(as_of);
	wrong text := oracle.look(t, false);
BEGIN
	RETURN format('without a refresh at %s: ', oracle.literal(t)) || wrong;
END $$;
