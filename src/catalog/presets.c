/*
 * presets.c
 *		Which presets a segment table has, and the columns that came with them.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/definition.h"
#include "catalog/pg_type.h"
#include "catalog/presets.h"
#include "context.h"
#include "executor/spi.h"
#include "utils/builtins.h"

List *
catalog_load_presets(Oid relid)
{
	static const char *const sql =
		"SELECT p.preset, p.prefix, p.options, ARRAY(SELECT c.name::text FROM segment.config_preset_column c"
		"   WHERE c.tbl = p.tbl AND c.preset = p.preset AND c.prefix = p.prefix ORDER BY c.position)"
		" FROM segment.config_preset p WHERE p.tbl = $1 ORDER BY p.preset, p.prefix";
	MemoryContext caller = CurrentMemoryContext;
	Oid			types[] = {OIDOID};
	Datum		values[] = {ObjectIdGetDatum(relid)};
	List	   *result = NIL;
	RunContext	ctx;

	context_enter_catalog(&ctx);
	SPI_connect();
	context_run(sql, 1, types, values, NULL, false);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(caller);
		InstalledPreset *one = palloc0(sizeof(InstalledPreset));
		Datum		fields[4];

		for (int j = 0; j < lengthof(fields); j++)
		{
			bool		isnull;

			fields[j] = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, j + 1, &isnull);
		}
		one->preset = TextDatumGetCString(fields[0]);
		one->prefix = TextDatumGetCString(fields[1]);
		one->options = DatumGetJsonbPCopy(fields[2]);
		one->columns = catalog_text_list(fields[3]);
		result = lappend(result, one);
		MemoryContextSwitchTo(old);
	}
	SPI_finish();
	context_leave(&ctx);
	return result;
}

InstalledPreset *
catalog_find_preset(List *installed, const char *preset, const char *prefix)
{
	ListCell   *lc;

	foreach(lc, installed)
	{
		InstalledPreset *one = lfirst(lc);

		if (strcmp(one->preset, preset) == 0 && strcmp(one->prefix, prefix) == 0)
			return one;
	}
	return NULL;
}

/* Runs statements that all know the table, preset and prefix as $1 to $3. */
static void
run_all(const char *const *statements, int n, Oid relid, const char *preset, const char *prefix,
		Datum options, Datum columns)
{
	Oid			types[] = {OIDOID, TEXTOID, TEXTOID, JSONBOID, TEXTARRAYOID};
	Datum		values[] = {ObjectIdGetDatum(relid), CStringGetTextDatum(preset),
	CStringGetTextDatum(prefix), options, columns};
	RunContext	ctx;

	context_enter_catalog(&ctx);
	SPI_connect();
	for (int i = 0; i < n; i++)
		context_run(statements[i], options == (Datum) 0 ? 3 : 5, types, values, NULL, false);
	SPI_finish();
	context_leave(&ctx);
	CommandCounterIncrement();
}

#define DELETE_COLUMNS "DELETE FROM segment.config_preset_column WHERE tbl = $1 AND preset = $2 AND prefix = $3"
#define DELETE_PRESET "DELETE FROM segment.config_preset WHERE tbl = $1 AND preset = $2 AND prefix = $3"

void
catalog_put_preset(Oid relid, const InstalledPreset *installed)
{
	static const char *const statements[] = {
		DELETE_COLUMNS,
		"INSERT INTO segment.config_preset AS p (tbl, preset, prefix, options) VALUES ($1, $2, $3, $4)"
		" ON CONFLICT (tbl, preset, prefix) DO UPDATE SET options = excluded.options WHERE p.options <> excluded.options",
		"INSERT INTO segment.config_preset_column (tbl, preset, prefix, name, position)"
		" SELECT $1, $2, $3, u.name, u.n FROM unnest($5) WITH ORDINALITY u(name, n)"
		" ON CONFLICT DO NOTHING"
	};

	run_all(statements, lengthof(statements), relid, installed->preset, installed->prefix,
			JsonbPGetDatum(installed->options), catalog_text_array(installed->columns));
}

void
catalog_delete_preset(Oid relid, const char *preset, const char *prefix)
{
	static const char *const statements[] = {DELETE_COLUMNS, DELETE_PRESET};

	run_all(statements, lengthof(statements), relid, preset, prefix, (Datum) 0, (Datum) 0);
}
