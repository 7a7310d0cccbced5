-- Preset: b2b ---------------------------------------------------------------
-- A segment table keyed by account, over the events of its users.

INSERT INTO segment.preset (name, description, source) VALUES
    ('b2b', 'accounts of several users: seats in use, ready for an upgrade, in need of help',
     'common practice of those who sell by seats; our own choice of bounds, set yours');

INSERT INTO segment.preset_option (preset, option, type, default_value, unit, description) VALUES
    ('b2b', 'user', 'event column', '"user_id"', NULL, 'column of the stream that says which user of the account it was'),
    ('b2b', 'seats', 'column', NULL, 'users', 'column of the row, such as an attribute: how many users the account has paid for'),
    ('b2b', 'seats_window', 'interval', '"30 days"', 'time', 'a user who did anything within this time is active'),
    ('b2b', 'upgrade_share', 'number', '0.8', 'share of the seats', 'so many of the seats in use or more: ready for an upgrade'),
    ('b2b', 'spare_share', 'number', '0.5', 'share of the seats', 'fewer than that in use: seats lie idle'),
    ('b2b', 'limit_reached', 'event', NULL, NULL, 'a limit of the plan was met'),
    ('b2b', 'limit_hits', 'integer', '3', 'events', 'so many limits met within seats_window or more: ready for an upgrade'),
    ('b2b', 'ticket', 'event', '"support_ticket"', NULL, 'a user asked for help, or met an error'),
    ('b2b', 'tickets', 'integer', '3', 'events', 'so many tickets or more: needs help'),
    ('b2b', 'ticket_window', 'interval', '"14 days"', 'time', 'tickets within this time count'),
    ('b2b', 'shrunk_share', 'number', '0.5', 'share', 'fewer active users than this share of those in the seats_window before: needs help');

INSERT INTO segment.preset_column (preset, name, position, kind, expression, labels, rules, needs, description) VALUES
    ('b2b', 'seats_active', 1, 'score', 'coalesce((affinity({{user}}::text) FILTER (WHERE at > now() - {{seats_window}})).items, 0)', NULL, NULL, '{}',
     'users who did anything within seats_window'),
    ('b2b', 'seats_active_before', 2, 'score',
     'coalesce((affinity({{user}}::text) FILTER (WHERE at <= now() - {{seats_window}} AND at > now() - {{seats_window}} - {{seats_window}})).items, 0)',
     NULL, NULL, '{}', 'the same of the seats_window before'),
    ('b2b', 'account_users', 3, 'score', 'coalesce((affinity({{user}}::text)).items, 0)', NULL, NULL, '{}', 'users who ever did anything'),
    ('b2b', 'limit_hits_recent', 4, 'score', 'count(*) FILTER (WHERE {{limit_reached}} AND at > now() - {{seats_window}})', NULL, NULL,
     '{limit_reached}', 'limits met within seats_window'),
    ('b2b', 'tickets_recent', 5, 'score', 'count(*) FILTER (WHERE {{ticket}} AND at > now() - {{ticket_window}})', NULL, NULL,
     '{ticket}', 'tickets within ticket_window'),
    ('b2b', 'upgrade_ready', 6, 'segment',
     '({{.seats_active}} > 0 AND {{.seats_active}} >= {{upgrade_share}} * {{seats}}) OR {{.limit_hits_recent}} >= {{limit_hits}}', NULL, NULL,
     '{seats,limit_reached}', 'most seats are in use, or limits are met again and again'),
    ('b2b', 'upgrade_ready', 7, 'segment', '{{.seats_active}} > 0 AND {{.seats_active}} >= {{upgrade_share}} * {{seats}}', NULL, NULL,
     '{seats}', 'most seats are in use'),
    ('b2b', 'upgrade_ready', 8, 'segment', '{{.limit_hits_recent}} >= {{limit_hits}}', NULL, NULL,
     '{limit_reached}', 'limits are met again and again'),
    ('b2b', 'seats_idle', 9, 'segment', '{{.seats_active}} < {{spare_share}} * {{seats}}', NULL, NULL,
     '{seats}', 'the account pays for seats that nobody uses'),
    ('b2b', 'needs_help', 10, 'segment',
     '{{.tickets_recent}} >= {{tickets}} OR {{.seats_active}} < {{shrunk_share}} * {{.seats_active_before}}', NULL, NULL,
     '{ticket}', 'many tickets, or far fewer active users than before'),
    ('b2b', 'needs_help', 11, 'segment', '{{.seats_active}} < {{shrunk_share}} * {{.seats_active_before}}', NULL, NULL,
     '{}', 'far fewer active users than before'),
    ('b2b', 'account_trend', 12, 'group', NULL, '{quiet,new,growing,shrinking,steady}',
     ARRAY['{{.seats_active}} = 0',
           '{{.first_seen}} > now() - {{seats_window}}',
           '{{.seats_active}} > {{.seats_active_before}}',
           '{{.seats_active}} < {{.seats_active_before}}',
           'true'], '{}',
     'active users beside those of the seats_window before');
