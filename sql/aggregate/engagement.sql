-- segment.engagement

CREATE FUNCTION segment.engagement_transition(internal, timestamptz, float8, interval) RETURNS internal
LANGUAGE C STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_engagement_transition';
CREATE FUNCTION segment.engagement_final(internal) RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_engagement_final';

CREATE AGGREGATE segment.engagement(at timestamptz, weight float8, half_life interval) (
    SFUNC = segment.engagement_transition,
    STYPE = internal,
    SSPACE = 64,
    COMBINEFUNC = segment.aggregate_combine,
    SERIALFUNC = segment.aggregate_serialize,
    DESERIALFUNC = segment.aggregate_deserialize,
    FINALFUNC = segment.engagement_final,
    PARALLEL = SAFE
);

COMMENT ON FUNCTION segment.engagement_transition(internal, timestamptz, float8, interval) IS
'transition function of segment.engagement';
COMMENT ON FUNCTION segment.engagement_final(internal) IS
'final function of segment.engagement';
COMMENT ON AGGREGATE segment.engagement(timestamptz, float8, interval) IS
'sum of weights that lose half of their value in every half-life, as of segment.now()';
