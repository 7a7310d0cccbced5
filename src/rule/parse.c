/*
 * parse.c
 *		From an expression's text to its canonical form.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "context.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/analyze.h"
#include "parser/parse_coerce.h"
#include "parser/parser.h"
#include "rule/rule.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

/* What an error is about. */
typedef struct ExpressionContext
{
	ErrorContextCallback callback;
	const char *what;
	const char *text;
	const char *columns;		/* what it may read, in words */
	MemoryContext memory;
} ExpressionContext;

/* Says what may be read, behind PostgreSQL's own hint at a column that is like it. */
static void
hint_at_columns(const ExpressionContext *context)
{
	MemoryContext old = MemoryContextSwitchTo(context->memory);
	ErrorData  *error = CopyErrorData();

	MemoryContextSwitchTo(old);
	if (error->hint != NULL)
		errhint("%s %s", error->hint, context->columns);
	else
		errhint("%s", context->columns);
}

/* Names the definition, and points into its text rather than into the statement that calls us. */
static void
expression_context(void *arg)
{
	ExpressionContext *context = arg;
	int			position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery(context->text);
	}
	if (context->columns != NULL && geterrcode() == ERRCODE_UNDEFINED_COLUMN)
		hint_at_columns(context);
	errcontext("expression of %s", context->what);
}

/* What an expression may read. */
static const char *
readable_columns(RuleScope scope, Oid relation)
{
	if (scope == SCOPE_EVENTS)
		return psprintf("A score over events reads the columns of the stream %s; those of the row are read by scores without an aggregate.",
						catalog_qualified_name(relation));
	if (scope == SCOPE_EVENT)
		return psprintf("A condition on events reads the columns of the stream %s.",
						catalog_qualified_name(relation));
	if (scope == SCOPE_ROW)
		return psprintf("An expression over the row reads the columns of %s; those of the event stream are read by scores alone, in aggregates.",
						catalog_qualified_name(relation));
	return psprintf("An expression over a source reads the columns of %s; a text that stands for itself has quotes of its own: $$'text'$$.",
					catalog_qualified_name(relation));
}

static void
push_context(ExpressionContext *context, const char *what, const char *text)
{
	context->what = what;
	context->text = text;
	context->columns = NULL;
	context->memory = CurrentMemoryContext;
	context->callback.callback = expression_context;
	context->callback.arg = context;
	context->callback.previous = error_context_stack;
	error_context_stack = &context->callback;
}

static void
refuse(const char *found, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_SYNTAX_ERROR),
			 errmsg("%s is not allowed here", found),
			 errhint("%s", hint)));
}

/*
 * The one bare expression in a text.  The grammar for PL/pgSQL expressions
 * lets whole SELECT clauses through behind it, so all of them are refused.
 */
static Node *
parse_bare_expression(const char *text)
{
	List	   *parsed;
	SelectStmt *stmt;
	ResTarget  *target;

	if (text == NULL || strspn(text, " \t\r\n\f") == strlen(text))
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("an expression must not be empty")));
	parsed = raw_parser(text, RAW_PARSE_PLPGSQL_EXPR);
	stmt = castNode(SelectStmt, linitial_node(RawStmt, parsed)->stmt);

	if (stmt->op != SETOP_NONE || stmt->distinctClause || stmt->intoClause ||
		stmt->fromClause || stmt->whereClause || stmt->groupClause ||
		stmt->havingClause || stmt->windowClause || stmt->valuesLists ||
		stmt->sortClause || stmt->limitOffset || stmt->limitCount ||
		stmt->lockingClause || stmt->withClause)
		refuse("a clause of a query", "Give a single SQL expression.");
	if (list_length(stmt->targetList) != 1)
		refuse("more or less than one expression", "Give a single SQL expression.");
	target = linitial_node(ResTarget, stmt->targetList);
	if (target->name != NULL || target->indirection != NIL)
		refuse(target->name == NULL ? "a column alias" : psprintf("a column alias (\"%s\")", target->name),
			   "Give a single SQL expression, and a whole one.");
	if (IsA(target->val, ColumnRef) &&
		IsA(llast(castNode(ColumnRef, target->val)->fields), A_Star))
		refuse("\"*\"", "Name a column.");
	return target->val;
}

/*
 * SELECT expression FROM relation.  Nothing is grouped: a score over events
 * has to be defined over no event at all as well.
 */
static Query *
analyze_over(Node *raw, const char *text, Oid relation)
{
	SelectStmt *select = makeNode(SelectStmt);
	RawStmt    *stmt = makeNode(RawStmt);
	ResTarget  *target = makeNode(ResTarget);

	target->val = raw;
	target->location = -1;
	select->targetList = list_make1(target);
	select->fromClause =
		list_make1(makeRangeVar(get_namespace_name(get_rel_namespace(relation)),
								get_rel_name(relation), -1));
	stmt->stmt = (Node *) select;
	return parse_analyze_fixedparams(stmt, text, NULL, 0, NULL);
}

