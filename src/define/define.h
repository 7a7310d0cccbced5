/*
 * define.h
 *		The definition functions that users call.
 *
 * This room stands above catalog, rule and capture: a definition is checked by
 * rule, kept by catalog, and captured by capture.
 */
#ifndef SEGMENT_DEFINE_H
#define SEGMENT_DEFINE_H

#include "catalog/definition.h"
#include "fmgr.h"
#include "nodes/primnodes.h"
#include "rule/rule.h"

/* Loads a segment table for a change: owner checked, concurrent changes and refreshes kept out. */
extern SegmentTable *define_open(Oid relid);

/* Error on a standby, or if one of the first n arguments is NULL; names are those of the arguments. */
extern void define_require(FunctionCallInfo fcinfo, int n, const char *const *names);

/* Runs DDL as the owner of a segment table. */
extern void define_ddl(const SegmentTable *table, const char *format,...) pg_attribute_printf(2, 3);

/* Is it such a statement that an event trigger fires for? */
extern bool define_is_own_ddl(void);

/* tables.c */

/* The name of a time zone as it is listed; error if there is none, or it is ambiguous. */
extern char *define_time_zone(const char *time_zone);

/* Makes a segment table that belongs to the current role. */
extern Oid	define_create_table(const RangeVar *name, const char *key, Oid key_type,
								const char *time_zone);

extern void define_set_max_age(const SegmentTable *table, const Interval *max_age);

/* columns.c */

/* Checks an expression over the events or the row, whichever it is, and the right to its functions. */
extern CheckedRule *define_check_rule(const SegmentTable *table, const char *text,
									  ColumnOver over, Oid type, const char *what);

/* The kind in a word, as in the names of functions and views. */
extern const char *define_kind_name(ColumnKind kind);

/* Such as: score "n". */
extern const char *define_describe_column(const Column *column);

/*
 * Checks a column of any kind but an attribute, whatever it is made of: the
 * expression, labels and rules (which become canonical), or score and bands.
 */
extern CheckedRule *define_check_column(const SegmentTable *table, Column *column);

/* The same of one whose expression was given just now: also finds out what it is over. */
extern CheckedRule *define_check_new(const SegmentTable *table, Column *column);

/* Stores a checked column, unless it is stored so already. */
extern void define_put_column(const SegmentTable *table, const Column *column,
							  const CheckedRule *rule);
extern void define_put_attribute(const SegmentTable *table, const char *name,
								 const char *expression, Oid type);

/* Does a column that is stored mean what a new one means, with its rule? */
extern bool define_same_meaning(const Column *old, const Column *new, const CheckedRule *rule);

/* Are both NULL, or equal? */
extern bool define_same_text(const char *a, const char *b);

/* Checks a column, and adds it to the table and to the definition.  Marks nobody. */
extern void define_add_column(const SegmentTable *table, Column *column);

/* Takes a column off the table and out of the definition.  Marks nobody. */
extern void define_drop_column(const SegmentTable *table, const char *name);

/* What the history has open of columns (of Column) ends now, in one pass for all of them. */
extern void define_close_history(const SegmentTable *table, List *columns);

/* Stores a checked rule of eligibility. */
extern void define_set_eligible(const SegmentTable *table, Column *column,
								const CheckedRule *rule);

/* Error if the rule of eligibility reads a band, directly or not. */
extern void define_refuse_bands(const SegmentTable *table);

/*
 * A column was defined, or defined anew: the next refresh computes it and what
 * reads it for everybody, from the stored rows if these suffice.
 */
extern void define_changed(Oid relid, const char *name);

/* Says that a column is not exact at every instant, and why. */
extern void define_notice_unanalyzed(const SegmentTable *table, const CheckedRule *rule,
									 const char *what);

/* The column of that name and kind; error if there is none. */
extern Column *define_require_column(const SegmentTable *table, const char *name, ColumnKind kind);

/*
 * Drops the column of a kind that the function's arguments, tbl and name, give;
 * error if there is none or another reads it.  History of it ends now.
 */
extern void define_drop(FunctionCallInfo fcinfo, ColumnKind kind);

/* Error if a column of that name exists or may not exist. */
extern void define_check_new_name(const SegmentTable *table, const char *name, const char *what);

/* Error if other columns read this one. */
extern void define_check_unused(const SegmentTable *table, const char *name, const char *what);

/*
 * After a change of the stream or of a column: checks columns again, those of
 * these names (of String) or all (NIL), and follows changed types.
 */
extern void define_recheck_columns(Oid relid, List *names);

/* order.c */

/* The columns (of Column), each after those that it reads, else in the order given; no circles. */
extern List *define_by_dependency(List *columns);

/* Error that names a circle: names (of char *), the first of them also the last. */
extern void define_refuse_circle(List *names);

/* alter.c */

/* Puts cut points of bands that read a column out of force: they lie between other values. */
extern void define_retire_cuts(const SegmentTable *table, const char *name);

/*
 * Stores an altered column with its rule; what reads it is to be checked again.
 * Cut points of bands that read it are out of force.  Marks nobody.
 */
extern void define_replace_column(const SegmentTable *table, Column *column, CheckedRule *rule);

/* The same as define_changed of a column replaced; a rebuild where bands read it, which have to be cut anew. */
extern void define_replaced(Oid relid, const char *name);

/* Alters the column of that name and kind, with all that follows from it. */
extern void define_alter(Oid relid, Column *column);

/* groups.c */

/* Checks each rule of a group, and makes one expression of them; *rules become canonical. */
extern CheckedRule *define_check_group(const SegmentTable *table, const char *name,
									   List *labels, List **rules);

/* Error if labels are missing, too many, empty or equal. */
extern void define_check_labels(const Column *group);

/* bands.c */

/* Checks a band and its expression, with its cut points unless they are of another type. */
extern CheckedRule *define_check_band(const SegmentTable *table, const Column *band);

/* sources.c */

/*
 * Checks a source of either kind whose expressions were given as texts: they
 * become canonical.  Error if one of the others (of Source) is the same.
 * Returns the types of its extra columns or attributes.
 */
extern List *define_check_source(const SegmentTable *table, Source *source, List *others);

/* Adds a column for an attribute.  The segment table is locked already. */
extern void define_add_attribute(const SegmentTable *table, const NamedExpr *attribute, Oid type);

/* stream.c */

/* Makes the stream's view anew from the sources; scores over it are to be checked then. */
extern void define_rebuild_stream(Oid relid);

/*
 * Adds the locks that this takes, and what follows from it; sources: those that
 * there will be, NIL also when the stream goes.
 */
extern List *define_wish_stream(const SegmentTable *table, List *sources, List *wishes);

#endif							/* SEGMENT_DEFINE_H */
