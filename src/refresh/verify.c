/*
 * verify.c
 *		Recomputes a segment table from the events and returns what differs.
 *
 * Everything is read in one snapshot, so that an event is seen with its mark.
 * The mark logs are locked before that snapshot is taken: a log truncated in
 * between would have lost marks that the snapshot should still show.
 */
#include "postgres.h"

#include "capture/capture.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "catalog/trust.h"
#include "context.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "refresh/internal.h"
#include "rule/rule.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(segment_verify);

typedef struct Verification
{
	const SegmentTable *table;
	TimestampTz as_of;
	bool		nothing_judged;	/* the whole table is dirty, or was never computed */
	bool		before_last;	/* as_of lies before the latest refresh */
	TimestampTz next_due;		/* no refresh looks for a row that is due before */
	Datum		dirty;			/* text[] of keys not judged: those that wait to be computed */
	Datum		aside;			/* and those set aside, apart from these; or 0 */
	Datum		unjudged;		/* both */
	ReturnSetInfo *result;
} Verification;

static const char *const dirty_sql =
"WITH marks AS (SELECT m.key FROM segment.uncollected m WHERE m.tbl = $1"
" UNION ALL SELECT CASE WHEN NOT w.whole THEN w.key END FROM segment.work w WHERE w.tbl = $1"
" UNION ALL SELECT p.key FROM segment.pending p WHERE p.tbl = $1 AND p.due <= $2)"
" SELECT coalesce(array_agg(DISTINCT key) FILTER (WHERE key IS NOT NULL), '{}'),"
"   count(*) FILTER (WHERE key IS NULL) > 0"
"     OR NOT EXISTS (SELECT FROM segment.table_state WHERE tbl = $1)"
"     OR EXISTS (SELECT FROM segment.new_column WHERE tbl = $1),"
"   EXISTS (SELECT FROM segment.table_state WHERE tbl = $1 AND as_of > $2),"
"   coalesce((SELECT next_due FROM segment.table_state WHERE tbl = $1), '-infinity')"
" FROM marks";

/* Will the next refresh find that changes may have gone unmarked? */
static bool
sources_changed(const SegmentTable *table)
{
	ListCell   *lc;

	foreach(lc, table->sources)
	{
		if (capture_changed(lfirst(lc), GetActiveSnapshot()))
			return true;
	}
	return false;
}

/* Which customers are not judged: those that the next refresh will look at. */
static void
read_dirty(Verification *v)
{
	Oid			types[] = {OIDOID, TIMESTAMPTZOID};
	Datum		values[] = {ObjectIdGetDatum(v->table->relid), TimestampTzGetDatum(v->as_of)};
	HeapTuple	row;
	bool		isnull;
	RunContext	ctx;

	context_enter_catalog(&ctx);
	run_sql(dirty_sql, 2, types, values, true);
	row = SPI_tuptable->vals[0];
	v->dirty = keys_and_customers(v->table, SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &isnull),
								  GetActiveSnapshot());
	v->nothing_judged = DatumGetBool(SPI_getbinval(row, SPI_tuptable->tupdesc, 2, &isnull));
	v->before_last = DatumGetBool(SPI_getbinval(row, SPI_tuptable->tupdesc, 3, &isnull));
	v->next_due = DatumGetTimestampTz(SPI_getbinval(row, SPI_tuptable->tupdesc, 4, &isnull));
	values[1] = v->dirty;
	types[1] = TEXTARRAYOID;
	run_sql("SELECT array_agg(key), $2 || array_agg(key) FROM segment.aside"
			" WHERE tbl = $1 AND NOT key = ANY ($2)", 2, types, values, true);
	v->aside = first_value(&isnull);
	v->unjudged = isnull ? v->dirty : SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull);
	context_leave(&ctx);
	v->nothing_judged |= sources_changed(v->table);
}

/* Is the key of a row (o, n, …) among those not judged, $2? */
static char *
is_dirty(const SegmentTable *table, const char *key)
{
	return psprintf("%s %s ANY (SELECT __segment_u::%s FROM unnest($2) __segment_u)", key,
					catalog_equality(table->key_type), catalog_type_name(table->key_type));
}

/* Columns to judge in one pass: the exact ones, or those that are not. */
static List *
columns_to_judge(const SegmentTable *table, bool exact)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, table->columns)
	{
		Column	   *column = lfirst(lc);

		if (column->kind != COLUMN_ELIGIBLE && (column->unanalyzed == NULL) == exact)
			result = lappend(result, column);
	}
	return result;
}

