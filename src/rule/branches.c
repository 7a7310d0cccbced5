/*
 * branches.c
 *		When time alone changes the value of a CASE.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "rule/analysis.h"

/* So many branches are nested; what comes after is guarded anew, for PostgreSQL's parser. */
#define MOST_NESTED	100

/* Beyond that, the instants of two values are not repeated for when the two are the same. */
#define LONGEST_COMPARED	10000

/* LEAST of instants, each of which may be NULL: never. */
static char *
earlier(char *a, char *b)
{
	return a == NULL ? b : b == NULL ? a : psprintf("LEAST(%s, %s)", a, b);
}

/* One WHEN of a CASE: when it changes itself, and when what it leads to does. */
typedef struct Branch
{
	char	   *condition;		/* as SQL; NULL if it is no guard for what follows */
	char	   *flip;
	char	   *change;
	Node	   *result;
} Branch;

/*
 * The instant of some of the branches and, if none of them holds, of the rest.
 * Each stands within the one before it, so that no condition is repeated.
 */
static char *
nest_branches(List *branches, char *rest)
{
	for (int i = list_length(branches) - 1; i >= 0; i--)
	{
		Branch	   *branch = list_nth(branches, i);

		if (branch->condition == NULL)
			rest = earlier(branch->change, rest);
		else if (branch->change != NULL)
			rest = psprintf("CASE WHEN %s THEN %s%s%s END", branch->condition, branch->change,
							rest == NULL ? "" : " ELSE ", rest == NULL ? "" : rest);
		else if (rest != NULL)
			rest = psprintf("CASE WHEN (%s) IS NOT TRUE THEN %s END", branch->condition, rest);
		rest = earlier(branch->flip, rest);
	}
	return rest;
}

/* An instant that never comes where it is NULL. */
static char *
or_never(char *instant)
{
	return psprintf("COALESCE(%s, 'infinity'::timestamptz)", instant);
}

/* The later of two instants, one of which may be NULL: never. */
static char *
later(char *a, char *b)
{
	return a == NULL || b == NULL ? NULL : psprintf("GREATEST(%s, %s)", or_never(a), or_never(b));
}

/*
 * The last branch of a condition with the rest.  As long as both lead to the same value, it
 * does not matter whether the condition holds: not before the one that does
 * not count has changed as well.  NULL if they can't be compared for any row.
 */
static char *
last_branch(TimeWalk *walk, Branch *branch, Node *defresult, char *rest)
{
	char	   *finite = rule_finite_times(branch->result, walk->relation);
	char	   *finite_rest = rule_finite_times(defresult, walk->relation);
	char	   *differ;
	char	   *same;
	char	   *held;

	if (exprType(branch->result) != BOOLOID ||
		(IsA(branch->result, Const) && IsA(defresult, Const) && !equal(branch->result, defresult)))
		return NULL;
	if (branch->flip == NULL || branch->condition == NULL || finite == NULL || finite_rest == NULL ||
		strlen(branch->flip) + (branch->change == NULL ? 0 : strlen(branch->change)) +
		(rest == NULL ? 0 : strlen(rest)) > LONGEST_COMPARED)
		return NULL;
	differ = nest_branches(list_make1(branch), rest);
	held = earlier(branch->change, later(branch->flip, rest));
	same = earlier(rest, later(branch->flip, branch->change));
	same = psprintf("CASE WHEN %s THEN %s ELSE %s END", branch->condition,
					held == NULL ? "NULL::timestamptz" : held, same == NULL ? "NULL::timestamptz" : same);
	return psprintf("CASE WHEN %s%s((%s) IS NOT DISTINCT FROM (%s)) THEN %s ELSE %s END",
					finite, finite_rest, walk_text(walk, branch->result), walk_text(walk, defresult), same, differ);
}

/* That no branch holds, as SQL. */
static char *
none_holds(List *branches)
{
	StringInfoData sql;
	ListCell   *lc;

	initStringInfo(&sql);
	foreach(lc, branches)
	{
		Branch	   *branch = lfirst(lc);

		if (branch->condition != NULL)
			appendStringInfo(&sql, " WHEN %s THEN false", branch->condition);
	}
	return sql.len == 0 ? "true" : psprintf("CASE%s ELSE true END", sql.data);
}

/*
 * CASE WHEN …: a branch matters where its condition holds and those before it
 * do not.  A condition that moves has instants of its own; until then it holds
 * or does not as it does now.
 */
void
branches_analyze(TimeWalk *walk, CaseExpr *expr)
{
	bool		outer_conditional = walk->conditional;
	List	   *branches = NIL;
	List	   *before = NIL;
	char	   *rest;
	ListCell   *lc;

	walk->conditional = outer_conditional || expr->arg != NULL;
	walk_add(walk, walk_earliest(walk, (Node *) expr->arg));
	foreach(lc, expr->args)
	{
		CaseWhen   *when = lfirst_node(CaseWhen, lc);
		Branch	   *branch = palloc0(sizeof(Branch));

		if (list_length(branches) == MOST_NESTED)
		{
			walk_add(walk, walk_guarded(none_holds(before), nest_branches(branches, NULL)));
			before = list_concat(before, branches);
			branches = NIL;
		}
		branches = lappend(branches, branch);
		branch->flip = walk_earliest(walk, (Node *) when->expr);
		if (expr->arg == NULL &&
			(!walk->conditional || rule_is_harmless_evaluated((Node *) when->expr)))
			branch->condition = walk_text(walk, (Node *) when->expr);
		else
			/* a condition that is no guard must not be taken for one */
			walk->conditional = true;
		branch->change = walk_earliest(walk, (Node *) when->result);
		branch->result = (Node *) when->result;
	}
	rest = walk_earliest(walk, (Node *) expr->defresult);
	if (expr->defresult != NULL && list_length(branches) > 0)
	{
		char	   *compared = last_branch(walk, llast(branches), (Node *) expr->defresult, rest);

		if (compared != NULL)
		{
			branches = list_truncate(branches, list_length(branches) - 1);
			rest = compared;
		}
	}
	walk_add(walk, walk_guarded(none_holds(before), nest_branches(branches, rest)));
	walk->conditional = outer_conditional;
}
