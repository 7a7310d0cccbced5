/*
 * values.c
 *		The value of an option as SQL.
 *
 * A value becomes a literal here, once: what it holds is never read as a
 * template, and never as SQL but for a rule, which is checked by itself.
 */
#include "postgres.h"

#include <math.h>

#include "attempt.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "context.h"
#include "lib/stringinfo.h"
#include "preset/preset.h"
#include "preset/template.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

/*
 * The longest interval: templates take it twice from now(), which must not lead
 * out of the calendar.  Else no customer could be computed.
 */
#define LONGEST_YEARS 1000

void
preset_refuse_value(const Preset *preset, const char *option, const char *must_be, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" of preset \"%s\" must be %s", option, preset->name, must_be),
			 hint == NULL ? 0 : errhint("%s", hint)));
}

/* What is being read. */
typedef struct Reader
{
	const Preset *preset;
	PresetOption *option;
	const SegmentTable *table;
} Reader;

pg_noreturn static void
refuse(const Reader *reader, const char *must_be, const char *hint)
{
	preset_refuse_value(reader->preset, reader->option->name, must_be, hint);
}

static char *
string_of(const JsonbValue *value)
{
	return pnstrdup(value->val.string.val, value->val.string.len);
}

static bool
is_array(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data);
}

/* The elements of an array (of JsonbValue). */
static List *
elements(const JsonbValue *array)
{
	List	   *result = NIL;

	for (uint32 i = 0; i < JsonContainerSize(array->val.binary.data); i++)
		result = lappend(result, getIthJsonbValueFromContainer(array->val.binary.data, i));
	return result;
}

List *
preset_read_strings(const Preset *preset, const char *option, const JsonbValue *value, const char *hint)
{
	List	   *result = NIL;
	ListCell   *lc;

	if (!is_array(value))
		preset_refuse_value(preset, option, "an array of strings", hint);
	foreach(lc, elements(value))
	{
		JsonbValue *element = lfirst(lc);

		if (element->type != jbvString)
			preset_refuse_value(preset, option, "an array of strings", hint);
		result = lappend(result, string_of(element));
	}
	return result;
}

static char *
join(const char *before, List *parts, const char *after)
{
	StringInfoData result;
	ListCell   *lc;

	initStringInfo(&result);
	appendStringInfoString(&result, before);
	foreach(lc, parts)
		appendStringInfo(&result, "%s%s", foreach_current_index(lc) > 0 ? ", " : "", (char *) lfirst(lc));
	appendStringInfoString(&result, after);
	return result.data;
}

static List *
quote_all(List *strings)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, strings)
		result = lappend(result, quote_literal_cstr(lfirst(lc)));
	return result;
}

/* {"rule": "..."}: a condition over the stream, parsed by itself so that it ends where it ends. */
static char *
read_rule(const Reader *reader, const char *hint)
{
	const JsonbValue *value = reader->option->value;
	const JsonbValue *text;
	CheckedRule *rule;

	text = getKeyJsonValueFromContainer(value->val.binary.data, "rule", 4, NULL);
	if (JsonContainerSize(value->val.binary.data) != 1 || text == NULL || text->type != jbvString)
		refuse(reader, "a string, an array of strings, or a rule", hint);
	(void) rule_stream_columns(reader->table);	/* error if there is no stream */
	rule = rule_check(string_of(text), reader->table, SCOPE_EVENT, reader->table->events,
					  psprintf("option \"%s\" of preset \"%s\"", reader->option->name, reader->preset->name));
	if (rule->type != BOOLOID)
		refuse(reader, "a condition", hint);
	return psprintf("(%s)", rule->expression);
}

