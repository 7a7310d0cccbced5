/*
 * suppressed.h
 *		Customers who were erased and shall stay so.
 *
 * Their keys are not kept, but fingerprints of these.  Equal keys, by the
 * equality of the key's type, have the same one.
 */
#ifndef SEGMENT_SUPPRESSED_H
#define SEGMENT_SUPPRESSED_H

#include "catalog/definition.h"

/*
 * Suppresses a key (text that the key's type can read), lifts that, or asks;
 * the first two return whether it made a difference.  With the settings that
 * the owner's context pins, as types may have checks; error (0A000) if the
 * equality of the key's type has no fingerprint.
 */
extern bool suppressed_add(const SegmentTable *table, const char *key);
extern bool suppressed_remove(const SegmentTable *table, const char *key);
extern bool suppressed_is(const SegmentTable *table, const char *key);

/* Has each value of a type one text?  (Of numeric, 1.0 and 1.00 are the same.) */
extern bool suppressed_one_text(Oid type);

#endif							/* SEGMENT_SUPPRESSED_H */
