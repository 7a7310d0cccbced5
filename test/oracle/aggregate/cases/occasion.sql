-- mode() takes the least of the most frequent values, as we do.
SELECT try.aggregate('occasion', 'segment.occasion(at)',
	oracle => $$
		WITH parts AS (
			SELECT k, extract(hour FROM at::timestamp) AS hour, extract(isodow FROM at::timestamp) AS weekday,
				   extract(month FROM at::timestamp) AS month, extract(year FROM at::timestamp) AS year
			FROM events WHERE isfinite(at)
		),
		modes AS (
			SELECT k, mode() WITHIN GROUP (ORDER BY hour) AS hour, mode() WITHIN GROUP (ORDER BY weekday) AS weekday,
				   mode() WITHIN GROUP (ORDER BY month) AS month
			FROM parts GROUP BY k
		)
		SELECT k, ROW(m.hour, avg((p.hour = m.hour)::int), m.weekday, avg((p.weekday = m.weekday)::int),
					  m.month, avg((p.month = m.month)::int), count(DISTINCT year) FILTER (WHERE p.month = m.month)
				  )::segment.occasion_result AS expected
		FROM modes m JOIN parts p USING (k) GROUP BY k, m.hour, m.weekday, m.month
	$$);
