/*
 * recut.c
 *		New cut points for bands, and everybody banded by them.
 *
 * A rebuild reads the events once: it evaluates everybody up to the bands,
 * makes their cut points from these rows, and goes on from them.  A recut needs
 * no event: scores stand in the segment table, and only the band and what reads
 * it is computed again.
 */
#include "postgres.h"

#include "capture/capture.h"
#include "catalog/pg_type.h"
#include "catalog/trust.h"
#include "context.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "refresh/internal.h"
#include "rule/rule.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(segment_recut);
PG_FUNCTION_INFO_V1(segment_band_shares);

bool
band_is_cut(const SegmentTable *table, const Column *band)
{
	return catalog_band_cuts(table->relid, band->name,
							 rule_band_type(table, linitial(band->depends), band->name)) != NULL;
}

/* Those of the registered rows who will have a row in the table. */
static const char *
present_rows(const SegmentTable *table)
{
	return psprintf("(SELECT * FROM %s WHERE %s%s)", ROWS_NAME, PRESENT_COLUMN,
					catalog_find_column(table, ELIGIBLE_NAME) != NULL ? " AND " ELIGIBLE_NAME : "");
}

/*
 * Makes the cut points of the closed bands whose score is known in the
 * registered rows; returns those that are still closed.
 */
static List *
open_bands(const SegmentTable *table, List *closed, List *known, TimestampTz as_of)
{
	List	   *still = NIL;
	List	   *open = NIL;
	ListCell   *lc;

	foreach(lc, closed)
	{
		Column	   *band = catalog_find_column(table, strVal(lfirst(lc)));

		if (list_member(known, makeString(linitial(band->depends))))
			open = lappend(open, band);
		else
			still = lappend(still, lfirst(lc));
	}
	cuts_make(table, open, present_rows(table), as_of);

	/* none could be opened: a column is gone, and the next stage says which */
	return list_length(still) < list_length(closed) ? still : NIL;
}

/* Cuts the bands whose scores stand in the segment table; returns the others. */
static List *
open_from_table(const SegmentTable *table, const Stages *stages, TimestampTz as_of)
{
	List	   *still = NIL;
	List	   *open = NIL;
	ListCell   *lc;

	foreach(lc, stages->bands)
	{
		Column	   *band = catalog_find_column(table, strVal(lfirst(lc)));

		if (list_member(stages->again, makeString(linitial(band->depends))))
			still = lappend(still, lfirst(lc));
		else
			open = lappend(open, band);
	}
	cuts_make(table, open, catalog_qualified_name(table->relid), as_of);
	return still;
}

Evaluation *
evaluate_and_recut(const SegmentTable *table, const Stages *stages, TimestampTz as_of)
{
	Evaluation *evaluation = NULL;
	List	   *closed = stages->again == NIL ? stages->bands :
		open_from_table(table, stages, as_of);
	List	   *known = NIL;

	for (;;)
	{
		const char *rows = evaluation == NULL ? NULL : ROWS_NAME;
		bool		complete;
		char	   *sql = stages->again == NIL ?
			rule_stage_sql(table, stages->except != (Datum) 0 ? RULE_OTHERS : RULE_EVERYBODY,
						   stages->future, rows, closed, &known, &complete) :
			rule_again_sql(table, stages->again, stages->except != (Datum) 0, rows, closed,
						   &known, &complete);
		Evaluation *stage = evaluate_query(table, sql, stages->except);

		if (evaluation != NULL)
			evaluation_end(evaluation);
		evaluation = stage;
		if (complete)
			return evaluation;
		evaluation_register(evaluation);
		closed = open_bands(table, closed, known, as_of);
	}
}

List *
all_bands(const SegmentTable *table)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, table->columns)
	{
		Column	   *column = lfirst(lc);

		if (column->kind == COLUMN_BAND)
			result = lappend(result, makeString(column->name));
	}
	return result;
}

static bool
reads_moving_column(const SegmentTable *table, const Column *column)
{
	ListCell   *lc;

	foreach(lc, column->depends)
	{
		Column	   *read = catalog_find_column(table, lfirst(lc));

		if (read != NULL && read->unanalyzed != NULL)
			return true;
	}
	return false;
}

