/*
 * unknown.c
 *		What makes a condition NULL.
 *
 * Comparisons of times, and what is made of them, are NULL where a value in
 * them is: and never by time alone, but where AND and OR pass a NULL over.
 */
#include "postgres.h"

#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "rule/analysis.h"
#include "utils/array.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

static bool gather(TimeWalk *walk, Node *node, List **fixed);

static bool
gather_all(TimeWalk *walk, List *nodes, List **fixed)
{
	ListCell   *lc;

	foreach(lc, nodes)
	{
		if (!gather(walk, lfirst(lc), fixed))
			return false;
	}
	return true;
}

/* An array that is compared with: its elements, too, must not be NULL. */
static bool
gather_elements(TimeWalk *walk, Node *array, List **fixed)
{
	if (IsA(array, ArrayExpr))
		return gather_all(walk, ((ArrayExpr *) array)->elements, fixed);
	return IsA(array, Const) && !((Const *) array)->constisnull &&
		!ARR_HASNULL(DatumGetArrayTypeP(((Const *) array)->constvalue));
}

/*
 * Adds the values that do not move, without one of which being NULL the node is
 * not NULL either; false if that is not known.
 */
static bool
gather(TimeWalk *walk, Node *node, List **fixed)
{
	if (!walk_moving(walk, node))
	{
		if (!rule_is_harmless_evaluated(node))
			return false;
		if (!IsA(node, Const) || ((Const *) node)->constisnull)
			*fixed = lappend(*fixed, node);
		return true;
	}
	if (rule_is_now(node))
		return true;
	switch (nodeTag(node))
	{
		case T_RelabelType:
			return gather(walk, (Node *) ((RelabelType *) node)->arg, fixed);
		case T_BoolExpr:
			return gather_all(walk, ((BoolExpr *) node)->args, fixed);
		case T_NullTest:
		case T_BooleanTest:
		case T_DistinctExpr:
			return true;
		case T_OpExpr:
			return rule_stays_harmless(node) && op_strict(((OpExpr *) node)->opno) &&
				gather_all(walk, ((OpExpr *) node)->args, fixed);
		case T_ScalarArrayOpExpr:
			return rule_stays_harmless(node) && op_strict(((ScalarArrayOpExpr *) node)->opno) &&
				gather(walk, linitial(((ScalarArrayOpExpr *) node)->args), fixed) &&
				gather_elements(walk, lsecond(((ScalarArrayOpExpr *) node)->args), fixed);
		case T_FuncExpr:
			/* to_char gives NULL for an empty format */
			return rule_stays_harmless(node) && func_strict(((FuncExpr *) node)->funcid) &&
				((FuncExpr *) node)->funcid != F_TO_CHAR_TIMESTAMP_TEXT &&
				((FuncExpr *) node)->funcid != F_TO_CHAR_TIMESTAMPTZ_TEXT &&
				gather_all(walk, ((FuncExpr *) node)->args, fixed);
		default:
			return false;
	}
}

/* What a node asks of, if it asks for NULL. */
static Node *
asked_for_null(Node *node)
{
	if (IsA(node, NullTest) && !((NullTest *) node)->argisrow)
		return (Node *) ((NullTest *) node)->arg;
	if (IsA(node, BooleanTest) && (((BooleanTest *) node)->booltesttype == IS_UNKNOWN ||
								   ((BooleanTest *) node)->booltesttype == IS_NOT_UNKNOWN))
		return (Node *) ((BooleanTest *) node)->arg;
	return NULL;
}

bool
unknown_analyze(TimeWalk *walk, Node *node)
{
	Node	   *arg = asked_for_null(node);
	List	   *fixed = NIL;
	List	   *tests = NIL;
	ListCell   *lc;

	if (arg == NULL || !gather(walk, arg, &fixed))
		return false;
	if (fixed == NIL)
		return true;
	foreach(lc, fixed)
	{
		NullTest   *test = makeNode(NullTest);

		test->arg = lfirst(lc);
		test->nulltesttype = IS_NULL;
		tests = lappend(tests, test);
	}
	walk_add(walk, walk_guarded(walk_text(walk, list_length(tests) == 1 ? linitial(tests) :
										  (Node *) makeBoolExpr(OR_EXPR, tests, -1)),
								walk_earliest(walk, arg)));
	return true;
}
