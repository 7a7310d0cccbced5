/*
 * events.c
 *		Do the events that a preset speaks of happen at all?
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "context.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "preset/preset.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* So many of the events that there are an error names. */
#define EVENTS_NAMED 20

/* Is there a row of the stream that meets a condition on its column event, with $1 for names? */
static bool
stream_has(const SegmentTable *table, const char *condition, List *names)
{
	Oid			types[] = {TEXTARRAYOID};
	Datum	   *elements = palloc(sizeof(Datum) * Max(list_length(names), 1));
	Datum		values[1];
	ListCell   *lc;
	int			n = 0;

	foreach(lc, names)
		elements[n++] = CStringGetTextDatum((char *) lfirst(lc));
	values[0] = PointerGetDatum(construct_array(elements, n, TEXTOID, -1, false, TYPALIGN_INT));
	return context_run(psprintf("SELECT FROM %s WHERE %s LIMIT 1", catalog_qualified_name(table->events), condition),
					   1, types, values, NULL, true) > 0;
}

/* The names of events that there are, as far as there is room for them. */
static char *
events_there(const SegmentTable *table)
{
	StringInfoData result;
	uint64		n;

	initStringInfo(&result);
	n = context_run(psprintf("SELECT DISTINCT event FROM %s WHERE event IS NOT NULL ORDER BY 1 LIMIT %d",
							 catalog_qualified_name(table->events), EVENTS_NAMED + 1), 0, NULL, NULL, NULL, true);
	for (uint64 i = 0; i < n && i < EVENTS_NAMED; i++)
		appendStringInfo(&result, "%s\"%s\"", i > 0 ? ", " : "",
						 SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1));
	if (n > EVENTS_NAMED)
		appendStringInfoString(&result, ", and others");
	return result.len > 0 ? result.data : "none that has a name";
}

static char *
quoted(List *names)
{
	StringInfoData result;
	ListCell   *lc;

	initStringInfo(&result);
	foreach(lc, names)
		appendStringInfo(&result, "%s\"%s\"", foreach_current_index(lc) > 0 ? ", " : "", (char *) lfirst(lc));
	return result.data;
}

static void
check_options(const Preset *preset, const SegmentTable *table)
{
	ListCell   *lc;

	foreach(lc, preset->options)
	{
		PresetOption *option = lfirst(lc);

		CHECK_FOR_INTERRUPTS();
		if (!option->used || option->names == NIL || option->type != OPTION_EVENT ||
			stream_has(table, "event = ANY ($1)", option->names))
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("no event of the stream is %s, which option \"%s\" of preset \"%s\" names",
						quoted(option->names), option->name, preset->name),
				 errdetail("The stream has %s.", events_there(table)),
				 errhint("Give {\"%s\": \"your name of it\"}, null if there is no such event, or \"check_events\": false if it is yet to come.",
						 option->name)));
	}
}

void
preset_check_events(const Preset *preset, const SegmentTable *table)
{
	bool		wanted = false;
	RunContext	ctx;
	ListCell   *lc;

	foreach(lc, preset->options)
	{
		PresetOption *option = lfirst(lc);

		wanted = wanted || (option->used && option->type == OPTION_EVENT && option->names != NIL);
	}
	if (!wanted || !preset->check_events ||
		!OidIsValid(table->events) || get_rel_name(table->events) == NULL)
		return;
	SPI_connect();
	context_enter_owner(&ctx, table->owner, table->time_zone);
	if (stream_has(table, "cardinality($1) = 0", NIL))
		check_options(preset, table);
	else
		ereport(NOTICE,
				(errmsg("the stream of %s has no event yet, so the names of events in preset \"%s\" are not checked",
						catalog_qualified_name(table->relid), preset->name)));
	context_leave(&ctx);
	SPI_finish();
}
