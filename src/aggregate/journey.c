/*
 * journey.c
 *		segment.journey(at, stages): the furthest and the latest stage of a
 *		customer's journey.
 *
 * A row is at the highest stage it meets.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "aggregate/conditions.h"
#include "aggregate/kinds.h"
#include "libpq/pqformat.h"
#include "port/pg_bitutils.h"
#include "utils/timestamp.h"

typedef struct JourneyState
{
	AggregateState base;
	int			stages;			/* how many there are, 1 to CONDITIONS_MAX */
	bool		counted;		/* has any row counted? */
	int			furthest;		/* highest stage of all rows, 0 if none */
	int			latest;			/* stage of the last row that is at any, 0 if none */
	TimestampTz furthest_at;	/* first time at the furthest stage, if any */
	TimestampTz latest_at;		/* last time at any stage, if any */
} JourneyState;

PG_FUNCTION_INFO_V1(segment_journey_transition);
PG_FUNCTION_INFO_V1(segment_journey_final);

static bool
journey_is_valid(const void *of)
{
	const JourneyState *state = of;

	if (state->stages < 1 || state->stages > CONDITIONS_MAX ||
		state->latest < 0 || state->latest > state->furthest ||
		state->furthest > state->stages ||
		(state->furthest == 0) != (state->latest == 0))
		return false;
	if (state->furthest == 0)
		return state->furthest_at == 0 && state->latest_at == 0;
	return state->counted &&
		aggregate_is_instant(state->furthest_at) && aggregate_is_instant(state->latest_at) &&
		(state->furthest_at < state->latest_at ||
		 (state->furthest_at == state->latest_at && state->furthest == state->latest));
}

static void
reach_furthest(JourneyState *state, int stage, TimestampTz at)
{
	if (stage > state->furthest || (stage == state->furthest && at < state->furthest_at))
	{
		state->furthest = stage;
		state->furthest_at = at;
	}
}

static void
reach_latest(JourneyState *state, int stage, TimestampTz at)
{
	if (state->latest == 0 || at > state->latest_at ||
		(at == state->latest_at && stage > state->latest))
	{
		state->latest = stage;
		state->latest_at = at;
	}
}

Datum
segment_journey_transition(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	JourneyState *state = aggregate_state(fcinfo, &journey_kind);
	Conditions *call = aggregate_memory(fcinfo, sizeof(Conditions));
	TimestampTz at;
	uint64		marks;

	if (!conditions_read(fcinfo, 2, "stage", call, &marks) || PG_ARGISNULL(1))
		AGGREGATE_RETURN_STATE(state);

	at = PG_GETARG_TIMESTAMPTZ(1);
	if (state == NULL)
	{
		state = aggregate_make(&journey_kind, context);
		state->stages = call->count;
	}
	else if (state->stages != call->count)
		conditions_vary("stage");

	if (!TIMESTAMP_NOT_FINITE(at))
	{
		state->counted = true;
		if (marks != 0)
		{
			int			stage = pg_leftmost_one_pos64(marks) + 1;

			reach_furthest(state, stage, at);
			reach_latest(state, stage, at);
		}
	}
	Assert(journey_is_valid(state));
	PG_RETURN_POINTER(state);
}

static void
journey_merge(void *into, const void *from, MemoryContext context)
{
	JourneyState *state = into;
	const JourneyState *other = from;

	if (state->base.is_new)
		state->stages = other->stages;
	else if (state->stages != other->stages)
		conditions_vary("stage");

	state->counted |= other->counted;
	if (other->furthest > 0)
	{
		reach_furthest(state, other->furthest, other->furthest_at);
		reach_latest(state, other->latest, other->latest_at);
	}
}

static void
journey_send(void *from, StringInfo wire)
{
	const JourneyState *state = from;

	pq_sendint8(wire, state->stages);
	pq_sendint8(wire, state->counted);
	pq_sendint8(wire, state->furthest);
	pq_sendint8(wire, state->latest);
	pq_sendint64(wire, state->furthest_at);
	pq_sendint64(wire, state->latest_at);
}

static bool
journey_receive(void *into, StringInfo wire)
{
	JourneyState *state = into;
	int			counted;

	state->stages = pq_getmsgbyte(wire);
	counted = pq_getmsgbyte(wire);
	state->counted = counted != 0;
	state->furthest = pq_getmsgbyte(wire);
	state->latest = pq_getmsgbyte(wire);
	state->furthest_at = pq_getmsgint64(wire);
	state->latest_at = pq_getmsgint64(wire);
	return counted <= 1;
}

const AggregateKind journey_kind = {
	.name = "journey",
	.id = AGGREGATE_JOURNEY,
	.version = 1,
	.size = sizeof(JourneyState),
	.merge = journey_merge,
	.send = journey_send,
	.receive = journey_receive,
	.is_valid = journey_is_valid
};

Datum
segment_journey_final(PG_FUNCTION_ARGS)
{
	JourneyState *state = aggregate_state(fcinfo, &journey_kind);
	Datum		values[4];
	bool		nulls[4] = {false};
	HeapTuple	tuple;

	if (state == NULL || !state->counted)
		PG_RETURN_NULL();

	values[0] = Int32GetDatum(state->furthest);
	values[1] = TimestampTzGetDatum(state->furthest_at);
	values[2] = Int32GetDatum(state->latest);
	values[3] = TimestampTzGetDatum(state->latest_at);
	nulls[1] = nulls[3] = state->furthest == 0;
	tuple = heap_form_tuple(aggregate_result_type(fcinfo), values, nulls);
	PG_RETURN_DATUM(HeapTupleGetDatum(tuple));
}
