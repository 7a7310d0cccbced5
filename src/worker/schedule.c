/*
 * schedule.c
 *		Schedule arithmetic: pure, of its arguments alone.
 */
#include "postgres.h"

#include "common/int.h"
#include "mb/pg_wchar.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"
#include "worker/schedule.h"

/* Interruptions in a row that are put down to bad luck, and their longest rest. */
#define BAD_LUCK 5
#define BAD_LUCK_REST (INT64CONST(8) * USECS_PER_SEC)

/* A clock set back by less repeats no run at a time of the day, as cron has it. */
#define SET_BACK_HOURS (3 * USECS_PER_HOUR)

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

static bool
parse_cron(const char *spec, const char *time_zone, Schedule *schedule, CronError *error)
{
	if (!cron_parse(spec, &schedule->cron, error))
		return false;
	if (schedule->cron.zone[0] != '\0')
		time_zone = schedule->cron.zone;
	schedule->zone = pg_tzset(time_zone);
	if (schedule->zone != NULL && pg_tz_acceptable(schedule->zone))
	{
		schedule->kind = SCHEDULE_CRON;
		return true;
	}
	snprintf(error->detail, sizeof(error->detail), "The time zone \"%.*s\" is not recognized.",
			 pg_mbcliplen(time_zone, strlen(time_zone), 64), time_zone);
	error->hint = "See the view pg_timezone_names.";
	return false;
}

static const char *
parse_fixed(const char *spec, Schedule *schedule)
{
	struct pg_itm_in itm;
	int64		days;

	if (!parse_interval(spec, &itm))
		return "It is neither \"continuous\" nor an interval nor a cron line.";
	if (itm.tm_mon != 0 || itm.tm_year != 0)
		return "Months and years differ in length.";
	if (pg_mul_s64_overflow(itm.tm_mday, USECS_PER_DAY, &days) ||
		pg_add_s64_overflow(days, itm.tm_usec, &schedule->interval) ||
		schedule->interval > MAX_INTERVAL)
		return "The interval is too long.";
	if (schedule->interval < USECS_PER_SEC)
		return "The interval is shorter than one second.";
	schedule->kind = SCHEDULE_INTERVAL;
	return NULL;
}

bool
schedule_parse(const char *spec, const char *time_zone, Schedule *schedule, CronError *error)
{
	const char *complaint;

	memset(schedule, 0, sizeof(*schedule));
	error->hint = NULL;
	if (pg_strcasecmp(spec, "continuous") == 0)
	{
		schedule->kind = SCHEDULE_CONTINUOUS;
		return true;
	}
	if (cron_recognize(spec))
		return parse_cron(spec, time_zone, schedule, error);
	complaint = parse_fixed(spec, schedule);
	if (complaint == NULL)
		return true;
	strlcpy(error->detail, complaint, sizeof(error->detail));
	error->hint = "Give 'continuous', an interval of at least one second in days, hours, minutes and seconds, such as '5 minutes', or a cron line such as '30 3 * * *'.";
	return false;
}

/* Tells cron.c the rules of a time zone. */
static void
zone_span(void *arg, int64_t instant, CronSpan *span)
{
	const int64 epoch = (int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY;
	pg_tz	   *zone = arg;
	pg_time_t	second = instant + epoch;
	struct pg_tm *local = pg_localtime(&second, zone);
	pg_time_t	boundary;
	long int	before;
	long int	after;
	int			before_is_dst;
	int			after_is_dst;
	int			found;

	span->offset = local == NULL ? 0 : local->tm_gmtoff;
	found = pg_next_dst_boundary(&second, &before, &before_is_dst,
								 &boundary, &after, &after_is_dst, zone);
	if (found == 0)
	{
		/*
		 * At the very last change in the zone's table none is found, though
		 * those after it are known by rule.
		 */
		second++;
		found = pg_next_dst_boundary(&second, &before, &before_is_dst,
									 &boundary, &after, &after_is_dst, zone);
	}
	span->until = found > 0 ? boundary - epoch : found == 0 ? INT64_MAX : instant + 1;
}

/* Whole seconds, rounded down. */
static int64
second_of(TimestampTz at)
{
	return at / USECS_PER_SEC - (at % USECS_PER_SEC < 0 ? 1 : 0);
}

TimestampTz
schedule_after(const Schedule *schedule, TimestampTz after)
{
	TimestampTz next;
	int64		run;

	if (schedule->kind == SCHEDULE_CONTINUOUS || TIMESTAMP_NOT_FINITE(after))
		return DT_NOEND;
	if (schedule->kind == SCHEDULE_INTERVAL)
		next = after + schedule->interval;
	else if (cron_next(&schedule->cron, zone_span, schedule->zone, second_of(after), &run))
		next = run * USECS_PER_SEC;
	else
		next = DT_NOEND;
	return IS_VALID_TIMESTAMP(next) ? next : DT_NOEND;
}

/*
 * Has the clock been set back behind the last run, so that it says nothing of
 * the next?  What a continuous job wrote then speaks of a time to come; refresh
 * passes over the same second (refresh/state.c).  Of runs at times of the day, those that it is a few hours short of
 * have been done, like those of an hour that comes twice.
 */
static bool
set_back(const Schedule *schedule, TimestampTz planned_at, TimestampTz now)
{
	if (schedule->kind == SCHEDULE_CRON && !schedule->cron.by_the_clock)
		return planned_at > now + SET_BACK_HOURS;
	if (schedule->kind == SCHEDULE_CONTINUOUS)
		return planned_at > now + USECS_PER_SEC;
	return planned_at > now;
}

/* What the schedule alone says, whatever happened to the last run. */
static TimestampTz
regular_run(const Schedule *schedule, const JobState *state, TimestampTz now)
{
	if (state->planned_at != DT_NOBEGIN && set_back(schedule, state->planned_at, now))
		return now;
	if (schedule->kind == SCHEDULE_CONTINUOUS)
		return state->next_due;
	if (state->planned_at == DT_NOBEGIN)
		return now;
	return schedule_after(schedule, state->planned_at);
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
	int64		run;

	if (schedule->kind == SCHEDULE_CONTINUOUS)
		return now;
	if (planned_at != DT_NOBEGIN && set_back(schedule, planned_at, now))
		planned_at = DT_NOBEGIN;
	if (schedule->kind == SCHEDULE_CRON)
	{
		if (!cron_latest(&schedule->cron, zone_span, schedule->zone, second_of(now), &run))
			return now;
		return Max(planned_at, run * USECS_PER_SEC);
	}
	if (planned_at == DT_NOBEGIN)
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
