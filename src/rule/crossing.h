/*
 * crossing.h
 *		What the functions that compute crossings share.
 */
#ifndef SEGMENT_RULE_CROSSING_H
#define SEGMENT_RULE_CROSSING_H

#include "datatype/timestamp.h"
#include "model/crossing.h"

/* The as-of instant, as segment.now() returns it. */
extern TimestampTz crossing_as_of(void);

#endif							/* SEGMENT_RULE_CROSSING_H */
