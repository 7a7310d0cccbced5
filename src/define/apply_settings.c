/*
 * apply_settings.c
 *		Bringing max_age, the schedule and the order of columns to what a
 *		definition says.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "context.h"
#include "define/apply.h"
#include "executor/spi.h"
#include "nodes/value.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

static char *
interval_text(const Interval *interval)
{
	RunContext	ctx;
	char	   *result;

	context_enter_settings(&ctx, "UTC");
	result = DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(interval)));
	context_leave(&ctx);
	return result;
}

void
apply_max_age(Apply *apply)
{
	const Interval *old = apply->table->max_age;
	const Interval *wanted = apply->document->max_age;

	if (old->month == wanted->month && old->day == wanted->day && old->time == wanted->time)
		return;
	define_set_max_age(apply->table, wanted);
	apply->everybody = true;
	plan_add(apply->plan, "alter", "max_age", NULL, interval_text(old), interval_text(wanted));
}

/* The schedule as it is, or NULL. */
static char *
schedule_of(Oid relid)
{
	Oid			types[] = {OIDOID};
	Datum		values[] = {ObjectIdGetDatum(relid)};
	MemoryContext caller = CurrentMemoryContext;
	char	   *result = NULL;
	RunContext	ctx;

	context_enter_catalog(&ctx);
	SPI_connect();
	if (context_run("SELECT schedule FROM segment.config_job WHERE tbl = $1", 1, types, values,
					NULL, true) > 0)
		result = MemoryContextStrdup(caller, SPI_getvalue(SPI_tuptable->vals[0],
														  SPI_tuptable->tupdesc, 1));
	SPI_finish();
	context_leave(&ctx);
	return result;
}

/* Schedules are the worker's, whose functions are called as a user calls them. */
void
apply_schedule(Apply *apply)
{
	char	   *old = schedule_of(apply->table->relid);
	char	   *wanted = apply->document->schedule;
	Oid			types[] = {REGCLASSOID, TEXTOID};
	Datum		values[2];

	if (wanted == NULL ? old == NULL : old != NULL && pg_strcasecmp(old, wanted) == 0)
		return;
	values[0] = ObjectIdGetDatum(apply->table->relid);
	values[1] = wanted == NULL ? (Datum) 0 : CStringGetTextDatum(wanted);
	SPI_connect();
	if (wanted == NULL)
		context_run("SELECT segment.unschedule($1)", 1, types, values, NULL, false);
	else
		context_run("SELECT segment.schedule($1, $2)", 2, types, values, NULL, false);
	SPI_finish();
	plan_add(apply->plan, old == NULL ? "add" : wanted == NULL ? "drop" : "alter", "schedule", NULL,
			 old, wanted);
}

List *
apply_names(const SegmentTable *table)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, table->columns)
	{
		Column	   *column = lfirst(lc);

		if (column->kind != COLUMN_ELIGIBLE)
			result = lappend(result, column->name);
	}
	return result;
}

/* As nodes, which list_member and equal can compare. */
static List *
as_strings(List *names)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, names)
		result = lappend(result, makeString(lfirst(lc)));
	return result;
}

void
apply_order(Apply *apply, List *before)
{
	List	   *wanted = as_strings(apply->document->order);
	List	   *is = as_strings(apply_names(apply->table));
	List	   *had = as_strings(before);
	List	   *stayed;
	List	   *now;

	if (wanted == NIL)
		return;
	wanted = list_union(wanted, is);
	if (equal(wanted, is))
		return;
	catalog_set_order(apply->table->relid, apply->document->order);
	apply_reload(apply);
	stayed = list_intersection(had, is);
	now = list_intersection(wanted, had);
	if (!equal(stayed, now))
		plan_add(apply->plan, "alter", "order", NULL, plan_text_of_names(before),
				 plan_text_of_names(apply_names(apply->table)));
}

static char *
preset_name(const InstalledPreset *preset)
{
	return *preset->prefix == '\0' ? preset->preset :
		psprintf("%s with prefix \"%s\"", preset->preset, preset->prefix);
}

static char *
preset_text(const InstalledPreset *preset)
{
	return psprintf("{\"options\": %s, \"columns\": %s}",
					JsonbToCString(NULL, &preset->options->root, VARSIZE_ANY_EXHDR(preset->options)),
					plan_text_of_names(preset->columns));
}

void
apply_presets(Apply *apply)
{
	List	   *now = catalog_load_presets(apply->table->relid);
	ListCell   *lc;

	foreach(lc, apply->presets)
	{
		InstalledPreset *before = lfirst(lc);

		if (catalog_find_preset(apply->document->presets, before->preset, before->prefix) != NULL)
			continue;
		catalog_delete_preset(apply->table->relid, before->preset, before->prefix);
		plan_add(apply->plan, "drop", "preset", preset_name(before), preset_text(before), NULL);
	}
	foreach(lc, apply->document->presets)
	{
		InstalledPreset *wanted = lfirst(lc);
		InstalledPreset *before = catalog_find_preset(apply->presets, wanted->preset, wanted->prefix);
		InstalledPreset *current = catalog_find_preset(now, wanted->preset, wanted->prefix);
		char	   *after = preset_text(wanted);

		/* a column that was made anew is forgotten meanwhile */
		if (current == NULL || strcmp(preset_text(current), after) != 0)
			catalog_put_preset(apply->table->relid, wanted);
		if (before == NULL || strcmp(preset_text(before), after) != 0)
			plan_add(apply->plan, before == NULL ? "add" : "alter", "preset", preset_name(wanted),
					 before == NULL ? NULL : preset_text(before), after);
	}
}
