-- Aggregates ----------------------------------------------------------------
-- Behavioral scores for any query, a part for each family.  Combining,
-- serializing and deserializing are the same for all of them; arguments of type
-- internal keep support functions from being called by hand.

CREATE FUNCTION segment.aggregate_combine(internal, internal) RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_aggregate_combine';
CREATE FUNCTION segment.aggregate_serialize(internal) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_aggregate_serialize';
CREATE FUNCTION segment.aggregate_deserialize(bytea, internal) RETURNS internal
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_aggregate_deserialize';

COMMENT ON FUNCTION segment.aggregate_combine(internal, internal) IS
'combine function of the aggregates of segment';
COMMENT ON FUNCTION segment.aggregate_serialize(internal) IS
'serialization function of the aggregates of segment';
COMMENT ON FUNCTION segment.aggregate_deserialize(bytea, internal) IS
'deserialization function of the aggregates of segment';
