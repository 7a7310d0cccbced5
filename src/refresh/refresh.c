/*
 * refresh.c
 *		CALL segment.refresh and CALL segment.rebuild.
 *
 * A refresh is a row of steps, each a transaction of its own when called
 * outside a transaction block: record the start; collect; process batch after
 * batch; compute new columns; note how fresh the table is.  A step that fails or is killed is
 * undone whole, and what it had claimed is work again.
 *
 * In each step locks come first: that on the table's work, then the segment
 * table, and only then the snapshot in which events are read.
 */
#include "postgres.h"

#include "access/xact.h"
#include "capture/capture.h"
#include "catalog/pg_type.h"
#include "catalog/trust.h"
#include "context.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "guc.h"
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

PG_FUNCTION_INFO_V1(segment_refresh);
PG_FUNCTION_INFO_V1(segment_rebuild);

/* Ends a step: commits it, and frees what it used. */
static void
end_step(Refresh *refresh)
{
	MemoryContextReset(refresh->step_context);
	if (refresh->nonatomic)
	{
		changes_announce(refresh);
		SPI_commit();
	}
	CHECK_FOR_INTERRUPTS();
}

/* The segment table as it is defined, before it is known whether its expressions can be read. */
static SegmentTable *
load_table(Refresh *refresh)
{
	SegmentTable *table;
	ListCell   *lc;

	LockRelationOid(refresh->relid, RowExclusiveLock);
	if (get_rel_name(refresh->relid) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", refresh->relid),
				 errdetail("It was dropped while it was being refreshed.")));
	PushActiveSnapshot(GetTransactionSnapshot());
	/* who renames what the expressions read, has ended or waits */
	foreach(lc, catalog_load_sources(refresh->relid))
		LockRelationOid(((Source *) lfirst(lc))->relation, AccessShareLock);
	table = catalog_load(refresh->relid);
	PopActiveSnapshot();
	catalog_check_owner(refresh->relid);
	check_shape(table);
	check_history(table);
	foreach(lc, table->sources)
		trust_check_source(table, ((Source *) lfirst(lc))->relation);
	return table;
}

SegmentTable *
open_table(Refresh *refresh)
{
	SegmentTable *table = load_table(refresh);

	rule_check_trust_again(table);
	return table;
}

/*
 * Puts back triggers that are missing; what they missed means a rebuild, which
 * is noted also if triggers stay disabled and the refresh has to fail.  Returns
 * the command that enables these.
 */
static char *
ensure_triggers(Refresh *refresh)
{
	SegmentTable *table = load_table(refresh);
	bool		missing = false;
	char	   *disabled = NULL;
	RunContext	ctx;
	ListCell   *lc;

	PushActiveSnapshot(GetTransactionSnapshot());
	context_enter_owner(&ctx, table->owner, table->time_zone);
	foreach(lc, table->sources)
	{
		rule_follow_renames(table, lfirst(lc), true);
		missing |= capture_install(lfirst(lc), &disabled);
	}
	context_leave(&ctx);
	PopActiveSnapshot();
	if (missing)
		marklog_append_all(refresh->relid);
	return disabled == NULL ? NULL : MemoryContextStrdup(refresh->run_context, disabled);
}

static void
refuse_disabled(Refresh *refresh, const char *command)
{
	if (command != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("triggers of a source of %s are disabled, so changes go unnoticed",
						catalog_qualified_name(refresh->relid)),
				 errhint("As the source's owner, run: %s. The next refresh then rebuilds the table.",
						 command)));
}

typedef struct Survey
{
	const SegmentTable *table;
	int64		ignored;		/* events that can not count */
	bool		future;			/* some may lie in the future */
} Survey;

/* One pass over each source. */
static void
survey_step(void *arg)
{
	Survey	   *survey = arg;
	RunContext	ctx;
	ListCell   *lc;

	survey->ignored = 0;
	survey->future = false;
	SPI_connect();
	context_enter_owner(&ctx, survey->table->owner, survey->table->time_zone);
	context_set_as_of(context_instant());
	foreach(lc, survey->table->sources)
	{
		Source	   *source = lfirst(lc);
		bool		isnull;

		if (source->kind != SOURCE_EVENTS)
			continue;
		guard_run_sql(psprintf("SELECT count(*) FILTER (WHERE (%s) IS NULL OR (%s) IS NULL),"
							   " count(*) FILTER (WHERE (%s) > segment.now()) FROM %s",
							   source->key, source->at, source->at,
							   catalog_qualified_name(source->relation)), 0, NULL, NULL,
					  guard_subject(survey->table, ""));
		survey->ignored += first_int64();
		survey->future |= DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
											   2, &isnull)) > 0;
	}
	context_leave(&ctx);
	SPI_finish();
}

