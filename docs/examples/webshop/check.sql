-- The segment table beside plain SQL over the log, at the end of it and at a moment in
-- May, and its history on a day in June.  Returns what differs.

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

-- What the history says of the day, which the refreshes of that day wrote down.
\echo '== members by the history that differ'
\set as_of '2024-06-17 00:00:00'
\ir plain.sql
WITH plain AS (
    SELECT (to_jsonb(c) || to_jsonb(j) || to_jsonb(p) || to_jsonb(l) || to_jsonb(u) || to_jsonb(b) || to_jsonb(e)
            || to_jsonb(k)) - 'id' AS row
    FROM plain_cart_intent c JOIN plain_journey j USING (id) JOIN plain_purchase_behavior p USING (id)
         JOIN plain_loyalty l USING (id) JOIN plain_user_status u USING (id) JOIN plain_benefits_sought b USING (id)
         JOIN plain_engagement e USING (id) JOIN plain_checkout k USING (id)
), plain_size AS (
    SELECT name AS segment, nullif(value, 'true') AS label, count(*) AS members
    FROM plain, jsonb_each_text(row) r(name, value) WHERE value <> 'false' GROUP BY 1, 2
), size AS (
    SELECT segment, label, members FROM segment.sizes_over_time('webshop.visitors', '1 day', :'as_of', :'as_of')
    WHERE members > 0 AND segment IN (SELECT jsonb_object_keys(row) FROM plain)
)
(TABLE plain_size EXCEPT TABLE size) UNION ALL (TABLE size EXCEPT TABLE plain_size);
DISCARD TEMP;
