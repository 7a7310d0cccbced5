/*
 * support.c
 *		What all aggregates share.
 */
#include "postgres.h"

#include "access/xact.h"
#include "aggregate/aggregate.h"
#include "common/int.h"
#include "guc.h"
#include "libpq/pqformat.h"
#include "utils/timestamp.h"

/* 365.25 days, as extract(epoch) counts a year */
#define USECS_PER_YEAR (INT64CONST(1461) * (USECS_PER_DAY / 4))

PG_FUNCTION_INFO_V1(segment_aggregate_combine);
PG_FUNCTION_INFO_V1(segment_aggregate_serialize);
PG_FUNCTION_INFO_V1(segment_aggregate_deserialize);

MemoryContext
aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("aggregate support function called outside an aggregate"),
				 errhint("Call the aggregate itself.")));
	return context;
}

void *
aggregate_make(const AggregateKind *kind, MemoryContext context)
{
	AggregateState *state = (AggregateState *) MemoryContextAllocZero(context, kind->size);

	state->kind = kind;
	return state;
}

/* Any of the library's states. */
static AggregateState *
state_argument(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? NULL : (AggregateState *) PG_GETARG_POINTER(argument);
}

void *
aggregate_state(FunctionCallInfo fcinfo, const AggregateKind *kind)
{
	AggregateState *state = state_argument(fcinfo, 0);

	(void) aggregate_context(fcinfo);
	if (state != NULL && state->kind != kind)
		aggregate_corrupt(kind->name);
	return state;
}

void *
aggregate_memory(FunctionCallInfo fcinfo, Size size)
{
	if (fcinfo->flinfo->fn_extra == NULL)
		fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, size);
	return fcinfo->flinfo->fn_extra;
}

Datum
segment_aggregate_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	AggregateState *state = state_argument(fcinfo, 0);
	AggregateState *other = state_argument(fcinfo, 1);

	if (other == NULL)
		AGGREGATE_RETURN_STATE(state);
	if (state == NULL)
	{
		state = (AggregateState *) aggregate_make(other->kind, context);
		state->is_new = true;
	}
	if (state->kind != other->kind)
		aggregate_corrupt(state->kind->name);

	state->kind->merge(state, other, context);
	state->is_new = false;
	Assert(state->kind->is_valid(state));
	PG_RETURN_POINTER(state);
}

Datum
segment_aggregate_serialize(PG_FUNCTION_ARGS)
{
	AggregateState *state = (AggregateState *) PG_GETARG_POINTER(0);
	StringInfoData wire;

	(void) aggregate_context(fcinfo);
	pq_begintypsend(&wire);
	pq_sendint8(&wire, state->kind->id);
	pq_sendint8(&wire, state->kind->version);
	state->kind->send(state, &wire);
	PG_RETURN_BYTEA_P(pq_endtypsend(&wire));
}

Datum
segment_aggregate_deserialize(PG_FUNCTION_ARGS)
{
	const AggregateKind *kind;
	AggregateState *state;
	StringInfoData wire;
	bytea	   *bytes;

	/* Hostile bytes are one thing, a call from elsewhere another. */
	(void) aggregate_context(fcinfo);

	bytes = PG_GETARG_BYTEA_PP(0);
	wire.data = VARDATA_ANY(bytes);
	wire.len = VARSIZE_ANY_EXHDR(bytes);
	wire.maxlen = wire.len;
	wire.cursor = 0;

	kind = wire.len < 2 ? NULL : aggregate_kind(pq_getmsgbyte(&wire));
	if (kind == NULL || pq_getmsgbyte(&wire) != kind->version)
		aggregate_corrupt(kind == NULL ? NULL : kind->name);
	state = (AggregateState *) aggregate_make(kind, CurrentMemoryContext);
	if (!kind->receive(state, &wire) || wire.cursor != wire.len || !kind->is_valid(state))
		aggregate_corrupt(kind->name);
	PG_RETURN_POINTER(state);
}

TimestampTz
aggregate_as_of(void)
{
	TimestampTz as_of;

	return guc_as_of(&as_of) ? as_of : GetCurrentTransactionStartTimestamp();
}

bool
aggregate_is_instant(TimestampTz at)
{
	return !TIMESTAMP_NOT_FINITE(at) && IS_VALID_TIMESTAMP(at);
}

int64
aggregate_length(const Interval *interval, const char *argument)
{
	int64		length;
	int64		years;
	int64		days;

	days = (int64) (interval->month % MONTHS_PER_YEAR) * DAYS_PER_MONTH +
		interval->day;
	if (pg_mul_s64_overflow(interval->month / MONTHS_PER_YEAR, USECS_PER_YEAR, &years) ||
		pg_mul_s64_overflow(days, USECS_PER_DAY, &length) ||
		pg_add_s64_overflow(length, years, &length) ||
		pg_add_s64_overflow(length, interval->time, &length))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is out of range", argument),
				 errhint("Give an interval of less than 292,000 years.")));
	return length;
}

Interval *
aggregate_interval(uint64 microseconds)
{
	Interval   *interval = (Interval *) palloc0(sizeof(Interval));

	interval->day = (int32) (microseconds / USECS_PER_DAY);
	interval->time = (TimeOffset) (microseconds % USECS_PER_DAY);
	return interval;
}

void
aggregate_varies(const char *argument)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s must be the same in all rows of an aggregate", argument),
			 errhint("Group by it, or give a constant.")));
}

void
aggregate_too_large(int64 bound)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("too many events for one aggregate state"),
			 errdetail("This aggregate holds at most %lld of them for each group.",
					   (long long) bound),
			 errhint("Aggregate by customer, or over a shorter time.")));
}

void
aggregate_corrupt(const char *aggregate)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 aggregate == NULL ? errmsg("invalid serialized state of an aggregate") :
			 errmsg("invalid serialized state of aggregate segment.%s", aggregate),
			 errhint("Restart the server if the extension's library was replaced while it ran.")));
}

TupleDesc
aggregate_result_type(FunctionCallInfo fcinfo)
{
	TupleDesc	desc = (TupleDesc) fcinfo->flinfo->fn_extra;
	MemoryContext old;

	if (desc == NULL)
	{
		old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
		if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("aggregate result must be a composite type")));
		desc = BlessTupleDesc(desc);
		MemoryContextSwitchTo(old);
		fcinfo->flinfo->fn_extra = desc;
	}
	return desc;
}
