/*
 * lock.c
 *		Locks that nobody queues behind.
 *
 * Instead of queueing for the lock of a relation we wait for the transactions
 * that hold it, as CREATE INDEX CONCURRENTLY does, and try again.  Others see
 * who waits for whom, and deadlocks are found.
 */
#include "postgres.h"

#include "attempt.h"
#include "catalog/definition.h"
#include "context.h"
#include "guc.h"
#include "lock.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"

/*
 * Where one holder follows the other: tries before we queue, for how many locks
 * together, and for how long each, in milliseconds.
 */
#define PATIENCE 3
#define QUEUES 4
#define BRIEFLY 50

/* Between two tries where nobody is known to be in the way, in milliseconds. */
#define PAUSE 10

typedef struct LockWish
{
	Oid			relid;
	LOCKMODE	mode;
} LockWish;

List *
lock_wish(List *wishes, Oid relid, LOCKMODE mode)
{
	LockWish   *wish = palloc(sizeof(LockWish));

	wish->relid = relid;
	wish->mode = mode;
	return lappend(wishes, wish);
}

/* Takes all or none; returns the first that could not be had, or NULL. */
static const LockWish *
try_all(List *wishes)
{
	for (int i = 0; i < list_length(wishes); i++)
	{
		const LockWish *wish = list_nth(wishes, i);

		if (ConditionalLockRelationOid(wish->relid, wish->mode))
			continue;
		while (--i >= 0)
		{
			const LockWish *had = list_nth(wishes, i);

			UnlockRelationOid(had->relid, had->mode);
		}
		return wish;
	}
	return NULL;
}

static void
refuse(const LockWish *wish, int limit)
{
	ereport(ERROR,
			(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
			 errmsg("could not lock %s within %d ms", catalog_qualified_name(wish->relid), limit),
			 errdetail("Transactions that use it have not ended. Nobody was made to wait behind this one."),
			 errhint("Try again when they have ended, or allow more time by segment.ddl_wait and lock_timeout. The view pg_locks shows who they are.")));
}

static void
set_lock_timeout(int milliseconds)
{
	context_set("lock_timeout", psprintf("%dms", milliseconds));
}

static void
pause_briefly(void)
{
	WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, PAUSE, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
}

/* Waits until the transactions that are in the way of a lock now have ended. */
static void
wait_for_holders(const LockWish *wish, int milliseconds, int limit)
{
	MemoryContext context = CurrentMemoryContext;
	LOCKTAG		tag;
	VirtualTransactionId *holders;
	RunContext	ctx;
	int			count;

	SET_LOCKTAG_RELATION(tag, MyDatabaseId, wish->relid);
	holders = GetLockConflicts(&tag, wish->mode, &count);
	if (count == 0)
	{
		pause_briefly();
		return;
	}
	context_enter_canonical(&ctx);
	set_lock_timeout(milliseconds);
	PG_TRY();
	{
		for (int i = 0; i < count; i++)
			VirtualXactLock(holders[i], true);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		if (error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE)
			PG_RE_THROW();
		FlushErrorState();
		refuse(wish, limit);
	}
	PG_END_TRY();
	context_leave(&ctx);
	pfree(holders);
}

static void
queue_step(void *arg)
{
	const LockWish *wish = arg;
	RunContext	ctx;

	context_enter_canonical(&ctx);
	set_lock_timeout(BRIEFLY);
	LockRelationOid(wish->relid, wish->mode);
	context_leave(&ctx);
}

/* Queues for a lock, but not for long; whether it was had. */
static bool
queue_briefly(const LockWish *wish)
{
	ErrorData  *error;

	ereport(DEBUG1,
			(errmsg_internal("queueing for %s for at most %d ms",
							 catalog_qualified_name(wish->relid), BRIEFLY)));
	error = attempt_run(queue_step, unconstify(LockWish *, wish), false);
	if (error != NULL && error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE)
		ReThrowError(error);
	return error == NULL;
}

/* Gives back what was had in a subtransaction, whose locks are the transaction's now. */
static void
give_back(const LockWish *wish)
{
	ResourceOwner owner = CurrentResourceOwner;

	CurrentResourceOwner = CurTransactionResourceOwner;
	UnlockRelationOid(wish->relid, wish->mode);
	CurrentResourceOwner = owner;
}

/* Queues for a few of the locks, one after the other; whether all were had then. */
static bool
queue_for_all(List *wishes)
{
	List	   *had = NIL;
	const LockWish *busy;
	ListCell   *lc;

	while ((busy = try_all(wishes)) != NULL)
	{
		if (list_length(had) == QUEUES || !queue_briefly(busy))
			break;
		had = lappend(had, unconstify(LockWish *, busy));
	}
	if (busy == NULL)
		return true;
	foreach(lc, had)
		give_back(lfirst(lc));
	return false;
}

void
lock_all(List *wishes)
{
	TimestampTz started = GetCurrentTimestamp();
	int			limit = segment_ddl_wait;
	const LockWish *busy;

	if (LockTimeout > 0)
		limit = Min(limit, LockTimeout);
	for (int tries = 0; (busy = try_all(wishes)) != NULL; tries++)
	{
		long		left = limit - TimestampDifferenceMilliseconds(started, GetCurrentTimestamp());

		CHECK_FOR_INTERRUPTS();
		if (left <= 0)
			refuse(busy, limit);

		/*
		 * A subtransaction that rolls back gives its locks back one by one; who
		 * is at it must not be waited for until the end of the transaction, in
		 * which he may soon wait for us.
		 */
		if (tries == 0)
		{
			pause_briefly();
			continue;
		}

		/*
		 * Those who were in the way have gone, again and again, and others have
		 * come: by chance alone it may never be free, and in the queue nobody
		 * has to wait behind us for long.
		 */
		if (tries > PATIENCE && queue_for_all(wishes))
			return;
		wait_for_holders(busy, left, limit);
	}
}

void
lock_one(Oid relid, LOCKMODE mode)
{
	lock_all(lock_wish(NIL, relid, mode));
}
