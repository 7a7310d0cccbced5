/*
 * extreme.c
 *		segment.first(value, at), segment.last(value, at): the value at the
 *		earliest and at the latest time.
 *
 * Of several values at one time, the first is the smallest and the last the
 * greatest one.
 */
#include "postgres.h"

#include "aggregate/kinds.h"
#include "aggregate/value.h"
#include "libpq/pqformat.h"
#include "utils/datum.h"
#include "utils/timestamp.h"

typedef struct ExtremeState
{
	AggregateState base;		/* of which kind, says which of the two it is */
	Oid			type;			/* of the value */
	ValueType  *known;			/* of the type; NULL in what was read from the wire */
	TimestampTz at;				/* when the value was */
	Datum		value;			/* plain; if by reference, in memory of the state */
	Size		room;			/* there, bytes; 0 in what was read from the wire */
} ExtremeState;

PG_FUNCTION_INFO_V1(segment_first_transition);
PG_FUNCTION_INFO_V1(segment_last_transition);
PG_FUNCTION_INFO_V1(segment_extreme_combine);
PG_FUNCTION_INFO_V1(segment_first_final);
PG_FUNCTION_INFO_V1(segment_last_final);

/* Takes a plain value in place of the one before, if any. */
static void
keep(ExtremeState *state, Datum value, TimestampTz at, MemoryContext context)
{
	state->at = at;
	if (state->known->by_value)
		state->value = value;
	else
	{
		Size		size = datumGetSize(value, false, state->known->length);

		/* Neither allocate for each row, nor hold on to much more than is needed. */
		if (state->room < size || state->room / 4 > size)
		{
			void	   *memory = MemoryContextAlloc(context, size);

			if (state->room > 0)
				pfree(DatumGetPointer(state->value));
			state->value = PointerGetDatum(memory);
			state->room = size;
		}
		memcpy(DatumGetPointer(state->value), DatumGetPointer(value), size);
	}
}

/* Is a plain value at a time more extreme than what the state holds? */
static bool
exceeds(ExtremeState *state, Datum value, TimestampTz at)
{
	bool		is_last = state->base.kind == &last_kind;
	int			order;

	if (at != state->at)
		return is_last == (at > state->at);
	order = value_compare(state->known, value, state->value);
	return is_last ? order > 0 : order < 0;
}

static Datum
transition(FunctionCallInfo fcinfo, const AggregateKind *kind)
{
	MemoryContext context = aggregate_context(fcinfo);
	ExtremeState *state = aggregate_state(fcinfo, kind);
	ValueType  *known = aggregate_memory(fcinfo, sizeof(ValueType));
	TimestampTz at;
	Datum		value;

	if (!OidIsValid(known->oid))
		value_type(known, get_fn_expr_argtype(fcinfo->flinfo, 1), PG_GET_COLLATION(),
				   fcinfo->flinfo->fn_mcxt);
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		AGGREGATE_RETURN_STATE(state);
	at = PG_GETARG_TIMESTAMPTZ(2);
	if (TIMESTAMP_NOT_FINITE(at))
		AGGREGATE_RETURN_STATE(state);

	if (state == NULL)
	{
		state = aggregate_make(kind, context);
		state->type = known->oid;
		state->known = known;
		keep(state, value_plain(known, PG_GETARG_DATUM(1)), at, context);
	}
	/* Most values lose by their time, and need not be looked at. */
	else if (at == state->at || (kind == &last_kind) == (at > state->at))
	{
		value = value_plain(known, PG_GETARG_DATUM(1));
		if (exceeds(state, value, at))
			keep(state, value, at, context);
	}
	PG_RETURN_POINTER(state);
}

Datum
segment_first_transition(PG_FUNCTION_ARGS)
{
	return transition(fcinfo, &first_kind);
}

Datum
segment_last_transition(PG_FUNCTION_ARGS)
{
	return transition(fcinfo, &last_kind);
}

/*
 * Beside what all aggregates need, merging needs to know of the type, which has
 * to be the one of the arguments.
 */
Datum
segment_extreme_combine(PG_FUNCTION_ARGS)
{
	ValueType  *known;
	Aggref	   *call;

	(void) aggregate_context(fcinfo);
	known = aggregate_memory(fcinfo, sizeof(ValueType));
	if (!OidIsValid(known->oid))
	{
		call = AggGetAggref(fcinfo);
		if (call == NULL || call->aggargtypes == NIL)
			aggregate_corrupt(NULL);
		value_type(known, linitial_oid(call->aggargtypes), PG_GET_COLLATION(),
				   fcinfo->flinfo->fn_mcxt);
	}
	for (int i = 0; i < 2; i++)
	{
		ExtremeState *state = PG_ARGISNULL(i) ? NULL : (ExtremeState *) PG_GETARG_POINTER(i);

		if (state == NULL)
			continue;
		if ((state->base.kind != &first_kind && state->base.kind != &last_kind) ||
			state->type != known->oid)
			aggregate_corrupt(state->base.kind->name);
		state->known = known;
	}
	return segment_aggregate_combine(fcinfo);
}

static void
extreme_merge(void *into, const void *from, MemoryContext context)
{
	ExtremeState *state = into;
	const ExtremeState *other = from;

	if (other->known == NULL)
		aggregate_corrupt(other->base.kind->name);
	if (state->base.is_new)
	{
		state->type = other->type;
		state->known = other->known;
		keep(state, other->value, other->at, context);
	}
	else if (exceeds(state, other->value, other->at))
		keep(state, other->value, other->at, context);
}

static void
extreme_send(void *from, StringInfo wire)
{
	ExtremeState *state = from;

	if (state->known == NULL)
		aggregate_corrupt(state->base.kind->name);
	pq_sendint64(wire, state->at);
	value_send(state->known, state->value, wire);
}

static bool
extreme_receive(void *into, StringInfo wire)
{
	ExtremeState *state = into;

	state->at = pq_getmsgint64(wire);
	return value_receive(wire, &state->type, &state->value);
}

static bool
extreme_is_valid(const void *of)
{
	const ExtremeState *state = of;

	return aggregate_is_instant(state->at) && OidIsValid(state->type) &&
		(state->known == NULL || state->known->oid == state->type);
}

const AggregateKind first_kind = {
	.name = "first",
	.id = AGGREGATE_FIRST,
	.version = 1,
	.size = sizeof(ExtremeState),
	.merge = extreme_merge,
	.send = extreme_send,
	.receive = extreme_receive,
	.is_valid = extreme_is_valid
};

const AggregateKind last_kind = {
	.name = "last",
	.id = AGGREGATE_LAST,
	.version = 1,
	.size = sizeof(ExtremeState),
	.merge = extreme_merge,
	.send = extreme_send,
	.receive = extreme_receive,
	.is_valid = extreme_is_valid
};

static Datum
final(FunctionCallInfo fcinfo, const AggregateKind *kind)
{
	ExtremeState *state = aggregate_state(fcinfo, kind);

	if (state == NULL)
		PG_RETURN_NULL();
	if (state->type != get_fn_expr_argtype(fcinfo->flinfo, 1))
		aggregate_corrupt(kind->name);
	PG_RETURN_DATUM(state->value);
}

Datum
segment_first_final(PG_FUNCTION_ARGS)
{
	return final(fcinfo, &first_kind);
}

Datum
segment_last_final(PG_FUNCTION_ARGS)
{
	return final(fcinfo, &last_kind);
}
