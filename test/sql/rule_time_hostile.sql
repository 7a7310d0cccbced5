-- Rules that once kept an instant of change from being found.

\set VERBOSITY terse
SET timezone TO 'UTC';
SET datestyle TO 'ISO, MDY';
SET intervalstyle TO 'postgres';
SET client_min_messages TO warning;
CREATE SCHEMA hostile;
CREATE TABLE hostile.event (id bigint, at timestamptz, n int);
CREATE TABLE hostile.person (id bigint PRIMARY KEY, since timestamptz, born date, zone text);
INSERT INTO hostile.event VALUES (1, '2024-01-10 12:00:00.25+00', 3);
INSERT INTO hostile.person VALUES (1, '2024-01-31 00:00:00.75+00', '2024-01-01', 'Nowhere/Land');

CREATE FUNCTION hostile.make(zone text) RETURNS void
    LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM segment.create_table('hostile.t', 'id', 'bigint', zone);
    PERFORM segment.add_source('hostile.t', 'hostile.event', 'id', 'at', extra => '{"n": "n"}');
    PERFORM segment.add_attributes('hostile.t', 'hostile.person', 'id', '{"since": "since", "born": "born", "zone": "zone"}');
END;
$$;

-- The value of a rule at two instants, and whether valid_until of the first tells of the second.
CREATE FUNCTION hostile.try(rule text, as_of timestamptz, later timestamptz) RETURNS text
    LANGUAGE plpgsql
AS $$
DECLARE
    result text;
BEGIN
    PERFORM segment.add_score('hostile.t', 'x', rule);
    SELECT format('%s to %s: %s', a."row" ->> 'x', b."row" ->> 'x',
                  CASE WHEN s.unanalyzed IS NOT NULL THEN 'not analyzed'
                       WHEN a."row" ->> 'x' IS NOT DISTINCT FROM b."row" ->> 'x' THEN 'no change'
                       WHEN (a."row" ->> 'valid_until')::timestamptz <= later THEN 'in time'
                       ELSE 'TOO LATE: ' || (a."row" ->> 'valid_until') END)
        INTO result
        FROM segment.evaluate('hostile.t', as_of) a, segment.evaluate('hostile.t', later) b, segment.scores s
        WHERE s.tbl = 'hostile.t'::regclass AND s.name = 'x';
    PERFORM segment.drop_score('hostile.t', 'x');
    RETURN result;
END;
$$;
SELECT hostile.make('UTC');

-- intervals that are equal and yet differ: '30 days' and '1 mon'
SELECT hostile.try('age(current_date, born)', '2024-01-31 12:00', '2024-02-01');
SELECT hostile.try('age(born)::text', '2024-01-31 12:00', '2024-02-01');
SELECT hostile.try('age(born) * 2', '2024-01-31 12:00', '2024-02-01');
SELECT hostile.try('ARRAY[age(born) * 1]', '2024-01-31 12:00', '2024-02-01');
SELECT hostile.try('age(born) + ''1 day''::interval', '2024-01-31 12:00', '2024-02-01');
SELECT segment.add_score('hostile.t', 'loyalty', 'age(born)');
SELECT hostile.try('extract(month FROM loyalty) >= 1', '2024-01-31 12:00', '2024-02-01');
SELECT segment.drop_score('hostile.t', 'loyalty');

-- products and quotients that double precision rounds below a whole number
SELECT hostile.try('date_part(''epoch'', now() - max(at)) * 100 >= 435', '2024-01-10 12:00:04.6', '2024-01-10 12:00:04.600001');
SELECT hostile.try('date_part(''epoch'', now() - max(at)) / 0.1 >= 3', '2024-01-10 12:00:00.55', '2024-01-10 12:00:00.550001');
SELECT hostile.try('floor(date_part(''epoch'', now() - max(at)) * 100) >= 435', '2024-01-10 12:00:04.6', '2024-01-10 12:00:04.600001');
SELECT hostile.try('floor(date_part(''epoch'', now() - max(at)) / 10) >= 3', '2024-01-10 12:00:30', '2024-01-10 12:00:30.25');
-- and a long time, of which numeric keeps no microseconds
SELECT hostile.try('extract(epoch FROM now() - (since - ''6000 years''::interval)) / 86400.0 >= 2191459.12345678901',
                   '2024-01-31 12:00', '2024-02-04 02:57:47.41659');

