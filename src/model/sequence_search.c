/*
 * sequence_search.c
 *		The chains of events that match a compiled pattern.
 *
 * A place is a number of events passed, 0 to their count.  Going from place to
 * place, the search knows which actions are reached there.  An action that
 * waits (a star, a time) also remembers its earlier arrivals, as far as it
 * needs them: a time is measured from the event consumed just before, or from
 * the event at the place of arrival if that was come to without consuming any.
 *
 * Earlier arrivals satisfy > and >= sooner, later ones < and <= longer.  For ==
 * the arrivals are kept as a bit for each place, with a head that moves along
 * as events do.  To find the way back, < and <= keep such bits as well.
 */
#include "model/sequence.h"

#include <string.h>

#define NOWHERE (-1)

/* What is known of an action. */
typedef struct Wait
{
	int64_t		first;			/* place of the first arrival, or NOWHERE */
	int64_t		last;			/* place of the last one */
	int64_t		head;			/* SEQUENCE_EQUAL: arrivals before are too old */
	uint64_t   *arrivals;		/* a bit for each place, or NULL */
	bool		here;			/* reached at the present place */
	bool		next;			/* reached at the next one, by consuming the event */
} Wait;

typedef struct Search
{
	SequenceSearch *asked;
	const SequenceAction *actions;
	const MarkedEvent *events;
	int64_t		count;			/* of events */
	int			all;			/* of actions */
	int			top;			/* no action beyond has been reached */
	Wait	   *waits;			/* for each action, and one for the end of the pattern */
} Search;

/* Does the search need a bit for each arrival at an action? */
static bool
keeps_arrivals(const SequenceSearch *asked, const SequenceAction *action)
{
	return action->kind == SEQUENCE_EQUAL ||
		(asked->goal == SEQUENCE_EVENTS &&
		 (action->kind == SEQUENCE_LESS || action->kind == SEQUENCE_LESS_EQUAL));
}

/* Words of such bits. */
static size_t
arrival_words(const SequenceSearch *asked)
{
	return (size_t) (asked->count / 64 + 1);
}

size_t
sequence_search_size(const SequenceSearch *search)
{
	const SequencePattern *pattern = search->pattern;
	size_t		size = (pattern->count + 1) * sizeof(Wait);

	for (int i = 0; i < pattern->count; i++)
	{
		if (keeps_arrivals(search, &pattern->actions[i]))
			size += arrival_words(search) * sizeof(uint64_t);
	}
	return size;
}

static bool
consumes(const SequenceAction *action)
{
	return action->kind == SEQUENCE_EVENT || action->kind == SEQUENCE_ANY;
}

static bool
has_arrived(const Wait *wait, int64_t place)
{
	return wait->arrivals[place / 64] >> (place % 64) & 1;
}

/* The first time that is so far from the base of an arrival, or the last one. */
static int64_t
limit(const Search *search, int i, int64_t place)
{
	int64_t		base = consumes(&search->actions[i - 1]) ? place - 1 : place;
	int64_t		at = search->events[base].at;
	int64_t		distance = search->actions[i].distance;

	return at > INT64_MAX - distance ? INT64_MAX : at + distance;
}

/* Begins anew at a place, which may have been looked at before. */
static void
begin(Search *search, int64_t place)
{
	for (int i = 0; i <= search->all; i++)
	{
		Wait	   *wait = &search->waits[i];

		search->asked->steps++;
		wait->first = wait->last = NOWHERE;
		wait->head = place;
		wait->here = wait->next = false;
		if (wait->arrivals != NULL)
			wait->arrivals[place / 64] &= ~(UINT64_C(1) << (place % 64));
	}
	search->waits[0].here = true;
	search->top = 0;
}

/* Has an arrival at this == its moment at a place? */
static bool
is_equal(Search *search, int i, int64_t place)
{
	Wait	   *wait = &search->waits[i];
	int64_t		at = search->events[place].at;

	for (; wait->head <= wait->last; wait->head++)
	{
		if (has_arrived(wait, wait->head) && limit(search, i, wait->head) >= at)
			return limit(search, i, wait->head) == at;
		search->asked->steps++;
	}
	return false;
}

/* Can a wait end at a place, which has an event? */
static bool
passes(Search *search, int i, int64_t place)
{
	const Wait *wait = &search->waits[i];
	int64_t		at;

	if (wait->first == NOWHERE)
		return false;
	at = search->events[place].at;
	switch (search->actions[i].kind)
	{
		case SEQUENCE_STAR:
			return true;
		case SEQUENCE_LESS:
			return at < limit(search, i, wait->last);
		case SEQUENCE_LESS_EQUAL:
			return at <= limit(search, i, wait->last);
		case SEQUENCE_GREATER:
			return at > limit(search, i, wait->first);
		case SEQUENCE_GREATER_EQUAL:
			return at >= limit(search, i, wait->first);
		default:
			return is_equal(search, i, place);
	}
}

static void
arrive(Wait *wait, int64_t place)
{
	if (wait->first == NOWHERE)
		wait->first = place;
	wait->last = place;
	if (wait->arrivals != NULL)
		wait->arrivals[place / 64] |= UINT64_C(1) << (place % 64);
}

