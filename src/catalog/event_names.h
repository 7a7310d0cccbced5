/*
 * event_names.h
 *		The names of the events that a stream has, for messages.
 */
#ifndef SEGMENT_CATALOG_EVENT_NAMES_H
#define SEGMENT_CATALOG_EVENT_NAMES_H

#include "catalog/definition.h"

/* The names (of char *) in quotes; of many as many as a message has room for. */
extern char *event_names_quote(List *names);

/*
 * Those that the stream has, in quotes, or that it has none.  In the SPI
 * connection, with the owner's rights; a pass over the stream.
 */
extern char *event_names_there(const SegmentTable *table);

#endif							/* SEGMENT_CATALOG_EVENT_NAMES_H */
