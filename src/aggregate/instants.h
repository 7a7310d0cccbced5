/*
 * instants.h
 *		A growing array of instants, part of the state of aggregates that need
 *		all times of a customer's events.
 *
 * Eight bytes an event, room doubling as it fills.  Events mostly come in the
 * order of time: then nothing is ever sorted.  Those that come late are kept
 * behind the rest, and sorted and merged into it when the order is wanted.
 */
#ifndef SEGMENT_INSTANTS_H
#define SEGMENT_INSTANTS_H

#include "datatype/timestamp.h"
#include "lib/stringinfo.h"

/* So many fit in one allocation, and in a serialized state beside other fields. */
#ifndef INSTANTS_MAX
#define INSTANTS_MAX ((int) ((MaxAllocSize - 1024) / sizeof(TimestampTz)))
#endif

typedef struct Instants
{
	TimestampTz *at;			/* NULL while capacity is 0 */
	int			count;			/* instants in at */
	int			capacity;		/* room in at */
	int			ordered;		/* so many at the start never decrease */
} Instants;

/* Adds a finite instant; context is that of the array. */
extern void instants_add(Instants *instants, TimestampTz at, MemoryContext context);

/* Brings the array into the order of time. */
extern void instants_sort(Instants *instants);

/* Adds all of another, which is left as it was. */
extern void instants_merge(Instants *instants, const Instants *other,
						   MemoryContext context);

/* Writes the instants in the order of time. */
extern void instants_send(Instants *instants, StringInfo wire);

/*
 * Reads what instants_send has written, to the end of the wire, into an array
 * in the current context.  False if it can not have been written so.
 */
extern bool instants_receive(Instants *instants, StringInfo wire);

/* Do the fields fit together?  (Without looking at every instant.) */
extern bool instants_is_valid(const Instants *instants);

#endif							/* SEGMENT_INSTANTS_H */
