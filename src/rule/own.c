/*
 * own.c
 *		What is known of how the extension's own aggregates move with time.
 *
 * All of them look at the clock.  But over the stream, which ends at
 * segment.now(), some fields of their results do not move, and others at
 * instants that can be computed.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_type.h"
#include "rule/analysis.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

typedef struct OwnField
{
	const char *aggregate;
	const char *field;
} OwnField;

/* Fields that change with events alone. */
static const OwnField fixed_fields[] = {
	{"rhythm", "events"}, {"rhythm", "mean"}, {"rhythm", "median"}, {"rhythm", "deviation"},
	{"rhythm", "regularity"}, {"rhythm", "expected_next"},
	{"streak", "longest"}, {"streak", "active"}, {"streak", "last_active"},
	{"repeat_purchase", "frequency"}, {"repeat_purchase", "recency"}
};

/* Is it this aggregate of ours, over the times of the events of the stream? */
static bool
is_own(Node *node, const char *name)
{
	Aggref	   *agg = (Aggref *) node;
	char	   *schema;
	Node	   *at;

	if (!IsA(node, Aggref) || agg->args == NIL)
		return false;
	schema = get_namespace_name(get_func_namespace(agg->aggfnoid));
	at = (Node *) linitial_node(TargetEntry, agg->args)->expr;
	/* the stream's columns: key, at and so on */
	return schema != NULL && strcmp(schema, "segment") == 0 &&
		strcmp(get_func_name(agg->aggfnoid), name) == 0 &&
		IsA(at, Var) && ((Var *) at)->varattno == 2;
}

/* The name of the field, or NULL if the node is none. */
static const char *
field_name(FieldSelect *field)
{
	Oid			relation = typeidTypeRelid(exprType((Node *) field->arg));

	return OidIsValid(relation) ? get_attname(relation, field->fieldnum, true) : NULL;
}

/*
 * What a field is selected from: an aggregate, also by way of a column of the
 * row (table; else NULL) that holds its result.
 */
static Node *
source_of_field(FieldSelect *field, const SegmentTable *table)
{
	Column	   *column;

	if (table == NULL || !IsA(field->arg, Var))
		return (Node *) field->arg;
	column = catalog_find_column(table, get_attname(table->relid, ((Var *) field->arg)->varattno, false));
	return column == NULL || column->over != OVER_EVENTS ? (Node *) field->arg :
		rule_parse_canonical(table, column->expression, table->events);
}

/* The aggregate of that name, of which the node is that field, or NULL. */
static Aggref *
own_field(Node *node, const SegmentTable *table, const char *aggregate, const char *name)
{
	const char *field;
	Node	   *source;

	if (!IsA(node, FieldSelect))
		return NULL;
	field = field_name((FieldSelect *) node);
	if (field == NULL || strcmp(field, name) != 0)
		return NULL;
	source = source_of_field((FieldSelect *) node, table);
	return is_own(source, aggregate) ? (Aggref *) source : NULL;
}

Aggref *
rule_aggregate_of_fixed_field(Node *node, const SegmentTable *table)
{
	for (int i = 0; i < lengthof(fixed_fields); i++)
	{
		Aggref	   *agg = own_field(node, table, fixed_fields[i].aggregate, fixed_fields[i].field);

		if (agg != NULL)
			return agg;
	}
	return NULL;
}

/* Does nothing in the aggregate's arguments and filter move? */
static bool
has_fixed_arguments(Aggref *agg)
{
	return !rule_is_moving((Node *) agg->args, NULL) && !rule_is_moving((Node *) agg->aggfilter, NULL);
}

static Node *
argument(Aggref *agg, int n)
{
	return (Node *) list_nth_node(TargetEntry, agg->args, n)->expr;
}

/* Another field of the same result. */
static char *
other_field(const TimeWalk *walk, FieldSelect *field, const char *name)
{
	return psprintf("(%s).%s", walk_text(walk, (Node *) field->arg), name);
}

Const *
own_half_life(const TimeWalk *walk, Node *node)
{
	Const	   *half_life;

	if (!is_own(node, "engagement") || !has_fixed_arguments((Aggref *) node))
		return NULL;
	half_life = (Const *) rule_fold(argument((Aggref *) node, 2));
	return IsA(half_life, Const) && !half_life->constisnull ? half_life : NULL;
}

