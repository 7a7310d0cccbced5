/*
 * concentration.c
 *		segment.concentration(value): the Gini coefficient of values that are not
 *		negative.
 */
#include "postgres.h"

#include <math.h>

#include "aggregate/kinds.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* Finite and not negative; 0 has no sign. */
static inline bool
is_value(double value)
{
	return isfinite(value) && value >= 0 && !signbit(value);
}

static bool
receive_value(StringInfo wire, double *value)
{
	*value = pq_getmsgfloat8(wire);
	return is_value(*value);
}

#define ORDERED_TYPE Values
#define ORDERED_PREFIX values
#define ORDERED_ELEMENT double
#define ORDERED_DECLARE
#include "aggregate/ordered.h"
#undef ORDERED_DECLARE
#define ORDERED_DEFINE
#define ORDERED_COMPARE(a, b) (*(a) < *(b) ? -1 : *(a) > *(b))
#define ORDERED_WIRE_SIZE sizeof(double)
#define ORDERED_SEND(wire, e) pq_sendfloat8(wire, *(e))
#define ORDERED_RECEIVE(wire, e) receive_value(wire, e)
#include "aggregate/ordered.h"

typedef struct ConcentrationState
{
	AggregateState base;
	Values		values;
} ConcentrationState;

/* A sum and what rounding took from it (Neumaier 1974). */
typedef struct CarefulSum
{
	double		sum;
	double		correction;
} CarefulSum;

PG_FUNCTION_INFO_V1(segment_concentration_transition);
PG_FUNCTION_INFO_V1(segment_concentration_final);

Datum
segment_concentration_transition(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	ConcentrationState *state = aggregate_state(fcinfo, &concentration_kind);
	double		value;

	if (PG_ARGISNULL(1))
		AGGREGATE_RETURN_STATE(state);

	value = PG_GETARG_FLOAT8(1);
	if (!isfinite(value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("value must not be infinite or NaN"),
				 errhint("Leave such rows out with FILTER (WHERE ...).")));
	if (value < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("value must not be negative"),
				 errhint("Give greatest(value, 0), or leave such rows out with FILTER (WHERE ...).")));
	if (state == NULL)
		state = aggregate_make(&concentration_kind, context);
	values_add(&state->values, value == 0 ? 0 : value, context);
	PG_RETURN_POINTER(state);
}

static void
concentration_merge(void *into, const void *from, MemoryContext context)
{
	values_merge(&((ConcentrationState *) into)->values,
				 &((const ConcentrationState *) from)->values, context);
}

static void
concentration_send(void *from, StringInfo wire)
{
	values_send(&((ConcentrationState *) from)->values, wire);
}

static bool
concentration_receive(void *into, StringInfo wire)
{
	return values_receive(&((ConcentrationState *) into)->values, wire);
}

static bool
concentration_is_valid(const void *of)
{
	const Values *values = &((const ConcentrationState *) of)->values;

	return values_is_valid(values) && values->count > 0;
}

const AggregateKind concentration_kind = {
	.name = "concentration",
	.id = AGGREGATE_CONCENTRATION,
	.version = 1,
	.size = sizeof(ConcentrationState),
	.merge = concentration_merge,
	.send = concentration_send,
	.receive = concentration_receive,
	.is_valid = concentration_is_valid
};

/* Adds a number that is not negative. */
static inline void
add_carefully(CarefulSum *sum, double number)
{
	double		total = sum->sum + number;

	if (sum->sum >= number)
		sum->correction += (sum->sum - total) + number;
	else
		sum->correction += (number - total) + sum->sum;
	sum->sum = total;
}

Datum
segment_concentration_final(PG_FUNCTION_ARGS)
{
	ConcentrationState *state = aggregate_state(fcinfo, &concentration_kind);
	CarefulSum	differences = {0};
	CarefulSum	total = {0};
	double		before = 0;
	double		n;
	int			exponent;

	if (state == NULL)
		PG_RETURN_NULL();
	values_sort(&state->values);
	n = state->values.count;
	if (state->values.at[state->values.count - 1] == 0)
		PG_RETURN_NULL();

	/*
	 * The sum of (2i - n - 1) x_i is that of all differences of two values, and
	 * i (n - i) of those pairs have the step from x_i to x_i+1 between them.  So
	 * nothing is subtracted but neighbors, and no digits cancel out.  A power of
	 * two brings the greatest value below 1.
	 */
	(void) frexp(state->values.at[state->values.count - 1], &exponent);
	for (int i = 0; i < state->values.count; i++)
	{
		double		value = ldexp(state->values.at[i], -exponent);

		CHECK_FOR_INTERRUPTS();
		add_carefully(&differences, i * (n - i) * (value - before));
		add_carefully(&total, value);
		before = value;
	}
	PG_RETURN_FLOAT8((differences.sum + differences.correction) / n /
					 (total.sum + total.correction));
}
