-- What is odd about segment tables, and what to do --------------------------------

CREATE FUNCTION segment.check_health(tbl regclass, thorough boolean DEFAULT true)
RETURNS TABLE (finding text, subject text, detail text, advice text)
LANGUAGE C STABLE STRICT AS 'MODULE_PATHNAME', 'segment_check_health';
COMMENT ON FUNCTION segment.check_health(regclass, boolean) IS
'what is odd about the rows, the history and the events of a segment table; thorough: all of them, not a sample';

-- The first part needs no table of the user's.  The second reads them, so not
-- those of which the reader may not see every row.
CREATE VIEW segment.health WITH (security_barrier) AS
SELECT s.tbl, f.finding, f.subject, f.detail, f.advice
FROM segment.status s
JOIN segment.tables t ON t.tbl = s.tbl
LEFT JOIN segment.jobs j ON j.tbl = s.tbl
CROSS JOIN LATERAL (
    SELECT 'never_refreshed', NULL, 'no row is up to date', 'CALL segment.refresh(), or schedule() it.'
    WHERE s.as_of IS NULL
    UNION ALL
    SELECT 'stale', NULL, pg_catalog.format('%s behind, %s customers wait', s.lag,
                                            CASE WHEN s.needs_rebuild THEN 'all' ELSE s.backlog::text END),
           CASE WHEN s.schedule IS NULL THEN 'Nothing refreshes it by itself: schedule() it.'
                ELSE 'See segment.jobs and segment.runs: what fails, what takes long, and whether workers run.' END
    WHERE s.lag > pg_catalog.current_setting('segment.health_lag')::interval
    UNION ALL
    SELECT 'schedule_fails', NULL,
           pg_catalog.concat(j.failures, ' failures in a row', ': ' || j.last_error),
           'Mend what the error says; the server log has it with its context.'
    WHERE j.failures > 0
    UNION ALL
    SELECT 'schedule_late', NULL, pg_catalog.format('planned for %s', j.next_run_at),
           'Look whether the library is preloaded, segment.databases names this database, and a background worker is free.'
    WHERE NOT j.running AND j.next_run_at < pg_catalog.clock_timestamp() - interval '5 minutes'
    UNION ALL
    SELECT 'set_aside', NULL, pg_catalog.format('%s customers', s.set_aside),
           'Their rows are stale: segment.set_aside says which expression fails for them.'
    WHERE s.set_aside > 0
    UNION ALL
    SELECT 'ignored_events', NULL, pg_catalog.format('%s events at the rebuild of %s', s.ignored_events, s.rebuilt_at),
           'They have no key or no time: mend what writes them; the next rebuild counts anew.'
    WHERE s.ignored_events > 0) f (finding, subject, detail, advice)
UNION ALL
SELECT b.tbl, 'band_drift', b.name::text,
       pg_catalog.format('shares %s, each ideally %s', b.shares, b.ideal),
       'recut() it; if that does not help, many scores are equal: choose fewer bands.'
FROM segment.bands b
WHERE EXISTS (SELECT FROM pg_catalog.unnest(b.shares) u(share)
              WHERE pg_catalog.abs(u.share - b.ideal)
                    > b.ideal * pg_catalog.current_setting('segment.health_band_drift')::numeric)
UNION ALL
SELECT t.tbl, 'trigger_disabled', r.oid::pg_catalog.regclass::text, pg_catalog.string_agg(g.tgname::text, ', ' ORDER BY g.tgname),
       'Changes of the source go unnoticed: as its owner, ALTER TABLE … ENABLE TRIGGER USER, then refresh.'
FROM segment.tables t
JOIN segment.source_part p ON p.tbl = t.tbl
JOIN pg_catalog.pg_class r ON r.oid = p.relation
JOIN pg_catalog.pg_trigger g ON g.tgrelid = r.oid AND g.tgenabled = 'D'
    AND g.tgfoid = 'segment.capture'::pg_catalog.regproc
GROUP BY t.tbl, r.oid
UNION ALL
SELECT t.tbl, c.finding, c.subject, c.detail, c.advice
FROM segment.tables t
CROSS JOIN LATERAL segment.check_health(CASE WHEN NOT pg_catalog.row_security_active(t.tbl) THEN t.tbl END, false) c;
COMMENT ON VIEW segment.health IS 'what is odd about segment tables, one line for each finding, and what to do';
COMMENT ON COLUMN segment.health.finding IS 'what it is, of the list in the reference';
COMMENT ON COLUMN segment.health.subject IS 'the segment, band, source … that it is about; NULL: the segment table';

GRANT SELECT ON segment.health TO PUBLIC;
