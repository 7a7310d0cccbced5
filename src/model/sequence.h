/*
 * sequence.h
 *		Chains of events that match a pattern.
 *
 * A pattern is a row of elements:
 *	(?N)		an event for which condition N holds, the very next one
 *	.			any event, the very next one
 *	.*			any number of events, none among them
 *	(?t op x)	waits, past any number of events, for one whose distance from the
 *				event before the wait satisfies op (>= > <= < ==), and leaves it
 *				to the next element; x is a number of seconds or a quoted
 *				interval, no spaces around it
 * A chain may begin anywhere.  A pattern matches if all of its elements are
 * passed.  When the last event is consumed by an element, what follows may be
 * passed without an event if it is .*, < or <= or >= 0.
 *
 * Of all chains the first is the one whose first element comes earliest, then
 * its second element, and so on.  No chain ends before the first one: where a
 * later chain overtook it, the first could have gone on as the later did.
 * That makes it enough to know, for each element, which places are reached.
 *
 * Steps and memory are linear in events times elements, whatever the pattern.
 * Everything here is pure: the caller hands in all memory, and raises errors.
 */
#ifndef SEGMENT_MODEL_SEQUENCE_H
#define SEGMENT_MODEL_SEQUENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "model/event.h"

#define SEQUENCE_CONDITIONS 64	/* as MarkedEvent has marks */
#define SEQUENCE_LENGTH		1000	/* bytes of a pattern, at most */
#define SEQUENCE_ACTIONS	(SEQUENCE_LENGTH + 1)	/* what it compiles to, at most */

typedef enum SequenceKind
{
	SEQUENCE_EVENT,				/* consumes an event with the mark */
	SEQUENCE_ANY,				/* consumes any event */
	SEQUENCE_STAR,
	SEQUENCE_LESS,				/* waits, as the following do */
	SEQUENCE_LESS_EQUAL,
	SEQUENCE_GREATER,
	SEQUENCE_GREATER_EQUAL,
	SEQUENCE_EQUAL
} SequenceKind;

typedef struct SequenceAction
{
	SequenceKind kind;
	uint64_t	mark;			/* SEQUENCE_EVENT: one bit */
	int64_t		distance;		/* waits: microseconds, not negative */
} SequenceAction;

typedef struct SequencePattern
{
	int			count;			/* of actions; the first is the .* before any pattern */
	int			tail;			/* actions from here on can be passed at the end */
	int			conditions;		/* the greatest condition number in it, or 0 */
	SequenceAction *actions;	/* the caller's */
} SequencePattern;

typedef enum SequenceMistake
{
	SEQUENCE_FINE,
	SEQUENCE_TOO_LONG,			/* more than SEQUENCE_LENGTH bytes */
	SEQUENCE_UNKNOWN_ELEMENT,	/* none of the elements begins here */
	SEQUENCE_UNKNOWN_CONDITION, /* no such condition: see number */
	SEQUENCE_UNKNOWN_OPERATOR,	/* none of >= > <= < == */
	SEQUENCE_NO_NUMBER,			/* of a condition, or of seconds */
	SEQUENCE_TOO_FINE,			/* more than six digits of a second */
	SEQUENCE_OUT_OF_RANGE,		/* of microseconds in int64 */
	SEQUENCE_BAD_INTERVAL,		/* the caller's function refused it, or it does not end */
	SEQUENCE_NOT_CLOSED,		/* the parenthesis */
	SEQUENCE_TWO_WAITS			/* one directly after another */
} SequenceMistake;

typedef struct SequenceError
{
	SequenceMistake mistake;
	int			position;		/* bytes before the place */
	int			number;			/* of the condition that does not exist, capped */
} SequenceError;

/* Reads the text of an interval; false, or no return, if it is none or negative. */
typedef bool (*SequenceInterval) (const char *text, int length,
								  int64_t *microseconds, void *arg);

/*
 * Compiles a pattern in which conditions 1 to the given number may occur.
 * pattern->actions must have room for as many as SEQUENCE_ACTIONS, or for the
 * length of the text + 1.
 */
extern SequenceError sequence_compile(const char *text, int length, int conditions,
									  SequenceInterval interval, void *arg,
									  SequencePattern *pattern);

/* What is asked of the events, in the order of (at, marks). */
typedef enum SequenceGoal
{
	SEQUENCE_MATCH,				/* found: 1 if any chain matches, else 0 */
	SEQUENCE_COUNT,				/* found: chains one after another, each the first
								 * that begins where the one before has ended */
	SEQUENCE_EVENTS				/* found: length of the chain that matches the longest
								 * part of the pattern: its (?N) elements; a part is
								 * all of it, or else its beginning up to an (?N) */
} SequenceGoal;

typedef struct SequenceSearch
{
	const SequencePattern *pattern;
	const MarkedEvent *events;	/* each meets a condition */
	int64_t		count;			/* of events */
	SequenceGoal goal;
	void		(*attend) (void);	/* called at each event if not NULL; may not return */
	int64_t	   *chain;			/* SEQUENCE_EVENTS: room for the indexes of the
								 * events, as many as pattern->count */
	int64_t		found;			/* the result */
	bool		whole;			/* SEQUENCE_EVENTS: all of the pattern matches */
	int64_t		steps;			/* taken: elements looked at, over all events */
} SequenceSearch;

/* The memory that a search needs, in bytes. */
extern size_t sequence_search_size(const SequenceSearch *search);

/* Searches in so much memory, aligned as malloc does it, of any content. */
extern void sequence_search(SequenceSearch *asked, void *memory);

#endif							/* SEGMENT_MODEL_SEQUENCE_H */
