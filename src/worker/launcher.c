/*
 * launcher.c
 *		Keeps a scheduler running for each database in segment.databases.
 *
 * Connected to no database: it reads the shared catalogs only, to see whether
 * a database is there, and holds no snapshot while it sleeps.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "guc.h"
#include "libpq/pqsignal.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"
#include "worker/clock.h"
#include "worker/slots.h"
#include "worker/worker.h"

#define RESTART_SECONDS 5
#define MIN_BACKOFF (INT64CONST(1) * USECS_PER_SEC)
#define MAX_BACKOFF (INT64CONST(60) * USECS_PER_SEC)
#define LOG_INTERVAL (INT64CONST(60) * USECS_PER_SEC)

typedef struct Database
{
	char		name[NAMEDATALEN];
	BackgroundWorkerHandle *scheduler;	/* NULL: none */
	TimestampTz started_at;
	TimestampTz start_at;		/* no new scheduler before */
	int64		backoff;
	TimestampTz logged_at;
	bool		wanted;			/* still in segment.databases */
} Database;

static List *databases = NIL;	/* of Database */

void
worker_init(void)
{
	BackgroundWorker worker;

	if (!process_shared_preload_libraries_in_progress)
		return;
	slots_init();
	database_init();

	/* pg_upgrade: the cluster is not to change by itself */
	if (IsBinaryUpgrade)
		return;

	memset(&worker, 0, sizeof(worker));
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = RESTART_SECONDS;
	strlcpy(worker.bgw_library_name, "segment", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, "segment_launcher_main", BGW_MAXLEN);
	strlcpy(worker.bgw_name, "segment launcher", BGW_MAXLEN);
	strlcpy(worker.bgw_type, "segment launcher", BGW_MAXLEN);
	RegisterBackgroundWorker(&worker);
}

List *
worker_databases(bool *valid)
{
	List	   *names = NIL;
	char	   *raw = pstrdup(segment_databases != NULL ? segment_databases : "");

	*valid = SplitIdentifierString(raw, ',', &names);
	return *valid ? names : NIL;
}

static Database *
find_database(const char *name)
{
	ListCell   *lc;

	foreach(lc, databases)
	{
		Database   *database = lfirst(lc);

		if (strcmp(database->name, name) == 0)
			return database;
	}
	return NULL;
}

/* Follows segment.databases: adds what is new, ends what is no longer wanted. */
static void
read_setting(void)
{
	bool		valid;
	List	   *names = worker_databases(&valid);
	MemoryContext caller = CurrentMemoryContext;
	ListCell   *lc;

	if (!valid)
	{
		ereport(LOG,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid list syntax in parameter \"%s\"", "segment.databases"),
				 errhint("Give names separated by commas, in double quotes where SQL needs them.")));
		return;
	}
	foreach(lc, databases)
		((Database *) lfirst(lc))->wanted = false;
	foreach(lc, names)
	{
		const char *name = lfirst(lc);
		Database   *database = find_database(name);

		if (database == NULL)
		{
			database = MemoryContextAllocZero(TopMemoryContext, sizeof(Database));
			strlcpy(database->name, name, NAMEDATALEN);
			database->backoff = MIN_BACKOFF;
			database->logged_at = DT_NOBEGIN;
			database->start_at = DT_NOBEGIN;
			MemoryContextSwitchTo(TopMemoryContext);
			databases = lappend(databases, database);
			MemoryContextSwitchTo(caller);
		}
		database->wanted = true;

		/* a reload is a good moment to try again */
		database->start_at = DT_NOBEGIN;
	}
	foreach(lc, databases)
	{
		Database   *database = lfirst(lc);

		if (!database->wanted && database->scheduler != NULL)
			TerminateBackgroundWorker(database->scheduler);
	}
}

/* One line a minute for each database. */
static bool
may_log(Database *database, TimestampTz now)
{
	if (database->logged_at != DT_NOBEGIN && database->logged_at <= now &&
		now - database->logged_at < LOG_INTERVAL)
		return false;
	database->logged_at = now;
	return true;
}

/*
 * Is there a database of that name that takes connections?  Read without an
 * index: a process without a database can't be sure to have one at hand.
 */
static bool
database_exists(const char *name)
{
	Relation	rel;
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	tuple;
	bool		found = false;

	StartTransactionCommand();
	ScanKeyInit(&key, Anum_pg_database_datname, BTEqualStrategyNumber, F_NAMEEQ,
				CStringGetDatum(name));
	rel = table_open(DatabaseRelationId, AccessShareLock);
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		Form_pg_database form = (Form_pg_database) GETSTRUCT(tuple);

		/* a limit below -1 marks the remains of an interrupted DROP DATABASE */
		found = form->datallowconn && form->datconnlimit >= -1;
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	CommitTransactionCommand();
	return found;
}

