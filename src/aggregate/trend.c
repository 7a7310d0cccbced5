/*
 * trend.c
 *		segment.trend(at, weight, period): the weight of the last period before
 *		segment.now() as a ratio to that of the period before it.
 */
#include "postgres.h"

#include <math.h>

#include "aggregate/kinds.h"
#include "aggregate/sums.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/timestamp.h"

typedef struct TrendState
{
	AggregateState base;
	TimestampTz as_of;
	Interval	period;			/* as it was given */
	ExactSum	last;			/* weights in (as_of - period, as_of] */
	ExactSum	before;			/* in (as_of - 2 * period, as_of - period] */
} TrendState;

/* Where the periods begin, kept from row to row. */
typedef struct TrendBounds
{
	bool		known;
	TimestampTz as_of;
	Interval	period;
	TimestampTz last;			/* as_of - period */
	TimestampTz before;			/* as_of - 2 * period */
} TrendBounds;

PG_FUNCTION_INFO_V1(segment_trend_transition);
PG_FUNCTION_INFO_V1(segment_trend_final);

static void
check_period(const Interval *period, TimestampTz as_of)
{
	int64		length = aggregate_length(period, "period");
	int64		room;

	if (length <= 0 || period->month < 0 || period->day < 0 || period->time < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("period must be positive, in all of its parts"),
				 errhint("Give an interval such as '30 days' or '1 month'.")));

	/*
	 * Twice the period must fit in an interval and lead to a timestamp, with a
	 * year to spare, because months are longer than that in the calendar.
	 */
	room = Min((uint64) as_of - (uint64) MIN_TIMESTAMP, (uint64) PG_INT64_MAX) / 2;
	if (length > room - 366 * USECS_PER_DAY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("period is out of range"),
				 errhint("Give a shorter interval: two periods ago must be a timestamp.")));
}

static TimestampTz
instant_before(TimestampTz at, const Interval *distance)
{
	return DatumGetTimestampTz(DirectFunctionCall2(timestamptz_mi_interval,
												   TimestampTzGetDatum(at),
												   IntervalPGetDatum(distance)));
}

/* The bounds of the periods, computed once in a query. */
static const TrendBounds *
find_bounds(FunctionCallInfo fcinfo, const Interval *period, TimestampTz as_of)
{
	TrendBounds *bounds = aggregate_memory(fcinfo, sizeof(TrendBounds));
	Interval	twice = *period;

	if (bounds->known && bounds->as_of == as_of &&
		memcmp(&bounds->period, period, sizeof(Interval)) == 0)
		return bounds;

	check_period(period, as_of);
	bounds->known = false;
	bounds->as_of = as_of;
	bounds->period = *period;
	bounds->last = instant_before(as_of, period);
	twice.month *= 2;
	twice.day *= 2;
	twice.time *= 2;
	bounds->before = instant_before(as_of, &twice);
	bounds->known = true;
	return bounds;
}

Datum
segment_trend_transition(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	TrendState *state = aggregate_state(fcinfo, &trend_kind);
	const TrendBounds *bounds;
	TimestampTz at;
	TimestampTz as_of;
	double		weight;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		AGGREGATE_RETURN_STATE(state);

	at = PG_GETARG_TIMESTAMPTZ(1);
	weight = sums_weight(PG_GETARG_FLOAT8(2));
	as_of = state == NULL ? aggregate_as_of() : state->as_of;
	bounds = find_bounds(fcinfo, PG_GETARG_INTERVAL_P(3), as_of);
	if (state == NULL)
	{
		state = aggregate_make(&trend_kind, context);
		state->as_of = as_of;
		state->period = bounds->period;
	}
	else if (memcmp(&state->period, &bounds->period, sizeof(Interval)) != 0)
		aggregate_varies("period");

	if (at > bounds->last && at <= as_of)
		sums_add(&state->last, weight, context);
	else if (at > bounds->before && at <= bounds->last)
		sums_add(&state->before, weight, context);
	PG_RETURN_POINTER(state);
}

static void
trend_merge(void *into, const void *from, MemoryContext context)
{
	TrendState *state = into;
	const TrendState *other = from;

	if (state->base.is_new)
	{
		state->as_of = other->as_of;
		state->period = other->period;
	}
	if (memcmp(&state->period, &other->period, sizeof(Interval)) != 0)
		aggregate_varies("period");
	if (state->as_of != other->as_of)
		aggregate_corrupt(trend_kind.name);
	sums_merge(&state->last, &other->last, context, trend_kind.name);
	sums_merge(&state->before, &other->before, context, trend_kind.name);
}

static void
trend_send(void *from, StringInfo wire)
{
	TrendState *state = from;

	pq_sendint64(wire, state->as_of);
	pq_sendint64(wire, state->period.time);
	pq_sendint32(wire, state->period.day);
	pq_sendint32(wire, state->period.month);
	sums_send(&state->last, wire);
	sums_send(&state->before, wire);
}

static bool
trend_receive(void *into, StringInfo wire)
{
	TrendState *state = into;

	state->as_of = pq_getmsgint64(wire);
	state->period.time = pq_getmsgint64(wire);
	state->period.day = (int32) pq_getmsgint(wire, 4);
	state->period.month = (int32) pq_getmsgint(wire, 4);
	return sums_receive(&state->last, wire) && sums_receive(&state->before, wire);
}

static bool
trend_is_valid(const void *of)
{
	const TrendState *state = of;
	const Interval *period = &state->period;

	return aggregate_is_instant(state->as_of) &&
		period->time >= 0 && period->day >= 0 && period->month >= 0 &&
		(period->time > 0 || period->day > 0 || period->month > 0) &&
		exact_sum_is_valid(&state->last) && exact_sum_is_valid(&state->before);
}

const AggregateKind trend_kind = {
	.name = "trend",
	.id = AGGREGATE_TREND,
	.version = 1,
	.size = sizeof(TrendState),
	.merge = trend_merge,
	.send = trend_send,
	.receive = trend_receive,
	.is_valid = trend_is_valid
};

Datum
segment_trend_final(PG_FUNCTION_ARGS)
{
	TrendState *state = aggregate_state(fcinfo, &trend_kind);
	double		last;
	double		before;
	double		ratio;

	if (state == NULL)
		PG_RETURN_NULL();

	last = exact_sum_value(&state->last);
	before = exact_sum_value(&state->before);
	if (before == 0)
		PG_RETURN_NULL();

	ratio = last / before;
	if (isinf(last) || isinf(before) || isinf(ratio))
		float_overflow_error();
	PG_RETURN_FLOAT8(ratio);
}
