SELECT try.aggregate('unconverted', 'segment.unconverted(item, a, b, at, {at_least})',
	choices => $$ {"at_least": [1, 1, 2, 3]} $$,
	oracle => $$
		SELECT k, coalesce(array_agg(item ORDER BY last DESC, item COLLATE "C") FILTER (WHERE wants >= {at_least} AND NOT converted), '{}') AS expected
		FROM (SELECT k, item, count(*) FILTER (WHERE a) AS wants, max(at) FILTER (WHERE a) AS last,
					 coalesce(max(at) FILTER (WHERE b) >= max(at) FILTER (WHERE a), false) AS converted
			  FROM events WHERE item IS NOT NULL AND isfinite(at) GROUP BY k, item) i
		GROUP BY k
	$$);
-- two of the conditions at once
SELECT try.aggregate('unconverted_once', 'segment.unconverted(item, a OR c, c AND b, at)',
	oracle => $$
		SELECT k, coalesce(array_agg(item ORDER BY last DESC, item COLLATE "C") FILTER (WHERE open), '{}') AS expected
		FROM (SELECT k, item, max(at) AS last,
					 NOT EXISTS (SELECT FROM events later WHERE (later.k, later.item) = (w.k, w.item) AND c AND b AND isfinite(at) AND later.at >= max(w.at)) AS open
			  FROM events w WHERE item IS NOT NULL AND isfinite(at) AND (a OR c) GROUP BY k, item) i
		RIGHT JOIN (SELECT DISTINCT k FROM events WHERE item IS NOT NULL AND isfinite(at)) keys USING (k)
		GROUP BY k
	$$);
