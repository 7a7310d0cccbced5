/*
 * document.c
 *		Reading a definition from JSON.
 */
#include "postgres.h"

#include "define/apply.h"
#include "context.h"
#include "lib/stringinfo.h"
#include "nodes/value.h"
#include "utils/builtins.h"
#include "utils/regproc.h"
#include "utils/timestamp.h"

/* A value and where it stands, such as: scores[2].expression. */
typedef struct Place
{
	const JsonbValue *value;
	char	   *path;			/* NULL: the whole */
} Place;

static const char *const top_keys[] = {
	"table", "key", "key_type", "time_zone", "max_age", "sources", "attributes", "scores",
	"bands", "segments", "groups", "order", "eligible", "schedule", "presets", NULL
};
static const char *const source_keys[] = {
	"source", "key", "at", "event", "value", "item", "extra", NULL
};
static const char *const attributes_keys[] = {"source", "key", "columns", NULL};
static const char *const score_keys[] = {"name", "expression", NULL};
static const char *const segment_keys[] = {"name", "rule", NULL};
static const char *const group_keys[] = {"name", "labels", NULL};
static const char *const label_keys[] = {"label", "rule", NULL};
static const char *const band_keys[] = {"name", "score", "bands", "descending", NULL};
static const char *const preset_keys[] = {"preset", "prefix", "options", "columns", NULL};

static void
refuse_type(const Place *place, const char *type)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 place->path == NULL ? errmsg("a definition must be %s", type) :
			 errmsg("%s of the definition must be %s", place->path, type),
			 errhint("See what segment.definition() returns for a segment table.")));
}

static bool
is_container(const Place *place, bool array)
{
	return place->value->type == jbvBinary &&
		(array ? JsonContainerIsArray(place->value->val.binary.data) :
		 JsonContainerIsObject(place->value->val.binary.data));
}

/* Error unless it is an object that has no other keys than these. */
static void
check_object(const Place *place, const char *const *keys)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	v;
	StringInfoData known;

	if (!is_container(place, false))
		refuse_type(place, "an object");
	initStringInfo(&known);
	for (int i = 0; keys[i] != NULL; i++)
		appendStringInfo(&known, "%s\"%s\"", i > 0 ? ", " : "", keys[i]);
	it = JsonbIteratorInit(place->value->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		bool		found = false;

		for (int i = 0; token == WJB_KEY && keys[i] != NULL && !found; i++)
			found = strlen(keys[i]) == v.val.string.len &&
				memcmp(keys[i], v.val.string.val, v.val.string.len) == 0;
		if (token == WJB_KEY && !found)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("unknown key \"%s\" in %s",
							pnstrdup(v.val.string.val, v.val.string.len),
							place->path == NULL ? "the definition" :
							psprintf("%s of the definition", place->path)),
					 errhint("Known there: %s.", known.data)));
	}
}

/* The value of a key, or NULL if there is none or it is null; required: error then. */
static Place *
member(const Place *object, const char *key, bool required)
{
	Place	   *place = palloc(sizeof(Place));

	place->path = object->path == NULL ? pstrdup(key) :
		psprintf("%s.%s", object->path, key);
	place->value = getKeyJsonValueFromContainer(object->value->val.binary.data, key, strlen(key), NULL);
	if (place->value != NULL && place->value->type != jbvNull)
		return place;
	if (required)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s of the definition is missing", place->path),
				 errhint("See what segment.definition() returns for a segment table.")));
	return NULL;
}

/* The elements (of Place) of an array, none if the key is not there. */
static List *
elements(const Place *object, const char *key, bool required)
{
	Place	   *array = member(object, key, required);
	List	   *result = NIL;
	uint32		n;

	if (array == NULL)
		return NIL;
	if (!is_container(array, true))
		refuse_type(array, "an array");
	n = JsonContainerSize(array->value->val.binary.data);
	for (uint32 i = 0; i < n; i++)
	{
		Place	   *place = palloc(sizeof(Place));

		place->path = psprintf("%s[%u]", array->path, i);
		place->value = getIthJsonbValueFromContainer(array->value->val.binary.data, i);
		result = lappend(result, place);
	}
	return result;
}

static char *
text_at(const Place *place)
{
	if (place->value->type != jbvString)
		refuse_type(place, "a string");
	return pnstrdup(place->value->val.string.val, place->value->val.string.len);
}

static char *
text_of(const Place *object, const char *key, bool required)
{
	Place	   *place = member(object, key, required);

	return place == NULL ? NULL : text_at(place);
}

static char *
name_of(const Place *object, const char *what)
{
	char	   *result = text_of(object, "name", true);

	catalog_check_name(result, what);
	return result;
}

