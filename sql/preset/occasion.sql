-- Preset: occasion -----------------------------------------------------------

INSERT INTO segment.preset (name, description, source) VALUES
('occasion', 'when a customer buys: season, time of day, weekend; and the anniversaries of purchase and signup',
 'seasons are the meteorological ones, of three months from December on; the other figures are ours');

INSERT INTO segment.preset_option (preset, option, type, default_value, unit, description) VALUES
('occasion', 'season_years', 'integer', '2', 'years',
 'in how many different years the customer must have bought in the season'),
('occasion', 'season_share', 'number', '0.5', 'share of the purchases, 0 to 1',
 'which share of all purchases the season must hold'),
('occasion', 'season_shift', 'interval', '"1 month"', 'time',
 'how long before the quarters of the calendar seasons begin'),
('occasion', 'least_purchases', 'integer', '3', 'purchases',
 'how many purchases it takes to speak of a usual time of day, or of weekends'),
('occasion', 'dayparts', 'numbers', '[6, 12, 18, 22]', 'hours, 0 to 24',
 'when morning, afternoon, evening and night begin'),
('occasion', 'weekend_days', 'numbers', '[6, 7]', 'days, 1 for Monday to 7',
 'the days of the weekend'),
('occasion', 'weekend_share', 'number', '0.5', 'share of the purchases, 0 to 1',
 'which share of them makes a weekend shopper'),
('occasion', 'anniversary_days', 'integer', '0', 'days',
 'how many days before the anniversary the segment begins, up to 180'),
('occasion', 'signup_date', 'column', NULL, NULL,
 'a column of the row with the time or date of the signup, instead of an event');
UPDATE segment.preset_option SET least = 0, most = 180 WHERE preset = 'occasion' AND option = 'anniversary_days';
UPDATE segment.preset_option SET least = 0, most = 24 WHERE preset = 'occasion' AND option = 'dayparts';
UPDATE segment.preset_option SET least = 1, most = 7 WHERE preset = 'occasion' AND option = 'weekend_days';
UPDATE segment.preset_option SET least = 0, most = 1 WHERE preset = 'occasion' AND option IN ('season_share', 'weekend_share');

-- Moved so that each season is a quarter; the month is then that of the quarter.
INSERT INTO segment.preset_column (preset, name, position, kind, expression, description) VALUES
('occasion', 'occasion_season', 1, 'score',
 $$CASE WHEN (occasion(date_trunc('quarter', at + {{season_shift}})) FILTER (WHERE {{purchase}})).years_in_month >= {{season_years}}
        AND (occasion(date_trunc('quarter', at + {{season_shift}})) FILTER (WHERE {{purchase}})).month_share >= {{season_share}}
   THEN to_char(make_date(2001, (occasion(date_trunc('quarter', at + {{season_shift}})) FILTER (WHERE {{purchase}})).month, 1)
                - {{season_shift}}, 'FMMonth') END$$,
 'the month in which the season begins that the customer comes back to'),
('occasion', 'seasonal_shopper', 2, 'segment', '{{.occasion_season}} IS NOT NULL',
 'buys mostly in one season of the year, and came back to it'),
('occasion', 'occasion_usual_time', 3, 'score',
 $$CASE WHEN count(*) FILTER (WHERE {{purchase}}) >= {{least_purchases}}
   THEN (affinity(CASE WHEN extract(hour FROM at) < {{dayparts.1}} OR extract(hour FROM at) >= {{dayparts.4}} THEN 'night'
                       WHEN extract(hour FROM at) < {{dayparts.2}} THEN 'morning'
                       WHEN extract(hour FROM at) < {{dayparts.3}} THEN 'afternoon' ELSE 'evening' END)
         FILTER (WHERE {{purchase}})).top END$$,
 'the time of day with the most purchases'),
('occasion', 'occasion_weekend_share', 5, 'score',
 $$CASE WHEN count(*) FILTER (WHERE {{purchase}}) >= {{least_purchases}}
   THEN count(*) FILTER (WHERE {{purchase}} AND extract(isodow FROM at) = ANY ({{weekend_days}}))::float8
        / nullif(count(*) FILTER (WHERE {{purchase}}), 0) END$$,
 'the share of the purchases on days of the weekend');

INSERT INTO segment.preset_column (preset, name, position, kind, labels, rules, description) VALUES
('occasion', 'occasion_daypart', 4, 'group', '{morning,afternoon,evening,night}', ARRAY[
 $${{.occasion_usual_time}} = 'morning'$$, $${{.occasion_usual_time}} = 'afternoon'$$,
 $${{.occasion_usual_time}} = 'evening'$$, $${{.occasion_usual_time}} = 'night'$$],
 'the time of day at which the customer usually buys'),
('occasion', 'occasion_day', 6, 'group', '{weekend,weekday}', ARRAY[
 '{{.occasion_weekend_share}} >= {{weekend_share}}', '{{.occasion_weekend_share}} IS NOT NULL'],
 'whether the customer usually buys at the weekend');

-- The anniversary that is nearest: those of the first half year are of next year from July on.  It
-- moves with half years alone, so that it costs little to know when the segment changes.  Days are
-- added last, so that after 28 February comes 1 March where there is no 29th.
INSERT INTO segment.preset_column (preset, name, position, kind, expression, description) VALUES
('occasion', 'purchase_anniversary_on', 7, 'score',
 $$CASE WHEN isfinite({{.first_purchase}}) THEN (date_trunc('month', {{.first_purchase}}::date::timestamp) + make_interval(
     years => nullif(greatest(0, extract(year FROM now())::int - extract(year FROM {{.first_purchase}})::int
         + (extract(month FROM now()) > 6 AND extract(month FROM {{.first_purchase}}) <= 6)::int), 0),
     days => extract(day FROM {{.first_purchase}})::int - 1))::date END$$,
 'the nearest anniversary of the first purchase'),
('occasion', 'purchase_anniversary', 8, 'segment',
 '{{.purchase_anniversary_on}} BETWEEN current_date AND current_date + {{anniversary_days}}',
 'bought for the first time on this day of an earlier year'),
('occasion', 'signup_anniversary', 11, 'segment',
 '{{.signup_anniversary_on}} BETWEEN current_date AND current_date + {{anniversary_days}}',
 'signed up on this day of an earlier year');

INSERT INTO segment.preset_column (preset, name, position, kind, expression, needs, unless, description) VALUES
('occasion', 'signup_anniversary_on', 9, 'score',
 $$CASE WHEN isfinite({{.signed_up}}) THEN (date_trunc('month', {{.signed_up}}::date::timestamp) + make_interval(
     years => nullif(greatest(0, extract(year FROM now())::int - extract(year FROM {{.signed_up}})::int
         + (extract(month FROM now()) > 6 AND extract(month FROM {{.signed_up}}) <= 6)::int), 0),
     days => extract(day FROM {{.signed_up}})::int - 1))::date END$$,
 '{signup}', '{signup_date}', 'the nearest anniversary of the signup'),
('occasion', 'signup_anniversary_on', 10, 'score',
 $$CASE WHEN isfinite({{signup_date}}) THEN (date_trunc('month', {{signup_date}}::date::timestamp) + make_interval(
     years => nullif(greatest(0, extract(year FROM now())::int - extract(year FROM {{signup_date}})::int
         + (extract(month FROM now()) > 6 AND extract(month FROM {{signup_date}}) <= 6)::int), 0),
     days => extract(day FROM {{signup_date}})::int - 1))::date END$$,
 '{signup_date}', '{}', 'the nearest anniversary of the signup');
