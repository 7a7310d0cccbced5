-- segment.concentration

CREATE FUNCTION segment.concentration_transition(internal, float8) RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_concentration_transition';
CREATE FUNCTION segment.concentration_final(internal) RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_concentration_final';

CREATE AGGREGATE segment.concentration(value float8) (
    SFUNC = segment.concentration_transition,
    STYPE = internal,
    SSPACE = 512,
    COMBINEFUNC = segment.aggregate_combine,
    SERIALFUNC = segment.aggregate_serialize,
    DESERIALFUNC = segment.aggregate_deserialize,
    FINALFUNC = segment.concentration_final,
    PARALLEL = SAFE
);

COMMENT ON FUNCTION segment.concentration_transition(internal, float8) IS
'transition function of segment.concentration';
COMMENT ON FUNCTION segment.concentration_final(internal) IS
'final function of segment.concentration';
COMMENT ON AGGREGATE segment.concentration(float8) IS
'Gini coefficient: how unequal the values are, from 0 to nearly 1';
