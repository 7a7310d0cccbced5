/*
 * scheduler.c
 *		Decides, in one database, which segment tables are to be refreshed now.
 *
 * It sleeps without transaction or snapshot until a commit wrote marks, a job
 * ended, a setting or schedule changed, or the next job is due; then looks
 * once, in short transactions, and starts a job worker for each that is due.
 */
#include "postgres.h"

#include "access/xact.h"
#include "capture/capture.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "context.h"
#include "executor/spi.h"
#include "libpq/pqsignal.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "refresh/refresh.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lock.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "worker/clock.h"
#include "worker/schedule.h"
#include "worker/slots.h"
#include "worker/worker.h"

/* Under a stream of commits, look no more often than this. */
#define PAUSE_MS 50

/* Longest sleep by the clock alone: it may be set forward meanwhile. */
#define CLOCK_CHECK (INT64CONST(60) * USECS_PER_SEC)

/* With nothing scheduled, or no extension, look this often: a restore wakes nobody. */
#define IDLE_LOOK (INT64CONST(60) * USECS_PER_SEC)

#define RETRY_WORKER (INT64CONST(1) * USECS_PER_SEC)
#define RETRY_ERROR (INT64CONST(5) * USECS_PER_SEC)
#define LOG_INTERVAL (INT64CONST(60) * USECS_PER_SEC)

/* Advisory locks made by SQL have 1 or 2 here. */
#define LOCK_FIELD 7
#define LOCK_SCHEDULER 0x7365676d

typedef struct Launched
{
	JobTicket	ticket;
	BackgroundWorkerHandle *handle;
} Launched;

static List *launched = NIL;	/* of Launched */
static bool collect_wanted = true;	/* marks may have been committed */
static bool reap_wanted = true; /* runs may have lost their process */
static bool first_look = true;
static TimestampTz next_look = DT_NOBEGIN;	/* by the clock */

/* At most one line a minute of each kind. */
static bool
may_log(TimestampTz *logged_at)
{
	TimestampTz now = clock_now();

	if (*logged_at != 0 && *logged_at <= now && now - *logged_at < LOG_INTERVAL)
		return false;
	*logged_at = now;
	return true;
}

/*
 * Runs a step in a transaction of its own.  An error ends the step, not the
 * scheduler; it is tried again after a while.
 */
static bool
run_step(void (*step) (void))
{
	static TimestampTz logged_at = 0;
	volatile bool done = true;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PG_TRY();
	{
		PushActiveSnapshot(GetTransactionSnapshot());
		step();
		PopActiveSnapshot();
		CommitTransactionCommand();
	}
	PG_CATCH();
	{
		HOLD_INTERRUPTS();
		if (may_log(&logged_at))
			EmitErrorReport();
		AbortCurrentTransaction();
		FlushErrorState();
		RESUME_INTERRUPTS();
		done = false;
	}
	PG_END_TRY();
	if (!done)
		next_look = Min(next_look, clock_now() + RETRY_ERROR);
	return done;
}

/* Moves marks to work, so that the tables that have any show. */
static void
collect_step(void)
{
	if (!context_extension_exists())
		return;

	/* whoever refreshes inside a long transaction holds the bookmark */
	(void) set_config_option("lock_timeout", "1s", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_LOCAL, true, 0, false);
	refresh_collect();
}

/* Counts the failure of a job that ended without a word. */
static void
note_death(Oid tbl)
{
	if (job_count_failure(tbl, "the refresh was interrupted", true))
		ereport(LOG,
				(errmsg("the job that refreshes segment table %u was interrupted", tbl),
				 errhint("It is tried again by itself.")));
}

/*
 * Closes the runs whose process is gone, and counts the deaths of jobs.  What
 * they had claimed was given back when their transaction ended.
 */
static void
reap_step(void)
{
	List	   *dead;
	List	   *reaped;
	ListCell   *lc;

	if (!context_extension_exists())
		return;
	dead = slots_take_dead(clock_now());
	reaped = run_reap(InvalidOid);

	/* before the first look it is not known whose they were */
	if (first_look)
		dead = list_concat_unique_oid(dead, reaped);
	foreach(lc, dead)
		note_death(lfirst_oid(lc));
}

