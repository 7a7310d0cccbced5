/*
 * kinds.h
 *		The kinds of aggregate states, each defined by its family's file.
 */
#ifndef SEGMENT_KINDS_H
#define SEGMENT_KINDS_H

#include "aggregate/aggregate.h"

extern const AggregateKind engagement_kind;
extern const AggregateKind sessions_kind;
extern const AggregateKind funnel_kind;
extern const AggregateKind sequence_kind;

#endif							/* SEGMENT_KINDS_H */
