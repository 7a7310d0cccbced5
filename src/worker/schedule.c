/*
 * schedule.c
 *		Schedule arithmetic: pure, of its arguments alone.
 */
#include "postgres.h"

#include "common/int.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"
#include "worker/schedule.h"

/* Interruptions in a row that are put down to bad luck, and their longest rest. */
#define BAD_LUCK 5
#define BAD_LUCK_REST (INT64CONST(8) * USECS_PER_SEC)

/* A century: longer intervals are typing errors, and sums stay in range. */
#define MAX_INTERVAL (INT64CONST(36525) * USECS_PER_DAY)

/* PostgreSQL passes over other signs in an interval, and would misread a cron line. */
static const char *const interval_signs =
"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.:+-@ \t\n";

/* Reads an interval as interval_in does, without raising errors. */
static bool
parse_interval(const char *text, struct pg_itm_in *itm)
{
	char	   *field[MAXDATEFIELDS];
	int			ftype[MAXDATEFIELDS];
	char		workbuf[256];
	int			nf;
	int			dtype;
	int			error;

	if (strspn(text, interval_signs) != strlen(text))
		return false;
	memset(itm, 0, sizeof(*itm));
	error = ParseDateTime(text, workbuf, sizeof(workbuf), field, ftype,
						  MAXDATEFIELDS, &nf);
	if (error == 0)
		error = DecodeInterval(field, ftype, nf, INTERVAL_FULL_RANGE, &dtype, itm);
	if (error == DTERR_BAD_FORMAT)
	{
		char	   *copy = pstrdup(text);

		memset(itm, 0, sizeof(*itm));
		error = DecodeISO8601Interval(copy, &dtype, itm);
		pfree(copy);
	}
	return error == 0 && dtype == DTK_DELTA;
}

bool
schedule_parse(const char *spec, Schedule *schedule, const char **complaint)
{
	struct pg_itm_in itm;
	int64		days;

	memset(schedule, 0, sizeof(*schedule));
	*complaint = NULL;
	if (pg_strcasecmp(spec, "continuous") == 0)
	{
		schedule->kind = SCHEDULE_CONTINUOUS;
		return true;
	}
	schedule->kind = SCHEDULE_INTERVAL;
	if (!parse_interval(spec, &itm))
		*complaint = "It is neither \"continuous\" nor an interval.";
	else if (itm.tm_mon != 0 || itm.tm_year != 0)
		*complaint = "Months and years differ in length.";
	else if (pg_mul_s64_overflow(itm.tm_mday, USECS_PER_DAY, &days) ||
			 pg_add_s64_overflow(days, itm.tm_usec, &schedule->interval) ||
			 schedule->interval > MAX_INTERVAL)
		*complaint = "The interval is too long.";
	else if (schedule->interval < USECS_PER_SEC)
		*complaint = "The interval is shorter than one second.";
	return *complaint == NULL;
}

/* What the schedule alone says, whatever happened to the last run. */
static TimestampTz
regular_run(const Schedule *schedule, const JobState *state, TimestampTz now)
{
	if (schedule->kind == SCHEDULE_CONTINUOUS)
		return state->next_due;

	/* never run, or the clock was set back: due */
	if (state->planned_at == DT_NOBEGIN || state->planned_at > now)
		return now;
	return state->planned_at + schedule->interval;
}

/*
 * A failed job is tried again when its rest is over, whatever its schedule: a
 * daily job is not a day late for a deadlock, nor a busy one a burden.
 */
TimestampTz
schedule_next_run(const Schedule *schedule, const JobState *state, TimestampTz now)
{
	TimestampTz regular = regular_run(schedule, state, now);
	TimestampTz rest = state->not_before;

	/* no rest is that long: the clock was set back */
	if (rest != DT_NOBEGIN && rest > now + SCHEDULE_MAX_BACKOFF)
		rest = DT_NOBEGIN;
	if (state->failures > 0)
		return rest;
	return Max(regular, rest);
}

TimestampTz
schedule_planned(const Schedule *schedule, TimestampTz planned_at, TimestampTz now)
{
	if (schedule->kind == SCHEDULE_CONTINUOUS ||
		planned_at == DT_NOBEGIN || planned_at > now)
		return now;
	return planned_at + (now - planned_at) / schedule->interval * schedule->interval;
}

/*
 * Doubles with each failure.  A run that was interrupted (the process was
 * killed, the server stopped) says little about the next one, so the first
 * few rest less; a job that takes the server down each time comes to rest.
 */
int64
schedule_backoff(int failures, bool interrupted)
{
	int64		rest = SCHEDULE_MAX_BACKOFF;

	if (failures < 9)
		rest = Min(rest, USECS_PER_SEC * (INT64CONST(1) << Max(failures, 0)));
	if (interrupted && failures <= BAD_LUCK)
		rest = Min(rest / 2, BAD_LUCK_REST);
	return rest;
}
