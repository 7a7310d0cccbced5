/*
 * clock.c
 *		The clock of the worker room.
 */
#include "postgres.h"

#include "utils/timestamp.h"
#include "worker/clock.h"

static ClockSource clock_source = NULL;

TimestampTz
clock_now(void)
{
	return clock_source != NULL ? clock_source() : GetCurrentTimestamp();
}

void
clock_set(ClockSource source)
{
	clock_source = source;
}
