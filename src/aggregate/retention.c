/*
 * retention.c
 *		segment.retention(conditions): which conditions any row met, if any row
 *		met the first; segment.retention_periods(at, period, periods): in which
 *		periods since the first event there was one.
 */
#include "postgres.h"

#include "aggregate/conditions.h"
#include "aggregate/instants.h"
#include "aggregate/kinds.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/array.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

/* A result of so many booleans is still read by people. */
#define PERIODS_MAX 10000

typedef struct RetentionState
{
	AggregateState base;
	int			count;			/* of the conditions */
	uint64		met;			/* bit i is set if a row met condition i + 1 */
} RetentionState;

/* The state of a window that moves: it knows how many rows met a condition. */
typedef struct MovingState
{
	AggregateState base;
	int64		rows;			/* in the window */
	int			count;			/* of the conditions, if there are rows */
	int64		met[CONDITIONS_MAX];	/* by so many rows */
} MovingState;

typedef struct PeriodsState
{
	AggregateState base;
	Interval	period;			/* no field negative, not all of them 0 */
	int			periods;		/* 1 to PERIODS_MAX */
	Instants	events;
} PeriodsState;

PG_FUNCTION_INFO_V1(segment_retention_transition);
PG_FUNCTION_INFO_V1(segment_retention_final);
PG_FUNCTION_INFO_V1(segment_retention_moving_transition);
PG_FUNCTION_INFO_V1(segment_retention_moving_inverse);
PG_FUNCTION_INFO_V1(segment_retention_moving_final);
PG_FUNCTION_INFO_V1(segment_retention_periods_transition);
PG_FUNCTION_INFO_V1(segment_retention_periods_final);

static ArrayType *
make_booleans(Datum *values, int count)
{
	return construct_array(values, count, BOOLOID, sizeof(bool), true, TYPALIGN_CHAR);
}

/* The result for conditions that were met, as bits. */
static ArrayType *
retention_result(uint64 met, int count)
{
	Datum		values[CONDITIONS_MAX];

	/* Nobody is retained who was not there at first. */
	if ((met & 1) == 0)
		met = 0;
	for (int i = 0; i < count; i++)
		values[i] = BoolGetDatum((met >> i & 1) != 0);
	return make_booleans(values, count);
}

Datum
segment_retention_transition(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	RetentionState *state = aggregate_state(fcinfo, &retention_kind);
	Conditions *call = aggregate_memory(fcinfo, sizeof(Conditions));
	uint64		marks;

	if (!conditions_read(fcinfo, 1, "condition", call, &marks))
		AGGREGATE_RETURN_STATE(state);

	if (state == NULL)
	{
		state = aggregate_make(&retention_kind, context);
		state->count = call->count;
	}
	else if (state->count != call->count)
		conditions_vary("condition");
	state->met |= marks;
	PG_RETURN_POINTER(state);
}

static void
retention_merge(void *into, const void *from, MemoryContext context)
{
	RetentionState *state = into;
	const RetentionState *other = from;

	if (state->base.is_new)
		state->count = other->count;
	else if (state->count != other->count)
		conditions_vary("condition");
	state->met |= other->met;
}

static void
retention_send(void *from, StringInfo wire)
{
	RetentionState *state = from;

	pq_sendint8(wire, state->count);
	pq_sendint64(wire, state->met);
}

static bool
retention_receive(void *into, StringInfo wire)
{
	RetentionState *state = into;

	state->count = pq_getmsgbyte(wire);
	state->met = pq_getmsgint64(wire);
	return true;
}

static bool
retention_is_valid(const void *of)
{
	const RetentionState *state = of;

	return state->count >= 1 && state->count <= CONDITIONS_MAX &&
		(state->count == CONDITIONS_MAX || state->met >> state->count == 0);
}

const AggregateKind retention_kind = {
	.name = "retention",
	.id = AGGREGATE_RETENTION,
	.version = 1,
	.size = sizeof(RetentionState),
	.merge = retention_merge,
	.send = retention_send,
	.receive = retention_receive,
	.is_valid = retention_is_valid
};

Datum
segment_retention_final(PG_FUNCTION_ARGS)
{
	RetentionState *state = aggregate_state(fcinfo, &retention_kind);

	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_ARRAYTYPE_P(retention_result(state->met, state->count));
}

