/*
 * trust.h
 *		May a segment table's owner read a source?  Asked when the source is
 *		added and again at every run.
 */
#ifndef SEGMENT_TRUST_H
#define SEGMENT_TRUST_H

#include "catalog/definition.h"

/*
 * Error if the owner may not read the relation, if rows of it are hidden from
 * him by row level security, or if a superuser would read somebody else's table.
 */
extern void trust_check_source(const SegmentTable *table, Oid relation);

#endif							/* SEGMENT_TRUST_H */
