/*
 * stream.c
 *		The event stream as SQL: a UNION ALL of the sources.
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "rule/compile.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* The type of a column of the stream. */
static Oid
stream_type(List *columns, const char *name)
{
	ListCell   *lc;

	foreach(lc, columns)
	{
		StreamColumn *column = lfirst(lc);

		if (strcmp(column->name, name) == 0)
			return column->type;
	}
	return FLOAT8OID;
}

static const char *
extra_expression(const Source *source, const char *name)
{
	ListCell   *lc;

	foreach(lc, source->extra)
	{
		NamedExpr  *extra = lfirst(lc);

		if (strcmp(extra->name, name) == 0)
			return extra->expression;
	}
	return "NULL";
}

void
rule_append_cast(StringInfo sql, const char *expression, Oid type, const char *name)
{
	appendStringInfo(sql, ", (%s)::%s%s AS %s", expression == NULL ? "NULL" : expression,
					 catalog_type_name(type),
					 get_typcollation(type) == DEFAULT_COLLATION_OID ?
					 " COLLATE pg_catalog.\"default\"" : "",
					 quote_identifier(name));
}

/* One source's part of the stream; columns lists value and the extras. */
static void
append_source_select(StringInfo sql, const SegmentTable *table, const Source *source,
					 List *columns)
{
	ListCell   *lc;

	appendStringInfo(sql, "SELECT (%s)::%s AS %s, %s AS at", source->key,
					 catalog_type_name(table->key_type), quote_identifier(table->key_name), source->at);
	rule_append_cast(sql, source->event, TEXTOID, "event");
	rule_append_cast(sql, source->value, stream_type(columns, "value"), "value");
	rule_append_cast(sql, source->item, TEXTOID, "item");
	rule_append_cast(sql, quote_literal_cstr(source->name), TEXTOID, "source");
	foreach(lc, columns)
	{
		StreamColumn *column = lfirst(lc);

		if (strcmp(column->name, "value") != 0)
			rule_append_cast(sql, extra_expression(source, column->name), column->type,
						column->name);
	}
	appendStringInfo(sql, " FROM %s", catalog_qualified_name(source->relation));
}

/* A stream without sources: its columns and no row. */
void
rule_append_empty_stream(StringInfo sql, const SegmentTable *table, List *columns)
{
	ListCell   *lc;

	appendStringInfo(sql, "SELECT NULL::%s AS %s, NULL::timestamptz AS at",
					 catalog_type_name(table->key_type), quote_identifier(table->key_name));
	rule_append_cast(sql, NULL, TEXTOID, "event");
	rule_append_cast(sql, NULL, stream_type(columns, "value"), "value");
	rule_append_cast(sql, NULL, TEXTOID, "item");
	rule_append_cast(sql, NULL, TEXTOID, "source");
	foreach(lc, columns)
	{
		StreamColumn *column = lfirst(lc);

		if (strcmp(column->name, "value") != 0)
			rule_append_cast(sql, NULL, column->type, column->name);
	}
	appendStringInfoString(sql, " WHERE false");
}

/*
 * Those asked for, in a form that an index on the key serves.  Those left out
 * are so before anything else of the row is evaluated, which may fail for them.
 */
