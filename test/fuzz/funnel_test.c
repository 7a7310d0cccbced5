/*
 * funnel_test.c
 *		model/funnel against brute force, without a server.
 *
 *	cc -O2 -Isrc -o funnel_test test/fuzz/funnel_test.c src/model/funnel.c && \
 *		./funnel_test
 *
 * Prints the first mismatch and fails, or prints how much was tried.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/funnel.h"

#define CASES		150000
#define EVENTS		7			/* at most, where chains are enumerated */
#define CHAINS		20000		/* at most, of one length */
#define MODES		32
#define CROWD		200000

/* One chain: the instants of its ends, and the events it has used. */
typedef struct Chain
{
	int64_t		start;
	int64_t		last;
	unsigned	used;
} Chain;

typedef struct Case
{
	int			steps;
	int64_t		window;
	int			count;
	MarkedEvent events[EVENTS];
} Case;

static uint64_t seed = 42;
static Chain chains[EVENTS + 2][CHAINS];
static int	chain_count[EVENTS + 2];
static int64_t best[FUNNEL_STEPS_MAX];

static int
pick(int least, int most)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return least + (int) ((seed >> 33) % (uint64_t) (most - least + 1));
}

static void
fail(const char *what, const Case *c, unsigned modes, int64_t got, int64_t expected)
{
	printf("not ok: %s, modes %u: got %lld, expected %lld\n", what, modes,
		   (long long) got, (long long) expected);
	printf("  %d steps, window %lld\n", c->steps, (long long) c->window);
	for (int i = 0; i < c->count; i++)
		printf("  at %lld marks %llx\n", (long long) c->events[i].at,
			   (unsigned long long) c->events[i].marks);
	exit(1);
}

static void
make_case(Case *c)
{
	int			span = pick(0, 3) == 0 ? 0 : pick(1, 8);
	int			bits = pick(1, 3);
	int64_t		base = 0;

	switch (pick(0, 9))
	{
		case 0:
			base = INT64_MIN;
			break;
		case 1:
			base = INT64_MAX - span;
			break;
	}
	c->steps = pick(1, 5);
	c->window = pick(0, 9) == 0 ? INT64_MAX - pick(0, 5) : pick(0, span + 1);
	c->count = pick(0, EVENTS);
	for (int i = 0; i < c->count; i++)
	{
		MarkedEvent event = {base + pick(0, span), 0};
		int			j = i;

		for (int bit = 0; bit < bits; bit++)
			event.marks |= UINT64_C(1) << pick(0, c->steps - 1);
		if (pick(0, 19) == 0)
			event.marks = 0;
		/* by time alone: the order within an instant must not matter */
		for (; j > 0 && c->events[j - 1].at > event.at; j--)
			c->events[j] = c->events[j - 1];
		c->events[j] = event;
	}
}

static int
in_window(int64_t start, int64_t at, int64_t window)
{
	return start > INT64_MAX - window || at <= start + window;
}

/*
 * The furthest step of any chain that goes on from here, by trying all;
 * among the furthest chains keeps that of funnel_times in best.
 */
static int
explore(const Case *c, unsigned modes, int step, unsigned used, int64_t *times, int *furthest)
{
	if (step > 0 && step >= *furthest)
	{
		int			better = step > *furthest || times[step - 1] < best[step - 1];

		for (int i = step - 1; !better && i >= 0 &&
			 (i == step - 1 || times[i] >= best[i]) && times[step - 1] == best[step - 1]; i--)
			better = i < step - 1 && times[i] > best[i];
		if (better)
			memcpy(best, times, step * sizeof(int64_t));
		*furthest = step;
	}
	for (int i = 0; step < c->steps && i < c->count; i++)
	{
		int64_t		at = c->events[i].at;

		if ((c->events[i].marks >> step & 1) == 0 ||
			((modes & FUNNEL_STRICT_ONCE) != 0 && (used >> i & 1) != 0) ||
			(step > 0 && (at < times[step - 1] || !in_window(times[0], at, c->window))) ||
			(step > 0 && (modes & FUNNEL_STRICT_INCREASE) != 0 && at == times[step - 1]))
			continue;
		times[step] = at;
		explore(c, modes, step + 1, used | 1u << i, times, furthest);
	}
	return *furthest;
}

