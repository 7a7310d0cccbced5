CREATE TABLE plain.candidates AS
SELECT customer_id, applied > :now - interval '30 days' AS active_applicant, recent >= 3 AS frequent_applicant,
       applied <= :now - interval '180 days' AS passive_candidate, job_since <= :now - interval '3 years' AS settled, jobs >= 3 AS job_hopper,
       skills @> '{sql,c}' AS meets_requirements, interviews >= 2 AND hired IS NULL AS finalist_not_hired,
       CASE WHEN hired >= coalesce(applied, '-infinity') THEN 'hired' WHEN offered >= coalesce(applied, '-infinity') THEN 'offered'
            WHEN interviewed >= coalesce(applied, '-infinity') THEN 'interviewed' WHEN applied IS NOT NULL THEN 'applied' ELSE 'known' END AS candidate_stage
FROM presets.account
LEFT JOIN (SELECT customer_id, max(occurred_at) FILTER (WHERE kind = 'application') AS applied,
                  count(*) FILTER (WHERE kind = 'application' AND occurred_at > :now - interval '90 days') AS recent,
                  max(occurred_at) FILTER (WHERE kind = 'interview') AS interviewed, count(*) FILTER (WHERE kind = 'interview') AS interviews,
                  max(occurred_at) FILTER (WHERE kind = 'offer') AS offered, max(occurred_at) FILTER (WHERE kind = 'hire') AS hired,
                  max(occurred_at) FILTER (WHERE kind = 'job_start') AS job_since,
                  count(*) FILTER (WHERE kind = 'job_start' AND occurred_at > :now - interval '5 years') AS jobs,
                  array_agg(item) FILTER (WHERE kind = 'skill') AS skills
           FROM presets.event
           WHERE kind IN ('application', 'interview', 'offer', 'hire', 'job_start', 'skill') AND occurred_at <= :now
           GROUP BY customer_id) e USING (customer_id);
