/*
 * internal.h
 *		What the files of the refresh room share among themselves.
 */
#ifndef SEGMENT_REFRESH_INTERNAL_H
#define SEGMENT_REFRESH_INTERNAL_H

#include "refresh/refresh.h"

typedef struct Refresh
{
	Oid			relid;
	bool		nonatomic;		/* may commit between steps */
	MemoryContext run_context;	/* lives as long as the run */
	MemoryContext step_context; /* reset after each step */
	Run			run;
	char	   *collected;		/* snapshot of what was collected, in a transaction block */
	TimestampTz started;		/* as-of instant of the run: what was due then is worked off */
} Refresh;

/* state.c */

typedef struct TableState
{
	bool		whole;			/* every customer has to be computed */
	bool		rewind;			/* because time has gone back */
} TableState;

/* What this refresh has to do. */
extern TableState state_read(Refresh *refresh);

/* Notes how far in time rows speak, in the transaction that writes them. */
extern void state_raise(Refresh *refresh, TimestampTz as_of);

/* Notes that everything was computed. */
extern void state_store_rebuilt(Refresh *refresh, int64 ignored);

/* evaluate.c */

/* Runs a statement with arguments; error unless it succeeds. */
extern void run_sql(const char *sql, int nargs, Oid *types, Datum *values, bool read_only);

/* The first column of the first row of the last statement; *isnull if there is none. */
extern Datum first_value(bool *isnull);
extern int64 first_int64(void);

/* apply.c */

/*
 * Brings the segment table and its history to the registered rows, writing
 * only what differs; returns how many rows of the table it wrote.  rewind: the
 * as-of instant lies before that of an earlier refresh.
 */
extern int64 apply_rows(const SegmentTable *table, Datum keys, TimestampTz as_of, bool rewind);

/* Keeps the instants at which customers without a row may get one. */
extern void apply_pending(const SegmentTable *table, Datum keys);

#endif							/* SEGMENT_REFRESH_INTERNAL_H */
