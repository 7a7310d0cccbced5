-- Schedules and what came of them --------------------------------------------

CREATE TABLE segment.config_job (
    tbl        regclass PRIMARY KEY,
    schedule   text     NOT NULL                -- 'continuous', an interval or a cron line
);
COMMENT ON TABLE segment.config_job IS 'schedules of segment tables';
SELECT pg_catalog.pg_extension_config_dump('segment.config_job', '');

-- Not dumped: a restored job starts afresh.
CREATE TABLE segment.job_state (
    tbl             oid         PRIMARY KEY,
    last_started_at timestamptz,
    planned_at      timestamptz,                -- the instant that run was due at, or a cron line was given
    failures        int         NOT NULL DEFAULT 0, -- in a row
    not_before      timestamptz,                -- it rests until then
    logged_at       timestamptz,                -- when a failure last went to the server log
    warned_at       timestamptz,                -- when customers set aside last did
    error           text
);
COMMENT ON TABLE segment.job_state IS 'state of the jobs';

CREATE INDEX run_running ON segment.run (tbl) WHERE status = 'running';

CREATE FUNCTION segment.schedule(tbl regclass, spec text) RETURNS void
LANGUAGE C VOLATILE
AS 'MODULE_PATHNAME', 'segment_schedule';
COMMENT ON FUNCTION segment.schedule(regclass, text) IS
'keeps a segment table fresh by itself: ''continuous'', an interval such as ''5 minutes'', or a cron line such as ''30 3 * * *''';

CREATE FUNCTION segment.unschedule(tbl regclass) RETURNS void
LANGUAGE C VOLATILE
AS 'MODULE_PATHNAME', 'segment_unschedule';
COMMENT ON FUNCTION segment.unschedule(regclass) IS
'ends the schedule of a segment table';

CREATE FUNCTION segment.next_run(schedule text, planned_at timestamptz, failures int,
    not_before timestamptz, next_due timestamptz, now timestamptz DEFAULT NULL,
    time_zone text DEFAULT 'UTC')
RETURNS timestamptz
LANGUAGE C VOLATILE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_next_run';
COMMENT ON FUNCTION segment.next_run(text, timestamptz, int, timestamptz, timestamptz, timestamptz, text) IS
'when a job with this schedule and state is to run next';

CREATE FUNCTION segment.next_runs(spec text, runs int DEFAULT 5, time_zone text DEFAULT 'UTC',
    after timestamptz DEFAULT NULL)
RETURNS SETOF timestamptz
LANGUAGE C VOLATILE PARALLEL SAFE ROWS 5
AS 'MODULE_PATHNAME', 'segment_next_runs';
COMMENT ON FUNCTION segment.next_runs(text, int, text, timestamptz) IS
'when a schedule runs next, for looking at it before it is given to schedule()';

CREATE FUNCTION segment.progress(OUT run bigint, OUT phase text, OUT done bigint,
    OUT total bigint, OUT started_at timestamptz)
RETURNS SETOF record
LANGUAGE C VOLATILE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'segment_progress';
COMMENT ON FUNCTION segment.progress() IS
'how far the runs under way are, of the segment tables that the caller may read';

-- Views: each shows the tables that its reader may read, and only tables that still exist.

CREATE VIEW segment.jobs WITH (security_barrier) AS
SELECT j.tbl,
       j.schedule,
       c.relowner::pg_catalog.regrole AS owner,
       EXISTS (SELECT FROM segment.run r
               WHERE r.tbl = j.tbl AND r.status = 'running') AS running,
       s.last_started_at,
       segment.next_run(j.schedule, s.planned_at, s.failures, s.not_before,
           CASE WHEN NOT EXISTS (SELECT FROM segment.work w WHERE w.tbl = j.tbl)
                 AND NOT EXISTS (SELECT FROM segment.new_column n WHERE n.tbl = j.tbl)
                THEN t.next_due END,
           time_zone => k.time_zone) AS next_run_at,
       coalesce(s.failures, 0) AS failures,
       CASE WHEN pg_catalog.pg_has_role(c.relowner, 'USAGE') THEN s.error END AS last_error
FROM segment.config_job j
JOIN segment.config_table k ON k.tbl = j.tbl
JOIN pg_catalog.pg_class c ON c.oid = j.tbl
LEFT JOIN segment.job_state s ON s.tbl = j.tbl
LEFT JOIN segment.table_state t ON t.tbl = j.tbl
WHERE pg_catalog.pg_has_role(c.relowner, 'USAGE')
   OR pg_catalog.has_table_privilege(c.oid, 'SELECT');
COMMENT ON VIEW segment.jobs IS 'schedules, when they ran and will run, and how it went';
COMMENT ON COLUMN segment.jobs.last_error IS 'shown to members of the owner alone: it may have values of rows of the sources';

CREATE VIEW segment.runs WITH (security_barrier) AS
SELECT r.id,
       c.oid::pg_catalog.regclass AS tbl,
       r.kind,
       r.pid,
       r.started_at,
       r.finished_at,
       r.status,
       r.processed,
       r.changed,
       r.set_aside,
       CASE WHEN pg_catalog.pg_has_role(c.relowner, 'USAGE') THEN r.error END AS error,
       p.phase,
       p.done,
       p.total,
       p.rate,
       CASE WHEN p.rate > 0
            THEN pg_catalog.make_interval(secs => greatest(p.total - p.done, 0) / p.rate)
       END AS time_left
FROM segment.run r
JOIN pg_catalog.pg_class c ON c.oid = r.tbl
LEFT JOIN (SELECT g.run, g.phase, g.done, g.total,
                  g.done / nullif(greatest(extract(epoch FROM
                      pg_catalog.clock_timestamp() - g.started_at), 0), 0)::float8 AS rate
           FROM segment.progress() g) p ON p.run = r.id AND r.status = 'running'
