-- A column over the row is computed for everybody from the stored rows: no event is read.
SET client_min_messages = warning;
CREATE SCHEMA newcolumns;
SET search_path = newcolumns;
CREATE TABLE visit (customer bigint, at timestamptz, amount numeric);
CREATE INDEX ON visit (customer);
INSERT INTO visit SELECT c, timestamptz '2026-01-01 00:00+00' + c * interval '1 day', c
FROM generate_series(1, 20) c;
CREATE TABLE person (id bigint PRIMARY KEY, plan text);
INSERT INTO person SELECT c, CASE WHEN c % 2 = 0 THEN 'pro' ELSE 'free' END FROM generate_series(1, 22) c;

SET segment.as_of = '2026-01-31 00:00+00';
SELECT segment.create_table('customers', 'customer');
SELECT segment.add_source('customers', 'visit', 'customer', 'at', value => 'amount');
SELECT segment.add_attributes('customers', 'person', 'id', '{"plan": "plan"}');
SELECT segment.add_score('customers', 'last_visit', 'max(at)');
SELECT segment.add_score('customers', 'spent', 'sum(value)');
CALL segment.refresh('customers');

-- whether the events were read: a score that counts its calls would be volatile, so the
-- statistics of the event table tell
CREATE FUNCTION scans() RETURNS bigint LANGUAGE sql AS $$
SELECT pg_stat_get_xact_numscans('visit'::regclass)
     + (SELECT sum(pg_stat_get_xact_numscans(indexrelid)) FROM pg_index WHERE indrelid = 'visit'::regclass)::bigint
$$;
-- a refresh in a transaction block: how often it read the events
CREATE PROCEDURE refresh_counting(what text) LANGUAGE plpgsql AS $$
DECLARE before bigint := newcolumns.scans(); reads bigint;
BEGIN
    CALL segment.refresh('newcolumns.customers');
    reads := newcolumns.scans() - before;
    RAISE WARNING '%: events were %', what, CASE WHEN reads > 0 THEN 'read' ELSE 'not read' END;
END $$;

-- fixed, moving, and one on top of the other; NULL is no member
SET segment.as_of = '2026-02-01 00:00+00';
SELECT segment.add_segment('customers', 'big', 'spent > 10');
SELECT segment.add_segment('customers', 'lapsed', 'last_visit < now() - interval ''25 days''');
SELECT segment.add_segment('customers', 'big_and_lapsed', 'big AND lapsed');
SELECT new_columns, needs_rebuild, lag IS NOT NULL AS lags FROM segment.status WHERE tbl = 'customers'::regclass;
SELECT count(*) FROM segment.verify('customers');
CALL refresh_counting('segments');
SELECT new_columns, needs_rebuild FROM segment.status WHERE tbl = 'customers'::regclass;
SELECT customer, big, lapsed, big_and_lapsed, refreshed_at, valid_until FROM customers
WHERE customer IN (1, 6, 7, 15, 22) ORDER BY 1;
SELECT * FROM segment.verify('customers');
SELECT segment, count(*), min(entered_at), max(left_at) FROM customers_history GROUP BY 1 ORDER BY 1;

-- a group, a band and what reads it, a score over them
SELECT segment.add_group('customers', 'tier', 'gold', 'spent > 15', 'silver', 'spent > 5');
SELECT segment.add_band('customers', 'spent_band', 'spent', 4);
SELECT segment.add_score('customers', 'rank', 'spent_band * 10 + CASE WHEN lapsed THEN 1 ELSE 0 END');
SELECT segment.add_band('customers', 'rank_band', 'rank', 2);
SELECT segment.add_segment('customers', 'top', 'rank_band = 2 AND tier = ''gold''');
CALL refresh_counting('group and bands');
SELECT tier, spent_band, rank_band, top, count(*) FROM customers GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;
SELECT * FROM segment.verify('customers');

-- who is dirty or due comes first; their columns are computed from the events
SET segment.as_of = '2026-02-04 00:00+00';
INSERT INTO visit VALUES (1, '2026-02-03 12:00+00', 100);
SELECT segment.add_segment('customers', 'recent', 'last_visit >= now() - interval ''10 days''');
CALL refresh_counting('dirty');
SELECT customer, recent, big, tier FROM customers WHERE recent ORDER BY 1;
SELECT * FROM segment.verify('customers');

-- nobody has a score
SELECT segment.add_score('customers', 'nothing', 'CASE WHEN spent < 0 THEN 1 END');
SELECT segment.add_band('customers', 'nothing_band', 'nothing', 3);
SELECT segment.add_segment('customers', 'unranked', 'nothing_band IS NULL');
CALL refresh_counting('no score');
SELECT count(*) FROM customers WHERE unranked AND nothing_band IS NULL;
SELECT * FROM segment.verify('customers');

-- dropped before it was computed
SELECT segment.add_segment('customers', 'gone', 'spent = 3');
SELECT segment.drop_segment('customers', 'gone');
CALL refresh_counting('dropped');
SELECT count(*) FROM customers_history WHERE segment = 'gone';

-- what is exact as of refreshed_at alone, or decides who has a row, needs the events
SET client_min_messages = error;
SELECT segment.add_score('customers', 'warmth', 'segment.engagement(at, value::float8, interval ''7 days'')');
CALL segment.refresh('customers');
SET client_min_messages = warning;
SELECT segment.add_segment('customers', 'small', 'spent < 3');
CALL refresh_counting('beside a decaying score');
SELECT * FROM segment.verify('customers');
SET client_min_messages = error;
SELECT segment.add_score('customers', 'warmer', 'warmth + 1');
SET client_min_messages = warning;
CALL refresh_counting('over a decaying score');
SELECT segment.set_eligible('customers', 'NOT small');
CALL refresh_counting('eligibility');
SELECT * FROM segment.verify('customers');

-- rolled back
BEGIN;
SELECT segment.add_segment('customers', 'undone', 'spent = 3');
ROLLBACK;
CALL refresh_counting('rolled back');
SELECT * FROM segment.verify('customers');

-- a rebuild computes them all
SELECT segment.add_segment('customers', 'even', 'spent % 2 = 0');
CALL segment.rebuild('customers');
SELECT new_columns FROM segment.status WHERE tbl = 'customers'::regclass;
SELECT count(*) FROM customers WHERE even;
SELECT * FROM segment.verify('customers');

SELECT segment.drop_table('customers');
SELECT count(*) FROM segment.new_column;
RESET client_min_messages;
RESET segment.as_of;
RESET search_path;
DROP SCHEMA newcolumns CASCADE;
