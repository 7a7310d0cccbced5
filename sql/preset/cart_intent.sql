-- Preset: cart and intent ----------------------------------------------------

INSERT INTO segment.preset (name, description, source) VALUES
('cart_intent', 'carts left behind by stages of time, products looked at again and again, and visitors who never buy',
 'stages of 1, 24 and 48 hours, and more than 3 views of one product in a week, as commonly used in electronic commerce; the other figures are ours');

INSERT INTO segment.preset_option (preset, option, type, default_value, unit, description) VALUES
('cart_intent', 'abandoned_after', 'interval', '"1 hour"', 'time since the last cart event',
 'from when on a cart counts as abandoned'),
('cart_intent', 'given_up_after', 'interval', '"30 days"', 'time since the last cart event',
 'from when on it counts no longer'),
('cart_intent', 'stages', 'labels',
 $$[["48 h", "{{.cart_abandoner}} AND {{.last_cart}} <= now() - interval '48 hours'"],
    ["24 h", "{{.cart_abandoner}} AND {{.last_cart}} <= now() - interval '24 hours'"],
    ["1 h", "{{.cart_abandoner}} AND {{.last_cart}} <= now() - interval '1 hour'"]]$$, NULL,
 'labels of cart_stage and their rules, the longest time first'),
('cart_intent', 'cart_emptied', 'event', NULL, NULL,
 'events by which a customer empties the cart without buying'),
('cart_intent', 'many_views', 'integer', '4', 'views',
 'how many views of one product show intent'),
('cart_intent', 'view_window', 'interval', NULL, 'time',
 'how far back these views count; null: this week, from Monday on'),
('cart_intent', 'least_browsing', 'integer', '3', 'views',
 'how many views make a browser'),
('cart_intent', 'browser_window', 'interval', '"30 days"', 'time',
 'how far back views count for browser_non_buyer');
UPDATE segment.preset_option SET least = 1 WHERE preset = 'cart_intent' AND option = 'many_views';

-- Without a cart or without views there is nothing to tell of them.
INSERT INTO segment.preset_column (preset, name, position, kind, expression, needs, description) VALUES
('cart_intent', 'cart_closed_at', 1, 'score', 'max(at) FILTER (WHERE {{purchase}} OR {{cart_emptied}})', '{cart}',
 'when a cart of the customer last came to an end'),
('cart_intent', 'cart_abandoner', 2, 'segment',
 $${{.last_cart}} > coalesce({{.cart_closed_at}}, '-infinity')
   AND {{.last_cart}} <= now() - {{abandoned_after}} AND {{.last_cart}} > now() - {{given_up_after}}$$, '{cart}',
 'put something into a cart, and has not bought since'),
('cart_intent', 'cart_stage', 3, 'group', '{{stages}}', '{cart}',
 'for how long the cart has been abandoned'),
-- All times alike, so that the order of views and purchases does not matter.
('cart_intent', 'intent_items', 4, 'score',
 $$unconverted(item, {{view}}, {{purchase}}, timestamptz '2000-01-01 00:00:00+00', {{many_views}})
   FILTER (WHERE ({{view}} OR {{purchase}}) AND at > now() - {{view_window}})$$, '{view,view_window}',
 'products viewed many times within the window and not bought in it'),
('cart_intent', 'intent_items', 5, 'score',
 $$unconverted(item, {{view}}, {{purchase}}, timestamptz '2000-01-01 00:00:00+00', {{many_views}})
   FILTER (WHERE ({{view}} OR {{purchase}}) AND at >= date_trunc('week', now()))$$, '{view}',
 'products viewed many times this week and not bought in it'),
('cart_intent', 'high_intent_shopper', 6, 'segment', 'cardinality({{.intent_items}}) > 0', '{view}',
 'viewed one product again and again and has not bought it'),
('cart_intent', 'browser_views', 7, 'score',
 'count(*) FILTER (WHERE {{view}} AND at > now() - {{browser_window}})', '{view}',
 'views within the window'),
('cart_intent', 'browser_non_buyer', 8, 'segment',
 '{{.browser_views}} >= {{least_browsing}} AND {{.last_purchase}} IS NULL', '{view}',
 'looks around and has never bought anything');
