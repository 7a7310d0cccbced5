/*
 * apply.c
 *		Computed rows into the segment table and its history.
 *
 * One statement, so that a reader sees all of it or nothing.  It compares
 * images, so that any type of column will do, and touches only rows that
 * differ.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "context.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "refresh/internal.h"
#include "rule/rule.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

/* Columns of the table that are computed: all but the rule of eligibility. */
static List *
stored_columns(const SegmentTable *table)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, table->columns)
	{
		Column	   *column = lfirst(lc);

		if (column->kind != COLUMN_ELIGIBLE)
			result = lappend(result, column);
	}
	return result;
}

/* ", prefix.column" for each stored column. */
static void
append_columns(StringInfo sql, const SegmentTable *table, const char *prefix)
{
	ListCell   *lc;

	foreach(lc, stored_columns(table))
		appendStringInfo(sql, ", %s%s", prefix,
						 quote_identifier(((Column *) lfirst(lc))->name));
}

char *
same_key(const SegmentTable *table, const char *left, const char *right)
{
	const char *key = quote_identifier(table->key_name);

	return psprintf("%s.%s %s %s.%s", left, key, catalog_equality(table->key_type), right, key);
}

/* Rows that are new or differ, and rows that have to go. */
static void
append_differences(StringInfo sql, const SegmentTable *table, const char *name,
				   const char *key, bool keyed, bool excepting, ApplyMode mode)
{
	/* who is back: intervals of a row that was deleted by hand are open still */
	appendStringInfo(sql, "WITH diff AS MATERIALIZED (SELECT n.*, o.%s IS NULL AS __segment_is_new,"
					 " o.%s IS NULL AND EXISTS (SELECT FROM %s h WHERE %s AND h.left_at IS NULL)"
					 " AS __segment_is_back", key, key, catalog_qualified_name(table->history),
					 same_key(table, "h", "n"));
	history_append_before(sql, table);
	appendStringInfo(sql, " FROM %s n LEFT JOIN %s o ON %s WHERE n.%s"
					 " AND (o.%s IS NULL OR %s ROW(o.valid_until",
					 ROWS_NAME, name, same_key(table, "o", "n"), PRESENT_COLUMN, key,
					 mode >= APPLY_AGAIN ? "" : "o.refreshed_at > $1 OR");
	append_columns(sql, table, "o.");
	appendStringInfoString(sql, ")::record OPERATOR(pg_catalog.*<>) ROW(n.valid_until");
	append_columns(sql, table, "n.");
	appendStringInfo(sql, ")::record)), gone AS MATERIALIZED (SELECT o.%s", key);
	history_append_before(sql, table);
	appendStringInfo(sql, " FROM %s o WHERE NOT EXISTS (SELECT FROM %s n WHERE %s AND n.%s)",
					 name, ROWS_NAME, same_key(table, "n", "o"), PRESENT_COLUMN);
	if (mode >= APPLY_AGAIN)
		appendStringInfoString(sql, " AND false");
	if (keyed || excepting)
		appendStringInfo(sql, " AND %so.%s %s ANY (SELECT __segment_u::%s FROM unnest($2) __segment_u)",
						 keyed ? "" : "NOT ", key, catalog_equality(table->key_type), catalog_type_name(table->key_type));
	appendStringInfoChar(sql, ')');
}

static void
append_writes(StringInfo sql, const SegmentTable *table, const char *name, const char *key,
			  ApplyMode mode)
{
	ListCell   *lc;

	appendStringInfo(sql, ", updated AS (UPDATE %s t SET%s valid_until = d.valid_until", name,
					 mode == APPLY_AGAIN ? "" : " refreshed_at = $1,");
	foreach(lc, stored_columns(table))
	{
		const char *column = quote_identifier(((Column *) lfirst(lc))->name);

		appendStringInfo(sql, ", %s = d.%s", column, column);
	}
	appendStringInfo(sql, " FROM diff d WHERE %s AND NOT d.__segment_is_new RETURNING 1)"
					 ", inserted AS (INSERT INTO %s (%s, refreshed_at, valid_until",
					 same_key(table, "t", "d"), name, key);
	append_columns(sql, table, "");
	appendStringInfo(sql, ") SELECT %s, $1, valid_until", key);
	append_columns(sql, table, "");
	appendStringInfo(sql, " FROM diff WHERE __segment_is_new RETURNING 1)"
					 ", deleted AS (DELETE FROM %s t USING gone g WHERE %s RETURNING 1)",
					 name, same_key(table, "t", "g"));
}

static bool
has_deferrable_trigger(Oid relid)
{
	Relation	rel = table_open(relid, AccessShareLock);
	bool		found = false;

	for (int i = 0; !found && rel->trigdesc != NULL && i < rel->trigdesc->numtriggers; i++)
		found = rel->trigdesc->triggers[i].tgdeferrable;
	table_close(rel, NoLock);
	return found;
}

