SELECT try.aggregate('repeat_purchase', 'segment.repeat_purchase(at, {period})',
	choices => $$ {"period": ["'1 day'", "'1 week'", "'1 month'", "'1 year'", "'7 hours'"]} $$,
	oracle => $$
		SELECT k, ROW(count(DISTINCT at::date) - 1,
					  (max(at::date) - min(at::date)) * 86400 / extract(epoch FROM interval {period}),
					  (greatest(segment.now()::date, max(at::date)) - min(at::date)) * 86400 / extract(epoch FROM interval {period})
				  )::segment.repeat_purchase_result AS expected
		FROM events WHERE at > '-infinity' AND at <= segment.now() GROUP BY k
	$$);
SELECT try.aggregate('repeat_purchase in weeks', 'segment.repeat_purchase(at)',
	oracle => $$
		SELECT k, ROW(count(DISTINCT at::date) - 1, (max(at::date) - min(at::date)) / 7.0,
					  (greatest(segment.now()::date, max(at::date)) - min(at::date)) / 7.0)::segment.repeat_purchase_result AS expected
		FROM events WHERE at > '-infinity' AND at <= segment.now() GROUP BY k
	$$);
