-- Customers who all fall due at the same midnight.
--
-- Variables: customers, events (of each).

CREATE SCHEMA crowd;
CREATE TABLE crowd.events (
    customer_id bigint        NOT NULL,
    occurred_at timestamptz   NOT NULL,
    amount      numeric(10,2) NOT NULL
);
SELECT setseed(0.5) \g /dev/null
-- everybody's last one on the first of March, the others in the year before
INSERT INTO crowd.events
SELECT c, timestamptz '2026-03-01 00:00+00' + random() * interval '23 hours' - random() * interval '365 days' * least(e - 1, 1),
       round((5 + 200 * random())::numeric, 2)
FROM generate_series(1, :events) e, generate_series(1, :customers) c;
CREATE INDEX ON crowd.events (customer_id);
VACUUM ANALYZE crowd.events;

SELECT segment.create_table('crowd.customers', 'customer_id') \g /dev/null
SELECT segment.add_source('crowd.customers', 'crowd.events', 'customer_id', 'occurred_at', value => 'amount') \g /dev/null
SELECT segment.add_score('crowd.customers', name, rule) FROM (VALUES
    ('last_login', 'max(at)'), ('spent', 'sum(value)')) v(name, rule) \g /dev/null
SELECT segment.add_segment('crowd.customers', 'today', $$last_login >= date_trunc('day', now())$$) \g /dev/null

-- When each batch was written, and the memory of the process by then.
CREATE TABLE crowd.batch (
    id      bigint GENERATED ALWAYS AS IDENTITY,
    at      timestamptz DEFAULT clock_timestamp(),
    bytes   bigint,                             -- of its memory contexts
    process text,                               -- its memory as the system has it, without what is shared, in kB
    run     text
);
CREATE FUNCTION crowd.note_batch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('crowd.run', true) <> '' THEN
        INSERT INTO crowd.batch (bytes, process, run)
        SELECT sum(total_bytes), substring(pg_read_file('/proc/self/status') FROM 'RssAnon:\s+(\d+)'),
               current_setting('crowd.run')
        FROM pg_backend_memory_contexts;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER note_batch AFTER UPDATE ON crowd.customers FOR EACH STATEMENT EXECUTE FUNCTION crowd.note_batch();

-- So many of them log in on a day.
CREATE PROCEDURE crowd.log_in(customers int, day date) LANGUAGE sql AS $$
INSERT INTO crowd.events
SELECT 1 + n * (SELECT max(customer_id) / customers FROM crowd.events), day + interval '10 hours', 20
FROM generate_series(0, customers - 1) n
$$;
