/*
 * columns.c
 *		Scores, segments and the rule of eligibility; what all columns share.
 */
#include "postgres.h"

#include "capture/capture.h"
#include "catalog/pg_type.h"
#include "context.h"
#include "define/define.h"
#include "fmgr.h"
#include "lock.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(segment_add_score);
PG_FUNCTION_INFO_V1(segment_add_segment);
PG_FUNCTION_INFO_V1(segment_alter_score);
PG_FUNCTION_INFO_V1(segment_alter_segment);
PG_FUNCTION_INFO_V1(segment_set_eligible);
PG_FUNCTION_INFO_V1(segment_drop_score);
PG_FUNCTION_INFO_V1(segment_drop_segment);

CheckedRule *
define_check_rule(const SegmentTable *table, const char *text, ColumnOver over,
				  Oid type, const char *what)
{
	Oid			relation = over == OVER_EVENTS ? table->events : table->relid;
	CheckedRule *rule = rule_check(text, table,
								   over == OVER_EVENTS ? SCOPE_EVENTS : SCOPE_ROW,
								   relation, what);

	rule_check_trust(table, rule->node);
	if (OidIsValid(type) && rule->type != type)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("%s must be of type %s, not of type %s", what,
						format_type_be(type), format_type_be(rule->type)),
				 errhint("Write a condition, such as purchases >= 3.")));
	if (get_typtype(rule->type) == TYPTYPE_PSEUDO)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("%s is of type %s, which a column can not have", what,
						format_type_be(rule->type)),
				 errhint("Add a cast to the expression.")));
	return rule;
}

void
define_put_attribute(const SegmentTable *table, const char *name, const char *expression, Oid type)
{
	Column		column = {0};

	column.name = unconstify(char *, name);
	column.kind = COLUMN_ATTRIBUTE;
	column.over = OVER_ATTRIBUTES;
	column.expression = unconstify(char *, expression);
	column.type = type;
	catalog_put_column(table->relid, &column);
}

const char *
define_kind_name(ColumnKind kind)
{
	static const char *const names[] = {"attribute", "score", "segment", "group", "band", "eligible"};

	return names[kind];
}

const char *
define_describe_column(const Column *column)
{
	if (column->kind == COLUMN_ELIGIBLE)
		return "the rule of eligibility";
	return psprintf("%s \"%s\"", define_kind_name(column->kind), column->name);
}

CheckedRule *
define_check_column(const SegmentTable *table, Column *column)
{
	if (column->kind == COLUMN_GROUP)
		return define_check_group(table, column->name, column->labels, &column->rules);
	if (column->kind == COLUMN_BAND)
		return define_check_band(table, column);
	return define_check_rule(table, column->expression, column->over,
							 catalog_is_condition(column) ? BOOLOID : InvalidOid,
							 define_describe_column(column));
}

CheckedRule *
define_check_new(const SegmentTable *table, Column *column)
{
	column->over = OVER_ROW;
	if (column->kind == COLUMN_SCORE &&
		rule_has_aggregate(column->expression, table, define_describe_column(column)))
	{
		column->over = OVER_EVENTS;
		rule_stream_columns(table);
	}
	return define_check_column(table, column);
}

bool
define_same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool
same_texts(const List *a, const List *b)
{
	const ListCell *lc,
			   *lc2;

	if (list_length(a) != list_length(b))
		return false;
	forboth(lc, a, lc2, b)
	{
		if (strcmp(lfirst(lc), lfirst(lc2)) != 0)
			return false;
	}
	return true;
}

void
define_put_column(const SegmentTable *table, const Column *column, const CheckedRule *rule)
{
	const Column *old = catalog_find_column(table, column->name);
	Column		new = *column;

	new.expression = rule->expression;
	new.type = rule->type;
	new.crossings = rule->crossings;
	new.unanalyzed = rule->unanalyzed;
	if (column->kind != COLUMN_BAND)
		new.depends = rule->depends;
	if (old == NULL || old->over != new.over || old->type != new.type ||
		old->bands != new.bands || old->descending != new.descending ||
		!define_same_text(old->expression, new.expression) ||
		!define_same_text(old->unanalyzed, new.unanalyzed) ||
		!same_texts(old->crossings, new.crossings) ||
		!same_texts(old->depends, new.depends) ||
		!same_texts(old->labels, new.labels) || !same_texts(old->rules, new.rules))
		catalog_put_column(table->relid, &new);
}

bool
define_same_meaning(const Column *old, const Column *new, const CheckedRule *rule)
{
	if (old->kind != new->kind || old->over != new->over)
		return false;
	if (old->kind == COLUMN_BAND)
		return old->bands == new->bands && old->descending == new->descending &&
			same_texts(old->depends, new->depends);
	return (define_same_text(old->expression, rule->expression) ||
			define_same_text(old->expression, new->expression)) &&
		same_texts(old->labels, new->labels) && same_texts(old->rules, new->rules);
}

