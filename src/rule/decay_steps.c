/*
 * decay_steps.c
 *		When what is made in steps of a value that decays passes a target.
 *
 * Each step is monotone, so the whole is: the value before the steps at which a
 * comparison of their result with the target flips is found by bisection, to
 * the last digit, with the very rounding that the expression has.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "rule/crossing.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(segment_next_decay_flip);

#define MOST_DECAY_STEPS 16

/* After how, value, half_life and target. */
#define FIRST_STEP 4

typedef enum DecayStepKind
{
	STEP_PLUS,
	STEP_FROM,
	STEP_TIMES,
	STEP_OVER,
	STEP_ROUND,
	STEP_FLOOR,
	STEP_CEIL,
	STEP_TRUNC,
	STEP_NUMERIC,
	STEP_FLOAT
} DecayStepKind;

static const char *const step_names[] = {
	"plus", "from", "times", "over", "round", "floor", "ceil", "trunc", "numeric", "float8"
};

typedef struct DecayStep
{
	DecayStepKind kind;
	double		number;			/* its argument, before and after "numeric" */
	Datum		numeric;
	int			digits;
} DecayStep;

typedef struct DecaySteps
{
	int			count;
	DecayStep	step[MOST_DECAY_STEPS];
	bool		numeric;		/* what comes out is a numeric */
	double		target;
	Datum		numeric_target;
} DecaySteps;

/* Reads an argument that is of the type that the value has by now. */
static bool
read_number(FunctionCallInfo fcinfo, int n, bool numeric, double *number, Datum *result)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, n);

	if (type != (numeric ? NUMERICOID : FLOAT8OID))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("argument %d must be of type %s, not %s", n + 1,
						numeric ? "numeric" : "double precision", format_type_be(type))));
	if (numeric)
	{
		*result = PG_GETARG_DATUM(n);
		return !numeric_is_nan(DatumGetNumeric(*result)) && !numeric_is_inf(DatumGetNumeric(*result));
	}
	*number = PG_GETARG_FLOAT8(n);
	return isfinite(*number);
}

static DecayStepKind
read_kind(text *name)
{
	char	   *given = text_to_cstring(name);

	for (int i = 0; i < lengthof(step_names); i++)
	{
		if (strcmp(given, step_names[i]) == 0)
			return (DecayStepKind) i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("\"%s\" is no step of a value that decays", given)));
}

/* Reads one step; false if its argument is no finite number, or divides by zero. */
static bool
read_step(FunctionCallInfo fcinfo, int n, bool *numeric, DecayStep *step)
{
	step->kind = read_kind(PG_GETARG_TEXT_PP(n));
	if (step->kind == STEP_NUMERIC || step->kind == STEP_FLOAT)
	{
		*numeric = step->kind == STEP_NUMERIC;
		return true;
	}
	if (step->kind >= STEP_ROUND)
	{
		if (get_fn_expr_argtype(fcinfo->flinfo, n + 1) != INT4OID)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("digits must be an integer")));
		step->digits = PG_GETARG_INT32(n + 1);
		return true;
	}
	if (!read_number(fcinfo, n + 1, *numeric, &step->number, &step->numeric))
		return false;
	if (step->kind != STEP_OVER)
		return true;
	return *numeric ?
		!DatumGetBool(DirectFunctionCall2(numeric_eq, step->numeric,
										  DirectFunctionCall1(int4_numeric, Int32GetDatum(0)))) :
		step->number != 0;
}

/* False if there is no such value: then there is nothing to compare. */
static bool
read_steps(FunctionCallInfo fcinfo, DecaySteps *steps)
{
	bool		numeric = false;

	steps->count = (PG_NARGS() - FIRST_STEP) / 2;
	if (PG_NARGS() % 2 != 0 || steps->count > MOST_DECAY_STEPS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("steps must be at most %d, each a name and its argument", MOST_DECAY_STEPS)));
	for (int i = 0; i < steps->count; i++)
	{
		if (!read_step(fcinfo, FIRST_STEP + 2 * i, &numeric, &steps->step[i]))
			return false;
	}
	steps->numeric = numeric;
	return read_number(fcinfo, FIRST_STEP - 1, numeric, &steps->target, &steps->numeric_target);
}

static double
step_float(const DecayStep *step, double value)
{
	switch (step->kind)
	{
		case STEP_PLUS:
			return value + step->number;
		case STEP_FROM:
			return step->number - value;
		case STEP_TIMES:
			return value * step->number;
		case STEP_OVER:
			return value / step->number;
		case STEP_ROUND:
			return rint(value);
		case STEP_FLOOR:
			return floor(value);
		case STEP_CEIL:
			return ceil(value);
		default:
			return trunc(value);
	}
}

