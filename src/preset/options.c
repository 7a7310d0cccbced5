/*
 * options.c
 *		The options that a user gave to a preset.
 */
#include "postgres.h"

#include "nodes/value.h"
#include "preset/preset.h"
#include "utils/builtins.h"

/* A member of an object; NULL if it is not there. */
static JsonbValue *
member(Jsonb *object, const char *key)
{
	return getKeyJsonValueFromContainer(&object->root, key, strlen(key), NULL);
}

/* The names of the options that a preset takes (of char *). */
static List *
known_options(const Preset *preset)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, preset->options)
	{
		PresetOption *option = lfirst(lc);

		if (option->known)
			result = lappend(result, option->name);
	}
	result = lappend(result, "prefix");
	result = lappend(result, "only");
	return lappend(result, "check_events");
}

static void
check_keys(const Preset *preset, Jsonb *options)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	v;
	List	   *known = known_options(preset);

	if (!JB_ROOT_IS_OBJECT(options))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the options of preset \"%s\" must be an object", preset->name),
				 errhint("Give them by name, such as {\"purchase\": \"order\"}.")));
	it = JsonbIteratorInit(&options->root);
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		char	   *key;

		if (token != WJB_KEY)
			continue;
		key = pnstrdup(v.val.string.val, v.val.string.len);
		if (!preset_has_name(known, key))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("preset \"%s\" has no option \"%s\"", preset->name, key),
					 errhint("%s", preset_hint(key, known))));
	}
}

char *
preset_read_prefix(const Preset *preset, Jsonb *options)
{
	JsonbValue *value = JB_ROOT_IS_OBJECT(options) ? member(options, "prefix") : NULL;

	if (value == NULL || value->type == jbvNull)
		return "";
	if (value->type != jbvString)
		preset_refuse_value(preset, "prefix", "a string",
							"It is put before the name of each column, such as \"web_\".");
	return pnstrdup(value->val.string.val, value->val.string.len);
}

static void
read_only(Preset *preset, const JsonbValue *value)
{
	static const char *const hint = "Give names of columns of the preset, such as [\"rfm_segment\"].";

	if (value == NULL || value->type == jbvNull)
		return;
	preset->only = preset_read_strings(preset, "only", value, hint);
	if (preset->only == NIL)
		preset_refuse_value(preset, "only", "an array of column names", hint);
}

static void
read_check_events(Preset *preset, const JsonbValue *value)
{
	preset->check_events = true;
	if (value == NULL || value->type == jbvNull)
		return;
	if (value->type != jbvBool)
		preset_refuse_value(preset, "check_events", "true or false", NULL);
	preset->check_events = value->val.boolean;
}

/* The value of an option: as given, or else its default; NULL if that is null. */
static JsonbValue *
value_of(const PresetOption *option, Jsonb *options)
{
	JsonbValue *value = member(options, option->name);

	if (value == NULL && option->fallback != NULL)
	{
		/* a scalar stands in an array of its own */
		if (JB_ROOT_IS_SCALAR(option->fallback))
			value = getIthJsonbValueFromContainer(&option->fallback->root, 0);
		else
		{
			value = palloc0(sizeof(JsonbValue));
			value->type = jbvBinary;
			value->val.binary.data = &option->fallback->root;
			value->val.binary.len = VARSIZE_ANY_EXHDR(option->fallback);
		}
	}
	return value == NULL || value->type == jbvNull ? NULL : value;
}

void
preset_read_options(Preset *preset, const SegmentTable *table, Jsonb *options)
{
	ListCell   *lc;

	check_keys(preset, options);
	preset->prefix = preset_read_prefix(preset, options);
	read_only(preset, member(options, "only"));
	read_check_events(preset, member(options, "check_events"));
	foreach(lc, preset->options)
	{
		PresetOption *option = lfirst(lc);

		option->value = value_of(option, options);
		preset_read_value(preset, option, table);
	}
}

/* As text; "" for none. */
static char *
value_text(JsonbValue *value)
{
	Jsonb	   *json;

	if (value == NULL || value->type == jbvNull)
		return "";
	json = JsonbValueToJsonb(value);
	return JsonbToCString(NULL, &json->root, VARSIZE_ANY_EXHDR(json));
}

bool
preset_same_options(const Preset *preset, Jsonb *a, Jsonb *b)
{
	ListCell   *lc;

	foreach(lc, preset->options)
	{
		PresetOption *option = lfirst(lc);

		if (option->known && strcmp(value_text(value_of(option, a)), value_text(value_of(option, b))) != 0)
			return false;
	}
	return strcmp(value_text(member(a, "only")), value_text(member(b, "only"))) == 0;
}
