/*
 * traces.c
 *		What is left of a customer outside of the segment table and its history.
 */
#include "postgres.h"

#include "access/xact.h"
#include "capture/capture.h"
#include "catalog/heap.h"
#include "catalog/pg_type.h"
#include "catalog/suppressed.h"
#include "context.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "nodes/value.h"
#include "refresh/traces.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* Of segment tables that were dropped, marks may stand in the logs still. */
#define OF_TABLE "(tbl = $1 OR tbl NOT IN (SELECT t.tbl FROM segment.config_table t))"

#define ERASED_ERROR "erased with a customer whom it named"

/* What a table of the extension may hold of a customer; all have the column tbl. */
typedef struct Place
{
	const char *relation;
	const char *key;			/* the column with keys, or NULL */
	const char *which;			/* a condition for the rows that have one */
	const char *error;			/* the column with error texts, or NULL */
	size_t		counter;		/* offset in Traces: where its deleted rows are counted */
} Place;

static const Place places[] = {
	{"pending", "key", "true", NULL, offsetof(Traces, waiting)},
	{"aside", "key", "true", "error", offsetof(Traces, waiting)},
	{"work", "key", "NOT whole", NULL, offsetof(Traces, marks)},
	{"mark_log_0", "key", "key IS NOT NULL", NULL, offsetof(Traces, marks)},
	{"mark_log_1", "key", "key IS NOT NULL", NULL, offsetof(Traces, marks)},
	{"run", NULL, NULL, "error", 0},
	{"job_state", NULL, NULL, "error", 0},
	{"merged", NULL, NULL, NULL, 0},	/* its rows are gone already */
};

/* Keys of the table wherever they stand, a text array. */
static Datum
all_keys(const SegmentTable *table)
{
	Oid			types[] = {OIDOID};
	Datum		values[] = {ObjectIdGetDatum(table->relid)};
	bool		isnull;
	StringInfoData sql;

	initStringInfo(&sql);
	for (int i = 0; i < lengthof(places); i++)
	{
		if (places[i].key != NULL)
			appendStringInfo(&sql, "%s SELECT %s AS key FROM segment.%s WHERE tbl = $1 AND (%s)",
							 sql.len == 0 ? "" : " UNION", places[i].key, places[i].relation, places[i].which);
	}
	run_sql(psprintf("SELECT coalesce(array_agg(key), '{}') FROM (%s) k", sql.data), 1, types,
			values, false);
	return first_value(&isnull);
}

/*
 * The texts that a type reads as one of some keys, of those that stand somewhere:
 * with the owner's rights, as reading them may be code of a user's.
 */
static Datum
same_keys(const SegmentTable *table, Datum keys, Datum wanted)
{
	Oid			types[] = {TEXTARRAYOID, TEXTARRAYOID};
	Datum		values[] = {keys, wanted};
	const char *type = catalog_type_name(table->key_type);
	bool		isnull;
	RunContext	ctx;

	context_enter_owner(&ctx, table->owner, table->time_zone);
	run_sql(psprintf("SELECT coalesce(array_agg(k), '{}') FROM unnest($1) k"
					 " WHERE k::%s %s ANY (SELECT w::%s FROM unnest($2) w)",
					 type, catalog_equality(table->key_type), type), 2, types, values, false);
	context_leave(&ctx);
	return first_value(&isnull);
}

/* Each character of a text for itself in a regular expression. */
static void
append_literal(StringInfo pattern, const char *text)
{
	for (; *text != '\0'; text++)
	{
		if (strchr("\\.^$*+?()[]{}|", *text) != NULL)
			appendStringInfoChar(pattern, '\\');
		appendStringInfoChar(pattern, *text);
	}
}

/* Any of the texts, as they are and as they stand in the text of an array, but not within a word. */
static char *
naming_pattern(List *texts)
{
	StringInfoData pattern;
	ListCell   *lc;

	initStringInfo(&pattern);
	foreach(lc, texts)
	{
		StringInfoData quoted;

		if (strVal(lfirst(lc))[0] == '\0')
			continue;
		initStringInfo(&quoted);
		for (const char *c = strVal(lfirst(lc)); *c != '\0'; c++)
			appendStringInfo(&quoted, "%s%c", *c == '"' || *c == '\\' ? "\\" : "", *c);
		appendStringInfoString(&pattern, pattern.len == 0 ? "(?<![[:alnum:]_])(?:" : "|");
		append_literal(&pattern, strVal(lfirst(lc)));
		appendStringInfoChar(&pattern, '|');
		append_literal(&pattern, quoted.data);
	}
	if (pattern.len == 0)
		return NULL;
	appendStringInfoString(&pattern, ")(?![[:alnum:]_])");
	return pattern.data;
}

