/*
 * time.c
 *		The calendar and a time zone, without a server.
 */
#include "shim.h"

#include "common/int.h"
#include "pgtime.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

/*
 * A zone with summer time: in the second half of every so many days the clock is
 * an hour ahead of its winter time, which is two hours west of UTC.
 */
#define HALF_YEAR (INT64CONST(182) * SECS_PER_DAY)

static char zone_mark;
pg_tz	   *session_timezone = (pg_tz *) &zone_mark;

static int64
floor_div(int64 a, int64 b)
{
	return a / b - (a % b < 0 ? 1 : 0);
}

static bool
is_summer(pg_time_t second)
{
	return floor_div(second, HALF_YEAR) % 2 != 0;
}

static long
zone_offset(pg_time_t second)
{
	return (is_summer(second) ? -1 : -2) * SECS_PER_HOUR;
}

SHIM(int, date2j, (int year, int month, int day))
{
	int64		y = (int64) year - (month <= 2);
	int64		m = month <= 2 ? month + 9 : month - 3;

	/* days from the March that began the Gregorian cycle of year 0 */
	return (int) (y * 365 + floor_div(y, 4) - floor_div(y, 100) + floor_div(y, 400) +
				  (153 * m + 2) / 5 + day - 1 + 1721120);
}

SHIM(void, j2date, (int julian, int *year, int *month, int *day))
{
	int64		days = (int64) julian - 1721120;
	int64		cycle = floor_div(days, 146097);
	int64		d = days - cycle * 146097;
	int64		y = (d - d / 1460 + d / 36524 - d / 146096) / 365;
	int64		left = d - (365 * y + y / 4 - y / 100);
	int64		m = (5 * left + 2) / 153;

	*day = (int) (left - (153 * m + 2) / 5 + 1);
	*month = (int) (m < 10 ? m + 3 : m - 9);
	*year = (int) (y + cycle * 400 + (*month <= 2));
}

SHIM(int, j2day, (int julian))
{
	int			day = (julian + 1) % 7;

	return day < 0 ? day + 7 : day;
}

/* The fields that are read: the whole date, and the distance from UTC. */
SHIM(struct pg_tm *, pg_localtime, (const pg_time_t *second, const pg_tz *zone))
{
	static struct pg_tm tm;
	int64		local = *second + zone_offset(*second);
	int64		day = floor_div(local, SECS_PER_DAY);
	int			of_day = (int) (local - day * SECS_PER_DAY);

	memset(&tm, 0, sizeof(tm));
	if (day < PG_INT32_MIN / 2 || day > PG_INT32_MAX / 2)
		return NULL;
	shim_j2date((int) day + UNIX_EPOCH_JDATE, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	tm.tm_wday = shim_j2day((int) day + UNIX_EPOCH_JDATE);
	tm.tm_hour = of_day / SECS_PER_HOUR;
	tm.tm_min = of_day / SECS_PER_MINUTE % MINS_PER_HOUR;
	tm.tm_sec = of_day % SECS_PER_MINUTE;
	tm.tm_gmtoff = zone_offset(*second);
	return &tm;
}

SHIM(int, pg_next_dst_boundary, (const pg_time_t *second, long *before, int *before_is_dst,
								 pg_time_t *boundary, long *after, int *after_is_dst,
								 const pg_tz *zone))
{
	*boundary = (floor_div(*second, HALF_YEAR) + 1) * HALF_YEAR;
	*before = zone_offset(*second);
	*before_is_dst = is_summer(*second);
	*after = zone_offset(*boundary);
	*after_is_dst = is_summer(*boundary);
	return 1;
}

const int	day_tab[2][13] = {
	{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0},
	{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0}
};

#define EPOCHS_APART ((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY)

SHIM(int, timestamp2tm, (Timestamp at, int *zone, struct pg_tm *tm, fsec_t *fraction,
						 const char **name, pg_tz *of))
{
	pg_time_t	second = floor_div(at, USECS_PER_SEC) + EPOCHS_APART;
	pg_time_t	shown = zone == NULL ? second - zone_offset(second) : second;

	*fraction = (fsec_t) (at - floor_div(at, USECS_PER_SEC) * USECS_PER_SEC);
	*tm = *shim_pg_localtime(&shown, NULL);
	tm->tm_year += 1900;
	tm->tm_mon += 1;
	if (zone != NULL)
		*zone = (int) -tm->tm_gmtoff;
	return 0;
}

SHIM(int, DetermineTimeZoneOffset, (struct pg_tm *tm, pg_tz *zone))
{
	pg_time_t	local = ((int64) shim_date2j(tm->tm_year, tm->tm_mon, tm->tm_mday) -
						 UNIX_EPOCH_JDATE) * SECS_PER_DAY +
		tm->tm_hour * SECS_PER_HOUR + tm->tm_min * SECS_PER_MINUTE + tm->tm_sec;

	return (int) -zone_offset(local + 2 * SECS_PER_HOUR);
}

SHIM(int, tm2timestamp, (struct pg_tm *tm, fsec_t fraction, int *zone, Timestamp *at))
{
	int64		day = (int64) shim_date2j(tm->tm_year, tm->tm_mon, tm->tm_mday) -
		POSTGRES_EPOCH_JDATE;
	int64		second = day * SECS_PER_DAY + tm->tm_hour * SECS_PER_HOUR +
		tm->tm_min * SECS_PER_MINUTE + tm->tm_sec + (zone == NULL ? 0 : *zone);

	if (second < MIN_TIMESTAMP / USECS_PER_SEC || second >= END_TIMESTAMP / USECS_PER_SEC)
		return -1;
	*at = second * USECS_PER_SEC + fraction;
	return 0;
}

/* Any text is an interval of as many minutes as it has bytes. */
SHIM(int, ParseDateTime, (const char *text, char *work, size_t room, char **field, int *type,
						  int most, int *count))
{
	*count = 1;
	type[0] = (int) strlen(text);
	return 0;
}

SHIM(int, DecodeInterval, (char **field, int *type, int count, int range, int *kind,
						   struct pg_itm_in *interval))
{
	*kind = DTK_DELTA;
	interval->tm_usec = type[0] * USECS_PER_MINUTE;
	return 0;
}

SHIM(int, itmin2interval, (struct pg_itm_in *from, Interval *interval))
{
	memset(interval, 0, sizeof(*interval));
	interval->time = from->tm_usec;
	return 0;
}

/* Months of 30 days of 24 hours: enough for what is not the calendar's. */
SHIM(Datum, timestamptz_mi_interval, (FunctionCallInfo fcinfo))
{
	const Interval *interval = PG_GETARG_INTERVAL_P(1);
	int64		days = (int64) interval->month * DAYS_PER_MONTH + interval->day;
	int64		shift;
	Timestamp	at;

	if (pg_mul_s64_overflow(days, USECS_PER_DAY, &shift) ||
		pg_add_s64_overflow(shift, interval->time, &shift) ||
		pg_sub_s64_overflow(PG_GETARG_TIMESTAMPTZ(0), shift, &at) || !IS_VALID_TIMESTAMP(at))
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
						errmsg("timestamp out of range")));
	PG_RETURN_TIMESTAMPTZ(at);
}
