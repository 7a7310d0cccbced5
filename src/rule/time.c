/*
 * time.c
 *		When time alone changes the value of an expression.
 *
 * An expression whose every part that moves with time stands inside a
 * comparison of known form changes only at the instants at which one of these
 * comparisons flips.  Known are, with x and i not moving:
 *
 *		x < now()   x < now() - i   x < now() + i		(and <= > >=, either way round)
 *		now() - x > i   x - now() < i
 *
 * In an aggregate the crossing is taken over all events that the rest of its
 * filter admits: the earliest of them is the instant to look at again.  It may
 * turn out to change nothing; it is never too late.
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "rule/rule.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

typedef struct TimeWalk
{
	const SegmentTable *columns;	/* the segment table if Vars are its columns, else NULL */
	Oid			relation;
	CheckedRule *rule;
	char	   *filter;			/* inside an aggregate: what its events must satisfy, or "" */
	bool		in_aggregate;
	List	   *guards;			/* of char *: conditions without which a comparison does not matter */
	bool		conditional;	/* evaluated only sometimes, in a way that guards do not say */
	Node	   *enclosing;		/* what to name if it can not be analyzed */
} TimeWalk;

static bool
moving(TimeWalk *walk, Node *node)
{
	return rule_is_moving(node, walk->columns);
}

static char *
text_of(TimeWalk *walk, Node *node)
{
	return rule_deparse(node, walk->relation);
}

/* The sides of a comparison as btree sees it, or InvalidStrategy. */
static int
comparison_strategy(OpExpr *op)
{
	List	   *interpretations;
	ListCell   *lc;

	if (list_length(op->args) != 2)
		return InvalidStrategy;
	interpretations = get_op_btree_interpretation(op->opno);
	foreach(lc, interpretations)
	{
		int			strategy = ((OpBtreeInterpretation *) lfirst(lc))->strategy;

		if (strategy == BTLessStrategyNumber || strategy == BTLessEqualStrategyNumber ||
			strategy == BTGreaterEqualStrategyNumber || strategy == BTGreaterStrategyNumber)
			return strategy;
	}
	return InvalidStrategy;
}

static int
commute(int strategy)
{
	switch (strategy)
	{
		case BTLessStrategyNumber:
			return BTGreaterStrategyNumber;
		case BTLessEqualStrategyNumber:
			return BTGreaterEqualStrategyNumber;
		case BTGreaterEqualStrategyNumber:
			return BTLessEqualStrategyNumber;
		default:
			return BTLessStrategyNumber;
	}
}

/*
 * now(), now() + i or i + now() or now() - i: its shift as SQL, else NULL.
 */
static char *
shift_of(TimeWalk *walk, Node *node)
{
	OpExpr	   *op = (OpExpr *) node;
	Node	   *left,
			   *right;

	if (rule_is_now(node))
		return "'00:00:00'::interval";
	if (!IsA(node, OpExpr) || list_length(op->args) != 2)
		return NULL;
	left = linitial(op->args);
	right = lsecond(op->args);
	if (op->opfuncid == F_TIMESTAMPTZ_PL_INTERVAL && rule_is_now(left) && !moving(walk, right))
		return psprintf("(%s)", text_of(walk, right));
	if (op->opfuncid == F_INTERVAL_PL_TIMESTAMPTZ && rule_is_now(right) && !moving(walk, left))
		return psprintf("(%s)", text_of(walk, left));
	if (op->opfuncid == F_TIMESTAMPTZ_MI_INTERVAL && rule_is_now(left) && !moving(walk, right))
		return psprintf("(- (%s))", text_of(walk, right));
	return NULL;
}

/*
 * fixed <strategy> now() + shift, as a call of segment.crossing.  Its third
 * argument: is the comparison about now() + shift having passed the instant
 * (true), or having reached it?
 */
static char *
crossing_of_instant(TimeWalk *walk, Node *fixed, int strategy, Node *mover)
{
	Oid			type = exprType(fixed);
	char	   *shift = shift_of(walk, mover);
	bool		after = strategy == BTLessStrategyNumber ||
		strategy == BTGreaterEqualStrategyNumber;

	if (shift == NULL ||
		(type != TIMESTAMPTZOID && type != TIMESTAMPOID && type != DATEOID))
		return NULL;
	return psprintf("segment.crossing(%s, %s, %s)",
					text_of(walk, fixed), shift, after ? "true" : "false");
}

