/*
 * comparison.c
 *		When a comparison with one moving side flips next.
 */
#include "postgres.h"

#include <math.h>

#include "access/stratnum.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "nodes/nodeFuncs.h"
#include "rule/analysis.h"

/* The operator as btree sees it (ROWCOMPARE_NE for <>), or InvalidStrategy. */
static int
strategy_of(Oid operator)
{
	List	   *orders = segment_operator_orders(operator);
	ListCell   *lc;

	foreach(lc, orders)
		return segment_order_strategy(lfirst(lc));
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
		case BTGreaterStrategyNumber:
			return BTLessStrategyNumber;
		default:
			return strategy;
	}
}

/* How "moving <strategy> fixed" flips, in the words of segment.next_flip. */
static const char *
flip_name(int strategy)
{
	switch (strategy)
	{
		case BTGreaterEqualStrategyNumber:
		case BTLessStrategyNumber:
			return "reaches";
		case BTGreaterStrategyNumber:
		case BTLessEqualStrategyNumber:
			return "passes";
		default:
			return "either";
	}
}

/* Can the chain be compared with a value of this type?  Adds the step that it takes. */
static bool
comparable(Chain *chain, Oid type)
{
	switch (chain->domain)
	{
		case CHAIN_INSTANT:
			return type == TIMESTAMPTZOID || type == TIMESTAMPOID || type == DATEOID;
		case CHAIN_LOCAL:
		case CHAIN_DATE:
			if (type == TIMESTAMPTZOID)
				chain_append(chain, "instant", "''::text");
			return type == TIMESTAMPTZOID || type == TIMESTAMPOID || type == DATEOID;
		case CHAIN_SPAN:
		case CHAIN_AGE:
		case CHAIN_SUM:
			return type == INTERVALOID;
		case CHAIN_NUMBER:
			if (type != INT2OID && type != INT4OID && type != INT8OID && type != NUMERICOID &&
				type != FLOAT8OID)
				return false;
			/* a factor that is not whole: the flip is looked for beside the instant, too */
			chain_append(chain, "number", psprintf("'%.17g'::float8", chain->rounded ?
												   nextafter(chain->factor, 0) : chain->factor));
			return true;
		default:
			return false;
	}
}

/* The simplest and most frequent case has a function of its own, which costs less. */
static char *
flip_of_shift(const Chain *chain, const char *how, Oid type, const char *target)
{
	const char *shift = strstr(chain->steps.data, "'shift'::text, ");

	if (chain->domain != CHAIN_INSTANT || strcmp(how, "either") == 0)
		return NULL;
	if (chain->count == 0)
		shift = "'00:00:00'::interval";
	else if (chain->count == 1 && shift != NULL)
		shift += strlen("'shift'::text, ");
	else
		return NULL;
	return psprintf("segment.crossing(%s, %s, %s)", target, shift,
					strcmp(how, "passes") == 0 ? "true" : "false");
}

/* moving <strategy> target; target is SQL of a type. */
static char *
flip_of_chain(Chain *chain, int strategy, Oid type, const char *target)
{
	const char *how = flip_name(strategy);
	char	   *simple = flip_of_shift(chain, how, type, target);

	if (simple != NULL)
		return simple;
	if (chain->count == 0)
		chain_append(chain, "shift", "'00:00:00'::interval");
	return psprintf("segment.next_flip('%s'::text, (%s)::%s%s)", how, target,
					catalog_type_name(type), chain->steps.data);
}

static char *flip_of_sides(const TimeWalk *walk, Node *moving, int strategy, Oid type, const char *target);

/* The least of the flips of several values compared with the same. */
static char *
flip_of_any(const TimeWalk *walk, List *values, int strategy, Oid type, const char *target)
{
	StringInfoData sql;
	ListCell   *lc;

	initStringInfo(&sql);
	foreach(lc, values)
	{
		char	   *flip;

		if (!walk_moving(walk, lfirst(lc)))
			continue;
		flip = flip_of_sides(walk, lfirst(lc), strategy, type, target);
		if (flip == NULL)
			return NULL;
		appendStringInfo(&sql, "%s%s", sql.len == 0 ? "LEAST(" : ", ", flip);
	}
	appendStringInfoChar(&sql, ')');
	return sql.data;
}

