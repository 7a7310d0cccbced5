/*
 * parts.c
 *		What belongs to a source, as it was last seen.
 *
 * Read by index and without SPI, as load.c does: triggers of any writer and
 * event triggers of any DDL look here.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/definition.h"
#include "catalog/pg_type.h"
#include "context.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

/* Column numbers of segment.source_part, as sql/capture.sql orders them. */
enum
{
	PART_SOURCE = 1, PART_RELATION, PART_TBL, PART_PLACE, PART_TRIGGERS, PART_COLUMNS, PART_TYPES
};

typedef void (*PartReader) (HeapTuple tuple, TupleDesc desc, void *arg);

/* Calls reader for each row that the keys find by an index. */
static void
scan(const char *relation, const char *index, int nkeys, ScanKey keys, Snapshot snapshot,
	 PartReader reader, void *arg)
{
	Relation	rel = table_open(context_relation(relation), AccessShareLock);
	SysScanDesc scan = systable_beginscan(rel, context_relation(index), true, snapshot,
										  nkeys, keys);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		reader(tuple, RelationGetDescr(rel), arg);
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
}

static Datum
field(HeapTuple tuple, TupleDesc desc, AttrNumber column, bool *isnull)
{
	return heap_getattr(tuple, column, desc, isnull);
}

static void
read_part(HeapTuple tuple, TupleDesc desc, void *arg)
{
	List	  **parts = arg;
	SourcePart *part = palloc(sizeof(SourcePart));
	bool		isnull;

	part->relid = DatumGetObjectId(field(tuple, desc, PART_RELATION, &isnull));
	part->place = DatumGetInt64(field(tuple, desc, PART_PLACE, &isnull));
	part->triggers = DatumGetInt64(field(tuple, desc, PART_TRIGGERS, &isnull));
	*parts = lappend(*parts, part);
}

static int
by_relid(const ListCell *a, const ListCell *b)
{
	Oid			one = ((SourcePart *) lfirst(a))->relid;
	Oid			other = ((SourcePart *) lfirst(b))->relid;

	return one < other ? -1 : one > other;
}

List *
catalog_load_parts(int source, Snapshot snapshot)
{
	List	   *parts = NIL;
	ScanKeyData key;

	ScanKeyInit(&key, PART_SOURCE, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(source));
	scan("source_part", "source_part_pkey", 1, &key, snapshot, read_part, &parts);
	list_sort(parts, by_relid);
	return parts;
}

static void
read_columns(HeapTuple tuple, TupleDesc desc, void *arg)
{
	List	  **columns = arg;
	Datum	   *names,
			   *types;
	int			nnames,
				ntypes;
	bool		isnull;
	Datum		array = field(tuple, desc, PART_COLUMNS, &isnull);

	if (isnull)
		return;
	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT,
					  &names, NULL, &nnames);
	deconstruct_array(DatumGetArrayTypeP(field(tuple, desc, PART_TYPES, &isnull)), OIDOID,
					  sizeof(Oid), true, TYPALIGN_INT, &types, NULL, &ntypes);
	for (int i = 0; i < Min(nnames, ntypes); i++)
	{
		SourceColumn *column = palloc(sizeof(SourceColumn));

		column->name = TextDatumGetCString(names[i]);
		column->type = DatumGetObjectId(types[i]);
		*columns = lappend(*columns, column);
	}
}

List *
catalog_load_columns(const Source *source, Snapshot snapshot)
{
	List	   *columns = NIL;
	ScanKeyData keys[2];

	ScanKeyInit(&keys[0], PART_SOURCE, BTEqualStrategyNumber, F_INT4EQ,
				Int32GetDatum(source->id));
	ScanKeyInit(&keys[1], PART_RELATION, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(source->relation));
	scan("source_part", "source_part_pkey", 2, keys, snapshot, read_columns, &columns);
	return columns;
}

List *
catalog_current_columns(Oid relid)
{
	Relation	rel = table_open(relid, AccessShareLock);
	TupleDesc	desc = RelationGetDescr(rel);
	List	   *columns = NIL;

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attr = TupleDescAttr(desc, i);
		SourceColumn *column = palloc(sizeof(SourceColumn));

		column->name = attr->attisdropped ? "" : pstrdup(NameStr(attr->attname));
		column->type = attr->attisdropped ? InvalidOid : attr->atttypid;
		columns = lappend(columns, column);
	}
	table_close(rel, NoLock);
	return columns;
}

