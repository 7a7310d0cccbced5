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

#include "access/xact.h"
#include "capture/capture.h"
#include "catalog/pg_type.h"
#include "context.h"
#include "executor/spi.h"
#include "refresh/internal.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"

/* Marks by key.  One too long for the index of work stands for everybody. */
#define MARKS \
"(SELECT xid, tbl, CASE WHEN octet_length(key) <= 1000 THEN key END AS key, marked_at" \
" FROM (SELECT * FROM segment.mark_log_0 UNION ALL SELECT * FROM segment.mark_log_1) l) m"

/* Not those that a refresh in a transaction block has collected for its own table. */
#define UNCOLLECTED \
"NOT EXISTS (SELECT FROM segment.table_state s" \
" WHERE s.tbl = m.tbl AND pg_visible_in_snapshot(m.xid, s.collected))"

/* The marks between two snapshots, $1 and $2. */
#define NEW_MARKS \
MARKS " WHERE m.xid >= pg_snapshot_xmin($1::pg_snapshot)" \
" AND NOT pg_visible_in_snapshot(m.xid, $1::pg_snapshot)" \
" AND pg_visible_in_snapshot(m.xid, $2::pg_snapshot)" \
" AND m.tbl IN (SELECT tbl FROM segment.config_table) AND " UNCOLLECTED

static const char *const tables_sql = "SELECT DISTINCT m.tbl FROM " NEW_MARKS;

/* $3: tables whose work is being taken out */
static const char *const collect_sql =
"INSERT INTO segment.work (tbl, whole, key, collection, marked_at)"
" SELECT m.tbl, m.key IS NULL, coalesce(m.key, ''),"
"   CASE WHEN m.tbl = ANY ($3) THEN pg_current_xact_id()::text::bigint ELSE 0 END, min(m.marked_at)"
" FROM " NEW_MARKS
" GROUP BY m.tbl, m.key ON CONFLICT DO NOTHING";

static const char *const collect_own_sql =
"INSERT INTO segment.work (tbl, whole, key, collection, marked_at)"
" SELECT m.tbl, m.key IS NULL, coalesce(m.key, ''), pg_current_xact_id()::text::bigint,"
"   min(m.marked_at)"
" FROM " MARKS " WHERE m.tbl = $1"
"   AND NOT pg_visible_in_snapshot(m.xid, (SELECT snapshot FROM segment.bookmark))"
"   AND (pg_visible_in_snapshot(m.xid, $2::pg_snapshot)"
"        OR m.xid = pg_current_xact_id_if_assigned()) AND " UNCOLLECTED
" GROUP BY m.tbl, m.key ON CONFLICT DO NOTHING";

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
	if (IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("a refresh needs a READ COMMITTED transaction"),
				 errdetail("It must see what was committed after it has taken its locks."),
				 errhint("Call it outside a transaction block, or begin with ISOLATION LEVEL READ COMMITTED.")));
}

/* Tables with new marks whose work is being taken out, as an array; the others stay as they are till the end. */
static Datum
busy_tables(Datum *snapshots)
{
	Oid			types[] = {TEXTOID, TEXTOID};
	ArrayBuildState *busy = initArrayResult(OIDOID, CurrentMemoryContext, false);

	run_sql(tables_sql, 2, types, snapshots, false);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		Datum		tbl = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull);

		if (!catalog_lock_work(DatumGetObjectId(tbl), ShareLock, false))
			accumArrayResult(busy, tbl, false, OIDOID, CurrentMemoryContext);
	}
	return makeArrayResult(busy, CurrentMemoryContext);
}

void
refresh_collect(void)
{
	RunContext	ctx;
	Oid			types[] = {TEXTOID, TEXTOID, OIDARRAYOID};
	Datum		values[3];
	bool		isnull;

	check_isolation();
	context_enter_catalog(&ctx);
	SPI_connect();
	run_sql("SELECT snapshot::text FROM segment.bookmark FOR UPDATE", 0, NULL, NULL, false);
	values[0] = first_value(&isnull);
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("segment.bookmark is empty"),
				 errhint("Its one row was deleted: drop and create the extension.")));
	/* a statement of its own: its snapshot comes after the lock */
	run_sql(snapshot_sql, 0, NULL, NULL, false);
	values[1] = first_value(&isnull);
	values[2] = busy_tables(values);
	run_sql(collect_sql, 3, types, values, false);
	run_sql("UPDATE segment.bookmark SET snapshot = $1::pg_snapshot", 1, types, &values[1], false);
	SPI_finish();
	context_leave(&ctx);
	marklog_rotate();
}

/*
 * The lock on work comes first, and that on the logs before the snapshot: a log
 * emptied in between would have held marks that the snapshot shows neither there nor in work.
 */
char *
refresh_collect_own(Oid tbl)
{
	RunContext	ctx;
	Oid			types[] = {OIDOID, TEXTOID};
	Datum		values[2];
	MemoryContext caller = CurrentMemoryContext;
	char	   *snapshot;
	bool		isnull;

	check_isolation();
	catalog_lock_work(tbl, ExclusiveLock, true);
	LockRelationOid(context_relation("mark_log_0"), AccessShareLock);
	LockRelationOid(context_relation("mark_log_1"), AccessShareLock);
	context_enter_catalog(&ctx);
	SPI_connect();
	run_sql(snapshot_sql, 0, NULL, NULL, false);
	values[0] = ObjectIdGetDatum(tbl);
	values[1] = first_value(&isnull);
	snapshot = MemoryContextStrdup(caller, TextDatumGetCString(values[1]));
	run_sql(collect_own_sql, 2, types, values, false);
	SPI_finish();
	context_leave(&ctx);
	return snapshot;
}
