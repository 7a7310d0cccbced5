/*
 * guc.h
 *		Every setting of the extension.
 */
#ifndef SEGMENT_GUC_H
#define SEGMENT_GUC_H

#include "datatype/timestamp.h"

/* segment.databases: comma-separated names of the databases that get a scheduler */
extern char *segment_databases;

/* segment.batch_size: customers processed in one transaction of a refresh */
extern int	segment_batch_size;

/* segment.mark_limit: keys a statement marks one by one before it marks all */
extern int	segment_mark_limit;

/* segment.log_rotation_size: size of a mark log (kB) beyond which it is rotated */
extern int	segment_log_rotation_size;

/* segment.backlog_limit: customers of a segment table in work before everybody is */
extern int	segment_backlog_limit;

/* segment.runs_kept: rows kept in segment.runs for each segment table */
extern int	segment_runs_kept;

/* segment.ddl_wait: milliseconds that a definition tries to lock a table that others use */
extern int	segment_ddl_wait;

/* segment.set_aside_limit: customers whom a refresh may set aside before it fails */
extern int	segment_set_aside_limit;

/* segment.job_timeout: milliseconds after which the run of a job is cancelled; 0: never */
extern int	segment_job_timeout;

/* segment.notify_channel: where changes of memberships are told; empty: nowhere */
extern char *segment_notify_channel;

/* segment.health_…: from where on the view health finds fault */
extern double segment_health_min_share; /* smallest share of the customers of a segment */
extern double segment_health_similarity;	/* Jaccard index of two segments */
extern double segment_health_band_drift;	/* of a band's share from the ideal one, relative to it */
extern int	segment_health_lag; /* seconds that a table may be behind */
extern int	segment_health_quiet;	/* seconds without an event of a source */
extern int	segment_health_stay;	/* seconds in which nobody has left a segment */

/* Defines the settings and reserves the prefix. */
extern void guc_init(void);

/* Is segment.as_of set?  If so, *as_of is its value. */
extern bool guc_as_of(TimestampTz *as_of);

#endif							/* SEGMENT_GUC_H */
