/*
 * load.c
 *		Reading a preset from the extension's tables.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "context.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "preset/preset.h"
#include "utils/builtins.h"
#include "utils/varlena.h"

/* At most so many edits away is what was meant. */
#define MAX_EDITS 3

char *
preset_hint(const char *given, List *names)
{
	StringInfoData hint;
	StringInfoData known;
	const char *nearest = NULL;
	int			least = Min(MAX_EDITS, (int) strlen(given) / 2) + 1;
	ListCell   *lc;

	initStringInfo(&hint);
	initStringInfo(&known);
	foreach(lc, names)
	{
		const char *name = lfirst(lc);
		int			edits = least;

		/* the function takes no longer names */
		if (strlen(given) <= NAMEDATALEN)
			edits = varstr_levenshtein_less_equal(given, strlen(given), name, strlen(name),
												  1, 1, 1, MAX_EDITS, true);
		if (edits < least)
		{
			least = edits;
			nearest = name;
		}
		appendStringInfo(&known, "%s%s", known.len > 0 ? ", " : "", name);
	}
	if (nearest != NULL)
		appendStringInfo(&hint, "Did you mean \"%s\"?  ", nearest);
	appendStringInfo(&hint, "Known: %s.", known.data);
	return hint.data;
}

bool
preset_has_name(const List *names, const char *name)
{
	const ListCell *lc;

	foreach(lc, names)
	{
		if (strcmp(lfirst(lc), name) == 0)
			return true;
	}
	return false;
}

PresetOption *
preset_find_option(const Preset *preset, const char *name, size_t length)
{
	ListCell   *lc;

	foreach(lc, preset->options)
	{
		PresetOption *option = lfirst(lc);

		if (strlen(option->name) == length && memcmp(option->name, name, length) == 0)
			return option;
	}
	return NULL;
}

/* A field of the row of a result, NULL if it is null. */
static char *
text_field(uint64 row, int field)
{
	return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, field);
}

static List *
texts_field(uint64 row, int field)
{
	bool		isnull;
	Datum		array = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, field, &isnull);

	return isnull ? NIL : catalog_text_list(array);
}

static OptionType
option_type(const char *name)
{
	static const char *const types[] = {
		"event", "item", "text", "integer", "number", "interval", "boolean", "texts", "numbers",
		"intervals", "event column", "column", "labels"
	};

	for (int i = 0; i < lengthof(types); i++)
	{
		if (strcmp(types[i], name) == 0)
			return i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INTERNAL_ERROR),
			 errmsg("unknown type \"%s\" of an option", name)));
}

static void
read_option(Preset *preset, uint64 row)
{
	PresetOption *option = palloc0(sizeof(PresetOption));
	bool		isnull;
	Datum		fallback;

	option->name = text_field(row, 1);
	option->type = option_type(text_field(row, 2));
	fallback = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 3, &isnull);
	option->fallback = isnull ? NULL : DatumGetJsonbPCopy(fallback);
	option->known = strcmp(text_field(row, 4), "t") == 0;
	option->least = DatumGetFloat8(SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 5, &isnull));
	option->most = DatumGetFloat8(SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 6, &isnull));
	preset->options = lappend(preset->options, option);
}

static ColumnKind
column_kind(const char *kind)
{
	if (strcmp(kind, "score") == 0)
		return COLUMN_SCORE;
	if (strcmp(kind, "band") == 0)
		return COLUMN_BAND;
	return strcmp(kind, "group") == 0 ? COLUMN_GROUP : COLUMN_SEGMENT;
}

static void
read_column(Preset *preset, uint64 row)
{
	PresetColumn *column = palloc0(sizeof(PresetColumn));
	char	   *bands = text_field(row, 5);
	char	   *descending = text_field(row, 6);

	column->name = text_field(row, 1);
	column->kind = column_kind(text_field(row, 2));
	column->expression = text_field(row, 3);
	column->score = text_field(row, 4);
	column->bands = bands == NULL ? 5 : pg_strtoint32(bands);
	column->descending = descending != NULL && *descending == 't';
	column->labels = texts_field(row, 7);
	column->rules = texts_field(row, 8);
	column->needs = texts_field(row, 9);
	column->unless = texts_field(row, 10);
	column->description = text_field(row, 11);
	column->own = strcmp(text_field(row, 12), "t") == 0;
	preset->columns = lappend(preset->columns, column);
}

/* Runs a query as the extension's owner, and hands its rows to read; returns how many there are. */
static uint64
read_rows(const char *sql, Preset *preset, void (*read) (Preset *, uint64))
{
	MemoryContext caller = CurrentMemoryContext;
	Oid			types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(preset->name)};
	uint64		n;
	RunContext	ctx;

	context_enter_catalog(&ctx);
	SPI_connect();
	n = context_run(sql, 1, types, values, NULL, false);
	for (uint64 i = 0; i < n; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(caller);

		read(preset, i);
		MemoryContextSwitchTo(old);
	}
	SPI_finish();
	context_leave(&ctx);
	return n;
}

static void
read_name(Preset *presets, uint64 row)
{
	presets->options = lappend(presets->options, text_field(row, 1));
}

Preset *
preset_load(const char *name)
{
	Preset	   *preset = palloc0(sizeof(Preset));
	Preset		all = {.name = ""};

	preset->name = pstrdup(name);
	read_rows("SELECT name FROM segment.preset ORDER BY name COLLATE \"C\"", &all, read_name);
	if (!preset_has_name(all.options, name))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no preset \"%s\"", name),
				 errhint("%s", preset_hint(name, all.options))));
	read_rows("SELECT o.option, o.type, o.default_value, EXISTS (SELECT FROM segment.presets p"
			  "   WHERE p.preset = $1 AND p.option = o.option), o.least, o.most"
			  " FROM segment.preset_option o WHERE (o.preset = $1 OR o.preset = '' AND NOT EXISTS ("
			  "   SELECT FROM segment.preset_option own WHERE own.preset = $1 AND own.option = o.option))"
			  " AND o.option NOT IN ('prefix', 'only', 'check_events') ORDER BY o.option COLLATE \"C\"",
			  preset, read_option);
	read_rows("SELECT name, kind, expression, score, bands, descending, labels, rules, needs, unless,"
			  "   description, preset <> '' FROM segment.preset_column WHERE preset IN ($1, '')"
			  " ORDER BY preset <> '' DESC, position, name COLLATE \"C\"", preset, read_column);
	return preset;
}
