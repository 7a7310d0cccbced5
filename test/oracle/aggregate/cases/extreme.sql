-- Sorts by time and value; what the type's order holds equal, by one thing more.
-- Values of many types: by value, by reference, of equal but different values
-- (ranges from 1, 1.0 and 1.00), without an order, and rows.
SELECT try.aggregate(name || ' ' || type, format('segment.%s(%s, at)', name, value),
	oracle => format($$
		SELECT DISTINCT ON (k) k, %s AS expected
		FROM events WHERE num_nulls(%s) = 0 AND isfinite(at) ORDER BY k, at %s, %s
	$$, value, value, direction, (SELECT string_agg(x || ' ' || direction, ', ') FROM unnest(sorting) x)))
FROM (VALUES ('first', ''), ('last', 'DESC')) n(name, direction)
JOIN (VALUES
			('text', 'item', ARRAY['item']),
			('of another collation', 'item COLLATE "C"', ARRAY['item COLLATE "C"']),
			('int', 'nullif(n, 3)', ARRAY['n']),
			('float8', 'signed', ARRAY['signed']),
			('interval', 'n * interval ''7 hours''', ARRAY['n']),
			('bytea', 'convert_to(item, ''UTF8'')', ARRAY['item COLLATE "C"']),
			('numrange', 'numrange(round(n::numeric % 2, n % 4), NULL)', ARRAY['n % 2', 'n % 4']),
			('json', 'to_json(lpad(n::text, 2))', ARRAY['n']),
			('row', 'ROW(n % 3, at, NULL, date_trunc(''day'', at))::segment.journey_result', ARRAY['n % 3']),
			('array', 'ARRAY[n::text, item]', ARRAY['n::text', 'item'])) t(type, value, sorting)
	ON type = 'numrange' OR (type IN ('text', 'int', 'row')) = (name = 'first');
