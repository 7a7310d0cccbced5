/*
 * trust.c
 *		Whose code an expression would run.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "rule/rule.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

static bool
untrusted_function(Oid funcid, void *context)
{
	HeapTuple	tuple;
	Oid			owner;

	if (funcid < FirstNormalObjectId)
		return false;
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(funcid));
	if (!HeapTupleIsValid(tuple))
		return true;
	owner = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
	ReleaseSysCache(tuple);
	return !superuser_arg(owner);
}

/* A domain's constraints are its owner's code, a composite type's and an array's those of their parts. */
static bool
untrusted_type(Oid type)
{
	HeapTuple	tuple;
	Oid			owner;

	if (type < FirstNormalObjectId)
		return false;
	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	if (!HeapTupleIsValid(tuple))
		return true;
	owner = ((Form_pg_type) GETSTRUCT(tuple))->typowner;
	ReleaseSysCache(tuple);
	return !superuser_arg(owner);
}

/* Does it call a function, or make a value of a type, that is not a superuser's? */
static bool
is_untrusted(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (check_functions_in_node(node, untrusted_function, NULL))
		return true;
	if ((IsA(node, Const) || IsA(node, CoerceToDomain) || IsA(node, CoerceViaIO) ||
		 IsA(node, RowExpr) || IsA(node, ArrayExpr) || segment_is_json_query(node)) &&
		untrusted_type(exprType(node)))
		return true;
	return expression_tree_walker(node, is_untrusted, context);
}

Node *
rule_fold(Node *node)
{
	return is_untrusted(node, NULL) ? node : eval_const_expressions(NULL, copyObject(node));
}

void
rule_check_trust(const SegmentTable *table, Node *node)
{
	if (superuser_arg(table->owner) && is_untrusted(node, NULL))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("a segment table owned by a superuser may not call another role's functions, nor use its types"),
				 errhint("Let an ordinary role own the segment table.")));
}

/* Of a relation that is gone, whoever runs the expression has more to say. */
static void
check_text(const SegmentTable *table, const char *expression, Oid relation)
{
	if (expression != NULL && get_rel_name(relation) != NULL)
		rule_check_trust(table, rule_parse_canonical(table, expression, relation));
}

static void
check_source(const SegmentTable *table, const Source *source)
{
	ListCell   *lc;

	check_text(table, source->key, source->relation);
	check_text(table, source->at, source->relation);
	check_text(table, source->event, source->relation);
	check_text(table, source->value, source->relation);
	check_text(table, source->item, source->relation);
	foreach(lc, source->extra)
		check_text(table, ((NamedExpr *) lfirst(lc))->expression, source->relation);
}

void
rule_check_trust_again(const SegmentTable *table)
{
	ListCell   *lc;

	if (!superuser_arg(table->owner))
		return;
	foreach(lc, table->sources)
		check_source(table, lfirst(lc));
	foreach(lc, table->columns)
	{
		Column	   *column = lfirst(lc);

		/* the crossings are made of the same parts */
		if (column->over != OVER_ATTRIBUTES && column->kind != COLUMN_BAND)
			check_text(table, column->expression,
					   column->over == OVER_EVENTS ? table->events : table->relid);
	}
}
