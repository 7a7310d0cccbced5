/*
 * ordered.h
 *		Template of a growing array that is put in order when the order is
 *		wanted: part of the state of aggregates that keep something of every
 *		event.
 *
 * Room doubles as it fills.  Events mostly come in the order of time: then
 * nothing is ever sorted.  Elements that come late are kept behind the rest, and
 * sorted and merged into it by PREFIX_sort.
 *
 * Define before including this, and include it once for each type:
 *
 *	ORDERED_TYPE			name of the array's type
 *	ORDERED_PREFIX			of its functions
 *	ORDERED_ELEMENT			type of the elements, of fixed size
 *	ORDERED_DECLARE			to declare type and functions, or
 *	ORDERED_DEFINE			to define the functions, with
 *	ORDERED_COMPARE(a, b)	negative, 0 or positive for two pointers; elements that
 *							compare as equal must be the same
 *	ORDERED_WIRE_SIZE		bytes of an element on the wire
 *	ORDERED_SEND(wire, e)	writes the element that e points to
 *	ORDERED_RECEIVE(wire, e) reads it; false if it can't have been written so
 */

#define ORDERED_PASTE_(a, b) a##_##b
#define ORDERED_PASTE(a, b) ORDERED_PASTE_(a, b)
#define ORDERED_NAME(name) ORDERED_PASTE(ORDERED_PREFIX, name)

#ifdef ORDERED_DECLARE

typedef struct ORDERED_TYPE
{
	ORDERED_ELEMENT *at;		/* NULL while capacity is 0 */
	int			count;			/* elements in at */
	int			capacity;		/* room in at */
	int			ordered;		/* so many at the start never decrease */
} ORDERED_TYPE;

/* Adds an element; context is that of the array. */
extern void ORDERED_NAME(add) (ORDERED_TYPE *array, ORDERED_ELEMENT element,
							   MemoryContext context);

/* Brings the array into order. */
extern void ORDERED_NAME(sort) (ORDERED_TYPE *array);

/* Adds all of another, which is left as it was. */
extern void ORDERED_NAME(merge) (ORDERED_TYPE *array, const ORDERED_TYPE *other,
								 MemoryContext context);

/* Writes the number of the elements, and the elements in order. */
extern void ORDERED_NAME(send) (ORDERED_TYPE *array, StringInfo wire);

/*
 * Reads what send has written into an array in the current context.  False if
 * it can not have been written so.
 */
extern bool ORDERED_NAME(receive) (ORDERED_TYPE *array, StringInfo wire);

/* Do the fields fit together?  (Without looking at every element.) */
extern bool ORDERED_NAME(is_valid) (const ORDERED_TYPE *array);

#endif							/* ORDERED_DECLARE */

#ifdef ORDERED_DEFINE

/* Room of the first allocation; most customers have few events. */
#define FIRST_CAPACITY 4

/* So many fit in one allocation, and in a serialized state beside other fields. */
#ifndef ORDERED_MAX
#define ORDERED_MAX ((int) ((MaxAllocSize - 1024) / sizeof(ORDERED_ELEMENT)))
#endif

#define ST_SORT sort_elements
#define ST_ELEMENT_TYPE ORDERED_ELEMENT
#define ST_COMPARE(a, b) ORDERED_COMPARE(a, b)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DECLARE
#define ST_DEFINE
#include "lib/sort_template.h"

/* Makes room for more elements. */
static void
reserve(ORDERED_TYPE *array, int more, MemoryContext context)
{
	int64		capacity = Max(array->capacity, FIRST_CAPACITY);

	if (more <= array->capacity - array->count)
		return;
	if (more > ORDERED_MAX - array->count)
		aggregate_too_large(ORDERED_MAX);

	while (capacity < array->count + more)
		capacity *= 2;
	capacity = Min(capacity, ORDERED_MAX);
	if (array->at == NULL)
		array->at = (ORDERED_ELEMENT *)
			MemoryContextAlloc(context, capacity * sizeof(ORDERED_ELEMENT));
	else
		array->at = (ORDERED_ELEMENT *)
			repalloc(array->at, capacity * sizeof(ORDERED_ELEMENT));
	array->capacity = (int) capacity;
}

