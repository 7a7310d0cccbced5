/*
 * process.c
 *		Computes and applies rows, setting aside customers for whom that fails.
 *
 * Each attempt is a subtransaction.  If data makes it fail, it is made again
 * with one half of the keys and then with the other, down to the customers who
 * fail; the others are applied.  A rebuild needs everybody in one evaluation,
 * so there the failing ones are looked for, key by key as above, and then it is
 * made again without them.
 */
#include "postgres.h"

#include "capture/capture.h"
#include "catalog/merged.h"
#include "catalog/pg_type.h"
#include "context.h"
#include "executor/spi.h"
#include "guc.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "refresh/internal.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

typedef struct Attempt
{
	Refresh    *refresh;
	const SegmentTable *table;
	Datum		keys;			/* text[]; 0: everybody */
	Datum		except;			/* but these: text[], or 0 */
	bool		future;
	bool		rewind;
	bool		evaluate_only;	/* to see whether it fails */
	bool		applying;		/* it has come so far */
	TimestampTz as_of;
	Datum		aside;			/* text[] of those who are set aside already, or 0 */
	MemoryContext keep;			/* where these are kept */
	List	   *failures;		/* of Failure */
	int			fresh;			/* those of them who were not set aside before */
} Attempt;

/* An attempt, with the rights and settings of the owner. */
static void
attempt_step(void *arg)
{
	Attempt    *a = arg;
	Refresh    *refresh = a->refresh;
	const SegmentTable *table = a->table;
	Selection	selection = {.keys = a->keys != (Datum) 0 ? a->keys : a->except,.future = a->future};
	Stages		stages = {.bands = all_bands(table),.future = a->future,.except = a->except};
	Evaluation *evaluation;
	RunContext	ctx;

	selection.whom = a->keys != (Datum) 0 ? RULE_KEYS :
		a->except != (Datum) 0 ? RULE_OTHERS : RULE_EVERYBODY;
	a->applying = false;
	SPI_connect();
	state_raise(refresh, a->as_of, false);
	context_enter_owner(&ctx, table->owner, table->time_zone);
	context_set_as_of(a->as_of);
	/* what is deferred could not fire in a security-restricted operation */
	if (refresh->nonatomic)
		run_sql("SET CONSTRAINTS ALL IMMEDIATE", 0, NULL, NULL, false);
	evaluation = a->keys == (Datum) 0 && stages.bands != NIL ?
		evaluate_and_recut(table, &stages, a->as_of) : evaluate(table, &selection);
	if (a->keys == (Datum) 0)
		progress_start(&refresh->run, "applying", evaluation->count);
	a->applying = true;
	evaluation_register(evaluation);
	if (!a->evaluate_only)
	{
		refresh->run.changed += apply_rows(&refresh->run, table, a->keys, a->except, a->as_of,
										   a->rewind ? APPLY_REWIND : APPLY_REFRESH);
		refresh->run.processed += evaluation->count;
	}
	context_leave(&ctx);
	if (!a->evaluate_only)
		apply_pending(table, a->keys);
	evaluation_end(evaluation);
	SPI_finish();
}

/* NULL if it succeeded, else the error; what it counted is taken back then. */
static ErrorData *
attempt(Attempt *a)
{
	Run			before = a->refresh->run;
	ErrorData  *error = guard_run(attempt_step, a, GUARD_EXPRESSIONS);

	if (error != NULL)
		a->refresh->run = before;
	return error;
}

/* The column that fails, or NULL if it is not the evaluation that does. */
static char *
failing_column(const Attempt *a)
{
	Selection	selection = {
		.whom = a->keys != (Datum) 0 ? RULE_KEYS : a->except != (Datum) 0 ? RULE_OTHERS : RULE_EVERYBODY,
		.keys = a->keys != (Datum) 0 ? a->keys : a->except,
		.future = a->future,
	};

	return a->applying ? NULL : guard_failing_column(a->table, &selection, a->as_of);
}