static void
read_condition(const Reader *reader, const char *column)
{
	static const char *const hint =
		"Give a name, an array of names, {\"rule\": \"event = 'view' AND value > 0\"}, or null if there is none.";
	PresetOption *option = reader->option;
	const JsonbValue *value = option->value;

	if (value->type == jbvString)
		option->names = list_make1(string_of(value));
	else if (value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data))
	{
		option->sql = read_rule(reader, hint);
		return;
	}
	else if (!is_array(value))
		refuse(reader, "a string, an array of strings, or a rule", hint);
	else
		option->names = preset_read_strings(reader->preset, option->name, value, hint);
	if (option->names == NIL)
		refuse(reader, "a string, an array of strings, or a rule", hint);
	option->sql = list_length(option->names) == 1 ?
		psprintf("(%s = %s)", column, quote_literal_cstr(linitial(option->names))) :
		join(psprintf("(%s IN (", column), quote_all(option->names), "))");
}

/* Conversions that may fail, in their attempt. */
typedef struct Conversion
{
	char	   *text;
	Datum		result;
} Conversion;

static void
numeric_step(void *arg)
{
	Conversion *conversion = arg;

	conversion->result = DirectFunctionCall3(numeric_in, CStringGetDatum(conversion->text),
											 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

static void
interval_step(void *arg)
{
	Conversion *conversion = arg;
	RunContext	ctx;

	context_enter_settings(&ctx, "UTC");
	conversion->result = DirectFunctionCall3(interval_in, CStringGetDatum(conversion->text),
											 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	context_leave(&ctx);
}

/* Does it convert?  What else goes wrong goes on. */
static bool
converts(AttemptStep step, Conversion *conversion)
{
	ErrorData  *error = attempt_run(step, conversion, false);

	if (error != NULL && ERRCODE_TO_CATEGORY(error->sqlerrcode) != ERRCODE_DATA_EXCEPTION)
		ReThrowError(error);
	return error == NULL;
}

static void
check_bounds(const Reader *reader, double number, const char *must_be)
{
	double		least = reader->option->least;
	double		most = reader->option->most;

	if (number < least || number > most)
		refuse(reader, isinf(most) ? psprintf("%s, at least %g", must_be, least) :
			   psprintf("%s from %g to %g", must_be, least, most), NULL);
}

/* A finite number that double precision can hold, and within the option's bounds. */
static Datum
read_number(const Reader *reader, const JsonbValue *value, const char *must_be)
{
	static const char *const hint = "Give a number, or a string that holds one.";
	Conversion	conversion = {0};
	Datum		as_float;

	if (value->type == jbvNumeric)
		conversion.result = NumericGetDatum(value->val.numeric);
	else if (value->type != jbvString)
		refuse(reader, must_be, hint);
	else
	{
		conversion.text = string_of(value);
		if (!converts(numeric_step, &conversion))
			refuse(reader, must_be, hint);
	}
	as_float = DirectFunctionCall1(numeric_float8_no_overflow, conversion.result);
	if (!isfinite(DatumGetFloat8(as_float)))
		refuse(reader, must_be, "It must be finite, and not larger than double precision can hold.");
	check_bounds(reader, DatumGetFloat8(as_float), must_be);
	return conversion.result;
}

/* In parentheses if it is negative: "--" would begin a comment. */
static char *
number_sql(Datum number)
{
	char	   *text = DatumGetCString(DirectFunctionCall1(numeric_out, number));

	return *text == '-' ? psprintf("(%s)", text) : text;
}

static char *
read_integer(const Reader *reader, const JsonbValue *value)
{
	Datum		number = read_number(reader, value, "an integer");
	char	   *digits = DatumGetCString(DirectFunctionCall1(numeric_out, number));
	char	   *end;
	long		result;

	errno = 0;
	result = strtol(digits, &end, 10);
	if (*end != '\0' || errno != 0 || result != (int) result)
		refuse(reader, "an integer", "It has no fraction, and at most four bytes.");
	return number_sql(number);
}

/* Months are added before days: centuries less as many days may lead out of the calendar on the way. */
static bool
parts_are_short(const Interval *interval)
{
	double		days = LONGEST_YEARS * 366.0;

	return fabs((double) interval->month) <= LONGEST_YEARS * MONTHS_PER_YEAR &&
		fabs((double) interval->day) <= days && fabs((double) interval->time) <= days * USECS_PER_DAY;
}

static Datum
read_interval(const Reader *reader, const JsonbValue *value, const char *must_be)
{
	static const char *const hint = "Give a string such as \"30 days\" or \"1 month\".";
	Conversion	conversion = {0};
	Interval	none = {0};
	Interval	longest = {.month = LONGEST_YEARS * MONTHS_PER_YEAR};

	if (value->type != jbvString)
		refuse(reader, must_be, hint);
	conversion.text = string_of(value);
	if (!converts(interval_step, &conversion) ||
		!segment_interval_is_finite(DatumGetIntervalP(conversion.result)))
		refuse(reader, must_be, hint);
	if (DatumGetInt32(DirectFunctionCall2(interval_cmp, conversion.result, IntervalPGetDatum(&none))) < 0)
		refuse(reader, must_be, "It must not be negative.");
	if (!parts_are_short(DatumGetIntervalP(conversion.result)) ||
		DatumGetInt32(DirectFunctionCall2(interval_cmp, conversion.result, IntervalPGetDatum(&longest))) > 0)
		refuse(reader, must_be, "It must not be longer than " CppAsString2(LONGEST_YEARS) " years.");
	return conversion.result;
}

static char *
interval_sql(Datum interval)
{
	RunContext	ctx;
	char	   *text;

	context_enter_settings(&ctx, "UTC");
	text = DatumGetCString(DirectFunctionCall1(interval_out, interval));
	context_leave(&ctx);
	return psprintf("interval %s", quote_literal_cstr(text));
}

/* Cut points: numbers or intervals in ascending order. */
static void
read_cuts(const Reader *reader, bool numbers)
{
	const char *must_be = numbers ? "an ascending array of numbers" : "an ascending array of intervals";
	const char *hint = numbers ? "Such as [2, 5, 10]." : "Such as [\"30 days\", \"90 days\"].";
	PresetOption *option = reader->option;
	Datum		last = (Datum) 0;
	ListCell   *lc;

	if (!is_array(option->value) || JsonContainerSize(option->value->val.binary.data) == 0)
		refuse(reader, must_be, hint);
	foreach(lc, elements(option->value))
	{
		Datum		cut = numbers ? read_number(reader, lfirst(lc), must_be) :
			read_interval(reader, lfirst(lc), must_be);

		if (last != (Datum) 0 &&
			DatumGetInt32(DirectFunctionCall2(numbers ? numeric_cmp : interval_cmp, last, cut)) >= 0)
			refuse(reader, must_be, hint);
		last = cut;
		option->elements = lappend(option->elements, numbers ? number_sql(cut) : interval_sql(cut));
	}
	option->sql = join("ARRAY[", option->elements, numbers ? "]::numeric[]" : "]::interval[]");
}

/* A rule of a label: of what a template may hold, columns alone. */
static void
check_label_rule(const Reader *reader, const char *rule)
{
	TemplatePiece piece;
	ListCell   *lc;

	for (rule = template_next(rule, &piece); piece.kind != TEMPLATE_END; rule = template_next(rule, &piece))
	{
		bool		found = piece.kind == TEMPLATE_TEXT;

		foreach(lc, piece.kind == TEMPLATE_COLUMN ? reader->preset->columns : NIL)
		{
			const char *name = ((PresetColumn *) lfirst(lc))->name;

			found = found || (strlen(name) == piece.length && memcmp(name, piece.start, piece.length) == 0);
		}
		if (!found)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a rule in option \"%s\" of preset \"%s\" has \"%s\" in braces, which is no column of the preset",
							reader->option->name, reader->preset->name, pnstrdup(piece.start, piece.length)),
					 errhint("A rule is SQL over the row; {{.name}} stands for a column of the preset, with its prefix.")));
	}
}

