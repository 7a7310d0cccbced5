/*
 * instants.c
 *		A growing array of instants.
 */
#include "postgres.h"

#include "aggregate/instants.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* Room of the first allocation; most customers have few events. */
#define FIRST_CAPACITY 4

#define ST_SORT sort_instants
#define ST_ELEMENT_TYPE TimestampTz
#define ST_COMPARE(a, b) (*(a) < *(b) ? -1 : *(a) > *(b))
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DECLARE
#define ST_DEFINE
#include "lib/sort_template.h"

/* Makes room for more instants. */
static void
reserve(Instants *instants, int more, MemoryContext context)
{
	int64		capacity = Max(instants->capacity, FIRST_CAPACITY);

	if (more <= instants->capacity - instants->count)
		return;
	if (more > INSTANTS_MAX - instants->count)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many events for one aggregate state"),
				 errdetail("An aggregate that keeps the times of events holds at most %d of them for each group.",
						   INSTANTS_MAX),
				 errhint("Aggregate by customer, or over a shorter time.")));

	while (capacity < instants->count + more)
		capacity *= 2;
	capacity = Min(capacity, INSTANTS_MAX);
	if (instants->at == NULL)
		instants->at = (TimestampTz *)
			MemoryContextAlloc(context, capacity * sizeof(TimestampTz));
	else
		instants->at = (TimestampTz *)
			repalloc(instants->at, capacity * sizeof(TimestampTz));
	instants->capacity = (int) capacity;
}

void
instants_add(Instants *instants, TimestampTz at, MemoryContext context)
{
	int			count = instants->count;

	if (count == instants->capacity)
		reserve(instants, 1, context);
	if (instants->ordered == count && (count == 0 || instants->at[count - 1] <= at))
		instants->ordered = count + 1;
	instants->at[count] = at;
	instants->count = count + 1;
	Assert(instants_is_valid(instants));
}

/*
 * Merges ordered instants into the ordered ones at the start of the array, from
 * the end backward; the array has room for them.
 */
static void
merge_into_ordered(Instants *instants, const TimestampTz *more, int count)
{
	TimestampTz *at = instants->at;
	int			left = instants->ordered;

	instants->ordered += count;
	while (count > 0)
	{
		CHECK_FOR_INTERRUPTS();
		if (left > 0 && at[left - 1] > more[count - 1])
		{
			at[left + count - 1] = at[left - 1];
			left--;
		}
		else
		{
			at[left + count - 1] = more[count - 1];
			count--;
		}
	}
}

void
instants_sort(Instants *instants)
{
	int			late = instants->count - instants->ordered;
	TimestampTz *copy;

	if (late == 0)
		return;

	sort_instants(instants->at + instants->ordered, late);
	copy = (TimestampTz *) palloc(late * sizeof(TimestampTz));
	memcpy(copy, instants->at + instants->ordered, late * sizeof(TimestampTz));
	merge_into_ordered(instants, copy, late);
	pfree(copy);
	Assert(instants_is_valid(instants));
}

void
instants_merge(Instants *instants, const Instants *other, MemoryContext context)
{
	if (other->count == 0)
		return;

	reserve(instants, other->count, context);
	if (instants->ordered == instants->count && other->ordered == other->count)
	{
		merge_into_ordered(instants, other->at, other->count);
		instants->count = instants->ordered;
	}
	else
	{
		memcpy(instants->at + instants->count, other->at,
			   other->count * sizeof(TimestampTz));
		instants->count += other->count;
	}
	Assert(instants_is_valid(instants));
}

void
instants_send(Instants *instants, StringInfo wire)
{
	instants_sort(instants);
	pq_sendint32(wire, instants->count);
	enlargeStringInfo(wire, instants->count * sizeof(TimestampTz));
	for (int i = 0; i < instants->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		pq_sendint64(wire, instants->at[i]);
	}
}

bool
instants_receive(Instants *instants, StringInfo wire)
{
	uint32		count = pq_getmsgint(wire, 4);
	size_t		left = wire->len - wire->cursor;

	memset(instants, 0, sizeof(Instants));
	if (left % sizeof(TimestampTz) != 0 || left / sizeof(TimestampTz) != count ||
		count > INSTANTS_MAX)
		return false;
	if (count == 0)
		return true;

	reserve(instants, count, CurrentMemoryContext);
	for (uint32 i = 0; i < count; i++)
	{
		TimestampTz at = pq_getmsgint64(wire);

		CHECK_FOR_INTERRUPTS();
		if (TIMESTAMP_NOT_FINITE(at) || !IS_VALID_TIMESTAMP(at) ||
			(i > 0 && at < instants->at[i - 1]))
			return false;
		instants->at[i] = at;
	}
	instants->count = instants->ordered = count;
	return instants_is_valid(instants);
}

bool
instants_is_valid(const Instants *instants)
{
	int			count = instants->count;
	int			ordered = instants->ordered;

	if (ordered < 0 || ordered > count || count > instants->capacity ||
		instants->capacity > INSTANTS_MAX ||
		(instants->at == NULL) != (instants->capacity == 0))
		return false;
	/* One instant is always in order. */
	if (count > 0 && ordered == 0)
		return false;
	return ordered < 2 || instants->at[ordered - 2] <= instants->at[ordered - 1];
}
