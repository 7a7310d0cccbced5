-- What all presets together are measured on: a log of the events that they
-- read, attributes of customers, and the options with which each is added.
--
-- Variables: customers, events (of all, about), now (as of which, an expression).

CREATE SCHEMA presets;
SET timezone = 'Europe/Berlin';

-- Visits, each of a random customer, of one to seven events of a kind of its
-- own.  Half of the visits are those of a part of the customers who come
-- more often the lower their number.
CREATE TABLE presets.visit AS
SELECT n,
       1 + floor(:customers * CASE WHEN random() < 0.5 THEN random() ELSE random() ^ 1.5 END)::bigint AS customer_id,
       :now - interval '2 years' * random() ^ 1.3 AS began_at,
       1 + floor(7 * random())::int AS length,
       random() AS theme
FROM (SELECT setseed(0.5)) s, generate_series(1, :events * 23 / 100) n;

-- Three in a thousand use the product on most days, some of them no longer.
INSERT INTO presets.visit
SELECT :events + day * :customers::bigint + c, c,
       :now - interval '1 day' * day - interval '4 hours' * random(), 3, 0.7
FROM generate_series(5, :customers, 333) c, generate_series(0, 59) day
WHERE random() < 0.85 AND (c % 5 > 0 OR day > 28);

CREATE FUNCTION presets.pick(texts text[]) RETURNS text LANGUAGE sql VOLATILE
RETURN texts[1 + floor(array_length(texts, 1) * random())::int];

CREATE TABLE presets.event (
    customer_id bigint      NOT NULL,
    occurred_at timestamptz NOT NULL,
    kind        text        NOT NULL,
    item        text,
    amount      numeric(10,2),
    category    text,
    series      text,
    user_id     bigint      NOT NULL
);

CREATE TABLE presets.draft AS
SELECT v.customer_id, v.customer_id * 8 + (v.n % 5) AS user_id, v.n,
       least(v.began_at + (step - 1) * interval '1 minute' * (1 + 9 * random()), :now - interval '1 second') AS occurred_at,
       CASE WHEN theme < 0.42 THEN presets.pick('{view,view,view,view,view,view,view,view,view,view,view,view,click,click,cart,cart,cart,purchase,purchase,purchase,coupon,compare,price_filter,express,reorder,review,share,like,referral}')
            WHEN theme < 0.57 THEN presets.pick('{email_open,email_open,email_open,email_open,click,download}')
            WHEN theme < 0.80 THEN CASE WHEN step = 1 THEN 'login'
                ELSE presets.pick('{use,use,use,use,use,use,use,use,meter,meter,list_size,support_ticket,limit_reached}') END
            WHEN theme < 0.97 THEN CASE WHEN step % 2 = 1 THEN 'start' ELSE presets.pick('{complete,complete,complete,complete,play,finale}') END
            ELSE presets.pick('{application,application,application,skill,skill,skill,interview,job_start,offer,hire}') END AS kind,
       step, random() AS chance
FROM presets.visit v, generate_series(1, v.length) step;

INSERT INTO presets.event
SELECT customer_id, occurred_at - CASE WHEN kind = 'job_start' THEN interval '4 years' * chance ELSE interval '0' END, kind,
       CASE WHEN kind = 'view' AND chance < 0.04 THEN 'pricing'
            WHEN kind IN ('view', 'cart', 'purchase', 'review', 'compare') THEN 'product ' || floor(300 * chance ^ 2) * 10 + n % 4
            WHEN kind = 'email_open' THEN 'mail ' || floor(chance * 40)
            WHEN kind = 'use' THEN 'feature ' || CASE WHEN n > :events AND customer_id % 2 = 0 THEN 1 ELSE floor(chance * 12) END
            WHEN kind IN ('start', 'complete') THEN 'episode ' || (n + step / 3) % 5000
            WHEN kind = 'download' THEN presets.pick('{whitepaper,price list,catalog}')
            WHEN kind = 'skill' THEN presets.pick('{sql,c,python,writing,sales,design}') END,
       CASE WHEN kind = 'purchase' THEN round((5 + 200 * chance ^ 3)::numeric, 2)
            WHEN kind = 'meter' THEN round((1000 * (1 - chance ^ 3))::numeric)
            WHEN kind = 'list_size' THEN round((400 * chance)::numeric) END,
       CASE WHEN kind IN ('view', 'cart', 'purchase') THEN 'category ' || floor(12 * chance ^ 2) END,
       CASE WHEN kind IN ('start', 'complete', 'finale', 'play') THEN 'series ' || n % 200 END,
       user_id
