/*
 * affinity.c
 *		segment.affinity(item [, weight]): the favorite among a customer's items,
 *		its share, and how varied they are; segment.top_items(item, weight, n):
 *		the n items of greatest weight.
 *
 * Both keep the exact sum of the weights of each item, so that ties do not depend
 * on the order of the rows.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "aggregate/items.h"
#include "aggregate/kinds.h"
#include "aggregate/sums.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/float.h"

typedef struct WeighedItem
{
	ItemKey		item;
	ExactSum	sum;			/* of its weights */
} WeighedItem;

typedef struct AffinityState
{
	AggregateState base;
	int32		wanted;			/* top_items: n, positive; affinity: 0 */
	Items		items;			/* WeighedItem */
} AffinityState;

/* An item of positive weight. */
typedef struct RankedItem
{
	WeighedItem *item;
	double		weight;			/* the double next to the sum */
} RankedItem;

PG_FUNCTION_INFO_V1(segment_affinity_transition);
PG_FUNCTION_INFO_V1(segment_affinity_final);
PG_FUNCTION_INFO_V1(segment_top_items_transition);
PG_FUNCTION_INFO_V1(segment_top_items_final);

/* Greatest weight first, then in the order of the bytes. */
static inline int
compare_ranked(const RankedItem *a, const RankedItem *b, const Items *items)
{
	if (a->weight != b->weight)
		return a->weight > b->weight ? -1 : 1;
	return items_compare(items, a->item, b->item);
}

#define ST_SORT sort_ranked
#define ST_ELEMENT_TYPE RankedItem
#define ST_COMPARE(a, b, items) compare_ranked(a, b, items)
#define ST_COMPARE_ARG_TYPE const Items
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DECLARE
#define ST_DEFINE
#include "lib/sort_template.h"

static AffinityState *
make_state(const AggregateKind *kind, MemoryContext context)
{
	AffinityState *state = aggregate_make(kind, context);

	state->items.size = sizeof(WeighedItem);
	return state;
}

static void
add_weight(AffinityState *state, text *item, double weight, MemoryContext context)
{
	WeighedItem *weighed = items_find(&state->items, VARDATA_ANY(item),
									  VARSIZE_ANY_EXHDR(item), context);

	sums_add(&weighed->sum, weight, context);
}

Datum
segment_affinity_transition(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	AffinityState *state = aggregate_state(fcinfo, &affinity_kind);
	bool		weighed = PG_NARGS() > 2;
	double		weight;

	if (PG_ARGISNULL(1) || (weighed && PG_ARGISNULL(2)))
		AGGREGATE_RETURN_STATE(state);

	weight = weighed ? sums_weight(PG_GETARG_FLOAT8(2)) : 1;
	if (state == NULL)
		state = make_state(&affinity_kind, context);
	add_weight(state, PG_GETARG_TEXT_PP(1), weight, context);
	PG_RETURN_POINTER(state);
}

Datum
segment_top_items_transition(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	AffinityState *state = aggregate_state(fcinfo, &top_items_kind);
	double		weight;
	int32		wanted;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		AGGREGATE_RETURN_STATE(state);

	weight = sums_weight(PG_GETARG_FLOAT8(2));
	wanted = PG_GETARG_INT32(3);
	if (wanted < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("n must be at least 1"),
				 errhint("Give the number of items that you want.")));
	if (state == NULL)
	{
		state = make_state(&top_items_kind, context);
		state->wanted = wanted;
	}
	else if (state->wanted != wanted)
		aggregate_varies("n");
	add_weight(state, PG_GETARG_TEXT_PP(1), weight, context);
	PG_RETURN_POINTER(state);
}

static void
affinity_merge(void *into, const void *from, MemoryContext context)
{
	AffinityState *state = into;
	const AffinityState *other = from;

	if (state->base.is_new)
	{
		state->wanted = other->wanted;
		state->items.size = sizeof(WeighedItem);
	}
	else if (state->wanted != other->wanted)
		aggregate_varies("n");
	for (int i = 0; i < other->items.count; i++)
	{
		const WeighedItem *theirs = items_at(&other->items, i);
		WeighedItem *ours = items_find(&state->items, items_bytes(&other->items, theirs),
									   theirs->item.length, context);

		CHECK_FOR_INTERRUPTS();
		sums_merge(&ours->sum, &theirs->sum, context, state->base.kind->name);
	}
}

static void
affinity_send(void *from, StringInfo wire)
{
	AffinityState *state = from;

	pq_sendint32(wire, state->wanted);
	pq_sendint32(wire, state->items.count);
	for (int i = 0; i < state->items.count; i++)
	{
		const WeighedItem *weighed = items_at(&state->items, i);

		CHECK_FOR_INTERRUPTS();
		items_send(&state->items, weighed, wire);
		sums_send(&weighed->sum, wire);
	}
}

static bool
affinity_receive(void *into, StringInfo wire)
{
	AffinityState *state = into;
	uint32		count;

	state->items.size = sizeof(WeighedItem);
	state->wanted = (int32) pq_getmsgint(wire, 4);
	count = pq_getmsgint(wire, 4);
	if (!items_can_receive(count, wire, SUMS_WIRE_SIZE))
		return false;
	for (uint32 i = 0; i < count; i++)
	{
		WeighedItem *weighed = items_receive(&state->items, wire);

		CHECK_FOR_INTERRUPTS();
		if (weighed == NULL || !sums_receive(&weighed->sum, wire))
			return false;
	}
	return true;
}

