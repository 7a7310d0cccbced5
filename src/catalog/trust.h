/*
 * trust.h
 *		May a segment table's owner read a source?  Asked when the source is
 *		added and again at every run.  And may the current role read a segment table?
 */
#ifndef SEGMENT_TRUST_H
#define SEGMENT_TRUST_H

#include "catalog/definition.h"

/*
 * Error if the owner may not read the relation, if rows of it are hidden from
 * him by row level security, or if a superuser would read somebody else's table.
 */
extern void trust_check_source(const SegmentTable *table, Oid relation);

/*
 * Error unless the current role may read all of a segment table or history:
 * every column, and no row hidden by row level security.  For functions that
 * show with the owner's rights what can be read there.
 */
extern void trust_check_reader(Oid relation);

#endif							/* SEGMENT_TRUST_H */
