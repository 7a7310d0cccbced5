/*
 * crossing.c
 *		SQL face of model/crossing: when time alone flips a comparison, or
 *		changes a value.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "guc.h"
#include "rule/crossing.h"
#include "rule/steps.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(segment_crossing);
PG_FUNCTION_INFO_V1(segment_crossing_timestamp);
PG_FUNCTION_INFO_V1(segment_crossing_date);
PG_FUNCTION_INFO_V1(segment_crossing_span);
PG_FUNCTION_INFO_V1(segment_next_flip);
PG_FUNCTION_INFO_V1(segment_next_flip_within);
PG_FUNCTION_INFO_V1(segment_next_change);
PG_FUNCTION_INFO_V1(segment_next_changes);
PG_FUNCTION_INFO_V1(segment_boundaries);

/* Pieces of a value that are looked at for one answer. */
#define MOST_PIECES		1000

/*
 * Lengths up to 36 years: neither numeric nor double precision rounds a quotient
 * of such a length to a whole number that it is a microsecond away from.
 */
#define MOST_EXACT		((double) (INT64CONST(1) << (DBL_MANT_DIG - 3)))

TimestampTz
crossing_as_of(void)
{
	TimestampTz instant;

	return guc_as_of(&instant) ? instant : GetCurrentTransactionStartTimestamp();
}

/* The next flip of value >= target after from, if it comes before *result, which is then that. */
static void
find_flip_after(TimestampTz from, Steps *steps, int64 target, TimestampTz *result)
{
	int64		flip;

	if (steps_target(steps, &target) &&
		crossing_find(from, target, steps_window(steps, target), steps_piece, steps, &flip) &&
		IS_VALID_TIMESTAMP(flip) && flip < *result)
		*result = flip;
}

static void
find_flip(Steps *steps, int64 target, TimestampTz *result)
{
	find_flip_after(crossing_as_of(), steps, target, result);
}

/* Is value >= low at an instant, and not value >= high + 1? */
static bool
is_within(TimestampTz at, Steps *steps, int64 low, int64 high)
{
	int64		next = high + 1;
	CrossingPiece piece;

	return steps_target(steps, &low) && steps_target(steps, &next) &&
		steps_piece(at, &piece, steps) && (piece.value >= low) != (piece.value >= next);
}

/* The next change of low <= value <= high, which a value that steps may pass over. */
static void
find_within(Steps *steps, int64 low, int64 high, TimestampTz *result)
{
	bool		within = is_within(crossing_as_of(), steps, low, high);
	TimestampTz from = crossing_as_of();

	for (int i = 0; i < MOST_PIECES; i++)
	{
		*result = DT_NOEND;
		find_flip_after(from, steps, low, result);
		find_flip_after(from, steps, high + 1, result);
		if (*result == DT_NOEND || is_within(*result, steps, low, high) != within)
			return;
		from = *result;
	}
}

/*
 * The next flip of segment.now() + shift >= at, or of > if after; at is no
 * instant where it is out of their range.
 */
static Datum
shift_crossing(FunctionCallInfo fcinfo, TimestampTz at, bool is_instant)
{
	Steps		steps;
	TimestampTz result = DT_NOEND;

	if (!is_instant || TIMESTAMP_NOT_FINITE(at))
		PG_RETURN_NULL();
	steps_init_shift(&steps, PG_GETARG_INTERVAL_P(1));
	find_flip(&steps, PG_GETARG_BOOL(2) ? at + 1 : at, &result);
	if (result == DT_NOEND)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(result);
}

/* segment.crossing(at timestamptz, shift, after) */
Datum
segment_crossing(PG_FUNCTION_ARGS)
{
	return shift_crossing(fcinfo, PG_GETARG_TIMESTAMPTZ(0), true);
}

/*
 * segment.crossing(at timestamp, shift, after): the comparison takes a local
 * time that is out of the range of instants, where a cast would raise an error.
 */
