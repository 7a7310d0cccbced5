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

/*
 * How much too early the answer is, in half-lives: what a value's rounding, of
 * a relative 1e-10 and less, can make of the instant.
 */
#define EARLY 2e-10

/* segment.next_decay(value, threshold, half_life) */
Datum
segment_next_decay(PG_FUNCTION_ARGS)
{
	double		value = PG_GETARG_FLOAT8(0);
	double		threshold = PG_GETARG_FLOAT8(1);
	Interval   *span = PG_GETARG_INTERVAL_P(2);
	/* years and months as segment.engagement counts them */
	double		half_life = (double) DAYS_PER_YEAR * USECS_PER_DAY * (span->month / MONTHS_PER_YEAR) +
		(double) crossing_add_span(0, span->month % MONTHS_PER_YEAR, span->day, span->time);
	double		halvings;
	double		wait;

	if (value < 0)
	{
		value = -value;
		threshold = -threshold;
	}
	/* at last nothing is left, in double precision */
	threshold = Max(threshold, DBL_MIN * DBL_EPSILON);
	if (isnan(threshold) || !isfinite(value) || half_life <= 0 || value < threshold * (1 - EARLY))
		PG_RETURN_NULL();
	halvings = log2(value) - log2(threshold);
	wait = floor((halvings - EARLY * (1 + halvings)) * half_life) - 2;
	if (wait > (double) (END_TIMESTAMP - crossing_as_of()))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(crossing_as_of() + (int64) Max(wait, 1));
}
