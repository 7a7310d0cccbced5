/*
 * rhythm.c
 *		segment.rhythm(at): the times between events, and when the next one is
 *		due by them, as of segment.now().
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "aggregate/instants.h"
#include "aggregate/kinds.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

typedef struct RhythmState
{
	AggregateState base;
	TimestampTz as_of;			/* segment.now() */
	Instants	events;			/* none of them after as_of */
} RhythmState;

/* Differences of instants may exceed the signed range. */
#define DISTANCE(from, until) ((uint64) (until) - (uint64) (from))

#define ST_SORT sort_gaps
#define ST_ELEMENT_TYPE uint64
#define ST_COMPARE(a, b) (*(a) < *(b) ? -1 : *(a) > *(b))
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DECLARE
#define ST_DEFINE
#include "lib/sort_template.h"

PG_FUNCTION_INFO_V1(segment_rhythm_transition);
PG_FUNCTION_INFO_V1(segment_rhythm_final);

Datum
segment_rhythm_transition(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	RhythmState *state = aggregate_state(fcinfo, &rhythm_kind);
	TimestampTz at;

	if (PG_ARGISNULL(1))
		AGGREGATE_RETURN_STATE(state);

	at = PG_GETARG_TIMESTAMPTZ(1);
	if (state == NULL)
	{
		state = aggregate_make(&rhythm_kind, context);
		state->as_of = aggregate_as_of();
	}
	if (at <= state->as_of && !TIMESTAMP_NOT_FINITE(at))
		instants_add(&state->events, at, context);
	PG_RETURN_POINTER(state);
}

static void
rhythm_merge(void *into, const void *from, MemoryContext context)
{
	RhythmState *state = into;
	const RhythmState *other = from;

	if (state->base.is_new)
		state->as_of = other->as_of;
	else if (state->as_of != other->as_of)
		aggregate_corrupt(rhythm_kind.name);
	instants_merge(&state->events, &other->events, context);
}

static void
rhythm_send(void *from, StringInfo wire)
{
	RhythmState *state = from;

	pq_sendint64(wire, state->as_of);
	instants_send(&state->events, wire);
}

static bool
rhythm_receive(void *into, StringInfo wire)
{
	RhythmState *state = into;
	const Instants *events = &state->events;

	state->as_of = pq_getmsgint64(wire);
	return instants_receive(&state->events, wire) &&
		(events->count == 0 || events->at[events->count - 1] <= state->as_of);
}

static bool
rhythm_is_valid(const void *of)
{
	const RhythmState *state = of;

	return aggregate_is_instant(state->as_of) && instants_is_valid(&state->events);
}

const AggregateKind rhythm_kind = {
	.name = "rhythm",
	.id = AGGREGATE_RHYTHM,
	.version = 1,
	.size = sizeof(RhythmState),
	.merge = rhythm_merge,
	.send = rhythm_send,
	.receive = rhythm_receive,
	.is_valid = rhythm_is_valid
};

/* The median of the gaps between ordered instants, at least two; halves up. */
static uint64
median_gap(const Instants *events)
{
	int			count = events->count - 1;
	uint64	   *gaps = (uint64 *) palloc(count * sizeof(uint64));
	uint64		low;
	uint64		high;

	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		gaps[i] = DISTANCE(events->at[i], events->at[i + 1]);
	}
	sort_gaps(gaps, count);
	low = gaps[(count - 1) / 2];
	high = gaps[count / 2];
	pfree(gaps);
	return low + (high - low + 1) / 2;
}

/*
 * The sample standard deviation of the gaps between ordered instants, at least
 * three, in two parts: the nearest double, and what is left of it.  Together they
 * are exact beyond a microsecond, unless gaps are of 285 years and more.
 *
 * Squares are those of the distances from the mean in whole microseconds; what
 * that was rounded by is made good.  Sums and products keep what rounding takes
 * (T. Dekker, A floating-point technique for extending the available precision,
 * Numerische Mathematik 18, 1971).
 */
static double
deviation_of_gaps(const Instants *events, uint64 total, uint64 mean, double *rest)
{
	int			count = events->count - 1;
	double		divisor = count - 1;
	double		rounded = (double) (int64) (total - mean * count);
	double		squares = 0;
	double		lost = 0;
	double		deviation;
	double		product;

	for (int i = 0; i < count; i++)
	{
		uint64		gap = DISTANCE(events->at[i], events->at[i + 1]);
		double		distance = (double) (gap > mean ? gap - mean : mean - gap);
		double		square = distance * distance;
		double		sum = squares + square;
		double		added = sum - squares;

		CHECK_FOR_INTERRUPTS();
		lost += (squares - (sum - added)) + (square - added) + fma(distance, distance, -square);
		squares = sum;
	}
	lost -= rounded * rounded / count;

	*rest = 0;
	deviation = sqrt(Max(squares + lost, 0) / divisor);
	if (deviation > 0)
	{
		/* one step of Newton's, from what squaring the root leaves */
		product = deviation * deviation;
		lost -= divisor * fma(deviation, deviation, -product);
		*rest = (fma(-divisor, product, squares) + lost) / (2 * divisor * deviation);
	}
	return deviation;
}

static Datum
interval_of(uint64 microseconds)
{
	return IntervalPGetDatum(aggregate_interval(microseconds));
}

/* Fills in the fields after the first one, from two or more ordered events. */
static void
describe_gaps(const RhythmState *state, Datum *values, bool *nulls)
{
	const Instants *events = &state->events;
	TimestampTz last = events->at[events->count - 1];
	uint64		total = DISTANCE(events->at[0], last);
	uint64		count = events->count - 1;
	uint64		mean = total / count + (total % count >= (count + 1) / 2);
	uint64		median = median_gap(events);

	values[1] = interval_of(mean);
	values[2] = interval_of(median);
	nulls[1] = nulls[2] = false;
	if (count > 1)
	{
		double		rest;
		double		deviation = deviation_of_gaps(events, total, mean, &rest);
		double		whole = floor(deviation);

		/* to the nearest microsecond, halves up */
		rest = floor(deviation - whole + rest + 0.5);
		values[3] = interval_of((uint64) whole + (int64) rest);
		nulls[3] = false;
		if (total > 0)
		{
			values[4] = Float8GetDatum(deviation / ((double) total / (double) count));
			nulls[4] = false;
		}
	}
	if (median < DISTANCE(last, END_TIMESTAMP))
	{
		values[5] = TimestampTzGetDatum(last + (int64) median);
		nulls[5] = false;
	}
	if (median > 0)
	{
		values[6] = Float8GetDatum((double) DISTANCE(last, state->as_of) / (double) median);
		nulls[6] = false;
	}
}

Datum
segment_rhythm_final(PG_FUNCTION_ARGS)
{
	RhythmState *state = aggregate_state(fcinfo, &rhythm_kind);
	Datum		values[7];
	bool		nulls[7];
	HeapTuple	tuple;

	if (state == NULL || state->events.count == 0)
		PG_RETURN_NULL();

	instants_sort(&state->events);
	memset(nulls, true, sizeof(nulls));
	values[0] = Int64GetDatum(state->events.count);
	nulls[0] = false;
	if (state->events.count > 1)
		describe_gaps(state, values, nulls);
	tuple = heap_form_tuple(aggregate_result_type(fcinfo), values, nulls);
	PG_RETURN_DATUM(HeapTupleGetDatum(tuple));
}
