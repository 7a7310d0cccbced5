-- segment.sessions

CREATE TYPE segment.sessions_result AS (
    sessions        bigint,
    events          bigint,
    total           interval,
    longest         interval,
    average         interval,
    last_started_at timestamptz
);

CREATE FUNCTION segment.sessions_transition(internal, timestamptz, interval) RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_sessions_transition';
CREATE FUNCTION segment.sessions_final(internal) RETURNS segment.sessions_result
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_sessions_final';

CREATE AGGREGATE segment.sessions(at timestamptz, gap interval) (
    SFUNC = segment.sessions_transition,
    STYPE = internal,
    SSPACE = 256,
    COMBINEFUNC = segment.aggregate_combine,
    SERIALFUNC = segment.aggregate_serialize,
    DESERIALFUNC = segment.aggregate_deserialize,
    FINALFUNC = segment.sessions_final,
    PARALLEL = SAFE
);

COMMENT ON TYPE segment.sessions_result IS 'what segment.sessions returns';
COMMENT ON COLUMN segment.sessions_result.sessions IS 'number of sessions';
COMMENT ON COLUMN segment.sessions_result.events IS 'number of events in them';
COMMENT ON COLUMN segment.sessions_result.total IS 'sum of the durations, each from first to last event';
COMMENT ON COLUMN segment.sessions_result.longest IS 'the longest duration';
COMMENT ON COLUMN segment.sessions_result.average IS 'total divided by sessions';
COMMENT ON COLUMN segment.sessions_result.last_started_at IS 'first event of the last session';
COMMENT ON FUNCTION segment.sessions_transition(internal, timestamptz, interval) IS
'transition function of segment.sessions';
COMMENT ON FUNCTION segment.sessions_final(internal) IS
'final function of segment.sessions';
COMMENT ON AGGREGATE segment.sessions(timestamptz, interval) IS
'sessions: runs of events, each at most the gap after the one before';