/* PostgreSQL says that a deferred trigger can't fire, and not what to do. */
static void
hint_at_deferred(void *arg)
{
	if (geterrcode() == ERRCODE_INSUFFICIENT_PRIVILEGE)
		errhint("Constraints of a segment table must not be deferred while it is written: run SET CONSTRAINTS ALL IMMEDIATE first.");
}

void
apply_sql(const SegmentTable *table, const char *sql, int nargs, Oid *types, Datum *values)
{
	ErrorContextCallback callback = {.callback = hint_at_deferred,.previous = error_context_stack};

	if (has_deferrable_trigger(table->relid) ||
		(get_rel_name(table->history) != NULL && has_deferrable_trigger(table->history)))
		error_context_stack = &callback;
	guard_run_sql(sql, nargs, types, values, psprintf("writing %s", guard_subject(table, NULL)));
	error_context_stack = callback.previous;
}

void
count_moves(Run *run, int column)
{
	bool		isnull;

	run->entered += DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
												column, &isnull));
	run->left += DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
											 column + 1, &isnull));
}

static HistoryScope
history_scope(const SegmentTable *table, bool keyed, ApplyMode mode)
{
	if (keyed)
		return HISTORY_OF_KEYS;
	if (mode != APPLY_REFRESH)
		return HISTORY_OF_MANY;
	return history_is_empty(table) ? HISTORY_IS_EMPTY : HISTORY_OF_ALL;
}

int64
apply_rows(Run *run, const SegmentTable *table, Datum keys, Datum except, TimestampTz as_of,
		   ApplyMode mode)
{
	bool		keyed = keys != (Datum) 0;
	char	   *name = catalog_qualified_name(table->relid);
	const char *key = quote_identifier(table->key_name);
	Oid			types[] = {TIMESTAMPTZOID, TEXTARRAYOID};
	Datum		values[] = {TimestampTzGetDatum(as_of), keyed ? keys : except};
	StringInfoData sql;
	bool		moves = false;
	int64		written;

	/*
	 * How many rows differ, and enter or leave segments, the planner can't
	 * know.  Compiling clauses for every column takes longer than it saves, and
	 * what belongs to some keys is to be found by index.
	 */
	context_set("jit", "off");
	if (keyed)
		context_set("enable_seqscan", "off");
	initStringInfo(&sql);
	append_differences(&sql, table, name, key, keyed, except != (Datum) 0, mode);
	append_writes(&sql, table, name, key, mode);
	if (mode != APPLY_REWIND)
		moves = history_append_moves(&sql, table, history_scope(table, keyed, mode));
	appendStringInfo(&sql, " SELECT (SELECT count(*) FROM updated)"
					 " + (SELECT count(*) FROM inserted) + (SELECT count(*) FROM deleted), %s",
					 moves ? "(SELECT count(*) FROM opened), (SELECT count(*) FROM ended)" : "0::bigint, 0::bigint");
	apply_sql(table, sql.data, values[1] != (Datum) 0 ? 2 : 1, types, values);
	written = first_int64();
	count_moves(run, 2);
	if (mode == APPLY_REWIND)
		history_rewind(run, table, except, as_of);
	return written;
}

void
apply_pending(const SegmentTable *table, Datum keys)
{
	bool		keyed = keys != (Datum) 0;
	Oid			types[] = {OIDOID, TEXTARRAYOID};
	Datum		values[] = {ObjectIdGetDatum(table->relid), keys};
	RunContext	ctx;

	context_enter_catalog(&ctx);
	run_sql(keyed ? "DELETE FROM segment.pending WHERE tbl = $1 AND key = ANY ($2)"
			: "DELETE FROM segment.pending WHERE tbl = $1",
			keyed ? 2 : 1, types, values, false);
	run_sql("INSERT INTO segment.pending (tbl, key, due)"
			" SELECT $1, " KEY_TEXT_COLUMN ", valid_until FROM " ROWS_NAME
			" WHERE NOT " PRESENT_COLUMN " AND valid_until < 'infinity'"
			" ON CONFLICT (tbl, key) DO UPDATE SET due = excluded.due", 1, types, values, false);
	context_leave(&ctx);
	apply_next_due(table);
}

void
apply_next_due(const SegmentTable *table)
{
	Oid			types[] = {OIDOID};
	Datum		values[] = {ObjectIdGetDatum(table->relid)};
	RunContext	ctx;

	context_enter_catalog(&ctx);
	/* the scheduler must never believe a later instant than the truth */
	run_sql(UPDATE_STATE "next_due = r.due FROM (SELECT min(valid_until) AS due FROM " ROWS_NAME ") r"
			" WHERE " NEWEST_STATE " AND s.next_due > r.due", 1, types, values, false);
	context_leave(&ctx);
}
