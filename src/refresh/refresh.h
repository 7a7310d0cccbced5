/*
 * refresh.h
 *		Collect, evaluate, apply, history, verify.
 */
#ifndef SEGMENT_REFRESH_H
#define SEGMENT_REFRESH_H

#include "access/tupdesc.h"
#include "attempt.h"
#include "catalog/definition.h"
#include "datatype/timestamp.h"
#include "rule/rule.h"
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

/* Whose rows are computed, and how. */
typedef struct Selection
{
	RuleWhom	whom;
	Datum		keys;			/* text array: of RULE_KEYS these, of RULE_OTHERS all others */
	bool		future;			/* look for events that are still to come */
	bool		snapshot_of_caller; /* read what the caller's snapshot sees, else a fresh one */
} Selection;

/*
 * Computes rows as of segment.now(), with the rights the caller has taken.
 * Inside SPI.
 */
extern Evaluation *evaluate(const SegmentTable *table, const Selection *selection);

/*
 * The same for those who ask: an error that an expression raises names the
 * column.  as_of: what segment.now() is.
 */
extern Evaluation *evaluate_named(const SegmentTable *table, const Selection *selection,
								  TimestampTz as_of);

/* Makes the rows readable as ROWS_NAME in the same SPI connection. */
extern void evaluation_register(const Evaluation *evaluation);

/* Takes them back and frees them, and the file they may have spilled to. */
extern void evaluation_end(Evaluation *evaluation);

/* guard.c: errors that expressions raise */

/* Which errors guard_run returns; any other goes on its way. */
typedef enum GuardCatches
{
	GUARD_DATA,					/* those that a customer's data can cause */
	GUARD_EXPRESSIONS			/* those besides that say that a definition is broken */
} GuardCatches;

/*
 * Runs a step in a subtransaction.  NULL if it succeeded; else all that it did
 * is undone, and the error returned, in the current memory context.
 */
extern ErrorData *guard_run(AttemptStep step, void *arg, GuardCatches catches);

/* Runs a step in a subtransaction that is undone in any case; errors go on their way. */
extern void guard_run_and_undo(AttemptStep step, void *arg);

/* Can data of a single customer have caused an error with this SQLSTATE? */
extern bool guard_is_of_data(int sqlerrcode);

/*
 * The column that keeps the rows of a selection from being computed, or "" if
 * it is the events or attributes themselves; NULL if nothing does.  Computes
 * them some times over.  Inside SPI.
 */
extern char *guard_failing_column(const SegmentTable *table, const Selection *selection,
								  TimestampTz as_of);

/* Raises an error again that guard_run returned, with the column that guard_failing_column found. */
extern void guard_rethrow(const SegmentTable *table, ErrorData *error, const char *column);

/*
 * Runs a step in which a generated statement runs.  Of an error of that
 * statement the context says what was done, "instead", and not the statement.
 */
extern void guard_hide_sql(AttemptStep step, void *arg, const char *sql, const char *instead);

/* run_sql() of a statement that writes, in that way. */
extern void guard_run_sql(const char *sql, int nargs, Oid *types, Datum *values,
						  const char *instead);

/* "column x of segment table y", for the context of an error; column "" as above, NULL: all of it. */
extern char *guard_subject(const SegmentTable *table, const char *column);

/* current.c */

/*
 * Error (22P02 and the like) if a text is no value of the key's type; with the
 * owner's rights, since a type may have checks.  Asked first, as the query that
 * computes the row would fail with all of itself for a context.
 */
extern void current_check_key(const SegmentTable *table, Datum key);

/*
 * keys.c: the key of the customer for whom a key (text) counts, by the active
 * snapshot; itself unless it is merged.  With the owner's rights, inside SPI.
 */
extern char *key_customer(const SegmentTable *table, Datum key);

/* runs.c: what happened; rows of segment.run */

typedef struct Run
{
	int64		id;
	Oid			tbl;
	int64		processed;		/* customers looked at */
	int64		changed;		/* rows inserted, updated or deleted */
	int64		entered;		/* intervals of the history that began, and that ended */
	int64		left;
	int64		set_aside;		/* customers for whom an expression failed */
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

/* setaside.c: customers for whom an expression fails */

/* Those set aside, as the active snapshot, or else a fresh one, has them: text[], or 0 if there are none. */
extern Datum aside_keys(Oid tbl, bool snapshot_of_caller);

/* May a refresh of this table warn of customers set aside?  NULL: always. */
typedef bool (*MayWarn) (Oid tbl);

extern MayWarn refresh_may_warn;

/* Progress of a run under way, visible to others at once (shared memory). */
extern void progress_start(const Run *of, const char *phase, int64 total);
extern void progress_report(int64 done);
extern void progress_end(void);

#endif							/* SEGMENT_REFRESH_H */
