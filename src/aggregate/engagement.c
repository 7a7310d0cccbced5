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

#include "aggregate/kinds.h"
#include "libpq/pqformat.h"
#include "model/decay.h"
#include "utils/float.h"
#include "utils/timestamp.h"

typedef struct EngagementState
{
	AggregateState base;
	DecaySum	sum;
} EngagementState;

PG_FUNCTION_INFO_V1(segment_engagement_transition);
PG_FUNCTION_INFO_V1(segment_engagement_final);

static int64
check_half_life(AggregateLength *last, const Interval *interval)
{
	int64		half_life = aggregate_length_again(last, interval, "half_life");

	if (half_life <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("half_life must be positive"),
				 errhint("Give an interval such as '30 days'.")));
	return half_life;
}

Datum
segment_engagement_transition(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	EngagementState *state = aggregate_state(fcinfo, &engagement_kind);
	TimestampTz at;
	int64		half_life;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		AGGREGATE_RETURN_STATE(state);

	at = PG_GETARG_TIMESTAMPTZ(1);
	half_life = check_half_life(aggregate_memory(fcinfo, sizeof(AggregateLength)),
								PG_GETARG_INTERVAL_P(3));
	if (state == NULL)
	{
		state = aggregate_make(&engagement_kind, context);
		decay_init(&state->sum, aggregate_as_of(), half_life);
	}
	else if (state->sum.half_life != half_life)
		aggregate_varies("half_life");

	/* An event at -infinity has decayed to nothing, whatever its weight. */
	if (TIMESTAMP_IS_NOBEGIN(at))
		decay_add(&state->sum, state->sum.as_of, 0);
	else if (at <= state->sum.as_of)
		decay_add(&state->sum, at, PG_GETARG_FLOAT8(2));

	Assert(decay_is_valid(&state->sum));
	PG_RETURN_POINTER(state);
}

static void
engagement_merge(void *into, const void *from, MemoryContext context)
{
	EngagementState *state = into;
	const EngagementState *other = from;

	if (state->base.is_new)
	{
		state->sum = other->sum;
		return;
	}
	if (state->sum.half_life != other->sum.half_life)
		aggregate_varies("half_life");
	if (!decay_merge(&state->sum, &other->sum))
		aggregate_corrupt(engagement_kind.name);
}

static void
engagement_send(void *from, StringInfo wire)
{
	const DecaySum *sum = &((EngagementState *) from)->sum;

	pq_sendint64(wire, sum->as_of);
	pq_sendint64(wire, sum->half_life);
	pq_sendfloat8(wire, sum->sum);
	pq_sendfloat8(wire, sum->correction);
	pq_sendfloat8(wire, sum->nonfinite);
	pq_sendint32(wire, sum->exponent);
	pq_sendint8(wire, sum->counted);
}

static bool
engagement_receive(void *into, StringInfo wire)
{
	DecaySum   *sum = &((EngagementState *) into)->sum;
	int			counted;

	sum->as_of = pq_getmsgint64(wire);
	sum->half_life = pq_getmsgint64(wire);
	sum->sum = pq_getmsgfloat8(wire);
	sum->correction = pq_getmsgfloat8(wire);
	sum->nonfinite = pq_getmsgfloat8(wire);
	sum->exponent = (int32) pq_getmsgint(wire, 4);
	counted = pq_getmsgbyte(wire);
	sum->counted = counted != 0;
	return counted <= 1 && aggregate_is_instant(sum->as_of);
}

static bool
engagement_is_valid(const void *of)
{
	return decay_is_valid(&((const EngagementState *) of)->sum);
}

const AggregateKind engagement_kind = {
	.name = "engagement",
	.id = AGGREGATE_ENGAGEMENT,
	.version = 1,
	.size = sizeof(EngagementState),
	.merge = engagement_merge,
	.send = engagement_send,
	.receive = engagement_receive,
	.is_valid = engagement_is_valid
};

Datum
segment_engagement_final(PG_FUNCTION_ARGS)
{
	EngagementState *state = aggregate_state(fcinfo, &engagement_kind);
	double		value;

	if (state == NULL || !state->sum.counted)
		PG_RETURN_NULL();

	value = decay_value(&state->sum);
	if (isinf(value) && !isinf(state->sum.nonfinite))
		float_overflow_error();
	PG_RETURN_FLOAT8(value);
}
