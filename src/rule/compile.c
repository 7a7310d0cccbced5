/*
 * compile.c
 *		From a definition to the SQL that computes rows.
 *
 * The query is built from the inside out: the stream (a UNION ALL of the
 * sources), its aggregates by customer, attributes joined to them, then row
 * expressions level by level, each level seeing the columns below it.
 * Canonical expressions name columns without a prefix, so each stands in a
 * sub-select whose FROM has nothing but the relation it was analyzed against.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relation.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "rule/compile.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#define CROSSING_COLUMN "__segment_crossing"
#define FUTURE_COLUMN "__segment_future"
#define HAS_EVENTS_COLUMN "__segment_has_events"

static const char *
key_ident(const SegmentTable *table)
{
	return quote_identifier(table->key_name);
}

/*
 * The part of the stream on one side of the as-of instant.  Keyed, it is read
 * from the sources once, into a common table expression.
 */
static void
append_stream_part(StringInfo sql, const SegmentTable *table, List *columns, bool keyed,
				   const char *which)
{
	if (keyed)
		appendStringInfo(sql, "SELECT * FROM %s WHERE at %s segment.now()", STREAM_NAME, which);
	else
		rule_append_stream(sql, table, columns, false, which);
}

/* "LEAST(...)" over the crossings of columns computed over the same thing, or NULL. */
static char *
least_crossing(const SegmentTable *table, ColumnOver over)
{
	StringInfoData sql;
	ListCell   *lc,
			   *lc2;

	initStringInfo(&sql);
	foreach(lc, table->columns)
	{
		Column	   *column = lfirst(lc);

		if (column->over != over)
			continue;
		foreach(lc2, column->crossings)
			appendStringInfo(&sql, "%s%s", sql.len == 0 ? "LEAST(" : ", ",
							 (char *) lfirst(lc2));
	}
	if (sql.len == 0)
		return NULL;
	appendStringInfoChar(&sql, ')');
	return sql.data;
}

/* The aggregates of the scores over events, as a target list's tail. */
static void
append_aggregates(StringInfo sql, const SegmentTable *table)
{
	char	   *crossing = least_crossing(table, OVER_EVENTS);
	ListCell   *lc;

	foreach(lc, table->columns)
	{
		Column	   *column = lfirst(lc);

		if (column->over == OVER_EVENTS)
			appendStringInfo(sql, ", %s AS %s", column->expression,
							 quote_identifier(column->name));
	}
	appendStringInfo(sql, ", %s AS %s", crossing == NULL ? "NULL::timestamptz" : crossing,
					 CROSSING_COLUMN);
}

/* Is there at most one row for each key?  Proven by a unique index on the key alone. */
static bool
key_is_unique(const Source *source)
{
	Relation	rel = relation_open(source->relation, AccessShareLock);
	/* the index of a parent says nothing of its children's rows */
	List	   *indexes = rel->rd_rel->relkind == RELKIND_RELATION &&
		has_subclass(source->relation) ? NIL : RelationGetIndexList(rel);
	bool		result = false;
	ListCell   *lc;

	foreach(lc, indexes)
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);
		Form_pg_index form = index->rd_index;
		AttrNumber	attno = form->indkey.values[0];

		if (form->indisunique && form->indisvalid && form->indimmediate &&
			form->indnkeyatts == 1 && attno > 0 &&
			RelationGetIndexPredicate(index) == NIL &&
			strcmp(quote_identifier(get_attname(source->relation, attno, false)),
				   source->key) == 0)
			result = true;
		index_close(index, AccessShareLock);
	}
	relation_close(rel, AccessShareLock);
	return result;
}

