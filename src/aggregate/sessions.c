/*
 * sessions.c
 *		segment.sessions(at, gap): sessions are runs of events in the order of
 *		time, each at most the gap after the one before.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "aggregate/aggregate.h"
#include "aggregate/instants.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#define NAME "sessions"
#define WIRE_VERSION 1

typedef struct SessionsState
{
	int64		gap;			/* microseconds, not negative */
	Instants	events;			/* finite times of the events */
} SessionsState;

/* What the events of a state come to. */
typedef struct Sessions
{
	int64		count;
	uint64		total;			/* microseconds from first to last events */
	uint64		longest;		/* microseconds */
	TimestampTz last_started_at;
} Sessions;

PG_FUNCTION_INFO_V1(segment_sessions_transition);
PG_FUNCTION_INFO_V1(segment_sessions_combine);
PG_FUNCTION_INFO_V1(segment_sessions_serialize);
PG_FUNCTION_INFO_V1(segment_sessions_deserialize);
PG_FUNCTION_INFO_V1(segment_sessions_final);

static void
report_varying_gap(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("gap must be the same in all rows of an aggregate"),
			 errhint("Group by the gap, or give a constant.")));
}

/* The gap in microseconds. */
static int64
check_gap(const Interval *interval)
{
	int64		gap = aggregate_length(interval, "gap");

	if (gap < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("gap must not be negative"),
				 errhint("Give an interval such as '30 minutes'.")));
	return gap;
}

static bool
state_is_valid(const SessionsState *state)
{
	return state->gap >= 0 && instants_is_valid(&state->events);
}

/* A state without events. */
static SessionsState *
make_state(MemoryContext context, int64 gap)
{
	SessionsState *state;

	state = (SessionsState *) MemoryContextAllocZero(context, sizeof(SessionsState));
	state->gap = gap;
	return state;
}

Datum
segment_sessions_transition(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	SessionsState *state = PG_ARGISNULL(0) ? NULL : (SessionsState *) PG_GETARG_POINTER(0);
	TimestampTz at;
	int64		gap;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}

	at = PG_GETARG_TIMESTAMPTZ(1);
	gap = check_gap(PG_GETARG_INTERVAL_P(2));
	if (state == NULL)
		state = make_state(context, gap);
	else if (state->gap != gap)
		report_varying_gap();

	if (!TIMESTAMP_NOT_FINITE(at))
		instants_add(&state->events, at, context);

	Assert(state_is_valid(state));
	PG_RETURN_POINTER(state);
}

Datum
segment_sessions_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	SessionsState *state = PG_ARGISNULL(0) ? NULL : (SessionsState *) PG_GETARG_POINTER(0);
	SessionsState *other = PG_ARGISNULL(1) ? NULL : (SessionsState *) PG_GETARG_POINTER(1);

	if (other == NULL)
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	if (state == NULL)
		state = make_state(context, other->gap);
	else if (state->gap != other->gap)
		report_varying_gap();

	instants_merge(&state->events, &other->events, context);

	Assert(state_is_valid(state));
	PG_RETURN_POINTER(state);
}

Datum
segment_sessions_serialize(PG_FUNCTION_ARGS)
{
	SessionsState *state = (SessionsState *) PG_GETARG_POINTER(0);
	StringInfoData wire;

	(void) aggregate_context(fcinfo);
	aggregate_send_begin(&wire, WIRE_VERSION);
	pq_sendint64(&wire, state->gap);
	instants_send(&state->events, &wire);
	PG_RETURN_DATUM(aggregate_send_end(&wire));
}

Datum
segment_sessions_deserialize(PG_FUNCTION_ARGS)
{
	StringInfoData wire;
	SessionsState *state;

	aggregate_receive_begin(fcinfo, &wire, WIRE_VERSION, NAME);
	state = make_state(CurrentMemoryContext, pq_getmsgint64(&wire));
	if (!instants_receive(&state->events, &wire))
		aggregate_corrupt(NAME);
	aggregate_receive_end(&wire, NAME);
	if (!state_is_valid(state))
		aggregate_corrupt(NAME);
	PG_RETURN_POINTER(state);
}

/* Walks the events once, in the order of time. */
static void
find_sessions(SessionsState *state, Sessions *found)
{
	const TimestampTz *at;
	TimestampTz start;

	instants_sort(&state->events);
	at = state->events.at;
	start = at[0];
	memset(found, 0, sizeof(Sessions));
	for (int i = 0; i < state->events.count; i++)
	{
		bool		last = i + 1 == state->events.count;

		CHECK_FOR_INTERRUPTS();
		/* Differences of instants may exceed the signed range. */
		if (last || (uint64) at[i + 1] - (uint64) at[i] > (uint64) state->gap)
		{
			uint64		length = (uint64) at[i] - (uint64) start;

			found->count++;
			found->total += length;
			found->longest = Max(found->longest, length);
			found->last_started_at = start;
			if (!last)
				start = at[i + 1];
		}
	}
}

Datum
segment_sessions_final(PG_FUNCTION_ARGS)
{
	SessionsState *state = PG_ARGISNULL(0) ? NULL : (SessionsState *) PG_GETARG_POINTER(0);
	Sessions	found;
	uint64		average;
	Datum		values[6];
	bool		nulls[6] = {false};
	HeapTuple	tuple;

	(void) aggregate_context(fcinfo);
	if (state == NULL || state->events.count == 0)
		PG_RETURN_NULL();

	find_sessions(state, &found);
	/* to the nearest microsecond, halves up */
	average = found.total / found.count;
	if (found.total % found.count >= (found.count + 1) / 2)
		average++;

	values[0] = Int64GetDatum(found.count);
	values[1] = Int64GetDatum(state->events.count);
	values[2] = IntervalPGetDatum(aggregate_interval(found.total));
	values[3] = IntervalPGetDatum(aggregate_interval(found.longest));
	values[4] = IntervalPGetDatum(aggregate_interval(average));
	values[5] = TimestampTzGetDatum(found.last_started_at);
	tuple = heap_form_tuple(aggregate_result_type(fcinfo), values, nulls);
	PG_RETURN_DATUM(HeapTupleGetDatum(tuple));
}
