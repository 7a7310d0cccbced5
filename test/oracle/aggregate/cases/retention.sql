SELECT try.aggregate('retention', 'segment.retention(a, b, c, d)',
	oracle => $$
		SELECT k, CASE WHEN bool_or(a) THEN ARRAY[true, coalesce(bool_or(b), false), coalesce(bool_or(c), false), coalesce(bool_or(d), false)]
					   ELSE '{f, f, f, f}' END AS expected
		FROM events GROUP BY k
	$$);
SELECT try.aggregate('retention in days', $$segment.retention(at::date = '{day}', at::date = '{day}'::date + {after}, a)$$,
	choices => $$ {"day": ["2026-01-31", "2000-01-01", "2025-03-30", "2024-02-29"], "after": [0, 1, 7]} $$,
	oracle => $$
		SELECT k, ARRAY[first, first AND coalesce(bool_or(at::date = '{day}'::date + {after}), false), first AND coalesce(bool_or(a), false)] AS expected
		FROM (SELECT *, EXISTS (SELECT FROM events o WHERE o.k = e.k AND o.at::date = '{day}') AS first FROM events e) e
		GROUP BY k, first
	$$);
SELECT try.aggregate('retention_periods', 'segment.retention_periods(at, {period}, {periods})',
	choices => $$ {"period": ["'1 microsecond'", "'1 hour'", "'1 day'", "'1 week'", "'1 month'", "'1 year'", "'1 month 2 days 3 hours'"],
				   "periods": [1, 3, 12, 40]} $$,
	oracle => $$
		SELECT k, array_agg(EXISTS (SELECT FROM events e
									WHERE e.k = f.k AND at >= first + (i - 1) * interval {period} AND at < first + i * interval {period})
							ORDER BY i) AS expected
		FROM (SELECT k, min(at) AS first FROM events WHERE isfinite(at) GROUP BY k) f, generate_series(1, {periods}) i
		GROUP BY k
	$$);
