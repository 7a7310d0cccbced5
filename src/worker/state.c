/*
 * state.c
 *		What becomes of a job, in segment.job_state.
 *
 * Each function is part of a short transaction of its caller's, and runs as
 * the extension's owner.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "context.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "worker/clock.h"
#include "worker/schedule.h"
#include "worker/worker.h"

#define LOG_INTERVAL (INT64CONST(60) * USECS_PER_SEC)

/* How long a job rests that had work and could do none of it. */
#define REST_BEHIND_OTHERS (INT64CONST(1) * USECS_PER_SEC)

static void
enter(RunContext *ctx)
{
	SPI_connect();
	PushActiveSnapshot(GetTransactionSnapshot());
	context_enter_catalog(ctx);
}

static void
leave(RunContext *ctx)
{
	context_leave(ctx);
	PopActiveSnapshot();
	SPI_finish();
}

/* Runs a statement on one table: $1 is its OID, $2 an instant, $3 a text. */
static void
run(const char *sql, Oid tbl, TimestampTz instant, const char *text)
{
	Oid			types[3] = {OIDOID, TIMESTAMPTZOID, TEXTOID};
	Datum		values[3];
	char		nulls[4] = "   ";

	values[0] = ObjectIdGetDatum(tbl);
	values[1] = TimestampTzGetDatum(instant);
	values[2] = text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
	nulls[2] = text == NULL ? 'n' : ' ';
	context_run(sql, 3, types, values, nulls, false);
}

/* A field of the first row; instants that are null come out as DT_NOBEGIN. */
static Datum
field(int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, isnull);
}

static TimestampTz
instant_field(int column)
{
	bool		isnull;
	Datum		value = field(column, &isnull);

	return isnull ? DT_NOBEGIN : DatumGetTimestampTz(value);
}

/* Does the first row, of the statement below, call for another run? */
static bool
needed(const Schedule *schedule, const JobState *state, TimestampTz now)
{
	return schedule_next_run(schedule, state, now) <= now;
}

/* Reads one job; false if it is scheduled no more or has another owner. */
static bool
read_job(Oid tbl, Oid owner, Schedule *schedule, JobState *state)
{
	static const char *const sql =
		"SELECT j.schedule, s.planned_at, s.not_before, coalesce(s.failures, 0),"
		" CASE WHEN NOT EXISTS (SELECT FROM segment.waiting w WHERE w.tbl = $1) THEN t.next_due END,"
		" k.time_zone"
		" FROM segment.config_job j"
		" JOIN segment.config_table k ON k.tbl = j.tbl"
		" JOIN pg_catalog.pg_class c ON c.oid = j.tbl"
		" LEFT JOIN segment.job_state s ON s.tbl = j.tbl"
		" LEFT JOIN segment.table_state t ON t.tbl = j.tbl"
		" WHERE j.tbl = $1"
		" AND ($3 IS NULL OR c.relowner = $3::pg_catalog.oid)"
		" AND $2 IS NOT NULL";
	CronError	error;
	bool		isnull;

	run(sql, tbl, clock_now(), OidIsValid(owner) ? psprintf("%u", owner) : NULL);
	if (SPI_processed == 0 ||
		!schedule_parse(SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1),
						SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 6),
						schedule, &error))
		return false;
	state->planned_at = instant_field(2);
	state->not_before = instant_field(3);
	state->failures = DatumGetInt32(field(4, &isnull));
	state->next_due = instant_field(5);
	return true;
}

