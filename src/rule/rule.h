/*
 * rule.h
 *		An expression from text to checked form; time analysis; compilation to SQL.
 *
 * Text comes in once, in rule_check().  What comes out is canonical: one
 * expression, analyzed against exactly one relation, deparsed with every name
 * qualified.  Only that form is stored and run.
 */
#ifndef SEGMENT_RULE_H
#define SEGMENT_RULE_H

#include "catalog/definition.h"
#include "nodes/primnodes.h"

/* What an expression may see and contain. */
typedef enum RuleScope
{
	SCOPE_SOURCE,				/* a row of an event or attribute table; does not move with time */
	SCOPE_EVENT,				/* one event of the stream, as in the FILTER of an aggregate */
	SCOPE_EVENTS,				/* the events of one customer: aggregates */
	SCOPE_ROW					/* a row of the segment table */
} RuleScope;

typedef struct CheckedRule
{
	Node	   *node;			/* analyzed, with now() and its like replaced by segment.now() */
	char	   *expression;		/* the same, canonical */
	Oid			type;
	List	   *depends;		/* of char *: columns it reads */
	List	   *crossings;		/* of char *: instants at which time alone may change it */
	char	   *unanalyzed;		/* NULL, or the part that moves with time otherwise */
} CheckedRule;

/*
 * Checks an expression; what names it in errors (such as: score "n").  table
 * gives the key, the time zone and which columns move with time.
 */
extern CheckedRule *rule_check(const char *text, const SegmentTable *table,
							   RuleScope scope, Oid relation, const char *what);

/* Does the text call an aggregate?  Then it is a score over the event stream. */
extern bool rule_has_aggregate(const char *text, const SegmentTable *table, const char *what);

/* The names of columns in a text (of char *), whether there are such columns or not. */
extern List *rule_column_names(const char *text, const SegmentTable *table, const char *what);

/* The checked expression cast to a type (error if there is no cast). */
extern void rule_coerce(CheckedRule *rule, const SegmentTable *table, Oid relation,
						Oid type, const char *what);

/*
 * The text that goes with the first rule that holds, or NULL.  rules: of
 * CheckedRule, conditions over the relation; labels: of char *, as many.
 */
extern CheckedRule *rule_first_label(List *labels, List *rules, const SegmentTable *table,
									 Oid relation);

/* band.c */

/* The type by which values of a score are ranked; error if they have no order. */
extern Oid	rule_band_type(const SegmentTable *table, const char *score, const char *what);

/*
 * The band of a score as a canonical expression.  cuts: the text of an array
 * of cut points in order, each the highest score of a band; NULL: none yet,
 * and the band is NULL.
 */
extern char *rule_band_expression(const char *score, Oid type, const char *cuts, int bands,
								  bool descending);

/* A column and what reads it, directly or not (of String). */
extern List *rule_readers(const SegmentTable *table, const char *name);

/* The type that values of these types share, or InvalidOid. */
extern Oid	rule_common_type(List *types);

/* pitfalls.c */

/* Where literals such as 'now' or 'today' stand in a raw expression. */
extern List *rule_clock_literals(Node *raw);

/* Error if one of them has become a time. */
extern void rule_refuse_clock_literals(Node *node, List *locations);

/* Error if a function of the session's own is called. */
extern void rule_refuse_temporary(Node *node);

/* Warns where a type's own operators are passed by for those of text. */
extern void rule_warn_of_casts(Node *node, const char *what);

/* trust.c */

/*
 * Computes what is constant, as far as no code of users runs: an expression is
 * analyzed by whoever asks, not only by its author.
 */
extern Node *rule_fold(Node *node);

/*
 * Error if a superuser owns the segment table, and the expression calls a
 * function that none owns, or makes values of a type that none owns.
 */
extern void rule_check_trust(const SegmentTable *table, Node *node);

/*
 * The same of all expressions of a definition, at each run: a function may
 * have got another owner since, or one of somebody else taken its place.
 */
extern void rule_check_trust_again(const SegmentTable *table);

/* moving.c */

/* Replaces now(), current_date and the like by segment.now() and casts of it. */
extern Node *rule_replace_now(Node *node);

/*
 * Does an expression move with time?  Calls of segment.now(), of functions
 * that may look at it, and columns of table that are not exact do.
 */
extern bool rule_is_moving(Node *node, const SegmentTable *table);

/* The same of the node alone, whatever stands below it. */
extern bool rule_moves_itself(Node *node);
extern bool rule_is_now(Node *node);

/* own.c */

/*
 * A field of the result of one of our aggregates that changes with events
 * alone, though the aggregate moves with time: the aggregate, else NULL.  With
 * a table also where a column of it holds the result.
 */
