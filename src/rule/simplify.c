/*
 * simplify.c
 *		What is the same for all events is computed once, and not for each of them.
 *
 * PostgreSQL computes what is stable anew for each row: every window of time
 * in a filter, now() - interval '90 days', costs a subtraction for each event.
 * As the query that computes rows is planned for one run as of one instant,
 * such values are put into it as constants before the planner sees it.
 * Likewise a comparison of a text with constants that many filters share, such
 * as event = 'purchase', is computed once for each event.
 */
#include "postgres.h"

#include <math.h>

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/planner.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteManip.h"
#include "rule/rule.h"
#include "utils/fmgroids.h"
#include "utils/timestamp.h"

/* So many times or more is a comparison met that is computed beforehand, */
#define SHARED_LEAST 3
/* and so often all of them: else the step before the grouping costs more than it saves. */
#define SHARED_TOTAL 10

/* By a longer interval nothing is computed beforehand: the result may not be. */
#define MOST_DAYS (1000 * 366.0)

static planner_hook_type previous_planner = NULL;
static const char *statement = NULL;	/* to be simplified when it is planned */

/* A comparison, and how often it was met. */
typedef struct Comparison
{
	Node	   *node;
	int			count;
} Comparison;

typedef struct Comparisons
{
	Index		varno;			/* the events' */
	List	   *found;			/* of Comparison */
} Comparisons;

static bool
are_constants(List *nodes)
{
	ListCell   *lc;

	foreach(lc, nodes)
	{
		if (!IsA(lfirst(lc), Const))
			return false;
	}
	return true;
}

/* Is there an interval among constants that may lead out of what timestamps can be? */
static bool
leaves_history(List *constants)
{
	ListCell   *lc;

	foreach(lc, constants)
	{
		Const	   *constant = lfirst_node(Const, lc);
		Interval   *interval;

		if (constant->consttype != INTERVALOID || constant->constisnull)
			continue;
		interval = DatumGetIntervalP(constant->constvalue);
		if (fabs((double) interval->month * DAYS_PER_MONTH + interval->day +
				 (double) interval->time / USECS_PER_DAY) > MOST_DAYS)
			return true;
	}
	return false;
}

/* A call of constants, which the planner computes if it is immutable, even where no row needs it and it fails. */
static bool
is_call_of_constants(Node *node)
{
	if (IsA(node, FuncExpr))
		return are_constants(((FuncExpr *) node)->args);
	if (IsA(node, OpExpr))
		return are_constants(((OpExpr *) node)->args);
	return IsA(node, CoerceViaIO) && IsA(((CoerceViaIO *) node)->arg, Const);
}

/* A call of a function of PostgreSQL that can be computed now, of constants: only dates, times and numbers. */
static bool
is_computable(Node *node)
{
	Oid			function;
	List	   *args;

	if (rule_is_now(node))
		return true;
	if (!is_call_of_constants(node) || IsA(node, CoerceViaIO))
		return false;
	function = IsA(node, FuncExpr) ? ((FuncExpr *) node)->funcid : ((OpExpr *) node)->opfuncid;
	args = IsA(node, FuncExpr) ? ((FuncExpr *) node)->args : ((OpExpr *) node)->args;
	return function < FirstNormalObjectId && !leaves_history(args) && rule_is_harmless_evaluated(node);
}

/* A text of an event beside constants. */
static bool
is_comparison(Node *node, Index varno)
{
	List	   *args;
	Oid			function;
	Node	   *other;

	if (IsA(node, OpExpr))
	{
		args = ((OpExpr *) node)->args;
		function = ((OpExpr *) node)->opfuncid;
	}
	else if (IsA(node, ScalarArrayOpExpr))
	{
		args = ((ScalarArrayOpExpr *) node)->args;
		function = ((ScalarArrayOpExpr *) node)->opfuncid;
	}
	else
		return false;
	if (function != F_TEXTEQ || !IsA(linitial(args), Var) ||
		((Var *) linitial(args))->varno != varno || ((Var *) linitial(args))->varlevelsup != 0)
		return false;
	other = lsecond(args);
	return IsA(other, Const) ||
		(IsA(other, ArrayExpr) && are_constants(((ArrayExpr *) other)->elements));
}

static bool
count_walker(Node *node, void *context)
{
	Comparisons *comparisons = context;
	ListCell   *lc;
	Comparison *comparison;

	if (node == NULL)
		return false;
	if (!is_comparison(node, comparisons->varno))
		return expression_tree_walker(node, count_walker, context);
	foreach(lc, comparisons->found)
	{
		comparison = lfirst(lc);
		if (equal(comparison->node, node))
		{
			comparison->count++;
			return false;
		}
	}
	comparison = palloc(sizeof(Comparison));
	comparison->node = node;
	comparison->count = 1;
	comparisons->found = lappend(comparisons->found, comparison);
	return false;
}

/* Puts in the place of each comparison the column that has it; their columns stand at the end. */
typedef struct Replacement
{
	Comparisons comparisons;
	int			columns;		/* before them */
} Replacement;

static Node *
replace_mutator(Node *node, void *context)
{
	Replacement *replacement = context;
	int			column = replacement->columns;
	ListCell   *lc;

	if (node == NULL)
		return NULL;
	if (!is_comparison(node, replacement->comparisons.varno))
		return expression_tree_mutator(node, replace_mutator, context);
	foreach(lc, replacement->comparisons.found)
	{
		column++;
		if (equal(((Comparison *) lfirst(lc))->node, node))
			return (Node *) makeVar(replacement->comparisons.varno, column, BOOLOID, -1, InvalidOid, 0);
	}
	return node;
}

