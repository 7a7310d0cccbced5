/*
 * label.c
 *		From labels and their rules to one expression.
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "context.h"
#include "nodes/makefuncs.h"
#include "rule/rule.h"
#include "utils/builtins.h"

/* CASE WHEN rule THEN 'label' ... END */
static Node *
make_case(List *labels, List *rules)
{
	CaseExpr   *result = makeNode(CaseExpr);
	ListCell   *lc,
			   *lc2;

	result->casetype = TEXTOID;
	result->casecollid = DEFAULT_COLLATION_OID;
	result->defresult = (Expr *) makeNullConst(TEXTOID, -1, DEFAULT_COLLATION_OID);
	result->location = -1;
	forboth(lc, labels, lc2, rules)
	{
		CaseWhen   *when = makeNode(CaseWhen);

		when->expr = (Expr *) ((CheckedRule *) lfirst(lc2))->node;
		when->result = (Expr *) makeConst(TEXTOID, -1, DEFAULT_COLLATION_OID, -1,
										  CStringGetTextDatum((char *) lfirst(lc)), false, false);
		when->location = -1;
		result->args = lappend(result->args, when);
	}
	return (Node *) result;
}

CheckedRule *
rule_first_label(List *labels, List *rules, const SegmentTable *table, Oid relation)
{
	CheckedRule *result = palloc0(sizeof(CheckedRule));
	RunContext	ctx;
	ListCell   *lc,
			   *lc2;

	context_enter_parse(&ctx, table->author, table->time_zone);
	result->node = make_case(labels, rules);
	result->expression = rule_deparse(result->node, relation);
	result->type = TEXTOID;
	foreach(lc, rules)
	{
		foreach(lc2, ((CheckedRule *) lfirst(lc))->depends)
		{
			if (!list_member(result->depends, makeString(lfirst(lc2))))
				result->depends = lappend(result->depends, makeString(lfirst(lc2)));
		}
	}
	foreach(lc, result->depends)
		lfirst(lc) = strVal(lfirst(lc));
	rule_analyze_time(result, table, relation);
	context_leave(&ctx);
	return result;
}
