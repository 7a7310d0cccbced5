-- CREATE EXTENSION where somebody was before: a schema, or objects, that would
-- be taken over with it (the class of CVE-2022-2625) are refused; objects in
-- other schemas, and settings, change nothing of what is installed.
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE ROLE regress_segment_planter;
SELECT current_database() AS database \gset
CREATE DATABASE regress_segment_install;
\c regress_segment_install
SET client_min_messages = warning;
\echo * a schema that somebody else owns
CREATE SCHEMA segment AUTHORIZATION regress_segment_planter;
CREATE EXTENSION segment;
ALTER SCHEMA segment OWNER TO CURRENT_USER;
\echo * one in which somebody may create
GRANT CREATE ON SCHEMA segment TO regress_segment_planter;
CREATE EXTENSION segment;
\echo * and one in which something was created
SET ROLE regress_segment_planter;
CREATE FUNCTION segment.lower(varchar) RETURNS text LANGUAGE sql AS $$ SELECT 'planted'::text $$;
RESET ROLE;
REVOKE CREATE ON SCHEMA segment FROM regress_segment_planter;
CREATE EXTENSION segment;
DROP FUNCTION segment.lower(varchar);
SET ROLE regress_segment_planter;
RESET ROLE;
GRANT CREATE ON SCHEMA segment TO PUBLIC;
CREATE EXTENSION segment;
REVOKE CREATE ON SCHEMA segment FROM PUBLIC;
\echo * each kind of object
CREATE TABLE segment.config_table (tbl regclass);
CREATE EXTENSION segment;
DROP TABLE segment.config_table;
CREATE TYPE segment.dedupe AS ENUM ('x');
CREATE EXTENSION segment;
DROP TYPE segment.dedupe;
CREATE OPERATOR segment.= (FUNCTION = starts_with, LEFTARG = text, RIGHTARG = text);
CREATE EXTENSION segment;

DROP SCHEMA segment CASCADE;
CREATE SCHEMA segment;

\echo * tempting names elsewhere, and first on the path
GRANT CREATE ON SCHEMA public TO regress_segment_planter;
GRANT CREATE ON DATABASE regress_segment_install TO regress_segment_planter;
CREATE TABLE public.canary (who text);
GRANT INSERT ON public.canary TO PUBLIC;
SET ROLE regress_segment_planter;
CREATE FUNCTION public.planted() RETURNS text LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.canary VALUES (current_user); RETURN ''; END $$;
CREATE FUNCTION public.pg_extension_config_dump(regclass, text) RETURNS text LANGUAGE sql AS 'SELECT public.planted()';
CREATE FUNCTION public.pg_current_snapshot() RETURNS pg_snapshot LANGUAGE sql AS 'SELECT public.planted()::pg_snapshot';
CREATE FUNCTION public.coalesce(bigint, int) RETURNS bigint LANGUAGE sql AS 'SELECT length(public.planted())::bigint';
CREATE FUNCTION public.greatest(interval, text) RETURNS interval LANGUAGE sql AS 'SELECT public.planted()::interval';
CREATE FUNCTION public.count(text) RETURNS bigint LANGUAGE sql AS 'SELECT length(public.planted())::bigint';
CREATE FUNCTION public.round(numeric, int) RETURNS numeric LANGUAGE sql AS 'SELECT public.planted()::numeric';
CREATE FUNCTION public.name_is(name, text) RETURNS bool LANGUAGE sql AS $$ SELECT public.planted() = 'x' $$;
CREATE OPERATOR public.= (FUNCTION = public.name_is, LEFTARG = name, RIGHTARG = text);
CREATE DOMAIN public.oid AS int CHECK (public.planted() = '');
CREATE DOMAIN public.text AS pg_catalog.text CHECK (public.planted() = '');
CREATE DOMAIN public.timestamptz AS pg_catalog.timestamptz CHECK (public.planted() = '');
CREATE VIEW public.pg_class AS SELECT public.planted();
CREATE VIEW public.pg_namespace AS SELECT public.planted();
CREATE TABLE public.config_table (tbl regclass);
CREATE TABLE public.run (id int);
RESET ROLE;
SET search_path = public, pg_catalog;
CREATE EXTENSION segment;
RESET search_path;
SELECT * FROM public.canary;
-- nothing of the planter's has become the extension's, nor does anything of the extension call it
SELECT pg_describe_object(classid, objid, 0) FROM pg_depend
WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
  AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'segment')
  AND pg_describe_object(classid, objid, 0) !~ 'segment'
ORDER BY 1;
SELECT pg_describe_object(d.classid, d.objid, 0) FROM pg_depend d
JOIN pg_depend e ON e.classid = d.classid AND e.objid = d.objid AND e.deptype = 'e'
 AND e.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'segment')
WHERE pg_describe_object(d.refclassid, d.refobjid, 0) ~ 'public';
-- nor the things its views and functions do, whoever looks
SET ROLE regress_segment_planter;
SET search_path = public, pg_catalog;
CREATE TABLE public.event (c int, at pg_catalog.timestamptz, kind pg_catalog.text);
SELECT segment.create_table('public.t', 'c', 'int');
SELECT segment.add_source('public.t', 'public.event', 'c', 'at', 'kind');
SELECT segment.add_score('public.t', 'n', 'count(event)');
SELECT segment.add_band('public.t', 'b', 'n');
INSERT INTO public.event SELECT n, '2024-01-01 00:00+00'::pg_catalog.timestamptz, 'x'::pg_catalog.text FROM generate_series(1, 9) n;
RESET ROLE;
CALL segment.refresh('public.t');
SELECT * FROM segment.verify('public.t');
SELECT FROM (SELECT (SELECT pg_catalog.count(*) FROM segment.status), (SELECT pg_catalog.count(*) FROM segment.runs),
	(SELECT pg_catalog.count(*) FROM segment.bands), (SELECT pg_catalog.count(*) FROM segment.sizes), (SELECT pg_catalog.count(*) FROM segment.overlap), (SELECT pg_catalog.count(*) FROM segment.sizes_over_time), (SELECT pg_catalog.count(*) FROM segment.flow), (SELECT pg_catalog.count(*) FROM segment.freshness), (SELECT pg_catalog.count(*) FROM segment.jobs),
	(SELECT pg_catalog.count(*) FROM segment.tables)) x;
SELECT * FROM public.canary;
RESET search_path;

\c :database
DROP DATABASE regress_segment_install;
DROP ROLE regress_segment_planter;
