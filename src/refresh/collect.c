/*
 * collect.c
 *		From the mark log to work.
 *
 * The bookmark is a snapshot: every mark visible in it has been collected.  Its
 * row is locked first and the new snapshot taken after, so of two collections
 * at once the second starts where the first ended.  A writer that commits
 * after the new snapshot is in the next collection, whenever it began.
 *
 * A collection waits for no refresh.  Where keys of a segment table are being
 * taken out of work, it puts new ones in under its own number, since the same
 * key may have been taken by a transaction that has not ended.
 */
#include "postgres.h"

#include "capture/capture.h"
#include "catalog/pg_type.h"
#include "context.h"
#include "executor/spi.h"
#include "refresh/internal.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"

/* Marks by key, from a place in each log on.  One too long for the index of work stands for everybody. */
#define MARKS(place_0, place_1) \
"(SELECT log, place, xid, tbl, CASE WHEN octet_length(key) <= 1000 THEN key END AS key, marked_at" \
" FROM (SELECT 0 AS log, ctid AS place, * FROM segment.mark_log_0 WHERE ctid >= " place_0 \
"   UNION ALL SELECT 1, ctid, * FROM segment.mark_log_1 WHERE ctid >= " place_1 ") l) m"

/* Of all segment tables, read once. */
#define STATES \
"WITH s AS MATERIALIZED (SELECT k.tbl::oid, t.collected, t.claim_from FROM segment.config_table k" \
" LEFT JOIN segment.table_state t ON t.tbl = k.tbl) "

/* Not those that a refresh in a transaction block has collected for its own table. */
#define UNCOLLECTED "NOT coalesce(pg_visible_in_snapshot(m.xid, s.collected), false)"

/* The marks between two snapshots, $1 and $2, which stand from $3 and $4 on. */
#define NEW_MARKS \
MARKS("$3", "$4") " JOIN s ON s.tbl = m.tbl" \
" WHERE NOT pg_visible_in_snapshot(m.xid, $1::pg_snapshot)" \
" AND pg_visible_in_snapshot(m.xid, $2::pg_snapshot) AND " UNCOLLECTED

static const char *const tables_sql =
STATES "SELECT m.tbl, max(m.place) FILTER (WHERE m.log = 0), max(m.place) FILTER (WHERE m.log = 1)"
" FROM " NEW_MARKS " GROUP BY m.tbl";

/*
 * $5: tables whose work is being taken out; $6: the number of this collection.
 * Of the others, no key that stands in work already, and none while everybody
 * does.  (Looked up one by one, where the live rows are; by the primary key:
 * work_queue, which is of "NOT whole", has all keys of a collection there.)
 */
static const char *const collect_sql =
STATES "INSERT INTO segment.work (tbl, whole, key, collection, marked_at)"
" SELECT m.tbl, m.key IS NULL, coalesce(m.key, ''), $6, m.marked_at"
" FROM (SELECT m.tbl, m.key, s.claim_from, min(m.marked_at) AS marked_at"
"   FROM " NEW_MARKS " GROUP BY m.tbl, m.key, s.claim_from) m"
" WHERE m.tbl = ANY ($5) OR"
"   (SELECT true FROM segment.work w WHERE w.tbl = m.tbl AND w.whole LIMIT 1) IS NULL"
"   AND (SELECT true FROM segment.work w WHERE w.tbl = m.tbl AND w.whole = (m.key IS NULL) AND w.key = m.key"
"        AND w.collection >= coalesce(m.claim_from, 0) LIMIT 1) IS NULL";

/* Under the earliest number that is looked for: the same transaction takes them out again. */
static const char *const collect_own_sql =
"INSERT INTO segment.work (tbl, whole, key, collection, marked_at)"
" SELECT m.tbl, m.key IS NULL, coalesce(m.key, ''), coalesce(s.claim_from, 0), min(m.marked_at)"
" FROM " MARKS("$3", "$4") " LEFT JOIN segment.table_state s ON s.tbl = m.tbl"
" WHERE m.tbl = $1 AND NOT pg_visible_in_snapshot(m.xid, $5::pg_snapshot)"
"   AND (pg_visible_in_snapshot(m.xid, $2::pg_snapshot)"
"        OR m.xid = pg_current_xact_id_if_assigned()) AND " UNCOLLECTED
" GROUP BY m.tbl, m.key, s.claim_from ON CONFLICT DO NOTHING";

