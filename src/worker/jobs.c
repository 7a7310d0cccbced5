/*
 * jobs.c
 *		SQL functions: schedules.
 */
#include "postgres.h"

#include "capture/capture.h"
#include "catalog/pg_type.h"
#include "commands/dbcommands.h"
#include "context.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "worker/clock.h"
#include "worker/schedule.h"
#include "worker/slots.h"
#include "worker/worker.h"

PG_FUNCTION_INFO_V1(segment_schedule);
PG_FUNCTION_INFO_V1(segment_unschedule);
PG_FUNCTION_INFO_V1(segment_next_run);
PG_FUNCTION_INFO_V1(segment_next_runs);

/* More than anybody would read, and than memory should hold. */
#define MAX_RUNS 1000000

/* Runs a statement on one table, as the extension's owner; returns its number of rows. */
static uint64
run(const char *sql, Oid tbl, const char *text)
{
	Oid			types[2] = {OIDOID, TEXTOID};
	Datum		values[2];
	uint64		rows;

	values[0] = ObjectIdGetDatum(tbl);
	values[1] = CStringGetTextDatum(text);
	SPI_connect();
	rows = context_run(sql, 2, types, values, NULL, false);
	SPI_finish();
	return rows;
}

static Oid
table_argument(FunctionCallInfo fcinfo, const char *function)
{
	Oid			tbl;

	context_refuse_standby(function);
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("tbl must not be null")));
	tbl = PG_GETARG_OID(0);
	if (!catalog_is_segment_table(tbl))
	{
		const char *name = get_rel_name(tbl);

		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a segment table",
						name != NULL ? name : psprintf("%u", tbl)),
				 errhint("See the view segment.tables, or make one with segment.create_table().")));
	}
	catalog_check_owner(tbl);
	return tbl;
}

/* Says so if nobody will run the schedule. */
static void
warn_unless_running(void)
{
	const char *here = get_database_name(MyDatabaseId);
	bool		valid;
	ListCell   *lc;

	if (!slots_available())
	{
		ereport(WARNING,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the schedule is stored, but no schedule runs on this server"),
				 errhint("Add \"segment\" to shared_preload_libraries and restart the server; until then use CALL segment.refresh().")));
		return;
	}
	foreach(lc, worker_databases(&valid))
		if (strcmp(lfirst(lc), here) == 0)
			return;
	ereport(WARNING,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the schedule is stored, but no schedule runs in database \"%s\"", here),
			 errhint("Add the database to segment.databases in the server's configuration and reload it.")));
}

/* Reads a schedule, or raises an error that says what is wrong with it. */
static void
parse(const char *spec, const char *time_zone, Schedule *schedule)
{
	CronError	error;

	if (!schedule_parse(spec, time_zone, schedule, &error))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid schedule: \"%s\"", spec),
				 errdetail("%s", error.detail),
				 error.hint != NULL ? errhint("%s", error.hint) : 0));
}

/*
 * The zone of a cron line must be one of the zones with a name: POSIX has
 * others, whose sign is not what it seems.
 */
static void
check_zone(const char *name)
{
	Oid			types[1] = {TEXTOID};
	Datum		values[1];

	values[0] = CStringGetTextDatum(name);
	SPI_connect();
	if (context_run("SELECT FROM pg_catalog.pg_timezone_names"
					" WHERE lower(name) = lower($1) LIMIT 1", 1, types, values, NULL, true) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" not recognized", name),
				 errhint("See the view pg_timezone_names.")));
	SPI_finish();
}

static char *
time_zone_of(Oid tbl)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid			types[1] = {OIDOID};
	Datum		values[1];
	char	   *result = NULL;

	values[0] = ObjectIdGetDatum(tbl);
	SPI_connect();
	if (context_run("SELECT time_zone FROM segment.config_table WHERE tbl = $1",
					1, types, values, NULL, true) > 0)
		result = MemoryContextStrdup(caller, SPI_getvalue(SPI_tuptable->vals[0],
														  SPI_tuptable->tupdesc, 1));
	SPI_finish();
	return result != NULL ? result : pstrdup("UTC");
}

