/*
 * decaying.c
 *		Values that lose half of themselves in every half-life.
 *
 * Such are the sums of segment.engagement, and what is made of sums of one
 * half-life by operations that keep proportions.  When one of them reaches a
 * value that does not move has a closed form.  After steps such as adding a
 * constant or rounding, the value before them at which the result reaches a
 * target is searched for instead (decay_steps.c).
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "rule/analysis.h"
#include "rule/crossing.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

/* What is known of a value that decays as a whole. */
typedef struct Decaying
{
	const TimeWalk *walk;
	Const	   *half_life;		/* NULL: of nothing yet, since it is always 0 */
	List	   *sums;			/* of String: the sums it is made of */
} Decaying;

/* Such a value, and the steps that follow. */
typedef struct Stepped
{
	Decaying	decaying;
	Node	   *value;
	StringInfoData steps;		/* ", step, argument" again and again */
	bool		numeric;		/* what comes out of them is a numeric, not a float8 */
	bool		whole;			/* and is a whole number, times or plus what stands still */
} Stepped;

static bool is_decaying(Node *node, Decaying *decaying);

static bool
is_fixed(const Decaying *decaying, Node *node)
{
	return !walk_moving(decaying->walk, node);
}

/* One more sum, of the same half-life. */
static bool
add_sum(Decaying *decaying, Const *half_life, char *text)
{
	if (decaying->half_life != NULL && !equal(decaying->half_life, half_life))
		return false;
	decaying->half_life = half_life;
	if (text != NULL)
		decaying->sums = list_append_unique(decaying->sums, makeString(text));
	return true;
}

/* segment.engagement over the stream, of events and with a half-life that stand still. */
static bool
is_sum(Node *node, Decaying *decaying)
{
	Const	   *half_life = own_half_life(decaying->walk, node);

	return half_life != NULL && add_sum(decaying, half_life, walk_text(decaying->walk, node));
}

/* A column of the row that holds such a value of the events. */
static bool
is_column(Node *node, Decaying *decaying)
{
	const SegmentTable *table = decaying->walk->columns;
	TimeWalk	events_walk = *decaying->walk;
	Decaying	score = {&events_walk};
	Column	   *column;

	if (table == NULL)
		return false;
	column = catalog_find_column(table, get_attname(table->relid, ((Var *) node)->varattno, false));
	if (column == NULL || column->over != OVER_EVENTS)
		return false;
	events_walk.columns = NULL;
	events_walk.relation = table->events;
	return is_decaying(rule_parse_canonical(table, column->expression, table->events), &score) &&
		score.half_life != NULL &&
		add_sum(decaying, score.half_life, walk_text(decaying->walk, node));
}

static bool
are_decaying(List *nodes, Decaying *decaying)
{
	ListCell   *lc;

	foreach(lc, nodes)
	{
		if (!is_decaying(lfirst(lc), decaying))
			return false;
	}
	return true;
}

/* What keeps the proportions of its arguments. */
static bool
is_proportional(Oid function, List *args, Decaying *decaying)
{
	switch (function)
	{
		case F_FLOAT8PL:
		case F_FLOAT8MI:
		case F_FLOAT8UM:
		case F_FLOAT8UP:
		case F_FLOAT8ABS:
		case F_ABS_FLOAT8:
		case F_NUMERIC_ADD:
		case F_NUMERIC_SUB:
		case F_NUMERIC_UMINUS:
		case F_NUMERIC_UPLUS:
		case F_ABS_NUMERIC:
		case F_NUMERIC_FLOAT8:
		case F_FLOAT8_NUMERIC:
			return are_decaying(args, decaying);
		case F_FLOAT8MUL:
		case F_NUMERIC_MUL:
			return is_fixed(decaying, linitial(args)) ? is_decaying(lsecond(args), decaying) :
				is_fixed(decaying, lsecond(args)) && is_decaying(linitial(args), decaying);
		case F_FLOAT8DIV:
		case F_NUMERIC_DIV:
			return is_fixed(decaying, lsecond(args)) && is_decaying(linitial(args), decaying);
		default:
			return false;
	}
}

