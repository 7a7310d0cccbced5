-- Refresh -------------------------------------------------------------------

-- What is known of a segment table's freshness.  Not dumped: a table without a
-- row here is rebuilt by its first refresh.  One row for each; it changes with
-- every refresh, so whoever changes it, with the lock on the table's work, raises
-- its version, and the newest is found at the end of the index however many dead
-- ones an old snapshot keeps.
CREATE TABLE segment.table_state_version (
    tbl        oid         NOT NULL,
    version    bigint      NOT NULL DEFAULT 0,
    as_of      timestamptz NOT NULL,            -- of the latest refresh that finished
    rebuilt_at timestamptz NOT NULL,
    next_due   timestamptz NOT NULL,            -- the earliest valid_until; infinity if none
    ignored    bigint      NOT NULL,            -- events without key or time at the last rebuild
    collected  pg_snapshot,                     -- marks visible here were collected in a transaction block
    claim_from bigint      NOT NULL DEFAULT 0,  -- no row of work has an earlier collection, but for whole ones
    PRIMARY KEY (tbl, version)
);
COMMENT ON TABLE segment.table_state_version IS 'freshness of each segment table; see table_state';

CREATE VIEW segment.table_state AS
SELECT s.* FROM segment.config_table k
CROSS JOIN LATERAL (SELECT * FROM segment.table_state_version v
                    WHERE v.tbl = k.tbl::oid ORDER BY v.version DESC LIMIT 1) s;
COMMENT ON VIEW segment.table_state IS 'freshness of each segment table';

-- Marks that are committed and not collected.
CREATE VIEW segment.uncollected AS
WITH s AS MATERIALIZED (SELECT t.tbl, t.collected FROM segment.table_state t WHERE t.collected IS NOT NULL)
SELECT l.tbl, l.key, l.marked_at
FROM (SELECT * FROM segment.mark_log_0
      WHERE ctid >= (SELECT segment.mark_place(b.places, b.snapshot, 0) FROM segment.bookmark b
                     ORDER BY b.collection DESC LIMIT 1)
      UNION ALL
      SELECT * FROM segment.mark_log_1
      WHERE ctid >= (SELECT segment.mark_place(b.places, b.snapshot, 1) FROM segment.bookmark b
                     ORDER BY b.collection DESC LIMIT 1)) l
LEFT JOIN s ON s.tbl = l.tbl
WHERE NOT pg_catalog.pg_visible_in_snapshot(l.xid, (SELECT b.snapshot FROM segment.bookmark b
                                                    ORDER BY b.collection DESC LIMIT 1))
  AND NOT coalesce(pg_catalog.pg_visible_in_snapshot(l.xid, s.collected), false);
COMMENT ON VIEW segment.uncollected IS 'marks that no collection has taken yet';

-- Customers without a row whom time alone may give one: future events, rules of eligibility.
CREATE TABLE segment.pending (
    tbl        oid         NOT NULL,
    key        text        NOT NULL,
    due        timestamptz NOT NULL,
    PRIMARY KEY (tbl, key)
);
CREATE INDEX pending_due ON segment.pending (tbl, due);
COMMENT ON TABLE segment.pending IS 'customers without a row who may get one as time passes';

-- Customers for whom an expression fails.  Not dumped: what is restored is rebuilt.
CREATE TABLE segment.aside (
    tbl        oid         NOT NULL,
    key        text        NOT NULL,
    name       text,                            -- the column; '' the sources; NULL: writing the row failed
    sqlstate   text        NOT NULL,
    error      text        NOT NULL,
    since      timestamptz NOT NULL,            -- as-of of the refresh that set the customer aside
    tried_at   timestamptz NOT NULL,            -- as-of of the latest that tried
    retry_at   timestamptz NOT NULL,            -- tried again then, if not before
    PRIMARY KEY (tbl, key)
);
COMMENT ON TABLE segment.aside IS 'customers whose rows could not be computed and stay as they were';

-- Columns defined since everybody was computed, which the stored rows suffice to compute.
-- Not dumped: what is restored is rebuilt.
CREATE TABLE segment.new_column (
    tbl        oid         NOT NULL,
    name       name        NOT NULL,
    defined_at timestamptz NOT NULL,
    PRIMARY KEY (tbl, name)
);
COMMENT ON TABLE segment.new_column IS 'columns that the next refresh computes for everybody from the stored rows';

-- Segment tables that have something to do for a refresh, apart from time passing.
CREATE VIEW segment.waiting AS
SELECT k.tbl
FROM segment.config_table k
LEFT JOIN segment.table_state s ON s.tbl = k.tbl
WHERE EXISTS (SELECT FROM segment.work w WHERE w.tbl = k.tbl AND w.whole)
   OR EXISTS (SELECT FROM segment.work w WHERE w.tbl = k.tbl AND NOT w.whole
              AND w.collection >= coalesce(s.claim_from, 0))
   OR EXISTS (SELECT FROM segment.new_column n WHERE n.tbl = k.tbl);
COMMENT ON VIEW segment.waiting IS 'segment tables with work or new columns';

CREATE TABLE segment.run (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tbl         oid         NOT NULL,
    kind        text        NOT NULL CHECK (kind IN ('refresh', 'rebuild', 'recut')),
    pid         int         NOT NULL,
    started_at  timestamptz NOT NULL,
    finished_at timestamptz,
    status      text        NOT NULL DEFAULT 'running'
                CHECK (status IN ('running', 'succeeded', 'failed', 'interrupted')),
    processed   bigint      NOT NULL DEFAULT 0,
    changed     bigint      NOT NULL DEFAULT 0,
    set_aside   bigint      NOT NULL DEFAULT 0,
    error       text
);
CREATE INDEX run_tbl ON segment.run (tbl, id);
COMMENT ON TABLE segment.run IS 'what refreshes, rebuilds and recuts did';

