/*
 * funnel.c
 *		How far a customer came through the steps of a funnel.
 *
 * For each step one chain that ends there is kept, the one with the latest
 * start: whatever can continue a chain that started earlier can continue it.
 *
 * That is not so where an event takes one step only: the chain kept may have
 * used the event that the next step needs.  But events of other instants are
 * other events, so only the instant at hand matters.  A chain that ends there
 * continues one that ended before it, at step j, by events of this instant for
 * the steps j + 1 .. k: there must be a different one for each.  The longer that
 * run of steps, the later the start of the chain it continues, since no chain is
 * kept for a step that started later than that of the step before.  So for each
 * k the longest run is wanted, and as k grows, its beginning never moves back:
 * one matching is extended at one end and cut at the other.
 */
#include "model/funnel.h"

#include <string.h>

static const struct
{
	const char *word;
	unsigned	mode;
}			mode_words[] =
{
	{"strict_order", FUNNEL_STRICT_ORDER},
	{"strict_deduplication", FUNNEL_STRICT_DEDUPLICATION},
	{"strict_increase", FUNNEL_STRICT_INCREASE},
	{"strict_once", FUNNEL_STRICT_ONCE},
	{"allow_reentry", FUNNEL_ALLOW_REENTRY},
};

#define MODE_WORDS	((int) (sizeof(mode_words) / sizeof(mode_words[0])))

/* What the events of one instant come to. */
typedef struct Instant
{
	const MarkedEvent *events;
	size_t		count;
	uint64_t	any;			/* conditions that an event meets */
	uint64_t	repeated;		/* conditions that two events meet */
	bool		unmarked;		/* is there an event that meets none? */
} Instant;

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The flag of a word, or 0. */
static unsigned
mode_of_word(const char *word, size_t length)
{
	for (int i = 0; i < MODE_WORDS; i++)
		if (strlen(mode_words[i].word) == length &&
			memcmp(mode_words[i].word, word, length) == 0)
			return mode_words[i].mode;
	return 0;
}

FunnelModeError
funnel_parse_modes(const char *text, size_t length, unsigned *modes,
				   const char **word, size_t *word_length)
{
	const char *end = text + length;
	const char *reentry = NULL;
	size_t		reentry_length = 0;
	bool		single = memchr(text, ',', length) == NULL;

	*modes = 0;
	for (;;)
	{
		const char *comma = memchr(text, ',', (size_t) (end - text));
		const char *stop = comma != NULL ? comma : end;
		unsigned	mode;

		while (text < stop && is_space(*text))
			text++;
		while (stop > text && is_space(stop[-1]))
			stop--;
		if (single && text == stop)
			return FUNNEL_MODE_OK;

		*word = text;
		*word_length = (size_t) (stop - text);
		mode = mode_of_word(*word, *word_length);
		if (mode == 0)
			return FUNNEL_MODE_UNKNOWN;
		*modes |= mode;
		if (mode == FUNNEL_ALLOW_REENTRY)
		{
			reentry = *word;
			reentry_length = *word_length;
		}
		if (comma == NULL)
			break;
		text = comma + 1;
	}

	if (reentry != NULL && (*modes & FUNNEL_STRICT_ORDER) == 0)
	{
		*word = reentry;
		*word_length = reentry_length;
		return FUNNEL_MODE_ALONE;
	}
	return FUNNEL_MODE_OK;
}

/* The position of the lowest bit of a number that is not 0. */
static int
lowest_bit(uint64_t bits)
{
	int			position = 0;

	for (int width = 32; width > 0; width /= 2)
		if ((bits & ((UINT64_C(1) << width) - 1)) == 0)
		{
			bits >>= width;
			position += width;
		}
	return position;
}

/*
 * Which events of the instant can take which step.  For a step that as many
 * events can take as there are steps, there is always one left, so no more need
 * to be kept; and events that are kept for no step need no number.
 */
static void
ties_begin(FunnelTies *ties, const Instant *instant, int steps)
{
	uint64_t	wanted = instant->any;
	uint16_t	number = 0;

	memset(ties->degree, 0, sizeof(ties->degree));
	ties->first = ties->next = 0;
	for (size_t i = 0; i < instant->count && wanted != 0; i++)
	{
		uint64_t	marks = instant->events[i].marks & wanted;

		if (marks == 0)
			continue;
		ties->taker[number] = -1;
		for (; marks != 0; marks &= marks - 1)
		{
			int			step = lowest_bit(marks);

			ties->candidates[step][ties->degree[step]++] = number;
			if (ties->degree[step] == steps)
				wanted &= ~(UINT64_C(1) << step);
		}
		number++;
	}
}

/*
 * Gives the step an event, others of the run giving up theirs for another one
 * where needed.  False if there is no way to do so.
 */
static bool
ties_take(FunnelTies *ties, int step)
{
	int			queue[FUNNEL_STEPS_MAX];
	int			parent[FUNNEL_STEPS_MAX];
	uint64_t	seen = UINT64_C(1) << step;
	int			length = 1;

	queue[0] = step;
	for (int i = 0; i < length; i++)
	{
		int			asks = queue[i];

		for (int j = 0; j < ties->degree[asks]; j++)
		{
			uint16_t	event = ties->candidates[asks][j];
			int			has = ties->taker[event];

			if (has >= 0 && (seen & UINT64_C(1) << has) == 0)
			{
				seen |= UINT64_C(1) << has;
				parent[has] = asks;
				queue[length++] = has;
			}
			if (has >= 0)
				continue;

			/* A free one: hand over along the way back. */
			while (asks != step)
			{
				uint16_t	given_up = ties->taken[asks];

				ties->taken[asks] = event;
				ties->taker[event] = (int8_t) asks;
				event = given_up;
				asks = parent[asks];
			}
			ties->taken[step] = event;
			ties->taker[event] = (int8_t) step;
			return true;
		}
	}
	return false;
}