/* Forgets a scheduler that has ended, and says when the next may start. */
static void
note_end(Database *database, TimestampTz now)
{
	pid_t		pid;

	if (database->scheduler == NULL ||
		GetBackgroundWorkerPid(database->scheduler, &pid) != BGWH_STOPPED)
		return;
	pfree(database->scheduler);
	database->scheduler = NULL;

	/* one that ran for a while starts again soon */
	if (now - database->started_at >= MAX_BACKOFF)
		database->backoff = MIN_BACKOFF;
	database->start_at = now + database->backoff;
	database->backoff = Min(database->backoff * 2, MAX_BACKOFF);
}

static void
start_scheduler(Database *database, TimestampTz now)
{
	BackgroundWorker worker;
	const char *problem = NULL;

	if (!database_exists(database->name))
		problem = "The database does not exist or does not accept connections.";
	else
	{
		memset(&worker, 0, sizeof(worker));
		worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
		worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
		worker.bgw_restart_time = BGW_NEVER_RESTART;
		worker.bgw_notify_pid = MyProcPid;
		strlcpy(worker.bgw_library_name, "segment", BGW_MAXLEN);
		strlcpy(worker.bgw_function_name, "segment_scheduler_main", BGW_MAXLEN);
		snprintf(worker.bgw_name, BGW_MAXLEN, "segment scheduler for %s", database->name);
		strlcpy(worker.bgw_type, "segment scheduler", BGW_MAXLEN);
		strlcpy(worker.bgw_extra, database->name, BGW_EXTRALEN);
		MemoryContextSwitchTo(TopMemoryContext);
		if (RegisterDynamicBackgroundWorker(&worker, &database->scheduler))
			database->started_at = now;
		else
		{
			database->scheduler = NULL;
			problem = "No background worker is free: consider raising max_worker_processes.";
		}
	}
	if (problem == NULL)
		return;
	if (may_log(database, now))
		ereport(LOG,
				(errmsg("no segment schedules run in database \"%s\" for now",
						database->name),
				 errdetail("%s", problem)));
	database->start_at = now + database->backoff;
	database->backoff = Min(database->backoff * 2, MAX_BACKOFF);
}

/* Sees to every database; returns how long to sleep, in milliseconds; -1: for ever. */
static long
tend_databases(void)
{
	TimestampTz now = clock_now();
	int64		sleep = -1;
	ListCell   *lc;

	foreach(lc, databases)
	{
		Database   *database = lfirst(lc);

		note_end(database, now);
		if (database->scheduler != NULL)
			continue;
		if (!database->wanted)
		{
			databases = foreach_delete_current(databases, lc);
			pfree(database);
			continue;
		}
		/* further away than any backoff: the clock was set back */
		if (database->start_at <= now || database->start_at > now + MAX_BACKOFF)
			start_scheduler(database, now);
		if (database->scheduler == NULL)
		{
			int64		rest = Max(database->start_at - now, INT64CONST(0));

			sleep = sleep < 0 ? rest : Min(sleep, rest);
		}
	}
	return sleep < 0 ? -1 : sleep / 1000 + 1;
}

/* A new launcher would not know of them. */
static void
end_schedulers(int code, Datum arg)
{
	ListCell   *lc;

	foreach(lc, databases)
	{
		Database   *database = lfirst(lc);

		if (database->scheduler != NULL)
			TerminateBackgroundWorker(database->scheduler);
	}
}

void
segment_launcher_main(Datum arg)
{
	MemoryContext loop_context;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	before_shmem_exit(end_schedulers, 0);

	loop_context = AllocSetContextCreate(TopMemoryContext, "segment launcher",
										 ALLOCSET_DEFAULT_SIZES);
	read_setting();
	for (;;)
	{
		long		sleep;

		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(loop_context);
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
			read_setting();
		}
		sleep = tend_databases();
		MemoryContextSwitchTo(loop_context);
		MemoryContextReset(loop_context);
		pgstat_report_activity(STATE_IDLE, NULL);
		(void) WaitLatch(MyLatch,
						 WL_LATCH_SET | WL_EXIT_ON_PM_DEATH | (sleep < 0 ? 0 : WL_TIMEOUT),
						 sleep, PG_WAIT_EXTENSION);
	}
}
