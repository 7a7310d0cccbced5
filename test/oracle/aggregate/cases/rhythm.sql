-- Window functions; everything is counted in numeric microseconds.
SELECT try.aggregate('rhythm', 'segment.rhythm(at)',
	oracle => $$
		WITH counted AS (
			SELECT k, at, extract(epoch FROM at - lag(at) OVER (PARTITION BY k ORDER BY at)) * 1000000 AS gap
			FROM events WHERE isfinite(at) AND at <= segment.now()
		),
		whole AS (
			SELECT k, count(*) AS events, max(at) AS last, avg(gap) AS mean, stddev_samp(gap) AS deviation,
				   array_agg(gap ORDER BY gap) FILTER (WHERE gap IS NOT NULL) AS gaps
			FROM counted GROUP BY k
		),
		middle AS (
			SELECT *, round((gaps[events / 2] + gaps[(events + 1) / 2]) / 2) AS median FROM whole
		)
		SELECT k, ROW(events, justify_hours(round(mean)::bigint * interval '1 microsecond'),
					  justify_hours(median::bigint * interval '1 microsecond'),
					  justify_hours(round(deviation)::bigint * interval '1 microsecond'),
					  deviation / nullif(mean, 0), last + median::bigint * interval '1 microsecond',
					  extract(epoch FROM segment.now() - last) * 1000000 / nullif(median, 0))::segment.rhythm_result AS expected
		FROM middle
	$$);
