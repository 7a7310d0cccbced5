/*
 * install.c
 *		Adding a preset to a segment table, and taking it away.
 */
#include "postgres.h"

#include "capture/capture.h"
#include "catalog/pg_type.h"
#include "catalog/presets.h"
#include "context.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "lock.h"
#include "miscadmin.h"
#include "preset/preset.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(segment_add_preset);
PG_FUNCTION_INFO_V1(segment_drop_preset);

/* An adding under way. */
typedef struct Adding
{
	SegmentTable *table;		/* as it is by now */
	Preset	   *preset;
	List	   *others;			/* of InstalledPreset: what the table has of presets, this one too */
	InstalledPreset *before;	/* this one as it is there already, or NULL */
	List	   *added;			/* of char * */
	List	   *remembered;		/* of char *: those, and what other presets brought */
	bool		over_events;	/* is one of the added? */
} Adding;

/* Does a preset remember the column, one other than except (which may be NULL)? */
static bool
is_remembered(List *installed, const InstalledPreset *except, const char *name)
{
	ListCell   *lc;

	foreach(lc, installed)
	{
		InstalledPreset *one = lfirst(lc);

		if (one != except && preset_has_name(one->columns, name))
			return true;
	}
	return false;
}

/* A column that is there under the name of a planned one has to be the same. */
static void
share_column(Adding *adding, Column *old, Column *column)
{
	CheckedRule *rule;

	/* brought along when the preset was added, and perhaps altered since */
	if (adding->before == NULL || !preset_has_name(adding->before->columns, old->name))
	{
		char	   *what = pstrdup(define_describe_column(column));

		rule = define_check_new(adding->table, column);
		if (!define_same_meaning(old, column, rule))
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_COLUMN),
					 errmsg("%s of preset \"%s\" is not the %s that segment table %s has", what,
							adding->preset->name, define_describe_column(old),
							catalog_qualified_name(adding->table->relid)),
					 column->kind == COLUMN_BAND || column->kind == COLUMN_GROUP ? 0 :
					 errdetail("It is %s there, and would be %s.", old->expression, rule->expression),
					 errhint("Give a \"prefix\" for the names of the columns of the preset, or the options with which that column was made, or leave it out by \"only\".")));
	}
	if (is_remembered(adding->others, NULL, old->name))
		adding->remembered = lappend(adding->remembered, old->name);
}

static void
add_column(Adding *adding, const PlannedColumn *planned)
{
	Column	   *column = planned->column;
	Column	   *old = catalog_find_column(adding->table, column->name);

	CHECK_FOR_INTERRUPTS();
	if (old != NULL)
	{
		share_column(adding, old, column);
		return;
	}
	define_add_column(adding->table, column);
	if (planned->description != NULL)
		define_ddl(adding->table, "COMMENT ON COLUMN %s.%s IS %s",
				   catalog_qualified_name(adding->table->relid), quote_identifier(column->name),
				   quote_literal_cstr(planned->description));
	adding->added = lappend(adding->added, column->name);
	adding->remembered = lappend(adding->remembered, column->name);
	adding->over_events = adding->over_events || column->over == OVER_EVENTS;
	adding->table = catalog_load(adding->table->relid);
}

/* One mark for everybody where one is needed; else each column is noted. */
static void
mark(const Adding *adding)
{
	ListCell   *lc;

	if (adding->over_events)
		marklog_append_all(adding->table->relid);
	else
	{
		foreach(lc, adding->added)
			define_changed(adding->table->relid, lfirst(lc));
	}
}

static bool
is_new(const Adding *adding, List *columns)
{
	ListCell   *lc;

	foreach(lc, columns)
	{
		if (catalog_find_column(adding->table, ((PlannedColumn *) lfirst(lc))->column->name) == NULL)
			return true;
	}
	return false;
}

static void
refuse_other_options(const Adding *adding)
{
	const InstalledPreset *before = adding->before;

	ereport(ERROR,
			(errcode(ERRCODE_DUPLICATE_OBJECT),
			 errmsg("segment table %s has preset \"%s\" already, with other options",
					catalog_qualified_name(adding->table->relid), before->preset),
			 errdetail("Its options are %s.",
					   JsonbToCString(NULL, &before->options->root, VARSIZE_ANY_EXHDR(before->options))),
			 errhint("Take it away with segment.drop_preset() first, or add it a second time with another \"prefix\".")));
}

/* The options as they are remembered: those that decide what the columns are. */
static Jsonb *
lasting_options(Jsonb *options)
{
	static const char *const others[] = {"prefix", "check_events"};
	Datum		result = JsonbPGetDatum(options);

	for (int i = 0; i < lengthof(others); i++)
		result = DirectFunctionCall2(jsonb_delete, result, CStringGetTextDatum(others[i]));
	return DatumGetJsonbP(result);
}

