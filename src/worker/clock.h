/*
 * clock.h
 *		The clock of the worker room.
 *
 * Nobody in this room asks the system for the time: what is due can then be
 * seen at any instant without waiting for it.
 */
#ifndef SEGMENT_CLOCK_H
#define SEGMENT_CLOCK_H

#include "datatype/timestamp.h"

typedef TimestampTz (*ClockSource) (void);

extern TimestampTz clock_now(void);

/* Puts another clock in place of the system's, in this process; NULL: back. */
extern void clock_set(ClockSource source);

#endif							/* SEGMENT_CLOCK_H */
