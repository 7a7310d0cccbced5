/*
 * unconverted.c
 *		segment.unconverted(item, wanted, converted, at [, at_least]): the items
 *		that were wanted, and not converted since: the abandoned cart, the product
 *		that was looked at and not bought.
 */
#include "postgres.h"

#include "aggregate/items.h"
#include "aggregate/kinds.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

typedef struct WantedItem
{
	ItemKey		item;
	int64		wants;			/* their number */
	TimestampTz last_want;		/* DT_NOBEGIN if there is none */
	TimestampTz last_conversion;	/* likewise */
} WantedItem;

typedef WantedItem *WantedItemPointer;	/* the sort template needs a word for it */

typedef struct UnconvertedState
{
	AggregateState base;
	int32		at_least;		/* wants that make an item count; positive */
	bool		counted;		/* has any row counted? */
	Items		items;			/* WantedItem, those wanted or converted */
} UnconvertedState;

/* Counted no further; more than there can be rows. */
#define WANTS_MAX (INT64CONST(1) << 56)

/* What a WantedItem has on the wire beside the item. */
#define WIRE_SIZE (3 * sizeof(int64))

PG_FUNCTION_INFO_V1(segment_unconverted_transition);
PG_FUNCTION_INFO_V1(segment_unconverted_final);

/* The one wanted last first, then in the order of the bytes. */
static inline int
compare_wanted(const WantedItemPointer *a, const WantedItemPointer *b, const Items *items)
{
	if ((*a)->last_want != (*b)->last_want)
		return (*a)->last_want > (*b)->last_want ? -1 : 1;
	return items_compare(items, *a, *b);
}

#define ST_SORT sort_wanted
#define ST_ELEMENT_TYPE WantedItemPointer
#define ST_COMPARE(a, b, items) compare_wanted(a, b, items)
#define ST_COMPARE_ARG_TYPE const Items
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DECLARE
#define ST_DEFINE
#include "lib/sort_template.h"

/* What an element is before anything is known of its item. */
static void
set_nothing_yet(WantedItem *item)
{
	item->last_want = DT_NOBEGIN;
	item->last_conversion = DT_NOBEGIN;
}

static WantedItem *
find_item(UnconvertedState *state, const char *bytes, uint32 length, MemoryContext context)
{
	int			count = state->items.count;
	WantedItem *item = items_find(&state->items, bytes, length, context);

	if (state->items.count > count)
		set_nothing_yet(item);
	return item;
}

static int32
check_at_least(FunctionCallInfo fcinfo)
{
	int32		at_least = PG_NARGS() > 5 ? PG_GETARG_INT32(5) : 1;

	if (at_least < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("at_least must be at least 1"),
				 errhint("Give the number of times that an item must have been wanted.")));
	return at_least;
}

static inline bool
is_met(FunctionCallInfo fcinfo, int argument)
{
	return !PG_ARGISNULL(argument) && PG_GETARG_BOOL(argument);
}

Datum
segment_unconverted_transition(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	UnconvertedState *state = aggregate_state(fcinfo, &unconverted_kind);
	bool		wanted = is_met(fcinfo, 2);
	bool		converted = is_met(fcinfo, 3);
	TimestampTz at;
	int32		at_least;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(4) || (PG_NARGS() > 5 && PG_ARGISNULL(5)))
		AGGREGATE_RETURN_STATE(state);

	at = PG_GETARG_TIMESTAMPTZ(4);
	at_least = check_at_least(fcinfo);
	if (state == NULL)
	{
		state = aggregate_make(&unconverted_kind, context);
		state->items.size = sizeof(WantedItem);
		state->at_least = at_least;
	}
	else if (state->at_least != at_least)
		aggregate_varies("at_least");

	if (TIMESTAMP_NOT_FINITE(at))
		PG_RETURN_POINTER(state);
	state->counted = true;
	if (wanted || converted)
	{
		text	   *bytes = PG_GETARG_TEXT_PP(1);
		WantedItem *item = find_item(state, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes),
									 context);

		if (wanted)
		{
			item->wants = Min(item->wants + 1, WANTS_MAX);
			item->last_want = Max(item->last_want, at);
		}
		if (converted)
			item->last_conversion = Max(item->last_conversion, at);
	}
	PG_RETURN_POINTER(state);
}

