/*
 * merged.c
 *		Keys whose events count for another key.
 *
 * Read straight by index: the owner of a segment table may not read
 * segment.merged, and the query that computes rows asks here.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/merged.h"
#include "catalog/pg_type.h"
#include "catalog/suppressed.h"
#include "context.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "parser/parse_coerce.h"
#include "storage/lock.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(segment_merged_into);
PG_FUNCTION_INFO_V1(segment_merged_keys);

/* Columns of segment.merged, as sql/catalog.sql orders them. */
enum
{
	MERGED_TBL = 1, MERGED_FROM_KEY, MERGED_INTO_KEY, MERGED_COUNTS_FOR
};

typedef void (*MergedReader) (HeapTuple tuple, TupleDesc desc, void *arg);

/*
 * Calls reader for each row of a segment table with the key in a column that
 * an index begins with (NULL: with any); reader NULL: looks for one.
 */
static bool
scan_merged(Oid relid, const char *index, AttrNumber column, const char *key, Snapshot snapshot,
			MergedReader reader, void *arg)
{
	Relation	rel = table_open(context_relation("merged"), AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found = false;

	ScanKeyInit(&keys[0], MERGED_TBL, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relid));
	/* the columns' collation is "C", as a key of a scan has it */
	ScanKeyInit(&keys[1], column, BTEqualStrategyNumber, F_TEXTEQ,
				key == NULL ? (Datum) 0 : CStringGetTextDatum(key));
	scan = systable_beginscan(rel, context_relation(index), true, snapshot, key == NULL ? 1 : 2, keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		CHECK_FOR_INTERRUPTS();
		found = true;
		if (reader == NULL)
			break;
		reader(tuple, RelationGetDescr(rel), arg);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return found;
}

static char *
text_column(HeapTuple tuple, TupleDesc desc, AttrNumber column)
{
	bool		isnull;

	return TextDatumGetCString(heap_getattr(tuple, column, desc, &isnull));
}

bool
merged_any(Oid relid, Snapshot snapshot)
{
	return scan_merged(relid, "merged_pkey", MERGED_FROM_KEY, NULL, snapshot, NULL, NULL);
}

static void
read_target(HeapTuple tuple, TupleDesc desc, void *arg)
{
	*(char **) arg = text_column(tuple, desc, MERGED_COUNTS_FOR);
}

char *
merged_target(Oid relid, const char *key, Snapshot snapshot)
{
	char	   *target = NULL;

	scan_merged(relid, "merged_pkey", MERGED_FROM_KEY, key, snapshot, read_target, &target);
	return target;
}

static void
read_parent(HeapTuple tuple, TupleDesc desc, void *arg)
{
	*(char **) arg = text_column(tuple, desc, MERGED_INTO_KEY);
}

char *
merged_parent(Oid relid, const char *key)
{
	char	   *parent = NULL;

	scan_merged(relid, "merged_pkey", MERGED_FROM_KEY, key, NULL, read_parent, &parent);
	return parent;
}

static void
read_member(HeapTuple tuple, TupleDesc desc, void *arg)
{
	List	  **members = arg;

	*members = lappend(*members, text_column(tuple, desc, MERGED_FROM_KEY));
}

List *
merged_members(Oid relid, const char *key)
{
	List	   *members = NIL;

	scan_merged(relid, "merged_counts_for", MERGED_COUNTS_FOR, key, NULL, read_member, &members);
	return members;
}

bool
merged_by_text(Oid type)
{
	switch (TypeCategory(getBaseType(type)))
	{
		case TYPCATEGORY_DATETIME:
		case TYPCATEGORY_TIMESPAN:
		case TYPCATEGORY_ARRAY:
		case TYPCATEGORY_COMPOSITE:
		case TYPCATEGORY_RANGE:
			return false;
	}
	return suppressed_one_text(type);
}

void
merged_lock(Oid relid)
{
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, context_relation("merged"), relid, 0);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
}

/*
 * Runs a statement by a snapshot that is taken now, behind the lock, also where
 * the transaction's is older.
 */
