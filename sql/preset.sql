-- Presets -------------------------------------------------------------------
-- What the presets are is data: rows that the files of sql/preset/ add.  They
-- are the extension's, and come with it; a dump keeps which of them a segment
-- table has.

CREATE TABLE segment.preset (
    name        text PRIMARY KEY,
    description text NOT NULL,
    source      text NOT NULL                   -- where its rules come from
);
COMMENT ON TABLE segment.preset IS 'presets';

CREATE TABLE segment.preset_option (
    preset        text  NOT NULL,               -- '': common to all
    option        text  NOT NULL CHECK (option ~ '^[a-z][a-z0-9_]*$'),
    type          text  NOT NULL CHECK (type IN ('event', 'item', 'text', 'integer', 'number', 'interval', 'boolean',
                                                 'texts', 'numbers', 'intervals', 'event column', 'column', 'labels')),
    default_value jsonb,                        -- NULL: none
    unit          text,
    description   text  NOT NULL,
    least         double precision NOT NULL DEFAULT '-infinity',    -- of a number, or of each of several
    most          double precision NOT NULL DEFAULT 'infinity',
    PRIMARY KEY (preset, option)
);
COMMENT ON TABLE segment.preset_option IS 'options of presets';

CREATE TABLE segment.preset_column (
    preset      text   NOT NULL,                -- '': common to all, made where a preset needs it
    name        text   NOT NULL CHECK (name ~ '^[a-z][a-z0-9_]*$'),
    position    int    NOT NULL,
    kind        text   NOT NULL CHECK (kind IN ('score', 'band', 'segment', 'group')),
    expression  text,                           -- SQL with {{option}}, {{option.1}} and {{.column}}
    score       text,                           -- of a band
    bands       int,                            -- of a band
    descending  bool,                           -- of a band
    labels      text[],                         -- of a group
    rules       text[],                         -- of a group: SQL as above
    needs       text[] NOT NULL DEFAULT '{}',   -- options without which it is not made
    unless      text[] NOT NULL DEFAULT '{}',   -- options with which it is not made
    description text   NOT NULL,
    PRIMARY KEY (preset, name, position),
    CHECK ((kind = 'band') = (score IS NOT NULL)),
    CHECK ((kind = 'band') = (expression IS NULL) OR kind = 'group'),
    CHECK (kind <> 'group' OR (expression IS NULL) = (labels IS NOT NULL)),
    CHECK (cardinality(labels) = cardinality(rules))
);
COMMENT ON TABLE segment.preset_column IS 'columns of presets; those of one name are alternatives';

CREATE TABLE segment.config_preset (
    tbl     regclass NOT NULL,
    preset  text     NOT NULL,
    prefix  text     NOT NULL,                  -- before the name of each column
    options jsonb    NOT NULL,                  -- as they were given
    PRIMARY KEY (tbl, preset, prefix)
);
COMMENT ON TABLE segment.config_preset IS 'presets that segment tables have';

CREATE TABLE segment.config_preset_column (
    tbl      regclass NOT NULL,
    preset   text     NOT NULL,
    prefix   text     NOT NULL,
    name     name     NOT NULL,
    position int      NOT NULL,
    PRIMARY KEY (tbl, preset, prefix, name)
);
COMMENT ON TABLE segment.config_preset_column IS 'columns that came with presets';

SELECT pg_catalog.pg_extension_config_dump('segment.config_preset', '');
SELECT pg_catalog.pg_extension_config_dump('segment.config_preset_column', '');

CREATE FUNCTION segment.add_preset(tbl regclass, preset text, options jsonb DEFAULT '{}') RETURNS void
LANGUAGE C AS 'MODULE_PATHNAME', 'segment_add_preset';
COMMENT ON FUNCTION segment.add_preset(regclass, text, jsonb) IS
'adds the scores, bands, segments and groups of a preset';

CREATE FUNCTION segment.drop_preset(tbl regclass, preset text, prefix text DEFAULT '') RETURNS void
LANGUAGE C AS 'MODULE_PATHNAME', 'segment_drop_preset';
COMMENT ON FUNCTION segment.drop_preset(regclass, text, text) IS
'drops what came with a preset, but for what another preset shares';

