/*
 * notify.c
 *		Telling listeners that memberships have changed.
 *
 * The notification belongs to the transaction that wrote the changes: whoever
 * hears of it sees them, and it is lost only if they are.
 */
#include "postgres.h"

#include "commands/async.h"
#include "guc.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "notify.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/timestamp.h"

/* As JSON has instants, in UTC. */
static void
append_instant(StringInfo payload, TimestampTz instant)
{
	struct pg_tm tm;
	fsec_t		fsec;
	char		text[MAXDATELEN + 1];

	if (timestamp2tm(instant, NULL, &tm, &fsec, NULL, NULL) != 0)
		strlcpy(text, timestamptz_to_str(instant), sizeof(text));
	else
	{
		tm.tm_isdst = 0;		/* else the offset is left out */
		EncodeDateTime(&tm, fsec, true, 0, NULL, USE_XSD_DATES, text);
	}
	appendStringInfo(payload, "\"%s\"", text);
}

void
notify_moves(const char *table, int64 entered, int64 left, TimestampTz as_of)
{
	StringInfoData payload;

	if (entered + left == 0 || segment_notify_channel == NULL || *segment_notify_channel == '\0')
		return;
	initStringInfo(&payload);
	appendStringInfoString(&payload, "{\"table\": ");
	escape_json(&payload, table);
	appendStringInfo(&payload, ", \"entered\": " INT64_FORMAT ", \"left\": " INT64_FORMAT ", \"as_of\": ",
					 entered, left);
	append_instant(&payload, as_of);
	appendStringInfoChar(&payload, '}');
	Async_Notify(segment_notify_channel, payload.data);
	pfree(payload.data);
}