/* Adds to the chains of the step all that an event can continue. */
static void
continue_chains(const Case *c, unsigned modes, int step, int i)
{
	int64_t		at = c->events[i].at;

	if (step == 0)
	{
		Chain		chain = {at, at, 1u << i};

		chains[0][chain_count[0]++] = chain;
		return;
	}
	for (int n = 0; n < chain_count[step - 1]; n++)
	{
		Chain		chain = chains[step - 1][n];

		/* the one kept without strict_once */
		if ((modes & FUNNEL_STRICT_INCREASE) != 0 && (modes & FUNNEL_STRICT_ONCE) == 0 &&
			n < chain_count[step - 1] - 1)
			continue;
		if (!in_window(chain.start, at, c->window) ||
			((modes & FUNNEL_STRICT_ONCE) != 0 && (chain.used >> i & 1) != 0) ||
			((modes & FUNNEL_STRICT_INCREASE) != 0 && chain.last >= at))
			continue;
		chain.last = at;
		chain.used |= 1u << i;
		if (chain_count[step] == CHAINS)
			fail("too many chains", c, modes, 0, 0);
		chains[step][chain_count[step]++] = chain;
	}
}

/* How many events of this instant meet the condition of a step? */
static int
count_marked(const Case *c, int64_t at, int step)
{
	int			count = 0;

	for (int i = 0; i < c->count; i++)
		count += c->events[i].at == at && (c->events[i].marks >> step & 1) != 0;
	return count;
}

static int
reached(void)
{
	int			level = 0;

	while (chain_count[level] > 0)
		level++;
	return level;
}

/*
 * The level by keeping every chain, event by event; step -1 stands for events
 * without marks.
 */
static int
keep_all(const Case *c, unsigned modes)
{
	memset(chain_count, 0, sizeof(chain_count));
	for (int first = 0, next; first < c->count; first = next)
	{
		for (next = first; next < c->count && c->events[next].at == c->events[first].at;)
			next++;
		for (int step = -1; step < c->steps; step++)
			for (int i = first; i < next; i++)
			{
				int			level = reached();

				if (step < 0 ? c->events[i].marks != 0 : (c->events[i].marks >> step & 1) == 0)
					continue;
				if (step < 0)
				{
					if ((modes & FUNNEL_STRICT_ORDER) != 0 && level > 0)
						return level;
					continue;
				}
				if (step > 0 && (modes & FUNNEL_STRICT_DEDUPLICATION) != 0 &&
					chain_count[step] > 0)
					return level;
				if (step > 0 && (modes & FUNNEL_STRICT_ORDER) != 0 && level > 0 &&
					chain_count[step - 1] == 0)
				{
					if ((modes & FUNNEL_ALLOW_REENTRY) != 0)
						continue;
					return level;
				}
				continue_chains(c, modes, step, i);
				/* two events of one instant: the order must not matter */
				if (step > 0 && (modes & FUNNEL_STRICT_DEDUPLICATION) != 0 &&
					chain_count[step] > 0 && count_marked(c, c->events[i].at, step) > 1)
					return reached();
			}
	}
	return reached();
}

static void
scan(FunnelScan *state, const MarkedEvent *events, size_t count, int steps,
	 int64_t window, unsigned modes)
{
	size_t		done = 0;
	size_t		taken;

	funnel_begin(state, steps, window, modes);
	while ((taken = funnel_advance(state, events + done, count - done)) > 0)
		done += taken;
}

