/*
 * sequence.c
 *		segment.sequence_match, sequence_count and sequence_events(pattern, at,
 *		VARIADIC conditions): chains of events that match a pattern.
 *
 * The three have one kind of state: the events and the text of the pattern.
 * States in one memory context share that text, as there may be very many
 * groups and mostly is one pattern.  The final functions compile it.
 */
#include "postgres.h"

#include "aggregate/conditions.h"
#include "aggregate/events.h"
#include "aggregate/kinds.h"
#include "aggregate/pattern.h"
#include "catalog/pg_type.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

typedef struct SequenceState
{
	AggregateState base;
	const Pattern *pattern;		/* may be shared by other states */
	bool		counted;		/* had a row a finite time? */
	Events		events;			/* finite times, each meets a condition */
} SequenceState;

/* What the transition function remembers between rows. */
typedef struct TransitionMemory
{
	Conditions	conditions;
	PatternMemory checked;		/* the last pattern found to be good */
} TransitionMemory;

PG_FUNCTION_INFO_V1(segment_sequence_transition);
PG_FUNCTION_INFO_V1(segment_sequence_match_final);
PG_FUNCTION_INFO_V1(segment_sequence_count_final);
PG_FUNCTION_INFO_V1(segment_sequence_events_final);

Datum
segment_sequence_transition(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	SequenceState *state = aggregate_state(fcinfo, &sequence_kind);
	TransitionMemory *memory = aggregate_memory(fcinfo, sizeof(TransitionMemory));
	MarkedEvent event;
	text	   *pattern;
	const char *chars;
	int			length;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) ||
		!conditions_read(fcinfo, 3, "condition", &memory->conditions, &event.marks))
		AGGREGATE_RETURN_STATE(state);

	pattern = PG_GETARG_TEXT_PP(1);
	chars = VARDATA_ANY(pattern);
	length = VARSIZE_ANY_EXHDR(pattern);
	if (state == NULL)
	{
		const Pattern *checked = pattern_compile(&memory->checked, chars, length,
												 memory->conditions.count,
												 fcinfo->flinfo->fn_mcxt);

		state = aggregate_make(&sequence_kind, context);
		state->pattern = pattern_share(checked, context);
	}
	else if (!pattern_has_text(state->pattern, chars, length))
		aggregate_varies("pattern");
	else if (state->pattern->conditions != memory->conditions.count)
		conditions_vary("condition");

	event.at = PG_GETARG_TIMESTAMPTZ(2);
	if (!TIMESTAMP_NOT_FINITE(event.at))
	{
		state->counted = true;
		if (event.marks != 0)
			events_add(&state->events, event, context);
	}
	PG_RETURN_POINTER(state);
}

static void
sequence_merge(void *into, const void *from, MemoryContext context)
{
	SequenceState *state = into;
	const SequenceState *other = from;

	if (state->base.is_new)
		state->pattern = pattern_share(other->pattern, context);
	else if (!pattern_has_text(state->pattern, other->pattern->text, other->pattern->length))
		aggregate_varies("pattern");
	else if (state->pattern->conditions != other->pattern->conditions)
		conditions_vary("condition");
	state->counted |= other->counted;
	events_merge(&state->events, &other->events, context);
}

static void
sequence_send(void *from, StringInfo wire)
{
	SequenceState *state = from;

	pattern_send(state->pattern, wire);
	pq_sendint8(wire, state->counted);
	events_send(&state->events, wire);
}

static bool
sequence_receive(void *into, StringInfo wire)
{
	SequenceState *state = into;
	int			counted;

	state->pattern = pattern_receive(wire);
	if (state->pattern == NULL)
		return false;
	counted = pq_getmsgbyte(wire);
	state->counted = counted != 0;
	if (counted > 1 || !events_receive(&state->events, wire))
		return false;
	for (int i = 0; i < state->events.count; i++)
	{
		uint64		marks = state->events.at[i].marks;

		if (marks == 0 || (marks >> (state->pattern->conditions - 1)) > 1)
			return false;
	}
	return true;
}

static bool
sequence_is_valid(const void *of)
{
	const SequenceState *state = of;

	return pattern_is_valid(state->pattern) && events_is_valid(&state->events) &&
		(state->counted || state->events.count == 0);
}

const AggregateKind sequence_kind = {
	.name = "sequence",
	.id = AGGREGATE_SEQUENCE,
	.version = 1,
	.size = sizeof(SequenceState),
	.merge = sequence_merge,
	.send = sequence_send,
	.receive = sequence_receive,
	.is_valid = sequence_is_valid
};

static void
attend(void)
{
	CHECK_FOR_INTERRUPTS();
}

/*
 * Searches the events of a state; chain has room for SEQUENCE_ACTIONS, or is
 * NULL if it is not the goal.  False if no row was counted.
 */
static bool
search_events(FunctionCallInfo fcinfo, SequenceState *state, SequenceGoal goal,
			  int64 *chain, SequenceSearch *search)
{
	PatternMemory *memory = aggregate_memory(fcinfo, sizeof(PatternMemory));
	void	   *work;

	if (state == NULL || !state->counted)
		return false;

	(void) pattern_compile(memory, state->pattern->text, state->pattern->length,
						   state->pattern->conditions, fcinfo->flinfo->fn_mcxt);
	events_sort(&state->events);
	memset(search, 0, sizeof(SequenceSearch));
	search->pattern = &memory->compiled;
	search->events = state->events.at;
	search->count = state->events.count;
	search->goal = goal;
	search->attend = attend;
	search->chain = chain;
	work = palloc_extended(sequence_search_size(search), MCXT_ALLOC_HUGE);
	sequence_search(search, work);
	pfree(work);
	return true;
}

Datum
segment_sequence_match_final(PG_FUNCTION_ARGS)
{
	SequenceState *state = aggregate_state(fcinfo, &sequence_kind);
	SequenceSearch search;

	if (!search_events(fcinfo, state, SEQUENCE_MATCH, NULL, &search))
		PG_RETURN_NULL();
	PG_RETURN_BOOL(search.found != 0);
}

Datum
segment_sequence_count_final(PG_FUNCTION_ARGS)
{
	SequenceState *state = aggregate_state(fcinfo, &sequence_kind);
	SequenceSearch search;

	if (!search_events(fcinfo, state, SEQUENCE_COUNT, NULL, &search))
		PG_RETURN_NULL();
	PG_RETURN_INT64(search.found);
}

Datum
segment_sequence_events_final(PG_FUNCTION_ARGS)
{
	SequenceState *state = aggregate_state(fcinfo, &sequence_kind);
	SequenceSearch search;
	int64		chain[SEQUENCE_ACTIONS];
	Datum		times[SEQUENCE_ACTIONS];

	if (!search_events(fcinfo, state, SEQUENCE_EVENTS, chain, &search))
		PG_RETURN_NULL();
	for (int i = 0; i < search.found; i++)
		times[i] = TimestampTzGetDatum(state->events.at[chain[i]].at);
	PG_RETURN_ARRAYTYPE_P(construct_array(times, (int) search.found, TIMESTAMPTZOID,
										  sizeof(TimestampTz), FLOAT8PASSBYVAL,
										  TYPALIGN_DOUBLE));
}
