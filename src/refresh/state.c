/*
 * state.c
 *		What is known of a segment table's freshness: its row of table_state.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "context.h"
#include "executor/spi.h"
#include "guc.h"
#include "refresh/internal.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

/* How far the clock may go back before rows are taken for those of the future. */
#define CLOCK_TOLERANCE USECS_PER_SEC

TableState
state_read(Refresh *refresh)
{
	TableState	state = {false, false};
	Oid			types[] = {OIDOID};
	Datum		values[] = {ObjectIdGetDatum(refresh->relid)};
	TimestampTz explicit_as_of;
	TimestampTz last;
	bool		isnull;
	RunContext	ctx;

	context_enter_catalog(&ctx);
	SPI_connect();
	run_sql("SELECT as_of FROM segment.table_state WHERE tbl = $1", 1, types, values, false);
	last = DatumGetTimestampTz(first_value(&isnull));
	if (isnull)
		state.whole = true;
	else
		state.rewind = refresh->started <
			(guc_as_of(&explicit_as_of) ? last : last - CLOCK_TOLERANCE);
	refresh->latest = isnull || state.rewind ? refresh->started : Max(last, refresh->started);
	run_sql("SELECT 1 FROM segment.work WHERE tbl = $1 AND whole", 1, types, values, false);
	state.whole |= state.rewind || SPI_processed > 0;
	SPI_finish();
	context_leave(&ctx);
	return state;
}

/*
 * The clock may go back by less than counts as going back in time.  Until it
 * has come up again, rows speak of the latest instant: intervals of the history
 * would overlap otherwise.
 */
TimestampTz
state_instant(Refresh *refresh)
{
	refresh->latest = Max(refresh->latest, context_instant());
	return refresh->latest;
}

/*
 * Notes how far in time rows speak, in the transaction that writes them, so
 * that going back is seen even if this refresh does not come to its end.  The
 * clock needs that only roughly until then; keeping to it would queue up
 * refreshes.
 */
void
state_raise(Refresh *refresh, TimestampTz as_of, bool exactly)
{
	Oid			types[] = {OIDOID, TIMESTAMPTZOID, BOOLOID};
	TimestampTz explicit_as_of;
	Datum		values[] = {ObjectIdGetDatum(refresh->relid), TimestampTzGetDatum(as_of),
	BoolGetDatum(exactly || guc_as_of(&explicit_as_of))};
	RunContext	ctx;

	context_enter_catalog(&ctx);
	run_sql(UPDATE_STATE "as_of = $2 WHERE " NEWEST_STATE
			" AND as_of < CASE WHEN $3 THEN $2 ELSE $2 - interval '1 second' END",
			3, types, values, false);
	context_leave(&ctx);
}

/* Notes that everything was computed; needed before rows' instants are kept. */
void
state_store_rebuilt(Refresh *refresh, int64 ignored)
{
	Oid			types[] = {OIDOID, TIMESTAMPTZOID, INT8OID};
	Datum		values[] = {ObjectIdGetDatum(refresh->relid),
	TimestampTzGetDatum(refresh->started), Int64GetDatum(ignored)};
	RunContext	ctx;

	context_enter_catalog(&ctx);
	SPI_connect();
	run_sql(UPDATE_STATE "as_of = $2, rebuilt_at = clock_timestamp(), ignored = $3 WHERE " NEWEST_STATE,
			3, types, values, false);
	if (SPI_processed == 0)
		run_sql("INSERT INTO segment.table_state_version (tbl, as_of, rebuilt_at, next_due, ignored)"
				" VALUES ($1, $2, clock_timestamp(), 'infinity', $3)", 3, types, values, false);
	SPI_finish();
	context_leave(&ctx);
}

int64
state_claim_from(Refresh *refresh)
{
	Oid			types[] = {OIDOID};
	Datum		values[] = {ObjectIdGetDatum(refresh->relid)};

	run_sql("SELECT coalesce((SELECT claim_from FROM segment.table_state WHERE tbl = $1), 0)",
			1, types, values, false);
	return first_int64();
}

/*
 * Under a steady load it need not be known exactly: what is walked over once
 * more is little.
 */
void
state_store_claimed(Refresh *refresh, int64 collection)
{
	Oid			types[] = {OIDOID, INT8OID};
	Datum		values[] = {ObjectIdGetDatum(refresh->relid), Int64GetDatum(collection)};

	run_sql(UPDATE_STATE "claim_from = $2 WHERE " NEWEST_STATE " AND claim_from < $2 - 500",
			2, types, values, false);
}

int64
row_estimate(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	float4		estimate = 0;

	if (HeapTupleIsValid(tuple))
	{
		estimate = ((Form_pg_class) GETSTRUCT(tuple))->reltuples;
		ReleaseSysCache(tuple);
	}
	return estimate > 0 ? (int64) estimate : 0;
}
