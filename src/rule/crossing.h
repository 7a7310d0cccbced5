/*
 * crossing.h
 *		What the functions that compute crossings share.
 */
#ifndef SEGMENT_RULE_CROSSING_H
#define SEGMENT_RULE_CROSSING_H

#include "datatype/timestamp.h"
#include "fmgr.h"
#include "model/crossing.h"

/* How a comparison of a moving value with a fixed one may change. */
typedef enum Flip
{
	REACHES,					/* >= and < */
	PASSES,						/* > and <= */
	EITHER						/* = and <> */
} Flip;

/* The same as the functions are told it: 'reaches', 'passes' or 'either'; else an error. */
extern Flip crossing_flip_of(text *how);

/* The as-of instant, as segment.now() returns it. */
extern TimestampTz crossing_as_of(void);

/* A half-life in microseconds, as segment.engagement counts it. */
extern double decay_half_life(const Interval *span);

/*
 * How much too early the answer is, in half-lives: what a value's rounding, of
 * a relative 1e-10 and less, can make of the instant.
 */
#define DECAY_EARLY 2e-10

/* When a value that decays passes a threshold, or a little before; false if never. */
extern bool decay_reaches(double value, double threshold, double half_life, TimestampTz *result);

#endif							/* SEGMENT_RULE_CROSSING_H */
