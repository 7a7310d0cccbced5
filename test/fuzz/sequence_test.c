/*
 * sequence_test.c
 *		model/sequence against brute force, without a server.
 *
 *	cc -O2 -Isrc -o sequence_test test/fuzz/sequence_test.c \
 *		src/model/sequence*.c && ./sequence_test
 *
 * Prints the first mismatch and fails, or prints how much was tried.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/sequence.h"

#define SECOND		INT64_C(1000000)
#define SEARCHES	400000
#define EVENTS		9
#define ELEMENTS	7
#define MANY		1000000		/* events of a hostile search */
#define STEPS		8			/* for each event and element, at most */

static uint64_t seed = 42;

static MarkedEvent events[MANY];
static int64_t chain[SEQUENCE_ACTIONS];
static SequenceAction actions[SEQUENCE_ACTIONS];
static SequencePattern pattern = {.actions = actions};

static int
pick(int least, int most)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (int) (least + (int64_t) ((seed >> 33) % (uint64_t) (most - least + 1)));
}

static void
fail(const char *what, const char *text, int64_t got, int64_t expected)
{
	printf("not ok: %s of %s: got %lld, expected %lld\n", what, text,
		   (long long) got, (long long) expected);
	exit(1);
}

/* A SequenceInterval that knows hours. */
static bool
read_hours(const char *text, int length, int64_t *microseconds, void *arg)
{
	(void) arg;
	if (length < 2 || text[length - 1] != 'h')
		return false;
	*microseconds = atoi(text) * 3600 * SECOND;
	return true;
}

static SequenceError
compile(const char *text, int conditions)
{
	return sequence_compile(text, (int) strlen(text), conditions, read_hours, NULL, &pattern);
}

static SequenceSearch
search(SequenceGoal goal, int64_t count)
{
	SequenceSearch asked = {.pattern = &pattern, .events = events, .count = count,
	.goal = goal, .chain = chain};
	size_t		size = sequence_search_size(&asked);
	void	   *memory = malloc(size);

	memset(memory, 0xa5, size);
	sequence_search(&asked, memory);
	free(memory);
	return asked;
}

/*
 * Brute force: places[i] is where action i is begun, the last one where the
 * pattern ends.  Tries all chains in order, up to the action all; the first is
 * left in places.  base is that of the time before the action.
 */
static int	places[SEQUENCE_ACTIONS + 1];

static bool
can_pass_at_end(const SequenceAction *action)
{
	return action->kind == SEQUENCE_STAR || action->kind == SEQUENCE_LESS ||
		action->kind == SEQUENCE_LESS_EQUAL ||
		(action->kind == SEQUENCE_GREATER_EQUAL && action->distance == 0);
}

static bool
holds(const SequenceAction *action, int64_t from, int64_t to)
{
	switch (action->kind)
	{
		case SEQUENCE_LESS:
			return to - from < action->distance;
		case SEQUENCE_LESS_EQUAL:
			return to - from <= action->distance;
		case SEQUENCE_GREATER:
			return to - from > action->distance;
		case SEQUENCE_GREATER_EQUAL:
			return to - from >= action->distance;
		case SEQUENCE_EQUAL:
			return to - from == action->distance;
		default:
			return true;
	}
}

/* least: set to the earliest end of any chain, which are then all tried. */
static bool
try_chains(int i, int place, int base, int all, int count, int *least)
{
	const SequenceAction *action = &actions[i];

	places[i] = place;
	if (i == all)
	{
		if (least == NULL)
			return true;
		if (place < *least)
			*least = place;
		return false;
	}
	if (place == count)
		return can_pass_at_end(action) && try_chains(i + 1, place, base, all, count, least);
	if (action->kind == SEQUENCE_EVENT || action->kind == SEQUENCE_ANY)
		return (action->kind == SEQUENCE_ANY || (events[place].marks & action->mark) != 0) &&
			try_chains(i + 1, place + 1, place, all, count, least);
	for (int p = place; p < count; p++)
	{
		if (holds(action, events[base].at, events[p].at) &&
			try_chains(i + 1, p, p, all, count, least))
			return true;
	}
	return false;
}

static int64_t
brute_count(int count)
{
	int64_t		matches = 0;
	int			start = 0;

	while (start < count && try_chains(0, start, start, pattern.count, count, NULL))
	{
		matches++;
		if (places[pattern.count] > start)
			start = places[pattern.count];
		else
			start++;
	}
	return matches;
}

