-- segment.streak

CREATE TYPE segment.streak_result AS (
    current     int,
    longest     int,
    active      int,
    last_active date
);

CREATE FUNCTION segment.streak_transition(internal, timestamptz) RETURNS internal
LANGUAGE C STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_streak_transition';
CREATE FUNCTION segment.streak_transition(internal, timestamptz, text) RETURNS internal
LANGUAGE C STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_streak_transition';
CREATE FUNCTION segment.streak_final(internal) RETURNS segment.streak_result
LANGUAGE C STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_streak_final';

CREATE AGGREGATE segment.streak(at timestamptz) (
    SFUNC = segment.streak_transition,
    STYPE = internal,
    SSPACE = 192,
    COMBINEFUNC = segment.aggregate_combine,
    SERIALFUNC = segment.aggregate_serialize,
    DESERIALFUNC = segment.aggregate_deserialize,
    FINALFUNC = segment.streak_final,
    PARALLEL = SAFE
);
CREATE AGGREGATE segment.streak(at timestamptz, unit text) (
    SFUNC = segment.streak_transition,
    STYPE = internal,
    SSPACE = 192,
    COMBINEFUNC = segment.aggregate_combine,
    SERIALFUNC = segment.aggregate_serialize,
    DESERIALFUNC = segment.aggregate_deserialize,
    FINALFUNC = segment.streak_final,
    PARALLEL = SAFE
);

COMMENT ON TYPE segment.streak_result IS 'what segment.streak returns';
COMMENT ON COLUMN segment.streak_result.current IS
'units in a row up to that of segment.now() or the one before it; 0 if there is none';
COMMENT ON COLUMN segment.streak_result.longest IS 'units in the longest row';
COMMENT ON COLUMN segment.streak_result.active IS 'units with an event';
COMMENT ON COLUMN segment.streak_result.last_active IS 'local day of the last event';
COMMENT ON FUNCTION segment.streak_transition(internal, timestamptz) IS
'transition function of segment.streak';
COMMENT ON FUNCTION segment.streak_transition(internal, timestamptz, text) IS
'transition function of segment.streak';
COMMENT ON FUNCTION segment.streak_final(internal) IS
'final function of segment.streak';
COMMENT ON AGGREGATE segment.streak(timestamptz) IS
'days in a row with an event, as of segment.now()';
COMMENT ON AGGREGATE segment.streak(timestamptz, text) IS
'days, weeks or months in a row with an event, as of segment.now()';
