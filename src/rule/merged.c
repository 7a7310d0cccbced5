/*
 * merged.c
 *		Keys whose events count for another key, in the query that computes rows.
 *
 * The sources are read as ever, and the key of an event is exchanged behind
 * them: expressions of sources see the key that the event was written with.
 * Whose key is merged has no row: of attributes those of his are left out.
 */
#include "postgres.h"

#include "catalog/merged.h"
#include "lib/stringinfo.h"
#include "rule/compile.h"
#include "utils/builtins.h"

/* Columns of MEMBERS_NAME and of all_pairs. */
#define FROM_COLUMN "__segment_from"
#define INTO_COLUMN "__segment_into"

/* Every merged key, and the one it counts for; condition: "" or a WHERE of from_key and counts_for. */
static char *
all_pairs(const SegmentTable *table, const char *condition)
{
	const char *type = catalog_type_name(table->key_type);

	return psprintf("SELECT from_key::%s AS " FROM_COLUMN ", counts_for::%s AS " INTO_COLUMN
					" FROM segment.merged_keys(%u)%s", type, type, table->relid, condition);
}

char *
merged_condition_of_keys(const SegmentTable *table)
{
	const char *type = catalog_type_name(table->key_type);

	/* CASE: of a function's NULL the planner would think that it is rare */
	if (merged_by_text(table->key_type))
		return psprintf("CASE WHEN segment.merged_into(%u, u::%s::text) IS NULL THEN true ELSE false END",
						table->relid, type);
	return psprintf("NOT u::%s %s ANY (SELECT " FROM_COLUMN " FROM (%s) m)", type,
					catalog_equality(table->key_type), all_pairs(table, ""));
}

void
merged_append_members(StringInfo sql, const SegmentTable *table)
{
	const char *type = catalog_type_name(table->key_type);

	appendStringInfo(sql, MEMBERS_NAME " AS MATERIALIZED (SELECT %s AS " FROM_COLUMN ", %s AS " INTO_COLUMN
					 " FROM %s UNION ALL ", KEYS_COLUMN, KEYS_COLUMN, KEYS_NAME);
	if (merged_by_text(table->key_type))
		appendStringInfo(sql, "SELECT from_key::%s, counts_for::%s"
						 " FROM segment.merged_keys(%u, ARRAY(SELECT %s::text FROM %s))",
						 type, type, table->relid, KEYS_COLUMN, KEYS_NAME);
	else
		appendStringInfo(sql, "SELECT m." FROM_COLUMN ", k.%s FROM (%s) m JOIN %s k ON k.%s %s m." INTO_COLUMN,
						 KEYS_COLUMN, all_pairs(table, ""), KEYS_NAME, KEYS_COLUMN,
						 catalog_equality(table->key_type));
	appendStringInfoString(sql, "), ");
}

char *
merged_keys_of_events(void)
{
	return "SELECT " FROM_COLUMN " FROM " MEMBERS_NAME;
}

void
merged_append_stream(StringInfo sql, const SegmentTable *table, List *columns, const char *stream,
					 RuleWhom whom)
{
	const char *key = compile_key(table);
	const char *equality = catalog_equality(table->key_type);
	ListCell   *lc;

	appendStringInfo(sql, whom == RULE_KEYS ? "SELECT m." INTO_COLUMN " AS %s" :
					 "SELECT COALESCE(m." INTO_COLUMN ", s.%s) AS %s", key, key);
	appendStringInfoString(sql, ", s.at, s.event, s.item, s.source");
	foreach(lc, columns)
		appendStringInfo(sql, ", s.%s", quote_identifier(((StreamColumn *) lfirst(lc))->name));
	if (whom == RULE_KEYS)
		appendStringInfo(sql, " FROM (%s) s JOIN " MEMBERS_NAME " m ON m." FROM_COLUMN " %s s.%s",
						 stream, equality, key);
	else
		appendStringInfo(sql, " FROM (%s) s LEFT JOIN (%s) m ON m." FROM_COLUMN " %s s.%s",
						 stream, all_pairs(table, ""), equality, key);
}

void
merged_append_others(StringInfo sql, const SegmentTable *table)
{
	const char *type = catalog_type_name(table->key_type);

	appendStringInfo(sql, " UNION ALL %s",
					 psprintf("SELECT " FROM_COLUMN " FROM (%s) m",
							  all_pairs(table, psprintf(" WHERE counts_for::%s %s ANY (SELECT u::%s FROM unnest($1) u)",
														type, catalog_equality(table->key_type), type))));
}

void
merged_append_attributes(StringInfo sql, const SegmentTable *table, const Source *source)
{
	appendStringInfo(sql, " AND NOT (%s)::%s %s ANY (SELECT " FROM_COLUMN " FROM (%s) m)", source->key,
					 catalog_type_name(table->key_type), catalog_equality(table->key_type),
					 all_pairs(table, ""));
}

char *
rule_customers_stream(const SegmentTable *table)
{
	char	   *view = catalog_qualified_name(table->events);
	StringInfoData sql;

	if (!table->merged)
		return view;
	initStringInfo(&sql);
	appendStringInfoChar(&sql, '(');
	merged_append_stream(&sql, table, rule_stream_columns(table), psprintf("SELECT * FROM %s", view),
						 RULE_EVERYBODY);
	appendStringInfoChar(&sql, ')');
	return sql.data;
}

char *
rule_customer(const SegmentTable *table, const char *key)
{
	const char *type = catalog_type_name(table->key_type);

	if (!table->merged)
		return pstrdup(key);
	if (merged_by_text(table->key_type))
		return psprintf("COALESCE(segment.merged_into(%u, (%s)::text)::%s, %s)", table->relid, key, type, key);
	return psprintf("COALESCE((SELECT " INTO_COLUMN " FROM (%s) m WHERE " FROM_COLUMN " %s %s), %s)",
					all_pairs(table, ""), catalog_equality(table->key_type), key, key);
}
