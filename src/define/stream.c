/*
 * stream.c
 *		The view of the event stream, made from the sources.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "define/define.h"
#include "lock.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* The type of an expression over a source, checked before. */
static Oid
source_type(const SegmentTable *table, const Source *source, const char *expression)
{
	return rule_check(expression, table, SCOPE_SOURCE, source->relation, source->name)->type;
}

static void
add_stream_type(const SegmentTable *table, const Source *source, List **columns,
				const char *name, const char *expression)
{
	StreamColumn *column = NULL;
	Oid			type = source_type(table, source, expression);
	Oid			common;
	ListCell   *lc;

	foreach(lc, *columns)
	{
		if (strcmp(((StreamColumn *) lfirst(lc))->name, name) == 0)
			column = lfirst(lc);
	}
	if (column == NULL)
	{
		column = palloc0(sizeof(StreamColumn));
		column->name = pstrdup(name);
		*columns = lappend(*columns, column);
	}
	common = OidIsValid(column->type) ? rule_common_type(list_make2_oid(column->type, type)) : type;
	if (!OidIsValid(common))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of the stream would be %s in one source and %s in another",
						name, format_type_be(column->type), format_type_be(type)),
				 errhint("Add a cast so that the sources agree.")));
	column->type = common;
}

/* Types of value and of the extras: what the sources have in common. */
static List *
stream_types(const SegmentTable *table)
{
	StreamColumn *value = palloc0(sizeof(StreamColumn));
	List	   *columns = list_make1(value);
	ListCell   *lc,
			   *lc2;

	value->name = "value";
	foreach(lc, table->sources)
	{
		Source	   *source = lfirst(lc);

		if (source->kind != SOURCE_EVENTS)
			continue;
		if (source->value != NULL)
			add_stream_type(table, source, &columns, "value", source->value);
		foreach(lc2, source->extra)
			add_stream_type(table, source, &columns, ((NamedExpr *) lfirst(lc2))->name,
							((NamedExpr *) lfirst(lc2))->expression);
	}
	if (!OidIsValid(value->type))
		value->type = FLOAT8OID;
	return columns;
}

/* Can the view be replaced in place?  Only if its columns stay and others follow. */
static bool
extends_view(const SegmentTable *table, List *columns)
{
	List	   *old = rule_stream_columns(table);
	ListCell   *lc,
			   *lc2;

	if (list_length(old) > list_length(columns))
		return false;
	forboth(lc, old, lc2, columns)
	{
		StreamColumn *was = lfirst(lc);
		StreamColumn *is = lfirst(lc2);

		if (strcmp(was->name, is->name) != 0 || was->type != is->type)
			return false;
	}
	return true;
}

/*
 * A score over the stream may change its type with a column of it: then the
 * segment table has to be locked as well, and not when others already wait for
 * the rest.
 */
List *
define_wish_stream(const SegmentTable *table, List *sources, List *wishes)
{
	SegmentTable after = *table;

	if (!OidIsValid(table->events) || get_rel_name(table->events) == NULL)
		return wishes;
	after.sources = sources;
	if (!extends_view(table, stream_types(&after)))
		wishes = lock_wish(wishes, table->relid, AccessExclusiveLock);
	return lock_wish(wishes, table->events, AccessExclusiveLock);
}

void
define_rebuild_stream(Oid relid)
{
	SegmentTable *table = catalog_load(relid);
	List	   *columns = stream_types(table);
	bool		exists = OidIsValid(table->events) && get_rel_name(table->events) != NULL;
	Oid			schema = get_rel_namespace(exists ? table->events : relid);
	char	   *name = exists ? get_rel_name(table->events) :
		psprintf("%s_events", get_rel_name(relid));
	char	   *view = quote_qualified_identifier(get_namespace_name(schema), name);

	if (exists && !extends_view(table, columns))
	{
		define_ddl(table, "DROP VIEW %s", view);
		exists = false;
	}
	define_ddl(table, "CREATE %s VIEW %s AS %s", exists ? "OR REPLACE" : "", view,
			   rule_stream_view_sql(table, columns));
	define_ddl(table, "COMMENT ON VIEW %s IS %s", view,
			   quote_literal_cstr(psprintf("the event stream of %s", get_rel_name(relid))));
	if (!exists)
		catalog_set_events(relid, get_relname_relid(name, schema));
}