/*
 * LEAST or GREATEST of several values, compared.  One that steps may pass over
 * the target without ever being equal to it, and yet end the equality of another.
 */
static char *
flip_of_extreme(const TimeWalk *walk, List *values, int strategy, Oid type, const char *target)
{
	char	   *reaches;
	char	   *passes;

	if (strcmp(flip_name(strategy), "either") != 0)
		return flip_of_any(walk, values, strategy, type, target);
	reaches = flip_of_any(walk, values, BTGreaterEqualStrategyNumber, type, target);
	passes = flip_of_any(walk, values, BTGreaterStrategyNumber, type, target);
	return reaches == NULL || passes == NULL ? NULL : psprintf("LEAST(%s, %s)", reaches, passes);
}

/* The results of a CASE if it chooses among them by what does not move, or NIL. */
static List *
case_results(const TimeWalk *walk, CaseExpr *expr)
{
	List	   *results = NIL;
	ListCell   *lc;

	if (expr->arg != NULL)
		return NIL;
	foreach(lc, expr->args)
	{
		CaseWhen   *when = lfirst_node(CaseWhen, lc);

		if (walk_moving(walk, (Node *) when->expr))
			return NIL;
		results = lappend(results, when->result);
	}
	return expr->defresult == NULL ? results : lappend(results, expr->defresult);
}

/* What a node chooses among, if it can be evaluated where it is looked at; or NIL. */
static List *
values_of_choice(const TimeWalk *walk, Node *node)
{
	List	   *values;
	ListCell   *lc;

	if (IsA(node, MinMaxExpr))
		return ((MinMaxExpr *) node)->args;
	if (IsA(node, CoalesceExpr))
		values = ((CoalesceExpr *) node)->args;
	else if (IsA(node, CaseExpr))
		values = case_results(walk, (CaseExpr *) node);
	else
		return NIL;
	foreach(lc, values)
	{
		bool		always = IsA(node, CaseExpr) || foreach_current_index(lc) == 0;

		if (!always && !rule_is_harmless(lfirst(lc)))
			return NIL;
	}
	return values;
}

/*
 * The first choice on the way down from a node, or NULL.  Among times, what is
 * made of a choice need not rise with each of them.
 */
static Node *
find_choice(const TimeWalk *walk, Node *node)
{
	List	   *args = NIL;
	ListCell   *lc;

	if (!walk_moving(walk, node))
		return NULL;
	if (values_of_choice(walk, node) != NIL)
		return IsA(node, MinMaxExpr) && exprType(node) != FLOAT8OID &&
			exprType(node) != NUMERICOID ? NULL : node;
	if (IsA(node, OpExpr))
		args = ((OpExpr *) node)->args;
	else if (IsA(node, FuncExpr))
		args = ((FuncExpr *) node)->args;
	foreach(lc, args)
	{
		Node	   *found = find_choice(walk, lfirst(lc));

		if (found != NULL)
			return found;
	}
	return NULL;
}

/* One of the values in place of the choice among them. */
typedef struct Decision
{
	Node	   *choice;
	Node	   *value;
} Decision;

static Node *
decide_mutator(Node *node, void *context)
{
	Decision   *decision = context;

	if (node == NULL)
		return NULL;
	if (node == decision->choice)
		return decision->value;
	return expression_tree_mutator(node, decide_mutator, context);
}

static char *flip_of_case(const TimeWalk *walk, Node *moving, CaseExpr *choice, int strategy, Oid type,
						  const char *target);

/*
 * A choice among values, of which something is made that only rises or only
 * falls with each: that flips when it would for one of the values.
 */
static char *
flip_of_choice(const TimeWalk *walk, Node *moving, int strategy, Oid type, const char *target)
{
	Decision	decision = {find_choice(walk, moving), NULL};
	List	   *decided = NIL;
	ListCell   *lc;

	if (decision.choice == NULL || decision.choice == moving)
		return NULL;
	if (IsA(decision.choice, CaseExpr))
		return flip_of_case(walk, moving, (CaseExpr *) decision.choice, strategy, type, target);
	foreach(lc, values_of_choice(walk, decision.choice))
	{
		decision.value = lfirst(lc);
		decided = lappend(decided, decide_mutator(moving, &decision));
	}
	return IsA(decision.choice, MinMaxExpr) ? flip_of_extreme(walk, decided, strategy, type, target) :
		flip_of_any(walk, decided, strategy, type, target);
}

