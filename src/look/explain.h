/*
 * explain.h
 *		What explain.c and parts.c share: a rule taken apart.
 */
#ifndef SEGMENT_EXPLAIN_H
#define SEGMENT_EXPLAIN_H

#include "catalog/definition.h"
#include "nodes/nodes.h"

/* parts.c */

/* One line of an explanation. */
typedef struct Part
{
	int			level;			/* how deep it stands, 0 for the column asked for */
	char	   *text;			/* as a reader would write it, its connective included */
	bool		is_condition;	/* else it has a value, and does not hold or fail */
	bool		is_below;		/* the line above shows that value */
	char	   *name;			/* column of the computed row that has its value */
	char	   *reached;		/* the one that says whether it is evaluated at all, or NULL: it is */
	List	   *reads;			/* of char *: columns whose values are to be shown */
	List	   *counts;			/* of char *: columns that count the events an aggregate of it reads */
	bool		exact;			/* the instants at which it changes are known */
	bool		moves;			/* there may be such instants, even if no event is still to come */
} Part;

typedef struct Explanation
{
	const SegmentTable *table;	/* as defined */
	SegmentTable *computed;		/* what to compute instead: the columns needed, and one for each part */
	List	   *eligible;		/* of Part: the rule of eligibility, if there is one */
	List	   *parts;			/* of Part: the column asked for */
	List	   *opened;			/* of char *: columns that are explained by parts already */
	bool		strict;			/* each part is computed only where the rule evaluates it */
	int			nparts;
	int			ncounts;
} Explanation;

/*
 * Takes the column apart: AND, OR, NOT and CASE into their parts, segments that
 * are conditions of it into theirs, and what conditions read into what it is
 * made of.  With the owner's rights.
 */
extern Explanation *explain_take_apart(const SegmentTable *table, const Column *column, bool strict);

/* counts.c */

/*
 * Has the events counted that each aggregate of a score over events reads, by
 * its FILTER; and, as the last of them, all events.
 */
extern void explain_count_events(Explanation *e, Part *part, Node *score);

/* readable.c */

/* An expression in one line, without the names of schemas and casts that a reader can do without. */
extern char *explain_readable(Node *node, Oid relation);

/* The same tree without casts between numbers that change no value; not to be run. */
extern Node *explain_strip_widening(Node *node);

/* tidy.c */

/* The printed text of an expression in one line, without what is there for the parser alone. */
extern char *explain_tidy(const char *text);

#endif							/* SEGMENT_EXPLAIN_H */
