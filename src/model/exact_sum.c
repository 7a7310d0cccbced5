/*
 * exact_sum.c
 *		Exact sums of finite doubles.
 */
#include <math.h>

#include "model/exact_sum.h"

/*
 * Parts stay below 2^1022 in sum, give or take one rounding, so that nothing is
 * added that could overflow: 2^1023 is taken out of what is larger, and counted.
 */
#define HUGE_NUMBER 0x1p1022
#define WRAP		0x1p1023

/* More than can be taken out of as many rows as there can be. */
#define WRAPS_MAX	(INT64_C(1) << 60)

/* Room of the first allocation; with its head, it is of 64 bytes. */
#define FIRST_CAPACITY 6

/* a + b, rounded, and what the rounding took away. */
static inline double
two_sum(double a, double b, double *error)
{
	double		sum = a + b;
	double		b_part = sum - a;

	*error = (a - (sum - b_part)) + (b - b_part);
	return sum;
}

/*
 * Adds a number to an expansion of count parts of growing magnitude, which has
 * room for one more, and leaves out what becomes zero.  Returns the new count.
 */
static int
grow(double *parts, int count, double number)
{
	double		error;
	int			kept = 0;

	for (int i = 0; i < count; i++)
	{
		number = two_sum(number, parts[i], &error);
		if (error != 0)
			parts[kept++] = error;
	}
	if (number != 0)
		parts[kept++] = number;
	return kept;
}

/* The double next to an expansion, halves to even. */
static double
round_parts(const double *parts, int count)
{
	double		sum = 0;
	double		error = 0;

	while (count > 0 && error == 0)
		sum = two_sum(sum, parts[--count], &error);

	/* Halfway between two doubles, what is left decides. */
	if (count > 0 && (error < 0) == (parts[count - 1] < 0))
	{
		double		twice = error * 2;
		double		other = sum + twice;

		if (other - sum == twice)
			sum = other;
	}
	return sum;
}

/* Copies all parts below the top; returns their number. */
static int
copy_rest(const ExactSum *sum, double *parts)
{
	int			count = sum->rest == NULL ? 0 : sum->rest->count;

	for (int i = 0; i < count; i++)
		parts[i] = sum->rest->parts[i];
	if (sum->low != 0)
		parts[count++] = sum->low;
	return count;
}

/* Copies all parts; returns their number. */
static int
copy_parts(const ExactSum *sum, double *parts)
{
	int			count = copy_rest(sum, parts);

	if (sum->top != 0)
		parts[count++] = sum->top;
	return count;
}

/*
 * Writes the sum with as few parts as possible, 53 bits each: the double next to
 * it, the double next to the remainder, and so on.  Those are 40 at most.
 */
static void
tidy(ExactSum *sum)
{
	double		left[EXACT_SUM_PARTS + 2];
	double		found[EXACT_SUM_PARTS + 2];
	int			count = copy_parts(sum, left);
	int			n = 0;

	while (count > 0)
	{
		found[n] = round_parts(left, count);
		count = grow(left, count, -found[n]);
		n++;
	}
	sum->top = n == 0 ? 0 : found[0];
	sum->rest->count = 0;
	while (n > 1)
		sum->rest->parts[sum->rest->count++] = found[--n];
}

/* Makes room for one part more. */
static void
reserve(ExactSum *sum, ExactMemory memory, void *arg)
{
	ExactRest  *rest = sum->rest;
	int			capacity = rest == NULL ? FIRST_CAPACITY : rest->capacity * 2 + 2;

	if (rest != NULL && rest->count < rest->capacity)
		return;
	if (rest != NULL && rest->capacity == EXACT_SUM_PARTS)
	{
		tidy(sum);
		return;
	}
	sum->rest = memory(rest, offsetof(ExactRest, parts) + capacity * sizeof(double), arg);
	if (rest == NULL)
	{
		sum->rest->wraps = 0;
		sum->rest->count = 0;
	}
	sum->rest->capacity = capacity;
}

/*
 * Adds a number to a sum of two parts at most.  False, and nothing done, if the
 * result has more.
 */
static inline bool
add_to_two(ExactSum *sum, double number)
{
	double		low_error;
	double		error;
	double		left;
	double		top;
	double		low;

	top = two_sum(two_sum(number, sum->low, &low_error), sum->top, &error);
	low = two_sum(low_error, error, &left);
	if (left != 0)
		return false;
	sum->top = two_sum(low, top, &sum->low);
	return true;
}

