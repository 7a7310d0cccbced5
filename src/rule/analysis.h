/*
 * analysis.h
 *		What the files of the time analysis share among themselves.
 */
#ifndef SEGMENT_RULE_ANALYSIS_H
#define SEGMENT_RULE_ANALYSIS_H

#include "lib/stringinfo.h"
#include "rule/rule.h"

typedef struct TimeWalk
{
	const SegmentTable *columns;	/* the segment table if Vars are its columns, else NULL */
	Oid			relation;
	CheckedRule *rule;
	List	   *found;			/* of String: the instants, as SQL */
	bool		conditional;	/* evaluated only sometimes, maybe where it would fail */
	Node	   *enclosing;		/* what to name if it can not be analyzed */
} TimeWalk;

static inline bool
walk_moving(const TimeWalk *walk, Node *node)
{
	return rule_is_moving(node, walk->columns);
}

static inline char *
walk_text(const TimeWalk *walk, Node *node)
{
	return rule_deparse(node, walk->relation);
}

/* time.c */

/* Adds an instant, as SQL, to those found; NULL adds nothing. */
extern void walk_add(TimeWalk *walk, char *instant);

/* The earliest of what is found in a node, or NULL. */
extern char *walk_earliest(TimeWalk *walk, Node *node);

/* Is an expression NULL if, and only if, some value in it is that does not move? */
extern bool walk_is_strict(Node *node);

/* An instant (or NULL) that matters only under a condition. */
extern char *walk_guarded(const char *condition, char *instant);

/*
 * The instants (of char *, NULL: never) of several parts of an AND or OR as
 * one.  As long as one part decides the whole, nothing changes: not before the
 * last of those that do now has changed.  conditions: when each decides, as SQL.
 */
extern char *walk_combine(List *conditions, List *instants);

/* branches.c: adds the instants of a CASE. */
extern void branches_analyze(TimeWalk *walk, CaseExpr *expr);

/* unknown.c: adds the instants of a question for NULL; false if it is none of a known form. */
extern bool unknown_analyze(TimeWalk *walk, Node *node);

/* chain.c: values that are a chain of steps from now() (rule/steps.h) */

typedef enum ChainDomain
{
	CHAIN_INSTANT,				/* timestamptz */
	CHAIN_LOCAL,				/* timestamp */
	CHAIN_DATE,
	CHAIN_SPAN,					/* interval, the difference of two of these */
	CHAIN_AGE,					/* interval, an age */
	CHAIN_SUM,					/* interval, either of these and another */
	CHAIN_NUMBER,				/* a length as a number */
	CHAIN_FIELD					/* known by when it changes alone */
} ChainDomain;

typedef struct Chain
{
	StringInfoData steps;		/* ", step, argument" again and again */
	int			count;
	ChainDomain domain;
	bool		stepping;		/* stands still from one instant to the next */
	bool		cut;			/* a length cut off to whole units */
	double		factor;			/* of a number */
	bool		rounded;		/* a whole number may be missed by a rounding error */
	bool		hasty;			/* changes more often than once a second */
	/* What makes it step is the beginning of this unit on this clock alone, if given. */
	char	   *unit;
	char	   *zone;			/* as SQL */
	int			neutral;		/* so many steps follow that clock alone */
} Chain;

/* Is the node such a value?  Its steps. */
extern bool chain_of(const TimeWalk *walk, Node *node, Chain *chain);

/* The steps of a value as a segment.next_change call; the chain must be stepping. */
extern char *chain_change(const Chain *chain);

/* A further step, for a comparison with another type. */
extern void chain_append(Chain *chain, const char *step, const char *argument);

/* A step whose argument must not move; format casts it.  False if it does. */
extern bool chain_append_fixed(const TimeWalk *walk, Chain *chain, const char *step,
							   Node *argument, const char *format);

/* chain_functions.c: adds what a function does to its moving argument, whose chain stands already. */
extern bool chain_through_function(const TimeWalk *walk, FuncExpr *func, Chain *chain);

/* comparison.c */

/*
 * When a comparison, or another predicate with one moving side, flips next,
 * as SQL; NULL if it is not of a known form.
 */
extern char *comparison_flip(const TimeWalk *walk, Node *node);

/*
 * When two of them flip as one, which say that a value that steps is between
 * two others, or is not; as SQL, -infinity where that is not known.  NULL if
 * they do not.
 */
extern char *comparison_within(const TimeWalk *walk, Node *first, Node *second);

/* own.c: what is known of the extension's own aggregates */

/* The flip of a value of theirs compared with a target of a type, as SQL; or NULL. */
extern char *own_flip(const TimeWalk *walk, Node *moving, const char *how, Oid type,
					  const char *target);

/* The next change of such a value, as SQL outside of aggregates; or NULL. */
extern char *own_change(const TimeWalk *walk, Node *node);

/* The half-life of segment.engagement over the stream, if it and the events stand still; or NULL. */
extern Const *own_half_life(const TimeWalk *walk, Node *node);

/* decaying.c: values that lose half of themselves in every half-life, and what is made of them */

/* Is the node such a value?  Then time alone does not make it NULL. */
extern bool decaying_is(const TimeWalk *walk, Node *node);

/* The flip of such a value compared with a target of a type, as SQL; or NULL. */
extern char *decaying_flip(const TimeWalk *walk, Node *moving, const char *how, Oid type,
						   const char *target);

/* The flip of a comparison of two of them, as SQL; or NULL. */
extern char *decaying_flip_of_both(const TimeWalk *walk, Node *left, Node *right);

/* The next change of one that is rounded to whole numbers, as SQL; or NULL. */
extern char *decaying_change(const TimeWalk *walk, Node *node);

/* search.c */

/*
 * When the value of a node changes next, found by evaluating it at each
 * instant at which what moves in it steps; NULL if that can't be done.
 */
extern char *search_change(const TimeWalk *walk, Node *node);

/* Does an expression mean the same inside a sub-select? */
extern bool search_can_enclose(Node *node);

#endif							/* SEGMENT_RULE_ANALYSIS_H */
