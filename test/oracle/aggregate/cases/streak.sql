-- Gaps and islands: what is numbered in a row keeps its distance from the number.
SELECT try.aggregate('streak', 'segment.streak(at, {unit})',
	choices => $$ {"unit": ["'day'", "'week'", "'month'", "'Days'", "'WEEKS'", "'months'"]} $$,
	oracle => $$
		WITH units AS (
			SELECT DISTINCT k, date_trunc({unit}, at::timestamp) AS unit
			FROM events WHERE at > '-infinity' AND at <= segment.now()
		),
		islands AS (
			SELECT k, unit, unit - row_number() OVER (PARTITION BY k ORDER BY unit) * ('1 ' || {unit})::interval AS island
			FROM units
		),
		runs AS (SELECT k, count(*)::int AS length, max(unit) AS until FROM islands GROUP BY k, island)
		SELECT k, ROW(coalesce((array_agg(length ORDER BY until DESC) FILTER (WHERE
						  until >= date_trunc({unit}, segment.now()::timestamp) - ('1 ' || {unit})::interval))[1], 0),
					  max(length), sum(length)::int,
					  (SELECT max(at)::date FROM events e WHERE e.k = runs.k AND at <= segment.now()))::segment.streak_result AS expected
		FROM runs GROUP BY k
	$$);
SELECT try.aggregate('streak of days', 'segment.streak(at)',
	oracle => $$
		WITH days AS (SELECT DISTINCT k, at::date AS day FROM events WHERE at > '-infinity' AND at <= segment.now()),
		islands AS (SELECT k, day, day - row_number() OVER (PARTITION BY k ORDER BY day)::int AS island FROM days),
		runs AS (SELECT k, count(*)::int AS length, max(day) AS until FROM islands GROUP BY k, island)
		SELECT k, ROW(coalesce((array_agg(length ORDER BY until DESC) FILTER (WHERE until >= segment.now()::date - 1))[1], 0),
					  max(length), sum(length)::int,
					  (SELECT max(at)::date FROM events e WHERE e.k = runs.k AND at <= segment.now()))::segment.streak_result AS expected
		FROM runs GROUP BY k
	$$);
