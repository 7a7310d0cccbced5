-- Cron lines: what is read, what is refused, when they come, and what the clock
-- does to them.  The server of this test need not preload the library, so
-- warnings are off.
SET client_min_messages = error;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, MDY';
CREATE SCHEMA worker_cron;
SET search_path = worker_cron;

-- The next runs of a line after an instant, as clocks in a zone show them.
CREATE FUNCTION runs(line text, after timestamptz, zone text DEFAULT 'UTC', n int DEFAULT 3)
RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(to_char(r AT TIME ZONE zone, 'Dy YYYY-MM-DD HH24:MI'), ', ' ORDER BY r)
	FROM segment.next_runs(line, n, zone, after) r
$$;

-- what a line says
SELECT line, runs(line, '2026-01-01 00:00+00')
FROM (VALUES
	('* * * * *'), ('30 3 * * *'), ('*/15 * * * *'), ('5-59/20 * * * *'), ('0,30 8-10 * * *'),
	('0 0-23/6 * * *'), ('0 12 15 * *'), ('0 12 31 * *'), ('0 12 29 2 *'), ('0 0 1 */3 *'),
	('0 0 * jan,JUL mon-Fri'), ('0 0 * * 0'), ('0 0 * * 7'), ('0 0 * * sun'), ('0 0 * * fri-sun'),
	('0 0 * * 5-7'), ('0 0 * * 6-0'), ('0 0 * * sat,sun'), ('0 0 * * */2'),
	-- a day of the month or a day of the week; but both where one of them has a *
	('0 0 13 * 5'), ('0 0 30 2 1'), ('0 0 */2 * 1'), ('0 0 1-7 * *'), ('0 0 13 * *'), ('0 0 * * 5'),
	('59 23 31 12 *'), ('  0   3	* * *  '), ('0 0 29 2 */6'),
	('@hourly'), ('@daily'), ('@midnight'), ('@weekly'), ('@monthly'), ('@yearly'), ('@annually'), ('@Daily')
) v(line);

-- its own zone goes before the one given
SELECT r, r AT TIME ZONE 'Asia/Kathmandu' AS there
FROM segment.next_runs('CRON_TZ=Asia/Kathmandu 0 3 * * *', 2, 'Europe/Berlin', '2026-01-01 00:00+00') r;
SELECT runs('CRON_TZ=europe/berlin @daily', '2026-06-01 00:00+00', 'Europe/Berlin');

-- what is refused, and what is said about it
CREATE FUNCTION refusal(spec text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	hint text;
BEGIN
	PERFORM segment.next_runs(spec);
	RETURN 'accepted';
EXCEPTION WHEN invalid_parameter_value THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' ', detail, hint);
END$$;
\pset format unaligned
SELECT left(spec, 40) AS spec, refusal(spec)
FROM (VALUES
	('60 * * * *'), ('* 24 * * *'), ('* * 0 * *'), ('* * 32 * *'), ('* * * 13 *'), ('* * * 0 *'), ('* * * * 8'),
	('99999999999999999999 * * * *'), ('-1 * * * *'), ('1.5 * * * *'), ('* * * foo *'), ('* * * * monday'), ('jan * * * *'),
	('*/0 * * * *'), ('*/90 * * * *'), ('* */24 * * *'), ('*/x * * * *'), ('5/10 * * * *'), ('* * */31 * *'),
	('50-10 * * * *'), ('* * * * fri-mon'), ('1,,2 * * * *'), (', * * * *'), ('1- * * * *'), ('1-2-3 * * * *'), ('** * * * *'),
	('* * * *'), ('* * * * * *'), ('0 3 * * * root'), ('*'),
	('0 0 30 2 *'), ('0 0 31 4,6,9,11 *'), ('0 0 30,31 feb *'), ('0 0 31 2 */2'),
	('@reboot'), ('@never'), ('@'), ('@daily @hourly'), ('@daily 5'), ('@ 5 minutes'),
	('CRON_TZ= 0 3 * * *'), ('CRON_TZ=Europe/Berlin'), ('CRON_TZ=Nowhere/None 0 3 * * *'),
	('CRON_TZ=../../etc/passwd 0 3 * * *'), ('CRON_TZ=' || repeat('x', 300) || ' 0 3 * * *'),
	('L * * * *'), ('? * * * *'), ('0 0 1W * *'), ('0 0 * * 5#2'), ('H * * * *'),
	('0 3 * * ' || repeat('1,', 200)), (E'0 3 * * \xc3\xbc'), (E'\xc3\xbc 3 * * *'),
	('0 6 1 1'), ('a b c d e'), ('now and then'), ('')
) v(spec);
\pset format aligned
-- the zone of a line must have a name where it is stored
CREATE TABLE orders (customer bigint, at timestamptz);
SELECT segment.create_table('customers', 'customer', time_zone => 'Asia/Kathmandu');
SELECT segment.add_source('customers', 'orders', 'customer', 'at');
SELECT segment.schedule('customers', 'CRON_TZ=Nowhere/None 0 3 * * *');
SELECT segment.schedule('customers', 'CRON_TZ=UTC+2 0 3 * * *');
SELECT segment.schedule('customers', '0 0 30 2 *');
SELECT count(*) FROM segment.jobs;
SELECT segment.next_runs(NULL);
SELECT segment.next_runs('@daily', NULL);
SELECT segment.next_runs('@daily', -1);
SELECT segment.next_runs('@daily', 1000001);
SELECT segment.next_runs('@daily', 1, 'Nowhere');
SELECT segment.next_runs('@daily', 1, NULL);
SELECT count(*) FROM segment.next_runs('@daily', 0);
SELECT count(*) FROM segment.next_runs('continuous');
SELECT * FROM segment.next_runs('36 hours', 2, after => '2026-01-01 00:00+00');
SELECT count(*) FROM segment.next_runs('@daily', after => 'infinity');
SELECT count(*) FROM segment.next_runs('@daily', after => '-infinity');
SELECT count(*) FROM segment.next_runs('* * * * *', 10, after => '294276-12-31 23:55+00');
SELECT * FROM segment.next_runs('0 0 1 1 *', 1, after => '4713-06-01 00:00+00 BC');

