/*
 * apply_sources.c
 *		Bringing sources and attributes to what a definition says.
 */
#include "postgres.h"

#include "capture/capture.h"
#include "define/apply.h"
#include "lock.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

static bool
same_named(const List *a, const List *b)
{
	const ListCell *lc,
			   *lc2;

	if (list_length(a) != list_length(b))
		return false;
	forboth(lc, a, lc2, b)
	{
		const NamedExpr *one = lfirst(lc);
		const NamedExpr *other = lfirst(lc2);

		if (strcmp(one->name, other->name) != 0 || strcmp(one->expression, other->expression) != 0)
			return false;
	}
	return true;
}

/* Do triggers mark the same for both? */
static bool
same_key(const Source *a, const Source *b)
{
	return a->kind == b->kind && a->relation == b->relation && strcmp(a->key, b->key) == 0;
}

static bool
same_source(const Source *a, const Source *b)
{
	return same_key(a, b) && define_same_text(a->at, b->at) &&
		define_same_text(a->event, b->event) && define_same_text(a->value, b->value) &&
		define_same_text(a->item, b->item) && same_named(a->extra, b->extra);
}

/* Takes the first of the sources that is the same out of the list. */
static Source *
take(List **sources, const Source *wanted, bool (*same) (const Source *, const Source *))
{
	ListCell   *lc;

	foreach(lc, *sources)
	{
		Source	   *source = lfirst(lc);

		if (same(source, wanted))
		{
			*sources = foreach_delete_current(*sources, lc);
			return source;
		}
	}
	return NULL;
}

/*
 * One with another key is a new source: who writes at this moment still marks
 * by the old key, and its triggers have to wait for him.
 */
void
apply_compare_sources(Apply *apply)
{
	List	   *left = list_copy(apply->table->sources);
	List	   *checked = NIL;
	List	   *differ = NIL;
	ListCell   *lc;

	foreach(lc, apply->document->sources)
	{
		Source	   *wanted = lfirst(lc);
		Source	   *source;

		apply->types = lappend(apply->types, define_check_source(apply->table, wanted, checked));
		checked = lappend(checked, wanted);
		source = take(&left, wanted, same_source);
		if (source == NULL)
			differ = lappend(differ, wanted);
	}
	foreach(lc, differ)
	{
		Source	   *wanted = lfirst(lc);
		Source	   *source = take(&left, wanted, same_key);

		if (source == NULL)
			apply->added = lappend(apply->added, wanted);
		else
		{
			wanted->id = source->id;
			apply->altered = lappend(apply->altered, wanted);
		}
	}
	apply->dropped = left;
	if (apply->dropped != NIL || apply->altered != NIL || apply->added != NIL)
		apply->everybody = true;
}

/* The attribute column that is there and can stay for a wanted one, or NULL. */
static Column *
column_for(const Apply *apply, const char *name, Oid type)
{
	Column	   *column = catalog_find_column(apply->table, name);

	if (column == NULL || column->kind != COLUMN_ATTRIBUTE || column->type != type ||
		get_attnum(apply->table->relid, name) == InvalidAttrNumber)
		return NULL;
	return column;
}

typedef void (*AttributeVisitor) (Apply *apply, const NamedExpr *attribute, Oid type, void *arg);

/* Calls visit for each attribute wanted. */
static void
visit_attributes(Apply *apply, AttributeVisitor visit, void *arg)
{
	ListCell   *lc,
			   *lc2,
			   *lc3,
			   *lc4;

	forboth(lc, apply->document->sources, lc2, apply->types)
	{
		Source	   *source = lfirst(lc);

		if (source->kind != SOURCE_ATTRIBUTES)
			continue;
		forboth(lc3, source->extra, lc4, (List *) lfirst(lc2))
			visit(apply, lfirst(lc3), lfirst_oid(lc4), arg);
	}
}

/* Takes one that stays out of the list of those that go. */
static void
keep_attribute(Apply *apply, const NamedExpr *attribute, Oid type, void *arg)
{
	List	  **gone = arg;
	Column	   *stays = column_for(apply, attribute->name, type);
	Column	   *old = catalog_find_column(apply->table, attribute->name);

	if (stays != NULL)
		*gone = list_delete_ptr(*gone, stays);
	else if (old != NULL && old->kind == COLUMN_ATTRIBUTE)
	{
		apply->everybody = true;
		plan_add(apply->plan, "alter", "attribute", attribute->name,
				 format_type_be(old->type), format_type_be(type));
	}
}

