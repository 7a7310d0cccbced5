/*
 * health.h
 *		What the files of the health check share.
 */
#ifndef SEGMENT_HEALTH_H
#define SEGMENT_HEALTH_H

#include "look/look.h"

/* A check of one segment table: each step adds its findings to the function's result. */
typedef struct HealthCheck
{
	FunctionCallInfo fcinfo;
	const SegmentTable *table;
	const Source *source;		/* of a step about one */
	TimestampTz as_of;
	bool		thorough;		/* reads all, where else a sample does */
} HealthCheck;

/*
 * What to read of a relation: its qualified name and, unless it is small or all
 * is wanted, a TABLESAMPLE of a bounded number of blocks; *sampled says which.
 */
extern char *health_sample(const HealthCheck *check, Oid relation, bool *sampled);

/* Adds the lines of a query of (finding, subject, detail, advice); $1 is the as-of instant. */
extern void health_add(const HealthCheck *check, const char *sql);

/*
 * Adds the lines of such a query of a parameter of its own, with any rights, in
 * an SPI connection and a context that stand; of an error the context does not
 * show the query.
 */
extern void health_return(const HealthCheck *check, const char *sql, Oid type, Datum value);

/* Steps (AttemptStep) of a HealthCheck. */

/* health_state.c: freshness, schedule, bands, triggers */
extern void health_check_state(void *arg);

/* health_presets.c: events that presets look for */
extern void health_check_presets(void *arg);

/* health_sources.c: check->source */
extern void health_check_source(void *arg);

#endif							/* SEGMENT_HEALTH_H */