/*
 * now() - x <strategy> span; or x - now(), which is its negative.
 */
static char *
crossing_of_span(TimeWalk *walk, Node *mover, int strategy, Node *span)
{
	OpExpr	   *op = (OpExpr *) mover;
	Node	   *left,
			   *right;
	Node	   *instant;
	const char *sign = "";

	if (!IsA(mover, OpExpr) || op->opfuncid != F_TIMESTAMPTZ_MI || exprType(span) != INTERVALOID)
		return NULL;
	left = linitial(op->args);
	right = lsecond(op->args);
	if (rule_is_now(left) && !moving(walk, right))
		instant = right;
	else if (rule_is_now(right) && !moving(walk, left))
	{
		instant = left;
		sign = "- ";
		strategy = commute(strategy);
	}
	else
		return NULL;
	return psprintf("segment.crossing_span(%s, (%s(%s)), %s)",
					text_of(walk, instant), sign, text_of(walk, span),
					strategy == BTGreaterStrategyNumber ||
					strategy == BTLessEqualStrategyNumber ? "true" : "false");
}

/* The crossing of a comparison with one moving side, or NULL if not of a known form. */
static char *
crossing_of(TimeWalk *walk, OpExpr *op)
{
	int			strategy = comparison_strategy(op);
	Node	   *left,
			   *right;
	char	   *crossing;

	if (strategy == InvalidStrategy)
		return NULL;
	left = linitial(op->args);
	right = lsecond(op->args);
	if (moving(walk, left) == moving(walk, right))
		return NULL;
	if (moving(walk, left))
	{
		Node	   *swap = left;

		left = right;
		right = swap;
		strategy = commute(strategy);
	}
	/* now fixed <strategy> moving */
	crossing = crossing_of_instant(walk, left, strategy, right);
	if (crossing == NULL)
		crossing = crossing_of_span(walk, right, commute(strategy), left);
	return crossing;
}

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
		walk->rule->unanalyzed = text_of(walk, node);
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

		passed = passed || part == before || (before == NULL && moving(walk, part));
		if (!moving(walk, part) &&
			((!passed && !walk->conditional) || rule_is_harmless_condition(part)))
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
	return psprintf(" FILTER (WHERE %s)", text_of(walk, (Node *) make_ands_explicit(fixed)));
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
		List	   *fixed = expr->boolop == NOT_EXPR || !moving(walk, lfirst(lc)) ? NIL :
			fixed_parts(walk, expr->args, lfirst(lc));

		if (fixed != NIL)
		{
			Expr	   *all = conjunction ? make_ands_explicit(fixed) :
				list_length(fixed) == 1 ? linitial(fixed) : make_orclause(fixed);

			walk->guards = lappend(list_copy(outer_guards),
								   psprintf("((%s) IS NOT %s)", text_of(walk, (Node *) all),
											conjunction ? "FALSE" : "TRUE"));
		}
		analyze_walker(lfirst(lc), walk);
		walk->guards = outer_guards;

		/* this part may keep the next ones from being evaluated */
		walk->conditional = walk->conditional || moving(walk, lfirst(lc));
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
		bool		plain = expr->arg == NULL && !moving(walk, (Node *) when->expr) &&
			(!walk->conditional || rule_is_harmless_condition((Node *) when->expr));

		analyze_walker((Node *) when->expr, walk);
		if (plain)
		{
			List	   *before = walk->guards;
			char	   *condition = text_of(walk, (Node *) when->expr);

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

static bool
analyze_walker(Node *node, TimeWalk *walk)
{
	char	   *crossing = NULL;
	Node	   *outer = walk->enclosing;

	if (node == NULL || !moving(walk, node))
		return false;
	if (IsA(node, Aggref) || IsA(node, BoolExpr) || IsA(node, CaseExpr))
		walk->enclosing = NULL;
	if (IsA(node, OpExpr) && (!walk->conditional || rule_has_harmless_operands((OpExpr *) node)))
		crossing = crossing_of(walk, (OpExpr *) node);

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
