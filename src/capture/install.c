/*
 * install.c
 *		Putting the triggers of a source on its relations, and taking them off.
 *
 * A trigger is known as ours by its function and its argument, whatever its
 * name is by now.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "capture/capture_private.h"
#include "catalog/dependency.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "compat.h"
#include "context.h"
#include "executor/spi.h"
#include "lock.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

typedef struct EventTrigger
{
	int16		type;			/* bit of pg_trigger.tgtype */
	const char *event;
	const char *suffix;			/* of the trigger's name */
	bool		old;			/* transition tables */
	bool		new;
} EventTrigger;

static const EventTrigger events[] = {
	{TRIGGER_TYPE_INSERT, "INSERT", "insert", false, true},
	{TRIGGER_TYPE_UPDATE, "UPDATE", "update", true, true},
	{TRIGGER_TYPE_DELETE, "DELETE", "delete", true, false},
	{TRIGGER_TYPE_TRUNCATE, "TRUNCATE", "truncate", false, false},
};

#define EVENTS lengthof(events)

/* Refuses relations whose changes the triggers would not all see. */
static void
check_relation(Relation rel)
{
	const char *name = RelationGetRelationName(rel);
	char		kind = rel->rd_rel->relkind;

	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" cannot be a source or a part of one", name),
				 errdetail("It is neither an ordinary nor a partitioned table."),
				 errhint(kind == RELKIND_FOREIGN_TABLE ?
						 "Changes of foreign tables can't be captured; copy the rows into a local table." :
						 "Name the tables beneath it as sources instead.")));
	if (rel->rd_rel->relpersistence == RELPERSISTENCE_TEMP)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("temporary table \"%s\" cannot be a source or a part of one", name),
				 errhint("Refreshes run in other sessions, which can't read it; use a permanent table.")));
	if (rel->rd_rel->relpersistence == RELPERSISTENCE_UNLOGGED)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("unlogged table \"%s\" cannot be a source or a part of one", name),
				 errdetail("A crash empties it without firing any trigger."),
				 errhint("Run ALTER TABLE %s SET LOGGED.", catalog_qualified_name(RelationGetRelid(rel)))));
}

/* Is it the trigger that capture_install makes for this source and event? */
static bool
is_ours(const Trigger *trigger, const EventTrigger *event, Oid function, const char *id)
{
	return trigger->tgfoid == function &&
		trigger->tgtype == event->type &&	/* so AFTER, and for each statement */
		trigger->tgnargs == 1 && strcmp(trigger->tgargs[0], id) == 0 &&
		trigger->tgnattr == 0 && trigger->tgqual == NULL &&
		(trigger->tgoldtable != NULL) == event->old &&
		(trigger->tgnewtable != NULL) == event->new;
}

static const Trigger *
find_trigger(Relation rel, const EventTrigger *event, Oid function, const char *id)
{
	TriggerDesc *desc = rel->trigdesc;

	for (int i = 0; desc != NULL && i < desc->numtriggers; i++)
		if (is_ours(&desc->triggers[i], event, function, id))
			return &desc->triggers[i];
	return NULL;
}

static void
create_trigger(Oid relid, const EventTrigger *event, int source)
{
	StringInfoData command;

	initStringInfo(&command);
	appendStringInfo(&command, "CREATE TRIGGER segment_%d_%s AFTER %s ON %s",
					 source, event->suffix, event->event, catalog_qualified_name(relid));
	if (event->old || event->new)
		appendStringInfoString(&command, " REFERENCING");
	if (event->old)
		appendStringInfoString(&command, " OLD TABLE AS segment_old");
	if (event->new)
		appendStringInfoString(&command, " NEW TABLE AS segment_new");
	appendStringInfo(&command, " FOR EACH STATEMENT EXECUTE FUNCTION segment.capture('%d')",
					 source);
	context_run(command.data, 0, NULL, NULL, NULL, false);
}

/*
 * Turns a disabled trigger on again, which takes the rights of the relation's
 * owner; without them, adds to the command that the owner has to run.
 */
static void
enable_trigger(Oid relid, const char *trigger, char **disabled)
{
	char	   *command = psprintf("ALTER TABLE ONLY %s ENABLE TRIGGER %s",
								   catalog_qualified_name(relid), quote_identifier(trigger));

	if (segment_owns_relation(relid, GetUserId()))
		context_run(command, 0, NULL, NULL, NULL, false);
	else
	{
		/* outlives the connection to SPI */
		MemoryContext old = MemoryContextSwitchTo(CurTransactionContext);

		*disabled = *disabled == NULL ? pstrdup(command) : psprintf("%s; %s", *disabled, command);
		MemoryContextSwitchTo(old);
	}
}

