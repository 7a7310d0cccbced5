/*
 * health_sources.c
 *		What is odd about a source: its events, its keys, its index.
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "catalog/trust.h"
#include "executor/spi.h"
#include "guc.h"
#include "lib/stringinfo.h"
#include "look/health.h"
#include "rule/rule.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#define SAMPLE_KEYS 100			/* whose events are looked through for duplicates */
#define SAMPLE_EVENTS 20000		/* of theirs at most */
#define TAIL_BLOCKS 100			/* at the end of a table, where new rows mostly are */

/* Is there an index that begins with the expression, as both are stored, on every part of the source? */
static bool
is_indexed(const HealthCheck *check, const char *expression)
{
	Oid			types[] = {OIDOID, TEXTOID};
	Datum		values[] = {ObjectIdGetDatum(check->source->relation), CStringGetTextDatum(expression)};
	RunContext	ctx;
	bool		result;

	SPI_connect();
	look_enter(&ctx, check->table, check->as_of);
	result = context_run("WITH RECURSIVE part AS (SELECT $1 AS oid UNION SELECT i.inhrelid FROM part p"
						 "   JOIN pg_inherits i ON i.inhparent = p.oid)"
						 " SELECT FROM part p JOIN pg_class c ON c.oid = p.oid AND c.relkind = 'r'"
						 " WHERE NOT EXISTS (SELECT FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid"
						 "   JOIN pg_am a ON a.oid = x.relam WHERE i.indrelid = p.oid AND i.indisvalid"
						 "   AND i.indpred IS NULL AND a.amname IN ('btree', 'hash')"
						 "   AND btrim(pg_get_indexdef(i.indexrelid, 1, false), '()') = btrim($2, '()'))",
						 2, types, values, NULL, true) == 0;
	context_leave(&ctx);
	SPI_finish();
	return result;
}

static void
add_missing_index(const HealthCheck *check)
{
	const Source *source = check->source;

	health_add(check, psprintf("SELECT 'missing_index', %s, %s,"
							   " 'Without it each refresh reads all of the table: create an index that begins with the key.'"
							   " WHERE $1 IS NOT NULL", quote_literal_cstr(source->name),
							   quote_literal_cstr(psprintf("no index begins with %s", source->key))));
}

/*
 * Events of the last time, found by index; else in the sample, and at the end
 * of the table, where new rows mostly are.
 */
static char *
newest_sql(const HealthCheck *check, bool sampled)
{
	const Source *source = check->source;
	char	   *name = catalog_qualified_name(source->relation);
	Relation	rel;
	BlockNumber blocks = 0;

	if (is_indexed(check, source->at))
		return psprintf("(SELECT max(%s) FROM %s WHERE %s <= $1)", source->at, name, source->at);
	if (!sampled)
		return "(SELECT max(at) FROM s WHERE at <= $1)";
	rel = relation_open(source->relation, AccessShareLock);
	if (rel->rd_rel->relkind == RELKIND_RELATION)
		blocks = RelationGetNumberOfBlocks(rel);
	relation_close(rel, NoLock);
	if (blocks < TAIL_BLOCKS)
		return "(SELECT max(at) FROM s WHERE at <= $1)";
	return psprintf("greatest((SELECT max(at) FROM s WHERE at <= $1),"
					" (SELECT max(%s) FROM %s WHERE ctid >= '(%u,0)'::tid AND %s <= $1))",
					source->at, name, blocks - TAIL_BLOCKS, source->at);
}

/* The extra columns as one value: events that differ in their order are two. */
static char *
extra_sql(const Source *source)
{
	StringInfoData sql;
	ListCell   *lc;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "ROW(");
	foreach(lc, source->extra)
		appendStringInfo(&sql, "%s(%s)::text", foreach_current_index(lc) > 0 ? ", " : "",
						 ((NamedExpr *) lfirst(lc))->expression);
	appendStringInfoString(&sql, ")::text");
	return sql.data;
}

/*
 * Where the events of some customers are found by index, all of theirs are
 * looked through: what was loaded twice lies in other blocks the second time.
 */