/*
 * The comparison of registered rows with the table.  $1 as-of, $2 keys not
 * judged, $3 the refreshed_at of the rows to judge, or null for all; with it,
 * rows on one side only are left to the pass over exact columns.  $4: a row
 * whose valid_until lies before it was changed by hand, and stays as it is.
 */
static char *
comparison_sql(Verification *v, List *columns, bool exact)
{
	const SegmentTable *table = v->table;
	const char *key = quote_identifier(table->key_name);
	StringInfoData values;
	StringInfoData any;
	ListCell   *lc;

	initStringInfo(&values);
	initStringInfo(&any);
	if (exact)
	{
		appendStringInfoString(&values, ", ('valid_until', to_jsonb(o.valid_until),"
							   " to_jsonb(n.valid_until), CASE WHEN o.valid_until < $4 THEN true END)");
		appendStringInfoString(&any, " OR o.valid_until < $4");
	}
	foreach(lc, columns)
	{
		Column	   *column = lfirst(lc);
		const char *name = quote_identifier(column->name);
		char	   *differ = verify_differs(table, column);

		appendStringInfo(&values, ", (%s, to_jsonb(o.%s), to_jsonb(n.%s), %s)",
						 quote_literal_cstr(column->name), name, name, differ);
		appendStringInfo(&any, " OR %s", differ);
	}
	return psprintf("SELECT coalesce(n.%s, o.%s::text),"
					" CASE WHEN o.%s IS NULL THEN 'missing' WHEN n.%s IS NULL THEN 'unexpected'"
					"   ELSE 'different' END,"
					" d.stored, d.expected"
					" FROM (SELECT * FROM %s WHERE %s) n FULL JOIN %s o ON o.%s %s n.%s,"
					" LATERAL (SELECT jsonb_object_agg(name, stored) FILTER (WHERE o.%s IS NOT NULL) AS stored,"
					"   jsonb_object_agg(name, expected) FILTER (WHERE n.%s IS NOT NULL) AS expected"
					"   FROM (VALUES (NULL, NULL::jsonb, NULL::jsonb, NULL::bool)%s)"
					"     c(name, stored, expected, differs)"
					"   WHERE name IS NOT NULL AND (differs OR differs IS NOT NULL AND (o.%s IS NULL OR n.%s IS NULL))) d"
					" WHERE (%s%s) AND NOT %s"
					" AND (%s (o.valid_until > $1 OR o.valid_until < $4) AND o.refreshed_at <= $1)"
					" AND ($3 IS NULL OR o.refreshed_at = $3)"
					" ORDER BY 1",
					KEY_TEXT_COLUMN, key, key, key, ROWS_NAME, PRESENT_COLUMN,
					catalog_qualified_name(table->relid), key, catalog_equality(table->key_type), key,
					key, key, values.data, key, key,
					exact ? psprintf("n.%s IS NULL OR o.%s IS NULL", key, key) : "false",
					any.data, is_dirty(table, psprintf("coalesce(o.%s, n.%s)", key, key)),
	/* since when a customer has had no row is not known */
					v->before_last ? "" : psprintf("o.%s IS NULL OR", key));
}

/* Adds what the last statement returned to the function's result. */
static void
return_rows(Verification *v)
{
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		Datum		values[4];
		bool		nulls[4];

		CHECK_FOR_INTERRUPTS();
		for (int column = 0; column < 4; column++)
			values[column] = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc,
										   column + 1, &nulls[column]);
		tuplestore_putvalues(v->result->setResult, v->result->setDesc, values, nulls);
	}
}

/*
 * One pass: computes the rows (keys: 0 for everybody) as of an instant and
 * compares them with the table.
 */
