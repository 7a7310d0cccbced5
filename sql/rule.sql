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

CREATE FUNCTION segment.next_flip(how text, target "any", VARIADIC steps "any") RETURNS timestamptz
LANGUAGE C STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_next_flip';
COMMENT ON FUNCTION segment.next_flip(text, "any", "any") IS
'the earliest instant after segment.now() at which a comparison of target with the value that steps lead to from segment.now() changes; NULL if it never does';

CREATE FUNCTION segment.next_flip_within(low "any", high "any", VARIADIC steps "any") RETURNS timestamptz
LANGUAGE C STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_next_flip_within';
COMMENT ON FUNCTION segment.next_flip_within("any", "any", "any") IS
'the earliest instant after segment.now() at which low <= value AND value <= high changes, for a value as for segment.next_flip; NULL if it never does, -infinity if that is not known';

CREATE FUNCTION segment.next_change(VARIADIC steps "any") RETURNS timestamptz
LANGUAGE C STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_next_change';
COMMENT ON FUNCTION segment.next_change("any") IS
'the earliest instant after segment.now() at which the value that steps lead to from segment.now() changes; NULL if it never does';

CREATE FUNCTION segment.next_changes(most integer, VARIADIC steps "any") RETURNS timestamptz[]
LANGUAGE C STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_next_changes';
COMMENT ON FUNCTION segment.next_changes(integer, "any") IS
'the next instants after segment.now() at which a value that moves in steps, as for segment.next_change but no length, becomes another one, at most so many; NULL if they can not be computed';

CREATE FUNCTION segment.boundaries(unit text, zone text, most integer) RETURNS timestamptz[]
LANGUAGE C STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_boundaries';
COMMENT ON FUNCTION segment.boundaries(text, text, integer) IS
'the next instants after segment.now() at which another day, hour or other unit begins in a time zone (the session''s if empty), at most so many';

CREATE FUNCTION segment.next_decay(value float8, threshold float8, half_life interval) RETURNS timestamptz
LANGUAGE C STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_next_decay';
COMMENT ON FUNCTION segment.next_decay(float8, float8, interval) IS
'the instant after segment.now() at which a value that loses half of itself in every half-life passes a threshold, or a little before; NULL if it never does';

CREATE FUNCTION segment.next_decay_flip(how text, value float8, half_life interval, target "any", VARIADIC steps "any") RETURNS timestamptz
LANGUAGE C STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_next_decay_flip';
COMMENT ON FUNCTION segment.next_decay_flip(text, float8, interval, "any", "any") IS
'the instant after segment.now() at which a comparison of target with what steps make of a value that loses half of itself in every half-life changes, or a little before; NULL if it never does';