void
ORDERED_NAME(add) (ORDERED_TYPE *array, ORDERED_ELEMENT element, MemoryContext context)
{
	int			count = array->count;

	if (count == array->capacity)
		reserve(array, 1, context);
	if (array->ordered == count &&
		(count == 0 || ORDERED_COMPARE(&array->at[count - 1], &element) <= 0))
		array->ordered = count + 1;
	array->at[count] = element;
	array->count = count + 1;
	Assert(ORDERED_NAME(is_valid) (array));
}

/*
 * Merges ordered elements into the ordered ones at the start of the array, from
 * the end backward; the array has room for them.
 */
static void
merge_into_ordered(ORDERED_TYPE *array, const ORDERED_ELEMENT *more, int count)
{
	ORDERED_ELEMENT *at = array->at;
	int			left = array->ordered;

	array->ordered += count;
	while (count > 0)
	{
		CHECK_FOR_INTERRUPTS();
		if (left > 0 && ORDERED_COMPARE(&at[left - 1], &more[count - 1]) > 0)
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
ORDERED_NAME(sort) (ORDERED_TYPE *array)
{
	int			late = array->count - array->ordered;
	ORDERED_ELEMENT *copy;

	if (late == 0)
		return;

	sort_elements(array->at + array->ordered, late);
	copy = (ORDERED_ELEMENT *) palloc(late * sizeof(ORDERED_ELEMENT));
	memcpy(copy, array->at + array->ordered, late * sizeof(ORDERED_ELEMENT));
	merge_into_ordered(array, copy, late);
	pfree(copy);
	Assert(ORDERED_NAME(is_valid) (array));
}

void
ORDERED_NAME(merge) (ORDERED_TYPE *array, const ORDERED_TYPE *other, MemoryContext context)
{
	if (other->count == 0)
		return;

	reserve(array, other->count, context);
	if (array->ordered == array->count && other->ordered == other->count)
	{
		merge_into_ordered(array, other->at, other->count);
		array->count = array->ordered;
	}
	else
	{
		/* A first element is in order. */
		array->ordered = Max(array->ordered, Min(1, other->ordered));
		memcpy(array->at + array->count, other->at,
			   other->count * sizeof(ORDERED_ELEMENT));
		array->count += other->count;
	}
	Assert(ORDERED_NAME(is_valid) (array));
}

void
ORDERED_NAME(send) (ORDERED_TYPE *array, StringInfo wire)
{
	ORDERED_NAME(sort) (array);
	pq_sendint32(wire, array->count);
	enlargeStringInfo(wire, array->count * ORDERED_WIRE_SIZE);
	for (int i = 0; i < array->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		ORDERED_SEND(wire, &array->at[i]);
	}
}

bool
ORDERED_NAME(receive) (ORDERED_TYPE *array, StringInfo wire)
{
	uint32		count = pq_getmsgint(wire, 4);
	size_t		left = wire->len - wire->cursor;

	memset(array, 0, sizeof(ORDERED_TYPE));
	if (left / ORDERED_WIRE_SIZE < count || count > ORDERED_MAX)
		return false;
	if (count == 0)
		return true;

	reserve(array, count, CurrentMemoryContext);
	for (uint32 i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!ORDERED_RECEIVE(wire, &array->at[i]) ||
			(i > 0 && ORDERED_COMPARE(&array->at[i - 1], &array->at[i]) > 0))
			return false;
	}
	array->count = array->ordered = count;
	return ORDERED_NAME(is_valid) (array);
}

bool
ORDERED_NAME(is_valid) (const ORDERED_TYPE *array)
{
	int			count = array->count;
	int			ordered = array->ordered;

	if (array->at == NULL)
		return array->capacity == 0 && count == 0 && ordered == 0;
	if (ordered < 0 || ordered > count || count > array->capacity ||
		array->capacity == 0 || array->capacity > ORDERED_MAX)
		return false;
	/* One element is always in order. */
	if (count > 0 && ordered == 0)
		return false;
	return ordered < 2 ||
		ORDERED_COMPARE(&array->at[ordered - 2], &array->at[ordered - 1]) <= 0;
}

#endif							/* ORDERED_DEFINE */
