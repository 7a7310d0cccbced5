/*
 * types.c
 *		Types that a value can have, without a catalog: text and bigint.
 */
#include "shim.h"

#include <stdlib.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

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

SHIM(Oid, get_base_element_type, (Oid type))
{
	return type == BOOLARRAYOID ? BOOLOID : InvalidOid;
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
	entry.typlen = get_typlen(type);
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
