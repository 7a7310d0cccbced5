-- The preset candidates: applicants of an employer.  Names say the segments that are due, and the stage.
SET client_min_messages = notice;
SET timezone = 'UTC';
CREATE SCHEMA people;
CREATE TABLE people.event (who text, at timestamptz, what text, item text);
SELECT segment.create_table('people.c', 'who', 'text', 'Europe/Berlin');
SELECT segment.add_source('people.c', 'people.event', key => 'who', at => 'at', event => 'what', item => 'item');
SET segment.as_of = '2028-03-31 12:00+00';
INSERT INTO people.event VALUES
    -- 30 days before is 1 March, 14:00 in Berlin, where the clocks were changed since
    ('active/applied: applied a microsecond less than 30 days ago', '2028-03-01 14:00:00.000001+01', 'application', NULL),
    ('/applied: applied 30 days ago', '2028-03-01 14:00+01', 'application', NULL),
    ('/applied: applied a microsecond less than 180 days ago', '2027-10-03 14:00:00.000001+02', 'application', NULL),
    ('passive/applied: applied 180 days ago', '2027-10-03 14:00+02', 'application', NULL),
    ('frequent/applied: three times, the first a microsecond less than 90 days ago', '2028-01-01 14:00:00.000001+01', 'application', NULL),
    ('frequent/applied: three times, the first a microsecond less than 90 days ago', '2028-01-02 14:00+01', 'application', NULL),
    ('frequent/applied: three times, the first a microsecond less than 90 days ago', '2028-01-03 14:00+01', 'application', NULL),
    ('/applied: three times, the first 90 days ago', '2028-01-01 14:00+01', 'application', NULL),
    ('/applied: three times, the first 90 days ago', '2028-01-02 14:00+01', 'application', NULL),
    ('/applied: three times, the first 90 days ago', '2028-01-03 14:00+01', 'application', NULL),
    ('active/interviewed: one interview', '2028-03-02 12:00+00', 'application', NULL),
    ('active/interviewed: one interview', '2028-03-09 12:00+00', 'interview', NULL),
    ('active, finalist/interviewed: two interviews', '2028-03-02 12:00+00', 'application', NULL),
    ('active, finalist/interviewed: two interviews', '2028-03-09 12:00+00', 'interview', NULL),
    ('active, finalist/interviewed: two interviews', '2028-03-10 12:00+00', 'interview', NULL),
    ('active, finalist/offered: two interviews and an offer', '2028-03-02 12:00+00', 'application', NULL),
    ('active, finalist/offered: two interviews and an offer', '2028-03-09 12:00+00', 'interview', NULL),
    ('active, finalist/offered: two interviews and an offer', '2028-03-10 12:00+00', 'interview', NULL),
    ('active, finalist/offered: two interviews and an offer', '2028-03-11 12:00+00', 'offer', NULL),
    ('active/hired: two interviews, an offer, hired', '2028-03-02 12:00+00', 'application', NULL),
    ('active/hired: two interviews, an offer, hired', '2028-03-09 12:00+00', 'interview', NULL),
    ('active/hired: two interviews, an offer, hired', '2028-03-10 12:00+00', 'interview', NULL),
    ('active/hired: two interviews, an offer, hired', '2028-03-11 12:00+00', 'offer', NULL),
    ('active/hired: two interviews, an offer, hired', '2028-03-12 12:00+00', 'hire', NULL),
    ('active/applied: hired once, applies again', '2020-03-12 12:00+00', 'hire', NULL),
    ('active/applied: hired once, applies again', '2028-03-12 12:00+00', 'application', NULL),
    ('/hired: hired without an application', '2028-03-12 12:00+00', 'hire', NULL),
    ('settled/known: in the job for 3 years', '2025-03-31 14:00+02', 'job_start', 'a'),
    ('/known: in the job for 3 years less a microsecond', '2025-03-31 14:00:00.000001+02', 'job_start', 'a'),
    ('hopper/known: 3 jobs, the first a microsecond less than 5 years ago', '2023-03-31 14:00:00.000001+02', 'job_start', 'a'),
    ('hopper/known: 3 jobs, the first a microsecond less than 5 years ago', '2026-03-31 14:00+02', 'job_start', 'a'),
    ('hopper/known: 3 jobs, the first a microsecond less than 5 years ago', '2027-03-31 14:00+02', 'job_start', 'b'),
    ('/known: 3 jobs, the first 5 years ago', '2023-03-31 14:00+02', 'job_start', 'a'),
    ('/known: 3 jobs, the first 5 years ago', '2026-03-31 14:00+02', 'job_start', 'a'),
    ('/known: 3 jobs, the first 5 years ago', '2027-03-31 14:00+02', 'job_start', 'b'),
    ('meets/known: all skills, and more', '2028-03-01 12:00+00', 'skill', 'sql'),
    ('meets/known: all skills, and more', '2028-03-01 12:00+00', 'skill', 'C'),
    ('meets/known: all skills, and more', '2028-03-01 12:00+00', 'skill', 'O''Reilly'),
    ('meets/known: all skills, and more', '2028-03-01 12:00+00', 'skill', 'tea'),
    ('/known: one skill missing', '2028-03-01 12:00+00', 'skill', 'sql'),
    ('/known: one skill missing', '2028-03-01 12:00+00', 'skill', 'C'),
    ('/known: one skill missing', '2028-03-01 12:00+00', 'skill', NULL),
    ('/known: skills that are only looked at', '2024-03-01 12:00+00', 'view', 'sql'),
    ('/known: skills that are only looked at', '2024-03-01 12:00+00', 'view', 'C'),
    ('/known: skills that are only looked at', '2024-03-01 12:00+00', 'view', 'O''Reilly'),
    ('meets/known: a skill twice', '2028-03-01 12:00+00', 'skill', 'sql'),
    ('meets/known: a skill twice', '2028-03-02 12:00+00', 'skill', 'sql'),
    ('meets/known: a skill twice', '2028-03-02 12:00+00', 'skill', 'C'),
    ('meets/known: a skill twice', '2028-03-02 12:00+00', 'skill', 'O''Reilly'),
    ('active/applied: applied 200 days ago and again', '2027-09-13 12:00+00', 'application', NULL),
    ('active/applied: applied 200 days ago and again', '2028-03-12 12:00+00', 'application', NULL),
    ('active, settled/applied: in the job for 4 years, applies', '2024-03-01 12:00+00', 'job_start', 'a'),
    ('active, settled/applied: in the job for 4 years, applies', '2028-03-12 12:00+00', 'application', NULL),
    ('/interviewed: interviewed without an application', '2028-03-12 12:00+00', 'interview', NULL),
    ('/offered: made an offer without an application', '2028-03-12 12:00+00', 'offer', NULL);