static void
judge(Verification *v, List *columns, bool exact, Datum keys, TimestampTz as_of)
{
	Oid			types[] = {TIMESTAMPTZOID, TEXTARRAYOID, TIMESTAMPTZOID, TIMESTAMPTZOID};
	Datum		values[] = {TimestampTzGetDatum(v->as_of), v->unjudged, TimestampTzGetDatum(as_of),
	TimestampTzGetDatum(v->next_due)};
	Selection	selection = {.keys = keys,.snapshot_of_caller = true};
	char		nulls[] = {' ', ' ', exact ? 'n' : ' ', ' ', '\0'};
	ArrayType  *unjudged = DatumGetArrayTypeP(v->unjudged);
	Evaluation *evaluation;
	RunContext	ctx;

	context_enter_owner(&ctx, v->table->owner, v->table->time_zone);
	context_set_as_of(as_of);
	selection.whom = keys != (Datum) 0 ? RULE_KEYS : RULE_EVERYBODY;
	/* who is not judged need not be computed, which may fail */
	if (keys == (Datum) 0 && (v->table->salt != NULL ||
							  ArrayGetNItems(ARR_NDIM(unjudged), ARR_DIMS(unjudged)) > 0))
	{
		selection.whom = RULE_OTHERS;
		selection.keys = v->unjudged;
	}
	evaluation = evaluate_named(v->table, &selection, as_of);
	evaluation_register(evaluation);
	if (SPI_execute_with_args(comparison_sql(v, columns, exact), 4, types, values, nulls,
							  true, 0) != SPI_OK_SELECT)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not compare rows")));
	evaluation_end(evaluation);
	context_leave(&ctx);
	return_rows(v);
}

/* Columns that are not exact are judged as of the instant their row speaks of. */
static void
judge_continuous(Verification *v)
{
	List	   *columns = columns_to_judge(v->table, false);
	Oid			types[] = {TIMESTAMPTZOID, TEXTARRAYOID};
	Datum		values[] = {TimestampTzGetDatum(v->as_of), v->unjudged};
	SPITupleTable *groups;
	uint64		ngroups;
	RunContext	ctx;

	if (columns == NIL)
		return;
	context_enter_owner(&ctx, v->table->owner, v->table->time_zone);
	run_sql(psprintf("SELECT refreshed_at, array_agg(%s::text) FROM %s"
					 " WHERE valid_until > $1 AND refreshed_at <= $1"
					 " AND NOT %s GROUP BY 1 ORDER BY 1",
					 quote_identifier(v->table->key_name),
					 catalog_qualified_name(v->table->relid),
					 is_dirty(v->table, quote_identifier(v->table->key_name))),
			2, types, values, true);
	context_leave(&ctx);
	groups = SPI_tuptable;
	ngroups = SPI_processed;
	for (uint64 i = 0; i < ngroups; i++)
	{
		bool		isnull;
		Datum		refreshed_at = SPI_getbinval(groups->vals[i], groups->tupdesc, 1, &isnull);
		Datum		keys = SPI_getbinval(groups->vals[i], groups->tupdesc, 2, &isnull);

		CHECK_FOR_INTERRUPTS();
		judge(v, columns, false, keys, DatumGetTimestampTz(refreshed_at));
	}
}

/*
 * Memberships and labels against the history's open intervals: both are of the
 * latest refresh, so that dirty customers count too.
 */
static void
judge_history(Verification *v)
{
	const char *key = quote_identifier(v->table->key_name);
	RunContext	ctx;

	context_enter_owner(&ctx, v->table->owner, v->table->time_zone);
	run_sql(psprintf("SELECT coalesce(m.%s, h.%s)::text, 'history',"
					 " jsonb_build_object(coalesce(m.segment, h.segment),"
					 "   coalesce(to_jsonb(h.label), to_jsonb(h.segment IS NOT NULL))),"
					 " jsonb_build_object(coalesce(m.segment, h.segment),"
					 "   coalesce(to_jsonb(m.label), to_jsonb(m.segment IS NOT NULL)))"
					 " FROM (%s) m FULL JOIN"
					 " (SELECT %s, segment, label FROM %s WHERE left_at IS NULL) h"
					 " ON m.%s %s h.%s AND m.segment = h.segment"
					 " WHERE m.segment IS NULL OR h.segment IS NULL OR m.label IS DISTINCT FROM h.label"
					 " ORDER BY 1",
					 key, key, history_members_sql(v->table, catalog_qualified_name(v->table->relid)),
					 key, catalog_qualified_name(v->table->history),
					 key, catalog_equality(v->table->key_type), key),
			0, NULL, NULL, true);
	context_leave(&ctx);
	return_rows(v);
}

/* " AND" a key in an expression, a text, is not merged: then it is no customer, once its row is gone. */
static char *
without_merged(const SegmentTable *table, const char *key)
{
	const char *type = catalog_type_name(table->key_type);

	return psprintf(" AND NOT %s::%s %s ANY (SELECT from_key::%s FROM segment.merged_keys(%u))", key, type,
					catalog_equality(table->key_type), type, table->relid);
}