static int64
run_latest(const char *sql, int nargs, Oid *types, Datum *values)
{
	RunContext	ctx;
	SPIPlanPtr	plan;
	int64		processed;

	context_enter_catalog(&ctx);
	context_set("enable_seqscan", "off");
	SPI_connect();
	plan = SPI_prepare(sql, nargs, types);
	if (plan == NULL ||
		SPI_execute_snapshot(plan, values, NULL, GetLatestSnapshot(), InvalidSnapshot, false, false, 0) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not write merged keys: %s", SPI_result_code_string(SPI_result))));
	processed = (int64) SPI_processed;
	SPI_finish();
	context_leave(&ctx);
	CommandCounterIncrement();
	return processed;
}

void
merged_add(Oid relid, const char *from, const char *into, const char *target, TimestampTz at)
{
	Oid			types[] = {OIDOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID};
	Datum		values[] = {ObjectIdGetDatum(relid), CStringGetTextDatum(from), CStringGetTextDatum(into),
	CStringGetTextDatum(target), TimestampTzGetDatum(at)};

	run_latest("UPDATE segment.merged SET counts_for = $3 WHERE tbl = $1 AND counts_for = $2", 3, types,
			   (Datum[]) {values[0], values[1], values[3]});
	run_latest("INSERT INTO segment.merged (tbl, from_key, into_key, counts_for, merged_at)"
			   " VALUES ($1, $2, $3, $4, $5)", 5, types, values);
}

void
merged_remove(Oid relid, const char *from, const char *target)
{
	Oid			types[] = {OIDOID, TEXTOID, TEXTOID};
	Datum		values[] = {ObjectIdGetDatum(relid), CStringGetTextDatum(from), CStringGetTextDatum(target)};

	run_latest("DELETE FROM segment.merged WHERE tbl = $1 AND from_key = $2", 2, types, values);
	run_latest("WITH RECURSIVE others AS MATERIALIZED"
			   "   (SELECT from_key, into_key FROM segment.merged WHERE tbl = $1 AND counts_for = $3),"
			   " below (key) AS (SELECT $2 COLLATE \"C\" UNION ALL"
			   "   SELECT o.from_key FROM others o JOIN below b ON o.into_key = b.key)"
			   " UPDATE segment.merged SET counts_for = $2"
			   " WHERE tbl = $1 AND from_key = ANY (ARRAY(SELECT key FROM below))", 3, types, values);
}

int64
merged_forget(Oid relid, const char *target)
{
	Oid			types[] = {OIDOID, TEXTOID};
	Datum		values[] = {ObjectIdGetDatum(relid), CStringGetTextDatum(target)};

	return run_latest("DELETE FROM segment.merged WHERE tbl = $1 AND counts_for = $2", 2, types, values);
}

/* The query that computes rows asks, and so the owner; once in a query this is looked at. */
static void
check_caller(FunctionCallInfo fcinfo)
{
	Oid			relid = PG_GETARG_OID(0);
	Oid		   *checked = fcinfo->flinfo->fn_extra;

	if (checked != NULL && *checked == relid)
		return;
	if (!catalog_is_segment_table(relid))
		(void) catalog_load(relid); /* says so */
	catalog_check_owner(relid);
	if (checked == NULL)
		checked = fcinfo->flinfo->fn_extra = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(Oid));
	*checked = relid;
}

/* merged_into(tbl, key) → the key that it counts for, or NULL */
Datum
segment_merged_into(PG_FUNCTION_ARGS)
{
	char	   *target;

	check_caller(fcinfo);
	target = merged_target(PG_GETARG_OID(0), text_to_cstring(PG_GETARG_TEXT_PP(1)), GetActiveSnapshot());
	if (target == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(target));
}

static void
return_pair(HeapTuple tuple, TupleDesc desc, void *arg)
{
	ReturnSetInfo *result = arg;
	Datum		values[2];
	bool		nulls[2];

	values[0] = heap_getattr(tuple, MERGED_FROM_KEY, desc, &nulls[0]);
	values[1] = heap_getattr(tuple, MERGED_COUNTS_FOR, desc, &nulls[1]);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* merged_keys(tbl [, keys]) → (from_key, counts_for): of all, or of those that count for some keys */
Datum
segment_merged_keys(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	Datum	   *keys;
	bool	   *nulls;
	int			count;

	check_caller(fcinfo);
	InitMaterializedSRF(fcinfo, 0);
	if (PG_NARGS() == 1)
	{
		scan_merged(relid, "merged_pkey", MERGED_FROM_KEY, NULL, GetActiveSnapshot(), return_pair,
					fcinfo->resultinfo);
		return (Datum) 0;
	}
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT, &keys, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		if (!nulls[i])
			scan_merged(relid, "merged_counts_for", MERGED_COUNTS_FOR, TextDatumGetCString(keys[i]),
						GetActiveSnapshot(), return_pair, fcinfo->resultinfo);
	}
	return (Datum) 0;
}
