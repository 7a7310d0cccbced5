-- Options and columns that presets have in common.  Whoever needs another one
-- adds it at the end.

INSERT INTO segment.preset_option (preset, option, type, default_value, unit, description) VALUES
    ('', 'purchase', 'event', '"purchase"', NULL, 'a purchase'),
    ('', 'view', 'event', '"view"', NULL, 'a look at a product or a page'),
    ('', 'cart', 'event', '"cart"', NULL, 'something put into the cart'),
    ('', 'login', 'event', '"login"', NULL, 'a login'),
    ('', 'signup', 'event', '"signup"', NULL, 'the registration'),
    ('', 'email_open', 'event', '"email_open"', NULL, 'an e-mail opened'),
    ('', 'click', 'event', '"click"', NULL, 'a click on a link'),
    ('', 'value', 'event column', '"value"', 'money', 'the column of the stream with the money of a purchase');

INSERT INTO segment.preset_column (preset, name, position, kind, expression, description) VALUES
    ('', 'purchases', 1, 'score', 'count(*) FILTER (WHERE {{purchase}})', 'number of purchases'),
    ('', 'first_purchase', 2, 'score', 'min(at) FILTER (WHERE {{purchase}})', 'time of the first purchase'),
    ('', 'last_purchase', 3, 'score', 'max(at) FILTER (WHERE {{purchase}})', 'time of the latest purchase'),
    ('', 'spent', 4, 'score', 'coalesce(sum({{value}}) FILTER (WHERE {{purchase}}), 0)', 'sum of all purchases'),
    ('', 'last_login', 5, 'score', 'max(at) FILTER (WHERE {{login}})', 'time of the latest login'),
    ('', 'first_seen', 6, 'score', 'min(at)', 'time of the first event'),
    ('', 'last_seen', 7, 'score', 'max(at)', 'time of the latest event'),
    ('', 'signed_up', 8, 'score', 'min(at) FILTER (WHERE {{signup}})', 'time of the registration'),
    ('', 'last_view', 9, 'score', 'max(at) FILTER (WHERE {{view}})', 'time of the latest view'),
    ('', 'last_cart', 10, 'score', 'max(at) FILTER (WHERE {{cart}})', 'time at which something was last put into the cart'),
    ('', 'purchase_gap', 11, 'score', $$nullif((rhythm(at) FILTER (WHERE {{purchase}})).median, interval '0')$$,
     'usual time from one purchase to the next, the median; NULL before the second, or if it is none');
