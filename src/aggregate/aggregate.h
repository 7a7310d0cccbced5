/*
 * aggregate.h
 *		Behavioral scores as aggregates: what all of them share.
 *
 * Aggregates know nothing of segment tables; they work in any query.  Each is a
 * transition and a final function over a state of its own, in one file with its
 * family.  Combining, serializing and deserializing are the same three functions
 * for all: a state begins with a pointer to its AggregateKind, which says how.
 * (In extreme.c, combining has to look up a type first.)
 * engagement.c is the pattern for a state of fixed size, sessions.c for one that
 * keeps something of each event.  The rules:
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
 *	- Every field has a comment with its unit.  The kind's is_valid says whether a
 *	  state is one that its functions can have made; it is Asserted after each
 *	  mutation, and judges what was read from the wire.
 *	- The state and all it points to live in the aggregate's memory context,
 *	  other memory in the caller's.  It is bounded: aggregate_too_large().
 *	- The final function may be called again after more rows (windows): it may
 *	  put the state in order, but may not change what it stands for.
 *	- Merging changes the first state only, and copies the second.
 *
 * Wire form
 *	- Written field by field with pq_send*, after two bytes for the kind and the
 *	  version of its form.  It lives within one query; the version guards against
 *	  a worker that runs another build of the library.
 *	- Reading trusts nothing: sizes before it allocates, every field, order, and
 *	  that no byte is left.  What is wrong ends in aggregate_corrupt().
 *
 * SQL
 *	- PARALLEL SAFE, an SSPACE near the usual state, a COMMENT.  A result of
 *	  several values is a named composite type, "(segment.x(...)).field".
 *	- No moving-aggregate form for floats: subtracting does not restore them.
 */
#ifndef SEGMENT_AGGREGATE_H
#define SEGMENT_AGGREGATE_H

#include "compat.h"
#include "datatype/timestamp.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"

/* What a kind of state is called on the wire; the order is of no meaning. */
typedef enum AggregateId
{
	AGGREGATE_ENGAGEMENT,
	AGGREGATE_SESSIONS,
	AGGREGATE_FUNNEL,
	AGGREGATE_SEQUENCE,
	AGGREGATE_RETENTION,
	AGGREGATE_RETENTION_PERIODS,
	AGGREGATE_STREAK,
	AGGREGATE_REPEAT_PURCHASE,
	AGGREGATE_RHYTHM,
	AGGREGATE_AFFINITY,
	AGGREGATE_TOP_ITEMS,
	AGGREGATE_UNCONVERTED,
	AGGREGATE_OCCASION,
	AGGREGATE_TREND,
	AGGREGATE_JOURNEY,
	AGGREGATE_FIRST,
	AGGREGATE_LAST,
	AGGREGATE_CONCENTRATION,
	AGGREGATE_IDS				/* their number */
} AggregateId;

/* What can be done with a state of one kind. */
typedef struct AggregateKind
{
	const char *name;			/* of the aggregate, for messages */
	AggregateId id;
	uint8		version;		/* of the wire form */
	Size		size;			/* of the state, bytes */

	/*
	 * Adds the second state to the first; error if their constant arguments
	 * differ.  Is the first one new, all zeroes but its beginning, it becomes a
	 * copy.  What it points to lives in context.
	 */
	void		(*merge) (void *state, const void *other, MemoryContext context);

	/* Writes the state, which it may put in order. */
	void		(*send) (void *state, StringInfo wire);

	/*
	 * Reads what send has written into a state of zeroes, in the current context.
	 * False if send can't have written it; the end and is_valid are looked at by
	 * the caller.
	 */
	bool		(*receive) (void *state, StringInfo wire);

	/* Can the functions of this kind have made this state? */
	bool		(*is_valid) (const void *state);
} AggregateKind;

/* How each state begins. */
typedef struct AggregateState
{
	const AggregateKind *kind;
	bool		is_new;			/* made to become a copy in merge */
} AggregateState;

/* The kind with this number; NULL for a number that nothing has. */
extern const AggregateKind *aggregate_kind(int id);

/* The context in which states live; error if not called by an aggregate. */
extern MemoryContext aggregate_context(FunctionCallInfo fcinfo);

/* A state of zeroes. */
extern void *aggregate_make(const AggregateKind *kind, MemoryContext context);

/*
 * The state in argument 0, NULL if there is none yet.  Error if it is of another
 * kind, or if not called by an aggregate.
 */
extern void *aggregate_state(FunctionCallInfo fcinfo, const AggregateKind *kind);

/* Ends a transition function: no state is NULL. */
#define AGGREGATE_RETURN_STATE(state) \
	do { \
		if ((state) == NULL) \
			PG_RETURN_NULL(); \
		PG_RETURN_POINTER(state); \
	} while (0)

/* The combine function of all kinds, for one that has to do something before. */
extern PGDLLEXPORT Datum segment_aggregate_combine(PG_FUNCTION_ARGS);

/*
 * Memory for what a function remembers between its calls in one query, such as
 * arguments that it has checked: zeroes at the first call.  A function has one
 * such memory only.
 */
extern void *aggregate_memory(FunctionCallInfo fcinfo, Size size);

/* The as-of instant, segment.now(). */
extern TimestampTz aggregate_as_of(void);

/* Is this a finite instant within the range of the type? */
extern bool aggregate_is_instant(TimestampTz at);

/* An interval and its length, kept so that the same need not be measured again. */
typedef struct AggregateLength
{
	bool		known;
	Interval	interval;
	int64		length;			/* microseconds */
} AggregateLength;

/*
 * The fixed length of an interval in microseconds, as extract(epoch) has it: a
 * year is 365.25 days, other months are 30 days, a day is 24 hours.  Error,
 * naming the argument, beyond the range of int64 and for infinite intervals.
 */
extern int64 aggregate_length(const Interval *interval, const char *argument);

/* The same, remembering the last one. */
static inline int64
aggregate_length_again(AggregateLength *last, const Interval *interval,
					   const char *argument)
{
	if (!last->known || memcmp(&last->interval, interval, sizeof(Interval)) != 0)
	{
		last->length = aggregate_length(interval, argument);
		last->interval = *interval;
		last->known = true;
	}
	return last->length;
}

/* The interval that subtracting two timestamps so far apart gives: days and time. */
extern Interval *aggregate_interval(uint64 microseconds);

/* Error: an argument that must be constant is not. */
extern void aggregate_varies(const char *argument);

/* Error: a state has reached its bound of so many elements. */
extern void aggregate_too_large(int64 bound);

/* Error: a serialized state that this library has not written; NULL: nobody's. */
pg_noreturn extern void aggregate_corrupt(const char *aggregate);

/* The row type of a final function's result, looked up once in a query. */
extern TupleDesc aggregate_result_type(FunctionCallInfo fcinfo);

#endif							/* SEGMENT_AGGREGATE_H */
