/*
 * engagement.c
 *		segment.engagement(at, weight, half_life): the sum of weights that lose
 *		half of their value in every half-life, as of segment.now().
 *
 * The state is the sum as of segment.now() itself, which does not change within
 * a query: a reference that moved with the latest event would round the sum
 * anew with each event.
 */
#include "postgres.h"

#include <math.h>

#include "aggregate/aggregate.h"
#include "libpq/pqformat.h"
#include "model/decay.h"
#include "utils/float.h"
#include "utils/timestamp.h"

#define NAME "engagement"
#define WIRE_VERSION 1

PG_FUNCTION_INFO_V1(segment_engagement_transition);
PG_FUNCTION_INFO_V1(segment_engagement_combine);
PG_FUNCTION_INFO_V1(segment_engagement_serialize);
PG_FUNCTION_INFO_V1(segment_engagement_deserialize);
PG_FUNCTION_INFO_V1(segment_engagement_final);

static void
report_varying_half_life(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("half_life must be the same in all rows of an aggregate"),
			 errhint("Group by the half-life, or give a constant.")));
}

/* The half-life in microseconds. */
static int64
check_half_life(const Interval *interval)
{
	int64		half_life = aggregate_length(interval, "half_life");

	if (half_life <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("half_life must be positive"),
				 errhint("Give an interval such as '30 days'.")));
	return half_life;
}

/* A new state in the aggregate's context. */
static DecaySum *
make_state(MemoryContext context)
{
	return (DecaySum *) MemoryContextAllocZero(context, sizeof(DecaySum));
}

Datum
segment_engagement_transition(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	DecaySum   *state = PG_ARGISNULL(0) ? NULL : (DecaySum *) PG_GETARG_POINTER(0);
	TimestampTz at;
	int64		half_life;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}

	at = PG_GETARG_TIMESTAMPTZ(1);
	half_life = check_half_life(PG_GETARG_INTERVAL_P(3));
	if (state == NULL)
	{
		state = make_state(context);
		decay_init(state, aggregate_as_of(), half_life);
	}
	else if (state->half_life != half_life)
		report_varying_half_life();

	/* An event at -infinity has decayed to nothing, whatever its weight. */
	if (TIMESTAMP_IS_NOBEGIN(at))
		decay_add(state, state->as_of, 0);
	else if (at <= state->as_of)
		decay_add(state, at, PG_GETARG_FLOAT8(2));

	Assert(decay_is_valid(state));
	PG_RETURN_POINTER(state);
}

Datum
segment_engagement_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	DecaySum   *state = PG_ARGISNULL(0) ? NULL : (DecaySum *) PG_GETARG_POINTER(0);
	DecaySum   *other = PG_ARGISNULL(1) ? NULL : (DecaySum *) PG_GETARG_POINTER(1);

	if (other == NULL)
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	if (state == NULL)
	{
		state = make_state(context);
		*state = *other;
		PG_RETURN_POINTER(state);
	}

	if (state->half_life != other->half_life)
		report_varying_half_life();
	if (!decay_merge(state, other))
		aggregate_corrupt(NAME);

	Assert(decay_is_valid(state));
	PG_RETURN_POINTER(state);
}

Datum
segment_engagement_serialize(PG_FUNCTION_ARGS)
{
	DecaySum   *state = (DecaySum *) PG_GETARG_POINTER(0);
	StringInfoData wire;

	(void) aggregate_context(fcinfo);
	aggregate_send_begin(&wire, WIRE_VERSION);
	pq_sendint64(&wire, state->as_of);
	pq_sendint64(&wire, state->half_life);
	pq_sendfloat8(&wire, state->sum);
	pq_sendfloat8(&wire, state->correction);
	pq_sendfloat8(&wire, state->nonfinite);
	pq_sendint32(&wire, state->exponent);
	pq_sendint8(&wire, state->counted);
	PG_RETURN_DATUM(aggregate_send_end(&wire));
}

Datum
segment_engagement_deserialize(PG_FUNCTION_ARGS)
{
	StringInfoData wire;
	DecaySum   *state;
	int			counted;

	aggregate_receive_begin(fcinfo, &wire, WIRE_VERSION, NAME);
	state = make_state(CurrentMemoryContext);
	state->as_of = pq_getmsgint64(&wire);
	state->half_life = pq_getmsgint64(&wire);
	state->sum = pq_getmsgfloat8(&wire);
	state->correction = pq_getmsgfloat8(&wire);
	state->nonfinite = pq_getmsgfloat8(&wire);
	state->exponent = (int32) pq_getmsgint(&wire, 4);
	counted = pq_getmsgbyte(&wire);
	state->counted = counted != 0;
	aggregate_receive_end(&wire, NAME);

	if (counted > 1 || TIMESTAMP_NOT_FINITE(state->as_of) ||
		!IS_VALID_TIMESTAMP(state->as_of) || !decay_is_valid(state))
		aggregate_corrupt(NAME);
	PG_RETURN_POINTER(state);
}

Datum
segment_engagement_final(PG_FUNCTION_ARGS)
{
	DecaySum   *state = PG_ARGISNULL(0) ? NULL : (DecaySum *) PG_GETARG_POINTER(0);
	double		value;

	(void) aggregate_context(fcinfo);
	if (state == NULL || !state->counted)
		PG_RETURN_NULL();

	value = decay_value(state);
	if (isinf(value) && !isinf(state->nonfinite))
		float_overflow_error();
	PG_RETURN_FLOAT8(value);
}
