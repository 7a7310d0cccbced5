/*
 * compile.c
 *		From a definition to the SQL that computes rows.
 *
 * The query is built from the inside out: on what comes from the events and
 * attributes (base.c), or from rows computed before, stand row expressions
 * level by level, each level seeing the columns below it.
 * Canonical expressions name columns without a prefix, so each stands in a
 * sub-select whose FROM has nothing but the relation it was analyzed against.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "nodes/value.h"
#include "rule/compile.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* Are all columns that this one reads known already? */
static bool
is_ready(const SegmentTable *table, const Column *column, List *known)
{
	ListCell   *lc;

	foreach(lc, column->depends)
	{
		char	   *name = lfirst(lc);

		if (strcmp(name, table->key_name) != 0 && !list_member(known, makeString(name)))
			return false;
	}
	return true;
}

/*
 * Wraps sql, whose columns are known, in sub-selects that add the row
 * expressions, each once what it reads is there; not those that are closed.
 * Returns the columns known then.
 */
static List *
wrap_levels(StringInfo sql, const SegmentTable *table, List *known, List *closed)
{
	List	   *added;

	do
	{
		StringInfoData expressions;
		ListCell   *lc;

		added = NIL;
		initStringInfo(&expressions);
		foreach(lc, table->columns)
		{
			Column	   *column = lfirst(lc);
			String	   *name = makeString(column->name);

			if (list_member(known, name) || list_member(closed, name) ||
				!is_ready(table, column, known))
				continue;
			appendStringInfo(&expressions, catalog_is_condition(column) ?
							 ", COALESCE(%s, false) AS %s" : ", (%s) AS %s",
							 column->expression, quote_identifier(column->name));
			added = lappend(added, name);
		}
		if (added != NIL)
		{
			char	   *inner = pstrdup(sql->data);

			resetStringInfo(sql);
			/* OFFSET 0: an expression read by several others is computed once */
			appendStringInfo(sql, "SELECT *%s FROM (%s OFFSET 0) level", expressions.data, inner);
		}
		known = list_concat_copy(known, added);
	} while (added != NIL);
	return known;
}

/* Error if a column is not among those known, for want of what it reads. */
static void
require_all(const SegmentTable *table, List *known)
{
	ListCell   *lc;

	foreach(lc, table->columns)
	{
		char	   *name = ((Column *) lfirst(lc))->name;

		if (!list_member(known, makeString(name)))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
					 errmsg("column \"%s\" depends on itself or on a column that is gone", name),
					 errhint("Drop it and define it again.")));
	}
}

static char *
interval_text(const Interval *interval)
{
	return DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(interval)));
}

static void
append_result_columns(StringInfo sql, const SegmentTable *table)
{
	char	   *row_crossing = rule_least_crossing(table, OVER_ROW);
	bool		eligible = false;
	bool		unanalyzed = false;
	ListCell   *lc;

	appendStringInfo(sql, "SELECT %s", compile_key(table));
	foreach(lc, table->columns)
	{
		Column	   *column = lfirst(lc);

		if (column->unanalyzed != NULL)
			unanalyzed = true;
		if (column->kind == COLUMN_ELIGIBLE)
			eligible = true;
		else
			appendStringInfo(sql, ", %s", quote_identifier(column->name));
	}
	appendStringInfo(sql, ", %s%s AS %s, (%s)::text AS %s", PRESENT_COLUMN,
					 eligible ? " AND " ELIGIBLE_NAME : "", PRESENT_COLUMN,
					 compile_key(table), KEY_TEXT_COLUMN);
	appendStringInfo(sql, ", LEAST('infinity'::timestamptz, %s", CROSSING_COLUMN);
	if (row_crossing != NULL)
		appendStringInfo(sql, ", %s", row_crossing);
	if (unanalyzed)
		appendStringInfo(sql, ", segment.now() + %s::interval",
						 quote_literal_cstr(interval_text(table->max_age)));
	appendStringInfo(sql, ") AS %s", VALID_UNTIL_COLUMN);
}

