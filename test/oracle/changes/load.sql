-- Loads the test of changing definitions.  Run by a superuser in a database
-- with the extension.
SET client_min_messages = warning;
SET check_function_bodies = off;	-- the model's tables are temporary
DROP SCHEMA IF EXISTS oracle, changes CASCADE;
DO $$
BEGIN
	IF to_regrole('regress_segment_changes') IS NULL THEN
		CREATE ROLE regress_segment_changes;
	END IF;
	EXECUTE format('GRANT CREATE, TEMP ON DATABASE %I TO regress_segment_changes', current_database());
END $$;
CREATE SCHEMA oracle;
CREATE SCHEMA changes;
GRANT USAGE ON SCHEMA oracle, changes TO PUBLIC;
\ir ../dice.sql
\ir model.sql
\ir events.sql
\ir define.sql
\ir check.sql
\ir seed.sql
RESET check_function_bodies;
RESET client_min_messages;