/* Adds a number of less than 2^1023. */
static void
add_to_parts(ExactSum *sum, double number, ExactMemory memory, void *arg)
{
	double		error;
	double	   *parts;
	int			count;

	if ((sum->rest == NULL || sum->rest->count == 0) && add_to_two(sum, number))
		return;

	reserve(sum, memory, arg);
	parts = sum->rest->parts;
	count = copy_rest(sum, parts);
	sum->low = 0;
	count = grow(parts, count, number);
	number = count > 0 ? parts[--count] : 0;
	sum->top = two_sum(number, sum->top, &error);
	if (error != 0)
		parts[count++] = error;
	else if (sum->top == 0 && count > 0)
		sum->top = parts[--count];
	if (count == 1)
		sum->low = parts[--count];
	sum->rest->count = count;
}

/* Counts a wrap with the sign of a number, and returns it. */
static double
wrap_off(ExactSum *sum, double number, ExactMemory memory, void *arg)
{
	if (sum->rest == NULL)
		reserve(sum, memory, arg);
	sum->rest->wraps += number < 0 ? -1 : 1;
	return number < 0 ? -WRAP : WRAP;
}

void
exact_sum_add(ExactSum *sum, double number, ExactMemory memory, void *arg)
{
	/* Between halves and doubles of each other, differences are exact. */
	if (fabs(number) > HUGE_NUMBER)
		number -= wrap_off(sum, number, memory, arg);
	add_to_parts(sum, number, memory, arg);
	if (fabs(sum->top) > HUGE_NUMBER)
		add_to_parts(sum, -wrap_off(sum, sum->top, memory, arg), memory, arg);
}

bool
exact_sum_merge(ExactSum *sum, const ExactSum *other, ExactMemory memory, void *arg)
{
	exact_sum_add(sum, other->top, memory, arg);
	exact_sum_add(sum, other->low, memory, arg);
	if (other->rest != NULL)
	{
		for (int i = 0; i < other->rest->count; i++)
			exact_sum_add(sum, other->rest->parts[i], memory, arg);
		if (other->rest->wraps != 0)
		{
			if (sum->rest == NULL)
				reserve(sum, memory, arg);
			sum->rest->wraps += other->rest->wraps;
		}
	}
	return exact_sum_is_valid(sum);
}

double
exact_sum_value(const ExactSum *sum)
{
	double		parts[EXACT_SUM_PARTS + 2];
	double		wrap;
	int64_t		wraps;
	int			count;

	if (sum->rest == NULL)
		return sum->top + sum->low;
	count = copy_parts(sum, parts);
	wraps = sum->rest->wraps;
	wrap = wraps < 0 ? -WRAP : WRAP;
	if (wraps == 0)
		return round_parts(parts, count);
	if (wraps < -2 || wraps > 2)
		return wrap * 2;
	if (wraps == 1 || wraps == -1)
	{
		count = grow(parts, count, wrap);
		return round_parts(parts, count);
	}

	/*
	 * Two wraps and the parts may overflow or not.  They round just as the parts
	 * minus one wrap do, because those lie in the same binade on the other side
	 * of zero, or else it overflows; what then has to be added is exact.
	 */
	count = grow(parts, count, -wrap);
	return round_parts(parts, count) + wrap + wrap + wrap;
}

/* Does no bit of the smaller part lie at or above the lowest one of the larger? */
static bool
is_apart(double smaller, double larger)
{
	int			exponent;
	int64_t		digits = (int64_t) ldexp(frexp(fabs(larger), &exponent), 53);

	return fabs(smaller) < ldexp((double) (digits & -digits), exponent - 53);
}

bool
exact_sum_is_valid(const ExactSum *sum)
{
	const ExactRest *rest = sum->rest;
	double		larger = sum->top;

	if (!isfinite(larger) || fabs(larger) > HUGE_NUMBER)
		return false;
	if (sum->low != 0 && !is_apart(sum->low, larger))
		return false;
	if (rest == NULL)
		return true;
	if ((rest->count > 0 && sum->low != 0) || rest->count < 0 || rest->count > rest->capacity ||
		rest->capacity > EXACT_SUM_PARTS ||
		rest->wraps > WRAPS_MAX || rest->wraps < -WRAPS_MAX)
		return false;
	for (int i = rest->count - 1; i >= 0; i--)
	{
		if (!isfinite(rest->parts[i]) || rest->parts[i] == 0 ||
			!is_apart(rest->parts[i], larger))
			return false;
		larger = rest->parts[i];
	}
	return true;
}
