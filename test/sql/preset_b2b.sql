-- The preset b2b: accounts, over the events of their users.  Names say the segments that are due.
SET client_min_messages = notice;
SET timezone = 'UTC';
CREATE SCHEMA b2b;
CREATE TABLE b2b.event (account text, member text, at timestamptz, what text);
CREATE TABLE b2b.plan (account text PRIMARY KEY, seats int);
SELECT segment.create_table('b2b.account', 'account', 'text', 'Europe/Berlin');
SELECT segment.add_source('b2b.account', 'b2b.event', key => 'account', at => 'at', event => 'what',
    extra => '{"user_id": "member"}');
SELECT segment.add_attributes('b2b.account', 'b2b.plan', 'account', '{"seats": "seats"}');
SET segment.as_of = '2028-03-31 12:00+00';

-- Users u1 to un of an account, with an event each.
CREATE FUNCTION b2b.users(account text, n int, at timestamptz, what text DEFAULT 'use') RETURNS void LANGUAGE sql AS
$$INSERT INTO b2b.event SELECT account, 'u' || i, at, what FROM generate_series(1, n) i$$;
\o /dev/null
-- 30 days before is 1 March, 14:00 in Berlin, where the clocks were changed since
SELECT b2b.users('upgrade: 4 of 5 seats, the last a microsecond less than 30 days ago', 4, '2028-03-20 12:00+00');
UPDATE b2b.event SET at = '2028-03-01 14:00:00.000001+01' WHERE member = 'u4';
SELECT b2b.users('idle, help: 4 of 5 seats, all 30 days ago', 4, '2028-03-01 14:00+01');
SELECT b2b.users(': 4 users of 6 seats', 4, '2028-03-20 12:00+00');
SELECT b2b.users(': one user four times, of 2 seats', 1, '2028-03-20 12:00+00');
SELECT b2b.users(': one user four times, of 2 seats', 1, '2028-03-21 12:00+00');
SELECT b2b.users('upgrade: more users than seats', 3, '2028-03-20 12:00+00');
SELECT b2b.users('upgrade: no seats paid for, one user', 1, '2028-03-20 12:00+00');
SELECT b2b.users(': seats not known', 9, '2028-03-20 12:00+00');
SELECT b2b.users('idle: 2 of 5 seats', 2, '2028-03-20 12:00+00');
SELECT b2b.users(': half of the seats', 2, '2028-03-20 12:00+00');
SELECT b2b.users('upgrade, help: 3 tickets, 14 days ago less a microsecond', 1, '2028-03-17 12:00:00.000001+01', 'support_ticket') FROM generate_series(1, 3);
UPDATE b2b.event SET at = '2028-03-17 14:00:00.000001+01' WHERE account LIKE '%3 tickets%';
SELECT b2b.users('upgrade: 2 tickets and one 14 days ago', 1, '2028-03-20 12:00+00', 'support_ticket') FROM generate_series(1, 2);
SELECT b2b.users('upgrade: 2 tickets and one 14 days ago', 1, '2028-03-17 14:00+01', 'support_ticket');
SELECT b2b.users('help: 1 user now of 3 before', 1, '2028-03-20 12:00+00');
SELECT b2b.users('help: 1 user now of 3 before', 3, '2028-02-20 12:00+00');
SELECT b2b.users(': 1 user now of 2 before', 1, '2028-03-20 12:00+00');
SELECT b2b.users(': 1 user now of 2 before', 2, '2028-02-20 12:00+00');
SELECT b2b.users(': 3 users, but 61 days ago', 3, '2028-01-30 12:00+00');
SELECT b2b.users(': 2 users now, 1 before', 2, '2028-03-20 12:00+00');
SELECT b2b.users(': 2 users now, 1 before', 1, '2028-02-20 12:00+00');
SELECT b2b.users(': 2 users now of 3 before', 2, '2028-03-20 12:00+00');
SELECT b2b.users(': 2 users now of 3 before', 3, '2028-02-20 12:00+00');
SELECT b2b.users('help: 49 users now of 99 before', 49, '2028-03-20 12:00+00');
SELECT b2b.users('help: 49 users now of 99 before', 99, '2028-02-20 12:00+00');
SELECT b2b.users(': 1 user now as before, one more long ago', 1, at) FROM unnest('{2028-03-20 12:00+00,2028-02-20 12:00+00}'::timestamptz[]) at;
SELECT b2b.users(': 1 user now as before, one more long ago', 2, '2027-02-20 12:00+00');
-- 60 days before is 31 January
SELECT b2b.users('help: 1 user now of 3 before, the last a microsecond less than 60 days ago', 1, '2028-03-20 12:00+00');
SELECT b2b.users('help: 1 user now of 3 before, the last a microsecond less than 60 days ago', 2, '2028-02-20 12:00+00');
SELECT b2b.users('help: 1 user now of 3 before, the last a microsecond less than 60 days ago', 3, '2028-01-31 14:00:00.000001+01');
SELECT b2b.users(': 1 user now of 2 before, and one 60 days ago', 1, '2028-03-20 12:00+00');
SELECT b2b.users(': 1 user now of 2 before, and one 60 days ago', 2, '2028-02-20 12:00+00');
SELECT b2b.users(': 1 user now of 2 before, and one 60 days ago', 3, '2028-01-31 14:00+01');
SELECT b2b.users(': 1 of 2 seats, both before', 1, '2028-03-20 12:00+00');
SELECT b2b.users(': 1 of 2 seats, both before', 2, '2028-02-20 12:00+00');
SELECT b2b.users(': no seats paid for, one user long ago', 1, '2027-02-20 12:00+00');
SELECT b2b.users('idle: 49 of 99 seats', 49, '2028-03-20 12:00+00');
SELECT b2b.users(': 79 of 99 seats', 79, '2028-03-20 12:00+00');
SELECT b2b.users('upgrade, help: 4 tickets', 1, '2028-03-20 12:00+00', 'support_ticket') FROM generate_series(1, 4);
SELECT b2b.users('upgrade: 2 tickets and a view', 1, '2028-03-20 12:00+00', what) FROM unnest('{support_ticket,support_ticket,view}'::text[]) what;
SELECT b2b.users('upgrade: 4 limits', 1, '2028-03-20 12:00+00', 'limit') FROM generate_series(1, 4);
SELECT b2b.users('upgrade: 3 limits, the first a microsecond less than 30 days ago', 1, at, 'limit')
FROM unnest('{2028-03-20 12:00+00,2028-03-20 12:00+00,2028-03-01 14:00:00.000001+01}'::timestamptz[]) at;
SELECT b2b.users(': 2 limits and one 30 days ago', 1, at, 'limit')
FROM unnest('{2028-03-20 12:00+00,2028-03-20 12:00+00,2028-03-01 14:00+01}'::timestamptz[]) at;
SELECT b2b.users(': users without a name', 0, now());
\o
INSERT INTO b2b.event VALUES (': users without a name', NULL, '2028-03-20 12:00+00', 'use');
INSERT INTO b2b.plan
SELECT account, CASE WHEN account ~ '99 seats' THEN 99 WHEN account ~ '5 seats' THEN 5 WHEN account ~ '6 seats' THEN 6 WHEN account ~ '2 seats' THEN 2 WHEN account ~ 'more users' THEN 2
    WHEN account ~ 'no seats' THEN 0 WHEN account ~ 'half' THEN 4 WHEN account ~ 'ticket' THEN 1 END
