-- Aggregates ----------------------------------------------------------------
-- Behavioral scores for any query.  Each has the same five support functions;
-- their arguments of type internal keep them from being called by hand.

-- engagement

CREATE FUNCTION segment.engagement_transition(internal, timestamptz, float8, interval) RETURNS internal
LANGUAGE C STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_engagement_transition';
CREATE FUNCTION segment.engagement_combine(internal, internal) RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_engagement_combine';
CREATE FUNCTION segment.engagement_serialize(internal) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_engagement_serialize';
CREATE FUNCTION segment.engagement_deserialize(bytea, internal) RETURNS internal
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_engagement_deserialize';
CREATE FUNCTION segment.engagement_final(internal) RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_engagement_final';

CREATE AGGREGATE segment.engagement(at timestamptz, weight float8, half_life interval) (
    SFUNC = segment.engagement_transition,
    STYPE = internal,
    SSPACE = 64,
    COMBINEFUNC = segment.engagement_combine,
    SERIALFUNC = segment.engagement_serialize,
    DESERIALFUNC = segment.engagement_deserialize,
    FINALFUNC = segment.engagement_final,
    PARALLEL = SAFE
);

COMMENT ON FUNCTION segment.engagement_transition(internal, timestamptz, float8, interval) IS
'transition function of segment.engagement';
COMMENT ON FUNCTION segment.engagement_combine(internal, internal) IS
'combine function of segment.engagement';
COMMENT ON FUNCTION segment.engagement_serialize(internal) IS
'serialization function of segment.engagement';
COMMENT ON FUNCTION segment.engagement_deserialize(bytea, internal) IS
'deserialization function of segment.engagement';
COMMENT ON FUNCTION segment.engagement_final(internal) IS
'final function of segment.engagement';
COMMENT ON AGGREGATE segment.engagement(timestamptz, float8, interval) IS
'sum of weights that lose half of their value in every half-life, as of segment.now()';

-- sessions

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
CREATE FUNCTION segment.sessions_combine(internal, internal) RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_sessions_combine';
CREATE FUNCTION segment.sessions_serialize(internal) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_sessions_serialize';
CREATE FUNCTION segment.sessions_deserialize(bytea, internal) RETURNS internal
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_sessions_deserialize';
CREATE FUNCTION segment.sessions_final(internal) RETURNS segment.sessions_result
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_sessions_final';

CREATE AGGREGATE segment.sessions(at timestamptz, gap interval) (
    SFUNC = segment.sessions_transition,
    STYPE = internal,
    SSPACE = 256,
    COMBINEFUNC = segment.sessions_combine,
    SERIALFUNC = segment.sessions_serialize,
    DESERIALFUNC = segment.sessions_deserialize,
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
COMMENT ON FUNCTION segment.sessions_combine(internal, internal) IS
'combine function of segment.sessions';
COMMENT ON FUNCTION segment.sessions_serialize(internal) IS
'serialization function of segment.sessions';
COMMENT ON FUNCTION segment.sessions_deserialize(bytea, internal) IS
'deserialization function of segment.sessions';
COMMENT ON FUNCTION segment.sessions_final(internal) IS
'final function of segment.sessions';
COMMENT ON AGGREGATE segment.sessions(timestamptz, interval) IS
'sessions: runs of events, each at most the gap after the one before';