/* A query of all columns of the one that is a range table entry, and of some expressions over it. */
static Query *
wrap_query(RangeTblEntry *entry, List *comparisons)
{
	Query	   *result = makeNode(Query);
	RangeTblEntry *inner = copyObject(entry);
	RangeTblRef *reference = makeNode(RangeTblRef);
	AttrNumber	column = 0;
	ListCell   *lc;

	result->commandType = CMD_SELECT;
	result->querySource = QSRC_ORIGINAL;
	result->canSetTag = true;
	/* it stands one level deeper now: that of common table expressions outside of it, too */
	IncrementVarSublevelsUp((Node *) inner->subquery, 1, 1);
	result->rtable = list_make1(inner);
	reference->rtindex = 1;
	result->jointree = makeFromExpr(list_make1(reference), NULL);
	foreach(lc, entry->subquery->targetList)
	{
		TargetEntry *target = lfirst_node(TargetEntry, lc);
		Var		   *var;

		column++;
		var = makeVar(1, column, exprType((Node *) target->expr), exprTypmod((Node *) target->expr),
					  exprCollation((Node *) target->expr), 0);
		result->targetList = lappend(result->targetList,
									 makeTargetEntry((Expr *) var, column, target->resname, false));
	}
	foreach(lc, comparisons)
	{
		Node	   *node = copyObject(((Comparison *) lfirst(lc))->node);

		column++;
		/* the expression was one over the entry at its place in the outer query */
		ChangeVarNodes(node, ((Var *) linitial(IsA(node, OpExpr) ? ((OpExpr *) node)->args :
											   ((ScalarArrayOpExpr *) node)->args))->varno, 1, 0);
		result->targetList = lappend(result->targetList,
									 makeTargetEntry((Expr *) node, column, psprintf("shared_%d", column), false));
	}
	/* OFFSET 0: not to be dissolved in the outer query, which would compute them each time again */
	result->limitOffset = (Node *) makeConst(INT8OID, -1, InvalidOid, sizeof(int64), Int64GetDatum(0),
											 false, FLOAT8PASSBYVAL);
	result->limitOption = LIMIT_OPTION_COUNT;
	return result;
}

/* Aggregates of a sub-select of events: their comparisons become columns of it. */
static void
share_comparisons(Query *query)
{
	Replacement replacement = {0};
	RangeTblEntry *entry;
	List	   *shared = NIL;
	int			total = 0;
	ListCell   *lc;

	if (!query->hasAggs || list_length(query->jointree->fromlist) != 1 ||
		!IsA(linitial(query->jointree->fromlist), RangeTblRef))
		return;
	replacement.comparisons.varno = ((RangeTblRef *) linitial(query->jointree->fromlist))->rtindex;
	entry = rt_fetch(replacement.comparisons.varno, query->rtable);
	if (entry->rtekind != RTE_SUBQUERY || entry->lateral)
		return;
	count_walker((Node *) query->targetList, &replacement.comparisons);
	foreach(lc, replacement.comparisons.found)
	{
		Comparison *comparison = lfirst(lc);

		if (comparison->count < SHARED_LEAST)
			continue;
		shared = lappend(shared, comparison);
		total += comparison->count;
	}
	replacement.columns = list_length(entry->subquery->targetList);
	if (total < SHARED_TOTAL || replacement.columns + list_length(shared) > MaxTupleAttributeNumber)
		return;
	replacement.comparisons.found = shared;
	query->targetList = (List *) replace_mutator((Node *) query->targetList, &replacement);
	entry->subquery = wrap_query(entry, shared);
	foreach(lc, shared)
		entry->eref->colnames = lappend(entry->eref->colnames, makeString("shared"));
}

/*
 * From the leaves up: what stands on constants becomes one.  A call that may
 * fail keeps its own now(), which the planner leaves alone.
 */
static Node *
simplify_mutator(Node *node, void *context)
{
	Node	   *result;

	if (node == NULL)
		return NULL;
	if (IsA(node, Query))
	{
		Query	   *query = query_tree_mutator((Query *) node, simplify_mutator, context, 0);

		share_comparisons(query);
		return (Node *) query;
	}
	result = expression_tree_mutator(node, simplify_mutator, context);
	if (is_computable(result))
		return (Node *) evaluate_expr((Expr *) result, exprType(result), exprTypmod(result),
									  exprCollation(result));
	return is_call_of_constants(result) ? copyObject(node) : result;
}

static PlannedStmt *
simplify_planner(Query *query, const char *sql, int options, ParamListInfo params)
{
	/* what is planned while this one is, is another */
	if (statement != NULL && sql != NULL && strcmp(statement, sql) == 0)
	{
		statement = NULL;
		query = (Query *) simplify_mutator((Node *) query, NULL);
	}
	return previous_planner != NULL ? previous_planner(query, sql, options, params) :
		standard_planner(query, sql, options, params);
}

void
rule_simplify(const char *sql)
{
	statement = sql;
}

void
rule_init(void)
{
	previous_planner = planner_hook;
	planner_hook = simplify_planner;
}
