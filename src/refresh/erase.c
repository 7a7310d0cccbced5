/*
 * erase.c
 *		The right to erasure: everything that a segment table keeps of one customer.
 *
 * With the lock on the table's work no row of the customer is being computed:
 * a refresh under way is waited for, and the next one reads a definition that
 * leaves the customer out.  The bookmark is locked as well: else a collection
 * under way would put the key back into work.
 */
#include "postgres.h"

#include "capture/capture.h"
#include "catalog/pg_type.h"
#include "catalog/suppressed.h"
#include "context.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "nodes/value.h"
#include "refresh/traces.h"
#include "rule/rule.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"

PG_FUNCTION_INFO_V1(segment_erase);
PG_FUNCTION_INFO_V1(segment_unsuppress);

static void
check_arguments(FunctionCallInfo fcinfo, const char *const *names, int n)
{
	context_refuse_standby(psprintf("segment.%s()", get_func_name(fcinfo->flinfo->fn_oid)));
	for (int i = 0; i < n; i++)
	{
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s must not be null", names[i])));
	}
	context_need_read_committed("an erasure", "It must find what was committed after it has taken its locks.");
}

/*
 * The segment table, with nobody at its rows.  Rights on its sources are not
 * asked for: who has lost them must be able to erase.
 */
static SegmentTable *
open_for_erasure(Oid relid)
{
	catalog_load(relid);
	catalog_check_owner(relid);
	catalog_lock_work(relid, ExclusiveLock, true);
	LockRelationOid(relid, RowExclusiveLock);
	if (get_rel_name(relid) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid),
				 errdetail("It was dropped meanwhile.")));
	catalog_check_owner(relid);
	return catalog_load(relid);
}

static void
hint_at_type(void *table)
{
	if (ERRCODE_TO_CATEGORY(geterrcode()) == ERRCODE_DATA_EXCEPTION)
		errhint("Keys of %s are of type %s.",
				catalog_qualified_name(((const SegmentTable *) table)->relid),
				format_type_be(((const SegmentTable *) table)->key_type));
}

/* The key as its type writes it; with the owner's rights. */
static char *
canonical_key(SegmentTable *table, Datum key)
{
	ErrorContextCallback callback = {.callback = hint_at_type,.arg = table};
	Oid			input;
	Oid			output;
	Oid			parameter;
	bool		is_varlena;
	char	   *result;

	callback.previous = error_context_stack;
	error_context_stack = &callback;
	getTypeInputInfo(table->key_type, &input, &parameter);
	getTypeOutputInfo(table->key_type, &output, &is_varlena);
	result = OidOutputFunctionCall(output, OidInputFunctionCall(input, TextDatumGetCString(key),
																parameter, -1));
	error_context_stack = callback.previous;
	return result;
}

/*
 * Deletes the customer's rows from the segment table or its history; adds the
 * texts of the key in them to *texts.
 */
static int64
delete_rows(const SegmentTable *table, Oid relation, Datum key, List **texts)
{
	const char *column = quote_identifier(table->key_name);
	Oid			types[] = {TEXTOID};
	int64		deleted;

	if (get_rel_name(relation) == NULL)
		return 0;
	apply_sql(table, psprintf("DELETE FROM %s t WHERE t.%s %s $1::%s RETURNING t.%s::text",
							  catalog_qualified_name(relation), column,
							  catalog_equality(table->key_type),
							  catalog_type_name(table->key_type), column),
			  1, types, &key);
	deleted = SPI_processed;
	for (int64 i = 0; i < deleted; i++)
		*texts = list_append_unique(*texts, makeString(SPI_getvalue(SPI_tuptable->vals[i],
																	SPI_tuptable->tupdesc, 1)));
	return deleted;
}

/*
 * Takes the customer's key out of the changes, which stay: they are the cursors
 * of others.  Returns of how many; adds the texts of the key to *texts.
 */
static int64
blank_changes(const SegmentTable *table, Datum key, List **texts)
{
	const char *column = quote_identifier(table->key_name);
	const char *name;
	Oid			types[] = {TEXTOID};

	if (!OidIsValid(table->changes))
		return 0;
	name = catalog_qualified_name(table->changes);
	apply_sql(table, psprintf("UPDATE %s t SET %s = NULL FROM (SELECT o.change, o.%s::text AS was FROM %s o"
							  "   WHERE o.%s %s $1::%s) s WHERE t.change = s.change RETURNING s.was",
							  name, column, column, name, column, catalog_equality(table->key_type),
							  catalog_type_name(table->key_type)),
			  1, types, &key);
	for (uint64 i = 0; i < SPI_processed; i++)
		*texts = list_append_unique(*texts, makeString(SPI_getvalue(SPI_tuptable->vals[i],
																	SPI_tuptable->tupdesc, 1)));
	return SPI_processed;
}

