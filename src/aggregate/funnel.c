/*
 * funnel.c
 *		segment.funnel, segment.funnel_by and segment.funnel_times: how far a
 *		customer came through the steps of a funnel, and when.
 *
 * All three keep the same state; funnel and funnel_times are of the default
 * mode.
 */
#include "postgres.h"

#include "aggregate/aggregate.h"
#include "aggregate/conditions.h"
#include "aggregate/events.h"
#include "aggregate/kinds.h"
#include "catalog/pg_type.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "model/funnel.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* Texts of a mode up to this length are not parsed again in each row. */
#define MODE_LENGTH 128

#define MODES_ALL \
	(FUNNEL_STRICT_ORDER | FUNNEL_STRICT_DEDUPLICATION | FUNNEL_STRICT_INCREASE | \
	 FUNNEL_STRICT_ONCE | FUNNEL_ALLOW_REENTRY)

typedef struct FunnelState
{
	AggregateState base;
	int64		window;			/* microseconds, not negative */
	int			steps;			/* their number */
	unsigned	modes;			/* FUNNEL_... */
	bool		counted;		/* has a row been counted? */
	Events		events;			/* those that can matter in these modes */
} FunnelState;

/* What is remembered between rows. */
typedef struct FunnelCall
{
	Conditions	conditions;
	AggregateLength within;
	bool		mode_known;		/* has a mode been parsed? */
	unsigned	modes;			/* what it says */
	int			mode_length;	/* of its text; all of it is in mode, or not */
	char		mode[MODE_LENGTH];
} FunnelCall;

PG_FUNCTION_INFO_V1(segment_funnel_transition);
PG_FUNCTION_INFO_V1(segment_funnel_by_transition);
PG_FUNCTION_INFO_V1(segment_funnel_final);
PG_FUNCTION_INFO_V1(segment_funnel_times_final);

static unsigned
parse_modes(const char *text, int length)
{
	unsigned	modes;
	const char *word;
	size_t		word_length;

	switch (funnel_parse_modes(text, length, &modes, &word, &word_length))
	{
		case FUNNEL_MODE_OK:
			break;
		case FUNNEL_MODE_UNKNOWN:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("mode \"%s\" does not exist", pnstrdup(word, word_length)),
					 errhint("Modes are %s, separated by commas.", FUNNEL_MODE_WORDS)));
			break;
		case FUNNEL_MODE_ALONE:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("mode \"%s\" needs mode \"%s\"",
							pnstrdup(word, word_length), "strict_order"),
					 errhint("Give both, separated by a comma.")));
			break;
	}
	return modes;
}

/* The modes of a text, which mostly is that of the row before. */
static unsigned
check_modes(FunnelCall *call, const text *mode)
{
	const char *data = VARDATA_ANY(mode);
	int			length = VARSIZE_ANY_EXHDR(mode);

	if (call->mode_known && length == call->mode_length && length <= MODE_LENGTH &&
		memcmp(call->mode, data, length) == 0)
		return call->modes;

	call->modes = parse_modes(data, length);
	call->mode_known = true;
	call->mode_length = length;
	memcpy(call->mode, data, Min(length, MODE_LENGTH));
	return call->modes;
}

static int64
check_window(AggregateLength *last, const Interval *within)
{
	int64		window = aggregate_length_again(last, within, "within");

	if (window < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("within must not be negative"),
				 errhint("Give an interval such as '7 days'.")));
	return window;
}

/* The state that a row goes to; error if it has other constant arguments. */
static FunnelState *
check_state(FunnelState *state, unsigned modes, int64 window, int steps,
			MemoryContext context)
{
	if (state == NULL)
	{
		state = aggregate_make(&funnel_kind, context);
		state->modes = modes;
		state->window = window;
		state->steps = steps;
	}
	if (state->modes != modes)
		aggregate_varies("mode");
	if (state->window != window)
		aggregate_varies("within");
	if (state->steps != steps)
		conditions_vary("step");
	return state;
}

/* A row whose arguments at, within and steps begin with the given one. */
static FunnelState *
add_row(FunctionCallInfo fcinfo, FunnelState *state, FunnelCall *call,
		unsigned modes, int first)
{
	MemoryContext context = aggregate_context(fcinfo);
	MarkedEvent event;
	int64		window;

	if (PG_ARGISNULL(first) || PG_ARGISNULL(first + 1))
		return state;
	event.at = PG_GETARG_TIMESTAMPTZ(first);
	window = check_window(&call->within, PG_GETARG_INTERVAL_P(first + 1));
	if (!conditions_read(fcinfo, first + 2, "step", &call->conditions, &event.marks))
		return state;
	state = check_state(state, modes, window, call->conditions.count, context);

	if (!TIMESTAMP_NOT_FINITE(event.at))
	{
		state->counted = true;
		if (event.marks != 0 || (modes & FUNNEL_STRICT_ORDER) != 0)
			events_add(&state->events, event, context);
	}
	Assert(funnel_kind.is_valid(state));
	return state;
}

