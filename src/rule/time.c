/*
 * time.c
 *		When time alone changes the value of an expression.
 *
 * An expression is walked from the top.  Where a part's next change is known
 * as a whole, that is one of the instants, and the walk goes no deeper:
 *
 *	comparison.c	a comparison, one side of which is a chain of steps from now()
 *	search.c		anything made of functions that can be evaluated ahead, and of
 *					values that step at midnights or on one other clock
 *	chain.c			a chain of steps that stands still in between, on its own
 *	branches.c		CASE
 *	unknown.c		IS NULL and IS UNKNOWN
 *
 * Else its own parts are looked at: what is computed from them can change only
 * when one of them does.  now() itself, reached in that way, changes all the
 * time, and the expression is not analyzed.
 *
 * In an aggregate an instant is taken over all events that the rest of its
 * filter admits: the earliest of them is the instant to look at again.  It may
 * turn out to change nothing; it is never too late.
 */
#include "postgres.h"

#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "rule/analysis.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

/* Beyond that, the instants of the parts of an AND or OR stay apart. */
#define LONGEST_COMBINED	20000

static bool analyze_walker(Node *node, void *context);
static bool asks_for_null(TimeWalk *walk, Node *node);
static char *change_of(TimeWalk *walk, Node *node);

void
walk_add(TimeWalk *walk, char *instant)
{
	if (instant != NULL && !list_member(walk->found, makeString(instant)))
		walk->found = lappend(walk->found, makeString(instant));
}

static void
give_up(TimeWalk *walk, Node *node)
{
	if (walk->rule->unanalyzed == NULL)
		walk->rule->unanalyzed = walk_text(walk, node);
}

char *
walk_guarded(const char *condition, char *instant)
{
	return instant == NULL ? NULL :
		psprintf("CASE WHEN %s THEN %s END", condition, instant);
}

char *
walk_earliest(TimeWalk *walk, Node *node)
{
	List	   *outer = walk->found;
	StringInfoData sql;
	ListCell   *lc;
	int			count;

	walk->found = NIL;
	analyze_walker(node, walk);
	count = list_length(walk->found);
	initStringInfo(&sql);
	foreach(lc, walk->found)
		appendStringInfo(&sql, "%s%s", sql.len == 0 ? (count > 1 ? "LEAST(" : "") : ", ",
						 strVal(lfirst(lc)));
	if (count > 1)
		appendStringInfoChar(&sql, ')');
	walk->found = outer;
	return count == 0 ? NULL : sql.data;
}

/* Can time change the value of a part? */
static bool
part_moves(TimeWalk *walk, Node *part)
{
	return walk_moving(walk, part) && !asks_for_null(walk, part);
}

/*
 * The parts of AND or OR that do not move and are evaluated before one that
 * does, as PostgreSQL goes from left to right; later ones only if they can do
 * no harm.
 */
static List *
fixed_parts(TimeWalk *walk, List *parts, Node *before)
{
	List	   *result = NIL;
	bool		passed = false;
	ListCell   *lc;

	foreach(lc, parts)
	{
		Node	   *part = lfirst(lc);

		passed = passed || part == before || (before == NULL && part_moves(walk, part));
		if (!part_moves(walk, part) &&
			((!passed && !walk->conditional) || rule_is_harmless_evaluated(part)))
			result = lappend(result, part);
	}
	return result;
}

/*
 * Does a moving part decide the whole?  As SQL; NULL if that can't be known
 * for any row.  A part that infinite times make fail is asked of finite ones.
 */
static char *
decides(TimeWalk *walk, Node *part, bool conjunction)
{
	char	   *finite = rule_finite_times(part, walk->relation);

	return finite == NULL ? NULL :
		psprintf("%s(%s) IS %s", finite, walk_text(walk, part), conjunction ? "FALSE" : "TRUE");
}

