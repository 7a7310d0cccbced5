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
    ('/known: skills that are only looked at', '2028-03-01 12:00+00', 'look', 'sql');
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
\d people.c
SELECT segment.drop_table('people.c');
DROP SCHEMA people CASCADE;