static Datum
step_numeric(const DecayStep *step, Datum value)
{
	switch (step->kind)
	{
		case STEP_PLUS:
			return DirectFunctionCall2(numeric_add, value, step->numeric);
		case STEP_FROM:
			return DirectFunctionCall2(numeric_sub, step->numeric, value);
		case STEP_TIMES:
			return DirectFunctionCall2(numeric_mul, value, step->numeric);
		case STEP_OVER:
			return DirectFunctionCall2(numeric_div, value, step->numeric);
		case STEP_ROUND:
			return DirectFunctionCall2(numeric_round, value, Int32GetDatum(step->digits));
		case STEP_FLOOR:
			return DirectFunctionCall1(numeric_floor, value);
		case STEP_CEIL:
			return DirectFunctionCall1(numeric_ceil, value);
		default:
			return DirectFunctionCall2(numeric_trunc, value, Int32GetDatum(step->digits));
	}
}

/* How the steps' result compares with the target. */
static int
compare(const DecaySteps *steps, double value)
{
	bool		numeric = false;
	Datum		decimal = (Datum) 0;

	for (int i = 0; i < steps->count; i++)
	{
		const DecayStep *step = &steps->step[i];

		if (step->kind == STEP_NUMERIC && !numeric)
			decimal = DirectFunctionCall1(float8_numeric, Float8GetDatum(value));
		else if (step->kind == STEP_FLOAT && numeric)
			value = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, decimal));
		else if (numeric)
			decimal = step_numeric(step, decimal);
		else
			value = step_float(step, value);
		if (step->kind == STEP_NUMERIC || step->kind == STEP_FLOAT)
			numeric = step->kind == STEP_NUMERIC;
	}
	if (numeric)
		return DatumGetInt32(DirectFunctionCall2(numeric_cmp, decimal, steps->numeric_target));
	return value > steps->target ? 1 : value < steps->target ? -1 : 0;
}

/* Does the comparison (> or >=) hold for a value? */
static bool
holds(const DecaySteps *steps, double value, bool after)
{
	int			order = compare(steps, value);

	return after ? order > 0 : order >= 0;
}

/*
 * Between nothing and a value that has all that it may have been rounded by:
 * the least at which the comparison is as it is there.  Doubles of one sign are
 * ordered as the integers that their bits are.
 */
static bool
find_threshold(const DecaySteps *steps, double value, bool after, double *threshold)
{
	double		most = fabs(value) * (1 + DECAY_EARLY);
	double		sign = value < 0 ? -1 : 1;
	bool		now = holds(steps, sign * most, after);
	uint64		low = 0;
	uint64		high;

	memcpy(&high, &most, sizeof(high));
	if (holds(steps, 0, after) == now)
		return false;
	while (high - low > 1)
	{
		uint64		middle = low + (high - low) / 2;
		double		tried;

		memcpy(&tried, &middle, sizeof(tried));
		if (holds(steps, sign * tried, after) == now)
			high = middle;
		else
			low = middle;
	}
	memcpy(threshold, &high, sizeof(high));
	*threshold *= sign;
	return true;
}

/* segment.next_decay_flip(how, value, half_life, target, VARIADIC steps) */
Datum
segment_next_decay_flip(PG_FUNCTION_ARGS)
{
	Flip		how = crossing_flip_of(PG_GETARG_TEXT_PP(0));
	double		value = PG_GETARG_FLOAT8(1);
	double		half_life = decay_half_life(PG_GETARG_INTERVAL_P(2));
	TimestampTz result = DT_NOEND;
	TimestampTz instant;
	double		threshold[2];
	bool		found[2] = {false, false};
	DecaySteps	steps;

	if (!isfinite(value) || !read_steps(fcinfo, &steps))
		PG_RETURN_NULL();
	if (how != PASSES)
		found[0] = find_threshold(&steps, value, false, &threshold[0]);
	if (how != REACHES)
		found[1] = find_threshold(&steps, value, true, &threshold[1]);
	/* what goes past the target from one double to the next is never equal to it */
	if (found[0] && found[1] && threshold[0] == threshold[1])
		PG_RETURN_NULL();
	for (int i = 0; i < 2; i++)
	{
		if (found[i] && decay_reaches(value, threshold[i], half_life, &instant))
			result = Min(result, instant);
	}
	if (result == DT_NOEND)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(result);
}
