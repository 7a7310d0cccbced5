-- Groups: the first label whose rule holds, and its history.
SET client_min_messages = warning;
CREATE SCHEMA groups;
SET search_path = groups;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET segment.as_of = '2024-01-10 00:00:00+00';
CREATE TABLE event (customer int, at timestamptz, amount int);
SELECT segment.create_table('customers', 'customer', 'int');
SELECT segment.add_source('customers', 'event', key => 'customer', at => 'at', value => 'amount');
SELECT segment.add_score('customers', 'last_at', 'max(at)');
SELECT segment.add_score('customers', 'total', 'sum(value)');

-- Tries a statement, undoes it, and says what came of it.
CREATE FUNCTION try(statement text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	hint text; context text;
BEGIN
	EXECUTE statement;
	RAISE EXCEPTION USING errcode = 'HO000';
EXCEPTION
	WHEN SQLSTATE 'HO000' THEN
		RETURN 'accepted';
	WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
		RETURN concat_ws(' -- ', SQLSTATE || ' ' || SQLERRM, nullif(hint, ''), substring(context FROM '^expression of [^\n]*'));
END $$;

-- what is refused
SELECT arguments, try(format('SELECT segment.add_group(''customers'', %s)', arguments))
FROM unnest(ARRAY[
	$$'g', 'a'$$,
	$$'g', 'a', 'true', 'b'$$,
	$$'g', VARIADIC '{}'$$,
	$$'g', VARIADIC NULL$$,
	$$'g', '', 'true'$$,
	$$'g', 'a', 'true', NULL, 'true'$$,
	$$'g', 'a', NULL$$,
	$$'g', 'a', 'total > 1', 'a', 'total > 0'$$,
	$$'g', 'a', 'total'$$,
	$$'g', 'a', 'total > 1', 'b', 'totl > 0'$$,
	$$'g', 'a', 'true) THEN ''x'' WHEN (true'$$,
	$$'g', 'a', 'sum(value) > 1'$$,
	$$'g', 'a', 'random() > 0.5'$$,
	$$'g', 'a', ''$$,
	$$'g', 'a', 'g IS NULL'$$,
	$$'total', 'a', 'true'$$,
	$$'', 'a', 'true'$$,
	$$'__segment_g', 'a', 'true'$$,
	$$NULL, 'a', 'true'$$]) WITH ORDINALITY u (arguments, n) ORDER BY n;
SELECT try(format('SELECT segment.add_group(''customers'', ''g'', VARIADIC %L)',
				  (SELECT array_agg(CASE WHEN n % 2 = 0 THEN 'true' ELSE 'l' || n END) FROM generate_series(1, 202) n)));
SELECT try('SELECT segment.drop_group(''customers'', ''total'')'), try('SELECT segment.drop_group(''customers'', ''g'')'),
	   try('SELECT segment.drop_group(NULL, ''g'')');

-- the order of the labels decides; NULL in a rule is no; a label is any text
SELECT segment.add_group('customers', 'size', 'big', 'total >= 100', 'it''s \ "small"', 'total >= 10', 'tiny', 'total IS NOT NULL');
SELECT segment.add_group('customers', 'activity', 'active', 'last_at > now() - interval ''10 days''',
						 'sleeping', 'last_at > now() - interval ''1 month''');
SELECT tbl, name, position, labels, rules, unanalyzed, max_age FROM segment.groups ORDER BY position;
SELECT jsonb_pretty(segment.definition('customers') -> 'groups');
INSERT INTO event VALUES (1, '2024-01-05', 10), (2, '2024-01-09', 200), (3, '2023-01-01', 1), (4, '2024-01-02', NULL);
CALL segment.refresh('customers');
SELECT customer, size, activity, valid_until FROM customers ORDER BY 1;
SELECT customer, segment, label, entered_at, left_at FROM customers_history ORDER BY 1, 2, 4;
SELECT segment.current('customers', '2') ->> 'size' AS size;
SELECT * FROM segment.verify('customers');

-- by an event to another label, by time to the next, then to none; at the instant, not before
SET segment.as_of = '2024-01-11 00:00:00+00';
INSERT INTO event VALUES (1, '2024-01-05', 90), (4, '2024-01-02', 10);
CALL segment.refresh('customers');
SET segment.as_of = '2024-01-11 23:59:59.999999+00';
SELECT * FROM segment.verify('customers');
SET segment.as_of = '2024-01-12 00:00:00+00';
CALL segment.refresh('customers');
SET segment.as_of = '2024-02-02 00:00:00+00';
CALL segment.refresh('customers');
SELECT customer, size, activity, valid_until FROM customers ORDER BY 1;
SELECT customer, segment, label, entered_at, left_at FROM customers_history ORDER BY 1, 2, 4;
SELECT * FROM segment.verify('customers');

-- there and back as of one instant leaves an interval; a rebuild changes nothing
UPDATE event SET amount = 1000 WHERE customer = 3;
CALL segment.refresh('customers');
UPDATE event SET amount = 20 WHERE customer = 3;
CALL segment.refresh('customers');
CALL segment.rebuild('customers');
SELECT customer, segment, label, entered_at, left_at FROM customers_history WHERE customer = 3 ORDER BY 1, 2, 4;

-- other columns read a group; what is read can not be dropped
SELECT segment.add_segment('customers', 'sleeping_giant', 'size = ''big'' AND activity = ''sleeping''');
SELECT segment.add_score('customers', 'words', 'size || '', '' || coalesce(activity, ''gone'')');
SELECT segment.add_group('customers', 'care', 'call', 'sleeping_giant', 'mail', 'activity IS NULL');
CALL segment.refresh('customers');
SELECT customer, size, activity, sleeping_giant, words, care FROM customers ORDER BY 1;
SELECT try('SELECT segment.drop_group(''customers'', ''size'')'), try('SELECT segment.drop_segment(''customers'', ''sleeping_giant'')'),
	   try('SELECT segment.drop_score(''customers'', ''total'')');
SELECT * FROM segment.verify('customers');

-- a rule that is not analyzed is said to be so, and verified as of refreshed_at
SET client_min_messages = notice;
SELECT segment.add_group('customers', 'weekday', 'friday', 'to_char(now(), ''D MS'') LIKE ''6 %'' AND total > 10', 'other', 'true');
SET client_min_messages = warning;
CALL segment.refresh('customers');
SELECT name, unanalyzed, max_age FROM segment.groups WHERE name = 'weekday';
SELECT customer, weekday, valid_until FROM customers ORDER BY 1;
SELECT * FROM segment.verify('customers');

-- a customer who goes; one whose key moves; a group that is dropped and defined anew
SET segment.as_of = '2024-02-03 00:00:00+00';
DELETE FROM event WHERE customer = 2;
UPDATE event SET customer = 5 WHERE customer = 1;
SELECT segment.drop_group('customers', 'weekday');
SELECT segment.drop_group('customers', 'care');
CALL segment.refresh('customers');
SELECT customer, segment, label, entered_at, left_at FROM customers_history WHERE segment <> 'sleeping_giant' ORDER BY 1, 2, 4;
SELECT segment.add_group('customers', 'care', 'none', 'true');
CALL segment.refresh('customers');
SELECT customer, label, entered_at FROM customers_history WHERE segment = 'care' AND left_at IS NULL ORDER BY 1;
SELECT * FROM segment.verify('customers');

-- the stream changes its types: the rules are checked anew
ALTER TABLE event ADD COLUMN price numeric;
CREATE TABLE price (customer int, at timestamptz, amount numeric);
SELECT segment.add_source('customers', 'price', key => 'customer', at => 'at', value => 'amount');
INSERT INTO price VALUES (3, '2024-01-01', 79.5), (4, '2024-01-01', 90.01);
CALL segment.refresh('customers');
SELECT customer, total, size FROM customers ORDER BY 1;
SELECT rules FROM segment.groups WHERE name = 'size';

-- going back: what the history says of the time after is undone, labels too
SET segment.as_of = '2024-01-11 12:00:00+00';
CALL segment.refresh('customers');
SELECT customer, segment, label, entered_at, left_at FROM customers_history ORDER BY 1, 2, 4;
SELECT * FROM segment.verify('customers');

-- what verify() sees: a wrong label in the row, in the history, one too many, one too few
UPDATE customers SET size = 'huge' WHERE customer = 3;
UPDATE customers_history SET label = 'odd' WHERE customer = 4 AND segment = 'size' AND left_at IS NULL;
INSERT INTO customers_history VALUES (9, 'size', 'big', '2024-01-01');
DELETE FROM customers_history WHERE customer = 5 AND segment = 'activity';
SELECT * FROM segment.verify('customers') ORDER BY 1, 2, 3;

-- what changes next goes on from there, whatever was open
INSERT INTO event VALUES (3, '2024-01-02', 0), (4, '2024-01-02', -99), (9, '2024-01-02', 3);
CALL segment.refresh('customers');
SELECT * FROM segment.verify('customers') ORDER BY 1, 2, 3;

-- the instants of many labels grow with their number, not with its square
SELECT segment.add_group('customers', 'many', VARIADIC (SELECT array_agg(x ORDER BY i, k) FROM generate_series(1, 100) i,
	LATERAL (VALUES (1, 'label ' || i), (2, format('now() - ''%s days''::interval > ''2024-01-01''', 300 - i))) v (k, x)));
SELECT cardinality(crossings), length(crossings[1]) < 25000 AS short FROM segment.config_column WHERE name = 'many';
SELECT segment.drop_group('customers', 'many');

SELECT segment.drop_table('customers');
SELECT count(*) FROM segment.groups;
DROP SCHEMA groups CASCADE;
