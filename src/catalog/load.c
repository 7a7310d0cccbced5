/*
 * load.c
 *		Reading the configuration tables.
 *
 * Straight by index, without SPI and without asking for privileges: triggers
 * read here with the rights of any writer.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/definition.h"
#include "catalog/merged.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "context.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

/* Column numbers of the configuration tables, as sql/catalog.sql orders them. */
enum
{
	TABLE_TBL = 1, TABLE_HISTORY, TABLE_EVENTS, TABLE_KEY_NAME, TABLE_KEY_TYPE,
	TABLE_TIME_ZONE, TABLE_MAX_AGE, TABLE_SALT
};
enum
{
	SOURCE_ID = 1, SOURCE_TBL, SOURCE_KIND, SOURCE_RELATION, SOURCE_NAME,
	SOURCE_KEY, SOURCE_AT, SOURCE_EVENT, SOURCE_VALUE, SOURCE_ITEM, SOURCE_EXTRA
};
enum
{
	COLUMN_TBL = 1, COLUMN_NAME, COLUMN_KIND, COLUMN_POSITION, COLUMN_OVER,
	COLUMN_EXPRESSION, COLUMN_TYPE, COLUMN_CROSSINGS, COLUMN_UNANALYZED,
	COLUMN_DEPENDS, COLUMN_LABELS, COLUMN_RULES, COLUMN_BANDS, COLUMN_DESCENDING
};
enum
{
	NEW_COLUMN_TBL = 1, NEW_COLUMN_NAME
};
enum
{
	CHANGES_TBL = 1, CHANGES_CHANGES, CHANGES_KEPT
};

typedef void (*RowReader) (HeapTuple tuple, TupleDesc desc, void *arg);

/*
 * Calls reader for each row of a configuration table whose column equals value;
 * snapshot NULL: the latest rows.
 */