static char *
twice_sql(const HealthCheck *check, bool sampled)
{
	const Source *source = check->source;
	const char *none = "NULL::text";

	if (!sampled || !is_indexed(check, source->key))
		return "SELECT key, at, event, value, item, extra, count(*) AS n FROM s WHERE key IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6";
	return psprintf("SELECT key, at, event, value, item, extra, count(*) AS n FROM (SELECT (%s)::text AS key, %s AS at,"
					" (%s)::text AS event, (%s)::text AS value, (%s)::text AS item, %s AS extra FROM %s"
					" WHERE (%s) %s ANY (SELECT DISTINCT k::%s FROM (SELECT s.key AS k FROM s WHERE s.key IS NOT NULL LIMIT %d) k)"
					" LIMIT %d) e GROUP BY 1, 2, 3, 4, 5, 6",
					source->key, source->at, source->event,
					source->value != NULL ? source->value : none, source->item != NULL ? source->item : none,
					extra_sql(source), catalog_qualified_name(source->relation), source->key,
					catalog_equality(check->table->key_type), catalog_type_name(check->table->key_type),
					SAMPLE_KEYS, SAMPLE_EVENTS);
}

static void
check_events(const HealthCheck *check)
{
	const Source *source = check->source;
	const char *name = quote_literal_cstr(source->name);
	const char *none = "NULL::text";
	bool		sampled;
	char	   *sample = health_sample(check, source->relation, &sampled);
	const char *of = sampled ? " looked at" : "";
	char	   *newest = newest_sql(check, sampled);
	char	   *twice = twice_sql(check, sampled);

	health_add(check, psprintf(
							   "WITH s AS MATERIALIZED (SELECT (%s)::text AS key, %s AS at, (%s)::text AS event, (%s)::text AS value,"
							   "   (%s)::text AS item, %s AS extra FROM %s), t AS MATERIALIZED (%s),"
							   " n AS (SELECT count(*) AS n, count(*) FILTER (WHERE key IS NULL OR at IS NULL) AS bad,"
							   "   count(*) FILTER (WHERE at > $1) AS future, max(at) AS last FROM s),"
							   " d AS (SELECT coalesce(sum(n), 0) AS n, coalesce(sum(n - 1) FILTER (WHERE n > 1), 0) AS more FROM t),"
							   " newest AS (SELECT %s AS at)"
							   " SELECT 'no_events', %s, 'the table is empty', 'Load its events, or drop_source() it.' FROM n WHERE n = 0 AND NOT %s"
							   " UNION ALL SELECT 'no_events_lately', %s, format('the latest is of %%s', w.at),"
							   "   'Look whether what writes the events still runs; segment.health_quiet says how long is long.'"
							   "   FROM newest w WHERE w.at < $1 - make_interval(secs => %d)"
							   " UNION ALL SELECT 'future_events', %s, format('%%s of %%s events%s, the last of %%s', future, n, last),"
							   "   'They count when their time comes. If they are no plans, mend the clock or the time zone of what writes them.'"
							   "   FROM n WHERE future > 0"
							   " UNION ALL SELECT 'no_key_or_time', %s, format('%%s of %%s events%s', bad, n),"
							   "   'They are ignored: mend what writes them, or the expressions key and at of the source.' FROM n WHERE bad > 0"
							   " UNION ALL SELECT 'duplicate_events', %s, format('%%s of %%s events%s are there before, with the same key, time, event, value%s', more, n),"
							   "   'If they were loaded twice, delete them, and let a unique index keep others out.' FROM d WHERE more > 0",
							   source->key, source->at, source->event, source->value != NULL ? source->value : none,
							   source->item != NULL ? source->item : none, extra_sql(source), sample, twice, newest,
							   name, sampled ? "true" : "false", name, segment_health_quiet,
							   name, of, name, of, name, of,
							   source->extra != NIL ? ", item and extra columns" : " and item"));
}

static void
check_attributes(const HealthCheck *check)
{
	const Source *source = check->source;
	bool		sampled;
	char	   *sample = health_sample(check, source->relation, &sampled);

	health_add(check, psprintf("SELECT 'no_key_or_time', %s, format('%%s of %%s rows%s', bad, n),"
							   " 'They are ignored: mend what writes them, or the expression key of the attributes.'"
							   " FROM (SELECT count(*) AS n, count(*) FILTER (WHERE (%s) IS NULL) AS bad FROM %s) c"
							   " WHERE bad > 0 AND $1 IS NOT NULL", quote_literal_cstr(source->name),
							   sampled ? " looked at" : "", source->key, sample));
}

void
health_check_source(void *arg)
{
	HealthCheck *check = arg;

	LockRelationOid(check->source->relation, AccessShareLock);
	trust_check_source(check->table, check->source->relation);
	rule_check_trust_again(check->table);
	if (!is_indexed(check, check->source->key))
		add_missing_index(check);
	if (check->source->kind == SOURCE_EVENTS)
		check_events(check);
	else
		check_attributes(check);
}
