-- Every state that a chain can be in: action i comes next, at event p; base is the
-- time from which a wait is measured.
SELECT try.aggregate('sequence_match', 'segment.sequence_match({pattern}, at, a, b, c)',
	choices => $$ {
		"pattern": ["'(?1)(?t>={distance})(?2)'", "'(?1)(?t<{distance})(?2)(?t<={distance})(?3)'", "'(?1)(?t=={distance})(?2)(?t=={distance})(?1)'",
					"'(?1).(?t<={distance}).*(?2)(?t>{distance})(?3)'", "'(?1)(?t<={distance})(?2)(?1)(?t=={distance}).(?3)'",
					"'(?2)(?3)(?1)(?3)(?t>{distance})'", "'..(?t>{distance})(?3)(?t<{distance})'", "'.*.*(?1).*.*(?t>={distance})(?3).*'",
					"''", "'(?3).(?t>={distance})'", "'(?t>={distance})(?1)(?1)(?2)(?2)(?3)(?3)'"],
		"distance": [0, 0.000001, 1, 1200, 3600.0, 43200, 86400, 604800, 2592000]
	} $$,
	oracle => $$
		WITH RECURSIVE actions AS (
			SELECT i, m[1] AS element, m[2]::int AS condition, m[3] AS op, m[4]::numeric * interval '1 second' AS distance
			FROM regexp_matches('.*' || {pattern}, '(\(\?(\d+)\)|\(\?t([<>=]+)([\d.]+)\)|\.\*|\.)', 'g') WITH ORDINALITY r(m, i)
		),
		numbered AS (
			SELECT k, at, marks, row_number() OVER (PARTITION BY k ORDER BY at, marks) AS p
			FROM (SELECT k, at, coalesce(a, false)::int + 2 * coalesce(b, false)::int + 4 * coalesce(c, false)::int AS marks
				  FROM events WHERE isfinite(at)) e
			WHERE marks > 0
		),
		keys AS (
			SELECT k, (SELECT count(*) FROM numbered n WHERE n.k = e.k) AS events FROM events e WHERE isfinite(at) GROUP BY k
		),
		reached AS (
			SELECT k, events, bigint '1' AS i, bigint '1' AS p, NULL::timestamptz AS base FROM keys
			UNION
			SELECT r.k, r.events, next.i, next.p, next.base
			FROM reached r JOIN actions x USING (i) LEFT JOIN numbered e USING (k, p), LATERAL (VALUES
				(r.i + 1, r.p + 1, e.at, e.at IS NOT NULL AND (x.element = '.' OR e.marks >> (x.condition - 1) & 1 = 1)),
				(r.i + 1, r.p, e.at, e.at IS NOT NULL AND CASE x.op
					WHEN '<' THEN e.at < r.base + x.distance
					WHEN '<=' THEN e.at <= r.base + x.distance
					WHEN '>' THEN e.at > r.base + x.distance
					WHEN '>=' THEN e.at >= r.base + x.distance
					WHEN '==' THEN e.at = r.base + x.distance
					ELSE x.element = '.*' END),
				(r.i, r.p + 1, CASE WHEN x.op IS NOT NULL THEN r.base END,
					r.p < r.events AND (x.element = '.*' OR x.op IS NOT NULL)),
				(r.i + 1, r.p, r.base,
					r.p > r.events AND (x.element = '.*' OR x.op IN ('<', '<=') OR (x.op = '>=' AND x.distance = '0')))
			) next(i, p, base, goes)
			WHERE next.goes
		)
		SELECT k, bool_or(i > (SELECT count(*) FROM actions)) AS expected FROM reached GROUP BY k
	$$);

-- Without times, a regular expression over a letter for each event.
SELECT try.aggregate('sequence_count', 'segment.sequence_count({pattern}, at, a, b, c)',
	choices => $$ {
		"pattern": ["'(?1)'", "'(?1)(?2)'", "'(?1).*(?2)'", "'(?1)(?2)(?3)'", "'(?3).(?1)'", "'..'", "'(?1).*(?2).*(?3)'", "'(?2).*'",
					"'(?1)(?1).*.(?3)(?3)'", "'.*.*(?2).*.*(?1)'"]
	} $$,
	oracle => $$
		WITH letters AS (
			SELECT k, coalesce(string_agg(chr(96 + marks), '' ORDER BY at, marks) FILTER (WHERE marks > 0), '') AS letters
			FROM (SELECT k, at, coalesce(a, false)::int + 2 * coalesce(b, false)::int + 4 * coalesce(c, false)::int AS marks
				  FROM events WHERE isfinite(at)) e
			GROUP BY k
		)
		SELECT k, (SELECT count(*) FROM regexp_matches(letters, replace(replace(replace(replace({pattern},
				'.*', '.*?'), '(?1)', '[aceg]'), '(?2)', '[bcfg]'), '(?3)', '[defg]'), 'g')) AS expected
		FROM letters
	$$);

-- Each event is the first that will do.
SELECT try.aggregate('sequence_events', 'segment.sequence_events(''(?1).*(?2)(?t>{distance})(?3)(?t>=''''{distance} seconds'''')(?1)'', at, VARIADIC ARRAY[a, b, c])',
	choices => $$ { "distance": [0, 0.000001, 1, 1200, 3600, 86400, 604800] } $$,
	oracle => $$
		WITH numbered AS (
			SELECT *, row_number() OVER (PARTITION BY k ORDER BY at, a::int + 2 * b::int + 4 * c::int) AS p
			FROM (SELECT k, at, coalesce(a, false) AS a, coalesce(b, false) AS b, coalesce(c, false) AS c FROM events WHERE isfinite(at)) e
			WHERE a OR b OR c
		)
		SELECT keys.k, array_remove(ARRAY[x.at, y.at, z.at, w.at], NULL) AS expected
		FROM (SELECT DISTINCT k FROM events WHERE isfinite(at)) keys
		LEFT JOIN LATERAL (SELECT * FROM numbered n WHERE n.k = keys.k AND a ORDER BY p LIMIT 1) x ON true
		LEFT JOIN LATERAL (SELECT * FROM numbered n WHERE n.k = keys.k AND b AND n.p > x.p ORDER BY p LIMIT 1) y ON true
		LEFT JOIN LATERAL (SELECT * FROM numbered n WHERE n.k = keys.k AND c AND n.at > y.at + {distance} * interval '1 second' ORDER BY p LIMIT 1) z ON true
		LEFT JOIN LATERAL (SELECT * FROM numbered n WHERE n.k = keys.k AND a AND n.p > z.p AND n.at >= z.at + {distance} * interval '1 second' ORDER BY p LIMIT 1) w ON true
	$$);