/* The rows of an attribute table; of several for one key, the first in order of their values. */
static void
append_attributes(StringInfo sql, const SegmentTable *table, const Source *source, bool keyed)
{
	StringInfoData order;
	ListCell   *lc;

	initStringInfo(&order);
	appendStringInfo(sql, "SELECT %s (%s)::%s AS %s, true AS %s%d",
					 key_is_unique(source) ? "" : "DISTINCT ON (1)", source->key,
					 catalog_type_name(table->key_type), key_ident(table),
					 HAS_EVENTS_COLUMN, source->id);
	foreach(lc, source->extra)
	{
		NamedExpr  *attribute = lfirst(lc);
		Column	   *column = catalog_find_column(table, attribute->name);

		rule_append_cast(sql, attribute->expression, column->type, attribute->name);
		appendStringInfo(&order, ", (%s)::text", attribute->expression);
	}
	appendStringInfo(sql, " FROM %s WHERE (%s) IS NOT NULL",
					 catalog_qualified_name(source->relation), source->key);
	if (keyed)
		appendStringInfo(sql, " AND (%s) %s ANY (SELECT %s FROM %s)", source->key,
						 catalog_equality(table->key_type), KEYS_COLUMN, KEYS_NAME);
	if (!key_is_unique(source))
		appendStringInfo(sql, " ORDER BY 1%s", order.data);
}

static bool
has_attributes(const SegmentTable *table)
{
	ListCell   *lc;

	foreach(lc, table->sources)
	{
		if (((Source *) lfirst(lc))->kind == SOURCE_ATTRIBUTES)
			return true;
	}
	return false;
}

/*
 * Aggregated events, one row a customer.  Customers known from attributes
 * alone have no group: theirs are the values over no event at all, taken from
 * the one-row sub-select "none".
 */
static void
append_base_columns(StringInfo sql, const SegmentTable *table, bool with_attributes)
{
	ListCell   *lc;

	foreach(lc, table->columns)
	{
		Column	   *column = lfirst(lc);
		const char *name = quote_identifier(column->name);

		if (column->over == OVER_EVENTS && with_attributes)
			appendStringInfo(sql, ", CASE WHEN ev.%s THEN ev.%s ELSE none.%s END AS %s",
							 HAS_EVENTS_COLUMN, name, name, name);
		else if (column->over != OVER_ROW)
			appendStringInfo(sql, ", %s", name);
	}
	appendStringInfo(sql, ", COALESCE(ev.%s, false)", HAS_EVENTS_COLUMN);
	foreach(lc, table->sources)
	{
		Source	   *source = lfirst(lc);

		if (source->kind == SOURCE_ATTRIBUTES)
			appendStringInfo(sql, " OR COALESCE(%s%d, false)", HAS_EVENTS_COLUMN, source->id);
	}
	appendStringInfo(sql, " AS %s", PRESENT_COLUMN);
}

/*
 * Joins another sub-select with the customers so far, whose key *key names;
 * USING would look its operator up by name.
 */
static void
append_full_join(StringInfo sql, const SegmentTable *table, StringInfo key,
				 const char *subselect, const char *alias)
{
	appendStringInfo(sql, " FULL JOIN (%s) %s ON COALESCE(%s) %s %s.%s", subselect, alias,
					 key->data, catalog_equality(table->key_type), alias, key_ident(table));
	appendStringInfo(key, ", %s.%s", alias, key_ident(table));
}

