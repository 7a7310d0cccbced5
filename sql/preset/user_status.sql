-- user_status: whether a customer uses what is offered: not, not yet, for the
-- first time, regularly, not any more.

INSERT INTO segment.preset (name, description, source) VALUES ('user_status',
     'whether a customer uses what is offered: non-user, potential user, first-time user, regular user, ex-user',
     'the five states are those of P. Kotler, K. Keller, Marketing Management, 14th edition, 2012, page 228; the thresholds are this preset''s own');

INSERT INTO segment.preset_option (preset, option, type, default_value, unit, description) VALUES
    ('user_status', 'regular_purchases', 'integer', '2', 'purchases',
     'regular: at least so many ever; first-time: at least one, and fewer'),
    ('user_status', 'ex_after', 'interval', '"180 days"', 'time',
     'ex: the last purchase is so old or older'),
    ('user_status', 'interest', 'event', '{"rule": "true"}', NULL,
     'what shows interest in somebody who has bought nothing; by default every event does'),
    ('user_status', 'potential_within', 'interval', '"90 days"', 'time',
     'potential: interest was shown less than this ago');

INSERT INTO segment.preset_column (preset, name, position, kind, expression, description) VALUES
    ('user_status', 'status_last_interest', 1, 'score', 'max(at) FILTER (WHERE {{interest}})',
     'when interest was last shown');

INSERT INTO segment.preset_column (preset, name, position, kind, labels, rules, description) VALUES
    ('user_status', 'user_status', 2, 'group', '{ex,regular,first-time,potential,non}',
     ARRAY['{{.last_purchase}} <= now() - {{ex_after}}',
           '{{.purchases}} >= {{regular_purchases}}',
           '{{.purchases}} >= 1',
           '{{.status_last_interest}} > now() - {{potential_within}}',
           'true'],
     'status as a user');
