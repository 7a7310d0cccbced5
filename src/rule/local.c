/*
 * local.c
 *		Reading and setting the clocks of time zones, piece by piece.
 *
 * Every step runs with time until the local clock is changed or, for months,
 * until the day of the month is treated differently.  The steps below return
 * their result together with the distance to the next such point, so a search
 * needs no sampling and is exact.
 */
#include "postgres.h"

#include "common/int.h"
#include "compat.h"
#include "parser/scansup.h"
#include "rule/local.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#define UNIX_SECONDS(t) \
	((pg_time_t) crossing_floor_div((t), USECS_PER_SEC) + EPOCH_SECONDS)
#define EPOCH_SECONDS \
	((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY)

/* Years in which every zone shows all of its offsets; later ones repeat them. */
#define FIRST_YEAR	1700
#define LAST_YEAR	2500
#define YEAR_SECONDS(year) \
	((pg_time_t) (date2j((year), 1, 1) - UNIX_EPOCH_JDATE) * SECS_PER_DAY)

/* How many zones' offsets are remembered. */
#define ZONES_REMEMBERED	8

/*
 * The offset of a zone at an instant, and its first change after it (both in
 * seconds of the Unix epoch).  1 if there is one, 0 if there is none, -1 if
 * the zone can't tell.
 */
static int
next_transition(pg_tz *tz, pg_time_t after, pg_time_t *at,
				long int *before_off, long int *after_off)
{
	int			before_dst;
	int			after_dst;
	int			found;

	found = pg_next_dst_boundary(&after, before_off, &before_dst, at, after_off, &after_dst, tz);
	if (found == 0)
	{
		pg_time_t	later = after + 1;
		long int	ignored;

		/* At the very end of a zone's repeating table, none is found. */
		found = pg_next_dst_boundary(&later, &ignored, &before_dst, at, after_off, &after_dst, tz);
		found = Max(found, 0);
	}
	return found;
}

void
local_limit(CrossingPiece *piece, int64 distance)
{
	if (distance <= 0)
		return;
	if (!piece->flat)
		piece->reach = Min(piece->reach, distance);
	else
		piece->run = Min(piece->run, Max(distance - piece->grain, 0));
}

void
local_flatten(CrossingPiece *piece, int64 distance, int64 grain)
{
	if (!piece->flat)
	{
		piece->run = piece->reach;
		piece->reach = Min(piece->reach, distance);
	}
	else
		piece->reach = Max(piece->reach, Min(piece->run, distance - piece->grain));
	piece->grain += grain;
	piece->flat = true;
}

/* Past the end of int64 nothing is looked for: its last instant will do. */
static int64
from_unix_seconds(int64 seconds)
{
	int64		result;

	if (pg_mul_s64_overflow(seconds - EPOCH_SECONDS, USECS_PER_SEC, &result))
		result = PG_INT64_MAX;
	return result;
}

/* No further than to the given point. */
static void
limit_to(CrossingPiece *piece, int64 here, int64 point)
{
	int64		distance;

	if (point <= here)
		return;
	if (pg_sub_s64_overflow(point, here, &distance))
		distance = PG_INT64_MAX;
	local_limit(piece, distance);
}

/* The least and the greatest offset a zone ever has; zones live as long as the process. */
static void
zone_range(pg_tz *tz, LocalZone *zone)
{
	static LocalZone remembered[ZONES_REMEMBERED];
	static int	next = 0;
	pg_time_t	at = YEAR_SECONDS(FIRST_YEAR);
	pg_time_t	end = YEAR_SECONDS(LAST_YEAR);
	long int	before_off;
	long int	after_off;
	long int	least;
	long int	most;

	for (int i = 0; i < ZONES_REMEMBERED; i++)
	{
		if (remembered[i].tz == tz)
		{
			*zone = remembered[i];
			return;
		}
	}
	least = most = pg_localtime(&at, tz)->tm_gmtoff;
	while (at < end && next_transition(tz, at, &at, &before_off, &after_off) > 0)
	{
		least = Min(least, Min(before_off, after_off));
		most = Max(most, Max(before_off, after_off));
	}
	zone->tz = tz;
	zone->abbreviation = NULL;
	zone->least = least * USECS_PER_SEC;
	zone->most = most * USECS_PER_SEC;
	remembered[next] = *zone;
	next = (next + 1) % ZONES_REMEMBERED;
}

void
local_session_zone(LocalZone *zone)
{
	zone_range(session_timezone, zone);
}

bool
local_zone(text *name, LocalZone *zone)
{
	char		tzname[TZ_STRLEN_MAX + 1];
	char	   *lower;
	int			type = UNKNOWN_FIELD;
	int			offset;
	pg_tz	   *tz = NULL;

	if (VARSIZE_ANY_EXHDR(name) == 0)
	{
		local_session_zone(zone);
		return true;
	}
	text_to_cstring_buffer(name, tzname, sizeof(tzname));
	lower = downcase_truncate_identifier(tzname, strlen(tzname), false);
	segment_decode_abbreviation(lower, &type, &offset, &tz);
	if (type == TZ || type == DTZ)
	{
		/* what it means at one instant it means always */
		zone->tz = NULL;
		zone->least = zone->most = DatumGetTimestamp(
			DirectFunctionCall2(timestamptz_zone, PointerGetDatum(name), TimestampTzGetDatum(0)));
	}
	else if (type == DYNTZ)
	{
		zone_range(tz, zone);
		zone->least -= USECS_PER_DAY;
		zone->most += USECS_PER_DAY;
	}
	else
	{
		tz = pg_tzset(tzname);
		if (tz == NULL)
			return false;
		zone_range(tz, zone);
		return true;
	}
	zone->abbreviation = name;
	return true;
}

/* By PostgreSQL's own conversion, which changes only where the zone's clock does. */
static bool
convert_abbreviation(CrossingPiece *piece, const LocalZone *zone, PGFunction convert)
{
	if (!IS_VALID_TIMESTAMP(piece->value))
		return false;
	if (zone->tz == NULL)
		piece->value += convert == timestamptz_zone ? zone->least : -zone->least;
	else
		piece->value = DatumGetInt64(DirectFunctionCall2(convert, PointerGetDatum(zone->abbreviation),
														 Int64GetDatum(piece->value)));
	return IS_VALID_TIMESTAMP(piece->value);
}

bool
local_from_instant(CrossingPiece *piece, const LocalZone *zone)
{
	TimestampTz instant = piece->value;
	pg_time_t	at;
	long int	before_off = 0;
	long int	after_off;

	if (zone->tz != NULL)
	{
		int			found = next_transition(zone->tz, UNIX_SECONDS(instant), &at,
											&before_off, &after_off);

		if (found < 0)
			return false;
		if (found > 0)
			limit_to(piece, instant, from_unix_seconds(at));
	}
	if (zone->abbreviation != NULL)
		return convert_abbreviation(piece, zone, timestamptz_zone);
	piece->value += before_off * USECS_PER_SEC;
	return IS_VALID_TIMESTAMP(piece->value);
}

/*
 * PostgreSQL judges by the first transition after the reading, taken as UTC,
 * less a day: a reading earlier than the new clock's at the transition has the
 * old offset (also where it was skipped), any other the new one (also where it
 * occurred before).
 */
bool
local_to_instant(CrossingPiece *piece, const LocalZone *zone)
{
	Timestamp	local = piece->value;
	struct pg_tm tm;
	fsec_t		fsec;
	pg_time_t	at;
	long int	before_off;
	long int	after_off;

	if (zone->tz != NULL &&
		next_transition(zone->tz, UNIX_SECONDS(local) - SECS_PER_DAY, &at,
						&before_off, &after_off) > 0)
	{
		limit_to(piece, local, from_unix_seconds(at + after_off));
		limit_to(piece, local, from_unix_seconds(at + SECS_PER_DAY));
		if (zone->abbreviation != NULL)
			limit_to(piece, local, from_unix_seconds(at + before_off));
	}
	if (zone->abbreviation != NULL)
		return convert_abbreviation(piece, zone, timestamp_zone);
	if (timestamp2tm(local, NULL, &tm, &fsec, NULL, NULL) != 0)
		return false;
	piece->value += DetermineTimeZoneOffset(&tm, zone->tz) * USECS_PER_SEC;
	return IS_VALID_TIMESTAMP(piece->value);
}

bool
local_add_months(CrossingPiece *piece, int32 months)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int64		month;
	int64		year;
	int			days_here;
	int			days_there;
	int			last;

	if (timestamp2tm(piece->value, NULL, &tm, &fsec, NULL, NULL) != 0)
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
	local_limit(piece, (last - tm.tm_mday + 1) * USECS_PER_DAY -
				(((tm.tm_hour * MINS_PER_HOUR + tm.tm_min) * SECS_PER_MINUTE +
				  tm.tm_sec) * USECS_PER_SEC + fsec));
	tm.tm_mday = Min(tm.tm_mday, days_there);
	return tm2timestamp(&tm, fsec, NULL, &piece->value) == 0;
}

