/*
 * steps.c
 *		A value that moves with time, as the steps that lead to it from now().
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "miscadmin.h"
#include "rule/steps.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

/*
 * age() counts months, which intervals order as 30 days: so many days of the
 * calendar are a day of it, give or take AGE_SLACK.
 */
#define AGE_DAY		(30.436875 / 30)
#define AGE_SLACK	(8 * USECS_PER_DAY)

void
steps_init_shift(Steps *steps, const Interval *shift)
{
	memset(steps, 0, offsetof(Steps, step) + sizeof(Step));
	steps->count = steps->moving = 1;
	steps->step[0].kind = STEP_SHIFT;
	steps->step[0].shift = *shift;
}

bool
steps_read_time(Datum value, Oid type, bool local, int64 *result)
{
	int			overflow = 0;

	if (type != DATEOID && type != TIMESTAMPOID && (type != TIMESTAMPTZOID || local))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("type %s can not be compared as a time", format_type_be(type)),
				 errhint("Give a timestamp with or without time zone, or a date.")));
	if (type == DATEOID && DATE_NOT_FINITE(DatumGetDateADT(value)))
		return false;
	if (type != DATEOID && TIMESTAMP_NOT_FINITE(DatumGetTimestamp(value)))
		return false;
	if (type == DATEOID)
		*result = local ? date2timestamp_opt_overflow(DatumGetDateADT(value), &overflow) :
			date2timestamptz_opt_overflow(DatumGetDateADT(value), &overflow);
	else if (type == TIMESTAMPOID && !local)
		*result = timestamp2timestamptz_opt_overflow(DatumGetTimestamp(value), &overflow);
	else
		*result = DatumGetTimestamp(value);
	return overflow == 0;
}

static void
bad_step(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("\"%s\" is no step that can stand here, or not with this argument", name),
			 errhint("See \"Crossings\" in the reference.")));
}

/* The argument of a step that must have one of certain types. */
static Datum
step_value(FunctionCallInfo fcinfo, int arg, const char *name, Oid type)
{
	if (get_fn_expr_argtype(fcinfo->flinfo, arg) != type)
		bad_step(name);
	return PG_GETARG_DATUM(arg);
}

static int64
span_of(const Interval *interval)
{
	return crossing_add_span(0, interval->month, interval->day, interval->time);
}

/* Digits of the second to what they are worth. */
static int64
rounding_of(int32 digits)
{
	int64		result = USECS_PER_SEC;

	for (int i = 0; i < digits && i < 6; i++)
		result /= 10;
	return result;
}

/* Which fields of the age before are meant, as part of that step. */
static void
read_fields(FunctionCallInfo fcinfo, int arg, const char *name, Steps *steps)
{
	Step	   *age = &steps->step[steps->count - 2];

	if (steps->count < 2 || age->kind != STEP_AGE || age->unit != 0 ||
		!local_unit(DatumGetTextPP(step_value(fcinfo, arg + 1, name, TEXTOID)), &age->unit) ||
		(age->unit != DTK_MONTH && age->unit != DTK_DAY))
		bad_step(name);
	steps->count--;
}