static int
scan_rows(const char *relation, const char *index, AttrNumber column,
		  RegProcedure equals, Datum value, Snapshot snapshot, RowReader reader, void *arg)
{
	Relation	rel = table_open(context_relation(relation), AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	int			found = 0;

	ScanKeyInit(&key, column, BTEqualStrategyNumber, equals, value);
	scan = systable_beginscan(rel, context_relation(index), true, snapshot, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		found++;
		if (reader != NULL)
			reader(tuple, RelationGetDescr(rel), arg);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return found;
}

static Datum
field(HeapTuple tuple, TupleDesc desc, AttrNumber column, bool *isnull)
{
	bool		null_here;
	Datum		value = heap_getattr(tuple, column, desc, &null_here);

	if (isnull != NULL)
		*isnull = null_here;
	return null_here ? (Datum) 0 : value;
}

/* A text column as a C string, or NULL. */
static char *
text_field(HeapTuple tuple, TupleDesc desc, AttrNumber column)
{
	bool		isnull;
	Datum		value = field(tuple, desc, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

static Oid
oid_field(HeapTuple tuple, TupleDesc desc, AttrNumber column)
{
	return DatumGetObjectId(field(tuple, desc, column, NULL));
}

/* A jsonb object of strings as a list of NamedExpr. */
static List *
named_exprs(Datum jsonb)
{
	Jsonb	   *object = DatumGetJsonbP(jsonb);
	JsonbIterator *it = JsonbIteratorInit(&object->root);
	JsonbValue	v;
	JsonbIteratorToken token;
	List	   *result = NIL;
	NamedExpr  *current = NULL;

	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			current = palloc0(sizeof(NamedExpr));
			current->name = pnstrdup(v.val.string.val, v.val.string.len);
		}
		else if (token == WJB_VALUE && v.type == jbvString)
		{
			Assert(current != NULL);	/* the key came before */
			current->expression = pnstrdup(v.val.string.val, v.val.string.len);
			result = lappend(result, current);
		}
	}
	return result;
}

List *
catalog_text_list(Datum array)
{
	Datum	   *elements;
	int			n;
	List	   *result = NIL;

	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT,
					  &elements, NULL, &n);
	for (int i = 0; i < n; i++)
		result = lappend(result, TextDatumGetCString(elements[i]));
	return result;
}

/* A text[] column as a list, or NIL. */
static List *
text_array_field(HeapTuple tuple, TupleDesc desc, AttrNumber column)
{
	bool		isnull;
	Datum		value = field(tuple, desc, column, &isnull);

	return isnull ? NIL : catalog_text_list(value);
}

static void
read_table(HeapTuple tuple, TupleDesc desc, void *arg)
{
	SegmentTable *table = arg;
	Datum		max_age = field(tuple, desc, TABLE_MAX_AGE, NULL);
	bool		isnull;
	Datum		salt = field(tuple, desc, TABLE_SALT, &isnull);

	table->relid = oid_field(tuple, desc, TABLE_TBL);
	table->history = oid_field(tuple, desc, TABLE_HISTORY);
	table->events = oid_field(tuple, desc, TABLE_EVENTS);
	table->key_name = pstrdup(NameStr(*DatumGetName(field(tuple, desc, TABLE_KEY_NAME, NULL))));
	table->key_type = oid_field(tuple, desc, TABLE_KEY_TYPE);
	table->time_zone = text_field(tuple, desc, TABLE_TIME_ZONE);
	table->max_age = palloc(sizeof(Interval));
	memcpy(table->max_age, DatumGetIntervalP(max_age), sizeof(Interval));
	table->salt = isnull ? NULL : DatumGetByteaPCopy(salt);
}

/* A relation that was dropped by hand keeps nothing. */
static void
read_changes(HeapTuple tuple, TupleDesc desc, void *arg)
{
	SegmentTable *table = arg;
	bool		isnull;
	Datum		kept = field(tuple, desc, CHANGES_KEPT, &isnull);
	Oid			changes = oid_field(tuple, desc, CHANGES_CHANGES);

	if (isnull || get_rel_name(changes) == NULL)
		return;
	table->changes = changes;
	table->changes_kept = palloc(sizeof(Interval));
	memcpy(table->changes_kept, DatumGetIntervalP(kept), sizeof(Interval));
}

static void
read_source(HeapTuple tuple, TupleDesc desc, void *arg)
{
	List	  **sources = arg;
	Source	   *source = palloc0(sizeof(Source));

	source->id = DatumGetInt32(field(tuple, desc, SOURCE_ID, NULL));
	source->kind = strcmp(text_field(tuple, desc, SOURCE_KIND), "events") == 0 ?
		SOURCE_EVENTS : SOURCE_ATTRIBUTES;
	source->tbl = oid_field(tuple, desc, SOURCE_TBL);
	source->relation = oid_field(tuple, desc, SOURCE_RELATION);
	source->name = text_field(tuple, desc, SOURCE_NAME);
	source->key = text_field(tuple, desc, SOURCE_KEY);
	source->at = text_field(tuple, desc, SOURCE_AT);
	source->event = text_field(tuple, desc, SOURCE_EVENT);
	source->value = text_field(tuple, desc, SOURCE_VALUE);
	source->item = text_field(tuple, desc, SOURCE_ITEM);
	source->extra = named_exprs(field(tuple, desc, SOURCE_EXTRA, NULL));
	*sources = lappend(*sources, source);
}

static ColumnKind
column_kind(const char *kind)
{
	if (strcmp(kind, "attribute") == 0)
		return COLUMN_ATTRIBUTE;
	if (strcmp(kind, "score") == 0)
		return COLUMN_SCORE;
	if (strcmp(kind, "group") == 0)
		return COLUMN_GROUP;
	if (strcmp(kind, "band") == 0)
		return COLUMN_BAND;
	return strcmp(kind, "segment") == 0 ? COLUMN_SEGMENT : COLUMN_ELIGIBLE;
}

static ColumnOver
column_over(const char *over)
{
	if (strcmp(over, "attributes") == 0)
		return OVER_ATTRIBUTES;
	return strcmp(over, "events") == 0 ? OVER_EVENTS : OVER_ROW;
}

static void
read_column(HeapTuple tuple, TupleDesc desc, void *arg)
{
	List	  **columns = arg;
	Column	   *column = palloc0(sizeof(Column));

	column->name = pstrdup(NameStr(*DatumGetName(field(tuple, desc, COLUMN_NAME, NULL))));
	column->kind = column_kind(text_field(tuple, desc, COLUMN_KIND));
	column->position = DatumGetInt32(field(tuple, desc, COLUMN_POSITION, NULL));
	column->over = column_over(text_field(tuple, desc, COLUMN_OVER));
	column->expression = text_field(tuple, desc, COLUMN_EXPRESSION);
	column->type = oid_field(tuple, desc, COLUMN_TYPE);
	column->crossings = text_array_field(tuple, desc, COLUMN_CROSSINGS);
	column->unanalyzed = text_field(tuple, desc, COLUMN_UNANALYZED);
	column->depends = text_array_field(tuple, desc, COLUMN_DEPENDS);
	column->labels = text_array_field(tuple, desc, COLUMN_LABELS);
	column->rules = text_array_field(tuple, desc, COLUMN_RULES);
	column->bands = DatumGetInt32(field(tuple, desc, COLUMN_BANDS, NULL));
	column->descending = DatumGetBool(field(tuple, desc, COLUMN_DESCENDING, NULL));
	*columns = lappend(*columns, column);
}

static int
by_id(const ListCell *a, const ListCell *b)
{
	return ((Source *) lfirst(a))->id - ((Source *) lfirst(b))->id;
}

static int
by_position(const ListCell *a, const ListCell *b)
{
	return ((Column *) lfirst(a))->position - ((Column *) lfirst(b))->position;
}

/* The relation's name for a message, or its OID if it is gone. */
static const char *
describe(Oid relid)
{
	char	   *name = get_rel_name(relid);

	return name != NULL ? name : psprintf("%u", relid);
}

static List *
load_sources(Oid relid, Snapshot snapshot)
{
	List	   *sources = NIL;

	scan_rows("config_source", "config_source_tbl", SOURCE_TBL, F_OIDEQ,
			  ObjectIdGetDatum(relid), snapshot, read_source, &sources);
	list_sort(sources, by_id);
	return sources;
}

/* The table alone: without its changes, sources and columns, and whether keys are merged. */
static SegmentTable *
load_table(Oid relid, Snapshot snapshot)
{
	SegmentTable *table = palloc0(sizeof(SegmentTable));

	if (scan_rows("config_table", "config_table_pkey", TABLE_TBL, F_OIDEQ, ObjectIdGetDatum(relid),
				  snapshot, read_table, table) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a segment table", describe(relid)),
				 errhint("See the view segment.tables, or make one with segment.create_table().")));
	table->owner = table->author = context_relation_owner(relid);
	return table;
}

