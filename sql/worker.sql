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
           CASE WHEN NOT EXISTS (SELECT FROM segment.waiting w WHERE w.tbl = j.tbl)
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

-- What is in work is counted as it stands there.  Marks not collected yet are
-- few, unless nobody collects: then no more of them are looked at than a refresh
-- would take one by one.
CREATE VIEW segment.status WITH (security_barrier) AS
WITH marked AS MATERIALIZED (
    SELECT u.tbl, u.key, pg_catalog.min(u.marked_at) AS marked_at
    FROM (SELECT * FROM segment.uncollected
          LIMIT coalesce(pg_catalog.current_setting('segment.backlog_limit', true), '1000000')::bigint) u
    GROUP BY u.tbl, u.key
), backlog AS (
    SELECT m.tbl, pg_catalog.bool_or(m.whole) AS whole, pg_catalog.sum(m.keys)::bigint AS keys,
           pg_catalog.min(m.oldest_mark) AS oldest_mark
    FROM (SELECT k.tbl::oid, false AS whole, w.keys, w.oldest_mark
          FROM segment.config_table k
          LEFT JOIN segment.table_state s ON s.tbl = k.tbl
          CROSS JOIN LATERAL (
              SELECT pg_catalog.count(*) AS keys, pg_catalog.min(w.marked_at) AS oldest_mark
              FROM segment.work w
              WHERE w.tbl = k.tbl AND NOT w.whole AND w.collection >= coalesce(s.claim_from, 0)) w
          UNION ALL
          SELECT w.tbl, true, 0, w.marked_at FROM segment.work w WHERE w.whole
              AND w.tbl IN (SELECT k.tbl FROM segment.config_table k)
          UNION ALL
          SELECT u.tbl, u.key IS NULL,
                 (u.key IS NOT NULL AND NOT coalesce(
                     (SELECT true FROM segment.work w
                      WHERE w.tbl = u.tbl AND NOT w.whole AND w.key = u.key LIMIT 1), false))::int,
                 u.marked_at
          FROM marked u) m
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
COMMENT ON COLUMN segment.status.oldest_mark IS 'when the oldest of their changes was made, or the one that marked all';
COMMENT ON COLUMN segment.status.new_columns IS 'columns defined or altered that the next refresh computes for everybody from the stored rows';
COMMENT ON COLUMN segment.status.lag IS 'age of the oldest change, or of the oldest passing of time, that the table does not show yet';
COMMENT ON COLUMN segment.status.set_aside IS 'customers for whom an expression fails, so that their rows stay as they were; see segment.set_aside';

-- The same for dashboards: a word to colour, and numbers to draw.
CREATE VIEW segment.freshness WITH (security_barrier) AS
SELECT f.tbl, f.state, f.as_of,
       CASE f.state WHEN 'up to date' THEN 0 WHEN 'never refreshed' THEN NULL
                    ELSE extract(epoch FROM f.lag) END::float8 AS seconds_behind,
       f.backlog, f.set_aside, f.schedule, f.failures
FROM (SELECT s.tbl, s.as_of, s.lag, s.backlog, s.set_aside, s.schedule, coalesce(j.failures, 0) AS failures,
             CASE WHEN s.as_of IS NULL THEN 'never refreshed'
                  WHEN j.failures > 0 THEN 'failing'
                  WHEN s.needs_rebuild THEN 'to be rebuilt'
                  WHEN s.backlog > 0 OR s.new_columns IS NOT NULL OR s.next_due <= segment.now() THEN 'behind'
                  ELSE 'up to date' END AS state
      FROM segment.status s
      LEFT JOIN segment.job_state j ON j.tbl = s.tbl AND s.schedule IS NOT NULL) f;
COMMENT ON VIEW segment.freshness IS 'how fresh each segment table is, as a word and in numbers';
COMMENT ON COLUMN segment.freshness.state IS
'up to date, behind, to be rebuilt, failing (its job, when it last ran) or never refreshed';
COMMENT ON COLUMN segment.freshness.seconds_behind IS
'age of the oldest change, or passing of time, that the table does not show yet; NULL if it was never refreshed';

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


-- Read from the lock table: neither the logs nor what they hold is touched.
CREATE VIEW segment.logs WITH (security_barrier) AS
SELECT n.log,
       pg_catalog.pg_relation_size(n.relation) AS bytes,
       n.log = b.active_log AS active,
       h.held_by, h.prepared, h.held_since
FROM (VALUES (0, 'segment.mark_log_0'::regclass), (1, 'segment.mark_log_1'::regclass)) n (log, relation)
CROSS JOIN (SELECT active_log FROM segment.bookmark ORDER BY collection DESC LIMIT 1) b
CROSS JOIN LATERAL (
    SELECT pg_catalog.array_agg(DISTINCT l.pid) FILTER (WHERE l.pid IS NOT NULL) AS held_by,
           pg_catalog.array_agg(DISTINCT p.gid) FILTER (WHERE p.gid IS NOT NULL) AS prepared,
           pg_catalog.min(coalesce(a.xact_start, p.prepared)) AS held_since
    FROM pg_catalog.pg_locks l
    LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
    -- its virtual transaction is that of its session, and after a restart another: the lock on its ID knows
    LEFT JOIN pg_catalog.pg_locks t
        ON l.pid IS NULL AND t.pid IS NULL AND t.locktype = 'transactionid' AND t.virtualtransaction = l.virtualtransaction
    LEFT JOIN pg_catalog.pg_prepared_xacts p ON p.transaction = t.transactionid
    WHERE l.locktype = 'relation' AND l.relation = n.relation AND l.granted
      AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
      AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()) h;
COMMENT ON VIEW segment.logs IS
'the two mark logs of the database: their size, and which transactions keep them from being emptied';
COMMENT ON COLUMN segment.logs.active IS 'do writers prefer this log?';
COMMENT ON COLUMN segment.logs.held_by IS 'processes whose transactions have it locked, most of them having written marks; NULL if none';
COMMENT ON COLUMN segment.logs.prepared IS 'prepared transactions that have it locked; NULL if none';
COMMENT ON COLUMN segment.logs.held_since IS 'when the oldest of these transactions that the reader may see began';

GRANT SELECT ON segment.jobs, segment.runs, segment.status, segment.freshness, segment.set_aside, segment.logs TO PUBLIC;