/* A step of lengths; argument arg + 1 is what it takes. */
static bool
read_length_step(FunctionCallInfo fcinfo, int arg, const char *name, Steps *steps, Step *step)
{
	if (strcmp(name, "since") == 0 || strcmp(name, "until") == 0)
	{
		if (steps->span)
			bad_step(name);
		step->kind = name[0] == 's' ? STEP_SINCE : STEP_UNTIL;
		steps->span = true;
		return steps_read_time(PG_GETARG_DATUM(arg + 1),
							   get_fn_expr_argtype(fcinfo->flinfo, arg + 1),
							   steps->local, &step->number);
	}
	if (!steps->span)
		bad_step(name);
	if (strcmp(name, "fields") == 0)
		read_fields(fcinfo, arg, name, steps);
	else if (strcmp(name, "longer") == 0)
	{
		step->kind = STEP_LONGER;
		step->number = span_of(DatumGetIntervalP(step_value(fcinfo, arg + 1, name, INTERVALOID)));
	}
	else if (strcmp(name, "whole") == 0 || strcmp(name, "floor") == 0)
	{
		step->kind = name[0] == 'w' ? STEP_WHOLE : STEP_FLOOR;
		step->number = span_of(DatumGetIntervalP(step_value(fcinfo, arg + 1, name, INTERVALOID)));
		if (step->number <= 0)
			bad_step(name);
	}
	else if (strcmp(name, "number") == 0)
	{
		step->kind = STEP_NUMBER;
		step->factor = DatumGetFloat8(step_value(fcinfo, arg + 1, name, FLOAT8OID));
		steps->numeric = true;
	}
	else
		bad_step(name);
	return true;
}

static bool
read_step(FunctionCallInfo fcinfo, int arg, const char *name, Steps *steps, Step *step)
{
	int			value = arg + 1;

	if (strcmp(name, "shift") == 0)
	{
		step->kind = STEP_SHIFT;
		step->shift = *DatumGetIntervalP(step_value(fcinfo, value, name, INTERVALOID));
	}
	else if (strcmp(name, "days") == 0)
	{
		step->kind = STEP_SHIFT;
		step->shift.day = DatumGetInt32(step_value(fcinfo, value, name, INT4OID));
	}
	else if (strcmp(name, steps->local ? "instant" : "local") == 0)
	{
		step->kind = steps->local ? STEP_INSTANT : STEP_LOCAL;
		steps->local = !steps->local;
		return local_zone(DatumGetTextPP(step_value(fcinfo, value, name, TEXTOID)), &step->zone);
	}
	else if (strcmp(name, "trunc") == 0)
	{
		step->kind = STEP_TRUNC;
		if (!local_unit(DatumGetTextPP(step_value(fcinfo, value, name, TEXTOID)), &step->unit) ||
			(!steps->local && local_unit_length(step->unit) >= USECS_PER_DAY))
			bad_step(name);
	}
	else if (strcmp(name, "round") == 0)
	{
		step->kind = STEP_ROUND;
		step->number = rounding_of(DatumGetInt32(step_value(fcinfo, value, name, INT4OID)));
	}
	else if (strcmp(name, "age") == 0)
	{
		step->kind = STEP_AGE;
		steps->span = true;
		return steps_read_time(PG_GETARG_DATUM(value),
							   get_fn_expr_argtype(fcinfo->flinfo, value),
							   steps->local, &step->number);
	}
	else
		return read_length_step(fcinfo, arg, name, steps, step);
	return true;
}

bool
steps_read(FunctionCallInfo fcinfo, int first, Steps *steps)
{
	bool		reachable = true;

	memset(steps, 0, offsetof(Steps, step));
	if ((PG_NARGS() - first) % 2 != 0 || PG_NARGS() - first > 2 * MAX_STEPS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("steps must be pairs of a name and an argument, at most %d", MAX_STEPS)));
	for (int arg = first; arg < PG_NARGS(); arg += 2)
	{
		char	   *name = TextDatumGetCString(step_value(fcinfo, arg, "step", TEXTOID));
		Step	   *step = &steps->step[steps->count++];
		bool		done = steps->span;

		memset(step, 0, sizeof(Step));
		step->local = steps->local;
		reachable = (done ? read_length_step(fcinfo, arg, name, steps, step) :
					 read_step(fcinfo, arg, name, steps, step)) && reachable;
		if (!done && step->kind < STEP_SINCE)
			steps->moving = steps->count;
		pfree(name);
	}
	return reachable;
}

