/*
 * job.c
 *		The background worker that refreshes one segment table.
 */
#include "postgres.h"

#include "access/xact.h"
#include "capture/capture.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "context.h"
#include "executor/spi.h"
#include "guc.h"
#include "libpq/pqsignal.h"
#include "miscadmin.h"
#include "parser/analyze.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "refresh/refresh.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "tcop/dest.h"
#include "tcop/pquery.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/portal.h"
#include "utils/snapmgr.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"
#include "worker/clock.h"
#include "worker/slots.h"
#include "worker/worker.h"

/* How long the worker of a continuous job waits for more to do. */
#define LINGER_MS 1000

/* A run that was cancelled must end within this, or the process is ended. */
#define CANCEL_AGAIN_MS 60000

static JobTicket ticket;
static bool continuous = false;
static ErrorData *failure = NULL;	/* of the last step */
static TimeoutId job_timeout = MAX_TIMEOUTS;	/* once it is registered */
static volatile bool timed_out;
static JobVerdict verdict;
static bool log_failure;
static bool looking_again;

static void
pin(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SET, true, 0, false);
}

void
worker_pin_settings(void)
{
	pin("role", "none");
	pin("search_path", "pg_catalog, pg_temp");
	pin("default_transaction_isolation", "read committed");
	pin("default_transaction_read_only", "off");
	pin("default_transaction_deferrable", "off");
	pin("segment.as_of", "");
	pin("IntervalStyle", "postgres");
	pin("DateStyle", "ISO, MDY");

	/* made for statements of clients: segment.job_timeout is what limits a job */
	pin("statement_timeout", "0");
	pin("lock_timeout", "0");
	if (GetConfigOption("transaction_timeout", true, false) != NULL)
		pin("transaction_timeout", "0");
}

/*
 * The run has taken too long.  Code of a user's that swallows the cancellation
 * loses the process the next time.
 */
static void
job_timeout_handler(void)
{
	if (timed_out)
		ProcDiePending = true;
	timed_out = true;
	QueryCancelPending = true;
	InterruptPending = true;
	SetLatch(MyLatch);
}

static void
start_job_timeout(void)
{
	if (job_timeout == MAX_TIMEOUTS)
		job_timeout = RegisterTimeout(USER_TIMEOUT, job_timeout_handler);
	timed_out = false;
	if (segment_job_timeout > 0)
		enable_timeout_every(job_timeout, TimestampTzPlusMilliseconds(GetCurrentTimestamp(), segment_job_timeout),
							 CANCEL_AGAIN_MS);
}

/* Says what cancelled the run, and names the column that failed. */
static void
complete_failure(void)
{
	if (timed_out && failure->sqlerrcode == ERRCODE_QUERY_CANCELED)
	{
		failure->message = pstrdup("canceled because of segment.job_timeout");
		failure->hint = pstrdup("Some expression may take for ever; if all of them need so long, raise segment.job_timeout.");
	}
	else if (failure->column_name != NULL && strstr(failure->message, failure->column_name) == NULL)
		failure->message = psprintf("column \"%s\": %s", failure->column_name, failure->message);
}

/* Runs a step in a transaction of its own; an error is kept in failure. */
static bool
run_step(void (*step) (void))
{
	MemoryContext caller = CurrentMemoryContext;

	failure = NULL;
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PG_TRY();
	{
		step();
		CommitTransactionCommand();
	}
	PG_CATCH();
	{
		HOLD_INTERRUPTS();
		if (job_timeout != MAX_TIMEOUTS)
			disable_timeout(job_timeout, false);
		QueryCancelPending = false;
		MemoryContextSwitchTo(caller);
		failure = CopyErrorData();
		complete_failure();
		FlushErrorState();
		AbortCurrentTransaction();
		RESUME_INTERRUPTS();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	pgstat_report_stat(true);
	return failure == NULL;
}

/*
 * Connected as the bootstrap superuser in place of an owner who may not log
 * in: the limits set for the owner hold all the same.  Only limits; nothing
 * that could change what a superuser's session does.
 */
static void
apply_owner_limits(void)
{
	static const char *const sql =
		"SELECT split_part(c, '=', 1), substr(c, strpos(c, '=') + 1)"
		" FROM pg_catalog.pg_db_role_setting s, unnest(s.setconfig) c"
		" WHERE s.setrole = $1 AND s.setdatabase IN (0, $2)"
		" AND split_part(c, '=', 1) IN ('segment.job_timeout', 'segment.batch_size',"
		" 'segment.set_aside_limit', 'segment.backlog_limit', 'work_mem',"
		" 'hash_mem_multiplier', 'temp_file_limit', 'max_parallel_workers_per_gather')"
		" ORDER BY s.setdatabase";
	Oid			types[2] = {OIDOID, OIDOID};
	Datum		values[2];

	values[0] = ObjectIdGetDatum(ticket.owner);
	values[1] = ObjectIdGetDatum(MyDatabaseId);
	SPI_connect();
	PushActiveSnapshot(GetTransactionSnapshot());
	context_run(sql, 2, types, values, NULL, true);
	for (uint64 i = 0; i < SPI_processed; i++)
		(void) set_config_option(SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1),
								 SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2),
								 PGC_SUSET, PGC_S_SESSION, GUC_ACTION_SET, true, WARNING, false);
	PopActiveSnapshot();
	SPI_finish();
}

static void
begin_step(void)
{
	char	   *name;

	if (!context_extension_exists())
	{
		verdict = JOB_GONE;
		return;
	}
	if (!looking_again && !ticket.as_owner)
		apply_owner_limits();
	verdict = job_begin(ticket.tbl, ticket.owner, looking_again, &continuous);
	if (verdict == JOB_RUN && !looking_again)
	{
		PushActiveSnapshot(GetTransactionSnapshot());
		name = catalog_qualified_name(ticket.tbl);
		PopActiveSnapshot();
		pin("application_name", psprintf("segment: %s", name));
	}
}

