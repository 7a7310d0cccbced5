/*
 * ranges.h
 *		What lies together on a line of whole numbers, such as events within the
 *		gap of a session, or days in a row: kept as ranges, sixteen bytes each,
 *		that are more than a reach apart.
 *
 * Which points lie together does not depend on the order in which they come.
 */
#ifndef SEGMENT_RANGES_H
#define SEGMENT_RANGES_H

#include "lib/stringinfo.h"

typedef struct Range
{
	int64		first;
	int64		last;			/* not before first */
} Range;

typedef struct Ranges
{
	Range	   *at;				/* NULL while capacity is 0 */
	int			count;			/* ranges in at */
	int			capacity;		/* room in at */
	int			ordered;		/* so many at the start are apart, and in order */
} Ranges;

/*
 * Adds a range, which may be of one point, and joins what lies no more than
 * reach apart.  The reach is not negative, and always the same.
 */
extern void ranges_add(Ranges *ranges, int64 first, int64 last, int64 reach,
					   MemoryContext context);

/* Brings all into order and apart: until the next one is added, ordered = count. */
extern void ranges_settle(Ranges *ranges, int64 reach);

/* Adds all of another, which is left as it was. */
extern void ranges_merge(Ranges *ranges, const Ranges *other, int64 reach,
						 MemoryContext context);

/* Writes the ranges in order. */
extern void ranges_send(Ranges *ranges, int64 reach, StringInfo wire);

/*
 * Reads what ranges_send has written into an array in the current context.
 * False if it can not have been written so.
 */
extern bool ranges_receive(Ranges *ranges, int64 reach, StringInfo wire);

/* Do the fields fit together?  (Without looking at every range.) */
extern bool ranges_is_valid(const Ranges *ranges);

#endif							/* SEGMENT_RANGES_H */
