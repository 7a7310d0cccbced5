/*
 * runs.c
 *		What happened: rows of segment.run, and progress in shared memory.
 *
 * Rows are written as the extension's owner, in the transaction under way: it
 * is the caller who commits a start before the work.  The board shows what is
 * not committed yet; without preloading there is none, and nothing is shown.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "context.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "guc.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "refresh/refresh.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define TRANCHE "segment_progress"
#define BOARD_SLOTS 128			/* processes that show progress at a time */
#define PHASE_LENGTH 32

typedef struct Progress
{
	bool		used;
	Oid			database;
	Oid			tbl;
	int64		run;
	int64		total;
	TimestampTz started_at;		/* of the phase */
	char		phase[PHASE_LENGTH];
	pg_atomic_uint64 done;		/* written without the lock */
} Progress;

static Progress *board = NULL;
static LWLock *board_lock = NULL;
static Progress *shown = NULL;	/* this process's */

/* The run of this process that has started and not ended; 0 if none. */
static int64 open_run = 0;

static shmem_request_hook_type previous_request_hook = NULL;
static shmem_startup_hook_type previous_startup_hook = NULL;

PG_FUNCTION_INFO_V1(segment_progress);

static void
board_request(void)
{
	if (previous_request_hook)
		previous_request_hook();
	RequestAddinShmemSpace(sizeof(Progress) * BOARD_SLOTS);
	RequestNamedLWLockTranche(TRANCHE, 1);
}

static void
board_startup(void)
{
	bool		found;

	if (previous_startup_hook)
		previous_startup_hook();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	board = ShmemInitStruct("segment progress", sizeof(Progress) * BOARD_SLOTS, &found);
	if (!found)
	{
		memset(board, 0, sizeof(Progress) * BOARD_SLOTS);
		for (int i = 0; i < BOARD_SLOTS; i++)
			pg_atomic_init_u64(&board[i].done, 0);
	}
	board_lock = &(GetNamedLWLockTranche(TRANCHE))->lock;
	LWLockRelease(AddinShmemInitLock);
}

void
refresh_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		return;
	previous_request_hook = shmem_request_hook;
	shmem_request_hook = board_request;
	previous_startup_hook = shmem_startup_hook;
	shmem_startup_hook = board_startup;
}

/*
 * Runs a statement as the extension's owner: $1 is the table, $2 a text, $3 to
 * $6 numbers.  Returns the number in the first column, if any, else the number
 * of rows.
 */
static int64
run(const char *sql, Oid tbl, const char *text, int64 a, int64 b, int64 c, int64 d)
{
	Oid			types[6] = {OIDOID, TEXTOID, INT8OID, INT8OID, INT8OID, INT8OID};
	Datum		values[6];
	char		nulls[7] = "      ";
	RunContext	ctx;
	int64		result;

	context_enter_catalog(&ctx);
	SPI_connect();
	values[0] = ObjectIdGetDatum(tbl);
	values[1] = text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
	nulls[1] = text == NULL ? 'n' : ' ';
	values[2] = Int64GetDatum(a);
	values[3] = Int64GetDatum(b);
	values[4] = Int64GetDatum(c);
	values[5] = Int64GetDatum(d);
	result = context_run(sql, 6, types, values, nulls, false);
	if (SPI_processed > 0 && SPI_tuptable != NULL)
	{
		bool		isnull;

		result = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0],
											 SPI_tuptable->tupdesc, 1, &isnull));
	}
	SPI_finish();
	context_leave(&ctx);
	return result;
}

/*
 * Forgets the table's oldest runs, but waits for nobody who is doing so; what
 * lies far back only now and then, past dead entries.
 */
