/*
 * cuts.c
 *		Cut points of bands, from the scores of a relation.
 *
 * Rows of all presets are wide, and on disk if they are many: so they are read
 * for all bands at once.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "refresh/internal.h"
#include "rule/rule.h"
#include "utils/array.h"
#include "utils/builtins.h"

int64 *
cuts_count_scores(List *bands, const char *from)
{
	int64	   *result = palloc(sizeof(int64) * Max(list_length(bands), 1));
	StringInfoData counts;
	ListCell   *lc;

	initStringInfo(&counts);
	foreach(lc, bands)
		appendStringInfo(&counts, "%scount(%s)", counts.len > 0 ? ", " : "",
						 quote_identifier(linitial(((Column *) lfirst(lc))->depends)));
	run_sql(psprintf("SELECT %s FROM %s __segment_r", counts.data, from), 0, NULL, NULL, false);
	for (int i = 0; i < list_length(bands); i++)
	{
		bool		isnull;

		result[i] = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
												i + 1, &isnull));
	}
	return result;
}

/*
 * Where the cut points lie: the highest of the lowest i in n scores, counted
 * exactly.  percentile_disc takes fractions; half a row below the wanted one
 * no rounding misses it.
 */
static Datum
cut_fractions(int bands, int64 population)
{
	Datum	   *fractions = palloc(sizeof(Datum) * bands);

	for (int i = 1; i < bands; i++)
	{
		int64		place = (i * population + bands - 1) / bands;

		fractions[i - 1] = Float8GetDatum((place - 0.5) / population);
	}
	return PointerGetDatum(construct_array(fractions, bands - 1, FLOAT8OID, sizeof(float8),
										   FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/*
 * The number-th cut points, of rows, and as they are to be stored: if they are
 * equal to those before, they keep their text: 1.0 for 1.00, 30 days for a month.
 */
static void
append_cuts(StringInfo stored, StringInfo made, const SegmentTable *table, const Column *band, int number)
{
	char	   *score = linitial(band->depends);
	Oid			score_type = rule_band_type(table, score, band->name);
	const char *type_name = catalog_type_name(score_type);
	char	   *before = catalog_band_cuts(table->relid, band->name, score_type);
	const char *comma = number > 1 ? ", " : "";

	before = before == NULL ? pstrdup("NULL") : quote_literal_cstr(before);
	appendStringInfo(stored, "%sCASE WHEN cuts_%d = (%s)::%s[] THEN (%s)::text[] ELSE cuts_%d::text[] END",
					 comma, number, before, type_name, before, number);
	appendStringInfo(made, "%spercentile_disc($%d) WITHIN GROUP (ORDER BY (%s)::%s) AS cuts_%d",
					 comma, number, quote_identifier(score), type_name, number);
}

static void
store_cuts(const SegmentTable *table, Column *band, Datum cuts, int64 population, TimestampTz as_of)
{
	char	   *score = linitial(band->depends);
	Oid			score_type = rule_band_type(table, score, band->name);

	catalog_put_cuts(table->relid, band->name, score_type, cuts, population, as_of);
	band->expression = rule_band_expression(score, score_type,
											catalog_band_cuts(table->relid, band->name, score_type),
											band->bands, band->descending);
	catalog_set_expression(table->relid, band->name, band->expression);
}

void
cuts_make(const SegmentTable *table, List *bands, const char *from, TimestampTz as_of)
{
	int64	   *populations;
	Oid		   *types = palloc(sizeof(Oid) * Max(list_length(bands), 1));
	Datum	   *values = palloc(sizeof(Datum) * Max(list_length(bands), 1));
	StringInfoData stored;
	StringInfoData made;
	SPITupleTable *result;
	int			count = 0;
	ListCell   *lc;

	if (bands == NIL)
		return;
	/* a score that is gone, or that has no order now, is to be told as such */
	foreach(lc, bands)
	{
		Column	   *band = lfirst(lc);

		(void) rule_band_type(table, linitial(band->depends), band->name);
	}
	populations = cuts_count_scores(bands, from);
	initStringInfo(&stored);
	initStringInfo(&made);
	foreach(lc, bands)
	{
		Column	   *band = lfirst(lc);
		int64		population = populations[foreach_current_index(lc)];

		if (population == 0)
			continue;
		types[count] = FLOAT8ARRAYOID;
		values[count++] = cut_fractions(band->bands, population);
		append_cuts(&stored, &made, table, band, count);
	}
	if (count == 0)
		return;
	run_sql(psprintf("SELECT %s FROM (SELECT %s FROM %s __segment_r) c", stored.data, made.data, from),
			count, types, values, false);
	result = SPI_tuptable;
	count = 0;
	foreach(lc, bands)
	{
		int64		population = populations[foreach_current_index(lc)];
		bool		isnull;

		if (population > 0)
			store_cuts(table, lfirst(lc), SPI_getbinval(result->vals[0], result->tupdesc, ++count, &isnull),
					   population, as_of);
	}
}
