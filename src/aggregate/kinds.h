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
extern const AggregateKind retention_kind;
extern const AggregateKind retention_periods_kind;
extern const AggregateKind streak_kind;
extern const AggregateKind repeat_purchase_kind;
extern const AggregateKind occasion_kind;
extern const AggregateKind rhythm_kind;
extern const AggregateKind journey_kind;
extern const AggregateKind first_kind;
extern const AggregateKind last_kind;
extern const AggregateKind affinity_kind;
extern const AggregateKind top_items_kind;
extern const AggregateKind unconverted_kind;
extern const AggregateKind trend_kind;
extern const AggregateKind concentration_kind;

#endif							/* SEGMENT_KINDS_H */
