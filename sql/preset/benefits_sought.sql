-- Preset: benefits sought ----------------------------------------------------

INSERT INTO segment.preset (name, description, source) VALUES
('benefits_sought', 'what a customer is after: quality, price, convenience, or tags of your own',
 'R. Haley, Benefit segmentation, Journal of Marketing 32, 1968, read off what customers do; the figures are ours');

INSERT INTO segment.preset_option (preset, option, type, default_value, unit, description) VALUES
('benefits_sought', 'quality', 'event', '["review", "compare"]', NULL,
 'events that show that quality is sought'),
('benefits_sought', 'price', 'event', '["coupon", "price_filter"]', NULL,
 'events that show that a low price is sought'),
('benefits_sought', 'convenience', 'event', '["express", "reorder"]', NULL,
 'events that show that convenience is sought'),
('benefits_sought', 'tag', 'event column', NULL, NULL,
 'a column of the stream that has tags of your own, instead of the three options before'),
('benefits_sought', 'benefits_window', 'interval', '"1 year"', 'time',
 'for how long a sign counts'),
('benefits_sought', 'least_signs', 'integer', '3', 'events',
 'how many signs it takes to speak of a benefit'),
('benefits_sought', 'dominant_share', 'number', '0.5', 'share of the signs, 0 to 1',
 'more than this share is dominant'),
('benefits_sought', 'benefits', 'labels',
 $$[["quality", "{{.benefit_dominant}} = 'quality'"], ["price", "{{.benefit_dominant}} = 'price'"],
    ["convenience", "{{.benefit_dominant}} = 'convenience'"]]$$, NULL,
 'labels of benefits_sought and their rules, for tags of your own');

UPDATE segment.preset_option SET least = 0, most = 1 WHERE preset = 'benefits_sought' AND option = 'dominant_share';

INSERT INTO segment.preset_column (preset, name, position, kind, expression, needs, description) VALUES
('benefits_sought', 'benefit_share', 1, 'score',
 '(affinity({{tag}}::text) FILTER (WHERE at > now() - {{benefits_window}})).share',
 '{tag}', 'the share of the most frequent tag'),
('benefits_sought', 'benefit_dominant', 2, 'score',
 $$CASE WHEN count({{tag}}) FILTER (WHERE at > now() - {{benefits_window}}) >= {{least_signs}}
        AND (affinity({{tag}}::text) FILTER (WHERE at > now() - {{benefits_window}})).share > {{dominant_share}}
   THEN (affinity({{tag}}::text) FILTER (WHERE at > now() - {{benefits_window}})).top END$$,
 '{tag}', 'the tag that more signs than all others have');

INSERT INTO segment.preset_column (preset, name, position, kind, expression, description) VALUES
('benefits_sought', 'benefit_share', 3, 'score',
 $$(affinity(CASE WHEN {{quality}} THEN 'quality' WHEN {{price}} THEN 'price' WHEN {{convenience}} THEN 'convenience' END)
    FILTER (WHERE ({{quality}} OR {{price}} OR {{convenience}}) AND at > now() - {{benefits_window}})).share$$,
 'the share of the benefit with the most signs'),
('benefits_sought', 'benefit_dominant', 4, 'score',
 $$CASE WHEN count(*) FILTER (WHERE ({{quality}} OR {{price}} OR {{convenience}}) AND at > now() - {{benefits_window}}) >= {{least_signs}}
        AND (affinity(CASE WHEN {{quality}} THEN 'quality' WHEN {{price}} THEN 'price' WHEN {{convenience}} THEN 'convenience' END)
             FILTER (WHERE ({{quality}} OR {{price}} OR {{convenience}}) AND at > now() - {{benefits_window}})).share > {{dominant_share}}
   THEN (affinity(CASE WHEN {{quality}} THEN 'quality' WHEN {{price}} THEN 'price' WHEN {{convenience}} THEN 'convenience' END)
         FILTER (WHERE ({{quality}} OR {{price}} OR {{convenience}}) AND at > now() - {{benefits_window}})).top END$$,
 'the benefit that more signs show than all others'),
('benefits_sought', 'benefits_sought', 5, 'group', '{{benefits}}',
 'the dominant benefit');
