/*
 * cron.c
 *		When a cron line comes.
 */
#include "worker/cron.h"

#define MINUTE INT64_C(60)
#define HOUR INT64_C(3600)
#define DAY INT64_C(86400)
#define MINUTES_OF_DAY 1440

/* The calendar repeats itself after 400 years, weekdays included. */
#define CYCLE_DAYS 146097
#define CYCLE_MONTHS 4800

/* No clock on the wall is, or was ever set, further than this. */
#define FARTHEST (2 * DAY)

#define SATURDAY 6				/* 2000-01-01 */

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0 ? 1 : 0);
}

static int
days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool		leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* Days from the start of a cycle to that of one of its years. */
static int
days_before_year(int year)
{
	return year * 365 + (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;
}

/* The year within its cycle, and month and day of a day since 2000-01-01. */
static void
date_of(int64_t day, int *year, int *month, int *day_of_month)
{
	int			rest = (int) (day - floor_div(day, CYCLE_DAYS) * CYCLE_DAYS);

	*year = rest / 366;
	while (days_before_year(*year + 1) <= rest)
		(*year)++;
	rest -= days_before_year(*year);
	for (*month = 1; rest >= days_in_month(*year, *month); (*month)++)
		rest -= days_in_month(*year, *month);
	*day_of_month = rest + 1;
}

static bool
day_matches(const CronLine *line, int64_t day, int day_of_month)
{
	int			weekday = (int) (day + SATURDAY - floor_div(day + SATURDAY, 7) * 7);
	bool		by_month = (line->days >> day_of_month & 1) != 0;
	bool		by_week = (line->weekdays >> weekday & 1) != 0;

	return line->either_day ? by_month || by_week : by_month && by_week;
}

/* The first minute of a day, from one on, that matches; -1 if none. */
static int
minute_of_day(const CronLine *line, int from)
{
	for (int hour = from / 60; hour < 24; hour++)
	{
		if ((line->hours >> hour & 1) == 0)
			continue;
		for (int minute = hour == from / 60 ? from % 60 : 0; minute < 60; minute++)
			if ((line->minutes >> minute & 1) != 0)
				return hour * 60 + minute;
	}
	return -1;
}

/*
 * The first minute on the wall, counted from 2000-01-01 00:00, that matches,
 * from one on; false if none does.
 */
static bool
next_shown(const CronLine *line, int64_t from, int64_t *shown)
{
	int64_t		day = floor_div(from, MINUTES_OF_DAY);
	int			minute = minute_of_day(line, (int) (from - day * MINUTES_OF_DAY));
	int			first_of_day = minute_of_day(line, 0);
	int			year;
	int			month;
	int			day_of_month;

	date_of(day, &year, &month, &day_of_month);
	for (int months = 0; months <= CYCLE_MONTHS; months++)
	{
		int			length = days_in_month(year, month);

		if ((line->months >> month & 1) == 0)
		{
			day += length - day_of_month + 1;
			day_of_month = length + 1;
			minute = first_of_day;
		}
		for (; day_of_month <= length; day_of_month++, day++)
		{
			if (minute >= 0 && day_matches(line, day, day_of_month))
			{
				*shown = day * MINUTES_OF_DAY + minute;
				return true;
			}
			minute = first_of_day;
		}
		day_of_month = 1;
		if (++month > 12)
		{
			month = 1;
			year++;
		}
	}
	return false;
}

/* The latest time that the clock has ever shown until an instant. */
static int64_t
latest_shown(CronZone zone, void *zone_arg, int64_t instant)
{
	int64_t		from = instant - FARTHEST;
	int64_t		latest = INT64_MIN;

	while (from <= instant)
	{
		CronSpan	span;
		int64_t		last;

		zone(zone_arg, from, &span);
		last = (span.until <= instant ? span.until - 1 : instant) + span.offset;
		if (last > latest)
			latest = last;
		if (span.until > instant)
			break;
		from = span.until;
	}
	return latest;
}

/* Times of the day: the first instant at which the clock shows the next of them, or more. */
static bool
next_once(const CronLine *line, CronZone zone, void *zone_arg, int64_t after,
		  int64_t *next)
{
	int64_t		shown;
	int64_t		instant = after + 1;

	if (!next_shown(line, floor_div(latest_shown(zone, zone_arg, after), MINUTE) + 1, &shown))
		return false;
	shown *= MINUTE;
	if (instant < shown - FARTHEST)
		instant = shown - FARTHEST;
	while (instant <= shown + FARTHEST)
	{
		CronSpan	span;

		zone(zone_arg, instant, &span);
		if (instant < shown - span.offset)
			instant = shown - span.offset;
		if (instant < span.until)
		{
			*next = instant;
			return true;
		}
		instant = span.until;
	}
	return false;
}

/* By the clock: the next instant at which it shows what matches. */
static bool
next_match(const CronLine *line, CronZone zone, void *zone_arg, int64_t after,
		   int64_t *next)
{
	int64_t		instant = after + 1;

	for (;;)
	{
		CronSpan	span;
		int64_t		shown;

		zone(zone_arg, instant, &span);
		if (!next_shown(line, floor_div(instant + span.offset + MINUTE - 1, MINUTE), &shown))
			return false;
		*next = shown * MINUTE - span.offset;
		if (*next < span.until)
			return true;

		/* in the next one the clock may have been set back */
		instant = span.until;
		if (instant - after > CYCLE_DAYS * DAY)
			return false;
	}
}

bool
cron_next(const CronLine *line, CronZone zone, void *zone_arg, int64_t after,
		  int64_t *next)
{
	if (line->by_the_clock)
		return next_match(line, zone, zone_arg, after, next);
	return next_once(line, zone, zone_arg, after, next);
}

/* Later instants have later runs: between two, one of which is too early, bisect. */
bool
cron_latest(const CronLine *line, CronZone zone, void *zone_arg, int64_t at,
			int64_t *latest)
{
	int64_t		before = at;
	int64_t		too_late = at;
	int64_t		run;

	for (int64_t back = HOUR;; back *= 2)
	{
		if (back > CYCLE_DAYS * DAY)
			return false;
		before = at - back;
		if (cron_next(line, zone, zone_arg, before, &run) && run <= at)
			break;
		too_late = before;
	}
	*latest = run;
	while (too_late - before > 1)
	{
		int64_t		middle = before + (too_late - before) / 2;

		if (cron_next(line, zone, zone_arg, middle, &run) && run <= at)
		{
			before = middle;
			*latest = run;
		}
		else
			too_late = middle;
	}
	return true;
}
