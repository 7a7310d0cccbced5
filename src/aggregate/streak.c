/*
 * streak.c
 *		segment.streak(at, unit): how many days, weeks or months in a row had an
 *		event, as of segment.now().
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "aggregate/kinds.h"
#include "aggregate/ranges.h"
#include "aggregate/zone.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/date.h"
#include "utils/timestamp.h"

/* Days, weeks and months that follow each other are one range. */
#define REACH 1

typedef enum StreakUnit
{
	STREAK_DAY,
	STREAK_WEEK,
	STREAK_MONTH,
	STREAK_UNITS				/* their number */
} StreakUnit;

static const char *const unit_names[STREAK_UNITS] = {"day", "week", "month"};

/* A unit and its name, kept so that the same need not be read again. */
typedef struct NamedUnit
{
	bool		known;
	char		name[8];		/* as it was given, without end */
	int			length;			/* of it, bytes */
	StreakUnit	unit;
} NamedUnit;

typedef struct StreakState
{
	AggregateState base;
	TimestampTz as_of;			/* later events do not count */
	TimestampTz last_at;		/* the last event; as_of while there is none */
	StreakUnit	unit;
	Ranges		units;			/* with an event, numbered as in zone.h */
} StreakState;

PG_FUNCTION_INFO_V1(segment_streak_transition);
PG_FUNCTION_INFO_V1(segment_streak_final);

static StreakUnit
read_unit(const char *name, int length)
{
	for (int unit = 0; unit < STREAK_UNITS; unit++)
	{
		int			singular = strlen(unit_names[unit]);

		if ((length == singular || (length == singular + 1 && pg_tolower(name[singular]) == 's')) &&
			pg_strncasecmp(name, unit_names[unit], singular) == 0)
			return unit;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unit \"%.*s\" is not recognized", length, name),
			 errhint("Give 'day', 'week' or 'month'.")));
	return STREAK_UNITS;		/* keep compiler quiet */
}

static StreakUnit
check_unit(NamedUnit *last, text *given)
{
	const char *name = VARDATA_ANY(given);
	int			length = VARSIZE_ANY_EXHDR(given);

	if (!last->known || length != last->length || memcmp(name, last->name, length) != 0)
	{
		last->unit = read_unit(name, length);
		last->length = length;
		memcpy(last->name, name, length);
		last->known = true;
	}
	return last->unit;
}

/* The number of the unit in which an instant lies. */
static int32
unit_of(TimestampTz at, StreakUnit unit)
{
	int32		day = zone_day_of(zone_local(at));

	return unit == STREAK_DAY ? day :
		unit == STREAK_WEEK ? zone_week_of(day) : zone_month_of(day);
}

Datum
segment_streak_transition(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	StreakState *state = aggregate_state(fcinfo, &streak_kind);
	StreakUnit	unit = STREAK_DAY;
	TimestampTz at;

	if (PG_ARGISNULL(1) || (PG_NARGS() > 2 && PG_ARGISNULL(2)))
		AGGREGATE_RETURN_STATE(state);

	at = PG_GETARG_TIMESTAMPTZ(1);
	if (PG_NARGS() > 2)
		unit = check_unit(aggregate_memory(fcinfo, sizeof(NamedUnit)), PG_GETARG_TEXT_PP(2));
	if (state == NULL)
	{
		state = aggregate_make(&streak_kind, context);
		state->as_of = state->last_at = aggregate_as_of();
		state->unit = unit;
	}
	else if (state->unit != unit)
		aggregate_varies("unit");

	if (!TIMESTAMP_NOT_FINITE(at) && at <= state->as_of)
	{
		int32		number = unit_of(at, unit);

		state->last_at = state->units.count == 0 ? at : Max(state->last_at, at);
		ranges_add(&state->units, number, number, REACH, context);
	}
	PG_RETURN_POINTER(state);
}

static void
streak_merge(void *into, const void *from, MemoryContext context)
{
	StreakState *state = into;
	const StreakState *other = from;

	if (state->base.is_new)
	{
		state->as_of = state->last_at = other->as_of;
		state->unit = other->unit;
	}
	else if (state->unit != other->unit)
		aggregate_varies("unit");
	else if (state->as_of != other->as_of)
		aggregate_corrupt(streak_kind.name);
	if (other->units.count == 0)
		return;

	state->last_at = state->units.count == 0 ? other->last_at :
		Max(state->last_at, other->last_at);
	ranges_merge(&state->units, &other->units, REACH, context);
}

static void
streak_send(void *from, StringInfo wire)
{
	StreakState *state = from;

	pq_sendint64(wire, state->as_of);
	pq_sendint64(wire, state->last_at);
	pq_sendint8(wire, state->unit);
	ranges_send(&state->units, REACH, wire);
}

static bool
streak_receive(void *into, StringInfo wire)
{
	StreakState *state = into;
	int			unit;
	Ranges	   *units = &state->units;

	state->as_of = pq_getmsgint64(wire);
	state->last_at = pq_getmsgint64(wire);
	unit = pq_getmsgbyte(wire);
	if (!aggregate_is_instant(state->as_of) || !aggregate_is_instant(state->last_at) ||
		unit >= STREAK_UNITS || !ranges_receive(units, REACH, wire))
		return false;
	state->unit = unit;
	return units->count == 0 ||
		(units->at[0].first >= -ZONE_UNIT_MAX &&
		 units->at[units->count - 1].last <= ZONE_UNIT_MAX);
}

static bool
streak_is_valid(const void *of)
{
	const StreakState *state = of;

	return state->last_at <= state->as_of &&
		(state->units.count > 0 || state->last_at == state->as_of) &&
		ranges_is_valid(&state->units);
}

const AggregateKind streak_kind = {
	.name = "streak",
	.id = AGGREGATE_STREAK,
	.version = 1,
	.size = sizeof(StreakState),
	.merge = streak_merge,
	.send = streak_send,
	.receive = streak_receive,
	.is_valid = streak_is_valid
};

Datum
segment_streak_final(PG_FUNCTION_ARGS)
{
	StreakState *state = aggregate_state(fcinfo, &streak_kind);
	int32		current = 0;
	int32		longest = 0;
	int32		active = 0;
	Datum		values[4];
	bool		nulls[4] = {false};
	HeapTuple	tuple;

	if (state == NULL || state->units.count == 0)
		PG_RETURN_NULL();

	ranges_settle(&state->units, REACH);
	for (int i = 0; i < state->units.count; i++)
	{
		const Range *run = &state->units.at[i];

		CHECK_FOR_INTERRUPTS();
		current = (int32) (run->last - run->first + 1);
		longest = Max(longest, current);
		active += current;
	}
	/* The unit that holds the present is not over yet. */
	if (state->units.at[state->units.count - 1].last < unit_of(state->as_of, state->unit) - 1)
		current = 0;

	values[0] = Int32GetDatum(current);
	values[1] = Int32GetDatum(longest);
	values[2] = Int32GetDatum(active);
	values[3] = DateADTGetDatum(zone_day_of(zone_local(state->last_at)));
	tuple = heap_form_tuple(aggregate_result_type(fcinfo), values, nulls);
	PG_RETURN_DATUM(HeapTupleGetDatum(tuple));
}
