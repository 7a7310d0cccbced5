/*
 * events.h
 *		A customer's events with the conditions that each one meets, sixteen
 *		bytes each, in the order of time; those of one instant in the order of
 *		their conditions, so that no order depends on that of the rows.
 */
#ifndef SEGMENT_EVENTS_H
#define SEGMENT_EVENTS_H

#include "datatype/timestamp.h"
#include "lib/stringinfo.h"
#include "model/event.h"

#define ORDERED_TYPE Events
#define ORDERED_PREFIX events
#define ORDERED_ELEMENT MarkedEvent
#define ORDERED_DECLARE
#include "aggregate/ordered.h"
#undef ORDERED_DECLARE

#endif							/* SEGMENT_EVENTS_H */
