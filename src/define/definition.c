/*
 * definition.c
 *		A segment table's definition as JSON.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "context.h"
#include "define/define.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(segment_definition);

/* Not by id: a definition that is applied elsewhere comes out the same, whatever was made when. */
#define SOURCE_ORDER "(s.relation::text COLLATE \"C\"), (s.key COLLATE \"C\"), ((to_jsonb(s) - 'id' - 'tbl')::text COLLATE \"C\")"

static const char *const definition_sql =
/* nulls in the options of presets are the user's */
"SELECT jsonb_strip_nulls(jsonb_build_object("
" 'table', format('%I.%I', n.nspname, c.relname),"
" 'key', t.key_name, 'key_type', t.key_type::text, 'time_zone', t.time_zone,"
" 'max_age', t.max_age::text,"
" 'sources', (SELECT jsonb_agg(jsonb_build_object('source', s.relation::text, 'key', s.key,"
"     'at', s.at, 'event', s.event, 'value', s.value, 'item', s.item, 'extra', s.extra) ORDER BY " SOURCE_ORDER ")"
"   FROM segment.config_source s WHERE s.tbl = t.tbl AND s.kind = 'events'),"
" 'attributes', (SELECT jsonb_agg(jsonb_build_object('source', s.relation::text, 'key', s.key,"
"     'columns', s.extra) ORDER BY " SOURCE_ORDER ")"
"   FROM segment.config_source s WHERE s.tbl = t.tbl AND s.kind = 'attributes'),"
" 'scores', (SELECT jsonb_agg(jsonb_build_object('name', k.name, 'expression', k.expression) ORDER BY k.position)"
"   FROM segment.config_column k WHERE k.tbl = t.tbl AND k.kind = 'score'),"
" 'segments', (SELECT jsonb_agg(jsonb_build_object('name', k.name, 'rule', k.expression) ORDER BY k.position)"
"   FROM segment.config_column k WHERE k.tbl = t.tbl AND k.kind = 'segment'),"
" 'groups', (SELECT jsonb_agg(jsonb_build_object('name', k.name, 'labels', ("
"     SELECT jsonb_agg(jsonb_build_object('label', u.label, 'rule', u.rule) ORDER BY u.n)"
"     FROM unnest(k.labels, k.rules) WITH ORDINALITY u(label, rule, n))) ORDER BY k.position)"
"   FROM segment.config_column k WHERE k.tbl = t.tbl AND k.kind = 'group'),"
" 'bands', (SELECT jsonb_agg(jsonb_build_object('name', k.name, 'score', k.depends[1], 'bands', k.bands,"
"     'descending', k.descending) ORDER BY k.position)"
"   FROM segment.config_column k WHERE k.tbl = t.tbl AND k.kind = 'band'),"
" 'order', (SELECT jsonb_agg(k.name ORDER BY k.position)"
"   FROM segment.config_column k WHERE k.tbl = t.tbl AND k.kind <> 'eligible'),"
" 'eligible', (SELECT k.expression FROM segment.config_column k WHERE k.tbl = t.tbl AND k.kind = 'eligible'),"
" 'schedule', (SELECT j.schedule FROM segment.config_job j WHERE j.tbl = t.tbl)))"
" || coalesce((SELECT jsonb_build_object('presets', jsonb_agg(jsonb_build_object('preset', p.preset, 'prefix', p.prefix,"
"     'options', p.options, 'columns', (SELECT coalesce(jsonb_agg(c.name ORDER BY c.position), '[]')"
"       FROM segment.config_preset_column c"
"       WHERE c.tbl = p.tbl AND c.preset = p.preset AND c.prefix = p.prefix))"
"     ORDER BY p.preset COLLATE \"C\", p.prefix COLLATE \"C\"))"
"   FROM segment.config_preset p WHERE p.tbl = t.tbl HAVING count(*) > 0), '{}')"
" FROM segment.config_table t JOIN pg_class c ON c.oid = t.tbl JOIN pg_namespace n ON n.oid = c.relnamespace"
" WHERE t.tbl = $1";

/* definition(tbl) → jsonb */
Datum
segment_definition(PG_FUNCTION_ARGS)
{
	SegmentTable *table = catalog_load(PG_GETARG_OID(0));
	Oid			types[] = {OIDOID};
	Datum		values[] = {ObjectIdGetDatum(table->relid)};
	Datum		result = (Datum) 0;
	bool		isnull = true;
	RunContext	ctx;

	catalog_check_owner(table->relid);
	context_enter_catalog(&ctx);
	SPI_connect();
	if (SPI_execute_with_args(definition_sql, 1, types, values, NULL, true, 1) == SPI_OK_SELECT &&
		SPI_processed == 1)
		result = SPI_datumTransfer(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
												 1, &isnull), false, -1);
	SPI_finish();
	context_leave(&ctx);
	if (isnull)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(result);
}
