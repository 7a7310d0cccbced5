-- Random rules over everything that moves with time, random events, random time
-- zones and instants: does an expression ever change before the instant that
-- its time analysis says?
--
-- The expression is defined as a score.  Its canonical text, with the instant in
-- place of segment.now(), is then evaluated by PostgreSQL alone: a microsecond
-- before the instant that was said, and at every instant before it at which
-- anything could happen.  From the first of these instants on the same is asked
-- again, and once more: what follows must not be missed either.

CREATE SCHEMA clockwork;
SET search_path = clockwork;

CREATE TABLE result (
	seed int, rule int,
	expression text,
	verdict text,			-- NULL: right
	unanalyzed text,
	wakes int, needless int,	-- over the customers: instants within a year, and those at which nothing changes
	kind text				-- what the rule reads: event, row, or decay
);

-- Dice ------------------------------------------------------------------------

CREATE FUNCTION dice(n int) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT floor(random() * n)::int';

CREATE FUNCTION pick(VARIADIC options text[]) RETURNS text LANGUAGE sql VOLATILE AS
'SELECT options[1 + clockwork.dice(cardinality(options))]';

-- Lengths of time, in rules and between events and the instant looked from.
CREATE FUNCTION spans() RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
	SELECT '{1 day,2 days,7 days,30 days,1 mon,2 mons,1 mon -1 days,1 year,24:00:00,36:00:00,01:30:00,00:00:00.000001,1 mon 1 day 02:00:00}'::text[]
$$;

CREATE FUNCTION zones() RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
	SELECT '{UTC,Europe/Berlin,America/New_York,Asia/Kathmandu,Pacific/Apia,Australia/Lord_Howe,America/Sao_Paulo,Africa/Casablanca,Europe/Dublin,Africa/Monrovia,Antarctica/Troll}'::text[]
$$;

-- Expressions -------------------------------------------------------------------
-- Over the columns at (timestamptz), ts (timestamp), d (date), i (interval),
-- k (a small integer) and z (a time zone).

CREATE FUNCTION span() RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	IF dice(8) = 0 THEN
		RETURN 'i';
	END IF;
	RETURN quote_literal((spans())[1 + dice(cardinality(spans()))]) || '::interval';
END $$;

CREATE FUNCTION zone() RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT CASE WHEN clockwork.dice(4) = 0 THEN 'z'
		ELSE quote_literal((clockwork.zones())[1 + clockwork.dice(cardinality(clockwork.zones()))]) END
$$;

CREATE FUNCTION unit() RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT quote_literal(CASE clockwork.dice(20) WHEN 0 THEN clockwork.pick('second', 'milliseconds', 'microseconds', 'decade')
		ELSE clockwork.pick('minute', 'hour', 'day', 'day', 'week', 'month', 'quarter', 'year') END)
$$;

-- A value of a type that moves with time.
CREATE FUNCTION moving(type text, depth int DEFAULT 2) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	CASE type
	WHEN 'timestamptz' THEN
		IF depth = 0 THEN
			RETURN pick('now()', 'current_timestamp', 'transaction_timestamp()');
		END IF;
		CASE dice(12)
		WHEN 0, 1, 2, 3 THEN RETURN format('(%s %s %s)', moving(type, depth - 1), pick('-', '+'), span());
		WHEN 4 THEN RETURN format('date_trunc(%s, %s)', unit(), moving(type, depth - 1));
		WHEN 5 THEN RETURN format('date_trunc(%s, %s, %s)', pick('''day''', '''month''', '''week'''), moving(type, depth - 1), zone());
		WHEN 6 THEN RETURN format('(%s AT TIME ZONE %s)', moving('timestamp', depth - 1), zone());
		WHEN 7 THEN RETURN format('(%s)::timestamptz', moving('date', depth - 1));
		WHEN 8 THEN RETURN format('(%s)::timestamptz', moving('timestamp', depth - 1));
		WHEN 9 THEN RETURN format('%s(%s, at)', pick('LEAST', 'GREATEST', 'COALESCE'), moving(type, depth - 1));
		WHEN 10 THEN RETURN format('(%s)::timestamptz(%s)', moving(type, depth - 1), dice(3));
		ELSE RETURN moving(type, 0);
		END CASE;
	WHEN 'timestamp' THEN
		IF depth = 0 THEN
			RETURN 'localtimestamp';
		END IF;
		CASE dice(7)
		WHEN 0, 1 THEN RETURN format('(%s %s %s)', moving(type, depth - 1), pick('-', '+'), span());
		WHEN 2 THEN RETURN format('date_trunc(%s, %s)', unit(), moving(type, depth - 1));
		WHEN 3 THEN RETURN format('(%s AT TIME ZONE %s)', moving('timestamptz', depth - 1), zone());
		WHEN 4 THEN RETURN format('(%s %s %s)', moving('date', depth - 1), pick('-', '+'), span());
		WHEN 5 THEN RETURN format('(%s)::timestamp', moving('timestamptz', depth - 1));
		ELSE RETURN moving(type, 0);
		END CASE;
	WHEN 'date' THEN
		IF depth = 0 THEN
			RETURN 'current_date';
		END IF;
		CASE dice(4)
		WHEN 0 THEN RETURN format('(%s %s %s)', moving(type, depth - 1), pick('-', '+'), pick('1', '7', '30', 'k'));
		WHEN 1 THEN RETURN format('(%s)::date', moving('timestamptz', depth - 1));
		WHEN 2 THEN RETURN format('(%s)::date', moving('timestamp', depth - 1));
		ELSE RETURN moving(type, 0);
		END CASE;
	WHEN 'interval' THEN
		CASE dice(7)
		WHEN 0, 1 THEN RETURN format('(%s - at)', moving('timestamptz', depth - 1));
		WHEN 2 THEN RETURN format('(at - %s)', moving('timestamptz', depth - 1));
		WHEN 3 THEN RETURN format('(%s - ts)', moving('timestamp', depth - 1));
		WHEN 4 THEN RETURN pick('age(at)', 'age(ts)', 'age(d)');
		WHEN 5 THEN RETURN format('age(%s, at)', moving('timestamptz', depth - 1));
		ELSE RETURN format('(now() - at - %s)', span());
		END CASE;
	END CASE;
