/*
 * values.c
 *		Types and their values, without a server: only what the aggregates have
 *		needed so far.
 */
#include "shim.h"

#include <stdlib.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "pgtime.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

/* Varlenas, arrays, rows ------------------------------------------------- */

struct varlena *
shim_varlena(const void *data, size_t length, MemoryContext context)
{
	struct varlena *value = MemoryContextAlloc(context, VARHDRSZ + length);

	SET_VARSIZE(value, VARHDRSZ + length);
	if (length > 0)
		memcpy(VARDATA(value), data, length);
	return value;
}

SHIM(struct varlena *, pg_detoast_datum, (struct varlena *value))
{
	return value;
}

SHIM(struct varlena *, pg_detoast_datum_packed, (struct varlena *value))
{
	return value;
}

SHIM(struct varlena *, pg_detoast_datum_copy, (struct varlena *value))
{
	return shim_varlena(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), CurrentMemoryContext);
}

SHIM(text *, cstring_to_text_with_len, (const char *data, int length))
{
	return shim_varlena(data, length, CurrentMemoryContext);
}

SHIM(text *, cstring_to_text, (const char *data))
{
	return shim_varlena(data, strlen(data), CurrentMemoryContext);
}

SHIM(char *, text_to_cstring, (const text *value))
{
	return pnstrdup(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
}

void *
shim_array(const Datum *values, int count, Oid type, int length, bool by_value)
{
	Size		size = ARR_OVERHEAD_NONULLS(1);
	ArrayType  *array;
	char	   *at;

	for (int i = 0; i < count; i++)
		size += length > 0 ? length : MAXALIGN(VARSIZE_ANY(DatumGetPointer(values[i])));
	array = palloc0(size);
	SET_VARSIZE(array, size);
	array->ndim = count > 0 ? 1 : 0;
	array->elemtype = type;
	ARR_DIMS(array)[0] = count;
	ARR_LBOUND(array)[0] = 1;
	at = ARR_DATA_PTR(array);
	for (int i = 0; i < count; i++)
	{
		Size		bytes = length > 0 ? (Size) length : VARSIZE_ANY(DatumGetPointer(values[i]));

		/* little-endian */
		memcpy(at, by_value ? (const void *) &values[i] : DatumGetPointer(values[i]), bytes);
		at += length > 0 ? bytes : MAXALIGN(bytes);
	}
	return array;
}

SHIM(ArrayType *, construct_array, (const Datum *values, int count, Oid type, int length,
									bool by_value, char align))
{
	return shim_array(values, count, type, length, by_value);
}

SHIM(ArrayType *, construct_empty_array, (Oid type))
{
	return shim_array(NULL, 0, type, 1, true);
}

static void
element_type(Oid type, int *length, bool *by_value)
{
	switch (type)
	{
		case BOOLOID:
			*length = 1;
			break;
		case INT4OID:
		case DATEOID:
			*length = 4;
			break;
		case INT8OID:
		case FLOAT8OID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			*length = 8;
			break;
		case INTERVALOID:
			*length = 16;
			break;
		default:
			*length = -1;
	}
	*by_value = *length > 0 && *length <= 8;
}

SHIM(ArrayType *, construct_array_builtin, (const Datum *values, int count, Oid type))
{
	int			length;
	bool		by_value;

	element_type(type, &length, &by_value);
	return shim_array(values, count, type, length, by_value);
}

/* NULLs are left out: nobody reads the array. */
SHIM(ArrayType *, construct_md_array, (const Datum *values, const bool *nulls, int dimensions,
									   const int *counts, const int *bounds, Oid type,
									   int length, bool by_value, char align))
{
	int			count = dimensions == 0 ? 0 : counts[0];
	Datum	   *some = palloc(sizeof(Datum) * (count + 1));
	int			found = 0;

	for (int i = 0; i < count; i++)
		if (nulls == NULL || !nulls[i])
			some[found++] = values[i];
	return shim_array(some, found, type, length, by_value);
}

SHIM(int, ArrayGetNItems, (int dimensions, const int *counts))
{
	int64		items = dimensions > 0 ? 1 : 0;

	for (int i = 0; i < dimensions; i++)
		items *= counts[i];
	return (int) items;
}

SHIM(void, get_typlenbyvalalign, (Oid type, int16 *length, bool *by_value, char *align))
{
	int			bytes;

	element_type(type, &bytes, by_value);
	*length = bytes;
	*align = 'd';
}

SHIM(void, get_typlenbyval, (Oid type, int16 *length, bool *by_value))
{
	char		align;

	shim_get_typlenbyvalalign(type, length, by_value, &align);
}

SHIM(TypeFuncClass, get_call_result_type, (FunctionCallInfo fcinfo, Oid *type, TupleDesc *desc))
{
	if (desc != NULL)
		*desc = palloc0(sizeof(TupleDescData));
	return TYPEFUNC_COMPOSITE;
}

SHIM(TupleDesc, BlessTupleDesc, (TupleDesc desc))
{
	return desc;
}

/* The columns are not known here, so values are not looked at. */
SHIM(HeapTuple, heap_form_tuple, (TupleDesc desc, const Datum *values, const bool *nulls))
{
	HeapTuple	tuple = palloc0(sizeof(HeapTupleData));

	tuple->t_data = palloc0(sizeof(HeapTupleHeaderData));
	return tuple;
}

SHIM(Datum, HeapTupleHeaderGetDatum, (HeapTupleHeader header))
{
	return PointerGetDatum(header);
}

/* Numbers ---------------------------------------------------------------- */

SHIM(void, float_overflow_error, (void))
{
	ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("overflow")));
}

