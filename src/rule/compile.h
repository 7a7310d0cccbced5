/*
 * compile.h
 *		What the files that compile a definition share among themselves.
 */
#ifndef SEGMENT_RULE_COMPILE_H
#define SEGMENT_RULE_COMPILE_H

#include "lib/stringinfo.h"
#include "rule/rule.h"

/* Names inside the query. */
#define STREAM_NAME "__segment_stream"
#define KEYS_NAME "__segment_keys"
#define KEYS_COLUMN "__segment_wanted"

/* stream.c */

/* ", (expression)::type AS name"; expression NULL: NULL. */
extern void rule_append_cast(StringInfo sql, const char *expression, Oid type, const char *name);

/* A stream without sources: its columns and no row. */
extern void rule_append_empty_stream(StringInfo sql, const SegmentTable *table, List *columns);

/*
 * The stream, or of it only the customers in KEYS_NAME.  which: a comparison
 * of at with the as-of instant, or NULL for the whole of time.
 */
extern void rule_append_stream(StringInfo sql, const SegmentTable *table, List *columns,
							   bool keyed, const char *which);

#endif							/* SEGMENT_RULE_COMPILE_H */
