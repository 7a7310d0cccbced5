-- Schedules: what is accepted, who may, and when a job is next due.
-- The server of this test need not preload the library, so warnings are off.
SET client_min_messages = error;
SET TimeZone = 'UTC';
CREATE ROLE regress_segment_owner;
CREATE ROLE regress_segment_other;
CREATE SCHEMA worker_schedule AUTHORIZATION regress_segment_owner;
GRANT USAGE ON SCHEMA worker_schedule TO regress_segment_other;
SET ROLE regress_segment_owner;
SET search_path = worker_schedule;
CREATE TABLE orders (customer bigint, at timestamptz);
SELECT segment.create_table('customers', 'customer');
SELECT segment.add_source('customers', 'orders', 'customer', 'at');

-- what is accepted
SELECT segment.schedule('customers', 'Continuous');
SELECT tbl, schedule, owner, running, last_started_at, failures, last_error FROM segment.jobs;
SELECT segment.schedule('customers', '5 minutes');
SELECT schedule FROM segment.jobs;
SELECT segment.schedule('customers', '1 day 02:30:00');
SET IntervalStyle = iso_8601;
SELECT segment.schedule('customers', '90 seconds');
SELECT segment.schedule('customers', 'PT90S');
RESET IntervalStyle;
SELECT schedule FROM segment.jobs;

-- what is not
SELECT segment.schedule('customers', '');
SELECT segment.schedule('customers', 'now and then');
SELECT segment.schedule('customers', '500 milliseconds');
SELECT segment.schedule('customers', '-5 minutes');
SELECT segment.schedule('customers', '0');
SELECT segment.schedule('customers', '1 month');
SELECT segment.schedule('customers', '1000000 years');
SELECT segment.schedule('customers', '2000000000 days');
SELECT segment.schedule('customers', 'infinity');
SELECT segment.schedule('customers', repeat('1 day ', 50));
SELECT segment.schedule('customers', NULL);
SELECT segment.schedule(NULL, 'continuous');
SELECT segment.schedule('orders', 'continuous');
SELECT schedule FROM segment.jobs;

-- who may
SET ROLE regress_segment_other;
SELECT segment.schedule('customers', 'continuous');
SELECT segment.unschedule('customers');
SELECT count(*) FROM segment.jobs;
SELECT count(*) FROM segment.status;
SELECT * FROM segment.config_job;
SELECT * FROM segment.job_state;
SET ROLE regress_segment_owner;
GRANT SELECT ON customers TO regress_segment_other;
SET ROLE regress_segment_other;
SELECT tbl, schedule FROM segment.jobs;
SELECT tbl, needs_rebuild, schedule FROM segment.status;
SET ROLE regress_segment_owner;

-- runs and status
CALL segment.refresh('customers');
INSERT INTO orders VALUES (1, now()), (2, now());
SELECT tbl, as_of <= now() AS past, needs_rebuild, backlog, lag < '1 minute' AS small, next_due
FROM segment.status;
CALL segment.refresh('customers');
SELECT kind, status, error, finished_at >= started_at AS ended, phase, done FROM segment.runs ORDER BY id;
SELECT backlog, oldest_mark, lag FROM segment.status;
SELECT count(*) FROM segment.progress();

-- a statement that fails can't say so; the next run does
SELECT segment.add_score('customers', 'fails', '1 / (count(*) - 3)');
INSERT INTO orders VALUES (1, now()), (1, now());
\set SHOW_CONTEXT never
SET segment.set_aside_limit = 0;
CALL segment.refresh('customers');
\set SHOW_CONTEXT errors
DELETE FROM orders WHERE customer = 1;
CALL segment.refresh('customers');
SELECT kind, status, processed, changed, error, finished_at >= started_at AS ended FROM segment.runs ORDER BY id;
TRUNCATE orders;
SELECT needs_rebuild, backlog FROM segment.status;

-- a run is forgotten when others follow
RESET ROLE;
SET segment.runs_kept = 2;
CALL segment.refresh('customers');
CALL segment.refresh('customers');
SELECT count(*) FROM segment.runs WHERE tbl = 'customers'::regclass;
RESET segment.runs_kept;
SET ROLE regress_segment_owner;

-- ending a schedule
SELECT segment.unschedule('customers');
SELECT count(*) FROM segment.jobs;
SET client_min_messages = notice;
SELECT segment.unschedule('customers');
SET client_min_messages = error;

-- a dropped table takes its schedule along
SELECT segment.schedule('customers', 'continuous');
SELECT segment.drop_table('customers');
SELECT (SELECT count(*) FROM segment.jobs) AS jobs, (SELECT count(*) FROM segment.runs) AS runs,
	(SELECT count(*) FROM segment.status) AS status;
RESET ROLE;
SELECT count(*) FROM segment.config_job WHERE tbl NOT IN (SELECT oid FROM pg_class);

-- when a job is next due
CREATE FUNCTION due(schedule text, planned time, failures int, not_before time, next_due time, now time)
RETURNS text LANGUAGE sql AS $$
	SELECT to_char(segment.next_run(schedule, '2026-03-01'::date + planned, failures,
		'2026-03-01'::date + not_before, '2026-03-01'::date + next_due, '2026-03-01'::date + now), 'HH24:MI:SS')
$$;
SELECT what, due(schedule, planned, failures, not_before, next_due, now), now
FROM (VALUES
	('interval: never run', '5 minutes', NULL::time, 0, NULL::time, NULL::time, '12:00'::time),
	('interval: not yet', '5 minutes', '12:00', 0, NULL, NULL, '12:01'),
	('interval: late', '5 minutes', '12:00', 0, NULL, NULL, '12:06'),
	('interval: clock set back', '5 minutes', '13:00', 0, NULL, NULL, '12:00'),
	('interval: failed', '5 minutes', '12:00', 1, '12:00:02', NULL, '12:00:01'),
	('interval: failed, long rest', '1 second', '12:00', 9, '12:05', NULL, '12:00:01'),
	('continuous: work', 'continuous', '12:00', 0, NULL, NULL, '12:01'),
	('continuous: due later', 'continuous', '12:00', 0, NULL, '15:00', '12:01'),
	('continuous: was due', 'continuous', '12:00', 0, NULL, '11:00', '12:01'),
	('continuous: resting', 'continuous', '12:00', 0, '12:01:01', NULL, '12:01'),
	('continuous: failed', 'continuous', '12:00', 3, '12:01:08', NULL, '12:01'),
	('continuous: clock set back', 'continuous', '13:00', 0, NULL, '15:00', '12:00'),
	('continuous: failed, clock set back', 'continuous', '12:00', 3, '18:00', NULL, '12:01')
) v(what, schedule, planned, failures, not_before, next_due, now);
SELECT segment.next_run('continuous', NULL, 0, NULL, 'infinity') IS NULL AS nothing_to_come;
SELECT segment.next_run('no schedule', NULL, 0, NULL, NULL) IS NULL AS no_schedule;

DROP FUNCTION due;
DROP SCHEMA worker_schedule CASCADE;
DROP ROLE regress_segment_owner, regress_segment_other;
