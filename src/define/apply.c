/*
 * apply.c
 *		Bringing a segment table to what a definition says.
 *
 * What is gone is dropped first, then come the sources, then the columns one
 * after the other, each after those that it reads.  So each is checked against
 * what it will read, and no order of the changes has to be thought out.
 */
#include "postgres.h"

#include "attempt.h"
#include "capture/capture.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "define/apply.h"
#include "lock.h"
#include "nodes/value.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/varlena.h"

PG_FUNCTION_INFO_V1(segment_apply_definition);

void
apply_reload(Apply *apply)
{
	apply->table = catalog_load(apply->table->relid);
}

static void
refuse_other(const SegmentTable *table, const char *what, const char *before, const char *after)
{
	if (strcmp(before, after) == 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("the %s of segment table %s can not be changed from %s to %s", what,
					catalog_qualified_name(table->relid), before, after),
			 errhint("Apply the definition under another name in \"table\", or drop the segment table first.")));
}

/* Makes the segment table, or opens it. */
static void
open_table(Apply *apply)
{
	const Document *document = apply->document;
	RangeVar   *name = makeRangeVarFromNameList(textToQualifiedNameList(cstring_to_text(document->table)));
	Oid			relid = RangeVarGetRelid(name, NoLock, true);
	Oid			key_type = INT8OID;
	const char *time_zone = document->time_zone != NULL ? document->time_zone : "UTC";

	if (document->key_type != NULL)
		key_type = DatumGetObjectId(DirectFunctionCall1(regtypein,
														CStringGetDatum(document->key_type)));
	if (!OidIsValid(relid))
	{
		relid = define_create_table(name, document->key, key_type, time_zone);
		apply->table = define_open(relid);
		plan_add(apply->plan, "create", "table", catalog_qualified_name(relid), NULL,
				 psprintf("key %s %s, time zone %s", quote_identifier(document->key),
						  format_type_be(key_type), time_zone));
		return;
	}
	apply->table = define_open(relid);
	refuse_other(apply->table, "key", apply->table->key_name, document->key);
	if (document->key_type != NULL)
		refuse_other(apply->table, "type of the key", format_type_be(apply->table->key_type),
					 format_type_be(key_type));
	if (document->time_zone != NULL)
		refuse_other(apply->table, "time zone", apply->table->time_zone,
					 define_time_zone(time_zone));
}

static Column *
find_wanted(const Apply *apply, const char *name)
{
	ListCell   *lc;

	foreach(lc, apply->document->columns)
	{
		Column	   *column = lfirst(lc);

		if (strcmp(column->name, name) == 0)
			return column;
	}
	return NULL;
}

/* Columns that the definition has not, or has as another kind; those dropped by hand come anew. */
static void
find_gone(Apply *apply)
{
	ListCell   *lc;

	foreach(lc, apply->table->columns)
	{
		Column	   *column = lfirst(lc);
		Column	   *wanted = find_wanted(apply, column->name);

		if (column->kind == COLUMN_ELIGIBLE || column->kind == COLUMN_ATTRIBUTE)
			continue;
		if (wanted == NULL || wanted->kind != column->kind ||
			get_attnum(apply->table->relid, column->name) == InvalidAttrNumber)
			apply->gone = lappend(apply->gone, column);
	}
	apply_find_gone_attributes(apply);
}

static bool
adds_columns(const Apply *apply)
{
	ListCell   *lc;

	foreach(lc, apply->document->columns)
	{
		Column	   *wanted = lfirst(lc);
		Column	   *column = catalog_find_column(apply->table, wanted->name);

		if (column == NULL || list_member_ptr(apply->gone, column))
			return true;
	}
	return apply_adds_attributes(apply);
}

/* Takes the locks that shut readers and writers out, all at once, after what takes time. */
static void
close_and_lock(Apply *apply)
{
	List	   *wishes;

	define_close_history(apply->table, apply->gone);
	wishes = apply_wish_sources(apply, NIL);
	if (apply->gone != NIL || adds_columns(apply))
		wishes = lock_wish(wishes, apply->table->relid, AccessExclusiveLock);
	if (wishes != NIL)
		lock_all(wishes);
}

static void
drop_gone(Apply *apply)
{
	/* readers before what they read, as far as positions tell */
	for (int i = list_length(apply->gone) - 1; i >= 0; i--)
	{
		Column	   *column = list_nth(apply->gone, i);

		define_retire_cuts(apply->table, column->name);
		define_drop_column(apply->table, column->name);
		if (column->kind != COLUMN_ATTRIBUTE)
			plan_add(apply->plan, "drop", define_kind_name(column->kind), column->name,
					 plan_text_of_column(column, column->expression), NULL);
	}
	apply_reload(apply);
}

/* Finds out what the wanted columns read, from their texts. */
static void
find_depends(Apply *apply)
{
	ListCell   *lc,
			   *lc2;

	foreach(lc, apply->document->columns)
	{
		Column	   *column = lfirst(lc);
		const char *what = define_describe_column(column);

		if (column->kind == COLUMN_BAND)
			continue;
		if (column->kind == COLUMN_GROUP)
		{
			foreach(lc2, column->rules)
				column->depends = list_concat(column->depends,
											  rule_column_names(lfirst(lc2), apply->table, what));
		}
		else if (column->kind == COLUMN_SCORE &&
				 rule_has_aggregate(column->expression, apply->table, what))
			column->over = OVER_EVENTS;
		else
			column->depends = rule_column_names(column->expression, apply->table, what);
	}
}

