/*
 * conditions.h
 *		The conditions at the end of an aggregate's arguments, "VARIADIC "any"":
 *		booleans, one by one, which spares an array for every row, or after the
 *		word VARIADIC an array of them (one boolean[] is such an array without the
 *		word, too).
 *
 * A condition that is NULL is not met.
 */
#ifndef SEGMENT_CONDITIONS_H
#define SEGMENT_CONDITIONS_H

#include "fmgr.h"

/* As many as there are bits in MarkedEvent.marks. */
#define CONDITIONS_MAX 64

/* What is known of the call; zeroed before the first row of a query. */
typedef struct Conditions
{
	bool		checked;		/* have the types been looked at? */
	bool		is_array;		/* given as VARIADIC array? */
	int			count;			/* conditions in the row last read, 1 to 64 */
	uint64		untyped;		/* bits of literals such as 't', which have no type */
	uint64		untyped_true;	/* those of them that are true */
} Conditions;

/*
 * Reads the conditions, whose first argument is the given one (from 0, as in
 * PG_GETARG), into *marks: bit i is set if condition i + 1 is met.  False if they
 * are a NULL in place of the array: then nothing is known of the row.  "what" is
 * the word for them in messages, such as "step".  Errors: anything but booleans
 * (42804), none (22023) or too many (54023) of them.
 */
extern bool conditions_read(FunctionCallInfo fcinfo, int first, const char *what,
							Conditions *call, uint64 *marks);

/* Error: the number of conditions is not that of other rows. */
extern void conditions_vary(const char *what);

#endif							/* SEGMENT_CONDITIONS_H */
