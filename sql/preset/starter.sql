-- For a first day: everybody in one of five segments.

INSERT INTO segment.preset (name, description, source) VALUES
    ('starter', 'five broad segments for a first day: everybody with an event is in exactly one of them',
     'our own choice of bounds; set yours');

INSERT INTO segment.preset_option (preset, option, type, default_value, unit, description) VALUES
    ('starter', 'activity', 'event', '{"rule": "true"}', NULL,
     'what counts as being active; by default every event does'),
    ('starter', 'new_for', 'interval', '"30 days"', 'time since the first activity', 'how long somebody is new'),
    ('starter', 'active_for', 'interval', '"30 days"', 'time since the latest activity', 'how long somebody stays active'),
    ('starter', 'lapsed_after', 'interval', '"90 days"', 'time since the latest activity',
     'when somebody at risk has lapsed; not less than active_for'),
    ('starter', 'loyal_days', 'integer', '4', 'days', 'loyal: active on at least so many days');

INSERT INTO segment.preset_column (preset, name, position, kind, expression, description) VALUES
    ('starter', 'starter_first', 1, 'score', 'min(at) FILTER (WHERE {{activity}})', 'time of the first activity'),
    ('starter', 'starter_last', 2, 'score', 'max(at) FILTER (WHERE {{activity}})', 'time of the latest activity'),
    ('starter', 'starter_days', 3, 'score', 'coalesce((streak(at) FILTER (WHERE {{activity}})).active, 0)',
     'number of days with an activity'),
    ('starter', 'starter_new', 4, 'segment', 'now() < {{.starter_first}} + {{new_for}}', 'active for the first time lately'),
    ('starter', 'starter_loyal', 5, 'segment',
     'NOT {{.starter_new}} AND now() < {{.starter_last}} + {{active_for}} AND {{.starter_days}} >= {{loyal_days}}',
     'no longer new, still active, and on many days'),
    ('starter', 'starter_active', 6, 'segment',
     'NOT {{.starter_new}} AND now() < {{.starter_last}} + {{active_for}} AND {{.starter_days}} < {{loyal_days}}',
     'no longer new, still active, on few days so far'),
    ('starter', 'starter_at_risk', 7, 'segment',
     'NOT {{.starter_new}} AND now() >= {{.starter_last}} + {{active_for}} AND now() < {{.starter_last}} + {{lapsed_after}}',
     'no longer active, not lapsed yet'),
    ('starter', 'starter_lapsed', 8, 'segment',
     'NOT {{.starter_new}} AND now() >= {{.starter_last}} + {{active_for}} AND now() >= {{.starter_last}} + {{lapsed_after}}',
     'not active for a long time');
