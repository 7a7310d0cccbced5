-- Conditions are a, b, c, d, e, of which an event may meet any, at few instants.
-- Subtracting instants gives days of 24 hours, so no calendar is in the way.

-- From each first step, each following step as early as can be.
SELECT try.aggregate('funnel', 'segment.funnel(at, {within}, a, b, c, d, e)',
	choices => $$ {"within": ["'0'", "'1 microsecond'", "'20 minutes'", "'1 day'", "'10 days'", "'1 month'"]} $$,
	oracle => $$
		WITH RECURSIVE chain AS (
			SELECT k, at AS start, 1 AS step, at FROM events WHERE a AND isfinite(at)
			UNION
			SELECT c.k, c.start, c.step + 1, n.at
			FROM chain c, LATERAL (SELECT min(e.at) AS at FROM events e
								   WHERE e.k = c.k AND isfinite(e.at) AND e.at >= c.at AND e.at - c.start <= {within}
								   AND (ARRAY[b, c, d, e])[c.step]) n
			WHERE n.at IS NOT NULL
		)
		SELECT k, coalesce(max(step), 0) AS expected
		FROM (SELECT DISTINCT k FROM events WHERE isfinite(at)) keys LEFT JOIN chain USING (k) GROUP BY k
	$$);

-- The earliest end of the longest chains, and from there backward the latest of
-- each step.
SELECT try.aggregate('funnel_times', 'segment.funnel_times(at, {within}, VARIADIC ARRAY[a, b, c])',
	choices => $$ {"within": ["'0'", "'1 microsecond'", "'20 minutes'", "'1 day'", "'10 days'", "'1 month'"]} $$,
	oracle => $$
		WITH finite AS (SELECT * FROM events WHERE isfinite(at)),
		chains AS (
			SELECT DISTINCT k, cardinality(times) AS level, times
			FROM finite x, LATERAL (
				SELECT ARRAY[x.at] AS times
				UNION ALL
				SELECT ARRAY[x.at, y.at] FROM finite y WHERE y.k = x.k AND y.b AND y.at >= x.at AND y.at - x.at <= {within}
				UNION ALL
				SELECT ARRAY[x.at, y.at, z.at]
				FROM (SELECT DISTINCT at FROM finite y WHERE y.k = x.k AND y.b AND y.at >= x.at AND y.at - x.at <= {within}) y,
					 (SELECT DISTINCT at FROM finite z WHERE z.k = x.k AND z.c AND z.at - x.at <= {within}) z
				WHERE z.at >= y.at
			) c
			WHERE x.a
		),
		best AS (
			SELECT DISTINCT ON (k) k, times FROM chains
			ORDER BY k, level DESC, times[level], times[2] DESC, times[1] DESC
		)
		SELECT k, coalesce(times, '{}') AS expected FROM (SELECT DISTINCT k FROM finite) keys LEFT JOIN best USING (k)
	$$);