Datum
segment_funnel_transition(PG_FUNCTION_ARGS)
{
	FunnelState *state = aggregate_state(fcinfo, &funnel_kind);
	FunnelCall *call = aggregate_memory(fcinfo, sizeof(FunnelCall));

	state = add_row(fcinfo, state, call, 0, 1);
	AGGREGATE_RETURN_STATE(state);
}

Datum
segment_funnel_by_transition(PG_FUNCTION_ARGS)
{
	FunnelState *state = aggregate_state(fcinfo, &funnel_kind);
	FunnelCall *call = aggregate_memory(fcinfo, sizeof(FunnelCall));

	if (!PG_ARGISNULL(1))
		state = add_row(fcinfo, state, call, check_modes(call, PG_GETARG_TEXT_PP(1)), 2);
	AGGREGATE_RETURN_STATE(state);
}

static void
funnel_merge(void *into, const void *from, MemoryContext context)
{
	FunnelState *state = into;
	const FunnelState *other = from;

	if (state->base.is_new)
	{
		state->modes = other->modes;
		state->window = other->window;
		state->steps = other->steps;
	}
	(void) check_state(state, other->modes, other->window, other->steps, context);
	state->counted |= other->counted;
	events_merge(&state->events, &other->events, context);
}

static void
funnel_send(void *from, StringInfo wire)
{
	FunnelState *state = from;

	pq_sendint64(wire, state->window);
	pq_sendint8(wire, state->steps);
	pq_sendint8(wire, state->modes);
	pq_sendint8(wire, state->counted);
	events_send(&state->events, wire);
}

/* Only what the transition function keeps. */
static bool
event_belongs(const FunnelState *state, const MarkedEvent *event)
{
	if (event->marks == 0)
		return (state->modes & FUNNEL_STRICT_ORDER) != 0;
	return (event->marks >> (state->steps - 1)) <= 1;
}

static bool
funnel_receive(void *into, StringInfo wire)
{
	FunnelState *state = into;
	int			counted;

	state->window = pq_getmsgint64(wire);
	state->steps = pq_getmsgbyte(wire);
	state->modes = pq_getmsgbyte(wire);
	counted = pq_getmsgbyte(wire);
	state->counted = counted != 0;
	if (state->steps < 1 || state->steps > FUNNEL_STEPS_MAX || counted > 1 ||
		!events_receive(&state->events, wire))
		return false;
	for (int i = 0; i < state->events.count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!event_belongs(state, &state->events.at[i]))
			return false;
	}
	return true;
}

static bool
funnel_is_valid(const void *of)
{
	const FunnelState *state = of;

	if ((state->modes & ~MODES_ALL) != 0 ||
		((state->modes & FUNNEL_ALLOW_REENTRY) != 0 &&
		 (state->modes & FUNNEL_STRICT_ORDER) == 0))
		return false;
	return state->window >= 0 && state->steps >= 1 && state->steps <= FUNNEL_STEPS_MAX &&
		events_is_valid(&state->events) && (state->counted || state->events.count == 0);
}

const AggregateKind funnel_kind = {
	.name = "funnel",
	.id = AGGREGATE_FUNNEL,
	.version = 1,
	.size = sizeof(FunnelState),
	.merge = funnel_merge,
	.send = funnel_send,
	.receive = funnel_receive,
	.is_valid = funnel_is_valid
};

/* Goes through the events in the order of time. */
static void
scan_events(FunnelState *state, FunnelScan *scan)
{
	const MarkedEvent *events;
	size_t		left = state->events.count;
	size_t		taken;

	events_sort(&state->events);
	events = state->events.at;
	funnel_begin(scan, state->steps, state->window, state->modes);
	while ((taken = funnel_advance(scan, events, left)) > 0)
	{
		CHECK_FOR_INTERRUPTS();
		events += taken;
		left -= taken;
	}
}

Datum
segment_funnel_final(PG_FUNCTION_ARGS)
{
	FunnelState *state = aggregate_state(fcinfo, &funnel_kind);
	FunnelScan	scan;

	if (state == NULL || !state->counted)
		PG_RETURN_NULL();
	scan_events(state, &scan);
	PG_RETURN_INT32(scan.level);
}

Datum
segment_funnel_times_final(PG_FUNCTION_ARGS)
{
	FunnelState *state = aggregate_state(fcinfo, &funnel_kind);
	FunnelScan	scan;
	int64		times[FUNNEL_STEPS_MAX];
	Datum		elements[FUNNEL_STEPS_MAX];

	if (state == NULL || !state->counted)
		PG_RETURN_NULL();
	scan_events(state, &scan);
	funnel_times(&scan, state->events.at, state->events.count, times);
	for (int i = 0; i < scan.level; i++)
		elements[i] = TimestampTzGetDatum(times[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, scan.level, TIMESTAMPTZOID,
										  sizeof(TimestampTz), FLOAT8PASSBYVAL,
										  TYPALIGN_DOUBLE));
}
