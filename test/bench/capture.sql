-- Two tables alike, of which one is a source.

CREATE SCHEMA capture;
CREATE TABLE capture.plain (
    customer_id bigint      NOT NULL,
    occurred_at timestamptz NOT NULL,
    kind        text        NOT NULL,
    amount      numeric(10,2)
);
CREATE TABLE capture.traced (LIKE capture.plain);
SELECT segment.create_table('capture.customers', key => 'customer_id') \g /dev/null
SELECT segment.add_source('capture.customers', 'capture.traced', key => 'customer_id', at => 'occurred_at',
                          event => 'kind', value => 'amount') \g /dev/null
