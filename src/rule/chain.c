/*
 * chain.c
 *		Values that are a chain of steps from now().
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "rule/analysis.h"
#include "rule/local.h"
#include "rule/steps.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/formatting.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

void
chain_append(Chain *chain, const char *step, const char *argument)
{
	appendStringInfo(&chain->steps, ", '%s'::text, %s", step, argument);
	chain->count++;
}

/* An argument that does not move, cast to its type. */
bool
chain_append_fixed(const TimeWalk *walk, Chain *chain, const char *step, Node *argument,
				   const char *format)
{
	if (walk_moving(walk, argument))
		return false;
	chain_append(chain, step, psprintf(format, walk_text(walk, argument)));
	return true;
}

/* A time minus a time. */
static bool
difference_chain(const TimeWalk *walk, OpExpr *op, bool moving_left, Chain *chain)
{
	Node	   *other = moving_left ? lsecond(op->args) : linitial(op->args);

	if (!chain_append_fixed(walk, chain, moving_left ? "since" : "until", other,
					  op->opfuncid == F_TIMESTAMPTZ_MI ? "(%s)::timestamptz" :
					  op->opfuncid == F_TIMESTAMP_MI ? "(%s)::timestamp" : "(%s)::date"))
		return false;
	chain->domain = op->opfuncid == F_DATE_MI ? CHAIN_NUMBER : CHAIN_SPAN;
	chain->factor = USECS_PER_DAY;
	return true;
}

bool
rule_constant_number(Node *node, double *number)
{
	Const	   *value = (Const *) rule_fold(node);

	if (!IsA(value, Const) || value->constisnull)
		return false;
	switch (value->consttype)
	{
		case INT2OID:
			*number = DatumGetInt16(value->constvalue);
			return true;
		case INT4OID:
			*number = DatumGetInt32(value->constvalue);
			return true;
		case INT8OID:
			*number = (double) DatumGetInt64(value->constvalue);
			return true;
		case FLOAT8OID:
			*number = DatumGetFloat8(value->constvalue);
			return true;
		case NUMERICOID:
			*number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value->constvalue));
			return true;
		default:
			return false;
	}
}

/*
 * A number times or by a constant above zero.  In double precision only a
 * quotient by a whole number is never rounded to a whole number that it is not:
 * 4.35 * 100 < 435, and 0.3 / 0.1 < 3.
 */
static bool
scale_chain(Node *other, bool divided, bool rounded, Chain *chain)
{
	double		scale;

	if (chain->domain != CHAIN_NUMBER || chain->cut ||
		!rule_constant_number(other, &scale) || !(scale > 1e-9 && scale < 1e12))
		return false;
	chain->factor = divided ? chain->factor * scale : chain->factor / scale;
	chain->rounded = chain->rounded || (rounded && (!divided || scale != rint(scale)));
	return true;
}

/* An operator with one moving side, whose chain stands already. */
static bool
operator_chain(const TimeWalk *walk, OpExpr *op, bool moving_left, Chain *chain)
{
	Node	   *other = moving_left ? lsecond(op->args) : linitial(op->args);

	switch (op->opfuncid)
	{
		case F_TIMESTAMPTZ_PL_INTERVAL:
		case F_TIMESTAMP_PL_INTERVAL:
		case F_DATE_PL_INTERVAL:
		case F_INTERVAL_PL_TIMESTAMPTZ:
		case F_INTERVAL_PL_TIMESTAMP:
		case F_INTERVAL_PL_DATE:
		case F_TIMESTAMPTZ_MI_INTERVAL:
		case F_TIMESTAMP_MI_INTERVAL:
		case F_DATE_MI_INTERVAL:
			if (chain->domain > CHAIN_DATE ||
				!chain_append_fixed(walk, chain, "shift", other,
							  op->opfuncid == F_TIMESTAMPTZ_MI_INTERVAL ||
							  op->opfuncid == F_TIMESTAMP_MI_INTERVAL ||
							  op->opfuncid == F_DATE_MI_INTERVAL ? "(- (%s))::interval" : "(%s)::interval"))
				return false;
			if (chain->domain == CHAIN_DATE)
				chain->domain = CHAIN_LOCAL;
			return true;
		case F_DATE_PLI:
		case F_INTEGER_PL_DATE:
			return chain->domain == CHAIN_DATE && chain_append_fixed(walk, chain, "days", other, "(%s)::integer");
		case F_DATE_MII:
			return chain->domain == CHAIN_DATE && chain_append_fixed(walk, chain, "days", other, "(- (%s))::integer");
		case F_TIMESTAMPTZ_MI:
		case F_TIMESTAMP_MI:
		case F_DATE_MI:
			return chain->domain <= CHAIN_DATE && difference_chain(walk, op, moving_left, chain);
		case F_INTERVAL_PL:
		case F_INTERVAL_MI:
			if ((chain->domain != CHAIN_SPAN && chain->domain != CHAIN_AGE) ||
				(op->opfuncid == F_INTERVAL_MI && !moving_left))
				return false;
			/* no longer of days and microseconds alone, so its fields are unknown */
			chain->domain = CHAIN_SUM;
			return chain_append_fixed(walk, chain, "longer", other, op->opfuncid == F_INTERVAL_PL ?
								"(%s)::interval" : "(- (%s))::interval");
		case F_NUMERIC_DIV:
		case F_FLOAT8DIV:
			return moving_left && scale_chain(other, true, op->opfuncid == F_FLOAT8DIV, chain);
		case F_NUMERIC_MUL:
		case F_FLOAT8MUL:
			return scale_chain(other, false, op->opfuncid == F_FLOAT8MUL, chain);
		default:
			return false;
	}
}

/* Fills the chain of a node; its beginning is now(). */
static bool
build_chain(const TimeWalk *walk, Node *node, Chain *chain)
{
	check_stack_depth();
	if (rule_is_now(node))
		return true;
	if (IsA(node, RelabelType))
		return build_chain(walk, (Node *) ((RelabelType *) node)->arg, chain);
	if (IsA(node, FuncExpr))
	{
		FuncExpr   *func = (FuncExpr *) node;
		Node	   *moving = NULL;
		ListCell   *lc;

		foreach(lc, func->args)
		{
			if (!walk_moving(walk, lfirst(lc)))
				continue;
			if (moving != NULL)
				return false;
			moving = lfirst(lc);
		}
		/* age(x, now()) runs the other way */
		if ((func->funcid == F_AGE_TIMESTAMPTZ_TIMESTAMPTZ ||
			 func->funcid == F_AGE_TIMESTAMP_TIMESTAMP) && moving != linitial(func->args))
			return false;
		return moving != NULL && build_chain(walk, moving, chain) && chain_through_function(walk, func, chain);
	}
	if (IsA(node, OpExpr) && list_length(((OpExpr *) node)->args) == 2)
	{
		OpExpr	   *op = (OpExpr *) node;
		bool		left = walk_moving(walk, linitial(op->args));

		if (left == walk_moving(walk, lsecond(op->args)))
			return false;
		return build_chain(walk, left ? linitial(op->args) : lsecond(op->args), chain) &&
			operator_chain(walk, op, left, chain);
	}
	return false;
}

bool
chain_of(const TimeWalk *walk, Node *node, Chain *chain)
{
	memset(chain, 0, sizeof(Chain));
	initStringInfo(&chain->steps);
	return build_chain(walk, node, chain) && chain->count < MAX_STEPS;
}

char *
chain_change(const Chain *chain)
{
	Assert(chain->stepping);
	return psprintf("segment.next_change(%s)", chain->steps.data + strlen(", "));
}
