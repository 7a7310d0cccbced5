/*
 * steps.h
 *		A value that moves with time, as the steps that lead to it from now().
 *
 * Steps come as pairs of arguments, a name and what it takes:
 *
 *	from an instant (timestamptz)
 *		shift interval		+ interval
 *		local zone			AT TIME ZONE, or a cast to timestamp if zone is ''
 *		trunc unit			date_trunc of less than a day
 *		round digits		a cast to timestamptz(digits)
 *		age timestamptz		age(value, timestamptz), which is a length
 *		fields field		of an age: its months and days, or its months alone
 *	from a local time (timestamp, or date as its midnight)
 *		shift interval		+ interval
 *		days integer		+ integer, of a date
 *		trunc unit			date_trunc, or a cast to date if unit is 'day'
 *		round digits		a cast to timestamp(digits)
 *		instant zone		AT TIME ZONE, or a cast to timestamptz if zone is ''
 *		age timestamp		age(value, timestamp); then fields
 *
 * and at the end, from either to a length:
 *
 *		since time			value - time
 *		until time			time - value
 *		longer interval		length + interval
 *		whole interval		cut off towards zero to a multiple of the interval
 *		floor interval		the same, downwards
 *		number factor		the length as a number; factor: microseconds in 1
 */
#ifndef SEGMENT_RULE_STEPS_H
#define SEGMENT_RULE_STEPS_H

#include "datatype/timestamp.h"
#include "fmgr.h"
#include "model/crossing.h"
#include "rule/local.h"

typedef enum StepKind
{
	STEP_SHIFT,
	STEP_LOCAL,
	STEP_INSTANT,
	STEP_TRUNC,
	STEP_ROUND,
	STEP_AGE,
	/* those of lengths */
	STEP_SINCE,
	STEP_UNTIL,
	STEP_LONGER,
	STEP_WHOLE,
	STEP_FLOOR,
	STEP_NUMBER
} StepKind;

typedef struct Step
{
	StepKind	kind;
	bool		local;			/* its argument is a local time, not an instant */
	Interval	shift;
	LocalZone	zone;
	int			unit;
	bool		distinct;		/* an age: '30 days' and '1 mon' are to differ */
	int64		number;			/* microseconds: a time, a length, what is rounded to */
	double		factor;
} Step;

/* More are refused when an expression is analyzed. */
#define MAX_STEPS 24

typedef struct Steps
{
	int			count;
	int			moving;			/* how many of them before those of lengths */
	bool		local;			/* the moving ones end in a local time */
	bool		span;			/* all of them end in a length */
	bool		numeric;		/* which is a number */
	Step		step[MAX_STEPS];
} Steps;

/* What STEP_SHIFT adds, alone. */
extern void steps_init_shift(Steps *steps, const Interval *shift);

/*
 * Reads the steps from the arguments of a call, from the given one on.  False
 * if with these values the moving value can't be reached by time: an infinite
 * time, a zone that does not exist.  Error if they are no steps.
 */
extern bool steps_read(FunctionCallInfo fcinfo, int first, Steps *steps);

/* A time in microseconds, as the kind of time that the steps compare it with; false if infinite. */
extern bool steps_read_time(Datum value, Oid type, bool local, int64 *result);

/* A CrossingFunction over the moving steps; arg is a Steps. */
extern bool steps_piece(int64 t, CrossingPiece *piece, void *arg);

/* The window in which the moving steps reach a target. */
extern CrossingWindow steps_window(const Steps *steps, int64 target);

/* The target of the moving steps whose flip is that of "length >= target"; false if there is none. */
extern bool steps_target(const Steps *steps, int64 *target);

#endif							/* SEGMENT_RULE_STEPS_H */
