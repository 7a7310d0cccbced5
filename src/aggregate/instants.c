/*
 * instants.c
 *		The finite times of a customer's events.
 */
#include "postgres.h"

#include "aggregate/aggregate.h"
#include "aggregate/instants.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/memutils.h"

static bool
receive_instant(StringInfo wire, TimestampTz *at)
{
	*at = pq_getmsgint64(wire);
	return aggregate_is_instant(*at);
}

#define ORDERED_DEFINE
#define ORDERED_COMPARE(a, b) (*(a) < *(b) ? -1 : *(a) > *(b))
#define ORDERED_WIRE_SIZE sizeof(TimestampTz)
#define ORDERED_SEND(wire, e) pq_sendint64(wire, *(e))
#define ORDERED_RECEIVE(wire, e) receive_instant(wire, e)
#include "aggregate/ordered.h"
