\echo Use "CREATE EXTENSION segment" to load this file. \quit

-- The as-of instant ---------------------------------------------------------

CREATE FUNCTION segment.now() RETURNS timestamptz
LANGUAGE C STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_now';
COMMENT ON FUNCTION segment.now() IS
'the instant a row speaks about: the setting segment.as_of, else the transaction''s now()';

GRANT USAGE ON SCHEMA segment TO PUBLIC;
