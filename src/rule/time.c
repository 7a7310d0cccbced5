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
	return psprintf("segment.crossing((%s)::timestamptz, %s, %s)",
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
	ListCell   *lc;

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
 * The conjuncts of a filter that do not move, as a FILTER clause: only their
 * events matter for crossings.
 */
static char *
fixed_filter(TimeWalk *walk, Expr *filter)
{
	List	   *conjuncts = make_ands_implicit(filter);
	List	   *fixed = NIL;
	ListCell   *lc;

	foreach(lc, conjuncts)
	{
		if (!moving(walk, lfirst(lc)))
			fixed = lappend(fixed, lfirst(lc));
	}
	if (fixed == NIL)
		return "";
	return psprintf(" FILTER (WHERE %s)", text_of(walk, (Node *) make_ands_explicit(fixed)));
}

static bool analyze_walker(Node *node, TimeWalk *walk);

static void
analyze_aggregate(Aggref *agg, TimeWalk *walk)
{
	char	   *outer_filter = walk->filter;

	if (rule_moves_itself((Node *) agg))
	{
		give_up(walk, (Node *) agg);
		return;
	}
	walk->in_aggregate = true;
	walk->filter = fixed_filter(walk, agg->aggfilter);
	expression_tree_walker((Node *) agg, analyze_walker, walk);
	walk->in_aggregate = false;
	walk->filter = outer_filter;
}

static bool
analyze_walker(Node *node, TimeWalk *walk)
{
	Node	   *outer = walk->enclosing;

	if (node == NULL || !moving(walk, node))
		return false;
	if (IsA(node, Aggref))
	{
		analyze_aggregate((Aggref *) node, walk);
		return false;
	}
	if (IsA(node, OpExpr))
	{
		char	   *crossing = crossing_of(walk, (OpExpr *) node);

		if (crossing != NULL)
		{
			add_crossing(walk, crossing);
			return false;
		}
	}
	if (IsA(node, Var) || rule_moves_itself(node))
	{
		give_up(walk, walk->enclosing != NULL ? walk->enclosing : node);
		return false;
	}
	if (!IsA(node, BoolExpr) && !IsA(node, List) && !IsA(node, TargetEntry))
		walk->enclosing = node;
	expression_tree_walker(node, analyze_walker, walk);
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
