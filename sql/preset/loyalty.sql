-- loyalty: how far a customer has come from the first visit to recommending
-- the shop to others.

INSERT INTO segment.preset (name, description, source) VALUES ('loyalty',
     'how far a customer has come: first-time visitor, repeat visitor, customer, repeat customer, advocate',
     'the stages are those of the ladder of loyalty (M. Christopher, A. Payne, D. Ballantyne, Relationship Marketing, 2002), with visits before it; the thresholds are this preset''s own');

INSERT INTO segment.preset_option (preset, option, type, default_value, unit, description) VALUES
    ('loyalty', 'visit', 'event', '{"rule": "true"}', NULL,
     'what a visit consists of; by default every event. Leave out what customers do not do themselves, such as mails sent to them'),
    ('loyalty', 'visit_gap', 'interval', '"30 minutes"', 'time',
     'a visit ends when nothing follows for longer than this'),
    ('loyalty', 'repeat_visits', 'integer', '2', 'visits',
     'repeat visitor: at least so many'),
    ('loyalty', 'repeat_purchases', 'integer', '2', 'purchases',
     'repeat customer and advocate: at least so many ever'),
    ('loyalty', 'advocacy', 'event', '["referral", "review", "share"]', NULL,
     'what shows that a customer recommends the shop. If null, there is no stage advocate'),
    ('loyalty', 'advocate_events', 'integer', '1', 'events of advocacy',
     'advocate: at least so many ever');

INSERT INTO segment.preset_column (preset, name, position, kind, expression, needs, description) VALUES
    ('loyalty', 'loyalty_visits', 1, 'score',
     'coalesce((sessions(at, {{visit_gap}}) FILTER (WHERE {{visit}})).sessions, 0)',
     '{}', 'visits so far'),
    ('loyalty', 'loyalty_advocacy', 2, 'score',
     'count(*) FILTER (WHERE {{advocacy}})',
     '{advocacy}', 'how often the customer has recommended the shop so far');

INSERT INTO segment.preset_column (preset, name, position, kind, labels, rules, needs, unless, description) VALUES
    ('loyalty', 'loyalty_stage', 3, 'group',
     '{advocate,repeat customer,customer,repeat visitor,first-time visitor}',
     ARRAY['{{.purchases}} >= {{repeat_purchases}} AND {{.loyalty_advocacy}} >= {{advocate_events}}',
           '{{.purchases}} >= {{repeat_purchases}}',
           '{{.purchases}} >= 1',
           '{{.loyalty_visits}} >= {{repeat_visits}}',
           '{{.loyalty_visits}} >= 1'],
     '{advocacy}', '{}', 'stage of loyalty that the customer has reached'),
    ('loyalty', 'loyalty_stage', 4, 'group',
     '{repeat customer,customer,repeat visitor,first-time visitor}',
     ARRAY['{{.purchases}} >= {{repeat_purchases}}',
           '{{.purchases}} >= 1',
           '{{.loyalty_visits}} >= {{repeat_visits}}',
           '{{.loyalty_visits}} >= 1'],
     '{}', '{advocacy}', 'stage of loyalty that the customer has reached');
