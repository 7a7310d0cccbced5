-- segment.first, segment.last

CREATE FUNCTION segment.extreme_combine(internal, internal) RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_extreme_combine';

CREATE FUNCTION segment.first_transition(internal, anyelement, timestamptz) RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_first_transition';
CREATE FUNCTION segment.first_final(internal, anyelement, timestamptz) RETURNS anyelement
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_first_final';

CREATE AGGREGATE segment.first(value anyelement, at timestamptz) (
    SFUNC = segment.first_transition,
    STYPE = internal,
    SSPACE = 128,
    COMBINEFUNC = segment.extreme_combine,
    SERIALFUNC = segment.aggregate_serialize,
    DESERIALFUNC = segment.aggregate_deserialize,
    FINALFUNC = segment.first_final,
    FINALFUNC_EXTRA,
    PARALLEL = SAFE
);

CREATE FUNCTION segment.last_transition(internal, anyelement, timestamptz) RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_last_transition';
CREATE FUNCTION segment.last_final(internal, anyelement, timestamptz) RETURNS anyelement
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_last_final';

CREATE AGGREGATE segment.last(value anyelement, at timestamptz) (
    SFUNC = segment.last_transition,
    STYPE = internal,
    SSPACE = 128,
    COMBINEFUNC = segment.extreme_combine,
    SERIALFUNC = segment.aggregate_serialize,
    DESERIALFUNC = segment.aggregate_deserialize,
    FINALFUNC = segment.last_final,
    FINALFUNC_EXTRA,
    PARALLEL = SAFE
);

COMMENT ON FUNCTION segment.extreme_combine(internal, internal) IS
'combine function of segment.first and segment.last';
COMMENT ON FUNCTION segment.first_transition(internal, anyelement, timestamptz) IS
'transition function of segment.first';
COMMENT ON FUNCTION segment.first_final(internal, anyelement, timestamptz) IS
'final function of segment.first';
COMMENT ON AGGREGATE segment.first(anyelement, timestamptz) IS
'value at the earliest time';
COMMENT ON FUNCTION segment.last_transition(internal, anyelement, timestamptz) IS
'transition function of segment.last';
COMMENT ON FUNCTION segment.last_final(internal, anyelement, timestamptz) IS
'final function of segment.last';
COMMENT ON AGGREGATE segment.last(anyelement, timestamptz) IS
'value at the latest time';