/* States of windows never leave their process: they have no wire form. */
static const AggregateKind moving_kind = {
	.name = "retention",
	.id = AGGREGATE_RETENTION,
	.size = sizeof(MovingState)
};

/* Counts the marks of a row that enters (1) or leaves (-1) the window. */
static void
move(MovingState *state, uint64 marks, int by)
{
	state->rows += by;
	for (int i = 0; i < state->count; i++)
	{
		if (marks >> i & 1)
			state->met[i] += by;
		Assert(state->met[i] >= 0 && state->met[i] <= state->rows);
	}
}

Datum
segment_retention_moving_transition(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	MovingState *state = aggregate_state(fcinfo, &moving_kind);
	Conditions *call = aggregate_memory(fcinfo, sizeof(Conditions));
	uint64		marks;

	/* The state of a moving aggregate may not be NULL. */
	if (state == NULL)
		state = aggregate_make(&moving_kind, context);
	if (conditions_read(fcinfo, 1, "condition", call, &marks))
	{
		if (state->rows == 0)
			state->count = call->count;
		else if (state->count != call->count)
			conditions_vary("condition");
		move(state, marks, 1);
	}
	PG_RETURN_POINTER(state);
}

Datum
segment_retention_moving_inverse(PG_FUNCTION_ARGS)
{
	MovingState *state = aggregate_state(fcinfo, &moving_kind);
	Conditions *call = aggregate_memory(fcinfo, sizeof(Conditions));
	uint64		marks;

	if (conditions_read(fcinfo, 1, "condition", call, &marks))
		move(state, marks, -1);
	PG_RETURN_POINTER(state);
}

Datum
segment_retention_moving_final(PG_FUNCTION_ARGS)
{
	MovingState *state = aggregate_state(fcinfo, &moving_kind);
	uint64		met = 0;

	if (state == NULL || state->rows == 0)
		PG_RETURN_NULL();
	for (int i = 0; i < state->count; i++)
	{
		if (state->met[i] > 0)
			met |= UINT64CONST(1) << i;
	}
	PG_RETURN_ARRAYTYPE_P(retention_result(met, state->count));
}

/*
 * Periods are added on the calendar, where parts of both signs might bring the
 * start of a period before that of the one before, or not, as months go.
 */
static void
check_periods(AggregateLength *last, const Interval *period, int periods)
{
	(void) aggregate_length_again(last, period, "period");
	if (period->month < 0 || period->day < 0 || period->time < 0 ||
		(period->month == 0 && period->day == 0 && period->time == 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("period must be positive"),
				 errhint("Give an interval such as '1 month', without negative parts.")));
	if (periods < 1 || periods > PERIODS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("periods must be between 1 and %d", PERIODS_MAX),
				 errhint("Give the number of periods to look at.")));
}

static bool
is_same_interval(const Interval *a, const Interval *b)
{
	return a->month == b->month && a->day == b->day && a->time == b->time;
}

Datum
segment_retention_periods_transition(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	PeriodsState *state = aggregate_state(fcinfo, &retention_periods_kind);
	TimestampTz at;
	const Interval *period;
	int			periods;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		AGGREGATE_RETURN_STATE(state);

	at = PG_GETARG_TIMESTAMPTZ(1);
	period = PG_GETARG_INTERVAL_P(2);
	periods = PG_GETARG_INT32(3);
	check_periods(aggregate_memory(fcinfo, sizeof(AggregateLength)), period, periods);
	if (state == NULL)
	{
		state = aggregate_make(&retention_periods_kind, context);
		state->period = *period;
		state->periods = periods;
	}
	else if (!is_same_interval(&state->period, period))
		aggregate_varies("period");
	else if (state->periods != periods)
		aggregate_varies("periods");

	if (!TIMESTAMP_NOT_FINITE(at))
		instants_add(&state->events, at, context);
	PG_RETURN_POINTER(state);
}

static void
retention_periods_merge(void *into, const void *from, MemoryContext context)
{
	PeriodsState *state = into;
	const PeriodsState *other = from;

	if (state->base.is_new)
	{
		state->period = other->period;
		state->periods = other->periods;
	}
	else if (!is_same_interval(&state->period, &other->period))
		aggregate_varies("period");
	else if (state->periods != other->periods)
		aggregate_varies("periods");
	instants_merge(&state->events, &other->events, context);
}

