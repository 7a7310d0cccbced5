-- What differs between the segment tables and the temporary tables of plain.sql.

CREATE TEMP TABLE plain AS
    SELECT 'retail.customers' AS tbl, id::text, to_jsonb(p) - 'id' AS row FROM plain_rfm p UNION ALL
    SELECT 'retail.customers', id::text, to_jsonb(p) - 'id' FROM plain_starter p UNION ALL
    SELECT 'retail.customers', id::text, to_jsonb(p) - 'id' FROM plain_purchase_behavior p UNION ALL
    SELECT 'retail.customers', id::text, to_jsonb(p) - 'id' FROM plain_taste p UNION ALL
    SELECT 'retail.customers', id::text, to_jsonb(p) - 'id' FROM plain_loyalty p UNION ALL
    SELECT 'retail.customers', id::text, to_jsonb(p) - 'id' FROM plain_user_status p UNION ALL
    SELECT 'retail.customers', id::text, to_jsonb(p) - 'id' FROM plain_lifetime_value p UNION ALL
    SELECT 'retail.customers', id::text, to_jsonb(p) - 'id' FROM plain_churn_risk p UNION ALL
    SELECT 'retail.customers', id::text, to_jsonb(p) - 'id' FROM plain_interest p UNION ALL
    SELECT 'retail.customers', id::text, to_jsonb(p) - 'id' FROM plain_benefits_sought p UNION ALL
    SELECT 'retail.customers', id::text, to_jsonb(p) - 'id' FROM plain_occasion p UNION ALL
    SELECT 'retail.customers', id::text, to_jsonb(p) - 'id' FROM plain_usage p UNION ALL
    SELECT 'retail.countries', id, to_jsonb(p) - 'id' FROM plain_b2b p;

CREATE TEMP TABLE ours AS
    SELECT 'retail.customers' AS tbl, customer_id::text AS id, to_jsonb(t) AS row FROM retail.customers t UNION ALL
    SELECT 'retail.countries', country, to_jsonb(t) FROM retail.countries t;

\echo '== keys that differ'
SELECT tbl, id, o.id IS NULL AS missing FROM ours o FULL JOIN (SELECT DISTINCT tbl, id FROM plain) p USING (tbl, id)
WHERE o.id IS NULL OR p.id IS NULL;

\echo '== columns that differ'
SELECT p.tbl, name, count(*) AS rows, min(p.id) AS first, jsonb_agg(o.row -> name ORDER BY p.id) -> 0 AS ours,
       jsonb_agg(value ORDER BY p.id) -> 0 AS plain
FROM plain p CROSS JOIN jsonb_each(p.row) e(name, value) LEFT JOIN ours o USING (tbl, id)
-- who is in no place is not in a segment
WHERE o.row -> name IS DISTINCT FROM
      CASE WHEN jsonb_typeof(o.row -> name) = 'boolean' AND value = 'null' THEN 'false' ELSE value END
GROUP BY 1, 2 ORDER BY 1, 2;

\echo '== segments that plain SQL does not have'
SELECT segment FROM segment.sizes('retail.customers') UNION SELECT segment FROM segment.sizes('retail.countries')
EXCEPT SELECT jsonb_object_keys(row) FROM plain;

\echo '== rows that differ from a recomputation'
SELECT * FROM segment.verify('retail.customers');
SELECT * FROM segment.verify('retail.countries');
