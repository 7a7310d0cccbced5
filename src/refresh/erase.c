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
#include "catalog/merged.h"
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
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(segment_erase);
PG_FUNCTION_INFO_V1(segment_unsuppress);

static void
check_arguments(FunctionCallInfo fcinfo, const char *const *names, int n)
{
	context_refuse_standby(psprintf("segment.%s()", get_func_name(fcinfo->flinfo->fn_oid)));
	context_refuse_nulls(fcinfo, n, names);
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

/*
 * The keys (of char *) of a customer, the one given first: those merged into it
 * are the same customer's.  One that is merged itself is not taken for all of them.
 */
static List *
keys_of_customer(const SegmentTable *table, Datum given)
{
	char	   *key = key_canonical(table, given);
	char	   *target;

	merged_lock(table->relid);
	PushActiveSnapshot(GetLatestSnapshot());
	key = key_as_merged(table, key);
	PopActiveSnapshot();
	target = merged_target(table->relid, key, NULL);
	if (target != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("customer \"%s\" is merged into \"%s\"", key, target),
				 errhint("Erase that one, and this goes with it; or let it be another customer first: SELECT segment.unmerge(%s, %s).",
						 quote_literal_cstr(catalog_qualified_name(table->relid)), quote_literal_cstr(key))));
	return lcons(key, merged_members(table->relid, key));
}

/*
 * Deletes the customer's rows from the segment table or its history; adds the
 * texts of the keys (text[]) in them to *texts.
 */
static int64
delete_rows(const SegmentTable *table, Oid relation, Datum keys, List **texts)
{
	const char *column = quote_identifier(table->key_name);
	Oid			types[] = {TEXTARRAYOID};
	int64		deleted;

	if (get_rel_name(relation) == NULL)
		return 0;
	apply_sql(table, psprintf("DELETE FROM %s t WHERE t.%s %s ANY (SELECT u::%s FROM unnest($1) u)"
							  " RETURNING t.%s::text",
							  catalog_qualified_name(relation), column,
							  catalog_equality(table->key_type),
							  catalog_type_name(table->key_type), column),
			  1, types, &keys);
	deleted = SPI_processed;
	for (int64 i = 0; i < deleted; i++)
		*texts = list_append_unique(*texts, makeString(SPI_getvalue(SPI_tuptable->vals[i],
																	SPI_tuptable->tupdesc, 1)));
	return deleted;
}

/*
 * Takes the customer's keys out of the changes, which stay: they are the cursors
 * of others.  Returns of how many; adds the texts of the key to *texts.
 */
static int64
blank_changes(const SegmentTable *table, Datum keys, List **texts)
{
	const char *column = quote_identifier(table->key_name);
	const char *name;
	Oid			types[] = {TEXTARRAYOID};

	if (!OidIsValid(table->changes))
		return 0;
	name = catalog_qualified_name(table->changes);
	apply_sql(table, psprintf("UPDATE %s t SET %s = NULL FROM (SELECT o.change, o.%s::text AS was FROM %s o"
							  "   WHERE o.%s %s ANY (SELECT u::%s FROM unnest($1) u)) s WHERE t.change = s.change RETURNING s.was",
							  name, column, column, name, column, catalog_equality(table->key_type),
							  catalog_type_name(table->key_type)),
			  1, types, &keys);
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

/* What one erasure does. */
typedef struct Erasure
{
	SegmentTable *table;
	List	   *keys;			/* of char * */
	List	   *texts;			/* of String: the keys as somebody wrote them */
	int64		rows;
	int64		history;
	int64		merges;
	bool		suppressed;
	Traces		traces;
} Erasure;

/* With the owner's rights: rows and history of all the keys, and who stays out. */
static void
erase_rows(Erasure *e, bool suppress)
{
	Datum		keys = key_array(e->keys);
	ListCell   *lc;

	e->rows = delete_rows(e->table, e->table->relid, keys, &e->texts);
	e->history = delete_rows(e->table, e->table->history, keys, &e->texts);
	e->history += blank_changes(e->table, keys, &e->texts);
	e->suppressed = true;
	foreach(lc, e->keys)
	{
		e->texts = list_append_unique(e->texts, makeString(lfirst(lc)));
		if (suppress)
		{
			suppressed_add(e->table, lfirst(lc));
			/* with the salt, which the first one makes */
			e->table = catalog_load(e->table->relid);
		}
		else if (!suppressed_is(e->table, lfirst(lc)))
			e->suppressed = false;
	}
}

/* erase(tbl, key, suppress) → (rows, history, waiting, marks, errors, merges, suppressed) */
Datum
segment_erase(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"tbl", "key", "suppress"};
	Erasure		e = {0};
	int64		counts[6];
	Datum		values[7];
	bool		nulls[7] = {false};
	TupleDesc	desc;
	ListCell   *lc;
	RunContext	ctx;

	check_arguments(fcinfo, names, lengthof(names));
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("function returning record called in a context that can not take one")));
	e.table = open_for_erasure(PG_GETARG_OID(0));

	SPI_connect();
	context_enter_owner(&ctx, e.table->owner, e.table->time_zone);
	e.keys = keys_of_customer(e.table, PG_GETARG_DATUM(1));
	e.texts = list_make1(makeString(text_to_cstring(PG_GETARG_TEXT_PP(1))));
	erase_rows(&e, PG_GETARG_BOOL(2));
	context_leave(&ctx);

	e.merges = merged_forget(e.table->relid, linitial(e.keys));
	traces_delete(&e.traces, e.table, e.keys, e.texts);
	traces_forget_statistics(&e.traces, e.table);
	foreach(lc, e.suppressed ? NIL : e.keys)
		mark_if_known(e.table, lfirst(lc));
	SPI_finish();

	counts[0] = e.rows;
	counts[1] = e.history;
	counts[2] = e.traces.waiting;
	counts[3] = e.traces.marks;
	counts[4] = e.traces.errors;
	counts[5] = e.merges;
	for (int i = 0; i < lengthof(counts); i++)
		values[i] = Int64GetDatum(counts[i]);
	values[6] = BoolGetDatum(e.suppressed);
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
	key = key_canonical(table, PG_GETARG_DATUM(1));
	removed = suppressed_remove(table, key);
	context_leave(&ctx);
	if (removed)
		mark_if_known(table, key);
	SPI_finish();
	PG_RETURN_BOOL(removed);
}
