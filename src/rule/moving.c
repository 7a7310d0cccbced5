/*
 * moving.c
 *		Which parts of an expression move with time.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_aggregate.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "context.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "parser/parse_func.h"
#include "rule/rule.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

static Oid
segment_now_oid(void)
{
	List	   *name = list_make2(makeString("segment"), makeString("now"));

	return LookupFuncName(name, 0, NULL, false);
}

static Node *
make_now(void)
{
	return (Node *) makeFuncExpr(segment_now_oid(), TIMESTAMPTZOID, NIL,
								 InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL);
}

static Node *
make_now_as(Oid type, int32 typmod)
{
	return coerce_to_target_type(NULL, make_now(), TIMESTAMPTZOID, type, typmod,
								 COERCION_EXPLICIT, COERCE_EXPLICIT_CAST, -1);
}

/* age(x) is age(current_date at midnight, x) */
static Node *
make_age(FuncExpr *age, Oid type, Oid two_arguments)
{
	Node	   *midnight = coerce_to_target_type(NULL, make_now_as(DATEOID, -1), DATEOID,
												 type, -1, COERCION_EXPLICIT,
												 COERCE_EXPLICIT_CAST, -1);

	return (Node *) makeFuncExpr(two_arguments, INTERVALOID,
								 list_make2(midnight, linitial(age->args)),
								 InvalidOid, age->inputcollid, COERCE_EXPLICIT_CALL);
}

/*
 * A call of a user's function with the defaults of its other arguments, which
 * are parts of the expression as well: now() may be among them.
 */
static Node *
with_defaults(FuncExpr *func)
{
	HeapTuple	tuple;
	FuncExpr   *result = func;

	if (func->funcid < FirstNormalObjectId)
		return (Node *) func;
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(func->funcid));
	if (HeapTupleIsValid(tuple) &&
		list_length(func->args) < ((Form_pg_proc) GETSTRUCT(tuple))->pronargs)
	{
		result = copyObject(func);
		result->args = expand_function_arguments(result->args, false, func->funcresulttype, tuple);
	}
	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	return (Node *) result;
}

static Node *
replace_now_mutator(Node *node, void *context)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, FuncExpr))
	{
		node = with_defaults((FuncExpr *) node);
		switch (((FuncExpr *) node)->funcid)
		{
			case F_NOW:
			case F_TRANSACTION_TIMESTAMP:
			case F_STATEMENT_TIMESTAMP:
				return make_now();
			case F_AGE_TIMESTAMPTZ:
				node = make_age((FuncExpr *) node, TIMESTAMPTZOID, F_AGE_TIMESTAMPTZ_TIMESTAMPTZ);
				break;
			case F_AGE_TIMESTAMP:
				node = make_age((FuncExpr *) node, TIMESTAMPOID, F_AGE_TIMESTAMP_TIMESTAMP);
				break;
			default:
				break;
		}
	}
	if (IsA(node, SQLValueFunction))
	{
		SQLValueFunction *svf = (SQLValueFunction *) node;

		switch (svf->op)
		{
			case SVFOP_CURRENT_DATE:
			case SVFOP_CURRENT_TIME:
			case SVFOP_CURRENT_TIME_N:
			case SVFOP_CURRENT_TIMESTAMP:
			case SVFOP_CURRENT_TIMESTAMP_N:
			case SVFOP_LOCALTIME:
			case SVFOP_LOCALTIME_N:
			case SVFOP_LOCALTIMESTAMP:
			case SVFOP_LOCALTIMESTAMP_N:
				return make_now_as(svf->type, svf->typmod);
			default:
				break;
		}
	}
	return expression_tree_mutator(node, replace_now_mutator, context);
}

Node *
rule_replace_now(Node *node)
{
	return replace_now_mutator(node, NULL);
}

bool
rule_is_now(Node *node)
{
	return node != NULL && IsA(node, FuncExpr) && ((FuncExpr *) node)->args == NIL &&
		((FuncExpr *) node)->funcid == segment_now_oid();
}

