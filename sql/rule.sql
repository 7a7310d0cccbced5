-- When time alone flips a comparison ----------------------------------------

CREATE FUNCTION segment.crossing(at timestamptz, shift interval, after boolean) RETURNS timestamptz
LANGUAGE C STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_crossing';
COMMENT ON FUNCTION segment.crossing(timestamptz, interval, boolean) IS
'the earliest instant after segment.now() at which the comparison segment.now() + shift >= at (or > at, if after) changes; NULL if it never does';

CREATE FUNCTION segment.crossing(at timestamp, shift interval, after boolean) RETURNS timestamptz
LANGUAGE C STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_crossing_timestamp';
COMMENT ON FUNCTION segment.crossing(timestamp, interval, boolean) IS
'the same for a local time; NULL also where it is no instant';

CREATE FUNCTION segment.crossing(at date, shift interval, after boolean) RETURNS timestamptz
LANGUAGE C STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_crossing_date';
COMMENT ON FUNCTION segment.crossing(date, interval, boolean) IS
'the same for the midnight at which a date begins; NULL also where it is no instant';

CREATE FUNCTION segment.crossing_span(at timestamptz, span interval, after boolean) RETURNS timestamptz
LANGUAGE C STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_crossing_span';
COMMENT ON FUNCTION segment.crossing_span(timestamptz, interval, boolean) IS
'the earliest instant after segment.now() at which the comparison segment.now() - at >= span (or > span, if after) changes; NULL if it never does';