static void
read_labels(const Reader *reader)
{
	static const char *const hint = "Such as [[\"big\", \"spent >= 1000\"], [\"small\", \"spent > 0\"]].";
	static const char *const must_be = "an array of pairs of label and rule";
	PresetOption *option = reader->option;
	ListCell   *lc;

	if (!is_array(option->value))
		refuse(reader, must_be, hint);
	foreach(lc, elements(option->value))
	{
		List	   *pair;

		if (!is_array(lfirst(lc)))
			refuse(reader, must_be, hint);
		pair = preset_read_strings(reader->preset, option->name, lfirst(lc), hint);
		if (list_length(pair) != 2)
			refuse(reader, must_be, hint);
		check_label_rule(reader, lsecond(pair));
		option->labels = lappend(option->labels, linitial(pair));
		option->rules = lappend(option->rules, lsecond(pair));
	}
	if (option->labels == NIL)
		refuse(reader, must_be, hint);
}

/* A column of the stream. */
static char *
read_event_column(const Reader *reader, const char *name)
{
	static const char *const always[] = {"at", "event", "value", "item", "source"};
	List	   *names = NIL;
	ListCell   *lc;

	for (int i = 0; i < lengthof(always); i++)
	{
		if (strcmp(always[i], name) == 0)
			return pstrdup(name);
		names = lappend(names, unconstify(char *, always[i]));
	}
	foreach(lc, rule_stream_columns(reader->table))
	{
		const char *column = ((StreamColumn *) lfirst(lc))->name;

		if (strcmp(column, "value") != 0)
			names = lappend(names, unconstify(char *, column));
	}
	if (preset_has_name(names, name))
		return pstrdup(quote_identifier(name));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" of preset \"%s\": the stream has no column \"%s\"",
					reader->option->name, reader->preset->name, name),
			 errhint("%s", preset_hint(name, names))));
}