-- a stored line speaks of the segment table's zone unless it names one
SELECT segment.schedule('customers', '30 2 * * *');
SELECT j.schedule, j.last_started_at, j.failures, to_char(j.next_run_at AT TIME ZONE 'Asia/Kathmandu', 'HH24:MI') AS there,
	j.next_run_at > s.planned_at AND j.next_run_at <= s.planned_at + interval '1 day' AS not_at_once
FROM segment.jobs j JOIN segment.job_state s ON s.tbl = j.tbl;
SELECT segment.schedule('customers', 'CRON_TZ=Asia/Kolkata 30 2 * * *');
SELECT schedule, to_char(next_run_at AT TIME ZONE 'Asia/Kolkata', 'HH24:MI') AS there FROM segment.jobs;
-- definitions carry it
SELECT segment.definition('customers') ->> 'schedule' AS schedule;
SELECT action, kind, before, after FROM segment.apply_definition(
	jsonb_set(segment.definition('customers'), '{schedule}', '"0 4 * * mon-fri"'));
SELECT schedule FROM segment.jobs;
SELECT count(*) FROM segment.apply_definition(segment.definition('customers'));
-- a zone that is no longer known leaves the view as it is
UPDATE segment.config_job SET schedule = 'CRON_TZ=Gone/Away @daily' WHERE tbl = 'customers'::regclass;
SELECT schedule, next_run_at FROM segment.jobs;
SELECT segment.drop_table('customers');

