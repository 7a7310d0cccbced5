/*
 * sources.c
 *		Event tables and attribute tables of a segment table.
 */
#include "postgres.h"

#include "capture/capture.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "catalog/trust.h"
#include "context.h"
#include "define/define.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lock.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(segment_add_source);
PG_FUNCTION_INFO_V1(segment_add_attributes);
PG_FUNCTION_INFO_V1(segment_drop_source);
PG_FUNCTION_INFO_V1(segment_drop_attributes);

static CheckedRule *
check_source_expression(const SegmentTable *table, const Source *source,
						const char *text, const char *argument)
{
	CheckedRule *rule = rule_check(text, table, SCOPE_SOURCE, source->relation,
								   psprintf("%s of source %s", argument,
											catalog_qualified_name(source->relation)));

	rule_check_trust(table, rule->node);
	return rule;
}

static bool
is_integer(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID;
}

/*
 * The key as it is if an index on it then serves a search by key_type, else
 * cast to key_type.
 */
static char *
check_key_expression(const SegmentTable *table, const Source *source, const char *text)
{
	CheckedRule *rule = check_source_expression(table, source, text, "key");

	/* a cast that fails would fail in the writer's statement */
	if (is_integer(rule->type) && is_integer(table->key_type) &&
		get_typlen(rule->type) > get_typlen(table->key_type))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("a key of type %s does not fit the key type %s of the segment table",
						format_type_be(rule->type), format_type_be(table->key_type)),
				 errhint("Make the segment table with key_type => '%s'.", format_type_be(rule->type))));
	if (!(is_integer(rule->type) && is_integer(table->key_type)) &&
		!(rule->type == VARCHAROID && table->key_type == TEXTOID))
		rule_coerce(rule, table, source->relation, table->key_type, "the key");
	if (OidIsValid(exprCollation(rule->node)) && exprCollation(rule->node) != DEFAULT_COLLATION_OID &&
		get_typcollation(table->key_type) == DEFAULT_COLLATION_OID)
		return check_source_expression(table, source,
									   psprintf("(%s) COLLATE pg_catalog.\"default\"", rule->expression),
									   "key")->expression;
	return rule->expression;
}

/* The time as timestamptz; local times are those of the segment table's zone. */
static char *
check_at_expression(const SegmentTable *table, const Source *source, const char *text)
{
	CheckedRule *rule = check_source_expression(table, source, text, "at");
	char	   *zone = quote_literal_cstr(table->time_zone);

	switch (rule->type)
	{
		case TIMESTAMPTZOID:
			return rule->expression;
		case TIMESTAMPOID:
			text = psprintf("((%s) AT TIME ZONE %s)", rule->expression, zone);
			break;
		case DATEOID:
			text = psprintf("((%s)::timestamp AT TIME ZONE %s)", rule->expression, zone);
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("the time of an event must be of type timestamptz, timestamp or date, not %s",
							format_type_be(rule->type)),
					 errhint("Use to_timestamp() for seconds since 1970.")));
	}

	/* as PostgreSQL writes it: the same however often it is read again */
	return check_source_expression(table, source, text, "at")->expression;
}

static char *
check_text_expression(const SegmentTable *table, const Source *source, const char *text,
					  const char *argument)
{
	CheckedRule *rule;

	if (text == NULL)
		return NULL;
	rule = check_source_expression(table, source, text, argument);
	if (rule->type != TEXTOID)
		rule = check_source_expression(table, source, psprintf("(%s)::text", rule->expression),
									   argument);
	return rule->expression;
}

/* {"name": "expression", ...} as a list of NamedExpr. */
static List *
named_expressions(Jsonb *columns, const char *what)
{
	JsonbIterator *it;
	JsonbValue	v;
	JsonbIteratorToken token;
	List	   *result = NIL;
	NamedExpr  *current = NULL;

	if (!JB_ROOT_IS_OBJECT(columns))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a JSON object", what),
				 errhint("Such as {\"country\": \"country_code\"}: a name and an expression for each column.")));
	it = JsonbIteratorInit(&columns->root);
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			current = palloc0(sizeof(NamedExpr));
			current->name = pnstrdup(v.val.string.val, v.val.string.len);
			catalog_check_name(current->name, "column");
		}
		if (token != WJB_VALUE)
			continue;
		Assert(current != NULL);	/* the key came before */
		if (v.type != jbvString)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the expression of column \"%s\" must be a JSON string", current->name)));
		current->expression = pnstrdup(v.val.string.val, v.val.string.len);
		result = lappend(result, current);
	}
	return result;
}

