/*
 * pitfalls.c
 *		Expressions that PostgreSQL takes but that would not mean what they say.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "rule/rule.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* Does a literal hold a word that date/time input replaces by the clock? */
static bool
names_the_clock(const char *literal)
{
	static const char *const words[] = {"now", "today", "tomorrow", "yesterday"};

	while (*literal != '\0')
	{
		size_t		length = 0;

		while (isalpha((unsigned char) literal[length]))
			length++;
		for (int i = 0; i < lengthof(words); i++)
		{
			if (length == strlen(words[i]) && pg_strncasecmp(literal, words[i], length) == 0)
				return true;
		}
		literal += length > 0 ? length : 1;
	}
	return false;
}

static bool
clock_literals_walker(Node *node, void *context)
{
	List	  **locations = context;

	if (node == NULL)
		return false;
	if (IsA(node, A_Const))
	{
		A_Const    *constant = (A_Const *) node;

		if (!constant->isnull && IsA(&constant->val, String) &&
			names_the_clock(strVal(&constant->val)))
			*locations = lappend_int(*locations, constant->location);
		return false;
	}
	return raw_expression_tree_walker(node, clock_literals_walker, locations);
}

List *
rule_clock_literals(Node *raw)
{
	List	   *locations = NIL;

	clock_literals_walker(raw, &locations);
	return locations;
}

/* A date/time type, or an array or range of one? */
static bool
is_about_time(Oid type)
{
	char		category;
	bool		preferred;
	Oid			element = get_element_type(type);

	if (!OidIsValid(element))
		element = get_range_subtype(type);
	if (!OidIsValid(element) && OidIsValid(get_multirange_range(type)))
		element = get_range_subtype(get_multirange_range(type));
	get_type_category_preferred(getBaseType(OidIsValid(element) ? element : type),
								&category, &preferred);
	return category == TYPCATEGORY_DATETIME;
}

/* Text that is the same for every row, turned into a time when it is evaluated? */
static bool
is_constant_text_as_time(Node *node)
{
	return IsA(node, CoerceViaIO) && is_about_time(((CoerceViaIO *) node)->resulttype) &&
		!contain_var_clause((Node *) ((CoerceViaIO *) node)->arg) &&
		!rule_is_moving((Node *) ((CoerceViaIO *) node)->arg, NULL);
}

static bool
refuse_walker(Node *node, void *context)
{
	List	   *locations = context;

	if (node == NULL)
		return false;
	if (is_constant_text_as_time(node))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
				 errmsg("constant text is not allowed as a time here"),
				 errdetail("It might name the clock, as 'today' does, which would go unnoticed."),
				 errhint("Write a literal, such as timestamptz '2026-01-31', or use now().")));
	if (IsA(node, Const) && is_about_time(((Const *) node)->consttype) &&
		list_member_int(locations, ((Const *) node)->location))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
				 errmsg("a literal such as 'now' or 'today' is not allowed here"),
				 errdetail("It would stand for the time of the definition for ever."),
				 errhint("Use now() or current_date.")));
	return expression_tree_walker(node, refuse_walker, locations);
}

void
rule_refuse_clock_literals(Node *node, List *locations)
{
	refuse_walker(node, locations);
}

static bool
is_temporary_function(Oid funcid, void *context)
{
	return isAnyTempNamespace(get_func_namespace(funcid));
}

static bool
temporary_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (check_functions_in_node(node, is_temporary_function, NULL))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
				 errmsg("a temporary function is not allowed here"),
				 errdetail("It would be gone with the session.")));
	return expression_tree_walker(node, temporary_walker, context);
}

void
rule_refuse_temporary(Node *node)
{
	temporary_walker(node, NULL);
}

/* The schema of a type that is an extension's or the user's own, no domain; else InvalidOid. */
static Oid
foreign_type_schema(Oid type)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	Oid			schema = InvalidOid;

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	if (((Form_pg_type) GETSTRUCT(tuple))->typtype == TYPTYPE_BASE)
		schema = ((Form_pg_type) GETSTRUCT(tuple))->typnamespace;
	ReleaseSysCache(tuple);
	return schema == PG_CATALOG_NAMESPACE ? InvalidOid : schema;
}

static bool
warn_walker(Node *node, void *context)
{
	const char *what = context;

	if (node == NULL)
		return false;
	if (IsA(node, RelabelType))
	{
		RelabelType *relabel = (RelabelType *) node;
		Oid			type = exprType((Node *) relabel->arg);
		Oid			schema = foreign_type_schema(type);

		if (relabel->relabelformat == COERCE_IMPLICIT_CAST && OidIsValid(schema))
			ereport(WARNING,
					(errmsg("%s treats a value of type %s as %s", what, format_type_be(type),
							format_type_be(relabel->resulttype)),
					 errdetail("Operators that are not schema-qualified are PostgreSQL's own."),
					 errhint("For the operator of the type's extension write, for example, OPERATOR(%s.=).",
							 quote_identifier(get_namespace_name(schema)))));
	}
	return expression_tree_walker(node, warn_walker, context);
}

void
rule_warn_of_casts(Node *node, const char *what)
{
	warn_walker(node, unconstify(char *, what));
}
