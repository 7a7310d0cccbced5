/*
 * exact_sum_test.c
 *		model/exact_sum against long addition in binary, without a server.
 *
 *	cc -O2 -Isrc -o exact_sum_test \
 *		test/fuzz/exact_sum_test.c src/model/exact_sum.c -lm && ./exact_sum_test
 *
 * Prints the first mismatch and fails, or prints how much was tried.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/exact_sum.h"

#define SUMS		30000
#define MOST		200			/* numbers of a sum */
#define LOWEST		1074		/* bits after the binary point */
#define BITS		2240		/* of a long number; the last one is its sign */
#define LIMBS		(BITS / 32)

/* A whole number of 2^-1074, as two's complement: the lowest limb first. */
typedef struct Long
{
	uint32_t	limb[LIMBS];
} Long;

static uint64_t seed = 42;
static int	most_parts = 0;
static int	overflows = 0;

static uint64_t
random_bits(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * UINT64_C(2685821657736338717);
}

static int
pick(int least, int most)
{
	return least + (int) ((random_bits() >> 33) % (uint64_t) (most - least + 1));
}

static void
fail(const char *what, double got, double expected)
{
	printf("%s: got %a, expected %a\n", what, got, expected);
	exit(1);
}

static void *
memory(void *block, size_t size, void *arg)
{
	block = realloc(block, size);
	if (block == NULL)
		exit(1);
	return block;
}

static void
negate(Long *number)
{
	uint64_t	carry = 1;

	for (int i = 0; i < LIMBS; i++)
	{
		carry += (uint32_t) ~number->limb[i];
		number->limb[i] = (uint32_t) carry;
		carry >>= 32;
	}
}

static void
add_long(Long *sum, double number)
{
	Long		other = {{0}};
	int			exponent;
	uint64_t	digits = (uint64_t) ldexp(frexp(fabs(number), &exponent), 53);
	uint64_t	carry = 0;
	int			bit = exponent - 53 + LOWEST;

	/* digits of the smallest numbers end in zeroes */
	if (bit < 0)
	{
		digits >>= -bit;
		bit = 0;
	}
	for (int i = 0; i < 64; i++)
	{
		if ((digits >> i) & 1)
			other.limb[(bit + i) / 32] |= UINT32_C(1) << ((bit + i) % 32);
	}
	if (number < 0)
		negate(&other);
	for (int i = 0; i < LIMBS; i++)
	{
		carry += (uint64_t) sum->limb[i] + other.limb[i];
		sum->limb[i] = (uint32_t) carry;
		carry >>= 32;
	}
}

static int
bit_of(const Long *number, int bit)
{
	return bit < 0 ? 0 : (number->limb[bit / 32] >> (bit % 32)) & 1;
}

/* The double next to it, halves to even, an infinity if out of range. */
static double
round_long(Long number)
{
	int			negative = bit_of(&number, BITS - 1);
	int			highest = BITS - 1;
	int			lowest;
	int			more = 0;
	uint64_t	digits = 0;
	double		rounded;

	if (negative)
		negate(&number);
	while (highest >= 0 && !bit_of(&number, highest))
		highest--;
	lowest = highest > 52 ? highest - 52 : 0;
	for (int i = highest; i >= lowest; i--)
		digits = digits * 2 + bit_of(&number, i);
	for (int i = 0; i < lowest - 1; i++)
		more |= bit_of(&number, i);
	if (bit_of(&number, lowest - 1) && (more || digits % 2 == 1))
		digits++;
	rounded = ldexp((double) digits, lowest - LOWEST);
	return negative ? -rounded : rounded;
}

