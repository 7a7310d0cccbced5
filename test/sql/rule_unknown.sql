-- Rules that ask whether a condition is NULL: by time alone that changes only
-- where AND and OR pass a NULL over.
SET client_min_messages = notice;
SET timezone = 'UTC';
SET datestyle = 'ISO';
CREATE SCHEMA unknowns;
SET search_path = unknowns;
CREATE TABLE account (id int, born date, ends timestamptz, wanted boolean, zone text);
INSERT INTO account VALUES
	(1, '2024-03-05', '2024-03-04 12:00+00', true, 'Europe/Paris'),
	(2, NULL, '2024-03-06 00:00+00', NULL, 'UTC'),
	(3, '2024-03-03', NULL, false, NULL),
	(4, NULL, NULL, NULL, NULL);
SELECT segment.create_table('unknowns.account_segments', 'id', 'int', 'UTC');
SELECT segment.add_attributes('account_segments', 'account', 'id',
	'{"born": "born", "ends": "ends", "wanted": "wanted", "zone": "zone"}');
SELECT segment.add_segment('account_segments', 'never_ends', '(ends < now()) IS UNKNOWN');
SELECT segment.add_segment('account_segments', 'known', '(ends < now() AND wanted) IS NOT UNKNOWN');
SELECT segment.add_segment('account_segments', 'open_or', '(ends < now() OR wanted) IS NULL');
SELECT segment.add_segment('account_segments', 'in_list',
	$$(current_date = ANY (ARRAY[born, '2024-03-08'::date])) IS UNKNOWN$$);
SELECT segment.add_segment('account_segments', 'in_days',
	$$(current_date = ANY ('{2024-03-02,2024-03-04}'::date[]) AND wanted) IS UNKNOWN$$);
SELECT segment.add_segment('account_segments', 'asks_twice', '((ends < now()) IS NULL AND wanted) IS NULL');
SELECT segment.add_segment('account_segments', 'as_text', '(current_date::text = born::text) IS NULL');
-- to_char gives NULL for an empty format; what can raise an error is looked at as well
SELECT segment.add_segment('account_segments', 'shown', $$(to_char(now(), 'YYYY') = zone) IS NULL$$);
SELECT segment.add_segment('account_segments', 'local',
	$$((now() AT TIME ZONE zone)::date > born) IS NULL$$);

-- at each instant at which a row is due: right before it, and at it
CREATE PROCEDURE follow(start timestamptz, steps int)
LANGUAGE plpgsql AS $$
DECLARE
	t timestamptz := start;
BEGIN
	PERFORM set_config('segment.as_of', t::text, false);
	CALL segment.rebuild('unknowns.account_segments');
	FOR step IN 1 .. steps LOOP
		SELECT min(valid_until) INTO t FROM unknowns.account_segments;
		EXIT WHEN t IS NULL OR t = 'infinity';
		PERFORM set_config('segment.as_of', (t - interval '1 microsecond')::text, false);
		ASSERT NOT EXISTS (SELECT FROM segment.verify('unknowns.account_segments')), format('wrong before %s', t);
		PERFORM set_config('segment.as_of', t::text, false);
		CALL segment.refresh('unknowns.account_segments');
		ASSERT NOT EXISTS (SELECT FROM segment.verify('unknowns.account_segments')), format('wrong at %s', t);
	END LOOP;
END $$;
CALL follow('2024-03-01 00:00+00', 20);
SELECT segment.now();
SELECT * FROM account_segments ORDER BY id;

SET client_min_messages = warning;
SELECT segment.drop_table('account_segments');
DROP SCHEMA unknowns CASCADE;
