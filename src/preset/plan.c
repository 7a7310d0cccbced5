/*
 * plan.c
 *		Which columns a preset makes, in which order, and what of.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "preset/preset.h"
#include "preset/template.h"
#include "utils/builtins.h"

typedef enum ChoiceState
{
	CHOICE_OPEN,
	CHOICE_UNDER_WAY,			/* what it reads is being chosen */
	CHOICE_MADE
} ChoiceState;

/* What has been decided about a name. */
typedef struct Choice
{
	const char *name;
	ChoiceState state;
	PresetColumn *column;		/* NULL: left out */
	const char *wants;			/* the option for want of which it is, if that is why */
} Choice;

typedef struct Plan
{
	Preset	   *preset;
	List	   *choices;		/* of Choice */
	List	   *result;			/* of PlannedColumn */
} Plan;

/* An error in the rows that the extension brings along. */
pg_noreturn static void
refuse_template(const PresetColumn *column, const char *what, const char *text)
{
	ereport(ERROR,
			(errcode(ERRCODE_INTERNAL_ERROR),
			 errmsg("the template of column \"%s\" of a preset has %s: %s", column->name, what, text)));
}

static PresetOption *
require_option(const Plan *plan, const PresetColumn *column, const char *name, size_t length)
{
	PresetOption *option = preset_find_option(plan->preset, name, length);

	if (option == NULL)
		refuse_template(column, "an unknown option", pnstrdup(name, length));
	return option;
}

/* The option that a group takes its labels from, or NULL. */
static PresetOption *
labels_option(const Plan *plan, const PresetColumn *column)
{
	TemplatePiece piece;
	PresetOption *option;

	if (column->kind != COLUMN_GROUP || column->expression == NULL)
		return NULL;
	(void) template_next(column->expression, &piece);
	if (piece.kind != TEMPLATE_OPTION)
		refuse_template(column, "no option with labels", column->expression);
	option = require_option(plan, column, piece.start, piece.length);
	if (option->type != OPTION_LABELS)
		refuse_template(column, "an option that has no labels", option->name);
	return option;
}

/* All templates of a column (of char *). */
static List *
templates_of(const Plan *plan, const PresetColumn *column)
{
	PresetOption *labels = labels_option(plan, column);
	List	   *result = list_copy(labels == NULL ? column->rules : labels->rules);

	if (column->score != NULL)
		result = lappend(result, psprintf("{{.%s}}", column->score));
	if (column->expression != NULL && labels == NULL)
		result = lappend(result, column->expression);
	return result;
}

static Choice *choose(Plan *plan, const char *name);

/* Can what a piece stands for be had?  Else *wants may say for want of which option. */
static bool
is_there(Plan *plan, const PresetColumn *column, const TemplatePiece *piece, const char **wants)
{
	if (piece->kind == TEMPLATE_BAD)
		refuse_template(column, "braces that hold no name", pnstrdup(piece->start, piece->length));
	if (piece->kind == TEMPLATE_COLUMN)
	{
		Choice	   *read = choose(plan, pnstrdup(piece->start, piece->length));

		*wants = read->wants;
		return read->column != NULL;
	}
	if (piece->kind == TEMPLATE_OPTION)
	{
		PresetOption *option = require_option(plan, column, piece->start, piece->length);

		/* an event that there is not is one that never happens */
		if (option->sql == NULL && option->type != OPTION_EVENT && option->type != OPTION_ITEM)
		{
			*wants = option->name;
			return false;
		}
	}
	return true;
}

/* Is there all that an alternative needs?  Chooses what it reads. */
static bool
fits(Plan *plan, const PresetColumn *column, const char **wants)
{
	PresetOption *labels = labels_option(plan, column);
	ListCell   *lc;

	*wants = NULL;
	foreach(lc, column->unless)
	{
		PresetOption *option = require_option(plan, column, lfirst(lc), strlen(lfirst(lc)));

		if (option->value != NULL)
			return false;
	}
	foreach(lc, column->needs)
	{
		PresetOption *option = require_option(plan, column, lfirst(lc), strlen(lfirst(lc)));

		if (option->value == NULL)
		{
			*wants = option->name;
			return false;
		}
	}
	if (labels != NULL && labels->value == NULL)
	{
		*wants = labels->name;
		return false;
	}
	foreach(lc, templates_of(plan, column))
	{
		const char *rest = lfirst(lc);
		TemplatePiece piece;

		for (rest = template_next(rest, &piece); piece.kind != TEMPLATE_END; rest = template_next(rest, &piece))
		{
			if (!is_there(plan, column, &piece, wants))
				return false;
		}
	}
	return true;
}