CREATE PROCEDURE segment.refresh(tbl regclass)
LANGUAGE C AS 'MODULE_PATHNAME', 'segment_refresh';
COMMENT ON PROCEDURE segment.refresh(regclass) IS
'brings the rows of dirty and due customers up to date, committing batch by batch';

CREATE PROCEDURE segment.rebuild(tbl regclass)
LANGUAGE C AS 'MODULE_PATHNAME', 'segment_rebuild';
COMMENT ON PROCEDURE segment.rebuild(regclass) IS
'computes every row anew; readers see the old rows until it commits';

CREATE FUNCTION segment.recut(tbl regclass, band text) RETURNS void
LANGUAGE C AS 'MODULE_PATHNAME', 'segment_recut';
COMMENT ON FUNCTION segment.recut(regclass, text) IS
'new cut points of a band from the scores that the segment table holds; everybody is banded anew';

CREATE FUNCTION segment.band_shares(tbl regclass, band text) RETURNS numeric[]
LANGUAGE C STABLE STRICT AS 'MODULE_PATHNAME', 'segment_band_shares';
COMMENT ON FUNCTION segment.band_shares(regclass, text) IS
'the share of the customers with a band that is in each, from band 1 on';

-- Cut points are scores of customers, so not those of tables of which the reader may not see every row.
CREATE VIEW segment.bands WITH (security_barrier) AS
SELECT k.tbl, k.name, k.position, k.depends[1] AS score, k.bands, k.descending,
       v.version, v.cuts, v.made_at, v.population,
       segment.band_shares(CASE WHEN NOT pg_catalog.row_security_active(k.tbl) THEN k.tbl END,
                           k.name::text) AS shares,
       pg_catalog.round(1.0 / k.bands, 4) AS ideal,
       k.unanalyzed, CASE WHEN k.unanalyzed IS NOT NULL THEN t.max_age END AS max_age
FROM segment.config_column k
JOIN segment.config_table t ON t.tbl = k.tbl
JOIN pg_catalog.pg_class c ON c.oid = k.tbl
LEFT JOIN LATERAL (SELECT b.version, b.cuts, b.made_at, b.population, b.retired_at
                   FROM segment.config_band_cut b
                   WHERE b.tbl = k.tbl AND b.band = k.name
                     AND NOT pg_catalog.row_security_active(k.tbl)
                   ORDER BY b.version DESC LIMIT 1) v ON v.retired_at IS NULL
WHERE k.kind = 'band' AND pg_catalog.has_table_privilege(c.oid, 'SELECT');
COMMENT ON VIEW segment.bands IS
'bands of segment tables, the cut points in force, and the share of customers in each band';
COMMENT ON COLUMN segment.bands.cuts IS 'the highest score of each band but the last, from the lowest on';
COMMENT ON COLUMN segment.bands.ideal IS 'the share that each band would have if no scores were equal and none had changed';
GRANT SELECT ON segment.bands TO PUBLIC;

CREATE FUNCTION segment.verify(tbl regclass)
RETURNS TABLE (key text, problem text, stored jsonb, expected jsonb)
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'segment_verify';
COMMENT ON FUNCTION segment.verify(regclass) IS
'rows of a segment table that differ from a recomputation as of now: none';

CREATE FUNCTION segment.current(tbl regclass, key text) RETURNS jsonb
LANGUAGE C STABLE STRICT AS 'MODULE_PATHNAME', 'segment_current';
COMMENT ON FUNCTION segment.current(regclass, text) IS
'one customer''s row computed now, also while the customer is dirty; NULL if he has none';

CREATE FUNCTION segment.erase(tbl regclass, key text, suppress boolean DEFAULT true,
    OUT rows bigint, OUT history bigint, OUT waiting bigint, OUT marks bigint, OUT errors bigint,
    OUT merges bigint, OUT suppressed boolean)
LANGUAGE C AS 'MODULE_PATHNAME', 'segment_erase';
COMMENT ON FUNCTION segment.erase(regclass, text, boolean) IS
'erases a customer: row, history, marks, error texts, merged keys; with suppress, events do not bring the customer back';

CREATE FUNCTION segment.unsuppress(tbl regclass, key text) RETURNS boolean
LANGUAGE C AS 'MODULE_PATHNAME', 'segment_unsuppress';
COMMENT ON FUNCTION segment.unsuppress(regclass, text) IS
'ends the suppression of an erased customer, whose events then count again; false if there was none';

CREATE FUNCTION segment.merge(tbl regclass, from_key text, into_key text) RETURNS boolean
LANGUAGE C AS 'MODULE_PATHNAME', 'segment_merge';
COMMENT ON FUNCTION segment.merge(regclass, text, text) IS
'events of one key count for another from now on, as of any instant; false if that is so already';

CREATE FUNCTION segment.unmerge(tbl regclass, from_key text) RETURNS boolean
LANGUAGE C AS 'MODULE_PATHNAME', 'segment_unmerge';
COMMENT ON FUNCTION segment.unmerge(regclass, text) IS
'events of a merged key count for that key again; false if it is not merged';
