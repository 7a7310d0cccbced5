/*
 * collect.c
 *		From the mark log to work.
 *
 * The bookmark is a snapshot: every mark visible in it has been collected.  Its
 * row is locked first and the new snapshot taken after, so of two collections
 * at once the second starts where the first ended.  A writer that commits
 * after the new snapshot is in the next collection, whenever it began.
 */
#include "postgres.h"

#include "access/xact.h"
#include "capture/capture.h"
#include "catalog/pg_type.h"
#include "context.h"
#include "executor/spi.h"
#include "refresh/internal.h"
#include "utils/datum.h"

/*
 * Everybody who inserts into work does so in the order of its key, so that no
 * two wait for each other.
 *
 * A key too long for the index of work stands for everybody, so that one
 * table's keys never stop the collection of another's.
 */
static const char *const collect_sql =
"INSERT INTO segment.work (tbl, whole, key, marked_at)"
" SELECT m.tbl, m.key IS NULL, coalesce(m.key, ''), min(m.marked_at)"
" FROM (SELECT xid, tbl, CASE WHEN octet_length(key) <= 1000 THEN key END AS key, marked_at"
"   FROM (SELECT * FROM segment.mark_log_0 UNION ALL SELECT * FROM segment.mark_log_1) l) m"
" WHERE m.xid >= pg_snapshot_xmin($1::pg_snapshot)"
"   AND NOT pg_visible_in_snapshot(m.xid, $1::pg_snapshot)"
"   AND (pg_visible_in_snapshot(m.xid, $2::pg_snapshot)"
"        OR m.xid = pg_current_xact_id_if_assigned())"
"   AND m.tbl IN (SELECT tbl FROM segment.config_table)"
" GROUP BY m.tbl, m.key"
" ORDER BY m.tbl, m.key IS NULL, m.key COLLATE \"C\""
" ON CONFLICT DO NOTHING";

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

void
refresh_collect(bool may_rotate)
{
	RunContext	ctx;
	Oid			types[] = {TEXTOID, TEXTOID};
	Datum		values[2];
	bool		isnull;

	if (IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("a refresh needs a READ COMMITTED transaction"),
				 errdetail("It must see what was committed after it has taken its locks."),
				 errhint("Call it outside a transaction block, or begin with ISOLATION LEVEL READ COMMITTED.")));

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
	run_sql(collect_sql, 2, types, values, false);
	run_sql("UPDATE segment.bookmark SET snapshot = $1::pg_snapshot", 1, types, &values[1], false);
	SPI_finish();
	context_leave(&ctx);

	if (may_rotate)
		marklog_rotate();
}
