-- segment.trend

CREATE FUNCTION segment.trend_transition(internal, timestamptz, float8, interval) RETURNS internal
LANGUAGE C STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_trend_transition';
CREATE FUNCTION segment.trend_final(internal) RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_trend_final';

CREATE AGGREGATE segment.trend(at timestamptz, weight float8, period interval) (
    SFUNC = segment.trend_transition,
    STYPE = internal,
    SSPACE = 128,
    COMBINEFUNC = segment.aggregate_combine,
    SERIALFUNC = segment.aggregate_serialize,
    DESERIALFUNC = segment.aggregate_deserialize,
    FINALFUNC = segment.trend_final,
    PARALLEL = SAFE
);

COMMENT ON FUNCTION segment.trend_transition(internal, timestamptz, float8, interval) IS
'transition function of segment.trend';
COMMENT ON FUNCTION segment.trend_final(internal) IS
'final function of segment.trend';
COMMENT ON AGGREGATE segment.trend(timestamptz, float8, interval) IS
'weight of the last period before segment.now() as a ratio to that of the period before it';
