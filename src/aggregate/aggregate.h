/*
 * aggregate.h
 *		Behavioral scores as aggregates: what all of them share.
 *
 * Aggregates know nothing of segment tables; they work in any query.  Each one
 * is five functions of the same shape (transition, combine, serialize,
 * deserialize, final) over a state of its own, in one file with its family.
 * engagement.c is the pattern for a state of fixed size, sessions.c for one
 * that keeps instants.  The rules:
 *
 * Meaning
 *	- The result does not depend on the order of the rows, nor on how parallel
 *	  workers split them; floats within a tolerance that the reference states.
 *	  Errors depend on the rows alone as well, so every row's arguments are
 *	  checked, also those of a row that does not count in the end.
 *	- A row with a NULL argument is skipped.  No row counted: the result is NULL.
 *	- Whatever speaks about the present speaks as of aggregate_as_of().
 *	- Arguments that must be constant (a half-life, a gap) are kept in the state
 *	  by the first row and compared by all others and by combine.
 *	- User errors have an SQLSTATE, name the argument, and hint.
 *
 * State
 *	- Every field has a comment with its unit.  One function says whether a
 *	  state is valid; it is Asserted after each mutation, and the same function
 *	  judges what deserialize has read.
 *	- The state and all it points to live in the aggregate's memory context,
 *	  other memory in the caller's.  It is bounded: ERRCODE_PROGRAM_LIMIT_EXCEEDED.
 *	- The final function may be called again after more rows (windows): it may
 *	  put the state in order, but may not change what it stands for.
 *	- Combine changes the first state only, copies the second, and takes NULL
 *	  for either.
 *
 * Wire form
 *	- Written field by field with pq_send*, after a byte for the version of the
 *	  form.  It lives within one query; the version guards against a worker that
 *	  runs another build of the library.
 *	- Deserialize trusts nothing: sizes before it allocates, every field, order,
 *	  and that no byte is left.  What is wrong ends in aggregate_corrupt().
 *
 * SQL
 *	- PARALLEL SAFE, an SSPACE near the usual state, a COMMENT.  A result of
 *	  several values is a named composite type, "(segment.x(...)).field".
 *	- No moving-aggregate form for floats: subtracting does not restore them.
 */
#ifndef SEGMENT_AGGREGATE_H
#define SEGMENT_AGGREGATE_H

#include "datatype/timestamp.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"

/* The context in which states live; error if not called by an aggregate. */
extern MemoryContext aggregate_context(FunctionCallInfo fcinfo);

/* The as-of instant, segment.now(). */
extern TimestampTz aggregate_as_of(void);

/*
 * The fixed length of an interval in microseconds, as extract(epoch) has it: a
 * year is 365.25 days, other months are 30 days, a day is 24 hours.  Error,
 * naming the argument, beyond the range of int64 and for infinite intervals.
 */
extern int64 aggregate_length(const Interval *interval, const char *argument);

/* The interval that subtracting two timestamps so far apart gives: days and time. */
extern Interval *aggregate_interval(uint64 microseconds);

/* Error: a serialized state that this library has not written. */
extern void aggregate_corrupt(const char *aggregate);

/* Begins a wire form, and ends it. */
extern void aggregate_send_begin(StringInfo wire, uint8 version);
extern Datum aggregate_send_end(StringInfo wire);

/*
 * Begins to read the wire form in argument 0, which must be of this version;
 * and checks that it has been read to its end.
 */
extern void aggregate_receive_begin(FunctionCallInfo fcinfo, StringInfo wire,
									uint8 version, const char *aggregate);
extern void aggregate_receive_end(StringInfo wire, const char *aggregate);

/* The row type of a final function's result, looked up once in a query. */
extern TupleDesc aggregate_result_type(FunctionCallInfo fcinfo);

#endif							/* SEGMENT_AGGREGATE_H */
