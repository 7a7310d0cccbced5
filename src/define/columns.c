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
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(segment_add_score);
PG_FUNCTION_INFO_V1(segment_add_segment);
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

	define_check_trust(table, rule->node);
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
define_put_column(const SegmentTable *table, const char *name, ColumnKind kind,
				  ColumnOver over, const CheckedRule *rule)
{
	Column		column = {0};

	column.name = unconstify(char *, name);
	column.kind = kind;
	column.over = over;
	column.expression = rule->expression;
	column.type = rule->type;
	column.crossings = rule->crossings;
	column.unanalyzed = rule->unanalyzed;
	column.depends = rule->depends;
	catalog_put_column(table->relid, &column);
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

/* The column on account of which alone a rule moves with time, or NULL. */
static const char *
moving_column(const SegmentTable *table, const CheckedRule *rule)
{
	ListCell   *lc;

	if (rule_is_moving(rule->node, NULL))
		return NULL;
	foreach(lc, rule->depends)
	{
		Column	   *column = catalog_find_column(table, lfirst(lc));

		if (column != NULL && column->unanalyzed != NULL)
			return column->name;
	}
	return NULL;
}

void
define_notice_unanalyzed(const SegmentTable *table, const CheckedRule *rule, const char *what)
{
	const char *column;

	if (rule->unanalyzed == NULL)
		return;
	column = moving_column(table, rule);
	if (column != NULL)
	{
		/* which has had a NOTICE of its own */
		ereport(NOTICE,
				(errmsg("%s reads \"%s\", and is exact as of refreshed_at as that is", what, column)));
		return;
	}
	ereport(NOTICE,
			(errmsg("%s moves with time in a way that is not analyzed: %s", what, rule->unanalyzed),
			 errdetail("It is exact as of refreshed_at; customers are due again within max_age, %s.",
					   DatumGetCString(DirectFunctionCall1(interval_out,
														   IntervalPGetDatum(table->max_age)))),
			 errhint("Comparisons are exact at every instant where the moving side follows from now() by known steps or is an engagement; see \"Time\" in the reference.")));
}

static char *
describe_column(const Column *column)
{
	switch (column->kind)
	{
		case COLUMN_ELIGIBLE:
			return "the rule of eligibility";
		case COLUMN_SEGMENT:
			return psprintf("segment \"%s\"", column->name);
		default:
			return psprintf("score \"%s\"", column->name);
	}
}

void
define_recheck_columns(Oid relid)
{
	SegmentTable *table = catalog_load(relid);
	int			ncolumns = list_length(table->columns);

	for (int i = 0; i < ncolumns; i++)
	{
		Column	   *column = list_nth(table->columns, i);
		CheckedRule *rule;

		if (column->over == OVER_ATTRIBUTES)
			continue;
		if (column->kind == COLUMN_GROUP)
		{
			rule = define_check_group(table, column->name, column->labels, &column->rules);
			define_put_group(table, column->name, column->labels, column->rules, rule);
			table = catalog_load(relid);
			continue;
		}
		if (column->kind == COLUMN_BAND)
		{
			define_put_band(table, column, define_check_band(table, column));
			table = catalog_load(relid);
			continue;
		}
		rule = define_check_rule(table, column->expression, column->over,
								 catalog_is_condition(column) ? BOOLOID : InvalidOid,
								 describe_column(column));
		if (rule->type != column->type)
			define_ddl(table, "ALTER TABLE %s ALTER COLUMN %s TYPE %s",
					   catalog_qualified_name(relid), quote_identifier(column->name),
					   catalog_type_name(rule->type));
		define_put_column(table, column->name, column->kind, column->over, rule);
		/* what follows may read what just changed */
		table = catalog_load(relid);
	}
}

/* add_score(tbl, name, expression) */
Datum
segment_add_score(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"tbl", "name", "expression"};
	SegmentTable *table;
	char	   *name;
	char	   *expression;
	char	   *what;
	ColumnOver	over;
	CheckedRule *rule;

	define_require(fcinfo, 3, names);
	table = define_open(PG_GETARG_OID(0));
	name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	expression = text_to_cstring(PG_GETARG_TEXT_PP(2));
	what = psprintf("score \"%s\"", name);
	define_check_new_name(table, name, "score");
	over = rule_has_aggregate(expression, table, what) ? OVER_EVENTS : OVER_ROW;
	if (over == OVER_EVENTS)
		rule_stream_columns(table);
	rule = define_check_rule(table, expression, over, InvalidOid, what);
	define_notice_unanalyzed(table, rule, what);
	define_ddl(table, "ALTER TABLE %s ADD COLUMN %s %s", catalog_qualified_name(table->relid),
			   quote_identifier(name), catalog_type_name(rule->type));
	define_put_column(table, name, COLUMN_SCORE, over, rule);
	define_changed(table->relid, name);
	PG_RETURN_VOID();
}

