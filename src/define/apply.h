/*
 * apply.h
 *		What the files of apply_definition share.
 */
#ifndef SEGMENT_APPLY_H
#define SEGMENT_APPLY_H

#include "catalog/presets.h"
#include "define/define.h"
#include "utils/jsonb.h"

/* document.c: what a definition's JSON says */
typedef struct Document
{
	char	   *table;			/* as in SQL */
	char	   *key;
	char	   *key_type;		/* NULL: not given */
	char	   *time_zone;		/* NULL: not given */
	Interval   *max_age;
	List	   *sources;		/* of Source, both kinds; expressions as given */
	List	   *columns;		/* of Column, all kinds but attributes, as given */
	List	   *order;			/* of char *, or NIL */
	List	   *presets;		/* of InstalledPreset: which of the columns came with presets */
	char	   *eligible;		/* NULL: everybody */
	char	   *schedule;		/* NULL: none */
} Document;

/* Error (22023) that names the place, if it is no definition. */
extern Document *document_read(Jsonb *json);

/* plan.c: what was changed, in the order in which it was */
typedef struct ChangePlan
{
	MemoryContext context;
	List	   *rows;
} ChangePlan;

/* Notes a change; name, before and after may be NULL. */
extern void plan_add(ChangePlan *plan, const char *action, const char *kind, const char *name,
					 const char *before, const char *after);

/* Returns the rows to the caller of a set-returning function. */
extern void plan_return(const ChangePlan *plan, FunctionCallInfo fcinfo);

/* Definitions in words, as the plan shows them. */
extern char *plan_text_of_column(const Column *column, const char *expression);
extern char *plan_text_of_source(const Source *source);
extern char *plan_text_of_names(List *names);

/* apply.c */
typedef struct Apply
{
	Document   *document;
	SegmentTable *table;		/* as it is by now */
	ChangePlan	   *plan;
	List	   *presets;		/* of InstalledPreset: as they were before */
	List	   *gone;			/* of Column: to be dropped first */
	List	   *changed;		/* of char *: columns over the row to be computed anew */
	bool		everybody;		/* computed anew from the events */

	/* apply_sources.c */
	List	   *types;			/* of List of Oid: those of the attributes of each source wanted */
	List	   *dropped;		/* of Source */
	List	   *altered;		/* of Source: as wanted, with the id of the one that is there */
	List	   *added;			/* of Source */
} Apply;

/* Loads the segment table again, after a change. */
extern void apply_reload(Apply *apply);

/* apply_sources.c */

/* Checks the sources wanted, and finds out which of them are new or others. */
extern void apply_compare_sources(Apply *apply);

/* Of the attributes: adds to gone those that have to be dropped. */
extern void apply_find_gone_attributes(Apply *apply);

/* The locks that changing the sources takes. */
extern List *apply_wish_sources(const Apply *apply, List *wishes);

/* Is there an attribute that the segment table has not? */
extern bool apply_adds_attributes(const Apply *apply);

/* Changes the sources, the stream and the attributes. */
extern void apply_sources(Apply *apply);

/* apply_settings.c */
extern void apply_max_age(Apply *apply);
extern void apply_schedule(Apply *apply);

/* What is remembered of presets; the columns are there already. */
extern void apply_presets(Apply *apply);

/* before: the columns (of char *) that the table had; a change is one of their order among themselves. */
extern void apply_order(Apply *apply, List *before);

/* The names of columns by position (of char *). */
extern List *apply_names(const SegmentTable *table);

#endif							/* SEGMENT_APPLY_H */