void
apply_find_gone_attributes(Apply *apply)
{
	List	   *gone = NIL;
	ListCell   *lc;

	foreach(lc, apply->table->columns)
	{
		if (((Column *) lfirst(lc))->kind == COLUMN_ATTRIBUTE)
			gone = lappend(gone, lfirst(lc));
	}
	visit_attributes(apply, keep_attribute, &gone);
	apply->gone = list_concat(apply->gone, gone);
}

static void
note_new(Apply *apply, const NamedExpr *attribute, Oid type, void *arg)
{
	if (column_for(apply, attribute->name, type) == NULL)
		*(bool *) arg = true;
}

bool
apply_adds_attributes(const Apply *apply)
{
	bool		result = false;

	visit_attributes(unconstify(Apply *, apply), note_new, &result);
	return result;
}

static bool
changes_stream(const Apply *apply)
{
	List	   *changed = list_concat_copy(apply->dropped, apply->altered);
	ListCell   *lc;

	/* somebody dropped the view */
	if (!OidIsValid(apply->table->events) || get_rel_name(apply->table->events) == NULL)
		changed = list_concat(changed, apply->table->sources);

	changed = list_concat(changed, apply->added);
	foreach(lc, changed)
	{
		if (((Source *) lfirst(lc))->kind == SOURCE_EVENTS)
			return true;
	}
	return false;
}

List *
apply_wish_sources(const Apply *apply, List *wishes)
{
	ListCell   *lc;

	foreach(lc, apply->dropped)
		wishes = capture_wish_remove(wishes, lfirst(lc));
	foreach(lc, apply->added)
		wishes = capture_wish_install(wishes, lfirst(lc));
	return changes_stream(apply) ?
		define_wish_stream(apply->table, apply->document->sources, wishes) : wishes;
}

/* Adds an attribute, or notes its expression if that is another. */
static void
put_attribute(Apply *apply, const NamedExpr *attribute, Oid type, void *arg)
{
	Column	   *column = column_for(apply, attribute->name, type);

	if (column == NULL)
		define_add_attribute(apply->table, attribute, type);
	else if (strcmp(column->expression, attribute->expression) != 0)
		define_put_attribute(apply->table, attribute->name, attribute->expression, type);
}

static Source *
source_by_id(const SegmentTable *table, int id)
{
	ListCell   *lc;

	foreach(lc, table->sources)
	{
		if (((Source *) lfirst(lc))->id == id)
			return lfirst(lc);
	}
	return NULL;
}

static void
note(Apply *apply, const char *action, const Source *before, const Source *after)
{
	const Source *source = after != NULL ? after : before;

	Assert(source != NULL);
	plan_add(apply->plan, action, source->kind == SOURCE_EVENTS ? "source" : "attributes",
			 catalog_qualified_name(source->relation),
			 before == NULL ? NULL : plan_text_of_source(before),
			 after == NULL ? NULL : plan_text_of_source(after));
}

void
apply_sources(Apply *apply)
{
	char	   *disabled = NULL;
	ListCell   *lc;

	foreach(lc, apply->dropped)
	{
		Source	   *source = lfirst(lc);

		capture_remove(source);
		catalog_delete_source(source->id);
		note(apply, "drop", source, NULL);
	}
	foreach(lc, apply->altered)
	{
		Source	   *source = lfirst(lc);

		note(apply, "alter", source_by_id(apply->table, source->id), source);
		catalog_update_source(source);
		catalog_note_columns(source);
	}
	foreach(lc, apply->added)
	{
		Source	   *source = lfirst(lc);

		source->id = catalog_insert_source(source);
		note(apply, "add", NULL, source);
	}
	visit_attributes(apply, put_attribute, NULL);
	if (changes_stream(apply))
		define_rebuild_stream(apply->table->relid);
	foreach(lc, apply->added)
		capture_install(lfirst(lc), &disabled);
	apply_reload(apply);
}
