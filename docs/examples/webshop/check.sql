-- The segment table beside plain SQL over the log, at the end of it and at a moment in
-- May.  Returns what differs.

\pset footer off
SET client_min_messages = error;
SET TimeZone = 'UTC';

\set as_of '2024-06-30 00:00:00'
SET segment.as_of = :'as_of';
\ir plain.sql
\ir compare.sql
DISCARD TEMP;

-- Another instant: as of then everything is computed anew, compared, and taken back.
BEGIN;
\set as_of '2024-05-16 20:30:00'
SET LOCAL segment.as_of = :'as_of';
CALL segment.rebuild('webshop.visitors');
\ir plain.sql
\ir compare.sql
ROLLBACK;