static void
ties_cut(FunnelTies *ties)
{
	ties->taker[ties->taken[ties->first]] = -1;
	ties->first++;
}

/*
 * The beginning of the longest run of steps, up to this one, that events of the
 * instant can take.  To be called with growing steps, each of which an event of
 * the instant can take.
 */
static int
ties_run(FunnelTies *ties, int step)
{
	if (step != ties->next)
	{
		while (ties->first < ties->next)
			ties_cut(ties);
		ties->first = step;
	}
	while (!ties_take(ties, step))
		ties_cut(ties);
	ties->next = step + 1;
	return ties->first;
}

/* The events of the first instant. */
static void
find_instant(Instant *instant, const MarkedEvent *events, size_t count)
{
	size_t		n;

	instant->events = events;
	instant->any = events[0].marks;
	instant->repeated = 0;
	instant->unmarked = events[0].marks == 0;
	for (n = 1; n < count && events[n].at == events[0].at; n++)
	{
		instant->repeated |= instant->any & events[n].marks;
		instant->any |= events[n].marks;
		instant->unmarked |= events[n].marks == 0;
	}
	instant->count = n;
}

/*
 * Can the event continue the chain?  The difference may exceed the range of
 * int64, not that of uint64.
 */
static bool
in_window(const FunnelScan *scan, int64_t at, int64_t start)
{
	return (uint64_t) at - (uint64_t) start <= (uint64_t) scan->window;
}

/* Keeps a chain that ends at this step; none before it started later. */
static void
keep_chain(FunnelScan *scan, int step, int64_t start, int64_t at)
{
	scan->start[step] = start;
	scan->last[step] = at;
	if (step == scan->level)
	{
		scan->level++;
		scan->reached_at = at;
	}
}

/* Takes a step after the first where any event may take many. */
static void
take_step(FunnelScan *scan, int step, int64_t at)
{
	if (step <= scan->level && in_window(scan, at, scan->start[step - 1]) &&
		((scan->modes & FUNNEL_STRICT_INCREASE) == 0 || scan->last[step - 1] < at))
		keep_chain(scan, step, scan->start[step - 1], at);
}

/*
 * Takes a step where any event may take one only.  start and level are those of
 * the chains kept before this instant.
 */
static void
take_step_once(FunnelScan *scan, int step, const Instant *instant,
			   const int64_t *start, int level)
{
	int64_t		at = instant->events[0].at;
	int			run = step;

	if (instant->count > 1 && (scan->modes & FUNNEL_STRICT_INCREASE) == 0)
		run = ties_run(&scan->ties, step);
	if (run == 0)
		keep_chain(scan, step, at, at);
	else if (run <= level && in_window(scan, at, start[run - 1]))
		keep_chain(scan, step, start[run - 1], at);
}

/* Does the condition of this step, not the first, end the scan? */
static bool
step_ends(const FunnelScan *scan, int step)
{
	if ((scan->modes & FUNNEL_STRICT_DEDUPLICATION) != 0 && step < scan->level)
		return true;
	return (scan->modes & FUNNEL_STRICT_ORDER) != 0 &&
		(scan->modes & FUNNEL_ALLOW_REENTRY) == 0 &&
		scan->level > 0 && step > scan->level;
}

void
funnel_begin(FunnelScan *scan, int steps, int64_t window, unsigned modes)
{
	scan->level = 0;
	scan->reached_at = 0;
	scan->steps = steps;
	scan->window = window;
	scan->modes = modes;
	scan->ended = false;
}

size_t
funnel_advance(FunnelScan *scan, const MarkedEvent *events, size_t count)
{
	bool		once = (scan->modes & FUNNEL_STRICT_ONCE) != 0;
	int			level = scan->level;
	int64_t		start[FUNNEL_STEPS_MAX];
	Instant		instant;

	if (scan->ended || count == 0)
		return 0;

	find_instant(&instant, events, count);
	if (instant.unmarked && level > 0 && (scan->modes & FUNNEL_STRICT_ORDER) != 0)
	{
		scan->ended = true;
		return 0;
	}
	if (once)
	{
		memcpy(start, scan->start, level * sizeof(int64_t));
		if (instant.count > 1)
			ties_begin(&scan->ties, &instant, scan->steps);
	}

	for (uint64_t left = instant.any; left != 0 && !scan->ended; left &= left - 1)
	{
		int			step = lowest_bit(left);
		int			reached = scan->level;

		if (step > 0 && step_ends(scan, step))
		{
			scan->ended = true;
			break;
		}
		if (once)
			take_step_once(scan, step, &instant, start, level);
		else if (step == 0)
			keep_chain(scan, step, events[0].at, events[0].at);
		else
			take_step(scan, step, events[0].at);

		if (step > 0 && scan->level > reached &&
			(scan->modes & FUNNEL_STRICT_DEDUPLICATION) != 0)
			scan->ended = (instant.repeated & left & -left) != 0;
		if (scan->level == scan->steps)
			scan->ended = true;
	}
	return instant.count;
}

void
funnel_times(const FunnelScan *scan, const MarkedEvent *events, size_t count,
			 int64_t *times)
{
	int			step = scan->level - 1;
	size_t		i = count;

	/* Backward by instants: each step is taken at the last one that has it. */
	while (step >= 0 && i > 0)
	{
		int64_t		at = events[i - 1].at;
		uint64_t	any = 0;

		for (; i > 0 && events[i - 1].at == at; i--)
			any |= events[i - 1].marks;
		if (at > scan->reached_at)
			continue;
		for (; step >= 0 && (any & UINT64_C(1) << step) != 0; step--)
			times[step] = at;
	}
}
