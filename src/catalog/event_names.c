/*
 * event_names.c
 *		The names of the events that a stream has, for messages.
 */
#include "postgres.h"

#include "catalog/event_names.h"
#include "context.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"

/* So many names a message has. */
#define NAMES_MAX 20

char *
event_names_quote(List *names)
{
	StringInfoData result;
	ListCell   *lc;

	initStringInfo(&result);
	foreach(lc, names)
	{
		if (foreach_current_index(lc) == NAMES_MAX)
		{
			appendStringInfoString(&result, ", and others");
			break;
		}
		appendStringInfo(&result, "%s\"%s\"", foreach_current_index(lc) > 0 ? ", " : "", (char *) lfirst(lc));
	}
	return result.data;
}

char *
event_names_there(const SegmentTable *table)
{
	List	   *names = NIL;

	(void) context_run(psprintf("SELECT DISTINCT event FROM %s WHERE event IS NOT NULL ORDER BY 1 LIMIT %d",
								catalog_qualified_name(table->events), NAMES_MAX + 1),
					   0, NULL, NULL, NULL, true);
	for (uint64 i = 0; i < SPI_processed; i++)
		names = lappend(names, SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1));
	return names == NIL ? "none that has a name" : event_names_quote(names);
}