/* Does time change one of these columns (of String)? */
static bool
some_move(const SegmentTable *table, List *again)
{
	ListCell   *lc;

	foreach(lc, again)
	{
		if (catalog_find_column(table, strVal(lfirst(lc)))->crossings != NIL)
			return true;
	}
	return false;
}

/*
 * Is there, among a band and what reads it, an expression whose value can't be
 * had from the row?  One that is good for refreshed_at alone, because of more
 * than the columns that it reads, or because one of these will be as of now; or
 * one that is exact at every instant but reads a column that is not, such as a
 * threshold on what decays: its value and when that changes follow from what
 * the column is now.
 */
static bool
needs_events(const SegmentTable *table, List *again)
{
	bool		moves = some_move(table, again);
	ListCell   *lc;

	foreach(lc, again)
	{
		Column	   *column = catalog_find_column(table, strVal(lfirst(lc)));

		if (column->unanalyzed == NULL ? reads_moving_column(table, column) :
			(moves || rule_is_moving(rule_check(column->expression, table, SCOPE_ROW, table->relid,
												column->name)->node, NULL)))
			return true;
	}
	return false;
}

int64
recut_band(Refresh *refresh, const SegmentTable *table, Column *band)
{
	TimestampTz as_of = state_instant(refresh);
	List	   *again = rule_readers(table, band->name);
	char	   *name = catalog_qualified_name(table->relid);
	int64		written = -1;
	bool		from_events = false;
	Stages		stages = {.future = true,.except = aside_keys(table->relid, false)};
	Evaluation *evaluation = NULL;
	RunContext	ctx;

	SPI_connect();
	state_raise(refresh, as_of, true);
	context_enter_owner(&ctx, table->owner, table->time_zone);
	context_set_as_of(as_of);
	if (refresh->nonatomic)
		run_sql("SET CONSTRAINTS ALL IMMEDIATE", 0, NULL, NULL, false);
	if (cuts_count_scores(list_make1(band), name)[0] > 0)
	{
		PushActiveSnapshot(GetTransactionSnapshot());
		from_events = needs_events(table, again);
		PopActiveSnapshot();
		stages.bands = list_make1(makeString(band->name));
		stages.again = from_events ? NIL : again;
		evaluation = evaluate_and_recut(table, &stages, as_of);
		evaluation_register(evaluation);

		/* what time changes holds now, and need not have held when the row was refreshed */
		written = apply_rows(&refresh->run, table, (Datum) 0, stages.except, as_of,
							 from_events ? APPLY_REFRESH : some_move(table, again) && catalog_all_exact(table) ?
							 APPLY_NEW_COLUMNS : APPLY_AGAIN);
		refresh->run.processed += evaluation->count;
	}
	context_leave(&ctx);
	if (evaluation != NULL)
	{
		if (from_events)
			apply_pending(table, (Datum) 0);
		else
			apply_next_due(table);
		evaluation_end(evaluation);
		wake_at_commit();
	}
	SPI_finish();
	return written;
}

typedef struct RecutStep
{
	Refresh    *refresh;
	const SegmentTable *table;
	Column	   *band;
} RecutStep;

static void
recut_step(void *arg)
{
	RecutStep  *step = arg;

	step->refresh->run.changed += Max(recut_band(step->refresh, step->table, step->band), 0);
}

bool
try_recut(Refresh *refresh, const SegmentTable *table, Column *band)
{
	RecutStep	step = {.refresh = refresh,.table = table,.band = band};
	Run			before = refresh->run;

	if (guard_run(recut_step, &step, GUARD_DATA) == NULL)
		return true;
	refresh->run = before;
	return false;
}

static void
check_recut(FunctionCallInfo fcinfo)
{
	static const char *const names[] = {"tbl", "band"};

	context_refuse_nulls(fcinfo, lengthof(names), names);
	context_need_read_committed("a recut", "Rows may have been refreshed since an older snapshot was taken.");
}