char *
walk_combine(List *conditions, List *instants)
{
	StringInfoData deciding;
	StringInfoData all;
	ListCell   *lc,
			   *lc2;

	initStringInfo(&deciding);
	initStringInfo(&all);
	forboth(lc, conditions, lc2, instants)
	{
		char	   *instant = lfirst(lc2);

		appendStringInfo(&deciding, ", CASE WHEN %s THEN %s%s END", (char *) lfirst(lc),
						 instant == NULL ? "'infinity'::timestamptz" : psprintf("COALESCE(%s", instant),
						 instant == NULL ? "" : ", 'infinity'::timestamptz)");
		if (instant != NULL)
			appendStringInfo(&all, ", %s", instant);
	}
	if (all.len == 0)
		return NULL;
	return psprintf("COALESCE(GREATEST(%s), LEAST(%s))", deciding.data + strlen(", "),
					all.data + strlen(", "));
}

/*
 * AND, OR: a part that does not move and decides the whole makes the others
 * not matter.  It also keeps them from being evaluated where they would fail.
 */
static void
analyze_parts(TimeWalk *walk, List *parts, bool conjunction, bool with_guards)
{
	bool		outer_conditional = walk->conditional;
	List	   *conditions = NIL;
	List	   *instants = NIL;
	bool		known;
	int			length = 0;
	ListCell   *lc;

	foreach(lc, parts)
	{
		Node	   *part = lfirst(lc);
		List	   *fixed;
		char	   *instant;

		if (!part_moves(walk, part))
			continue;
		fixed = with_guards ? fixed_parts(walk, parts, part) : NIL;
		instant = walk_earliest(walk, part);
		if (fixed != NIL)
		{
			Expr	   *all = conjunction ? make_ands_explicit(fixed) :
				list_length(fixed) == 1 ? linitial(fixed) : make_orclause(fixed);

			instant = walk_guarded(psprintf("((%s) IS NOT %s)", walk_text(walk, (Node *) all),
									   conjunction ? "FALSE" : "TRUE"), instant);
		}
		instants = lappend(instants, instant);
		length += instant == NULL ? 0 : strlen(instant);

		/* this part may keep the next ones from being evaluated */
		walk->conditional = true;
	}
	walk->conditional = outer_conditional;

	foreach(lc, parts)
	{
		if (part_moves(walk, lfirst(lc)))
			conditions = lappend(conditions, decides(walk, lfirst(lc), conjunction));
	}
	known = !list_member_ptr(conditions, NULL);
	if (list_length(instants) > 1 && length < LONGEST_COMBINED && known)
	{
		char	   *within = list_length(parts) == 2 && with_guards ?
			comparison_within(walk, linitial(parts), lsecond(parts)) : NULL;
		char	   *combined = walk_combine(conditions, instants);

		/* a value that steps may pass over what is between two others */
		walk_add(walk, within == NULL || combined == NULL ? combined :
				 psprintf("GREATEST(COALESCE(%s, 'infinity'::timestamptz), COALESCE(%s, 'infinity'::timestamptz))",
						  combined, within));
	}
	else
	{
		foreach(lc, instants)
			walk_add(walk, lfirst(lc));
	}
}

static void
analyze_bool(BoolExpr *expr, TimeWalk *walk)
{
	if (expr->boolop == NOT_EXPR)
		analyze_walker(linitial(expr->args), walk);
	else
		analyze_parts(walk, expr->args, expr->boolop == AND_EXPR, true);
}

static bool
is_bool_aggregate(Aggref *agg)
{
	return agg->aggfnoid == F_BOOL_OR || agg->aggfnoid == F_BOOL_AND || agg->aggfnoid == F_EVERY;
}

/* bool_or and bool_and: as long as events decide, the others do not matter. */
static char *
combine_events(TimeWalk *walk, Aggref *agg, char *instant)
{
	char	   *clause = agg->aggfilter == NULL ? "" :
		psprintf(" FILTER (WHERE %s)", walk_text(walk, (Node *) agg->aggfilter));

	return psprintf("COALESCE(max(CASE WHEN (%s) IS %s THEN COALESCE(%s, 'infinity'::timestamptz) END)%s, min(%s)%s)",
					walk_text(walk, (Node *) linitial_node(TargetEntry, agg->args)->expr),
					agg->aggfnoid == F_BOOL_OR ? "TRUE" : "FALSE", instant, clause, instant, clause);
}

