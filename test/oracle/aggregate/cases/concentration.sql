-- The definition, in numeric; from values near the greatest float8 to few that differ.
SELECT try.aggregate('concentration', 'segment.concentration({value})',
	choices => $$ {"value": ["weight", "weight", "n", "weight * 1e288::float8", "(1 + n * 1e-9::float8)", "floor(n / 9) * weight", "(CASE WHEN n < 4 THEN '-0' ELSE weight END)"]} $$,
	oracle => $$
		SELECT k, sum((2 * i - n - 1) * x) / nullif(max(n) * sum(x), 0) AS expected
		FROM (SELECT k, round(try.exact({value}), 100) AS x, row_number() OVER (PARTITION BY k ORDER BY {value}) AS i, count(*) OVER (PARTITION BY k) AS n
			  FROM events WHERE {value} IS NOT NULL) e
		GROUP BY k
	$$);