END $$;

-- A value of a type that does not.
CREATE FUNCTION fixed(type text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	CASE type
	WHEN 'timestamptz' THEN
		RETURN CASE dice(6) WHEN 0 THEN format('(at %s %s)', pick('+', '-'), span()) WHEN 1 THEN 'ts' WHEN 2 THEN 'd'
			WHEN 3 THEN format('date_trunc(%s, at)', unit()) ELSE 'at' END;
	WHEN 'timestamp' THEN
		RETURN CASE dice(5) WHEN 0 THEN format('(ts %s %s)', pick('+', '-'), span()) WHEN 1 THEN 'at' WHEN 2 THEN 'd'
			WHEN 3 THEN format('date_trunc(%s, ts)', unit()) ELSE 'ts' END;
	WHEN 'date' THEN
		RETURN CASE dice(5) WHEN 0 THEN format('(d %s %s)', pick('+', '-'), pick('1', 'k')) WHEN 1 THEN 'at' WHEN 2 THEN 'ts'
			WHEN 3 THEN 'at::date' ELSE 'd' END;
	ELSE
		RETURN span();
	END CASE;
END $$;

-- A number that moves, and one to compare it with.
CREATE FUNCTION numbers() RETURNS text[] LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	field text[];
BEGIN
	CASE dice(12)
	WHEN 8 THEN RETURN ARRAY[format('date_part(''epoch'', %s) %s', pick('now() - at', 'at - now()', 'now() - interval ''1 day'' - at'),
								   pick('* 100', '/ 0.1', '* 0.01', '/ 3600', '/ 7')), pick('435', '3', '864', '0.1 * k', '24.5', '86400.3')];
	WHEN 9 THEN RETURN ARRAY[format('floor(extract(epoch FROM date_trunc(%s, %s)%s)', pick('''hour''', '''day''', '''minute'''),
								   pick('now()) - at', 'localtimestamp) - ts'), pick('', ' / 3600', ' / 7')), pick('3599', '1', '24', 'k', '86399.5')];
	WHEN 10 THEN RETURN CASE WHEN dice(8) > 0 THEN numbers() ELSE ARRAY[pick('clockwork.days_since(d)', 'clockwork.days_since(day => d, more => k)', 'clockwork.days_since(at::date)',
								   'clockwork.days_since(d, (now() - i)::date)'), pick('0', '1', '7', 'k')] END;
	WHEN 0 THEN RETURN ARRAY['extract(epoch FROM ' || pick('now() - at', 'at - now()', 'localtimestamp - ts') || ')', pick('3600', '86400', '2592000', '0.5 + k')];
	WHEN 1 THEN RETURN ARRAY['extract(epoch FROM now() - at) / ' || pick('86400', '3600', '60'), pick('1', '30', 'k', '1.5', '24')];
	WHEN 2 THEN RETURN ARRAY[moving('date') || ' - d', pick('1', '7', '30', 'k', '-1')];
	WHEN 3 THEN RETURN ARRAY['d - ' || moving('date'), pick('1', '7', '0', 'k', '-30')];
	WHEN 4 THEN RETURN ARRAY['extract(day FROM ' || pick('now() - at', 'at - now()', 'now() - interval ''1 day'' - at') || ')', pick('0', '1', '30', 'k', '-2')];
	WHEN 5 THEN RETURN ARRAY[format('extract(%s FROM %s)', pick('year', 'month', 'day'), pick('age(at)', 'age(now(), at)', 'age(d)')), pick('0', '1', 'k', '-1')];
	WHEN 6 THEN RETURN ARRAY['date_part(''day'', now() - at)', pick('0', '1', '30', 'k')];
	WHEN 7 THEN RETURN ARRAY['floor(extract(epoch FROM now() - at) / 3600)', pick('1', '24', '720', 'k')];
	ELSE
		field := (ARRAY['{hour,9}', '{hour,17}', '{dow,0}', '{dow,5}', '{isodow,1}', '{day,1}', '{day,15}', '{doy,60}', '{week,10}', '{month,3}',
						'{quarter,2}', '{year,2024}', '{minute,30}'])[1 + dice(13)];
		RETURN ARRAY[format('extract(%s FROM %s)', field[1], pick('now()', 'localtimestamp', 'current_date', 'now() - ' || span(),
															   'now() AT TIME ZONE ' || zone(), 'current_date + 7')), field[2]];
	END CASE;
END $$;

-- Where zones of rows may be bad, what reads them is kept from these rows.
CREATE FUNCTION comparison() RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	result text := clockwork.any_comparison();
BEGIN
	IF result !~ '\mz\M' OR NOT current_setting('clockwork.bad_zones')::bool THEN
		RETURN result;
	END IF;
	RETURN format(pick('(z <> ''Nowhere/Land'' AND %s)', '(z = ''Nowhere/Land'' OR %s)', 'CASE WHEN z <> ''Nowhere/Land'' THEN %s ELSE k > 1 END',
					   'CASE WHEN z = ''Nowhere/Land'' THEN now() < at + interval ''1 day'' ELSE %s END'), result);
END $$;

CREATE FUNCTION any_comparison() RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	type text := pick('timestamptz', 'timestamptz', 'timestamptz', 'timestamp', 'date', 'date', 'interval', 'number', 'number', 'number');
	operator text := pick('<', '<=', '>', '>=', '<', '<=', '>', '>=', '<', '<=', '>', '>=', '=', '<>', 'IS DISTINCT FROM');
	sides text[];
BEGIN
	IF type = 'number' THEN
		sides := numbers();
		-- fields of dates are of another type
		IF sides[1] ~ '^extract\((hour|minute)' AND sides[1] ~ 'date' THEN
			sides[1] := 'extract(hour FROM now())';
		END IF;
	ELSE
		sides := ARRAY[moving(type, 1 + dice(2)), fixed(type)];
	END IF;
	CASE dice(10)
	WHEN 0 THEN RETURN format('%s BETWEEN %s AND %s', sides[1], sides[2], CASE type WHEN 'number' THEN sides[2] || ' + 3' WHEN 'interval' THEN sides[2] || ' + ''2 days''' ELSE format('%s + interval ''3 days''', sides[2]) END);
	WHEN 1 THEN RETURN format('%s IN (%s, %s)', sides[1], sides[2], CASE type WHEN 'number' THEN sides[2] || ' + 1' ELSE fixed(type) END);
	WHEN 2, 3, 4 THEN RETURN format('%s %s %s', sides[2], operator, sides[1]);
	WHEN 5 THEN
		IF type IN ('number', 'interval') THEN
			RETURN format('%s %s %s', sides[1], operator, sides[2]);
		END IF;
		-- both sides step
		RETURN pick('extract(month FROM d) = extract(month FROM now())', 'to_char(d, ''MMDD'') = to_char(now(), ''MMDD'')',
					'extract(doy FROM d) - extract(doy FROM current_date) BETWEEN 0 AND 7',
					'date_trunc(''month'', now()) - interval ''1 day'' > date_trunc(''week'', now()) - interval ''7 days''',
					'extract(isodow FROM now()) < extract(day FROM current_date - 3)');
	ELSE RETURN format('%s %s %s', sides[1], operator, sides[2]);
	END CASE;
END $$;

CREATE FUNCTION condition(depth int) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	IF depth = 0 THEN
		RETURN comparison();
	END IF;
	CASE dice(9)
	WHEN 0 THEN RETURN format('(%s AND %s)', condition(depth - 1), condition(depth - 1));
	WHEN 1 THEN RETURN format('(%s OR %s)', condition(depth - 1), condition(depth - 1));
	WHEN 2 THEN RETURN format('(k > 2 AND %s)', condition(depth - 1));
	WHEN 3 THEN RETURN format('(%s OR k = 1)', condition(depth - 1));
	WHEN 4 THEN RETURN format('NOT (%s)', condition(depth - 1));
	WHEN 5 THEN RETURN format('(%s) IS %s', condition(depth - 1), pick('NOT TRUE', 'FALSE', 'NOT FALSE', 'TRUE', 'UNKNOWN', 'NOT NULL'));
	WHEN 6 THEN RETURN format('CASE WHEN %s THEN %s ELSE %s END', pick('k > 1', condition(0)), condition(0), pick('false', condition(0)));
	WHEN 7 THEN RETURN format('COALESCE(%s, false)', condition(depth - 1));
	ELSE RETURN comparison();
	END CASE;
END $$;

-- A score over the row, or over events.
CREATE FUNCTION expression(over_events bool) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	which int := dice(7);
	step text := CASE which
		WHEN 6 THEN pick('age(d)', 'age(current_date, d)', 'age(d) + ' || span(), 'age(d) * 2', format('date_trunc(%s, now()) - at', unit()),
						 'date_trunc(''day'', age(d))', format('age(date_trunc(%s, now()), at)', unit()), 'clockwork.days_since(d) * interval ''1 day''')
		WHEN 0 THEN moving('date', 1) || ' - d'
		WHEN 1 THEN moving('date')
		WHEN 2 THEN format('date_trunc(%s, now())', unit())
		WHEN 3 THEN format('extract(%s FROM %s)', pick('year', 'month', 'day'), pick('age(at)', 'age(now(), at)'))
		WHEN 4 THEN 'extract(day FROM now() - at)'
		ELSE format('extract(%s FROM %s)', pick('hour', 'dow', 'day', 'week', 'month', 'year'), moving('timestamptz', 1))
	END;
BEGIN
	IF step ~ '\mz\M' AND current_setting('clockwork.bad_zones')::bool THEN
		step := format('CASE WHEN z <> ''Nowhere/Land'' THEN %s END', step);
	END IF;
	IF NOT over_events THEN
		CASE dice(6)
		WHEN 0 THEN RETURN step;
		WHEN 1 THEN RETURN format('CASE WHEN %s THEN ''a'' WHEN %s THEN ''b'' ELSE ''c'' END', condition(0), condition(0));
		ELSE RETURN condition(1 + dice(2));
		END CASE;
	END IF;
	CASE dice(10)
	-- of intervals that are equal and yet differ, max may take any
	WHEN 0 THEN RETURN format('%s(%s)', CASE which WHEN 6 THEN 'sum' ELSE 'max' END, step);
	WHEN 1 THEN RETURN format('sum(CASE WHEN %s THEN k + 1 ELSE 0 END)', condition(1));
	WHEN 2 THEN RETURN format('bool_or(%s)', condition(1));
	WHEN 3 THEN RETURN format('count(*) FILTER (WHERE %s AND %s)', condition(0), condition(0));
	WHEN 4 THEN RETURN format('max(at) %s %s', pick('<', '>='),
							 pick('now() - interval ''30 days''', 'now() - interval ''1 month''', 'date_trunc(''day'', now()) - interval ''1 day''', 'current_date - 7'));
	WHEN 5 THEN RETURN 'count(*) > 2 AND current_date - max(d) > 3';
	WHEN 6 THEN RETURN format('count(*) FILTER (WHERE %s) - count(at) FILTER (WHERE %s)', condition(0), condition(1));
	ELSE RETURN format('count(*) FILTER (WHERE %s)', condition(1));
	END CASE;
END $$;

-- Scores that decay ---------------------------------------------------------------
-- Over the columns that make_tables gives the row: sums of half-lives of 1, 7
-- and 30 days (e1, e7, e30), of 7 days over some of the events (p7), made of e7
-- over the row (twice, whole), numbers that stand still (x, k), and results of
-- our own aggregates (visits, days).

CREATE FUNCTION decaying(depth int DEFAULT 1) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	IF depth = 0 THEN
		RETURN pick('e7', 'e7', 'e1', 'e30', 'p7', 'twice');
	END IF;
	CASE dice(12)
	WHEN 0 THEN RETURN format('(%s * %s)', decaying(depth - 1), pick('2', '0.3', '-1', 'k'));
	WHEN 1 THEN RETURN format('COALESCE(%s, %s)', decaying(depth - 1), pick('0', '1'));
	WHEN 2 THEN RETURN format('%s(%s, %s)', pick('LEAST', 'GREATEST'), decaying(depth - 1), pick('0', '2', 'x', 'p7', 'e30'));
	WHEN 3 THEN RETURN format('(%s / 4)', decaying(depth - 1));
	WHEN 4 THEN RETURN format('(%s %s %s)', decaying(depth - 1), pick('+', '-'), pick('k', '0.5', 'x', 'p7'));
	WHEN 5 THEN RETURN format('(k - %s)', decaying(depth - 1));
	WHEN 6 THEN RETURN format('%s(%s)', pick('round', 'floor', 'ceil', 'trunc', 'abs', '-'), decaying(depth - 1));
	WHEN 7 THEN RETURN format('round((%s)::numeric, %s)', decaying(depth - 1), dice(3));
	WHEN 8 THEN RETURN format('CASE WHEN k > 1 THEN %s ELSE p7 END', decaying(depth - 1));
	WHEN 9 THEN RETURN pick('e7::int', 'whole', 'e7::numeric(8,1)', 'floor(e7 * 10)', 'GREATEST(e7, e1) * 2', 'LEAST(e7, 1) + k');
	ELSE RETURN decaying(0);
	END CASE;
END $$;

CREATE FUNCTION threshold() RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT clockwork.pick('0', '1', '0.5', '-1', '2', '0.1', 'k', 'k - 2', 'x', 'x', 'x / 2', '1e-9')
$$;

CREATE FUNCTION decaying_comparison() RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	operator text := CASE dice(12) WHEN 0 THEN pick('=', '<>', 'IS DISTINCT FROM') ELSE pick('<', '<=', '>', '>=') END;
BEGIN
	CASE dice(12)
	WHEN 0 THEN RETURN format('%s BETWEEN %s AND %s + 2', decaying(), threshold(), threshold());
	WHEN 1 THEN RETURN format('%s IN (%s, %s)', pick('whole', 'e7::int', 'floor(e7 * 3)', 'ceil(twice)'), threshold(), threshold());
	WHEN 2, 3 THEN RETURN format('%s %s %s', threshold(), operator, decaying(2));
	WHEN 4 THEN RETURN format('%s %s %s', pick('e7', 'e1', 'twice', 'e30 / 2'), operator, pick('p7', 'e30', 'e1 * 2', 'COALESCE(p7, 0)'));
	WHEN 5 THEN RETURN format('(%s %s %s) IS %s', decaying(0), operator, threshold(), pick('NOT TRUE', 'UNKNOWN', 'NOT FALSE'));
	WHEN 6 THEN RETURN format('%s %s now() - %s', pick('(visits).last_started_at', '(days).last_active', '(visits).last_started_at + (visits).longest'), operator, span());
	WHEN 7 THEN RETURN pick('e7 IS NULL', 'p7 IS NOT NULL', '(days).longest > 1', '(visits).sessions > k', '(days).current > 0', '(days).current < k');
	ELSE RETURN format('%s %s %s', decaying(), operator, threshold());
	END CASE;
END $$;

-- A score over the row that reads them.
CREATE FUNCTION decaying_expression() RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	CASE dice(8)
	WHEN 0 THEN RETURN pick('round(e7)', 'floor(e7 * 3)', 'round(e30::numeric)', 'e7::int', 'round(x - e7)', 'e7 > x');
	WHEN 1 THEN RETURN format('CASE WHEN %s THEN ''hot'' WHEN %s THEN ''warm'' ELSE ''cold'' END', decaying_comparison(), decaying_comparison());
	WHEN 2 THEN RETURN format('(%s AND %s)', decaying_comparison(), decaying_comparison());
	WHEN 3 THEN RETURN format('(%s OR %s)', decaying_comparison(), pick(decaying_comparison(), comparison(), 'k > 2'));
	WHEN 4 THEN RETURN format('NOT (%s)', decaying_comparison());
	ELSE RETURN decaying_comparison();
	END CASE;
END $$;

-- Events ------------------------------------------------------------------------

-- Looked from here: anywhere, or next to where a calendar is odd.
CREATE FUNCTION viewpoint(zone text) RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	base timestamptz;
BEGIN
	base := CASE dice(4)
		WHEN 0 THEN timestamptz '2023-01-01 00:00+00' + random() * interval '1000 days'
		ELSE pick('2024-02-28', '2024-02-29', '2024-03-01', '2023-02-28', '2024-03-31', '2024-04-30', '2024-12-31',
				  '2024-03-30', '2024-10-26', '2024-03-09', '2024-11-02', '2024-04-06', '2024-10-05', '2011-12-29', '2010-09-25',
				  '2018-11-03', '2019-02-16', '2024-03-10', '2025-02-22', '1968-10-26', '1971-10-30', '1972-01-06', '2024-04-13')::timestamp AT TIME ZONE zone
			+ random() * interval '2 days'
	END;
	RETURN CASE dice(3) WHEN 0 THEN date_trunc('hour', base) WHEN 1 THEN date_trunc('day', base, zone) ELSE base END
		+ (dice(3) - 1) * interval '1 microsecond';
END $$;

CREATE FUNCTION jitter() RETURNS interval LANGUAGE sql VOLATILE AS $$
	SELECT CASE clockwork.dice(5)
		WHEN 0 THEN interval '0'
		WHEN 1 THEN (clockwork.dice(3) - 1) * interval '1 microsecond'
		WHEN 2 THEN (clockwork.dice(5) - 2) * interval '30 minutes'
		ELSE (random() - 0.3) * interval '3 days' END
$$;

-- A function of the user's, with arguments that may be left out.
CREATE FUNCTION days_since(day date, today date DEFAULT current_date, more int DEFAULT 0) RETURNS int IMMUTABLE LANGUAGE sql AS
'SELECT today - day + more';

CREATE PROCEDURE make_tables() LANGUAGE plpgsql AS $$
BEGIN
	CREATE TABLE row (c int, at timestamptz, ts timestamp, d date, i interval, k int, z text, x float8);
	CREATE TABLE event (c int, at timestamptz, ts timestamp, d date, i interval, k int, z text, value float8);
	CREATE TABLE instant (c int, t timestamptz);
	CREATE TABLE source (LIKE event);
	CREATE TABLE attribute (LIKE row);

	-- terms of both signs that leave next to nothing leave what rounding makes of them: nothing, here
	CREATE FUNCTION rest(sum float8, of float8) RETURNS float8 LANGUAGE sql IMMUTABLE
		AS 'SELECT CASE WHEN abs(sum) < 1e-5 * of THEN 0 ELSE sum END';

	-- what the row has as of an instant: sums of plain arithmetic, and results that do not move
	CREATE FUNCTION scores_at(customer int, t timestamptz, OUT e1 float8, OUT e7 float8, OUT e30 float8, OUT p7 float8,
							  OUT twice float8, OUT whole float8) LANGUAGE sql STABLE AS $f$
		SELECT *, e7 * 2, round(e7) FROM (
			-- less than the rounding of the others would count at one instant and not at another
			SELECT rest(sum(value * d1) FILTER (WHERE before < 40), sum(abs(value) * d1) FILTER (WHERE before < 40)) AS e1,
				   rest(sum(value * d7) FILTER (WHERE before < 40 * 7), sum(abs(value) * d7) FILTER (WHERE before < 40 * 7)) AS e7,
				   rest(sum(value * d30), sum(abs(value) * d30)) AS e30,
				   rest(sum(value * d7) FILTER (WHERE k > 1 AND before < 40 * 7),
						sum(abs(value) * d7) FILTER (WHERE k > 1 AND before < 40 * 7)) AS p7
			FROM event, LATERAL (SELECT extract(epoch FROM t - at)::float8 / 86400 AS age,
					extract(epoch FROM (SELECT max(at) FROM event WHERE c = customer) - at) / 86400 AS before) a,
				LATERAL (SELECT 2 ^ greatest(- age, -1000) AS d1, 2 ^ greatest(- age / 7, -1000) AS d7,
					2 ^ greatest(- age / 30, -1000) AS d30) b
			WHERE c = customer) s
	$f$;
	CREATE TABLE own (c int, visits segment.sessions_result, days_before segment.streak_result);
	CREATE FUNCTION days_at(days segment.streak_result, t timestamptz) RETURNS segment.streak_result LANGUAGE plpgsql STABLE AS $f$
	BEGIN
		IF t::date - days.last_active::date > 1 THEN
			days.current := 0;
		END IF;
		RETURN days;
	END $f$;
END $$;

-- A customer has one to four events and a row; each time in them is a span or two away.
CREATE PROCEDURE make_data(as_of timestamptz) LANGUAGE plpgsql AS $$
BEGIN
	TRUNCATE row, event, instant, own;
	INSERT INTO event
	SELECT c, least(a, as_of), b::timestamp, (b + jitter())::date, NULLIF(s[1 + dice(cardinality(s))], '1 year')::interval,
		   dice(5), CASE WHEN current_setting('clockwork.bad_zones')::bool AND dice(3) = 0 THEN 'Nowhere/Land' ELSE zones[1 + dice(cardinality(zones))] END,
		   CASE dice(4) WHEN 0 THEN - 1 - dice(3) WHEN 1 THEN random() * 100 ELSE 1 + dice(3) END
	FROM (SELECT c, as_of - s[1 + dice(cardinality(s))]::interval + jitter() AS a,
				 as_of - s[1 + dice(cardinality(s))]::interval * (dice(3) - 1) + jitter() AS b, s
		  FROM generate_series(1, 4) c, generate_series(1, c), (SELECT spans() AS s) x) y,
		 (SELECT zones() AS zones) w;
	INSERT INTO row
	SELECT DISTINCT ON (c) c, CASE dice(8) WHEN 0 THEN NULL WHEN 1 THEN at + interval '2 mons' ELSE at END, ts, d, i, k, z,
		   CASE dice(6) WHEN 0 THEN (scores_at(c, as_of)).e7 WHEN 1 THEN (scores_at(c, as_of)).e7 / 2 ELSE random() * 5 - 1 END
	FROM event ORDER BY c;
	INSERT INTO own SELECT c, segment.sessions(at, '1 day'), segment.streak(at) FROM event GROUP BY c;
	INSERT INTO instant
	WITH times AS (
		SELECT c, at AS t FROM row UNION SELECT c, at FROM event UNION SELECT c, ts::timestamptz FROM row UNION SELECT c, ts::timestamptz FROM event
		UNION SELECT c, d FROM row UNION SELECT c, d FROM event),
	moved AS (
		SELECT c, t + s::interval * f AS t FROM times, unnest(spans()) s, (VALUES (1), (-1)) f (f)
		UNION SELECT c, t FROM times),
	edges AS (
		SELECT c, t FROM moved UNION SELECT c, date_trunc('day', t) FROM moved
		UNION SELECT c, date_trunc('day', as_of) + n * interval '1 day' FROM generate_series(1, 60) n, generate_series(1, 4) c
		UNION SELECT c, date_trunc('month', as_of) + n * interval '1 month' FROM generate_series(1, 15) n, generate_series(1, 4) c
		UNION SELECT c, date_trunc('hour', as_of) + n * interval '30 minutes' FROM generate_series(1, 100) n, generate_series(1, 4) c
		UNION SELECT c, date_trunc('second', as_of) + n * interval '1 second' FROM (VALUES (1), (2), (60)) v (n), generate_series(1, 4) c)
	SELECT DISTINCT c, t + n * interval '1 microsecond' FROM edges, generate_series(-1, 1) n
	WHERE t BETWEEN as_of - interval '1 day' AND as_of + interval '3 years';
	-- when a sum reaches a number, a little before and after; and in between
	INSERT INTO instant
	SELECT c, as_of + n * interval '1 microsecond' + h * ln(greatest(abs(e) / threshold, 1)) / ln(2) * interval '1 day'
	FROM row, LATERAL scores_at(c, as_of) s,
		 LATERAL (VALUES (1, e1), (7, e7), (30, e30), (7, p7), (7, twice)) v (h, e),
		 (VALUES (0.05), (0.1), (0.5), (1), (1.5), (2), (3), (4), (10)) w (threshold), (VALUES (-2000), (2000)) u (n)
	WHERE abs(e) < 1e9
	UNION SELECT c, as_of + h * n * n / 50.0 * interval '1 day' FROM row, (VALUES (1), (7), (30)) v (h), generate_series(1, 30) n;
	DELETE FROM instant WHERE t <= as_of;
	ANALYZE instant;
END $$;

-- Trying ------------------------------------------------------------------------

-- Plants a bug into an analysis, to see it found.
CREATE FUNCTION plant(crossing text, bug text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE bug
		WHEN 'month' THEN replace(crossing, '''1 mon''', '''30 days''')
		WHEN 'zone' THEN replace(crossing, '''local''::text, ''''::text', '''local''::text, ''UTC''::text')
		WHEN 'decay' THEN replace(crossing, '''7 days''', '''8 days''')
		WHEN 'round' THEN replace(crossing, '''round''::text', '''floor''::text')
		WHEN 'after' THEN replace(replace(crossing, '''passes''', '''reaches'''), ', true)', ', false)')
		ELSE crossing END
$$;

CREATE PROCEDURE try_rule(seed int, n int, as_of timestamptz, bug text) LANGUAGE plpgsql AS $$
DECLARE
	began timestamptz := clock_timestamp();
	kind text := pick('event', 'event', 'row', 'row', 'decay');
	tried text := CASE kind WHEN 'decay' THEN decaying_expression() ELSE expression(kind = 'event') END;
	score record;
	until text;
	present text := kind;		-- what the rule is evaluated over now, and at other instants
	later text := format('looked JOIN %I USING (c)', kind);
	early interval := '0';		-- what decays is looked at a little early
	horizon timestamptz := as_of + interval '5 years';	-- how far is looked
	verdict text;
	wakes int;
	needless int;
	found_wakes int;			-- of one step
	found_needless int;
	next timestamptz;			-- the first instant at which a row is to be looked at
BEGIN
	PERFORM set_config('segment.as_of', as_of::text, false);
	PERFORM segment.add_score('customers', 'tried', tried);
	SELECT * INTO score FROM segment.config_column WHERE tbl = 'customers'::regclass AND name = 'tried';
	PERFORM segment.drop_score('customers', 'tried');
	IF (score.over = 'events') <> (kind = 'event') THEN
		RAISE 'unexpected kind of score: %', score.over;
	END IF;
	IF kind = 'decay' THEN
		horizon := as_of + interval '2 years';	-- farther, the sum of plain arithmetic comes to its end
		present := 'row JOIN own USING (c), LATERAL scores_at(c, $1) s, LATERAL (SELECT days_at(days_before, $1) AS days) d_';
		later := 'looked JOIN row USING (c) JOIN own USING (c), LATERAL scores_at(c, t) s, LATERAL (SELECT days_at(days_before, t) AS days) d_';
	END IF;
	-- a row is also looked at for the columns that it reads
	SELECT 'LEAST(''infinity''::timestamptz, ' || string_agg(plant(x, bug), ', ') || ')' INTO until
	FROM unnest(score.crossings || (SELECT crossings FROM segment.config_column WHERE tbl = 'customers'::regclass AND name = 'whole' AND name = ANY (score.depends))) x;
	IF 'whole' = ANY (score.depends) THEN
		score.expression := format('ROW(%s, whole)', score.expression);
	END IF;
	IF until ~ 'next_decay' THEN
		early := '10 milliseconds';
	END IF;
	-- from the first instant that was said on the same is asked again, and once more
	FOR step IN 1 .. CASE WHEN score.unanalyzed IS NULL THEN 3 ELSE 0 END LOOP
		PERFORM set_config('segment.as_of', as_of::text, false);
		EXECUTE format($sql$
			WITH said AS MATERIALIZED (SELECT c, %s AS value, %s AS until FROM %s %s),
			looked AS MATERIALIZED (
				SELECT c, t FROM instant JOIN said USING (c) WHERE t < until AND t > $1 AND t < $3
				UNION SELECT c, least(until - interval '1 microsecond', $3) FROM said WHERE until > $1 + interval '1 microsecond'
				UNION SELECT c, until + $2 FROM said WHERE until < $3),
			found AS MATERIALIZED (
				SELECT c, t, %s AS changed, until, said.value AS before, later.value AS after
				FROM (SELECT c, t, %s AS value FROM %s %s) later JOIN said USING (c))
			SELECT (SELECT format('customer %%s: %%s until %%s, but %%s at %%s', c, before, until, after, t)
					FROM found WHERE changed AND t < until ORDER BY t LIMIT 1),
				   (SELECT count(*) FROM said WHERE until < $1 + interval '1 year'),
				   (SELECT count(*) FROM found WHERE NOT changed AND t = until + $2 AND until < $1 + interval '1 year'),
				   (SELECT min(until) FROM said)$sql$,
			score.expression, coalesce(until, '''infinity''::timestamptz'), present,
			CASE WHEN kind = 'event' THEN 'GROUP BY c' ELSE '' END,
			-- as where rows are written: '30 days' equals '1 mon', and is another value
			CASE kind WHEN 'decay' THEN 'later.value IS DISTINCT FROM said.value' ELSE 'ROW(later.value)::record *<> ROW(said.value)::record' END,
			replace(score.expression, 'segment.now()', 't'), later, CASE WHEN kind = 'event' THEN 'GROUP BY c, t' ELSE '' END)
		INTO verdict, found_wakes, found_needless, next USING as_of, early, horizon;
		IF step = 1 THEN
			wakes := found_wakes;
			needless := found_needless;
		END IF;
		IF verdict IS NULL AND next <= as_of THEN
			verdict := format('said to change at %s, which is not to come', next);
		END IF;
		EXIT WHEN verdict IS NOT NULL OR next > horizon - interval '1 year';
		as_of := next;
	END LOOP;
	IF clock_timestamp() - began > interval '10 seconds' THEN
		verdict := concat(verdict, ' took ', clock_timestamp() - began);
	END IF;
	INSERT INTO result VALUES (seed, n, tried, verdict, score.unanalyzed, wakes, needless, kind);
EXCEPTION WHEN OTHERS THEN
	verdict := SQLERRM;
	-- of a rule that fails itself, nothing is expected
	BEGIN
		EXECUTE format('SELECT count(value) FROM (SELECT %s AS value FROM %s %s OFFSET 0) x', score.expression, present,
					   CASE WHEN kind = 'event' THEN 'GROUP BY c' ELSE '' END) USING as_of;
	EXCEPTION WHEN OTHERS THEN
		verdict := CASE WHEN SQLERRM <> verdict THEN concat(verdict, '; ', SQLERRM) END;
	END;
	INSERT INTO result VALUES (seed, n, tried, verdict, CASE WHEN verdict IS NULL THEN 'fails' END, NULL, NULL, kind);
END $$;

-- Ten rules over the same events, seen from the same instant.
CREATE PROCEDURE run(seed int, bug text) LANGUAGE plpgsql AS $$
DECLARE
	zone text;
	as_of timestamptz;
BEGIN
	PERFORM setseed(1.0 / (seed + 1));
	PERFORM dice(2) FROM generate_series(1, 10);
	PERFORM set_config('clockwork.bad_zones', (dice(4) = 0)::text, false);
	zone := (zones())[1 + dice(cardinality(zones()))];
	PERFORM set_config('timezone', zone, false);
	as_of := viewpoint(zone);
	PERFORM set_config('segment.as_of', as_of::text, false);
	PERFORM segment.create_table('customers', 'c', 'int', zone);
	PERFORM segment.add_source('customers', 'source', 'c', 'at', value => 'value',
							   extra => '{"ts": "ts", "d": "d", "i": "i", "k": "k", "z": "z"}');
	PERFORM segment.add_attributes('customers', 'attribute', 'c',
								   '{"at": "at", "ts": "ts", "d": "d", "i": "i", "k": "k", "z": "z", "x": "x"}');
	PERFORM segment.add_score('customers', name, expression) FROM (VALUES
		('e1', 'segment.engagement(at, value, ''1 day'')'), ('e7', 'segment.engagement(at, value, ''7 days'')'),
		('e30', 'segment.engagement(at, value, ''30 days'')'), ('p7', 'segment.engagement(at, value, ''7 days'') FILTER (WHERE k > 1)'),
		('twice', 'e7 * 2'), ('whole', 'round(e7)'), ('visits', 'segment.sessions(at, ''1 day'')'), ('days', 'segment.streak(at)')) v (name, expression);
	CALL make_data(as_of);
	FOR n IN 1 .. 10 LOOP
		CALL try_rule(seed, n, as_of, bug);
	END LOOP;
	PERFORM segment.drop_table('customers');
END $$;