/* So many that the definition must be to blame. */
static void
give_up(const Attempt *a)
{
	Failure    *first = linitial(a->failures);

	if (segment_set_aside_limit > 0)
		first->error->hint = psprintf("Expressions fail for more than %d customers (segment.set_aside_limit), so none was set aside.",
									  segment_set_aside_limit);
	guard_rethrow(a->table, first->error, first->column);
}

static bool
is_among(Datum keys, const char *key)
{
	Datum	   *values;
	int			count;

	if (keys == (Datum) 0)
		return false;
	deconstruct_array(DatumGetArrayTypeP(keys), TEXTOID, -1, false, TYPALIGN_INT, &values, NULL, &count);
	for (int i = 0; i < count; i++)
	{
		if (strcmp(TextDatumGetCString(values[i]), key) == 0)
			return true;
	}
	return false;
}

static Datum
text_array(Datum *keys, int count)
{
	return PointerGetDatum(construct_array(keys, count, TEXTOID, -1, false, TYPALIGN_INT));
}

/* Attempts it for some keys; who fails alone is noted, all others are done. */
static void
divide(Attempt *a, Datum *keys, int count)
{
	MemoryContext old = MemoryContextSwitchTo(count == 1 ? a->keep : CurrentMemoryContext);
	ErrorData  *error;
	Failure    *failure;

	CHECK_FOR_INTERRUPTS();
	a->keys = text_array(keys, count);
	error = attempt(a);
	MemoryContextSwitchTo(old);
	if (error == NULL)
		return;
	if (!guard_is_of_data(error->sqlerrcode))
		guard_rethrow(a->table, error, failing_column(a));
	if (count > 1)
	{
		FreeErrorData(error);
		divide(a, keys, count / 2);
		divide(a, keys + count / 2, count - count / 2);
		return;
	}
	MemoryContextSwitchTo(a->keep);
	failure = palloc(sizeof(Failure));
	failure->key = TextDatumGetCString(keys[0]);
	failure->error = error;
	failure->column = failing_column(a);
	a->failures = lappend(a->failures, failure);
	MemoryContextSwitchTo(old);
	if (!is_among(a->aside, failure->key))
		a->fresh++;
	if (a->refresh->fresh_asides + a->fresh > segment_set_aside_limit)
		give_up(a);
}

static void
divide_array(Attempt *a, Datum array)
{
	Datum	   *keys;
	int			count;

	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT, &keys, NULL, &count);
	if (count > 0)
		divide(a, keys, count);
}

/* The keys of failures as a text array. */
static Datum
failing_keys(List *failures)
{
	Datum	   *keys = palloc(sizeof(Datum) * Max(list_length(failures), 1));
	ListCell   *lc;

	foreach(lc, failures)
		keys[foreach_current_index(lc)] = CStringGetTextDatum(((Failure *) lfirst(lc))->key);
	return text_array(keys, list_length(failures));
}

void
process_keys(Refresh *refresh, const SegmentTable *table, Datum keys)
{
	SegmentTable merged = *table;
	Attempt		a = {
		.refresh = refresh,
		.table = &merged,
		.future = true,
		.keep = CurrentMemoryContext,
		.as_of = state_instant(refresh),
		.aside = aside_keys(table->relid, false),
	};

	/* as of after the claim: the first merge of all may have come after the definition was read */
	merged.merged = merged_any(table->relid, NULL);
	keys = keys_and_customers(&merged, keys, NULL);
	divide_array(&a, keys);
	if (a.aside != (Datum) 0)
		aside_forget(table->relid, keys, failing_keys(a.failures));
	aside_store(refresh, table, a.failures, a.as_of);
	refresh->fresh_asides += a.fresh;
}

