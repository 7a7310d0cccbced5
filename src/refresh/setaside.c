/*
 * setaside.c
 *		Customers for whom an expression fails: rows of segment.aside.
 *
 * The row of such a customer stays as it was.  He is not in work, and the
 * search for who is due passes him by, or a refresh would never come to an
 * end; he is looked at again when he is marked, at a rebuild, when a column is
 * defined, and at retry_at.  Written with the lock on the table's work.
 */
#include "postgres.h"

#include "capture/capture.h"
#include "catalog/pg_type.h"
#include "context.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "refresh/internal.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

MayWarn		refresh_may_warn = NULL;

Datum
aside_keys(Oid tbl, bool snapshot_of_caller)
{
	Oid			types[] = {OIDOID};
	Datum		values[] = {ObjectIdGetDatum(tbl)};
	MemoryContext caller = CurrentMemoryContext;
	Datum		keys;
	bool		isnull;
	RunContext	ctx;

	context_enter_catalog(&ctx);
	SPI_connect();
	run_sql("SELECT array_agg(key ORDER BY key) FROM segment.aside WHERE tbl = $1", 1, types, values,
			snapshot_of_caller);
	keys = first_value(&isnull);
	if (!isnull)
	{
		MemoryContext old = MemoryContextSwitchTo(caller);

		keys = PointerGetDatum(DatumGetArrayTypePCopy(keys));
		MemoryContextSwitchTo(old);
	}
	SPI_finish();
	context_leave(&ctx);
	return isnull ? (Datum) 0 : keys;
}

char *
not_aside(const SegmentTable *table, Datum keys, const char *parameter)
{
	if (keys == (Datum) 0)
		return "";
	return psprintf(" AND NOT %s %s ANY (SELECT u::%s FROM unnest(%s) u)",
					quote_identifier(table->key_name), catalog_equality(table->key_type),
					catalog_type_name(table->key_type), parameter);
}

void
aside_forget(Oid tbl, Datum keys, Datum failing)
{
	Oid			types[] = {OIDOID, TEXTARRAYOID, TEXTARRAYOID};
	Datum		values[] = {ObjectIdGetDatum(tbl), keys, failing};
	char		nulls[] = {' ', keys == (Datum) 0 ? 'n' : ' ', failing == (Datum) 0 ? 'n' : ' ', '\0'};
	RunContext	ctx;

	context_enter_catalog(&ctx);
	SPI_connect();
	context_run("DELETE FROM segment.aside WHERE tbl = $1 AND ($2 IS NULL OR key = ANY ($2))"
				" AND ($3 IS NULL OR NOT key = ANY ($3))", 3, types, values, nulls, false);
	SPI_finish();
	context_leave(&ctx);
}

/*
 * One customer; what was pending for him, retry_at stands for.  Each time he
 * rests twice as long, since what was wrong may be mended without a mark.
 */
static void
store(const SegmentTable *table, const Failure *failure, TimestampTz as_of)
{
	static const char *const insert =
		"INSERT INTO segment.aside (tbl, key, name, sqlstate, error, since, tried_at, retry_at)"
		" SELECT $1, $2, $3, $4, $5, coalesce(a.since, $6), $6,"
		"   $6 + least(t.max_age, greatest($6 - a.since, interval '1 minute'))"
		" FROM segment.config_table t LEFT JOIN segment.aside a ON a.tbl = t.tbl AND a.key = $2"
		" WHERE t.tbl = $1"
		" ON CONFLICT (tbl, key) DO UPDATE SET name = excluded.name, sqlstate = excluded.sqlstate,"
		"   error = excluded.error, tried_at = excluded.tried_at, retry_at = excluded.retry_at";
	static const char *const not_pending =
		"DELETE FROM segment.pending WHERE tbl = $1 AND key = $2";
	static const char *const wake =
		UPDATE_STATE "next_due = a.retry_at FROM segment.aside a WHERE " NEWEST_STATE
		" AND a.tbl = $1 AND a.key = $2 AND s.next_due > a.retry_at";
	Oid			types[] = {OIDOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID};
	Datum		values[] = {ObjectIdGetDatum(table->relid), CStringGetTextDatum(failure->key),
		failure->column == NULL ? (Datum) 0 : CStringGetTextDatum(failure->column),
		CStringGetTextDatum(unpack_sql_state(failure->error->sqlerrcode)),
		CStringGetTextDatum(failure->error->message != NULL ? failure->error->message : ""),
	TimestampTzGetDatum(as_of)};
	char		nulls[] = {' ', ' ', failure->column == NULL ? 'n' : ' ', ' ', ' ', ' ', '\0'};

	context_run(insert, 6, types, values, nulls, false);
	run_sql(not_pending, 2, types, values, false);
	run_sql(wake, 2, types, values, false);
}

void
aside_store(Refresh *refresh, const SegmentTable *table, List *failures, TimestampTz as_of)
{
	ListCell   *lc;
	RunContext	ctx;

	if (failures == NIL)
		return;
	context_enter_catalog(&ctx);
	SPI_connect();
	foreach(lc, failures)
	{
		CHECK_FOR_INTERRUPTS();
		store(table, lfirst(lc), as_of);
	}
	SPI_finish();
	context_leave(&ctx);
	if (refresh->run.set_aside == 0)
	{
		const Failure *first = linitial(failures);

		refresh->first_aside =
			MemoryContextStrdup(refresh->run_context,
								psprintf("Customer %s, %s: %s", first->key,
										 guard_subject(table, first->column), first->error->message));
	}
	refresh->run.set_aside += list_length(failures);
}

void
aside_warn(Refresh *refresh)
{
	if (refresh->run.set_aside == 0 ||
		(refresh_may_warn != NULL && !refresh_may_warn(refresh->relid)))
		return;
	ereport(WARNING,
			(errmsg_plural("%lld customer of segment table %s was set aside",
						   "%lld customers of segment table %s were set aside",
						   refresh->run.set_aside, (long long) refresh->run.set_aside,
						   catalog_qualified_name(refresh->relid)),
			 errdetail("%s", refresh->first_aside),
			 errhint("Their rows stay as they were. See segment.set_aside.")));
}