/* Makes the expressions canonical; returns their types. */
static List *
check_named_expressions(const SegmentTable *table, const Source *source)
{
	List	   *types = NIL;
	ListCell   *lc;

	foreach(lc, source->extra)
	{
		NamedExpr  *named = lfirst(lc);
		CheckedRule *rule;

		catalog_check_name(named->name, "column");
		rule = check_source_expression(table, source, named->expression,
									   psprintf("column \"%s\"", named->name));
		named->expression = rule->expression;
		types = lappend_oid(types, rule->type);
	}
	return types;
}

static void
check_extra_names(const SegmentTable *table, List *extra)
{
	static const char *const taken[] = {"at", "event", "value", "item", "source"};
	ListCell   *lc;

	foreach(lc, extra)
	{
		char	   *name = ((NamedExpr *) lfirst(lc))->name;
		bool		clash = strcmp(name, table->key_name) == 0;

		for (int i = 0; i < lengthof(taken); i++)
			clash = clash || strcmp(name, taken[i]) == 0;
		if (clash)
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_COLUMN),
					 errmsg("the stream has a column \"%s\" already", name),
					 errhint("Choose another name in extra.")));
	}
}

static void
check_relation(const SegmentTable *table, Oid relation)
{
	char		relkind = get_rel_relkind(relation);

	if (relkind != RELKIND_RELATION && relkind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("%s is not a table", catalog_qualified_name(relation)),
				 errhint("A source is an ordinary or a partitioned table: its changes are seen by triggers.")));
	if (get_rel_persistence(relation) == RELPERSISTENCE_TEMP)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("%s is a temporary table", get_rel_name(relation)),
				 errhint("Only its own session could read it.")));
	if (relation == table->relid || relation == table->history)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
				 errmsg("a segment table can not be its own source")));
	trust_check_source(table, relation);
}

static char *
optional_text(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(n));
}


/* Error if one of the sources maps the same events in the same way: they would count twice. */
static void
check_not_there(List *sources, const Source *source)
{
	ListCell   *lc;

	foreach(lc, sources)
	{
		Source	   *other = lfirst(lc);

		if (other->kind == SOURCE_EVENTS && other->relation == source->relation &&
			define_same_text(other->key, source->key) && define_same_text(other->at, source->at) &&
			define_same_text(other->event, source->event) &&
			define_same_text(other->value, source->value) &&
			define_same_text(other->item, source->item))
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_OBJECT),
					 errmsg("%s is a source of the segment table already, in the same way",
							catalog_qualified_name(source->relation)),
					 errdetail("Every event would count twice."),
					 errhint("Add it again only with another key, time or event.")));
	}
}

List *
define_check_source(const SegmentTable *table, Source *source, List *others)
{
	List	   *types;

	check_relation(table, source->relation);
	source->tbl = table->relid;
	source->name = get_rel_name(source->relation);
	source->key = check_key_expression(table, source, source->key);
	if (source->kind == SOURCE_ATTRIBUTES)
		return check_named_expressions(table, source);
	source->at = check_at_expression(table, source, source->at);
	source->event = check_text_expression(table, source, source->event, "event");
	if (source->event == NULL)
		source->event = check_text_expression(table, source,
											  psprintf("%s::text", quote_literal_cstr(source->name)),
											  "event");
	if (source->value != NULL)
		source->value = check_source_expression(table, source, source->value, "value")->expression;
	source->item = check_text_expression(table, source, source->item, "item");
	types = check_named_expressions(table, source);
	check_extra_names(table, source->extra);
	check_not_there(others, source);
	return types;
}

/* add_source(tbl, source, key, at, event, value, item, extra) */
Datum
segment_add_source(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"tbl", "source", "key", "at"};
	SegmentTable *table;
	Source		source = {.kind = SOURCE_EVENTS};
	char	   *disabled = NULL;

	define_require(fcinfo, 4, names);
	table = define_open(PG_GETARG_OID(0));
	source.relation = PG_GETARG_OID(1);
	source.key = optional_text(fcinfo, 2);
	source.at = optional_text(fcinfo, 3);
	source.event = optional_text(fcinfo, 4);
	source.value = optional_text(fcinfo, 5);
	source.item = optional_text(fcinfo, 6);
	if (!PG_ARGISNULL(7))
		source.extra = named_expressions(PG_GETARG_JSONB_P(7), "extra");
	define_check_source(table, &source, table->sources);

	lock_all(define_wish_stream(table, lappend(list_copy(table->sources), &source),
								capture_wish_install(NIL, &source)));
	source.id = catalog_insert_source(&source);
	define_rebuild_stream(table->relid);
	define_recheck_columns(table->relid, NIL);
	capture_install(&source, &disabled);
	marklog_append_all(table->relid);
	PG_RETURN_VOID();
}

