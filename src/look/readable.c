/*
 * readable.c
 *		An expression as a reader would write it.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "context.h"
#include "look/explain.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"

/* A cast that PostgreSQL puts where numbers of two types meet, which changes no value and can not fail. */
static bool
is_widening(Node *node)
{
	if (!IsA(node, FuncExpr) || list_length(((FuncExpr *) node)->args) != 1)
		return false;
	switch (((FuncExpr *) node)->funcid)
	{
		case F_INT4_INT2:
		case F_INT8_INT2:
		case F_INT8_INT4:
		case F_NUMERIC_INT2:
		case F_NUMERIC_INT4:
		case F_NUMERIC_INT8:
		case F_FLOAT8_INT2:
		case F_FLOAT8_INT4:
		case F_FLOAT8_FLOAT4:
			return true;
		default:
			return false;
	}
}

static Node *
strip_widening_mutator(Node *node, void *context)
{
	List	   *args;
	OpExpr	   *result;
	int			kept;
	FuncExpr   *cast;

	if (node == NULL)
		return NULL;
	if (is_widening(node))
		return strip_widening_mutator(linitial(((FuncExpr *) node)->args), context);
	args = IsA(node, OpExpr) ? ((OpExpr *) node)->args : NIL;
	if (list_length(args) != 2 || !is_widening(linitial(args)) || !is_widening(lsecond(args)))
		return expression_tree_mutator(node, strip_widening_mutator, context);

	/* n::numeric / 2 is not n / 2: one cast is the user's, and the other followed from it */
	result = (OpExpr *) expression_tree_mutator(node, strip_widening_mutator, context);
	kept = IsA(linitial(result->args), Const) ? 1 : 0;
	cast = copyObject(list_nth_node(FuncExpr, args, kept));
	cast->args = list_make1(list_nth(result->args, kept));
	lfirst(list_nth_cell(result->args, kept)) = cast;
	return (Node *) result;
}

Node *
explain_strip_widening(Node *node)
{
	return strip_widening_mutator(node, NULL);
}

static Node *plain_mutator(Node *node, void *context);

/* Text, and constants of the user's own types such as enums, without their type. */
static Node *
plain_constant(Const *value)
{
	char	   *shown;

	if (value->constisnull || (value->consttype != TEXTOID && value->consttype < FirstNormalObjectId))
		return (Node *) value;
	if (value->consttype == TEXTOID)
		shown = TextDatumGetCString(value->constvalue);
	else
	{
		Oid			output;
		bool		is_varlena;

		getTypeOutputInfo(value->consttype, &output, &is_varlena);
		shown = OidOutputFunctionCall(output, value->constvalue);
	}
	return (Node *) makeConst(UNKNOWNOID, -1, InvalidOid, -2, CStringGetDatum(shown), false, false);
}

/* What a call is to a reader: itself, an argument of it, or current_date. */
static Node *
plain_call(FuncExpr *call, void *context)
{
	Node	   *arg = call->args == NIL ? NULL : linitial(call->args);

	switch (arg == NULL ? InvalidOid : call->funcid)
	{
		case F_TIMESTAMPTZ_DATE:
		case F_TIMESTAMP_DATE:
			return plain_mutator(arg, context);
		case F_FLOAT8_NUMERIC:
			if (IsA(arg, Const))
				return plain_mutator(arg, context);
			break;
		case F_DATE_TIMESTAMPTZ:
			if (IsA(arg, FuncExpr) && ((FuncExpr *) arg)->args == NIL)
			{
				SQLValueFunction *today = makeNode(SQLValueFunction);

				today->op = SVFOP_CURRENT_DATE;
				today->type = DATEOID;
				today->typmod = -1;
				return (Node *) today;
			}
			break;
		default:
			break;
	}
	if (call->funcformat == COERCE_SQL_SYNTAX)
	{
		FuncExpr   *copy = palloc(sizeof(FuncExpr));
		ListCell   *lc;

		/* the year in extract(year FROM ...) is read as text where it is printed */
		*copy = *call;
		copy->args = NIL;
		foreach(lc, call->args)
		{
			Node	   *item = lfirst(lc);

			Assert(item != NULL);
			copy->args = lappend(copy->args, IsA(item, Const) ? item : plain_mutator(item, context));
		}
		return (Node *) copy;
	}
	return expression_tree_mutator((Node *) call, plain_mutator, context);
}

/* Without what PostgreSQL adds where types meet. */
static Node *
plain_mutator(Node *node, void *context)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, Const))
		return plain_constant((Const *) node);
	if (IsA(node, FuncExpr))
		return plain_call((FuncExpr *) node, context);
	if (IsA(node, RelabelType) && ((RelabelType *) node)->resulttype == TEXTOID &&
		exprType((Node *) ((RelabelType *) node)->arg) == VARCHAROID)
		return plain_mutator((Node *) ((RelabelType *) node)->arg, context);
	return expression_tree_mutator(node, plain_mutator, context);
}

char *
explain_readable(Node *node, Oid relation)
{
	RunContext	ctx;
	Datum		result;

	/* to be read, not to be run: in a rule, now() is segment.now() */
	context_enter_canonical(&ctx);
	context_set("search_path", "segment, pg_catalog, pg_temp");
	context_set("IntervalStyle", "postgres_verbose");
	node = plain_mutator(explain_strip_widening(node), NULL);
	result = DirectFunctionCall3(pg_get_expr_ext, CStringGetTextDatum(nodeToString(node)),
								 ObjectIdGetDatum(relation), BoolGetDatum(true));
	context_leave(&ctx);
	return explain_tidy(TextDatumGetCString(result));
}