static int
integer(const Place *object, const char *key, int if_missing)
{
	Place	   *place = member(object, key, false);
	char	   *digits;
	char	   *end;
	long		result;

	if (place == NULL)
		return if_missing;
	if (place->value->type != jbvNumeric)
		refuse_type(place, "an integer");
	digits = DatumGetCString(DirectFunctionCall1(numeric_out,
												 NumericGetDatum(place->value->val.numeric)));
	errno = 0;
	result = strtol(digits, &end, 10);
	if (*end != '\0' || errno != 0 || result != (int) result)
		refuse_type(place, "an integer");
	return (int) result;
}

static bool
boolean(const Place *object, const char *key)
{
	Place	   *place = member(object, key, false);

	if (place == NULL)
		return false;
	if (place->value->type != jbvBool)
		refuse_type(place, "true or false");
	return place->value->val.boolean;
}

/* An object of strings as a list of NamedExpr. */
static List *
named_expressions(const Place *object, const char *key, bool required)
{
	Place	   *place = member(object, key, required);
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	v;
	NamedExpr  *current = NULL;
	List	   *result = NIL;

	if (place == NULL)
		return NIL;
	if (!is_container(place, false))
		refuse_type(place, "an object");
	it = JsonbIteratorInit(place->value->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			current = palloc0(sizeof(NamedExpr));
			current->name = pnstrdup(v.val.string.val, v.val.string.len);
		}
		else if (token == WJB_VALUE)
		{
			Place		at = {&v};

			Assert(current != NULL);	/* the key came before */
			at.path = psprintf("%s.%s", place->path, current->name);
			current->expression = text_at(&at);
			result = lappend(result, current);
		}
	}
	return result;
}

static void
place_context(void *arg)
{
	errcontext("%s of the definition", ((Place *) arg)->path);
}

/* A relation by name, as the caller's search_path finds it. */
static Oid
relation(const Place *object)
{
	Place	   *place = member(object, "source", true);
	ErrorContextCallback callback = {error_context_stack, place_context, place};
	Oid			result;

	error_context_stack = &callback;
	result = DatumGetObjectId(DirectFunctionCall1(regclassin, CStringGetDatum(text_at(place))));
	error_context_stack = callback.previous;
	return result;
}

/* A day if it is left out. */
static Interval *
interval(Place *place)
{
	ErrorContextCallback callback = {error_context_stack, place_context, place};
	RunContext	ctx;
	Datum		result;

	if (place != NULL)
		error_context_stack = &callback;
	context_enter_settings(&ctx, "UTC");
	result = DirectFunctionCall3(interval_in, CStringGetDatum(place == NULL ? "1 day" : text_at(place)),
								 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	context_leave(&ctx);
	error_context_stack = callback.previous;
	return DatumGetIntervalP(result);
}

static List *
read_sources(const Place *top)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, elements(top, "sources", false))
	{
		Place	   *place = lfirst(lc);
		Source	   *source = palloc0(sizeof(Source));

		check_object(place, source_keys);
		source->kind = SOURCE_EVENTS;
		source->relation = relation(place);
		source->key = text_of(place, "key", true);
		source->at = text_of(place, "at", true);
		source->event = text_of(place, "event", false);
		source->value = text_of(place, "value", false);
		source->item = text_of(place, "item", false);
		source->extra = named_expressions(place, "extra", false);
		result = lappend(result, source);
	}
	foreach(lc, elements(top, "attributes", false))
	{
		Place	   *place = lfirst(lc);
		Source	   *source = palloc0(sizeof(Source));

		check_object(place, attributes_keys);
		source->kind = SOURCE_ATTRIBUTES;
		source->relation = relation(place);
		source->key = text_of(place, "key", true);
		source->extra = named_expressions(place, "columns", true);
		result = lappend(result, source);
	}
	return result;
}

static void
read_group(const Place *place, Column *group)
{
	ListCell   *lc;

	check_object(place, group_keys);
	group->name = name_of(place, "group");
	foreach(lc, elements(place, "labels", true))
	{
		Place	   *label = lfirst(lc);

		check_object(label, label_keys);
		group->labels = lappend(group->labels, text_of(label, "label", true));
		group->rules = lappend(group->rules, text_of(label, "rule", true));
	}
	define_check_labels(group);
}

static void
read_column(const Place *place, Column *column)
{
	switch (column->kind)
	{
		case COLUMN_GROUP:
			read_group(place, column);
			break;
		case COLUMN_BAND:
			check_object(place, band_keys);
			column->name = name_of(place, "band");
			column->depends = list_make1(text_of(place, "score", true));
			column->bands = integer(place, "bands", 5);
			column->descending = boolean(place, "descending");
			break;
		case COLUMN_SEGMENT:
			check_object(place, segment_keys);
			column->name = name_of(place, "segment");
			column->expression = text_of(place, "rule", true);
			break;
		default:
			check_object(place, score_keys);
			column->name = name_of(place, "score");
			column->expression = text_of(place, "expression", true);
	}
}

