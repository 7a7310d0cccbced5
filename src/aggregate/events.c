/*
 * events.c
 *		A customer's events with the conditions that each one meets.
 */
#include "postgres.h"

#include "aggregate/aggregate.h"
#include "aggregate/events.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/memutils.h"

static inline int
compare_events(const MarkedEvent *a, const MarkedEvent *b)
{
	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	if (a->marks != b->marks)
		return a->marks < b->marks ? -1 : 1;
	return 0;
}

static void
send_event(StringInfo wire, const MarkedEvent *event)
{
	pq_sendint64(wire, event->at);
	pq_sendint64(wire, event->marks);
}

static bool
receive_event(StringInfo wire, MarkedEvent *event)
{
	event->at = pq_getmsgint64(wire);
	event->marks = pq_getmsgint64(wire);
	return aggregate_is_instant(event->at);
}

#define ORDERED_DEFINE
#define ORDERED_COMPARE(a, b) compare_events(a, b)
#define ORDERED_WIRE_SIZE (2 * sizeof(int64))
#define ORDERED_SEND(wire, e) send_event(wire, e)
#define ORDERED_RECEIVE(wire, e) receive_event(wire, e)
#include "aggregate/ordered.h"
