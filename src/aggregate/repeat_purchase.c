/*
 * repeat_purchase.c
 *		segment.repeat_purchase(at, period): frequency, recency and age, which are
 *		all that the probability models of repeat buying know of a customer.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "aggregate/kinds.h"
#include "aggregate/ranges.h"
#include "aggregate/zone.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

/* Days that follow each other are one range. */
#define REACH 1

typedef struct RepeatPurchaseState
{
	AggregateState base;
	TimestampTz as_of;			/* later events do not count */
	int64		period;			/* microseconds, positive */
	Ranges		days;			/* with an event, numbered as in zone.h */
} RepeatPurchaseState;

PG_FUNCTION_INFO_V1(segment_repeat_purchase_transition);
PG_FUNCTION_INFO_V1(segment_repeat_purchase_final);

static int64
check_period(AggregateLength *last, const Interval *interval)
{
	int64		period = aggregate_length_again(last, interval, "period");

	if (period <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("period must be positive"),
				 errhint("Give an interval such as '1 week'.")));
	return period;
}

Datum
segment_repeat_purchase_transition(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	RepeatPurchaseState *state = aggregate_state(fcinfo, &repeat_purchase_kind);
	int64		period = 7 * USECS_PER_DAY;
	TimestampTz at;

	if (PG_ARGISNULL(1) || (PG_NARGS() > 2 && PG_ARGISNULL(2)))
		AGGREGATE_RETURN_STATE(state);

	at = PG_GETARG_TIMESTAMPTZ(1);
	if (PG_NARGS() > 2)
		period = check_period(aggregate_memory(fcinfo, sizeof(AggregateLength)),
							  PG_GETARG_INTERVAL_P(2));
	if (state == NULL)
	{
		state = aggregate_make(&repeat_purchase_kind, context);
		state->as_of = aggregate_as_of();
		state->period = period;
	}
	else if (state->period != period)
		aggregate_varies("period");

	if (!TIMESTAMP_NOT_FINITE(at) && at <= state->as_of)
	{
		int32		day = zone_day_of(zone_local(at));

		ranges_add(&state->days, day, day, REACH, context);
	}
	PG_RETURN_POINTER(state);
}

static void
repeat_purchase_merge(void *into, const void *from, MemoryContext context)
{
	RepeatPurchaseState *state = into;
	const RepeatPurchaseState *other = from;

	if (state->base.is_new)
	{
		state->as_of = other->as_of;
		state->period = other->period;
	}
	else if (state->period != other->period)
		aggregate_varies("period");
	else if (state->as_of != other->as_of)
		aggregate_corrupt(repeat_purchase_kind.name);
	ranges_merge(&state->days, &other->days, REACH, context);
}

static void
repeat_purchase_send(void *from, StringInfo wire)
{
	RepeatPurchaseState *state = from;

	pq_sendint64(wire, state->as_of);
	pq_sendint64(wire, state->period);
	ranges_send(&state->days, REACH, wire);
}

static bool
repeat_purchase_receive(void *into, StringInfo wire)
{
	RepeatPurchaseState *state = into;
	Ranges	   *days = &state->days;

	state->as_of = pq_getmsgint64(wire);
	state->period = pq_getmsgint64(wire);
	if (!aggregate_is_instant(state->as_of) || !ranges_receive(days, REACH, wire))
		return false;
	return days->count == 0 ||
		(days->at[0].first >= -ZONE_UNIT_MAX && days->at[days->count - 1].last <= ZONE_UNIT_MAX);
}

static bool
repeat_purchase_is_valid(const void *of)
{
	const RepeatPurchaseState *state = of;

	return state->period > 0 && ranges_is_valid(&state->days);
}

const AggregateKind repeat_purchase_kind = {
	.name = "repeat_purchase",
	.id = AGGREGATE_REPEAT_PURCHASE,
	.version = 1,
	.size = sizeof(RepeatPurchaseState),
	.merge = repeat_purchase_merge,
	.send = repeat_purchase_send,
	.receive = repeat_purchase_receive,
	.is_valid = repeat_purchase_is_valid
};

/* Days in periods. */
static double
in_periods(int64 days, int64 period)
{
	return (double) days * USECS_PER_DAY / period;
}

Datum
segment_repeat_purchase_final(PG_FUNCTION_ARGS)
{
	RepeatPurchaseState *state = aggregate_state(fcinfo, &repeat_purchase_kind);
	int64		distinct = 0;
	int64		first;
	int64		last;
	int64		today;
	Datum		values[3];
	bool		nulls[3] = {false};
	HeapTuple	tuple;

	if (state == NULL || state->days.count == 0)
		PG_RETURN_NULL();

	ranges_settle(&state->days, REACH);
	for (int i = 0; i < state->days.count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		distinct += state->days.at[i].last - state->days.at[i].first + 1;
	}
	first = state->days.at[0].first;
	last = state->days.at[state->days.count - 1].last;
	today = zone_day_of(zone_local(state->as_of));
	/* Where a clock goes back past midnight, an event may be of tomorrow. */
	today = Max(today, last);

	values[0] = Int32GetDatum((int32) (distinct - 1));
	values[1] = Float8GetDatum(in_periods(last - first, state->period));
	values[2] = Float8GetDatum(in_periods(today - first, state->period));
	tuple = heap_form_tuple(aggregate_result_type(fcinfo), values, nulls);
	PG_RETURN_DATUM(HeapTupleGetDatum(tuple));
}