/* add_preset(tbl, preset, options) */
Datum
segment_add_preset(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"tbl", "preset", "options"};
	Adding		adding = {0};
	InstalledPreset installed = {0};
	Jsonb	   *options;
	List	   *columns;
	ListCell   *lc;

	define_require(fcinfo, 3, names);
	adding.table = define_open(PG_GETARG_OID(0));
	adding.preset = preset_load(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	options = PG_GETARG_JSONB_P(2);
	adding.others = catalog_load_presets(adding.table->relid);
	adding.before = catalog_find_preset(adding.others, adding.preset->name,
										preset_read_prefix(adding.preset, options));
	preset_read_options(adding.preset, adding.table, options);
	if (adding.before != NULL && !preset_same_options(adding.preset, adding.before->options, options))
		refuse_other_options(&adding);
	columns = preset_plan(adding.preset);
	preset_check_events(adding.preset, adding.table);

	/* what takes time comes before readers are shut out */
	if (is_new(&adding, columns))
		lock_one(adding.table->relid, AccessExclusiveLock);
	foreach(lc, columns)
		add_column(&adding, lfirst(lc));
	mark(&adding);
	installed.preset = adding.preset->name;
	installed.prefix = adding.preset->prefix;
	installed.options = adding.before != NULL ? adding.before->options : lasting_options(options);
	installed.columns = adding.remembered;
	catalog_put_preset(adding.table->relid, &installed);
	PG_RETURN_VOID();
}

/* Error if a column that stays reads one of those to be dropped. */
static void
check_unread(const SegmentTable *table, const InstalledPreset *installed, List *names)
{
	ListCell   *lc,
			   *lc2;

	foreach(lc, table->columns)
	{
		Column	   *column = lfirst(lc);

		if (column->over != OVER_ROW || preset_has_name(names, column->name))
			continue;
		foreach(lc2, column->depends)
		{
			if (preset_has_name(names, lfirst(lc2)))
				ereport(ERROR,
						(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
						 errmsg("cannot drop preset \"%s\" because other columns depend on it", installed->preset),
						 errdetail("%s reads \"%s\" of the preset.",
								   column->kind == COLUMN_ELIGIBLE ? "The rule of eligibility" :
								   psprintf("\"%s\"", column->name), (char *) lfirst(lc2)),
						 errhint("Drop that first.")));
		}
	}
}

/* The columns (of Column) that go with a preset, each before those that it reads. */
static List *
columns_to_drop(const SegmentTable *table, const InstalledPreset *installed, List *others)
{
	List	   *names = NIL;
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, installed->columns)
	{
		if (!is_remembered(others, installed, lfirst(lc)))
			names = lappend(names, lfirst(lc));
	}
	check_unread(table, installed, names);
	foreach(lc, define_by_dependency(table->columns))
	{
		if (preset_has_name(names, ((Column *) lfirst(lc))->name))
			result = lcons(lfirst(lc), result);
	}
	return result;
}

static void
refuse_unknown(const SegmentTable *table, const char *preset, const char *prefix, List *others)
{
	StringInfoData known;
	ListCell   *lc;

	initStringInfo(&known);
	foreach(lc, others)
	{
		InstalledPreset *one = lfirst(lc);

		appendStringInfo(&known, "%s\"%s\"", known.len > 0 ? ", " : "", one->preset);
		if (*one->prefix != '\0')
			appendStringInfo(&known, " with prefix \"%s\"", one->prefix);
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 *prefix == '\0' ?
			 errmsg("segment table %s has no preset \"%s\"", catalog_qualified_name(table->relid), preset) :
			 errmsg("segment table %s has no preset \"%s\" with prefix \"%s\"",
					catalog_qualified_name(table->relid), preset, prefix),
			 known.len == 0 ? errhint("It has none at all; see the view segment.table_presets.") :
			 errhint("It has %s; see the view segment.table_presets.", known.data)));
}

/* drop_preset(tbl, preset, prefix) */
Datum
segment_drop_preset(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"tbl", "preset", "prefix"};
	SegmentTable *table;
	char	   *preset;
	char	   *prefix;
	List	   *others;
	InstalledPreset *installed;
	List	   *columns;
	ListCell   *lc;

	define_require(fcinfo, 3, names);
	table = define_open(PG_GETARG_OID(0));
	preset = text_to_cstring(PG_GETARG_TEXT_PP(1));
	prefix = text_to_cstring(PG_GETARG_TEXT_PP(2));
	others = catalog_load_presets(table->relid);
	installed = catalog_find_preset(others, preset, prefix);
	if (installed == NULL)
		refuse_unknown(table, preset, prefix, others);
	columns = columns_to_drop(table, installed, others);

	/* what takes time comes before readers are shut out */
	define_close_history(table, columns);
	foreach(lc, columns)
	{
		CHECK_FOR_INTERRUPTS();
		define_drop_column(table, ((Column *) lfirst(lc))->name);
	}
	catalog_delete_preset(table->relid, preset, prefix);
	PG_RETURN_VOID();
}
