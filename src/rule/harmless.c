/*
 * harmless.c
 *		Which expressions can be evaluated for any row without raising an error.
 *
 * Crossings are computed for rows for which the comparison itself may never be
 * evaluated, since something before it decides.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "rule/rule.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

/* A cast between dates and times, which fails only outside history. */
static bool
is_time_cast(Node *node)
{
	FuncExpr   *func = (FuncExpr *) node;

	return IsA(node, FuncExpr) && list_length(func->args) == 1 &&
		func->funcformat != COERCE_EXPLICIT_CALL &&
		(func->funcresulttype == TIMESTAMPTZOID || func->funcresulttype == TIMESTAMPOID ||
		 func->funcresulttype == DATEOID);
}

/* A time plus or minus an interval, which fails only there as well. */
static bool
is_time_shift(Node *node)
{
	OpExpr	   *op = (OpExpr *) node;

	if (!IsA(node, OpExpr))
		return false;
	switch (op->opfuncid)
	{
		case F_TIMESTAMPTZ_PL_INTERVAL:
		case F_TIMESTAMPTZ_MI_INTERVAL:
		case F_TIMESTAMP_PL_INTERVAL:
		case F_TIMESTAMP_MI_INTERVAL:
		case F_DATE_PL_INTERVAL:
		case F_DATE_MI_INTERVAL:
			return true;
		default:
			return false;
	}
}

/* Can its evaluation raise no error, for whatever row of this world? */
static bool
is_harmless(Node *node)
{
	if (IsA(node, RelabelType))
		return is_harmless((Node *) ((RelabelType *) node)->arg);
	if (is_time_cast(node))
		return is_harmless(linitial(((FuncExpr *) node)->args));
	if (is_time_shift(node))
		return is_harmless(linitial(((OpExpr *) node)->args)) &&
			is_harmless(lsecond(((OpExpr *) node)->args));
	return IsA(node, Var) || IsA(node, Const) || IsA(node, Aggref);
}

/* The same of the operands of a comparison, now() plus or minus an interval among them. */
bool
rule_has_harmless_operands(OpExpr *op)
{
	ListCell   *lc;

	foreach(lc, op->args)
	{
		Node	   *operand = lfirst(lc);

		if (IsA(operand, OpExpr) && list_length(((OpExpr *) operand)->args) == 2)
		{
			Node	   *left = linitial(((OpExpr *) operand)->args);
			Node	   *right = lsecond(((OpExpr *) operand)->args);

			if ((rule_is_now(left) && is_harmless(right)) ||
				(rule_is_now(right) && is_harmless(left)))
				continue;
		}
		if (!is_harmless(operand) && !rule_is_now(operand))
			return false;
	}
	return true;
}

/* A condition that can raise no error: a comparison of columns and constants. */
bool
rule_is_harmless_condition(Node *node)
{
	OpExpr	   *op = (OpExpr *) node;

	if (IsA(node, NullTest))
		return is_harmless((Node *) ((NullTest *) node)->arg);
	if (!IsA(node, OpExpr))
		return is_harmless(node);
	return list_length(op->args) == 2 && get_op_btree_interpretation(op->opno) != NIL &&
		is_harmless(linitial(op->args)) && is_harmless(lsecond(op->args));
}