static List *
read_columns(const Place *top)
{
	static const struct
	{
		const char *key;
		ColumnKind	kind;
	}			kinds[] = {
		{"scores", COLUMN_SCORE}, {"bands", COLUMN_BAND},
		{"groups", COLUMN_GROUP}, {"segments", COLUMN_SEGMENT}
	};
	List	   *result = NIL;

	for (int i = 0; i < lengthof(kinds); i++)
	{
		ListCell   *lc;

		foreach(lc, elements(top, kinds[i].key, false))
		{
			Column	   *column = palloc0(sizeof(Column));

			column->kind = kinds[i].kind;
			column->over = OVER_ROW;
			read_column(lfirst(lc), column);
			result = lappend(result, column);
		}
	}
	return result;
}

/* Adds a name; error if it is there. */
static List *
add_unique(List *names, const char *one, const char *where)
{
	if (list_member(names, makeString(unconstify(char *, one))))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_COLUMN),
				 errmsg("\"%s\" stands twice in %s of the definition", one, where),
				 errhint("Attributes, scores, bands, groups and segments are columns of one table: each has its own name.")));
	return lappend(names, makeString(pstrdup(one)));
}

/* All names of columns (of String); error if one is given twice. */
static List *
column_names(const Document *document)
{
	List	   *names = NIL;
	ListCell   *lc,
			   *lc2;

	foreach(lc, document->sources)
	{
		Source	   *source = lfirst(lc);

		foreach(lc2, source->kind == SOURCE_ATTRIBUTES ? source->extra : NIL)
			names = add_unique(names, ((NamedExpr *) lfirst(lc2))->name, "the columns");
	}
	foreach(lc, document->columns)
		names = add_unique(names, ((Column *) lfirst(lc))->name, "the columns");
	return names;
}

static List *
read_order(const Place *top, List *names)
{
	List	   *seen = NIL;
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, elements(top, "order", false))
	{
		char	   *one = text_at(lfirst(lc));

		/* so that a column can be taken out of a definition in one place */
		if (!list_member(names, makeString(one)))
			continue;
		seen = add_unique(seen, one, "order");
		result = lappend(result, one);
	}
	return result;
}

/* The names among those of columns, so that a column can be taken out of a definition in one place. */
static List *
read_preset_columns(const Document *document, const Place *place)
{
	List	   *result = NIL;
	ListCell   *lc,
			   *lc2;

	foreach(lc, elements(place, "columns", true))
	{
		char	   *name = text_at(lfirst(lc));

		foreach(lc2, document->columns)
		{
			if (strcmp(((Column *) lfirst(lc2))->name, name) == 0)
				result = lappend(result, name);
		}
	}
	return result;
}

static void
read_presets(Document *document, const Place *top)
{
	ListCell   *lc;

	foreach(lc, elements(top, "presets", false))
	{
		Place	   *place = lfirst(lc);
		Place	   *options;
		InstalledPreset *preset = palloc0(sizeof(InstalledPreset));

		check_object(place, preset_keys);
		preset->preset = text_of(place, "preset", true);
		preset->prefix = text_of(place, "prefix", false);
		if (preset->prefix == NULL)
			preset->prefix = "";
		options = member(place, "options", true);
		if (!is_container(options, false))
			refuse_type(options, "an object");
		preset->options = JsonbValueToJsonb(unconstify(JsonbValue *, options->value));
		preset->columns = read_preset_columns(document, place);
		if (catalog_find_preset(document->presets, preset->preset, preset->prefix) != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_OBJECT),
					 errmsg("preset \"%s\" stands twice in the definition with the same prefix", preset->preset),
					 errhint("Take one of them out, or give it another \"prefix\" and other columns.")));
		document->presets = lappend(document->presets, preset);
	}
}

Document *
document_read(Jsonb *json)
{
	Document   *document = palloc0(sizeof(Document));
	JsonbValue	root = {.type = jbvBinary, .val.binary = {.data = &json->root}};
	Place		top = {&root, NULL};

	if (!JB_ROOT_IS_OBJECT(json))
		refuse_type(&top, "an object");
	check_object(&top, top_keys);
	document->table = text_of(&top, "table", true);
	document->key = text_of(&top, "key", true);
	document->key_type = text_of(&top, "key_type", false);
	document->time_zone = text_of(&top, "time_zone", false);
	document->max_age = interval(member(&top, "max_age", false));
	document->eligible = text_of(&top, "eligible", false);
	document->schedule = text_of(&top, "schedule", false);
	document->sources = read_sources(&top);
	document->columns = read_columns(&top);
	document->order = read_order(&top, column_names(document));
	read_presets(document, &top);
	return document;
}