static void
check_chain(const char *text, int count, const SequenceSearch *got)
{
	int			all = pattern.count;
	int			length = 0;

	if (try_chains(0, 0, 0, all, count, NULL) != got->whole)
		fail("whole", text, got->whole, !got->whole);
	/* no chain ends before the first */
	if (got->whole)
	{
		int			end = places[all];
		int			least = count;

		(void) try_chains(0, 0, 0, all, count, &least);
		if (least != end)
			fail("end", text, end, least);
	}
	while (all > 0 && !try_chains(0, 0, 0, all, count, NULL))
		while (--all > 0 && actions[all - 1].kind != SEQUENCE_EVENT)
			;
	for (int i = 0; i < all; i++)
	{
		if (actions[i].kind == SEQUENCE_EVENT && chain[length++] != places[i])
			fail("chain", text, chain[length - 1], places[i]);
	}
	if (length != got->found)
		fail("chain's length", text, got->found, length);
}

static void
make_pattern(char *text)
{
	static const char *const operators[] = {"<", "<=", ">", ">=", "=="};
	bool		waits = false;

	*text = '\0';
	for (int i = pick(0, ELEMENTS); i > 0; i--)
	{
		int			choice = pick(0, 9);

		if (choice < 2 && !waits)
			text += sprintf(text, "(?t%s%d%s)", operators[pick(0, 4)], pick(0, 4),
							pick(0, 5) == 0 ? ".5" : "");
		else if (choice < 4)
			text += sprintf(text, ".*");
		else if (choice < 5)
			text += sprintf(text, ".");
		else
			text += sprintf(text, "(?%d)", pick(1, 3));
		waits = choice < 2 && !waits;
	}
}

static void
try_search(void)
{
	char		text[ELEMENTS * 16 + 1];
	int			count = pick(0, EVENTS);
	int			step = pick(1, 2);
	SequenceSearch got;

	make_pattern(text);
	if (compile(text, 3).mistake != SEQUENCE_FINE)
		fail("mistake", text, compile(text, 3).mistake, SEQUENCE_FINE);
	for (int i = 0; i < count; i++)
	{
		events[i].at = (i == 0 ? 0 : events[i - 1].at) + pick(0, 3) * SECOND / step;
		events[i].marks = (uint64_t) pick(1, 7);
	}

	got = search(SEQUENCE_MATCH, count);
	if (got.found != try_chains(0, 0, 0, pattern.count, count, NULL))
		fail("match", text, got.found, !got.found);
	got = search(SEQUENCE_COUNT, count);
	if (got.found != brute_count(count))
		fail("count", text, got.found, brute_count(count));
	got = search(SEQUENCE_EVENTS, count);
	check_chain(text, count, &got);
}

