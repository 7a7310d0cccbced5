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
#include "rule/rule.h"

/* Loads a segment table for a change: owner checked, concurrent changes and refreshes kept out. */
extern SegmentTable *define_open(Oid relid);

/* Error if one of the first n arguments is NULL; names are those of the arguments. */
extern void define_require(FunctionCallInfo fcinfo, int n, const char *const *names);

/* Runs DDL as the owner of a segment table. */
extern void define_ddl(const SegmentTable *table, const char *format,...) pg_attribute_printf(2, 3);

/* columns.c */

/* Checks an expression over the events or the row, whichever it is, and the right to its functions. */
extern CheckedRule *define_check_rule(const SegmentTable *table, const char *text,
									  ColumnOver over, Oid type, const char *what);

/* Stores a checked expression as a column's. */
extern void define_put_column(const SegmentTable *table, const char *name,
							  ColumnKind kind, ColumnOver over, const CheckedRule *rule);

/*
 * A column was defined, or defined anew: the next refresh computes it and what
 * reads it for everybody, from the stored rows if these suffice.
 */
extern void define_changed(Oid relid, const char *name);

/* Says that a column is not exact at every instant, and why. */
extern void define_notice_unanalyzed(const SegmentTable *table, const CheckedRule *rule,
									 const char *what);

/*
 * Drops the column of a kind that the function's arguments, tbl and name, give;
 * error if there is none or another reads it.  what: the kind in a word, as in
 * the names of the views.  History of it ends now.
 */
extern void define_drop(FunctionCallInfo fcinfo, ColumnKind kind, const char *what);

/* Error if a column of that name exists or may not exist. */
extern void define_check_new_name(const SegmentTable *table, const char *name, const char *what);

/* Error if other columns read this one. */
extern void define_check_unused(const SegmentTable *table, const char *name, const char *what);

/* After a change of the stream or of a column: checks the columns again, and follows changed types. */
extern void define_recheck_columns(Oid relid);

/* groups.c */

/* Checks each rule of a group, and makes one expression of them; *rules become canonical. */
extern CheckedRule *define_check_group(const SegmentTable *table, const char *name,
									   List *labels, List **rules);

/* Stores it. */
extern void define_put_group(const SegmentTable *table, const char *name, List *labels,
							 List *rules, const CheckedRule *rule);

/* bands.c */

/* Checks a band's expression anew, with its cut points unless they are of another type. */
extern CheckedRule *define_check_band(const SegmentTable *table, const Column *band);

/* Stores it. */
extern void define_put_band(const SegmentTable *table, const Column *band, const CheckedRule *rule);

/* stream.c */

/* Makes the stream's view anew from the sources, and checks the scores over it. */
extern void define_rebuild_stream(Oid relid);

/* trust.c: what a superuser's segment table may run */
extern void define_check_trust(const SegmentTable *table, Node *node);

#endif							/* SEGMENT_DEFINE_H */
