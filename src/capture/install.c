/*
 * install.c
 *		Putting the triggers of a source on its relations.
 *
 * A trigger is known as ours by its function and its argument, whatever its
 * name is by now.
 */
#include "postgres.h"

#include "access/table.h"
#include "capture/capture_private.h"
#include "catalog/pg_inherits.h"
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
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

typedef struct EventTrigger
{
	int16		type;			/* pg_trigger.tgtype */
	const char *event;
	const char *suffix;			/* of the trigger's name */
	bool		old;			/* transition tables */
	bool		new;
	char		mode;			/* pg_trigger.tgenabled */
} EventTrigger;

/*
 * Where the first three do not fire, in replica role and where a subscription
 * applies rows, the last does.
 */
static const EventTrigger events[] = {
	{TRIGGER_TYPE_INSERT, "INSERT", "insert", false, true, TRIGGER_FIRES_ON_ORIGIN},
	{TRIGGER_TYPE_UPDATE, "UPDATE", "update", true, true, TRIGGER_FIRES_ON_ORIGIN},
	{TRIGGER_TYPE_DELETE, "DELETE", "delete", true, false, TRIGGER_FIRES_ON_ORIGIN},
	{TRIGGER_TYPE_TRUNCATE, "TRUNCATE", "truncate", false, false, TRIGGER_FIRES_ALWAYS},
	{TRIGGER_TYPE_ROW | TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE | TRIGGER_TYPE_DELETE,
	"INSERT OR UPDATE OR DELETE", "row", false, false, TRIGGER_FIRES_ON_REPLICA},
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
		trigger->tgtype == event->type &&	/* so AFTER */
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

/* Only where there are rows: those of a partitioned table are in its partitions. */
static bool
belongs_on(const EventTrigger *event, Relation rel)
{
	return !TRIGGER_FOR_ROW(event->type) || rel->rd_rel->relkind == RELKIND_RELATION;
}

/* What a trigger lacks. */
typedef enum LackKind
{
	LACK_NOTHING,
	LACK_TRIGGER,				/* it is not there */
	LACK_MODE,					/* it is on, but not as it should be */
	LACK_ENABLED				/* it is off */
} LackKind;

static LackKind
lack_of(const EventTrigger *event, const Trigger *trigger)
{
	if (trigger == NULL)
		return LACK_TRIGGER;
	if (trigger->tgenabled == event->mode)
		return LACK_NOTHING;
	if (trigger->tgenabled == TRIGGER_DISABLED)
		return LACK_ENABLED;
	if (event->mode != TRIGGER_FIRES_ON_ORIGIN)
		return LACK_MODE;
	return trigger->tgenabled == TRIGGER_FIRES_ALWAYS ? LACK_NOTHING : LACK_ENABLED;
}

/* It is ours, so that it takes no right on the relation, which is locked. */
static void
set_mode(Oid relid, const EventTrigger *event, const char *trigger)
{
	Relation	rel = table_open(relid, NoLock);

	segment_enable_disable_trigger(rel, trigger, InvalidOid, event->mode, false, false,
								   ShareRowExclusiveLock);
	table_close(rel, NoLock);
	CommandCounterIncrement();
}

static void
create_trigger(Oid relid, const EventTrigger *event, int source)
{
	StringInfoData command;
	char	   *name = psprintf("segment_%d_%s", source, event->suffix);

	initStringInfo(&command);
	appendStringInfo(&command, "CREATE TRIGGER %s AFTER %s ON %s",
					 name, event->event, catalog_qualified_name(relid));
	if (event->old || event->new)
		appendStringInfoString(&command, " REFERENCING");
	if (event->old)
		appendStringInfoString(&command, " OLD TABLE AS segment_old");
	if (event->new)
		appendStringInfoString(&command, " NEW TABLE AS segment_new");
	appendStringInfo(&command, " FOR EACH %s EXECUTE FUNCTION segment.capture('%d')",
					 TRIGGER_FOR_ROW(event->type) ? "ROW" : "STATEMENT", source);
	context_run(command.data, 0, NULL, NULL, NULL, false);
	if (event->mode != TRIGGER_FIRES_ON_ORIGIN)
		set_mode(relid, event, name);
}

/*
 * Turns a disabled trigger on again, for which one has to be the relation's
 * owner; else adds to the command that the owner has to run.
 */
static void
enable_trigger(Oid relid, const EventTrigger *event, const char *trigger, char **disabled)
{
	const char *how = event->mode == TRIGGER_FIRES_ALWAYS ? "ALWAYS " :
		event->mode == TRIGGER_FIRES_ON_REPLICA ? "REPLICA " : "";
	MemoryContext old;
	char	   *command;

	if (segment_owns_relation(relid, GetUserId()))
	{
		set_mode(relid, event, trigger);
		return;
	}
	/* outlives the connection to SPI */
	old = MemoryContextSwitchTo(CurTransactionContext);
	command = psprintf("ALTER TABLE ONLY %s ENABLE %sTRIGGER %s", catalog_qualified_name(relid),
					   how, quote_identifier(trigger));
	*disabled = *disabled == NULL ? command : psprintf("%s; %s", *disabled, command);
	MemoryContextSwitchTo(old);
}

/* What one relation lacks. */
typedef struct Lack
{
	Oid			relid;
	Oid			owner;
	LackKind	kinds[EVENTS];
	char	   *names[EVENTS];	/* of triggers that are there */
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
		const Trigger *trigger;

		if (!belongs_on(&events[i], rel))
			continue;
		trigger = find_trigger(rel, &events[i], function, id);
		lack->kinds[i] = lack_of(&events[i], trigger);
		if (trigger != NULL)
			lack->names[i] = pstrdup(trigger->tgname);
		missing |= lack->kinds[i] != LACK_NOTHING;
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
		if (lack->kinds[i] == LACK_TRIGGER || lack->kinds[i] == LACK_MODE)
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
		RunContext	ctx;

		switch (lack->kinds[i])
		{
			case LACK_NOTHING:
				break;
			case LACK_MODE:
				set_mode(lack->relid, &events[i], lack->names[i]);
				break;
			case LACK_ENABLED:
				enable_trigger(lack->relid, &events[i], lack->names[i], disabled_command);
				break;
			case LACK_TRIGGER:
				if (lack->relid == source->relation)
				{
					create_trigger(lack->relid, &events[i], source->id);
					break;
				}
				context_enter_owner(&ctx, lack->owner, "UTC");
				create_trigger(lack->relid, &events[i], source->id);
				context_leave(&ctx);
				break;
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

static void
check_right(const Source *source)
{
	if (pg_class_aclcheck(source->relation, GetUserId(), ACL_TRIGGER) != ACLCHECK_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("role \"%s\" may not create triggers on %s",
						GetUserNameFromId(GetUserId(), false), catalog_qualified_name(source->relation)),
				 errhint("GRANT TRIGGER ON %s TO %s.", catalog_qualified_name(source->relation),
						 quote_identifier(GetUserNameFromId(GetUserId(), false)))));
}

/* Says so if triggers of a relation that was there before are not what they were. */
static void
warn_of_meddling(const Source *source, const List *before, const List *found)
{
	const ListCell *lc;

	foreach(lc, before)
	{
		const SourcePart *part = lfirst(lc);
		const SourcePart *now = find_part(found, part->relid);

		if (now == NULL || now->triggers == part->triggers)
			continue;
		ereport(WARNING,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("changes of %s may have gone unnoticed", catalog_qualified_name(part->relid)),
				 errdetail("Triggers of segment were disabled, dropped or altered since the last refresh. Segment table %s is computed anew for everybody.",
						   catalog_qualified_name(source->tbl))));
		return;
	}
}

/* Notes how the relations are now; what is still off differs again as soon as it is on. */
static void
note_parts(const Source *source, List *relids, Oid function, const char *id)
{
	List	   *parts = parts_now(source, relids);
	ListCell   *lc;

	foreach(lc, parts)
	{
		SourcePart *part = lfirst(lc);
		Lack		lack;

		if (find_lack(&lack, part->relid, function, id))
			part->triggers = 0;
	}
	catalog_store_parts(source, parts);
}

bool
capture_install(const Source *source, char **disabled)
{
	List	   *wishes;
	List	   *relids;
	List	   *before;
	List	   *found;
	ListCell   *lc;
	Oid			function = capture_function();
	char	   *id = psprintf("%d", source->id);
	bool		missing = false;

	check_right(source);
	wishes = capture_wish_install(NIL, source);
	if (wishes != NIL)
		lock_all(wishes);
	relids = parts_of(source);
	before = catalog_load_parts(source->id, NULL);
	found = parts_now(source, relids);
	foreach(lc, relids)
	{
		Lack		lack;

		CHECK_FOR_INTERRUPTS();
		if (!find_lack(&lack, lfirst_oid(lc), function, id))
			continue;
		missing = true;
		mend(&lack, source, disabled);
	}
	if (!missing && !parts_differ(found, before))
		return false;
	/* of what stays off, an error follows */
	if (*disabled == NULL)
		warn_of_meddling(source, before, found);
	note_parts(source, relids, function, id);
	return true;
}
