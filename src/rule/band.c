/*
 * band.c
 *		The rank of a score among cut points, as SQL; what reads a column.
 *
 * A cut point is the highest score of a band, so the band follows from how
 * many of them lie below the score.  width_bucket counts those that are not
 * above it; those that are equal to it are taken off.
 */
#include "postgres.h"

#include "access/tupmacs.h"
#include "nodes/value.h"
#include "rule/rule.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

Oid
rule_band_type(const SegmentTable *table, const char *score, const char *what)
{
	Column	   *column = catalog_find_column(table, score);
	TypeCacheEntry *entry;
	Oid			type;
	bool		padded;

	if (column == NULL || (column->kind != COLUMN_SCORE && column->kind != COLUMN_ATTRIBUTE))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("segment table %s has no score \"%s\"",
						catalog_qualified_name(table->relid), score),
				 errhint("See the view segment.scores; the name of an attribute will do, too.")));
	type = getBaseType(column->type);
	entry = lookup_type_cache(type, TYPECACHE_LT_OPR | TYPECACHE_EQ_OPR | TYPECACHE_CMP_PROC);

	/* width_bucket takes no account of padding: of timetz and macaddr, it reads what are no elements */
	padded = entry->typlen > 0 && att_align_nominal(entry->typlen, entry->typalign) != entry->typlen;
	if (!OidIsValid(entry->lt_opr) || !OidIsValid(entry->eq_opr) ||
		!OidIsValid(entry->cmp_proc) || !OidIsValid(get_array_type(type)) || padded)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("%s can not rank values of type %s", what, format_type_be(column->type)),
				 errhint("Give a score whose values have an order, such as a number or a time.")));
	return type;
}

char *
rule_band_expression(const char *score, Oid type, const char *cuts, int bands, bool descending)
{
	const char *name = quote_identifier(score);
	const char *type_name = catalog_type_name(type);
	char	   *points = psprintf("(%s)::%s[]", cuts == NULL ? "NULL" : quote_literal_cstr(cuts), type_name);
	char	   *below = psprintf("width_bucket((%s)::%s, %s) - cardinality(array_positions(%s, (%s)::%s))",
								 name, type_name, points, points, name, type_name);

	return descending ? psprintf("(%d - (%s))", bands, below) : psprintf("(1 + (%s))", below);
}

List *
rule_readers(const SegmentTable *table, const char *name)
{
	List	   *result = list_make1(makeString(pstrdup(name)));
	int			before;
	ListCell   *lc,
			   *lc2;

	do
	{
		before = list_length(result);
		foreach(lc, table->columns)
		{
			Column	   *column = lfirst(lc);

			foreach(lc2, column->over == OVER_ROW ? column->depends : NIL)
			{
				if (list_member(result, makeString(lfirst(lc2))) &&
					!list_member(result, makeString(column->name)))
					result = lappend(result, makeString(column->name));
			}
		}
	} while (list_length(result) > before);
	return result;
}
