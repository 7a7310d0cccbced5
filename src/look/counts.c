/*
 * counts.c
 *		How many events the aggregates of a score read.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "look/explain.h"
#include "nodes/nodeFuncs.h"
#include "nodes/primnodes.h"
#include "rule/rule.h"

/* The filters of all aggregates of an expression, each once; NULL for none. */
static bool
collect_filters(Node *node, void *context)
{
	List	  **filters = context;

	if (node == NULL)
		return false;
	if (IsA(node, Aggref))
	{
		*filters = list_append_unique(*filters, ((Aggref *) node)->aggfilter);
		return false;
	}
	return expression_tree_walker(node, collect_filters, filters);
}

/* A column with the count of the events that meet a filter; returns its name. */
static char *
add_count(Explanation *e, Node *filter)
{
	Column	   *column = palloc0(sizeof(Column));

	column->name = psprintf(RESERVED_PREFIX "count_%d", e->ncounts++);
	column->kind = COLUMN_SCORE;
	column->position = list_length(e->computed->columns) + 1;
	column->over = OVER_EVENTS;
	column->expression = filter == NULL ? "count(*)" :
		psprintf("count(*) FILTER (WHERE %s)", rule_deparse(filter, e->table->events));
	column->type = INT8OID;
	e->computed->columns = lappend(e->computed->columns, column);
	return column->name;
}

void
explain_count_events(Explanation *e, Part *part, Node *score)
{
	List	   *filters = NIL;
	ListCell   *lc;

	collect_filters(score, &filters);
	foreach(lc, filters)
	{
		if (lfirst(lc) != NULL)
			part->counts = lappend(part->counts, add_count(e, lfirst(lc)));
	}
	part->counts = lappend(part->counts, add_count(e, NULL));
}
