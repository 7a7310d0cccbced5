/*
 * names.c
 *		Names of objects, quoted and qualified, and names that users give.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/definition.h"
#include "catalog/pg_operator.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

char *
catalog_qualified_name(Oid relid)
{
	char	   *name = get_rel_name(relid);

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid),
				 errhint("It may have been dropped while a segment table still depended on it.")));
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), name);
}

char *
catalog_type_name(Oid type)
{
	/* a type modifier of -1 said to be given: else char would mean char(1) */
	return format_type_extended(type, -1, FORMAT_TYPE_FORCE_QUALIFY | FORMAT_TYPE_TYPEMOD_GIVEN);
}

char *
catalog_equality(Oid type)
{
	Oid			operator = lookup_type_cache(type, TYPECACHE_EQ_OPR)->eq_opr;
	HeapTuple	tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(operator));
	Form_pg_operator form;
	char	   *result;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("type %s has no equality operator", format_type_be(type))));
	form = (Form_pg_operator) GETSTRUCT(tuple);
	result = psprintf("OPERATOR(%s.%s)",
					  quote_identifier(get_namespace_name(form->oprnamespace)),
					  NameStr(form->oprname));
	ReleaseSysCache(tuple);
	return result;
}

char *
catalog_changes_insert(const SegmentTable *table, const char *rows)
{
	const char *key = quote_identifier(table->key_name);

	/* who goes from one label to another leaves the one before the other is entered */
	return psprintf("INSERT INTO %s (%s, segment, label, entered, at)"
					" SELECT %s, segment, label, entered, $1 FROM (%s) __segment_m ORDER BY entered",
					catalog_qualified_name(table->changes), key, key, rows);
}

void
catalog_check_name(const char *name, const char *what)
{
	if (name == NULL || *name == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("a %s must have a name", what)));
	if (strlen(name) >= NAMEDATALEN)
		ereport(ERROR,
				(errcode(ERRCODE_NAME_TOO_LONG),
				 errmsg("%s name \"%s\" is too long", what, name),
				 errhint("Names may be up to %d bytes long.", NAMEDATALEN - 1)));
	if (strncmp(name, RESERVED_PREFIX, strlen(RESERVED_PREFIX)) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_RESERVED_NAME),
				 errmsg("%s name \"%s\" is reserved", what, name),
				 errhint("Names beginning with \"%s\" are kept for the extension.", RESERVED_PREFIX)));
}
