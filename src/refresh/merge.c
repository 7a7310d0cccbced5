/*
 * merge.c
 *		Keys of which the events count for another key, and back.
 *
 * What changes is marked in the same transaction, as by the trigger of a
 * source: no refresh is waited for or held up.  One transaction at a time
 * merges keys of a segment table, so that no two of them close a circle.
 */
#include "postgres.h"

#include "capture/capture.h"
#include "catalog/merged.h"
#include "catalog/suppressed.h"
#include "context.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "refresh/internal.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(segment_merge);
PG_FUNCTION_INFO_V1(segment_unmerge);

/* Longer ones no index takes, nor does work. */
#define MAX_KEY_LENGTH 1000

static void
check_arguments(FunctionCallInfo fcinfo, const char *const *names, int n)
{
	context_refuse_standby(psprintf("segment.%s()", get_func_name(fcinfo->flinfo->fn_oid)));
	context_refuse_nulls(fcinfo, n, names);
}

/* The segment table, with nobody else at its merged keys. */
static SegmentTable *
open_for_merging(Oid relid)
{
	SegmentTable *table;

	catalog_load_bare(relid);
	catalog_check_owner(relid);
	/* whoever drops the table finds what is written here */
	LockRelationOid(relid, AccessShareLock);
	if (get_rel_name(relid) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid),
				 errdetail("It was dropped meanwhile.")));
	merged_lock(relid);
	catalog_check_owner(relid);
	table = catalog_load_bare(relid);
	/* that is: there may be some.  To find the first behind many that this transaction deleted takes long */
	table->merged = true;
	return table;
}

/* A key as its type writes it, or as an equal one is written that is merged already. */
static char *
read_key(const SegmentTable *table, Datum key)
{
	char	   *result = key_canonical(table, key);

	if (strlen(result) > MAX_KEY_LENGTH)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a key of %zu bytes can not be merged", strlen(result)),
				 errhint("Keys that are merged have at most %d bytes.", MAX_KEY_LENGTH)));
	PushActiveSnapshot(GetLatestSnapshot());
	result = key_as_merged(table, result);
	PopActiveSnapshot();
	return result;
}

static bool
same_key_text(const SegmentTable *table, const char *a, const char *b)
{
	Oid			types[] = {TEXTOID, TEXTOID};
	Datum		values[] = {CStringGetTextDatum(a), CStringGetTextDatum(b)};
	const char *type = catalog_type_name(table->key_type);
	bool		isnull;

	if (merged_by_text(table->key_type))
		return strcmp(a, b) == 0;
	run_sql(psprintf("SELECT $1::%s %s $2::%s", type, catalog_equality(table->key_type), type),
			2, types, values, true);
	return DatumGetBool(first_value(&isnull)) && !isnull;
}

static void
refuse_suppressed(const SegmentTable *table, const char *key)
{
	if (suppressed_is(table, key))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("customer \"%s\" of segment table %s was erased and is left out", key,
						catalog_qualified_name(table->relid)),
				 errhint("segment.unsuppress() lets the customer's events count again.")));
}

static void
refuse_merged(const SegmentTable *table, const char *from, const char *parent)
{
	ereport(ERROR,
			(errcode(ERRCODE_DUPLICATE_OBJECT),
			 errmsg("customer \"%s\" is merged into \"%s\" already", from, parent),
			 errhint("Undo that first: SELECT segment.unmerge(%s, %s).",
					 quote_literal_cstr(catalog_qualified_name(table->relid)), quote_literal_cstr(from))));
}

static void
refuse_circle(const SegmentTable *table, const char *from, const char *into)
{
	StringInfoData circle;

	initStringInfo(&circle);
	appendStringInfo(&circle, "\"%s\"", from);
	for (const char *next = into; next != NULL; next = merged_parent(table->relid, next))
	{
		CHECK_FOR_INTERRUPTS();
		appendStringInfo(&circle, " into \"%s\"", next);
		if (strcmp(next, from) == 0)
			break;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("customers would be merged in a circle: %s", circle.data),
			 errhint("Undo one of these with segment.unmerge().")));
}

/* merge(tbl, from_key, into_key) → boolean */
Datum
segment_merge(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"tbl", "from_key", "into_key"};
	SegmentTable *table;
	char	   *from;
	char	   *into;
	char	   *parent;
	char	   *target;
	RunContext	ctx;

	check_arguments(fcinfo, names, lengthof(names));
	table = open_for_merging(PG_GETARG_OID(0));
	SPI_connect();
	context_enter_owner(&ctx, table->owner, table->time_zone);
	from = read_key(table, PG_GETARG_DATUM(1));
	into = read_key(table, PG_GETARG_DATUM(2));
	if (same_key_text(table, from, into))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("customer \"%s\" can not be merged into itself", from),
				 errhint("Give the keys of two customers.")));
	refuse_suppressed(table, from);
	refuse_suppressed(table, into);
	context_leave(&ctx);

	parent = merged_parent(table->relid, from);
	if (parent != NULL && strcmp(parent, into) != 0)
		refuse_merged(table, from, parent);
	if (parent == NULL)
	{
		target = merged_target(table->relid, into, NULL);
		if (target == NULL)
			target = into;
		if (strcmp(target, from) == 0)
			refuse_circle(table, from, into);
		merged_add(table->relid, from, into, target, context_instant());
		marklog_append(table->relid, list_make2(from, target));
	}
	SPI_finish();
	PG_RETURN_BOOL(parent == NULL);
}

/* unmerge(tbl, from_key) → boolean */
Datum
segment_unmerge(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"tbl", "from_key"};
	SegmentTable *table;
	char	   *from;
	char	   *target;
	RunContext	ctx;

	check_arguments(fcinfo, names, lengthof(names));
	table = open_for_merging(PG_GETARG_OID(0));
	SPI_connect();
	context_enter_owner(&ctx, table->owner, table->time_zone);
	from = read_key(table, PG_GETARG_DATUM(1));
	context_leave(&ctx);
	target = merged_target(table->relid, from, NULL);
	if (target != NULL)
	{
		merged_remove(table->relid, from, target);
		marklog_append(table->relid, list_make2(from, target));
	}
	SPI_finish();
	PG_RETURN_BOOL(target != NULL);
}
