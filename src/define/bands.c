/*
 * bands.c
 *		Bands: the rank of a score within the whole population.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "define/define.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(segment_add_band);
PG_FUNCTION_INFO_V1(segment_alter_band);
PG_FUNCTION_INFO_V1(segment_drop_band);

#define MIN_BANDS 2
#define MAX_BANDS 1000

CheckedRule *
define_check_band(const SegmentTable *table, const Column *band)
{
	const char *what = define_describe_column(band);
	char	   *score = linitial(band->depends);
	CheckedRule *rule;
	char	   *cuts;
	char	   *expression;
	Oid			type;

	if (band->bands < MIN_BANDS || band->bands > MAX_BANDS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the number of bands must be between %d and %d", MIN_BANDS, MAX_BANDS),
				 errhint("5 bands are quintiles, 100 are percentiles.")));
	type = rule_band_type(table, score, what);
	cuts = catalog_band_cuts(table->relid, band->name, type);
	expression = rule_band_expression(score, type, cuts, band->bands, band->descending);
	rule = define_check_rule(table, expression, OVER_ROW, INT4OID, what);

	/* as it is when cut points are made */
	rule->expression = expression;

	/* what moves is the score, whatever the cut points */
	if (rule->unanalyzed != NULL)
		rule->unanalyzed = pstrdup(quote_identifier(score));
	return rule;
}

/* A band from the arguments tbl, name, score, bands and descending. */
static Column *
band_of_arguments(FunctionCallInfo fcinfo)
{
	Column	   *band = palloc0(sizeof(Column));

	band->kind = COLUMN_BAND;
	band->name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	band->depends = list_make1(text_to_cstring(PG_GETARG_TEXT_PP(2)));
	band->bands = PG_GETARG_INT32(3);
	band->descending = PG_GETARG_BOOL(4);
	return band;
}

/* add_band(tbl, name, score, bands, descending) */
Datum
segment_add_band(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"tbl", "name", "score", "bands", "descending"};
	SegmentTable *table;
	Column	   *band;

	define_require(fcinfo, 5, names);
	table = define_open(PG_GETARG_OID(0));
	band = band_of_arguments(fcinfo);
	define_add_column(table, band);
	define_changed(table->relid, band->name);
	PG_RETURN_VOID();
}

/* alter_band(tbl, name, score, bands, descending) */
Datum
segment_alter_band(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"tbl", "name", "score", "bands", "descending"};

	define_require(fcinfo, 5, names);
	define_alter(PG_GETARG_OID(0), band_of_arguments(fcinfo));
	PG_RETURN_VOID();
}

/* drop_band(tbl, name): its customers leave it now; the history stays, the cut points go */
Datum
segment_drop_band(PG_FUNCTION_ARGS)
{
	define_drop(fcinfo, COLUMN_BAND);
	PG_RETURN_VOID();
}
