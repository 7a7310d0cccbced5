/*
 * interval.h
 *		Confidence intervals of rates and means, and of differences of two.
 *
 * level is the confidence, such as 0.95: above 0 and below 1.  Nothing here
 * fails; what can not be said is NaN.
 */
#ifndef SEGMENT_INTERVAL_H
#define SEGMENT_INTERVAL_H

typedef struct Bounds
{
	double		low;
	double		high;
} Bounds;

/* A sample of which the mean and the variance (of n - 1) are known. */
typedef struct Sample
{
	double		n;
	double		mean;
	double		variance;
} Sample;

/* The z, above 0, for which a standard normal variable is between -z and z with that probability. */
extern double interval_normal(double level);

/* The same of Student's t with df degrees of freedom, at least 1, whole or not. */
extern double interval_student(double level, double df);

/* Wilson's score interval of a rate: hits among n, n above 0. */
extern Bounds interval_rate(double hits, double n, double level);

/* Newcombe's hybrid score interval of the first rate less the second. */
extern Bounds interval_rate_difference(double hits1, double n1, double hits2, double n2,
									   double level);

/* The t interval of a mean; n above 1. */
extern Bounds interval_mean(const Sample *sample, double level);

/* Welch's interval of the first mean less the second; both n above 1. */
extern Bounds interval_mean_difference(const Sample *a, const Sample *b, double level);

#endif							/* SEGMENT_INTERVAL_H */
