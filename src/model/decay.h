/*
 * decay.h
 *		Sums of weights that lose half of their value in every half-life.
 *
 * The sum is kept as a fraction and a binary exponent, so that it can neither
 * overflow nor lose small values while it is built, and with a running
 * correction (Neumaier 1974), so that for weights of one sign the order of the
 * additions and the way they are split into partial sums change the result
 * within a relative 1e-12 (in practice a few units of the last place).
 *
 * Instants and lengths are in microseconds.
 */
#ifndef SEGMENT_DECAY_H
#define SEGMENT_DECAY_H

#include <stdbool.h>
#include <stdint.h>

typedef struct DecaySum
{
	int64_t		as_of;			/* the instant to which weights are decayed */
	int64_t		half_life;		/* positive */
	double		sum;			/* in units of 2^exponent */
	double		correction;		/* what rounding took from sum; same unit */
	double		nonfinite;		/* sum of infinite and NaN weights; 0 if none */
	int32_t		exponent;
	bool		counted;		/* has anything been added? */
} DecaySum;

extern void decay_init(DecaySum *sum, int64_t as_of, int64_t half_life);

/* Adds a weight that was 'weight' at the instant 'at', not after as_of. */
extern void decay_add(DecaySum *sum, int64_t at, double weight);

/*
 * Adds another sum of the same as_of and half_life.  False if they are not the
 * same, or if the result is no valid sum: one of the two was not made here.
 */
extern bool decay_merge(DecaySum *sum, const DecaySum *other);

/*
 * The sum as of as_of: 0 where it is too small for a double, an infinity where
 * it is too large.
 */
extern double decay_value(const DecaySum *sum);

/* Is this a sum that the functions above can have made? */
extern bool decay_is_valid(const DecaySum *sum);

#endif							/* SEGMENT_DECAY_H */
