/*
 * parts.c
 *		Takes a rule apart into lines, each with a column that computes it.
 *
 * The lines are computed by the query that computes rows, as if they were
 * columns of the segment table.  So a part has the value that it has in the
 * rule, from the same events and at the same instant.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "compat.h"
#include "lib/stringinfo.h"
#include "look/explain.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "rule/rule.h"
#include "utils/builtins.h"

/* Where in a rule a part stands. */
typedef struct Place
{
	List	  **parts;			/* where lines are added */
	const Column *column;		/* whose rule it is */
	int			level;
	const char *connective;		/* "", "AND " and the like */
	List	   *guards;			/* of char *: what must hold for the part to be evaluated */
} Place;

static void add_rule(Explanation *e, Place place, Node *node);
static void open_column(Explanation *e, Place place, const Column *column);
static void open_columns(Explanation *e, Place place, List *names);

/* Below IN: is there more than columns and constants? */
static bool
is_no_operand(Node *node, void *context)
{
	if (node == NULL || IsA(node, Var) || IsA(node, Const))
		return false;
	if (IsA(node, List) || IsA(node, ArrayExpr))
		return expression_tree_walker(node, is_no_operand, context);
	return true;
}

/* Can a condition be evaluated for any row without an error? */
static bool
is_safe(Node *node)
{
	ListCell   *lc;

	if (IsA(node, BoolExpr))
	{
		foreach(lc, ((BoolExpr *) node)->args)
		{
			if (!is_safe(lfirst(lc)))
				return false;
		}
		return true;
	}
	node = explain_strip_widening(node);
	if (IsA(node, BooleanTest))
		return is_safe((Node *) ((BooleanTest *) node)->arg);
	if (IsA(node, ScalarArrayOpExpr))
		return segment_operator_orders(((ScalarArrayOpExpr *) node)->opno) != NIL &&
			!expression_tree_walker(node, is_no_operand, NULL);
	return rule_is_harmless_evaluated(node);
}

static char *
join(List *texts, const char *separator)
{
	StringInfoData result;
	ListCell   *lc;

	initStringInfo(&result);
	foreach(lc, texts)
		appendStringInfo(&result, "%s%s", result.len == 0 ? "" : separator, (char *) lfirst(lc));
	return result.data;
}

/* May time alone change one of these columns, events still to come apart? */
static bool
any_moves(const SegmentTable *table, List *names)
{
	ListCell   *lc;

	check_stack_depth();
	foreach(lc, names)
	{
		Column	   *column = catalog_find_column(table, lfirst(lc));

		if (column != NULL &&
			(column->crossings != NIL || column->unanalyzed != NULL ||
			 (column->over == OVER_ROW && any_moves(table, column->depends))))
			return true;
	}
	return false;
}

/* A column that only an explanation has. */
static Column *
add_column(Explanation *e, char *name, char *expression, Oid type, List *depends)
{
	Column	   *column = palloc0(sizeof(Column));

	column->name = name;
	column->kind = COLUMN_SCORE;
	column->position = list_length(e->computed->columns) + 1;
	column->over = OVER_ROW;
	column->expression = expression;
	column->type = type;
	column->depends = depends;
	e->computed->columns = lappend(e->computed->columns, column);
	return column;
}

/*
 * What has to hold for a part to be computed, or NULL.  One that might fail is
 * computed where the rule would evaluate it, and only there (*reached); but if
 * infinite times alone make it fail, wherever they are finite.
 */
static char *
guard_of(const Explanation *e, Place place, Node *node, bool *reached)
{
	char	   *finite;

	*reached = false;
	if (place.guards == NIL || (!e->strict && is_safe(node)))
		return NULL;
	finite = e->strict ? NULL : rule_finite_times(node, e->table->relid);
	if (finite != NULL)
		return psprintf("%strue", finite);
	*reached = true;
	return join(place.guards, " AND ");
}

/*
 * Adds a part with the column that computes it.  whole: it is not taken apart
 * any further, and shows what it reads.
 */
static Part *
add_part(Explanation *e, Place place, Node *node, const char *text, bool whole)
{
	Part	   *part = palloc0(sizeof(Part));
	CheckedRule *rule = rule_check(rule_deparse(node, e->table->relid), e->table, SCOPE_ROW,
								   e->table->relid, "a part of a rule");
	bool		reached;
	char	   *guard = guard_of(e, place, node, &reached);
	Column	   *column;
	ListCell   *lc;

	part->level = place.level;
	part->text = psprintf("%s%s", place.connective, text);
	part->is_condition = true;
	part->name = psprintf(RESERVED_PREFIX "part_%d", e->nparts);
	part->reads = whole ? rule->depends : NIL;
	part->exact = rule->unanalyzed == NULL;
	part->moves = rule->crossings != NIL || any_moves(e->table, reached ? place.column->depends : rule->depends);
	column = add_column(e, part->name, guard == NULL ? rule->expression :
						psprintf("CASE WHEN %s THEN %s END", guard, rule->expression),
						rule->type, place.column->depends);
	foreach(lc, rule->crossings)
		column->crossings = lappend(column->crossings, guard == NULL ? lfirst(lc) :
									psprintf("CASE WHEN %s THEN %s END", guard, (char *) lfirst(lc)));
	if (reached)
	{
		part->reached = psprintf(RESERVED_PREFIX "reached_%d", e->nparts);
		add_column(e, part->reached, guard, BOOLOID, place.column->depends);
	}
	e->nparts++;
	*place.parts = lappend(*place.parts, part);
	return part;
}

