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

TimestampTz
aggregate_as_of(void)
{
	TimestampTz as_of;

	return guc_as_of(&as_of) ? as_of : GetCurrentTransactionStartTimestamp();
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
aggregate_corrupt(const char *aggregate)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("invalid serialized state of aggregate segment.%s", aggregate),
			 errhint("Restart the server if the extension's library was replaced while it ran.")));
}

void
aggregate_send_begin(StringInfo wire, uint8 version)
{
	pq_begintypsend(wire);
	pq_sendint8(wire, version);
}

Datum
aggregate_send_end(StringInfo wire)
{
	return PointerGetDatum(pq_endtypsend(wire));
}

void
aggregate_receive_begin(FunctionCallInfo fcinfo, StringInfo wire,
						uint8 version, const char *aggregate)
{
	bytea	   *bytes;

	/* Hostile bytes are one thing, a call from elsewhere another. */
	(void) aggregate_context(fcinfo);

	bytes = PG_GETARG_BYTEA_PP(0);
	wire->data = VARDATA_ANY(bytes);
	wire->len = VARSIZE_ANY_EXHDR(bytes);
	wire->maxlen = wire->len;
	wire->cursor = 0;
	if (wire->len < 1 || pq_getmsgbyte(wire) != version)
		aggregate_corrupt(aggregate);
}

void
aggregate_receive_end(StringInfo wire, const char *aggregate)
{
	if (wire->cursor != wire->len)
		aggregate_corrupt(aggregate);
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
