-- Definitions ---------------------------------------------------------------

CREATE FUNCTION segment.create_table(name text, key text, key_type regtype DEFAULT 'bigint',
                                     time_zone text DEFAULT 'UTC') RETURNS regclass
LANGUAGE C AS 'MODULE_PATHNAME', 'segment_create_table';
COMMENT ON FUNCTION segment.create_table(text, text, regtype, text) IS
'makes a segment table, its history and its event stream';

CREATE FUNCTION segment.drop_table(tbl regclass) RETURNS void
LANGUAGE C AS 'MODULE_PATHNAME', 'segment_drop_table';
COMMENT ON FUNCTION segment.drop_table(regclass) IS
'drops a segment table with its history, its event stream and its triggers';

CREATE FUNCTION segment.set_max_age(tbl regclass, max_age interval) RETURNS void
LANGUAGE C AS 'MODULE_PATHNAME', 'segment_set_max_age';
COMMENT ON FUNCTION segment.set_max_age(regclass, interval) IS
'sets how old a row may get whose expressions move with time in a way that is not analyzed';

CREATE FUNCTION segment.add_source(tbl regclass, source regclass, key text, at text,
                                   event text DEFAULT NULL, value text DEFAULT NULL,
                                   item text DEFAULT NULL, extra jsonb DEFAULT '{}') RETURNS void
LANGUAGE C AS 'MODULE_PATHNAME', 'segment_add_source';
COMMENT ON FUNCTION segment.add_source(regclass, regclass, text, text, text, text, text, jsonb) IS
'maps an event table onto the stream of a segment table';

CREATE FUNCTION segment.add_attributes(tbl regclass, source regclass, key text, columns jsonb) RETURNS void
LANGUAGE C AS 'MODULE_PATHNAME', 'segment_add_attributes';
COMMENT ON FUNCTION segment.add_attributes(regclass, regclass, text, jsonb) IS
'copies columns of a table with one row per customer into a segment table';

CREATE FUNCTION segment.add_score(tbl regclass, name text, expression text) RETURNS void
LANGUAGE C AS 'MODULE_PATHNAME', 'segment_add_score';
COMMENT ON FUNCTION segment.add_score(regclass, text, text) IS
'adds a score: an aggregate over the events, or an expression over other columns of the row';

CREATE FUNCTION segment.add_band(tbl regclass, name text, score text, bands int DEFAULT 5,
                                 descending boolean DEFAULT false) RETURNS void
LANGUAGE C AS 'MODULE_PATHNAME', 'segment_add_band';
COMMENT ON FUNCTION segment.add_band(regclass, text, text, int, boolean) IS
'adds a band: the rank of a score, 1 to n, within the whole population';

CREATE FUNCTION segment.add_segment(tbl regclass, name text, rule text) RETURNS void
LANGUAGE C AS 'MODULE_PATHNAME', 'segment_add_segment';
COMMENT ON FUNCTION segment.add_segment(regclass, text, text) IS
'adds a segment: a boolean column with a rule over the row';

CREATE FUNCTION segment.add_group(tbl regclass, name text, VARIADIC labels_and_rules text[]) RETURNS void
LANGUAGE C AS 'MODULE_PATHNAME', 'segment_add_group';
COMMENT ON FUNCTION segment.add_group(regclass, text, text[]) IS
'adds a group: a text column of the first label whose rule over the row holds';

CREATE FUNCTION segment.alter_score(tbl regclass, name text, expression text) RETURNS void
LANGUAGE C AS 'MODULE_PATHNAME', 'segment_alter_score';
COMMENT ON FUNCTION segment.alter_score(regclass, text, text) IS
'gives a score another expression of the same type; the column stays';

CREATE FUNCTION segment.alter_band(tbl regclass, name text, score text, bands int DEFAULT 5,
                                   descending boolean DEFAULT false) RETURNS void
LANGUAGE C AS 'MODULE_PATHNAME', 'segment_alter_band';
COMMENT ON FUNCTION segment.alter_band(regclass, text, text, int, boolean) IS
'makes a band the rank of another score, or in other bands; the column and the history stay';

