/*
 * harmless.c
 *		Which expressions can be evaluated for any row without raising an error.
 *
 * Crossings are computed for rows for which the comparison itself may never be
 * evaluated, since something before it decides; and a value that steps with
 * time is evaluated at instants that are still to come.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "lib/stringinfo.h"
#include "nodes/nodeFuncs.h"
#include "rule/local.h"
#include "rule/rule.h"
#include "utils/fmgroids.h"

/* Functions of times and numbers which fail only outside history, or far from any number met. */
static const Oid harmless_functions[] = {
	F_TIMESTAMPTZ_PL_INTERVAL, F_TIMESTAMPTZ_MI_INTERVAL, F_TIMESTAMP_PL_INTERVAL,
	F_TIMESTAMP_MI_INTERVAL, F_DATE_PL_INTERVAL, F_DATE_MI_INTERVAL,
	F_INTERVAL_PL_TIMESTAMPTZ, F_INTERVAL_PL_TIMESTAMP, F_INTERVAL_PL_DATE,
	F_DATE_PLI, F_DATE_MII, F_INTEGER_PL_DATE,
	F_INTERVAL_PL, F_INTERVAL_MI, F_INTERVAL_UM, F_INTERVAL_MUL, F_MUL_D_INTERVAL,
	F_INT2PL, F_INT2MI, F_INT4PL, F_INT4MI, F_INT4MUL, F_INT8PL, F_INT8MI, F_INT8MUL, F_INT4UM, F_INT8UM,
	F_FLOAT8PL, F_FLOAT8MI, F_FLOAT8MUL, F_FLOAT8UM, F_FLOAT8_NUMERIC, F_NUMERIC_FLOAT8,
	F_NUMERIC_ADD, F_NUMERIC_SUB, F_NUMERIC_MUL, F_NUMERIC_UMINUS,
	F_NUMERIC_INT4, F_NUMERIC_INT8, F_INT8_INT4, F_INT4_NUMERIC,
	F_FLOAT8_INT2, F_FLOAT8_INT4, F_FLOAT8_INT8, F_FLOAT8_FLOAT4,
	F_ABS_INT4, F_ABS_INT8, F_ABS_NUMERIC, F_ABS_FLOAT8, F_FLOOR_NUMERIC, F_FLOOR_FLOAT8,
	F_ROUND_NUMERIC, F_ROUND_NUMERIC_INT4, F_ROUND_FLOAT8, F_DROUND, F_TRUNC_NUMERIC, F_TRUNC_FLOAT8,
	F_CEIL_NUMERIC, F_CEIL_FLOAT8, F_CEILING_NUMERIC, F_CEILING_FLOAT8, F_INT8_FLOAT8, F_INT8_NUMERIC,
	F_LOWER_TEXT, F_UPPER_TEXT, F_TO_CHAR_TIMESTAMP_TEXT, F_TO_CHAR_TIMESTAMPTZ_TEXT
};

/* Those which fail if a time is infinite. */
static const Oid subtracting_functions[] = {
	F_TIMESTAMPTZ_MI, F_TIMESTAMP_MI, F_DATE_MI,
	F_AGE_TIMESTAMPTZ_TIMESTAMPTZ, F_AGE_TIMESTAMP_TIMESTAMP
};

/* Those which fail unless their first argument, a unit, a field or a zone, is one. */
static const Oid named_functions[] = {
	F_DATE_TRUNC_TEXT_TIMESTAMP, F_DATE_TRUNC_TEXT_TIMESTAMPTZ, F_DATE_TRUNC_TEXT_TIMESTAMPTZ_TEXT,
	F_TIMEZONE_TEXT_TIMESTAMPTZ, F_TIMEZONE_TEXT_TIMESTAMP,
	F_EXTRACT_TEXT_DATE, F_EXTRACT_TEXT_TIMESTAMP, F_EXTRACT_TEXT_TIMESTAMPTZ, F_EXTRACT_TEXT_INTERVAL,
	F_DATE_PART_TEXT_DATE, F_DATE_PART_TEXT_TIMESTAMP, F_DATE_PART_TEXT_TIMESTAMPTZ,
	F_DATE_PART_TEXT_INTERVAL
};

