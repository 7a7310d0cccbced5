-- What became of the campaigns, seen from the end of the year.

\pset footer off
\pset null '-'
SET TimeZone = 'UTC';
SET segment.as_of = '2018-01-01 00:00+00';

\echo '== Who redeemed a coupon of a campaign, of those who got its mail; pending: it was not over'
\set ECHO queries
SELECT c.campaign_id AS campaign, c.campaign_type AS type, o.entered, o.pending, o.observed, o.converted,
       round(o.rate::numeric, 3) AS rate, round(o.rate_low::numeric, 3) AS low, round(o.rate_high::numeric, 3) AS high
FROM grocery.campaigns c,
     segment.outcome('grocery.households', 'campaign_' || c.campaign_id, 'redeem ' || c.campaign_id,
                     within => (c.end_date - c.start_date + 1) * interval '1 day', since => c.start_date) o
ORDER BY c.campaign_id;
\set ECHO none

\echo '== Who bought, of the regular households, in the eight weeks after the three large mailings'
\set ECHO queries
SELECT c.campaign_id AS campaign, o.arm, o.observed, o.converted, round(o.rate::numeric, 3) AS rate,
       round(o.lift::numeric, 3) AS lift, round(o.lift_low::numeric, 3) AS low, round(o.lift_high::numeric, 3) AS high,
       round(o.value_per_member::numeric, 2) AS value, round(o.value_lift::numeric, 2) AS value_lift,
       round(o.value_lift_low::numeric, 2) AS low, round(o.value_lift_high::numeric, 2) AS high, o.churned
FROM grocery.campaigns c,
     segment.outcome('grocery.households', 'regular', 'purchase', within => '8 weeks', since => c.start_date,
                     until => c.start_date + 1, already_in => true,
                     arms => 'mail_' || c.campaign_id, control => 'not mailed') o
WHERE c.campaign_id IN (8, 13, 18)
ORDER BY c.campaign_id, o.arm DESC;
\set ECHO none

\echo '== The same with halves made by chance, for which nothing was done'
\set ECHO queries
SELECT o.arm, o.observed, o.converted, round(o.rate::numeric, 3) AS rate,
       round(o.lift::numeric, 3) AS lift, round(o.lift_low::numeric, 3) AS low, round(o.lift_high::numeric, 3) AS high,
       round(o.value_per_member::numeric, 2) AS value, round(o.value_lift::numeric, 2) AS value_lift,
       round(o.value_lift_low::numeric, 2) AS low, round(o.value_lift_high::numeric, 2) AS high, o.churned
FROM segment.outcome('grocery.households', 'regular', 'purchase', within => '8 weeks', since => '2017-10-30',
                     until => '2017-10-31', already_in => true, arms => 'half') o;
\set ECHO none