/* A number of one of some sorts that sums find hard. */
static double
random_number(int sort)
{
	double		number = ldexp((double) (random_bits() >> 11), -53);
	int			exponent = 0;

	switch (sort)
	{
		case 0:					/* whole numbers */
			return pick(-1000, 1000);
		case 1:					/* amounts */
			return pick(-100000, 100000) / 100.0;
		case 2:					/* all magnitudes */
			exponent = pick(-1074, 1024);
			break;
		case 3:					/* about the greatest */
			exponent = pick(1018, 1024);
			break;
		case 4:					/* about the least */
			exponent = pick(-1074, -1000);
			break;
		case 5:					/* single bits: halves, and parts of one bit */
			number = 0.5;
			exponent = pick(-60, 60);
			break;
		case 6:					/* single bits about the greatest */
			number = 0.5;
			exponent = pick(965, 1024);
			break;
		case 7:					/* single bits of all magnitudes */
			number = 0.5;
			exponent = pick(-1073, 1024);
			break;
		default:
			number = 1 - ldexp(1, -53);
			exponent = pick(950, 1024);
	}
	number = ldexp(number, exponent);
	return pick(0, 1) ? number : -number;
}

static void
check(const char *what, const ExactSum *sum, const Long *expected)
{
	double		got = exact_sum_value(sum);
	double		value = round_long(*expected);

	if (sum->rest != NULL && sum->rest->count > most_parts)
		most_parts = sum->rest->count;
	if (!exact_sum_is_valid(sum))
		fail("is_valid", got, value);
	if (got != value)
		fail(what, got, value);
	overflows += isinf(value) != 0;
}

/* Adds numbers one by one, then in another order and in parts. */
static void
try_sum(void)
{
	double		numbers[MOST];
	int			count = pick(1, pick(1, MOST));
	int			sort = pick(0, 9);
	Long		expected = {{0}};
	ExactSum	sum = {0};
	ExactSum	parts[3] = {{0}};

	for (int i = 0; i < count; i++)
	{
		numbers[i] = random_number(sort < 9 ? sort : pick(0, 8));
		/* much of what came goes again */
		if (i > 0 && pick(0, 2) == 0)
			numbers[i] = -numbers[pick(0, i - 1)];
		exact_sum_add(&sum, numbers[i], memory, NULL);
		add_long(&expected, numbers[i]);
		check("exact_sum_add", &sum, &expected);
	}

	for (int i = count - 1; i >= 0; i--)
	{
		int			other = pick(0, i);

		exact_sum_add(&parts[pick(0, 2)], numbers[other], memory, NULL);
		numbers[other] = numbers[i];
	}
	if (!exact_sum_merge(&parts[0], &parts[1], memory, NULL) ||
		!exact_sum_merge(&parts[2], &parts[0], memory, NULL))
		fail("exact_sum_merge", 0, 1);
	check("exact_sum_merge", &parts[2], &expected);

	free(sum.rest);
	for (int i = 0; i < 3; i++)
		free(parts[i].rest);
}

/* Whole numbers need no memory. */
static void *
no_memory(void *block, size_t size, void *arg)
{
	fail("memory for whole numbers", (double) size, 0);
	return NULL;
}

static void
try_whole_numbers(void)
{
	ExactSum	sum = {0};

	for (int i = -1000; i <= 2000; i++)
		exact_sum_add(&sum, i, no_memory, NULL);
	if (exact_sum_value(&sum) != 1500500)
		fail("whole numbers", exact_sum_value(&sum), 1500500);
}

/* More parts than there is room for: every fourth bit, one by one. */
static void
try_many_parts(void)
{
	Long		expected = {{0}};
	ExactSum	sum = {0};

	for (int round = 0; round < 4; round++)
	{
		for (int exponent = -1074; exponent < 1022; exponent += 3 + round)
		{
			double		number = ldexp(exponent % 2 == 0 ? 1 : -1, exponent);

			exact_sum_add(&sum, number, memory, NULL);
			add_long(&expected, number);
			check("many parts", &sum, &expected);
		}
	}
	free(sum.rest);
}

int
main(void)
{
	try_whole_numbers();
	try_many_parts();
	for (int i = 0; i < SUMS; i++)
		try_sum();
	if (most_parts != EXACT_SUM_PARTS || overflows == 0)
		fail("parts", most_parts, EXACT_SUM_PARTS);
	printf("ok: %d sums of up to %d numbers\n", SUMS, MOST);
	return 0;
}
