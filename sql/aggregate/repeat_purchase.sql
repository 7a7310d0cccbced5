-- segment.repeat_purchase

CREATE TYPE segment.repeat_purchase_result AS (
    frequency int,
    recency   float8,
    age       float8
);

CREATE FUNCTION segment.repeat_purchase_transition(internal, timestamptz) RETURNS internal
LANGUAGE C STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_repeat_purchase_transition';
CREATE FUNCTION segment.repeat_purchase_transition(internal, timestamptz, interval) RETURNS internal
LANGUAGE C STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_repeat_purchase_transition';
CREATE FUNCTION segment.repeat_purchase_final(internal) RETURNS segment.repeat_purchase_result
LANGUAGE C STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_repeat_purchase_final';

CREATE AGGREGATE segment.repeat_purchase(at timestamptz) (
    SFUNC = segment.repeat_purchase_transition,
    STYPE = internal,
    SSPACE = 256,
    COMBINEFUNC = segment.aggregate_combine,
    SERIALFUNC = segment.aggregate_serialize,
    DESERIALFUNC = segment.aggregate_deserialize,
    FINALFUNC = segment.repeat_purchase_final,
    PARALLEL = SAFE
);
CREATE AGGREGATE segment.repeat_purchase(at timestamptz, period interval) (
    SFUNC = segment.repeat_purchase_transition,
    STYPE = internal,
    SSPACE = 256,
    COMBINEFUNC = segment.aggregate_combine,
    SERIALFUNC = segment.aggregate_serialize,
    DESERIALFUNC = segment.aggregate_deserialize,
    FINALFUNC = segment.repeat_purchase_final,
    PARALLEL = SAFE
);

COMMENT ON TYPE segment.repeat_purchase_result IS 'what segment.repeat_purchase returns';
COMMENT ON COLUMN segment.repeat_purchase_result.frequency IS
'x: days with an event after the day of the first';
COMMENT ON COLUMN segment.repeat_purchase_result.recency IS
't_x: from the first day to the last one with an event, in periods';
COMMENT ON COLUMN segment.repeat_purchase_result.age IS
'T: from the first day to that of segment.now(), in periods';
COMMENT ON FUNCTION segment.repeat_purchase_transition(internal, timestamptz) IS
'transition function of segment.repeat_purchase';
COMMENT ON FUNCTION segment.repeat_purchase_transition(internal, timestamptz, interval) IS
'transition function of segment.repeat_purchase';
COMMENT ON FUNCTION segment.repeat_purchase_final(internal) IS
'final function of segment.repeat_purchase';
COMMENT ON AGGREGATE segment.repeat_purchase(timestamptz) IS
'frequency, recency and age of a customer in weeks, as of segment.now()';
COMMENT ON AGGREGATE segment.repeat_purchase(timestamptz, interval) IS
'frequency, recency and age of a customer in periods, as of segment.now()';