/*
 * The current snapshot, in which this very transaction is in progress as well:
 * pg_current_snapshot() leaves it out, so marks that it writes later would
 * count as collected.
 */
static const char *const snapshot_sql =
"SELECT pg_catalog.format('%s:%s:%s', pg_snapshot_xmin(s), pg_snapshot_xmax(s),"
"   (SELECT string_agg(x::text, ',' ORDER BY x)"
"    FROM (SELECT pg_snapshot_xip(s) UNION SELECT pg_current_xact_id_if_assigned()) AS i(x)"
"    WHERE x < pg_snapshot_xmax(s)))"
" FROM pg_current_snapshot() AS s";

static void
check_isolation(void)
{
	context_need_read_committed("a refresh", "It must see what was committed after it has taken its locks.");
}

/* The row of segment.bookmark, which is locked or not. */
typedef struct Bookmark
{
	int64		collection;
	char	   *snapshot;
	int			active_log;
	Datum		places;
} Bookmark;

/* By the end of the index, and marks from their place on, whatever the planner thinks of small tables. */
static void
enter(RunContext *ctx)
{
	context_enter_catalog(ctx);
	context_set("enable_seqscan", "off");
	context_set("enable_bitmapscan", "off");
	context_set("jit", "off");
	SPI_connect();
}

static Bookmark
read_bookmark(bool lock)
{
	Bookmark	bookmark;
	HeapTuple	row;
	TupleDesc	desc;
	bool		isnull;

	run_sql(psprintf("SELECT collection, snapshot::text, active_log, places FROM segment.bookmark"
					 " ORDER BY collection DESC LIMIT 1%s", lock ? " FOR UPDATE" : ""),
			0, NULL, NULL, false);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("segment.bookmark is empty"),
				 errhint("Its one row was deleted: drop and create the extension.")));
	row = SPI_tuptable->vals[0];
	desc = SPI_tuptable->tupdesc;
	bookmark.collection = DatumGetInt64(SPI_getbinval(row, desc, 1, &isnull));
	bookmark.snapshot = SPI_getvalue(row, desc, 2);
	bookmark.active_log = DatumGetInt32(SPI_getbinval(row, desc, 3, &isnull)) & 1;
	bookmark.places = SPI_getbinval(row, desc, 4, &isnull);
	return bookmark;
}

static void
lock_logs(void)
{
	LockRelationOid(marklog_relation(0), AccessShareLock);
	LockRelationOid(marklog_relation(1), AccessShareLock);
}

/* Where the marks between two snapshots begin in each log: arguments for statements. */
static void
find_places(const Bookmark *bookmark, const char *now, Datum *values)
{
	for (int log = 0; log < 2; log++)
	{
		ItemPointer place = palloc(sizeof(ItemPointerData));

		ItemPointerSet(place, places_begin(bookmark->places, bookmark->snapshot, now, log), 0);
		values[log] = PointerGetDatum(place);
	}
}

/*
 * Looks through the new marks: tables whose work is being taken out, as an
 * array; the others stay as they are till the end.  *last: of each log the last
 * block with such a mark.
 */
static Datum
busy_tables(Oid *types, Datum *values, BlockNumber *last, bool *any)
{
	ArrayBuildState *busy = initArrayResult(OIDOID, CurrentMemoryContext, false);

	run_sql(tables_sql, 4, types, values, false);
	*any = SPI_processed > 0;
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		Datum		tbl = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull);

		if (!catalog_lock_work(DatumGetObjectId(tbl), ShareLock, false))
			accumArrayResult(busy, tbl, false, OIDOID, CurrentMemoryContext);
		for (int log = 0; log < 2; log++)
		{
			Datum		place = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc,
											  log + 2, &isnull);
			BlockNumber block;

			if (isnull)
				continue;
			block = ItemPointerGetBlockNumberNoCheck((ItemPointer) DatumGetPointer(place));
			if (last[log] == InvalidBlockNumber || block > last[log])
				last[log] = block;
		}
	}
	return makeArrayResult(busy, CurrentMemoryContext);
}

