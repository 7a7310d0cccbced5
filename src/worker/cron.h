/*
 * cron.h
 *		Cron lines: what they say, and when they come.
 *
 * Pure: no server, no clock, no allocation.  What is to be known of a time zone
 * the caller tells.  Instants are seconds since 2000-01-01 00:00 UTC; what a
 * clock on the wall shows is given as seconds since 2000-01-01 00:00 on it.
 *
 * A line whose minute and hour fields are both without "*" names times of the
 * day: each comes once, at the first instant at which the clock on the wall
 * shows it or, where it skips that time, has passed it.  Any other line comes
 * at each instant at which the clock shows what matches.
 */
#ifndef SEGMENT_CRON_H
#define SEGMENT_CRON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CRON_ZONE_SIZE 256
#define CRON_DETAIL_SIZE 160

typedef struct CronLine
{
	uint64_t	minutes;		/* bits 0 to 59 */
	uint32_t	hours;			/* bits 0 to 23 */
	uint32_t	days;			/* of the month: bits 1 to 31 */
	uint32_t	months;			/* bits 1 to 12 */
	uint32_t	weekdays;		/* bits 0, Sunday, to 6 */
	bool		either_day;		/* days or weekdays match, else both */
	bool		by_the_clock;	/* "*" in minute or hour: each time the clock shows it */
	char		zone[CRON_ZONE_SIZE];	/* of CRON_TZ; empty if not given */
} CronLine;

/* What is wrong with a line: ASCII whatever the line holds. */
typedef struct CronError
{
	char		detail[CRON_DETAIL_SIZE];
	const char *hint;			/* or NULL */
} CronError;

/* How far a clock on the wall is ahead of UTC, in seconds, and until when. */
typedef struct CronSpan
{
	int64_t		offset;
	int64_t		until;			/* not included; INT64_MAX: for ever */
} CronSpan;

/* Tells the span that an instant lies in; until must lie after it. */
typedef void (*CronZone) (void *zone, int64_t instant, CronSpan *span);

/* Is the text meant as a cron line, well-formed or not?  Intervals are not. */
extern bool cron_recognize(const char *text);

/* Reads a line; false, and *error says why, if it is none or can never come. */
extern bool cron_parse(const char *text, CronLine *line, CronError *error);

/*
 * The first instant after another at which the line comes; false if there is
 * none in the 400 years to come.  Instants must lie within 300,000 years.
 */
extern bool cron_next(const CronLine *line, CronZone zone, void *zone_arg,
					  int64_t after, int64_t *next);

/* The last instant at or before another; false if there is none in 400 years. */
extern bool cron_latest(const CronLine *line, CronZone zone, void *zone_arg,
						int64_t at, int64_t *latest);

#endif							/* SEGMENT_CRON_H */
