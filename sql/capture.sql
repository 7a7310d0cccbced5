-- Marks: which customers changed --------------------------------------------
-- Two logs: writers append to one while the other is emptied.  Append-only and
-- without any index, so that no writer waits for another or for a refresh.
-- A key of NULL marks every customer of the segment table.  Marks leave by
-- TRUNCATE alone, so there is nothing for autovacuum to do; marks are appended
-- below the table access method's interface, which therefore must be heap.

CREATE TABLE segment.mark_log_0 (
    xid       xid8        NOT NULL,             -- top-level transaction of the writer
    tbl       oid         NOT NULL,
    key       text,
    marked_at timestamptz NOT NULL              -- by the clock
) USING heap WITH (autovacuum_enabled = off, vacuum_truncate = off);
CREATE TABLE segment.mark_log_1 (LIKE segment.mark_log_0)
    USING heap WITH (autovacuum_enabled = off, vacuum_truncate = off);
COMMENT ON TABLE segment.mark_log_0 IS 'keys of customers whose events changed, as written by the triggers';
COMMENT ON TABLE segment.mark_log_1 IS 'keys of customers whose events changed, as written by the triggers';

-- What has been collected: every mark visible in the snapshot.  One row; its
-- latest version is the last entry of the index, however many dead ones an old
-- snapshot keeps.
CREATE TABLE segment.bookmark (
    collection bigint      PRIMARY KEY,         -- at least the rows put into work so far, and more with each collection
    snapshot   pg_snapshot NOT NULL,
    active_log int         NOT NULL DEFAULT 0,  -- the log that writers are to prefer
    places     bigint[]    NOT NULL DEFAULT '{}' -- from which blocks on marks not collected stand: places.c
);
INSERT INTO segment.bookmark (collection, snapshot) VALUES (1, pg_catalog.pg_current_snapshot());
COMMENT ON TABLE segment.bookmark IS 'how far the mark logs have been collected';

CREATE FUNCTION segment.mark_place(places bigint[], collected pg_snapshot, log int) RETURNS tid
LANGUAGE C STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'segment_mark_place';
COMMENT ON FUNCTION segment.mark_place(bigint[], pg_snapshot, int) IS
'where to begin in a mark log to find all that is not collected';

-- Keys to process, in the order of their collections.  Each stands here once,
-- unless it is collected again while its segment table is being processed, since
-- the collector does not wait for the end of the batch.  Whoever looks for work
-- begins at table_state_version.claim_from: what lies before is gone, but an old
-- snapshot may keep it as dead entries of the indexes.
CREATE TABLE segment.work (
    tbl        oid         NOT NULL,
    whole      bool        NOT NULL,            -- every customer; key is then empty
    key        text        NOT NULL,
    collection bigint      NOT NULL DEFAULT 0,
    marked_at  timestamptz NOT NULL,            -- of the oldest mark
    PRIMARY KEY (tbl, whole, key, collection)
);
CREATE INDEX work_queue ON segment.work (tbl, collection, key) WHERE NOT whole;
COMMENT ON TABLE segment.work IS 'customers to be processed by the next refresh';

-- What belongs to a source, as the last refresh found it: the relation itself and
-- its partitions and children.  What differs from it may have changed unmarked.
-- Not dumped: a restored table is rebuilt.
CREATE TABLE segment.source_part (
    source   int    NOT NULL,
    relation oid    NOT NULL,
    tbl      oid    NOT NULL,
    place    bigint NOT NULL,                   -- a hash of how it hangs on the others and what it generates,
    triggers bigint NOT NULL,                   -- and one of its triggers; 0: not complete
    columns  text[],                            -- of the source's relation itself: names by number, empty if dropped;
    types    oid[],                             -- by these its expressions know them
    PRIMARY KEY (source, relation)
);
CREATE INDEX source_part_relation ON segment.source_part (relation);
COMMENT ON TABLE segment.source_part IS 'tables that belong to sources, and their triggers, as last seen';

CREATE FUNCTION segment.capture() RETURNS trigger
LANGUAGE C
AS 'MODULE_PATHNAME', 'segment_capture';
COMMENT ON FUNCTION segment.capture() IS
'trigger function that marks the customers whose events a statement changed';
