-- The oracle on a few seeds; prints what is wrong.  test/oracle/run.sh runs many.
\getenv inputdir PG_ABS_SRCDIR
\set load :inputdir '/oracle/load.sql'
\set echo :ECHO
\set ECHO none
\i :load
\set ECHO :echo
CALL oracle.run_seed(1001);
CALL oracle.run_seed(1002);
CALL oracle.run_seed(1003);
CALL oracle.run_seed(1004);
CALL oracle.run_seed(1005);
CALL oracle.run_seed(1006);
SELECT * FROM oracle.result WHERE problem IS NOT NULL ORDER BY seed;
SET client_min_messages = warning;
DROP SCHEMA oracle CASCADE;
DROP OWNED BY regress_segment_oracle;
DROP ROLE regress_segment_oracle;
