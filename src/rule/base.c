/*
 * base.c
 *		The innermost part of the query that computes rows: what comes from the events and attributes.
 *
 * The stream (a UNION ALL of the sources), its aggregates by customer, and
 * attributes joined to them.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relation.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "nodes/value.h"
#include "rule/compile.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#define FUTURE_COLUMN "__segment_future"
#define HAS_EVENTS_COLUMN "__segment_has_events"

/*
 * The part of the stream on one side of the as-of instant.  Keyed, it is read
 * from the sources once, into a common table expression.
 */
static void
append_stream_part(StringInfo sql, const SegmentTable *table, List *columns, RuleWhom whom,
				   const char *which)
{
	if (whom == RULE_KEYS)
		appendStringInfo(sql, "SELECT * FROM %s WHERE at %s segment.now()", STREAM_NAME, which);
	else
		rule_append_stream(sql, table, columns, whom, which);
}

/* "LEAST(...)" over the crossings of columns computed over the same thing, or NULL. */
char *
rule_least_crossing(const SegmentTable *table, ColumnOver over)
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
	char	   *crossing = rule_least_crossing(table, OVER_EVENTS);
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
append_attributes(StringInfo sql, const SegmentTable *table, const Source *source,
				  RuleWhom whom)
{
	StringInfoData order;
	ListCell   *lc;

	initStringInfo(&order);
	appendStringInfo(sql, "SELECT %s (%s)::%s AS %s, true AS %s%d",
					 key_is_unique(source) ? "" : "DISTINCT ON (1)", source->key,
					 catalog_type_name(table->key_type), compile_key(table),
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
	rule_append_whom(sql, table, source, whom);
	if (table->merged && whom != RULE_KEYS)
		merged_append_attributes(sql, table, source);
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
					 key->data, catalog_equality(table->key_type), alias, compile_key(table));
	appendStringInfo(key, ", %s.%s", alias, compile_key(table));
}

void
rule_append_base(StringInfo result, const SegmentTable *table, RuleWhom whom, bool future)
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
	appendStringInfo(&key, "ev.%s", compile_key(table));
	appendStringInfo(&sql, " FROM (SELECT %s, true AS %s", compile_key(table), HAS_EVENTS_COLUMN);
	append_aggregates(&sql, table);
	appendStringInfoString(&sql, " FROM (");
	append_stream_part(&sql, table, columns, whom, "<=");
	appendStringInfo(&sql, ") stream GROUP BY %s) ev", compile_key(table));
	if (future)
	{
		appendStringInfo(&part, "SELECT %s, min(at) AS %s FROM (", compile_key(table), FUTURE_COLUMN);
		append_stream_part(&part, table, columns, whom, ">");
		appendStringInfoString(&part, ") stream GROUP BY 1");
		append_full_join(&sql, table, &key, part.data, "future");
	}
	foreach(lc, table->sources)
	{
		Source	   *source = lfirst(lc);

		if (source->kind != SOURCE_ATTRIBUTES)
			continue;
		resetStringInfo(&part);
		append_attributes(&part, table, source, whom);
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

	/* keyed, they are not asked for; else behind a fence, asked of each customer and not of each event */
	if (table->salt != NULL && whom != RULE_KEYS)
		appendStringInfoString(result, "SELECT * FROM (");
	appendStringInfo(result, "SELECT COALESCE(%s) AS %s", key.data, compile_key(table));
	append_base_columns(result, table, with_attributes);
	if (with_attributes)
		appendStringInfo(result, ", LEAST(CASE WHEN ev.%s THEN ev.%s ELSE none.%s END",
						 HAS_EVENTS_COLUMN, CROSSING_COLUMN, CROSSING_COLUMN);
	else
		appendStringInfo(result, ", LEAST(ev.%s", CROSSING_COLUMN);
	appendStringInfo(result, ", %s) AS %s%s", future ? FUTURE_COLUMN : "NULL",
					 CROSSING_COLUMN, sql.data);
	if (table->salt != NULL && whom != RULE_KEYS)
		appendStringInfo(result, " OFFSET 0) everybody%s",
						 compile_not_suppressed(table, psprintf("(%s)::text", compile_key(table))));
}

/* The columns that an evaluation of the events begins with. */
List *
rule_base_columns(const SegmentTable *table)
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
