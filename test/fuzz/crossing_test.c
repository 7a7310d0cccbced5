/*
 * crossing_test.c
 *		model/crossing against brute force, without a server.
 *
 *	cc -O2 -I$(pg_config --includedir-server) -Isrc -o crossing_test \
 *		test/fuzz/crossing_test.c src/model/crossing.c && ./crossing_test
 *
 * Prints the first mismatch and fails, or prints how much was tried.
 */
#include "postgres.h"

#include <stdio.h>
#include <stdlib.h>

#include "model/crossing.h"

#undef printf					/* PostgreSQL's own needs its libraries */

#define DAY			INT64CONST(86400000000)
#define LENGTH		60			/* instants of a synthetic clock: 0 .. LENGTH - 1 */
#define MOST		12			/* how far it shifts */
#define SEARCHES	2000000
#define SPANS		1000000
#define MONTHS		4800		/* of one cycle of the calendar */

/* f(t) - t for each t; constant within pieces, or f is.  f has no value at hole. */
typedef struct Clock
{
	int			offset[LENGTH];
	bool		flat[LENGTH];
	int			hole;
} Clock;

static uint64 seed = 42;

static int
pick(int least, int most)
{
	seed = seed * UINT64CONST(6364136223846793005) + UINT64CONST(1442695040888963407);
	return (int) (least + (int64) ((seed >> 33) % (uint64) ((int64) most - least + 1)));
}

static void
fail(const char *what, int64 got, int64 expected)
{
	printf("%s: got %lld, expected %lld\n", what, (long long) got, (long long) expected);
	exit(1);
}

static void
make_clock(Clock *clock)
{
	int			offset = 0;
	bool		flat = false;

	for (int t = 0; t < LENGTH; t++)
	{
		if (flat)
			offset--;
		if (t == 0 || pick(0, 5) == 0 || offset < -MOST)
		{
			offset = pick(-MOST, MOST);
			flat = pick(0, 2) == 0;
		}
		clock->offset[t] = offset;
		clock->flat[t] = flat;
	}
	clock->hole = pick(0, 9) == 0 ? pick(0, LENGTH - 1) : -1;
}

/* Does the piece that t lies in go on at t + length? */
static bool
goes_on(const Clock *clock, int t, int length)
{
	return t + length < LENGTH && t + length != clock->hole &&
		clock->flat[t + length] == clock->flat[t] &&
		clock->offset[t + length] == clock->offset[t] - (clock->flat[t] ? length : 0);
}

/* A part of the flight of stairs that begins at t: where f does not fall, by a random grain. */
static void
find_run(const Clock *clock, int t, CrossingPiece *piece)
{
	int			length = 1;

	piece->grain = pick(0, 5);
	while (t + length < LENGTH && t + length != clock->hole &&
		   clock->offset[t + length] - clock->offset[t + length - 1] >= -1 &&
		   clock->offset[t + length] - clock->offset[t] <= piece->grain)
		length++;
	piece->run = pick(0, length);
}

/* A CrossingFunction; its reach is a random part of the true one. */
static bool
read_clock(int64 t, CrossingPiece *piece, void *arg)
{
	Clock	   *clock = (Clock *) arg;
	int			length = 1;

	if (t < 0 || t >= LENGTH || t == clock->hole)
		return false;
	while (goes_on(clock, (int) t, length))
		length++;
	piece->value = t + clock->offset[t];
	piece->reach = pick(1, length);
	piece->flat = clock->flat[t];
	piece->run = 0;
	if (piece->flat && pick(0, 1) == 0)
		find_run(clock, (int) t, piece);
	return true;
}

/* The answer, or -1, by looking at every instant. */
static int64
brute_force(const Clock *clock, int from, int target, CrossingWindow window)
{
	bool		held = from + clock->offset[from] >= target;

	for (int t = from; t < LENGTH && t <= window.last; t++)
	{
		/* where the answer is known, f is not asked */
		if (t == clock->hole && t >= window.first)
			return -1;
		if ((t + clock->offset[t] >= target) != held)
			return t;
	}
	return -1;
}

static void
try_search(void)
{
	Clock		clock;
	CrossingWindow window;
	int			from = pick(0, LENGTH - 1);
	int			target = pick(MOST, LENGTH - MOST - 1);
	int64		expected = -1;
	int64		got;

	make_clock(&clock);
	window.first = target - MOST;
	window.last = target + MOST;
	if (from < window.last)
		expected = brute_force(&clock, from, target, window);
	if (!crossing_find(from, target, window, read_clock, &clock, &got))
		got = -1;
	if (got != expected)
		fail("crossing_find", got, expected);
}

static int
month_length(int month)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int			year = month / 12;
	bool		leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return lengths[month % 12] + (month % 12 == 1 && leap ? 1 : 0);
}

/* The window of a sum of months holds for every date of the calendar. */
static void
try_months(const int *first_day, int months)
{
	CrossingWindow window = crossing_widen((CrossingWindow) {0, 0}, months, 0, 0, 0);

	for (int i = 0; i < MONTHS; i++)
	{
		int			from = months < 0 ? i + MONTHS : i;
		int			to = from + months;

		for (int day = 1; day <= month_length(from); day++)
		{
			int			moved = first_day[to] + Min(day, month_length(to)) -
				first_day[from] - day;

			if (-window.first < moved * DAY || -window.last > moved * DAY)
				fail("crossing_widen", months, moved);
		}
	}
}

#ifdef HAVE_INT128
static int64
pick_wide(void)
{
	return pick(PG_INT32_MIN / 2, PG_INT32_MAX / 2) * INT64CONST(8589934592) + pick(0, 1000);
}

/* Sums of spans, saturated, in wider arithmetic. */
static void
try_span(void)
{
	int64		t = pick_wide();
	int64		usecs = pick_wide() >> pick(0, 40);
	int32		months = pick(PG_INT32_MIN / 2, PG_INT32_MAX / 2) >> pick(0, 30);
	int32		days = pick(PG_INT32_MIN / 2, PG_INT32_MAX / 2) >> pick(0, 30);
	int128		sum = (int128) t + ((int128) months * 30 + days) * DAY + usecs;
	int64		got = crossing_add_span(t, months, days, usecs);

	/* within a day of the limits it may saturate early: no timestamp is there */
	if (sum > PG_INT64_MAX - (int128) DAY)
		sum = got > PG_INT64_MAX - DAY ? got : PG_INT64_MAX;
	if (sum < PG_INT64_MIN + (int128) DAY)
		sum = got < PG_INT64_MIN + DAY ? got : PG_INT64_MIN;
	if (sum != got)
		fail("crossing_add_span", got, (int64) sum);
}
#endif

int
main(void)
{
	static int	first_day[2 * MONTHS + 1];

	for (int i = 0; i < SEARCHES; i++)
		try_search();
	for (int i = 0; i < 2 * MONTHS; i++)
		first_day[i + 1] = first_day[i] + month_length(i);
	for (int months = -MONTHS; months <= MONTHS; months += (abs(months) < 100 ? 1 : 41))
		if (months != 0)
			try_months(first_day, months);
#ifdef HAVE_INT128
	for (int i = 0; i < SPANS; i++)
		try_span();
#endif
	printf("ok: %d searches, %d sums\n", SEARCHES, SPANS);
	return 0;
}