/* Starts a job worker, connected as the owner where the server lets it. */
static void
launch(Oid tbl, Oid owner, bool as_owner, TimestampTz now)
{
	static TimestampTz logged_at = 0;
	BackgroundWorker worker;
	MemoryContext caller;
	Launched   *job;

	caller = MemoryContextSwitchTo(TopMemoryContext);
	job = palloc0(sizeof(Launched));
	job->ticket.owner = owner;
	job->ticket.as_owner = as_owner;

	memset(&worker, 0, sizeof(worker));
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	worker.bgw_notify_pid = MyProcPid;
	strlcpy(worker.bgw_library_name, "segment", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, "segment_job_main", BGW_MAXLEN);
	snprintf(worker.bgw_name, BGW_MAXLEN, "segment job for table %u", tbl);
	strlcpy(worker.bgw_type, "segment job", BGW_MAXLEN);

	if (slots_reserve(tbl, now, &job->ticket))
	{
		memcpy(worker.bgw_extra, &job->ticket, sizeof(JobTicket));
		if (RegisterDynamicBackgroundWorker(&worker, &job->handle))
		{
			launched = lappend(launched, job);
			MemoryContextSwitchTo(caller);
			return;
		}
		slots_cancel(&job->ticket);
	}
	pfree(job);
	MemoryContextSwitchTo(caller);
	slots_crowded(now);
	next_look = Min(next_look, now + RETRY_WORKER);
	if (may_log(&logged_at))
		ereport(LOG,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("no background worker is free for a segment job"),
				 errhint("It is tried again by itself; consider raising max_worker_processes.")));
}

static TimestampTz
timestamp_field(HeapTuple row, TupleDesc desc, int column)
{
	bool		isnull;
	Datum		value = SPI_getbinval(row, desc, column, &isnull);

	return isnull ? DT_NOBEGIN : DatumGetTimestampTz(value);
}

/* A schedule that can't be read is a failure of its job, which rests like any other. */
static void
note_unreadable(Oid tbl, const char *detail)
{
	if (job_count_failure(tbl, psprintf("the schedule can't be read: %s", detail), false))
		ereport(LOG,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the schedule of segment table %u can't be read", tbl),
				 errdetail("%s", detail),
				 errhint("Give it another one with segment.schedule().")));
	next_look = Min(next_look, clock_now() + RETRY_WORKER);
}

/* Sees to one job: starts it, nudges it, or notes when it is due. */
static void
consider(HeapTuple row, TupleDesc desc, TimestampTz now)
{
	Schedule	schedule;
	JobState	state;
	CronError	error;
	TimestampTz next;
	bool		isnull;
	Oid			tbl = DatumGetObjectId(SPI_getbinval(row, desc, 1, &isnull));
	Oid			owner = DatumGetObjectId(SPI_getbinval(row, desc, 3, &isnull));
	bool		may_login = DatumGetBool(SPI_getbinval(row, desc, 4, &isnull));
	bool		may_connect = DatumGetBool(SPI_getbinval(row, desc, 10, &isnull));
	bool		readable;

	state.planned_at = timestamp_field(row, desc, 5);
	state.failures = DatumGetInt32(SPI_getbinval(row, desc, 6, &isnull));
	state.not_before = timestamp_field(row, desc, 7);
	state.next_due = timestamp_field(row, desc, 8);

	/* schedule() lets no other in, but a zone may vanish from the server */
	readable = schedule_parse(SPI_getvalue(row, desc, 2), SPI_getvalue(row, desc, 9),
							  &schedule, &error);
	if (!readable)
		state.next_due = DT_NOBEGIN;
	next = schedule_next_run(&schedule, &state, now);
	if (next > now)
		next_look = Min(next_look, next);
	else if (!readable)
		note_unreadable(tbl, error.detail);
	else if (!slots_nudge(tbl))
		launch(tbl, owner, may_connect && (may_login || SEGMENT_BGWORKER_ANY_ROLE != 0), now);
}