static void
try_mistakes(void)
{
	static const struct
	{
		const char *text;
		SequenceMistake mistake;
		int			position;
	}			tries[] = {
		{"", SEQUENCE_FINE, 0},
		{"(?3).*.(?t>=1.250000)(?1)(?t<'2h').", SEQUENCE_FINE, 0},
		{"(?0)", SEQUENCE_UNKNOWN_CONDITION, 2},
		{"(?1)(?4)", SEQUENCE_UNKNOWN_CONDITION, 6},
		{"(?99999999999999999999)", SEQUENCE_UNKNOWN_CONDITION, 2},
		{"(?1) (?2)", SEQUENCE_UNKNOWN_ELEMENT, 4},
		{"(?1)*", SEQUENCE_UNKNOWN_ELEMENT, 4},
		{"(", SEQUENCE_UNKNOWN_ELEMENT, 0},
		{"(?", SEQUENCE_NO_NUMBER, 2},
		{"(?x)", SEQUENCE_NO_NUMBER, 2},
		{"(?1", SEQUENCE_NOT_CLOSED, 3},
		{"(?1x)", SEQUENCE_NOT_CLOSED, 3},
		{"(?t", SEQUENCE_UNKNOWN_OPERATOR, 3},
		{"(?t=1)", SEQUENCE_UNKNOWN_OPERATOR, 3},
		{"(?t!=1)", SEQUENCE_UNKNOWN_OPERATOR, 3},
		{"(?t>=)", SEQUENCE_NO_NUMBER, 5},
		{"(?t>-1)", SEQUENCE_NO_NUMBER, 4},
		{"(?t> 1)", SEQUENCE_NO_NUMBER, 4},
		{"(?t>1.)", SEQUENCE_NO_NUMBER, 6},
		{"(?t>1.0000001)", SEQUENCE_TOO_FINE, 4},
		{"(?t>9223372036854)", SEQUENCE_OUT_OF_RANGE, 4},
		{"(?t>99999999999999999999)", SEQUENCE_OUT_OF_RANGE, 4},
		{"(?t>'2')", SEQUENCE_BAD_INTERVAL, 4},
		{"(?t>'-2h')", SEQUENCE_BAD_INTERVAL, 4},
		{"(?t>'2h)", SEQUENCE_BAD_INTERVAL, 4},
		{"(?t>'2h'", SEQUENCE_NOT_CLOSED, 8},
		{"(?t>1)(?t<2)", SEQUENCE_TWO_WAITS, 6}
	};
	char		text[SEQUENCE_LENGTH + 2];

	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++)
	{
		SequenceError error = compile(tries[i].text, 3);

		if (error.mistake != tries[i].mistake)
			fail("mistake", tries[i].text, error.mistake, tries[i].mistake);
		if (error.position != tries[i].position)
			fail("position", tries[i].text, error.position, tries[i].position);
	}

	memset(text, '.', sizeof(text));
	text[SEQUENCE_LENGTH] = '\0';
	if (compile(text, 3).mistake != SEQUENCE_FINE || pattern.count != SEQUENCE_ACTIONS)
		fail("longest pattern", "...", pattern.count, SEQUENCE_ACTIONS);
	text[SEQUENCE_LENGTH] = '.';
	text[SEQUENCE_LENGTH + 1] = '\0';
	if (compile(text, 3).mistake != SEQUENCE_TOO_LONG)
		fail("mistake", "a long pattern", SEQUENCE_FINE, SEQUENCE_TOO_LONG);
}

/* Steps are linear where a search that goes back would take for ever. */
static void
try_hostile(void)
{
	static const char *const tries[] = {
		"",
		".*.*.*.*(?3)",
		".*.*.*.*(?1).*.*.*(?3)",
		"(?1)(?1)(?1)(?1)(?1)(?1)(?1)(?1)(?3)",
		"(?1)(?t>=0)(?1)(?t>=0)(?1)(?t>=0)(?1)(?t>=0)(?3)",
		"(?1)(?t<='999h')(?1)(?t<='999h')(?1)(?t<='999h')(?3)",
		"(?1)(?t<1000).(?t>10)(?1)(?t<2000).(?t==100)(?3)",
		"(?1)(?t==0)(?1)(?t==0)(?1)(?t==0)(?3)",
		"(?1)(?t==1)(?1)(?t==1000)(?1)(?t==100000)(?1)(?t==1)(?3)",
		"(?1)(?t==400000)(?2)",
		"(?1)(?t<900000)(?2)(?t<900000)(?1)",
		"(?1)(?t>=1)",
		"(?1).*(?2)"
	};

	for (int spread = 0; spread <= 2; spread++)
	{
		/* all at one time, some ties, none */
		for (int i = 0; i < MANY; i++)
		{
			events[i].at = spread == 0 ? 0 : i / (spread == 1 ? 1000 : 1) * SECOND;
			events[i].marks = 1 + 2 * (i % 97 == 0);
		}
		for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++)
		{
			SequenceError error = compile(tries[i], 3);

			if (error.mistake != SEQUENCE_FINE)
				fail("mistake", tries[i], error.mistake, SEQUENCE_FINE);
			for (SequenceGoal goal = SEQUENCE_MATCH; goal <= SEQUENCE_EVENTS; goal++)
			{
				SequenceSearch got = search(goal, MANY);

				if (got.steps > (int64_t) STEPS * MANY * pattern.count)
					fail("steps", tries[i], got.steps, (int64_t) STEPS * MANY * pattern.count);
			}
		}
	}
}

int
main(void)
{
	for (int i = 0; i < SEARCHES; i++)
		try_search();
	try_mistakes();
	try_hostile();
	printf("ok: %d patterns, %d events\n", SEARCHES, MANY);
	return 0;
}
