/*
 * values.c
 *		Types and their values, without a server: only what the aggregates have
 *		needed so far.
 */
#include "shim.h"

#include <stdlib.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "funcapi.h"
#include "libpq/pqformat.h"
#include "pgtime.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

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

const char *shim_result_type = "";

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

/* The row as text, instead of a tuple. */
SHIM(HeapTuple, heap_form_tuple, (TupleDesc desc, const Datum *values, const bool *nulls))
{
	HeapTuple	tuple = palloc0(sizeof(HeapTupleData));
	const char *type = shim_result_type + 1;
	StringInfoData row;

	if (shim_result_type[0] != '(')
		shim_fail("a row is made for %s", shim_result_type);
	initStringInfo(&row);
	for (int i = 0; *type != '\0'; i++)
	{
		char		column[64] = {0};
		size_t		length = strcspn(type, ",)");

		memcpy(column, type, Min(length, sizeof(column) - 1));
		appendStringInfoString(&row, i == 0 ? "" : " ");
		appendStringInfoString(&row, shim_show(nulls[i] ? (Datum) 0 : values[i], nulls[i], column));
		type += length + 1;
	}
	tuple->t_data = (HeapTupleHeader) row.data;
	return tuple;
}

static Datum
array_element(const char *at, int length, bool by_value)
{
	Datum		value = 0;

	if (by_value)
	{
		memcpy(&value, at, length); /* little-endian */
		return value;
	}
	return PointerGetDatum(at);
}

static char *
show_array(ArrayType *array)
{
	const char *at = ARR_DATA_PTR(array);
	StringInfoData shown;
	int			length;
	bool		by_value;

	initStringInfo(&shown);
	element_type(array->elemtype, &length, &by_value);
	for (int i = 0; array->ndim > 0 && i < ARR_DIMS(array)[0]; i++)
	{
		const char *type = array->elemtype == TEXTOID ? "text" : "int8";

		appendStringInfoString(&shown, i == 0 ? "" : ",");
		appendStringInfoString(&shown, shim_show(array_element(at, length, by_value), false, type));
		at += length > 0 ? length : MAXALIGN(VARSIZE_ANY(at));
	}
	return shown.data;
}

