/*
 * slots.c
 *		What schedulers and jobs say to each other, in shared memory.
 */
#include "postgres.h"

#include <signal.h>

#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"
#include "worker/slots.h"

#define TRANCHE "segment_jobs"

/* A worker that has not come up by then never will. */
#define START_TIMEOUT_MS 60000

/* How long idle workers make room after somebody could not get one. */
#define CROWDED_MS 5000

typedef enum SlotState
{
	SLOT_FREE,
	SLOT_STARTING,
	SLOT_RUNNING,
	SLOT_IDLE,
	SLOT_DIED
} SlotState;

typedef struct JobSlot
{
	SlotState	state;
	uint64		number;			/* of the ticket */
	Oid			database;
	Oid			tbl;
	TimestampTz reserved_at;
	Latch	   *latch;			/* of the process, from RUNNING on */
	bool		nudged;
} JobSlot;

typedef struct JobBoard
{
	uint64		last_number;
	TimestampTz crowded_at;
	int			nslots;
	JobSlot		slots[FLEXIBLE_ARRAY_MEMBER];
} JobBoard;

static JobBoard *board = NULL;
static LWLock *board_lock = NULL;
static JobTicket mine = {.slot = -1};

static shmem_request_hook_type previous_request_hook = NULL;
static shmem_startup_hook_type previous_startup_hook = NULL;

static Size
board_size(void)
{
	return add_size(offsetof(JobBoard, slots),
					mul_size(max_worker_processes, sizeof(JobSlot)));
}

static void
slots_request(void)
{
	if (previous_request_hook)
		previous_request_hook();
	RequestAddinShmemSpace(board_size());
	RequestNamedLWLockTranche(TRANCHE, 1);
}

static void
slots_startup(void)
{
	bool		found;

	if (previous_startup_hook)
		previous_startup_hook();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	board = ShmemInitStruct("segment jobs", board_size(), &found);
	if (!found)
	{
		memset(board, 0, board_size());
		board->crowded_at = DT_NOBEGIN;
		board->nslots = max_worker_processes;
	}
	board_lock = &(GetNamedLWLockTranche(TRANCHE))->lock;
	LWLockRelease(AddinShmemInitLock);
}

void
slots_init(void)
{
	previous_request_hook = shmem_request_hook;
	shmem_request_hook = slots_request;
	previous_startup_hook = shmem_startup_hook;
	shmem_startup_hook = slots_startup;
}

bool
slots_available(void)
{
	return board != NULL;
}

/* The slot of a ticket, or NULL if it has passed to another.  Under the lock. */
static JobSlot *
slot_of(const JobTicket *ticket)
{
	JobSlot    *slot;

	if (ticket->slot < 0 || ticket->slot >= board->nslots)
		return NULL;
	slot = &board->slots[ticket->slot];
	return slot->state != SLOT_FREE && slot->number == ticket->number ? slot : NULL;
}

bool
slots_reserve(Oid tbl, TimestampTz now, JobTicket *ticket)
{
	JobSlot    *free_slot = NULL;

	LWLockAcquire(board_lock, LW_EXCLUSIVE);
	for (int i = 0; i < board->nslots; i++)
	{
		JobSlot    *slot = &board->slots[i];

		if (slot->state == SLOT_FREE)
		{
			free_slot = slot;
			break;
		}
		/* of another database, whose scheduler may never come back */
		if (slot->state == SLOT_DIED && slot->database != MyDatabaseId)
			free_slot = slot;
	}
	if (free_slot != NULL)
	{
		memset(free_slot, 0, sizeof(JobSlot));
		free_slot->state = SLOT_STARTING;
		free_slot->number = ++board->last_number;
		free_slot->database = MyDatabaseId;
		free_slot->tbl = tbl;
		free_slot->reserved_at = now;
		ticket->slot = free_slot - board->slots;
		ticket->number = free_slot->number;
		ticket->database = MyDatabaseId;
		ticket->tbl = tbl;
	}
	LWLockRelease(board_lock);
	return free_slot != NULL;
}

void
slots_cancel(const JobTicket *ticket)
{
	JobSlot    *slot;

	LWLockAcquire(board_lock, LW_EXCLUSIVE);
	slot = slot_of(ticket);
	if (slot != NULL)
		slot->state = SLOT_FREE;
	LWLockRelease(board_lock);
}

void
slots_stopped(const JobTicket *ticket)
{
	JobSlot    *slot;

	LWLockAcquire(board_lock, LW_EXCLUSIVE);
	slot = slot_of(ticket);
	if (slot != NULL)
		slot->state = SLOT_DIED;
	LWLockRelease(board_lock);
}

bool
slots_nudge(Oid tbl)
{
	bool		alive = false;

	LWLockAcquire(board_lock, LW_EXCLUSIVE);
	for (int i = 0; i < board->nslots; i++)
	{
		JobSlot    *slot = &board->slots[i];

		if (slot->database != MyDatabaseId || slot->tbl != tbl || slot->state == SLOT_FREE)
			continue;
		/* one that has died since the dead were taken: to be counted before another comes */
		alive = true;
		slot->nudged = true;
		if (slot->latch != NULL)
			SetLatch(slot->latch);
	}
	LWLockRelease(board_lock);
	return alive;
}

