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
#include "executor/tstoreReceiver.h"
#include "guc.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "refresh/internal.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/queryenvironment.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"

/* Work is looked at whenever about so many rows have been put in. */
#define LOOK_EVERY 4096

/*
 * So many rows may always be written anew; more where they are no larger part of
 * the file, so that writing them costs less than what left the dead ones behind.
 */
#define ROWS_AT_ONCE 10000
#define PART_OF_FILE 4
#define BYTES_OF_ROW 60

#define LIVE_NAME "segment_work_live"

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
"SELECT w.* FROM segment.config_table k LEFT JOIN segment.table_state s ON s.tbl = k.tbl"
" CROSS JOIN LATERAL (SELECT w.* FROM segment.work w WHERE w.tbl = k.tbl AND NOT w.whole"
"     AND w.collection >= coalesce(s.claim_from, 0)"
"   UNION ALL SELECT w.* FROM segment.work w WHERE w.tbl = k.tbl AND w.whole) w LIMIT $1";

static const char *const put_back_sql =
"INSERT INTO segment.work SELECT * FROM " LIVE_NAME;

/* Has the count of rows put in passed a multiple of so many? */
static bool
passed(int64 every, int64 before, int64 after)
{
	return before / every != after / every;
}

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

	if (!passed(part, before, after))
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

/*
 * How many rows may be written anew now; none if it is too early, work is small,
 * or this very session has it in use.  The more may be read in vain, the more
 * must have come since; in powers of two, for a file that grows with the rows
 * would put it off for ever.
 */
static int64
rows_at_once(Oid work, int64 before, int64 after)
{
	Relation	rel;
	int64		bytes;
	int64		rows;

	if (!passed(LOOK_EVERY, before, after))
		return 0;
	rel = table_open(work, AccessShareLock);
	bytes = (int64) RelationGetNumberOfBlocks(rel) * BLCKSZ;
	rows = bytes / (PART_OF_FILE * BYTES_OF_ROW);
	if (bytes / 1024 <= segment_log_rotation_size || rel->rd_refcnt > 1 ||
		AfterTriggerPendingOnRel(work))
		rows = 0;
	else if (rows < ROWS_AT_ONCE ||
			 !passed(LOOK_EVERY * pg_nextpower2_64(rows / ROWS_AT_ONCE), before, after))
		rows = ROWS_AT_ONCE;
	table_close(rel, NoLock);
	return rows;
}

/* At most so many of the rows that count; they need memory only up to work_mem. */
static Tuplestorestate *
live_rows(int64 most)
{
	Tuplestorestate *rows = tuplestore_begin_heap(false, false, work_mem);
	ParamListInfo params = makeParamList(1);
	SPIExecuteOptions options = {.params = params};

	params->params[0].value = Int64GetDatum(most);
	params->params[0].isnull = false;
	params->params[0].ptype = INT8OID;
	params->params[0].pflags = PARAM_FLAG_CONST;
	options.dest = CreateTuplestoreDestReceiver();
	SetTuplestoreDestReceiverParams(options.dest, rows, CurrentMemoryContext, false, NULL, NULL);
	if (SPI_execute_extended(live_sql, &options) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not read segment.work")));
	options.dest->rDestroy(options.dest);
	return rows;
}

/* Leaves nothing but these rows in work, in a new file. */
static void
write_anew(Oid work, Tuplestorestate *rows)
{
	EphemeralNamedRelationData enr = {
		.md = {
			.name = LIVE_NAME,
			.reliddesc = work,
			.enrtype = ENR_NAMED_TUPLESTORE,
			.enrtuples = tuplestore_tuple_count(rows),
		},
		.reldata = rows,
	};

	run_sql("TRUNCATE segment.work", 0, NULL, NULL, false);
	if (SPI_register_relation(&enr) != SPI_OK_REL_REGISTER)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not register rows of segment.work")));
	run_sql(put_back_sql, 0, NULL, NULL, false);
	SPI_unregister_relation(LIVE_NAME);
}

/*
 * Where few rows are left in a large file, they are written to a new one.  Under
 * an old snapshot VACUUM could not do it.  No writer of events waits, who never
 * looks at work; nor does this wait: either the lock is free, or work stays as it is.
 */
void
backlog_compact(int64 before, int64 after)
{
	Oid			work = context_relation("work");
	int64		limit = rows_at_once(work, before, after);
	Tuplestorestate *rows;

	if (limit == 0 || !ConditionalLockRelationOid(work, AccessExclusiveLock))
		return;
	rows = live_rows(limit + 1);
	if (tuplestore_tuple_count(rows) <= limit)
		write_anew(work, rows);
	else
		UnlockRelationOid(work, AccessExclusiveLock);
	tuplestore_end(rows);
}
