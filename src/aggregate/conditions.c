/*
 * conditions.c
 *		The conditions at the end of an aggregate's arguments.
 */
#include "postgres.h"

#include "aggregate/conditions.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

static void
check_count(int count, const char *what)
{
	if (count < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there must be at least one %s", what),
				 errhint("Give boolean expressions as the last arguments.")));
	if (count > CONDITIONS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_TOO_MANY_ARGUMENTS),
				 errmsg("there must be at most %d %ss", CONDITIONS_MAX, what)));
}

/* A literal without a type, such as 't' or NULL, is read as a boolean. */
static void
read_untyped(FunctionCallInfo fcinfo, int argument, const char *what, uint64 bit,
			 Conditions *call)
{
	bool		value = false;

	if (!PG_ARGISNULL(argument) &&
		!parse_bool(DatumGetCString(PG_GETARG_DATUM(argument)), &value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type %s: \"%s\"", "boolean",
						DatumGetCString(PG_GETARG_DATUM(argument))),
				 errhint("Each %s must be a boolean expression.", what)));
	call->untyped |= bit;
	if (value)
		call->untyped_true |= bit;
}

/* Is it boolean, or a domain over it? */
static bool
is_boolean(Oid type)
{
	return OidIsValid(type) && getBaseType(type) == BOOLOID;
}

/* Looks at the types, which are the same in all rows. */
static void
check_types(FunctionCallInfo fcinfo, int first, const char *what, Conditions *call)
{
	/* A window function is not told of the word VARIADIC. */
	call->is_array = get_fn_expr_variadic(fcinfo->flinfo) ||
		(PG_NARGS() == first + 1 &&
		 is_boolean(get_base_element_type(get_fn_expr_argtype(fcinfo->flinfo, first))));
	if (call->is_array)
	{
		Oid			type = get_fn_expr_argtype(fcinfo->flinfo, first);

		if (!is_boolean(get_base_element_type(type)))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("%ss must be of type boolean[], not %s", what, format_type_be(type))));
		call->checked = true;
		return;
	}

	call->count = PG_NARGS() - first;
	check_count(call->count, what);
	for (int i = 0; i < call->count; i++)
	{
		Oid			type = get_fn_expr_argtype(fcinfo->flinfo, first + i);

		if (type == UNKNOWNOID)
			read_untyped(fcinfo, first + i, what, UINT64CONST(1) << i, call);
		else if (!is_boolean(type))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("%s %d must be of type boolean, not %s", what, i + 1,
							format_type_be(type)),
					 errhint("Each %s must be a boolean expression.", what)));
	}
	call->checked = true;
}

/* Reads the elements of an array of whatever dimensions, as unnest() does. */
static uint64
read_array(ArrayType *array, const char *what, int *count)
{
	const char *value = ARR_DATA_PTR(array);
	bits8	   *nulls = ARR_NULLBITMAP(array);
	uint64		marks = 0;

	*count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	check_count(*count, what);
	for (int i = 0; i < *count; i++)
	{
		if (nulls != NULL && (nulls[i / 8] & (1 << (i % 8))) == 0)
			continue;
		if (*value++ != 0)
			marks |= UINT64CONST(1) << i;
	}
	return marks;
}

bool
conditions_read(FunctionCallInfo fcinfo, int first, const char *what,
				Conditions *call, uint64 *marks)
{
	if (!call->checked)
		check_types(fcinfo, first, what, call);

	if (call->is_array)
	{
		if (PG_ARGISNULL(first))
			return false;
		*marks = read_array(PG_GETARG_ARRAYTYPE_P(first), what, &call->count);
		return true;
	}

	*marks = 0;
	for (int i = 0; i < call->count; i++)
	{
		NullableDatum *argument = &fcinfo->args[first + i];

		if (!argument->isnull && DatumGetBool(argument->value))
			*marks |= UINT64CONST(1) << i;
	}
	*marks = (*marks & ~call->untyped) | call->untyped_true;
	return true;
}

void
conditions_vary(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the number of %ss must be the same in all rows of an aggregate", what),
			 errhint("Give arrays of one length.")));
}