/* May the owner read all rows of a source?  A refresh says so if not. */
static bool
may_read(Oid relation, Oid owner)
{
	return (pg_class_aclcheck(relation, owner, ACL_SELECT) == ACLCHECK_OK ||
			pg_attribute_aclcheck_all(relation, owner, ACL_SELECT, ACLMASK_ANY) == ACLCHECK_OK) &&
		check_enable_rls(relation, owner, true) != RLS_ENABLED;
}

/*
 * Do the sources still know the customer, for all that the owner can see?
 * Asked of their keys alone, which their writers evaluate, too.
 */
static bool
has_events(const SegmentTable *table, Datum key)
{
	Oid			types[] = {TEXTOID};
	bool		isnull;
	StringInfoData sql;
	ListCell   *lc;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT false");
	foreach(lc, table->sources)
	{
		Source	   *source = lfirst(lc);

		LockRelationOid(source->relation, AccessShareLock);
		if (get_rel_name(source->relation) == NULL)
			continue;
		if (!may_read(source->relation, table->owner))
			return true;
		rule_follow_renames(table, source, false);
		appendStringInfo(&sql, " OR EXISTS (SELECT FROM %s WHERE (%s) %s ANY (SELECT $1::%s))",
						 catalog_qualified_name(source->relation), source->key,
						 catalog_equality(table->key_type), catalog_type_name(table->key_type));
	}
	run_sql(sql.data, 1, types, &key, false);
	return DatumGetBool(first_value(&isnull));
}

/*
 * Who is not left out counts by what there still is in the sources: the next
 * refresh computes the customer as one who is new.
 */
static void
mark_if_known(const SegmentTable *table, char *key)
{
	RunContext	ctx;
	bool		known;

	context_enter_owner(&ctx, table->owner, table->time_zone);
	known = has_events(table, CStringGetTextDatum(key));
	context_leave(&ctx);
	if (known)
		marklog_append(table->relid, list_make1(key));
}

/* erase(tbl, key, suppress) → (rows, history, waiting, marks, errors, suppressed) */
Datum
segment_erase(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"tbl", "key", "suppress"};
	SegmentTable *table;
	Traces		traces = {0};
	bool		suppressed;
	List	   *texts;
	int64		counts[5];
	Datum		values[6];
	bool		nulls[6] = {false};
	char	   *key;
	TupleDesc	desc;
	RunContext	ctx;

	check_arguments(fcinfo, names, lengthof(names));
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("function returning record called in a context that can not take one")));
	table = open_for_erasure(PG_GETARG_OID(0));

	SPI_connect();
	context_enter_owner(&ctx, table->owner, table->time_zone);
	key = canonical_key(table, PG_GETARG_DATUM(1));
	texts = list_make2(makeString(key), makeString(text_to_cstring(PG_GETARG_TEXT_PP(1))));
	counts[0] = delete_rows(table, table->relid, CStringGetTextDatum(key), &texts);
	counts[1] = delete_rows(table, table->history, CStringGetTextDatum(key), &texts);
	counts[1] += blank_changes(table, CStringGetTextDatum(key), &texts);
	suppressed = PG_GETARG_BOOL(2) ? (suppressed_add(table, key), true) : suppressed_is(table, key);
	context_leave(&ctx);

	traces_delete(&traces, table, key, texts);
	counts[2] = traces.waiting;
	counts[3] = traces.marks;
	counts[4] = traces.errors;
	traces_forget_statistics(&traces, table);
	if (!suppressed)
		mark_if_known(table, key);
	SPI_finish();

	for (int i = 0; i < lengthof(counts); i++)
		values[i] = Int64GetDatum(counts[i]);
	values[5] = BoolGetDatum(suppressed);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/* unsuppress(tbl, key) → boolean */
Datum
segment_unsuppress(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"tbl", "key"};
	SegmentTable *table;
	char	   *key;
	bool		removed;
	RunContext	ctx;

	check_arguments(fcinfo, names, lengthof(names));
	table = open_for_erasure(PG_GETARG_OID(0));
	SPI_connect();
	context_enter_owner(&ctx, table->owner, table->time_zone);
	key = canonical_key(table, PG_GETARG_DATUM(1));
	removed = suppressed_remove(table, key);
	context_leave(&ctx);
	if (removed)
		mark_if_known(table, key);
	SPI_finish();
	PG_RETURN_BOOL(removed);
}