/*
 * Do the stored rows suffice to compute a column and what reads it?  Not if one
 * of them, or what it reads, is exact as of refreshed_at alone; nor if who has
 * a row depends on it.
 */
static bool
follows_from_rows(const SegmentTable *table, const char *name)
{
	ListCell   *lc,
			   *lc2;

	foreach(lc, rule_readers(table, name))
	{
		Column	   *column = catalog_find_column(table, strVal(lfirst(lc)));

		if (column->over != OVER_ROW || column->kind == COLUMN_ELIGIBLE ||
			column->unanalyzed != NULL)
			return false;
		foreach(lc2, column->depends)
		{
			Column	   *read = catalog_find_column(table, lfirst(lc2));

			if (read != NULL && read->unanalyzed != NULL)
				return false;
		}
	}
	return true;
}

void
define_changed(Oid relid, const char *name)
{
	if (follows_from_rows(catalog_load(relid), name))
	{
		catalog_note_new_column(relid, name);
		wake_at_commit();
	}
	else
		marklog_append_all(relid);
}

void
define_check_new_name(const SegmentTable *table, const char *name, const char *what)
{
	catalog_check_name(name, what);
	if (get_attnum(table->relid, name) != InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_COLUMN),
				 errmsg("segment table %s has a column \"%s\" already",
						catalog_qualified_name(table->relid), name),
				 errhint("Drop it first, or choose another name.")));
}

void
define_check_unused(const SegmentTable *table, const char *name, const char *what)
{
	ListCell   *lc;

	foreach(lc, table->columns)
	{
		Column	   *column = lfirst(lc);
		ListCell   *lc2;

		if (column->over != OVER_ROW)
			continue;
		foreach(lc2, column->depends)
		{
			if (strcmp(lfirst(lc2), name) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
						 errmsg("cannot drop %s \"%s\" because other columns depend on it", what, name),
						 errdetail("%s reads it.",
								   column->kind == COLUMN_ELIGIBLE ? "The rule of eligibility" :
								   psprintf("\"%s\"", column->name)),
						 errhint("Drop that first.")));
		}
	}
}

/* Checks one column again; its readers come later. */
static void
recheck_column(SegmentTable *table, Column *column)
{
	bool		was_exact = column->unanalyzed == NULL;
	CheckedRule *rule = define_check_column(table, column);

	if (was_exact)
		define_notice_unanalyzed(table, rule, define_describe_column(column));
	if (rule->type != column->type)
	{
		lock_one(table->relid, AccessExclusiveLock);
		define_ddl(table, "ALTER TABLE %s ALTER COLUMN %s TYPE %s",
				   catalog_qualified_name(table->relid), quote_identifier(column->name),
				   catalog_type_name(rule->type));
	}
	define_put_column(table, column, rule);
}

void
define_recheck_columns(Oid relid, List *names)
{
	SegmentTable *table = catalog_load(relid);
	List	   *columns = define_by_dependency(table->columns);
	ListCell   *lc;

	foreach(lc, columns)
	{
		Column	   *column = lfirst(lc);

		if (column->over == OVER_ATTRIBUTES ||
			(names != NIL && !list_member(names, makeString(column->name))))
			continue;
		/* what follows may read what just changed */
		recheck_column(table, column);
		table = catalog_load(relid);
	}
}

void
define_add_column(const SegmentTable *table, Column *column)
{
	CheckedRule *rule;

	define_check_new_name(table, column->name, define_kind_name(column->kind));
	rule = define_check_new(table, column);
	define_notice_unanalyzed(table, rule, define_describe_column(column));
	lock_one(table->relid, AccessExclusiveLock);
	define_ddl(table, "ALTER TABLE %s ADD COLUMN %s %s%s", catalog_qualified_name(table->relid),
			   quote_identifier(column->name), catalog_type_name(rule->type),
			   column->kind == COLUMN_SEGMENT ? " NOT NULL DEFAULT false" : "");
	define_put_column(table, column, rule);
}

/* A score or a segment from the arguments tbl, name and expression. */
static Column *
column_of_arguments(FunctionCallInfo fcinfo, ColumnKind kind)
{
	Column	   *column = palloc0(sizeof(Column));

	column->kind = kind;
	column->name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	column->expression = text_to_cstring(PG_GETARG_TEXT_PP(2));
	return column;
}

/* add_score(tbl, name, expression) */
Datum
segment_add_score(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"tbl", "name", "expression"};
	SegmentTable *table;
	Column	   *column;

	define_require(fcinfo, 3, names);
	table = define_open(PG_GETARG_OID(0));
	column = column_of_arguments(fcinfo, COLUMN_SCORE);
	define_add_column(table, column);
	define_changed(table->relid, column->name);
	PG_RETURN_VOID();
}

