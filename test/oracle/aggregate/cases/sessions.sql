-- Window functions; the average is counted in numeric microseconds.
SELECT try.aggregate('sessions', 'segment.sessions(at, {gap})',
	choices => $$ {"gap": ["'0'", "'1 microsecond'", "'1 second'", "'20 minutes'", "'1 day'", "'1 month'"]} $$,
	oracle => $$
		WITH starts AS (
			SELECT k, at, coalesce(at - lag(at) OVER (PARTITION BY k ORDER BY at) > {gap}, true) AS starts
			FROM events WHERE isfinite(at)
		),
		numbered AS (
			SELECT k, at, count(*) FILTER (WHERE starts) OVER (PARTITION BY k ORDER BY at ROWS UNBOUNDED PRECEDING) AS number
			FROM starts
		),
		each AS (
			SELECT k, number, count(*) AS events, min(at) AS started, extract(epoch FROM max(at) - min(at)) * 1000000 AS duration
			FROM numbered GROUP BY k, number
		),
		whole AS (
			SELECT k, count(*) AS sessions, sum(events)::bigint AS events, sum(duration)::bigint AS total,
				   max(duration)::bigint AS longest, round(sum(duration) / count(*))::bigint AS average, max(started) AS last
			FROM each GROUP BY k
		)
		SELECT k, ROW(sessions, events, justify_hours(total * interval '1 microsecond'),
					  justify_hours(longest * interval '1 microsecond'), justify_hours(average * interval '1 microsecond'),
					  last)::segment.sessions_result AS expected
		FROM whole
	$$);
