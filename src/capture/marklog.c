/*
 * marklog.c
 *		Appending marks, and emptying the logs they stand in.
 *
 * A writer holds ROW EXCLUSIVE on its log until its transaction ends, so
 * whoever holds ACCESS EXCLUSIVE knows that no mark in it is uncommitted.
 * Whatever lock is asked for, the writer takes the other log rather than wait.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "capture/capture_private.h"
#include "catalog/pg_type.h"
#include "context.h"
#include "guc.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"

/* Columns of a mark log, as sql/capture.sql orders them. */
enum
{
	MARK_XID, MARK_TBL, MARK_KEY, MARK_AT, MARK_COLUMNS
};

#define BOOKMARK_ACTIVE_LOG 3	/* of sql/capture.sql, too */

/* Never a block that has room further in front. */
#define AT_THE_END HEAP_INSERT_SKIP_FSM

/* Marks written at once. */
#define MARKS_AT_ONCE 512

/*
 * What this backend remembers of the logs; forgotten when a log's relation
 * cache entry is invalidated, by which a rotation announces itself.
 */
static struct
{
	bool		known;
	bool		callback;		/* is forget_logs registered? */
	Oid			log[2];
	int			preferred;		/* only a hint */
	FullTransactionId xid;		/* the last transaction that wrote marks here, */
	int			used;			/* and the log it took */
}			logs;

static void
forget_logs(Datum arg, Oid relid)
{
	if (!OidIsValid(relid) || relid == logs.log[0] || relid == logs.log[1])
		logs.known = false;
}

/*
 * Which log writers are to prefer; 0 if the bookmark can't be read without
 * waiting, and then *known is false.
 */
static int
read_active_log(bool *known)
{
	Oid			bookmark = context_relation("bookmark");
	int			active = 0;
	Relation	rel;
	Relation	index;
	SysScanDesc scan;
	HeapTuple	tuple;

	*known = ConditionalLockRelationOid(bookmark, AccessShareLock);
	if (!*known)
		return 0;
	rel = table_open(bookmark, NoLock);
	/* the newest entry of the index: under an old snapshot many dead ones lie below it */
	index = index_open(context_relation("bookmark_pkey"), AccessShareLock);
	scan = systable_beginscan_ordered(rel, index, NULL, 0, NULL);
	tuple = systable_getnext_ordered(scan, BackwardScanDirection);
	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;

		active = DatumGetInt32(heap_getattr(tuple, BOOKMARK_ACTIVE_LOG,
											RelationGetDescr(rel), &isnull)) & 1;
	}
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
	table_close(rel, AccessShareLock);
	return active;
}

Oid
marklog_relation(int log)
{
	return context_relation(log == 0 ? "mark_log_0" : "mark_log_1");
}

static void
know_logs(void)
{
	bool		known;

	if (!logs.callback)
	{
		CacheRegisterRelcacheCallback(forget_logs, (Datum) 0);
		logs.callback = true;
	}
	if (logs.known)
		return;
	logs.log[0] = marklog_relation(0);
	logs.log[1] = marklog_relation(1);
	logs.known = true;			/* unless invalidated while we read */
	logs.preferred = read_active_log(&known);
	if (!known)
		logs.known = false;
}

/*
 * Opens a log with ROW EXCLUSIVE on it until the transaction ends: the one this
 * transaction has taken before, else the preferred one, else the other.  What
 * is appended starts at its last block, wherever this session wrote before:
 * collections rely on it (places.c).
 */
static Relation
open_log(FullTransactionId xid)
{
	Relation	rel;
	int			n;

	know_logs();
	n = FullTransactionIdEquals(logs.xid, xid) ? logs.used : logs.preferred;
	if (!ConditionalLockRelationOid(logs.log[n], RowExclusiveLock))
	{
		if (ConditionalLockRelationOid(logs.log[1 - n], RowExclusiveLock))
			n = 1 - n;
		else
			LockRelationOid(logs.log[n], RowExclusiveLock);
	}
	logs.xid = xid;
	logs.used = n;
	rel = table_open(logs.log[n], NoLock);
	RelationSetTargetBlock(rel, InvalidBlockNumber);
	return rel;
}

void
mark_begin(MarkWriter *writer, Oid tbl)
{
	FullTransactionId xid = GetTopFullTransactionId();

	memset(writer, 0, sizeof(MarkWriter));
	writer->log = open_log(xid);
	writer->xid = FullTransactionIdGetDatum(xid);
	writer->tbl = ObjectIdGetDatum(tbl);
	writer->marked_at = TimestampTzGetDatum(GetCurrentTimestamp());
}

static void
flush_marks(MarkWriter *writer)
{
	if (writer->count == 0)
		return;
	if (writer->slots == NULL)
	{
		heap_insert(writer->log, writer->first, GetCurrentCommandId(true), AT_THE_END, NULL);
		heap_freetuple(writer->first);
	}
	else
	{
		heap_multi_insert(writer->log, writer->slots, writer->count,
						  GetCurrentCommandId(true), AT_THE_END, NULL);
		for (int i = 0; i < writer->count; i++)
			ExecClearTuple(writer->slots[i]);
	}
	writer->count = 0;
}