JobVerdict
job_begin(Oid tbl, Oid owner, bool again, bool *continuous)
{
	static const char *const sql =
		"INSERT INTO segment.job_state AS s (tbl, last_started_at, planned_at)"
		" VALUES ($1, $2, $3::pg_catalog.timestamptz)"
		" ON CONFLICT (tbl) DO UPDATE SET last_started_at = excluded.last_started_at,"
		" planned_at = excluded.planned_at";
	JobVerdict	verdict = JOB_RUN;
	RunContext	ctx;
	Schedule	schedule;
	JobState	state;
	TimestampTz now = clock_now();

	enter(&ctx);
	if (!read_job(tbl, owner, &schedule, &state))
		verdict = JOB_GONE;
	else if (again && !needed(&schedule, &state, now))
		verdict = JOB_NOTHING;
	else
	{
		TimestampTz planned = schedule_planned(&schedule, state.planned_at, now);

		*continuous = schedule.kind == SCHEDULE_CONTINUOUS;
		run(sql, tbl, now, timestamptz_to_str(planned));
	}
	leave(&ctx);
	return verdict;
}

/*
 * Work that is left though the run did none is held by another transaction,
 * and running again at once would be running in circles.
 */
void
job_count_success(Oid tbl)
{
	static const char *const sql =
		"UPDATE segment.job_state SET failures = 0, error = NULL,"
		" not_before = $3::pg_catalog.timestamptz"
		" WHERE tbl = $1 AND $2 IS NOT NULL"
		" AND (failures > 0 OR not_before IS NOT NULL OR $3 IS NOT NULL)";
	static const char *const idle_run =
		"SELECT processed = 0 AND $2 IS NOT NULL AND $3 IS NULL FROM segment.run"
		" WHERE tbl = $1 ORDER BY id DESC LIMIT 1";
	RunContext	ctx;
	Schedule	schedule;
	JobState	state;
	TimestampTz now = clock_now();
	char	   *rest = NULL;

	enter(&ctx);
	if (read_job(tbl, InvalidOid, &schedule, &state))
	{
		state.failures = 0;
		state.not_before = DT_NOBEGIN;
		if (needed(&schedule, &state, now))
		{
			bool		isnull;

			run(idle_run, tbl, now, NULL);
			if (SPI_processed == 0 || DatumGetBool(field(1, &isnull)))
				rest = pstrdup(timestamptz_to_str(now + REST_BEHIND_OTHERS));
		}
	}
	run(sql, tbl, now, rest);
	leave(&ctx);
}

bool
job_count_failure(Oid tbl, const char *error, bool interrupted)
{
	static const char *const count =
		"INSERT INTO segment.job_state AS s (tbl, failures, error)"
		" SELECT j.tbl, 1, $3 FROM segment.config_job j"
		" WHERE j.tbl = $1 AND $2 IS NOT NULL"
		" ON CONFLICT (tbl) DO UPDATE SET failures = s.failures + 1, error = excluded.error"
		" RETURNING failures, logged_at";
	static const char *const rest =
		"UPDATE segment.job_state SET not_before = $2,"
		" logged_at = coalesce($3::pg_catalog.timestamptz, logged_at) WHERE tbl = $1";
	TimestampTz now = clock_now();
	bool		log = false;
	RunContext	ctx;

	enter(&ctx);
	run(count, tbl, now, error);
	if (SPI_processed > 0)
	{
		bool		isnull;
		int			failures = DatumGetInt32(field(1, &isnull));
		TimestampTz logged_at = instant_field(2);

		log = logged_at == DT_NOBEGIN || logged_at > now ||
			now - logged_at >= LOG_INTERVAL;
		run(rest, tbl, now + schedule_backoff(failures, interrupted),
			log ? pstrdup(timestamptz_to_str(now)) : NULL);
	}
	leave(&ctx);
	return log;
}

bool
job_may_warn(Oid tbl)
{
	static const char *const sql =
		"UPDATE segment.job_state SET warned_at = $2"
		" WHERE tbl = $1 AND $3 IS NULL AND (warned_at IS NULL OR warned_at > $2"
		"   OR $2 - warned_at >= pg_catalog.make_interval(secs => 60)) RETURNING 1";
	RunContext	ctx;
	bool		may;

	enter(&ctx);
	run(sql, tbl, clock_now(), NULL);
	may = SPI_processed > 0;
	leave(&ctx);
	return may;
}