typedef struct ColumnCheck
{
	Oid			relation;
	RuleScope	scope;
	List	   *names;
} ColumnCheck;

/* Gathers the columns read, and refuses those that are not the user's. */
static bool
check_columns(Node *node, void *context)
{
	ColumnCheck *check = context;

	if (node == NULL)
		return false;
	if (IsA(node, Var))
	{
		Var		   *var = (Var *) node;
		char	   *name;

		if (var->varattno == InvalidAttrNumber)
			refuse("a whole row", "Name a column.");
		if (var->varattno < 0)
			refuse("a system column", "Name a column of the user's.");
		name = get_attname(check->relation, var->varattno, false);
		if (check->scope == SCOPE_ROW &&
			(strcmp(name, "refreshed_at") == 0 || strcmp(name, "valid_until") == 0))
			refuse(psprintf("the column \"%s\"", name),
				   "Rules see the key, attributes, scores, bands, segments and groups.");
		if (!list_member(check->names, makeString(name)))
			check->names = lappend(check->names, makeString(name));
		return false;
	}
	if (IsA(node, GroupingFunc))
		refuse("GROUPING", "Give a single SQL expression.");
	return expression_tree_walker(node, check_columns, check);
}

static void
check_query(const Query *query, RuleScope scope)
{
	if (query->hasSubLinks)
		refuse("a sub-select", "Bring the data in with segment.add_source() or segment.add_attributes().");
	if (query->hasTargetSRFs)
		refuse("a set-returning function", "Give an expression with one value.");
	if (query->hasWindowFuncs)
		refuse("a window function", "Scores are aggregates over the events of one customer.");
	if (scope == SCOPE_EVENTS && !query->hasAggs)
		refuse("a score over events without an aggregate",
			   "Use an aggregate such as count(*), sum(value) or max(at).");
	if (scope != SCOPE_EVENTS && query->hasAggs)
		ereport(ERROR,
				(errcode(ERRCODE_GROUPING_ERROR),
				 errmsg("an aggregate is not allowed here"),
				 scope == SCOPE_EVENT ? errhint("Give a condition on a single event.") :
				 errhint("Define a score with the aggregate and use its name.")));
}

char *
rule_deparse(Node *node, Oid relation)
{
	RunContext	ctx;
	char	   *result;

	/* names are qualified unless this path finds them */
	context_enter_canonical(&ctx);
	result = deparse_expression(node, deparse_context_for(get_rel_name(relation), relation),
								false, false);
	context_leave(&ctx);
	return result;
}

char *
rule_deparse_with(Node *node, Oid relation, const char *column)
{
	PlannedStmt *stmt = makeNode(PlannedStmt);
	RangeTblEntry *first = makeNode(RangeTblEntry);
	RangeTblEntry *second = makeNode(RangeTblEntry);
	char	   *name = get_rel_name(relation);
	RunContext	ctx;
	char	   *result;

	first->rtekind = RTE_RELATION;
	first->relid = relation;
	first->relkind = get_rel_relkind(relation);
	first->rellockmode = AccessShareLock;
	first->eref = makeAlias(name, NIL);
	second->rtekind = RTE_VALUES;
	second->eref = makeAlias("second", list_make1(makeString(pstrdup(column))));
	stmt->rtable = list_make2(first, second);

	context_enter_canonical(&ctx);
	result = deparse_expression(node, deparse_context_for_plan_tree(stmt, list_make2(name, "second")),
								false, false);
	context_leave(&ctx);
	return result;
}

Node *
rule_parse_canonical(const SegmentTable *table, const char *expression, Oid relation)
{
	RunContext	ctx;
	Query	   *query;

	context_enter_parse(&ctx, table->owner, table->time_zone);
	query = analyze_over(parse_bare_expression(expression), expression, relation);
	context_leave(&ctx);
	return rule_replace_now((Node *) linitial_node(TargetEntry, query->targetList)->expr);
}

static void
check_volatility(Node *node)
{
	if (contain_volatile_functions(node))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
				 errmsg("a volatile function is not allowed here"),
				 errhint("An expression must give the same value whenever it is computed for the same instant. Use now() for the time.")));
}

/* Plain strings of a list of String nodes. */
static List *
plain_strings(List *values)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, values)
		result = lappend(result, pstrdup(strVal(lfirst(lc))));
	return result;
}

