/*
 * events.c
 *		Do the events that a preset speaks of happen at all?
 */
#include "postgres.h"

#include "catalog/event_names.h"
#include "catalog/pg_type.h"
#include "context.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "preset/preset.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* Runs a query over the stream, with names (of char *) as $1; returns how many rows there are. */
static uint64
ask(const SegmentTable *table, const char *format, List *names)
{
	Oid			types[] = {TEXTARRAYOID};
	Datum		values[] = {catalog_text_array(names)};

	return context_run(psprintf(format, catalog_qualified_name(table->events)), 1, types, values, NULL, true);
}

/* The first field of each row of the answer (of char *). */
static List *
answer(void)
{
	List	   *result = NIL;

	for (uint64 i = 0; i < SPI_processed; i++)
		result = lappend(result, SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1));
	return result;
}

/* The options that give events by name, as far as columns need them. */
static List *
options_with_names(const Preset *preset)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, preset->options)
	{
		PresetOption *option = lfirst(lc);

		if (option->used && option->type == OPTION_EVENT && option->names != NIL)
			result = lappend(result, option);
	}
	return result;
}

/* Error that names all options (of PresetOption) of which the stream has no event, and what it has. */
static void
refuse_missing(const Preset *preset, const SegmentTable *table, List *options)
{
	List	   *names = NIL;
	List	   *there;
	StringInfoData missing;
	StringInfoData mapping;
	int			n = 0;
	ListCell   *lc,
			   *lc2;

	foreach(lc, options)
		names = list_concat(names, ((PresetOption *) lfirst(lc))->names);
	(void) ask(table, "SELECT DISTINCT event FROM %s WHERE event = ANY ($1)", names);
	there = answer();
	initStringInfo(&missing);
	initStringInfo(&mapping);
	foreach(lc, options)
	{
		PresetOption *option = lfirst(lc);
		bool		found = false;

		foreach(lc2, option->names)
			found = found || preset_has_name(there, lfirst(lc2));
		if (found)
			continue;
		appendStringInfo(&mapping, "%s\"%s\": \"your name of it\"", n > 0 ? ", " : "", option->name);
		appendStringInfo(&missing, "%s\"%s\" (%s)", n++ > 0 ? ", " : "", option->name,
						 event_names_quote(option->names));
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg_plural("preset \"%s\" finds no event in the stream for its option %s",
						   "preset \"%s\" finds no event in the stream for its options %s",
						   n, preset->name, missing.data),
			 errdetail("The stream has %s.", event_names_there(table)),
			 errhint("Give {%s}, null if there is no such event, or \"check_events\": false if it is yet to come.",
					 mapping.data)));
}

void
preset_check_events(const Preset *preset, const SegmentTable *table)
{
	List	   *options = options_with_names(preset);
	RunContext	ctx;
	ListCell   *lc;

	if (options == NIL || !preset->check_events ||
		!OidIsValid(table->events) || get_rel_name(table->events) == NULL)
		return;
	SPI_connect();
	context_enter_owner(&ctx, table->owner, table->time_zone);
	if (ask(table, "SELECT FROM %s LIMIT 1", NIL) == 0)
	{
		ereport(NOTICE,
				(errmsg("the stream of %s has no event yet, so the names of events in preset \"%s\" are not checked",
						catalog_qualified_name(table->relid), preset->name)));
		options = NIL;
	}
	foreach(lc, options)
	{
		CHECK_FOR_INTERRUPTS();
		if (ask(table, "SELECT FROM %s WHERE event = ANY ($1) LIMIT 1", ((PresetOption *) lfirst(lc))->names) == 0)
			refuse_missing(preset, table, options);
	}
	context_leave(&ctx);
	SPI_finish();
}
