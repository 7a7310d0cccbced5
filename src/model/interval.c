/*
 * interval.c
 *		Confidence intervals of rates and means, and of differences of two.
 *
 * Rates: E. B. Wilson, "Probable Inference, the Law of Succession, and
 * Statistical Inference", JASA 22 (1927), recommended for all sizes by Brown,
 * Cai and DasGupta, "Interval Estimation for a Binomial Proportion",
 * Statistical Science 16 (2001).  Differences of rates: R. G. Newcombe,
 * "Interval estimation for the difference between independent proportions",
 * Statistics in Medicine 17 (1998), method 10.  Differences of means: B. L.
 * Welch, "The generalization of 'Student's' problem when several different
 * population variances are involved", Biometrika 34 (1947).
 */
#include <float.h>
#include <math.h>

#include "model/interval.h"

#define SQRT_HALF	0.70710678118654752440
#define PI			3.14159265358979323846

/* From so many degrees of freedom on, the expansion about the normal is exact to 1e-11. */
#define DF_LARGE	10000.0

/* Newton's steps; a hundred are enough for whatever level a double can have. */
#define STEPS_MAX	1000

/*
 * Both tails are convex and falling from 1 at 0, so that Newton's method from
 * there climbs to the root and never passes it.
 */
double
interval_normal(double level)
{
	double		alpha = 1.0 - level;
	double		z = 0;

	for (int i = 0; i < STEPS_MAX; i++)
	{
		double		density = 2.0 / sqrt(2.0 * PI) * exp(-0.5 * z * z);
		double		step = (erfc(z * SQRT_HALF) - alpha) / density;

		z += step;
		if (!(step > z * DBL_EPSILON))
			break;
	}
	return z;
}

/*
 * The continued fraction of the incomplete beta function (DLMF 8.17.22), from
 * its end; for x below (a + 1)/(a + b + 2) so many terms are more than enough.
 */
static double
beta_fraction(double a, double b, double x)
{
	double		result = 1;

	for (int m = 40 + (int) (4 * sqrt(a + b)); m >= 0; m--)
	{
		double		odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
		double		even = (m + 1) * (b - m - 1) * x / ((a + 2 * m + 1) * (a + 2 * m + 2));

		result = 1 + odd / (1 + even / result);
	}
	return 1 / result;
}

/* The probability that Student's t is beyond -t or t: I_x(df/2, 1/2) with x = df/(df + t*t). */
static double
student_tails(double t, double df, double log_beta)
{
	double		a = df / 2;
	double		log_x = -log1p(t / df * t);
	double		x = exp(log_x);
	double		y = t / (df / t + t);	/* 1 - x, without cancellation */
	double		front;

	if (t == 0)
		return 1;
	front = exp(a * log_x + 0.5 * log(y) - log_beta);
	if (x < (a + 1) / (a + 2.5))
		return front * beta_fraction(a, 0.5, x) / a;
	return 1 - front * beta_fraction(0.5, a, y) / 0.5;
}

/* Abramowitz and Stegun 26.7.5 */
static double
student_large(double z, double df)
{
	double		q = z * z;
	double		g1 = z * (q + 1) / 4;
	double		g2 = z * ((5 * q + 16) * q + 3) / 96;
	double		g3 = z * (((3 * q + 19) * q + 17) * q - 15) / 384;
	double		g4 = z * ((((79 * q + 776) * q + 1482) * q - 1920) * q - 945) / 92160;

	return z + (g1 + (g2 + (g3 + g4 / df) / df) / df) / df;
}

double
interval_student(double level, double df)
{
	double		alpha = 1.0 - level;
	double		log_beta;
	double		t = 0;

	if (isnan(df))
		return df;
	if (df > DF_LARGE)
		return student_large(interval_normal(level), df);
	log_beta = lgamma(df / 2) + lgamma(0.5) - lgamma((df + 1) / 2);
	for (int i = 0; i < STEPS_MAX; i++)
	{
		double		density = 2 * exp(-(df + 1) / 2 * log1p(t / df * t) - log_beta) / sqrt(df);
		double		step = (student_tails(t, df, log_beta) - alpha) / density;

		t += step;
		if (!(step > t * DBL_EPSILON))
			break;
	}
	return t;
}

Bounds
interval_rate(double hits, double n, double level)
{
	double		z = interval_normal(level);
	double		center = (hits + z * z / 2) / (n + z * z);
	double		half = z / (n + z * z) * sqrt(hits * ((n - hits) / n) + z * z / 4);
	Bounds		result = {center - half, center + half};

	/* what rounding would leave beside the ends */
	if (hits == 0)
		result.low = 0;
	if (hits == n)
		result.high = 1;
	return result;
}

Bounds
interval_rate_difference(double hits1, double n1, double hits2, double n2, double level)
{
	Bounds		a = interval_rate(hits1, n1, level);
	Bounds		b = interval_rate(hits2, n2, level);
	double		p1 = hits1 / n1;
	double		p2 = hits2 / n2;
	Bounds		result = {
		p1 - p2 - hypot(p1 - a.low, b.high - p2),
		p1 - p2 + hypot(a.high - p1, p2 - b.low)
	};

	return result;
}

/* About a mean, with a standard error; one of 0 leaves nothing uncertain. */
static Bounds
around(double mean, double error, double df, double level)
{
	double		half = error == 0 ? 0 : error * interval_student(level, df);
	Bounds		result = {mean - half, mean + half};

	return result;
}

Bounds
interval_mean(const Sample *sample, double level)
{
	return around(sample->mean, sqrt(sample->variance / sample->n), sample->n - 1, level);
}

Bounds
interval_mean_difference(const Sample *a, const Sample *b, double level)
{
	double		part_a = a->variance / a->n;
	double		part_b = b->variance / b->n;
	double		share = part_a / (part_a + part_b); /* squares of the parts might not be doubles */
	double		df = 1 / (share * share / (a->n - 1) + (1 - share) * (1 - share) / (b->n - 1));

	return around(a->mean - b->mean, sqrt(part_a + part_b), df, level);
}