static void
unconverted_merge(void *into, const void *from, MemoryContext context)
{
	UnconvertedState *state = into;
	const UnconvertedState *other = from;

	if (state->base.is_new)
	{
		state->at_least = other->at_least;
		state->items.size = sizeof(WantedItem);
	}
	else if (state->at_least != other->at_least)
		aggregate_varies("at_least");
	state->counted |= other->counted;
	for (int i = 0; i < other->items.count; i++)
	{
		const WantedItem *theirs = items_at(&other->items, i);
		WantedItem *ours = find_item(state, items_bytes(&other->items, theirs),
									 theirs->item.length, context);

		CHECK_FOR_INTERRUPTS();
		ours->wants = Min(ours->wants + theirs->wants, WANTS_MAX);
		ours->last_want = Max(ours->last_want, theirs->last_want);
		ours->last_conversion = Max(ours->last_conversion, theirs->last_conversion);
	}
}

static void
unconverted_send(void *from, StringInfo wire)
{
	UnconvertedState *state = from;

	pq_sendint32(wire, state->at_least);
	pq_sendint8(wire, state->counted);
	pq_sendint32(wire, state->items.count);
	for (int i = 0; i < state->items.count; i++)
	{
		const WantedItem *item = items_at(&state->items, i);

		CHECK_FOR_INTERRUPTS();
		items_send(&state->items, item, wire);
		pq_sendint64(wire, item->wants);
		pq_sendint64(wire, item->last_want);
		pq_sendint64(wire, item->last_conversion);
	}
}

/* Can an element of a state be like this? */
static bool
is_wanted_item(const WantedItem *item)
{
	if (item->wants < 0 || item->wants > WANTS_MAX ||
		(item->wants == 0) != (item->last_want == DT_NOBEGIN))
		return false;
	if (item->wants > 0 && !aggregate_is_instant(item->last_want))
		return false;
	return aggregate_is_instant(item->last_conversion) ||
		(item->last_conversion == DT_NOBEGIN && item->wants > 0);
}

static bool
unconverted_receive(void *into, StringInfo wire)
{
	UnconvertedState *state = into;
	int			counted;
	uint32		count;

	state->items.size = sizeof(WantedItem);
	state->at_least = (int32) pq_getmsgint(wire, 4);
	counted = pq_getmsgbyte(wire);
	state->counted = counted != 0;
	count = pq_getmsgint(wire, 4);
	if (counted > 1 || !items_can_receive(count, wire, WIRE_SIZE))
		return false;
	for (uint32 i = 0; i < count; i++)
	{
		WantedItem *item = items_receive(&state->items, wire);

		CHECK_FOR_INTERRUPTS();
		if (item == NULL)
			return false;
		item->wants = pq_getmsgint64(wire);
		item->last_want = pq_getmsgint64(wire);
		item->last_conversion = pq_getmsgint64(wire);
		if (!is_wanted_item(item))
			return false;
	}
	return true;
}

static bool
unconverted_is_valid(const void *of)
{
	const UnconvertedState *state = of;

	return items_is_valid(&state->items) && state->at_least > 0 &&
		(state->counted || state->items.count == 0);
}

const AggregateKind unconverted_kind = {
	.name = "unconverted",
	.id = AGGREGATE_UNCONVERTED,
	.version = 1,
	.size = sizeof(UnconvertedState),
	.merge = unconverted_merge,
	.send = unconverted_send,
	.receive = unconverted_receive,
	.is_valid = unconverted_is_valid
};

Datum
segment_unconverted_final(PG_FUNCTION_ARGS)
{
	UnconvertedState *state = aggregate_state(fcinfo, &unconverted_kind);
	WantedItemPointer *found;
	int			count = 0;

	if (state == NULL || !state->counted)
		PG_RETURN_NULL();

	found = (WantedItemPointer *)
		palloc(Max(state->items.count, 1) * sizeof(WantedItemPointer));
	for (int i = 0; i < state->items.count; i++)
	{
		WantedItem *item = items_at(&state->items, i);

		CHECK_FOR_INTERRUPTS();
		if (item->wants >= state->at_least && item->last_conversion < item->last_want)
			found[count++] = item;
	}
	sort_wanted(found, count, &state->items);
	PG_RETURN_ARRAYTYPE_P(items_array(&state->items, (void **) found, count));
}
