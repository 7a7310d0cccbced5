/*
 * crossing.c
 *		SQL face of model/crossing: when time alone flips a comparison.
 *
 * An interval is added to an instant as PostgreSQL does it: months and then
 * days on the local clock of the session's time zone, each sum read back as an
 * instant, then microseconds.  Every step moves at slope one until the local
 * clock is changed or, for months, until the day of the month is treated
 * differently.  The steps below return their result together with the distance
 * to the next such point, so the search needs no sampling and is exact.
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/int.h"
#include "fmgr.h"
#include "guc.h"
#include "model/crossing.h"
#include "pgtime.h"
#include "utils/datetime.h"
#include "utils/date.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(segment_crossing);
PG_FUNCTION_INFO_V1(segment_crossing_timestamp);
PG_FUNCTION_INFO_V1(segment_crossing_date);
PG_FUNCTION_INFO_V1(segment_crossing_span);

#define UNIX_SECONDS(t) \
	((pg_time_t) crossing_floor_div((t), USECS_PER_SEC) + EPOCH_SECONDS)
#define FROM_UNIX_SECONDS(s) (((int64) (s) - EPOCH_SECONDS) * USECS_PER_SEC)
#define EPOCH_SECONDS \
	((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY)

/* Years in which every zone shows all of its offsets; later ones repeat them. */
#define FIRST_YEAR	1700
#define LAST_YEAR	2500
#define YEAR_SECONDS(year) \
	((pg_time_t) (date2j((year), 1, 1) - UNIX_EPOCH_JDATE) * SECS_PER_DAY)

/*
 * The first change of the session's clock after an instant (both in seconds of
 * the Unix epoch), and the offsets before and after it.  False if there is none.
 */
static bool
next_transition(pg_time_t after, pg_time_t *at,
				long int *before_off, long int *after_off)
{
	int			before_dst;
	int			after_dst;
	int			found;

	found = pg_next_dst_boundary(&after, before_off, &before_dst,
								 at, after_off, &after_dst, session_timezone);
	if (found == 0)
	{
		/* At the very end of a zone's repeating table, none is found. */
		after++;
		found = pg_next_dst_boundary(&after, before_off, &before_dst,
									 at, after_off, &after_dst, session_timezone);
	}
	return found > 0;
}

/*
 * No further than to the given point, if that lies ahead.  (A point past the
 * range of timestamps may wrap around; nothing is looked for there.)
 */
static void
limit_reach(int64 *reach, int64 here, int64 point)
{
	if (point > here && point - here < *reach)
		*reach = point - here;
}

/*
 * Splits an instant into fields of the local clock, which runs evenly until
 * the next transition.
 */
static bool
to_local(TimestampTz instant, struct pg_tm *tm, fsec_t *fsec, int64 *reach)
{
	pg_time_t	at;
	long int	before_off;
	long int	after_off;
	int			tz;

	if (timestamp2tm(instant, &tz, tm, fsec, NULL, NULL) != 0)
		return false;
	if (next_transition(UNIX_SECONDS(instant), &at, &before_off, &after_off))
		limit_reach(reach, instant, FROM_UNIX_SECONDS(at));
	return true;
}

/*
 * Reads fields of the local clock as an instant.  PostgreSQL judges by the
 * first transition after the reading, taken as UTC, less a day: a reading
 * earlier than the new clock's at the transition has the old offset (also where
 * it was skipped), any other the new one (also where it occurred before).
 */
static bool
from_local(struct pg_tm *tm, fsec_t fsec, TimestampTz *instant, int64 *reach)
{
	Timestamp	local;
	pg_time_t	at;
	long int	before_off;
	long int	after_off;
	int			tz;

	tz = DetermineTimeZoneOffset(tm, session_timezone);
	if (tm2timestamp(tm, fsec, &tz, instant) != 0)
		return false;
	local = *instant - tz * USECS_PER_SEC;
	if (next_transition(UNIX_SECONDS(local) - SECS_PER_DAY, &at,
						&before_off, &after_off))
	{
		limit_reach(reach, local, FROM_UNIX_SECONDS(at + after_off));
		limit_reach(reach, local, FROM_UNIX_SECONDS(at + SECS_PER_DAY));
	}
	return true;
}

/* Adds months on the local clock. */
static bool
add_months(TimestampTz *instant, int32 months, int64 *reach)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int64		month;
	int64		year;
	int			days_here;
	int			days_there;
	int			last;

	if (!to_local(*instant, &tm, &fsec, reach))
		return false;
	month = (int64) tm.tm_year * MONTHS_PER_YEAR + tm.tm_mon - 1 + months;
	year = crossing_floor_div(month, MONTHS_PER_YEAR);
	if (year < JULIAN_MINYEAR || year > JULIAN_MAXYEAR)
		return false;
	days_here = day_tab[isleap(tm.tm_year)][tm.tm_mon - 1];
	tm.tm_year = (int) year;
	tm.tm_mon = (int) (month - year * MONTHS_PER_YEAR) + 1;
	days_there = day_tab[isleap(tm.tm_year)][tm.tm_mon - 1];

	/* Days that the other month lacks become its last, each of them anew. */
	last = tm.tm_mday > days_there ? tm.tm_mday : Min(days_here, days_there);
	limit_reach(reach,
				((tm.tm_hour * MINS_PER_HOUR + tm.tm_min) * SECS_PER_MINUTE +
				 tm.tm_sec) * USECS_PER_SEC + fsec,
				(last - tm.tm_mday + 1) * USECS_PER_DAY);
	tm.tm_mday = Min(tm.tm_mday, days_there);
	return from_local(&tm, fsec, instant, reach);
}

