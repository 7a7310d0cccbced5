/*
 * newcolumns.c
 *		Columns that were defined, or defined anew, since everybody was computed.
 *
 * What reads nothing but the row needs no event: scores stand in the segment
 * table.
 */
#include "postgres.h"

#include "capture/capture.h"
#include "catalog/pg_type.h"
#include "context.h"
#include "executor/spi.h"
#include "refresh/internal.h"
#include "rule/rule.h"

/* Keys of customers who wait to be computed from the events, or are set aside; or 0. */
static Datum
dirty_keys(const SegmentTable *table)
{
	Oid			types[] = {OIDOID};
	Datum		values[] = {ObjectIdGetDatum(table->relid)};
	Datum		keys;
	bool		isnull;
	RunContext	ctx;

	context_enter_catalog(&ctx);
	run_sql("SELECT array_agg(key) FROM (SELECT key FROM segment.work WHERE tbl = $1 AND NOT whole"
			" UNION SELECT key FROM segment.aside WHERE tbl = $1) k",
			1, types, values, false);
	keys = first_value(&isnull);
	context_leave(&ctx);
	return isnull ? (Datum) 0 : keys_and_customers(table, keys, NULL);
}

/*
 * Computes columns (of String), cutting bands among them, from the stored rows.
 * Who is dirty or due is left to the batches, or he would be for a moment in
 * what he never was in.  A row that is written speaks of the present instant
 * from now on; unless some column of it would have to be computed from the
 * events for that.
 */
static void
compute(Refresh *refresh, const SegmentTable *table, List *again, List *bands)
{
	TimestampTz as_of = state_instant(refresh);
	Stages		stages = {.bands = bands, .again = again};
	Evaluation *evaluation;
	RunContext	ctx;

	SPI_connect();
	state_raise(refresh, as_of, true);
	stages.except = dirty_keys(table);
	context_enter_owner(&ctx, table->owner, table->time_zone);
	context_set_as_of(as_of);
	if (refresh->nonatomic)
		run_sql("SET CONSTRAINTS ALL IMMEDIATE", 0, NULL, NULL, false);
	evaluation = evaluate_and_recut(table, &stages, as_of);
	progress_start(&refresh->run, "applying", evaluation->count);
	evaluation_register(evaluation);
	refresh->run.changed += apply_rows(&refresh->run, table, (Datum) 0, (Datum) 0, as_of,
									   catalog_all_exact(table) ? APPLY_NEW_COLUMNS : APPLY_AGAIN);
	refresh->run.processed += evaluation->count;
	context_leave(&ctx);
	apply_next_due(table);
	evaluation_end(evaluation);
	SPI_finish();
	wake_at_commit();
}

static List *
new_column_names(const SegmentTable *table)
{
	List	   *names = NIL;
	ListCell   *lc;

	foreach(lc, catalog_new_columns(table->relid))
		names = lappend(names, makeString(lfirst(lc)));
	return names;
}

/* The bands among some columns that have no cut points. */
static List *
uncut_bands(const SegmentTable *table, List *names)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, list_intersection(all_bands(table), names))
	{
		if (!band_is_cut(table, catalog_find_column(table, strVal(lfirst(lc)))))
			result = lappend(result, lfirst(lc));
	}
	return result;
}

bool
new_band_waits(const SegmentTable *table)
{
	return uncut_bands(table, new_column_names(table)) != NIL;
}

bool
compute_new_columns(Refresh *refresh, const SegmentTable *table)
{
	List	   *names = new_column_names(table);
	List	   *again = NIL;
	ListCell   *lc;

	if (names == NIL)
		return false;
	progress_start(&refresh->run, "computing new columns", 0);
	catalog_forget_new_columns(table->relid);
	foreach(lc, names)
		again = list_union(again, rule_readers(table, strVal(lfirst(lc))));
	compute(refresh, table, again, uncut_bands(table, names));
	return true;
}

typedef struct NewColumnsStep
{
	Refresh    *refresh;
	const SegmentTable *table;
	bool		some;
} NewColumnsStep;

static void
new_columns_step(void *arg)
{
	NewColumnsStep *step = arg;

	step->some = compute_new_columns(step->refresh, step->table);
}

NewColumns
try_new_columns(Refresh *refresh, const SegmentTable *table)
{
	NewColumnsStep step = {.refresh = refresh,.table = table};
	Run			before = refresh->run;

	if (guard_run(new_columns_step, &step, GUARD_DATA) == NULL)
		return step.some ? NEW_COLUMNS_DONE : NEW_COLUMNS_NONE;
	refresh->run = before;
	return NEW_COLUMNS_FAIL;
}
