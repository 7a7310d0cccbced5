/*
 * wake.c
 *		Waking a database's scheduler when marks are committed.
 *
 * Works when the library is preloaded; otherwise every call does nothing.
 */
#include "postgres.h"

#include <signal.h>

#include "access/xact.h"
#include "capture/capture_private.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "tcop/utility.h"

typedef struct Sleeper
{
	Oid			database;		/* InvalidOid: the place is free */
	Latch	   *latch;
	pg_atomic_uint32 pending;	/* something was committed since it last asked */
} Sleeper;

typedef struct WakeShared
{
	LWLock	   *lock;			/* exclusive to register, shared to wake */
	int			places;
	Sleeper		sleepers[FLEXIBLE_ARRAY_MEMBER];
} WakeShared;

#define TRANCHE_NAME "segment_wake"

static WakeShared *shared = NULL;
static Sleeper *mine = NULL;
static bool at_commit = false;

static shmem_request_hook_type previous_request = NULL;
static shmem_startup_hook_type previous_startup = NULL;
static ProcessUtility_hook_type previous_utility = NULL;

/* Only background workers sleep here, so there can't be more of them. */
static Size
shared_size(void)
{
	return add_size(offsetof(WakeShared, sleepers),
					mul_size(max_worker_processes, sizeof(Sleeper)));
}

static void
request_shared(void)
{
	if (previous_request)
		previous_request();
	RequestAddinShmemSpace(shared_size());
	RequestNamedLWLockTranche(TRANCHE_NAME, 1);
}

static void
start_shared(void)
{
	bool		found;

	if (previous_startup)
		previous_startup();

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	shared = ShmemInitStruct("segment wake", shared_size(), &found);
	if (!found)
	{
		shared->lock = &GetNamedLWLockTranche(TRANCHE_NAME)->lock;
		shared->places = max_worker_processes;
		for (int i = 0; i < shared->places; i++)
		{
			shared->sleepers[i].database = InvalidOid;
			shared->sleepers[i].latch = NULL;
			pg_atomic_init_u32(&shared->sleepers[i].pending, 0);
		}
	}
	LWLockRelease(AddinShmemInitLock);
}

/*
 * The marks of a prepared transaction are committed by a session that knows
 * nothing of them.
 */
static void
process_utility(PlannedStmt *pstmt, const char *query, bool read_only_tree,
				ProcessUtilityContext context, ParamListInfo params,
				QueryEnvironment *env, DestReceiver *dest, QueryCompletion *qc)
{
	bool		wakes = IsA(pstmt->utilityStmt, TransactionStmt) &&
		((TransactionStmt *) pstmt->utilityStmt)->kind == TRANS_STMT_COMMIT_PREPARED;

	if (previous_utility)
		previous_utility(pstmt, query, read_only_tree, context, params, env, dest, qc);
	else
		standard_ProcessUtility(pstmt, query, read_only_tree, context, params, env, dest, qc);
	if (wakes)
		wake_now();
}

void
wake_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		return;
	previous_request = shmem_request_hook;
	shmem_request_hook = request_shared;
	previous_startup = shmem_startup_hook;
	shmem_startup_hook = start_shared;
	previous_utility = ProcessUtility_hook;
	ProcessUtility_hook = process_utility;
}

static void
release_place(int code, Datum arg)
{
	wake_unregister();
}

void
wake_register(void)
{
	static bool registered_exit = false;

	if (shared == NULL || mine != NULL)
		return;
	if (!registered_exit)
	{
		before_shmem_exit(release_place, (Datum) 0);
		registered_exit = true;
	}
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	for (int i = 0; i < shared->places && mine == NULL; i++)
		if (!OidIsValid(shared->sleepers[i].database))
			mine = &shared->sleepers[i];
	if (mine != NULL)
	{
		mine->database = MyDatabaseId;
		mine->latch = MyLatch;
		pg_atomic_write_u32(&mine->pending, 1);
	}
	LWLockRelease(shared->lock);
	if (mine == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("too many processes wait for marks"),
				 errhint("You might need to increase max_worker_processes.")));
}

void
wake_unregister(void)
{
	if (mine == NULL)
		return;
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	mine->database = InvalidOid;
	mine->latch = NULL;
	LWLockRelease(shared->lock);
	mine = NULL;
}

bool
wake_pending(void)
{
	return mine != NULL && pg_atomic_exchange_u32(&mine->pending, 0) != 0;
}

void
wake_now(void)
{
	if (shared == NULL)
		return;
	LWLockAcquire(shared->lock, LW_SHARED);
	for (int i = 0; i < shared->places; i++)
	{
		Sleeper    *sleeper = &shared->sleepers[i];

		if (sleeper->database != MyDatabaseId)
			continue;
		pg_atomic_write_u32(&sleeper->pending, 1);
		SetLatch(sleeper->latch);
	}
	LWLockRelease(shared->lock);
}

void
wake_end(Oid database)
{
	if (shared == NULL)
		return;
	LWLockAcquire(shared->lock, LW_SHARED);
	for (int i = 0; i < shared->places; i++)
	{
		Sleeper    *sleeper = &shared->sleepers[i];

		if (sleeper->database == database)
			kill(sleeper->latch->owner_pid, SIGTERM);
	}
	LWLockRelease(shared->lock);
}

/* By XACT_EVENT_COMMIT the transaction is visible to others. */
static void
end_of_transaction(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_COMMIT:
			if (at_commit)
				wake_now();
			at_commit = false;
			break;
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			at_commit = false;
			break;
		default:
			break;
	}
}

void
wake_at_commit(void)
{
	static bool registered = false;

	if (shared == NULL)
		return;
	if (!registered)
	{
		RegisterXactCallback(end_of_transaction, NULL);
		registered = true;
	}
	at_commit = true;
}