bool
local_unit(text *name, int *unit)
{
	char	   *lower = downcase_truncate_identifier(VARDATA_ANY(name),
													 VARSIZE_ANY_EXHDR(name), false);

	return DecodeUnits(0, lower, unit) == UNITS &&
		(local_unit_length(*unit) > 0);
}

int64
local_unit_length(int unit)
{
	switch (unit)
	{
		case DTK_MICROSEC:
			return 1;
		case DTK_MILLISEC:
			return 1000;
		case DTK_SECOND:
			return USECS_PER_SEC;
		case DTK_MINUTE:
			return USECS_PER_MINUTE;
		case DTK_HOUR:
			return USECS_PER_HOUR;
		case DTK_DAY:
			return USECS_PER_DAY;
		case DTK_WEEK:
			return 7 * USECS_PER_DAY;
		case DTK_MONTH:
			return 31 * USECS_PER_DAY;
		case DTK_QUARTER:
			return 92 * USECS_PER_DAY;
		case DTK_YEAR:
			return 366 * USECS_PER_DAY;
		case DTK_DECADE:
			return 10 * 366 * USECS_PER_DAY;
		case DTK_CENTURY:
			return 100 * 366 * USECS_PER_DAY;
		case DTK_MILLENNIUM:
			return 1000 * 366 * USECS_PER_DAY;
		default:
			return 0;
	}
}

