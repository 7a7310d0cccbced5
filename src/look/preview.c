/*
 * preview.c
 *		Who would be in a segment, before it is saved.
 *
 * The rule is the caller's, and nobody has vouched for it: unlike a segment's,
 * which its owner has defined, it runs with the caller's rights.  Who might
 * define it as a segment runs it as that would run.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "define/define.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "look/look.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(segment_preview);

/* $1: the part of the rule that is not analyzed */
static char *
preview_sql(const SegmentTable *table, const char *rule)
{
	const char *key = quote_identifier(table->key_name);

	return psprintf("%s, own AS (SELECT coalesce(sum(__segment_n) FILTER (WHERE __segment_in), 0)::bigint AS members,"
					"   coalesce(sum(__segment_n), 0)::bigint AS customers FROM pattern),"
					" shared AS (SELECT m.position, m.label, sum(m.n)::bigint AS n FROM member m"
					"   JOIN pattern p ON p.__segment_id = m.id WHERE p.__segment_in GROUP BY 1, 2),"
					" beside AS (SELECT z.segment, z.label, jsonb_build_object('members', z.members,"
					"   'shared', coalesce(s.n, 0), 'jaccard', round(coalesce(s.n, 0)::numeric"
					"     / nullif(own.members + z.members - coalesce(s.n, 0), 0), 4)) AS figures"
					"   FROM own, size z LEFT JOIN shared s ON s.position = z.position"
					"     AND s.label IS NOT DISTINCT FROM z.label),"
					" one AS (SELECT segment, CASE WHEN count(label) > 0"
					"   THEN jsonb_object_agg(label, figures) FILTER (WHERE label IS NOT NULL)"
					"   ELSE (array_agg(figures))[1] END AS figures FROM beside GROUP BY 1)"
					" SELECT own.members, own.customers, own.members::float8 / nullif(own.customers, 0),"
					"   ARRAY(SELECT %s::text FROM (SELECT %s FROM %s WHERE (%s) ORDER BY 1 LIMIT 5) e),"
					"   (SELECT coalesce(jsonb_object_agg(segment, figures), '{}') FROM one), $1 FROM own",
					look_population(table, psprintf("coalesce((%s), false) AS __segment_in, ", rule)),
					key, key, catalog_qualified_name(table->relid), rule);
}

/* preview(tbl, rule) → (members, customers, share, examples, overlap, unanalyzed) */
Datum
segment_preview(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"tbl", "rule"};
	Oid			types[] = {TEXTOID};
	Datum		values[1];
	char		nulls[] = {' ', '\0'};
	SegmentTable *table;
	CheckedRule *rule;
	RunContext	ctx;

	context_refuse_nulls(fcinfo, 2, names);
	InitMaterializedSRF(fcinfo, 0);
	table = look_open(PG_GETARG_OID(0));
	if (!has_privs_of_role(GetUserId(), table->owner))
		table->author = GetUserId();
	rule = define_check_rule(table, text_to_cstring(PG_GETARG_TEXT_PP(1)), OVER_ROW, BOOLOID,
							 "the rule");
	if (rule->unanalyzed == NULL)
		nulls[0] = 'n';
	else
		values[0] = CStringGetTextDatum(rule->unanalyzed);
	SPI_connect();
	context_enter_owner(&ctx, table->author, table->time_zone);
	context_set("jit", "off");
	look_return(fcinfo, preview_sql(table, rule->expression), 1, types, values, nulls);
	context_leave(&ctx);
	SPI_finish();
	return (Datum) 0;
}
