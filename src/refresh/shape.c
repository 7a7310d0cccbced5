/*
 * shape.c
 *		Is the relation still what the definition says?
 *
 * The event trigger segment_on_ddl_start keeps columns from being renamed, but
 * it does not fire everywhere.
 */
#include "postgres.h"

#include "refresh/internal.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

static void
check_column(const SegmentTable *table, const char *name, Oid type)
{
	AttrNumber	attno = get_attnum(table->relid, name);

	if (attno == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("segment table %s has no column \"%s\" any more",
						catalog_qualified_name(table->relid), name),
				 errdetail("Its definition says that it has one: somebody renamed or dropped it."),
				 errhint("ALTER TABLE %s RENAME COLUMN ... TO %s, or, if it is gone, ADD COLUMN %s %s; then drop it by the functions of segment.",
						 catalog_qualified_name(table->relid), quote_identifier(name),
						 quote_identifier(name), catalog_type_name(type))));
	if (get_atttype(table->relid, attno) != type)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("column \"%s\" of segment table %s is of another type than its definition says",
						name, catalog_qualified_name(table->relid)),
				 errhint("ALTER TABLE %s ALTER COLUMN %s TYPE %s.",
						 catalog_qualified_name(table->relid), quote_identifier(name),
						 catalog_type_name(type))));
}

/* The table of an attribute may have been dropped by ways that nobody could refuse. */
static void
check_attribute(const SegmentTable *table, const Column *column)
{
	ListCell   *lc,
			   *lc2;

	foreach(lc, table->sources)
	{
		const Source *source = lfirst(lc);

		foreach(lc2, source->kind == SOURCE_ATTRIBUTES ? source->extra : NIL)
		{
			if (strcmp(((NamedExpr *) lfirst(lc2))->name, column->name) == 0)
				return;
		}
	}
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("attribute \"%s\" of segment table %s has no table any more", column->name,
					catalog_qualified_name(table->relid)),
			 errhint("SELECT * FROM segment.apply_definition(segment.definition(%s)) drops it; what reads it has to go first.",
					 quote_literal_cstr(catalog_qualified_name(table->relid)))));
}

void
check_shape(const SegmentTable *table)
{
	ListCell   *lc;

	check_column(table, table->key_name, table->key_type);
	foreach(lc, table->columns)
	{
		const Column *column = lfirst(lc);

		if (column->kind != COLUMN_ELIGIBLE)
			check_column(table, column->name, column->type);
		if (column->kind == COLUMN_ATTRIBUTE)
			check_attribute(table, column);
	}
}

void
refresh_check_history(const SegmentTable *table)
{
	if (get_rel_name(table->history) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("the history of segment table %s does not exist",
						catalog_qualified_name(table->relid)),
				 errdetail("It was dropped by hand."),
				 errhint("Keep segment.definition(), call segment.drop_table(), and define the table anew.")));
}
