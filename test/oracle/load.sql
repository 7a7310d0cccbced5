-- Loads the oracle: random definitions, events and instants; after each refresh
-- segment tables are compared with plain SQL that uses nothing of segment.
-- Run by a superuser in a database with the extension.
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS oracle CASCADE;
DO $$
BEGIN
	IF to_regrole('regress_segment_oracle') IS NULL THEN
		CREATE ROLE regress_segment_oracle;
	END IF;
	EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_segment_oracle', current_database());
END $$;
CREATE SCHEMA oracle;
GRANT USAGE ON SCHEMA oracle TO PUBLIC;
\ir dice.sql
\ir templates.sql
\ir setup.sql
\ir run.sql
\ir seed.sql
GRANT SELECT ON oracle.template TO PUBLIC;
RESET client_min_messages;
