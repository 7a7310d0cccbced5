-- The shop's year as ordinary tables.  The variable data names the directory of
-- the file.

\setenv RETAIL :data
CREATE SCHEMA retail;

CREATE TABLE retail.lines (invoice_no text, stock_code text, description text, quantity int, invoiced_at timestamp,
                           unit_price numeric, customer_id int, country text);

\copy retail.lines FROM PROGRAM 'gzip -dc "$RETAIL/online_retail.csv.gz"' (FORMAT csv, HEADER)

-- One row an invoice: what somebody bought at once, or gave back.  43 invoices were
-- written over two minutes; the first counts.  Stock codes begin with five digits;
-- others are no products: postage (POST, DOT), manual entries (M), discounts (D).
CREATE TABLE retail.invoices AS
    SELECT invoice_no, customer_id, min(country) AS country, min(invoiced_at) AS invoiced_at,
           sum(quantity * unit_price) AS total,
           bool_or(stock_code ~ '^[0-9]{5}') AS has_products,
           bool_and(stock_code = 'D') AS is_discount
    FROM retail.lines
    GROUP BY invoice_no, customer_id;

ALTER TABLE retail.invoices ADD PRIMARY KEY (invoice_no);
CREATE INDEX ON retail.invoices (customer_id);
CREATE INDEX ON retail.invoices (country);
CREATE INDEX ON retail.lines (customer_id);
ANALYZE retail.lines, retail.invoices;
