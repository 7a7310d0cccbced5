/*
 * interval_test.c
 *		model/interval against the equations that define it, and against sums
 *		over densities, without a server.
 *
 *	cc -O2 -Isrc -o interval_test \
 *		test/fuzz/interval_test.c src/model/interval.c -lm && ./interval_test
 *
 * Prints the first mismatch and fails, or prints how much was tried.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/interval.h"

#define CASES	2000

static const double pi = 3.14159265358979323846;
static uint64_t seed = 42;

static double
uniform(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (double) ((seed * UINT64_C(2685821657736338717)) >> 11) / 9007199254740992.0;
}

static void
check(const char *what, double a, double b, double got, double expected, double tolerance)
{
	if (fabs(got - expected) <= tolerance * fmax(1, fabs(expected)))
		return;
	printf("%s (%.17g, %.17g): got %.17g, expected %.17g\n", what, a, b, got, expected);
	exit(1);
}

/*
 * The probability between -t and t, by Simpson's rule in the angle whose tangent is
 * t / sqrt(df): there the density is a power of the cosine.  The whole is summed the
 * same way, so that no gamma function is needed.
 */
static double
power_of_cosine(double upto, double power)
{
	const int	steps = 4000;
	double		sum = 0;

	for (int i = 0; i <= steps; i++)
	{
		double		value = pow(cos(upto * i / steps), power);

		sum += value * (i == 0 || i == steps ? 1 : i % 2 == 1 ? 4 : 2);
	}
	return sum * upto / steps / 3;
}

static double
student_within(double t, double df)
{
	/* the cosine is nothing beyond, where the power is large; where it is small, it ends too steeply */
	double		whole = fmin(pi / 2, 40 / sqrt(df));

	return power_of_cosine(fmin(whole, atan(t / sqrt(df))), df - 1) / power_of_cosine(whole, df - 1);
}

/* The same in closed form, for even df (Abramowitz and Stegun 26.7.4). */
static double
student_even(double t, int df)
{
	double		angle = atan(t / sqrt(df));
	double		term = 1;
	double		sum = 1;

	for (int k = 1; k < df / 2; k++)
	{
		term *= (2 * k - 1) / (2.0 * k) * cos(angle) * cos(angle);
		sum += term;
	}
	return sin(angle) * sum;
}

/* Wilson's bounds are the rates from which the observed one is z standard errors away. */
static void
check_rate(double hits, double n, double level)
{
	Bounds		bounds = interval_rate(hits, n, level);
	double		z = interval_normal(level);
	double		rate = hits / n;

	if (!(0 <= bounds.low && bounds.low <= rate && rate <= bounds.high && bounds.high <= 1))
		check("order of bounds", hits, n, bounds.low, bounds.high, 0);
	check("low bound of a rate", hits, n, (rate - bounds.low) * (rate - bounds.low) * n,
		  z * z * bounds.low * (1 - bounds.low), 1e-9);
	check("high bound of a rate", hits, n, (rate - bounds.high) * (rate - bounds.high) * n,
		  z * z * bounds.high * (1 - bounds.high), 1e-9);
}

int
main(void)
{
	/* tables: z for 90, 95, 99, 99.9 %, and t for few degrees of freedom */
	check("z", 0.90, 0, interval_normal(0.90), 1.6448536269514722, 1e-14);
	check("z", 0.95, 0, interval_normal(0.95), 1.9599639845400545, 1e-14);
	check("z", 0.99, 0, interval_normal(0.99), 2.5758293035489008, 1e-14);
	check("z", 0.999, 0, interval_normal(0.999), 3.2905267314918945, 1e-13);
	check("t", 0.95, 4, interval_student(0.95, 4), 2.7764451051977908, 1e-12);
	check("t", 0.95, 10, interval_student(0.95, 10), 2.2281388519862735, 1e-12);
	check("t", 0.99, 30, interval_student(0.99, 30), 2.749995653567225, 1e-12);

	for (int i = 0; i < CASES; i++)
	{
		double		level = i % 4 == 0 ? 1 - pow(10, -12 * uniform()) : 0.001 + 0.998 * uniform();
		double		df = 6 * pow(10, 3 * uniform());
		double		n = 1 + floor(pow(10, 9 * uniform()));
		double		hits = floor(uniform() * (n + 1));
		double		n2 = 1 + floor(pow(10, 5 * uniform()));
		double		hits2 = floor(uniform() * (n2 + 1));
		double		z = interval_normal(level);
		Bounds		a,
					b;

		if (!(level > 0 && level < 1))
			continue;
		check("tail of z", level, 0, erfc(z / sqrt(2)) / (1 - level), 1, 1e-11);
		check("t of an even number", level, 2 * (1 + i % 60), student_even(interval_student(level, 2 * (1 + i % 60)), 2 * (1 + i % 60)), level, 1e-13);
		check("t of one degree", level, 1, interval_student(level, 1), tan(pi * level / 2), 1e-4 * level);
		check("t of two degrees", level, 2, interval_student(level, 2),
			  level * sqrt(2 / (1 - level) / (1 + level)), 1e-10);
		if (i % 10 == 0)
			check("t", level, df, student_within(interval_student(level, df), df), level, 1e-10);
		/* where the expansion takes over */
		if (level < 1 - 1e-9)
			check("t of many degrees", level, 1e4, interval_student(level, 10000.01), interval_student(level, 10000), 1e-8);
		check_rate(hits, n, level);
		check_rate(0, n, level);
		check_rate(n, n, level);
		a = interval_rate_difference(hits, n, hits2, n2, level);
		b = interval_rate_difference(hits2, n2, hits, n, level);
		check("difference the other way", hits, hits2, a.low, -b.high, 1e-12);
		check("difference the other way", hits, hits2, a.high, -b.low, 1e-12);
		b = interval_rate_difference(n - hits, n, n2 - hits2, n2, level);
		check("difference of the others", hits, hits2, a.low, -b.high, 1e-9);
		if (!(a.low >= -1 - 1e-12 && a.high <= 1 + 1e-12))
			check("difference beyond 1", hits, hits2, a.low, a.high, 0);
	}
	printf("%d levels, rates and differences\n", CASES);
	return 0;
}