/* add_segment(tbl, name, rule) */
Datum
segment_add_segment(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"tbl", "name", "rule"};
	SegmentTable *table;
	char	   *name;
	char	   *what;
	CheckedRule *rule;

	define_require(fcinfo, 3, names);
	table = define_open(PG_GETARG_OID(0));
	name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	what = psprintf("segment \"%s\"", name);
	define_check_new_name(table, name, "segment");
	rule = define_check_rule(table, text_to_cstring(PG_GETARG_TEXT_PP(2)), OVER_ROW,
							 BOOLOID, what);
	define_notice_unanalyzed(table, rule, what);
	define_ddl(table, "ALTER TABLE %s ADD COLUMN %s boolean NOT NULL DEFAULT false",
			   catalog_qualified_name(table->relid), quote_identifier(name));
	define_put_column(table, name, COLUMN_SEGMENT, OVER_ROW, rule);
	define_changed(table->relid, name);
	PG_RETURN_VOID();
}

/* Who has a row decides where the cut points of bands lie, so these can't decide who has one. */
static void
refuse_bands(const SegmentTable *table, const CheckedRule *rule)
{
	ListCell   *lc,
			   *lc2;

	foreach(lc, table->columns)
	{
		Column	   *band = lfirst(lc);
		List	   *readers = band->kind == COLUMN_BAND ? rule_readers(table, band->name) : NIL;

		foreach(lc2, rule->depends)
		{
			if (list_member(readers, makeString(lfirst(lc2))))
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
						 errmsg("the rule of eligibility must not read the band \"%s\"", band->name),
						 errdetail("Bands are ranks among the customers who are eligible."),
						 errhint("Make it a segment.")));
		}
	}
}

/* set_eligible(tbl, rule); NULL: everybody */
Datum
segment_set_eligible(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"tbl"};
	SegmentTable *table;
	const char *what = "the rule of eligibility";

	define_require(fcinfo, 1, names);
	table = define_open(PG_GETARG_OID(0));
	if (PG_ARGISNULL(1))
		catalog_delete_column(table->relid, ELIGIBLE_NAME);
	else
	{
		CheckedRule *rule = define_check_rule(table, text_to_cstring(PG_GETARG_TEXT_PP(1)),
											  OVER_ROW, BOOLOID, what);

		refuse_bands(table, rule);
		define_notice_unanalyzed(table, rule, what);
		define_put_column(table, ELIGIBLE_NAME, COLUMN_ELIGIBLE, OVER_ROW, rule);
	}
	marklog_append_all(table->relid);
	PG_RETURN_VOID();
}

/* What the history has open of a column ends now. */
static void
close_history(const SegmentTable *table, const char *name)
{
	char	   *history = catalog_qualified_name(table->history);
	char	   *now = quote_literal_cstr(timestamptz_to_str(context_instant()));

	define_ddl(table, "DELETE FROM %s WHERE segment = %s AND left_at IS NULL AND entered_at >= %s",
			   history, quote_literal_cstr(name), now);
	define_ddl(table, "UPDATE %s SET left_at = %s WHERE segment = %s AND left_at IS NULL",
			   history, now, quote_literal_cstr(name));
}

void
define_drop(FunctionCallInfo fcinfo, ColumnKind kind, const char *what)
{
	static const char *const names[] = {"tbl", "name"};
	SegmentTable *table;
	char	   *name;
	Column	   *column;

	define_require(fcinfo, 2, names);
	table = define_open(PG_GETARG_OID(0));
	name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	column = catalog_find_column(table, name);
	if (column == NULL || column->kind != kind)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("segment table %s has no %s \"%s\"",
						catalog_qualified_name(table->relid), what, name),
				 errhint("See the view segment.%ss.", what)));
	define_check_unused(table, name, what);
	define_ddl(table, "ALTER TABLE %s DROP COLUMN IF EXISTS %s", catalog_qualified_name(table->relid),
			   quote_identifier(name));
	catalog_delete_column(table->relid, name);
	if (catalog_is_recorded(column))
		close_history(table, name);
}

/* drop_score(tbl, name) */
Datum
segment_drop_score(PG_FUNCTION_ARGS)
{
	define_drop(fcinfo, COLUMN_SCORE, "score");
	PG_RETURN_VOID();
}

/* drop_segment(tbl, name): its members leave it now; the history stays */
Datum
segment_drop_segment(PG_FUNCTION_ARGS)
{
	define_drop(fcinfo, COLUMN_SEGMENT, "segment");
	PG_RETURN_VOID();
}
