/*
 * changes.c
 *		Changes of memberships after a cursor.
 *
 * A cursor is the number of a change and when it was written.  A number alone
 * would mean another change after a restore of an older state, or where a table
 * was made again.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "look/look.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#define CURSOR_SQL "concat(c.change, '-', to_hex((extract(epoch FROM c.written_at) * 1000000)::bigint))"

PG_FUNCTION_INFO_V1(segment_changes);
PG_FUNCTION_INFO_V1(segment_changes_cursor);

/* The number in a cursor; error if it is none. */
static int64
cursor_number(const char *cursor)
{
	size_t		digits = strspn(cursor, "0123456789");
	const char *rest = cursor + digits;

	if (digits == 0 || digits > 18 || *rest != '-' || rest[1] == '\0' ||
		strspn(rest + 1, "0123456789abcdef") != strlen(rest + 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is no cursor", cursor),
				 errhint("Give one that segment.changes() or segment.changes_cursor() has returned.")));
	return (int64) strtoll(cursor, NULL, 10);
}

/* Error unless the change of a cursor is there: else some after it may be missing. */
static void
check_cursor(const SegmentTable *table, const char *cursor, Datum *values)
{
	Oid			types[] = {INT8OID, TEXTOID};

	if (context_run(psprintf("SELECT FROM %s c WHERE c.change = $1 AND " CURSOR_SQL " = $2",
							 catalog_qualified_name(table->changes)), 2, types, values, NULL, true) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the changes of %s after this cursor are not known",
						catalog_qualified_name(table->relid)),
				 errdetail("\"%s\" is older than what is kept, or of another state of the database than this one, or of another table.",
						   cursor),
				 errhint("In one REPEATABLE READ transaction, read the members anew and take segment.changes_cursor() to go on from.")));
}

static SegmentTable *
open_changes(Oid relid)
{
	SegmentTable *table = look_open_changes(relid);

	if (!OidIsValid(table->changes))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("no changes of %s are kept", catalog_qualified_name(relid)),
				 errhint("Its owner has them kept by segment.keep_changes().")));
	return table;
}

/* changes(tbl, after, most) → (cursor, at, key, segment, label, entered) */
Datum
segment_changes(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"tbl", "after", "most"};
	Oid			types[] = {INT8OID, TEXTOID, INT4OID};
	Datum		values[3];
	SegmentTable *table;
	char	   *cursor;
	RunContext	ctx;

	context_refuse_nulls(fcinfo, 3, names);
	cursor = text_to_cstring(PG_GETARG_TEXT_PP(1));
	values[0] = Int64GetDatum(cursor_number(cursor));
	values[1] = PG_GETARG_DATUM(1);
	values[2] = PG_GETARG_DATUM(2);
	if (PG_GETARG_INT32(2) < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("most must be positive")));
	InitMaterializedSRF(fcinfo, 0);
	table = open_changes(PG_GETARG_OID(0));
	SPI_connect();
	look_enter(&ctx, table, context_instant());
	/* the changes are many, and those wanted at the end of the index */
	context_set("enable_seqscan", "off");
	check_cursor(table, cursor, values);
	look_return(fcinfo, psprintf("SELECT " CURSOR_SQL ", c.at, c.%s::text, c.segment, c.label, c.entered"
								 " FROM %s c WHERE c.change > $1 AND $2 IS NOT NULL ORDER BY c.change LIMIT $3",
								 quote_identifier(table->key_name),
								 catalog_qualified_name(table->changes)),
				3, types, values, NULL);
	context_leave(&ctx);
	SPI_finish();
	return (Datum) 0;
}

/* changes_cursor(tbl) → text */
Datum
segment_changes_cursor(PG_FUNCTION_ARGS)
{
	SegmentTable *table = open_changes(PG_GETARG_OID(0));
	Datum		result = (Datum) 0;
	bool		isnull = true;
	RunContext	ctx;

	SPI_connect();
	look_enter(&ctx, table, context_instant());
	if (context_run(psprintf("SELECT " CURSOR_SQL " FROM %s c ORDER BY c.change DESC LIMIT 1",
							 catalog_qualified_name(table->changes)), 0, NULL, NULL, NULL, true) > 0)
		result = SPI_datumTransfer(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
												 &isnull), false, -1);
	context_leave(&ctx);
	SPI_finish();
	if (isnull)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(result);
}
