/*
 * look.h
 *		Questions that readers ask: the table at another time, why somebody is in
 *		a segment, how segments compare.  They write nothing.
 *
 * This room stands above define, refresh and rule: a question may need a rule
 * checked as a definition is, and rows computed as a refresh computes them.
 * What is shown is what the caller may read in any case, so all but the rule
 * given to preview runs with the owner's rights, which events need.
 */
#ifndef SEGMENT_LOOK_H
#define SEGMENT_LOOK_H

#include "catalog/definition.h"
#include "context.h"
#include "fmgr.h"
#include "utils/jsonb.h"

/* look.c */

/*
 * A segment table's definition, the table locked against changes of it; error
 * unless the current role may read all of it.
 */
extern SegmentTable *look_open(Oid relid);

/* The same for questions that are answered from the history, of which it is asked then. */
extern SegmentTable *look_open_history(Oid relid);

/* The same for the view of the event stream. */
extern SegmentTable *look_open_events(Oid relid);

/*
 * The same for those answered from the changes; where none are kept, it is asked
 * of the segment table.
 */
extern SegmentTable *look_open_changes(Oid relid);

/* Takes the owner's rights, as of an instant; ended by context_leave. */
extern void look_enter(RunContext *ctx, const SegmentTable *table, TimestampTz as_of);

/* Error if the owner may not read the sources. */
extern void look_check_sources(const SegmentTable *table);

/*
 * Runs a query whose rows are the result of the set-returning function fcinfo,
 * which InitMaterializedSRF has prepared.  In the SPI connection that stands;
 * nulls as SPI has it.
 */
extern void look_return(FunctionCallInfo fcinfo, const char *sql, int nargs, Oid *types,
						Datum *values, const char *nulls);

/* arm.c */

/* Error (22023) unless they are what segment.arm() takes. */
extern void look_check_experiment(text *experiment, Jsonb *weights);

/* interval.c */

/* Error (22023) unless it is above 0 and below 1. */
extern void look_check_level(double level);

/* population.c */

/*
 * Common table expressions that read the stored rows once, however many
 * segments there are:
 *
 *		pattern (extra, columns of segments, __segment_n, __segment_id)
 *			how many customers have the same memberships; extra is "expression AS
 *			name, " over the row, or ""
 *		member (id, n, position, segment, label)
 *			the segments, and labels, that each pattern is a member of
 *		size (position, segment, label, members, place)
 *			of each segment and each label, also of those without a member; place
 *			is that of the label among those of its group
 */
extern char *look_population(const SegmentTable *table, const char *extra);

/*
 * The segments and labels that there can be: "(VALUES (position, place, segment, label), ...)";
 * the first line, with position 0, is none of them.
 */
extern char *look_labels(const SegmentTable *table);

#endif							/* SEGMENT_LOOK_H */