static char *
full_name(const Plan *plan, const char *name)
{
	return psprintf("%s%s", plan->preset->prefix, name);
}

/* The element of an option that a piece names, or the whole. */
static const char *
option_sql(const Plan *plan, const PresetColumn *column, const TemplatePiece *piece)
{
	PresetOption *option = require_option(plan, column, piece->start, piece->length);

	option->used = true;
	if (option->sql == NULL)
		return "false";
	if (piece->element == 0)
		return option->sql;
	option->elements_used = Max(option->elements_used, piece->element);
	if (piece->element > list_length(option->elements))
		return "NULL";			/* refused when all are known */
	return list_nth(option->elements, piece->element - 1);
}

static char *
expand(const Plan *plan, const PresetColumn *column, const char *template)
{
	StringInfoData result;
	TemplatePiece piece;

	initStringInfo(&result);
	for (template = template_next(template, &piece); piece.kind != TEMPLATE_END;
		 template = template_next(template, &piece))
	{
		if (piece.kind == TEMPLATE_TEXT)
			appendBinaryStringInfo(&result, piece.start, piece.length);
		else if (piece.kind == TEMPLATE_COLUMN)
			appendStringInfoString(&result, quote_identifier(full_name(plan, pnstrdup(piece.start, piece.length))));
		else
			appendStringInfoString(&result, option_sql(plan, column, &piece));
	}
	return result.data;
}

static void
add_planned(Plan *plan, PresetColumn *column)
{
	PlannedColumn *planned = palloc0(sizeof(PlannedColumn));
	Column	   *result = palloc0(sizeof(Column));
	PresetOption *labels = labels_option(plan, column);
	ListCell   *lc;

	result->name = full_name(plan, column->name);
	result->kind = column->kind;
	if (column->kind == COLUMN_BAND)
	{
		result->depends = list_make1(full_name(plan, column->score));
		result->bands = column->bands;
		result->descending = column->descending;
	}
	else if (column->kind == COLUMN_GROUP)
	{
		if (labels != NULL)
			labels->used = true;
		result->labels = list_copy(labels == NULL ? column->labels : labels->labels);
		foreach(lc, labels == NULL ? column->rules : labels->rules)
			result->rules = lappend(result->rules, expand(plan, column, lfirst(lc)));
		define_check_labels(result);
	}
	else
		result->expression = expand(plan, column, column->expression);
	planned->column = result;
	planned->description = column->description;
	plan->result = lappend(plan->result, planned);
}

static Choice *
find_choice(Plan *plan, const char *name)
{
	Choice	   *choice;
	ListCell   *lc;

	foreach(lc, plan->choices)
	{
		choice = lfirst(lc);
		if (strcmp(choice->name, name) == 0)
			return choice;
	}
	choice = palloc0(sizeof(Choice));
	choice->name = name;
	plan->choices = lappend(plan->choices, choice);
	return choice;
}

/* Error that names the way from a column back to itself: what is under way, from there on. */
static void
refuse_circle(const Plan *plan, const Choice *again)
{
	List	   *names = NIL;
	ListCell   *lc;

	foreach(lc, plan->choices)
	{
		Choice	   *choice = lfirst(lc);

		if (choice == again || (names != NIL && choice->state == CHOICE_UNDER_WAY))
			names = lappend(names, unconstify(char *, choice->name));
	}
	define_refuse_circle(lappend(names, unconstify(char *, again->name)));
}