/* (rhythm(…)).overdue <strategy> target: the time since the last event, in units of the median. */
static char *
flip_of_overdue(const TimeWalk *walk, Node *moving, const char *how, Oid type, const char *target)
{
	FieldSelect *field = (FieldSelect *) moving;
	Aggref	   *agg = own_field(moving, walk->columns, "rhythm", "overdue");
	char	   *median;

	if (agg == NULL || !has_fixed_arguments(agg) ||
		(type != INT2OID && type != INT4OID && type != INT8OID && type != NUMERICOID && type != FLOAT8OID))
		return NULL;
	median = psprintf("EXTRACT(epoch FROM %s)::float8", other_field(walk, field, "median"));
	return psprintf("segment.next_flip('%s'::text, (%s)::%s, 'since'::text, %s - pg_catalog.make_interval(secs => %s),"
					" 'number'::text, %s * 1000000::float8)", how, target, catalog_type_name(type),
					other_field(walk, field, "expected_next"), median, median);
}

/* (streak(…)).current falls to 0 when the second unit after the last begins. */
static char *
change_of_streak(const TimeWalk *walk, FieldSelect *field, Aggref *agg)
{
	Node	   *unit = list_length(agg->args) < 2 ? NULL :
		rule_fold(argument(agg, 1));
	const char *name = "day";

	if (unit != NULL)
	{
		if (!IsA(unit, Const) || ((Const *) unit)->constisnull)
			return NULL;
		name = TextDatumGetCString(((Const *) unit)->constvalue);
		if (pg_strncasecmp(name, "day", 3) == 0)
			name = "day";
		else if (pg_strncasecmp(name, "week", 4) == 0)
			name = "week";
		else if (pg_strncasecmp(name, "month", 5) == 0)
			name = "month";
		else
			return NULL;
	}
	return psprintf("CASE WHEN %s > 0 THEN segment.next_flip('reaches'::text,"
					" pg_catalog.date_trunc('%s'::text, (%s)::timestamp) + '2 %s'::interval,"
					" 'local'::text, ''::text, 'trunc'::text, '%s'::text) END",
					other_field(walk, field, "current"), name,
					other_field(walk, field, "last_active"), name, name);
}

/* (streak(…)).current <compared with> target: it flips if 0 compares otherwise. */
static char *
flip_of_streak(const TimeWalk *walk, Node *moving, const char *how, Oid type, const char *target)
{
	Aggref	   *agg = own_field(moving, walk->columns, "streak", "current");
	const char *operator = strcmp(how, "reaches") == 0 ? ">=" : strcmp(how, "passes") == 0 ? ">" : "=";
	char	   *change;

	if (agg == NULL || !has_fixed_arguments(agg) ||
		(type != INT2OID && type != INT4OID && type != INT8OID && type != NUMERICOID && type != FLOAT8OID))
		return NULL;
	change = change_of_streak(walk, (FieldSelect *) moving, agg);
	return change == NULL ? NULL :
		psprintf("CASE WHEN ((%s) %s (%s)) IS DISTINCT FROM (0 %s (%s)) THEN %s END",
				 walk_text(walk, moving), operator, target, operator, target, change);
}

char *
own_flip(const TimeWalk *walk, Node *moving, const char *how, Oid type, const char *target)
{
	char	   *result = decaying_flip(walk, moving, how, type, target);

	if (result == NULL)
		result = flip_of_overdue(walk, moving, how, type, target);
	return result != NULL ? result : flip_of_streak(walk, moving, how, type, target);
}

/* Events leave the last period of trend(…), and then the one before it. */
static char *
change_of_trend(const TimeWalk *walk, Aggref *agg)
{
	char	   *at = walk_text(walk, argument(agg, 0));
	char	   *period = walk_text(walk, argument(agg, 2));
	char	   *filter = agg->aggfilter == NULL ? "" :
		psprintf(" FILTER (WHERE %s)", walk_text(walk, (Node *) agg->aggfilter));

	return psprintf("min(LEAST(segment.crossing(%s, - (%s), false), segment.crossing(%s, - ((%s) + (%s)), false)))%s",
					at, period, at, period, period, filter);
}

char *
own_change(const TimeWalk *walk, Node *node)
{
	Aggref	   *agg;

	if (is_own(node, "trend"))
		return has_fixed_arguments((Aggref *) node) ? change_of_trend(walk, (Aggref *) node) : NULL;
	agg = own_field(node, walk->columns, "streak", "current");
	if (agg != NULL)
		return has_fixed_arguments(agg) ? change_of_streak(walk, (FieldSelect *) node, agg) : NULL;
	agg = own_field(node, walk->columns, "repeat_purchase", "age");
	return agg == NULL || !has_fixed_arguments(agg) ? NULL :
		"segment.next_change('local'::text, ''::text, 'trunc'::text, 'day'::text)";
}