-- A stage at the very time of the application counts; one before it does not, unless there is another since.
INSERT INTO people.event
SELECT w, timestamptz '2028-03-12 12:00+00' + since, what, NULL
FROM (VALUES ('interviewed', 'interview', 'active, finalist/interviewed'), ('offered', 'offer', 'active/offered'),
    ('hired', 'hire', 'active/hired')) s (stage, stage_event, due), LATERAL (VALUES
    (format('active/%s: applies at the same time', stage), interval '0', 'application'),
    (format('active/%s: applies at the same time', stage), '0', stage_event),
    (format('active/applied: %s a year ago, applies again', stage), '-1 year', stage_event),
    (format('active/applied: %s a year ago, applies again', stage), '0', 'application'),
    (format('%s: %s a year ago and since', due, stage), '-1 year', stage_event),
    (format('%s: %s a year ago and since', due, stage), '0', 'application'),
    (format('%s: %s a year ago and since', due, stage), '1 day', stage_event)) v (w, since, what);
-- More than asked for; and what happens at one time is counted one by one.
INSERT INTO people.event
SELECT w, timestamptz '2028-03-12 12:00+00' - CASE WHEN w ~ 'four' THEN n * interval '1 hour' ELSE '0' END, what, NULL
FROM (VALUES ('active, frequent/applied: four times', 'application', 4), ('hopper/known: four jobs', 'job_start', 4),
    ('active, frequent, hopper, finalist/interviewed: three of each at one time', 'application', 3),
    ('active, frequent, hopper, finalist/interviewed: three of each at one time', 'job_start', 3),
    ('active, frequent, hopper, finalist/interviewed: three of each at one time', 'interview', 3)) v (w, what, times),
    generate_series(1, times) n;
