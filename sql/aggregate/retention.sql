-- segment.retention, segment.retention_periods

CREATE FUNCTION segment.retention_transition(internal, VARIADIC "any") RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_retention_transition';
CREATE FUNCTION segment.retention_final(internal) RETURNS boolean[]
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_retention_final';
CREATE FUNCTION segment.retention_moving_transition(internal, VARIADIC "any") RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_retention_moving_transition';
CREATE FUNCTION segment.retention_moving_inverse(internal, VARIADIC "any") RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_retention_moving_inverse';
CREATE FUNCTION segment.retention_moving_final(internal) RETURNS boolean[]
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_retention_moving_final';
CREATE FUNCTION segment.retention_periods_transition(internal, timestamptz, interval, int) RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_retention_periods_transition';
CREATE FUNCTION segment.retention_periods_final(internal) RETURNS boolean[]
LANGUAGE C STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_retention_periods_final';

CREATE AGGREGATE segment.retention(VARIADIC conditions "any") (
    SFUNC = segment.retention_transition,
    STYPE = internal,
    SSPACE = 64,
    COMBINEFUNC = segment.aggregate_combine,
    SERIALFUNC = segment.aggregate_serialize,
    DESERIALFUNC = segment.aggregate_deserialize,
    FINALFUNC = segment.retention_final,
    MSFUNC = segment.retention_moving_transition,
    MINVFUNC = segment.retention_moving_inverse,
    MSTYPE = internal,
    MSSPACE = 1024,
    MFINALFUNC = segment.retention_moving_final,
    PARALLEL = SAFE
);
CREATE AGGREGATE segment.retention_periods(at timestamptz, period interval, periods int) (
    SFUNC = segment.retention_periods_transition,
    STYPE = internal,
    SSPACE = 256,
    COMBINEFUNC = segment.aggregate_combine,
    SERIALFUNC = segment.aggregate_serialize,
    DESERIALFUNC = segment.aggregate_deserialize,
    FINALFUNC = segment.retention_periods_final,
    PARALLEL = SAFE
);

COMMENT ON FUNCTION segment.retention_transition(internal, "any") IS
'transition function of segment.retention';
COMMENT ON FUNCTION segment.retention_final(internal) IS
'final function of segment.retention';
COMMENT ON FUNCTION segment.retention_moving_transition(internal, "any") IS
'transition function of segment.retention over a window that moves';
COMMENT ON FUNCTION segment.retention_moving_inverse(internal, "any") IS
'inverse transition function of segment.retention over a window that moves';
COMMENT ON FUNCTION segment.retention_moving_final(internal) IS
'final function of segment.retention over a window that moves';
COMMENT ON FUNCTION segment.retention_periods_transition(internal, timestamptz, interval, int) IS
'transition function of segment.retention_periods';
COMMENT ON FUNCTION segment.retention_periods_final(internal) IS
'final function of segment.retention_periods';
COMMENT ON AGGREGATE segment.retention("any") IS
'which conditions any row met, if any row met the first of them';
COMMENT ON AGGREGATE segment.retention_periods(timestamptz, interval, int) IS
'in which of the periods since the first event there was one';
