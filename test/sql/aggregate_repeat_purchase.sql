-- segment.repeat_purchase(at), segment.repeat_purchase(at, period)
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS segment;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, MDY';

-- Meaning ---------------------------------------------------------------------

-- the example of the reference: two purchases on one day are one
SET segment.as_of = '1997-09-30 00:00:00+00';
SELECT (segment.repeat_purchase(at)).*
FROM (VALUES (timestamptz '1997-01-01 10:00:00+00'), ('1997-01-18 09:00:00+00'), ('1997-01-18 17:30:00+00'),
             ('1997-08-02 12:00:00+00'), ('1997-12-12 08:00:00+00')) e(at);
-- in other periods, as extract(epoch) counts them
SELECT segment.repeat_purchase(at, '1 day') AS days, segment.repeat_purchase(at, '1 month') AS months,
       segment.repeat_purchase(at, '365.25 days') = segment.repeat_purchase(at, '1 year') AS years, segment.repeat_purchase(at, '12 hours') AS halves
FROM (VALUES (timestamptz '1997-01-01'), ('1997-01-31')) e(at);
-- one day; today; what has not happened yet
SELECT segment.repeat_purchase('1997-09-23') AS once, segment.repeat_purchase('1997-09-30') AS today,
       segment.repeat_purchase('1997-09-30 00:00:00.000001') IS NULL AS only_future;
-- from one local day to another, whatever the time of day
SET segment.as_of = '2026-01-15 00:00:00+00';
SELECT segment.repeat_purchase(at) FROM (VALUES (timestamptz '2026-01-01 23:59:59'), ('2026-01-08 00:00')) e(at);
-- the order of the rows does not matter
SELECT segment.repeat_purchase(at ORDER BY at DESC) = segment.repeat_purchase(at ORDER BY at)
   AND segment.repeat_purchase(at ORDER BY md5(at::text)) = segment.repeat_purchase(at) AS same, segment.repeat_purchase(at)
FROM generate_series(timestamptz '2025-01-01', '2026-01-31', '7 hours') e(at) WHERE extract(day FROM at) NOT IN (7, 8, 20);

-- Time zones: days of 23 and 25 hours, a day that never was, one that began twice -----

SET TimeZone = 'Europe/Berlin';
SET segment.as_of = '2026-10-26 00:00:00+01';
SELECT segment.repeat_purchase(at, '1 day')
FROM (VALUES (timestamptz '2026-03-28 23:59:59+01'), ('2026-03-29 00:00+01'), ('2026-03-29 23:59:59+02'), ('2026-10-25 02:30+02'), ('2026-10-25 02:30+01')) e(at);
SET TimeZone = 'Pacific/Apia';
SET segment.as_of = '2011-12-31 12:00:00+14';
SELECT segment.repeat_purchase(at, '1 day') FROM (VALUES (timestamptz '2011-12-29 23:59:59-10'), ('2011-12-31 00:00+14')) e(at);
SET TimeZone = 'America/St_Johns';
SET segment.as_of = '2006-10-28 23:30:00-03:30';
SELECT segment.repeat_purchase(at, '1 day') FROM (VALUES (timestamptz '2006-10-28 12:00-02:30'), ('2006-10-29 00:00:30-02:30')) e(at);
SET TimeZone = 'UTC';

-- the whole range of timestamps
SET segment.as_of = '294276-12-31 23:59:59.999999+00';
SELECT segment.repeat_purchase(at, '1 microsecond'), segment.repeat_purchase(at, '1000 years')
FROM (VALUES (timestamptz '4714-11-24 00:00:00+00 BC'), ('294276-12-31 23:59:59.999999+00')) e(at);

-- NULLs, infinities, nothing ------------------------------------------------------

SET segment.as_of = '2026-01-15 00:00:00+00';
SELECT segment.repeat_purchase(at, period)
FROM (VALUES (timestamptz '2026-01-01', interval '1 week'), (NULL, '1 week'), ('2026-01-02', NULL), ('infinity', '1 week'), ('-infinity', '7 days')) e(at, period);
SELECT segment.repeat_purchase(NULL) IS NULL AS null_at, segment.repeat_purchase('2026-01-01', NULL) IS NULL AS null_period,
       segment.repeat_purchase('infinity') IS NULL AS infinity, segment.repeat_purchase('-infinity') IS NULL AS minus_infinity;