/* Follows the actions at a place that has an event.  True at the pattern's end. */
static bool
look(Search *search, int64_t place)
{
	const MarkedEvent *event = &search->events[place];

	for (int i = 0; i <= search->top && i < search->all; i++)
	{
		const SequenceAction *action = &search->actions[i];
		Wait	   *wait = &search->waits[i];
		Wait	   *after = wait + 1;
		bool		reached;

		search->asked->steps++;
		if (wait->here)
			arrive(wait, place);
		if (consumes(action))
			reached = after->next = wait->here &&
				(action->kind == SEQUENCE_ANY || (event->marks & action->mark) != 0);
		else
		{
			after->next = false;
			reached = passes(search, i, place);
			after->here |= reached;
		}
		if (reached && search->top <= i)
			search->top = i + 1;
	}
	if (!search->waits[search->all].here)
		return false;
	arrive(&search->waits[search->all], place);
	return true;
}

/* Goes on to the next place. */
static void
move(Search *search)
{
	for (int i = 0; i <= search->top; i++)
	{
		search->asked->steps++;
		search->waits[i].here = search->waits[i].next;
		search->waits[i].next = false;
	}
}

/*
 * The first action that is reached at the end of the events, if the rest of
 * the pattern can be passed there; else NOWHERE.
 */
static int
reached_at_end(Search *search)
{
	for (int i = 0; i <= search->all; i++)
	{
		search->asked->steps++;
		if (search->waits[i].here)
			arrive(&search->waits[i], search->count);
	}
	for (int i = search->asked->pattern->tail; i <= search->all; i++)
	{
		if (search->waits[i].here)
			return i;
	}
	return NOWHERE;
}

/*
 * Searches from a place on.  Returns the action that the match has come to
 * when it ends, with the place in *end, or NOWHERE.
 */
static int
find(Search *search, int64_t start, int64_t *end)
{
	begin(search, start);
	for (*end = start; *end < search->count; (*end)++)
	{
		if (search->asked->attend != NULL)
			search->asked->attend();
		if (look(search, *end))
			return search->all;
		move(search);
	}
	return reached_at_end(search);
}

/* Counts matches that do not overlap; an empty one takes one event. */
static int64_t
count_matches(Search *search)
{
	int64_t		matches = 0;
	int64_t		start = 0;
	int64_t		end;

	while (start < search->count && find(search, start, &end) != NOWHERE)
	{
		matches++;
		start = end > start ? end : start + 1;
	}
	return matches;
}

/*
 * The place from which an action was come to at a later place: the earliest
 * arrival at the one before it that leads there.
 */
static int64_t
came_from(const Search *search, int i, int64_t place)
{
	const SequenceAction *action = &search->actions[i - 1];
	const Wait *wait = &search->waits[i - 1];
	int64_t		from = NOWHERE;
	int64_t		at;

	if (consumes(action))
		return place - 1;
	if (wait->arrivals == NULL)
		return wait->first;

	at = search->events[place].at;
	for (int64_t p = place; p >= wait->first; p--)
	{
		int64_t		last;

		search->asked->steps++;
		if (!has_arrived(wait, p))
			continue;
		last = limit(search, i - 1, p);
		if (last < at || (last == at && action->kind == SEQUENCE_LESS))
			break;
		if (last == at || action->kind != SEQUENCE_EQUAL)
			from = p;
	}
	return from;
}

/* Finds the way back to the beginning from an action at a place. */
static void
find_chain(Search *search, int i, int64_t place)
{
	SequenceSearch *asked = search->asked;
	int64_t		events = 0;
	int64_t		left;

	for (int j = 0; j < i; j++)
		events += search->actions[j].kind == SEQUENCE_EVENT;
	asked->found = left = events;
	for (; i > 0; i--)
	{
		place = came_from(search, i, place);
		if (search->actions[i - 1].kind == SEQUENCE_EVENT)
			asked->chain[--left] = place;
	}
}

/* The chain that matches the whole pattern, or as long a beginning as can be. */
static void
find_events(Search *search)
{
	int64_t		end;
	int			i = find(search, 0, &end);

	search->asked->whole = i != NOWHERE;
	if (i == NOWHERE)
	{
		for (i = search->all; i > 0; i--)
		{
			if (search->actions[i - 1].kind == SEQUENCE_EVENT &&
				search->waits[i].first != NOWHERE)
				break;
		}
		end = search->waits[i].first;
	}
	find_chain(search, i, end);
}

void
sequence_search(SequenceSearch *asked, void *memory)
{
	Search		search;
	uint64_t   *bits;
	int64_t		end;

	search.asked = asked;
	search.actions = asked->pattern->actions;
	search.events = asked->events;
	search.count = asked->count;
	search.all = asked->pattern->count;
	search.waits = (Wait *) memory;
	bits = (uint64_t *) (search.waits + search.all + 1);
	memset(memory, 0, sequence_search_size(asked));
	for (int i = 0; i < search.all; i++)
	{
		if (keeps_arrivals(asked, &search.actions[i]))
		{
			search.waits[i].arrivals = bits;
			bits += arrival_words(asked);
		}
	}

	asked->steps = 0;
	asked->found = 0;
	asked->whole = false;
	if (asked->goal == SEQUENCE_MATCH)
		asked->found = find(&search, 0, &end) != NOWHERE;
	else if (asked->goal == SEQUENCE_COUNT)
		asked->found = count_matches(&search);
	else
		find_events(&search);
}