/* Midnight of a first of month, counted in months from year 0. */
static int64
first_of_month(int64 months)
{
	int64		year = crossing_floor_div(months, MONTHS_PER_YEAR);

	return (int64) (date2j((int) year, (int) (months - year * MONTHS_PER_YEAR) + 1, 1) -
					POSTGRES_EPOCH_JDATE) * USECS_PER_DAY;
}

/* The first month of the unit of months or years, and how many months it has. */
static int64
trunc_months(const struct pg_tm *tm, int unit, int *length)
{
	int64		month = (int64) tm->tm_year * MONTHS_PER_YEAR + tm->tm_mon - 1;
	int			years = 1;
	int			first = 0;

	switch (unit)
	{
		case DTK_MONTH:
			*length = 1;
			return month;
		case DTK_QUARTER:
			*length = 3;
			return crossing_floor_div(month, 3) * 3;
		case DTK_DECADE:
			years = 10;
			break;
		case DTK_CENTURY:
			years = 100;
			first = 1;
			break;
		case DTK_MILLENNIUM:
			years = 1000;
			first = 1;
			break;
		default:
			break;
	}
	*length = years * MONTHS_PER_YEAR;
	return (first + crossing_floor_div(tm->tm_year - first, years) * years) * MONTHS_PER_YEAR;
}

bool
local_trunc(CrossingPiece *piece, int unit)
{
	Timestamp	local = piece->value;
	int64		unit_length = local_unit_length(unit);
	int64		end;
	struct pg_tm tm;
	fsec_t		fsec;

	Assert(unit_length > 0);	/* whoever compiles the step has seen to it */
	if (unit_length <= 7 * USECS_PER_DAY)
	{
		/* 2000-01-03 was a Monday */
		int64		origin = unit == DTK_WEEK ? 2 * USECS_PER_DAY : 0;

		piece->value = crossing_floor_div(local - origin, unit_length) * unit_length + origin;
		end = piece->value + unit_length;
	}
	else
	{
		int64		month;
		int			length;

		if (timestamp2tm(local, NULL, &tm, &fsec, NULL, NULL) != 0)
			return false;
		month = trunc_months(&tm, unit, &length);
		piece->value = first_of_month(month);
		end = first_of_month(month + length);
	}
	local_flatten(piece, end - local, unit_length);
	return true;
}
