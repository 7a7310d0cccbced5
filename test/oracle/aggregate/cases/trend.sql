SELECT try.aggregate('trend', 'segment.trend(at, {weight}, {period})',
	choices => $$ {"weight": ["weight", "signed", "1"],
				   "period": ["interval '3 seconds'", "interval '20 minutes'", "interval '1 day'", "interval '7 days'", "interval '1 month'", "interval '1 month 2 days 03:00'", "interval '1 year'"]} $$,
	tolerance => 1e-15, oracle => $$
		SELECT k, coalesce(sum(try.exact({weight})) FILTER (WHERE at > segment.now() - {period}), 0)::float8
				  / nullif((sum(try.exact({weight})) FILTER (WHERE at <= segment.now() - {period}))::float8, 0) AS expected
		FROM events WHERE at <= segment.now() AND at > segment.now() - 2 * {period} GROUP BY k
	$$);