/* The parts of AND or OR. */
static void
add_parts_of_bool(Explanation *e, Place place, BoolExpr *expr)
{
	bool		conjunction = expr->boolop == AND_EXPR;
	List	   *guards = place.guards;
	ListCell   *lc;

	foreach(lc, expr->args)
	{
		Place		inner = place;

		inner.level++;
		inner.connective = lc == list_head(expr->args) ? "" : conjunction ? "AND " : "OR ";
		inner.guards = guards;
		add_rule(e, inner, lfirst(lc));
		guards = lappend(list_copy(guards),
						 psprintf("((%s) IS NOT %s)", rule_deparse(lfirst(lc), e->table->relid),
								  conjunction ? "FALSE" : "TRUE"));
	}
}

/* CASE WHEN ... THEN: each condition with what it leads to; of these, the first that holds counts. */
static void
add_parts_of_case(Explanation *e, Place place, CaseExpr *expr)
{
	List	   *guards = place.guards;
	ListCell   *lc;

	foreach(lc, expr->args)
	{
		CaseWhen   *when = lfirst_node(CaseWhen, lc);
		Node	   *result = (Node *) when->result;
		Place		inner = place;

		inner.level++;
		inner.guards = guards;
		inner.connective = IsA(result, Const) && !((Const *) result)->constisnull &&
			((Const *) result)->consttype == TEXTOID ?
			psprintf("%s: ", TextDatumGetCString(((Const *) result)->constvalue)) :
			psprintf("%s: ", explain_readable(result, e->table->relid));
		add_rule(e, inner, (Node *) when->expr);
		guards = lappend(list_copy(guards),
						 psprintf("((%s) IS NOT TRUE)",
								  rule_deparse((Node *) when->expr, e->table->relid)));
	}
}

/* The segment that a condition is, or NULL. */
static Column *
segment_of(const Explanation *e, Node *node)
{
	Column	   *column;

	if (!IsA(node, Var))
		return NULL;
	column = catalog_find_column(e->table,
								 get_attname(e->table->relid, ((Var *) node)->varattno, false));
	return column != NULL && column->kind == COLUMN_SEGMENT ? column : NULL;
}

/* A part of a rule, with what it consists of. */
static void
add_rule(Explanation *e, Place place, Node *node)
{
	Node	   *inner = node;
	const char *negation = "";

	if (IsA(node, BoolExpr) && ((BoolExpr *) node)->boolop == NOT_EXPR)
	{
		inner = linitial(((BoolExpr *) node)->args);
		negation = "NOT ";
	}
	if (IsA(inner, BoolExpr) && ((BoolExpr *) inner)->boolop != NOT_EXPR)
	{
		add_part(e, place, node,
				 psprintf("%s%s", negation,
						  ((BoolExpr *) inner)->boolop == AND_EXPR ? "all of" : "any of"), false);
		add_parts_of_bool(e, place, (BoolExpr *) inner);
	}
	else
	{
		Column	   *segment = segment_of(e, inner);
		Part	   *part = add_part(e, place, node, explain_readable(node, e->table->relid),
									segment == NULL);

		if (segment != NULL)
			open_column(e, place, segment);
		else
		{
			place.level++;
			open_columns(e, place, part->reads);
		}
	}
}

/* Conditions are, and what CASE chooses by conditions. */
static bool
is_taken_apart(Node *node, const Column *column)
{
	return column->type == BOOLOID || (IsA(node, CaseExpr) && ((CaseExpr *) node)->arg == NULL);
}

/* The parts of a column's rule, or what it reads, below the line that names it. */
static void
add_column_parts(Explanation *e, Place place)
{
	Node	   *node = NULL;

	if (place.column->over != OVER_ROW)
		return;
	if (place.column->kind != COLUMN_BAND)
		node = rule_check(place.column->expression, e->table, SCOPE_ROW, e->table->relid,
						  "a rule")->node;
	place.guards = NIL;
	place.connective = "";
	if (node == NULL || !is_taken_apart(node, place.column))
	{
		place.level++;
		open_columns(e, place, place.column->depends);
	}
	else if (IsA(node, CaseExpr) && ((CaseExpr *) node)->arg == NULL)
		add_parts_of_case(e, place, (CaseExpr *) node);
	else if (IsA(node, BoolExpr) && ((BoolExpr *) node)->boolop != NOT_EXPR)
		add_parts_of_bool(e, place, (BoolExpr *) node);
	else
	{
		place.level++;
		add_rule(e, place, node);
	}
}

