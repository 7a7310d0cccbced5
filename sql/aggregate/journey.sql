-- segment.journey

CREATE TYPE segment.journey_result AS (
    furthest    int,
    furthest_at timestamptz,
    latest      int,
    latest_at   timestamptz
);

CREATE FUNCTION segment.journey_transition(internal, timestamptz, VARIADIC "any") RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_journey_transition';
CREATE FUNCTION segment.journey_final(internal) RETURNS segment.journey_result
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_journey_final';

CREATE AGGREGATE segment.journey(at timestamptz, VARIADIC stages "any") (
    SFUNC = segment.journey_transition,
    STYPE = internal,
    SSPACE = 64,
    COMBINEFUNC = segment.aggregate_combine,
    SERIALFUNC = segment.aggregate_serialize,
    DESERIALFUNC = segment.aggregate_deserialize,
    FINALFUNC = segment.journey_final,
    PARALLEL = SAFE
);

COMMENT ON TYPE segment.journey_result IS 'what segment.journey returns';
COMMENT ON COLUMN segment.journey_result.furthest IS 'highest stage reached, from 1; 0 for none';
COMMENT ON COLUMN segment.journey_result.furthest_at IS 'when it was first reached';
COMMENT ON COLUMN segment.journey_result.latest IS 'stage of the latest event that is at any; 0 for none';
COMMENT ON COLUMN segment.journey_result.latest_at IS 'time of that event';
COMMENT ON FUNCTION segment.journey_transition(internal, timestamptz, VARIADIC "any") IS
'transition function of segment.journey';
COMMENT ON FUNCTION segment.journey_final(internal) IS
'final function of segment.journey';
COMMENT ON AGGREGATE segment.journey(timestamptz, VARIADIC "any") IS
'furthest and latest stage of a journey, whose stages are given as conditions in order';
