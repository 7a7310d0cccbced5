/*
 * parts.c
 *		Has anything happened to the relations of a source that its triggers
 *		could not see?
 *
 * A partition that goes, one that comes back with its triggers on, a trigger
 * that was disabled for a while: afterwards nothing is missing, but the rows of
 * pg_inherits and pg_trigger were written anew, by another transaction.  So is
 * that of pg_attrdef where a column is generated in another way.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "capture/capture_private.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_trigger.h"
#include "common/hashfn.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

static void
append_oid(StringInfo buffer, uint32 value)
{
	appendBinaryStringInfo(buffer, (char *) &value, sizeof(value));
}

/* Never 0. */
static int64
hash_of(StringInfo buffer)
{
	uint64		hash = hash_bytes_extended((unsigned char *) buffer->data, buffer->len, 0);

	return hash == 0 ? 1 : (int64) hash;
}

/*
 * Its generated columns, and since which transaction each has its expression:
 * SET EXPRESSION writes no row that a trigger sees.
 */
static void
append_generated(StringInfo buffer, Oid relid)
{
	Relation	rel = table_open(AttrDefaultRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_attrdef_adrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan(rel, AttrDefaultIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_attrdef form = (Form_pg_attrdef) GETSTRUCT(tuple);
		HeapTuple	attribute = SearchSysCacheAttNum(relid, form->adnum);

		if (!HeapTupleIsValid(attribute))
			continue;
		if (((Form_pg_attribute) GETSTRUCT(attribute))->attgenerated != '\0')
		{
			append_oid(buffer, form->oid);
			append_oid(buffer, HeapTupleHeaderGetRawXmin(tuple->t_data));
		}
		ReleaseSysCache(attribute);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
}

/*
 * On which relations of the source it hangs, and since which transaction; and
 * what it generates.
 */
static int64
place_of(Oid relid, const List *relids)
{
	Relation	rel = table_open(InheritsRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	StringInfoData buffer;

	initStringInfo(&buffer);
	ScanKeyInit(&key, Anum_pg_inherits_inhrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan(rel, InheritsRelidSeqnoIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_inherits form = (Form_pg_inherits) GETSTRUCT(tuple);

		if (!list_member_oid(relids, form->inhparent))
			continue;
		append_oid(&buffer, form->inhparent);
		append_oid(&buffer, HeapTupleHeaderGetRawXmin(tuple->t_data));
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	append_generated(&buffer, relid);
	return hash_of(&buffer);
}

bool
trigger_has_argument(HeapTuple tuple, Relation pg_trigger, const char *id)
{
	bool		isnull;
	Datum		args = heap_getattr(tuple, Anum_pg_trigger_tgargs, RelationGetDescr(pg_trigger),
									&isnull);

	/* each argument ends with a zero byte */
	return ((Form_pg_trigger) GETSTRUCT(tuple))->tgnargs == 1 && !isnull &&
		strcmp(VARDATA_ANY(DatumGetByteaPP(args)), id) == 0;
}

/* Which triggers of the source it has, whether they fire, and since which transaction. */
static int64
triggers_on(Oid relid, Oid function, const char *id)
{
	Relation	rel = table_open(TriggerRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	StringInfoData buffer;

	initStringInfo(&buffer);
	ScanKeyInit(&key, Anum_pg_trigger_tgrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan(rel, TriggerRelidNameIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_trigger form = (Form_pg_trigger) GETSTRUCT(tuple);

		if (form->tgfoid != function || !trigger_has_argument(tuple, rel, id))
			continue;
		append_oid(&buffer, form->oid);
		append_oid(&buffer, HeapTupleHeaderGetRawXmin(tuple->t_data));
		append_oid(&buffer, (unsigned char) form->tgenabled);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return hash_of(&buffer);
}

List *
parts_now(const Source *source, const List *relids)
{
	List	   *sorted = list_copy(relids);
	Oid			function = capture_function();
	char	   *id = psprintf("%d", source->id);
	List	   *parts = NIL;
	const ListCell *lc;

	list_sort(sorted, list_oid_cmp);
	foreach(lc, sorted)
	{
		Oid			relid = lfirst_oid(lc);
		SourcePart *part;

		CHECK_FOR_INTERRUPTS();
		/* children of other sessions come and go, and nobody else sees their rows */
		if (get_rel_persistence(relid) == RELPERSISTENCE_TEMP)
			continue;
		part = palloc(sizeof(SourcePart));
		part->relid = relid;
		part->place = place_of(relid, relids);
		part->triggers = triggers_on(relid, function, id);
		parts = lappend(parts, part);
	}
	return parts;
}

SourcePart *
find_part(const List *parts, Oid relid)
{
	const ListCell *lc;

	foreach(lc, parts)
	{
		SourcePart *part = lfirst(lc);

		if (part->relid == relid)
			return part;
	}
	return NULL;
}

bool
parts_differ(const List *parts, const List *others)
{
	if (list_length(parts) != list_length(others))
		return true;
	for (int i = 0; i < list_length(parts); i++)
	{
		const SourcePart *one = list_nth(parts, i);
		const SourcePart *other = list_nth(others, i);

		if (one->relid != other->relid || one->place != other->place || one->triggers != other->triggers)
			return true;
	}
	return false;
}

bool
capture_changed(const Source *source, Snapshot snapshot)
{
	List	   *noted = catalog_load_parts(source->id, snapshot);

	return parts_differ(parts_now(source, find_all_inheritors(source->relation, NoLock, NULL)),
						noted);
}