Datum
segment_crossing_timestamp(PG_FUNCTION_ARGS)
{
	int			overflow;
	TimestampTz at = timestamp2timestamptz_opt_overflow(PG_GETARG_TIMESTAMP(0), &overflow);

	return shift_crossing(fcinfo, at, overflow == 0);
}

/* segment.crossing(at date, shift, after): the same of midnight */
Datum
segment_crossing_date(PG_FUNCTION_ARGS)
{
	int			overflow;
	TimestampTz at = date2timestamptz_opt_overflow(PG_GETARG_DATEADT(0), &overflow);

	return shift_crossing(fcinfo, at, overflow == 0);
}

/*
 * segment.crossing_span(at, span, after): the next flip of
 * segment.now() - at >= span, or of > if after.
 *
 * The difference of two instants has days and microseconds only, and intervals
 * are ordered by their length at 24 hours a day, so it is linear.
 */
Datum
segment_crossing_span(PG_FUNCTION_ARGS)
{
	TimestampTz at = PG_GETARG_TIMESTAMPTZ(0);
	Interval   *span = PG_GETARG_INTERVAL_P(1);
	bool		after = PG_GETARG_BOOL(2);
	TimestampTz result;

	if (TIMESTAMP_NOT_FINITE(at))
		PG_RETURN_NULL();
	result = crossing_add_span(after ? at + 1 : at,
							   span->month, span->day, span->time);
	if (!IS_VALID_TIMESTAMP(result) || result <= crossing_as_of())
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(result);
}

Flip
crossing_flip_of(text *how)
{
	static const char *const names[] = {"reaches", "passes", "either"};
	char	   *name = text_to_cstring(how);

	for (int i = 0; i < lengthof(names); i++)
	{
		if (strcmp(name, names[i]) == 0)
			return (Flip) i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("a comparison must be \"reaches\", \"passes\" or \"either\", not \"%s\"", name)));
}

/*
 * A number as a length in microseconds, rounded down.  *exact: that is its
 * length for certain.
 */
static bool
number_target(const Steps *steps, Datum value, Oid type, int64 *target, bool *exact)
{
	double		factor = steps->step[steps->count - 1].factor;
	double		number;
	double		length;

	switch (type)
	{
		case INT2OID:
			number = DatumGetInt16(value);
			break;
		case INT4OID:
			number = DatumGetInt32(value);
			break;
		case INT8OID:
			number = (double) DatumGetInt64(value);
			break;
		case NUMERICOID:
			number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value));
			break;
		case FLOAT8OID:
			number = DatumGetFloat8(value);
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("type %s can not be compared as a number", format_type_be(type)),
					 errhint("Give an integer, a float8 or a numeric.")));
	}
	length = floor(number * factor);
	/* no difference of two times is longer */
	if (isnan(length) || fabs(length) > (double) PG_INT64_MAX / 2)
		return false;
	*target = (int64) length;
	*exact = number == rint(number) && factor == rint(factor) && fabs(length) < MOST_EXACT;
	return true;
}

/* An argument as a target of the steps. */
static bool
target_of(FunctionCallInfo fcinfo, int n, const Steps *steps, int64 *target, bool *exact)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, n);
	Datum		value = PG_GETARG_DATUM(n);

	*exact = true;
	if (steps->numeric)
		return number_target(steps, value, type, target, exact);
	if (steps->span)
	{
		Interval   *span = DatumGetIntervalP(value);

		if (type != INTERVALOID)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("type %s can not be compared as a length", format_type_be(type)),
					 errhint("Give an interval or a number.")));
		*target = crossing_add_span(0, span->month, span->day, span->time);
		return true;
	}
	return steps_read_time(value, type, steps->local, target);
}

