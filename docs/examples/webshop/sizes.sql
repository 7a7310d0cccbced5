-- Who is where at the end of the log, and how June went.

\pset footer off
\pset null '-'
SET TimeZone = 'UTC';
SET segment.as_of = '2024-06-30 00:00+00';

\echo '== Sizes'
\set ECHO queries
SELECT segment, label, members, round(share::numeric, 3) AS share FROM segment.sizes('webshop.visitors');
\set ECHO none

\echo '== The funnel, by channel'
\set ECHO queries
SELECT channel, count(*) FILTER (WHERE checkout >= 1) AS looked, count(*) FILTER (WHERE checkout >= 2) AS cart,
       count(*) FILTER (WHERE checkout >= 3) AS shipping, count(*) FILTER (WHERE checkout >= 4) AS payment,
       count(*) FILTER (WHERE checkout >= 5) AS bought
FROM webshop.visitors GROUP BY channel ORDER BY channel;
\set ECHO none

\echo '== From stage to stage of the journey in the last two weeks'
\set ECHO queries
SELECT coalesce("from", 'none') AS "from", coalesce("to", 'none') AS "to", customers
FROM segment.flow('webshop.visitors', '2024-06-16 00:00+00') WHERE segment = 'journey_stage' ORDER BY 1, 2;
\set ECHO none
