-- Recency, frequency, monetary.

INSERT INTO segment.preset (name, description, source) VALUES
    ('rfm', 'recency, frequency and money of purchases, each in five ranks, and the segments made of them',
     'the widely used grid of recency by frequency');

INSERT INTO segment.preset_option (preset, option, type, default_value, unit, description) VALUES
    ('rfm', 'recency_cuts', 'intervals', NULL, 'time since the latest purchase',
     'four, ascending: rank 5 before the first is over, 4 before the second is, ... 1 from the last on; left out: fifths of the customers'),
    ('rfm', 'frequency_cuts', 'numbers', NULL, 'purchases',
     'four, ascending: rank 2 from the first on, 3 from the second on, ... 5 from the last on; left out: fifths of the customers'),
    ('rfm', 'monetary_cuts', 'numbers', NULL, 'money',
     'four, ascending: rank 2 from the first on, 3 from the second on, ... 5 from the last on; left out: fifths of the customers'),
    ('rfm', 'grid', 'labels', '[
        ["Champions", "{{.rfm_r}} = 5 AND {{.rfm_f}} >= 4"],
        ["Loyal", "{{.rfm_r}} IN (3, 4) AND {{.rfm_f}} >= 4"],
        ["Potential Loyalist", "{{.rfm_r}} >= 4 AND {{.rfm_f}} IN (2, 3)"],
        ["New", "{{.rfm_r}} = 5 AND {{.rfm_f}} = 1"],
        ["Promising", "{{.rfm_r}} = 4 AND {{.rfm_f}} = 1"],
        ["Need Attention", "{{.rfm_r}} = 3 AND {{.rfm_f}} = 3"],
        ["About To Sleep", "{{.rfm_r}} = 3 AND {{.rfm_f}} <= 2"],
        ["At Risk", "{{.rfm_r}} <= 2 AND {{.rfm_f}} IN (3, 4)"],
        ["Can''t Lose", "{{.rfm_r}} <= 2 AND {{.rfm_f}} = 5"],
        ["Hibernating", "{{.rfm_r}} <= 2 AND {{.rfm_f}} <= 2"]]', NULL,
     'segments and the rule of each, the first that holds wins; {{.rfm_r}}, {{.rfm_f}} and {{.rfm_m}} are the ranks');

INSERT INTO segment.preset_column (preset, name, position, kind, expression, description) VALUES
    ('rfm', 'rfm_frequency', 3, 'score', 'nullif(count(*) FILTER (WHERE {{purchase}}), 0)',
     'number of purchases of who has one'),
    ('rfm', 'rfm_monetary', 6, 'score',
     'CASE WHEN count(*) FILTER (WHERE {{purchase}}) > 0 THEN coalesce(sum({{value}}) FILTER (WHERE {{purchase}}), 0) END',
     'sum of the purchases of who has one');

INSERT INTO segment.preset_column (preset, name, position, kind, score, bands, unless, description) VALUES
    ('rfm', 'rfm_r', 1, 'band', 'last_purchase', 5, '{recency_cuts}', 'recency, 1 to 5: 5 for the latest purchases'),
    ('rfm', 'rfm_f', 4, 'band', 'rfm_frequency', 5, '{frequency_cuts}', 'frequency, 1 to 5: 5 for the most purchases'),
    ('rfm', 'rfm_m', 7, 'band', 'rfm_monetary', 5, '{monetary_cuts}', 'money, 1 to 5: 5 for the highest sums');

INSERT INTO segment.preset_column (preset, name, position, kind, expression, needs, description) VALUES
    ('rfm', 'rfm_r', 2, 'score',
     'CASE WHEN now() < {{.last_purchase}} + {{recency_cuts.1}} THEN 5'
     ' WHEN now() < {{.last_purchase}} + {{recency_cuts.2}} THEN 4'
     ' WHEN now() < {{.last_purchase}} + {{recency_cuts.3}} THEN 3'
     ' WHEN now() < {{.last_purchase}} + {{recency_cuts.4}} THEN 2'
     ' WHEN {{.last_purchase}} IS NOT NULL THEN 1 END', '{recency_cuts}', 'recency, 1 to 5, by fixed bounds'),
    ('rfm', 'rfm_f', 5, 'score',
     'CASE WHEN {{.rfm_frequency}} >= {{frequency_cuts.4}} THEN 5 WHEN {{.rfm_frequency}} >= {{frequency_cuts.3}} THEN 4'
     ' WHEN {{.rfm_frequency}} >= {{frequency_cuts.2}} THEN 3 WHEN {{.rfm_frequency}} >= {{frequency_cuts.1}} THEN 2'
     ' WHEN {{.rfm_frequency}} IS NOT NULL THEN 1 END', '{frequency_cuts}', 'frequency, 1 to 5, by fixed bounds'),
    ('rfm', 'rfm_m', 8, 'score',
     'CASE WHEN {{.rfm_monetary}} >= {{monetary_cuts.4}} THEN 5 WHEN {{.rfm_monetary}} >= {{monetary_cuts.3}} THEN 4'
     ' WHEN {{.rfm_monetary}} >= {{monetary_cuts.2}} THEN 3 WHEN {{.rfm_monetary}} >= {{monetary_cuts.1}} THEN 2'
     ' WHEN {{.rfm_monetary}} IS NOT NULL THEN 1 END', '{monetary_cuts}', 'money, 1 to 5, by fixed bounds'),
    ('rfm', 'rfm_score', 9, 'score', '{{.rfm_r}}::text || {{.rfm_f}}::text || {{.rfm_m}}::text', '{}',
     'the three ranks as a text, such as 555'),
    ('rfm', 'rfm_segment', 10, 'group', '{{grid}}', '{}', 'the segment by recency and frequency');
