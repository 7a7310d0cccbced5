/*
 * history.c
 *		What the history says of columns that are dropped.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "context.h"
#include "define/define.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "notify.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/*
 * The instant at which memberships end now: not before the latest refresh,
 * which may have come after this transaction began, since what it saw was so.
 * Nor must a refresh speak of an earlier instant from now on.
 */
static TimestampTz
closing_instant(const SegmentTable *table)
{
	static const char *const raise_sql =
		"UPDATE segment.table_state_version SET as_of = greatest(as_of, $2), version = version + 1"
		" WHERE tbl = $1 AND version = (SELECT version FROM segment.table_state_version"
		"   WHERE tbl = $1 ORDER BY version DESC LIMIT 1) RETURNING as_of";
	Oid			types[] = {OIDOID, TIMESTAMPTZOID};
	Datum		values[] = {ObjectIdGetDatum(table->relid), TimestampTzGetDatum(context_instant())};
	bool		isnull = true;
	TimestampTz as_of = 0;
	RunContext	ctx;

	context_enter_catalog(&ctx);
	SPI_connect();
	if (SPI_execute_with_args(raise_sql, 2, types, values, NULL, false, 0) == SPI_OK_UPDATE_RETURNING &&
		SPI_processed == 1)
		as_of = DatumGetTimestampTz(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
												  1, &isnull));
	SPI_finish();
	context_leave(&ctx);
	return isnull ? context_instant() : as_of;	/* or never refreshed on this server */
}

/* The names of those of some columns that the history tells of: text[], or 0. */
static Datum
recorded_names(List *columns)
{
	Datum	   *names = palloc(sizeof(Datum) * Max(list_length(columns), 1));
	int			count = 0;
	ListCell   *lc;

	foreach(lc, columns)
	{
		const Column *column = lfirst(lc);

		if (catalog_is_recorded(column))
			names[count++] = CStringGetTextDatum(column->name);
	}
	return count == 0 ? (Datum) 0 :
		PointerGetDatum(construct_array(names, count, TEXTOID, -1, false, TYPALIGN_INT));
}

/* What the history has open of columns ends now. */
void
define_close_history(const SegmentTable *table, List *columns)
{
	char	   *history = catalog_qualified_name(table->history);
	const char *key = quote_identifier(table->key_name);
	Oid			types[] = {TIMESTAMPTZOID, TEXTARRAYOID};
	Datum		values[] = {(Datum) 0, recorded_names(columns)};
	TimestampTz as_of;
	int64		left = 0;
	StringInfoData sql;
	RunContext	ctx;

	if (values[1] == (Datum) 0)
		return;
	as_of = closing_instant(table);
	values[0] = TimestampTzGetDatum(as_of);
	initStringInfo(&sql);
	appendStringInfo(&sql, "WITH undone AS (DELETE FROM %s WHERE segment = ANY ($2) AND left_at IS NULL"
					 "   AND entered_at >= $1 RETURNING %s, segment, label),"
					 " closed AS (UPDATE %s SET left_at = $1 WHERE segment = ANY ($2) AND left_at IS NULL"
					 "   AND entered_at < $1 RETURNING %s, segment, label),"
					 " ended AS (SELECT * FROM undone UNION ALL SELECT * FROM closed)",
					 history, key, history, key);
	if (OidIsValid(table->changes))
		appendStringInfo(&sql, ", kept AS (%s)",
						 catalog_changes_insert(table, psprintf("SELECT %s, segment, label, false AS entered FROM ended",
																key)));
	appendStringInfoString(&sql, " SELECT count(*) FROM ended");
	context_enter_owner(&ctx, table->owner, table->time_zone);
	SPI_connect();
	if (context_run(sql.data, 2, types, values, NULL, false) == 1)
	{
		bool		isnull;

		left = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	}
	SPI_finish();
	context_leave(&ctx);
	CommandCounterIncrement();
	notify_moves(catalog_qualified_name(table->relid), 0, left, as_of);
}
