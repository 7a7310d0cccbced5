-- A seed from beginning to end ----------------------------------------------

CREATE TABLE changes.result (
	seed    int PRIMARY KEY,
	problem text			-- NULL: passed
);

-- Planted bugs, to see that the test can fail; see run.sh.
CREATE FUNCTION changes.lose() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
	RETURN CASE WHEN random() < 0.1 THEN NULL WHEN TG_OP = 'DELETE' THEN old ELSE new END;
END $$;

CREATE FUNCTION changes.plant(bug text, history text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	IF bug = 'work' AND history IS NULL THEN
		CREATE TRIGGER changes_lose BEFORE INSERT ON segment.work
			FOR EACH ROW WHEN (new.whole) EXECUTE FUNCTION changes.lose();
	ELSIF bug = 'open' AND history IS NOT NULL THEN
		EXECUTE format('CREATE TRIGGER changes_lose BEFORE UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION changes.lose()', history);
	END IF;
END $$;

-- What a bug does between a refresh and the look.
CREATE FUNCTION changes.spoil(bug text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	s changes.state;
	one text;
BEGIN
	SELECT * INTO s FROM c_seed;
	IF bug IN ('split', 'retro', 'gap') THEN
		EXECUTE format('SELECT ctid FROM %s WHERE left_at IS %s AND entered_at < %L LIMIT 1', s.history,
					   CASE WHEN bug = 'split' THEN 'NULL' ELSE 'NOT NULL' END, s.as_of) INTO one;
	END IF;
	IF bug = 'split' THEN
		EXECUTE format('WITH o AS (UPDATE %s SET left_at = %L WHERE ctid = %L RETURNING *) INSERT INTO %1$s SELECT %4$I, segment, label, %2$L FROM o',
					   s.history, s.as_of, one, s.key_name);
	ELSIF bug = 'retro' THEN
		EXECUTE format('UPDATE %s SET left_at = left_at + interval ''1 microsecond'' WHERE ctid = %L', s.history, one);
	ELSIF bug = 'gap' THEN
		EXECUTE format('DELETE FROM %s WHERE ctid = %L', s.history, one);
	END IF;
END $$;

CREATE FUNCTION changes.settings(seed int) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM setseed(seed / 1000003.0);
	PERFORM set_config('role', 'none', false), set_config('segment.as_of', '', false), set_config('TimeZone', 'UTC', false),
		set_config('DateStyle', 'ISO', false), set_config('client_min_messages', 'error', false), set_config('jit', 'off', false),
		set_config('segment.batch_size', oracle.pick('3', '10000'), false),
		set_config('segment.mark_limit', oracle.pick('2', '10000', '10000'), false);
END $$;

-- Everything a seed begins with.
CREATE FUNCTION changes.make(seed int, bug text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	s changes.state;
BEGIN
	s.schema := CASE WHEN seed % 4 = 0 THEN format('changes "%s"', seed) ELSE format('changes_%s', seed) END;
	s.tbl := format('%I.customers', s.schema);
	s.history := s.tbl || '_history';
	s.key_name := CASE WHEN seed % 3 = 0 THEN 'customer "no"' ELSE 'customer_id' END;
	s.key_type := oracle.pick('bigint', 'int', 'uuid', 'text');
	s.zone := oracle.some_zone();
	s.as_of := oracle.some_base();
	s.made := 0;
	PERFORM changes.run(format('CREATE SCHEMA %I', s.schema));
	s.relid := segment.create_table(s.tbl, s.key_name, s.key_type::regtype, s.zone);
	INSERT INTO c_seed SELECT s.*;
	PERFORM changes.say(format('keys %s, zone %s', s.key_type, s.zone));
	PERFORM changes.set_as_of(s.as_of);
	PERFORM changes.plant(bug, s.history);
	PERFORM changes.make_events(n) FROM generate_series(1, 3) n;
	PERFORM changes.make_attributes(n) FROM generate_series(1, 2) n;
	UPDATE c_source SET n = n + 10 WHERE kind = 'events';
	PERFORM changes.map(n) FROM unnest('{11,12,1}'::int[]) n;
	PERFORM changes.put(kind) FROM unnest('{score,score,score,score,score,segment,segment,group,band}'::text[]) kind;
END $$;

-- Changes of definition and events, and a refresh, in the transaction of the
-- caller; undo: and back to a savepoint.
CREATE FUNCTION changes.within(refresh bool, undo bool, bug text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	wrong text;
BEGIN
	FOR n IN 1 .. oracle.rnd(3) LOOP
		PERFORM changes.write();
	END LOOP;
	wrong := changes.redefine();
	FOR n IN 1 .. oracle.rnd(3) LOOP
		PERFORM changes.write();
	END LOOP;
	IF oracle.chance(0.1) THEN
		PERFORM changes.erase();
	END IF;
	IF oracle.chance(0.2) THEN
		PERFORM changes.merge();
	END IF;
	IF wrong IS NULL AND refresh THEN
		wrong := changes.refresh_here(bug);
		IF wrong IS NULL AND oracle.chance(0.3) THEN
			wrong := coalesce(changes.redefine(), changes.look(false));
		END IF;
	END IF;
	IF wrong IS NULL AND undo THEN
		PERFORM changes.say('undone');
		RAISE EXCEPTION USING errcode = 'OR001';
	END IF;
	RETURN wrong;
EXCEPTION
	WHEN SQLSTATE 'OR001' THEN
		RETURN NULL;
END $$;

-- A refresh or a rebuild in the transaction of the caller, and a look.
CREATE FUNCTION changes.refresh_here(bug text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	what text := oracle.pick('refresh', 'refresh', 'refresh', 'refresh', 'rebuild');
BEGIN
	PERFORM changes.run(format('CALL segment.%s(%L)', what, (SELECT tbl FROM c_seed)));
	PERFORM changes.refreshed(), changes.spoil(bug);
	RETURN coalesce(changes.look(true), CASE WHEN what = 'rebuild' THEN changes.wrong_cuts(NULL) END);
END $$;

-- path: how to refresh: alone (outside of a transaction block), block, or mixed.
CREATE PROCEDURE changes.run_seed(seed int, steps int, path text, bug text, keep bool)
LANGUAGE plpgsql AS $$
DECLARE
	tbl regclass;
	wrong text;
	step int := 0;
	dice float8;
	rebuild bool;
BEGIN
	PERFORM changes.settings(seed);
	DELETE FROM changes.result r WHERE r.seed = run_seed.seed;
	PERFORM set_config('role', 'regress_segment_changes', false);
	PERFORM changes.forget();
	COMMIT;
	PERFORM changes.make(seed, bug);
	SELECT relid INTO tbl FROM c_seed;
	COMMIT;
	WHILE wrong IS NULL AND step < steps LOOP
		step := step + 1;
		PERFORM changes.say(format('-- step %s', step));
		IF oracle.chance(0.08) THEN
			PERFORM changes.erase();
			COMMIT;
		END IF;
		IF oracle.chance(0.15) THEN
			PERFORM changes.merge();
			COMMIT;
		END IF;
		dice := random();
		IF oracle.chance(0.4) THEN
			PERFORM changes.move_time();
			COMMIT;
		END IF;
		IF dice < 0.25 THEN
			wrong := changes.within(path <> 'alone' AND oracle.chance(0.6), oracle.chance(0.3), bug);
			IF oracle.chance(0.25) AND wrong IS NULL THEN
				PERFORM changes.say('ROLLBACK');
				ROLLBACK;
			END IF;
		ELSE
			wrong := changes.redefine();
			COMMIT;
			FOR n IN 1 .. oracle.rnd(4) LOOP
				PERFORM changes.write();
				COMMIT;
			END LOOP;
		END IF;
		COMMIT;
		CONTINUE WHEN wrong IS NOT NULL;
		IF oracle.chance(0.25) THEN
			wrong := changes.look(false);
		ELSIF path = 'block' OR path = 'mixed' AND oracle.chance(0.3) THEN
			wrong := changes.refresh_here(bug);
		ELSIF oracle.chance(0.6) THEN
			rebuild := oracle.chance(0.15);
			PERFORM changes.say(CASE WHEN rebuild THEN 'CALL segment.rebuild' ELSE 'CALL segment.refresh' END);
			COMMIT;
			IF rebuild THEN
				CALL segment.rebuild(tbl);
			ELSE
				CALL segment.refresh(tbl);
			END IF;
			PERFORM changes.refreshed(), changes.spoil(bug);
			wrong := coalesce(changes.look(true), CASE WHEN rebuild THEN changes.wrong_cuts(NULL) END);
		END IF;
		COMMIT;
	END LOOP;
	PERFORM set_config('role', 'none', false);
	INSERT INTO changes.result VALUES (seed, format('step %s: %s', step, wrong));
	UPDATE changes.result r SET problem = NULL WHERE r.seed = run_seed.seed AND wrong IS NULL;
	COMMIT;
	IF NOT keep THEN
		PERFORM set_config('role', 'regress_segment_changes', false);
		PERFORM segment.drop_table(tbl);
		PERFORM changes.run(format('DROP SCHEMA %I CASCADE', (SELECT schema FROM c_seed)));
	END IF;
	PERFORM set_config('role', 'none', false);
END $$;
