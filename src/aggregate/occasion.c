/*
 * occasion.c
 *		segment.occasion(at): the hour, the day of the week and the month in which
 *		a customer comes most often.
 *
 * The state of a customer with few events is a list of their hours; of more
 * events only the counts are kept.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "aggregate/kinds.h"
#include "aggregate/ranges.h"
#include "aggregate/zone.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

/* With more hours than this, their counts take less room. */
#define HOURS_FIRST 8
#define HOURS_MAX 64

/*
 * Hours are counted from a midnight before any timestamp, so many hours before
 * 2000-01-01, to fit into 32 bits.
 */
#define EPOCH_HOUR (INT64CONST(2454200) * HOURS_PER_DAY)

/* No timestamp is in this hour or a later one. */
#define HOURS_END UINT64CONST(2640000000)

#define WEEKDAYS 7

/* How often there was an event. */
typedef struct Tally
{
	int64		hours[HOURS_PER_DAY];	/* at this hour, local */
	int64		weekdays[WEEKDAYS]; /* on this day, from Monday */
	int64		months[MONTHS_PER_YEAR];	/* in this month, from January */
	Ranges		months_seen;	/* months with an event, numbered as in zone.h */
} Tally;

typedef struct OccasionState
{
	AggregateState base;
	int64		events;			/* their number */
	uint32	   *hours;			/* of the events, on the local clock */
	int			capacity;		/* room in hours */
	Tally	   *tally;			/* NULL while there are hours */
} OccasionState;

PG_FUNCTION_INFO_V1(segment_occasion_transition);
PG_FUNCTION_INFO_V1(segment_occasion_final);

/* Counts an event in an hour; what the tally points to lives in context. */
static void
tally_hour(Tally *tally, uint32 hour, MemoryContext context)
{
	int32		day = (int32) (hour / HOURS_PER_DAY) - (int32) (EPOCH_HOUR / HOURS_PER_DAY);
	int32		month = zone_month_of(day);
	int32		in_year = month % MONTHS_PER_YEAR;

	tally->hours[hour % HOURS_PER_DAY]++;
	tally->weekdays[day - 7 * zone_week_of(day) + 5]++;
	tally->months[in_year < 0 ? in_year + MONTHS_PER_YEAR : in_year]++;
	ranges_add(&tally->months_seen, month, month, 1, context);
}

static void
tally_hours(Tally *tally, const OccasionState *state, MemoryContext context)
{
	for (int i = 0; i < state->events; i++)
		tally_hour(tally, state->hours[i], context);
}

/* Gives up the list of hours for their tally. */
static void
begin_tally(OccasionState *state, MemoryContext context)
{
	state->tally = (Tally *) MemoryContextAllocZero(context, sizeof(Tally));
	if (state->hours == NULL)
		return;
	tally_hours(state->tally, state, context);
	pfree(state->hours);
	state->hours = NULL;
	state->capacity = 0;
}

static void
add_hour(OccasionState *state, uint32 hour, MemoryContext context)
{
	if (state->tally == NULL && state->events == HOURS_MAX)
		begin_tally(state, context);
	if (state->tally != NULL)
		tally_hour(state->tally, hour, context);
	else
	{
		if (state->hours == NULL)
		{
			state->capacity = HOURS_FIRST;
			state->hours = (uint32 *)
				MemoryContextAlloc(context, HOURS_FIRST * sizeof(uint32));
		}
		else if (state->events == state->capacity)
		{
			state->capacity *= 2;
			state->hours = (uint32 *) repalloc(state->hours, state->capacity * sizeof(uint32));
		}
		state->hours[state->events] = hour;
	}
	state->events++;
}

Datum
segment_occasion_transition(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	OccasionState *state = aggregate_state(fcinfo, &occasion_kind);
	int64		local;
	int64		hour;

	if (PG_ARGISNULL(1) || TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMPTZ(1)))
		AGGREGATE_RETURN_STATE(state);

	if (state == NULL)
		state = aggregate_make(&occasion_kind, context);
	local = zone_local(PG_GETARG_TIMESTAMPTZ(1));
	hour = local / USECS_PER_HOUR - (local % USECS_PER_HOUR < 0 ? 1 : 0);
	add_hour(state, (uint32) (hour + EPOCH_HOUR), context);
	Assert(occasion_kind.is_valid(state));
	PG_RETURN_POINTER(state);
}

static void
add_counts(int64 *counts, const int64 *more, int number)
{
	for (int i = 0; i < number; i++)
		counts[i] += more[i];
}

static void
occasion_merge(void *into, const void *from, MemoryContext context)
{
	OccasionState *state = into;
	const OccasionState *other = from;

	if (other->events > PG_INT64_MAX - state->events)
		aggregate_too_large(PG_INT64_MAX);
	if (other->tally == NULL)
	{
		for (int i = 0; i < other->events; i++)
			add_hour(state, other->hours[i], context);
		return;
	}

	if (state->tally == NULL)
		begin_tally(state, context);
	add_counts(state->tally->hours, other->tally->hours, HOURS_PER_DAY);
	add_counts(state->tally->weekdays, other->tally->weekdays, WEEKDAYS);
	add_counts(state->tally->months, other->tally->months, MONTHS_PER_YEAR);
	ranges_merge(&state->tally->months_seen, &other->tally->months_seen, 1, context);
	state->events += other->events;
}

static void
send_counts(const int64 *counts, int number, StringInfo wire)
{
	for (int i = 0; i < number; i++)
		pq_sendint64(wire, counts[i]);
}

