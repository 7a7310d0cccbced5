-- Changes of memberships, for whoever reads on from a cursor -------------------

CREATE FUNCTION segment.keep_changes(tbl regclass, keep interval DEFAULT '30 days') RETURNS regclass
LANGUAGE C AS 'MODULE_PATHNAME', 'segment_keep_changes';
COMMENT ON FUNCTION segment.keep_changes(regclass, interval) IS
'keeps from now on who enters and leaves which segment, for segment.changes(); again: keeps it so long';

CREATE FUNCTION segment.drop_changes(tbl regclass) RETURNS void
LANGUAGE C AS 'MODULE_PATHNAME', 'segment_drop_changes';
COMMENT ON FUNCTION segment.drop_changes(regclass) IS 'drops the changes that are kept of a segment table, and keeps no more';

CREATE FUNCTION segment.changes(tbl regclass, after text, most int DEFAULT 1000)
RETURNS TABLE (cursor text, at timestamptz, key text, segment text, label text, entered boolean)
LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'segment_changes';
COMMENT ON FUNCTION segment.changes(regclass, text, int) IS
'who entered and left which segment after a cursor, in the order in which it was committed';

CREATE FUNCTION segment.changes_cursor(tbl regclass) RETURNS text
LANGUAGE C STABLE STRICT AS 'MODULE_PATHNAME', 'segment_changes_cursor';
COMMENT ON FUNCTION segment.changes_cursor(regclass) IS
'the cursor of the latest change: what comes after it is not in the segment table yet';