SegmentTable *
catalog_load_as_of(Oid relid, Snapshot snapshot)
{
	SegmentTable *table = load_table(relid, snapshot);

	scan_rows("config_changes", "config_changes_pkey", CHANGES_TBL, F_OIDEQ, ObjectIdGetDatum(relid),
			  snapshot, read_changes, table);
	table->sources = load_sources(relid, snapshot);
	scan_rows("config_column", "config_column_pkey", COLUMN_TBL, F_OIDEQ, ObjectIdGetDatum(relid), snapshot,
			  read_column, &table->columns);
	list_sort(table->columns, by_position);
	table->merged = merged_any(relid, snapshot);
	return table;
}

SegmentTable *
catalog_load_bare(Oid relid)
{
	return load_table(relid, NULL);
}

SegmentTable *
catalog_load(Oid relid)
{
	return catalog_load_as_of(relid, NULL);
}

List *
catalog_load_sources(Oid relid)
{
	return load_sources(relid, NULL);
}

bool
catalog_is_segment_table(Oid relid)
{
	return scan_rows("config_table", "config_table_pkey", TABLE_TBL, F_OIDEQ,
					 ObjectIdGetDatum(relid), NULL, NULL, NULL) > 0;
}

Source *
catalog_load_source_as_of(int id, Snapshot snapshot)
{
	List	   *sources = NIL;

	scan_rows("config_source", "config_source_pkey", SOURCE_ID, F_INT4EQ,
			  Int32GetDatum(id), snapshot, read_source, &sources);
	return sources == NIL ? NULL : linitial(sources);
}

Source *
catalog_load_source(int id)
{
	return catalog_load_source_as_of(id, NULL);
}

void
catalog_check_owner(Oid relid)
{
	if (!segment_owns_relation(relid, GetUserId()))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of table %s", describe(relid)),
				 errhint("Only the owner of a segment table may define and refresh it.")));
}

static void
read_new_column(HeapTuple tuple, TupleDesc desc, void *arg)
{
	List	  **names = arg;
	Datum		name = field(tuple, desc, NEW_COLUMN_NAME, NULL);

	*names = lappend(*names, pstrdup(NameStr(*DatumGetName(name))));
}

List *
catalog_new_columns(Oid relid)
{
	List	   *names = NIL;

	scan_rows("new_column", "new_column_pkey", NEW_COLUMN_TBL, F_OIDEQ,
			  ObjectIdGetDatum(relid), NULL, read_new_column, &names);
	return names;
}

Column *
catalog_find_column(const SegmentTable *table, const char *name)
{
	ListCell   *lc;

	foreach(lc, table->columns)
	{
		Column	   *column = lfirst(lc);

		if (strcmp(column->name, name) == 0)
			return column;
	}
	return NULL;
}

bool
catalog_is_condition(const Column *column)
{
	return column->kind == COLUMN_SEGMENT || column->kind == COLUMN_ELIGIBLE;
}

bool
catalog_is_recorded(const Column *column)
{
	return column->kind == COLUMN_SEGMENT || column->kind == COLUMN_GROUP ||
		column->kind == COLUMN_BAND;
}

bool
catalog_all_exact(const SegmentTable *table)
{
	ListCell   *lc;

	foreach(lc, table->columns)
	{
		if (((Column *) lfirst(lc))->unanalyzed != NULL)
			return false;
	}
	return true;
}
