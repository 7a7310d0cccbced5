/*
 * traces.h
 *		What is left of a customer outside of the segment table and its history.
 */
#ifndef SEGMENT_REFRESH_TRACES_H
#define SEGMENT_REFRESH_TRACES_H

#include "refresh/internal.h"

typedef struct Traces
{
	int64		waiting;		/* rows of segment.pending and the like */
	int64		marks;			/* marks, and keys in segment.work */
	int64		errors;			/* error texts that named the customer */
	char	   *pattern;		/* a regular expression: a text that names the customer */
} Traces;

/*
 * Deletes them: where a key stands, each text that the key's type reads as one
 * of the customer's keys (of char *); and error texts of runs and jobs with one of some texts (of
 * String) in them.  Locks the bookmark; with the lock on the table's work.
 * Inside SPI.
 */
extern void traces_delete(Traces *traces, const SegmentTable *table, List *keys, List *texts);

/*
 * Then: makes the planner's statistics anew that hold the key.  A NOTICE if
 * somebody is at it, such as a VACUUM.
 */
extern void traces_forget_statistics(const Traces *traces, const SegmentTable *table);

#endif							/* SEGMENT_REFRESH_TRACES_H */
