/*
 * newcolumns.c
 *		Columns that were defined, or defined anew, since everybody was computed.
 *
 * What reads nothing but the row needs no event: scores stand in the segment
 * table.  Customers who are due are left to the batches.
 */
#include "postgres.h"

#include "capture/capture.h"
#include "context.h"
#include "executor/spi.h"
#include "refresh/internal.h"
#include "rule/rule.h"

/* Does every column hold for an interval, and not as of refreshed_at alone? */
static bool
all_exact(const SegmentTable *table)
{
	ListCell   *lc;

	foreach(lc, table->columns)
	{
		if (((Column *) lfirst(lc))->unanalyzed != NULL)
			return false;
	}
	return true;
}

/*
 * Computes columns (of String) from the stored rows.  A row that is written
 * speaks of the present instant from now on; unless some column of it would
 * have to be computed from the events for that.
 */
static void
compute(Refresh *refresh, const SegmentTable *table, List *again)
{
	TimestampTz as_of = state_instant(refresh);
	Evaluation *evaluation;
	RunContext	ctx;

	SPI_connect();
	state_raise(refresh, as_of, true);
	context_enter_owner(&ctx, table->owner, table->time_zone);
	context_set_as_of(as_of);
	if (refresh->nonatomic)
		run_sql("SET CONSTRAINTS ALL IMMEDIATE", 0, NULL, NULL, false);
	evaluation = evaluate_query(table, rule_again_sql(table, again), (Datum) 0, false);
	progress_start(&refresh->run, "applying", evaluation->count);
	evaluation_register(evaluation);
	refresh->run.changed += apply_rows(table, (Datum) 0, as_of,
									   all_exact(table) ? APPLY_NEW_COLUMNS : APPLY_AGAIN);
	refresh->run.processed += evaluation->count;
	context_leave(&ctx);
	apply_next_due(table);
	evaluation_end(evaluation);
	SPI_finish();
	wake_at_commit();
}

/* The bands among some columns (of String) that have no cut points. */
static List *
uncut_bands(const SegmentTable *table, List *names)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, table->columns)
	{
		Column	   *column = lfirst(lc);

		if (column->kind == COLUMN_BAND && list_member(names, makeString(column->name)) &&
			!band_is_cut(table, column))
			result = lappend(result, column);
	}
	return result;
}

/* Takes the first band out of a list that reads none of the others: what it ranks is known. */
static Column *
take_next_band(const SegmentTable *table, List **bands)
{
	ListCell   *lc,
			   *lc2;

	foreach(lc, *bands)
	{
		Column	   *band = lfirst(lc);
		bool		ready = true;

		foreach(lc2, *bands)
		{
			Column	   *other = lfirst(lc2);

			ready &= other == band ||
				!list_member(rule_readers(table, other->name), makeString(band->name));
		}
		if (ready)
		{
			*bands = foreach_delete_current(*bands, lc);
			return band;
		}
	}
	return NULL;
}

static List *
new_column_names(Oid relid)
{
	List	   *names = NIL;
	ListCell   *lc;

	foreach(lc, catalog_new_columns(relid))
		names = lappend(names, makeString(lfirst(lc)));
	return names;
}

bool
new_band_waits(const SegmentTable *table)
{
	return uncut_bands(table, new_column_names(table->relid)) != NIL;
}

bool
compute_new_columns(Refresh *refresh, const SegmentTable *table)
{
	List	   *names = new_column_names(table->relid);
	List	   *again = NIL;
	List	   *uncut = uncut_bands(table, names);
	Column	   *band;
	ListCell   *lc;

	if (names == NIL)
		return false;
	progress_start(&refresh->run, "computing new columns", 0);
	catalog_forget_new_columns(table->relid);
	foreach(lc, names)
		again = list_union(again, rule_readers(table, strVal(lfirst(lc))));

	/* bands, and what reads them, when they are cut: that comes after their scores */
	foreach(lc, uncut)
		again = list_difference(again, rule_readers(table, ((Column *) lfirst(lc))->name));
	if (again != NIL)
		compute(refresh, table, again);
	while ((band = take_next_band(table, &uncut)) != NULL)
	{
		int64		written = recut_band(refresh, table, band);

		/* no customer has a score: neither has a band, old or new */
		if (written < 0)
			compute(refresh, table, rule_readers(table, band->name));
		else
			refresh->run.changed += written;
	}
	return true;
}
