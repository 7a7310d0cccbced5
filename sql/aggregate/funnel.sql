-- segment.funnel, segment.funnel_by, segment.funnel_times

CREATE FUNCTION segment.funnel_transition(internal, timestamptz, interval, VARIADIC "any") RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_funnel_transition';
CREATE FUNCTION segment.funnel_by_transition(internal, text, timestamptz, interval, VARIADIC "any") RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_funnel_by_transition';
CREATE FUNCTION segment.funnel_final(internal) RETURNS int
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_funnel_final';
CREATE FUNCTION segment.funnel_times_final(internal) RETURNS timestamptz[]
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_funnel_times_final';

CREATE AGGREGATE segment.funnel(at timestamptz, within interval, VARIADIC steps "any") (
    SFUNC = segment.funnel_transition,
    STYPE = internal,
    SSPACE = 256,
    COMBINEFUNC = segment.aggregate_combine,
    SERIALFUNC = segment.aggregate_serialize,
    DESERIALFUNC = segment.aggregate_deserialize,
    FINALFUNC = segment.funnel_final,
    PARALLEL = SAFE
);
CREATE AGGREGATE segment.funnel_by(mode text, at timestamptz, within interval, VARIADIC steps "any") (
    SFUNC = segment.funnel_by_transition,
    STYPE = internal,
    SSPACE = 256,
    COMBINEFUNC = segment.aggregate_combine,
    SERIALFUNC = segment.aggregate_serialize,
    DESERIALFUNC = segment.aggregate_deserialize,
    FINALFUNC = segment.funnel_final,
    PARALLEL = SAFE
);
CREATE AGGREGATE segment.funnel_times(at timestamptz, within interval, VARIADIC steps "any") (
    SFUNC = segment.funnel_transition,
    STYPE = internal,
    SSPACE = 256,
    COMBINEFUNC = segment.aggregate_combine,
    SERIALFUNC = segment.aggregate_serialize,
    DESERIALFUNC = segment.aggregate_deserialize,
    FINALFUNC = segment.funnel_times_final,
    PARALLEL = SAFE
);

COMMENT ON FUNCTION segment.funnel_transition(internal, timestamptz, interval, VARIADIC "any") IS
'transition function of segment.funnel and segment.funnel_times';
COMMENT ON FUNCTION segment.funnel_by_transition(internal, text, timestamptz, interval, VARIADIC "any") IS
'transition function of segment.funnel_by';
COMMENT ON FUNCTION segment.funnel_final(internal) IS
'final function of segment.funnel and segment.funnel_by';
COMMENT ON FUNCTION segment.funnel_times_final(internal) IS
'final function of segment.funnel_times';
COMMENT ON AGGREGATE segment.funnel(timestamptz, interval, VARIADIC "any") IS
'the furthest step reached in order, all within a time from the first';
COMMENT ON AGGREGATE segment.funnel_by(text, timestamptz, interval, VARIADIC "any") IS
'the furthest step reached in order, by stricter rules';
COMMENT ON AGGREGATE segment.funnel_times(timestamptz, interval, VARIADIC "any") IS
'when each step was reached on the way to the furthest';