/* Puts a tuple, which it frees later, among those waiting. */
static void
store_mark(MarkWriter *writer, HeapTuple tuple)
{
	TupleTableSlot **slot = &writer->slots[writer->count++];

	if (*slot == NULL)
		*slot = MakeSingleTupleTableSlot(RelationGetDescr(writer->log), &TTSOpsHeapTuple);
	ExecStoreHeapTuple(tuple, *slot, true);
}

void
mark_put(MarkWriter *writer, const char *key, Size length)
{
	Datum		values[MARK_COLUMNS];
	bool		nulls[MARK_COLUMNS] = {false};
	HeapTuple	tuple;
	text	   *string = NULL;

	CHECK_FOR_INTERRUPTS();
	if (writer->count == MARKS_AT_ONCE)
		flush_marks(writer);

	values[MARK_XID] = writer->xid;
	values[MARK_TBL] = writer->tbl;
	values[MARK_KEY] = (Datum) 0;
	values[MARK_AT] = writer->marked_at;
	nulls[MARK_KEY] = key == NULL;
	if (key != NULL)
	{
		string = cstring_to_text_with_len(key, (int) length);
		values[MARK_KEY] = PointerGetDatum(string);
	}
	tuple = heap_form_tuple(RelationGetDescr(writer->log), values, nulls);
	if (string != NULL)
		pfree(string);

	if (writer->count == 0 && writer->slots == NULL)
	{
		writer->first = tuple;
		writer->count = 1;
		return;
	}
	if (writer->slots == NULL)
	{
		writer->slots = palloc0(MARKS_AT_ONCE * sizeof(TupleTableSlot *));
		writer->count = 0;
		store_mark(writer, writer->first);
	}
	store_mark(writer, tuple);
}

void
mark_end(MarkWriter *writer)
{
	flush_marks(writer);
	for (int i = 0; writer->slots != NULL && i < MARKS_AT_ONCE; i++)
		if (writer->slots[i] != NULL)
			ExecDropSingleTupleTableSlot(writer->slots[i]);
	table_close(writer->log, NoLock);
	wake_at_commit();
}

void
marklog_append(Oid tbl, List *keys)
{
	MarkWriter	writer;
	ListCell   *lc;

	if (keys == NIL)
		return;
	mark_begin(&writer, tbl);
	foreach(lc, keys)
		mark_put(&writer, lfirst(lc), strlen(lfirst(lc)));
	mark_end(&writer);
}

void
marklog_append_all(Oid tbl)
{
	MarkWriter	writer;

	mark_begin(&writer, tbl);
	mark_put(&writer, NULL, 0);
	mark_end(&writer);
}

/* Size of a log in kB, or -1 if that can't be known without waiting. */
static int64
log_size(int n)
{
	Relation	rel;
	int64		blocks;

	if (!ConditionalLockRelationOid(logs.log[n], AccessShareLock))
		return -1;
	rel = table_open(logs.log[n], NoLock);
	blocks = RelationGetNumberOfBlocks(rel);
	table_close(rel, AccessShareLock);
	return blocks * (BLCKSZ / 1024);
}

/*
 * Empties a log if nobody holds it and every mark in it has been collected;
 * false if it stays as it is.
 */
static bool
empty_log(int n, const char *collected, BlockNumber begin)
{
	Oid			types[] = {TEXTOID, TIDOID};
	ItemPointerData place;
	Relation	rel;
	bool		in_use;
	Datum		values[2];

	if (!ConditionalLockRelationOid(logs.log[n], AccessExclusiveLock))
		return false;
	/* nor can it be emptied under a cursor of this very session */
	rel = table_open(logs.log[n], NoLock);
	in_use = rel->rd_refcnt > 1;
	table_close(rel, NoLock);

	/*
	 * A mark may have been committed after the bookmark's snapshot was taken;
	 * one of this very transaction may be followed by others under its xid.
	 */
	ItemPointerSet(&place, begin, 0);
	values[0] = CStringGetTextDatum(collected);
	values[1] = PointerGetDatum(&place);
	if (in_use ||
		context_run(psprintf("SELECT FROM segment.mark_log_%d AS m WHERE ctid >= $2"
							 " AND (NOT pg_visible_in_snapshot(m.xid, $1::pg_snapshot)"
							 " OR m.xid = pg_current_xact_id_if_assigned()) LIMIT 1", n),
					2, types, values, NULL, false) > 0)
	{
		UnlockRelationOid(logs.log[n], AccessExclusiveLock);
		return false;
	}
	context_run(psprintf("TRUNCATE segment.mark_log_%d", n), 0, NULL, NULL, NULL, false);
	return true;
}

bool
marklog_rotate(const char *collected, Datum places, int *active)
{
	int			other = 1 - *active;
	bool		emptied = false;
	int64		size;
	int64		left;

	know_logs();
	left = log_size(other);
	if (left > 0)
	{
		emptied = empty_log(other, collected, places_unfinished(places, collected, other));
		if (emptied)
			left = 0;
	}
	size = log_size(*active);

	/* one that can't be emptied may take marks again, so that the other can be */
	if (left >= 0 && size - left > segment_log_rotation_size)
	{
		*active = other;
		CacheInvalidateRelcacheByRelid(logs.log[0]);
		return true;
	}
	return emptied;
}