SELECT segment.repeat_purchase(now()) IS NULL AS empty FROM generate_series(1, 0);

-- Errors --------------------------------------------------------------------------

SELECT segment.repeat_purchase('2026-01-01', '0');
\echo :LAST_ERROR_SQLSTATE
SELECT segment.repeat_purchase('2026-01-01', '-1 week');
SELECT segment.repeat_purchase('2026-01-01', '300000 years');
\echo :LAST_ERROR_SQLSTATE
SELECT segment.repeat_purchase('2026-01-01', period) FROM (VALUES (interval '1 week'), ('2 weeks')) e(period);
\echo :LAST_ERROR_SQLSTATE
-- whether or not the row counts
SELECT segment.repeat_purchase(at, period) FROM (VALUES (timestamptz '2026-01-01', interval '1 week'), ('2027-01-01', '2 weeks')) e(at, period);
SELECT segment.repeat_purchase('infinity', '-1 week');

-- CDNOW ---------------------------------------------------------------------------
-- The customers that the papers report on are a tenth of those in the purchase log;
-- here a bit for each number of a customer in it.  The papers number theirs in the
-- order of the first purchase.

CREATE TEMP TABLE log (customer_id int, ordered_on date, quantity int, amount numeric);
\copy log FROM PROGRAM 'gzip -dc "$PG_ABS_SRCDIR/../docs/examples/cdnow/cdnow_master.csv.gz"' (FORMAT csv, HEADER)
CREATE TEMP TABLE sample AS
SELECT id, customer_id
FROM (SELECT customer_id, row_number() OVER (ORDER BY min(ordered_on), customer_id) AS id
      FROM log, decode('
EAAkAAAABBCAAEAAAIAHACgAgADAACAAQAABIBQECAAhAAACAAIABQAgIEACgAAAEAAAAQAiAAMAAAACgAJAABAABEAAQBQAIAEAABAoABAgAAEACIAA
gACAAAABABgBoBAgCAAAAQAUAAAGAAgCAAgAQgAAAQhAAEAAIAAAUAAADAAEQAAAAQAoECgACABAQIBAABAAAAKAAAADGAACAAmIQAAgBCCAQAAgABIA
CgQAEgICQACAAAAJAAgBQAABEAEAAwGAAhAgAISIAIGAoDEAQAABAgGAIAhAQgkAgAABAAIAEoAgAAQAIABkABCAAAEAARAACACCACAAAEAAQCIAgAGA
EEghAIAAQAAAAgAwAMQEIAIBCABAAAAFAEIAAIAACAMAAAoACGBAAAAICAAkgAKAQAAQADAAAgAiQBAIQQSAIAAEAAIAIAAAAgACAAIgACAAAAICIgAA
RAEIIDAAgCCAgIAAAAGAAQABEAgBQCIAgAAAIgkhUACCABAAEIACSAQBAEAEAGAICMAAoAAACABABABAEACAAAyAQQQgIAACAEABEAAJgAACQBQIACgA
gAAjQEAgAAACUIAIEAkAAlAAIACAABEgBAAEAAEAQACAAAgAwAAABCACGAFAACAAABQACECAAUAAAAEIIIQAACIgAAgAIAAgAEQAgAQhAgIQACAAAKEA
CABACEAAgAAAIAAgAKABACAQBAQAIAAgQIgAAYABAAkAQAAgAgRAAAABAiAAAAEAEAAgIAICAAFACBAiACAAgAAgAGAAEAAgAAQBAIAkoABIABAEQABQ
CgFUAIgAAAQAiAAoEEgIAEEFQIBAgAEADAEAAgASAACEAoAQAAABAAVAgCAAQAUACAIAIgBCIBEABAFAAgACAEAAICAUAIIQCCAIAAIAQACAICAAAEQA
gAgAKACAAIACYAgAASQIQAAAoAQAACQAAAQIEAAEAAIAoZCYAEAKAAKAAAAEABkIIAAQAEAABAgAAgAQQEAACZBAwACAAAhAAAAEAAQAEAAIABAAJABA
AEAAIAEDAgCIAAACAAAkABEAEAAIBBACIBCIAgACAUAAAQKAgABACAAAQoAAgAAgAEAAAkQAQAAgACIAAAABACAAoAAAKAhAAEEAIAAAEAQAQQBIAAAI
gACAAIICACIBIAEEAIAAACBAAQEFBAEQQQQAEARCEAABgAAQABAAEgBRAAICCCQAAACCgAAFACICwQAIBAJQCAAQABAAIwEAEQAAAhAICABCAAQAEIAA
IAAMAEgAQABAgAACABAQEAAIAQgAQECAQAEIAIICJAAQAAACEACBQEAAAAIBYACAAAAQABACEACAAACAgAAgACAAAAQAAXAQCAACABAAAAQECABAAIAA
ABAAAoAAIAEIIAAYBIAAgAIAUQAQgABEAAABMAAAAQIhABAAAAABBEBAIBgAQAEAQQAgAAIBgAAAiAEAgAAgABCACgCCAAgEAgABIBAAAUIAIAEIAQBC
AAABAAEgACEAQQBAAAABgAAAIBQIAAABgAgECEQAAYAKAAQgABABIAAAIASAABAAAAxAABCAIEIAAQAiAAgADABRAAACAAhABAAADACAAIAAAAGABEAA
AJAABAAEAgAEAEYABAMEAEKAgICAkMAAhABAIAgACgAEABAAAAIBIgEAIgBBAAFEAAKCAAwABCASAAERCAggARAAgAQAiQSAEAACgAkAIAAEAAgAIABA
gSAAAFBAEAIECAIgQACAIAABAAIBBgAIBAQACAAQAAIACAAEQAAAAkAAgAAQAEAEQAAQAKAAiAEAAQgBIAACACACQAIAAgBIJAABUAIACQAQABAAAAQA
AAgAIAAIAkCIADAAgAAABEAACAkACIRAECgIAgABCAQgKACAACAgQUAAQAAAAQAFAgAIADIAQAQAAhQkAAQBQBBAAIKFIQAgAAABQCCADAECIAKAAAAA
CACAAIQAAAEgAAAQAAAkAAgIEAAQAAAEASAAACAAQAiCABABOACAAAAGAAiACAAQAAACABEAQAEIAIDCALQAACIkQAAQAAIABAACgQSAgAAQIAAIAAAB
IAAKACAAQAAIAAJAAEAABAQAAoAgUAACACAIAAEAAgABQBCAAAACICIgEAAUABAAABBCEAAjBCAgIAAQAIAQAAIQABAAKCCEEAAMAWBAQAABQhAABAAQ
AQQMAAIAABEAAAEEBASIQCAAkACEAAghAgoIEEAEABABAwARAECAAAiAgAgQAEAAQAMgAAABgACAAAAkYIBAAAmAABAIAAQEBCgAIAAQAAIgAAgAZAAg
EAAsAIQABAQACEAgICAAIAQBJAAAMQCAAQAIABAABAEACABACcAAAAgACCAgAEAAAA4ACEAAAkAASEAAAgAGAMACAAEABAAC4ACAAQAIEAQAAwEAAgBA
AAABgAAQAAYAQwQkAAABwEAgEEYCAhECBAAQUDAAQwAgAQgAEEAAAgAEAAgAARAACAAAAgBkADIAQAAgAQIBAAhACAAgAACgABAAQACAAAQBAANACAAE
AAQAgEAAAiAACAQgAMCAAAQAGgAkAAAIgEABgAAAAAUQgASAAABAgAAAAQABBAIAAYAFIAGIQAAhABAAAgAggAjAAAAhCEAJAEAABIAmABCCCAAIACAA
CAABAAYABAAKgAgAEAEACAAEBBAABCAAAAECBAAIACAAAiAwACiAkAIAEIAkAAAEAAQAAgADoAgARgCACAAIBCIAgAAgAAgQEAKAYAQAAUAAUAAgACAA
AAKAAAACAAIACECAAMQAQAAgAECAAAQCBEAAAgRAECAAgAAAAcAAECAIBEAAEIUAIAAgCAAIAIIIiBQAIQAEAAIAASAAAgDAAAACgACAAACBQBAAAgAA
BAACABBAADAABAQQAgAgAEYAQABAhAACQABAAEIAAAIQABACAAQAJBAQAEAAAAJAAAmAAAQgBAIEYAgAQACgAAIBAEBAIAEAAAgABBEAGEpIgQIkAIgA
AQAQAIAEQABgAIAIQACgAAQJAAIgEAEAAgBAAEACIACQARAAEAAEAAQBBAAQACAIEABAABAAgAAAARAAESQQAAgCIAQBEAAAAYAAAYIACCAAABEQDAQC
AEQACAgAAgADAAgACAQAhgCgAFAAEAACAgAEAIAAQAQAEBiAEAAiQgAACQAAAgCIgABAgAAQACABgAhAAECAgAAIARAICAABwABAAQAEQEQAiAAECEgA
AAECCAAEQACABAAIAQIAiACQAIAAAEAAoAAQAAQABACAKACABAABIAACQAACAAgAQmFRQAAEEAAEAAQABAAQABCAABAgAIAAAAEAAAGBMAAkEUAIAAEg
AAEgAIgAgACAAIAAIAAIAAgABABCBBAAEEAQAFgAgAAgAEgAAgAIAAABIBAACgAgAEAAAQIAAgQgAAIABEAYoAAFAAgEgAgAQAEACIAAIBAQAAMAQAAS
AAEQAAIACAAIAIIEEAAFFgFAAAgEQACEAEABgARAAAkCQQASCCIAQQECgAEAFABAAAgAQQEIAAFAAIAAAgAiCAAgAggAEAAAAQCAACQAgADAAJAAoABQ
AAgEFAACQABQkKAAAIgADAAIAAIAEABAAECBAAQAABIAACRAgYAIAAgAAQICiBAABQIBABAAEAACIhAEAAIgAIACIIABIIAFACgAEABAABAABAQIQACA
AEAYgAAgAUAAADgABEAAAAQAAQAEAAIAggBgIICAAAGAAHAAQAAIAAIAAYAAEAABCQACAAQAAAgAAQQBBAKAAIEAgAAIAAgAIAAICABAAIAARAACABCA
kIAECAAIAAkAAAJAAECAEACEBAgAEQgAGYEiAAA0gICAACgAIAAgAAiAABAABYAACAAgDAJAAEEEAKEAAYAGACQAFCwACAACgBQAAgA=
', 'base64') AS sampled
      WHERE get_bit(sampled, customer_id) = 1
      GROUP BY customer_id) s;

SET segment.as_of = '1997-09-30 00:00:00+00';
CREATE TEMP TABLE summary AS
SELECT id, (segment.repeat_purchase(ordered_on)).* FROM log JOIN sample USING (customer_id) GROUP BY id;
SELECT count(*) AS customers FROM summary;
-- as published, which is to two decimals
SELECT id, frequency, round(recency::numeric, 2) AS recency, round(age::numeric, 2) AS age
FROM summary WHERE id <= 10 OR id IN (157, 1516, 2357) ORDER BY id;
SELECT md5(string_agg(format('%s %s %s %s', id, frequency, round(recency::numeric, 2), round(age::numeric, 2)), E'\n' ORDER BY id))
       = '303f8f15d30d70143b2d12aba39d0cc1' AS all_as_published
FROM summary;
SELECT least(frequency, 7) AS frequency, count(*) AS customers FROM summary GROUP BY 1 ORDER BY 1;
-- as plain SQL has it
SELECT count(*) AS customers,
       count(*) FILTER (WHERE (frequency, recency, age) = (x, t_x, t)) AS same
FROM (SELECT id, count(DISTINCT ordered_on) - 1 AS x, (max(ordered_on) - min(ordered_on)) / 7::float8 AS t_x,
             (date '1997-09-30' - min(ordered_on)) / 7::float8 AS t
      FROM log JOIN sample USING (customer_id) WHERE ordered_on <= '1997-09-30' GROUP BY id) plain
JOIN summary USING (id);
