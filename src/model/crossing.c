/*
 * crossing.c
 *		When does time alone flip a comparison?
 */
#include "postgres.h"

#include "common/int.h"
#include "crossing.h"

#define DAY			INT64CONST(86400000000)
#define SPAN_MONTH	30

/* The Gregorian calendar repeats itself after this many months and days. */
#define CYCLE_MONTHS	4800
#define CYCLE_DAYS		146097

/*
 * From the first of a month to the first of the month n months away it is
 * floor(n * CYCLE_DAYS / CYCLE_MONTHS) days, plus at least MONTHS_LEAST and at
 * most MONTHS_MOST (found by trying every pair of one cycle, in both
 * directions).  A day of the month that the target month lacks becomes its
 * last day, which takes away up to three more.
 */
#define MONTHS_LEAST	(-4 - 3)
#define MONTHS_MOST		5

/* t + days + usecs; |days| must stay far from the limits of int64. */
static int64
add_saturated(int64 t, int64 days, int64 usecs)
{
	int64		rest = t % DAY + usecs % DAY;
	int64		result;

	days += t / DAY + usecs / DAY + rest / DAY;
	rest %= DAY;
	if (pg_mul_s64_overflow(days, DAY, &result) ||
		pg_add_s64_overflow(result, rest, &result))
		return days < 0 ? PG_INT64_MIN : PG_INT64_MAX;
	return result;
}

CrossingWindow
crossing_widen(CrossingWindow window, int32 months, int32 days, int64 usecs, int64 slack)
{
	int64		least = (int64) days + usecs / DAY;
	int64		most = least;

	if (months != 0)
	{
		int64		nominal = crossing_floor_div((int64) months * CYCLE_DAYS,
												 CYCLE_MONTHS);

		least += nominal + MONTHS_LEAST;
		most += nominal + MONTHS_MOST;
	}
	usecs %= DAY;
	window.first = add_saturated(window.first, -most, -usecs - slack);
	window.last = add_saturated(window.last, -least, -usecs + slack);
	return window;
}

CrossingWindow
crossing_widen_by(CrossingWindow window, int64 least, int64 most)
{
	window.first = add_saturated(window.first, 0, -most);
	window.last = add_saturated(window.last, 0, -least);
	return window;
}

/* How far the answer at the beginning of a piece stays what it is. */
static int64
sure_distance(const CrossingPiece *piece, int64 target)
{
	int64		stairs = piece->run;

	if (!piece->flat)
		return piece->reach;
	/* below the target, no further than to the stair that may reach it */
	if (piece->value < target)
	{
		/* unsigned: the distance can exceed the range of int64 */
		uint64		distance = (uint64) target - (uint64) piece->value;
		uint64		grain = Min((uint64) piece->grain, distance);

		stairs = (int64) Min((uint64) stairs, distance - grain);
	}
	return Max(piece->reach, stairs);
}

bool
crossing_find(int64 from, int64 target, CrossingWindow window,
			  CrossingFunction f, void *arg, int64 *result)
{
	int64		t = Max(from, window.first);
	bool		held = false;

	if (from >= window.last)
		return false;

	/* The answer before the window is known; within it, f tells. */
	for (;;)
	{
		CrossingPiece piece;
		bool		holds;

		if (!f(t, &piece, arg))
			return false;
		Assert(piece.reach > 0);
		holds = piece.value >= target;
		if (t == from)
			held = holds;
		if (holds != held)
		{
			*result = t;
			return true;
		}
		/* unsigned: the distance can exceed the range of int64 */
		if (!holds && !piece.flat &&
			(uint64) target - (uint64) piece.value < (uint64) piece.reach)
			return !pg_add_s64_overflow(t, target - piece.value, result);
		if (pg_add_s64_overflow(t, sure_distance(&piece, target), &t) || t > window.last)
			return false;
	}
}

bool
crossing_change(int64 from, int most, CrossingFunction f, void *arg, int64 *result)
{
	CrossingPiece piece;
	int64		value;

	if (!f(from, &piece, arg))
		return false;
	value = piece.value;
	for (int i = 0; i < most && piece.value == value; i++)
	{
		Assert(piece.flat && piece.reach > 0);
		if (pg_add_s64_overflow(from, piece.reach, &from) || !f(from, &piece, arg))
			return false;
	}
	*result = from;
	return true;
}

int64
crossing_add_span(int64 t, int32 months, int32 days, int64 usecs)
{
	return add_saturated(t, (int64) months * SPAN_MONTH + days, usecs);
}
