/*
 * value.c
 *		Values of any type that a column can have: in order, and on the wire.
 *
 * On the wire a value has the binary form of its type where it has one, else its
 * text.  That form does not depend on how a value is stored, nor on what part of
 * a parallel plan it comes from, so it serves to order equal values as well.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/tupdesc.h"
#include "aggregate/value.h"
#include "catalog/pg_type.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

/* Have the type and all that it is made of a binary form? */
static bool
has_binary_form(Oid oid)
{
	HeapTuple	tuple;
	bool		both;
	Oid			part;

	check_stack_depth();
	oid = getBaseType(oid);
	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(oid));
	if (!HeapTupleIsValid(tuple))
		return false;
	both = OidIsValid(((Form_pg_type) GETSTRUCT(tuple))->typsend) &&
		OidIsValid(((Form_pg_type) GETSTRUCT(tuple))->typreceive);
	ReleaseSysCache(tuple);
	if (!both)
		return false;

	if (get_typtype(oid) == TYPTYPE_COMPOSITE)
	{
		TupleDesc	row = lookup_rowtype_tupdesc(oid, -1);

		for (int i = 0; i < row->natts && both; i++)
			both = TupleDescAttr(row, i)->attisdropped ||
				has_binary_form(TupleDescAttr(row, i)->atttypid);
		ReleaseTupleDesc(row);
		return both;
	}

	part = get_element_type(oid);
	if (!OidIsValid(part))
		part = get_range_subtype(oid);
	if (!OidIsValid(part))
		part = get_multirange_range(oid);
	return !OidIsValid(part) || has_binary_form(part);
}

void
value_type(ValueType *type, Oid oid, Oid collation, MemoryContext context)
{
	TypeCacheEntry *entry;
	Oid			function;
	bool		is_varlena;

	if (!OidIsValid(oid) || get_typtype(oid) == TYPTYPE_PSEUDO)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("value must not be of type %s", format_type_be(oid)),
				 errhint("Cast it to a type that a column can have, such as a composite type.")));

	entry = lookup_type_cache(oid, TYPECACHE_CMP_PROC);
	if (OidIsValid(entry->typcollation) && !OidIsValid(collation))
		ereport(ERROR,
				(errcode(ERRCODE_INDETERMINATE_COLLATION),
				 errmsg("could not determine which collation to use for value"),
				 errhint("Use the COLLATE clause to set the collation explicitly.")));

	type->collation = collation;
	type->by_value = entry->typbyval;
	type->length = entry->typlen;
	type->has_order = OidIsValid(entry->cmp_proc);
	if (type->has_order)
		fmgr_info_cxt(entry->cmp_proc, &type->compare, context);
	type->is_binary = has_binary_form(oid);
	if (type->is_binary)
		getTypeBinaryOutputInfo(getBaseType(oid), &function, &is_varlena);
	else
		getTypeOutputInfo(getBaseType(oid), &function, &is_varlena);
	fmgr_info_cxt(function, &type->write, context);
	type->oid = oid;
}

Datum
value_plain(const ValueType *type, Datum value)
{
	return type->length == -1 ? PointerGetDatum(PG_DETOAST_DATUM(value)) : value;
}

/*
 * Binary forms hold text in the encoding of the client.  In a parallel worker that
 * is another one than in its leader, so both take that of the database.
 */
static int
enter_encoding(void)
{
	int			encoding = pg_get_client_encoding();

	if (encoding != GetDatabaseEncoding())
		SetClientEncoding(GetDatabaseEncoding());
	return encoding;
}

static void
leave_encoding(int encoding)
{
	if (encoding != GetDatabaseEncoding())
		SetClientEncoding(encoding);
}

/* The form of a value on the wire, and its length. */
static char *
write_value(ValueType *type, Datum value, int *length)
{
	char	   *volatile form = NULL;
	int			encoding;

	if (!type->is_binary)
	{
		form = OutputFunctionCall(&type->write, value);
		*length = strlen(form);
		return form;
	}

	encoding = enter_encoding();
	PG_TRY();
	{
		bytea	   *bytes = SendFunctionCall(&type->write, value);

		form = VARDATA(bytes);
		*length = VARSIZE(bytes) - VARHDRSZ;
	}
	PG_FINALLY();
	{
		leave_encoding(encoding);
	}
	PG_END_TRY();
	return form;
}

int
value_compare(ValueType *type, Datum a, Datum b)
{
	const char *forms[2];
	int			lengths[2];
	int			result;

	if (type->has_order)
	{
		result = DatumGetInt32(FunctionCall2Coll(&type->compare, type->collation, a, b));
		if (result != 0)
			return result;
	}
	if (datum_image_eq(a, b, type->by_value, type->length))
		return 0;

	forms[0] = write_value(type, a, &lengths[0]);
	forms[1] = write_value(type, b, &lengths[1]);
	result = memcmp(forms[0], forms[1], Min(lengths[0], lengths[1]));
	return result != 0 ? result : lengths[0] - lengths[1];
}

void
value_send(ValueType *type, Datum value, StringInfo wire)
{
	int			length;
	char	   *form = write_value(type, value, &length);

	pq_sendint32(wire, type->oid);
	pq_sendint32(wire, length);
	pq_sendbytes(wire, form, length);
}

/* Reads a value from its form, which is in memory of its own. */
static Datum
read_value(Oid oid, bool is_binary, StringInfo form)
{
	volatile Datum value = (Datum) 0;
	Oid			function;
	Oid			parameter;
	int			encoding;

	oid = getBaseType(oid);
	if (!is_binary)
	{
		getTypeInputInfo(oid, &function, &parameter);
		return OidInputFunctionCall(function, form->data, parameter, -1);
	}

	getTypeBinaryInputInfo(oid, &function, &parameter);
	encoding = enter_encoding();
	PG_TRY();
	{
		value = OidReceiveFunctionCall(function, form, parameter, -1);
	}
	PG_FINALLY();
	{
		leave_encoding(encoding);
	}
	PG_END_TRY();
	return value;
}

bool
value_receive(StringInfo wire, Oid *oid, Datum *value)
{
	StringInfoData form;
	bool		is_binary;
	int			length;
	char		kind;

	*oid = pq_getmsgint(wire, 4);
	length = (int) pq_getmsgint(wire, 4);
	kind = get_typtype(*oid);
	if (length < 0 || length > wire->len - wire->cursor ||
		kind == '\0' || kind == TYPTYPE_PSEUDO)
		return false;

	/* Receive functions write to their message, and want it to end in a zero. */
	initStringInfo(&form);
	appendBinaryStringInfo(&form, pq_getmsgbytes(wire, length), length);
	is_binary = has_binary_form(*oid);
	if (!is_binary && strlen(form.data) != length)
		return false;
	*value = read_value(*oid, is_binary, &form);
	if (get_typlen(getBaseType(*oid)) == -1)
		*value = PointerGetDatum(PG_DETOAST_DATUM(*value));
	return !is_binary || form.cursor == form.len;
}
