-- Half a year of clicks as an ordinary table.  The variable data names the directory
-- of the file.

\setenv WEBSHOP :data
CREATE SCHEMA webshop;

CREATE TABLE webshop.log (user_id text, session_id text, event text, clicked_at timestamp, platform text,
                          acquisition_channel text, user_cohort text, user_lifecycle text);

\copy webshop.log FROM PROGRAM 'gzip -dc "$WEBSHOP/ecommerce_clicks_synthetic.csv.gz"' (FORMAT csv, HEADER)

-- Of 30 clicks there are two equal lines: logged twice, for nobody clicks twice in a second.
CREATE TABLE webshop.clicks AS SELECT DISTINCT user_id, session_id, event, clicked_at, platform FROM webshop.log;
CREATE TABLE webshop.users AS SELECT DISTINCT user_id, acquisition_channel AS channel FROM webshop.log;

CREATE INDEX ON webshop.clicks (user_id);
ALTER TABLE webshop.users ADD PRIMARY KEY (user_id);
ANALYZE webshop.clicks, webshop.users;