/* The wanted columns in the order in which they are to be made. */
static List *
in_order(Apply *apply)
{
	List	   *columns = NIL;
	ListCell   *lc;

	find_depends(apply);
	foreach(lc, apply->document->order)
	{
		Column	   *column = find_wanted(apply, lfirst(lc));

		if (column != NULL)
			columns = lappend(columns, column);
	}
	foreach(lc, apply->document->columns)
	{
		if (((Column *) lfirst(lc))->over == OVER_EVENTS)
			columns = list_append_unique_ptr(columns, lfirst(lc));
	}
	columns = list_concat_unique_ptr(columns, apply->document->columns);
	return define_by_dependency(columns);
}

/* Notes that a column is another one now: before, or NULL, and after. */
static void
note_change(Apply *apply, const char *action, const Column *before, const char *name)
{
	Column	   *after;

	apply_reload(apply);
	after = catalog_find_column(apply->table, name);
	plan_add(apply->plan, action, define_kind_name(after->kind), name,
			 before == NULL ? NULL : plan_text_of_column(before, before->expression),
			 plan_text_of_column(after, after->expression));
	if (after->over == OVER_EVENTS || (before != NULL && before->over == OVER_EVENTS))
		apply->everybody = true;
	apply->changed = lappend(apply->changed, after->name);
}

static void
apply_column(Apply *apply, Column *column)
{
	Column	   *old = catalog_find_column(apply->table, column->name);
	CheckedRule *rule;

	if (old == NULL)
	{
		define_add_column(apply->table, column);
		note_change(apply, "add", NULL, column->name);
		return;
	}
	rule = define_check_new(apply->table, column);
	if (rule->type != old->type)
	{
		/* nobody has to wait until every row is written anew */
		plan_add(apply->plan, "drop", define_kind_name(old->kind), old->name,
				 plan_text_of_column(old, old->expression), NULL);
		define_retire_cuts(apply->table, old->name);
		define_drop_column(apply->table, old->name);
		apply_reload(apply);
		define_add_column(apply->table, column);
		note_change(apply, "add", NULL, column->name);
	}
	else if (define_same_meaning(old, column, rule))
	{
		if (old->unanalyzed == NULL)
			define_notice_unanalyzed(apply->table, rule, define_describe_column(column));
		define_put_column(apply->table, column, rule);
		apply_reload(apply);
	}
	else
	{
		define_replace_column(apply->table, column, rule);
		note_change(apply, "alter", old, column->name);
	}
}

static void
apply_eligible(Apply *apply)
{
	Column	   *old = catalog_find_column(apply->table, ELIGIBLE_NAME);
	Column		wanted = {.name = ELIGIBLE_NAME, .kind = COLUMN_ELIGIBLE};
	char	   *after = NULL;

	if (apply->document->eligible != NULL)
	{
		CheckedRule *rule;

		wanted.expression = apply->document->eligible;
		rule = define_check_new(apply->table, &wanted);
		after = rule->expression;
		if (old != NULL && define_same_meaning(old, &wanted, rule))
		{
			define_put_column(apply->table, &wanted, rule);
			define_refuse_bands(catalog_load(apply->table->relid));
			return;
		}
		define_set_eligible(apply->table, &wanted, rule);
	}
	else if (old == NULL)
		return;
	else
		catalog_delete_column(apply->table->relid, ELIGIBLE_NAME);
	apply->everybody = true;
	plan_add(apply->plan, old == NULL ? "add" : after == NULL ? "drop" : "alter", "eligible", NULL,
			 old == NULL ? NULL : old->expression, after);
	apply_reload(apply);
}

/* Marks whom the changes concern. */
static void
mark(Apply *apply)
{
	Oid			relid = apply->table->relid;
	ListCell   *lc;

	/* who has no row can't be computed from stored rows */
	foreach(lc, apply->changed)
	{
		if (list_member(rule_readers(apply->table, lfirst(lc)), makeString(ELIGIBLE_NAME)))
			apply->everybody = true;
	}
	if (apply->everybody)
		marklog_append_all(relid);
	else
	{
		foreach(lc, apply->changed)
			define_replaced(relid, lfirst(lc));
	}
}

static void
apply_definition(Apply *apply)
{
	List	   *before;
	ListCell   *lc;

	open_table(apply);
	before = apply_names(apply->table);
	apply->presets = catalog_load_presets(apply->table->relid);
	apply_compare_sources(apply);
	find_gone(apply);
	close_and_lock(apply);
	drop_gone(apply);
	apply_sources(apply);
	foreach(lc, in_order(apply))
		apply_column(apply, lfirst(lc));
	apply_eligible(apply);
	apply_max_age(apply);
	apply_schedule(apply);
	apply_presets(apply);
	apply_order(apply, before);
	mark(apply);
}

static void
definition_step(void *arg)
{
	apply_definition(arg);
}

/* Does everything and undoes it: what the plan says is proved to work. */
static void
try_definition(Apply *apply)
{
	ErrorData  *error = attempt_run(definition_step, apply, true);

	if (error != NULL)
		ReThrowError(error);
}

/* apply_definition(definition jsonb, dry_run boolean) */
Datum
segment_apply_definition(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"definition", "dry_run"};
	ChangePlan	plan = {.context = CurrentMemoryContext};
	Apply		apply = {.plan = &plan};

	define_require(fcinfo, 2, names);
	apply.document = document_read(PG_GETARG_JSONB_P(0));
	if (PG_GETARG_BOOL(1))
		try_definition(&apply);
	else
		apply_definition(&apply);
	plan_return(&plan, fcinfo);
	return (Datum) 0;
}
