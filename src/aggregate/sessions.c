/*
 * sessions.c
 *		segment.sessions(at, gap): sessions are runs of events in the order of
 *		time, each at most the gap after the one before.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "aggregate/aggregate.h"
#include "aggregate/kinds.h"
#include "aggregate/ranges.h"
#include "common/int.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

typedef struct SessionsState
{
	AggregateState base;
	int64		gap;			/* microseconds, not negative */
	int64		events;			/* their number */
	Ranges		sessions;		/* from first to last events, microseconds */
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
PG_FUNCTION_INFO_V1(segment_sessions_final);

static int64
check_gap(AggregateLength *last, const Interval *interval)
{
	int64		gap = aggregate_length_again(last, interval, "gap");

	if (gap < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("gap must not be negative"),
				 errhint("Give an interval such as '30 minutes'.")));
	return gap;
}

Datum
segment_sessions_transition(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	SessionsState *state = aggregate_state(fcinfo, &sessions_kind);
	TimestampTz at;
	int64		gap;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		AGGREGATE_RETURN_STATE(state);

	at = PG_GETARG_TIMESTAMPTZ(1);
	gap = check_gap(aggregate_memory(fcinfo, sizeof(AggregateLength)), PG_GETARG_INTERVAL_P(2));
	if (state == NULL)
	{
		state = aggregate_make(&sessions_kind, context);
		state->gap = gap;
	}
	else if (state->gap != gap)
		aggregate_varies("gap");

	if (!TIMESTAMP_NOT_FINITE(at))
	{
		ranges_add(&state->sessions, at, at, gap, context);
		state->events++;
	}
	PG_RETURN_POINTER(state);
}

static void
sessions_merge(void *into, const void *from, MemoryContext context)
{
	SessionsState *state = into;
	const SessionsState *other = from;

	if (state->base.is_new)
		state->gap = other->gap;
	else if (state->gap != other->gap)
		aggregate_varies("gap");
	ranges_merge(&state->sessions, &other->sessions, state->gap, context);
	if (pg_add_s64_overflow(state->events, other->events, &state->events))
		aggregate_corrupt(sessions_kind.name);
}

static void
sessions_send(void *from, StringInfo wire)
{
	SessionsState *state = from;

	pq_sendint64(wire, state->gap);
	pq_sendint64(wire, state->events);
	ranges_send(&state->sessions, state->gap, wire);
}

static bool
sessions_receive(void *into, StringInfo wire)
{
	SessionsState *state = into;

	state->gap = pq_getmsgint64(wire);
	state->events = pq_getmsgint64(wire);
	if (state->gap < 0 || !ranges_receive(&state->sessions, state->gap, wire))
		return false;
	for (int i = 0; i < state->sessions.count; i++)
	{
		if (!aggregate_is_instant(state->sessions.at[i].first) ||
			!aggregate_is_instant(state->sessions.at[i].last))
			return false;
	}
	return true;
}

static bool
sessions_is_valid(const void *of)
{
	const SessionsState *state = of;

	return state->gap >= 0 && ranges_is_valid(&state->sessions) &&
		state->events >= state->sessions.count &&
		(state->events > 0) == (state->sessions.count > 0);
}

const AggregateKind sessions_kind = {
	.name = "sessions",
	.id = AGGREGATE_SESSIONS,
	.version = 1,
	.size = sizeof(SessionsState),
	.merge = sessions_merge,
	.send = sessions_send,
	.receive = sessions_receive,
	.is_valid = sessions_is_valid
};

static void
measure_sessions(SessionsState *state, Sessions *found)
{
	memset(found, 0, sizeof(Sessions));
	ranges_settle(&state->sessions, state->gap);
	found->count = state->sessions.count;
	for (int i = 0; i < state->sessions.count; i++)
	{
		const Range *session = &state->sessions.at[i];
		/* Differences of instants may exceed the signed range. */
		uint64		length = (uint64) session->last - (uint64) session->first;

		CHECK_FOR_INTERRUPTS();
		found->total += length;
		found->longest = Max(found->longest, length);
		found->last_started_at = session->first;
	}
}

Datum
segment_sessions_final(PG_FUNCTION_ARGS)
{
	SessionsState *state = aggregate_state(fcinfo, &sessions_kind);
	Sessions	found;
	uint64		average;
	Datum		values[6];
	bool		nulls[6] = {false};
	HeapTuple	tuple;

	if (state == NULL || state->events == 0)
		PG_RETURN_NULL();

	measure_sessions(state, &found);
	/* to the nearest microsecond, halves up */
	average = found.total / found.count;
	if (found.total % found.count >= (found.count + 1) / 2)
		average++;

	values[0] = Int64GetDatum(found.count);
	values[1] = Int64GetDatum(state->events);
	values[2] = IntervalPGetDatum(aggregate_interval(found.total));
	values[3] = IntervalPGetDatum(aggregate_interval(found.longest));
	values[4] = IntervalPGetDatum(aggregate_interval(average));
	values[5] = TimestampTzGetDatum(found.last_started_at);
	tuple = heap_form_tuple(aggregate_result_type(fcinfo), values, nulls);
	PG_RETURN_DATUM(HeapTupleGetDatum(tuple));
}