/* The operator of an order, or NULL. */
static const char *
order_name(int strategy)
{
	switch (strategy)
	{
		case BTLessStrategyNumber:
			return "<";
		case BTLessEqualStrategyNumber:
			return "<=";
		case BTGreaterEqualStrategyNumber:
			return ">=";
		case BTGreaterStrategyNumber:
			return ">";
		default:
			return NULL;
	}
}

/* GREATEST(a, b) > target is a > target OR b > target, and so on. */
static char *
flip_of_min_max(const TimeWalk *walk, MinMaxExpr *expr, int strategy, Oid type, const char *target)
{
	bool		above = strategy == BTGreaterStrategyNumber || strategy == BTGreaterEqualStrategyNumber;
	bool		conjunction = (expr->op == IS_LEAST) == above;
	List	   *conditions = NIL;
	List	   *instants = NIL;
	ListCell   *lc;

	foreach(lc, expr->args)
	{
		char	   *finite = rule_finite_times(lfirst(lc), walk->relation);
		char	   *flip = NULL;

		if (order_name(strategy) == NULL || finite == NULL)
			return flip_of_extreme(walk, expr->args, strategy, type, target);
		if (walk_moving(walk, lfirst(lc)))
		{
			flip = flip_of_sides(walk, lfirst(lc), strategy, type, target);
			if (flip == NULL)
				return NULL;
		}
		conditions = lappend(conditions,
							 psprintf("%s((%s) %s (%s)) IS %s", finite, walk_text(walk, lfirst(lc)),
									  order_name(strategy), target, conjunction ? "FALSE" : "TRUE"));
		instants = lappend(instants, flip);
	}
	return walk_combine(conditions, instants);
}

/* A CASE whose conditions do not move, or what is made of it: the branch is known. */
static char *
flip_of_case(const TimeWalk *walk, Node *moving, CaseExpr *choice, int strategy, Oid type,
			 const char *target)
{
	Decision	decision = {(Node *) choice, NULL};
	StringInfoData sql;
	int			count = list_length(choice->args) + (choice->defresult == NULL ? 0 : 1);

	initStringInfo(&sql);
	appendStringInfoString(&sql, "CASE");
	for (int i = 0; i < count; i++)
	{
		CaseWhen   *when = i < list_length(choice->args) ? list_nth(choice->args, i) : NULL;
		Node	   *decided;
		char	   *flip = "NULL::timestamptz";

		decision.value = when != NULL ? (Node *) when->result : (Node *) choice->defresult;
		decided = decide_mutator(moving, &decision);
		if (walk_moving(walk, decided))
			flip = flip_of_sides(walk, decided, strategy, type, target);
		if (flip == NULL)
			return NULL;
		if (when != NULL)
			appendStringInfo(&sql, " WHEN %s THEN %s", walk_text(walk, (Node *) when->expr), flip);
		else
			appendStringInfo(&sql, " ELSE %s", flip);
	}
	appendStringInfoString(&sql, " END");
	return sql.data;
}

/*
 * moving <strategy> target.  What chooses among values, and whose choice moves
 * with these values alone, flips when one of them does.
 */
static char *
flip_of_sides(const TimeWalk *walk, Node *moving, int strategy, Oid type, const char *target)
{
	Chain		chain;
	char	   *own = own_flip(walk, moving, flip_name(strategy), type, target);
	List	   *values;

	if (own != NULL)
		return own;
	values = values_of_choice(walk, moving);
	if (IsA(moving, MinMaxExpr))
		return flip_of_min_max(walk, (MinMaxExpr *) moving, strategy, type, target);
	if (IsA(moving, CaseExpr) && values != NIL)
		return flip_of_case(walk, moving, (CaseExpr *) moving, strategy, type, target);
	if (values != NIL)
		return flip_of_any(walk, values, strategy, type, target);
	if (!chain_of(walk, moving, &chain))
		return flip_of_choice(walk, moving, strategy, type, target);
	if (!comparable(&chain, type))
		return NULL;
	return flip_of_chain(&chain, strategy, type, target);
}

