SELECT try.aggregate('engagement', 'segment.engagement(at, weight, {half_life})',
	choices => $$ {"half_life": ["'1 second'", "'1 hour'", "'30 days'", "'10 years'"]} $$,
	oracle => $$
		SELECT k, sum(CASE WHEN at = '-infinity' THEN 0
						   ELSE weight * power(2::float8, -least(extract(epoch FROM segment.now() - at)::float8 / extract(epoch FROM interval {half_life})::float8, 600)) END
				  ORDER BY weight) AS expected
		FROM events WHERE at <= segment.now() AND weight IS NOT NULL GROUP BY k
	$$);
