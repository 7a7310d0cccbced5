/*
 * differs.c
 *		When a stored value is wrong: the SQL by which verify compares.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "refresh/internal.h"
#include "utils/builtins.h"
#include "utils/typcache.h"

/* Floats may differ by so much: the order of a sum is not fixed. */
#define FLOAT_TOLERANCE "1e-9"

/* Does PostgreSQL itself have the type's equality? */
static bool
equality_is_built_in(Oid type)
{
	Oid			operator = lookup_type_cache(type, TYPECACHE_EQ_OPR)->eq_opr;

	return OidIsValid(operator) &&
		strncmp(catalog_equality(type), "OPERATOR(pg_catalog.", strlen("OPERATOR(pg_catalog.")) == 0;
}

static bool
is_float(const Column *column)
{
	return column->type == FLOAT8OID || column->type == FLOAT4OID;
}

/* A condition that holds if a column's stored value and another one differ. */
static char *
differs_from(const Column *column, const char *other)
{
	char	   *stored = psprintf("o.%s", quote_identifier(column->name));

	if (is_float(column))
		return psprintf("(%s IS DISTINCT FROM %s AND NOT coalesce(abs(%s - %s) < 'Infinity'"
						" AND abs(%s - %s) <= %s * greatest(abs(%s), abs(%s), 1), false))",
						stored, other, stored, other, stored, other,
						column->type == FLOAT8OID ? FLOAT_TOLERANCE : "1e-5", stored, other);
	/* by name only where the name is found */
	if (equality_is_built_in(column->type))
		return psprintf("(%s IS DISTINCT FROM %s)", stored, other);
	return psprintf("(ROW(%s)::record OPERATOR(pg_catalog.*<>) ROW(%s)::record)", stored, other);
}

static char *
differs_from_expected(const Column *column)
{
	return differs_from(column, psprintf("n.%s", quote_identifier(column->name)));
}

/* A condition that holds if a column does not follow from the stored values that it reads. */
static char *
differs_from_row(const Column *column)
{
	return differs_from(column, psprintf("(SELECT %s(%s%s) FROM (SELECT o.*) __segment_o)",
										 catalog_is_condition(column) ? "COALESCE" : "",
										 column->expression,
										 catalog_is_condition(column) ? ", false" : ""));
}

/* A column, and all that it reads, directly or by way of others. */
static List *
with_what_it_reads(const SegmentTable *table, Column *column)
{
	List	   *result = list_make1(column);
	ListCell   *lc;

	/* grows while it is gone through */
	for (int i = 0; i < list_length(result); i++)
	{
		Column	   *reader = list_nth(result, i);

		foreach(lc, reader->over == OVER_ROW ? reader->depends : NIL)
		{
			Column	   *read = catalog_find_column(table, lfirst(lc));

			if (read != NULL)
				result = list_append_unique_ptr(result, read);
		}
	}
	return result;
}

/*
 * A cut point is the score of some customer: a float that differs by no more
 * than is tolerated may lie on the other side of it.  So what reads a float may
 * also be as it follows from the stored values, if these are right.
 */
char *
verify_differs(const SegmentTable *table, Column *column)
{
	char	   *differ = differs_from_expected(column);
	StringInfoData base;
	StringInfoData row;
	bool		reads_float = false;
	ListCell   *lc;

	if (column->over != OVER_ROW)
		return differ;
	initStringInfo(&base);
	initStringInfo(&row);
	foreach(lc, with_what_it_reads(table, column))
	{
		Column	   *read = lfirst(lc);

		if (read->over == OVER_ROW)
			appendStringInfo(&row, " OR %s", differs_from_row(read));
		else
		{
			appendStringInfo(&base, " OR %s", differs_from_expected(read));
			reads_float |= is_float(read);
		}
	}
	if (!reads_float)
		return differ;
	return psprintf("CASE WHEN NOT %s THEN false WHEN false%s THEN true ELSE false%s END",
					differ, base.data, row.data);
}