-- Condition after condition, instant by instant: the start and the end of the
-- chain kept for each step.
SELECT try.aggregate('funnel_by', 'segment.funnel_by({mode}, at, {within}, a, b, c, d)',
	choices => $$ {"within": ["'1 microsecond'", "'20 minutes'", "'1 day'", "'10 days'", "'1 month'"],
				   "mode": ["''", "'strict_order'", "'strict_deduplication'", "'strict_increase'", "'strict_order, allow_reentry'",
							"'strict_order,strict_increase'", "'strict_deduplication,strict_increase'", "'strict_order,strict_deduplication'",
							"'strict_order,strict_deduplication,strict_increase,allow_reentry'"]} $$,
	oracle => $$
		WITH RECURSIVE met AS (
			-- step 0: an event that meets no condition
			SELECT k, step, at, row_number() OVER (PARTITION BY k ORDER BY at, step) AS place
			FROM events,
				 LATERAL (SELECT step FROM unnest(ARRAY[NOT (coalesce(a, false) OR coalesce(b, false) OR coalesce(c, false) OR coalesce(d, false)),
														a, b, c, d]) WITH ORDINALITY m(holds, n), LATERAL (SELECT n - 1 AS step) s WHERE holds) m
			WHERE isfinite(at)
		),
		scan AS (
			SELECT k, 0::bigint AS place, '{}'::timestamptz[] AS starts, '{}'::timestamptz[] AS ends, false AS stopped
			FROM (SELECT DISTINCT k FROM met) keys
			UNION ALL
			SELECT s.k, m.place, CASE WHEN takes THEN starts[:m.step - 1] || CASE m.step WHEN 1 THEN m.at ELSE starts[m.step - 1] END || starts[m.step + 1:]
									  ELSE starts END,
				   CASE WHEN takes THEN ends[:m.step - 1] || m.at || ends[m.step + 1:] ELSE ends END, stops
			FROM scan s JOIN met m ON m.k = s.k AND m.place = s.place + 1,
				 LATERAL (SELECT cardinality(starts) AS level) l,
				 LATERAL (SELECT level > 0 AND (m.step = 0 AND {mode} ~ 'order'
												OR m.step > 1 AND m.step <= level AND {mode} ~ 'deduplication'
												OR m.step > level + 1 AND {mode} ~ 'order' AND {mode} !~ 'reentry') AS stops) e,
				 LATERAL (SELECT NOT stops AND (m.step = 1 OR m.step BETWEEN 2 AND level + 1 AND m.at - starts[m.step - 1] <= {within}
																 AND ({mode} !~ 'increase' OR ends[m.step - 1] < m.at)) AS takes) t
			WHERE NOT s.stopped
		)
		SELECT k, max(cardinality(starts)) AS expected FROM scan GROUP BY k
	$$);

-- Each step by an event of its own.  Of chains that end at the same instants by
-- the same events there, the latest start is enough.
SELECT try.aggregate('funnel_by_once', 'segment.funnel_by(''strict_once'', at, {within}, a, b, c)',
	choices => $$ {"within": ["'0'", "'1 microsecond'", "'20 minutes'", "'1 day'", "'10 days'", "'1 month'"]} $$,
	oracle => $$
		WITH finite AS (SELECT * FROM events WHERE isfinite(at)),
		two AS (
			SELECT y.k, y.at, y.id, CASE WHEN x.at = y.at THEN x.id END AS tied, max(x.at) AS start
			FROM finite x JOIN finite y ON y.k = x.k AND y.at >= x.at AND y.id <> x.id
			WHERE x.a AND y.b AND y.at - x.at <= {within} GROUP BY 1, 2, 3, 4
		),
		three AS (
			SELECT DISTINCT t.k FROM two t JOIN finite z ON z.k = t.k AND z.at >= t.at AND z.id <> t.id AND z.id IS DISTINCT FROM t.tied
			WHERE z.c AND z.at - t.start <= {within}
		)
		SELECT k, CASE WHEN k IN (SELECT k FROM three) THEN 3 WHEN k IN (SELECT k FROM two) THEN 2 ELSE coalesce(max(a::int), 0) END AS expected
		FROM finite GROUP BY k
	$$);

-- Later and later instants are those of different events: from each first step,
-- each following step as early as can be.
SELECT try.aggregate('funnel_by_once_increase', 'segment.funnel_by(''strict_increase,strict_once'', at, {within}, a, b, c, d, e)',
	choices => $$ {"within": ["'1 microsecond'", "'20 minutes'", "'1 day'", "'10 days'", "'1 month'"]} $$,
	oracle => $$
		WITH RECURSIVE chain AS (
			SELECT k, at AS start, 1 AS step, at FROM events WHERE a AND isfinite(at)
			UNION
			SELECT c.k, c.start, c.step + 1, n.at
			FROM chain c, LATERAL (SELECT min(e.at) AS at FROM events e
								   WHERE e.k = c.k AND isfinite(e.at) AND e.at > c.at AND e.at - c.start <= {within}
								   AND (ARRAY[b, c, d, e])[c.step]) n
			WHERE n.at IS NOT NULL
		)
		SELECT k, coalesce(max(step), 0) AS expected
		FROM (SELECT DISTINCT k FROM events WHERE isfinite(at)) keys LEFT JOIN chain USING (k) GROUP BY k
	$$);