char *
rule_evaluate_sql(const SegmentTable *table, RuleWhom whom, bool future)
{
	StringInfoData levels;
	StringInfoData sql;

	initStringInfo(&levels);
	rule_append_base(&levels, table, whom, future);
	require_all(table, wrap_levels(&levels, table, rule_base_columns(table), NIL));

	initStringInfo(&sql);
	if (whom == RULE_KEYS)
	{
		appendStringInfo(&sql, "WITH %s AS MATERIALIZED (SELECT DISTINCT u::%s AS %s"
						 " FROM unnest($1) u%s", KEYS_NAME,
						 catalog_type_name(table->key_type), KEYS_COLUMN,
						 table->salt == NULL ? "" : compile_not_suppressed(table, "u"));
		if (table->merged)
			appendStringInfo(&sql, " %s %s", table->salt == NULL ? "WHERE" : "AND",
							 merged_condition_of_keys(table));
		appendStringInfoString(&sql, "), ");
		if (table->merged)
			merged_append_members(&sql, table);
		appendStringInfo(&sql, "%s AS MATERIALIZED (", STREAM_NAME);
		rule_append_stream(&sql, table, rule_stream_columns(table), whom, NULL);
		appendStringInfoString(&sql, ") ");
	}
	append_result_columns(&sql, table);
	appendStringInfo(&sql, " FROM (%s OFFSET 0) result", levels.data);
	return sql.data;
}

/*
 * One stage: sql, whose columns are known, with those added that are not
 * closed.  The last one, where none is, gives the result: of the rows that a
 * condition admits, if there is one.
 */
static char *
stage_sql(const SegmentTable *table, StringInfo sql, const char *condition, List *closed,
		  List **known, bool *complete)
{
	StringInfoData result;

	*known = wrap_levels(sql, table, *known, closed);
	*complete = closed == NIL;
	if (!*complete)
		return sql->data;
	require_all(table, *known);
	initStringInfo(&result);
	append_result_columns(&result, table);
	appendStringInfo(&result, " FROM (%s OFFSET 0) result%s%s", sql->data,
					 condition == NULL ? "" : " WHERE ", condition == NULL ? "" : condition);
	return result.data;
}

char *
rule_stage_sql(const SegmentTable *table, RuleWhom whom, bool future, const char *rows,
			   List *closed, List **known, bool *complete)
{
	StringInfoData sql;

	initStringInfo(&sql);
	if (rows != NULL)
		appendStringInfo(&sql, "SELECT * FROM %s", rows);
	else
	{
		rule_append_base(&sql, table, whom, future);
		*known = rule_base_columns(table);
	}
	return stage_sql(table, &sql, NULL, closed, known, complete);
}

/*
 * The stored rows, without the columns that are to be computed again.  The
 * crossings of the other columns lie after the old valid_until: it stands for
 * them, and for those of the events.
 */
static List *
append_stored(StringInfo sql, const SegmentTable *table, List *again)
{
	List	   *known = NIL;
	ListCell   *lc;

	appendStringInfo(sql, "SELECT %s, true AS %s, valid_until AS %s", compile_key(table),
					 PRESENT_COLUMN, CROSSING_COLUMN);
	foreach(lc, table->columns)
	{
		Column	   *column = lfirst(lc);

		if (list_member(again, makeString(column->name)))
			continue;
		appendStringInfo(sql, ", %s", column->kind == COLUMN_ELIGIBLE ?
						 "true AS " ELIGIBLE_NAME : quote_identifier(column->name));
		known = lappend(known, makeString(column->name));
	}
	appendStringInfo(sql, " FROM %s", catalog_qualified_name(table->relid));
	return known;
}

char *
rule_again_sql(const SegmentTable *table, List *again, bool except, const char *rows,
			   List *closed, List **known, bool *complete)
{
	StringInfoData sql;
	StringInfoData condition;

	initStringInfo(&sql);
	if (rows != NULL)
		appendStringInfo(&sql, "SELECT * FROM %s", rows);
	else
		*known = append_stored(&sql, table, again);
	initStringInfo(&condition);
	appendStringInfo(&condition, "%s > segment.now()", CROSSING_COLUMN);
	if (except)
		appendStringInfo(&condition, " AND NOT %s %s ANY (SELECT u::%s FROM unnest($1) u)",
						 compile_key(table), catalog_equality(table->key_type),
						 catalog_type_name(table->key_type));
	return stage_sql(table, &sql, condition.data, closed, known, complete);
}