/* What has come of adding months or days, or of another step on the clock of the session. */
static bool
on_local_clock(CrossingPiece *piece, bool local, int32 months, int32 days)
{
	LocalZone	zone;

	local_session_zone(&zone);
	if (!local && !local_from_instant(piece, &zone))
		return false;
	if (months != 0 && !local_add_months(piece, months))
		return false;
	if (pg_add_s64_overflow(piece->value, days * USECS_PER_DAY, &piece->value) ||
		!IS_VALID_TIMESTAMP(piece->value))
		return false;
	return local || local_to_instant(piece, &zone);
}

/* Months, then days, then microseconds, as PostgreSQL adds them. */
static bool
shift_piece(CrossingPiece *piece, const Step *step)
{
	return (step->shift.month == 0 || on_local_clock(piece, step->local, step->shift.month, 0)) &&
		(step->shift.day == 0 || on_local_clock(piece, step->local, 0, step->shift.day)) &&
		!pg_add_s64_overflow(piece->value, step->shift.time, &piece->value) &&
		IS_VALID_TIMESTAMP(piece->value);
}

/* date_trunc of an instant to less than a day: the local clock says where it begins. */
static bool
trunc_instant(CrossingPiece *piece, int unit)
{
	int64		instant = piece->value;
	int64		local;
	LocalZone	zone;

	local_session_zone(&zone);
	if (!local_from_instant(piece, &zone))
		return false;
	local = piece->value;
	if (!local_trunc(piece, unit))
		return false;
	piece->value = instant - (local - piece->value);
	return true;
}

/* Half a unit is rounded away from the epoch, as the casts do it. */
static bool
round_piece(CrossingPiece *piece, int64 unit)
{
	int64		value = piece->value;

	if (unit <= 1)
		return true;
	if (value >= 0)
		piece->value = (value + unit / 2) / unit * unit;
	else
		piece->value = -((-value + unit / 2) / unit * unit);
	local_flatten(piece, piece->value + unit / 2 > value ? piece->value + unit / 2 - value : 1, unit);
	return true;
}

static int64
time_of_day(int64 local)
{
	return local - crossing_floor_div(local, USECS_PER_DAY) * USECS_PER_DAY;
}

/*
 * age(): fields of the local clock are subtracted one by one, so it runs on
 * from midnight to the time of day of the other, and from there to midnight.
 */
static bool
age_piece(CrossingPiece *piece, const Step *step)
{
	int64		value = piece->value;
	int64		other = step->number;
	CrossingPiece there = {other, PG_INT64_MAX};
	LocalZone	zone;
	int64		distance;
	Interval   *age;

	local_session_zone(&zone);
	if (!step->local && (!local_from_instant(piece, &zone) || !local_from_instant(&there, &zone)))
		return false;
	local_limit(piece, USECS_PER_DAY - time_of_day(piece->value));
	distance = time_of_day(there.value - piece->value);
	/* before the other, fields are cut off just after its time of day */
	local_limit(piece, distance == 0 && value < other ? 1 : distance);
	local_limit(piece, other - value);
	age = DatumGetIntervalP(DirectFunctionCall2(step->local ? timestamp_age : timestamptz_age,
												Int64GetDatum(value), Int64GetDatum(other)));
	if (step->unit != 0)
	{
		age->time = 0;
		if (step->unit == DTK_MONTH)
			age->day = 0;
		piece->flat = true;
	}
	if (step->unit == DTK_DAY || step->distinct)
		age->day += 2 * age->month;	/* a month is never as long as days */
	/* between these points it runs on as its argument does, stairs included */
	piece->value = span_of(age);
	pfree(age);
	return true;
}

