/*
 * compile.h
 *		What the files that compile a definition share among themselves.
 */
#ifndef SEGMENT_RULE_COMPILE_H
#define SEGMENT_RULE_COMPILE_H

#include "lib/stringinfo.h"
#include "rule/rule.h"
#include "utils/builtins.h"

/* Names inside the query. */
#define STREAM_NAME "__segment_stream"
#define KEYS_NAME "__segment_keys"
#define KEYS_COLUMN "__segment_wanted"

/* The least instant at which time alone changes what comes from the events, or NULL. */
#define CROSSING_COLUMN "__segment_crossing"

static inline const char *
compile_key(const SegmentTable *table)
{
	return quote_identifier(table->key_name);
}

/* " WHERE ...": of some customers, given by an expression for their key as text, only those who are not suppressed. */
static inline char *
compile_not_suppressed(const SegmentTable *table, const char *key)
{
	return psprintf(" WHERE NOT segment.is_suppressed(%u, %s)", table->relid, key);
}

/* base.c */

/*
 * A query of the customers' keys, scores over events and attributes, of
 * whether they have a row, and of the instants at which time changes these.
 * whom, future: see rule_evaluate_sql.
 */
extern void rule_append_base(StringInfo result, const SegmentTable *table, RuleWhom whom,
							 bool future);

/* The columns (of String) that it has. */
extern List *rule_base_columns(const SegmentTable *table);

/* The least of the crossings of the columns over something, as SQL; NULL if there are none. */
extern char *rule_least_crossing(const SegmentTable *table, ColumnOver over);

/* stream.c */

/* ", (expression)::type AS name"; expression NULL: NULL. */
extern void rule_append_cast(StringInfo sql, const char *expression, Oid type, const char *name);

/* A stream without sources: its columns and no row. */
extern void rule_append_empty_stream(StringInfo sql, const SegmentTable *table, List *columns);

/*
 * The stream; of RULE_KEYS the customers in KEYS_NAME.  which: a comparison
 * of at with the as-of instant, or NULL for the whole of time.
 */
extern void rule_append_stream(StringInfo sql, const SegmentTable *table, List *columns,
							   RuleWhom whom, const char *which);

/* " AND ...", a condition on the key of a source's rows; nothing for everybody. */
extern void rule_append_whom(StringInfo sql, const SegmentTable *table, const Source *source,
							 RuleWhom whom);

/* merged.c: only where the table has merged keys */

/* Of RULE_KEYS: the keys in KEYS_NAME and those that count for them. */
#define MEMBERS_NAME "__segment_members"

/* A condition for a key in "u", a text: it is not merged. */
extern char *merged_condition_of_keys(const SegmentTable *table);

/* "MEMBERS_NAME AS (...), ", behind that of KEYS_NAME. */
extern void merged_append_members(StringInfo sql, const SegmentTable *table);

/* A query of the keys whose events are read, of RULE_KEYS. */
extern char *merged_keys_of_events(void);

/* A stream with the columns of rule_append_stream, each event under the key that it counts for. */
extern void merged_append_stream(StringInfo sql, const SegmentTable *table, List *columns,
								 const char *stream, RuleWhom whom);

/* " UNION ALL ...": of RULE_OTHERS, keys that count for those in $1. */
extern void merged_append_others(StringInfo sql, const SegmentTable *table);

/* " AND ...": a condition on the key of a source's rows; it is not merged. */
extern void merged_append_attributes(StringInfo sql, const SegmentTable *table, const Source *source);

#endif							/* SEGMENT_RULE_COMPILE_H */
