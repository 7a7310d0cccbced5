-- Segments whose windows last seconds, writers that leave a trace of all they
-- commit, and an observer of what other sessions see.
--
-- Variables: customers.  The server records commit timestamps.

CREATE EXTENSION IF NOT EXISTS segment;
CREATE SCHEMA clockwork;
SET search_path = clockwork;

CREATE TABLE events (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer bigint      NOT NULL,
    at       timestamptz NOT NULL,
    kind     text        NOT NULL
);
CREATE INDEX ON events (customer);
CREATE TABLE people (customer bigint PRIMARY KEY, trial_ends timestamptz NOT NULL);

-- Every version of every event and trial; when it was committed its xid tells.
CREATE TABLE trace (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid      xid8        NOT NULL DEFAULT pg_current_xact_id(),
    op       text        NOT NULL,
    event    bigint,                            -- NULL: the trial
    customer bigint      NOT NULL,
    at       timestamptz NOT NULL,
    kind     text
);
CREATE FUNCTION trace_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO clockwork.trace (op, event, customer, at, kind) VALUES ('-', old.id, old.customer, old.at, old.kind);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO clockwork.trace (op, event, customer, at, kind) VALUES ('+', new.id, new.customer, new.at, new.kind);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER trace AFTER INSERT OR UPDATE OR DELETE ON events FOR EACH ROW EXECUTE FUNCTION trace_event();
CREATE FUNCTION trace_trial() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        INSERT INTO clockwork.trace (op, customer, at) VALUES ('-', old.customer, old.trial_ends);
    END IF;
    INSERT INTO clockwork.trace (op, customer, at) VALUES ('+', new.customer, new.trial_ends);
    RETURN NULL;
END $$;
CREATE TRIGGER trace AFTER INSERT OR UPDATE ON people FOR EACH ROW EXECUTE FUNCTION trace_trial();
INSERT INTO people SELECT n, now() + random() * interval '60 seconds' FROM generate_series(1, :customers) n;

SELECT segment.create_table('clockwork.members', 'customer') \g /dev/null
SELECT segment.add_source('members', 'events', 'customer', 'at', event => 'kind') \g /dev/null
SELECT segment.add_attributes('members', 'people', 'customer', '{"trial_ends": "trial_ends"}') \g /dev/null
SELECT segment.add_score('members', name, rule) FROM (VALUES
    ('recent', $$count(*) FILTER (WHERE at > now() - interval '7 seconds')$$),
    ('older',  $$count(*) FILTER (WHERE event = 'visit' AND at < now() - interval '3 seconds')$$),
    ('middle', $$count(*) FILTER (WHERE at BETWEEN now() - interval '6 seconds' AND now() - interval '2 seconds')$$),
    ('last_at', $$max(at)$$)) v(name, rule) \g /dev/null
SELECT segment.add_group('members', 'stage',
    'fresh', $$last_at > now() - interval '2 seconds'$$,
    'warm',  $$last_at > now() - interval '4 seconds'$$,
    'cool',  $$last_at > now() - interval '8 seconds'$$) \g /dev/null
SELECT segment.add_segment('members', name, rule) FROM (VALUES
    ('busy',     $$recent >= 2$$),
    ('quiet',    $$last_at < now() - interval '5 seconds'$$),
    ('settled',  $$older >= 3$$),
    ('between',  $$middle >= 1$$),
    ('ending',   $$trial_ends < now() + interval '6 seconds' AND trial_ends > now()$$),
    ('paying',   $$busy AND NOT ending$$),
    ('lingers',  $$stage = 'cool' AND NOT quiet AND NOT busy$$)) v(name, rule) \g /dev/null

-- What happens to the history, in the order in which it is committed: one
-- transaction at a time writes it.
CREATE TABLE feed (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid      xid8 NOT NULL DEFAULT pg_current_xact_id(),
    customer bigint NOT NULL,
    segment  text NOT NULL,
    label    text,                              -- NULL: left
    as_of    timestamptz NOT NULL
);
CREATE FUNCTION feed_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN                    -- a membership of no duration never was
        INSERT INTO clockwork.feed (customer, segment, as_of) VALUES (old.customer, old.segment, old.entered_at);
    ELSE
        INSERT INTO clockwork.feed (customer, segment, label, as_of)
        VALUES (new.customer, new.segment, CASE WHEN new.left_at IS NULL THEN coalesce(new.label, 'in') END,
                coalesce(new.left_at, new.entered_at));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER feed AFTER INSERT OR UPDATE OR DELETE ON members_history
    FOR EACH ROW EXECUTE FUNCTION feed_history();

-- When another session saw it.
CREATE TABLE seen (upto bigint PRIMARY KEY, at timestamptz NOT NULL);
CREATE PROCEDURE observe(until timestamptz) LANGUAGE plpgsql AS $$
DECLARE
    last bigint := 0;
    next bigint;
BEGIN
    WHILE clock_timestamp() < until LOOP
        SELECT max(id) INTO next FROM clockwork.feed WHERE id > last;
        IF next IS NOT NULL THEN
            INSERT INTO clockwork.seen VALUES (next, clock_timestamp());
            last := next;
        END IF;
        COMMIT;
        PERFORM pg_sleep(0.01);
        COMMIT;
    END LOOP;
END $$;

-- One writer: so many transactions a second, some of them rolled back.
CREATE PROCEDURE write(seed float8, rate float8, until timestamptz) LANGUAGE plpgsql AS $$
DECLARE
    customers bigint := (SELECT count(*) FROM clockwork.people);
    c    bigint;
    dice float8;
    next timestamptz := clock_timestamp();
BEGIN
    PERFORM setseed(seed);
    COMMIT;
    WHILE clock_timestamp() < until LOOP
        c := 1 + floor(random() * customers);
        dice := random();
        IF dice < 0.55 THEN
            INSERT INTO clockwork.events (customer, at, kind)
            SELECT c, clock_timestamp() - (random() * 2 - 1) * least(1, floor(random() * 2)) * interval '1 second',
                   (ARRAY['visit', 'buy'])[1 + floor(random() * 2)::int]
            FROM generate_series(1, 1 + floor(random() * 2)::int);
        ELSIF dice < 0.70 THEN                  -- of the future
            INSERT INTO clockwork.events (customer, at, kind)
            VALUES (c, clock_timestamp() + random() * interval '9 seconds', 'visit');
        ELSIF dice < 0.80 THEN                  -- late
            INSERT INTO clockwork.events (customer, at, kind)
            VALUES (c, clock_timestamp() - random() * interval '9 seconds', 'visit');
        ELSIF dice < 0.85 THEN
            DELETE FROM clockwork.events WHERE customer = c AND random() < 0.5;
        ELSIF dice < 0.90 THEN
            UPDATE clockwork.events SET at = at + (random() - 0.3) * interval '10 seconds'
            WHERE customer = c AND at > clock_timestamp() - interval '10 seconds';
        ELSIF dice < 0.93 THEN                  -- to another customer
            UPDATE clockwork.events SET customer = 1 + floor(random() * customers)
            WHERE customer = c AND at > clock_timestamp() - interval '10 seconds';
        ELSE
            UPDATE clockwork.people SET trial_ends = clock_timestamp() + random() * interval '20 seconds'
            WHERE customer = c;
        END IF;
        IF random() < 0.05 THEN
            ROLLBACK;
        ELSE
            COMMIT;
        END IF;
        next := next - ln(1 - random()) / rate * interval '1 second';
        PERFORM pg_sleep(greatest(0, extract(epoch FROM next - clock_timestamp())));
        COMMIT;
    END LOOP;
END $$;