FROM (SELECT customer_id, user_id, n, occurred_at, kind, step, chance FROM presets.draft
      UNION ALL
      SELECT c, c * 8, c, :now - interval '2 years' * random() ^ 1.3, 'signup', 0, 0 FROM generate_series(1, :customers) c) e
ORDER BY 2;
DROP TABLE presets.visit, presets.draft;
CREATE INDEX ON presets.event (customer_id);

CREATE TABLE presets.account (
    customer_id bigint PRIMARY KEY,
    plan_limit  numeric,
    trial_ends  timestamptz,
    seats       int
);
INSERT INTO presets.account
SELECT c, CASE WHEN c % 3 > 0 THEN 1000 END,
       CASE WHEN c % 7 = 0 THEN :now + interval '1 day' * (40 * random() - 20) END, 1 + c % 5
FROM generate_series(1, :customers) c;
VACUUM ANALYZE presets.event, presets.account;

-- Options that leave no column out.
CREATE TABLE presets.option (preset text PRIMARY KEY, options jsonb);
INSERT INTO presets.option VALUES
('b2b',               '{"seats": "seats", "limit_reached": "limit_reached"}'),
('benefits_sought',   '{}'),
('candidates',        '{"required_skills": ["sql", "c"]}'),
('cart_intent',       '{"view_window": "7 days"}'),
('churn_risk',        '{}'),
('engagement',        '{"content": ["whitepaper", "price list"], "media": "play"}'),
('interest',          '{"category": "category"}'),
('journey',           '{}'),
('lifetime_value',    '{}'),
('loyalty',           '{}'),
('occasion',          '{}'),
('purchase_behavior', '{"deal": "coupon", "taste": "category"}'),
('rfm',               '{}'),
('starter',           '{}'),
('streaming',         '{"series": "series", "finale": "finale"}'),
('usage',             '{"advanced": ["feature 9", "feature 10", "feature 11"], "feature_a": "feature 1", "feature_b": "feature 2",
                        "trial_ends": "trial_ends", "meter": "meter", "plan_limit": "plan_limit", "list_size": "list_size"}'),
('user_status',       '{}');

CREATE PROCEDURE presets.define()
LANGUAGE plpgsql
AS $$
BEGIN
    IF to_regclass('presets.customer') IS NOT NULL THEN
        PERFORM segment.drop_table('presets.customer');
    END IF;
    PERFORM segment.create_table('presets.customer', 'customer_id', time_zone => 'Europe/Berlin');
    PERFORM segment.add_source('presets.customer', 'presets.event', key => 'customer_id', at => 'occurred_at', event => 'kind',
        value => 'amount', item => 'item', extra => '{"category": "category", "series": "series", "user_id": "user_id"}');
    PERFORM segment.add_attributes('presets.customer', 'presets.account', 'customer_id',
        '{"plan_limit": "plan_limit", "trial_ends": "trial_ends", "seats": "seats"}');
END
$$;

-- As many different customers look at a product now.
CREATE PROCEDURE presets.make_dirty(dirty int)
LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO presets.event (customer_id, occurred_at, kind, item, category, user_id)
    SELECT customer_id, segment.now(), 'view', 'product 1', 'category 1', customer_id * 8
    FROM (SELECT customer_id FROM presets.account ORDER BY random() LIMIT dirty) c;
END;

-- Each segment and group of the segment table beside the table that plain SQL
-- made for its preset, where who is in none has no row or NULL.
CREATE FUNCTION presets.differences() RETURNS TABLE (preset text, name text, members bigint, differ bigint)
LANGUAGE plpgsql
AS $$
DECLARE
    c record;
BEGIN
    FOR c IN SELECT * FROM segment.table_presets p, unnest(columns) u(name)
             WHERE EXISTS (SELECT FROM segment.segments s WHERE s.tbl = p.tbl AND s.name = u.name)
                OR EXISTS (SELECT FROM segment.groups g WHERE g.tbl = p.tbl AND g.name = u.name)
             ORDER BY 1, 2, u.name LOOP
        preset := c.preset;
        name := c.name;
        EXECUTE format($f$SELECT count(*) FILTER (WHERE s.%1$I::text <> 'false'),
                                 count(*) FILTER (WHERE nullif(s.%1$I::text, 'false') IS DISTINCT FROM nullif(p.%1$I::text, 'false'))
                          FROM presets.customer s FULL JOIN plain.%2$I p USING (customer_id)$f$, name, preset)
            INTO members, differ;
        RETURN NEXT;
    END LOOP;
END
$$;
