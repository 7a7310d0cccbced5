/*
 * funnel.h
 *		How far a customer came through the steps of a funnel.
 *
 * A chain is one event for each of the first n steps, in the order of the
 * steps, where no event is earlier than the one before, and all are within the
 * window from the first (inclusive).  The level is the number of steps of the
 * longest chain.  Events of the same instant may stand in any order, and one
 * event may take several steps that follow one another.  Modes change that,
 * each in the way of ClickHouse's windowFunnel:
 *
 * FUNNEL_STRICT_ORDER
 *		Once a first step was seen, the scan ends at an event that meets no
 *		condition, or that meets one of a step whose predecessor was not reached.
 * FUNNEL_ALLOW_REENTRY
 *		With strict order: the latter of these events are passed over instead.
 * FUNNEL_STRICT_DEDUPLICATION
 *		The scan ends at an event that meets the condition of a step reached
 *		already, the first step excepted.
 * FUNNEL_STRICT_INCREASE
 *		Each step is later than the one before it.
 * FUNNEL_STRICT_ONCE
 *		An event takes one step of a chain only.
 *
 * The scan goes through instants in the order of time, and at each instant
 * through the conditions in the order of the steps: events without one first.
 * The order of the events within an instant never matters.  For ClickHouse it
 * does in one case, strict_once with strict_deduplication: two events of an
 * instant meet the condition of a step, and one of them has taken an earlier
 * one.  Here two such events always are a repetition.
 *
 * Without strict_once, the strict increase is judged, as by ClickHouse, by the
 * one chain kept for each step: the one with the latest events.
 *
 * Instants and lengths are in microseconds.  No memory is allocated and no
 * error raised.  Time: the number of events, times the conditions that each
 * meets; with strict_once, times at most steps^2 where events share an instant.
 */
#ifndef SEGMENT_FUNNEL_H
#define SEGMENT_FUNNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/event.h"

#define FUNNEL_STEPS_MAX	64

#define FUNNEL_STRICT_ORDER			0x01
#define FUNNEL_STRICT_DEDUPLICATION	0x02
#define FUNNEL_STRICT_INCREASE		0x04
#define FUNNEL_STRICT_ONCE			0x08
#define FUNNEL_ALLOW_REENTRY		0x10

/* All words of a mode, for hints. */
#define FUNNEL_MODE_WORDS \
	"strict_order, strict_deduplication, strict_increase, strict_once, allow_reentry"

typedef enum FunnelModeError
{
	FUNNEL_MODE_OK,
	FUNNEL_MODE_UNKNOWN,		/* there is no such word */
	FUNNEL_MODE_ALONE			/* allow_reentry without strict_order */
} FunnelModeError;

/* Steps of one chain given to different events of one instant. */
typedef struct FunnelTies
{
	int			first;			/* steps first .. next - 1 have an event each */
	int			next;
	int			degree[FUNNEL_STEPS_MAX];	/* how many events can take the step */
	uint16_t	candidates[FUNNEL_STEPS_MAX][FUNNEL_STEPS_MAX]; /* and which */
	uint16_t	taken[FUNNEL_STEPS_MAX];	/* the one it has */
	int8_t		taker[FUNNEL_STEPS_MAX * FUNNEL_STEPS_MAX]; /* step of an event; -1:
															 * none */
} FunnelTies;

/* A scan; only the fields of the first part are for others to read. */
typedef struct FunnelScan
{
	int			level;			/* steps reached so far */
	int64_t		reached_at;		/* when the last of them was reached first */

	int			steps;			/* 1 .. FUNNEL_STEPS_MAX */
	int64_t		window;			/* not negative */
	unsigned	modes;
	bool		ended;			/* no more event can change the level */
	int64_t		start[FUNNEL_STEPS_MAX];	/* first step of the chain kept for
											 * each step below level */
	int64_t		last[FUNNEL_STEPS_MAX]; /* and its last step */
	FunnelTies	ties;
} FunnelScan;

/*
 * Reads the words of a mode, separated by commas, with or without spaces around
 * them; text of nothing else is the default mode, 0.  In case of an error,
 * *word and *word_length is the word to blame, a part of text.
 */
extern FunnelModeError funnel_parse_modes(const char *text, size_t length,
										  unsigned *modes, const char **word,
										  size_t *word_length);

/* Begins a scan; allow_reentry means nothing without strict_order. */
extern void funnel_begin(FunnelScan *scan, int steps, int64_t window, unsigned modes);

/*
 * Takes the events of the first instant among count events in the order of
 * time, which are all the events of that instant and later.  Returns how many
 * it took: go on with those behind them.  0 if the rest does not matter, or
 * there is none.  Events have no marks beyond the steps; those without marks
 * matter only in strict order, and can be left out otherwise.
 */
extern size_t funnel_advance(FunnelScan *scan, const MarkedEvent *events, size_t count);

/*
 * The instants of the steps of the best chain after a scan in the default mode,
 * over the same events: of the chains that come furthest, the first to do so;
 * among those, each step before the last is taken as late as it can be.
 * Gives scan->level instants.
 */
extern void funnel_times(const FunnelScan *scan, const MarkedEvent *events, size_t count,
						 int64_t *times);

#endif							/* SEGMENT_FUNNEL_H */