-- rounded down between two whole numbers
SELECT hostile.try('floor(extract(epoch FROM date_trunc(''hour'', now()) - since)) = 3599', '2024-01-31 00:30', '2024-01-31 01:00');
SELECT hostile.try('floor(extract(epoch FROM date_trunc(''hour'', now()) - since)) > 3599.1', '2024-01-31 01:30', '2024-01-31 02:00');

-- years before Christ
SELECT hostile.try('date_trunc(''year'', now() - ''3000 years''::interval) >= ''0976-01-01 BC''', '2024-11-01', '2025-01-01');
SELECT hostile.try('date_trunc(''quarter'', now() - ''3000 years''::interval) >= ''0977-10-01 BC''', '2024-09-01', '2024-10-01');
SELECT hostile.try('date_trunc(''decade'', now() - ''3000 years''::interval) >= ''0971-01-01 BC''', '2029-12-01', '2030-01-01');
SELECT hostile.try('date_trunc(''century'', now() - ''2925 years''::interval) >= ''0900-01-01 BC''', '2025-12-01', '2026-01-01');

-- casts to a number of digits that do nothing
SELECT hostile.try('pg_catalog.timestamptz(now(), -1) > max(at)', '2024-01-10 12:00:00.25', '2024-01-10 12:00:00.250001');
SELECT hostile.try('current_timestamp(6) > max(at)', '2024-01-10 12:00:00.25', '2024-01-10 12:00:00.250001');
SELECT hostile.try('current_timestamp(6)', '2024-01-10 12:00', '2024-01-10 12:01');

-- what changes more often than once a second changes all the time
SELECT hostile.try('date_trunc(''microseconds'', now())', '2024-01-10 12:00', '2024-01-10 12:01');
SELECT hostile.try('date_trunc(''milliseconds'', now())', '2024-01-10 12:00', '2024-01-10 12:01');
SELECT hostile.try('extract(month FROM age(date_trunc(''milliseconds'', now()), since))', '2024-02-10 12:00', '2024-02-10 12:01');
SELECT hostile.try('date_trunc(''milliseconds'', now())::date', '2024-01-10 12:00', '2024-01-11');
SELECT hostile.try('date_trunc(''milliseconds'', now()) > max(at)', '2024-01-10 12:00:00.25', '2024-01-10 12:00:00.251');

-- a time of day with a zone's offset of today
SELECT hostile.try('max(at::time::timetz)', '2024-01-10 13:00', '2024-01-10 13:00');
SELECT hostile.try('max(timezone(''America/New_York'', at::time::timetz)) IS NULL', '2024-01-10 13:00', '2024-01-10 13:00');

-- now() as the default of an argument
CREATE FUNCTION hostile.days_since(day date, today date DEFAULT current_date, more int DEFAULT 0) RETURNS int
    IMMUTABLE LANGUAGE sql AS 'SELECT today - day + more';
CREATE FUNCTION hostile.chance(day date, limit_of float8 DEFAULT random()) RETURNS boolean
    IMMUTABLE LANGUAGE sql AS 'SELECT limit_of > 0.5';
SELECT hostile.try('hostile.days_since(born)', '2024-01-31 12:00', '2024-02-01');
SELECT hostile.try('hostile.days_since(more => 1, day => born)', '2024-01-31 12:00', '2024-02-01');
SELECT segment.add_score('hostile.t', 'x', 'hostile.chance(born)');

-- a zone or a unit that does not exist, behind what keeps it from being read
SELECT hostile.try('now() < since - ''10 years''::interval AND now() AT TIME ZONE ''Nowhere/Land'' > born', '2024-01-10', '2024-01-11');
SELECT hostile.try('now() < since - ''10 years''::interval AND date_trunc(''dya'', now()) > born', '2024-01-10', '2024-01-11');

SELECT hostile.try('now() < since - ''10 years''::interval AND now() AT TIME ZONE zone > born', '2024-01-10', '2024-01-11');
SELECT hostile.try('zone <> ''Nowhere/Land'' AND abs(extract(hour FROM now() AT TIME ZONE zone)) > 8', '2024-01-10', '2024-01-11');

