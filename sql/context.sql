\echo Use "CREATE EXTENSION segment" to load this file. \quit

-- The schema ----------------------------------------------------------------
-- Whoever owns the schema, or may create in it, could put functions beside ours
-- that expressions would find first.  CREATE EXTENSION takes a schema that is
-- there as it is, so look at it; nothing of it is called by a name that is not
-- qualified.

DO LANGUAGE plpgsql $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace n
                   JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) n.nspowner
                   WHERE n.nspname OPERATOR(pg_catalog.=) 'segment'::pg_catalog.name AND r.rolsuper) THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = 'schema "segment" is there already, and not a superuser''s',
            HINT = 'Rename it, or drop it, and run CREATE EXTENSION again, which makes the schema.';
    END IF;
    IF EXISTS (SELECT FROM pg_catalog.pg_namespace n
               CROSS JOIN LATERAL pg_catalog.aclexplode(n.nspacl) a
               LEFT JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) a.grantee
               WHERE n.nspname OPERATOR(pg_catalog.=) 'segment'::pg_catalog.name
                 AND a.privilege_type OPERATOR(pg_catalog.=) 'CREATE'::pg_catalog.text
                 AND r.rolsuper IS NOT TRUE) THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = 'others than superusers may create objects in schema "segment"',
            HINT = 'Revoke CREATE on the schema, and look at what is in it.';
    END IF;
    IF EXISTS (SELECT FROM pg_catalog.pg_depend d
               JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) d.refobjid
               WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass::pg_catalog.oid
                 AND d.classid OPERATOR(pg_catalog.<>) 'pg_catalog.pg_extension'::pg_catalog.regclass::pg_catalog.oid
                 AND n.nspname OPERATOR(pg_catalog.=) 'segment'::pg_catalog.name) THEN
        RAISE EXCEPTION USING ERRCODE = 'duplicate_object',
            MESSAGE = 'schema "segment" is not empty',
            HINT = 'Move what is in it elsewhere, and run CREATE EXTENSION again.';
    END IF;
END $$;

-- The as-of instant ---------------------------------------------------------

CREATE FUNCTION segment.now() RETURNS timestamptz
LANGUAGE C STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'segment_now';
COMMENT ON FUNCTION segment.now() IS
'the instant a row speaks about: the setting segment.as_of, else the transaction''s now()';

GRANT USAGE ON SCHEMA segment TO PUBLIC;
