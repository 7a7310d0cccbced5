/*
 * kinds.c
 *		All kinds of aggregate states, by the number they have on the wire.
 */
#include "postgres.h"

#include "aggregate/aggregate.h"
#include "aggregate/kinds.h"

static const AggregateKind *const kinds[AGGREGATE_IDS] = {
	[AGGREGATE_ENGAGEMENT] = &engagement_kind,
	[AGGREGATE_SESSIONS] = &sessions_kind,
	[AGGREGATE_FUNNEL] = &funnel_kind,
	[AGGREGATE_SEQUENCE] = &sequence_kind,
	[AGGREGATE_RETENTION] = &retention_kind,
	[AGGREGATE_RETENTION_PERIODS] = &retention_periods_kind,
	[AGGREGATE_STREAK] = &streak_kind,
	[AGGREGATE_REPEAT_PURCHASE] = &repeat_purchase_kind,
	[AGGREGATE_OCCASION] = &occasion_kind,
	[AGGREGATE_RHYTHM] = &rhythm_kind,
	[AGGREGATE_JOURNEY] = &journey_kind,
	[AGGREGATE_FIRST] = &first_kind,
	[AGGREGATE_LAST] = &last_kind,
	[AGGREGATE_AFFINITY] = &affinity_kind,
	[AGGREGATE_TOP_ITEMS] = &top_items_kind,
	[AGGREGATE_UNCONVERTED] = &unconverted_kind,
	[AGGREGATE_TREND] = &trend_kind,
	[AGGREGATE_CONCENTRATION] = &concentration_kind,
};

const AggregateKind *
aggregate_kind(int id)
{
	return id < 0 || id >= AGGREGATE_IDS ? NULL : kinds[id];
}