-- an hour that the clock skips: Berlin, 29 March 2026, 02:00 to 03:00
SELECT line, runs(line, '2026-03-28 23:30+00', 'Europe/Berlin', 4)
FROM (VALUES
	('30 2 * * *'),				-- once, when it is over
	('0,20,40 2 * * *'),		-- all of them together
	('0,30 2,3 * * *'),			-- with what is at its end
	('0 3 * * *'),
	('30 2 29 3 *'),			-- even if that is the only one in the year
	('*/30 2 * * *'),			-- by the clock: not on that day
	('30 */2 * * *'),
	('@hourly'), ('*/30 * * * *')
) v(line);
-- an hour that comes twice: Berlin, 25 October 2026, 02:00 to 03:00
SELECT line, runs(line, '2026-10-24 22:30+00', 'Europe/Berlin', 6)
FROM (VALUES
	('30 2 * * *'),				-- once, the first
	('0,20,40 2 * * *'),
	('0 2,3 * * *'),
	('30 2 25 10 *'),
	('*/30 2 * * *'),			-- by the clock: whenever it shows it
	('*/20 2 25 10 *'),
	('30 */2 * * *'),
	('@hourly')
) v(line);
-- in real time
SELECT r FROM segment.next_runs('30 2 * * *', 2, 'Europe/Berlin', '2026-10-24 23:00+00') r;
SELECT r FROM segment.next_runs('30 2 * * *', 2, 'Europe/Berlin', '2026-10-25 00:30+00') r;
-- half an hour, and at midnight
SELECT runs('15 2 * * *', '2026-10-03 00:00+10', 'Australia/Lord_Howe', 3);
SELECT runs('45 1 * * *', '2026-04-04 00:00+11', 'Australia/Lord_Howe', 3);
SELECT r, r AT TIME ZONE 'America/Havana' AS there
FROM segment.next_runs('0 0 * * *', 3, 'America/Havana', '2024-03-09 12:00+00') r;
SELECT r, r AT TIME ZONE 'America/Havana' AS there
FROM segment.next_runs('30 0 * * *', 3, 'America/Havana', '2024-11-02 12:00+00') r;
-- Samoa had no 30 December 2011; Kwajalein had 31 August 1969 twice, nearly
SELECT runs('30 9 * * *', '2011-12-29 00:00-10', 'Pacific/Apia', 3);
SELECT runs('0 0 30 12 *', '2010-12-31 00:00-10', 'Pacific/Apia', 2);
SELECT runs('30 9 30 * *', '2011-11-30 20:00+00', 'Pacific/Apia', 3);
SELECT runs('*/30 9 30 * *', '2011-11-30 21:00+00', 'Pacific/Apia', 3);
-- offsets of minutes and seconds, long ago, and rules of years to come
SELECT r FROM segment.next_runs('0 12 * * *', 1, 'Africa/Monrovia', '1970-01-01 00:00+00') r;
SELECT r FROM segment.next_runs('30 2 * * *', 1, 'Europe/Berlin', '2400-03-25 12:00+00') r;

-- when a job is due
CREATE FUNCTION due(schedule text, planned timestamp, failures int, not_before timestamp, now timestamp)
RETURNS text LANGUAGE sql AS $$
	SELECT to_char(segment.next_run(schedule, planned AT TIME ZONE 'Europe/Berlin', failures,
		not_before AT TIME ZONE 'Europe/Berlin', NULL, now AT TIME ZONE 'Europe/Berlin', 'Europe/Berlin')
		AT TIME ZONE 'Europe/Berlin', 'MM-DD HH24:MI:SS')
$$;
SELECT what, due(schedule, planned, failures, not_before, now), to_char(now, 'MM-DD HH24:MI:SS') AS now
FROM (VALUES
	('not yet', '0 3 * * *', '2026-02-10 03:00'::timestamp, 0, NULL::timestamp, '2026-02-10 12:00'::timestamp),
	('missed, once', '0 3 * * *', '2026-02-01 03:00', 0, NULL, '2026-02-10 12:00'),
	('given, not yet run', '0 3 * * *', '2026-02-10 11:59:59', 0, NULL, '2026-02-10 12:00'),
	('restored: nothing is known', '0 3 * * *', NULL, 0, NULL, '2026-02-10 12:00'),
	('failed: after its rest', '0 3 * * *', '2026-02-10 03:00', 1, '2026-02-10 03:00:02', '2026-02-10 03:00:01'),
	('clock set back a little: done already', '0 3 * * *', '2026-02-10 03:00', 0, NULL, '2026-02-10 02:59:58'),
	('clock set back two hours, by the clock', '0 * 10 2 *', '2026-02-10 03:00', 0, NULL, '2026-02-10 01:00'),
	('clock set back two hours: done already', '0 3 * * *', '2026-02-10 03:00', 0, NULL, '2026-02-10 01:00'),
	('clock set back far: at once', '0 3 * * *', '2026-02-10 03:00', 0, NULL, '2026-02-09 01:00'),
	('clock set back, by the clock: at once', '*/10 * * * *', '2026-02-10 03:00', 0, NULL, '2026-02-10 02:55'),
	('clock set back, resting', '0 3 * * *', '2026-02-10 03:00', 3, '2026-02-10 03:05', '2026-02-09 01:00')
) v(what, schedule, planned, failures, not_before, now);
SELECT segment.next_run('0 3 * * *', '2026-02-10 03:00+00', 0, NULL, NULL, '2026-02-10 03:00+00') AS utc_unless_given,
	segment.next_run('0 3 * * *', '2026-02-10 03:00+00', 0, NULL, NULL, '2026-02-10 03:00+00', NULL) AS utc_if_null,
	segment.next_run('0 3 * * *', NULL, 0, NULL, NULL, NULL, 'Nowhere') AS no_zone;

DROP SCHEMA worker_cron CASCADE;
