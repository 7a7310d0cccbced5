/*
 * alter.c
 *		A column that means something else from now on.
 *
 * It stays where it is, so that views, indexes and grants go on; so does its
 * history: the next refresh writes who comes and who goes.
 */
#include "postgres.h"

#include "capture/capture.h"
#include "define/define.h"
#include "nodes/value.h"
#include "utils/builtins.h"

/* Error if a column would read itself by way of those that read it now. */
static void
refuse_circle(const SegmentTable *table, const Column *column, List *depends)
{
	List	   *readers = rule_readers(table, column->name);
	List	   *path = list_make1(column->name);
	bool		found;

	/* each reader of it reads another one, or the column itself */
	do
	{
		ListCell   *lc;

		found = false;
		foreach(lc, depends)
		{
			char	   *name = lfirst(lc);

			if (!list_member(readers, makeString(name)))
				continue;
			path = lappend(path, name);
			if (strcmp(name, column->name) == 0)
				define_refuse_circle(path);
			depends = catalog_find_column(table, name)->depends;
			found = true;
			break;
		}
	} while (found);
}

void
define_replace_column(const SegmentTable *table, Column *column, CheckedRule *rule)
{
	Oid			relid = table->relid;
	List	   *readers = rule_readers(table, column->name);
	ListCell   *lc;

	define_notice_unanalyzed(table, rule, define_describe_column(column));

	/* cut points between scores of before say nothing of those to come */
	foreach(lc, readers)
	{
		Column	   *reader = catalog_find_column(table, strVal(lfirst(lc)));

		if (reader->kind == COLUMN_BAND)
			catalog_retire_cuts(relid, reader->name);
	}
	if (column->kind == COLUMN_BAND)
		rule = define_check_column(table, column);
	define_put_column(table, column, rule);
}

/* Bands whose cut points are retired are cut anew, whatever else there is to compute. */
void
define_replaced(Oid relid, const char *name)
{
	SegmentTable *table = catalog_load(relid);
	ListCell   *lc;

	define_changed(relid, name);
	foreach(lc, rule_readers(table, name))
	{
		char	   *reader = strVal(lfirst(lc));

		if (catalog_find_column(table, reader)->kind == COLUMN_BAND)
			define_changed(relid, reader);
	}
}

void
define_alter(Oid relid, Column *column)
{
	SegmentTable *table = define_open(relid);
	Column	   *old = define_require_column(table, column->name, column->kind);
	CheckedRule *rule = define_check_new(table, column);
	List	   *readers = rule_readers(table, column->name);
	bool		over_events = old->over == OVER_EVENTS;

	refuse_circle(table, column, column->kind == COLUMN_BAND ? column->depends : rule->depends);
	if (rule->type != old->type)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("%s is of type %s, and would be of type %s",
						define_describe_column(column), format_type_be(old->type),
						format_type_be(rule->type)),
				 errdetail("To change the type of a column, the table has to be written anew while nobody may read it."),
				 errhint("Cast the expression to %s, or drop the %s and add it again.",
						 format_type_be(old->type), define_kind_name(column->kind))));
	if (define_same_meaning(old, column, rule))
		return;
	define_replace_column(table, column, rule);

	/* itself as well: the crossings of what it reads are in its own */
	define_recheck_columns(relid, readers);
	table = catalog_load(relid);
	define_refuse_bands(table);
	define_replaced(relid, column->name);

	/* who has no row can't be computed from stored rows */
	if (over_events || list_member(readers, makeString(ELIGIBLE_NAME)))
		marklog_append_all(relid);
}
