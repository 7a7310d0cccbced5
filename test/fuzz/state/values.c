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
#include "utils/array.h"
#include "utils/builtins.h"
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
SHIM(uint64, hash_bytes_extended, (const unsigned char *data, int length, uint64 seed))
{
	uint64		hash = seed ^ UINT64CONST(14695981039346656037);

	for (int i = 0; i < length; i++)
		hash = (hash ^ data[i]) * UINT64CONST(1099511628211);
	return hash;
}

/* Not random at all, so that what failed fails again. */
SHIM(bool, pg_strong_random, (void *buffer, size_t length))
{
	memset(buffer, 0x5a, length);
	return true;
}
