-- What is wrong, one line each; nothing if all is well.  Nobody writes events,
-- and nothing is left to do but what time brings.
--
-- The last line tells how many rows plain SQL could judge, and how many there are.

SET search_path = crash;
SET client_min_messages = warning;
SET jit = off;
SET TimeZone = 'UTC';

SELECT format('verify(%s): %s', tbl, v) FROM unnest(ARRAY['members', 'accounts', 'buyers']) tbl,
    LATERAL segment.verify(tbl::regclass) v LIMIT 20;

BEGIN ISOLATION LEVEL REPEATABLE READ;
-- Rows beside plain SQL, as of now: those that are due meanwhile are left out.
CREATE TEMP TABLE judged ON COMMIT DROP AS
SELECT 'members' AS tbl, customer::text AS key, jsonb_build_array(n, spent, recent, minute, busy, quiet, trial, stage) AS row
FROM members WHERE refreshed_at <= now() AND valid_until > now()
UNION ALL
SELECT 'accounts', account, jsonb_build_array(n, total, big) FROM accounts WHERE refreshed_at <= now() AND valid_until > now()
UNION ALL
SELECT 'buyers', customer::text, jsonb_build_array(largest) FROM buyers WHERE refreshed_at <= now() AND valid_until > now();
CREATE TEMP TABLE truth ON COMMIT DROP AS
WITH e AS (SELECT customer, at, 'order' AS event, amount FROM orders WHERE at <= now()
           UNION ALL SELECT customer, at, 'visit', NULL FROM visits WHERE at <= now()),
m AS (SELECT p.customer, p.trial_ends, count(e.at) AS n, coalesce(sum(amount), 0) AS spent,
             count(*) FILTER (WHERE at > now() - interval '7 seconds') AS recent,
             count(*) FILTER (WHERE event = 'visit' AND at >= now() - interval '1 minute' AND at <= now() - interval '10 seconds') AS minute,
             max(at) AS last_at
      FROM people p LEFT JOIN e USING (customer) GROUP BY p.customer, p.trial_ends),
a AS (SELECT 'a' || customer AS account, count(*) AS n, sum(amount) AS total FROM orders WHERE at <= now() GROUP BY 1)
SELECT 'members' AS tbl, customer::text AS key,
       jsonb_build_array(n, spent, recent, minute, recent >= 2, coalesce(last_at < now() - interval '20 seconds', false), trial_ends > now(),
                         CASE WHEN last_at > now() - interval '5 seconds' THEN 'fresh' WHEN last_at > now() - interval '25 seconds' THEN 'warm'
                              WHEN last_at > now() - interval '2 minutes' THEN 'cool' END) AS row
FROM m
UNION ALL
SELECT 'accounts', account, jsonb_build_array(n, total, total >= 20) FROM a WHERE n >= 2
UNION ALL
SELECT 'buyers', customer::text, jsonb_build_array((SELECT max(amount) FROM orders o WHERE o.customer = p.customer AND o.at <= now()))
FROM people p WHERE consent;
SELECT format('row: %s %s holds %s, plain SQL %s', j.tbl, j.key, j.row, coalesce(t.row::text, 'none'))
FROM judged j LEFT JOIN truth t USING (tbl, key) WHERE j.row IS DISTINCT FROM t.row LIMIT 20;
SELECT format('row: %s %s is missing', t.tbl, t.key) FROM truth t
WHERE NOT EXISTS (SELECT FROM (SELECT 'members' AS tbl, customer::text AS key FROM members UNION ALL SELECT 'accounts', account FROM accounts
                               UNION ALL SELECT 'buyers', customer::text FROM buyers) s WHERE (s.tbl, s.key) = (t.tbl, t.key))
  AND NOT EXISTS (SELECT FROM segment.pending p WHERE p.tbl = t.tbl::regclass AND p.key = t.key AND p.due <= clock_timestamp()) LIMIT 20;

-- The history: one interval after the other, what is open is what the rows hold.
CREATE TEMP TABLE past ON COMMIT DROP AS
SELECT 'members' AS tbl, customer::text AS key, segment, label, entered_at, left_at FROM members_history
UNION ALL SELECT 'accounts', account, segment, label, entered_at, left_at FROM accounts_history
UNION ALL SELECT 'buyers', customer::text, segment, label, entered_at, left_at FROM buyers_history;
SELECT format('history: %s %s %s entered %s, but was in since %s until %s', tbl, key, segment, entered_at, before_in, coalesce(before_out::text, 'now'))
FROM (SELECT *, lag(entered_at) OVER w AS before_in, lag(left_at) OVER w AS before_out FROM past
      WINDOW w AS (PARTITION BY tbl, key, segment ORDER BY entered_at, left_at)) h