/* Stable functions of PostgreSQL that depend on settings only, without an argument that shows it. */
static bool
is_formatting(Oid funcid)
{
	static const char *const names[] = {
		"concat", "concat_ws", "format", "to_char", "to_date", "to_timestamp", "to_number",
		"make_timestamptz", "to_json", "to_jsonb", "json_build_object", "jsonb_build_object",
		"json_build_array", "jsonb_build_array", "json_object", "array_to_string", "array_to_json",
		"row_to_json", "quote_literal", "quote_nullable", "string_to_array", "textanycat",
		"anytextcat", "json_agg", "jsonb_agg", "string_agg", "array_in", "record_out"
	};
	char	   *name = get_func_name(funcid);

	for (int i = 0; name != NULL && i < lengthof(names); i++)
	{
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

/*
 * Our own functions that depend on settings alone, which are pinned, and not on
 * the clock: on the time zone, or on how an interval in a pattern is read.
 */
static bool
depends_on_settings_alone(Oid funcid)
{
	static const char *const names[] = {
		"occasion_transition", "retention_periods_final", "sequence_transition",
		"sequence_match_final", "sequence_count_final", "sequence_events_final"
	};
	char	   *schema = get_namespace_name(get_func_namespace(funcid));
	char	   *name = get_func_name(funcid);

	if (schema == NULL || name == NULL || strcmp(schema, "segment") != 0)
		return false;
	for (int i = 0; i < lengthof(names); i++)
	{
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

/*
 * May a function look at the clock, or at other data than its arguments?
 * PostgreSQL's own stable functions of times, and those for input and output,
 * depend on settings only, which are pinned.
 */
static bool
function_may_move(Oid funcid)
{
	Oid		   *types;
	int			nargs;

	if (!OidIsValid(funcid) || func_volatile(funcid) == PROVOLATILE_IMMUTABLE)
		return false;
	/* a time of day gets a zone's offset as it is at present */
	if (funcid == F_TIMETZ_TIME || funcid == F_TIMETZ_IN || funcid == F_TIMEZONE_TEXT_TIMETZ)
		return true;
	if (get_func_namespace(funcid) != PG_CATALOG_NAMESPACE)
		return !depends_on_settings_alone(funcid);
	if (get_func_rettype(funcid) == CSTRINGOID || is_formatting(funcid))
		return false;
	get_func_signature(funcid, &types, &nargs);
	for (int i = 0; i < nargs; i++)
	{
		char		category;
		bool		preferred;

		get_type_category_preferred(types[i], &category, &preferred);
		if (category == TYPCATEGORY_DATETIME || category == TYPCATEGORY_TIMESPAN ||
			types[i] == CSTRINGOID)
			return false;
	}
	return true;
}

static bool
function_may_move_checker(Oid funcid, void *context)
{
	return function_may_move(funcid);
}

/* An aggregate's own volatility says nothing; that of its parts does. */
static bool
aggregate_may_move(Oid aggfnoid)
{
	HeapTuple	tuple = SearchSysCache1(AGGFNOID, ObjectIdGetDatum(aggfnoid));
	Form_pg_aggregate agg;
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return true;
	agg = (Form_pg_aggregate) GETSTRUCT(tuple);
	result = function_may_move(agg->aggtransfn) || function_may_move(agg->aggfinalfn);
	ReleaseSysCache(tuple);
	return result;
}

bool
rule_moves_itself(Node *node)
{
	if (IsA(node, Aggref))
		return aggregate_may_move(((Aggref *) node)->aggfnoid);
	if (IsA(node, SQLValueFunction))
		return true;
	return check_functions_in_node(node, function_may_move_checker, NULL);
}

static bool
is_moving_walker(Node *node, void *arg)
{
	const SegmentTable *table = arg;

	Aggref	   *agg;

	if (node == NULL)
		return false;
	agg = rule_aggregate_of_fixed_field(node, table);
	if (agg != NULL)
		return expression_tree_walker((Node *) agg, is_moving_walker, NULL);
	if (rule_moves_itself(node))
		return true;
	if (IsA(node, Var) && table != NULL)
	{
		const char *name = get_attname(table->relid, ((Var *) node)->varattno, true);
		Column	   *column = name == NULL ? NULL : catalog_find_column(table, name);

		if (column != NULL && column->unanalyzed != NULL)
			return true;
	}
	return expression_tree_walker(node, is_moving_walker, arg);
}

bool
rule_is_moving(Node *node, const SegmentTable *table)
{
	return is_moving_walker(node, unconstify(SegmentTable *, table));
}
