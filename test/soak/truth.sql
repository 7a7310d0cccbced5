-- What should have been seen, computed in plain SQL from the trace alone, beside what was.
--
-- Variables: started and stopped, the instants between which it is judged; and
-- long, how long a membership lasts that a worker has to see in any case.

SET search_path = clockwork;
SET work_mem = '256MB';
SET jit = off;

-- From when to when each version of an event, or of a trial, was committed.
CREATE TABLE version AS
WITH t AS (SELECT trace.*, pg_xact_commit_timestamp(xid::xid) AS committed_at FROM trace)
SELECT p.event, p.customer, p.at, p.kind, p.committed_at AS since,
       coalesce((SELECT min(m.committed_at) FROM t m
                 WHERE m.op = '-' AND m.id > p.id AND m.customer = p.customer AND m.at = p.at
                   AND m.event IS NOT DISTINCT FROM p.event), 'infinity') AS until
FROM t p WHERE p.op = '+';
CREATE INDEX ON version (customer);
ANALYZE version;

-- The memberships of a customer as of an instant, from what had been committed by another.
CREATE FUNCTION truth(who bigint, as_of timestamptz, committed timestamptz)
RETURNS TABLE (segment text, label text) LANGUAGE sql STABLE AS $$
WITH scores AS MATERIALIZED (
    SELECT count(*) FILTER (WHERE at > as_of - interval '7 seconds') AS recent,
           count(*) FILTER (WHERE kind = 'visit' AND at < as_of - interval '3 seconds') AS older,
           count(*) FILTER (WHERE at >= as_of - interval '6 seconds' AND at <= as_of - interval '2 seconds') AS middle,
           as_of - max(at) AS idle,
           (SELECT t.at - as_of FROM clockwork.version t
            WHERE t.customer = who AND t.event IS NULL AND t.since <= committed AND t.until > committed) AS rest
    FROM clockwork.version v
    WHERE v.customer = who AND v.event IS NOT NULL AND v.since <= committed AND v.until > committed AND v.at <= as_of),
rules AS (
    SELECT recent >= 2 AS busy, coalesce(idle > interval '5 seconds', false) AS quiet, older >= 3 AS settled,
           middle >= 1 AS "between", rest < interval '6 seconds' AND rest > interval '0' AS ending,
           CASE WHEN idle < interval '2 seconds' THEN 'fresh' WHEN idle < interval '4 seconds' THEN 'warm'
                WHEN idle < interval '8 seconds' THEN 'cool' END AS stage
    FROM scores)
SELECT v.* FROM rules, LATERAL (VALUES
    ('busy', CASE WHEN busy THEN 'in' END), ('quiet', CASE WHEN quiet THEN 'in' END),
    ('settled', CASE WHEN settled THEN 'in' END), ('between', CASE WHEN "between" THEN 'in' END),
    ('ending', CASE WHEN ending THEN 'in' END), ('stage', stage),
    ('paying', CASE WHEN busy AND NOT ending THEN 'in' END),
    ('lingers', CASE WHEN stage = 'cool' AND NOT quiet AND NOT busy THEN 'in' END)) v(segment, label)
$$;

-- Nothing can change at any other instant.
CREATE TABLE instant AS
SELECT DISTINCT customer, i AS at
FROM (SELECT customer, since AS i FROM version
      UNION ALL SELECT customer, until FROM version
      UNION ALL SELECT customer, at + s * interval '1 second' + e * interval '1 microsecond'
                FROM version, generate_series(0, 8) s, generate_series(0, 1) e WHERE event IS NOT NULL
      UNION ALL SELECT customer, at - s * interval '1 second' + e * interval '1 microsecond'
                FROM version, (VALUES (0), (6)) o(s), generate_series(0, 1) e WHERE event IS NULL) c
WHERE i <= :'stopped';

CREATE TABLE wanted AS
SELECT row_number() OVER w AS n, *, coalesce(lead(at) OVER w, :'stopped') AS until
FROM (SELECT customer, segment, at, label, lag(label) OVER (PARTITION BY customer, segment ORDER BY at) AS before
      FROM instant, LATERAL truth(customer, at, at)) c
WHERE label IS DISTINCT FROM before
WINDOW w AS (PARTITION BY customer, segment ORDER BY at);
CREATE INDEX ON wanted (customer, segment, at);
ANALYZE wanted;

-- What a transaction left of a membership, and when it was seen.
CREATE TABLE observed AS
SELECT *, lag(label) OVER w AS before, lead(at) OVER w AS until
FROM (SELECT DISTINCT ON (f.xid, customer, segment) f.id, f.xid, customer, segment, label, as_of,
             (SELECT s.at FROM seen s WHERE s.upto >= f.id ORDER BY s.upto LIMIT 1) AS at
      FROM feed f ORDER BY f.xid, customer, segment, label NULLS LAST) o
WINDOW w AS (PARTITION BY customer, segment ORDER BY id);
DELETE FROM observed WHERE label IS NOT DISTINCT FROM before;
CREATE INDEX ON observed (customer, segment, id);
ANALYZE observed;

-- Each observation belongs to the latest change to what was observed that came before it.
CREATE TABLE matched AS
SELECT o.*, w.n, w.at AS changed_at, w.until AS changed_until
FROM observed o LEFT JOIN LATERAL
    (SELECT * FROM wanted w
     WHERE w.customer = o.customer AND w.segment = o.segment AND w.label IS NOT DISTINCT FROM o.label AND w.at <= o.at
     ORDER BY w.at DESC LIMIT 1) w ON true;
CREATE INDEX ON matched (customer, segment, n);

CREATE TABLE verdict AS
SELECT w.*, m.at AS seen_at, m.at - w.at AS delay,
       CASE WHEN m.at IS NOT NULL THEN 'seen'
            -- what came between was not seen, so that this was never gone
            WHEN (SELECT o.label FROM observed o
                  WHERE o.customer = w.customer AND o.segment = w.segment AND o.at <= w.until
                  ORDER BY o.id DESC LIMIT 1) IS NOT DISTINCT FROM w.label THEN 'stayed'
            WHEN w.until - w.at >= :'long'::interval THEN 'missed'
            -- what began and ended meanwhile had to see it
            WHEN EXISTS (SELECT FROM segment.run r WHERE r.tbl = 'members'::regclass
                         AND r.started_at > w.at AND r.finished_at < w.until) THEN 'overlooked'
            ELSE 'brief' END AS fate
FROM wanted w LEFT JOIN LATERAL
    (SELECT min(at) AS at FROM matched m
     WHERE m.customer = w.customer AND m.segment = w.segment AND m.n = w.n) m ON true
WHERE w.at > :'started' AND w.at < :'stopped'::timestamptz - interval '5 seconds';

-- Seen, though it was true at no instant between the one spoken of and now; nor of the
-- events committed up to then as of the one spoken of, which is what a row promises.
CREATE TABLE spurious AS
SELECT m.* FROM matched m
WHERE m.at > :'started' AND (m.n IS NULL OR m.changed_until <= m.as_of)
  AND NOT EXISTS (SELECT FROM (SELECT since AS c FROM version v WHERE v.customer = m.customer
                               UNION SELECT until FROM version v WHERE v.customer = m.customer
                               UNION SELECT m.as_of) i, LATERAL truth(m.customer, m.as_of, i.c) t
                  WHERE i.c BETWEEN m.as_of AND m.at AND t.segment = m.segment AND t.label IS NOT DISTINCT FROM m.label);