-- infinite times, which can not be subtracted, behind what keeps them from it
UPDATE hostile.person SET since = 'infinity';
SELECT hostile.try('since > now() OR now() - since < ''7 days''::interval', '2024-01-10', '2024-01-11');
SELECT hostile.try('isfinite(since) AND current_date > born + 30 AND now() - since < ''7 days''::interval', '2024-01-10', '2024-02-01');
SELECT hostile.try('born > current_date AND (current_date = born OR age(now(), since) > ''1 year''::interval)', '2024-01-10', '2024-02-01');
SELECT hostile.try('CASE WHEN current_date > born + 30 THEN 1 WHEN since > now() THEN 2 WHEN now() - since > ''1 day''::interval THEN 3 END', '2024-01-10', '2024-02-01');
UPDATE hostile.person SET since = '2024-01-31 00:00:00.75+00';

-- a question for NULL, where AND passes a NULL over
UPDATE hostile.person SET born = NULL;
SELECT hostile.try('(born > ''2024-01-01'' AND now() < ''2024-02-01 00:00+00'') IS NULL', '2024-01-10', '2024-02-01');
UPDATE hostile.person SET born = '2024-01-01';
SELECT hostile.try('(born > ''2024-01-01'' AND now() < ''2024-02-01 00:00+00'') IS NULL', '2024-01-10', '2024-02-01');
-- both branches are the same until another one is
SELECT hostile.try('CASE WHEN now() < ''2024-01-20 00:00+00'' THEN current_date > born + 30 ELSE false END', '2024-01-10', '2024-01-20');
SELECT hostile.try('CASE WHEN now() < ''2024-02-20 00:00+00'' THEN current_date > born + 30 ELSE false END', '2024-01-10', '2024-02-01');
SELECT hostile.try('CASE WHEN now() > ''2024-02-20 00:00+00'' THEN current_date > born + 30 ELSE false END', '2024-01-10', '2024-02-20 00:00:00.000001');
SELECT hostile.try('CASE WHEN now() > ''2024-01-20 00:00+00'' THEN current_date > born + 30 ELSE false END', '2024-01-10', '2024-02-01');
-- a month that passes over both ends, and one that does not
SELECT hostile.try('date_trunc(''month'', now()) BETWEEN since - ''3 days''::interval AND since', '2024-01-31', '2024-02-01');
SELECT hostile.try('date_trunc(''month'', now()) BETWEEN since - ''3 days''::interval AND since + ''1 day''::interval', '2024-01-31', '2024-02-01');
SELECT hostile.try('date_trunc(''month'', now()) NOT BETWEEN since - ''3 days''::interval AND since + ''1 day''::interval', '2024-02-28', '2024-03-01');
-- a number that is made of a value that steps
SELECT hostile.try('floor(extract(epoch FROM date_trunc(''hour'', now()) - since) / 3600) >= 300', '2024-01-31 12:00', '2024-02-12 13:00');
SELECT hostile.try('extract(month FROM age(now(), since)) >= 7', '2024-01-31 12:00', '2024-09-01 00:00:00.75');
-- long ago
SELECT hostile.try('segment.engagement(at, 1, ''1 day'') > 0.1', '2024-01-12', '2024-01-14');
INSERT INTO hostile.event VALUES (1, '1969-01-10', 1);
SELECT hostile.try('segment.engagement(at, 1, ''1 day'') > 0.1', '1969-01-12', '1969-01-14');
DELETE FROM hostile.event WHERE at < '1970-01-01';

-- stairs of a millisecond up to the length of an age: neither slow nor deaf
SET statement_timeout TO '10s';
SELECT hostile.try('age(date_trunc(''milliseconds'', now()), since) > ''1 month''::interval', '2024-02-01', '2024-03-01 00:00:00.751');
RESET statement_timeout;
SELECT segment.drop_table('hostile.t');

-- the hour that comes twice
SELECT hostile.make('America/New_York');
SELECT hostile.try('abs(extract(epoch FROM date_trunc(''hour'', now()) - max(at)))', '2024-11-03 05:10+00', '2024-11-03 06:00+00');
SELECT segment.drop_table('hostile.t');
SELECT hostile.make('America/St_Johns');
SELECT hostile.try('abs(extract(hour FROM now()) - 1)', '2006-10-29 02:30:30+00', '2006-10-29 02:31+00');
SELECT segment.drop_table('hostile.t');
DROP SCHEMA hostile CASCADE;
