/*
 * plan.c
 *		What applying a definition changed, as rows.
 */
#include "postgres.h"

#include "define/apply.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/memutils.h"

#define PLAN_COLUMNS 5

typedef struct PlanRow
{
	char	   *values[PLAN_COLUMNS];	/* action, kind, name, before, after */
} PlanRow;

void
plan_add(ChangePlan *plan, const char *action, const char *kind, const char *name,
		 const char *before, const char *after)
{
	const char *values[] = {action, kind, name, before, after};
	MemoryContext old = MemoryContextSwitchTo(plan->context);
	PlanRow    *row = palloc(sizeof(PlanRow));

	for (int i = 0; i < PLAN_COLUMNS; i++)
		row->values[i] = values[i] == NULL ? NULL : pstrdup(values[i]);
	plan->rows = lappend(plan->rows, row);
	MemoryContextSwitchTo(old);
}

void
plan_return(const ChangePlan *plan, FunctionCallInfo fcinfo)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	foreach(lc, plan->rows)
	{
		PlanRow    *row = lfirst(lc);
		Datum		values[PLAN_COLUMNS];
		bool		nulls[PLAN_COLUMNS];

		for (int i = 0; i < PLAN_COLUMNS; i++)
		{
			nulls[i] = row->values[i] == NULL;
			values[i] = nulls[i] ? (Datum) 0 : CStringGetTextDatum(row->values[i]);
		}
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/* Adds "key": "value" to an object that was begun; nothing for NULL. */
static void
append_text(StringInfo object, const char *key, const char *value)
{
	if (value == NULL)
		return;
	if (object->data[object->len - 1] != '{')
		appendStringInfoString(object, ", ");
	escape_json(object, key);
	appendStringInfoString(object, ": ");
	escape_json(object, value);
}

static char *
text_of_group(const Column *group)
{
	StringInfoData result;
	ListCell   *lc,
			   *lc2;

	initStringInfo(&result);
	appendStringInfoChar(&result, '[');
	forboth(lc, group->labels, lc2, group->rules)
	{
		appendStringInfo(&result, "%s{", result.len > 1 ? ", " : "");
		append_text(&result, "label", lfirst(lc));
		append_text(&result, "rule", lfirst(lc2));
		appendStringInfoChar(&result, '}');
	}
	appendStringInfoChar(&result, ']');
	return result.data;
}

char *
plan_text_of_column(const Column *column, const char *expression)
{
	StringInfoData result;

	if (column->kind == COLUMN_GROUP)
		return text_of_group(column);
	if (column->kind != COLUMN_BAND)
		return pstrdup(expression);
	initStringInfo(&result);
	appendStringInfoChar(&result, '{');
	append_text(&result, "score", linitial(column->depends));
	appendStringInfo(&result, ", \"bands\": %d, \"descending\": %s}", column->bands,
					 column->descending ? "true" : "false");
	return result.data;
}

char *
plan_text_of_source(const Source *source)
{
	StringInfoData result;
	ListCell   *lc;

	initStringInfo(&result);
	appendStringInfoChar(&result, '{');
	append_text(&result, "key", source->key);
	append_text(&result, "at", source->at);
	append_text(&result, "event", source->event);
	append_text(&result, "value", source->value);
	append_text(&result, "item", source->item);
	appendStringInfo(&result, ", \"%s\": {",
					 source->kind == SOURCE_EVENTS ? "extra" : "columns");
	foreach(lc, source->extra)
	{
		NamedExpr  *named = lfirst(lc);

		append_text(&result, named->name, named->expression);
	}
	appendStringInfoString(&result, "}}");
	return result.data;
}

char *
plan_text_of_names(List *names)
{
	StringInfoData result;
	ListCell   *lc;

	initStringInfo(&result);
	appendStringInfoChar(&result, '[');
	foreach(lc, names)
	{
		if (result.len > 1)
			appendStringInfoString(&result, ", ");
		escape_json(&result, lfirst(lc));
	}
	appendStringInfoChar(&result, ']');
	return result.data;
}