/* Those which fail if their second argument is zero. */
static const Oid dividing_functions[] = {
	F_INT4DIV, F_INT4MOD, F_INT8DIV, F_INT8MOD, F_MOD_INT4_INT4, F_MOD_INT8_INT8, F_NUMERIC_DIV,
	F_NUMERIC_MOD, F_MOD_NUMERIC_NUMERIC, F_FLOAT8DIV, F_INTERVAL_DIV
};

/* What is to be done with an expression. */
typedef enum Purpose
{
	PURPOSE_FLIP,				/* its fixed parts evaluated, for any row */
	PURPOSE_FINITE,				/* evaluated, for any row whose times are finite */
	PURPOSE_ANY_ROW,			/* evaluated, for any row */
	PURPOSE_LATER				/* evaluated at any instant, for a row for which it is now */
} Purpose;

static bool
is_among(Oid function, const Oid *functions, int count)
{
	for (int i = 0; i < count; i++)
	{
		if (functions[i] == function)
			return true;
	}
	return false;
}

/*
 * A constant that is not zero: every division by one succeeds, and one that
 * does not succeed fails whatever the row.
 */
static bool
is_divisor(Node *node)
{
	double		number;

	return rule_constant_number(node, &number) && number != 0;
}

static bool is_harmless(Node *node, Purpose purpose);
static bool all_harmless(List *nodes, Purpose purpose);

/* Is a constant the name that a function takes: of a zone, of a unit to cut off to, of a field? */
static bool
is_name(Oid function, Node *node)
{
	Const	   *value = (Const *) node;
	LocalZone	zone;
	int			unit;

	if (!IsA(node, Const) || value->consttype != TEXTOID)
		return false;
	if (value->constisnull)
		return true;
	if (function == F_TIMEZONE_TEXT_TIMESTAMPTZ || function == F_TIMEZONE_TEXT_TIMESTAMP)
		return local_zone(DatumGetTextPP(value->constvalue), &zone);
	if (function == F_DATE_TRUNC_TEXT_TIMESTAMP || function == F_DATE_TRUNC_TEXT_TIMESTAMPTZ ||
		function == F_DATE_TRUNC_TEXT_TIMESTAMPTZ_TEXT)
		return local_unit(DatumGetTextPP(value->constvalue), &unit);
	return true;
}

static bool
contains_now(Node *node, void *context)
{
	return node != NULL && (rule_is_now(node) || expression_tree_walker(node, contains_now, context));
}

static bool
is_harmless_call(Oid function, List *args, Purpose purpose)
{
	if (!all_harmless(args, purpose))
		return false;
	if (is_among(function, harmless_functions, lengthof(harmless_functions)))
		return true;
	/* of a chain from now(), steps of infinite times and unknown zones give no instant, and no error */
	if (is_among(function, subtracting_functions, lengthof(subtracting_functions)))
		return purpose == PURPOSE_LATER || purpose == PURPOSE_FINITE ||
			(purpose == PURPOSE_FLIP && contains_now((Node *) args, NULL));
	if (is_among(function, named_functions, lengthof(named_functions)))
		return (is_name(function, linitial(args)) ||
				((purpose == PURPOSE_LATER || (purpose == PURPOSE_FLIP && contains_now((Node *) args, NULL))) &&
				 (function == F_TIMEZONE_TEXT_TIMESTAMPTZ || function == F_TIMEZONE_TEXT_TIMESTAMP))) &&
			(list_length(args) < 3 || is_name(F_TIMEZONE_TEXT_TIMESTAMPTZ, lthird(args)));
	return is_among(function, dividing_functions, lengthof(dividing_functions)) &&
		is_divisor(lsecond(args));
}

/* A cast between dates and times, which fails only outside history. */
static bool
is_time_cast(FuncExpr *func)
{
	/* AT TIME ZONE is a format of its own, and no cast */
	return func->funcid < FirstNormalObjectId &&
		(func->funcformat == COERCE_EXPLICIT_CAST || func->funcformat == COERCE_IMPLICIT_CAST) &&
		(func->funcresulttype == TIMESTAMPTZOID || func->funcresulttype == TIMESTAMPOID ||
		 func->funcresulttype == DATEOID);
}

