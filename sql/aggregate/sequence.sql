-- segment.sequence_match, sequence_count, sequence_events

CREATE FUNCTION segment.sequence_transition(internal, text, timestamptz, VARIADIC "any") RETURNS internal
LANGUAGE C STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_sequence_transition';
CREATE FUNCTION segment.sequence_match_final(internal) RETURNS bool
LANGUAGE C STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_sequence_match_final';
CREATE FUNCTION segment.sequence_count_final(internal) RETURNS bigint
LANGUAGE C STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_sequence_count_final';
CREATE FUNCTION segment.sequence_events_final(internal) RETURNS timestamptz[]
LANGUAGE C STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_sequence_events_final';

CREATE AGGREGATE segment.sequence_match(pattern text, at timestamptz, VARIADIC conditions "any") (
    SFUNC = segment.sequence_transition,
    STYPE = internal,
    SSPACE = 256,
    COMBINEFUNC = segment.aggregate_combine,
    SERIALFUNC = segment.aggregate_serialize,
    DESERIALFUNC = segment.aggregate_deserialize,
    FINALFUNC = segment.sequence_match_final,
    PARALLEL = SAFE
);
CREATE AGGREGATE segment.sequence_count(pattern text, at timestamptz, VARIADIC conditions "any") (
    SFUNC = segment.sequence_transition,
    STYPE = internal,
    SSPACE = 256,
    COMBINEFUNC = segment.aggregate_combine,
    SERIALFUNC = segment.aggregate_serialize,
    DESERIALFUNC = segment.aggregate_deserialize,
    FINALFUNC = segment.sequence_count_final,
    PARALLEL = SAFE
);
CREATE AGGREGATE segment.sequence_events(pattern text, at timestamptz, VARIADIC conditions "any") (
    SFUNC = segment.sequence_transition,
    STYPE = internal,
    SSPACE = 256,
    COMBINEFUNC = segment.aggregate_combine,
    SERIALFUNC = segment.aggregate_serialize,
    DESERIALFUNC = segment.aggregate_deserialize,
    FINALFUNC = segment.sequence_events_final,
    PARALLEL = SAFE
);

COMMENT ON FUNCTION segment.sequence_transition(internal, text, timestamptz, "any") IS
'transition function of the aggregates segment.sequence_match, sequence_count and sequence_events';
COMMENT ON FUNCTION segment.sequence_match_final(internal) IS
'final function of segment.sequence_match';
COMMENT ON FUNCTION segment.sequence_count_final(internal) IS
'final function of segment.sequence_count';
COMMENT ON FUNCTION segment.sequence_events_final(internal) IS
'final function of segment.sequence_events';
COMMENT ON AGGREGATE segment.sequence_match(text, timestamptz, "any") IS
'does a chain of events match the pattern?';
COMMENT ON AGGREGATE segment.sequence_count(text, timestamptz, "any") IS
'number of chains of events, one after another, that match the pattern';
COMMENT ON AGGREGATE segment.sequence_events(text, timestamptz, "any") IS
'times of the events of the first chain that matches the pattern, or of as much of it as any does';