/* Where an instant can't be read, that of a customer who will be set aside, nothing is known. */
static Survey
survey_sources(const SegmentTable *table)
{
	Survey		survey = {.table = table};

	if (guard_run(survey_step, &survey, GUARD_DATA) != NULL)
	{
		survey.ignored = 0;
		survey.future = true;
	}
	return survey;
}

/*
 * Everybody, in one transaction: readers see the old rows until it commits.
 * The lock on work keeps out batches, whose rows it could otherwise overwrite
 * with older ones; readers and writers of events it does not touch.
 */
static void
process_whole(Refresh *refresh, bool rewind)
{
	MemoryContext old = MemoryContextSwitchTo(refresh->step_context);
	SegmentTable *table;
	Survey		survey;

	catalog_lock_work(refresh->relid, ExclusiveLock, true);
	table = open_table(refresh);
	progress_start(&refresh->run, "surveying", 0);
	claim_all(refresh);
	catalog_forget_new_columns(refresh->relid);
	survey = survey_sources(table);
	state_store_rebuilt(refresh, survey.ignored);
	process_everybody(refresh, survey.future, rewind);
	MemoryContextSwitchTo(old);
	end_step(refresh);
	progress_end();
}

/*
 * One batch; returns whether there may be more.  Who is marked comes before who
 * is due, so that a customer who buys does not wait for all those whom a
 * midnight has made due; but these get their half of each batch.
 */
static bool
process_batch(Refresh *refresh)
{
	MemoryContext old = MemoryContextSwitchTo(refresh->step_context);
	SegmentTable *table;
	int64		due;
	int64		limit;
	int64		marked;
	Datum		keys;
	bool		more;

	catalog_lock_work(refresh->relid, ExclusiveLock, true);
	table = open_table(refresh);
	due = Min(due_ready(refresh, table), segment_batch_size);
	/* a band that was cut before, this batch would take away until it is cut again */
	if (new_band_waits(table))
	{
		if (try_new_columns(refresh, table) == NEW_COLUMNS_FAIL)
		{
			MemoryContextSwitchTo(old);
			process_whole(refresh, false);
			return true;
		}
		table = open_table(refresh);
	}
	limit = segment_batch_size - Min(due, segment_batch_size / 2);
	marked = limit;
	keys = claim_keys(refresh, due, &marked);
	if (keys != (Datum) 0)
		process_keys(refresh, table, keys);
	more = marked == limit || due_left(refresh);
	MemoryContextSwitchTo(old);
	end_step(refresh);
	return more;
}

/*
 * Who is marked while a crowd is worked off that is due need not wait for all
 * of it.  Else, what is collected while a refresh runs is for the next: one
 * could go on for ever.
 */
static void
collect_meanwhile(Refresh *refresh)
{
	if (!refresh->nonatomic || !due_left(refresh))
		return;
	refresh_collect();
	end_step(refresh);
}

/* Columns that are new, after the batches: no row is the poorer for waiting. */
static bool
process_new_columns(Refresh *refresh)
{
	MemoryContext old = MemoryContextSwitchTo(refresh->step_context);
	NewColumns	outcome = NEW_COLUMNS_NONE;

	if (catalog_new_columns(refresh->relid) != NIL)
	{
		catalog_lock_work(refresh->relid, ExclusiveLock, true);
		outcome = try_new_columns(refresh, open_table(refresh));
		progress_end();
	}
	MemoryContextSwitchTo(old);
	if (outcome == NEW_COLUMNS_FAIL)
		process_whole(refresh, false);
	else
		end_step(refresh);
	return outcome != NEW_COLUMNS_NONE;
}

/* Bands that have no cut points yet get them as soon as somebody has a score. */
static void
cut_missing(Refresh *refresh)
{
	MemoryContext old = MemoryContextSwitchTo(refresh->step_context);
	SegmentTable *table;
	bool		some;
	bool		fails = false;
	ListCell   *lc;

	PushActiveSnapshot(GetTransactionSnapshot());
	some = all_bands(catalog_load(refresh->relid)) != NIL;
	PopActiveSnapshot();
	if (some)
	{
		catalog_lock_work(refresh->relid, ExclusiveLock, true);
		table = open_table(refresh);
		foreach(lc, table->columns)
		{
			Column	   *band = lfirst(lc);

			if (!fails && band->kind == COLUMN_BAND && !band_is_cut(table, band))
				fails = !try_recut(refresh, table, band);
		}
	}
	MemoryContextSwitchTo(old);
	if (fails)
		process_whole(refresh, false);
	else
		end_step(refresh);
}

/*
 * The instant at which the next customer falls due, while nobody writes rows.
 * It is never before the last one noted, so that the search needs not walk over
 * the index entries of all who were due before.
 */