static void
retention_periods_send(void *from, StringInfo wire)
{
	PeriodsState *state = from;

	pq_sendint32(wire, state->period.month);
	pq_sendint32(wire, state->period.day);
	pq_sendint64(wire, state->period.time);
	pq_sendint32(wire, state->periods);
	instants_send(&state->events, wire);
}

static bool
retention_periods_receive(void *into, StringInfo wire)
{
	PeriodsState *state = into;

	state->period.month = (int32) pq_getmsgint(wire, 4);
	state->period.day = (int32) pq_getmsgint(wire, 4);
	state->period.time = pq_getmsgint64(wire);
	state->periods = (int32) pq_getmsgint(wire, 4);
	return instants_receive(&state->events, wire);
}

static bool
retention_periods_is_valid(const void *of)
{
	const PeriodsState *state = of;
	const Interval *period = &state->period;

	return period->month >= 0 && period->day >= 0 && period->time >= 0 &&
		(period->month > 0 || period->day > 0 || period->time > 0) &&
		state->periods >= 1 && state->periods <= PERIODS_MAX &&
		instants_is_valid(&state->events);
}

const AggregateKind retention_periods_kind = {
	.name = "retention_periods",
	.id = AGGREGATE_RETENTION_PERIODS,
	.version = 1,
	.size = sizeof(PeriodsState),
	.merge = retention_periods_merge,
	.send = retention_periods_send,
	.receive = retention_periods_receive,
	.is_valid = retention_periods_is_valid
};

/*
 * Adds months and then days on the local clock, none of them negative.  False
 * beyond the range of timestamps, where the operator would raise an error.
 */
static bool
add_calendar(TimestampTz *at, int64 months, int64 days)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			tz;
	int64		month;
	int64		day;

	if (timestamp2tm(*at, &tz, &tm, &fsec, NULL, NULL) != 0)
		return false;
	month = tm.tm_mon - 1 + months;
	if (month / MONTHS_PER_YEAR > JULIAN_MAXYEAR)
		return false;
	tm.tm_year += (int) (month / MONTHS_PER_YEAR);
	tm.tm_mon = (int) (month % MONTHS_PER_YEAR) + 1;
	tm.tm_mday = Min(tm.tm_mday, day_tab[isleap(tm.tm_year)][tm.tm_mon - 1]);

	day = date2j(tm.tm_year, tm.tm_mon, tm.tm_mday) + days;
	if (day > PG_INT32_MAX)
		return false;
	j2date((int) day, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
	tz = DetermineTimeZoneOffset(&tm, session_timezone);
	return tm2timestamp(&tm, fsec, &tz, at) == 0;
}

/*
 * The sum of an instant and n intervals, as timestamptz + interval has it: each
 * step is read back as an instant.  False if it is beyond the range.
 */
static bool
add_periods(TimestampTz at, const Interval *period, int n, TimestampTz *sum)
{
	int64		time;

	*sum = at;
	return (period->month == 0 || add_calendar(sum, (int64) period->month * n, 0)) &&
		(period->day == 0 || add_calendar(sum, 0, (int64) period->day * n)) &&
		!pg_mul_s64_overflow(period->time, n, &time) &&
		!pg_add_s64_overflow(*sum, time, sum) &&
		aggregate_is_instant(*sum);
}

Datum
segment_retention_periods_final(PG_FUNCTION_ARGS)
{
	PeriodsState *state = aggregate_state(fcinfo, &retention_periods_kind);
	const TimestampTz *at;
	Datum	   *values;
	int			next = 0;		/* the first event that is in no period yet */

	if (state == NULL || state->events.count == 0)
		PG_RETURN_NULL();

	instants_sort(&state->events);
	at = state->events.at;
	values = (Datum *) palloc0(state->periods * sizeof(Datum));
	for (int n = 0; n < state->periods && next < state->events.count; n++)
	{
		TimestampTz end;
		bool		ends = add_periods(at[0], &state->period, n + 1, &end);
		int			before = next;

		while (next < state->events.count && (!ends || at[next] < end))
		{
			CHECK_FOR_INTERRUPTS();
			next++;
		}
		values[n] = BoolGetDatum(next > before);
	}
	PG_RETURN_ARRAYTYPE_P(make_booleans(values, state->periods));
}
