-- Attributes: customers known from them alone, beside events and without.
SET client_min_messages = warning;
CREATE SCHEMA attributes;
SET search_path = attributes;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET segment.as_of = '2024-06-01 00:00:00+00';

-- no score over events: those with events and those with attributes have rows
CREATE TABLE event (customer int, at timestamptz, kind text);
CREATE TABLE person (id int PRIMARY KEY, plan text, renews date, since timestamptz, local timestamp);
SELECT segment.create_table('customers', 'customer', 'int');
SELECT segment.add_source('customers', 'event', key => 'customer', at => 'at', item => 'kind');
SELECT segment.add_attributes('customers', 'person', key => 'id', columns => '{"plan": "plan"}');
SELECT segment.add_segment('customers', 'pro', 'plan = ''pro''');
INSERT INTO person (id, plan) VALUES (1, 'pro'), (2, 'free');
INSERT INTO event VALUES (2, '2024-05-01 00:00+00'), (3, '2024-05-02 00:00+00'), (4, '2024-06-02 00:00+00');
CALL segment.refresh('customers');
SELECT customer, plan, pro, valid_until FROM customers ORDER BY 1;
DELETE FROM event WHERE customer IN (2, 3);
INSERT INTO person (id, plan) VALUES (5, 'pro');
CALL segment.refresh('customers');
SELECT customer, plan, pro, valid_until FROM customers ORDER BY 1;
SELECT * FROM segment.verify('customers');
SET segment.as_of = '2024-06-02 00:00:00+00';
CALL segment.refresh('customers');
SELECT customer, plan, pro, valid_until FROM customers ORDER BY 1;
SELECT * FROM segment.verify('customers');

-- over no event, a score has the value that it has over none
SELECT segment.add_score('customers', 'n', 'count(*)');
SELECT segment.add_score('customers', 'last_at', 'max(at)');
SELECT segment.add_score('customers', 'kinds', 'coalesce(string_agg(item, '','' ORDER BY item), ''none'')');
CALL segment.refresh('customers');
SELECT customer, n, last_at, kinds FROM customers ORDER BY 1;
SELECT * FROM segment.verify('customers');
SELECT segment.drop_score('customers', name) FROM unnest('{n,last_at,kinds}'::text[]) name;

-- and it changes as time passes when that value does
TRUNCATE event;
SET segment.as_of = '2024-06-01 00:00:00+00';
SELECT segment.add_score('customers', 'idle', 'coalesce(max(at), ''2024-05-20 00:00+00''::timestamptz) < now() - interval ''30 days''');
CALL segment.refresh('customers');
INSERT INTO event VALUES (1, '2024-05-25 00:00+00');
CALL segment.refresh('customers');
SELECT customer, idle, valid_until FROM customers ORDER BY 1;
SET segment.as_of = '2024-06-19 00:00:00+00';
CALL segment.refresh('customers');
SELECT customer, idle, valid_until FROM customers ORDER BY 1;
SET segment.as_of = '2024-06-19 00:00:00.000001+00';
SELECT * FROM segment.verify('customers');
CALL segment.refresh('customers');
SELECT customer, idle, valid_until FROM customers ORDER BY 1;
SET segment.as_of = '2024-06-24 00:00:00.000001+00';
CALL segment.refresh('customers');
SELECT customer, idle, valid_until FROM customers ORDER BY 1;
SELECT * FROM segment.verify('customers');
SELECT segment.drop_score('customers', 'idle');

-- dates and clocks farther away than timestamptz reaches compare, and never come
SET segment.as_of = '2024-06-01 00:00:00+00';
SELECT segment.add_attributes('customers', 'person', key => 'id', columns => '{"renews": "renews", "since": "since", "local": "local"}');
SELECT segment.add_segment('customers', 'to_come', 'renews > now()');
SELECT segment.add_segment('customers', 'over', 'renews <= now() - interval ''1 month''');
SELECT segment.add_segment('customers', 'known', 'since < now() - interval ''1 year''');
SELECT segment.add_segment('customers', 'by_clock', 'local > now()');
INSERT INTO person (id, renews, since, local) VALUES
	(10, 'infinity', '-infinity', 'infinity'), (11, '-infinity', 'infinity', '-infinity'), (12, '5874897-12-31', '294276-12-31 00:00+00', '294276-12-31 23:59:59.999999'),
	(13, '4714-11-24 BC', '4714-11-24 00:00+00 BC', '4714-11-24 00:00 BC'), (14, '2024-06-01', '2023-06-01 00:00+00', '2024-06-01 00:00'), (15, '2024-06-02', NULL, '2024-06-02 12:00');
CALL segment.refresh('customers');
SELECT customer, to_come, over, known, by_clock, valid_until FROM customers WHERE customer >= 10 ORDER BY 1;
SELECT customer, (c.to_come, c.over, c.known, c.by_clock) IS NOT DISTINCT FROM
	(p.renews > segment.now(), p.renews <= segment.now() - interval '1 month', coalesce(p.since < segment.now() - interval '1 year', false), p.local > segment.now()) AS as_plain_sql
FROM customers c JOIN person p ON id = customer WHERE customer >= 10 ORDER BY 1;
SELECT * FROM segment.verify('customers');
SET segment.as_of = '2024-06-02 00:00:00+00';
CALL segment.refresh('customers');
SELECT customer, to_come, over, known, by_clock, valid_until FROM customers WHERE customer IN (14, 15) ORDER BY 1;
SELECT * FROM segment.verify('customers');

-- tables that inherit from it may bring a second row of a customer, which does not count
CREATE TABLE member (id int PRIMARY KEY, grade text);
CREATE TABLE member_abroad () INHERITS (member);
SELECT segment.create_table('members', 'member', 'int');
SELECT segment.add_attributes('members', 'member', key => 'id', columns => '{"grade": "grade"}');
INSERT INTO member VALUES (1, 'a');
INSERT INTO member_abroad VALUES (2, 'b');
CALL segment.refresh('members');
SELECT member, grade FROM members ORDER BY 1;
INSERT INTO member_abroad VALUES (1, 'a');
CALL segment.refresh('members');
SELECT member, grade FROM members ORDER BY 1;
DELETE FROM ONLY member WHERE id = 1;
CALL segment.refresh('members');
SELECT member, grade FROM members ORDER BY 1;
SELECT * FROM segment.verify('members');

-- one segment table's scores are another's attributes
SELECT segment.create_table('clients', 'client', 'int');
SELECT segment.add_attributes('clients', 'members', key => 'member', columns => '{"grade": "grade"}');
SELECT segment.add_source('clients', 'event', key => 'customer', at => 'at');
SELECT segment.add_score('clients', 'n', 'count(*)');
CALL segment.refresh('clients');
UPDATE member SET grade = 'c' WHERE id = 2;
CALL segment.refresh('members');
CALL segment.refresh('clients');
SELECT client, grade, n FROM clients ORDER BY 1;
SELECT * FROM segment.verify('clients');

SELECT segment.drop_table('clients');
SELECT segment.drop_table('members');
SELECT segment.drop_table('customers');
DROP SCHEMA attributes CASCADE;
