-- Look ----------------------------------------------------------------------
-- Questions of readers.  They set rights and settings while they run, which a
-- parallel worker may not.

CREATE FUNCTION segment.evaluate(tbl regclass, as_of timestamptz)
RETURNS TABLE (key text, "row" jsonb)
LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'segment_evaluate';
COMMENT ON FUNCTION segment.evaluate(regclass, timestamptz) IS
'the segment table as it would have been at an instant, from the events, each row as JSON';

CREATE FUNCTION segment.evaluate_rows(row_type anyelement, as_of timestamptz) RETURNS SETOF anyelement
LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'segment_evaluate_rows';
COMMENT ON FUNCTION segment.evaluate_rows(anyelement, timestamptz) IS
'the segment table as it would have been at an instant, in the columns of the table, which NULL::tbl names';

CREATE FUNCTION segment.explain(tbl regclass, key text, name text)
RETURNS TABLE (step int, level int, condition text, holds boolean, "values" text, changes_at timestamptz)
LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'segment_explain';
COMMENT ON FUNCTION segment.explain(regclass, text, text) IS
'why a customer is in a segment or not: each condition of its rule, and when time alone changes it';

CREATE FUNCTION segment.preview(tbl regclass, rule text)
RETURNS TABLE (members bigint, customers bigint, share double precision, examples text[], overlap jsonb,
               unanalyzed text)
LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'segment_preview';
COMMENT ON FUNCTION segment.preview(regclass, text) IS
'who would be in a segment with this rule, by the rows as they stand; nothing is saved';