/* The keys of everybody as text, but those in $1. */
static char *
everybody_sql(const SegmentTable *table)
{
	StringInfoData sql;
	ListCell   *lc;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT key FROM (SELECT NULL::text AS key WHERE false");
	foreach(lc, table->sources)
	{
		const Source *source = lfirst(lc);

		appendStringInfo(&sql, " UNION SELECT (%s)::%s::text FROM %s WHERE (%s) IS NOT NULL",
						 source->key, catalog_type_name(table->key_type),
						 catalog_qualified_name(source->relation), source->key);
	}
	if (table->merged)
		appendStringInfo(&sql, " UNION SELECT counts_for FROM segment.merged_keys(%u)", table->relid);
	appendStringInfoString(&sql, ") k WHERE $1 IS NULL OR NOT key = ANY ($1)");
	return sql.data;
}

/* The keys that a cursor gave, as a text array. */
static Datum
fetched_keys(void)
{
	ArrayBuildState *keys = initArrayResult(TEXTOID, CurrentMemoryContext, false);

	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		Datum		key = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull);

		keys = accumArrayResult(keys, key, isnull, TEXTOID, CurrentMemoryContext);
	}
	SPI_freetuptable(SPI_tuptable);
	return makeArrayResult(keys, CurrentMemoryContext);
}

/* Attempts it for everybody, batch by batch. */
static void
divide_everybody(void *arg)
{
	Attempt    *a = arg;
	Oid			types[] = {TEXTARRAYOID};
	Datum		values[] = {a->except};
	MemoryContext batch;
	Portal		portal;
	RunContext	ctx;

	SPI_connect();
	context_enter_owner(&ctx, a->table->owner, a->table->time_zone);
	portal = SPI_cursor_open_with_args(NULL, everybody_sql(a->table), 1, types, values,
									   a->except == (Datum) 0 ? "n" : " ", false, 0);
	batch = AllocSetContextCreate(CurrentMemoryContext, "segment batch", ALLOCSET_DEFAULT_SIZES);
	for (int64 done = 0;;)
	{
		SPI_cursor_fetch(portal, true, segment_batch_size);
		if (SPI_processed == 0)
			break;
		done += SPI_processed;
		MemoryContextSwitchTo(batch);
		divide_array(a, fetched_keys());
		MemoryContextReset(batch);
		progress_report(done);
	}
	context_leave(&ctx);
	SPI_finish();
}

/*
 * Adds to a->failures those of everybody who fail.  It is all undone, so that
 * what is applied is applied once, by the attempt for all the others.
 */
static void
find_failures(Attempt *a)
{
	bool		applying = a->applying;

	progress_start(&a->refresh->run, "finding who fails", row_estimate(a->table->relid));
	a->evaluate_only = !applying;
	a->rewind = false;
	guard_run_and_undo(divide_everybody, a);
	a->evaluate_only = false;
	a->applying = applying;
	a->keys = (Datum) 0;
}

/*
 * Those who are set aside already are looked at first: as long as the same
 * customers fail, it takes one evaluation of everybody.
 */
void
process_everybody(Refresh *refresh, bool future, bool rewind)
{
	Run			before = refresh->run;
	Attempt		a = {
		.refresh = refresh,
		.table = open_table(refresh),
		.future = future,
		.keep = CurrentMemoryContext,
		.as_of = state_instant(refresh),
		.aside = aside_keys(refresh->relid, false),
	};

	if (a.aside != (Datum) 0)
	{
		a.evaluate_only = true;
		divide_array(&a, a.aside);
		a.evaluate_only = false;
		a.keys = (Datum) 0;
		if (a.failures != NIL)
			a.except = failing_keys(a.failures);
	}
	for (;;)
	{
		int			known = list_length(a.failures);
		ErrorData  *error;

		a.rewind = rewind;
		progress_start(&refresh->run, "evaluating", row_estimate(refresh->relid));
		error = attempt(&a);
		if (error == NULL)
			break;
		/* what was cut anew in memory is undone, too */
		a.table = open_table(refresh);
		if (!guard_is_of_data(error->sqlerrcode))
			guard_rethrow(a.table, error, failing_column(&a));
		find_failures(&a);
		refresh->run = before;

		/* it may have been somebody who is suppressed: then nobody has to be set aside */
		if (list_length(a.failures) == known && (a.table->salt == NULL || a.except != (Datum) 0))
			guard_rethrow(a.table, error, failing_column(&a));
		a.except = failing_keys(a.failures);
	}
	aside_forget(refresh->relid, (Datum) 0, a.except);
	aside_store(refresh, a.table, a.failures, a.as_of);
	refresh->fresh_asides += a.fresh;
}
