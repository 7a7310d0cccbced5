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

CREATE FUNCTION segment.sizes(tbl regclass)
RETURNS TABLE (segment text, label text, members bigint, customers bigint, share double precision)
LANGUAGE C STABLE STRICT AS 'MODULE_PATHNAME', 'segment_sizes';
COMMENT ON FUNCTION segment.sizes(regclass) IS 'how many members each segment has, by the rows as they stand';

CREATE FUNCTION segment.overlap(tbl regclass)
RETURNS TABLE (a text, b text, members_a bigint, members_b bigint, shared bigint, jaccard double precision)
LANGUAGE C STABLE STRICT AS 'MODULE_PATHNAME', 'segment_overlap';
COMMENT ON FUNCTION segment.overlap(regclass) IS
'how many members each two segments have in common, by the rows as they stand';

CREATE FUNCTION segment.flow(tbl regclass, since timestamptz, until timestamptz DEFAULT NULL)
RETURNS TABLE (segment text, "from" text, "to" text, customers bigint)
LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'segment_flow';
COMMENT ON FUNCTION segment.flow(regclass, timestamptz, timestamptz) IS
'how many customers were in which segment at one instant and at another, from the history';

CREATE FUNCTION segment.sizes_over_time(tbl regclass, step interval, since timestamptz,
                                        until timestamptz DEFAULT NULL)
RETURNS TABLE (at timestamptz, segment text, label text, members bigint)
LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'segment_sizes_over_time';
COMMENT ON FUNCTION segment.sizes_over_time(regclass, interval, timestamptz, timestamptz) IS
'how many members each segment had at instants that are a step apart, from the history';

CREATE FUNCTION segment.bought_together(tbl regclass, events text[] DEFAULT '{purchase}', basket text DEFAULT NULL,
                                        gap interval DEFAULT NULL, since timestamptz DEFAULT NULL,
                                        until timestamptz DEFAULT NULL, item text DEFAULT 'item',
                                        min_baskets bigint DEFAULT 2, min_support double precision DEFAULT 0,
                                        max_items int DEFAULT 1000)
RETURNS TABLE (a text, b text, baskets_a bigint, baskets_b bigint, shared bigint, baskets bigint,
               support double precision, confidence_ab double precision, confidence_ba double precision,
               lift double precision)
LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'segment_bought_together';
COMMENT ON FUNCTION segment.bought_together(regclass, text[], text, interval, timestamptz, timestamptz, text, bigint,
                                            double precision, int) IS
'which two items are frequently bought together, from the event stream';

-- An experiment's arms must be the same in every version, on every platform.
CREATE FUNCTION segment.arm(key text, experiment text, weights jsonb) RETURNS text
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'segment_arm_text';
COMMENT ON FUNCTION segment.arm(text, text, jsonb) IS 'the arm of an experiment that a key is in, by its hash';

CREATE FUNCTION segment.arm(key bigint, experiment text, weights jsonb) RETURNS text
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'segment_arm_bigint';
COMMENT ON FUNCTION segment.arm(bigint, text, jsonb) IS 'the arm of an experiment that a key is in, by its hash';

CREATE FUNCTION segment.arm(key uuid, experiment text, weights jsonb) RETURNS text
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'segment_arm_uuid';
COMMENT ON FUNCTION segment.arm(uuid, text, jsonb) IS 'the arm of an experiment that a key is in, by its hash';

CREATE FUNCTION segment.rate_interval(hits bigint, n bigint, level double precision DEFAULT 0.95,
                                      OUT low double precision, OUT high double precision)
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'segment_rate_interval';
COMMENT ON FUNCTION segment.rate_interval(bigint, bigint, double precision) IS
'confidence interval of a rate (Wilson)';

CREATE FUNCTION segment.rate_difference_interval(hits bigint, n bigint, control_hits bigint, control_n bigint,
                                                 level double precision DEFAULT 0.95,
                                                 OUT low double precision, OUT high double precision)
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'segment_rate_difference_interval';
COMMENT ON FUNCTION segment.rate_difference_interval(bigint, bigint, bigint, bigint, double precision) IS
'confidence interval of a rate less another (Newcombe)';

CREATE FUNCTION segment.mean_interval(mean double precision, variance double precision, n bigint,
                                      level double precision DEFAULT 0.95,
                                      OUT low double precision, OUT high double precision)
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'segment_mean_interval';
COMMENT ON FUNCTION segment.mean_interval(double precision, double precision, bigint, double precision) IS
'confidence interval of a mean (Student)';

