/*
 * decay.c
 *		Sums of weights that lose half of their value in every half-life.
 */
#include <math.h>

#include "model/decay.h"

/*
 * After so many half-lives even the largest double, added up 2^63 times, is
 * below the smallest: 2^(1024 + 63 - 4096) < 2^-1074.
 */
#define HALF_LIVES_TO_NOTHING 4096

/*
 * Bounds that valid sums keep: a finite double lies between 2^-1074 and 2^1024,
 * loses at most 4096 half-lives and one bit for the part of a half-life, and is
 * added at most 2^63 times.
 */
#define MIN_EXPONENT (-1074 - HALF_LIVES_TO_NOTHING - 64)
#define MAX_EXPONENT (1024 + 64)
#define MAX_FRACTION 18446744073709551616.0 /* 2^64 */

void
decay_init(DecaySum *sum, int64_t as_of, int64_t half_life)
{
	sum->as_of = as_of;
	sum->half_life = half_life;
	sum->sum = 0;
	sum->correction = 0;
	sum->nonfinite = 0;
	sum->exponent = 0;
	sum->counted = false;
}

/*
 * Adds value * 2^exponent.  The value is below 1, so that the sum of any number
 * of them stays far from overflow, and not tiny unless it is 0.
 */
static void
add_scaled(DecaySum *sum, double value, int exponent)
{
	double		total;

	if (value == 0)
		return;

	if (sum->sum == 0 && sum->correction == 0)
		sum->exponent = exponent;
	else if (exponent > sum->exponent)
	{
		sum->sum = ldexp(sum->sum, sum->exponent - exponent);
		sum->correction = ldexp(sum->correction, sum->exponent - exponent);
		sum->exponent = exponent;
	}
	else
		value = ldexp(value, exponent - sum->exponent);

	total = sum->sum + value;
	if (fabs(sum->sum) >= fabs(value))
		sum->correction += (sum->sum - total) + value;
	else
		sum->correction += (value - total) + sum->sum;
	sum->sum = total;
}

void
decay_add(DecaySum *sum, int64_t at, double weight)
{
	/* The difference of two instants may exceed the signed range. */
	uint64_t	elapsed = (uint64_t) sum->as_of - (uint64_t) at;
	uint64_t	half_life = (uint64_t) sum->half_life;
	uint64_t	halvings = elapsed / half_life;
	double		part = (double) (elapsed % half_life) / (double) half_life;
	double		remains = exp2(-part);
	double		fraction;
	double		value;
	int			exponent;

	sum->counted = true;
	if (!isfinite(weight))
		sum->nonfinite += weight;
	else if (halvings <= HALF_LIVES_TO_NOTHING)
	{
		/* Whole half-lives are exact, and a tiny weight keeps all its digits. */
		fraction = frexp(weight, &exponent);
		value = fraction * remains;
		add_scaled(sum, value, exponent - (int) halvings);
		/* what rounding took from the product: events of one instant cancel out to the last digit */
		add_scaled(sum, fma(fraction, remains, -value), exponent - (int) halvings);
	}
}

bool
decay_merge(DecaySum *sum, const DecaySum *other)
{
	double		fraction;
	int			exponent;

	if (sum->as_of != other->as_of || sum->half_life != other->half_life)
		return false;

	sum->counted |= other->counted;
	sum->nonfinite += other->nonfinite;
	fraction = frexp(other->sum, &exponent);
	add_scaled(sum, fraction, exponent + other->exponent);
	fraction = frexp(other->correction, &exponent);
	add_scaled(sum, fraction, exponent + other->exponent);
	return decay_is_valid(sum);
}

double
decay_value(const DecaySum *sum)
{
	double		total = sum->sum + sum->correction;

	if (sum->nonfinite != 0)
		return sum->nonfinite;
	return total == 0 ? 0 : ldexp(total, sum->exponent);
}

bool
decay_is_valid(const DecaySum *sum)
{
	if (sum->half_life <= 0 || isnan(sum->sum) || isnan(sum->correction))
		return false;
	if (fabs(sum->sum) > MAX_FRACTION || fabs(sum->correction) > MAX_FRACTION)
		return false;
	if (sum->exponent < MIN_EXPONENT || sum->exponent > MAX_EXPONENT)
		return false;
	if (isfinite(sum->nonfinite) && sum->nonfinite != 0)
		return false;
	return sum->counted ||
		(sum->sum == 0 && sum->correction == 0 && sum->nonfinite == 0);
}