char *
shim_show(Datum value, bool is_null, const char *type)
{
	size_t		length;

	if (is_null)
		return pstrdup("NULL");
	if (type[0] == '(')
		return pstrdup(DatumGetPointer(value));
	if (strcmp(type, "anyelement") == 0)
		type = shim_value_type == INT8OID ? "int8" : "text";
	length = strlen(type);
	if (length > 2 && strcmp(type + length - 2, "[]") == 0)
		return show_array((ArrayType *) DatumGetPointer(value));
	if (strcmp(type, "text") == 0)
		return text_to_cstring((text *) DatumGetPointer(value));
	if (strcmp(type, "float8") == 0)
		return psprintf("~%.17g", DatumGetFloat8(value));
	if (strcmp(type, "interval") == 0)
		return psprintf("%d/%d/%lld", DatumGetIntervalP(value)->month,
						DatumGetIntervalP(value)->day,
						(long long) DatumGetIntervalP(value)->time);
	if (strcmp(type, "boolean") == 0)
		return pstrdup(DatumGetBool(value) ? "true" : "false");
	if (strcmp(type, "int4") == 0 || strcmp(type, "date") == 0)
		return psprintf("%d", DatumGetInt32(value));
	if (strcmp(type, "int8") == 0 || strcmp(type, "timestamptz") == 0)
		return psprintf("%lld", (long long) DatumGetInt64(value));
	shim_fail("values.c can't show a value of type %s yet", type);
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

SHIM(unsigned char, pg_tolower, (unsigned char c))
{
	return c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c;
}

SHIM(int, pg_strncasecmp, (const char *a, const char *b, size_t length))
{
	for (; length > 0; a++, b++, length--)
	{
		int			difference = shim_pg_tolower(*a) - shim_pg_tolower(*b);

		if (difference != 0 || *a == '\0')
			return difference;
	}
	return 0;
}

/* One byte, one character. */
SHIM(int, pg_mbstrlen_with_len, (const char *text, int length))
{
	return (int) strnlen(text, length);
}

SHIM(bool, pg_verify_mbstr, (int encoding, const char *text, int length, bool no_error))
{
	return memchr(text, 0, length) == NULL;
}

SHIM(int, GetDatabaseEncoding, (void))
{
	return 6;					/* UTF8 */
}

SHIM(int, pg_get_client_encoding, (void))
{
	return 6;
}

SHIM(char *, format_type_be, (Oid type))
{
	return pstrdup("a type");
}

/* FNV-1a */
SHIM(uint32, hash_bytes, (const unsigned char *data, int length))
{
	uint32		hash = 2166136261u;

	for (int i = 0; i < length; i++)
		hash = (hash ^ data[i]) * 16777619u;
	return hash;
}

/* Types of values: text and bigint --------------------------------------- */

#define COMPARE_TEXT 1
#define COMPARE_BIGINT 2
#define SEND 3

SHIM(char, get_typtype, (Oid type))
{
	return type == TEXTOID || type == INT8OID ? TYPTYPE_BASE : '\0';
}

SHIM(Oid, getBaseType, (Oid type))
{
	return type;
}

SHIM(Oid, get_element_type, (Oid type))
{
	return InvalidOid;
}

SHIM(Oid, get_range_subtype, (Oid type))
{
	return InvalidOid;
}

SHIM(Oid, get_multirange_range, (Oid type))
{
	return InvalidOid;
}

SHIM(int16, get_typlen, (Oid type))
{
	return type == INT8OID ? 8 : -1;
}

SHIM(HeapTuple, SearchSysCache1, (int cache, Datum key))
{
	HeapTuple	tuple = palloc0(sizeof(HeapTupleData));
	Form_pg_type type;

	tuple->t_data = palloc0(MAXALIGN(SizeofHeapTupleHeader) + sizeof(FormData_pg_type));
	tuple->t_data->t_hoff = MAXALIGN(SizeofHeapTupleHeader);
	type = (Form_pg_type) GETSTRUCT(tuple);
	type->typsend = type->typreceive = SEND;
	return tuple;
}

SHIM(void, ReleaseSysCache, (HeapTuple tuple))
{
}

SHIM(TypeCacheEntry *, lookup_type_cache, (Oid type, int flags))
{
	static TypeCacheEntry entry;

	memset(&entry, 0, sizeof(entry));
	entry.type_id = type;
	entry.typlen = shim_get_typlen(type);
	entry.typbyval = type == INT8OID;
	entry.cmp_proc = type == INT8OID ? COMPARE_BIGINT : COMPARE_TEXT;
	return &entry;
}

SHIM(void, fmgr_info_cxt, (Oid function, FmgrInfo *flinfo, MemoryContext context))
{
	memset(flinfo, 0, sizeof(*flinfo));
	flinfo->fn_oid = function;
	flinfo->fn_mcxt = context;
}

SHIM(Datum, FunctionCall2Coll, (FmgrInfo *flinfo, Oid collation, Datum a, Datum b))
{
	struct varlena *x = (struct varlena *) DatumGetPointer(a);
	struct varlena *y = (struct varlena *) DatumGetPointer(b);
	int			order;

	if (flinfo->fn_oid == COMPARE_BIGINT)
		return Int32GetDatum((DatumGetInt64(a) > DatumGetInt64(b)) -
							 (DatumGetInt64(a) < DatumGetInt64(b)));
	/* in a collation that does not tell 'a' from 'b' */
	order = (VARSIZE_ANY_EXHDR(x) > VARSIZE_ANY_EXHDR(y)) -
		(VARSIZE_ANY_EXHDR(x) < VARSIZE_ANY_EXHDR(y));
	for (Size i = 0; order == 0 && i < VARSIZE_ANY_EXHDR(x); i++)
		order = Max(VARDATA_ANY(x)[i], 'b') - Max(VARDATA_ANY(y)[i], 'b');
	return Int32GetDatum(order);
}

SHIM(void, getTypeBinaryOutputInfo, (Oid type, Oid *function, bool *is_varlena))
{
	*function = type;
	*is_varlena = type == TEXTOID;
}

SHIM(void, getTypeBinaryInputInfo, (Oid type, Oid *function, Oid *parameter))
{
	*function = type;
	*parameter = type;
}

SHIM(void, getTypeInputInfo, (Oid type, Oid *function, Oid *parameter))
{
	*function = type;
	*parameter = type;
}

SHIM(bytea *, SendFunctionCall, (FmgrInfo *flinfo, Datum value))
{
	StringInfoData wire;

	pq_begintypsend(&wire);
	if (flinfo->fn_oid == INT8OID)
		pq_sendint64(&wire, DatumGetInt64(value));
	else
		pq_sendbytes(&wire, VARDATA_ANY(DatumGetPointer(value)),
					 VARSIZE_ANY_EXHDR(DatumGetPointer(value)));
	return pq_endtypsend(&wire);
}

SHIM(Datum, OidReceiveFunctionCall, (Oid function, StringInfo wire, Oid parameter, int32 typmod))
{
	int			length = wire->len - wire->cursor;

	if (function == INT8OID)
		return Int64GetDatum(pq_getmsgint64(wire));
	return PointerGetDatum(shim_varlena(pq_getmsgbytes(wire, length), length,
										CurrentMemoryContext));
}

SHIM(Datum, OidInputFunctionCall, (Oid function, char *value, Oid parameter, int32 typmod))
{
	if (function == INT8OID)
		return Int64GetDatum(strtoll(value, NULL, 10));
	return PointerGetDatum(cstring_to_text(value));
}

SHIM(Size, datumGetSize, (Datum value, bool by_value, int length))
{
	return length > 0 ? (Size) length : VARSIZE_ANY(DatumGetPointer(value));
}

SHIM(Datum, datumCopy, (Datum value, bool by_value, int length))
{
	if (by_value)
		return value;
	return PointerGetDatum(shim_varlena(VARDATA_ANY(DatumGetPointer(value)),
										VARSIZE_ANY_EXHDR(DatumGetPointer(value)),
										CurrentMemoryContext));
}

SHIM(bool, datum_image_eq, (Datum a, Datum b, bool by_value, int length))
{
	struct varlena *x = (struct varlena *) DatumGetPointer(a);
	struct varlena *y = (struct varlena *) DatumGetPointer(b);

	if (by_value)
		return a == b;
	return VARSIZE_ANY_EXHDR(x) == VARSIZE_ANY_EXHDR(y) &&
		memcmp(VARDATA_ANY(x), VARDATA_ANY(y), VARSIZE_ANY_EXHDR(x)) == 0;
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

const int	day_tab[2][13] = {
	{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0},
	{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0}
};

#define EPOCHS_APART ((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY)

SHIM(int, timestamp2tm, (Timestamp at, int *zone, struct pg_tm *tm, fsec_t *fraction,
						 const char **name, pg_tz *of))
{
	pg_time_t	second = floor_div(at, USECS_PER_SEC) + EPOCHS_APART;
	pg_time_t	shown = zone == NULL ? second - zone_offset(second) : second;

	*fraction = (fsec_t) (at - floor_div(at, USECS_PER_SEC) * USECS_PER_SEC);
	*tm = *shim_pg_localtime(&shown, NULL);
	tm->tm_year += 1900;
	tm->tm_mon += 1;
	if (zone != NULL)
		*zone = (int) -tm->tm_gmtoff;
	return 0;
}

SHIM(int, DetermineTimeZoneOffset, (struct pg_tm *tm, pg_tz *zone))
{
	pg_time_t	local = ((int64) shim_date2j(tm->tm_year, tm->tm_mon, tm->tm_mday) -
						 UNIX_EPOCH_JDATE) * SECS_PER_DAY +
		tm->tm_hour * SECS_PER_HOUR + tm->tm_min * SECS_PER_MINUTE + tm->tm_sec;

	return (int) -zone_offset(local + 2 * SECS_PER_HOUR);
}

SHIM(int, tm2timestamp, (struct pg_tm *tm, fsec_t fraction, int *zone, Timestamp *at))
{
	int64		day = (int64) shim_date2j(tm->tm_year, tm->tm_mon, tm->tm_mday) -
		POSTGRES_EPOCH_JDATE;
	int64		second = day * SECS_PER_DAY + tm->tm_hour * SECS_PER_HOUR +
		tm->tm_min * SECS_PER_MINUTE + tm->tm_sec + (zone == NULL ? 0 : *zone);

	if (second < MIN_TIMESTAMP / USECS_PER_SEC || second >= END_TIMESTAMP / USECS_PER_SEC)
		return -1;
	*at = second * USECS_PER_SEC + fraction;
	return 0;
}

/* Any text is an interval of as many minutes as it has bytes. */
SHIM(int, ParseDateTime, (const char *text, char *work, size_t room, char **field, int *type,
						  int most, int *count))
{
	*count = 1;
	type[0] = (int) strlen(text);
	return 0;
}

SHIM(int, DecodeInterval, (char **field, int *type, int count, int range, int *kind,
						   struct pg_itm_in *interval))
{
	*kind = DTK_DELTA;
	interval->tm_usec = type[0] * USECS_PER_MINUTE;
	return 0;
}

SHIM(int, itmin2interval, (struct pg_itm_in *from, Interval *interval))
{
	memset(interval, 0, sizeof(*interval));
	interval->time = from->tm_usec;
	return 0;
}

/* Months of 30 days of 24 hours: enough for what is not the calendar's. */
SHIM(Datum, timestamptz_mi_interval, (FunctionCallInfo fcinfo))
{
	const Interval *interval = PG_GETARG_INTERVAL_P(1);
	int64		days = (int64) interval->month * DAYS_PER_MONTH + interval->day;
	int64		shift;
	Timestamp	at;

	if (pg_mul_s64_overflow(days, USECS_PER_DAY, &shift) ||
		pg_add_s64_overflow(shift, interval->time, &shift) ||
		pg_sub_s64_overflow(PG_GETARG_TIMESTAMPTZ(0), shift, &at) || !IS_VALID_TIMESTAMP(at))
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
						errmsg("timestamp out of range")));
	PG_RETURN_TIMESTAMPTZ(at);
}