CheckedRule *
rule_check(const char *text, const SegmentTable *table, RuleScope scope,
		   Oid relation, const char *what)
{
	CheckedRule *rule = palloc0(sizeof(CheckedRule));
	ColumnCheck columns = {relation, scope, NIL};
	ExpressionContext context;
	RunContext	ctx;
	Query	   *query;
	Node	   *raw;
	List	   *clock_literals;

	push_context(&context, what, text);
	context.columns = readable_columns(scope, relation);
	context_enter_parse(&ctx, table->author, table->time_zone);

	raw = parse_bare_expression(text);
	clock_literals = rule_clock_literals(raw);
	query = analyze_over(raw, text, relation);
	check_query(query, scope);
	rule->node = (Node *) linitial_node(TargetEntry, query->targetList)->expr;
	check_columns(rule->node, &columns);
	rule_refuse_clock_literals(rule->node, clock_literals);
	rule_refuse_temporary(rule->node);
	rule_warn_of_casts(rule->node, what);
	rule->node = rule_replace_now(rule->node);
	check_volatility(rule->node);
	rule->depends = plain_strings(columns.names);
	rule->type = exprType(rule->node);
	rule->expression = rule_deparse(rule->node, relation);
	if (scope != SCOPE_SOURCE)
		rule_analyze_time(rule, table, relation);
	else if (rule_is_moving(rule->node, NULL))	/* its columns are the source's */
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
				 errmsg("an expression over a source must not depend on the time or on other tables"),
				 errhint("Use now() in a score or in a rule.")));

	context_leave(&ctx);
	error_context_stack = context.callback.previous;
	return rule;
}

void
rule_coerce(CheckedRule *rule, const SegmentTable *table, Oid relation, Oid type,
			const char *what)
{
	RunContext	ctx;
	Node	   *cast;

	if (rule->type == type)
		return;
	context_enter_parse(&ctx, table->author, table->time_zone);
	cast = coerce_to_target_type(NULL, rule->node, rule->type, type, -1,
								 COERCION_ASSIGNMENT, COERCE_EXPLICIT_CAST, -1);
	if (cast == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("%s must be of type %s, not of type %s", what,
						format_type_be(type), format_type_be(rule->type)),
				 errhint("Add a cast to the expression, or make the segment table with key_type => '%s'.",
						 format_type_be(rule->type))));
	rule->node = cast;
	rule->type = type;
	rule->expression = rule_deparse(cast, relation);
	context_leave(&ctx);
}

static bool
calls_aggregate(Node *node, void *arg)
{
	if (node == NULL)
		return false;
	if (IsA(node, FuncCall))
	{
		FuncCall   *call = (FuncCall *) node;
		FuncCandidateList candidate;

		if (call->agg_star || call->agg_filter || call->agg_within_group)
			return true;
		for (candidate = FuncnameGetCandidates(call->funcname, -1, NIL, false, false,
											   false, true);
			 candidate != NULL; candidate = candidate->next)
			if (get_func_prokind(candidate->oid) == PROKIND_AGGREGATE)
				return true;
	}
	return raw_expression_tree_walker(node, calls_aggregate, arg);
}

bool
rule_has_aggregate(const char *text, const SegmentTable *table, const char *what)
{
	ExpressionContext context;
	RunContext	ctx;
	bool		result;

	push_context(&context, what, text);
	context_enter_parse(&ctx, table->author, table->time_zone);
	result = calls_aggregate(parse_bare_expression(text), NULL);
	context_leave(&ctx);
	error_context_stack = context.callback.previous;
	return result;
}

/* Gathers the names of columns in a raw expression. */
static bool
gather_names(Node *node, void *context)
{
	List	  **names = context;

	if (node == NULL)
		return false;
	if (IsA(node, ColumnRef))
	{
		Node	   *name = llast(castNode(ColumnRef, node)->fields);

		if (IsA(name, String) && !list_member(*names, name))
			*names = lappend(*names, name);
		return false;
	}
	return raw_expression_tree_walker(node, gather_names, names);
}

List *
rule_column_names(const char *text, const SegmentTable *table, const char *what)
{
	ExpressionContext context;
	RunContext	ctx;
	List	   *names = NIL;

	push_context(&context, what, text);
	context_enter_parse(&ctx, table->author, table->time_zone);
	gather_names(parse_bare_expression(text), &names);
	context_leave(&ctx);
	error_context_stack = context.callback.previous;
	return plain_strings(names);
}

Oid
rule_common_type(List *types)
{
	List	   *nodes = NIL;
	ListCell   *lc;

	foreach(lc, types)
		nodes = lappend(nodes, makeNullConst(lfirst_oid(lc), -1, InvalidOid));
	return nodes == NIL ? InvalidOid : select_common_type(NULL, nodes, NULL, NULL);
}