/* The look itself. */
static void
look_step(void)
{
	static const char *const sql =
		"SELECT j.tbl::pg_catalog.oid, j.schedule, c.relowner, a.rolcanlogin,"
		" s.planned_at, coalesce(s.failures, 0), s.not_before,"
		" CASE WHEN NOT EXISTS (SELECT FROM segment.waiting w WHERE w.tbl = j.tbl) THEN t.next_due END,"
		" k.time_zone,"
		" pg_catalog.has_database_privilege(c.relowner, pg_catalog.current_database(), 'CONNECT')"
		" FROM segment.config_job j"
		" JOIN segment.config_table k ON k.tbl = j.tbl"
		" JOIN pg_catalog.pg_class c ON c.oid = j.tbl"
		" JOIN pg_catalog.pg_authid a ON a.oid = c.relowner"
		" LEFT JOIN segment.job_state s ON s.tbl = j.tbl"
		" LEFT JOIN segment.table_state t ON t.tbl = j.tbl"
		" ORDER BY s.last_started_at NULLS FIRST";
	TimestampTz now = clock_now();

	next_look = DT_NOEND;
	if (!context_extension_exists())
	{
		next_look = now + IDLE_LOOK;
		return;
	}
	SPI_connect();
	/* not read-only: its snapshot has to come after the lock on work, which may be rewritten */
	if (context_run(sql, 0, NULL, NULL, NULL, false) == 0)
		next_look = now + IDLE_LOOK;
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		CHECK_FOR_INTERRUPTS();
		consider(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, now);
	}
	SPI_finish();
}

/* Forgets the workers that have ended. */
static void
note_ends(void)
{
	ListCell   *lc;

	foreach(lc, launched)
	{
		Launched   *job = lfirst(lc);
		pid_t		pid;

		if (GetBackgroundWorkerPid(job->handle, &pid) != BGWH_STOPPED)
			continue;
		slots_stopped(&job->ticket);
		launched = foreach_delete_current(launched, lc);
		pfree(job->handle);
		pfree(job);
		reap_wanted = true;
	}
}

static void
look(void)
{
	note_ends();
	if (slots_any_dead(clock_now()))
		reap_wanted = true;
	if (wake_pending())
		collect_wanted = true;
	if (reap_wanted && run_step(reap_step))
	{
		reap_wanted = false;
		first_look = false;
	}
	if (collect_wanted && run_step(collect_step))
		collect_wanted = false;
	if (!run_step(look_step))
		next_look = clock_now() + RETRY_ERROR;
	else if (collect_wanted || reap_wanted)
		next_look = Min(next_look, clock_now() + RETRY_WORKER);
	pgstat_report_stat(true);
	pgstat_report_activity(STATE_IDLE, NULL);
}

/*
 * Sleeps until it is time to look again: by the latch, or by the clock, which
 * is read once a minute since it may be set.
 */
static void
sleep_until_needed(void)
{
	TimestampTz began = clock_now();

	for (;;)
	{
		TimestampTz now = clock_now();
		int64		sleep = -1;
		int			events = WL_LATCH_SET | WL_EXIT_ON_PM_DEATH;

		/* set back: what was seen says nothing any more */
		if (next_look <= now || now < began - USECS_PER_SEC)
			return;
		if (next_look != DT_NOEND)
		{
			sleep = Min(next_look - now, CLOCK_CHECK) / 1000 + 1;
			events |= WL_TIMEOUT;
		}
		if (WaitLatch(MyLatch, events, sleep, PG_WAIT_EXTENSION) & WL_LATCH_SET)
			return;
		CHECK_FOR_INTERRUPTS();
	}
}

static void
unregister(int code, Datum arg)
{
	wake_unregister();
}

/* Another scheduler of this database may be on its way out; there is one at a time. */
static bool
only_scheduler(void)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, LOCK_SCHEDULER, 0, LOCK_FIELD);
	return LockAcquire(&tag, ExclusiveLock, true, true) != LOCKACQUIRE_NOT_AVAIL;
}

void
segment_scheduler_main(Datum arg)
{
	MemoryContext loop_context;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(MyBgworkerEntry->bgw_extra, NULL, 0);
	worker_pin_settings();
	if (!only_scheduler())
		proc_exit(0);
	before_shmem_exit(unregister, 0);
	wake_register();

	loop_context = AllocSetContextCreate(TopMemoryContext, "segment scheduler",
										 ALLOCSET_DEFAULT_SIZES);
	for (;;)
	{
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
		MemoryContextSwitchTo(loop_context);
		look();
		MemoryContextSwitchTo(loop_context);
		MemoryContextReset(loop_context);

		/* the latch stays set meanwhile */
		(void) WaitLatch(NULL, WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, PAUSE_MS,
						 PG_WAIT_EXTENSION);
		CHECK_FOR_INTERRUPTS();
		sleep_until_needed();
	}
}
