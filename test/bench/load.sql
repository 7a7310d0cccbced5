-- What the load falls on: a million customers, fifty segments.
--
-- Variables: customers, events (of each, on the average).

CREATE SCHEMA load;
CREATE TABLE load.events (
    customer_id bigint      NOT NULL,
    occurred_at timestamptz NOT NULL,
    kind        text        NOT NULL,
    amount      numeric(10,2)
);
CREATE TABLE load.plain (LIKE load.events);
CREATE FUNCTION load.kind() RETURNS text LANGUAGE sql VOLATILE AS $$
SELECT (ARRAY['visit', 'visit', 'visit', 'login', 'login', 'cart', 'purchase', 'purchase', 'refund', 'mail'])
       [1 + floor(random() * 10)::int]
$$;
SELECT setseed(0.5) \g /dev/null
INSERT INTO load.events
SELECT 1 + floor(random() * :customers)::bigint, now() - interval '2 years' * random(), k.kind,
       CASE WHEN k.kind IN ('purchase', 'refund') THEN round((5 + 200 * random())::numeric, 2) END
FROM generate_series(1, :customers * :events) n, LATERAL (SELECT load.kind() AS kind OFFSET 0 * n) k;
INSERT INTO load.events SELECT c, now() - interval '2 years', 'visit', NULL FROM generate_series(1, :customers) c;
CREATE INDEX ON load.events (customer_id);
INSERT INTO load.plain SELECT * FROM load.events;
CREATE INDEX ON load.plain (customer_id);
VACUUM ANALYZE load.events, load.plain;

SELECT segment.create_table('load.customers', 'customer_id') \g /dev/null
SELECT segment.add_source('load.customers', 'load.events', 'customer_id', 'occurred_at', event => 'kind', value => 'amount') \g /dev/null
SELECT segment.add_score('load.customers', name, expression) FROM (VALUES
    ('first_seen',    $$min(at)$$),
    ('last_seen',     $$max(at)$$),
    ('events',        $$count(*)$$),
    ('visits_30d',    $$count(*) FILTER (WHERE event = 'visit' AND at > now() - interval '30 days')$$),
    ('logins_90d',    $$count(*) FILTER (WHERE event = 'login' AND at > now() - interval '90 days')$$),
    ('carts_7d',      $$count(*) FILTER (WHERE event = 'cart' AND at > now() - interval '7 days')$$),
    ('purchases',     $$count(*) FILTER (WHERE event = 'purchase')$$),
    ('purchases_90d', $$count(*) FILTER (WHERE event = 'purchase' AND at > now() - interval '90 days')$$),
    ('last_purchase', $$max(at) FILTER (WHERE event = 'purchase')$$),
    ('spent',         $$sum(value) FILTER (WHERE event = 'purchase')$$),
    ('spent_90d',     $$sum(value) FILTER (WHERE event = 'purchase' AND at > now() - interval '90 days')$$),
    ('refunded',      $$sum(value) FILTER (WHERE event = 'refund')$$)) s(name, expression) \g /dev/null
-- five levels of ten rules
SELECT segment.add_segment('load.customers', name || '_' || n, replace(replace(rule, '{n}', n::text), '{days}', (30 * n)::text))
FROM generate_series(1, 5) n, (VALUES
    ('new',       $$first_seen > now() - interval '{days} days'$$),
    ('active',    $$last_seen > now() - interval '{days} days'$$),
    ('buyer',     $$purchases >= {n}$$),
    ('regular',   $$purchases_90d >= {n}$$),
    ('loyal',     $$purchases >= 2 * {n} AND last_purchase > now() - interval '{days} days'$$),
    ('spender',   $$spent >= 100 * {n}$$),
    ('browser',   $$visits_30d >= {n} AND purchases_90d = 0$$),
    ('returner',  $$refunded > 0.1 * {n} * spent$$),
    ('at_risk',   $$purchases >= {n} AND last_purchase <= now() - interval '{days} days' AND last_seen > now() - interval '180 days'$$),
    ('hesitant',  $$carts_7d >= {n} AND last_purchase <= now() - interval '7 days'$$)) r(name, rule) \g /dev/null

-- One event and how long it takes until the row shows it, over and over, of customers in turn.
CREATE TABLE load.probe (customer_id bigint, committed_at timestamptz, seen_at timestamptz);
CREATE PROCEDURE load.probe(first bigint, step bigint, customers bigint, until timestamptz) LANGUAGE plpgsql AS $$
DECLARE
    c bigint := first;
    before bigint;
    t timestamptz;
BEGIN
    WHILE clock_timestamp() < until LOOP
        SELECT events INTO before FROM load.customers WHERE customer_id = c;
        INSERT INTO load.events VALUES (c, clock_timestamp(), 'visit');
        COMMIT;
        t := clock_timestamp();
        WHILE NOT EXISTS (SELECT FROM load.customers WHERE customer_id = c AND events > before) LOOP
            PERFORM pg_sleep(0.005);
            COMMIT;
            EXIT WHEN clock_timestamp() > t + interval '60 seconds';
        END LOOP;
        INSERT INTO load.probe VALUES (c, t, clock_timestamp());
        COMMIT;
        PERFORM pg_sleep(0.1 * random());
        c := 1 + (c + step) % customers;
    END LOOP;
END $$;
