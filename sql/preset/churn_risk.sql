-- churn_risk: who is late by his own rhythm, and who buys less than before.

INSERT INTO segment.preset (name, description, source) VALUES ('churn_risk',
     'who is about to stay away: late by the customer''s own rhythm, or buying less than before',
     'the time since the last purchase divided by the customer''s median gap, and two periods compared; the thresholds are this preset''s own');

INSERT INTO segment.preset_option (preset, option, type, default_value, unit, description) VALUES
    ('churn_risk', 'rhythm_purchases', 'integer', '3', 'purchases',
     'with fewer purchases ever there is no rhythm; 2 or more'),
    ('churn_risk', 'least_gap', 'interval', '"7 days"', 'time',
     'a rhythm that is faster counts as this one, so that a burst of purchases makes nobody late after some hours'),
    ('churn_risk', 'usual_gap', 'interval', NULL, 'time',
     'the gap that counts for those who have no rhythm. If null, their risk is unknown'),
    ('churn_risk', 'overdue_ratio', 'number', '2', 'gaps',
     'churn_overdue: so many gaps have passed since the last purchase, or more'),
    ('churn_risk', 'high_ratio', 'number', '3', 'gaps',
     'high: so many gaps have passed since the last purchase, or more'),
    ('churn_risk', 'lost_ratio', 'number', '6', 'gaps',
     'lost: so many gaps have passed since the last purchase, or more'),
    ('churn_risk', 'decline_period', 'interval', '"90 days"', 'time',
     'churn_declining: the length of the last period and of the one before it'),
    ('churn_risk', 'decline_ratio', 'number', '0.5', 'part of the purchases of the period before',
     'churn_declining: at most so many purchases in the last period'),
    ('churn_risk', 'decline_purchases', 'integer', '3', 'purchases',
     'churn_declining: at least so many in the period before the last one');

INSERT INTO segment.preset_column (preset, name, position, kind, expression, needs, unless, description) VALUES
    ('churn_risk', 'churn_gap', 1, 'score',
     'CASE WHEN {{.purchases}} >= {{rhythm_purchases}} THEN greatest({{.purchase_gap}}, {{least_gap}}) WHEN {{.purchases}} >= 1 THEN {{usual_gap}} END',
     '{usual_gap}', '{}', 'the gap between purchases that the customer is measured by; NULL before the first'),
    ('churn_risk', 'churn_gap', 2, 'score',
     'CASE WHEN {{.purchases}} >= {{rhythm_purchases}} THEN greatest({{.purchase_gap}}, {{least_gap}}) END',
     '{}', '{usual_gap}', 'the customer''s own gap between purchases; NULL while there are too few to tell'),
    ('churn_risk', 'churn_recent', 3, 'score',
     'count(*) FILTER (WHERE {{purchase}} AND at > now() - {{decline_period}})',
     '{}', '{}', 'purchases in the last period'),
    ('churn_risk', 'churn_before', 4, 'score',
     'count(*) FILTER (WHERE {{purchase}} AND at > now() - 2 * {{decline_period}} AND at <= now() - {{decline_period}})',
     '{}', '{}', 'purchases in the period before the last one'),
    ('churn_risk', 'churn_overdue', 5, 'segment',
     'now() - {{.last_purchase}} >= {{overdue_ratio}} * {{.churn_gap}}',
     '{}', '{}', 'late by the customer''s own rhythm'),
    ('churn_risk', 'churn_declining', 6, 'segment',
     '{{.churn_before}} >= {{decline_purchases}} AND {{.churn_recent}} <= {{decline_ratio}} * {{.churn_before}}',
     '{}', '{}', 'buys less than in the period before');

INSERT INTO segment.preset_column (preset, name, position, kind, labels, rules, description) VALUES
    ('churn_risk', 'churn_risk', 7, 'group',
     '{lost,high,medium,low,unknown}',
     ARRAY['now() - {{.last_purchase}} >= {{lost_ratio}} * {{.churn_gap}}',
           'now() - {{.last_purchase}} >= {{high_ratio}} * {{.churn_gap}} OR {{.churn_overdue}} AND {{.churn_declining}}',
           '{{.churn_overdue}} OR {{.churn_declining}}',
           '{{.churn_gap}} IS NOT NULL',
           '{{.purchases}} >= 1'],
     'how likely it is that the customer stays away; NULL for those who never bought');
