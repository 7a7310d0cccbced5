/*
 * health_presets.c
 *		What is odd about the presets of a segment table: events that none of its
 *		sources has.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "look/health.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"

/* The names of events in the sources, or in a sample of them; NULL without a source. */
static char *
seen_sql(const HealthCheck *check, bool *sampled)
{
	StringInfoData sql;
	ListCell   *lc;

	initStringInfo(&sql);
	*sampled = false;
	foreach(lc, check->table->sources)
	{
		const Source *source = lfirst(lc);
		char	   *sample;
		bool		some;

		if (source->kind != SOURCE_EVENTS)
			continue;
		sample = health_sample(check, source->relation, &some);
		*sampled |= some;
		appendStringInfo(&sql, "%sSELECT DISTINCT (%s)::text FROM %s", sql.len > 0 ? " UNION " : "",
						 source->event, sample);
	}
	return sql.len > 0 ? sql.data : NULL;
}

/* What presets are made of is not read where there are none. */
static bool
has_presets(const HealthCheck *check)
{
	Oid			types[] = {OIDOID};
	Datum		values[] = {ObjectIdGetDatum(check->table->relid)};
	RunContext	ctx;
	bool		result;

	SPI_connect();
	context_enter_catalog(&ctx);
	result = context_run("SELECT FROM segment.config_preset WHERE tbl = $1 LIMIT 1", 1, types, values,
						 NULL, true) > 0;
	context_leave(&ctx);
	SPI_finish();
	return result;
}

/* Else its owner's code could run with the rights of the segment table's owner: what he attaches to it runs as well. */
static void
lock_and_trust_sources(const SegmentTable *table)
{
	ListCell   *lc;

	foreach(lc, table->sources)
		LockRelationOid(((const Source *) lfirst(lc))->relation, AccessShareLock);
	look_check_sources(table);
}

/*
 * The options that give events and stand in columns which were made, as given or
 * by default.  Of a column's alternatives the first that the options allow was made.
 */
static const char *const wanted_sql =
"given AS (SELECT t.preset, t.prefix, o.option, o.type,"
"   nullif(coalesce(t.options -> o.option, o.default_value), 'null') AS value"
"   FROM segment.table_presets t JOIN segment.presets o ON o.preset = t.preset AND o.option IS NOT NULL"
"   WHERE t.tbl = %u),"
" made AS (SELECT DISTINCT ON (t.preset, t.prefix, c.name) t.preset, t.prefix, c.definition"
"   FROM segment.table_presets t JOIN segment.preset_columns c ON c.preset = t.preset"
"     AND concat(t.prefix, c.name) = ANY (t.columns)"
"   WHERE t.tbl = %u AND NOT EXISTS (SELECT FROM given g WHERE g.preset = t.preset AND g.prefix = t.prefix"
"     AND (g.option = ANY (c.needs) AND g.value IS NULL OR g.option = ANY (c.unless) AND g.value IS NOT NULL))"
"   ORDER BY t.preset, t.prefix, c.name, c.position),"
" wanted AS (SELECT DISTINCT g.preset, g.prefix, g.option, g.value AS event FROM given g JOIN made m"
"     ON m.preset = g.preset AND m.prefix = g.prefix AND strpos(m.definition, concat('{{', g.option, '}}')) > 0"
"   WHERE g.type = 'event')";

/* An event is a name, names, or a rule, of which nothing is said. */
void
health_check_presets(void *arg)
{
	const HealthCheck *check = arg;
	bool		sampled = false;
	char	   *seen;

	if (!has_presets(check))
		return;
	lock_and_trust_sources(check->table);
	seen = seen_sql(check, &sampled);
	if (seen == NULL)
		return;
	health_add(check, psprintf("WITH seen(event) AS MATERIALIZED (%s), %s,"
							   " named AS (SELECT w.preset, w.prefix, w.option, e.name FROM wanted w,"
							   "   LATERAL jsonb_array_elements_text(CASE jsonb_typeof(w.event) WHEN 'array' THEN w.event"
							   "     WHEN 'string' THEN jsonb_build_array(w.event) ELSE '[]' END) e(name))"
							   " SELECT 'event_never_seen', concat_ws(' ', n.preset, nullif(n.prefix, '')),"
							   "   format('option %%s: no event %%L%s', n.option, n.name),"
							   "   'Look how the sources call it; drop_preset(), and add_preset() with the right name.'"
							   " FROM named n WHERE $1 IS NOT NULL AND EXISTS (SELECT FROM seen)"
							   "   AND n.name NOT IN (SELECT s.event FROM seen s WHERE s.event IS NOT NULL) ORDER BY 2, 3",
							   seen, psprintf(wanted_sql, check->table->relid, check->table->relid), sampled ? " in a sample" : ""));
}
