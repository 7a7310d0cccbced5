/*
 * lock.c
 *		Locks that nobody queues behind.
 *
 * A deadlock with someone who waits for us is not detected, since we do not
 * wait in the queue; it ends with segment.ddl_wait.
 */
#include "postgres.h"

#include "access/xact.h"
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

/* Milliseconds: between two tries; between two looks at who is in the way. */
#define PAUSE 10
#define LOOK 1000

/* How long to queue where one holder follows the other. */
#define BRIEFLY "50ms"

typedef struct LockWish
{
	Oid			relid;
	LOCKMODE	mode;
} LockWish;

/* Who was in the way of a lock when we looked last. */
typedef struct Obstacles
{
	TimestampTz looked_at;
	const LockWish *wish;
	VirtualTransactionId *holders;
	int			count;
} Obstacles;

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

/*
 * Has everybody gone who was in the way a while ago, and others have come?
 * Then trying by chance may never find the lock free, and to queue makes
 * nobody wait for long.
 */
static bool
holders_change(Obstacles *seen, const LockWish *wish, TimestampTz now)
{
	VirtualTransactionId *holders;
	LOCKTAG		tag;
	int			count;
	bool		changed = seen->wish == wish;

	if (!TimestampDifferenceExceeds(seen->looked_at, now, LOOK))
		return false;
	SET_LOCKTAG_RELATION(tag, MyDatabaseId, wish->relid);
	holders = GetLockConflicts(&tag, wish->mode, &count);
	for (int i = 0; i < count; i++)
	{
		for (int j = 0; changed && j < seen->count; j++)
		{
			if (VirtualTransactionIdEquals(holders[i], seen->holders[j]))
				changed = false;
		}
	}
	seen->looked_at = now;
	seen->wish = wish;
	seen->holders = holders;
	seen->count = count;
	return changed;
}

/* Queues for a lock, but not for long; whether it was had. */
static bool
queue_briefly(const LockWish *wish)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile bool had = false;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		RunContext	ctx;

		context_enter_canonical(&ctx);
		context_set("lock_timeout", BRIEFLY);
		LockRelationOid(wish->relid, wish->mode);
		context_leave(&ctx);
		ReleaseCurrentSubTransaction();
		had = true;
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		if (error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE)
			ReThrowError(error);
		FreeErrorData(error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return had;
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

static void
refuse(const LockWish *wish, int limit)
{
	char	   *name = catalog_qualified_name(wish->relid);

	ereport(ERROR,
			(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
			 errmsg("could not lock %s within %d ms", name, limit),
			 errdetail("Transactions that use it have not ended. Nobody was made to wait behind this one."),
			 errhint("Try again when they have ended, or allow more time by segment.ddl_wait and lock_timeout. The view pg_locks shows who they are.")));
}

void
lock_all(List *wishes)
{
	TimestampTz started = GetCurrentTimestamp();
	Obstacles	seen = {.looked_at = started};
	int			limit = segment_ddl_wait;
	const LockWish *busy;

	if (LockTimeout > 0)
		limit = Min(limit, LockTimeout);
	while ((busy = try_all(wishes)) != NULL)
	{
		TimestampTz now = GetCurrentTimestamp();

		if (TimestampDifferenceExceeds(started, now, limit))
			refuse(busy, limit);
		if (holders_change(&seen, busy, now) && queue_briefly(busy))
		{
			if (try_all(wishes) == NULL)
				return;
			give_back(busy);
		}
		WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, PAUSE,
				  PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

void
lock_one(Oid relid, LOCKMODE mode)
{
	lock_all(lock_wish(NIL, relid, mode));
}