/* Under the lock. */
static bool
is_dead(const JobSlot *slot, TimestampTz now)
{
	if (slot->database != MyDatabaseId)
		return false;
	return slot->state == SLOT_DIED ||
		(slot->state == SLOT_STARTING &&
		 TimestampDifferenceExceeds(slot->reserved_at, now, START_TIMEOUT_MS));
}

bool
slots_any_dead(TimestampTz now)
{
	bool		any = false;

	LWLockAcquire(board_lock, LW_SHARED);
	for (int i = 0; i < board->nslots && !any; i++)
		any = is_dead(&board->slots[i], now);
	LWLockRelease(board_lock);
	return any;
}

List *
slots_take_dead(TimestampTz now)
{
	List	   *dead = NIL;
	Oid		   *tables = palloc(sizeof(Oid) * board->nslots);
	int			n = 0;

	LWLockAcquire(board_lock, LW_EXCLUSIVE);
	for (int i = 0; i < board->nslots; i++)
	{
		JobSlot    *slot = &board->slots[i];

		if (is_dead(slot, now))
		{
			slot->state = SLOT_FREE;
			tables[n++] = slot->tbl;
		}
	}
	LWLockRelease(board_lock);

	/* lists are made outside the lock, since they may run out of memory */
	for (int i = 0; i < n; i++)
		dead = list_append_unique_oid(dead, tables[i]);
	pfree(tables);
	return dead;
}

void
slots_crowded(TimestampTz now)
{
	LWLockAcquire(board_lock, LW_EXCLUSIVE);
	board->crowded_at = now;
	for (int i = 0; i < board->nslots; i++)
		if (board->slots[i].state == SLOT_IDLE)
			SetLatch(board->slots[i].latch);
	LWLockRelease(board_lock);
}

void
slots_end(Oid database)
{
	LWLockAcquire(board_lock, LW_SHARED);
	for (int i = 0; i < board->nslots; i++)
	{
		JobSlot    *slot = &board->slots[i];

		if (slot->database == database && slot->state != SLOT_FREE && slot->latch != NULL)
			kill(slot->latch->owner_pid, SIGTERM);
	}
	LWLockRelease(board_lock);
}

/* Whatever ends the process without slots_leave, it died; but idle, it has lost nothing. */
static void
detach(int code, Datum arg)
{
	JobSlot    *slot;

	LWLockAcquire(board_lock, LW_EXCLUSIVE);
	slot = slot_of(&mine);
	if (slot != NULL)
	{
		slot->state = slot->state == SLOT_IDLE ? SLOT_FREE : SLOT_DIED;
		slot->latch = NULL;
	}
	LWLockRelease(board_lock);
	mine.slot = -1;
}

bool
slots_attach(const JobTicket *ticket)
{
	JobSlot    *slot;

	LWLockAcquire(board_lock, LW_EXCLUSIVE);
	slot = slot_of(ticket);
	if (slot != NULL && slot->state == SLOT_STARTING)
	{
		slot->state = SLOT_RUNNING;
		slot->latch = MyLatch;
		mine = *ticket;
	}
	LWLockRelease(board_lock);
	if (mine.slot >= 0)
		before_shmem_exit(detach, 0);
	return mine.slot >= 0;
}

bool
slots_idle(TimestampTz now)
{
	JobSlot    *slot;
	bool		crowded;

	LWLockAcquire(board_lock, LW_EXCLUSIVE);
	slot = slot_of(&mine);
	if (slot != NULL)
		slot->state = SLOT_IDLE;
	crowded = board->crowded_at != DT_NOBEGIN &&
		board->crowded_at <= now &&
		!TimestampDifferenceExceeds(board->crowded_at, now, CROWDED_MS);
	LWLockRelease(board_lock);
	return crowded;
}

bool
slots_nudged(void)
{
	JobSlot    *slot;
	bool		nudged = false;

	LWLockAcquire(board_lock, LW_EXCLUSIVE);
	slot = slot_of(&mine);
	if (slot != NULL && slot->nudged)
	{
		nudged = true;
		slot->nudged = false;
		slot->state = SLOT_RUNNING;
	}
	LWLockRelease(board_lock);
	return nudged;
}

bool
slots_leave(bool force)
{
	JobSlot    *slot;
	bool		gone = true;

	LWLockAcquire(board_lock, LW_EXCLUSIVE);
	slot = slot_of(&mine);
	if (slot != NULL)
	{
		if (slot->nudged && !force)
			gone = false;
		else
		{
			slot->state = SLOT_FREE;
			slot->latch = NULL;
		}
	}
	LWLockRelease(board_lock);
	if (gone)
		mine.slot = -1;
	return gone;
}