static void
occasion_send(void *from, StringInfo wire)
{
	OccasionState *state = from;
	Tally	   *tally = state->tally;

	pq_sendint64(wire, state->events);
	pq_sendint8(wire, tally != NULL);
	if (tally != NULL)
	{
		send_counts(tally->hours, HOURS_PER_DAY, wire);
		send_counts(tally->weekdays, WEEKDAYS, wire);
		send_counts(tally->months, MONTHS_PER_YEAR, wire);
		ranges_send(&tally->months_seen, 1, wire);
		return;
	}
	for (int i = 0; i < state->events; i++)
		pq_sendint32(wire, state->hours[i]);
}

/* Reads counts that come to the given total. */
static bool
receive_counts(int64 *counts, int number, int64 total, StringInfo wire)
{
	for (int i = 0; i < number; i++)
	{
		counts[i] = pq_getmsgint64(wire);
		if (counts[i] < 0 || counts[i] > total)
			return false;
		total -= counts[i];
	}
	return total == 0;
}

static bool
receive_tally(Tally *tally, int64 events, StringInfo wire)
{
	const Ranges *months = &tally->months_seen;

	return receive_counts(tally->hours, HOURS_PER_DAY, events, wire) &&
		receive_counts(tally->weekdays, WEEKDAYS, events, wire) &&
		receive_counts(tally->months, MONTHS_PER_YEAR, events, wire) &&
		ranges_receive(&tally->months_seen, 1, wire) && months->count > 0 &&
		months->at[0].first >= -ZONE_UNIT_MAX &&
		months->at[months->count - 1].last <= ZONE_UNIT_MAX;
}

static bool
occasion_receive(void *into, StringInfo wire)
{
	OccasionState *state = into;
	int			has_tally;

	state->events = pq_getmsgint64(wire);
	has_tally = pq_getmsgbyte(wire);
	if (state->events <= 0 || has_tally > 1)
		return false;
	if (has_tally)
	{
		state->tally = (Tally *) palloc0(sizeof(Tally));
		return receive_tally(state->tally, state->events, wire);
	}

	if (state->events > HOURS_MAX)
		return false;
	state->capacity = HOURS_MAX;
	state->hours = (uint32 *) palloc(HOURS_MAX * sizeof(uint32));
	for (int i = 0; i < state->events; i++)
	{
		state->hours[i] = pq_getmsgint(wire, 4);
		if (state->hours[i] >= HOURS_END)
			return false;
	}
	return true;
}

static bool
occasion_is_valid(const void *of)
{
	const OccasionState *state = of;

	if (state->events <= 0 || (state->hours == NULL) == (state->tally == NULL) ||
		(state->hours == NULL) != (state->capacity == 0))
		return false;
	return state->tally != NULL ? ranges_is_valid(&state->tally->months_seen) :
		state->events <= state->capacity && state->capacity <= HOURS_MAX;
}

const AggregateKind occasion_kind = {
	.name = "occasion",
	.id = AGGREGATE_OCCASION,
	.version = 1,
	.size = sizeof(OccasionState),
	.merge = occasion_merge,
	.send = occasion_send,
	.receive = occasion_receive,
	.is_valid = occasion_is_valid
};

/* The first of the greatest counts. */
static int
greatest(const int64 *counts, int number)
{
	int			found = 0;

	for (int i = 1; i < number; i++)
	{
		if (counts[i] > counts[found])
			found = i;
	}
	return found;
}

/* How many of the months are the given one, from 0, of some year? */
static int32
count_years(Ranges *months, int in_year)
{
	int64		years = 0;

	ranges_settle(months, 1);
	for (int i = 0; i < months->count; i++)
	{
		/* From a number that is not negative, division rounds down. */
		int64		first = months->at[i].first - in_year + ZONE_UNIT_MAX * MONTHS_PER_YEAR;
		int64		last = months->at[i].last - in_year + ZONE_UNIT_MAX * MONTHS_PER_YEAR;

		CHECK_FOR_INTERRUPTS();
		years += last / MONTHS_PER_YEAR - (first - 1) / MONTHS_PER_YEAR;
	}
	return (int32) years;
}

Datum
segment_occasion_final(PG_FUNCTION_ARGS)
{
	OccasionState *state = aggregate_state(fcinfo, &occasion_kind);
	Tally		counted;
	Tally	   *tally;
	int			hour;
	int			weekday;
	int			month;
	Datum		values[7];
	bool		nulls[7] = {false};
	HeapTuple	tuple;

	if (state == NULL)
		PG_RETURN_NULL();

	tally = state->tally;
	if (tally == NULL)
	{
		tally = &counted;
		memset(tally, 0, sizeof(Tally));
		tally_hours(tally, state, CurrentMemoryContext);
	}
	hour = greatest(tally->hours, HOURS_PER_DAY);
	weekday = greatest(tally->weekdays, WEEKDAYS);
	month = greatest(tally->months, MONTHS_PER_YEAR);

	values[0] = Int32GetDatum(hour);
	values[1] = Float8GetDatum((double) tally->hours[hour] / state->events);
	values[2] = Int32GetDatum(weekday + 1);
	values[3] = Float8GetDatum((double) tally->weekdays[weekday] / state->events);
	values[4] = Int32GetDatum(month + 1);
	values[5] = Float8GetDatum((double) tally->months[month] / state->events);
	values[6] = Int32GetDatum(count_years(&tally->months_seen, month));
	tuple = heap_form_tuple(aggregate_result_type(fcinfo), values, nulls);
	PG_RETURN_DATUM(HeapTupleGetDatum(tuple));
}