/* moving = ANY (fixed), and its like: the flips of the comparison with each element. */
static char *
flip_of_array(const TimeWalk *walk, ScalarArrayOpExpr *op)
{
	Node	   *moving = linitial(op->args);
	Node	   *array = lsecond(op->args);
	Oid			type = getBaseType(get_element_type(getBaseType(exprType(array))));
	int			strategy = strategy_of(op->opno);
	char	   *flip;

	if (strategy == InvalidStrategy || !OidIsValid(type) ||
		!walk_moving(walk, moving) || walk_moving(walk, array) ||
		!search_can_enclose((Node *) op))
		return NULL;
	flip = flip_of_sides(walk, moving, strategy, type, "__segment_element");
	if (flip == NULL)
		return NULL;
	return psprintf("(SELECT pg_catalog.min(%s) FROM pg_catalog.unnest(%s) __segment_elements(__segment_element))",
					flip, walk_text(walk, array));
}

char *
comparison_flip(const TimeWalk *walk, Node *node)
{
	OpExpr	   *op = (OpExpr *) node;
	Node	   *left,
			   *right;
	int			strategy;

	if (IsA(node, ScalarArrayOpExpr))
		return flip_of_array(walk, (ScalarArrayOpExpr *) node);
	if ((!IsA(node, OpExpr) && !IsA(node, DistinctExpr) && !IsA(node, NullIfExpr)) ||
		list_length(op->args) != 2)
		return NULL;
	strategy = strategy_of(op->opno);
	left = linitial(op->args);
	right = lsecond(op->args);
	if (strategy == InvalidStrategy)
		return NULL;
	if (walk_moving(walk, left) && walk_moving(walk, right))
		return IsA(node, NullIfExpr) ? NULL : decaying_flip_of_both(walk, left, right);
	if (!walk_moving(walk, left) && !walk_moving(walk, right))
		return NULL;
	if (walk_moving(walk, right))
	{
		/* NULLIF has the value of its left side */
		Node	   *swap = left;

		left = right;
		right = swap;
		strategy = commute(strategy);
	}
	else if (IsA(node, NullIfExpr))
		return NULL;
	return flip_of_sides(walk, left, strategy, getBaseType(exprType(right)), walk_text(walk, right));
}

/* A comparison as "moving <strategy> fixed"; false if it is none. */
static bool
sides_of(const TimeWalk *walk, Node *node, Node **moving, int *strategy, Node **fixed)
{
	OpExpr	   *op = (OpExpr *) node;
	bool		left;

	if (!IsA(node, OpExpr) || list_length(op->args) != 2)
		return false;
	left = walk_moving(walk, linitial(op->args));
	*moving = left ? linitial(op->args) : lsecond(op->args);
	*fixed = left ? lsecond(op->args) : linitial(op->args);
	*strategy = left ? strategy_of(op->opno) : commute(strategy_of(op->opno));
	return !walk_moving(walk, *fixed);
}

char *
comparison_within(const TimeWalk *walk, Node *first, Node *second)
{
	Node	   *moving[2];
	Node	   *fixed[2];
	int			strategy[2];
	Oid			type;
	Chain		chain;

	if (!sides_of(walk, first, &moving[0], &strategy[0], &fixed[0]) ||
		!sides_of(walk, second, &moving[1], &strategy[1], &fixed[1]) || !equal(moving[0], moving[1]) ||
		!((strategy[0] == BTGreaterEqualStrategyNumber && strategy[1] == BTLessEqualStrategyNumber) ||
		  (strategy[0] == BTLessStrategyNumber && strategy[1] == BTGreaterStrategyNumber)))
		return NULL;
	type = getBaseType(exprType(fixed[0]));
	if (!rule_is_harmless_evaluated(fixed[0]) || !rule_is_harmless_evaluated(fixed[1]) ||
		getBaseType(exprType(fixed[1])) != type || !chain_of(walk, moving[0], &chain) ||
		!chain.stepping || !comparable(&chain, type) || chain.count == 0)
		return NULL;
	return psprintf("segment.next_flip_within((%s)::%s, (%s)::%s%s)", walk_text(walk, fixed[0]),
					catalog_type_name(type), walk_text(walk, fixed[1]), catalog_type_name(type),
					chain.steps.data);
}