/* What one relation lacks. */
typedef struct Lack
{
	Oid			relid;
	Oid			owner;
	char	   *disabled[EVENTS];	/* names of triggers that are there */
	bool		absent[EVENTS];
} Lack;

/* Fills *lack; whether anything is missing. */
static bool
find_lack(Lack *lack, Oid relid, Oid function, const char *id)
{
	Relation	rel = table_open(relid, NoLock);
	bool		missing = false;

	memset(lack, 0, sizeof(Lack));
	lack->relid = relid;
	lack->owner = rel->rd_rel->relowner;

	/* nobody but the other session can see those rows */
	if (RELATION_IS_OTHER_TEMP(rel))
	{
		table_close(rel, NoLock);
		return false;
	}
	check_relation(rel);
	for (int i = 0; i < EVENTS; i++)
	{
		const Trigger *trigger = find_trigger(rel, &events[i], function, id);

		if (trigger == NULL)
			missing = lack->absent[i] = true;
		else if (trigger->tgenabled == TRIGGER_DISABLED ||
				 trigger->tgenabled == TRIGGER_FIRES_ON_REPLICA)
		{
			lack->disabled[i] = pstrdup(trigger->tgname);
			missing = true;
		}
	}
	table_close(rel, NoLock);
	return missing;
}

/* Is there anything that the current role may do about it? */
static bool
can_mend(const Lack *lack)
{
	for (int i = 0; i < EVENTS; i++)
	{
		if (lack->absent[i])
			return true;
	}
	return segment_owns_relation(lack->relid, GetUserId());
}

/*
 * Makes the triggers of one relation complete.
 *
 * The right that counts is the one on the source, as it is with PostgreSQL's
 * own triggers on partitioned tables: on its parts they are made in the name
 * of the part's owner.
 */
static void
mend(const Lack *lack, const Source *source, char **disabled_command)
{
	SPI_connect();
	for (int i = 0; i < EVENTS; i++)
	{
		if (lack->disabled[i] != NULL)
			enable_trigger(lack->relid, lack->disabled[i], disabled_command);
		else if (lack->absent[i] && lack->relid == source->relation)
			create_trigger(lack->relid, &events[i], source->id);
		else if (lack->absent[i])
		{
			RunContext	ctx;

			context_enter_owner(&ctx, lack->owner, "UTC");
			create_trigger(lack->relid, &events[i], source->id);
			context_leave(&ctx);
		}
	}
	SPI_finish();
}

/* The relations of a source, locked against being dropped or altered. */
static List *
parts_of(const Source *source)
{
	LockRelationOid(source->relation, AccessShareLock);
	return find_all_inheritors(source->relation, AccessShareLock, NULL);
}

List *
capture_wish_install(List *wishes, const Source *source)
{
	Oid			function = capture_function();
	char	   *id = psprintf("%d", source->id);
	ListCell   *lc;

	foreach(lc, parts_of(source))
	{
		Lack		lack;

		CHECK_FOR_INTERRUPTS();
		if (find_lack(&lack, lfirst_oid(lc), function, id) && can_mend(&lack))
			wishes = lock_wish(wishes, lack.relid, ShareRowExclusiveLock);
	}
	return wishes;
}

bool
capture_install(const Source *source, char **disabled)
{
	List	   *wishes;
	ListCell   *lc;
	Oid			function = capture_function();
	char	   *id = psprintf("%d", source->id);
	AclResult	right;
	bool		missing = false;

	right = pg_class_aclcheck(source->relation, GetUserId(), ACL_TRIGGER);
	if (right != ACLCHECK_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("role \"%s\" may not create triggers on %s",
						GetUserNameFromId(GetUserId(), false), catalog_qualified_name(source->relation)),
				 errhint("GRANT TRIGGER ON %s TO %s.", catalog_qualified_name(source->relation),
						 quote_identifier(GetUserNameFromId(GetUserId(), false)))));

	wishes = capture_wish_install(NIL, source);
	if (wishes != NIL)
		lock_all(wishes);
	foreach(lc, parts_of(source))
	{
		Lack		lack;

		CHECK_FOR_INTERRUPTS();
		if (!find_lack(&lack, lfirst_oid(lc), function, id))
			continue;
		missing = true;
		mend(&lack, source, disabled);
	}
	return missing;
}

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
		bool		isnull;
		Datum		args = heap_getattr(tuple, Anum_pg_trigger_tgargs,
										RelationGetDescr(rel), &isnull);

		/* each argument ends with a zero byte */
		if (form->tgnargs == 1 && !isnull &&
			strcmp(VARDATA_ANY(DatumGetByteaPP(args)), id) == 0)
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
