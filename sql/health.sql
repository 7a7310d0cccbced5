-- What is odd about segment tables, and what to do --------------------------------

CREATE FUNCTION segment.check_health(tbl regclass, thorough boolean DEFAULT true)
RETURNS TABLE (finding text, subject text, detail text, advice text)
LANGUAGE C STABLE STRICT ROWS 10 AS 'MODULE_PATHNAME', 'segment_check_health';
COMMENT ON FUNCTION segment.check_health(regclass, boolean) IS
'what is odd about a segment table, and what to do; thorough: all events are looked at, not a sample';

-- It reads the tables, so not those of which the reader may not see every row.
CREATE VIEW segment.health WITH (security_barrier) AS
SELECT t.tbl, h.finding, h.subject, h.detail, h.advice
FROM segment.tables t
CROSS JOIN LATERAL segment.check_health(CASE WHEN NOT pg_catalog.row_security_active(t.tbl) THEN t.tbl END, false) h;
COMMENT ON VIEW segment.health IS 'what is odd about segment tables, one line for each finding, and what to do';
COMMENT ON COLUMN segment.health.finding IS 'what it is, of the list in the reference';
COMMENT ON COLUMN segment.health.subject IS 'the segment, band, source … that it is about; NULL: the segment table';

GRANT SELECT ON segment.health TO PUBLIC;
