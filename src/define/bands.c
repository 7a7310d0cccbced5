/*
 * bands.c
 *		Bands: the rank of a score within the whole population.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "define/define.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(segment_add_band);
PG_FUNCTION_INFO_V1(segment_drop_band);

#define MIN_BANDS 2
#define MAX_BANDS 1000

CheckedRule *
define_check_band(const SegmentTable *table, const Column *band)
{
	char	   *what = psprintf("band \"%s\"", band->name);
	char	   *score = linitial(band->depends);
	Oid			type = rule_band_type(table, score, what);
	char	   *cuts = catalog_band_cuts(table->relid, band->name, type);
	CheckedRule *rule = define_check_rule(table,
										  rule_band_expression(score, type, cuts, band->bands,
															   band->descending),
										  OVER_ROW, INT4OID, what);

	/* what moves is the score, whatever the cut points */
	if (rule->unanalyzed != NULL)
		rule->unanalyzed = pstrdup(quote_identifier(score));
	return rule;
}

void
define_put_band(const SegmentTable *table, const Column *band, const CheckedRule *rule)
{
	Column		column = *band;

	column.kind = COLUMN_BAND;
	column.over = OVER_ROW;
	column.expression = rule->expression;
	column.type = rule->type;
	column.crossings = rule->crossings;
	column.unanalyzed = rule->unanalyzed;
	catalog_put_column(table->relid, &column);
}

/* add_band(tbl, name, score, bands, descending) */
Datum
segment_add_band(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"tbl", "name", "score", "bands", "descending"};
	SegmentTable *table;
	Column		band = {0};
	CheckedRule *rule;

	define_require(fcinfo, 5, names);
	table = define_open(PG_GETARG_OID(0));
	band.name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	band.depends = list_make1(text_to_cstring(PG_GETARG_TEXT_PP(2)));
	band.bands = PG_GETARG_INT32(3);
	band.descending = PG_GETARG_BOOL(4);
	define_check_new_name(table, band.name, "band");
	if (band.bands < MIN_BANDS || band.bands > MAX_BANDS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the number of bands must be between %d and %d", MIN_BANDS, MAX_BANDS),
				 errhint("5 bands are quintiles, 100 are percentiles.")));
	rule = define_check_band(table, &band);
	define_notice_unanalyzed(table, rule, psprintf("band \"%s\"", band.name));
	define_ddl(table, "ALTER TABLE %s ADD COLUMN %s int", catalog_qualified_name(table->relid),
			   quote_identifier(band.name));
	define_put_band(table, &band, rule);
	define_changed(table->relid, band.name);
	PG_RETURN_VOID();
}

/* drop_band(tbl, name): its customers leave it now; the history stays, the cut points go */
Datum
segment_drop_band(PG_FUNCTION_ARGS)
{
	define_drop(fcinfo, COLUMN_BAND, "band");
	PG_RETURN_VOID();
}