static void
read_source_id(HeapTuple tuple, TupleDesc desc, void *arg)
{
	List	  **ids = arg;
	bool		isnull;

	*ids = lappend_int(*ids, DatumGetInt32(field(tuple, desc, PART_SOURCE, &isnull)));
}

List *
catalog_sources_of_part(Oid relid)
{
	List	   *ids = NIL;
	ScanKeyData key;

	ScanKeyInit(&key, PART_RELATION, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relid));
	scan("source_part", "source_part_relation", 1, &key, NULL, read_source_id, &ids);
	return ids;
}

/* Runs one statement as the extension's owner. */
static void
run(const char *sql, int nargs, Oid *types, Datum *values)
{
	RunContext	ctx;

	context_enter_catalog(&ctx);
	SPI_connect();
	context_run(sql, nargs, types, values, NULL, false);
	SPI_finish();
	context_leave(&ctx);
	CommandCounterIncrement();
}

static void
add_element(ArrayBuildState *state, Datum value, Oid type)
{
	accumArrayResult(state, value, false, type, CurrentMemoryContext);
}

static Datum
made(ArrayBuildState *state)
{
	return makeArrayResult(state, CurrentMemoryContext);
}

void
catalog_store_parts(const Source *source, List *parts)
{
	MemoryContext context = CurrentMemoryContext;
	ArrayBuildState *relids = initArrayResult(OIDOID, context, false);
	ArrayBuildState *places = initArrayResult(INT8OID, context, false);
	ArrayBuildState *triggers = initArrayResult(INT8OID, context, false);
	Oid			types[] = {INT4OID, OIDOID, OIDARRAYOID, INT8ARRAYOID, INT8ARRAYOID};
	Datum		values[5];
	ListCell   *lc;

	foreach(lc, parts)
	{
		SourcePart *part = lfirst(lc);

		add_element(relids, ObjectIdGetDatum(part->relid), OIDOID);
		add_element(places, Int64GetDatum(part->place), INT8OID);
		add_element(triggers, Int64GetDatum(part->triggers), INT8OID);
	}
	values[0] = Int32GetDatum(source->id);
	values[1] = ObjectIdGetDatum(source->tbl);
	values[2] = made(relids);
	values[3] = made(places);
	values[4] = made(triggers);
	run("WITH seen AS (SELECT * FROM unnest($3, $4, $5) AS u(relation, place, triggers)),"
		" gone AS (DELETE FROM segment.source_part"
		"   WHERE source = $1 AND relation NOT IN (SELECT relation FROM seen))"
		" INSERT INTO segment.source_part AS p (source, tbl, relation, place, triggers)"
		" SELECT $1, $2, relation, place, triggers FROM seen"
		" ON CONFLICT (source, relation) DO UPDATE"
		"   SET place = excluded.place, triggers = excluded.triggers"
		"   WHERE (p.place, p.triggers) <> (excluded.place, excluded.triggers)", 5, types, values);
	if (catalog_load_columns(source, NULL) == NIL)
		catalog_note_columns(source);
}

void
catalog_note_columns(const Source *source)
{
	MemoryContext context = CurrentMemoryContext;
	ArrayBuildState *names = initArrayResult(TEXTOID, context, false);
	ArrayBuildState *oids = initArrayResult(OIDOID, context, false);
	Oid			types[] = {INT4OID, OIDOID, TEXTARRAYOID, OIDARRAYOID};
	Datum		values[4];
	ListCell   *lc;

	foreach(lc, catalog_current_columns(source->relation))
	{
		SourceColumn *column = lfirst(lc);

		add_element(names, CStringGetTextDatum(column->name), TEXTOID);
		add_element(oids, ObjectIdGetDatum(column->type), OIDOID);
	}
	values[0] = Int32GetDatum(source->id);
	values[1] = ObjectIdGetDatum(source->relation);
	values[2] = made(names);
	values[3] = made(oids);
	run("UPDATE segment.source_part SET columns = $3, types = $4"
		" WHERE source = $1 AND relation = $2", 4, types, values);
}
