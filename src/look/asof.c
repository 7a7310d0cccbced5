/*
 * asof.c
 *		The segment table as it would have been, or will be, at an instant.
 *
 * The query of a rebuild, run for its rows alone.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "catalog/trust.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "look/look.h"
#include "refresh/refresh.h"
#include "rule/rule.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(segment_evaluate);
PG_FUNCTION_INFO_V1(segment_evaluate_rows);

/* Where the computed rows stand in the query. */
#define ROW_ALIAS "__segment_row"

/* The instant asked for. */
static TimestampTz
instant_argument(FunctionCallInfo fcinfo)
{
	TimestampTz as_of;

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("as_of must not be null"),
				 errhint("Use now() for the present.")));
	as_of = PG_GETARG_TIMESTAMPTZ(1);
	if (TIMESTAMP_NOT_FINITE(as_of))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("as_of must be finite")));
	return as_of;
}

typedef struct Answer
{
	FunctionCallInfo fcinfo;
	const SegmentTable *table;
	const char *sql;
	TimestampTz as_of;
} Answer;

static void
run_answer(void *arg)
{
	Answer	   *answer = arg;
	Oid			types[] = {TIMESTAMPTZOID};
	Datum		values[] = {TimestampTzGetDatum(answer->as_of)};

	look_return(answer->fcinfo, answer->sql, 1, types, values, NULL);
}

/* An error says what it was raised for, in place of the statement. */
static void
answer_step(void *arg)
{
	Answer	   *answer = arg;

	guard_hide_sql(run_answer, answer, answer->sql, guard_subject(answer->table, NULL));
}

/* Returns the columns given, $1 being as_of, of the rows of everybody. */
static void
return_rows(FunctionCallInfo fcinfo, const SegmentTable *table, const char *columns,
			TimestampTz as_of)
{
	Selection	selection = {.whom = RULE_EVERYBODY,.future = true,.snapshot_of_caller = true};
	Answer		answer = {.fcinfo = fcinfo,.table = table,.as_of = as_of};
	TrustedReader reader;
	RunContext	ctx;

	look_check_sources(table);
	trust_reader(&reader, table);
	SPI_connect();
	look_enter(&ctx, table, as_of);
	answer.sql = psprintf("SELECT %s FROM (%s) " ROW_ALIAS " WHERE " PRESENT_COLUMN,
						  columns, rule_evaluate_sql(table, RULE_EVERYBODY, true));
	PG_TRY();
	{
		ErrorData  *error = guard_run(answer_step, &answer, GUARD_EXPRESSIONS);

		if (error != NULL)
			guard_rethrow(table, error, guard_failing_column(table, &selection, as_of));
	}
	PG_CATCH();
	{
		trust_rethrow(&reader);
	}
	PG_END_TRY();
	context_leave(&ctx);
	SPI_finish();
}

/* The row as JSON, without the internal columns. */
static char *
row_as_json(const SegmentTable *table)
{
	StringInfoData sql;
	ListCell   *lc;

	initStringInfo(&sql);
	appendStringInfo(&sql, "(SELECT to_jsonb(__segment_json) FROM (SELECT $1 AS refreshed_at, "
					 ROW_ALIAS "." VALID_UNTIL_COLUMN ", " ROW_ALIAS ".%s",
					 quote_identifier(table->key_name));
	foreach(lc, table->columns)
	{
		Column	   *column = lfirst(lc);

		if (column->kind != COLUMN_ELIGIBLE)
			appendStringInfo(&sql, ", " ROW_ALIAS ".%s", quote_identifier(column->name));
	}
	appendStringInfoString(&sql, ") __segment_json)");
	return sql.data;
}

/* evaluate(tbl, as_of) → (key, row) */
Datum
segment_evaluate(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"tbl"};
	TimestampTz as_of;
	SegmentTable *table;

	context_refuse_nulls(fcinfo, 1, names);
	as_of = instant_argument(fcinfo);
	InitMaterializedSRF(fcinfo, 0);
	table = look_open(PG_GETARG_OID(0));
	return_rows(fcinfo, table, psprintf(KEY_TEXT_COLUMN ", %s", row_as_json(table)), as_of);
	return (Datum) 0;
}

/*
 * The columns of the relation as it stands, each by name from the computed row;
 * those that are not ours are NULL.
 */
static char *
columns_of_relation(const SegmentTable *table)
{
	Relation	rel = table_open(table->relid, NoLock);
	StringInfoData sql;

	initStringInfo(&sql);
	for (int i = 0; i < RelationGetDescr(rel)->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), i);
		char	   *name = NameStr(att->attname);
		Column	   *column = catalog_find_column(table, name);
		const char *value = "NULL";

		if (att->attisdropped)
			continue;
		if (strcmp(name, "refreshed_at") == 0)
			value = "$1";
		else if (strcmp(name, VALID_UNTIL_COLUMN) == 0 || strcmp(name, table->key_name) == 0 ||
				 (column != NULL && column->kind != COLUMN_ELIGIBLE))
			value = psprintf(ROW_ALIAS ".%s", quote_identifier(name));
		appendStringInfo(&sql, "%s%s::%s", sql.len == 0 ? "" : ", ", value,
						 format_type_extended(att->atttypid, att->atttypmod,
											  FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY));
	}
	table_close(rel, NoLock);
	return sql.data;
}

/* evaluate_rows(NULL::tbl, as_of) → rows of the segment table's type */
Datum
segment_evaluate_rows(PG_FUNCTION_ARGS)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, 0);
	Oid			relid = OidIsValid(type) ? get_typ_typrelid(type) : InvalidOid;
	TimestampTz as_of = instant_argument(fcinfo);
	SegmentTable *table;

	if (!OidIsValid(relid) || !catalog_is_segment_table(relid))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("%s is not the row type of a segment table",
						OidIsValid(type) ? format_type_be(type) : "unknown"),
				 errhint("Write NULL::tbl, where tbl is the segment table.")));
	InitMaterializedSRF(fcinfo, 0);
	table = look_open(relid);
	return_rows(fcinfo, table, columns_of_relation(table), as_of);
	return (Datum) 0;
}