/* segment.next_flip(how, target, VARIADIC steps) */
Datum
segment_next_flip(PG_FUNCTION_ARGS)
{
	Flip		how = crossing_flip_of(PG_GETARG_TEXT_PP(0));
	Steps		steps;
	TimestampTz result = DT_NOEND;
	int64		target;
	bool		exact;

	if (!steps_read(fcinfo, 2, &steps) || !target_of(fcinfo, 1, &steps, &target, &exact))
		PG_RETURN_NULL();
	if (!exact)
	{
		/* it is there or beside it that a rounded number gets there: a matter of 52 bits */
		int			slack = 1 + (int) (llabs(target) >> 50);

		for (int i = -slack; i <= slack + 1; i++)
			find_flip(&steps, target + i, &result);
	}
	else if (how == EITHER)
		find_within(&steps, target, target, &result);
	else
		find_flip(&steps, how == PASSES ? target + 1 : target, &result);
	if (result == DT_NOEND)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(result);
}

static bool
has_targets(const Steps *steps, int64 low, int64 high)
{
	return steps_target(steps, &low) && steps_target(steps, &high);
}

/* segment.next_flip_within(low, high, VARIADIC steps) */
Datum
segment_next_flip_within(PG_FUNCTION_ARGS)
{
	Steps		steps;
	TimestampTz result = DT_NOEND;
	int64		low, high;
	bool		low_exact, high_exact;

	for (int i = 2; i < PG_NARGS(); i++)
	{
		if (PG_ARGISNULL(i))
			PG_RETURN_NULL();
	}
	if (!steps_read(fcinfo, 2, &steps))
		PG_RETURN_NULL();
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) ||
		!target_of(fcinfo, 0, &steps, &low, &low_exact) || !target_of(fcinfo, 1, &steps, &high, &high_exact) ||
		!low_exact || !high_exact || low > high || !has_targets(&steps, low, high + 1))
		PG_RETURN_TIMESTAMPTZ(DT_NOBEGIN);
	find_within(&steps, low, high, &result);
	if (result == DT_NOEND)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(result);
}

/* The next change of a length cut off to whole units: where it leaves the present one, or the one beside. */
static void
find_change_of_units(Steps *steps, const Step *whole, TimestampTz *result)
{
	CrossingPiece piece;
	int64		units;

	if (!steps_piece(crossing_as_of(), &piece, steps))
		return;
	for (int i = steps->moving; i < steps->count; i++)
	{
		if (steps->step[i].kind == STEP_SINCE)
			piece.value -= steps->step[i].number;
		else if (steps->step[i].kind == STEP_UNTIL)
			piece.value = steps->step[i].number - piece.value;
	}
	units = crossing_floor_div(piece.value, whole->number);
	for (int64 i = units - 1; i <= units + 2; i++)
		find_flip(steps, i * whole->number, result);
}

/* segment.next_change(VARIADIC steps) */
Datum
segment_next_change(PG_FUNCTION_ARGS)
{
	Steps		steps;
	TimestampTz result = DT_NOEND;
	CrossingPiece piece;
	Step	   *whole = NULL;

	if (!steps_read(fcinfo, 0, &steps))
		PG_RETURN_NULL();
	for (int i = 0; i < steps.count; i++)
	{
		if (steps.step[i].kind == STEP_WHOLE || steps.step[i].kind == STEP_FLOOR)
			whole = &steps.step[i];
	}
	/* the value as it is written changes where its length does not */
	for (int i = 0; i < steps.moving && whole == NULL; i++)
		steps.step[i].distinct = steps.step[i].kind == STEP_AGE;
	if (whole != NULL)
		find_change_of_units(&steps, whole, &result);
	else if (!steps_piece(crossing_as_of(), &piece, &steps))
		PG_RETURN_NULL();
	else if (piece.flat)
		crossing_change(crossing_as_of(), MOST_PIECES, steps_piece, &steps, &result);
	else
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a value that changes all the time has no next change")));
	if (!IS_VALID_TIMESTAMP(result))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(result);
}