/* The earliest over the events that a filter (or NIL) admits. */
static void
add_earliest_event(TimeWalk *walk, List *outer, List *filter)
{
	List	   *found = walk->found;
	char	   *clause = filter == NIL ? "" :
		psprintf(" FILTER (WHERE %s)", walk_text(walk, (Node *) make_ands_explicit(filter)));
	ListCell   *lc;

	walk->found = outer;
	foreach(lc, found)
		walk_add(walk, psprintf("min(%s)%s", strVal(lfirst(lc)), clause));
}

/*
 * An aggregate.  What is fixed in its filter chooses the events whose instants
 * matter; for its arguments, all of the filter does.  fixed: but for these it
 * does not move.
 */
static void
analyze_aggregate(Aggref *agg, TimeWalk *walk, bool fixed)
{
	List	   *outer = walk->found;
	bool		outer_conditional = walk->conditional;
	List	   *filter = make_ands_implicit(agg->aggfilter);

	if (!fixed && rule_moves_itself((Node *) agg))
	{
		give_up(walk, (Node *) agg);
		return;
	}
	walk->conditional = false;
	walk->found = NIL;
	analyze_walker((Node *) agg->aggdirectargs, walk);
	if (is_bool_aggregate(agg))
	{
		char	   *instant = walk_earliest(walk, (Node *) agg->args);

		walk->found = outer;
		if (instant != NULL)
			walk_add(walk, combine_events(walk, agg, instant));
	}
	else
	{
		analyze_walker((Node *) agg->args, walk);
		add_earliest_event(walk, outer, filter);
	}
	outer = walk->found;
	walk->found = NIL;
	analyze_parts(walk, filter, true, false);
	add_earliest_event(walk, outer, fixed_parts(walk, filter, NULL));
	walk->conditional = outer_conditional;
}

bool
walk_is_strict(Node *node)
{
	ListCell   *lc;
	List	   *args;

	if (IsA(node, RelabelType))
		return walk_is_strict((Node *) ((RelabelType *) node)->arg);
	if (IsA(node, OpExpr) && op_strict(((OpExpr *) node)->opno))
		args = ((OpExpr *) node)->args;
	else if (IsA(node, FuncExpr) && !rule_is_now(node) && func_strict(((FuncExpr *) node)->funcid))
		args = ((FuncExpr *) node)->args;
	else
		return IsA(node, Var) || IsA(node, Const) || IsA(node, Aggref) || rule_is_now(node);
	foreach(lc, args)
	{
		if (!walk_is_strict(lfirst(lc)))
			return false;
	}
	return true;
}

/*
 * Is it a question for NULL, of a comparison?  Where it is strict, the answer
 * does not depend on the time.
 */
static bool
asks_for_null(TimeWalk *walk, Node *node)
{
	Node	   *arg;

	if (IsA(node, NullTest))
		arg = (Node *) ((NullTest *) node)->arg;
	else if (IsA(node, BooleanTest) && (((BooleanTest *) node)->booltesttype == IS_UNKNOWN ||
										((BooleanTest *) node)->booltesttype == IS_NOT_UNKNOWN))
		arg = (Node *) ((BooleanTest *) node)->arg;
	else
		return false;
	/* by time alone, what decays does not become NULL, and the others never are */
	if (decaying_is(walk, arg) || IsA(arg, DistinctExpr) || IsA(arg, NullTest) || IsA(arg, BooleanTest))
		return true;
	return IsA(arg, OpExpr) && (walk_is_strict(arg) ? change_of(walk, arg) : comparison_flip(walk, arg)) != NULL;
}

/* Any other node: what stands below may be evaluated only sometimes. */
static void
analyze_below(Node *node, TimeWalk *walk)
{
	Node	   *outer = walk->enclosing;
	bool		outer_conditional = walk->conditional;

	if (outer == NULL && !IsA(node, List) && !IsA(node, TargetEntry))
		walk->enclosing = node;
	if (IsA(node, CoalesceExpr))
		walk->conditional = true;
	expression_tree_walker(node, analyze_walker, walk);
	walk->enclosing = outer;
	walk->conditional = outer_conditional;
}

