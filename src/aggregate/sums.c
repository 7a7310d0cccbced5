/*
 * sums.c
 *		Exact sums of weights as parts of aggregate states.
 *
 * On the wire: the number of parts that follow the top, plus 128 if wraps are
 * written; the top and those parts; the wraps.
 */
#include "postgres.h"

#include <math.h>

#include "aggregate/aggregate.h"
#include "aggregate/sums.h"
#include "libpq/pqformat.h"
#include "utils/memutils.h"

#define WITH_WRAPS 128

double
sums_weight(double weight)
{
	if (unlikely(!isfinite(weight)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("weight must not be infinite or NaN"),
				 errhint("Leave such rows out with FILTER (WHERE ...).")));
	return weight;
}

/* An ExactMemory. */
static void *
get_memory(void *block, size_t size, void *context)
{
	return block == NULL ? MemoryContextAlloc(context, size) : repalloc(block, size);
}

void
sums_add(ExactSum *sum, double weight, MemoryContext context)
{
	exact_sum_add(sum, weight, get_memory, context);
	Assert(exact_sum_is_valid(sum));
}

void
sums_merge(ExactSum *sum, const ExactSum *other, MemoryContext context, const char *aggregate)
{
	if (!exact_sum_merge(sum, other, get_memory, context))
		aggregate_corrupt(aggregate);
}

void
sums_send(const ExactSum *sum, StringInfo wire)
{
	bool		low = sum->low != 0;
	int			count = sum->rest == NULL ? 0 : sum->rest->count;
	bool		wraps = sum->rest != NULL && sum->rest->wraps != 0;

	pq_sendint8(wire, count + (low ? 1 : 0) + (wraps ? WITH_WRAPS : 0));
	pq_sendfloat8(wire, sum->top);
	if (low)
		pq_sendfloat8(wire, sum->low);
	for (int i = 0; i < count; i++)
		pq_sendfloat8(wire, sum->rest->parts[i]);
	if (wraps)
		pq_sendint64(wire, sum->rest->wraps);
}

bool
sums_receive(ExactSum *sum, StringInfo wire)
{
	int			head = pq_getmsgbyte(wire);
	int			count = head % WITH_WRAPS;
	ExactSum	wraps = {0};
	ExactRest	rest = {0};

	if (count > EXACT_SUM_PARTS)
		return false;
	for (int i = 0; i <= count; i++)
	{
		double		part = pq_getmsgfloat8(wire);

		if (!isfinite(part))
			return false;
		sums_add(sum, part, CurrentMemoryContext);
	}
	if (head < WITH_WRAPS)
		return true;

	wraps.rest = &rest;
	rest.wraps = pq_getmsgint64(wire);
	return exact_sum_is_valid(&wraps) &&
		exact_sum_merge(sum, &wraps, get_memory, CurrentMemoryContext);
}