static void
note_freshness(Refresh *refresh)
{
	MemoryContext old = MemoryContextSwitchTo(refresh->step_context);
	SegmentTable *table;
	Oid			types[] = {OIDOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID};
	Datum		values[] = {ObjectIdGetDatum(refresh->relid),
	TimestampTzGetDatum(Max(refresh->started, refresh->latest)), (Datum) 0, (Datum) 0};
	Oid			keyed[] = {TIMESTAMPTZOID, TEXTARRAYOID};
	bool		isnull;
	RunContext	ctx;

	catalog_lock_work(refresh->relid, ExclusiveLock, true);
	table = open_table(refresh);
	values[3] = aside_keys(refresh->relid, false);
	SPI_connect();
	context_enter_catalog(&ctx);
	run_sql("SELECT next_due FROM segment.table_state WHERE tbl = $1", 1, types, values, false);
	values[2] = first_value(&isnull);
	context_leave(&ctx);
	context_enter_owner(&ctx, table->owner, table->time_zone);
	context_set("enable_seqscan", "off");
	context_set("enable_bitmapscan", "off");
	run_sql(psprintf("SELECT coalesce(min(valid_until), 'infinity') FROM %s"
					 " WHERE valid_until >= $1 AND valid_until < 'infinity'%s",
					 catalog_qualified_name(refresh->relid), not_aside(table, values[3], "$2")),
			values[3] != (Datum) 0 ? 2 : 1, keyed, &values[2], false);
	values[2] = first_value(&isnull);
	context_leave(&ctx);
	context_enter_catalog(&ctx);
	values[3] = CStringGetTextDatum(refresh->collected != NULL ? refresh->collected : "");
	run_sql(UPDATE_STATE "as_of = greatest(as_of, $2), next_due ="
			" least($3, (SELECT min(due) FROM segment.pending WHERE tbl = $1 AND due >= next_due),"
			"   (SELECT min(greatest(retry_at, $2)) FROM segment.aside WHERE tbl = $1)),"
			" collected = coalesce(nullif($4, '')::pg_snapshot, collected) WHERE " NEWEST_STATE,
			4, types, values, false);
	context_leave(&ctx);
	SPI_finish();
	changes_trim(refresh, table);
	MemoryContextSwitchTo(old);
	wake_at_commit();
}

static void
run_refresh(FunctionCallInfo fcinfo, bool rebuild)
{
	Refresh		refresh = {0};
	TableState	state;
	char	   *disabled;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("tbl must not be null")));
	context_refuse_standby(rebuild ? "segment.rebuild()" : "segment.refresh()");
	refresh.relid = PG_GETARG_OID(0);
	refresh.rebuild = rebuild;
	refresh.nonatomic = fcinfo->context && IsA(fcinfo->context, CallContext) &&
		!castNode(CallContext, fcinfo->context)->atomic;
	catalog_load(refresh.relid);
	catalog_check_owner(refresh.relid);

	SPI_connect_ext(refresh.nonatomic ? SPI_OPT_NONATOMIC : 0);
	refresh.run_context = CurrentMemoryContext;
	refresh.step_context = AllocSetContextCreate(CurrentMemoryContext, "segment refresh step",
												 ALLOCSET_DEFAULT_SIZES);
	run_start(&refresh.run, refresh.relid, rebuild ? "rebuild" : "refresh");
	end_step(&refresh);

	/* no step gives back its locks then, and definitions lock in this order, too */
	if (!refresh.nonatomic)
		catalog_lock_work(refresh.relid, ExclusiveLock, true);
	disabled = ensure_triggers(&refresh);
	end_step(&refresh);
	refuse_disabled(&refresh, disabled);
	if (refresh.nonatomic)
		refresh_collect();
	else
		refresh.collected = refresh_collect_own(refresh.relid);
	end_step(&refresh);

	refresh.started = context_instant();
	state = state_read(&refresh);
	if (state.rewind)
		ereport(WARNING,
				(errmsg("segment table %s goes back in time", catalog_qualified_name(refresh.relid)),
				 errdetail("What its history says of the time after %s is undone.",
						   timestamptz_to_str(refresh.started))));
	if (rebuild || state.whole)
		process_whole(&refresh, state.rewind);
	while (process_batch(&refresh))
		collect_meanwhile(&refresh);
	if (process_new_columns(&refresh) || refresh.run.changed > 0)
		cut_missing(&refresh);
	note_freshness(&refresh);
	run_finish(&refresh.run);
	aside_warn(&refresh);
	changes_announce(&refresh);
	end_step(&refresh);
	SPI_finish();
}

/* CALL refresh(tbl regclass) */
Datum
segment_refresh(PG_FUNCTION_ARGS)
{
	run_refresh(fcinfo, false);
	PG_RETURN_VOID();
}

/* CALL rebuild(tbl regclass) */
Datum
segment_rebuild(PG_FUNCTION_ARGS)
{
	run_refresh(fcinfo, true);
	PG_RETURN_VOID();
}
