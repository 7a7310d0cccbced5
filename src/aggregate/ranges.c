/*
 * ranges.c
 *		What lies together on a line of whole numbers.
 */
#include "postgres.h"

#include "aggregate/aggregate.h"
#include "aggregate/ranges.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* Room of the first allocation; most customers have few sessions. */
#define FIRST_CAPACITY 2

/* So many fit in one allocation, and in a serialized state beside other fields. */
#define RANGES_MAX ((int) ((MaxAllocSize - 1024) / sizeof(Range)))

#define WIRE_SIZE (2 * sizeof(int64))

#define ST_SORT sort_ranges
#define ST_ELEMENT_TYPE Range
#define ST_COMPARE(a, b) ((a)->first < (b)->first ? -1 : (a)->first > (b)->first)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DECLARE
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * Is b more than reach after a?  Differences may exceed the signed range.
 */
static inline bool
is_beyond(int64 a, int64 b, int64 reach)
{
	return b > a && (uint64) b - (uint64) a > (uint64) reach;
}

/* Makes room for one range more, if need be by joining. */
static void
reserve(Ranges *ranges, int64 reach, MemoryContext context)
{
	int64		capacity;

	/* Joining is worth its time where it frees half of the room. */
	if (ranges->ordered < ranges->count)
	{
		ranges_settle(ranges, reach);
		if (ranges->count <= ranges->capacity / 2)
			return;
	}
	if (ranges->count >= RANGES_MAX)
		aggregate_too_large(RANGES_MAX);
	capacity = Min(Max((int64) ranges->capacity * 2, FIRST_CAPACITY), RANGES_MAX);
	if (ranges->at == NULL)
		ranges->at = (Range *) MemoryContextAlloc(context, capacity * sizeof(Range));
	else
		ranges->at = (Range *) repalloc(ranges->at, capacity * sizeof(Range));
	ranges->capacity = (int) capacity;
}

void
ranges_add(Ranges *ranges, int64 first, int64 last, int64 reach, MemoryContext context)
{
	Range	   *end;

	if (ranges->count > 0)
	{
		bool		in_order = ranges->ordered == ranges->count;

		/*
		 * Most points are near the one before.  The last of the ordered ranges may
		 * only grow forward: backward it might meet its neighbor.
		 */
		end = &ranges->at[ranges->count - 1];
		if (!is_beyond(end->last, first, reach) &&
			(in_order ? first >= end->first : !is_beyond(last, end->first, reach)))
		{
			end->first = Min(end->first, first);
			end->last = Max(end->last, last);
			return;
		}
	}

	if (ranges->count == ranges->capacity)
		reserve(ranges, reach, context);
	if (ranges->ordered == ranges->count &&
		(ranges->count == 0 || is_beyond(ranges->at[ranges->count - 1].last, first, reach)))
		ranges->ordered++;
	end = &ranges->at[ranges->count++];
	end->first = first;
	end->last = last;
	Assert(ranges_is_valid(ranges));
}

void
ranges_settle(Ranges *ranges, int64 reach)
{
	Range	   *at = ranges->at;
	int			joined = 0;

	if (ranges->ordered == ranges->count)
		return;

	sort_ranges(at, ranges->count);
	for (int i = 1; i < ranges->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (is_beyond(at[joined].last, at[i].first, reach))
			at[++joined] = at[i];
		else
			at[joined].last = Max(at[joined].last, at[i].last);
	}
	ranges->count = ranges->ordered = joined + 1;
	Assert(ranges_is_valid(ranges));
}

void
ranges_merge(Ranges *ranges, const Ranges *other, int64 reach, MemoryContext context)
{
	for (int i = 0; i < other->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		ranges_add(ranges, other->at[i].first, other->at[i].last, reach, context);
	}
}

void
ranges_send(Ranges *ranges, int64 reach, StringInfo wire)
{
	ranges_settle(ranges, reach);
	pq_sendint32(wire, ranges->count);
	enlargeStringInfo(wire, ranges->count * WIRE_SIZE);
	for (int i = 0; i < ranges->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		pq_sendint64(wire, ranges->at[i].first);
		pq_sendint64(wire, ranges->at[i].last);
	}
}

bool
ranges_receive(Ranges *ranges, int64 reach, StringInfo wire)
{
	uint32		count = pq_getmsgint(wire, 4);
	size_t		left = wire->len - wire->cursor;

	memset(ranges, 0, sizeof(Ranges));
	if (left / WIRE_SIZE < count || count > RANGES_MAX)
		return false;
	if (count == 0)
		return true;

	ranges->at = (Range *) palloc(count * sizeof(Range));
	ranges->count = ranges->ordered = ranges->capacity = count;
	for (uint32 i = 0; i < count; i++)
	{
		Range	   *range = &ranges->at[i];

		CHECK_FOR_INTERRUPTS();
		range->first = pq_getmsgint64(wire);
		range->last = pq_getmsgint64(wire);
		if (range->first > range->last ||
			(i > 0 && !is_beyond(range[-1].last, range->first, reach)))
			return false;
	}
	return true;
}

bool
ranges_is_valid(const Ranges *ranges)
{
	if (ranges->ordered < 0 || ranges->ordered > ranges->count ||
		ranges->count > ranges->capacity || ranges->capacity > RANGES_MAX ||
		(ranges->at == NULL) != (ranges->capacity == 0))
		return false;
	/* One range is always in order. */
	return ranges->count == 0 || ranges->ordered > 0;
}