CREATE FUNCTION segment.mean_difference_interval(mean double precision, variance double precision, n bigint,
                                                 control_mean double precision, control_variance double precision,
                                                 control_n bigint, level double precision DEFAULT 0.95,
                                                 OUT low double precision, OUT high double precision)
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'segment_mean_difference_interval';
COMMENT ON FUNCTION segment.mean_difference_interval(double precision, double precision, bigint, double precision,
                                                     double precision, bigint, double precision) IS
'confidence interval of a mean less another (Welch)';

CREATE FUNCTION segment.outcome(tbl regclass, segment text, event text, within interval, since timestamptz,
                                until timestamptz DEFAULT NULL, experiment text DEFAULT NULL,
                                weights jsonb DEFAULT NULL, arms text DEFAULT NULL, control text DEFAULT NULL,
                                churn text DEFAULT NULL, already_in boolean DEFAULT false,
                                level double precision DEFAULT 0.95)
RETURNS TABLE (label text, arm text, entered bigint, pending bigint, observed bigint, converted bigint,
               rate double precision, rate_low double precision, rate_high double precision,
               lift double precision, lift_low double precision, lift_high double precision,
               relative_lift double precision, events bigint, value double precision,
               value_per_member double precision, value_low double precision, value_high double precision,
               value_lift double precision, value_lift_low double precision, value_lift_high double precision,
               departed bigint, churned bigint, churn_rate double precision, churn_low double precision,
               churn_high double precision)
LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'segment_outcome';
COMMENT ON FUNCTION segment.outcome(regclass, text, text, interval, timestamptz, timestamptz, text, jsonb, text, text,
                                    text, boolean, double precision) IS
'what became of those who entered a segment, for each arm of an experiment, with confidence intervals';

-- It reads the tables, so not those of which the reader may not see every row.
CREATE VIEW segment.sizes WITH (security_barrier) AS
SELECT t.tbl, s.segment, s.label, s.members, s.customers, s.share
FROM segment.tables t
CROSS JOIN LATERAL segment.sizes(CASE WHEN NOT pg_catalog.row_security_active(t.tbl) THEN t.tbl END) s;
COMMENT ON VIEW segment.sizes IS 'how many members each segment has, by the rows as they stand';

CREATE VIEW segment.overlap WITH (security_barrier) AS
SELECT t.tbl, o.a, o.b, o.members_a, o.members_b, o.shared, o.jaccard
FROM segment.tables t
CROSS JOIN LATERAL segment.overlap(CASE WHEN NOT pg_catalog.row_security_active(t.tbl) THEN t.tbl END) o;
COMMENT ON VIEW segment.overlap IS
'how many members each two segments have in common, by the rows as they stand';

-- These read the history: a reader of the segment table need not be able to.  A day
-- counts as of its end, and the one that is not over as it stands.
CREATE VIEW segment.sizes_over_time WITH (security_barrier) AS
SELECT t.tbl, (s.at AT TIME ZONE t.time_zone)::date - 1 AS day, s.segment, s.label, s.members
FROM (SELECT k.tbl, k.time_zone,
             pg_catalog.date_trunc('day', segment.now() AT TIME ZONE k.time_zone) AS today
      FROM segment.tables k
      WHERE pg_catalog.has_table_privilege(k.history, 'SELECT')
        AND NOT pg_catalog.row_security_active(k.history)) t
CROSS JOIN LATERAL segment.sizes_over_time(t.tbl, '1 day',
                                           (t.today - interval '88 days') AT TIME ZONE t.time_zone,
                                           (t.today + interval '1 day') AT TIME ZONE t.time_zone) s;
COMMENT ON VIEW segment.sizes_over_time IS
'how many members each segment had at the end of each of the last 90 days, from the history';
COMMENT ON COLUMN segment.sizes_over_time.day IS 'in the time zone of the segment table; the last is today, as it stands';

CREATE VIEW segment.flow WITH (security_barrier) AS
SELECT t.tbl, t.since, f.segment,
       coalesce(f."from", '(none)') AS source, coalesce(f."to", '(none)') AS target, f.customers AS count
FROM (SELECT k.tbl,
             (segment.now() AT TIME ZONE k.time_zone - interval '30 days') AT TIME ZONE k.time_zone AS since
      FROM segment.tables k
      WHERE pg_catalog.has_table_privilege(k.history, 'SELECT')
        AND NOT pg_catalog.row_security_active(k.history)) t
CROSS JOIN LATERAL segment.flow(t.tbl, t.since) f;
COMMENT ON VIEW segment.flow IS
'how many customers came from where to where in the last 30 days, from the history';
COMMENT ON COLUMN segment.flow.source IS 'label of a group, band, or name of a segment 30 days ago; (none): not in it';
COMMENT ON COLUMN segment.flow.target IS 'the same now';

GRANT SELECT ON segment.sizes, segment.overlap, segment.sizes_over_time, segment.flow TO PUBLIC;