bool
steps_piece(int64 t, CrossingPiece *piece, void *arg)
{
	const Steps *steps = arg;
	bool		valid = IS_VALID_TIMESTAMP(t);

	/* a search looks at one piece after the other */
	CHECK_FOR_INTERRUPTS();
	piece->value = t;
	piece->reach = PG_INT64_MAX;
	piece->flat = false;
	piece->run = 0;
	piece->grain = 0;
	for (int i = 0; valid && i < steps->moving; i++)
	{
		const Step *step = &steps->step[i];

		switch (step->kind)
		{
			case STEP_SHIFT:
				valid = shift_piece(piece, step);
				break;
			case STEP_LOCAL:
				valid = local_from_instant(piece, &step->zone);
				break;
			case STEP_INSTANT:
				valid = local_to_instant(piece, &step->zone);
				break;
			case STEP_TRUNC:
				valid = step->local ? local_trunc(piece, step->unit) :
					trunc_instant(piece, step->unit);
				break;
			case STEP_ROUND:
				valid = round_piece(piece, step->number);
				break;
			default:
				valid = age_piece(piece, step);
				break;
		}
	}
	return valid;
}

/*
 * The slack of a shift: adding months or days to an instant reads the local
 * clock at one offset of the zone and sets it back at another, so the sum is
 * off by no more than the spread of the zone's offsets, once for months and
 * once for days.
 */
static CrossingWindow
shift_window(CrossingWindow window, const Step *step)
{
	int64		slack = 0;
	LocalZone	zone;

	local_session_zone(&zone);
	if (!step->local)
		slack = (zone.most - zone.least) *
			((step->shift.month != 0 ? 1 : 0) + (step->shift.day != 0 ? 1 : 0));
	return crossing_widen(window, step->shift.month, step->shift.day, step->shift.time, slack);
}

static CrossingWindow
age_window(CrossingWindow window, const Step *step)
{
	if (step->unit != 0)
		window = crossing_widen_by(window, -31 * USECS_PER_DAY, 31 * USECS_PER_DAY);
	window.first = step->number +
		(int64) (((double) window.first - AGE_SLACK) * AGE_DAY) - USECS_PER_DAY;
	window.last = step->number +
		(int64) (((double) window.last + AGE_SLACK) * AGE_DAY) + USECS_PER_DAY;
	return window;
}

CrossingWindow
steps_window(const Steps *steps, int64 target)
{
	CrossingWindow window = {target, target};

	for (int i = steps->moving - 1; i >= 0; i--)
	{
		const Step *step = &steps->step[i];

		switch (step->kind)
		{
			case STEP_SHIFT:
				window = shift_window(window, step);
				break;
			case STEP_LOCAL:
				window = crossing_widen_by(window, step->zone.least, step->zone.most);
				break;
			case STEP_INSTANT:
				window = crossing_widen_by(window, -step->zone.most, -step->zone.least);
				break;
			case STEP_TRUNC:
				window = crossing_widen_by(window, -local_unit_length(step->unit), 0);
				break;
			case STEP_ROUND:
				window = crossing_widen_by(window, -step->number, step->number);
				break;
			default:
				window = age_window(window, step);
				break;
		}
	}
	return window;
}

bool
steps_target(const Steps *steps, int64 *target)
{
	bool		overflow = false;

	for (int i = steps->count - 1; i >= steps->moving && !overflow; i--)
	{
		const Step *step = &steps->step[i];
		int64		times;

		switch (step->kind)
		{
			case STEP_SINCE:
				overflow = pg_add_s64_overflow(*target, step->number, target);
				break;
			case STEP_UNTIL:
				/* x - v >= target flips as v >= x - target + 1 does */
				overflow = pg_sub_s64_overflow(step->number, *target, target) ||
					pg_add_s64_overflow(*target, 1, target);
				break;
			case STEP_LONGER:
				overflow = pg_sub_s64_overflow(*target, step->number, target);
				break;
			case STEP_WHOLE:
				times = -crossing_floor_div(-*target, step->number);
				overflow = times > 0 ? pg_mul_s64_overflow(times, step->number, target) :
					pg_mul_s64_overflow(times - 1, step->number, target) ||
					pg_add_s64_overflow(*target, 1, target);
				break;
			case STEP_FLOOR:
				times = -crossing_floor_div(-*target, step->number);
				overflow = pg_mul_s64_overflow(times, step->number, target);
				break;
			default:
				break;
		}
	}
	return !overflow;
}