static void
try_case(void)
{
	static FunnelScan state;
	int64_t		times[FUNNEL_STEPS_MAX];
	int64_t		path[FUNNEL_STEPS_MAX];
	Case		c;

	make_case(&c);
	for (unsigned modes = 0; modes < MODES; modes++)
	{
		int			furthest = 0;

		if ((modes & FUNNEL_ALLOW_REENTRY) != 0 && (modes & FUNNEL_STRICT_ORDER) == 0)
			continue;
		scan(&state, c.events, c.count, c.steps, c.window, modes);
		if (state.level != keep_all(&c, modes))
			fail("level", &c, modes, state.level, keep_all(&c, modes));
		if (modes != 0 && modes != FUNNEL_STRICT_ONCE &&
			modes != (FUNNEL_STRICT_ONCE | FUNNEL_STRICT_INCREASE))
			continue;
		explore(&c, modes, 0, 0, path, &furthest);
		if (state.level != furthest)
			fail("furthest", &c, modes, state.level, furthest);
		if (modes == 0)
		{
			funnel_times(&state, c.events, c.count, times);
			for (int i = 0; i < furthest; i++)
				if (times[i] != best[i])
					fail("times", &c, modes, times[i], best[i]);
		}
	}
}

/* Many events of one instant, which meet all conditions or all but a few. */
static void
try_crowd(int steps, int missing, int per_instant, int expected)
{
	static MarkedEvent events[CROWD];
	static FunnelScan state;
	uint64_t	all = steps == 64 ? UINT64_MAX : (UINT64_C(1) << steps) - 1;
	Case		c = {.steps = steps, .window = CROWD};

	for (int i = 0; i < CROWD; i++)
	{
		events[i].at = i / per_instant;
		events[i].marks = all >> missing;
	}
	scan(&state, events, CROWD, steps, CROWD, FUNNEL_STRICT_ONCE);
	if (state.level != expected)
		fail("crowd", &c, FUNNEL_STRICT_ONCE, state.level, expected);
}

static void
try_modes(const char *text, FunnelModeError expected_error, unsigned expected,
		  const char *expected_word)
{
	Case		c = {0};
	const char *word;
	size_t		length;
	unsigned	modes;
	FunnelModeError error = funnel_parse_modes(text, strlen(text), &modes, &word, &length);

	if (error != expected_error)
		fail(text, &c, modes, error, expected_error);
	if (error == FUNNEL_MODE_OK && modes != expected)
		fail(text, &c, modes, modes, expected);
	if (error != FUNNEL_MODE_OK &&
		(length != strlen(expected_word) || strncmp(word, expected_word, length) != 0))
		fail(text, &c, modes, (int64_t) length, (int64_t) strlen(expected_word));
}

int
main(void)
{
	for (int i = 0; i < CASES; i++)
		try_case();

	try_crowd(64, 0, CROWD, 64);
	try_crowd(64, 0, 100, 64);
	try_crowd(64, 1, 100, 63);
	try_crowd(64, 1, 3, 63);
	try_crowd(64, 63, CROWD, 1);

	try_modes("", FUNNEL_MODE_OK, 0, NULL);
	try_modes(" \t", FUNNEL_MODE_OK, 0, NULL);
	try_modes("strict_once", FUNNEL_MODE_OK, FUNNEL_STRICT_ONCE, NULL);
	try_modes(" strict_order ,\tallow_reentry", FUNNEL_MODE_OK,
			  FUNNEL_STRICT_ORDER | FUNNEL_ALLOW_REENTRY, NULL);
	try_modes("allow_reentry,strict_order,allow_reentry", FUNNEL_MODE_OK,
			  FUNNEL_STRICT_ORDER | FUNNEL_ALLOW_REENTRY, NULL);
	try_modes("strict_increase,strict_deduplication", FUNNEL_MODE_OK,
			  FUNNEL_STRICT_INCREASE | FUNNEL_STRICT_DEDUPLICATION, NULL);
	try_modes("strict", FUNNEL_MODE_UNKNOWN, 0, "strict");
	try_modes("strict_once, Strict_order ", FUNNEL_MODE_UNKNOWN, 0, "Strict_order");
	try_modes("strict_once,,", FUNNEL_MODE_UNKNOWN, 0, "");
	try_modes("strict_once,", FUNNEL_MODE_UNKNOWN, 0, "");
	try_modes("strict_once , allow_reentry", FUNNEL_MODE_ALONE, 0, "allow_reentry");

	printf("ok: %d funnels in every mode\n", CASES);
	return 0;
}
