/*
 * order.c
 *		Which column comes before which.
 */
#include "postgres.h"

#include "define/define.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/value.h"

typedef struct Walk
{
	List	   *columns;		/* of Column */
	List	   *path;			/* names (of char *) from the column begun with to this one */
	List	   *result;
} Walk;

void
define_refuse_circle(List *names)
{
	StringInfoData circle;
	ListCell   *lc;

	initStringInfo(&circle);
	foreach(lc, names)
		appendStringInfo(&circle, "%s%s", circle.len > 0 ? " -> " : "", (char *) lfirst(lc));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
			 errmsg("columns would read each other in a circle: %s", circle.data),
			 errhint("A column must not read itself, neither directly nor by way of others.")));
}

static void
visit(Walk *walk, Column *column)
{
	ListCell   *lc,
			   *lc2;

	check_stack_depth();
	if (list_member_ptr(walk->result, column))
		return;
	foreach(lc, walk->path)
	{
		if (strcmp(lfirst(lc), column->name) == 0)
			define_refuse_circle(lappend(list_copy_tail(walk->path, foreach_current_index(lc)),
										 column->name));
	}
	walk->path = lappend(walk->path, column->name);
	foreach(lc, column->over == OVER_ROW ? column->depends : NIL)
	{
		foreach(lc2, walk->columns)
		{
			Column	   *other = lfirst(lc2);

			if (strcmp(other->name, lfirst(lc)) == 0)
				visit(walk, other);
		}
	}
	walk->path = list_delete_last(walk->path);
	walk->result = lappend(walk->result, column);
}

List *
define_by_dependency(List *columns)
{
	Walk		walk = {columns, NIL, NIL};
	ListCell   *lc;

	foreach(lc, columns)
		visit(&walk, lfirst(lc));
	return walk.result;
}
