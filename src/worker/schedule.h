/*
 * schedule.h
 *		Schedule arithmetic: pure, of its arguments alone.
 *
 * No clock, no catalog, no shared memory: the scheduler, the job, the view
 * segment.jobs and the tests all ask here.  Only the rules of time zones come
 * from outside, from PostgreSQL.
 */
#ifndef SEGMENT_SCHEDULE_H
#define SEGMENT_SCHEDULE_H

#include "datatype/timestamp.h"
#include "pgtime.h"
#include "worker/cron.h"

typedef enum ScheduleKind
{
	SCHEDULE_CONTINUOUS,
	SCHEDULE_INTERVAL,
	SCHEDULE_CRON
} ScheduleKind;

typedef struct Schedule
{
	ScheduleKind kind;
	int64		interval;		/* microseconds */
	CronLine	cron;
	pg_tz	   *zone;			/* that the cron line speaks of */
} Schedule;

/* What is known of a job.  DT_NOBEGIN stands for "never" in the past. */
typedef struct JobState
{
	TimestampTz planned_at;		/* the instant its last run was due at; of a cron
								 * line that never ran, when it was given */
	TimestampTz not_before;		/* it rests until then */
	TimestampTz next_due;		/* continuous: rows change; DT_NOBEGIN: work is there */
	int			failures;		/* in a row */
} JobState;

/* The longest rest after a failure, in microseconds. */
#define SCHEDULE_MAX_BACKOFF (INT64CONST(300) * USECS_PER_SEC)

/*
 * Reads a schedule; time_zone is that of cron lines which name none.  Returns
 * whether it is one; if not, *error says why, and *schedule is a continuous one.
 */
extern bool schedule_parse(const char *spec, const char *time_zone,
						   Schedule *schedule, CronError *error);

/* When the job is to run next; now or earlier: at once. */
extern TimestampTz schedule_next_run(const Schedule *schedule,
									 const JobState *state, TimestampTz now);

/*
 * The instant that a run starting now stands for: the latest one on the grid
 * that the first run began, or that the cron line has.  Runs missed meanwhile
 * are not made up for.
 */
extern TimestampTz schedule_planned(const Schedule *schedule,
									TimestampTz planned_at, TimestampTz now);

/* The first regular run after an instant; DT_NOEND if none is to come by the clock. */
extern TimestampTz schedule_after(const Schedule *schedule, TimestampTz after);

/* How long to rest after so many failures in a row, in microseconds. */
extern int64 schedule_backoff(int failures, bool interrupted);

#endif							/* SEGMENT_SCHEDULE_H */
