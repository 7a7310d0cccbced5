-- segment.rhythm

CREATE TYPE segment.rhythm_result AS (
    events        bigint,
    mean          interval,
    median        interval,
    deviation     interval,
    regularity    float8,
    expected_next timestamptz,
    overdue       float8
);

CREATE FUNCTION segment.rhythm_transition(internal, timestamptz) RETURNS internal
LANGUAGE C STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_rhythm_transition';
CREATE FUNCTION segment.rhythm_final(internal) RETURNS segment.rhythm_result
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_rhythm_final';

CREATE AGGREGATE segment.rhythm(at timestamptz) (
    SFUNC = segment.rhythm_transition,
    STYPE = internal,
    SSPACE = 256,
    COMBINEFUNC = segment.aggregate_combine,
    SERIALFUNC = segment.aggregate_serialize,
    DESERIALFUNC = segment.aggregate_deserialize,
    FINALFUNC = segment.rhythm_final,
    PARALLEL = SAFE
);

COMMENT ON TYPE segment.rhythm_result IS 'what segment.rhythm returns';
COMMENT ON COLUMN segment.rhythm_result.events IS 'number of events up to segment.now()';
COMMENT ON COLUMN segment.rhythm_result.mean IS 'average time from one event to the next';
COMMENT ON COLUMN segment.rhythm_result.median IS 'median of the times from one event to the next';
COMMENT ON COLUMN segment.rhythm_result.deviation IS 'their sample standard deviation';
COMMENT ON COLUMN segment.rhythm_result.regularity IS
'deviation divided by mean: 0 like clockwork, 1 as if at random, more in bursts';
COMMENT ON COLUMN segment.rhythm_result.expected_next IS 'the last event and the median after it';
COMMENT ON COLUMN segment.rhythm_result.overdue IS 'time since the last event in medians';
COMMENT ON FUNCTION segment.rhythm_transition(internal, timestamptz) IS
'transition function of segment.rhythm';
COMMENT ON FUNCTION segment.rhythm_final(internal) IS
'final function of segment.rhythm';
COMMENT ON AGGREGATE segment.rhythm(timestamptz) IS
'times between events, and how long the next one is overdue as of segment.now()';
