/*
 * instants.h
 *		The finite times of a customer's events, eight bytes each.
 */
#ifndef SEGMENT_INSTANTS_H
#define SEGMENT_INSTANTS_H

#include "datatype/timestamp.h"
#include "lib/stringinfo.h"

#define ORDERED_TYPE Instants
#define ORDERED_PREFIX instants
#define ORDERED_ELEMENT TimestampTz
#define ORDERED_DECLARE
#include "aggregate/ordered.h"
#undef ORDERED_DECLARE

#endif							/* SEGMENT_INSTANTS_H */
