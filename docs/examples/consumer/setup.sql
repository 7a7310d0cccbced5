-- What the consumer keeps, in a schema of its own: how far it has read, and what
-- it has to send.  Run once, by a role that may SELECT from
-- shop.customer_segments_changes, in the database of the segment table:
--
--   psql -v tbl=shop.customer_segments -v segment=lapsed -f setup.sql

CREATE SCHEMA consumer;

CREATE TABLE consumer.place (
    tbl     regclass PRIMARY KEY,
    segment text NOT NULL,
    cursor  text NOT NULL
);
CREATE TABLE consumer.message (
    id      text PRIMARY KEY,           -- the cursor of the change: no two have the same
    n       bigint GENERATED ALWAYS AS IDENTITY,
    key     text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz
);
CREATE INDEX ON consumer.message (n) WHERE sent_at IS NULL;

-- Whoever enters from now on.
INSERT INTO consumer.place VALUES (:'tbl', :'segment', segment.changes_cursor(:'tbl'));

-- Makes messages of the next changes, and goes on behind them, in one
-- transaction: either both are done or neither.  The lock comes first, in a
-- statement of its own, so that a second consumer reads on where the first ends.
CREATE FUNCTION consumer.take(most int) RETURNS bigint LANGUAGE sql
BEGIN ATOMIC
    SELECT FROM consumer.place FOR UPDATE;
    WITH change AS MATERIALIZED (
        SELECT p.tbl, p.segment AS wanted, c.*
        FROM consumer.place p, segment.changes(p.tbl, p.cursor, take.most) WITH ORDINALITY
            AS c (cursor, at, key, segment, label, entered, n)
    ), made AS (
        INSERT INTO consumer.message (id, key)
        SELECT cursor, key FROM change
        WHERE segment = wanted AND entered AND key IS NOT NULL      -- NULL: erased since
        ORDER BY n
    ), moved AS (
        UPDATE consumer.place p SET cursor = c.cursor
        FROM (SELECT DISTINCT ON (tbl) tbl, cursor FROM change ORDER BY tbl, n DESC) c
        WHERE c.tbl = p.tbl
    )
    SELECT count(*) FROM change;
END;