-- The columns of each preset, the common ones that it needs among them.
CREATE VIEW segment.preset_columns WITH (security_barrier) AS
WITH RECURSIVE template AS (
    SELECT c.preset, c.name, pg_catalog.concat_ws(' ', c.expression, '{{.' || c.score || '}}', c.rules::text, (
        SELECT o.default_value::text FROM segment.preset_option o
        WHERE o.preset = c.preset AND o.type = 'labels' AND c.expression = '{{' || o.option || '}}')) AS text
    FROM segment.preset_column c
), member(preset, home, name) AS (
    SELECT c.preset, c.preset, c.name FROM segment.preset_column c WHERE c.preset <> ''
    UNION
    SELECT m.preset, c.preset, c.name
    FROM member m
    JOIN template t ON t.preset = m.home AND t.name = m.name
    CROSS JOIN LATERAL pg_catalog.regexp_matches(t.text, '\{\{\.([a-z0-9_]+)\}\}', 'g') r(found)
    JOIN segment.preset_column c ON c.preset = '' AND c.name = r.found[1]
)
SELECT m.preset, c.kind, c.name,
       CASE WHEN c.kind = 'band' THEN
           pg_catalog.concat('{{.', c.score, '}}, ', coalesce(c.bands, 5), ' bands', CASE WHEN c.descending THEN ', descending' END)
       ELSE coalesce(c.expression, (
           SELECT pg_catalog.string_agg(pg_catalog.concat(u.label, ': ', u.rule), E'\n' ORDER BY u.n)
           FROM ROWS FROM (pg_catalog.unnest(c.labels), pg_catalog.unnest(c.rules)) WITH ORDINALITY u(label, rule, n)))
       END AS definition,
       c.needs, c.unless, c.description, m.home = '' AS common, c.position
FROM member m
JOIN segment.preset_column c ON c.preset = m.home AND c.name = m.name;
COMMENT ON VIEW segment.preset_columns IS
'columns of presets; options stand in them as {{option}}, other columns as {{.column}}';

CREATE VIEW segment.presets WITH (security_barrier) AS
WITH used AS (
    SELECT DISTINCT c.preset, o.option
    FROM segment.preset_columns c
    CROSS JOIN LATERAL (
        SELECT r.found[1] FROM pg_catalog.regexp_matches(c.definition, '\{\{([a-z][a-z0-9_]*)', 'g') r(found)
        UNION ALL SELECT pg_catalog.unnest(c.needs)
        UNION ALL SELECT pg_catalog.unnest(c.unless)) o(option)
)
SELECT p.name AS preset, NULL::text AS option, NULL::text AS type, NULL::jsonb AS default_value, NULL::text AS unit,
       pg_catalog.concat(p.description, ' (', p.source, ')') AS description,
       NULL::double precision AS least, NULL::double precision AS most
FROM segment.preset p
UNION ALL
SELECT u.preset, o.option, o.type, o.default_value, o.unit, o.description,
       nullif(o.least, '-infinity'), nullif(o.most, 'infinity')
FROM used u
JOIN segment.preset_option o ON o.option = u.option AND o.preset = CASE WHEN EXISTS (
    SELECT FROM segment.preset_option own WHERE own.preset = u.preset AND own.option = u.option) THEN u.preset ELSE '' END
UNION ALL
SELECT p.name, o.*, NULL, NULL
FROM segment.preset p
CROSS JOIN (VALUES
    ('prefix', 'text', '""'::jsonb, NULL, 'is put before the name of each column, so that a preset can be added twice'),
    ('only', 'texts', NULL, NULL, 'the columns to make, and what they read; left out: all'),
    ('check_events', 'boolean', 'true', NULL, 'error if the stream has no event of a name that the preset speaks of')
) o(option, type, default_value, unit, description);
COMMENT ON VIEW segment.presets IS
'options of presets; the row without an option says what the preset is';

CREATE VIEW segment.table_presets WITH (security_barrier) AS
SELECT p.tbl, p.preset, p.prefix, p.options,
       ARRAY(SELECT k.name::text FROM segment.config_preset_column k
             WHERE k.tbl = p.tbl AND k.preset = p.preset AND k.prefix = p.prefix ORDER BY k.position) AS columns
FROM segment.config_preset p
JOIN pg_catalog.pg_class c ON c.oid = p.tbl
WHERE pg_catalog.has_table_privilege(c.oid, 'SELECT');
COMMENT ON VIEW segment.table_presets IS 'presets that segment tables have, and the columns that came with them';

GRANT SELECT ON segment.preset_columns, segment.presets, segment.table_presets TO PUBLIC;