static bool
affinity_is_valid(const void *of)
{
	const AffinityState *state = of;

	return items_is_valid(&state->items) && state->items.count > 0 &&
		(state->base.kind == &top_items_kind ? state->wanted > 0 : state->wanted == 0);
}

const AggregateKind affinity_kind = {
	.name = "affinity",
	.id = AGGREGATE_AFFINITY,
	.version = 1,
	.size = sizeof(AffinityState),
	.merge = affinity_merge,
	.send = affinity_send,
	.receive = affinity_receive,
	.is_valid = affinity_is_valid
};

const AggregateKind top_items_kind = {
	.name = "top_items",
	.id = AGGREGATE_TOP_ITEMS,
	.version = 1,
	.size = sizeof(AffinityState),
	.merge = affinity_merge,
	.send = affinity_send,
	.receive = affinity_receive,
	.is_valid = affinity_is_valid
};

/* The items of positive weight, in the order in which they came; their number. */
static int
positive_items(const AffinityState *state, RankedItem **positive)
{
	int			count = 0;

	*positive = (RankedItem *)
		MemoryContextAllocHuge(CurrentMemoryContext, state->items.count * sizeof(RankedItem));
	for (int i = 0; i < state->items.count; i++)
	{
		WeighedItem *item = items_at(&state->items, i);
		double		weight = exact_sum_value(&item->sum);

		CHECK_FOR_INTERRUPTS();
		if (weight <= 0)
			continue;
		if (isinf(weight))
			float_overflow_error();
		(*positive)[count].item = item;
		(*positive)[count].weight = weight;
		count++;
	}
	return count;
}

/*
 * The share of the first of these items, whose weight is the greatest, and the
 * entropy of all shares in bits.  Sums are exact, so that the order of the items
 * changes nothing.  The sum of all weights may be out of range; a power of two
 * brings the greatest below 1, which leaves the shares as they are.
 */
static void
measure_variety(const RankedItem *items, int count, double *share, double *entropy)
{
	ExactSum	total = {0};
	ExactSum	sum = {0};
	double		others;
	double		whole;
	int			exponent;

	(void) frexp(items[0].weight, &exponent);
	for (int i = 1; i < count; i++)
		sums_add(&total, ldexp(items[i].weight, -exponent), CurrentMemoryContext);
	others = exact_sum_value(&total);
	sums_add(&total, ldexp(items[0].weight, -exponent), CurrentMemoryContext);
	whole = exact_sum_value(&total);

	for (int i = 0; i < count; i++)
	{
		double		part = ldexp(items[i].weight, -exponent) / whole;
		double		bits = 0;

		CHECK_FOR_INTERRUPTS();
		/* The logarithm of a share near 1 is that of what is missing. */
		if (part > 0.5)
			bits = -log1p(-others / whole) / M_LN2;
		else if (part > 0)
			bits = -log2(part);
		sums_add(&sum, part * bits, CurrentMemoryContext);
	}
	*share = ldexp(items[0].weight, -exponent) / whole;
	*entropy = exact_sum_value(&sum);
}

Datum
segment_affinity_final(PG_FUNCTION_ARGS)
{
	AffinityState *state = aggregate_state(fcinfo, &affinity_kind);
	RankedItem *items;
	int			count;
	double		share;
	double		entropy;
	Datum		values[4];
	bool		nulls[4] = {false};
	HeapTuple	tuple;

	count = state == NULL ? 0 : positive_items(state, &items);
	if (count == 0)
		PG_RETURN_NULL();

	for (int i = 1; i < count; i++)
	{
		RankedItem	first = items[0];

		if (compare_ranked(&items[i], &first, &state->items) < 0)
		{
			items[0] = items[i];
			items[i] = first;
		}
	}
	measure_variety(items, count, &share, &entropy);
	values[0] = PointerGetDatum(cstring_to_text_with_len(items_bytes(&state->items, items[0].item),
														 items[0].item->item.length));
	values[1] = Float8GetDatum(share);
	values[2] = Int64GetDatum(count);
	values[3] = Float8GetDatum(entropy);
	tuple = heap_form_tuple(aggregate_result_type(fcinfo), values, nulls);
	PG_RETURN_DATUM(HeapTupleGetDatum(tuple));
}

Datum
segment_top_items_final(PG_FUNCTION_ARGS)
{
	AffinityState *state = aggregate_state(fcinfo, &top_items_kind);
	RankedItem *items;
	void	  **top;
	int			count;

	if (state == NULL)
		PG_RETURN_NULL();

	count = positive_items(state, &items);
	sort_ranked(items, count, &state->items);
	count = Min(count, state->wanted);
	top = (void **) palloc(Max(count, 1) * sizeof(void *));
	for (int i = 0; i < count; i++)
		top[i] = items[i].item;
	PG_RETURN_ARRAYTYPE_P(items_array(&state->items, top, count));
}
