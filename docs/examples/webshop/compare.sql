-- What differs between the segment table and the temporary tables of plain.sql.

CREATE TEMP TABLE plain AS
    SELECT id, to_jsonb(p) - 'id' AS row FROM plain_cart_intent p UNION ALL
    SELECT id, to_jsonb(p) - 'id' FROM plain_journey p UNION ALL
    SELECT id, to_jsonb(p) - 'id' FROM plain_purchase_behavior p UNION ALL
    SELECT id, to_jsonb(p) - 'id' FROM plain_loyalty p UNION ALL
    SELECT id, to_jsonb(p) - 'id' FROM plain_user_status p UNION ALL
    SELECT id, to_jsonb(p) - 'id' FROM plain_benefits_sought p UNION ALL
    SELECT id, to_jsonb(p) - 'id' FROM plain_engagement p UNION ALL
    SELECT id, to_jsonb(p) - 'id' FROM plain_usage p UNION ALL
    SELECT id, to_jsonb(p) - 'id' FROM plain_checkout p;

CREATE TEMP TABLE ours AS SELECT user_id AS id, to_jsonb(t) AS row FROM webshop.visitors t;

\echo '== keys that differ'
SELECT id, o.id IS NULL AS missing FROM ours o FULL JOIN (SELECT DISTINCT id FROM plain) p USING (id)
WHERE o.id IS NULL OR p.id IS NULL;

\echo '== columns that differ'
SELECT name, count(*) AS rows, min(p.id) AS first, jsonb_agg(o.row -> name ORDER BY p.id) -> 0 AS ours,
       jsonb_agg(value ORDER BY p.id) -> 0 AS plain
FROM plain p CROSS JOIN jsonb_each(p.row) e(name, value) LEFT JOIN ours o USING (id)
-- who is in no place is not in a segment
WHERE o.row -> name IS DISTINCT FROM
      CASE WHEN jsonb_typeof(o.row -> name) = 'boolean' AND value = 'null' THEN 'false' ELSE value END
GROUP BY 1 ORDER BY 1;

\echo '== segments that plain SQL does not have'
SELECT segment FROM segment.sizes('webshop.visitors') EXCEPT SELECT jsonb_object_keys(row) FROM plain;

\echo '== rows that differ from a recomputation'
SELECT * FROM segment.verify('webshop.visitors');