/* CASE that does not move but for its results. */
static bool
is_decaying_case(CaseExpr *expr, Decaying *decaying)
{
	ListCell   *lc;

	if (!is_fixed(decaying, (Node *) expr->arg))
		return false;
	foreach(lc, expr->args)
	{
		CaseWhen   *when = lfirst_node(CaseWhen, lc);

		if (!is_fixed(decaying, (Node *) when->expr) || !is_decaying((Node *) when->result, decaying))
			return false;
	}
	return expr->defresult == NULL || is_decaying((Node *) expr->defresult, decaying);
}

static bool
is_nothing(Node *node)
{
	double		number;

	return IsA(node, Const) &&
		(((Const *) node)->constisnull || (rule_constant_number(node, &number) && number == 0));
}

static bool
is_decaying(Node *node, Decaying *decaying)
{
	check_stack_depth();
	switch (nodeTag(node))
	{
		case T_Aggref:
			return is_sum(node, decaying);
		case T_Var:
			return is_column(node, decaying);
		case T_Const:
			return is_nothing(node);
		case T_RelabelType:
			return is_decaying((Node *) ((RelabelType *) node)->arg, decaying);
		case T_OpExpr:
			return is_proportional(((OpExpr *) node)->opfuncid, ((OpExpr *) node)->args, decaying);
		case T_FuncExpr:
			if (is_fixed(decaying, node))
				return is_nothing(rule_fold(node));
			return is_proportional(((FuncExpr *) node)->funcid, ((FuncExpr *) node)->args, decaying);
		case T_MinMaxExpr:
			return are_decaying(((MinMaxExpr *) node)->args, decaying);
		case T_CoalesceExpr:
			return are_decaying(((CoalesceExpr *) node)->args, decaying);
		case T_CaseExpr:
			return is_decaying_case((CaseExpr *) node, decaying);
		default:
			return false;
	}
}

/* A step, and an argument that does not move. */
static bool
add_step(Stepped *stepped, const char *step, Node *argument, const char *format)
{
	char	   *text = "0";

	if (argument != NULL)
	{
		if (!is_fixed(&stepped->decaying, argument))
			return false;
		text = psprintf(format, walk_text(stepped->decaying.walk, argument),
						stepped->numeric ? "numeric" : "float8");
	}
	appendStringInfo(&stepped->steps, ", '%s'::text, %s", step, text);
	return true;
}

static bool steps_of(Node *node, Stepped *stepped);

/* An operator with one moving side. */
static bool
steps_of_operator(OpExpr *op, Stepped *stepped)
{
	bool		left;
	Node	   *other;

	if (list_length(op->args) != 2)
		return false;
	left = !is_fixed(&stepped->decaying, linitial(op->args));
	other = left ? lsecond(op->args) : linitial(op->args);
	if (!is_fixed(&stepped->decaying, other) ||
		!steps_of(left ? linitial(op->args) : lsecond(op->args), stepped))
		return false;
	switch (op->opfuncid)
	{
		case F_FLOAT8PL:
		case F_NUMERIC_ADD:
			return add_step(stepped, "plus", other, "(%s)::%s");
		case F_FLOAT8MI:
		case F_NUMERIC_SUB:
			if (left)
				return add_step(stepped, "plus", other, "- (%s)::%s");
			return add_step(stepped, "from", other, "(%s)::%s");
		case F_FLOAT8MUL:
		case F_NUMERIC_MUL:
			return add_step(stepped, "times", other, "(%s)::%s");
		case F_FLOAT8DIV:
		case F_NUMERIC_DIV:
			return left && add_step(stepped, "over", other, "(%s)::%s");
		default:
			return false;
	}
}

/* Cuts off to so many digits (NULL: none). */
static bool
add_rounding(Stepped *stepped, const char *step, Node *digits)
{
	stepped->whole |= digits == NULL;
	return add_step(stepped, step, digits, "(%s)::integer");
}

