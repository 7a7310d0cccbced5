/*
 * sums.h
 *		Exact sums of weights as parts of aggregate states: see model/exact_sum.h.
 */
#ifndef SEGMENT_SUMS_H
#define SEGMENT_SUMS_H

#include "lib/stringinfo.h"
#include "model/exact_sum.h"

/* The least that sums_send writes, bytes. */
#define SUMS_WIRE_SIZE 9

/* The weight; error if it is infinite or NaN. */
extern double sums_weight(double weight);

/* Adds a finite weight; context is that of the sum. */
extern void sums_add(ExactSum *sum, double weight, MemoryContext context);

/* Adds another sum; error if it can't have been made here. */
extern void sums_merge(ExactSum *sum, const ExactSum *other, MemoryContext context,
					   const char *aggregate);

extern void sums_send(const ExactSum *sum, StringInfo wire);

/*
 * Adds what sums_send has written, in the current context.  False if it can not
 * have been written so.
 */
extern bool sums_receive(ExactSum *sum, StringInfo wire);

#endif							/* SEGMENT_SUMS_H */
