/*
 * worker.h
 *		Launcher, scheduler, job: what keeps segment tables fresh by itself.
 *
 * See docs/architecture.md for the state machine and its invariants.
 */
#ifndef SEGMENT_WORKER_H
#define SEGMENT_WORKER_H

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"

/* Called from _PG_init: registers the launcher when preloaded. */
extern void worker_init(void);

/* launcher.c */

/* The names in segment.databases; NIL, and *valid false, if they can't be read. */
extern List *worker_databases(bool *valid);

/* database.c: makes way for DROP DATABASE and its like */
extern void database_init(void);

/* state.c: what becomes of a job, in segment.job_state */

/* Begins a run unless the job is gone, at rest, or (again) has nothing to do. */
typedef enum JobVerdict
{
	JOB_RUN,
	JOB_NOTHING,				/* nothing to do for now */
	JOB_GONE					/* no longer scheduled, or not the same owner's */
} JobVerdict;

extern JobVerdict job_begin(Oid tbl, Oid owner, bool again, bool *continuous);

/* A run succeeded. */
extern void job_count_success(Oid tbl);

/* May this run warn of customers set aside?  Once a minute; noted in the transaction under way. */
extern bool job_may_warn(Oid tbl);

/*
 * Counts a failure, in the transaction under way, and returns whether it is
 * to be logged: at most once a minute for each job.
 */
extern bool job_count_failure(Oid tbl, const char *error, bool interrupted);

/* job.c */

/* Settings of a role or a database must not change what the workers' own SQL means. */
extern void worker_pin_settings(void);

/* Entry points of the background workers. */
extern PGDLLEXPORT void segment_launcher_main(Datum arg);
extern PGDLLEXPORT void segment_scheduler_main(Datum arg);
extern PGDLLEXPORT void segment_job_main(Datum arg);

#endif							/* SEGMENT_WORKER_H */
