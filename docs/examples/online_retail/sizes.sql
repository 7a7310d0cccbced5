-- Who is where at the end of the log, and what is bought together.

\pset footer off
\pset null '-'
SET TimeZone = 'Europe/London';
SET segment.as_of = '2011-12-10 00:00';

\echo '== Events that count for nobody: lines and invoices without a customer'
\set ECHO queries
SELECT tbl, ignored_events FROM segment.status ORDER BY tbl;
\set ECHO none

\echo '== Sizes'
\set ECHO queries
SELECT segment, label, members, round(share::numeric, 3) AS share FROM segment.sizes('retail.customers');
SELECT segment, label, members, round(share::numeric, 3) AS share FROM segment.sizes('retail.countries');
\set ECHO none

\echo '== How many rose, and how many fell, since the first of September'
\set ECHO queries
SELECT coalesce("from", 'new') AS "from", coalesce("to", 'none') AS "to", customers
FROM segment.flow('retail.customers', '2011-09-01 00:00:00') WHERE segment = 'user_status' ORDER BY customers DESC;
\set ECHO none

\echo '== Why somebody is a member'
\set ECHO queries
SELECT condition, holds, values, changes_at FROM segment.explain('retail.customers', '12347', 'repeat_loyal');
\set ECHO none

\echo '== What is bought together'
\set ECHO queries
SELECT a, b, shared, round(confidence_ab::numeric, 3) AS confidence_ab, round(confidence_ba::numeric, 3) AS confidence_ba,
       round(lift::numeric, 1) AS lift
FROM segment.bought_together('retail.customers', events => '{line}', basket => 'invoice', min_baskets => 400)
ORDER BY lift DESC LIMIT 10;
\set ECHO none
