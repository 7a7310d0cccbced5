/*
 * exact_sum.h
 *		Exact sums of finite doubles.
 *
 * The sum is kept without any error as an expansion: parts that do not overlap,
 * whose sum it is (J. Shewchuk, Adaptive Precision Floating-Point Arithmetic and
 * Fast Robust Geometric Predicates, Discrete & Computational Geometry 18, 1997).
 * So neither the order of the additions nor partial sums change its value.  Whole
 * numbers need one part, amounts with decimals two; only more need memory.
 *
 * Exact where the compiler computes doubles as doubles (FLT_EVAL_METHOD 0) and
 * rounds to nearest.
 */
#ifndef SEGMENT_EXACT_SUM_H
#define SEGMENT_EXACT_SUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most parts below the top that a sum ever has room for; then it is tidied. */
#define EXACT_SUM_PARTS 62

/* What a sum has beside two parts. */
typedef struct ExactRest
{
	int64_t		wraps;			/* times 2^1023, taken out before it overflows */
	int32_t		count;
	int32_t		capacity;
	double		parts[];		/* all below the top; growing magnitudes, none 0 */
} ExactRest;

/* All zeroes: the sum of nothing. */
typedef struct ExactSum
{
	double		top;			/* the part of greatest magnitude; 0 only if alone */
	double		low;			/* the other one, if two are enough; else 0 */
	ExactRest  *rest;			/* NULL if never needed */
} ExactSum;

/*
 * Memory for a sum: the block, or a new one if it is NULL, with room for so many
 * bytes, as realloc gives it.  It may leave by a jump, but may not return NULL.
 * The sum after a jump is of no use any more.
 */
typedef void *(*ExactMemory) (void *block, size_t size, void *arg);

/* Adds a finite number. */
extern void exact_sum_add(ExactSum *sum, double number, ExactMemory memory, void *arg);

/*
 * Adds another sum.  False if the result is no valid sum: one of the two was not
 * made here.
 */
extern bool exact_sum_merge(ExactSum *sum, const ExactSum *other,
							ExactMemory memory, void *arg);

/* The double next to the sum, halves to even; an infinity beyond their range. */
extern double exact_sum_value(const ExactSum *sum);

/* Is this a sum that the functions above can have made? */
extern bool exact_sum_is_valid(const ExactSum *sum);

#endif							/* SEGMENT_EXACT_SUM_H */