/*
 * When the value of a node changes next, found without looking at its parts
 * one by one; NULL if that can't be done.
 */
static char *
change_of(TimeWalk *walk, Node *node)
{
	Chain		chain;
	char	   *result;

	result = own_change(walk, node);
	if (result != NULL)
		return result;
	if (IsA(node, List) || IsA(node, TargetEntry) || IsA(node, Aggref) ||
		(walk->conditional && !rule_is_harmless(node)))
		return NULL;
	result = comparison_flip(walk, node);
	/* the parts of these are better looked at one by one */
	if (result != NULL || IsA(node, BoolExpr) || IsA(node, CaseExpr) || IsA(node, CoalesceExpr) ||
		IsA(node, NullTest) || IsA(node, BooleanTest))
		return result;
	result = decaying_change(walk, node);
	if (result != NULL)
		return result;
	if (!chain_of(walk, node, &chain) || !chain.stepping)
		return search_change(walk, node);
	if (chain.hasty)
		return NULL;
	/* not every field changes whenever another day or week begins */
	if (chain.domain == CHAIN_FIELD)
		result = search_change(walk, node);
	if (result == NULL)
		result = chain_change(&chain);
	return result;
}

static bool
analyze_walker(Node *node, void *context)
{
	TimeWalk   *walk = context;
	char	   *crossing;
	Node	   *outer = walk->enclosing;

	if (node == NULL || !walk_moving(walk, node) || asks_for_null(walk, node))
		return false;
	if (IsA(node, Aggref) || IsA(node, BoolExpr) || IsA(node, CaseExpr))
		walk->enclosing = NULL;
	crossing = change_of(walk, node);
	if (crossing != NULL)
		walk_add(walk, crossing);
	else if (unknown_analyze(walk, node))
		;
	else if (IsA(node, Aggref))
		analyze_aggregate((Aggref *) node, walk, false);
	else if (rule_aggregate_of_fixed_field(node, NULL) != NULL)
		analyze_aggregate(rule_aggregate_of_fixed_field(node, NULL), walk, true);
	else if (IsA(node, BoolExpr))
		analyze_bool((BoolExpr *) node, walk);
	else if (IsA(node, CaseExpr))
		branches_analyze(walk, (CaseExpr *) node);
	else if (IsA(node, Var) || rule_moves_itself(node))
		give_up(walk, walk->enclosing != NULL ? walk->enclosing : node);
	else
		analyze_below(node, walk);
	walk->enclosing = outer;
	return false;
}

/*
 * Puts the expressions of scores over the row that change all the time in place
 * of their columns: compared with something, they may be analyzed.
 */
static Node *
inline_scores(Node *node, void *arg)
{
	const SegmentTable *table = arg;

	if (node == NULL)
		return NULL;
	if (IsA(node, Var))
	{
		Column	   *column = catalog_find_column(table, get_attname(table->relid,
																	((Var *) node)->varattno, false));

		if (column != NULL && column->unanalyzed != NULL && column->over == OVER_ROW &&
			column->kind == COLUMN_SCORE)
			return inline_scores(rule_parse_canonical(table, column->expression, table->relid), arg);
		return copyObject(node);
	}
	return expression_tree_mutator(node, inline_scores, arg);
}

void
rule_analyze_time(CheckedRule *rule, const SegmentTable *table, Oid relation)
{
	TimeWalk	walk = {0};
	ListCell   *lc;

	walk.columns = relation == table->relid ? table : NULL;
	walk.relation = relation;
	walk.rule = rule;
	if (walk.columns != NULL)
		analyze_walker(inline_scores(rule->node, unconstify(SegmentTable *, table)), &walk);
	else
		analyze_walker(rule->node, &walk);
	foreach(lc, walk.found)
		rule->crossings = lappend(rule->crossings, strVal(lfirst(lc)));
}