/* schedule(tbl regclass, spec text) */
Datum
segment_schedule(PG_FUNCTION_ARGS)
{
	Oid			tbl = table_argument(fcinfo, "segment.schedule()");
	char	   *spec;
	Schedule	schedule;
	RunContext	ctx;

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("spec must not be null"),
				 errhint("Use segment.unschedule() to end a schedule.")));
	spec = text_to_cstring(PG_GETARG_TEXT_PP(1));

	/* read as the scheduler will, whatever the session's IntervalStyle */
	context_enter_catalog(&ctx);
	parse(spec, time_zone_of(tbl), &schedule);
	if (schedule.cron.zone[0] != '\0')
		check_zone(schedule.cron.zone);
	run("INSERT INTO segment.config_job (tbl, schedule) VALUES ($1, $2)"
		" ON CONFLICT (tbl) DO UPDATE SET schedule = excluded.schedule",
		tbl, schedule.kind == SCHEDULE_CONTINUOUS ? "continuous" : spec);
	run("DELETE FROM segment.job_state WHERE tbl = $1 AND $2 IS NOT NULL", tbl, spec);

	/* the times of a cron line until now are not missed runs */
	if (schedule.kind == SCHEDULE_CRON)
		run("INSERT INTO segment.job_state (tbl, planned_at)"
			" VALUES ($1, $2::pg_catalog.timestamptz)",
			tbl, timestamptz_to_str(clock_now()));
	context_leave(&ctx);
	wake_at_commit();
	warn_unless_running();
	PG_RETURN_VOID();
}

/* unschedule(tbl regclass) */
Datum
segment_unschedule(PG_FUNCTION_ARGS)
{
	Oid			tbl = table_argument(fcinfo, "segment.unschedule()");
	RunContext	ctx;
	uint64		found;

	context_enter_catalog(&ctx);
	found = run("DELETE FROM segment.config_job WHERE tbl = $1 AND $2 IS NOT NULL", tbl, "");
	run("DELETE FROM segment.job_state WHERE tbl = $1 AND $2 IS NOT NULL", tbl, "");
	context_leave(&ctx);
	if (found == 0)
		ereport(NOTICE,
				(errmsg("segment table \"%s\" is not scheduled, skipping",
						get_rel_name(tbl))));
	wake_at_commit();
	PG_RETURN_VOID();
}

/*
 * next_run(schedule, planned_at, failures, not_before, next_due, now,
 * time_zone): what the scheduler would decide; null if nothing is to come by
 * itself.  next_due is null if there is work.
 */
Datum
segment_next_run(PG_FUNCTION_ARGS)
{
	Schedule	schedule;
	JobState	state;
	CronError	error;
	TimestampTz now = PG_ARGISNULL(5) ? clock_now() : PG_GETARG_TIMESTAMPTZ(5);
	TimestampTz next;

	if (PG_ARGISNULL(0) ||
		!schedule_parse(text_to_cstring(PG_GETARG_TEXT_PP(0)),
						PG_ARGISNULL(6) ? "UTC" : text_to_cstring(PG_GETARG_TEXT_PP(6)),
						&schedule, &error))
		PG_RETURN_NULL();
	state.planned_at = PG_ARGISNULL(1) ? DT_NOBEGIN : PG_GETARG_TIMESTAMPTZ(1);
	state.failures = PG_ARGISNULL(2) ? 0 : PG_GETARG_INT32(2);
	state.not_before = PG_ARGISNULL(3) ? DT_NOBEGIN : PG_GETARG_TIMESTAMPTZ(3);
	state.next_due = PG_ARGISNULL(4) ? DT_NOBEGIN : PG_GETARG_TIMESTAMPTZ(4);
	next = schedule_next_run(&schedule, &state, now);
	if (next == DT_NOEND)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(next == DT_NOBEGIN ? now : next);
}

/* next_runs(spec text, runs int, time_zone text, after timestamptz) → setof timestamptz */
Datum
segment_next_runs(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Schedule	schedule;
	int			runs;
	TimestampTz at;

	for (int i = 0; i < 3; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s must not be null", i == 0 ? "spec" : i == 1 ? "runs" : "time_zone")));
	runs = PG_GETARG_INT32(1);
	if (runs < 0 || runs > MAX_RUNS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("runs must be between 0 and %d", MAX_RUNS)));
	parse(text_to_cstring(PG_GETARG_TEXT_PP(0)), text_to_cstring(PG_GETARG_TEXT_PP(2)), &schedule);
	at = PG_ARGISNULL(3) ? clock_now() : PG_GETARG_TIMESTAMPTZ(3);

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	while (runs-- > 0)
	{
		Datum		value;
		bool		isnull = false;

		CHECK_FOR_INTERRUPTS();
		at = schedule_after(&schedule, at);
		if (at == DT_NOEND)
			break;
		value = TimestampTzGetDatum(at);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, &value, &isnull);
	}
	return (Datum) 0;
}