/* The band of that name; error if there is none. */
static Column *
require_band(const SegmentTable *table, const char *name)
{
	Column	   *band = catalog_find_column(table, name);

	if (band == NULL || band->kind != COLUMN_BAND)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("segment table %s has no band \"%s\"",
						catalog_qualified_name(table->relid), name),
				 errhint("See the view segment.bands.")));
	return band;
}

/* recut(tbl, band) */
Datum
segment_recut(PG_FUNCTION_ARGS)
{
	Refresh		refresh = {0};
	SegmentTable *table;
	Column	   *band;
	int64		written;

	check_recut(fcinfo);
	context_refuse_standby("segment.recut()");
	refresh.relid = PG_GETARG_OID(0);
	catalog_load(refresh.relid);
	catalog_check_owner(refresh.relid);
	catalog_lock_work(refresh.relid, ExclusiveLock, true);
	/* not before the lock: what it waited for may speak of a later instant */
	refresh.started = context_instant();
	table = open_table(&refresh);
	band = require_band(table, text_to_cstring(PG_GETARG_TEXT_PP(1)));
	if (state_read(&refresh).rewind)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("a recut can not go back in time"),
				 errdetail("Rows of %s speak of a later instant than %s.",
						   catalog_qualified_name(refresh.relid), timestamptz_to_str(refresh.started)),
				 errhint("CALL segment.rebuild() undoes what was later, and makes new cut points.")));
	run_start(&refresh.run, refresh.relid, "recut");

	/* cut points between scores that wait to be computed anew would be of the old ones */
	if (compute_new_columns(&refresh, table))
	{
		table = open_table(&refresh);
		band = require_band(table, band->name);
	}
	written = recut_band(&refresh, table, band);
	progress_end();
	refresh.run.changed = Max(written, 0);
	changes_announce(&refresh);
	run_finish(&refresh.run);
	if (written < 0)
		ereport(NOTICE,
				(errmsg("no customer has a score for band \"%s\"", band->name),
				 errdetail("Its cut points stay as they are.")));
	PG_RETURN_VOID();
}

/* band_shares(tbl, band) → numeric[], or NULL if nobody has a band, or the column or the table is gone */
Datum
segment_band_shares(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	SegmentTable *table;
	Column	   *band;
	Oid			types[] = {INT4OID};
	Datum		values[1];
	Datum		result;
	bool		isnull;
	RunContext	ctx;

	/* what was dropped, since or by hand, the view shows among the others all the same */
	if (get_rel_name(relid) == NULL)
		PG_RETURN_NULL();
	trust_check_reader(relid);
	LockRelationOid(relid, AccessShareLock);
	if (get_rel_name(relid) == NULL)
		PG_RETURN_NULL();
	/* as the view's snapshot has it: the band may have been dropped since */
	table = catalog_load_as_of(relid, GetActiveSnapshot());
	band = require_band(table, text_to_cstring(PG_GETARG_TEXT_PP(1)));
	if (get_attnum(relid, band->name) == InvalidAttrNumber)
		PG_RETURN_NULL();
	values[0] = Int32GetDatum(band->bands);
	/* as the owner: code that he attaches to his table must not run as who looks at the view */
	context_enter_owner(&ctx, table->owner, table->time_zone);
	SPI_connect();
	run_sql(psprintf("SELECT CASE WHEN count(share) > 0 THEN array_agg(share ORDER BY band) END FROM"
					 " (SELECT b.band, round(coalesce(c.customers, 0) / sum(c.customers) OVER (), 4) AS share"
					 "   FROM generate_series(1, $1) b(band) LEFT JOIN"
					 "   (SELECT %s AS band, count(*) AS customers FROM %s GROUP BY 1) c"
					 "   ON c.band = b.band) s", quote_identifier(band->name), catalog_qualified_name(relid)),
			1, types, values, true);
	result = first_value(&isnull);
	if (!isnull)
		result = SPI_datumTransfer(result, false, -1);
	SPI_finish();
	context_leave(&ctx);
	if (isnull)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(result);
}
