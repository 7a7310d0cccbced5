-- Preset: journey ------------------------------------------------------------

INSERT INTO segment.preset (name, description, source) VALUES
('journey', 'how near to a purchase: awareness, consideration, decision',
 'the three stages of the buyer''s journey, and three visits of the pricing page in a week for the last of them, as commonly used in marketing; the other figures are ours');

INSERT INTO segment.preset_option (preset, option, type, default_value, unit, description) VALUES
('journey', 'awareness', 'event', '["view", "click", "email_open", "signup"]', NULL,
 'events that show that a customer has noticed you'),
('journey', 'considering_views', 'integer', '3', 'views',
 'how many views make the stage consideration'),
('journey', 'journey_window', 'interval', '"30 days"', 'time',
 'for how long a view, a cart or another sign counts'),
('journey', 'pricing', 'item', '["pricing", "/pricing"]', NULL,
 'the pricing page: the item of views of it'),
('journey', 'pricing_event', 'event', NULL, NULL,
 'events that are a visit of the pricing page, whatever the item'),
('journey', 'pricing_visits', 'integer', '3', 'visits',
 'how many visits of it make the stage decision'),
('journey', 'pricing_window', 'interval', NULL, 'time',
 'how far back these visits count; null: this week, from Monday on');

INSERT INTO segment.preset_column (preset, name, position, kind, expression, description) VALUES
('journey', 'journey_touched_at', 1, 'score', 'max(at) FILTER (WHERE {{awareness}})',
 'the last sign that the customer has noticed you'),
('journey', 'journey_views', 2, 'score', 'count(*) FILTER (WHERE {{view}} AND at > now() - {{journey_window}})',
 'views within the window'),
('journey', 'journey_pricing_at', 3, 'score', 'max(at) FILTER (WHERE {{view}} AND {{pricing}} OR {{pricing_event}})',
 'the last visit of the pricing page');

INSERT INTO segment.preset_column (preset, name, position, kind, expression, needs, description) VALUES
('journey', 'journey_pricing_visits', 4, 'score',
 'count(*) FILTER (WHERE ({{view}} AND {{pricing}} OR {{pricing_event}}) AND at > now() - {{pricing_window}})',
 '{pricing_window}', 'visits of the pricing page within the window');

INSERT INTO segment.preset_column (preset, name, position, kind, expression, description) VALUES
('journey', 'journey_pricing_visits', 5, 'score',
 $$count(*) FILTER (WHERE ({{view}} AND {{pricing}} OR {{pricing_event}}) AND at >= date_trunc('week', now()))$$,
 'visits of the pricing page this week');

INSERT INTO segment.preset_column (preset, name, position, kind, labels, rules, description) VALUES
('journey', 'journey_stage', 6, 'group', '{decision,consideration,awareness}', ARRAY[
 $$({{.journey_pricing_visits}} >= {{pricing_visits}}
     AND {{.journey_pricing_at}} > coalesce({{.last_purchase}}, '-infinity'))
   OR ({{.last_cart}} > coalesce({{.last_purchase}}, '-infinity') AND {{.last_cart}} > now() - {{journey_window}})$$,
 $${{.journey_views}} >= {{considering_views}} AND {{.last_view}} > coalesce({{.last_purchase}}, '-infinity')$$,
 $${{.journey_touched_at}} > coalesce({{.last_purchase}}, '-infinity')
   AND {{.journey_touched_at}} > now() - {{journey_window}}$$],
 'the furthest stage that the latest purchase has not ended');