static bool
is_harmless_case(CaseExpr *expr, Purpose purpose)
{
	ListCell   *lc;

	foreach(lc, expr->args)
	{
		CaseWhen   *when = lfirst_node(CaseWhen, lc);

		if (!is_harmless((Node *) when->expr, purpose) || !is_harmless((Node *) when->result, purpose))
			return false;
	}
	return expr->arg == NULL && is_harmless((Node *) expr->defresult, purpose);
}

static bool
is_harmless(Node *node, Purpose purpose)
{
	if (node == NULL || IsA(node, Var) || IsA(node, Const) || IsA(node, Aggref) || rule_is_now(node))
		return true;
	switch (nodeTag(node))
	{
		case T_RelabelType:
			return is_harmless((Node *) ((RelabelType *) node)->arg, purpose);
		case T_FieldSelect:
			return is_harmless((Node *) ((FieldSelect *) node)->arg, purpose);
		case T_NullTest:
			return is_harmless((Node *) ((NullTest *) node)->arg, purpose);
		case T_BooleanTest:
			return is_harmless((Node *) ((BooleanTest *) node)->arg, purpose);
		case T_BoolExpr:
			return all_harmless(((BoolExpr *) node)->args, purpose);
		case T_CoalesceExpr:
			return all_harmless(((CoalesceExpr *) node)->args, purpose);
		case T_CaseExpr:
			return is_harmless_case((CaseExpr *) node, purpose);
		case T_MinMaxExpr:
			return all_harmless(((MinMaxExpr *) node)->args, purpose);
		case T_ArrayExpr:
			return all_harmless(((ArrayExpr *) node)->elements, purpose);
		case T_FuncExpr:
			if (is_time_cast((FuncExpr *) node))
				return all_harmless(((FuncExpr *) node)->args, purpose);
			return is_harmless_call(((FuncExpr *) node)->funcid, ((FuncExpr *) node)->args, purpose);
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
			if (segment_operator_orders(((OpExpr *) node)->opno) != NIL)
				return all_harmless(((OpExpr *) node)->args, purpose);
			return is_harmless_call(((OpExpr *) node)->opfuncid, ((OpExpr *) node)->args, purpose);
		case T_ScalarArrayOpExpr:
			return segment_operator_orders(((ScalarArrayOpExpr *) node)->opno) != NIL &&
				all_harmless(((ScalarArrayOpExpr *) node)->args, purpose);
		default:
			return false;
	}
}

static bool
all_harmless(List *nodes, Purpose purpose)
{
	ListCell   *lc;

	foreach(lc, nodes)
	{
		if (!is_harmless(lfirst(lc), purpose))
			return false;
	}
	return true;
}

bool
rule_is_harmless(Node *node)
{
	return is_harmless(node, PURPOSE_FLIP);
}

bool
rule_stays_harmless(Node *node)
{
	return is_harmless(node, PURPOSE_LATER);
}

bool
rule_is_harmless_evaluated(Node *node)
{
	return is_harmless(node, PURPOSE_ANY_ROW);
}

typedef struct FiniteTimes
{
	Oid			relation;
	StringInfoData sql;
} FiniteTimes;

/* The operands of inner differences before those of outer ones. */
static bool
finite_walker(Node *node, void *context)
{
	FiniteTimes *times = context;
	Oid			function;
	List	   *args;
	ListCell   *lc;

	if (node == NULL || IsA(node, Aggref))
		return false;
	expression_tree_walker(node, finite_walker, times);
	if (!IsA(node, OpExpr) && !IsA(node, FuncExpr))
		return false;
	function = IsA(node, OpExpr) ? ((OpExpr *) node)->opfuncid : ((FuncExpr *) node)->funcid;
	args = IsA(node, OpExpr) ? ((OpExpr *) node)->args : ((FuncExpr *) node)->args;
	if (!is_among(function, subtracting_functions, lengthof(subtracting_functions)))
		return false;
	foreach(lc, args)
	{
		if (!rule_is_now(lfirst(lc)))
			appendStringInfo(&times->sql, "pg_catalog.isfinite(%s) AND ",
							 rule_deparse(lfirst(lc), times->relation));
	}
	return false;
}

char *
rule_finite_times(Node *node, Oid relation)
{
	FiniteTimes times = {relation};

	if (!is_harmless(node, PURPOSE_FINITE))
		return NULL;
	initStringInfo(&times.sql);
	finite_walker(node, &times);
	return times.sql.data;
}