void
rule_append_whom(StringInfo sql, const SegmentTable *table, const Source *source, RuleWhom whom)
{
	if (whom == RULE_KEYS && table->merged && source->kind == SOURCE_EVENTS)
		appendStringInfo(sql, " AND (%s) %s ANY (%s)", source->key,
						 catalog_equality(table->key_type), merged_keys_of_events());
	else if (whom == RULE_KEYS)
		appendStringInfo(sql, " AND (%s) %s ANY (SELECT %s FROM %s)", source->key,
						 catalog_equality(table->key_type), KEYS_COLUMN, KEYS_NAME);
	else if (whom == RULE_OTHERS)
	{
		appendStringInfo(sql, " AND NOT (%s)::%s %s ANY (SELECT u::%s FROM unnest($1) u",
						 source->key, catalog_type_name(table->key_type),
						 catalog_equality(table->key_type), catalog_type_name(table->key_type));
		if (table->merged)
			merged_append_others(sql, table);
		appendStringInfoChar(sql, ')');
	}
	if (whom == RULE_OTHERS && table->salt != NULL)
		appendStringInfo(sql, " AND NOT (%s)::%s %s ANY (SELECT u FROM"
						 " (SELECT DISTINCT (%s)::%s FROM %s OFFSET 0) k(u) WHERE segment.is_suppressed(%u, u::text))",
						 source->key, catalog_type_name(table->key_type),
						 catalog_equality(table->key_type), source->key,
						 catalog_type_name(table->key_type), catalog_qualified_name(source->relation),
						 table->relid);
}

/* Each event under the key that it was written with; arguments as of rule_append_stream. */
static void
append_sources(StringInfo sql, const SegmentTable *table, List *columns,
			   RuleWhom whom, const char *which)
{
	bool		first = true;
	ListCell   *lc;

	foreach(lc, table->sources)
	{
		Source	   *source = lfirst(lc);

		if (source->kind != SOURCE_EVENTS)
			continue;
		if (!first)
			appendStringInfoString(sql, " UNION ALL ");
		first = false;
		append_source_select(sql, table, source, columns);
		appendStringInfo(sql, " WHERE (%s) IS NOT NULL", source->key);
		if (which != NULL && whom == RULE_OTHERS)
		{
			/* whatever the planner thinks of their order */
			appendStringInfoString(sql, " AND CASE WHEN true");
			rule_append_whom(sql, table, source, whom);
			appendStringInfo(sql, " THEN (%s) %s segment.now() END", source->at, which);
			continue;
		}
		if (which != NULL)
			appendStringInfo(sql, " AND (%s) %s segment.now()", source->at, which);
		rule_append_whom(sql, table, source, whom);
	}
	if (first)
		rule_append_empty_stream(sql, table, columns);
}

void
rule_append_stream(StringInfo sql, const SegmentTable *table, List *columns,
				   RuleWhom whom, const char *which)
{
	StringInfoData stream;

	if (!table->merged)
	{
		append_sources(sql, table, columns, whom, which);
		return;
	}
	initStringInfo(&stream);
	append_sources(&stream, table, columns, whom, which);
	merged_append_stream(sql, table, columns, stream.data, whom);
}

/* As written: found by key with the sources' indexes. */
char *
rule_stream_view_sql(const SegmentTable *table, List *columns)
{
	StringInfoData sql;

	initStringInfo(&sql);
	append_sources(&sql, table, columns, RULE_EVERYBODY, "<=");
	return sql.data;
}

List *
rule_stream_columns(const SegmentTable *table)
{
	List	   *result = NIL;
	Relation	view;

	if (!OidIsValid(table->events) || get_rel_name(table->events) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("the event stream of segment table %s is gone",
						catalog_qualified_name(table->relid)),
				 errhint("Its view was dropped. SELECT * FROM segment.apply_definition(segment.definition(%s)) makes it anew.",
						 quote_literal_cstr(catalog_qualified_name(table->relid)))));
	view = relation_open(table->events, AccessShareLock);
	for (int i = 0; i < RelationGetDescr(view)->natts; i++)
	{
		Form_pg_attribute attr = TupleDescAttr(RelationGetDescr(view), i);
		StreamColumn *column = palloc(sizeof(StreamColumn));

		/* key, at, event, value, item, source, then the extras */
		if (i < 3 || i == 4 || i == 5)
			continue;
		column->name = pstrdup(NameStr(attr->attname));
		column->type = attr->atttypid;
		result = lappend(result, column);
	}
	relation_close(view, AccessShareLock);
	return result;
}
