/*
 * readable.c
 *		An expression as a reader would write it.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "context.h"
#include "look/explain.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"

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
	if (node == NULL)
		return NULL;
	if (is_widening(node))
		return strip_widening_mutator(linitial(((FuncExpr *) node)->args), context);
	return expression_tree_mutator(node, strip_widening_mutator, context);
}

Node *
explain_strip_widening(Node *node)
{
	return strip_widening_mutator(node, NULL);
}

/* Text constants without their type, which a reader takes for granted. */
static Node *
strip_text_mutator(Node *node, void *context)
{
	Const	   *value = (Const *) node;

	if (node == NULL)
		return NULL;
	if (IsA(node, Const) && value->consttype == TEXTOID && !value->constisnull)
		return (Node *) makeConst(UNKNOWNOID, -1, InvalidOid, -2,
								  CStringGetDatum(TextDatumGetCString(value->constvalue)), false, false);
	return expression_tree_mutator(node, strip_text_mutator, context);
}

/* Line breaks, and what a line begins with, become single blanks. */
static char *
in_one_line(char *text)
{
	char	   *to = text;
	char	   *from = text;

	while (*from == ' ' || *from == '\n')
		from++;
	for (; *from != '\0'; from++)
	{
		if (*from != '\n')
		{
			*to++ = *from;
			continue;
		}
		*to++ = ' ';
		while (from[1] == ' ')
			from++;
	}
	*to = '\0';
	return text;
}

char *
explain_readable(Node *node, Oid relation)
{
	RunContext	ctx;
	Datum		result;

	/* to be read, not to be run: in a rule, now() is segment.now() */
	context_enter_canonical(&ctx);
	context_set("search_path", "segment, pg_catalog, pg_temp");
	node = strip_text_mutator(explain_strip_widening(node), NULL);
	result = DirectFunctionCall3(pg_get_expr_ext, CStringGetTextDatum(nodeToString(node)),
								 ObjectIdGetDatum(relation), BoolGetDatum(true));
	context_leave(&ctx);
	return in_one_line(TextDatumGetCString(result));
}
