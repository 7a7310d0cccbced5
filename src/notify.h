/*
 * notify.h
 *		Telling listeners that memberships have changed.
 */
#ifndef SEGMENT_NOTIFY_H
#define SEGMENT_NOTIFY_H

#include "datatype/timestamp.h"

/*
 * Sends, if the transaction commits, a notification on segment.notify_channel
 * that so many customers entered segments of a table, and left them; none if
 * nobody did, or no channel is set.
 */
extern void notify_moves(const char *table, int64 entered, int64 left, TimestampTz as_of);

#endif							/* SEGMENT_NOTIFY_H */
