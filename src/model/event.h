/*
 * event.h
 *		An event as funnels and sequences see it.
 */
#ifndef SEGMENT_MODEL_EVENT_H
#define SEGMENT_MODEL_EVENT_H

#include <stdint.h>

typedef struct MarkedEvent
{
	int64_t		at;				/* microseconds */
	uint64_t	marks;			/* bit i is set if condition i + 1 holds */
} MarkedEvent;

#endif							/* SEGMENT_MODEL_EVENT_H */