static void
append_base(StringInfo result, const SegmentTable *table, bool keyed, bool future)
{
	List	   *columns = rule_stream_columns(table);
	bool		with_attributes = has_attributes(table);
	StringInfoData sql;
	StringInfoData key;
	StringInfoData part;
	ListCell   *lc;

	initStringInfo(&sql);
	initStringInfo(&key);
	initStringInfo(&part);
	appendStringInfo(&key, "ev.%s", key_ident(table));
	appendStringInfo(&sql, " FROM (SELECT %s, true AS %s", key_ident(table), HAS_EVENTS_COLUMN);
	append_aggregates(&sql, table);
	appendStringInfoString(&sql, " FROM (");
	append_stream_part(&sql, table, columns, keyed, "<=");
	appendStringInfo(&sql, ") stream GROUP BY %s) ev", key_ident(table));
	if (future)
	{
		appendStringInfo(&part, "SELECT %s, min(at) AS %s FROM (", key_ident(table), FUTURE_COLUMN);
		append_stream_part(&part, table, columns, keyed, ">");
		appendStringInfoString(&part, ") stream GROUP BY 1");
		append_full_join(&sql, table, &key, part.data, "future");
	}
	foreach(lc, table->sources)
	{
		Source	   *source = lfirst(lc);

		if (source->kind != SOURCE_ATTRIBUTES)
			continue;
		resetStringInfo(&part);
		append_attributes(&part, table, source, keyed);
		append_full_join(&sql, table, &key, part.data, psprintf("attributes%d", source->id));
	}
	if (with_attributes)
	{
		/* count(*): one row of aggregates, even if no score is one */
		appendStringInfoString(&sql, " CROSS JOIN (SELECT count(*) AS " HAS_EVENTS_COLUMN);
		append_aggregates(&sql, table);
		appendStringInfoString(&sql, " FROM (");
		rule_append_empty_stream(&sql, table, columns);
		appendStringInfoString(&sql, ") stream) none");
	}

	appendStringInfo(result, "SELECT COALESCE(%s) AS %s", key.data, key_ident(table));
	append_base_columns(result, table, with_attributes);
	if (with_attributes)
		appendStringInfo(result, ", LEAST(CASE WHEN ev.%s THEN ev.%s ELSE none.%s END",
						 HAS_EVENTS_COLUMN, CROSSING_COLUMN, CROSSING_COLUMN);
	else
		appendStringInfo(result, ", LEAST(ev.%s", CROSSING_COLUMN);
	appendStringInfo(result, ", %s) AS %s%s", future ? FUTURE_COLUMN : "NULL",
					 CROSSING_COLUMN, sql.data);
}

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

/* The columns that an evaluation of the events begins with. */
static List *
base_columns(const SegmentTable *table)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, table->columns)
	{
		Column	   *column = lfirst(lc);

		if (column->over != OVER_ROW)
			result = lappend(result, makeString(column->name));
	}
	return result;
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
	char	   *row_crossing = least_crossing(table, OVER_ROW);
	bool		eligible = false;
	bool		unanalyzed = false;
	ListCell   *lc;

	appendStringInfo(sql, "SELECT %s", key_ident(table));
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
					 key_ident(table), KEY_TEXT_COLUMN);
	appendStringInfo(sql, ", LEAST('infinity'::timestamptz, %s", CROSSING_COLUMN);
	if (row_crossing != NULL)
		appendStringInfo(sql, ", %s", row_crossing);
	if (unanalyzed)
		appendStringInfo(sql, ", segment.now() + %s::interval",
						 quote_literal_cstr(interval_text(table->max_age)));
	appendStringInfo(sql, ") AS %s", VALID_UNTIL_COLUMN);
}

char *
rule_evaluate_sql(const SegmentTable *table, bool keyed, bool future)
{
	StringInfoData levels;
	StringInfoData sql;

	initStringInfo(&levels);
	append_base(&levels, table, keyed, future);
	require_all(table, wrap_levels(&levels, table, base_columns(table), NIL));

	initStringInfo(&sql);
	if (keyed)
	{
		appendStringInfo(&sql, "WITH %s AS MATERIALIZED (SELECT DISTINCT u::%s AS %s"
						 " FROM unnest($1) u), %s AS MATERIALIZED (", KEYS_NAME,
						 catalog_type_name(table->key_type), KEYS_COLUMN, STREAM_NAME);
		rule_append_stream(&sql, table, rule_stream_columns(table), true, NULL);
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
rule_stage_sql(const SegmentTable *table, bool future, const char *rows, List *closed,
			   List **known, bool *complete)
{
	StringInfoData sql;

	initStringInfo(&sql);
	if (rows != NULL)
		appendStringInfo(&sql, "SELECT * FROM %s", rows);
	else
	{
		append_base(&sql, table, false, future);
		*known = base_columns(table);
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

	appendStringInfo(sql, "SELECT %s, true AS %s, valid_until AS %s", key_ident(table),
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
						 key_ident(table), catalog_equality(table->key_type),
						 catalog_type_name(table->key_type));
	return stage_sql(table, &sql, condition.data, closed, known, complete);
}
