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

/*
 * So many rows may always be written anew at once; more where they are a small
 * part of the file, up to what takes a second.
 */
#define ROWS_AT_ONCE 10000
#define MAX_ROWS_AT_ONCE 250000
#define PART_OF_FILE 4
#define BYTES_OF_ROW 60

/* Segment tables that may have more than $1 keys in work: $2 rows were put in so far. */
static const char *const candidates_sql =
"SELECT k.tbl::oid, coalesce(s.claim_from, 0) FROM segment.config_table k"
" LEFT JOIN segment.table_state s ON s.tbl = k.tbl WHERE $2 - coalesce(s.claim_from, 0) > $1";

static const char *const crowded_sql =
"SELECT FROM segment.work WHERE tbl = $1 AND NOT whole AND collection >= $2 OFFSET $3 LIMIT 1";

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

/* Puts everybody in the place of a table's keys if there are too many. */
static void
limit_table(Datum tbl, Datum claim_from, int64 collection)
{
	Oid			types[] = {OIDOID, INT8OID, INT8OID};
	Datum		values[] = {tbl, claim_from, Int64GetDatum(segment_backlog_limit)};

	run_sql(crowded_sql, 3, types, values, false);
	if (SPI_processed == 0)
		return;
	values[2] = Int64GetDatum(collection);
	run_sql(all_sql, 3, types, values, false);
	ereport(LOG,
			(errmsg("more than %d customers of segment table %u wait for a refresh, which will compute everybody",
					segment_backlog_limit, DatumGetObjectId(tbl)),
			 errhint("Refresh it more often, or raise \"segment.backlog_limit\".")));
}

/*
 * Where so many keys of a table wait that it is better computed as a whole,
 * everybody takes their place.  Looked at whenever another part of the limit
 * has been put into work; the next collection looks again if a table could not
 * be judged because it is being refreshed.
 */
int64
backlog_limit(int64 before, int64 after)
{
	int64		part = Max(segment_backlog_limit / 16, 1);
	Oid			types[] = {INT8OID, INT8OID};
	Datum		values[] = {Int64GetDatum(segment_backlog_limit), Int64GetDatum(after)};
	SPITupleTable *candidates;
	uint64		count;
	bool		missed = false;

	if (before / part == after / part)
		return after;
	run_sql(candidates_sql, 2, types, values, false);
	candidates = SPI_tuptable;
	count = SPI_processed;
	for (uint64 i = 0; i < count; i++)
	{
		bool		isnull;
		Datum		tbl = SPI_getbinval(candidates->vals[i], candidates->tupdesc, 1, &isnull);
		Datum		claim_from = SPI_getbinval(candidates->vals[i], candidates->tupdesc, 2, &isnull);

		if (catalog_lock_work(DatumGetObjectId(tbl), ShareLock, false))
			limit_table(tbl, claim_from, before + 1);
		else
			missed = true;
	}
	return missed ? (after / part + 1) * part - 1 : after;
}

/* How many rows may be written anew; none if it is small, or this very session has it in use. */
static int64
rows_at_once(Oid work)
{
	Relation	rel = table_open(work, NoLock);
	int64		bytes = (int64) RelationGetNumberOfBlocks(rel) * BLCKSZ;
	int64		rows = bytes / (PART_OF_FILE * BYTES_OF_ROW);

	if (bytes / 1024 <= segment_log_rotation_size || rel->rd_refcnt > 1 ||
		AfterTriggerPendingOnRel(work))
		rows = 0;
	else
		rows = Min(Max(rows, ROWS_AT_ONCE), MAX_ROWS_AT_ONCE);
	table_close(rel, NoLock);
	return rows;
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
	Datum		values[1];
	Oid			rows_type[] = {get_array_type(get_rel_type_id(work))};
	Datum		rows;
	int64		limit;
	int64		count;
	bool		isnull;

	if (before / LOOK_EVERY == after / LOOK_EVERY ||
		!ConditionalLockRelationOid(work, AccessExclusiveLock))
		return;
	limit = rows_at_once(work);
	if (limit == 0)
	{
		UnlockRelationOid(work, AccessExclusiveLock);
		return;
	}
	values[0] = Int64GetDatum(limit + 1);
	run_sql(live_sql, 1, types, values, false);
	rows = first_value(&isnull);
	count = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull));
	if (count > limit)
	{
		UnlockRelationOid(work, AccessExclusiveLock);
		return;
	}
	run_sql("TRUNCATE segment.work", 0, NULL, NULL, false);
	if (count > 0)
		run_sql("INSERT INTO segment.work SELECT (w).* FROM unnest($1) w", 1, rows_type, &rows, false);
}
