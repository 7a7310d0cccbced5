/*
 * zone.h
 *		Local time: days, weeks, months and hours in the session's time zone,
 *		which while a segment table is evaluated is that of the segment table.
 */
#ifndef SEGMENT_ZONE_H
#define SEGMENT_ZONE_H

#include "datatype/timestamp.h"

/*
 * What a clock on the wall shows at a finite instant: microseconds since
 * 2000-01-01 00:00 on that clock, as "at AT TIME ZONE" gives it.
 */
extern int64 zone_local(TimestampTz at);

/* Whole units since 2000-01-01, rounded down: a wall clock's day; */
static inline int32
zone_day_of(int64 local)
{
	int64		day = local / USECS_PER_DAY;

	return (int32) (local % USECS_PER_DAY < 0 ? day - 1 : day);
}

/* the week of a day, from Monday, where 0 is the week of 2000-01-01, a Saturday; */
extern int32 zone_week_of(int32 day);

/* the month of a day, where 0 is January 2000. */
extern int32 zone_month_of(int32 day);

/* So far from 0, in either direction, is no day, week or month of a timestamp. */
#define ZONE_UNIT_MAX INT64CONST(110000000)

#endif							/* SEGMENT_ZONE_H */
