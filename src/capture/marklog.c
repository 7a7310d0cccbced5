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
#include "executor/spi.h"
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

#define BOOKMARK_ACTIVE_LOG 3

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
	SysScanDesc scan;
	HeapTuple	tuple;

	*known = ConditionalLockRelationOid(bookmark, AccessShareLock);
	if (!*known)
		return 0;
	rel = table_open(bookmark, NoLock);
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;

		active = DatumGetInt32(heap_getattr(tuple, BOOKMARK_ACTIVE_LOG,
											RelationGetDescr(rel), &isnull)) & 1;
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return active;
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
	logs.log[0] = context_relation("mark_log_0");
	logs.log[1] = context_relation("mark_log_1");
	logs.known = true;			/* unless invalidated while we read */
	logs.preferred = read_active_log(&known);
	if (!known)
		logs.known = false;
}

/*
 * Opens a log with ROW EXCLUSIVE on it until the transaction ends: the one this
 * transaction has taken before, else the preferred one, else the other.
 */
static Relation
open_log(FullTransactionId xid)
{
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
	return table_open(logs.log[n], NoLock);
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
		heap_insert(writer->log, writer->first, GetCurrentCommandId(true), 0, NULL);
		heap_freetuple(writer->first);
	}
	else
	{
		heap_multi_insert(writer->log, writer->slots, writer->count,
						  GetCurrentCommandId(true), 0, NULL);
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

static uint64
execute(const char *format, int n)
{
	return context_run(psprintf(format, n), 0, NULL, NULL, NULL, false);
}

/*
 * Empties the log that writers are to leave, if nobody holds it and every mark
 * in it has been collected; false if it stays as it is.
 */
static bool
empty_log(int n)
{
	if (!ConditionalLockRelationOid(logs.log[n], AccessExclusiveLock))
		return false;

	/*
	 * A mark may have been committed after the bookmark's snapshot was taken;
	 * one of this very transaction may be followed by others under its xid.
	 */
	if (execute("SELECT FROM segment.mark_log_%d AS m, segment.bookmark AS b"
				" WHERE NOT pg_visible_in_snapshot(m.xid, b.snapshot)"
				" OR m.xid = pg_current_xact_id_if_assigned() LIMIT 1", n) > 0)
	{
		UnlockRelationOid(logs.log[n], AccessExclusiveLock);
		return false;
	}
	execute("TRUNCATE segment.mark_log_%d", n);
	return true;
}

void
marklog_rotate(void)
{
	RunContext	ctx;
	int			active;
	bool		known;

	/* with an older snapshot than the locks, one can't judge what is left */
	if (IsolationUsesXactSnapshot())
		return;
	know_logs();
	active = read_active_log(&known);
	if (!known)
		return;

	SPI_connect();
	context_enter_catalog(&ctx);
	if ((log_size(1 - active) == 0 || empty_log(1 - active)) &&
		log_size(active) > segment_log_rotation_size)
	{
		execute("UPDATE segment.bookmark SET active_log = %d", 1 - active);
		CacheInvalidateRelcacheByRelid(logs.log[0]);
	}
	context_leave(&ctx);
	SPI_finish();
}