/*
 * CALL segment.refresh(table), as a client's statement would run: in a portal
 * of its own, where the procedure may commit.
 */
static void
refresh_step(void)
{
	char	   *sql = psprintf("CALL segment.refresh(%u::pg_catalog.oid::pg_catalog.regclass)",
							   ticket.tbl);
	Portal		portal = CreateNewPortal();
	DestReceiver *dest = CreateDestReceiver(DestNone);
	RawStmt    *raw;
	List	   *plans;
	MemoryContext caller;

	pgstat_report_activity(STATE_RUNNING, sql);
	start_job_timeout();

	portal->visible = false;
	caller = MemoryContextSwitchTo(portal->portalContext);
	sql = pstrdup(sql);
	raw = linitial_node(RawStmt, pg_parse_query(sql));
	PushActiveSnapshot(GetTransactionSnapshot());
	plans = pg_plan_queries(pg_analyze_and_rewrite_fixedparams(raw, sql, NULL, 0, NULL),
							sql, CURSOR_OPT_PARALLEL_OK, NULL);
	PopActiveSnapshot();
	PortalDefineQuery(portal, NULL, sql, CMDTAG_CALL, plans, NULL);
	PortalStart(portal, NULL, 0, InvalidSnapshot);
	segment_portal_run(portal, FETCH_ALL, true, dest, dest, NULL);
	MemoryContextSwitchTo(caller);
	PortalDrop(portal, false);
	disable_timeout(job_timeout, false);
}

static void
success_step(void)
{
	if (context_extension_exists())
		job_count_success(ticket.tbl);
}

static ErrorData *reported;

static void
failure_step(void)
{
	log_failure = true;
	if (!context_extension_exists())
		return;
	PushActiveSnapshot(GetTransactionSnapshot());
	run_fail(ticket.tbl, reported->message);
	PopActiveSnapshot();
	log_failure = job_count_failure(ticket.tbl, reported->message, false);
}

/* Writes an error to the server log without raising it. */
static void
log_error(const ErrorData *error)
{
	ereport(LOG,
			(errcode(error->sqlerrcode),
			 errmsg("refresh of segment table %u failed: %s", ticket.tbl, error->message),
			 error->detail_log != NULL ? errdetail_internal("%s", error->detail_log) :
			 error->detail != NULL ? errdetail_internal("%s", error->detail) : 0,
			 error->hint != NULL ? errhint("%s", error->hint) : 0,
			 error->context != NULL ? errcontext("%s", error->context) : 0));
}

/* Keeps a failure on record; the process ends properly after it. */
static void
report_failure(void)
{
	reported = failure;
	if (!run_step(failure_step))
	{
		log_error(failure);
		log_failure = true;
	}
	if (log_failure)
		log_error(reported);
}

/* One run; false if the worker is to go. */
static bool
run_once(void)
{
	pgstat_report_activity(STATE_RUNNING, "preparing a refresh");
	if (!run_step(begin_step))
	{
		report_failure();
		return false;
	}
	if (verdict != JOB_RUN)
		return verdict == JOB_NOTHING;
	if (!run_step(refresh_step) || !run_step(success_step))
	{
		report_failure();
		return false;
	}
	return true;
}

typedef enum Linger
{
	LINGER_AGAIN,				/* there is more to do */
	LINGER_OVER,				/* nothing came */
	LINGER_CROWDED				/* others need the worker */
} Linger;

/* Waits a moment for more to do. */
static Linger
linger(void)
{
	TimestampTz until = clock_now() + LINGER_MS * INT64CONST(1000);

	if (slots_idle(clock_now()))
		return LINGER_CROWDED;

	/* the scheduler must learn when the table is due next */
	wake_now();
	pgstat_report_activity(STATE_IDLE, NULL);
	for (;;)
	{
		long		rest = TimestampDifferenceMilliseconds(clock_now(), until);

		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
		if (slots_nudged())
			return LINGER_AGAIN;
		if (rest <= 0)
			return LINGER_OVER;
		if (slots_idle(clock_now()))
			return LINGER_CROWDED;
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 Min(rest, LINGER_MS), PG_WAIT_EXTENSION);
	}
}

/* However the process ends, a scheduler that did not start it is to know, too. */
static void
tell_scheduler(int code, Datum arg)
{
	if (OidIsValid(MyDatabaseId))
		wake_now();
}

void
segment_job_main(Datum arg)
{
	MemoryContext run_context;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();

	/* first the slot, so that a failure to connect shows; given back before the call */
	before_shmem_exit(tell_scheduler, 0);
	memcpy(&ticket, MyBgworkerEntry->bgw_extra, sizeof(ticket));
	if (!slots_attach(&ticket))
		proc_exit(0);
	BackgroundWorkerInitializeConnectionByOid(ticket.database,
											  ticket.as_owner ? ticket.owner : InvalidOid,
											  ticket.as_owner ? SEGMENT_BGWORKER_ANY_ROLE : 0);
	worker_pin_settings();
	refresh_may_warn = job_may_warn;

	run_context = AllocSetContextCreate(TopMemoryContext, "segment job",
										ALLOCSET_DEFAULT_SIZES);
	looking_again = false;
	for (;;)
	{
		Linger		outcome = LINGER_CROWDED;

		MemoryContextSwitchTo(run_context);
		MemoryContextReset(run_context);
		if (run_once() && continuous)
			outcome = linger();
		looking_again = true;
		if (outcome != LINGER_AGAIN && slots_leave(outcome == LINGER_CROWDED))
			break;
	}
	proc_exit(0);
}