/* add_attributes(tbl, source, key, columns) */
Datum
segment_add_attributes(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"tbl", "source", "key", "columns"};
	SegmentTable *table;
	Source		source = {.kind = SOURCE_ATTRIBUTES};
	List	   *types;
	char	   *disabled = NULL;
	ListCell   *lc,
			   *lc2;

	define_require(fcinfo, 4, names);
	table = define_open(PG_GETARG_OID(0));
	source.relation = PG_GETARG_OID(1);
	source.key = optional_text(fcinfo, 2);
	source.extra = named_expressions(PG_GETARG_JSONB_P(3), "columns");
	types = define_check_source(table, &source, NIL);
	foreach(lc, source.extra)
		define_check_new_name(table, ((NamedExpr *) lfirst(lc))->name, "attribute");

	lock_all(lock_wish(capture_wish_install(NIL, &source), table->relid, AccessExclusiveLock));
	source.id = catalog_insert_source(&source);
	forboth(lc, source.extra, lc2, types)
		define_add_attribute(table, lfirst(lc), lfirst_oid(lc2));
	capture_install(&source, &disabled);
	marklog_append_all(table->relid);
	PG_RETURN_VOID();
}

void
define_add_attribute(const SegmentTable *table, const NamedExpr *attribute, Oid type)
{
	define_check_new_name(table, attribute->name, "attribute");
	define_ddl(table, "ALTER TABLE %s ADD COLUMN %s %s", catalog_qualified_name(table->relid),
			   quote_identifier(attribute->name), catalog_type_name(type));
	define_put_attribute(table, attribute->name, attribute->expression, type);
}

/* The sources of a kind with a name; error if there is none. */
static List *
sources_named(const SegmentTable *table, SourceKind kind, const char *name)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, table->sources)
	{
		Source	   *source = lfirst(lc);

		if (source->kind == kind && strcmp(source->name, name) == 0)
			result = lappend(result, source);
	}
	if (result == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("segment table %s has no %s \"%s\"", catalog_qualified_name(table->relid),
						kind == SOURCE_EVENTS ? "source" : "attributes", name),
				 errhint("See its name in the view segment.sources; it is without a schema.")));
	return result;
}

/* drop_source(tbl, name) */
Datum
segment_drop_source(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"tbl", "name"};
	SegmentTable *table;
	List	   *sources;
	List	   *wishes = NIL;
	ListCell   *lc;

	define_require(fcinfo, 2, names);
	table = define_open(PG_GETARG_OID(0));
	sources = sources_named(table, SOURCE_EVENTS, text_to_cstring(PG_GETARG_TEXT_PP(1)));
	foreach(lc, sources)
		wishes = capture_wish_remove(wishes, lfirst(lc));
	lock_all(define_wish_stream(table, list_difference_ptr(table->sources, sources), wishes));
	foreach(lc, sources)
	{
		Source	   *source = lfirst(lc);

		capture_remove(source);
		catalog_delete_source(source->id);
	}
	define_rebuild_stream(table->relid);
	define_recheck_columns(table->relid, NIL);
	marklog_append_all(table->relid);
	PG_RETURN_VOID();
}

/* drop_attributes(tbl, name) */
Datum
segment_drop_attributes(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"tbl", "name"};
	SegmentTable *table;
	List	   *sources;
	List	   *wishes = NIL;
	ListCell   *lc,
			   *lc2;

	define_require(fcinfo, 2, names);
	table = define_open(PG_GETARG_OID(0));
	sources = sources_named(table, SOURCE_ATTRIBUTES, text_to_cstring(PG_GETARG_TEXT_PP(1)));
	foreach(lc, sources)
		wishes = capture_wish_remove(wishes, lfirst(lc));
	lock_all(lock_wish(wishes, table->relid, AccessExclusiveLock));
	foreach(lc, sources)
	{
		Source	   *source = lfirst(lc);

		foreach(lc2, source->extra)
		{
			char	   *name = ((NamedExpr *) lfirst(lc2))->name;

			define_check_unused(table, name, "attribute");
			define_drop_column(table, name);
		}
		capture_remove(source);
		catalog_delete_source(source->id);
	}
	marklog_append_all(table->relid);
	PG_RETURN_VOID();
}