SHIM(void, float_underflow_error, (void))
{
	ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("underflow")));
}

SHIM(bool, parse_bool, (const char *text, bool *value))
{
	*value = text[0] == 't';
	return text[0] == 't' || text[0] == 'f';
}

/* FNV-1a */
SHIM(uint32, hash_bytes, (const unsigned char *data, int length))
{
	uint32		hash = 2166136261u;

	for (int i = 0; i < length; i++)
		hash = (hash ^ data[i]) * 16777619u;
	return hash;
}

/* Time ------------------------------------------------------------------- */

/*
 * A zone with summer time: in the second half of every so many days the clock is
 * an hour ahead of its winter time, which is two hours west of UTC.
 */
#define HALF_YEAR (INT64CONST(182) * SECS_PER_DAY)

static char zone_mark;
pg_tz	   *session_timezone = (pg_tz *) &zone_mark;

static int64
floor_div(int64 a, int64 b)
{
	return a / b - (a % b < 0 ? 1 : 0);
}

static bool
is_summer(pg_time_t second)
{
	return floor_div(second, HALF_YEAR) % 2 != 0;
}

static long
zone_offset(pg_time_t second)
{
	return (is_summer(second) ? -1 : -2) * SECS_PER_HOUR;
}

SHIM(int, date2j, (int year, int month, int day))
{
	int64		y = (int64) year - (month <= 2);
	int64		m = month <= 2 ? month + 9 : month - 3;

	/* days from the March that began the Gregorian cycle of year 0 */
	return (int) (y * 365 + floor_div(y, 4) - floor_div(y, 100) + floor_div(y, 400) +
				  (153 * m + 2) / 5 + day - 1 + 1721120);
}

SHIM(void, j2date, (int julian, int *year, int *month, int *day))
{
	int64		days = (int64) julian - 1721120;
	int64		cycle = floor_div(days, 146097);
	int64		d = days - cycle * 146097;
	int64		y = (d - d / 1460 + d / 36524 - d / 146096) / 365;
	int64		left = d - (365 * y + y / 4 - y / 100);
	int64		m = (5 * left + 2) / 153;

	*day = (int) (left - (153 * m + 2) / 5 + 1);
	*month = (int) (m < 10 ? m + 3 : m - 9);
	*year = (int) (y + cycle * 400 + (*month <= 2));
}

SHIM(int, j2day, (int julian))
{
	int			day = (julian + 1) % 7;

	return day < 0 ? day + 7 : day;
}

/* The fields that are read: the whole date, and the distance from UTC. */
SHIM(struct pg_tm *, pg_localtime, (const pg_time_t *second, const pg_tz *zone))
{
	static struct pg_tm tm;
	int64		local = *second + zone_offset(*second);
	int64		day = floor_div(local, SECS_PER_DAY);
	int			of_day = (int) (local - day * SECS_PER_DAY);

	memset(&tm, 0, sizeof(tm));
	if (day < PG_INT32_MIN / 2 || day > PG_INT32_MAX / 2)
		return NULL;
	shim_j2date((int) day + UNIX_EPOCH_JDATE, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	tm.tm_wday = shim_j2day((int) day + UNIX_EPOCH_JDATE);
	tm.tm_hour = of_day / SECS_PER_HOUR;
	tm.tm_min = of_day / SECS_PER_MINUTE % MINS_PER_HOUR;
	tm.tm_sec = of_day % SECS_PER_MINUTE;
	tm.tm_gmtoff = zone_offset(*second);
	return &tm;
}

SHIM(int, pg_next_dst_boundary, (const pg_time_t *second, long *before, int *before_is_dst,
								 pg_time_t *boundary, long *after, int *after_is_dst,
								 const pg_tz *zone))
{
	*boundary = (floor_div(*second, HALF_YEAR) + 1) * HALF_YEAR;
	*before = zone_offset(*second);
	*before_is_dst = is_summer(*second);
	*after = zone_offset(*boundary);
	*after_is_dst = is_summer(*boundary);
	return 1;
}