static void
forget_runs(Oid tbl, int64 latest)
{
	static const char *const trim =
		"WITH excess AS MATERIALIZED (SELECT id FROM segment.run WHERE tbl = $1"
		"   ORDER BY id DESC OFFSET $3 LIMIT 1)"
		" DELETE FROM segment.run WHERE id IN"
		" (SELECT id FROM segment.run WHERE tbl = $1 AND status <> 'running'"
		"  AND id <= (SELECT id FROM excess)"
		"  AND id > (SELECT CASE WHEN $4 % 64 = 0 THEN 0 ELSE id - 1000 END FROM excess)"
		"  FOR UPDATE SKIP LOCKED)";

	run(trim, tbl, NULL, segment_runs_kept, latest, 0, 0);
}

/*
 * A run is over when its process is, or has gone on to another statement: a
 * statement that fails can't say so itself.  Each run of a table looks at the
 * latest of them alone: those before were looked at, and the index of running
 * ones is full of dead entries under an old snapshot.
 */
List *
run_reap(Oid tbl)
{
	static const char *const sql =
		"UPDATE segment.run r"
		" SET status = 'interrupted', finished_at = pg_catalog.clock_timestamp()"
		" WHERE r.status = 'running' AND ($1 = 0 OR r.id = ANY (ARRAY(SELECT l.id FROM segment.run l"
		"   WHERE l.tbl = $1 ORDER BY l.id DESC LIMIT 64)))"
		" AND (r.pid = pg_catalog.pg_backend_pid() OR NOT EXISTS"
		" (SELECT FROM pg_catalog.pg_stat_get_activity(r.pid) a"
		"  WHERE a.backend_start <= r.started_at"
		"  AND (a.query_start <= r.started_at AND a.state NOT LIKE 'idle%'"
		"   OR a.query_start IS NULL)))"
		" RETURNING r.tbl";
	MemoryContext caller = CurrentMemoryContext;
	Oid			types[1] = {OIDOID};
	Datum		values[1];
	List	   *tables = NIL;
	ListCell   *lc;
	RunContext	ctx;

	values[0] = ObjectIdGetDatum(tbl);
	context_enter_catalog(&ctx);
	SPI_connect();
	context_run(sql, 1, types, values, NULL, false);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		Datum		of = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc,
									   1, &isnull);
		MemoryContext old = MemoryContextSwitchTo(caller);

		tables = list_append_unique_oid(tables, DatumGetObjectId(of));
		MemoryContextSwitchTo(old);
	}
	SPI_finish();
	context_leave(&ctx);
	foreach(lc, tables)
		forget_runs(lfirst_oid(lc), 0);
	return tables;
}

void
run_start(Run *started, Oid tbl, const char *kind)
{
	static const char *const insert =
		"INSERT INTO segment.run (tbl, kind, pid, started_at) VALUES"
		" ($1, $2, pg_catalog.pg_backend_pid(), pg_catalog.clock_timestamp())"
		" RETURNING id";

	run_reap(tbl);
	started->tbl = tbl;
	started->processed = 0;
	started->changed = 0;
	started->entered = 0;
	started->left = 0;
	started->set_aside = 0;
	started->id = open_run = run(insert, tbl, kind, 0, 0, 0, 0);
}

void
run_finish(const Run *finished)
{
	static const char *const update =
		"UPDATE segment.run SET status = 'succeeded', processed = $4, changed = $5, set_aside = $6,"
		" finished_at = pg_catalog.clock_timestamp()"
		" WHERE id = $3";

	run(update, finished->tbl, NULL, finished->id, finished->processed, finished->changed,
		finished->set_aside);
	forget_runs(finished->tbl, finished->id);
	open_run = 0;
}

/*
 * A run whose start was undone, or that failed before it started, is recorded
 * here as a whole.
 */
