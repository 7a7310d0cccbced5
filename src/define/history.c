/*
 * history.c
 *		What the history says of a column that is dropped.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "context.h"
#include "define/define.h"
#include "executor/spi.h"
#include "notify.h"
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

/* What the history has open of a column ends now. */
void
define_close_history(const SegmentTable *table, const char *name)
{
	char	   *history = catalog_qualified_name(table->history);
	const char *key = quote_identifier(table->key_name);
	TimestampTz as_of = closing_instant(table);
	Oid			types[] = {TIMESTAMPTZOID, TEXTOID};
	Datum		values[] = {TimestampTzGetDatum(as_of), CStringGetTextDatum(name)};
	int64		left = 0;
	StringInfoData sql;
	RunContext	ctx;

	initStringInfo(&sql);
	appendStringInfo(&sql, "WITH undone AS (DELETE FROM %s WHERE segment = $2 AND left_at IS NULL"
					 "   AND entered_at >= $1 RETURNING %s, label),"
					 " closed AS (UPDATE %s SET left_at = $1 WHERE segment = $2 AND left_at IS NULL"
					 "   AND entered_at < $1 RETURNING %s, label),"
					 " ended AS (SELECT * FROM undone UNION ALL SELECT * FROM closed)",
					 history, key, history, key);
	if (OidIsValid(table->changes))
		appendStringInfo(&sql, ", kept AS (%s)",
						 catalog_changes_insert(table, psprintf("SELECT %s, $2 AS segment, label, false AS entered FROM ended",
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