/* A column of the row. */
static char *
read_row_column(const Reader *reader, const char *name)
{
	List	   *names = list_make1(reader->table->key_name);
	ListCell   *lc;

	foreach(lc, reader->table->columns)
	{
		Column	   *column = lfirst(lc);

		if (column->kind != COLUMN_ELIGIBLE)
			names = lappend(names, column->name);
	}
	if (preset_has_name(names, name))
		return pstrdup(quote_identifier(name));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" of preset \"%s\": segment table %s has no column \"%s\"",
					reader->option->name, reader->preset->name,
					catalog_qualified_name(reader->table->relid), name),
			 errhint("%s", preset_hint(name, names))));
}

static char *
read_string(const Reader *reader)
{
	if (reader->option->value->type != jbvString)
		refuse(reader, "a string", NULL);
	return string_of(reader->option->value);
}

void
preset_read_value(const Preset *preset, PresetOption *option, const SegmentTable *table)
{
	Reader		reader = {preset, option, table};

	if (option->value == NULL)
		return;
	switch (option->type)
	{
		case OPTION_EVENT:
			read_condition(&reader, "event");
			break;
		case OPTION_ITEM:
			read_condition(&reader, "item");
			break;
		case OPTION_TEXT:
			option->sql = quote_literal_cstr(read_string(&reader));
			break;
		case OPTION_INTEGER:
			option->sql = read_integer(&reader, option->value);
			break;
		case OPTION_NUMBER:
			option->sql = number_sql(read_number(&reader, option->value, "a number"));
			break;
		case OPTION_INTERVAL:
			option->sql = interval_sql(read_interval(&reader, option->value, "an interval"));
			break;
		case OPTION_BOOLEAN:
			if (option->value->type != jbvBool)
				refuse(&reader, "true or false", NULL);
			option->sql = option->value->val.boolean ? "true" : "false";
			break;
		case OPTION_TEXTS:
			option->elements = quote_all(preset_read_strings(preset, option->name, option->value,
															 "Such as [\"a\", \"b\"]."));
			option->sql = join("ARRAY[", option->elements, "]::text[]");
			break;
		case OPTION_NUMBERS:
		case OPTION_INTERVALS:
			read_cuts(&reader, option->type == OPTION_NUMBERS);
			break;
		case OPTION_EVENT_COLUMN:
			option->sql = read_event_column(&reader, read_string(&reader));
			break;
		case OPTION_COLUMN:
			option->sql = read_row_column(&reader, read_string(&reader));
			break;
		case OPTION_LABELS:
			read_labels(&reader);
			break;
	}
}