SELECT segment.add_preset('people.c', 'candidates');
SELECT segment.drop_preset('people.c', 'candidates');
SELECT segment.add_preset('people.c', 'candidates', '{"required_skills": ["sql", "C", "O''Reilly", "sql"]}');
CALL segment.refresh('people.c');
CREATE VIEW people.seen AS
SELECT who, concat_ws(', ', CASE WHEN active_applicant THEN 'active' END, CASE WHEN frequent_applicant THEN 'frequent' END,
    CASE WHEN passive_candidate THEN 'passive' END, CASE WHEN settled THEN 'settled' END, CASE WHEN job_hopper THEN 'hopper' END,
    CASE WHEN meets_requirements THEN 'meets' END, CASE WHEN finalist_not_hired THEN 'finalist' END) || '/' || candidate_stage AS segments
FROM people.c;
SELECT segments = split_part(who, ':', 1) AS "as named", * FROM people.seen ORDER BY who COLLATE "C";
SELECT * FROM segment.verify('people.c');
SELECT who, applications, applications_recent, interviews, jobs_recent FROM people.c WHERE who ~ 'at one time';
SELECT who, (SELECT array_agg(s ORDER BY s COLLATE "C") FROM unnest(skills_held) s) AS skills_held FROM people.c
WHERE who ~ 'skill' ORDER BY who COLLATE "C";
-- 180 days back from summer is the same hour of the clock in winter, 3 January.
SELECT instant, count(*) FILTER (WHERE passive_candidate) AS passive
FROM (VALUES (timestamptz '2028-07-01 13:59:59.999999+02'), ('2028-07-01 14:00+02')) v (instant),
    segment.evaluate_rows(NULL::people.c, instant) WHERE who ~ 'three times' GROUP BY 1 ORDER BY 1;
SELECT name FROM segment.segments WHERE tbl = 'people.c'::regclass AND unanalyzed IS NOT NULL;

-- A microsecond later.
SET segment.as_of = '2028-03-31 12:00:00.000001+00';
CALL segment.refresh('people.c');
SELECT * FROM people.seen WHERE segments <> split_part(who, ':', 1) ORDER BY who COLLATE "C";
SELECT * FROM segment.verify('people.c');
DROP VIEW people.seen;
SELECT segment.drop_preset('people.c', 'candidates');

-- Other bounds; an employer who makes no offers has no stages.
SELECT segment.add_preset('people.c', 'candidates', '{"offer": null, "active_window": "1 day", "frequent_applications": 2, "settled_after": "1 year",
    "hopper_jobs": 4, "finalist_interviews": 1}');
CALL segment.refresh('people.c');
SELECT count(*) FILTER (WHERE active_applicant) AS active, count(*) FILTER (WHERE frequent_applicant) AS frequent,
    count(*) FILTER (WHERE settled) AS settled, count(*) FILTER (WHERE job_hopper) AS hoppers, count(*) FILTER (WHERE finalist_not_hired) AS finalists
FROM people.c;
SELECT * FROM segment.verify('people.c');
SELECT segment.drop_preset('people.c', 'candidates');
-- What an employer has not, takes only its own columns away.
SELECT segment.add_preset('people.c', 'candidates', '{"interview": null, "job_start": null, "skill": null, "required_skills": ["sql"]}');
SELECT columns FROM segment.table_presets WHERE tbl = 'people.c'::regclass;
SELECT segment.drop_preset('people.c', 'candidates');
SELECT segment.add_preset('people.c', 'candidates', '{"hire": null, "skill": "skill"}');
SELECT columns FROM segment.table_presets WHERE tbl = 'people.c'::regclass;
SELECT segment.drop_preset('people.c', 'candidates');
\d people.c
SELECT segment.drop_table('people.c');
DROP SCHEMA people CASCADE;
