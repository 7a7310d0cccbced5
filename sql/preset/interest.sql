-- Preset: interest -----------------------------------------------------------

INSERT INTO segment.preset (name, description, source) VALUES
('interest', 'which category a customer is most interested in, and how much of the interest it holds',
 'the share of the favorite among all, a common measure of affinity; the figures are ours');

INSERT INTO segment.preset_option (preset, option, type, default_value, unit, description) VALUES
('interest', 'category', 'event column', '"item"', NULL,
 'the column of the stream that has the category'),
('interest', 'interest', 'event', '["view", "cart", "purchase"]', NULL,
 'events that show interest; each counts the same'),
('interest', 'interest_window', 'interval', '"90 days"', 'time',
 'for how long an event counts'),
('interest', 'least_events', 'integer', '3', 'events',
 'how many of them it takes to speak of a focus'),
('interest', 'focused_share', 'number', '0.6', 'share of the events, 0 to 1',
 'which share of the top category is a focus');

UPDATE segment.preset_option SET least = 0, most = 1 WHERE preset = 'interest' AND option = 'focused_share';

INSERT INTO segment.preset_column (preset, name, position, kind, expression, description) VALUES
('interest', 'interest_events', 1, 'score',
 'count({{category}}) FILTER (WHERE {{interest}} AND at > now() - {{interest_window}})',
 'events that show interest in a category, within the window'),
('interest', 'interest_category', 2, 'score',
 '(affinity({{category}}::text) FILTER (WHERE {{interest}} AND at > now() - {{interest_window}})).top',
 'the category with the most events'),
('interest', 'interest_share', 3, 'score',
 '(affinity({{category}}::text) FILTER (WHERE {{interest}} AND at > now() - {{interest_window}})).share',
 'its share of the events');

INSERT INTO segment.preset_column (preset, name, position, kind, labels, rules, description) VALUES
('interest', 'interest_focus', 4, 'group', '{focused,mixed}', ARRAY[
 '{{.interest_events}} >= {{least_events}} AND {{.interest_share}} >= {{focused_share}}',
 '{{.interest_events}} >= {{least_events}}'],
 'whether the interest is in one category or in many');