/* segment.next_changes(most, VARIADIC steps) */
Datum
segment_next_changes(PG_FUNCTION_ARGS)
{
	int			most = Max(Min(PG_GETARG_INT32(0), MOST_PIECES), 0);
	Datum	   *instants = palloc(sizeof(Datum) * Max(most, 1));
	TimestampTz at = crossing_as_of();
	int			count = 0;
	Steps		steps;

	if (!steps_read(fcinfo, 1, &steps))
		PG_RETURN_NULL();
	if (steps.span && steps.count > steps.moving)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the changes of a length can not be listed"),
				 errhint("Use segment.next_change.")));
	for (int i = 0; i < steps.moving; i++)
		steps.step[i].distinct = steps.step[i].kind == STEP_AGE;
	while (count < most && crossing_change(at, MOST_PIECES, steps_piece, &steps, &at) &&
		   IS_VALID_TIMESTAMP(at))
		instants[count++] = TimestampTzGetDatum(at);
	PG_RETURN_ARRAYTYPE_P(construct_array(instants, count, TIMESTAMPTZOID, sizeof(TimestampTz),
										  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* The last answer of segment.boundaries, which most rows of a query share. */
typedef struct Boundaries
{
	TimestampTz from;
	int			most;
	text	   *unit;
	text	   *zone;
	ArrayType  *result;
} Boundaries;

static bool
same_text(const text *a, const text *b)
{
	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

static text *
keep_text(const text *value)
{
	return cstring_to_text_with_len(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
}

/*
 * The next instant at which a unit begins on the local clock.  Of the session's
 * clock date_trunc also gives instants, and where clocks go back an hour begins
 * anew that reads the same.
 */
static bool
next_boundary(Steps *local, Steps *instant, TimestampTz *at)
{
	TimestampTz from = *at;
	TimestampTz other;
	bool		found = crossing_change(from, MOST_PIECES, steps_piece, local, at);

	if (instant != NULL && crossing_change(from, MOST_PIECES, steps_piece, instant, &other) &&
		(!found || other < *at))
	{
		*at = other;
		found = true;
	}
	return found;
}

static ArrayType *
find_boundaries(text *unit, text *zone, int most)
{
	Steps		steps = {.count = 2, .moving = 2};
	Steps		instant = {.count = 1, .moving = 1};
	Datum	   *instants = palloc(sizeof(Datum) * Max(most, 1));
	TimestampTz at = crossing_as_of();
	bool		both;
	int			count = 0;

	steps.step[0].kind = STEP_LOCAL;
	steps.step[1].kind = STEP_TRUNC;
	steps.step[1].local = true;
	if (!local_unit(unit, &steps.step[1].unit))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is no unit of time", text_to_cstring(unit))));
	instant.step[0].kind = STEP_TRUNC;
	instant.step[0].unit = steps.step[1].unit;
	both = VARSIZE_ANY_EXHDR(zone) == 0 && local_unit_length(instant.step[0].unit) < USECS_PER_DAY;
	if (local_zone(zone, &steps.step[0].zone))
	{
		while (count < most && next_boundary(&steps, both ? &instant : NULL, &at))
			instants[count++] = TimestampTzGetDatum(at);
	}
	return construct_array(instants, count, TIMESTAMPTZOID, sizeof(TimestampTz),
						   FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
}

/* segment.boundaries(unit, zone, most) */
Datum
segment_boundaries(PG_FUNCTION_ARGS)
{
	text	   *unit = PG_GETARG_TEXT_PP(0);
	text	   *zone = PG_GETARG_TEXT_PP(1);
	int			most = Min(PG_GETARG_INT32(2), MOST_PIECES);
	Boundaries *kept = fcinfo->flinfo->fn_extra;
	MemoryContext old;

	if (kept != NULL && kept->from == crossing_as_of() && kept->most == most &&
		same_text(kept->unit, unit) && same_text(kept->zone, zone))
		PG_RETURN_ARRAYTYPE_P(kept->result);
	old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	if (kept == NULL)
		kept = fcinfo->flinfo->fn_extra = palloc0(sizeof(Boundaries));
	else
	{
		pfree(kept->unit);
		pfree(kept->zone);
		pfree(kept->result);
	}
	kept->from = crossing_as_of();
	kept->most = most;
	kept->unit = keep_text(unit);
	kept->zone = keep_text(zone);
	kept->result = find_boundaries(unit, zone, most);
	MemoryContextSwitchTo(old);
	PG_RETURN_ARRAYTYPE_P(kept->result);
}
