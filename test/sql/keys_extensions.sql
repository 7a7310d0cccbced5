-- Keys and columns of types that extensions bring, whose operators are not
-- among PostgreSQL's own.
SET client_min_messages = warning;
SELECT count(*) < 3 AS missing FROM pg_available_extensions WHERE name IN ('citext', 'hstore', 'ltree') \gset
\if :missing
	\quit
\endif
CREATE EXTENSION citext SCHEMA public;
CREATE EXTENSION hstore SCHEMA public;
CREATE EXTENSION ltree SCHEMA public;
CREATE SCHEMA kinds;
SET search_path = kinds, public;
SET timezone = 'UTC';
SET segment.as_of = '2024-06-01 00:00:00+00';

-- text without regard to case
CREATE TABLE mail (address citext, at timestamptz, labels hstore);
CREATE TABLE subscriber (address citext PRIMARY KEY, plan citext, labels hstore);
SELECT segment.create_table('people', 'address', 'citext');
SELECT segment.add_source('people', 'mail', key => 'address', at => 'at', extra => '{"labels": "labels"}');
SELECT segment.add_attributes('people', 'subscriber', key => 'address', columns => '{"plan": "plan", "labels": "labels"}');
SELECT segment.add_score('people', 'n', 'count(*)');
SELECT segment.add_score('people', 'red', 'count(*) FILTER (WHERE labels OPERATOR(public.?) ''red'')');
SELECT segment.add_segment('people', 'pro', 'plan OPERATOR(public.=) ''pro''::public.citext');
INSERT INTO mail VALUES ('Ann', '2024-05-01', 'red=>1'), ('bob', '2024-05-01', NULL);
INSERT INTO subscriber VALUES ('ANN', 'Pro', 'a=>1'), ('Cid', 'PRO', NULL);
CALL segment.refresh('people');
SELECT lower(address::text) AS address, plan, labels, n, red, pro FROM people ORDER BY 1;
INSERT INTO mail VALUES ('ann', '2024-05-02', 'red=>2'), ('BOB', '2024-05-02', 'blue=>2'), ('cid', '2024-05-02', NULL);
RESET client_min_messages;
SELECT * FROM segment.verify('people');
SET client_min_messages = warning;
CALL segment.refresh('people');
SELECT lower(address::text) AS address, plan, labels, n, red, pro FROM people ORDER BY 1;
UPDATE subscriber SET plan = 'free', labels = 'a=>2' WHERE address = 'ann';
DELETE FROM mail WHERE address = 'bob';
CALL segment.refresh('people');
SELECT lower(address::text) AS address, plan, labels, n, red, pro FROM people ORDER BY 1;
SELECT segment.current('people', 'aNN') ->> 'n' AS n;
SELECT * FROM segment.verify('people');
SELECT lower(address::text) AS address, segment, left_at IS NULL AS open FROM people_history ORDER BY 1;
-- merged under whatever spelling
INSERT INTO mail VALUES ('Dora', '2024-05-01', NULL), ('EVE', '2024-05-01', NULL);
SELECT segment.merge('people', 'dORA', 'eve'), segment.merge('people', 'DORA', 'EVE'), segment.merge('people', 'Eve', 'Cid');
CALL segment.refresh('people');
SELECT lower(address::text) AS address, n FROM people ORDER BY 1;
INSERT INTO mail VALUES ('dora', '2024-05-02', NULL);
CALL segment.refresh('people');
SELECT segment.current('people', 'DORA') -> 'n' AS n, n FROM people WHERE address OPERATOR(public.=) 'CID';
SELECT * FROM segment.verify('people');
SELECT segment.unmerge('people', 'eVE'), segment.unmerge('people', 'DoRa');
DELETE FROM mail WHERE address IN ('dora', 'eve');
CALL segment.refresh('people');
-- erased under whatever spelling, and so are the marks
INSERT INTO mail VALUES ('ANN', '2024-05-03', NULL), ('anN', '2024-05-03', NULL);
SELECT rows, history, marks >= 2 AS marks FROM segment.erase('people', 'Ann');
CALL segment.refresh('people');
SELECT lower(address::text) AS address, segment.is_suppressed('people', upper(address::text)) FROM people ORDER BY 1;
SELECT segment.is_suppressed('people', 'aNN');

-- a tree of labels
CREATE TABLE visit (page ltree, at timestamptz);
SELECT segment.create_table('pages', 'page', 'ltree');
SELECT segment.add_source('pages', 'visit', key => 'page', at => 'at');
SELECT segment.add_score('pages', 'n', 'count(*)');
SELECT segment.add_segment('pages', 'shop', 'n > 0');
INSERT INTO visit VALUES ('shop.tea', '2024-05-01'), ('shop.tea', '2024-05-02'), ('shop', '2024-05-02');
CALL segment.refresh('pages');
DELETE FROM visit WHERE page = 'shop';
INSERT INTO visit VALUES ('shop.tea', '2024-05-03');
CALL segment.refresh('pages');
SELECT page, n FROM pages ORDER BY 1;
CALL segment.rebuild('pages');
SELECT * FROM segment.verify('pages');

-- operators that are not qualified are PostgreSQL's own, of text: said so
SELECT segment.add_segment('people', 'plain', 'plan = ''pro''');
SELECT segment.drop_segment('people', 'plain');

SELECT segment.drop_table('people');
SELECT segment.drop_table('pages');
DROP SCHEMA kinds CASCADE;
DROP EXTENSION citext, hstore, ltree;
