-- The role that a dashboard connects as: it reads one segment table with its relations, changes
-- nothing, and gives up a query that takes long.  Run by the owner of shop, who may create roles.

CREATE ROLE segment_dashboard LOGIN CONNECTION LIMIT 10;
ALTER ROLE segment_dashboard SET default_transaction_read_only = on;
ALTER ROLE segment_dashboard SET statement_timeout = '30s';
ALTER ROLE segment_dashboard SET jit = off;

GRANT USAGE ON SCHEMA shop TO segment_dashboard;
GRANT SELECT ON shop.customers, shop.customers_history TO segment_dashboard;

-- What became of those who entered a segment is asked of the events; leave this out without that panel.
GRANT SELECT ON shop.customers_events TO segment_dashboard;