extern Aggref *rule_aggregate_of_fixed_field(Node *node, const SegmentTable *table);

/* harmless.c */

/* Can the instants at which an expression changes be computed for any row? */
extern bool rule_is_harmless(Node *node);

/* Can the expression itself be evaluated for any row and at any instant? */
extern bool rule_is_harmless_evaluated(Node *node);

/*
 * "isfinite(x) AND " for each time that something is subtracted from or by:
 * under that condition the expression can be evaluated for any row.  NULL if
 * it can't.
 */
extern char *rule_finite_times(Node *node, Oid relation);

/* Can one that is evaluated for a row be so at any other instant?  A time zone may be the row's. */
extern bool rule_stays_harmless(Node *node);

/* chain.c */

/* The value of a constant number, or of what folds to one. */
extern bool rule_constant_number(Node *node, double *number);

/* time.c */

/* Fills crossings and unanalyzed of a rule from its node. */
extern void rule_analyze_time(CheckedRule *rule, const SegmentTable *table, Oid relation);

/* rename.c */

/*
 * Follows columns of a source's relation that were renamed: *source and what is
 * stored get the new names.  Returns whether an expression changed.  If a column
 * that one reads was dropped or has another type: error with a hint if strict,
 * else nothing is done.
 */
extern bool rule_follow_renames(const SegmentTable *table, Source *source, bool strict);

/* Does an expression of the source read a column of that name? */
extern bool rule_source_reads(const Source *source, const char *column);

/* Error that says so; what: such as "cannot drop". */
extern void rule_refuse_column_change(const SegmentTable *table, const Source *source,
									  const char *column, const char *what);

/* parse.c: canonical text of a node over one relation */
extern char *rule_deparse(Node *node, Oid relation);

/* A canonical expression of a definition as a node over a relation, as rule_check makes it. */
extern Node *rule_parse_canonical(const SegmentTable *table, const char *expression,
								  Oid relation);

/* The same of a node that also reads the one column of a second relation (varno 2). */
extern char *rule_deparse_with(Node *node, Oid relation, const char *column);

/* compile.c */

/* The stream as SQL, as the view NAME_events shows it; types of value and extras follow columns. */
typedef struct StreamColumn
{
	char	   *name;
	Oid			type;
} StreamColumn;

extern char *rule_stream_view_sql(const SegmentTable *table, List *columns);

/*
 * merged.c: the stream's view as an item of FROM, and the key in an expression,
 * with merged keys exchanged for those that they count for.  For the owner.
 */
extern char *rule_customers_stream(const SegmentTable *table);
extern char *rule_customer(const SegmentTable *table, const char *key);

/* Columns of the stream's view, as it stands (of StreamColumn). */
extern List *rule_stream_columns(const SegmentTable *table);

/* simplify.c */

/* Called from _PG_init. */
extern void rule_init(void);

/*
 * When this statement is planned next, what does not depend on the event or
 * row is computed beforehand, as of the instant that segment.now() says then:
 * so the plan is good for one run.  NULL, also after an error: none any more.
 */
extern void rule_simplify(const char *sql);

/* For whom rows are computed. */
typedef enum RuleWhom
{
	RULE_EVERYBODY,
	RULE_KEYS,					/* the keys in $1 (text[]) */
	RULE_OTHERS					/* all but those and who is suppressed: of them no expression is evaluated but the key's */
} RuleWhom;

/*
 * The query that computes rows.  future: look for events that are still to
 * come.  Its columns: key, those of the table by position, then the three
 * internal ones below.
 */
extern char *rule_evaluate_sql(const SegmentTable *table, RuleWhom whom, bool future);

/*
 * The same in stages, for everybody or all but some.  *known (of String): NIL at first, then
 * the columns that the query has so far.  closed (of String): columns that are
 * not to be computed yet, nor what reads them.  rows: the relation with the
 * rows of the stage before, or NULL at first.  Returns the query; its columns
 * are those of rule_evaluate_sql only when *complete.
 */
extern char *rule_stage_sql(const SegmentTable *table, RuleWhom whom, bool future,
							const char *rows, List *closed, List **known, bool *complete);

/*
 * The same from the stored rows, with some columns (again, of String) computed
 * anew from the others.  Not in the result: rows that are due; with except,
 * those of the keys in $1 (text[]).
 */
extern char *rule_again_sql(const SegmentTable *table, List *again, bool except,
							const char *rows, List *closed, List **known, bool *complete);

#define PRESENT_COLUMN "__segment_present"	/* has a row */
#define KEY_TEXT_COLUMN "__segment_key"	/* the key as text */
#define VALID_UNTIL_COLUMN "valid_until"

#endif							/* SEGMENT_RULE_H */