WHERE pg_catalog.pg_has_role(c.relowner, 'USAGE')
   OR pg_catalog.has_table_privilege(c.oid, 'SELECT');
COMMENT ON VIEW segment.runs IS 'what refreshes did; of those under way, how far they are';
COMMENT ON COLUMN segment.runs.set_aside IS 'customers for whom an expression failed';
COMMENT ON COLUMN segment.runs.error IS 'why it failed; shown to the owner of the segment table and its members';

CREATE VIEW segment.status WITH (security_barrier) AS
WITH marked AS (
    SELECT w.tbl, w.whole, w.key, w.marked_at
    FROM segment.work w
    UNION ALL
    SELECT l.tbl, l.key IS NULL, coalesce(l.key, ''), l.marked_at
    FROM (SELECT * FROM segment.mark_log_0 UNION ALL SELECT * FROM segment.mark_log_1) l
    WHERE NOT pg_catalog.pg_visible_in_snapshot(l.xid, (SELECT snapshot FROM segment.bookmark))
      AND NOT EXISTS (SELECT FROM segment.table_state s
                      WHERE s.tbl = l.tbl AND pg_catalog.pg_visible_in_snapshot(l.xid, s.collected))
), backlog AS (
    SELECT m.tbl,
           pg_catalog.bool_or(m.whole) AS whole,
           pg_catalog.count(DISTINCT m.key) FILTER (WHERE NOT m.whole) AS keys,
           pg_catalog.min(m.marked_at) AS oldest_mark
    FROM marked m
    GROUP BY m.tbl
)
SELECT k.tbl,
       t.as_of,
       t.rebuilt_at,
       t.tbl IS NULL OR coalesce(b.whole, false) AS needs_rebuild,
       coalesce(b.keys, 0) AS backlog,
       b.oldest_mark,
       n.names AS new_columns,
       greatest(pg_catalog.clock_timestamp()
                - least(b.oldest_mark, n.defined_at, nullif(t.next_due, 'infinity')), '0') AS lag,
       nullif(t.next_due, 'infinity') AS next_due,
       t.ignored AS ignored_events,
       j.schedule,
       coalesce(a.customers, 0) AS set_aside
FROM segment.config_table k
JOIN pg_catalog.pg_class c ON c.oid = k.tbl
LEFT JOIN segment.table_state t ON t.tbl = k.tbl
LEFT JOIN backlog b ON b.tbl = k.tbl
LEFT JOIN (SELECT c.tbl, pg_catalog.array_agg(c.name ORDER BY c.defined_at, c.name) AS names,
                  pg_catalog.min(c.defined_at) AS defined_at
           FROM segment.new_column c GROUP BY 1) n ON n.tbl = k.tbl
LEFT JOIN segment.config_job j ON j.tbl = k.tbl
LEFT JOIN (SELECT x.tbl, pg_catalog.count(*) AS customers
           FROM segment.aside x GROUP BY 1) a ON a.tbl = k.tbl
WHERE pg_catalog.pg_has_role(c.relowner, 'USAGE')
   OR pg_catalog.has_table_privilege(c.oid, 'SELECT');
COMMENT ON VIEW segment.status IS
'freshness of each segment table: keys waiting, the oldest of them, and how far the table lags behind';
COMMENT ON COLUMN segment.status.backlog IS 'customers marked one by one and not yet refreshed; needs_rebuild: all are';
COMMENT ON COLUMN segment.status.new_columns IS 'columns defined or altered that the next refresh computes for everybody from the stored rows';
COMMENT ON COLUMN segment.status.lag IS 'age of the oldest change, or of the oldest passing of time, that the table does not show yet';
COMMENT ON COLUMN segment.status.set_aside IS 'customers for whom an expression fails, so that their rows stay as they were; see segment.set_aside';

-- Errors may quote events, which readers of the segment table need not be able to read.
CREATE VIEW segment.set_aside WITH (security_barrier) AS
SELECT k.tbl,
       a.key,
       CASE a.name WHEN '' THEN 'source' WHEN '__segment_eligible' THEN 'eligibility'
                   ELSE coalesce('column ' || pg_catalog.quote_ident(a.name), 'row') END AS part,
       a.since,
       a.tried_at,
       a.retry_at,
       a.sqlstate,
       CASE WHEN pg_catalog.pg_has_role(c.relowner, 'USAGE') THEN a.error END AS error
FROM segment.aside a
JOIN segment.config_table k ON k.tbl = a.tbl
JOIN pg_catalog.pg_class c ON c.oid = a.tbl
WHERE pg_catalog.pg_has_role(c.relowner, 'USAGE')
   OR pg_catalog.has_table_privilege(c.oid, 'SELECT')
  AND NOT pg_catalog.row_security_active(c.oid);
COMMENT ON VIEW segment.set_aside IS
'customers for whom an expression fails: their rows stay as they were until it succeeds';
COMMENT ON COLUMN segment.set_aside.part IS 'what fails: a column, "source": an expression of a source, "eligibility": the rule of set_eligible, "row": the table refuses the row';
COMMENT ON COLUMN segment.set_aside.since IS 'as-of of the refresh that set the customer aside';
COMMENT ON COLUMN segment.set_aside.tried_at IS 'as-of of the latest refresh that tried';
COMMENT ON COLUMN segment.set_aside.retry_at IS 'tried again then, unless the customer is marked or everybody is computed before';
COMMENT ON COLUMN segment.set_aside.error IS 'shown to the owner of the segment table and its members';

GRANT SELECT ON segment.jobs, segment.runs, segment.status, segment.set_aside TO PUBLIC;
