-- segment.affinity and segment.top_items

CREATE TYPE segment.affinity_result AS (
    top     text,
    share   float8,
    items   bigint,
    entropy float8
);

CREATE FUNCTION segment.affinity_transition(internal, text) RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_affinity_transition';
CREATE FUNCTION segment.affinity_transition(internal, text, float8) RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_affinity_transition';
CREATE FUNCTION segment.affinity_final(internal) RETURNS segment.affinity_result
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_affinity_final';
CREATE FUNCTION segment.top_items_transition(internal, text, float8, int) RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_top_items_transition';
CREATE FUNCTION segment.top_items_final(internal) RETURNS text[]
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_top_items_final';

CREATE AGGREGATE segment.affinity(item text) (
    SFUNC = segment.affinity_transition,
    STYPE = internal,
    SSPACE = 320,
    COMBINEFUNC = segment.aggregate_combine,
    SERIALFUNC = segment.aggregate_serialize,
    DESERIALFUNC = segment.aggregate_deserialize,
    FINALFUNC = segment.affinity_final,
    PARALLEL = SAFE
);

CREATE AGGREGATE segment.affinity(item text, weight float8) (
    SFUNC = segment.affinity_transition,
    STYPE = internal,
    SSPACE = 320,
    COMBINEFUNC = segment.aggregate_combine,
    SERIALFUNC = segment.aggregate_serialize,
    DESERIALFUNC = segment.aggregate_deserialize,
    FINALFUNC = segment.affinity_final,
    PARALLEL = SAFE
);

CREATE AGGREGATE segment.top_items(item text, weight float8, n int) (
    SFUNC = segment.top_items_transition,
    STYPE = internal,
    SSPACE = 320,
    COMBINEFUNC = segment.aggregate_combine,
    SERIALFUNC = segment.aggregate_serialize,
    DESERIALFUNC = segment.aggregate_deserialize,
    FINALFUNC = segment.top_items_final,
    PARALLEL = SAFE
);

COMMENT ON TYPE segment.affinity_result IS 'what segment.affinity returns';
COMMENT ON COLUMN segment.affinity_result.top IS 'the item of greatest weight; of equal ones the first in the order of bytes';
COMMENT ON COLUMN segment.affinity_result.share IS 'its part of the weight of all items, up to 1';
COMMENT ON COLUMN segment.affinity_result.items IS 'number of items whose weight is positive';
COMMENT ON COLUMN segment.affinity_result.entropy IS 'Shannon entropy of the shares in bits: 0 for a single item';
COMMENT ON FUNCTION segment.affinity_transition(internal, text) IS
'transition function of segment.affinity';
COMMENT ON FUNCTION segment.affinity_transition(internal, text, float8) IS
'transition function of segment.affinity';
COMMENT ON FUNCTION segment.affinity_final(internal) IS
'final function of segment.affinity';
COMMENT ON FUNCTION segment.top_items_transition(internal, text, float8, int) IS
'transition function of segment.top_items';
COMMENT ON FUNCTION segment.top_items_final(internal) IS
'final function of segment.top_items';
COMMENT ON AGGREGATE segment.affinity(text) IS
'the item that comes most often, its share, and how varied the items are';
COMMENT ON AGGREGATE segment.affinity(text, float8) IS
'the item of greatest weight, its share, and how varied the items are';
COMMENT ON AGGREGATE segment.top_items(text, float8, int) IS
'the n items of greatest weight, the greatest first';
