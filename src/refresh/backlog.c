/*
 * backlog.c
 *		Keeps segment.work small: many keys of a table become everybody, and dead
 *		rows that an old snapshot keeps are left behind in an old file.
 */
#include "postgres.h"

#include "access/table.h"
#include "capture/capture.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "context.h"
#include "executor/spi.h"
#include "guc.h"
#include "refresh/internal.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* Work is looked at whenever about so many rows have been put in. */
#define LOOK_EVERY 4096

/* Not more rows are written anew at once. */
#define ROWS_AT_ONCE 10000

/* Segment tables with more than $1 keys in work, if so many can be: $2 rows were put in so far. */
static const char *const crowded_sql =
"SELECT k.tbl::oid, coalesce(s.claim_from, 0) FROM segment.config_table k"
" LEFT JOIN segment.table_state s ON s.tbl = k.tbl"
" WHERE $2 - coalesce(s.claim_from, 0) > $1"
" AND (SELECT true FROM segment.work w WHERE w.tbl = k.tbl AND NOT w.whole"
"      AND w.collection >= coalesce(s.claim_from, 0) OFFSET $1 LIMIT 1)";

static const char *const all_sql =
"WITH gone AS (DELETE FROM segment.work WHERE tbl = $1 AND NOT whole AND collection >= $2 RETURNING marked_at)"
" INSERT INTO segment.work (tbl, whole, key, collection, marked_at)"
" SELECT $1, true, '', $3, min(marked_at) FROM gone"
" WHERE NOT EXISTS (SELECT FROM segment.work WHERE tbl = $1 AND whole) HAVING count(*) > 0";

static const char *const live_sql =
"SELECT array_agg(w), count(*) FROM (SELECT w FROM segment.config_table k"
" LEFT JOIN segment.table_state s ON s.tbl = k.tbl"
" CROSS JOIN LATERAL (SELECT w FROM segment.work w WHERE w.tbl = k.tbl AND NOT w.whole"
"     AND w.collection >= coalesce(s.claim_from, 0)"
"   UNION ALL SELECT w FROM segment.work w WHERE w.tbl = k.tbl AND w.whole) w LIMIT $1) w";

/*
 * Where so many keys of a table wait that it is better computed as a whole,
 * everybody takes their place.  Looked at whenever another part of the limit
 * has been put into work.  Tables that are being refreshed wait for the next
 * time.
 */
void
backlog_limit(int64 before, int64 after)
{
	int64		part = Max(segment_backlog_limit / 16, 1);
	Oid			types[] = {INT8OID, INT8OID};
	Datum		values[] = {Int64GetDatum(segment_backlog_limit), Int64GetDatum(after)};
	SPITupleTable *crowded;
	uint64		count;

	if (before / part == after / part)
		return;
	run_sql(crowded_sql, 2, types, values, false);
	crowded = SPI_tuptable;
	count = SPI_processed;
	for (uint64 i = 0; i < count; i++)
	{
		bool		isnull;
		Oid			all_types[] = {OIDOID, INT8OID, INT8OID};
		Datum		all_values[] = {SPI_getbinval(crowded->vals[i], crowded->tupdesc, 1, &isnull),
		SPI_getbinval(crowded->vals[i], crowded->tupdesc, 2, &isnull), Int64GetDatum(before + 1)};

		if (!catalog_lock_work(DatumGetObjectId(all_values[0]), ShareLock, false))
			continue;
		run_sql(all_sql, 3, all_types, all_values, false);
		ereport(LOG,
				(errmsg("more than %d customers of segment table %u wait for a refresh, which will compute everybody",
						segment_backlog_limit, DatumGetObjectId(all_values[0])),
				 errhint("Refresh it more often, or raise \"segment.backlog_limit\".")));
	}
}

/* Is it small, or does this very session have it in use? */
static bool
better_left(Oid work)
{
	Relation	rel = table_open(work, NoLock);
	int64		size = (int64) RelationGetNumberOfBlocks(rel) * (BLCKSZ / 1024);
	bool		left = size <= segment_log_rotation_size || rel->rd_refcnt > 1 ||
		AfterTriggerPendingOnRel(work);

	table_close(rel, NoLock);
	return left;
}

/*
 * Where few rows are left in a large file, they are written to a new one.  Under
 * an old snapshot VACUUM could not do it.  Nobody waits for longer than these
 * few rows take: either the lock is free, or it stays as it is.
 */
void
backlog_compact(int64 before, int64 after)
{
	Oid			work = context_relation("work");
	Oid			types[] = {INT8OID};
	Datum		values[] = {Int64GetDatum(ROWS_AT_ONCE + 1)};
	Oid			rows_type[] = {get_array_type(get_rel_type_id(work))};
	Datum		rows;
	int64		count;
	bool		isnull;

	if (before / LOOK_EVERY == after / LOOK_EVERY ||
		!ConditionalLockRelationOid(work, AccessExclusiveLock))
		return;
	if (better_left(work))
	{
		UnlockRelationOid(work, AccessExclusiveLock);
		return;
	}
	run_sql(live_sql, 1, types, values, false);
	rows = first_value(&isnull);
	count = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull));
	if (count > ROWS_AT_ONCE)
	{
		UnlockRelationOid(work, AccessExclusiveLock);
		return;
	}
	run_sql("TRUNCATE segment.work", 0, NULL, NULL, false);
	if (count > 0)
		run_sql("INSERT INTO segment.work SELECT (w).* FROM unnest($1) w", 1, rows_type, &rows, false);
}
