-- Triggers that somebody has turned off: the refresh fails until they are on
-- again, and then rebuilds, since what happened in between went unnoticed.
SET client_min_messages = warning;
CREATE SCHEMA disabled;
SET search_path = disabled;
CREATE ROLE regress_segment_ann;
GRANT USAGE, CREATE ON SCHEMA disabled TO regress_segment_ann;
CREATE TABLE event (customer int, at timestamptz);
GRANT SELECT, TRIGGER ON event TO regress_segment_ann;
INSERT INTO event VALUES (1, '2024-01-01 00:00+00');
SET ROLE regress_segment_ann;
SET segment.as_of = '2024-06-01 00:00:00+00';
DO $$
BEGIN
	PERFORM segment.create_table('customers', 'customer', 'int');
	PERFORM segment.add_source('customers', 'event', key => 'customer', at => 'at');
	PERFORM segment.add_score('customers', 'n', 'count(*)');
END $$;
CALL segment.refresh('customers');
RESET ROLE;

-- as the superuser who owns the source, behind the back of the segment table's owner
SELECT replace(string_agg(format('ALTER TABLE event DISABLE TRIGGER %I', tgname), '; ' ORDER BY tgname), '; ', ';') AS disable,
	string_agg(format('ALTER TABLE event ENABLE TRIGGER %I', tgname), ';' ORDER BY tgname) AS enable
FROM pg_trigger WHERE tgrelid = 'event'::regclass \gset
:disable;
INSERT INTO event VALUES (2, '2024-01-02 00:00+00');
SET ROLE regress_segment_ann;
\set VERBOSITY terse
CALL segment.refresh('customers');
SELECT needs_rebuild FROM segment.status WHERE tbl = 'customers'::regclass;
RESET ROLE;
:enable;
SET ROLE regress_segment_ann;
CALL segment.refresh('customers');
SELECT customer, n FROM customers ORDER BY 1;
SELECT * FROM segment.verify('customers');
RESET ROLE;

-- the same mapping twice would count twice
SET ROLE regress_segment_ann;
SELECT segment.add_source('customers', 'event', key => 'customer', at => 'at');
SELECT segment.add_source('customers', 'event', key => 'customer', at => 'at', event => $$'again'$$);
RESET ROLE;

-- zones that POSIX knows, but nobody by name
SELECT segment.create_table('zone', 'customer', time_zone => 'foo1');
SELECT segment.create_table('zone', 'customer', time_zone => '+02');

DROP SCHEMA disabled CASCADE;
DROP OWNED BY regress_segment_ann;
DROP ROLE regress_segment_ann;