CREATE FUNCTION segment.alter_segment(tbl regclass, name text, rule text) RETURNS void
LANGUAGE C AS 'MODULE_PATHNAME', 'segment_alter_segment';
COMMENT ON FUNCTION segment.alter_segment(regclass, text, text) IS
'gives a segment another rule; the column and the history stay';

CREATE FUNCTION segment.alter_group(tbl regclass, name text, VARIADIC labels_and_rules text[]) RETURNS void
LANGUAGE C AS 'MODULE_PATHNAME', 'segment_alter_group';
COMMENT ON FUNCTION segment.alter_group(regclass, text, text[]) IS
'gives a group other labels and rules; the column and the history stay';

CREATE FUNCTION segment.set_eligible(tbl regclass, rule text) RETURNS void
LANGUAGE C AS 'MODULE_PATHNAME', 'segment_set_eligible';
COMMENT ON FUNCTION segment.set_eligible(regclass, text) IS
'sets the rule that customers must meet to have a row; NULL lifts it';

CREATE FUNCTION segment.drop_source(tbl regclass, name text) RETURNS void
LANGUAGE C AS 'MODULE_PATHNAME', 'segment_drop_source';
COMMENT ON FUNCTION segment.drop_source(regclass, text) IS
'takes an event table out of the stream of a segment table';

CREATE FUNCTION segment.drop_attributes(tbl regclass, name text) RETURNS void
LANGUAGE C AS 'MODULE_PATHNAME', 'segment_drop_attributes';
COMMENT ON FUNCTION segment.drop_attributes(regclass, text) IS
'drops the attributes that come from a table';

CREATE FUNCTION segment.drop_score(tbl regclass, name text) RETURNS void
LANGUAGE C AS 'MODULE_PATHNAME', 'segment_drop_score';
COMMENT ON FUNCTION segment.drop_score(regclass, text) IS 'drops a score';

CREATE FUNCTION segment.drop_band(tbl regclass, name text) RETURNS void
LANGUAGE C AS 'MODULE_PATHNAME', 'segment_drop_band';
COMMENT ON FUNCTION segment.drop_band(regclass, text) IS
'drops a band with its cut points; its customers leave it now, and the history stays';

CREATE FUNCTION segment.drop_segment(tbl regclass, name text) RETURNS void
LANGUAGE C AS 'MODULE_PATHNAME', 'segment_drop_segment';
COMMENT ON FUNCTION segment.drop_segment(regclass, text) IS
'drops a segment; its members leave it now, and the history stays';

CREATE FUNCTION segment.drop_group(tbl regclass, name text) RETURNS void
LANGUAGE C AS 'MODULE_PATHNAME', 'segment_drop_group';
COMMENT ON FUNCTION segment.drop_group(regclass, text) IS
'drops a group; its customers leave it now, and the history stays';

CREATE FUNCTION segment.definition(tbl regclass) RETURNS jsonb
LANGUAGE C STABLE STRICT AS 'MODULE_PATHNAME', 'segment_definition';
COMMENT ON FUNCTION segment.definition(regclass) IS 'the definition of a segment table as JSON';

CREATE FUNCTION segment.apply_definition(definition jsonb, dry_run boolean DEFAULT false)
RETURNS TABLE (action text, kind text, name text, before text, after text)
LANGUAGE C AS 'MODULE_PATHNAME', 'segment_apply_definition';
COMMENT ON FUNCTION segment.apply_definition(jsonb, boolean) IS
'makes a segment table what a definition says, and tells what was changed; dry_run: undoes it again';

CREATE FUNCTION segment.on_drop() RETURNS event_trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'segment_on_drop';
COMMENT ON FUNCTION segment.on_drop() IS 'forgets segment tables and sources that are dropped';
CREATE EVENT TRIGGER segment_on_drop ON sql_drop EXECUTE FUNCTION segment.on_drop();
COMMENT ON EVENT TRIGGER segment_on_drop IS 'forgets segment tables and sources that are dropped';

