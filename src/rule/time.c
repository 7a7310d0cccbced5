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

static void
add_crossing(TimeWalk *walk, char *crossing)
{
	StringInfoData guarded;
	ListCell   *lc;

	if (walk->guards != NIL)
	{
		initStringInfo(&guarded);
		foreach(lc, walk->guards)
			appendStringInfo(&guarded, "%s%s", guarded.len == 0 ? "CASE WHEN " : " AND ",
							 (char *) lfirst(lc));
		appendStringInfo(&guarded, " THEN %s END", crossing);
		crossing = guarded.data;
	}
	if (walk->in_aggregate)
		crossing = psprintf("min(%s)%s", crossing, walk->filter);
	foreach(lc, walk->rule->crossings)
	{
		if (strcmp(lfirst(lc), crossing) == 0)
			return;
	}
	walk->rule->crossings = lappend(walk->rule->crossings, crossing);
}

static void
give_up(TimeWalk *walk, Node *node)
{
	if (walk->rule->unanalyzed == NULL)
		walk->rule->unanalyzed = walk_text(walk, node);
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

		passed = passed || part == before || (before == NULL && walk_moving(walk, part));
		if (!walk_moving(walk, part) &&
			((!passed && !walk->conditional) || rule_is_harmless(part)))
			result = lappend(result, part);
	}
	return result;
}

/* What is fixed in a filter, as a FILTER clause: only those events matter for crossings. */
static char *
fixed_filter(TimeWalk *walk, Expr *filter)
{
	List	   *fixed = fixed_parts(walk, make_ands_implicit(filter), NULL);

	if (fixed == NIL)
		return "";
	return psprintf(" FILTER (WHERE %s)", walk_text(walk, (Node *) make_ands_explicit(fixed)));
}

static bool analyze_walker(Node *node, TimeWalk *walk);

static void
analyze_aggregate(Aggref *agg, TimeWalk *walk)
{
	char	   *outer_filter = walk->filter;
	List	   *outer_guards = walk->guards;
	ListCell   *lc;

	if (rule_moves_itself((Node *) agg))
	{
		give_up(walk, (Node *) agg);
		return;
	}
	walk->in_aggregate = true;
	walk->guards = NIL;			/* they are about the customer, not about an event */
	walk->filter = fixed_filter(walk, agg->aggfilter);
	analyze_walker((Node *) agg->aggdirectargs, walk);
	analyze_walker((Node *) agg->args, walk);
	foreach(lc, make_ands_implicit(agg->aggfilter))
		analyze_walker(lfirst(lc), walk);
	walk->in_aggregate = false;
	walk->guards = outer_guards;
	walk->filter = outer_filter;
}

/*
 * AND, OR: a part that does not move and decides the whole makes the others
 * not matter.  It also keeps them from being evaluated where they would fail.
 */
static void
analyze_bool(BoolExpr *expr, TimeWalk *walk)
{
	List	   *outer_guards = walk->guards;
	bool		outer_conditional = walk->conditional;
	bool		conjunction = expr->boolop == AND_EXPR;
	ListCell   *lc;

	foreach(lc, expr->args)
	{
		List	   *fixed = expr->boolop == NOT_EXPR || !walk_moving(walk, lfirst(lc)) ? NIL :
			fixed_parts(walk, expr->args, lfirst(lc));

		if (fixed != NIL)
		{
			Expr	   *all = conjunction ? make_ands_explicit(fixed) :
				list_length(fixed) == 1 ? linitial(fixed) : make_orclause(fixed);

			walk->guards = lappend(list_copy(outer_guards),
								   psprintf("((%s) IS NOT %s)", walk_text(walk, (Node *) all),
											conjunction ? "FALSE" : "TRUE"));
		}
		analyze_walker(lfirst(lc), walk);
		walk->guards = outer_guards;

		/* this part may keep the next ones from being evaluated */
		walk->conditional = walk->conditional || walk_moving(walk, lfirst(lc));
	}
	walk->conditional = outer_conditional;
}

/*
 * CASE WHEN …: a branch matters where its condition holds and those before it
 * do not, as far as they do not move.  Behind one that moves, which may keep
 * those after it from being evaluated, only harmless ones are guards.
 */
static void
analyze_case(CaseExpr *expr, TimeWalk *walk)
{
	List	   *outer_guards = walk->guards;
	bool		outer_conditional = walk->conditional;
	ListCell   *lc;

	walk->guards = list_copy(outer_guards);
	walk->conditional = outer_conditional || expr->arg != NULL;
	analyze_walker((Node *) expr->arg, walk);
	foreach(lc, expr->args)
	{
		CaseWhen   *when = lfirst_node(CaseWhen, lc);
		bool		plain = expr->arg == NULL && !walk_moving(walk, (Node *) when->expr) &&
			(!walk->conditional || rule_is_harmless((Node *) when->expr));

		analyze_walker((Node *) when->expr, walk);
		if (plain)
		{
			List	   *before = walk->guards;
			char	   *condition = walk_text(walk, (Node *) when->expr);

			walk->guards = lappend(list_copy(before), psprintf("(%s)", condition));
			analyze_walker((Node *) when->result, walk);
			walk->guards = lappend(before, psprintf("((%s) IS NOT TRUE)", condition));
		}
		else
		{
			/* a condition that is no guard must not be taken for one */
			walk->conditional = true;
			analyze_walker((Node *) when->result, walk);
		}
	}
	analyze_walker((Node *) expr->defresult, walk);
	walk->guards = outer_guards;
	walk->conditional = outer_conditional;
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

	if (IsA(node, List) || IsA(node, TargetEntry) || IsA(node, Aggref) ||
		(walk->conditional && !rule_is_harmless(node)))
		return NULL;
	result = comparison_flip(walk, node);
	if (result != NULL || IsA(node, BoolExpr) || IsA(node, CaseExpr))
		return result;
	if (!chain_of(walk, node, &chain) || !chain.stepping)
		return search_change(walk, node);
	/* not every field changes whenever another day or week begins */
	if (chain.domain == CHAIN_FIELD)
		result = search_change(walk, node);
	if (result == NULL)
		result = chain_change(&chain);
	return result;
}

static bool
analyze_walker(Node *node, TimeWalk *walk)
{
	char	   *crossing;
	Node	   *outer = walk->enclosing;

	if (node == NULL || !walk_moving(walk, node))
		return false;
	if (IsA(node, Aggref) || IsA(node, BoolExpr) || IsA(node, CaseExpr))
		walk->enclosing = NULL;
	crossing = change_of(walk, node);
	if (crossing != NULL)
		add_crossing(walk, crossing);
	else if (IsA(node, Aggref))
		analyze_aggregate((Aggref *) node, walk);
	else if (IsA(node, BoolExpr))
		analyze_bool((BoolExpr *) node, walk);
	else if (IsA(node, CaseExpr))
		analyze_case((CaseExpr *) node, walk);
	else if (IsA(node, Var) || rule_moves_itself(node))
		give_up(walk, walk->enclosing != NULL ? walk->enclosing : node);
	else
		analyze_below(node, walk);
	walk->enclosing = outer;
	return false;
}

void
rule_analyze_time(CheckedRule *rule, const SegmentTable *table, Oid relation)
{
	TimeWalk	walk = {0};

	walk.columns = relation == table->relid ? table : NULL;
	walk.relation = relation;
	walk.rule = rule;
	walk.filter = "";
	analyze_walker(rule->node, &walk);
}