/* A cast to numeric(precision, scale), whose type modifier holds both. */
static bool
add_scale(Stepped *stepped, Node *typmod)
{
	Const	   *value = (Const *) typmod;
	int			scale;

	if (!IsA(typmod, Const) || value->constisnull)
		return false;
	/* eleven bits, with a sign */
	scale = (((DatumGetInt32(value->constvalue) - VARHDRSZ) & 0x7ff) ^ 1024) - 1024;
	stepped->whole |= scale <= 0;
	appendStringInfo(&stepped->steps, ", 'round'::text, %d", scale);
	return true;
}

/* Rounding, and casts that round. */
static bool
steps_of_function(FuncExpr *func, Stepped *stepped)
{
	if (!steps_of(linitial(func->args), stepped))
		return false;
	switch (func->funcid)
	{
		case F_NUMERIC_FLOAT8:
			stepped->numeric = true;
			return add_step(stepped, "numeric", NULL, NULL);
		case F_FLOAT8_NUMERIC:
			stepped->numeric = false;
			return add_step(stepped, "float8", NULL, NULL);
		case F_DROUND:
		case F_ROUND_FLOAT8:
		case F_INT2_FLOAT8:
		case F_INT4_FLOAT8:
		case F_INT8_FLOAT8:
		case F_ROUND_NUMERIC:
		case F_INT2_NUMERIC:
		case F_INT4_NUMERIC:
		case F_INT8_NUMERIC:
			return add_rounding(stepped, "round", NULL);
		case F_ROUND_NUMERIC_INT4:
			return add_rounding(stepped, "round", lsecond(func->args));
		case F_NUMERIC_NUMERIC_INT4:
			return add_scale(stepped, lsecond(func->args));
		case F_FLOOR_FLOAT8:
		case F_FLOOR_NUMERIC:
			return add_rounding(stepped, "floor", NULL);
		case F_CEIL_FLOAT8:
		case F_CEILING_FLOAT8:
		case F_CEIL_NUMERIC:
		case F_CEILING_NUMERIC:
			return add_rounding(stepped, "ceil", NULL);
		case F_TRUNC_FLOAT8:
		case F_TRUNC_NUMERIC:
			return add_rounding(stepped, "trunc", NULL);
		case F_TRUNC_NUMERIC_INT4:
			return add_rounding(stepped, "trunc", lsecond(func->args));
		default:
			return false;
	}
}

/* The steps that lead to a node from a value that decays. */
static bool
steps_of(Node *node, Stepped *stepped)
{
	Decaying	decaying = stepped->decaying;

	check_stack_depth();
	if (is_decaying(node, &decaying))
	{
		stepped->decaying = decaying;
		stepped->value = node;
		stepped->numeric = exprType(node) == NUMERICOID;
		if (stepped->numeric)
			add_step(stepped, "numeric", NULL, NULL);
		return decaying.half_life != NULL;
	}
	if (IsA(node, RelabelType))
		return steps_of((Node *) ((RelabelType *) node)->arg, stepped);
	if (IsA(node, OpExpr))
		return steps_of_operator((OpExpr *) node, stepped);
	if (IsA(node, FuncExpr) && ((FuncExpr *) node)->args != NIL)
		return steps_of_function((FuncExpr *) node, stepped);
	return false;
}

static bool
find_steps(const TimeWalk *walk, Node *node, Stepped *stepped)
{
	memset(stepped, 0, sizeof(Stepped));
	stepped->decaying.walk = walk;
	initStringInfo(&stepped->steps);
	return walk_moving(walk, node) && steps_of(node, stepped);
}

/*
 * Adds the instants at which nothing is left of the sums, in double precision:
 * then what is made of them may go down to nothing at once.
 */
static char *
with_ends(const char *flip, const Decaying *decaying, const char *half_life)
{
	StringInfoData sql;
	ListCell   *lc;

	initStringInfo(&sql);
	appendStringInfo(&sql, "LEAST(%s", flip);
	foreach(lc, decaying->sums)
		appendStringInfo(&sql, ", segment.next_decay(%s, 0, %s)", strVal(lfirst(lc)), half_life);
	appendStringInfoChar(&sql, ')');
	return sql.data;
}