/* add_segment(tbl, name, rule) */
Datum
segment_add_segment(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"tbl", "name", "rule"};
	SegmentTable *table;
	Column	   *column;

	define_require(fcinfo, 3, names);
	table = define_open(PG_GETARG_OID(0));
	column = column_of_arguments(fcinfo, COLUMN_SEGMENT);
	define_add_column(table, column);
	define_changed(table->relid, column->name);
	PG_RETURN_VOID();
}

/* alter_score(tbl, name, expression) */
Datum
segment_alter_score(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"tbl", "name", "expression"};

	define_require(fcinfo, 3, names);
	define_alter(PG_GETARG_OID(0), column_of_arguments(fcinfo, COLUMN_SCORE));
	PG_RETURN_VOID();
}

/* alter_segment(tbl, name, rule) */
Datum
segment_alter_segment(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"tbl", "name", "rule"};

	define_require(fcinfo, 3, names);
	define_alter(PG_GETARG_OID(0), column_of_arguments(fcinfo, COLUMN_SEGMENT));
	PG_RETURN_VOID();
}

/* Who has a row decides where the cut points of bands lie, so these can't decide who has one. */
void
define_refuse_bands(const SegmentTable *table)
{
	const Column *eligible = catalog_find_column(table, ELIGIBLE_NAME);
	ListCell   *lc;

	if (eligible == NULL)
		return;
	foreach(lc, table->columns)
	{
		const Column *band = lfirst(lc);

		if (band->kind == COLUMN_BAND &&
			list_member(rule_readers(table, band->name), makeString(ELIGIBLE_NAME)))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
					 errmsg("the rule of eligibility must not read the band \"%s\"", band->name),
					 errdetail("Bands are ranks among the customers who are eligible."),
					 errhint("Make it a segment.")));
	}
}

void
define_set_eligible(const SegmentTable *table, Column *column, const CheckedRule *rule)
{
	define_put_column(table, column, rule);
	define_refuse_bands(catalog_load(table->relid));
	define_notice_unanalyzed(table, rule, define_describe_column(column));
}

/* set_eligible(tbl, rule); NULL: everybody */
Datum
segment_set_eligible(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"tbl"};
	SegmentTable *table;

	define_require(fcinfo, 1, names);
	table = define_open(PG_GETARG_OID(0));
	if (PG_ARGISNULL(1))
		catalog_delete_column(table->relid, ELIGIBLE_NAME);
	else
	{
		Column		column = {.name = ELIGIBLE_NAME, .kind = COLUMN_ELIGIBLE};

		column.expression = text_to_cstring(PG_GETARG_TEXT_PP(1));
		define_set_eligible(table, &column, define_check_new(table, &column));
	}
	marklog_append_all(table->relid);
	PG_RETURN_VOID();
}

/* PostgreSQL's hint names a CASCADE that none of our functions has. */
static void
drop_context(void *arg)
{
	if (geterrcode() == ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST)
		errhint("Drop those objects first, and make them anew afterwards.");
}

void
define_drop_column(const SegmentTable *table, const char *name)
{
	ErrorContextCallback callback = {.callback = drop_context, .previous = error_context_stack};

	lock_one(table->relid, AccessExclusiveLock);
	error_context_stack = &callback;
	define_ddl(table, "ALTER TABLE %s DROP COLUMN IF EXISTS %s", catalog_qualified_name(table->relid),
			   quote_identifier(name));
	error_context_stack = callback.previous;
	catalog_delete_column(table->relid, name);
}

Column *
define_require_column(const SegmentTable *table, const char *name, ColumnKind kind)
{
	Column	   *column = catalog_find_column(table, name);
	const char *what = define_kind_name(kind);

	if (column == NULL || column->kind != kind)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("segment table %s has no %s \"%s\"",
						catalog_qualified_name(table->relid), what, name),
				 errhint("See the view segment.%ss.", what)));
	return column;
}

void
define_drop(FunctionCallInfo fcinfo, ColumnKind kind)
{
	static const char *const names[] = {"tbl", "name"};
	SegmentTable *table;
	char	   *name;
	Column	   *column;

	define_require(fcinfo, 2, names);
	table = define_open(PG_GETARG_OID(0));
	name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	column = define_require_column(table, name, kind);
	define_check_unused(table, name, define_kind_name(kind));

	/* what takes time comes before readers are shut out */
	define_close_history(table, list_make1(column));
	define_drop_column(table, name);
}

/* drop_score(tbl, name) */
Datum
segment_drop_score(PG_FUNCTION_ARGS)
{
	define_drop(fcinfo, COLUMN_SCORE);
	PG_RETURN_VOID();
}

/* drop_segment(tbl, name): its members leave it now; the history stays */
Datum
segment_drop_segment(PG_FUNCTION_ARGS)
{
	define_drop(fcinfo, COLUMN_SEGMENT);
	PG_RETURN_VOID();
}
