-- Preset streaming: what becomes of films and episodes that are started.

INSERT INTO segment.preset (name, description, source) VALUES
    ('streaming',
     'Films, episodes, lessons, articles: completed, watched in a row, given up, and when. The item of an event is the episode.',
     'Common definitions of the field. Three episodes in one sitting are what Deloitte''s Digital Democracy Survey asks for; '
     'parts of the day have no agreed limits.');

INSERT INTO segment.preset_option (preset, option, type, default_value, unit, description) VALUES
    ('streaming', 'start',             'event',        '"start"',      NULL,       'an item is started'),
    ('streaming', 'complete',          'event',        '"complete"',   NULL,       'an item is watched to its end'),
    ('streaming', 'series',            'event column', NULL,           NULL,       'the series that the item belongs to'),
    ('streaming', 'finale',            'event',        NULL,           NULL,       'the end of a series is reached'),
    ('streaming', 'window',            'interval',     '"90 days"',    'time',     'how far back events count'),
    ('streaming', 'completion_items',  'integer',      '3',            'items',    'with fewer there is no completion_level'),
    ('streaming', 'completion_high',   'number',       '0.8',          'share, 0 to 1',    'high from this part of the items on'),
    ('streaming', 'completion_medium', 'number',       '0.4',          'share, 0 to 1',    'medium from this part of the items on'),
    ('streaming', 'binge_items',       'integer',      '3',            'items',    'so many completed in a row are a binge'),
    ('streaming', 'binge_gap',         'interval',     '"2 hours"',    'time',     'the longest time from the end of one to the end of the next'),
    ('streaming', 'binge_times',       'integer',      '1',            'binges',   'at least so many binges'),
    ('streaming', 'quit_after',        'interval',     '"30 days"',    'time',     'without an event of a series for so long: it is given up'),
    ('streaming', 'quit_items',        'integer',      '1',            'events',   'a series counts that was watched at least so many times'),
    ('streaming', 'quit_series',       'integer',      '1',            'series',   'at least so many series given up'),
    ('streaming', 'daypart_hours',     'numbers',      '[6,12,18,22]', 'hours',    'when morning, afternoon, evening and night begin, rising'),
    ('streaming', 'daypart_share',     'number',       '0.5',          'share, 0 to 1',    'a part of the day that has more than this part of the starts');
UPDATE segment.preset_option SET least = 1, most = 30 WHERE preset = 'streaming' AND option = 'binge_items';
UPDATE segment.preset_option SET least = 1 WHERE preset = 'streaming' AND option = 'quit_items';
UPDATE segment.preset_option SET least = 0, most = 24 WHERE preset = 'streaming' AND option = 'daypart_hours';
UPDATE segment.preset_option SET least = 0, most = 1 WHERE preset = 'streaming' AND option IN ('completion_high', 'completion_medium', 'daypart_share');

INSERT INTO segment.preset_column (preset, name, position, kind, expression, needs, unless, description) VALUES
    ('streaming', 'stream_items', 1, 'score',
     $$coalesce((affinity(item) FILTER (WHERE ({{start}} OR {{complete}}) AND at > now() - {{window}})).items, 0)$$,
     '{start,complete}', '{}',
     'different items started or completed in the last window'),
    ('streaming', 'completion_rate', 2, 'score',
     $$coalesce((affinity(item) FILTER (WHERE {{complete}} AND at > now() - {{window}})).items, 0)::float8
       / (affinity(item) FILTER (WHERE ({{start}} OR {{complete}}) AND at > now() - {{window}})).items$$,
     '{start,complete}', '{}',
     'part of these items that was completed, 0 to 1; NULL without items'),
    ('streaming', 'stream_binges', 4, 'score',
     $$coalesce(sequence_count('(?1)' || repeat('(?t<=' || extract(epoch FROM {{binge_gap}}) || ')(?1)', {{binge_items}} - 1),
                               at, {{complete}}) FILTER (WHERE {{complete}} AND at > now() - {{window}}), 0)$$,
     '{complete}', '{}',
     'binges in the last window'),
    ('streaming', 'binge', 5, 'segment',
     '{{.stream_binges}} >= {{binge_times}}',
     '{complete}', '{}',
     'watches several items in one sitting'),
    ('streaming', 'stream_given_up', 6, 'score',
     $$coalesce(unconverted({{series}}::text, {{start}} OR {{complete}}, {{finale}} OR at > now() - {{quit_after}}, at, {{quit_items}})
                FILTER (WHERE ({{start}} OR {{complete}} OR {{finale}}) AND at > now() - {{window}}), '{}')$$,
     '{series,finale}', '{}',
     'series that were begun and given up, the last first'),
    ('streaming', 'stream_given_up', 7, 'score',
     $$coalesce(unconverted({{series}}::text, {{start}}, {{complete}} OR at > now() - {{quit_after}}, at, {{quit_items}})
                FILTER (WHERE ({{start}} OR {{complete}}) AND at > now() - {{window}}), '{}')$$,
     '{series,start,complete}', '{finale}',
     'series given up within an episode, the last first'),
    ('streaming', 'series_quitter', 8, 'segment',
     'cardinality({{.stream_given_up}}) >= {{quit_series}}',
     '{series}', '{}',
     'begins series and gives them up'),
    ('streaming', 'stream_dayparts', 9, 'score',
     $$affinity(coalesce((ARRAY['morning', 'afternoon', 'evening', 'night'])[width_bucket(extract(hour FROM at), ARRAY[{{daypart_hours.1}}, {{daypart_hours.2}}, {{daypart_hours.3}}, {{daypart_hours.4}}]::numeric[])], 'night'))
       FILTER (WHERE {{start}} AND at > now() - {{window}})$$,
     '{start}', '{}',
     'parts of the day of the starts in the last window');

INSERT INTO segment.preset_column (preset, name, position, kind, labels, rules, needs, description) VALUES
    ('streaming', 'completion_level', 3, 'group',
     '{high,medium,low}',
     ARRAY['{{.stream_items}} >= {{completion_items}} AND {{.completion_rate}} >= {{completion_high}}',
           '{{.stream_items}} >= {{completion_items}} AND {{.completion_rate}} >= {{completion_medium}}',
           '{{.stream_items}} >= {{completion_items}}'],
     '{start,complete}',
     'how much of what is started is completed; NULL with few items'),
    ('streaming', 'viewing_daypart', 10, 'group',
     '{morning,afternoon,evening,night,mixed}',
     ARRAY[$$({{.stream_dayparts}}).top = 'morning' AND ({{.stream_dayparts}}).share > {{daypart_share}}$$,
           $$({{.stream_dayparts}}).top = 'afternoon' AND ({{.stream_dayparts}}).share > {{daypart_share}}$$,
           $$({{.stream_dayparts}}).top = 'evening' AND ({{.stream_dayparts}}).share > {{daypart_share}}$$,
           $$({{.stream_dayparts}}).top = 'night' AND ({{.stream_dayparts}}).share > {{daypart_share}}$$,
           $$({{.stream_dayparts}}).top IS NOT NULL$$],
     '{start}',
     'the part of the day that has most starts; NULL without starts');
