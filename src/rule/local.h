/*
 * local.h
 *		Reading and setting the clocks of time zones, piece by piece.
 *
 * What the functions here take and give back is a CrossingPiece on its way
 * through the steps of a moving value: its value becomes the step's result,
 * and its reach is shortened to the point up to which the step runs evenly
 * (unless it stands still already).  They return false where PostgreSQL has no
 * such value.
 */
#ifndef SEGMENT_RULE_LOCAL_H
#define SEGMENT_RULE_LOCAL_H

#include "fmgr.h"
#include "model/crossing.h"
#include "pgtime.h"

typedef struct LocalZone
{
	pg_tz	   *tz;				/* NULL: an abbreviation that always means the same */
	text	   *abbreviation;	/* what PostgreSQL takes for one, or NULL */
	int64		least;			/* offsets from UTC, in microseconds, lie between these */
	int64		most;
} LocalZone;

/* The zone of AT TIME ZONE, or the session's if name is empty; false if there is none. */
extern bool local_zone(text *name, LocalZone *zone);

extern void local_session_zone(LocalZone *zone);

/* timestamptz to timestamp, and back. */
extern bool local_from_instant(CrossingPiece *piece, const LocalZone *zone);
extern bool local_to_instant(CrossingPiece *piece, const LocalZone *zone);

/* timestamp plus an interval of months. */
extern bool local_add_months(CrossingPiece *piece, int32 months);

/* date_trunc of a timestamp; unit as local_unit gives it. */
extern bool local_trunc(CrossingPiece *piece, int unit);

/* A unit of date_trunc; false if there is none of that name. */
extern bool local_unit(text *name, int *unit);

/* How long a unit can last, in microseconds. */
extern int64 local_unit_length(int unit);

/* No further than a distance; what stands still already goes on, but maybe not its next stairs. */
extern void local_limit(CrossingPiece *piece, int64 distance);

/* From here on a stair, which ends after a distance; grain: the longest there is. */
extern void local_flatten(CrossingPiece *piece, int64 distance, int64 grain);

#endif							/* SEGMENT_RULE_LOCAL_H */
