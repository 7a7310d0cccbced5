/*
 * decay.c
 *		When a value that loses half of itself in every half-life passes a threshold.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "fmgr.h"
#include "rule/crossing.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(segment_next_decay);

/* Below the normal numbers, a value keeps no half-life: it is looked at so often in each. */
#define LOOKS_BELOW_NORMAL 1024

double
decay_half_life(const Interval *span)
{
	int32		years = span->month / MONTHS_PER_YEAR;

	return (double) DAYS_PER_YEAR * USECS_PER_DAY * years +
		(double) crossing_add_span(0, span->month % MONTHS_PER_YEAR, span->day, span->time);
}

bool
decay_reaches(double value, double threshold, double half_life, TimestampTz *result)
{
	double		halvings;
	double		wait;

	if (value < 0)
	{
		value = -value;
		threshold = -threshold;
	}
	/* at last nothing is left, in double precision */
	threshold = Max(threshold, DBL_MIN * DBL_EPSILON);
	if (isnan(threshold) || !isfinite(value) || half_life <= 0 ||
		value < threshold * (1 - DECAY_EARLY))
		return false;
	halvings = log2(value) - log2(threshold);
	wait = floor((halvings - DECAY_EARLY * (1 + halvings)) * half_life) - 2;
	if (value < DBL_MIN)
		wait = half_life / LOOKS_BELOW_NORMAL;
	if (wait > (double) END_TIMESTAMP - (double) crossing_as_of())
		return false;
	*result = crossing_as_of() + (int64) Max(wait, 1);
	return true;
}

/* segment.next_decay(value, threshold, half_life) */
Datum
segment_next_decay(PG_FUNCTION_ARGS)
{
	TimestampTz result;

	if (!decay_reaches(PG_GETARG_FLOAT8(0), PG_GETARG_FLOAT8(1),
					   decay_half_life(PG_GETARG_INTERVAL_P(2)), &result))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(result);
}
