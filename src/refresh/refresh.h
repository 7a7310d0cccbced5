/*
 * refresh.h
 *		Collect, evaluate, apply, history, verify.
 */
#ifndef SEGMENT_REFRESH_H
#define SEGMENT_REFRESH_H

#include "access/tupdesc.h"
#include "catalog/definition.h"
#include "datatype/timestamp.h"
#include "utils/tuplestore.h"

/* Called from _PG_init. */
extern void refresh_init(void);

/* collect.c */

/*
 * Moves the marks committed since the last collection into work, for all
 * segment tables.  Locks the bookmark before it takes a snapshot, so the
 * transaction should end soon.
 */
extern void refresh_collect(void);

/*
 * Copies the marks of one segment table into work, this transaction's own
 * among them, for a transaction that may stay open: the bookmark stays as it
 * is, so that nobody else waits.  Returns the snapshot to be kept in
 * table_state.collected, so that the marks are not collected once more.
 */
extern char *refresh_collect_own(Oid tbl);

/* evaluate.c: computing rows */

/* The name under which computed rows stand in later statements of the same SPI connection. */
#define ROWS_NAME "__segment_rows"

/* Rows as the definition gives them; columns as rule_evaluate_sql says. */
typedef struct Evaluation
{
	Tuplestorestate *rows;
	TupleDesc	desc;
	int64		count;
} Evaluation;

/*
 * Computes the rows of customers (keys: a text array, or 0 for everybody) as
 * of segment.now(), with the rights the caller has taken.  Inside SPI.
 * snapshot_of_caller: read what the caller's snapshot sees, else a fresh one.
 */
extern Evaluation *evaluate(const SegmentTable *table, Datum keys, bool future,
							bool snapshot_of_caller);

/* Makes the rows readable as ROWS_NAME in the same SPI connection. */
extern void evaluation_register(const Evaluation *evaluation);

/* Takes them back and frees them, and the file they may have spilled to. */
extern void evaluation_end(Evaluation *evaluation);

/* current.c */

/*
 * Error (22P02 and the like) if a text is no value of the key's type; with the
 * owner's rights, since a type may have checks.  Asked first, as the query that
 * computes the row would fail with all of itself for a context.
 */
extern void current_check_key(const SegmentTable *table, Datum key);

/* runs.c: what happened; rows of segment.run */

typedef struct Run
{
	int64		id;
	Oid			tbl;
	int64		processed;		/* customers looked at */
	int64		changed;		/* rows inserted, updated or deleted */
} Run;

/* Records the start of a run; commit it before the work, so that crashes show. */
extern void run_start(Run *started, Oid tbl, const char *kind);
extern void run_finish(const Run *finished);

/*
 * Records the end of the runs that this process has started and not finished;
 * error NULL: it was interrupted.
 */
extern void run_fail(Oid tbl, const char *error);

/*
 * Closes the runs under way whose process is no longer at them, of one table
 * or (InvalidOid) of all; returns the tables they were of.
 */
extern List *run_reap(Oid tbl);

/* Progress of a run under way, visible to others at once (shared memory). */
extern void progress_start(const Run *of, const char *phase, int64 total);
extern void progress_report(int64 done);
extern void progress_end(void);

#endif							/* SEGMENT_REFRESH_H */
