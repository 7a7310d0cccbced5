/*
 * remove.c
 *		Taking the triggers of a source off, wherever they are by now.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "capture/capture_private.h"
#include "catalog/dependency.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "lock.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"

/* The relation of a trigger of ours with this argument, or InvalidOid. */
static Oid
trigger_relation(Oid trigger, const char *id)
{
	Relation	rel = table_open(TriggerRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	Oid			result = InvalidOid;

	ScanKeyInit(&key, Anum_pg_trigger_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(trigger));
	scan = systable_beginscan(rel, TriggerOidIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		Form_pg_trigger form = (Form_pg_trigger) GETSTRUCT(tuple);

		if (trigger_has_argument(tuple, rel, id))
			result = form->tgrelid;
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return result;
}

/* OIDs of all triggers that call a function. */
static List *
triggers_of(Oid function)
{
	Relation	rel = table_open(DependRelationId, AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;
	List	   *result = NIL;

	ScanKeyInit(&keys[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(ProcedureRelationId));
	ScanKeyInit(&keys[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(function));
	scan = systable_beginscan(rel, DependReferenceIndexId, true, NULL, 2, keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend depend = (Form_pg_depend) GETSTRUCT(tuple);

		if (depend->classid == TriggerRelationId)
			result = lappend_oid(result, depend->objid);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return result;
}

/* Relations that have triggers of a source. */
static List *
relations_with(List *triggers, const char *id)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, triggers)
	{
		Oid			relid = trigger_relation(lfirst_oid(lc), id);

		CHECK_FOR_INTERRUPTS();
		if (OidIsValid(relid))
			result = list_append_unique_oid(result, relid);
	}
	return result;
}

List *
capture_wish_remove(List *wishes, const Source *source)
{
	ListCell   *lc;

	foreach(lc, relations_with(triggers_of(capture_function()), psprintf("%d", source->id)))
		wishes = lock_wish(wishes, lfirst_oid(lc), AccessExclusiveLock);
	return wishes;
}

/*
 * The triggers are the extension's, not the relation's: no right on the
 * relation is asked for, since its owner may be somebody else.
 */
void
capture_remove(const Source *source)
{
	List	   *triggers;
	ListCell   *lc;
	char	   *id = psprintf("%d", source->id);

	lock_all(capture_wish_remove(NIL, source));

	/* having waited for the relations, look again */
	triggers = triggers_of(capture_function());
	foreach(lc, triggers)
	{
		ObjectAddress object;

		CHECK_FOR_INTERRUPTS();
		if (!OidIsValid(trigger_relation(lfirst_oid(lc), id)))
			continue;
		ObjectAddressSet(object, TriggerRelationId, lfirst_oid(lc));
		performDeletion(&object, DROP_RESTRICT, 0);
	}
	list_free(triggers);
}