static void
store_bookmark(const Bookmark *old, const Bookmark *new)
{
	Oid			types[] = {INT8OID, TEXTOID, INT4OID, INT8ARRAYOID, INT8OID};
	Datum		values[] = {Int64GetDatum(new->collection), CStringGetTextDatum(new->snapshot),
	Int32GetDatum(new->active_log), new->places, Int64GetDatum(old->collection)};

	run_sql("UPDATE segment.bookmark SET collection = $1, snapshot = $2::pg_snapshot,"
			" active_log = $3, places = $4 WHERE collection = $5", 5, types, values, false);
}

/* Moves the marks between two snapshots to work, and notes how far that is. */
static void
collect(const Bookmark *old, Bookmark *new)
{
	Oid			types[] = {TEXTOID, TEXTOID, TIDOID, TIDOID, OIDARRAYOID, INT8OID};
	Datum		values[6];
	BlockNumber last[2] = {InvalidBlockNumber, InvalidBlockNumber};
	bool		any;

	values[0] = CStringGetTextDatum(old->snapshot);
	values[1] = CStringGetTextDatum(new->snapshot);
	find_places(old, new->snapshot, &values[2]);
	values[4] = busy_tables(types, values, last, &any);
	if (any)
	{
		values[5] = Int64GetDatum(old->collection + 1);
		run_sql(collect_sql, 6, types, values, false);
		new->collection = backlog_limit(old->collection,
										old->collection + Max((int64) SPI_processed, 1));
	}
	/* nothing new: what is noted is as good as ever, and need not be written */
	if (!marklog_rotate(new->snapshot, old->places, &new->active_log) && !any)
		return;
	if (!any)
		new->collection = old->collection + 1;
	new->places = places_note(old->places, new->snapshot, last);
	store_bookmark(old, new);
}

void
refresh_collect(void)
{
	RunContext	ctx;
	Bookmark	old;
	Bookmark	new;
	bool		isnull;

	check_isolation();
	enter(&ctx);
	old = read_bookmark(true);
	lock_logs();
	/* a statement of its own: its snapshot comes after the lock */
	run_sql(snapshot_sql, 0, NULL, NULL, false);
	new = old;
	new.snapshot = TextDatumGetCString(first_value(&isnull));
	collect(&old, &new);
	/* at last: nobody is waited for with the lock that this takes */
	backlog_compact(old.collection, new.collection);
	SPI_finish();
	context_leave(&ctx);
}

/*
 * The lock on work comes first, and that on the logs before the snapshot: a log
 * emptied in between would have held marks that the snapshot shows neither there nor in work.
 */
char *
refresh_collect_own(Oid tbl)
{
	RunContext	ctx;
	Oid			types[] = {OIDOID, TEXTOID, TIDOID, TIDOID, TEXTOID};
	Datum		values[5];
	Bookmark	bookmark;
	MemoryContext caller = CurrentMemoryContext;
	char	   *snapshot;
	bool		isnull;

	check_isolation();
	catalog_lock_work(tbl, ExclusiveLock, true);
	lock_logs();
	enter(&ctx);
	run_sql(snapshot_sql, 0, NULL, NULL, false);
	values[0] = ObjectIdGetDatum(tbl);
	values[1] = first_value(&isnull);
	snapshot = MemoryContextStrdup(caller, TextDatumGetCString(values[1]));
	/* what it says is collected stands in work when we look there; it may be later than the snapshot */
	bookmark = read_bookmark(false);
	/* later than the bookmark, and with this transaction's own marks */
	run_sql("SELECT pg_current_snapshot()::text", 0, NULL, NULL, false);
	find_places(&bookmark, TextDatumGetCString(first_value(&isnull)), &values[2]);
	values[4] = CStringGetTextDatum(bookmark.snapshot);
	run_sql(collect_own_sql, 5, types, values, false);
	SPI_finish();
	context_leave(&ctx);
	return snapshot;
}
