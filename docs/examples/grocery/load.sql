-- The grocer's year as ordinary tables.  The variable data names the directory of
-- the files.

\setenv GROCERY :data
CREATE SCHEMA grocery;

CREATE TABLE grocery.campaigns (campaign_id int PRIMARY KEY, campaign_type text, start_date date, end_date date);
CREATE TABLE grocery.mailings (campaign_id int, household_id int);
CREATE TABLE grocery.redemptions (household_id int, coupon_upc numeric, campaign_id int, redemption_date date);
CREATE TABLE grocery.transactions (household_id int, store_id int, basket_id numeric, product_id numeric, quantity int,
                                   sales_value numeric, retail_disc numeric, coupon_disc numeric,
                                   coupon_match_disc numeric, week int, transaction_timestamp timestamp);

\copy grocery.campaigns FROM PROGRAM 'gzip -dc "$GROCERY/grocery_campaign_descriptions.csv.gz"' (FORMAT csv, HEADER)
\copy grocery.mailings FROM PROGRAM 'gzip -dc "$GROCERY/grocery_campaigns.csv.gz"' (FORMAT csv, HEADER)
\copy grocery.redemptions FROM PROGRAM 'gzip -dc "$GROCERY/grocery_coupon_redemptions.csv.gz"' (FORMAT csv, HEADER)
\copy grocery.transactions FROM PROGRAM 'gzip -dc "$GROCERY/grocery_transactions_sample.csv.gz"' (FORMAT csv, HEADER)

-- A mailing goes out on the day its campaign starts.
ALTER TABLE grocery.mailings ADD sent_on date;
UPDATE grocery.mailings m SET sent_on = c.start_date FROM grocery.campaigns c WHERE c.campaign_id = m.campaign_id;

CREATE INDEX ON grocery.mailings (household_id);
CREATE INDEX ON grocery.redemptions (household_id);
CREATE INDEX ON grocery.transactions (household_id);
ANALYZE grocery.campaigns, grocery.mailings, grocery.redemptions, grocery.transactions;
