-- segment.occasion

CREATE TYPE segment.occasion_result AS (
    hour           int,
    hour_share     float8,
    weekday        int,
    weekday_share  float8,
    month          int,
    month_share    float8,
    years_in_month int
);

CREATE FUNCTION segment.occasion_transition(internal, timestamptz) RETURNS internal
LANGUAGE C STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_occasion_transition';
CREATE FUNCTION segment.occasion_final(internal) RETURNS segment.occasion_result
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_occasion_final';

CREATE AGGREGATE segment.occasion(at timestamptz) (
    SFUNC = segment.occasion_transition,
    STYPE = internal,
    SSPACE = 192,
    COMBINEFUNC = segment.aggregate_combine,
    SERIALFUNC = segment.aggregate_serialize,
    DESERIALFUNC = segment.aggregate_deserialize,
    FINALFUNC = segment.occasion_final,
    PARALLEL = SAFE
);

COMMENT ON TYPE segment.occasion_result IS 'what segment.occasion returns';
COMMENT ON COLUMN segment.occasion_result.hour IS 'the most frequent hour of the day, 0 to 23';
COMMENT ON COLUMN segment.occasion_result.hour_share IS 'share of the events in that hour';
COMMENT ON COLUMN segment.occasion_result.weekday IS
'the most frequent day of the week, 1 (Monday) to 7';
COMMENT ON COLUMN segment.occasion_result.weekday_share IS 'share of the events on that day';
COMMENT ON COLUMN segment.occasion_result.month IS 'the most frequent month, 1 to 12';
COMMENT ON COLUMN segment.occasion_result.month_share IS 'share of the events in that month';
COMMENT ON COLUMN segment.occasion_result.years_in_month IS
'number of years with an event in that month';
COMMENT ON FUNCTION segment.occasion_transition(internal, timestamptz) IS
'transition function of segment.occasion';
COMMENT ON FUNCTION segment.occasion_final(internal) IS
'final function of segment.occasion';
COMMENT ON AGGREGATE segment.occasion(timestamptz) IS
'the most frequent hour, day of the week and month, and their shares';