/* Says how many customers were not judged, and why. */
static void
notice_unjudged(Verification *v)
{
	Oid			types[] = {TIMESTAMPTZOID, TEXTARRAYOID, BOOLOID, TIMESTAMPTZOID, TEXTARRAYOID};
	Datum		values[] = {TimestampTzGetDatum(v->as_of), v->dirty, BoolGetDatum(v->nothing_judged),
	TimestampTzGetDatum(v->next_due), v->aside};
	const char *key = quote_identifier(v->table->key_name);
	int			aside = v->aside == (Datum) 0 ? 0 :
		ArrayGetNItems(ARR_NDIM(DatumGetArrayTypeP(v->aside)), ARR_DIMS(DatumGetArrayTypeP(v->aside)));
	int64		unjudged;
	RunContext	ctx;

	context_enter_owner(&ctx, v->table->owner, v->table->time_zone);
	run_sql(psprintf("SELECT (SELECT count(*) FROM %s WHERE ($3 OR valid_until <= $1"
					 "   AND valid_until >= $4 OR refreshed_at > $1 OR %s)%s)"
					 " + (SELECT count(*) FROM unnest($2) __segment_d WHERE NOT EXISTS"
					 "   (SELECT FROM %s o WHERE o.%s %s __segment_d::%s)%s)",
					 catalog_qualified_name(v->table->relid), is_dirty(v->table, key),
					 not_aside(v->table, v->aside, "$5"), catalog_qualified_name(v->table->relid), key,
					 catalog_equality(v->table->key_type), catalog_type_name(v->table->key_type),
					 v->table->merged ? without_merged(v->table, "__segment_d") : ""),
			v->aside != (Datum) 0 ? 5 : 4, types, values, true);
	context_leave(&ctx);
	unjudged = first_int64();
	if (v->nothing_judged)
		ereport(NOTICE,
				(errmsg("no customer of segment table %s was judged: all are to be computed",
						catalog_qualified_name(v->table->relid)),
				 errhint("CALL segment.refresh().")));
	else if (unjudged > 0)
		ereport(NOTICE,
				(errmsg_plural("%lld customer is dirty or due and was not judged",
							   "%lld customers are dirty or due and were not judged",
							   unjudged, (long long) unjudged)));
	if (aside > 0 && !v->nothing_judged)
		ereport(NOTICE,
				(errmsg_plural("%d customer is set aside and was not judged",
							   "%d customers are set aside and were not judged", aside, aside),
				 errhint("See segment.set_aside.")));
}

/* A source truncated after the snapshot would show as empty in it. */
static void
lock_sources(Oid relid)
{
	ListCell   *lc;

	foreach(lc, catalog_load(relid)->sources)
	{
		Oid			relation = ((Source *) lfirst(lc))->relation;

		LockRelationOid(relation, AccessShareLock);
		find_all_inheritors(relation, AccessShareLock, NULL);
	}
}

/* verify(tbl) → (key, problem, stored, expected) */
Datum
segment_verify(PG_FUNCTION_ARGS)
{
	Verification v = {0};
	Oid			relid = PG_GETARG_OID(0);
	ListCell   *lc;

	context_need_read_committed("a verification", "Marks may have been collected since an older snapshot was taken.");
	InitMaterializedSRF(fcinfo, 0);
	catalog_load(relid);
	catalog_check_owner(relid);
	LockRelationOid(marklog_relation(0), AccessShareLock);
	LockRelationOid(marklog_relation(1), AccessShareLock);
	LockRelationOid(context_relation("work"), AccessShareLock);
	LockRelationOid(relid, AccessShareLock);
	lock_sources(relid);
	PushActiveSnapshot(GetTransactionSnapshot());

	/* as this snapshot sees it: cut points may change at any time */
	v.table = catalog_load_as_of(relid, GetActiveSnapshot());
	v.result = (ReturnSetInfo *) fcinfo->resultinfo;
	v.as_of = context_instant();
	check_history(v.table);
	foreach(lc, v.table->sources)
		trust_check_source(v.table, ((Source *) lfirst(lc))->relation);
	rule_check_trust_again(v.table);
	SPI_connect();
	read_dirty(&v);
	notice_unjudged(&v);
	if (!v.nothing_judged)
	{
		judge(&v, columns_to_judge(v.table, true), true, (Datum) 0, v.as_of);
		judge_continuous(&v);
	}
	judge_history(&v);
	SPI_finish();
	PopActiveSnapshot();
	return (Datum) 0;
}
