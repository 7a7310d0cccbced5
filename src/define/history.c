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
#include "utils/builtins.h"
#include "utils/timestamp.h"

/*
 * What the history has open of columns ends now; but not before the latest
 * refresh, which may have come after this transaction began: what it saw was so.
 * Nor must a refresh speak of an earlier instant from now on.
 */
void
define_close_history(const SegmentTable *table, List *columns)
{
	static const char *const raise_sql =
		"UPDATE segment.table_state_version SET as_of = greatest(as_of, $2), version = version + 1"
		" WHERE tbl = $1 AND version = (SELECT version FROM segment.table_state_version"
		"   WHERE tbl = $1 ORDER BY version DESC LIMIT 1) RETURNING as_of";
	char	   *history = catalog_qualified_name(table->history);
	Oid			types[] = {OIDOID, TIMESTAMPTZOID};
	Datum		values[] = {ObjectIdGetDatum(table->relid), TimestampTzGetDatum(context_instant())};
	bool		isnull = true;
	TimestampTz as_of = 0;
	StringInfoData names;
	char	   *instant;
	RunContext	ctx;
	ListCell   *lc;

	initStringInfo(&names);
	foreach(lc, columns)
	{
		const Column *column = lfirst(lc);

		if (catalog_is_recorded(column))
			appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", quote_literal_cstr(column->name));
	}
	if (names.len == 0)
		return;
	context_enter_catalog(&ctx);
	SPI_connect();
	if (SPI_execute_with_args(raise_sql, 2, types, values, NULL, false, 0) == SPI_OK_UPDATE_RETURNING &&
		SPI_processed == 1)
		as_of = DatumGetTimestampTz(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
												  1, &isnull));
	SPI_finish();
	context_leave(&ctx);
	if (isnull)
		as_of = context_instant();	/* never refreshed on this server */
	instant = quote_literal_cstr(timestamptz_to_str(as_of));
	define_ddl(table, "DELETE FROM %s WHERE segment IN (%s) AND left_at IS NULL AND entered_at >= %s",
			   history, names.data, instant);
	define_ddl(table, "UPDATE %s SET left_at = %s WHERE segment IN (%s) AND left_at IS NULL",
			   history, instant, names.data);
}