/* Takes the first alternative that fits, behind what it reads. */
static Choice *
choose(Plan *plan, const char *name)
{
	Choice	   *choice = find_choice(plan, name);
	bool		exists = false;
	ListCell   *lc;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (choice->state == CHOICE_UNDER_WAY)
		refuse_circle(plan, choice);
	if (choice->state == CHOICE_MADE)
		return choice;
	choice->state = CHOICE_UNDER_WAY;
	foreach(lc, plan->preset->columns)
	{
		PresetColumn *column = lfirst(lc);
		const char *wants;

		if (strcmp(column->name, name) != 0)
			continue;
		exists = true;
		if (fits(plan, column, &wants))
		{
			choice->column = column;
			choice->wants = NULL;
			add_planned(plan, column);
			break;
		}
		if (choice->wants == NULL)
			choice->wants = wants;
	}
	if (!exists)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("preset \"%s\" has no column \"%s\"", plan->preset->name, name)));
	choice->state = CHOICE_MADE;
	return choice;
}

/* The columns that were asked for by name; all of them have to be made. */
static void
choose_only(Plan *plan)
{
	List	   *names = NIL;
	ListCell   *lc,
			   *lc2;

	foreach(lc, plan->preset->columns)
	{
		if (((PresetColumn *) lfirst(lc))->own && !preset_has_name(names, ((PresetColumn *) lfirst(lc))->name))
			names = lappend(names, ((PresetColumn *) lfirst(lc))->name);
	}
	foreach(lc, plan->preset->only)
	{
		const char *name = lfirst(lc);
		bool		found = false;
		Choice	   *choice;

		foreach(lc2, plan->preset->columns)
			found = found || strcmp(((PresetColumn *) lfirst(lc2))->name, name) == 0;
		if (!found)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("option \"only\" of preset \"%s\" names \"%s\", which is no column of it",
							plan->preset->name, name),
					 errhint("%s", preset_hint(name, names))));
		choice = choose(plan, name);
		if (choice->column == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 choice->wants == NULL ?
					 errmsg("column \"%s\" of preset \"%s\" is not made with these options", name, plan->preset->name) :
					 errmsg("column \"%s\" of preset \"%s\" needs the option \"%s\"", name, plan->preset->name,
							choice->wants),
					 errhint("See the views segment.preset_columns and segment.presets.")));
	}
}

/* Tells which columns are not made for want of which options. */
static void
tell_left_out(const Plan *plan)
{
	StringInfoData left_out;
	List	   *told = NIL;
	ListCell   *lc,
			   *lc2;

	initStringInfo(&left_out);
	foreach(lc, plan->choices)
	{
		const Choice *first = lfirst(lc);
		const char *separator = " for ";

		if (first->column != NULL || first->wants == NULL ||
			list_member(told, makeString(unconstify(char *, first->wants))))
			continue;
		told = lappend(told, makeString(unconstify(char *, first->wants)));
		appendStringInfo(&left_out, "%s\"%s\"", left_out.len > 0 ? "; " : "", first->wants);
		foreach(lc2, plan->choices)
		{
			const Choice *choice = lfirst(lc2);

			if (choice->column != NULL || choice->wants == NULL || strcmp(choice->wants, first->wants) != 0)
				continue;
			appendStringInfo(&left_out, "%s\"%s\"", separator, choice->name);
			separator = ", ";
		}
	}
	if (left_out.len > 0)
		ereport(NOTICE,
				(errmsg("columns of preset \"%s\" are left out for want of options: %s",
						plan->preset->name, left_out.data)));
}

static void
choose_all(Plan *plan)
{
	ListCell   *lc;

	foreach(lc, plan->preset->columns)
	{
		PresetColumn *column = lfirst(lc);

		if (column->own)
			choose(plan, column->name);
	}
	tell_left_out(plan);
}

/* Neither fewer elements than templates name, nor more that nobody would read. */
static void
check_elements(const Preset *preset)
{
	ListCell   *lc;

	foreach(lc, preset->options)
	{
		PresetOption *option = lfirst(lc);

		if (option->elements_used > 0 && option->elements_used != list_length(option->elements))
			preset_refuse_value(preset, option->name,
								psprintf("an array of %d elements, not of %d", option->elements_used,
										 list_length(option->elements)), NULL);
	}
}

List *
preset_plan(Preset *preset)
{
	Plan		plan = {.preset = preset};

	if (preset->only != NIL)
		choose_only(&plan);
	else
		choose_all(&plan);
	check_elements(preset);
	return plan.result;
}
