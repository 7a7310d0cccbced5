/*
 * current.c
 *		One customer's row, computed now, also while it is dirty.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "catalog/trust.h"
#include "context.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "refresh/internal.h"
#include "rule/rule.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(segment_current);

void
current_check_key(const SegmentTable *table, Datum key)
{
	Oid			input;
	Oid			parameter;

	getTypeInputInfo(table->key_type, &input, &parameter);
	(void) OidInputFunctionCall(input, TextDatumGetCString(key), parameter, -1);
}

/* current(tbl, key) → jsonb, or NULL if the key has no row */
Datum
segment_current(PG_FUNCTION_ARGS)
{
	SegmentTable *table = catalog_load(PG_GETARG_OID(0));
	Datum		key = PG_GETARG_DATUM(1);
	Selection	selection = {.whom = RULE_KEYS,.future = true,.snapshot_of_caller = true};
	TimestampTz as_of = context_instant();
	Oid			types[] = {TIMESTAMPTZOID};
	Datum		values[] = {TimestampTzGetDatum(as_of)};
	Datum		result;
	bool		isnull;
	Evaluation *evaluation;
	TrustedReader reader;
	RunContext	ctx;
	ListCell   *lc;

	trust_check_reader(table->relid);
	foreach(lc, table->sources)
		trust_check_source(table, ((Source *) lfirst(lc))->relation);
	rule_check_trust_again(table);
	trust_reader(&reader, table);

	SPI_connect();
	context_enter_owner(&ctx, table->owner, table->time_zone);
	context_set_as_of(as_of);
	current_check_key(table, key);
	key = CStringGetTextDatum(key_customer(table, key));
	selection.keys = PointerGetDatum(construct_array(&key, 1, TEXTOID, -1, false, TYPALIGN_INT));
	if (!reader.is_member)
		context_set("client_min_messages", "error");
	PG_TRY();
	{
		evaluation = evaluate_named(table, &selection, as_of);
	}
	PG_CATCH();
	{
		trust_rethrow(&reader);
	}
	PG_END_TRY();
	evaluation_register(evaluation);
	run_sql("SELECT to_jsonb(__segment_row) - '" PRESENT_COLUMN "' - '" KEY_TEXT_COLUMN "'"
			" || jsonb_build_object('refreshed_at', $1)"
			" FROM " ROWS_NAME " __segment_row WHERE " PRESENT_COLUMN, 1, types, values, true);
	result = first_value(&isnull);
	if (!isnull)
		result = SPI_datumTransfer(result, false, -1);
	evaluation_end(evaluation);
	context_leave(&ctx);
	SPI_finish();
	if (isnull)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(result);
}
