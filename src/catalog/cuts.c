/*
 * cuts.c
 *		The cut points of bands: every version that was in force.
 */
#include "postgres.h"

#include "catalog/definition.h"
#include "catalog/pg_type.h"
#include "context.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

char *
catalog_band_cuts(Oid relid, const char *name, Oid type)
{
	Oid			types[] = {OIDOID, TEXTOID, OIDOID};
	Datum		values[] = {ObjectIdGetDatum(relid), CStringGetTextDatum(name), ObjectIdGetDatum(type)};
	MemoryContext caller = CurrentMemoryContext;
	char	   *result = NULL;
	RunContext	ctx;

	context_enter_catalog(&ctx);
	SPI_connect();
	if (context_run("SELECT CASE WHEN type = $3 AND retired_at IS NULL THEN cuts::text END FROM segment.config_band_cut"
					" WHERE tbl = $1 AND band = $2 ORDER BY version DESC LIMIT 1",
					3, types, values, NULL, false) > 0)
	{
		bool		isnull;
		Datum		cuts = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);

		if (!isnull)
			result = MemoryContextStrdup(caller, TextDatumGetCString(cuts));
	}
	SPI_finish();
	context_leave(&ctx);
	return result;
}

void
catalog_put_cuts(Oid relid, const char *name, Oid type, Datum cuts, int64 population,
				 TimestampTz made_at)
{
	Oid			types[] = {OIDOID, TEXTOID, OIDOID, TEXTARRAYOID, INT8OID, TIMESTAMPTZOID};
	Datum		values[] = {ObjectIdGetDatum(relid), CStringGetTextDatum(name),
		ObjectIdGetDatum(type), cuts, Int64GetDatum(population), TimestampTzGetDatum(made_at)};
	RunContext	ctx;

	context_enter_catalog(&ctx);
	SPI_connect();
	context_run("WITH latest AS (SELECT version, type, cuts, retired_at FROM segment.config_band_cut"
				"   WHERE tbl = $1 AND band = $2 ORDER BY version DESC LIMIT 1)"
				" INSERT INTO segment.config_band_cut AS c"
				"   (tbl, band, version, type, cuts, population, made_at)"
				" SELECT $1, $2, coalesce((SELECT CASE WHEN type = $3 AND cuts = $4 AND retired_at IS NULL THEN version"
				"   ELSE version + 1 END FROM latest), 1), $3, $4, $5, $6"
				" ON CONFLICT (tbl, band, version)"
				" DO UPDATE SET population = excluded.population, made_at = excluded.made_at",
				6, types, values, NULL, false);
	SPI_finish();
	context_leave(&ctx);
	CommandCounterIncrement();
}

void
catalog_retire_cuts(Oid relid, const char *name)
{
	Oid			types[] = {OIDOID, TEXTOID, TIMESTAMPTZOID};
	Datum		values[] = {ObjectIdGetDatum(relid), CStringGetTextDatum(name),
	TimestampTzGetDatum(context_instant())};
	RunContext	ctx;

	context_enter_catalog(&ctx);
	SPI_connect();
	context_run("UPDATE segment.config_band_cut c SET retired_at = $3"
				" WHERE tbl = $1 AND band = $2 AND retired_at IS NULL AND version ="
				"   (SELECT max(version) FROM segment.config_band_cut WHERE tbl = $1 AND band = $2)",
				3, types, values, NULL, false);
	SPI_finish();
	context_leave(&ctx);
	CommandCounterIncrement();
}