void
traces_delete(Traces *traces, const SegmentTable *table, List *keys, List *texts)
{
	Oid			types[] = {OIDOID, TEXTARRAYOID, TEXTOID};
	Datum		values[3];
	Datum		wanted = key_array(keys);
	RunContext	ctx;

	traces->pattern = naming_pattern(texts);
	capture_forget_marked();
	context_enter_catalog(&ctx);
	/*
	 * Locks the bookmark: then, in later statements, what a collection that was
	 * under way has put into work.  What it knows of blocks holds no longer, as
	 * a VACUUM may cut off those whose marks are deleted.
	 */
	run_sql("UPDATE segment.bookmark SET places = '{}'", 0, NULL, NULL, false);
	values[0] = ObjectIdGetDatum(table->relid);
	values[1] = suppressed_one_text(table->key_type) ? wanted :
		same_keys(table, all_keys(table), wanted);
	values[2] = traces->pattern == NULL ? (Datum) 0 : CStringGetTextDatum(traces->pattern);
	for (int i = 0; i < lengthof(places); i++)
	{
		const Place *place = &places[i];

		if (place->key != NULL)
		{
			run_sql(psprintf("WITH gone AS (DELETE FROM segment.%s WHERE " OF_TABLE
							 " AND %s = ANY ($2) AND (%s) RETURNING tbl)"
							 " SELECT count(*) FROM gone WHERE tbl = $1",
							 place->relation, place->key, place->which), 2, types, values, false);
			*(int64 *) ((char *) traces + place->counter) += first_int64();
		}
		if (place->error != NULL && traces->pattern != NULL)
		{
			run_sql(psprintf("UPDATE segment.%s SET %s = '%s' WHERE tbl = $1 AND %s ~* $3",
							 place->relation, place->error, ERASED_ERROR, place->error),
					3, types, values, false);
			traces->errors += SPI_processed;
		}
	}
	context_leave(&ctx);
}

/* The columns, of one name or (NULL) all, whose statistics name the customer. */
static List *
columns_that_tell(const Traces *traces, Oid relid, const char *column)
{
	Oid			types[] = {OIDOID, TEXTOID, TEXTOID};
	Datum		values[] = {ObjectIdGetDatum(relid), CStringGetTextDatum(traces->pattern),
	CStringGetTextDatum(column != NULL ? column : "")};
	List	   *result = NIL;
	RunContext	ctx;

	context_enter_catalog(&ctx);
	run_sql("SELECT s.staattnum FROM pg_statistic s"
			" JOIN pg_attribute a ON a.attrelid = s.starelid AND a.attnum = s.staattnum"
			" WHERE s.starelid = $1 AND ($3 = '' OR a.attname = $3)"
			" AND concat_ws(' ', stavalues1::text, stavalues2::text, stavalues3::text,"
			"   stavalues4::text, stavalues5::text) ~* $2", 3, types, values, false);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;

		result = lappend_int(result, DatumGetInt16(SPI_getbinval(SPI_tuptable->vals[i],
																 SPI_tuptable->tupdesc, 1, &isnull)));
	}
	context_leave(&ctx);
	return result;
}

/*
 * Where nothing is left to analyze, ANALYZE leaves the statistics as they are.
 * The lock is one that VACUUM and ANALYZE wait for, and nobody else.
 */
static void
forget_statistics(const Traces *traces, Oid relid, const char *column)
{
	ListCell   *lc;

	if (columns_that_tell(traces, relid, column) == NIL)
		return;
	if (!ConditionalLockRelationOid(relid, ShareUpdateExclusiveLock))
	{
		ereport(NOTICE,
				(errmsg("the planner's statistics of %s still hold the key",
						catalog_qualified_name(relid)),
				 errdetail("A VACUUM or ANALYZE is under way there."),
				 errhint("Run ANALYZE %s when it has ended.", catalog_qualified_name(relid))));
		return;
	}
	run_sql(psprintf("ANALYZE %s", catalog_qualified_name(relid)), 0, NULL, NULL, false);
	CommandCounterIncrement();
	foreach(lc, columns_that_tell(traces, relid, column))
		RemoveStatistics(relid, lfirst_int(lc));
	CommandCounterIncrement();
}

void
traces_forget_statistics(const Traces *traces, const SegmentTable *table)
{
	RunContext	ctx;

	if (traces->pattern == NULL)
		return;
	context_enter_owner(&ctx, table->owner, table->time_zone);
	forget_statistics(traces, table->relid, table->key_name);
	if (get_rel_name(table->history) != NULL)
		forget_statistics(traces, table->history, table->key_name);
	if (OidIsValid(table->changes))
		forget_statistics(traces, table->changes, table->key_name);
	context_leave(&ctx);
	context_enter_catalog(&ctx);
	for (int i = 0; i < lengthof(places); i++)
		forget_statistics(traces, context_relation(places[i].relation), NULL);
	context_leave(&ctx);
}
