-- A segment table of households, and its history of the year.

\set QUIET on
\o /dev/null

SELECT segment.create_table('grocery.households', key => 'household_id', key_type => 'int', time_zone => 'UTC');

SELECT segment.add_source('grocery.households', 'grocery.transactions', key => 'household_id',
                          at => 'transaction_timestamp', event => $$'purchase'$$, value => 'sales_value');
SELECT segment.add_source('grocery.households', 'grocery.mailings', key => 'household_id', at => 'sent_on',
                          event => $$'mail'$$, item => 'campaign_id::text');
-- of a redemption the log has the day alone: noon stands for it
SELECT segment.add_source('grocery.households', 'grocery.redemptions', key => 'household_id',
                          at => $$redemption_date + time '12:00'$$, event => $$'redeem ' || campaign_id$$);

SELECT segment.add_score('grocery.households', 'last_purchase', $$max(at) FILTER (WHERE event = 'purchase')$$);
SELECT segment.add_segment('grocery.households', 'regular', $$last_purchase > now() - interval '8 weeks'$$);

-- For each campaign a segment of those who were mailed,
SELECT segment.add_score('grocery.households', 'mails_' || campaign_id,
                         format($$count(*) FILTER (WHERE event = 'mail' AND item = '%s')$$, campaign_id)),
       segment.add_segment('grocery.households', 'campaign_' || campaign_id, format('mails_%s > 0', campaign_id))
FROM grocery.campaigns
ORDER BY campaign_id;
-- for the three large ones the households in two groups,
SELECT segment.add_group('grocery.households', 'mail_' || campaign_id,
                         'mailed', 'campaign_' || campaign_id, 'not mailed', 'true')
FROM grocery.campaigns
WHERE campaign_id IN (8, 13, 18)
ORDER BY campaign_id;
-- and by chance in halves, between which there is no difference to be found.
SELECT segment.add_group('grocery.households', 'half',
                         'control', $$arm(household_id, 'half', '{"control": 1, "other": 1}') = 'control'$$,
                         'other', 'true');

-- The year as it went by: the history has who was where on each day a campaign started.
SELECT format($$SET segment.as_of = '%s 00:00+00'$$, day), $$CALL segment.refresh('grocery.households')$$
FROM (SELECT start_date FROM grocery.campaigns UNION SELECT date '2018-01-01') d(day)
ORDER BY day
\gexec
\o