/* Adds days on the local clock. */
static bool
add_days(TimestampTz *instant, int32 days, int64 *reach)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			julian;

	if (!to_local(*instant, &tm, &fsec, reach))
		return false;
	julian = date2j(tm.tm_year, tm.tm_mon, tm.tm_mday);
	if (pg_add_s32_overflow(julian, days, &julian) || julian < -1)
		return false;
	j2date(julian, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
	return from_local(&tm, fsec, instant, reach);
}

/* A CrossingShift: t + interval, where that is a timestamp. */
static bool
shift_instant(int64 t, int64 *value, int64 *reach, void *arg)
{
	const Interval *shift = (const Interval *) arg;

	*reach = PG_INT64_MAX;
	*value = t;
	return IS_VALID_TIMESTAMP(t) &&
		(shift->month == 0 || add_months(value, shift->month, reach)) &&
		(shift->day == 0 || add_days(value, shift->day, reach)) &&
		!pg_add_s64_overflow(*value, shift->time, value) &&
		IS_VALID_TIMESTAMP(*value);
}

/*
 * Microseconds between the least and the greatest offset the session's time
 * zone ever has.  Zones live as long as the process, so the last one asked for
 * is remembered by its address.
 */
static int64
zone_spread(void)
{
	static const pg_tz *zone = NULL;
	static int64 spread = 0;
	pg_time_t	at = YEAR_SECONDS(FIRST_YEAR);
	pg_time_t	end = YEAR_SECONDS(LAST_YEAR);
	long int	before_off;
	long int	after_off;
	long int	least;
	long int	most;

	if (zone == session_timezone)
		return spread;
	least = most = pg_localtime(&at, session_timezone)->tm_gmtoff;
	while (at < end && next_transition(at, &at, &before_off, &after_off))
	{
		least = Min(least, Min(before_off, after_off));
		most = Max(most, Max(before_off, after_off));
	}
	spread = (int64) (most - least) * USECS_PER_SEC;
	zone = session_timezone;
	return spread;
}

/* The as-of instant, as segment.now() returns it. */
static TimestampTz
as_of(void)
{
	TimestampTz instant;

	return guc_as_of(&instant) ? instant : GetCurrentTransactionStartTimestamp();
}

/*
 * The next flip of segment.now() + shift >= at, or of > if after; false if
 * there is none.
 *
 * The slack of the window: adding months or days reads the local clock at one
 * offset of the zone and sets it back at another, so the sum is off by no more
 * than the spread of the zone's offsets, once for months and once for days.
 */
static bool
next_crossing(TimestampTz at, Interval *shift, bool after, TimestampTz *result)
{
	int64		slack = 0;
	CrossingWindow window;

	if (TIMESTAMP_NOT_FINITE(at))
		return false;
	if (after)
		at++;
	if (shift->month != 0)
		slack += zone_spread();
	if (shift->day != 0)
		slack += zone_spread();
	window = crossing_window(at, shift->month, shift->day, shift->time, slack);
	return crossing_find(as_of(), at, window, shift_instant, shift, result) &&
		IS_VALID_TIMESTAMP(*result);
}

/* What the three forms of segment.crossing have in common: all but their first argument. */
static Datum
crossing_result(FunctionCallInfo fcinfo, TimestampTz at, bool is_instant)
{
	TimestampTz result;

	if (!is_instant ||
		!next_crossing(at, PG_GETARG_INTERVAL_P(1), PG_GETARG_BOOL(2), &result))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(result);
}

/* segment.crossing(at timestamptz, shift, after) */
Datum
segment_crossing(PG_FUNCTION_ARGS)
{
	return crossing_result(fcinfo, PG_GETARG_TIMESTAMPTZ(0), true);
}

/*
 * segment.crossing(at timestamp, shift, after): the comparison takes a local
 * time that is out of the range of instants, where a cast would raise an error.
 */
Datum
segment_crossing_timestamp(PG_FUNCTION_ARGS)
{
	int			overflow;
	TimestampTz at = timestamp2timestamptz_opt_overflow(PG_GETARG_TIMESTAMP(0), &overflow);

	return crossing_result(fcinfo, at, overflow == 0);
}

/* segment.crossing(at date, shift, after): the same of midnight */
Datum
segment_crossing_date(PG_FUNCTION_ARGS)
{
	int			overflow;
	TimestampTz at = date2timestamptz_opt_overflow(PG_GETARG_DATEADT(0), &overflow);

	return crossing_result(fcinfo, at, overflow == 0);
}

/*
 * segment.crossing_span(at, span, after): the next flip of
 * segment.now() - at >= span, or of > if after.
 *
 * The difference of two instants has days and microseconds only, and intervals
 * are ordered by their length at 24 hours a day, so it is linear.
 */
Datum
segment_crossing_span(PG_FUNCTION_ARGS)
{
	TimestampTz at = PG_GETARG_TIMESTAMPTZ(0);
	Interval   *span = PG_GETARG_INTERVAL_P(1);
	bool		after = PG_GETARG_BOOL(2);
	TimestampTz result;

	if (TIMESTAMP_NOT_FINITE(at))
		PG_RETURN_NULL();
	result = crossing_add_span(after ? at + 1 : at,
							   span->month, span->day, span->time);
	if (!IS_VALID_TIMESTAMP(result) || result <= as_of())
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(result);
}