FROM b2b.event GROUP BY 1;
INSERT INTO b2b.plan VALUES ('idle: paid for and never used', 1), (': neither users nor seats', 0);

-- No limits are known: seats alone make ready.
SELECT segment.add_preset('b2b.account', 'b2b', '{"seats": "seats"}');
CALL segment.refresh('b2b.account');
SELECT account FROM b2b.account WHERE upgrade_ready ORDER BY account COLLATE "C";
SELECT * FROM segment.verify('b2b.account');
SELECT segment.drop_preset('b2b.account', 'b2b');
SELECT segment.add_preset('b2b.account', 'b2b', '{"seats": "seats", "limit_reached": "limit", "check_events": false}');
CALL segment.refresh('b2b.account');
CREATE VIEW b2b.seen AS
SELECT account, concat_ws(', ', CASE WHEN upgrade_ready THEN 'upgrade' END, CASE WHEN seats_idle THEN 'idle' END,
    CASE WHEN needs_help THEN 'help' END) AS segments, seats, seats_active, seats_active_before AS before, account_users AS ever, account_trend
FROM b2b.account;
SELECT segments = split_part(account, ':', 1) AS "as named", * FROM b2b.seen ORDER BY account COLLATE "C";
SELECT * FROM segment.verify('b2b.account');
SELECT name FROM segment.segments WHERE tbl = 'b2b.account'::regclass AND unanalyzed IS NOT NULL;

