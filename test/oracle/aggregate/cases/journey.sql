-- Sorts by stage and by time.
SELECT try.aggregate('journey' || suffix, 'segment.journey(at, ' || stages || ')',
	oracle => format($$
		WITH staged AS (
			SELECT k, at, (SELECT coalesce(max(place) FILTER (WHERE met), 0)
						   FROM unnest(ARRAY[a, b, c, d, e]) WITH ORDINALITY u(met, place) WHERE place <= %s) AS stage
			FROM events WHERE isfinite(at)
		),
		furthest AS (SELECT DISTINCT ON (k) k, stage, at FROM staged ORDER BY k, stage DESC, at),
		latest AS (SELECT DISTINCT ON (k) k, stage, at FROM staged WHERE stage > 0 ORDER BY k, at DESC, stage DESC)
		SELECT k, ROW(f.stage, CASE WHEN f.stage > 0 THEN f.at END, coalesce(l.stage, 0), l.at)::segment.journey_result AS expected
		FROM furthest f LEFT JOIN latest l USING (k)
	$$, count))
FROM (VALUES ('', 'a, b, c', 3), (' of one stage', 'a', 1), (' of an array', 'VARIADIC ARRAY[a, b, c, d, e]', 5)) v(suffix, stages, count);
