-- What a float8 is in numeric, without rounding.
CREATE FUNCTION try.exact(x float8) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
	SELECT sign(x)::numeric * (bits & 4503599627370495 | CASE WHEN exponent > 0 THEN 4503599627370496 ELSE 0 END)
		   * CASE WHEN place >= 0 THEN power(2::numeric, place) ELSE power(5::numeric, -place) * ('1e' || place)::numeric END
	FROM (SELECT ('x' || encode(float8send(x), 'hex'))::bit(64)::bigint AS bits) b,
		 LATERAL (SELECT (bits >> 52)::int & 2047 AS exponent) e,
		 LATERAL (SELECT greatest(exponent, 1) - 1075 AS place) p
$$;

-- Sums in numeric are exact; they are compared as the float8 next to them.  Weights
-- that cancel out, and multiples of 0.1, show what a rounded sum would do to ties.
CREATE FUNCTION try.item_weights(expression text) RETURNS TABLE (k int, item text, weight numeric) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format(
		'SELECT k, item, try.exact(sum(try.exact(%s))::float8) FROM events
		 WHERE item IS NOT NULL AND %s IS NOT NULL GROUP BY k, item HAVING sum(try.exact(%s)) > 0', expression, expression, expression);
END $$;

SELECT try.aggregate('affinity', 'segment.affinity(item, {weight})',
	choices => $$ {"weight": ["weight", "signed", "(n - 4) * 0.1::float8", "(CASE n % 3 WHEN 0 THEN 1e17 WHEN 1 THEN -1e17 ELSE 1 END)", "signed * 1e288::float8"]} $$,
	tolerance => 1e-14, oracle => $$
		WITH shares AS (
			SELECT k, item, weight, round(weight, 130) / sum(weight) OVER (PARTITION BY k) AS share
			FROM try.item_weights('{weight}')
		)
		SELECT k, ROW((array_agg(item ORDER BY weight DESC, item COLLATE "C"))[1], max(share)::float8, count(*),
					  sum(share * -ln(share)) / ln(2.000000000000000000000000000000))::segment.affinity_result AS expected
		FROM shares GROUP BY k
	$$);
SELECT try.aggregate('affinity_count', 'segment.affinity(item)',
	oracle => $$
		WITH counts AS (SELECT k, item, count(*) AS n, sum(count(*)) OVER (PARTITION BY k) AS whole FROM events WHERE item IS NOT NULL GROUP BY k, item)
		SELECT k, ROW((array_agg(item ORDER BY n DESC, item COLLATE "C"))[1], (max(n) / max(whole))::float8, count(*),
					  sum(n / whole * -ln(n / whole)) / ln(2::numeric))::segment.affinity_result AS expected
		FROM counts GROUP BY k
	$$);
SELECT try.aggregate('top_items', 'segment.top_items(item, {weight}, {n})',
	choices => $$ {"weight": ["weight", "signed", "(n - 4) * 0.1::float8", "(CASE n % 3 WHEN 0 THEN 1e17 WHEN 1 THEN -1e17 ELSE 1 END)", "n - 3"],
				   "n": [1, 2, 3, 9, 2147483647]} $$,
	oracle => $$
		SELECT k, coalesce((array_agg(w.item ORDER BY weight DESC, w.item COLLATE "C") FILTER (WHERE w.item IS NOT NULL))[:{n}], '{}') AS expected
		FROM (SELECT DISTINCT k FROM events WHERE item IS NOT NULL AND ({weight}) IS NOT NULL) counted
		LEFT JOIN try.item_weights('{weight}') w USING (k) GROUP BY k
	$$);
-- more items than are looked up one by one
SELECT try.aggregate('top_items_many', 'segment.top_items(id % {items} || item, n, 100)',
	choices => $$ {"items": [3, 10, 80]} $$,
	oracle => $$
		SELECT k, (array_agg(item ORDER BY n DESC, item COLLATE "C"))[:100] AS expected
		FROM (SELECT k, id % {items} || item AS item, sum(n) AS n FROM events WHERE item IS NOT NULL GROUP BY 1, 2) i GROUP BY k
	$$);
