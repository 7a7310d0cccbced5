-- segment.unconverted

CREATE FUNCTION segment.unconverted_transition(internal, text, boolean, boolean, timestamptz) RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_unconverted_transition';
CREATE FUNCTION segment.unconverted_transition(internal, text, boolean, boolean, timestamptz, int) RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_unconverted_transition';
CREATE FUNCTION segment.unconverted_final(internal) RETURNS text[]
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_unconverted_final';

CREATE AGGREGATE segment.unconverted(item text, wanted boolean, converted boolean, at timestamptz) (
    SFUNC = segment.unconverted_transition,
    STYPE = internal,
    SSPACE = 384,
    COMBINEFUNC = segment.aggregate_combine,
    SERIALFUNC = segment.aggregate_serialize,
    DESERIALFUNC = segment.aggregate_deserialize,
    FINALFUNC = segment.unconverted_final,
    PARALLEL = SAFE
);

CREATE AGGREGATE segment.unconverted(item text, wanted boolean, converted boolean, at timestamptz, at_least int) (
    SFUNC = segment.unconverted_transition,
    STYPE = internal,
    SSPACE = 384,
    COMBINEFUNC = segment.aggregate_combine,
    SERIALFUNC = segment.aggregate_serialize,
    DESERIALFUNC = segment.aggregate_deserialize,
    FINALFUNC = segment.unconverted_final,
    PARALLEL = SAFE
);

COMMENT ON FUNCTION segment.unconverted_transition(internal, text, boolean, boolean, timestamptz) IS
'transition function of segment.unconverted';
COMMENT ON FUNCTION segment.unconverted_transition(internal, text, boolean, boolean, timestamptz, int) IS
'transition function of segment.unconverted';
COMMENT ON FUNCTION segment.unconverted_final(internal) IS
'final function of segment.unconverted';
COMMENT ON AGGREGATE segment.unconverted(text, boolean, boolean, timestamptz) IS
'the items wanted and not converted since, the one wanted last first';
COMMENT ON AGGREGATE segment.unconverted(text, boolean, boolean, timestamptz, int) IS
'the items wanted so many times and not converted since, the one wanted last first';