CREATE FUNCTION segment.on_ddl() RETURNS event_trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'segment_on_ddl';
COMMENT ON FUNCTION segment.on_ddl() IS
'follows what ALTER TABLE and CREATE TABLE do to sources, marks everybody where changes may have gone unmarked, and refuses what a definition could not survive';
CREATE EVENT TRIGGER segment_on_ddl_start ON ddl_command_start WHEN TAG IN ('ALTER TABLE')
    EXECUTE FUNCTION segment.on_ddl();
COMMENT ON EVENT TRIGGER segment_on_ddl_start IS 'refuses changes of columns that a definition could not survive';
CREATE EVENT TRIGGER segment_on_ddl ON ddl_command_end WHEN TAG IN ('ALTER TABLE', 'CREATE TABLE')
    EXECUTE FUNCTION segment.on_ddl();
COMMENT ON EVENT TRIGGER segment_on_ddl IS 'follows what ALTER TABLE and CREATE TABLE do to sources';

-- What the reader may see of it: the definitions of segment tables that he may read.

CREATE VIEW segment.tables WITH (security_barrier) AS
SELECT t.tbl, t.history, t.events, t.key_name, t.key_type, t.time_zone, t.max_age,
       pg_catalog.pg_get_userbyid(c.relowner) AS owner,
       (SELECT k.expression FROM segment.config_column k
        WHERE k.tbl = t.tbl AND k.kind = 'eligible') AS eligible
FROM segment.config_table t
JOIN pg_catalog.pg_class c ON c.oid = t.tbl
WHERE pg_catalog.has_table_privilege(c.oid, 'SELECT');
COMMENT ON VIEW segment.tables IS 'segment tables';

CREATE VIEW segment.sources WITH (security_barrier) AS
SELECT s.tbl, s.name, s.relation AS source, s.kind, s.key, s.at, s.event, s.value, s.item, s.extra
FROM segment.config_source s
JOIN pg_catalog.pg_class c ON c.oid = s.tbl
WHERE pg_catalog.has_table_privilege(c.oid, 'SELECT');
COMMENT ON VIEW segment.sources IS 'event tables and attribute tables of segment tables';

CREATE VIEW segment.scores WITH (security_barrier) AS
SELECT k.tbl, k.name, k.type, k.over, k.expression, k.unanalyzed,
       CASE WHEN k.unanalyzed IS NOT NULL THEN t.max_age END AS max_age
FROM segment.config_column k
JOIN segment.config_table t ON t.tbl = k.tbl
JOIN pg_catalog.pg_class c ON c.oid = k.tbl
WHERE k.kind = 'score' AND pg_catalog.has_table_privilege(c.oid, 'SELECT');
COMMENT ON VIEW segment.scores IS 'scores of segment tables; max_age where a score is not exact at every instant';

CREATE VIEW segment.segments WITH (security_barrier) AS
SELECT k.tbl, k.name, k.expression AS rule, k.unanalyzed,
       CASE WHEN k.unanalyzed IS NOT NULL THEN t.max_age END AS max_age
FROM segment.config_column k
JOIN segment.config_table t ON t.tbl = k.tbl
JOIN pg_catalog.pg_class c ON c.oid = k.tbl
WHERE k.kind = 'segment' AND pg_catalog.has_table_privilege(c.oid, 'SELECT');
COMMENT ON VIEW segment.segments IS 'segments of segment tables; max_age where a segment is not exact at every instant';

CREATE VIEW segment.groups WITH (security_barrier) AS
SELECT k.tbl, k.name, k.position, k.labels, k.rules, k.unanalyzed,
       CASE WHEN k.unanalyzed IS NOT NULL THEN t.max_age END AS max_age
FROM segment.config_column k
JOIN segment.config_table t ON t.tbl = k.tbl
JOIN pg_catalog.pg_class c ON c.oid = k.tbl
WHERE k.kind = 'group' AND pg_catalog.has_table_privilege(c.oid, 'SELECT');
COMMENT ON VIEW segment.groups IS
'groups of segment tables, their labels and the rule of each; max_age where a group is not exact at every instant';

GRANT SELECT ON segment.tables, segment.sources, segment.scores, segment.segments, segment.groups TO PUBLIC;