void
run_fail(Oid tbl, const char *error)
{
	static const char *const update =
		"UPDATE segment.run SET error = $2, finished_at = pg_catalog.clock_timestamp(),"
		" status = CASE WHEN $2 IS NULL THEN 'interrupted' ELSE 'failed' END"
		" WHERE id = $3 AND tbl = $1 AND status = 'running'";
	static const char *const insert =
		"INSERT INTO segment.run (tbl, kind, pid, started_at, finished_at, status, error)"
		" SELECT $1, 'refresh', pg_catalog.pg_backend_pid(), t, t, 'failed', $2"
		" FROM pg_catalog.clock_timestamp() t";

	if ((open_run == 0 || run(update, tbl, error, open_run, 0, 0, 0) == 0) && error != NULL)
		run(insert, tbl, error, 0, 0, 0, 0);

	/* a table whose every run fails has a bound, too */
	forget_runs(tbl, 0);
	open_run = 0;
}

/* What is shown must not outlive the run, however it ends. */
static void
clear_progress(void)
{
	if (shown == NULL)
		return;
	LWLockAcquire(board_lock, LW_EXCLUSIVE);
	shown->used = false;
	LWLockRelease(board_lock);
	shown = NULL;
}

static void
at_transaction_end(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_ABORT)
		clear_progress();
}

static void
at_exit(int code, Datum arg)
{
	clear_progress();
}

/* Takes a place on the board; none left: nothing is shown. */
static void
take_place(void)
{
	static bool registered = false;

	if (!registered)
	{
		RegisterXactCallback(at_transaction_end, NULL);
		before_shmem_exit(at_exit, 0);
		registered = true;
	}
	LWLockAcquire(board_lock, LW_EXCLUSIVE);
	for (int i = 0; i < BOARD_SLOTS && shown == NULL; i++)
		if (!board[i].used)
		{
			shown = &board[i];
			shown->used = true;
			shown->database = InvalidOid;
		}
	LWLockRelease(board_lock);
}

void
progress_start(const Run *of, const char *phase, int64 total)
{
	if (board == NULL)
		return;
	if (shown == NULL)
		take_place();
	if (shown == NULL)
		return;
	LWLockAcquire(board_lock, LW_EXCLUSIVE);
	shown->database = MyDatabaseId;
	shown->tbl = of->tbl;
	shown->run = of->id;
	shown->total = total;
	shown->started_at = GetCurrentTimestamp();
	strlcpy(shown->phase, phase, PHASE_LENGTH);
	pg_atomic_write_u64(&shown->done, 0);
	LWLockRelease(board_lock);
}

void
progress_report(int64 done)
{
	if (shown != NULL)
		pg_atomic_write_u64(&shown->done, done);
}

void
progress_end(void)
{
	clear_progress();
}

/* May the current role see this table? */
static bool
may_see(Oid tbl)
{
	bool		missing = false;

	return pg_class_aclcheck_ext(tbl, GetUserId(), ACL_SELECT, &missing) == ACLCHECK_OK &&
		!missing;
}

/* progress(): the runs under way in this database, of tables the caller may read. */
Datum
segment_progress(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Progress   *copy;

	InitMaterializedSRF(fcinfo, 0);
	if (board == NULL)
		return (Datum) 0;

	/* looked at outside the lock, since privileges are read from catalogs */
	copy = palloc(sizeof(Progress) * BOARD_SLOTS);
	LWLockAcquire(board_lock, LW_SHARED);
	memcpy(copy, board, sizeof(Progress) * BOARD_SLOTS);
	LWLockRelease(board_lock);

	for (int i = 0; i < BOARD_SLOTS; i++)
	{
		Progress   *p = &copy[i];
		Datum		values[5];
		bool		nulls[5] = {false};

		CHECK_FOR_INTERRUPTS();
		if (!p->used || p->database != MyDatabaseId || !may_see(p->tbl))
			continue;
		values[0] = Int64GetDatum(p->run);
		values[1] = CStringGetTextDatum(p->phase);
		values[2] = Int64GetDatum((int64) pg_atomic_read_u64(&p->done));
		values[3] = Int64GetDatum(p->total);
		values[4] = TimestampTzGetDatum(p->started_at);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