-- A microsecond later.
SET segment.as_of = '2028-03-31 12:00:00.000001+00';
CALL segment.refresh('b2b.account');
SELECT * FROM b2b.seen WHERE segments <> split_part(account, ':', 1) ORDER BY account COLLATE "C";
SELECT * FROM segment.verify('b2b.account');

-- Limits met make ready for an upgrade as well.
INSERT INTO b2b.event SELECT ': 4 users of 6 seats', 'u1', '2028-03-30 12:00+00', 'limit' FROM generate_series(1, 3);
INSERT INTO b2b.event SELECT ': half of the seats', 'u1', '2028-03-30 12:00+00', 'limit' FROM generate_series(1, 2);
CALL segment.refresh('b2b.account');
SELECT account, limit_hits_recent FROM b2b.account WHERE upgrade_ready AND split_part(account, ':', 1) !~ 'upgrade' ORDER BY 1;
SELECT * FROM segment.verify('b2b.account');

-- Each bound is its own option.
DROP VIEW b2b.seen;
SELECT segment.drop_preset('b2b.account', 'b2b');
SELECT segment.add_preset('b2b.account', 'b2b', '{"seats": "seats", "limit_reached": "limit", "limit_hits": 4, "tickets": 2,
    "upgrade_share": 1.5, "spare_share": 0.4, "shrunk_share": 0.3}');
CALL segment.refresh('b2b.account');
SELECT account, upgrade_ready AS upgrade, seats_idle AS idle, needs_help AS help FROM b2b.account
WHERE upgrade_ready OR seats_idle OR needs_help ORDER BY account COLLATE "C";
SELECT * FROM segment.verify('b2b.account');
SELECT segment.drop_preset('b2b.account', 'b2b');
-- Limits alone.
SELECT segment.add_preset('b2b.account', 'b2b', '{"limit_reached": "limit", "tickets": 2}');
CALL segment.refresh('b2b.account');
SELECT account, limit_hits_recent FROM b2b.account WHERE upgrade_ready ORDER BY account COLLATE "C";
SELECT * FROM segment.verify('b2b.account');

-- Without tickets, seats and limits, the number of users still tells who shrinks.
SELECT segment.drop_preset('b2b.account', 'b2b');
SELECT segment.add_preset('b2b.account', 'b2b', '{"ticket": null, "shrunk_share": 0.6}');
CALL segment.refresh('b2b.account');
SELECT account FROM b2b.account WHERE needs_help ORDER BY account COLLATE "C";
SELECT * FROM segment.verify('b2b.account');
SELECT segment.drop_preset('b2b.account', 'b2b');
\d b2b.account
SELECT segment.drop_table('b2b.account');
DROP SCHEMA b2b CASCADE;