WHERE before_in IS NOT NULL AND (before_out IS NULL OR before_out > entered_at) LIMIT 20;
SELECT format('history: %s %s %s left %s before it entered', tbl, key, segment, left_at) FROM past WHERE left_at <= entered_at LIMIT 20;
WITH held AS (
    SELECT 'members' AS tbl, customer::text AS key, v.* FROM members, LATERAL (VALUES
        ('busy', busy, NULL), ('quiet', quiet, NULL), ('trial', trial, NULL), ('top', top, NULL),
        ('tier', tier IS NOT NULL, tier::text), ('stage', stage IS NOT NULL, stage)) v(segment, member, label)
    UNION ALL SELECT 'accounts', account, 'big', big, NULL FROM accounts
    UNION ALL SELECT 'buyers', customer::text, 'hot', hot, NULL FROM buyers),
held_now AS (SELECT tbl, key, segment, label FROM held WHERE member),
open_now AS (SELECT tbl, key, segment, label FROM past WHERE left_at IS NULL AND segment <> 'extra')
SELECT format('history: %s', d) FROM ((SELECT *, 'held, not open' FROM (TABLE held_now EXCEPT ALL TABLE open_now) x)
    UNION ALL (SELECT *, 'open, not held' FROM (TABLE open_now EXCEPT ALL TABLE held_now) y)) d LIMIT 20;
-- What the rows said one after the other, as intervals.
WITH steps AS (SELECT DISTINCT ON (customer, segment, as_of) customer, segment, label, as_of FROM trace ORDER BY customer, segment, as_of, id DESC),
changes AS (SELECT * FROM (SELECT *, lag(label) OVER w AS before FROM steps WINDOW w AS (PARTITION BY customer, segment ORDER BY as_of)) s
            WHERE label IS DISTINCT FROM before),
intervals AS (SELECT customer::text AS key, segment, nullif(label, '') AS label, label IS NOT NULL AS member, as_of AS entered_at,
                     lead(as_of) OVER (PARTITION BY customer, segment ORDER BY as_of) AS left_at FROM changes),
told AS (SELECT key, segment, label, entered_at, left_at FROM intervals WHERE member),
kept AS (SELECT key, segment, label, entered_at, left_at FROM past WHERE tbl = 'members' AND segment IN ('busy', 'quiet', 'trial', 'stage'))
SELECT format('history and rows: %s', d) FROM ((SELECT *, 'not recorded' FROM (TABLE told EXCEPT ALL TABLE kept) x)
    UNION ALL (SELECT *, 'never true' FROM (TABLE kept EXCEPT ALL TABLE told) y)) d LIMIT 20;

-- The changes, one after the other: nobody enters twice or leaves without having entered, and who has not left is in it.
CREATE TEMP TABLE followed ON COMMIT DROP AS
SELECT tbl, key, segment, label, change, sum(CASE WHEN entered THEN 1 ELSE -1 END) OVER w AS inside, lead(change) OVER w IS NULL AS latest
FROM (SELECT 'members' AS tbl, customer::text AS key, change, segment, label, entered FROM members_changes
      UNION ALL SELECT 'accounts', account, change, segment, label, entered FROM accounts_changes
      UNION ALL SELECT 'buyers', customer::text, change, segment, label, entered FROM buyers_changes) c
WHERE segment IS NOT NULL WINDOW w AS (PARTITION BY tbl, key, segment, label ORDER BY change);
SELECT format('changes: %s %s %s %s is in it %s times', tbl, key, segment, label, inside) FROM followed WHERE inside NOT IN (0, 1) LIMIT 20;
WITH inside AS (SELECT tbl, key, segment, label FROM followed WHERE latest AND inside = 1),
open_now AS (SELECT tbl, key, segment, label FROM past WHERE left_at IS NULL)
SELECT format('changes and history: %s', d) FROM ((SELECT *, 'entered, not open' FROM (TABLE inside EXCEPT ALL TABLE open_now) x)
    UNION ALL (SELECT *, 'open, not entered' FROM (TABLE open_now EXCEPT ALL TABLE inside) y)) d LIMIT 20;

-- What a crash could leave behind.
SELECT format('run %s of %s is running, its process is gone', id, tbl) FROM segment.runs r
WHERE status = 'running' AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.pid = r.pid)
  AND EXISTS (SELECT FROM segment.runs l WHERE l.tbl = r.tbl AND l.id > r.id);
SELECT format('run %s of %s failed: %s', id, tbl, error) FROM segment.runs WHERE status = 'failed' LIMIT 20;
SELECT format('prepared transaction %s is left', gid) FROM pg_prepared_xacts;
SELECT format('judged %s of %s', (SELECT count(*) FROM judged), (SELECT count(*) FROM members) + (SELECT count(*) FROM accounts) + (SELECT count(*) FROM buyers));
COMMIT;
