-- Dice: random values for the oracle test, repeatable by setseed() -----------

CREATE FUNCTION oracle.rnd(n int) RETURNS int
LANGUAGE sql VOLATILE AS 'SELECT floor(random() * n)::int';

CREATE FUNCTION oracle.chance(p float8) RETURNS bool
LANGUAGE sql VOLATILE AS 'SELECT random() < p';

CREATE FUNCTION oracle.pick(VARIADIC choices text[]) RETURNS text
LANGUAGE sql VOLATILE AS
'SELECT choices[1 + floor(random() * cardinality(choices))::int]';

-- Windows in order of length; among them some whose length depends on the
-- calendar, one that reaches into the future, and one that is empty.
CREATE FUNCTION oracle.window_no(n int) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
	SELECT (ARRAY['-3 days', '0', '1 microsecond', '90 minutes', '1 day', '36 hours', '7 days',
				  '1 month -1 day', '30 days', '1 month', '1 month 12:00:00', '60 days',
				  '2 months', '3 months 2 days', '1 year'])[n]
$$;

-- Time zones with the jumps that hurt: half an hour, at midnight, a whole day.
CREATE FUNCTION oracle.some_zone() RETURNS text
LANGUAGE sql VOLATILE AS $$
	SELECT oracle.pick('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Beirut',
					   'Pacific/Apia', 'Asia/Kathmandu', 'America/Sao_Paulo', 'Africa/Casablanca')
$$;

-- An instant to begin at: near a change of clocks or the end of a month.
CREATE FUNCTION oracle.some_base() RETURNS timestamptz
LANGUAGE sql VOLATILE AS $$
	SELECT oracle.pick('2024-03-25 12:00+00', '2024-03-29 00:00+00', '2024-10-24 07:30+00', '2024-02-27 23:00+00',
					   '2011-12-28 11:00+00', '2024-03-09 05:00+00', '2023-04-01 00:00+00',
					   '2018-11-02 12:00+00')::timestamptz
$$;

-- An instant as a literal that no setting of the session can bend.
CREATE FUNCTION oracle.literal(t timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN isfinite(t) THEN to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US+00 AD') ELSE t::text END
$$;

-- When an event happens: on a lattice (so that instants meet), anywhere, never.
CREATE FUNCTION oracle.some_at(base timestamptz) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	dice float8 := random();
BEGIN
	RETURN oracle.literal(CASE
		WHEN dice < 0.02 THEN NULL
		WHEN dice < 0.04 THEN '-infinity'
		WHEN dice < 0.06 THEN 'infinity'
		WHEN dice < 0.07 THEN '294276-12-15 23:59:59.999999+00'
		WHEN dice < 0.08 THEN '4713-12-15 00:00:00+00 BC'
		WHEN dice < 0.35 THEN base + (oracle.rnd(24) - 18) * interval '24 hours'
		WHEN dice < 0.55 THEN base + (oracle.rnd(120) - 100) * interval '24 hours'
		WHEN dice < 0.70 THEN base + (oracle.rnd(2000) - 1700) * interval '1 hour'
		WHEN dice < 0.90 THEN base + (random() * 130 - 110) * interval '24 hours'
		ELSE base + (random() * 10 - 3) * interval '24 hours'
	END);
END $$;

-- A key as text; about a dozen of each type, so that keys meet.
CREATE FUNCTION oracle.some_key(key_type text) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	n int := oracle.rnd(13);
BEGIN
	IF n = 0 AND oracle.chance(0.5) THEN
		RETURN NULL;
	END IF;
	RETURN CASE key_type
		WHEN 'uuid' THEN md5(n::text)::uuid::text
		WHEN 'text' THEN (ARRAY['', ' ', 'a', 'A', 'ä', '"quoted"', '''', E'back\\slash', '{NULL}', 'NULL',
								E'two\nlines', '(1,2)', '%s $1'])[n + 1]
		WHEN 'bigint' THEN (ARRAY[0, 1, 2, 3, 4, 5, 6, 7, -1, 10, 2147483648, 9223372036854775807,
								  -9223372036854775808])[n + 1]::text
		WHEN 'numeric' THEN (ARRAY['0', '1', '1.0', '1.00', '-2.5', '3', '1e20', 'NaN', '7', '8', '9', '10',
								   '11'])[n + 1]
		WHEN 'date' THEN (date '2000-01-01' + n)::text
		ELSE n::text
	END;
END $$;

CREATE FUNCTION oracle.some_event() RETURNS text
LANGUAGE sql VOLATILE AS $$ SELECT oracle.pick('buy', 'buy', 'view', 'view', 'return', 'ignore', NULL, '') $$;

-- One row for an event table: a list of literals for (k, t, ev, val, it, due).
CREATE FUNCTION oracle.some_row(key_type text, base timestamptz) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	RETURN format('(%L, %L, %L, %L, %L, %L)', oracle.some_key(key_type), oracle.some_at(base), oracle.some_event(),
				  CASE WHEN oracle.chance(0.9) THEN oracle.rnd(60) - 8 END,
				  oracle.pick('apple', 'pear', 'Äpfel', NULL),
				  CASE WHEN oracle.chance(0.7) THEN oracle.some_at(base + interval '15 days') END);
END $$;

CREATE FUNCTION oracle.some_rows(n int, key_type text, base timestamptz) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	list text := '';
BEGIN
	FOR i IN 1 .. n LOOP
		list := list || CASE WHEN i > 1 THEN ', ' ELSE '' END || oracle.some_row(key_type, base);
	END LOOP;
	RETURN list;
END $$;