/* The sum alone ends by itself. */
static bool
is_sum_alone(const Stepped *stepped)
{
	return IsA(stepped->value, Var) || IsA(stepped->value, Aggref);
}

/* When what the steps lead to, compared with a target, may flip. */
static char *
flip_of_steps(const Stepped *stepped, const char *how, const char *target)
{
	const TimeWalk *walk = stepped->decaying.walk;
	char	   *half_life = walk_text(walk, (Node *) stepped->decaying.half_life);
	char	   *flip = psprintf("segment.next_decay_flip('%s'::text, (%s)::float8, %s, (%s)::%s%s)",
								how, walk_text(walk, stepped->value), half_life, target,
								stepped->numeric ? "numeric" : "float8", stepped->steps.data);

	return is_sum_alone(stepped) ? flip : with_ends(flip, &stepped->decaying, half_life);
}

static bool
is_number(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID || type == NUMERICOID ||
		type == FLOAT8OID || type == FLOAT4OID;
}

/* When a value that decays as a whole passes a target. */
static char *
flip_of_value(const Stepped *stepped, const char *target)
{
	const TimeWalk *walk = stepped->decaying.walk;
	char	   *half_life = walk_text(walk, (Node *) stepped->decaying.half_life);
	char	   *flip = psprintf("segment.next_decay((%s)::float8, (%s)::float8, %s)",
								walk_text(walk, stepped->value), target, half_life);

	return is_sum_alone(stepped) ? flip : with_ends(flip, &stepped->decaying, half_life);
}

char *
decaying_flip(const TimeWalk *walk, Node *moving, const char *how, Oid type, const char *target)
{
	Stepped		stepped;

	if (!is_number(type) || !find_steps(walk, moving, &stepped))
		return NULL;
	return stepped.value == moving ? flip_of_value(&stepped, target) : flip_of_steps(&stepped, how, target);
}

/* A half-life in microseconds, as segment.engagement counts it. */
static double
length_of(const Const *half_life)
{
	return decay_half_life(DatumGetIntervalP(half_life->constvalue));
}

/*
 * Two values that decay, compared.  Of one half-life, their difference keeps
 * its sign to the end.  Else the one with the shorter half-life decays in
 * comparison with the other.
 */
char *
decaying_flip_of_both(const TimeWalk *walk, Node *left, Node *right)
{
	Decaying	a = {walk};
	Decaying	b = {walk};
	Decaying   *fast = &a;
	Decaying   *slow = &b;
	double		relative;
	char	   *flip;

	if (!is_decaying(left, &a) || !is_decaying(right, &b) || a.half_life == NULL || b.half_life == NULL)
		return NULL;
	if (length_of(a.half_life) > length_of(b.half_life))
	{
		Node	   *swap = left;

		left = right;
		right = swap;
		fast = &b;
		slow = &a;
	}
	relative = length_of(fast->half_life) / (1 - length_of(fast->half_life) / length_of(slow->half_life));
	if (relative < (double) PG_INT64_MAX / 2)
		flip = psprintf("segment.next_decay((%s)::float8, (%s)::float8, '%.6f seconds'::interval)",
						walk_text(walk, left), walk_text(walk, right),
						floor(relative) / USECS_PER_SEC);
	else
		flip = "NULL::timestamptz";
	flip = with_ends(flip, fast, walk_text(walk, (Node *) fast->half_life));
	return with_ends(flip, slow, walk_text(walk, (Node *) slow->half_life));
}

/*
 * With digits kept it would change all day long, and be looked at each time:
 * then it is left to be as exact as what it is made of.
 */
char *
decaying_change(const TimeWalk *walk, Node *node)
{
	Stepped		stepped;

	if (!find_steps(walk, node, &stepped) || !stepped.whole)
		return NULL;
	return flip_of_steps(&stepped, "either", walk_text(walk, node));
}

bool
decaying_is(const TimeWalk *walk, Node *node)
{
	Stepped		stepped;

	return find_steps(walk, node, &stepped);
}
