/*
 * keys.c
 *		A customer's key from text, and the customer that it counts for.
 */
#include "postgres.h"

#include "catalog/merged.h"
#include "catalog/pg_type.h"
#include "context.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "refresh/internal.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

static void
hint_at_type(void *table)
{
	if (ERRCODE_TO_CATEGORY(geterrcode()) == ERRCODE_DATA_EXCEPTION)
		errhint("Keys of %s are of type %s.",
				catalog_qualified_name(((const SegmentTable *) table)->relid),
				format_type_be(((const SegmentTable *) table)->key_type));
}

char *
key_canonical(const SegmentTable *table, Datum key)
{
	ErrorContextCallback callback = {.callback = hint_at_type,.arg = unconstify(SegmentTable *, table)};
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

Datum
key_array(List *keys)
{
	Datum	   *elements = palloc(sizeof(Datum) * Max(list_length(keys), 1));
	ListCell   *lc;

	foreach(lc, keys)
		elements[foreach_current_index(lc)] = CStringGetTextDatum(lfirst(lc));
	return PointerGetDatum(construct_array(elements, list_length(keys), TEXTOID, -1, false, TYPALIGN_INT));
}

/* The first text that a query over merged keys finds for a key ($2), by the active snapshot, or NULL. */
static char *
find_by_value(const SegmentTable *table, const char *query, const char *key)
{
	Oid			types[] = {OIDOID, TEXTOID};
	Datum		values[] = {ObjectIdGetDatum(table->relid), CStringGetTextDatum(key)};
	const char *type = catalog_type_name(table->key_type);
	Datum		found;
	bool		isnull;

	run_sql(psprintf("SELECT t FROM (%s) m (k, t) WHERE k::%s %s $2::%s LIMIT 1", query, type,
					 catalog_equality(table->key_type), type), 2, types, values, true);
	found = first_value(&isnull);
	return isnull ? NULL : TextDatumGetCString(found);
}

char *
key_as_merged(const SegmentTable *table, char *key)
{
	char	   *found;

	if (!table->merged || merged_by_text(table->key_type))
		return key;
	found = find_by_value(table, "SELECT from_key, from_key FROM segment.merged_keys($1)"
						  " UNION ALL SELECT counts_for, counts_for FROM segment.merged_keys($1)", key);
	return found == NULL ? key : found;
}

char *
key_customer(const SegmentTable *table, Datum key)
{
	char	   *canonical;
	char	   *found;

	if (!table->merged)
		return TextDatumGetCString(key);
	canonical = key_canonical(table, key);
	if (merged_by_text(table->key_type))
		found = merged_target(table->relid, canonical, GetActiveSnapshot());
	else
		found = find_by_value(table, "SELECT from_key, counts_for FROM segment.merged_keys($1)", canonical);
	return found == NULL ? canonical : found;
}

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/* Straight by index: no code of a type's runs, so that no single key can make it fail. */
static Datum
add_by_text(Oid relid, Datum keys, Snapshot snapshot)
{
	ArrayBuildState *result = initArrayResult(TEXTOID, CurrentMemoryContext, false);
	Datum	   *values;
	bool	   *nulls;
	int			count;
	char	  **texts;
	int			n = 0;

	deconstruct_array(DatumGetArrayTypeP(keys), TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &count);
	texts = palloc(sizeof(char *) * Max(2 * count, 1));
	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (nulls[i])
			continue;
		texts[n] = TextDatumGetCString(values[i]);
		texts[n + 1] = merged_target(relid, texts[n], snapshot);
		n += texts[n + 1] == NULL ? 1 : 2;
	}
	qsort(texts, n, sizeof(char *), compare_texts);
	for (int i = 0; i < n; i++)
	{
		if (i == 0 || strcmp(texts[i], texts[i - 1]) != 0)
			result = accumArrayResult(result, CStringGetTextDatum(texts[i]), false, TEXTOID,
									  CurrentMemoryContext);
	}
	return makeArrayResult(result, CurrentMemoryContext);
}

static Datum
add_by_value(const SegmentTable *table, Datum keys, Snapshot snapshot)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid			types[] = {OIDOID, TEXTARRAYOID};
	Datum		values[] = {ObjectIdGetDatum(table->relid), keys};
	const char *type = catalog_type_name(table->key_type);
	Datum		result;
	MemoryContext old;
	bool		isnull;
	RunContext	ctx;

	SPI_connect();
	context_enter_owner(&ctx, table->owner, table->time_zone);
	run_sql(psprintf("SELECT coalesce(array_agg(k), '{}') FROM (SELECT u FROM unnest($2) u UNION"
					 " SELECT m.counts_for FROM segment.merged_keys($1) m JOIN unnest($2) u"
					 " ON m.from_key::%s %s u::%s) k (k)", type, catalog_equality(table->key_type), type),
			2, types, values, snapshot != NULL);
	old = MemoryContextSwitchTo(caller);
	result = PointerGetDatum(DatumGetArrayTypePCopy(first_value(&isnull)));
	MemoryContextSwitchTo(old);
	context_leave(&ctx);
	SPI_finish();
	return result;
}

Datum
keys_and_customers(const SegmentTable *table, Datum keys, Snapshot snapshot)
{
	if (!table->merged || keys == (Datum) 0)
		return keys;
	return merged_by_text(table->key_type) ? add_by_text(table->relid, keys, snapshot) :
		add_by_value(table, keys, snapshot);
}
