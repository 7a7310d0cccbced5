-- What the refresh and the rebuild are measured on: a log of events, and the
-- same columns computed by a segment table and by a materialized view.
--
-- Variables: customers, events (of all), sparse (share of the events that
-- everybody but the cohort has in the second log).

CREATE SCHEMA shop;

-- Events in the order of time, each of a random customer, so that those of one
-- customer lie far apart.  Every fiftieth customer belongs to the cohort,
-- whose events are the same in both logs.
CREATE TABLE shop.events (
    customer_id bigint      NOT NULL,
    occurred_at timestamptz NOT NULL,
    kind        text        NOT NULL,
    amount      numeric(10,2)
);
SELECT setseed(0.5) \g /dev/null
INSERT INTO shop.events
SELECT 1 + floor(random() * :customers)::bigint,
       now() - interval '2 years' * (1 - n::float8 / :events),
       k.kind,
       CASE WHEN k.kind IN ('purchase', 'refund') THEN round((5 + 200 * random())::numeric, 2) END
FROM generate_series(1, :events) n,
     LATERAL (SELECT (ARRAY['visit', 'visit', 'visit', 'login', 'login', 'cart', 'purchase', 'purchase', 'refund', 'mail'])
                     [1 + floor(random() * 10 + 0 * n)::int] AS kind) k;
CREATE INDEX ON shop.events (customer_id);

-- The same log where everybody else's history is a tenth.
CREATE TABLE shop.sparse_events (LIKE shop.events);
INSERT INTO shop.sparse_events
SELECT customer_id, occurred_at, kind, amount
FROM (SELECT *, row_number() OVER () AS n FROM shop.events) e
WHERE customer_id % 50 = 0 OR n % 10 = 0;
CREATE INDEX ON shop.sparse_events (customer_id);

VACUUM ANALYZE shop.events, shop.sparse_events;

-- The definition, once for both ways.
CREATE TABLE shop.columns (position int, kind text, name text, expression text);
INSERT INTO shop.columns VALUES
( 1, 'events',  'first_seen',     $$min(at)$$),
( 2, 'events',  'last_seen',      $$max(at)$$),
( 3, 'events',  'events',         $$count(*)$$),
( 4, 'events',  'visits_30d',     $$count(*) FILTER (WHERE event = 'visit' AND at > now() - interval '30 days')$$),
( 5, 'events',  'logins_90d',     $$count(*) FILTER (WHERE event = 'login' AND at > now() - interval '90 days')$$),
( 6, 'events',  'purchases',      $$count(*) FILTER (WHERE event = 'purchase')$$),
( 7, 'events',  'purchases_90d',  $$count(*) FILTER (WHERE event = 'purchase' AND at > now() - interval '90 days')$$),
( 8, 'events',  'last_purchase',  $$max(at) FILTER (WHERE event = 'purchase')$$),
( 9, 'events',  'spent',          $$sum(value) FILTER (WHERE event = 'purchase')$$),
(10, 'events',  'spent_90d',      $$sum(value) FILTER (WHERE event = 'purchase' AND at > now() - interval '90 days')$$),
(11, 'events',  'largest',        $$max(value) FILTER (WHERE event = 'purchase')$$),
(12, 'events',  'refunded',       $$sum(value) FILTER (WHERE event = 'refund')$$),
(13, 'row',     'basket',         $$round(spent / purchases, 2)$$),
(21, 'segment', 'new',            $$first_seen > now() - interval '30 days'$$),
(22, 'segment', 'active',         $$last_seen > now() - interval '30 days'$$),
(23, 'segment', 'buyer',          $$purchases > 0$$),
(24, 'segment', 'regular',        $$purchases_90d >= 2$$),
(25, 'segment', 'loyal',          $$purchases >= 5 AND last_purchase > now() - interval '90 days'$$),
(26, 'segment', 'big_spender',    $$spent >= 700$$),
(27, 'segment', 'browser',        $$visits_30d >= 2 AND purchases_90d = 0$$),
(28, 'segment', 'returner',       $$refunded > 0.5 * spent$$),
(29, 'segment', 'at_risk',        $$purchases >= 3 AND last_purchase <= now() - interval '90 days' AND last_purchase > now() - interval '180 days'$$),
(30, 'segment', 'lapsed',         $$last_purchase <= now() - interval '180 days'$$);

CREATE FUNCTION shop.plain_sql() RETURNS text
LANGUAGE sql STABLE
AS $$
SELECT format('SELECT *, %s FROM (SELECT *, %s FROM (SELECT customer_id, %s'
              ' FROM (SELECT customer_id, occurred_at AS at, kind AS event, amount AS value FROM shop.events) e'
              ' GROUP BY customer_id) s) r',
    string_agg(format('coalesce(%s, false) AS %I', expression, name), ', ' ORDER BY position)
        FILTER (WHERE kind = 'segment'),
    string_agg(format('%s AS %I', expression, name), ', ' ORDER BY position) FILTER (WHERE kind = 'row'),
    string_agg(format('%s AS %I', expression, name), ', ' ORDER BY position) FILTER (WHERE kind = 'events'))
FROM shop.columns
$$;

CREATE PROCEDURE shop.define(tbl text, source regclass)
LANGUAGE plpgsql
AS $$
DECLARE
    c record;
BEGIN
    PERFORM segment.create_table(tbl, key => 'customer_id');
    PERFORM segment.add_source(tbl, source, key => 'customer_id', at => 'occurred_at', event => 'kind', value => 'amount');
    FOR c IN SELECT * FROM shop.columns ORDER BY position LOOP
        IF c.kind = 'segment' THEN
            PERFORM segment.add_segment(tbl, c.name, c.expression);
        ELSE
            PERFORM segment.add_score(tbl, c.name, c.expression);
        END IF;
    END LOOP;
END
$$;

-- As many different customers of the cohort have an event now.
CREATE TABLE shop.cohort AS SELECT DISTINCT customer_id FROM shop.events WHERE customer_id % 50 = 0;
ANALYZE shop.cohort;
CREATE PROCEDURE shop.make_dirty(log regclass, dirty int)
LANGUAGE plpgsql
AS $$
BEGIN
    EXECUTE format('INSERT INTO %s (customer_id, occurred_at, kind, amount)'
                   ' SELECT customer_id, now(), ''purchase'', 20 FROM shop.cohort ORDER BY random() LIMIT $1', log)
    USING dirty;
END
$$;