static bool
is_opened(const Explanation *e, const char *name)
{
	ListCell   *lc;

	foreach(lc, e->opened)
	{
		if (strcmp(lfirst(lc), name) == 0)
			return true;
	}
	return false;
}

/* Copies a column and all that it reads, in the order in which they stand in the table. */
static void
add_needed(Explanation *e, const Column *column)
{
	Column	   *copy;
	ListCell   *lc;

	check_stack_depth();
	if (catalog_find_column(e->computed, column->name) != NULL)
		return;
	if (column->over == OVER_ROW)
	{
		foreach(lc, column->depends)
		{
			Column	   *needed = catalog_find_column(e->table, lfirst(lc));

			if (needed != NULL)
				add_needed(e, needed);
		}
	}
	copy = palloc(sizeof(Column));
	*copy = *column;
	/* eligible or not, the customer is to be explained; and max_age is no instant of change */
	if (copy->kind == COLUMN_ELIGIBLE)
		copy->kind = COLUMN_SEGMENT;
	copy->unanalyzed = NULL;
	e->computed->columns = lappend(e->computed->columns, copy);
}

/* The line that names a column and says what comes of it. */
static Part *
head_of(Explanation *e, const Column *column)
{
	Part	   *part = palloc0(sizeof(Part));

	add_needed(e, column);
	part->name = column->name;
	part->is_condition = catalog_is_condition(column);
	part->exact = column->unanalyzed == NULL;
	part->moves = any_moves(e->table, list_make1(column->name));
	if (column->kind == COLUMN_ELIGIBLE)
		part->text = "eligible";
	else if (column->kind == COLUMN_SEGMENT)
		part->text = psprintf("segment %s", quote_identifier(column->name));
	else if (column->kind == COLUMN_ATTRIBUTE)
		part->text = psprintf("attribute %s", quote_identifier(column->name));
	else if (column->kind == COLUMN_GROUP)
		part->text = psprintf("group %s", quote_identifier(column->name));
	else if (column->kind == COLUMN_BAND)
	{
		part->text = psprintf("band %s: %s in %d bands%s", quote_identifier(column->name),
							  quote_identifier(linitial(column->depends)), column->bands,
							  column->descending ? ", the highest first" : "");
		part->reads = column->depends;
	}
	else
	{
		Oid			relation = column->over == OVER_EVENTS ? e->table->events : e->table->relid;
		CheckedRule *rule = rule_check(column->expression, e->table,
									   column->over == OVER_EVENTS ? SCOPE_EVENTS : SCOPE_ROW,
									   relation, "a score");

		/* what is taken apart is shown below */
		part->text = psprintf("score %s", quote_identifier(column->name));
		if (column->over == OVER_ROW && is_taken_apart(rule->node, column))
			return part;
		part->text = psprintf("%s: %s", part->text, explain_readable(rule->node, relation));
		if (column->over == OVER_ROW)
			part->reads = rule->depends;
		else
			explain_count_events(e, part, rule->node);
	}
	return part;
}

/* What a column that is read consists of, once. */
static void
open_column(Explanation *e, Place place, const Column *column)
{
	Part	   *part;

	if (column->kind == COLUMN_ATTRIBUTE || is_opened(e, column->name))
		return;
	check_stack_depth();
	e->opened = lappend(e->opened, column->name);
	place.column = column;
	/* a segment that is a condition has its line */
	if (column->kind != COLUMN_SEGMENT)
	{
		part = head_of(e, column);
		part->level = place.level;
		part->is_below = true;
		*place.parts = lappend(*place.parts, part);
	}
	add_column_parts(e, place);
}

/* The same of all that a line reads. */
static void
open_columns(Explanation *e, Place place, List *names)
{
	ListCell   *lc;

	foreach(lc, names)
	{
		Column	   *column = catalog_find_column(e->table, lfirst(lc));

		/* a segment is a column of its own there, to be asked for */
		if (column != NULL && column->kind != COLUMN_SEGMENT)
			open_column(e, place, column);
	}
}

Explanation *
explain_take_apart(const SegmentTable *table, const Column *column, bool strict)
{
	Explanation *e = palloc0(sizeof(Explanation));
	Column	   *eligible = catalog_find_column(table, ELIGIBLE_NAME);
	Place		place = {0};
	ListCell   *lc;

	e->table = table;
	e->strict = strict;
	e->computed = palloc(sizeof(SegmentTable));
	*e->computed = *table;
	e->computed->columns = NIL;

	/* sources of attributes ask for all of theirs */
	foreach(lc, table->columns)
	{
		if (((Column *) lfirst(lc))->over == OVER_ATTRIBUTES)
			add_needed(e, lfirst(lc));
	}
	if (eligible != NULL)
	{
		e->eligible = list_make1(head_of(e, eligible));
		place.column = eligible;
		place.parts = &e->eligible;
		add_column_parts(e, place);
		e->opened = NIL;
	}
	e->parts = list_make1(head_of(e, column));
	place.column = column;
	place.parts = &e->parts;
	e->opened = list_make1(column->name);
	add_column_parts(e, place);
	return e;
}
