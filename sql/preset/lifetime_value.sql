-- lifetime_value: what a customer has been worth so far, and the tier of it.

INSERT INTO segment.preset (name, description, source) VALUES ('lifetime_value',
     'what a customer has been worth so far, in tiers; nothing is predicted',
     'the sum of the margins of all purchases, not discounted; the tiers are this preset''s own');

INSERT INTO segment.preset_option (preset, option, type, default_value, unit, description) VALUES
    ('lifetime_value', 'margin', 'number', '1', 'part of the money, 0 to 1',
     'what is left of each sale: 1 counts the revenue'),
    ('lifetime_value', 'tier_amounts', 'numbers', NULL, 'money',
     'where medium, high and top begin: three amounts. If null, by the bands of the other options'),
    ('lifetime_value', 'top_band', 'integer', '10', 'band, 1 to 10',
     'top: this tenth of those who bought, or a higher one'),
    ('lifetime_value', 'high_band', 'integer', '8', 'band, 1 to 10',
     'high: this tenth of those who bought, or a higher one that is not top'),
    ('lifetime_value', 'medium_band', 'integer', '4', 'band, 1 to 10',
     'medium: this tenth of those who bought, or a higher one that is not high');
UPDATE segment.preset_option SET least = 1, most = 10 WHERE preset = 'lifetime_value' AND option IN ('top_band', 'high_band', 'medium_band');
UPDATE segment.preset_option SET least = 0, most = 1 WHERE preset = 'lifetime_value' AND option = 'margin';

INSERT INTO segment.preset_column (preset, name, position, kind, expression, description) VALUES
    ('lifetime_value', 'lifetime_value', 1, 'score',
     '{{margin}} * sum({{value}}) FILTER (WHERE {{purchase}})',
     'what the customer has been worth so far; NULL if nothing of known value was bought');

INSERT INTO segment.preset_column (preset, name, position, kind, score, bands, unless, description) VALUES
    ('lifetime_value', 'lifetime_value_band', 2, 'band', 'lifetime_value', 10, '{tier_amounts}',
     'tenth of what the customer has been worth so far, among those who bought: 10 is the most');

INSERT INTO segment.preset_column (preset, name, position, kind, labels, rules, needs, unless, description) VALUES
    ('lifetime_value', 'lifetime_value_tier', 3, 'group',
     '{top,high,medium,low,none}',
     ARRAY['{{.lifetime_value}} >= {{tier_amounts.3}}',
           '{{.lifetime_value}} >= {{tier_amounts.2}}',
           '{{.lifetime_value}} >= {{tier_amounts.1}}',
           '{{.lifetime_value}} IS NOT NULL',
           'true'],
     '{tier_amounts}', '{}', 'tier of what the customer has been worth so far'),
    ('lifetime_value', 'lifetime_value_tier', 4, 'group',
     '{top,high,medium,low,none}',
     ARRAY['{{.lifetime_value_band}} >= {{top_band}}',
           '{{.lifetime_value_band}} >= {{high_band}}',
           '{{.lifetime_value_band}} >= {{medium_band}}',
           '{{.lifetime_value_band}} >= 1',
           'true'],
     '{}', '{tier_amounts}', 'tier of what the customer has been worth so far');
