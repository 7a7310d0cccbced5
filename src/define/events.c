/*
 * events.c
 *		Event triggers: what plain DDL does to segment tables and their sources.
 *
 * They make known at once what the next refresh would find out, and say no
 * where it could not mend it.  Nothing relies on them: in replica role and in
 * single-user mode they do not fire.  DDL that concerns nothing of ours they
 * let pass, whoever runs it and whatever is there of the extension.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "attempt.h"
#include "capture/capture.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "commands/event_trigger.h"
#include "compat.h"
#include "context.h"
#include "define/define.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "parser/parse_type.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(segment_on_ddl);
PG_FUNCTION_INFO_V1(segment_on_drop);

/* Called as it should be, by DDL that is not ours, with all our tables there? */
static EventTriggerData *
begin(FunctionCallInfo fcinfo, const char *name)
{
	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("segment.%s() was not called as an event trigger", name)));
	if (!context_extension_exists() ||
		!OidIsValid(get_relname_relid("config_table", context_schema())) ||
		!OidIsValid(get_relname_relid("table_state", context_schema())))
		return NULL;
	return (EventTriggerData *) fcinfo->context;
}

/* Does the extension itself keep this column of a segment table? */
static bool
is_computed(const SegmentTable *table, const char *column)
{
	Column	   *found = catalog_find_column(table, column);

	return (found != NULL && found->kind != COLUMN_ELIGIBLE) ||
		strcmp(column, table->key_name) == 0 || strcmp(column, "refreshed_at") == 0 ||
		strcmp(column, "valid_until") == 0;
}

typedef enum ChangeKind
{
	CHANGE_NAME,
	CHANGE_LENGTH,				/* or precision: the type stays */
	CHANGE_TYPE,
	CHANGE_DROP
} ChangeKind;

/* Error if a column may not be changed so. */
static void
check_change(Oid relid, const char *column, ChangeKind change)
{
	const char *what = change == CHANGE_NAME ? "cannot rename" :
		change == CHANGE_DROP ? "cannot drop" : "cannot change the type of";
	ListCell   *lc,
			   *lc2;

	if (change != CHANGE_LENGTH && catalog_is_segment_table(relid) &&
		is_computed(catalog_load(relid), column))
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("%s column \"%s\" of segment table %s", what, column,
						catalog_qualified_name(relid)),
				 errdetail("It belongs to the definition."),
				 errhint("The functions of segment change it: such as segment.drop_score() and segment.add_score().")));
	/* a new name of a source's column is followed */
	if (change == CHANGE_NAME)
		return;
	/* a child may be a source of its own */
	foreach(lc, find_all_inheritors(relid, NoLock, NULL))
	{
		foreach(lc2, catalog_sources_of_part(lfirst_oid(lc)))
		{
			Source	   *source = catalog_load_source(lfirst_int(lc2));

			CHECK_FOR_INTERRUPTS();
			if (source != NULL && source->relation == lfirst_oid(lc) &&
				(change != CHANGE_LENGTH || source->kind == SOURCE_EVENTS) &&
				catalog_is_segment_table(source->tbl) && rule_source_reads(source, column))
				rule_refuse_column_change(catalog_load(source->tbl), source, column, what);
		}
	}
}

/* The relation, if the role may alter it at all: else PostgreSQL says no. */
static Oid
relation_of(const RangeVar *name)
{
	Oid			relid = name == NULL ? InvalidOid : RangeVarGetRelid(name, NoLock, true);

	return OidIsValid(relid) && segment_owns_relation(relid, GetUserId()) ? relid : InvalidOid;
}

/* Does ALTER COLUMN TYPE leave the type as it is? */
static ChangeKind
type_change(Oid relid, const AlterTableCmd *command)
{
	Oid			type = LookupTypeNameOid(NULL, castNode(ColumnDef, command->def)->typeName, true);

	return OidIsValid(type) && type == get_atttype(relid, get_attnum(relid, command->name)) ?
		CHANGE_LENGTH : CHANGE_TYPE;
}

static void
before_ddl(Node *statement)
{
	Oid			relid;
	ListCell   *lc;

	if (IsA(statement, RenameStmt))
	{
		RenameStmt *rename = (RenameStmt *) statement;

		relid = rename->renameType == OBJECT_COLUMN ? relation_of(rename->relation) : InvalidOid;
		if (OidIsValid(relid))
			check_change(relid, rename->subname, CHANGE_NAME);
	}
	else if (IsA(statement, AlterTableStmt))
	{
		foreach(lc, ((AlterTableStmt *) statement)->cmds)
		{
			AlterTableCmd *command = lfirst_node(AlterTableCmd, lc);

			if (command->subtype != AT_DropColumn && command->subtype != AT_AlterColumnType)
				continue;
			relid = relation_of(((AlterTableStmt *) statement)->relation);
			if (OidIsValid(relid))
				check_change(relid, command->name, command->subtype == AT_DropColumn ?
							 CHANGE_DROP : type_change(relid, command));
		}
	}
}

/* OIDs that a query of the extension's owner returns, without duplicates. */
static List *
query_oids(const char *sql)
{
	MemoryContext caller = CurrentMemoryContext;
	List	   *oids = NIL;
	RunContext	ctx;

	context_enter_catalog(&ctx);
	SPI_connect();
	context_run(sql, 0, NULL, NULL, NULL, false);
	for (uint64 i = 0; SPI_tuptable != NULL && i < SPI_processed; i++)
	{
		bool		isnull;
		Datum		oid = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull);
		MemoryContext old = MemoryContextSwitchTo(caller);

		if (!isnull)
			oids = list_append_unique_oid(oids, DatumGetObjectId(oid));
		MemoryContextSwitchTo(old);
	}
	SPI_finish();
	context_leave(&ctx);
	return oids;
}

/* Sources to which a relation belonged, or to which the one belongs that it hangs on now. */
static List *
sources_near(Oid relid)
{
	Relation	rel = table_open(InheritsRelationId, AccessShareLock);
	List	   *ids = catalog_sources_of_part(relid);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_inherits_inhrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan(rel, InheritsRelidSeqnoIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Oid			parent = ((Form_pg_inherits) GETSTRUCT(tuple))->inhparent;

		ids = list_concat_unique_int(ids, catalog_sources_of_part(parent));
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return ids;
}

/*
 * Marks everybody where changes may have gone unmarked.  What was noted stays
 * as it is: the next refresh looks for itself.
 */
static void
look_at_sources(List *relids)
{
	List	   *ids = NIL;
	List	   *marked = NIL;
	ListCell   *lc,
			   *lc2;

	foreach(lc, relids)
	{
		ids = list_concat_unique_int(ids, sources_near(lfirst_oid(lc)));
		/* what is altered may be handed down to a child that is a source */
		if (get_rel_name(lfirst_oid(lc)) == NULL)
			continue;
		foreach(lc2, find_all_inheritors(lfirst_oid(lc), NoLock, NULL))
			ids = list_concat_unique_int(ids, catalog_sources_of_part(lfirst_oid(lc2)));
	}
	foreach(lc, ids)
	{
		Source	   *source = catalog_load_source(lfirst_int(lc));

		CHECK_FOR_INTERRUPTS();
		if (source == NULL || !catalog_is_segment_table(source->tbl) ||
			get_rel_name(source->relation) == NULL)
			continue;
		rule_follow_renames(catalog_load(source->tbl), source, false);
		if (list_member_oid(marked, source->tbl) || !capture_changed(source, NULL))
			continue;
		marklog_append_all(source->tbl);
		marked = lappend_oid(marked, source->tbl);
	}
}

/* Event trigger at the start and at the end of ALTER TABLE and CREATE TABLE. */
Datum
segment_on_ddl(PG_FUNCTION_ARGS)
{
	EventTriggerData *data = begin(fcinfo, "on_ddl");

	if (data == NULL || define_is_own_ddl())
		PG_RETURN_NULL();
	if (strcmp(data->event, "ddl_command_start") == 0)
		before_ddl(data->parsetree);
	else
		look_at_sources(query_oids("SELECT objid FROM pg_event_trigger_ddl_commands()"
								   " WHERE classid = 'pg_class'::regclass"));
	PG_RETURN_NULL();
}

/* What is left of a segment table that was dropped by plain DDL. */
static void
forget_table(Oid relid)
{
	ListCell   *lc;

	foreach(lc, catalog_load_sources(relid))
		capture_remove(lfirst(lc));
	catalog_delete_table(relid);
}

/* Is it a DROP without CASCADE? */
static bool
is_restricted(const Node *statement)
{
	return statement != NULL && IsA(statement, DropStmt) &&
		((const DropStmt *) statement)->behavior == DROP_RESTRICT;
}

/* Whoever drops a schema, or what a role owns, is told which segment table is in the way. */
static void
say_table(void *relid)
{
	errcontext("attributes of segment table %s", catalog_qualified_name(*(Oid *) relid));
}

/*
 * No view reads a table of attributes that would keep it from being dropped, or
 * be dropped with it.  CASCADE takes its columns along, as drop_attributes does.
 * Only where our triggers go with the table: pg_restore --clean drops them before,
 * and the segment table after.
 */
static void
drop_attributes_of(Oid relid, bool restricted)
{
	ErrorContextCallback callback = {.previous = error_context_stack,.callback = say_table,.arg = &relid};
	SegmentTable *table = catalog_load(relid);
	ListCell   *lc,
			   *lc2;

	foreach(lc, table->sources)
	{
		Source	   *source = lfirst(lc);

		if (source->kind != SOURCE_ATTRIBUTES || get_rel_name(source->relation) != NULL)
			continue;
		if (restricted)
			ereport(ERROR,
					(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
					 errmsg("cannot drop table %s: segment table %s takes attributes from it",
							quote_identifier(source->name), catalog_qualified_name(relid)),
					 errhint("SELECT segment.drop_attributes(%s, %s) first, or use DROP ... CASCADE.",
							 quote_literal_cstr(catalog_qualified_name(relid)),
							 quote_literal_cstr(source->name))));
		error_context_stack = &callback;
		foreach(lc2, source->extra)
		{
			char	   *name = ((NamedExpr *) lfirst(lc2))->name;

			define_check_unused(table, name, "attribute");
			define_drop_column(table, name);
		}
		error_context_stack = callback.previous;
	}
}

static void
stream_step(void *arg)
{
	define_rebuild_stream(*(Oid *) arg);
}

/* Makes the stream anew of the sources that are left, if it can be made. */
static void
try_rebuild_stream(Oid relid)
{
	ErrorData  *error = attempt_run(stream_step, &relid, false);

	if (error == NULL)
		return;
	if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
		ReThrowError(error);
	ereport(WARNING,
			(errmsg("could not make the event stream of %s anew: %s",
					catalog_qualified_name(relid), error->message),
			 errhint("Bring the definition in order with segment.apply_definition().")));
}

/*
 * Takes sources whose relation is gone out of the definitions that stay.  A
 * stream that went by the same statement (streamless: whose it was) is made
 * anew; one that somebody dropped before is not.
 */
static void
forget_sources(const List *streamless)
{
	List	   *tables;
	ListCell   *lc;

	/* without a source, everybody may come out differently */
	tables = query_oids("WITH gone AS (DELETE FROM segment.config_source s"
						"   USING pg_event_trigger_dropped_objects() d"
						"   WHERE s.relation = d.objid AND d.classid = 'pg_class'::regclass"
						"     AND d.objsubid = 0 RETURNING s.id, s.tbl, s.kind),"
						" parts AS (DELETE FROM segment.source_part p USING gone WHERE p.source = gone.id)"
						" SELECT DISTINCT tbl::oid FROM gone"
						" WHERE tbl IN (SELECT tbl FROM segment.config_table)");
	foreach(lc, tables)
	{
		marklog_append_all(lfirst_oid(lc));
		if (list_member_oid(streamless, lfirst_oid(lc)))
			try_rebuild_stream(lfirst_oid(lc));
	}
}

/* Is something among what was dropped that a definition names? */
static bool
definitions_concerned(void)
{
	return query_oids("SELECT d.objid FROM pg_event_trigger_dropped_objects() d"
					  " WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0 AND d.objid IN"
					  "   (SELECT tbl FROM segment.config_table UNION ALL"
					  "    SELECT events FROM segment.config_table UNION ALL"
					  "    SELECT changes FROM segment.config_changes UNION ALL"
					  "    SELECT relation FROM segment.config_source) LIMIT 1") != NIL;
}

/* Parts of sources among what was dropped, and those that had triggers of ours. */
static List *
dropped_parts(void)
{
	return query_oids("SELECT p.relation FROM pg_event_trigger_dropped_objects() d"
					  " JOIN segment.source_part p ON p.relation = CASE"
					  "   WHEN d.classid = 'pg_class'::regclass AND d.objsubid = 0 THEN d.objid"
					  "   WHEN d.classid = 'pg_trigger'::regclass THEN to_regclass("
					  "     format('%I.%I', d.address_names[1], d.address_names[2]))::oid END");
}

/* Event trigger: forgets segment tables and sources dropped by plain DDL. */
Datum
segment_on_drop(PG_FUNCTION_ARGS)
{
	EventTriggerData *data = begin(fcinfo, "on_drop");
	List	   *relids;
	List	   *streamless;
	ListCell   *lc;

	if (data == NULL)
		PG_RETURN_NULL();
	if (!definitions_concerned())
	{
		if (!define_is_own_ddl())
			look_at_sources(dropped_parts());
		PG_RETURN_NULL();
	}
	foreach(lc, query_oids("SELECT t.tbl::oid FROM pg_event_trigger_dropped_objects() d"
						   " JOIN segment.config_table t ON t.tbl = d.objid"
						   " WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0"))
		forget_table(lfirst_oid(lc));
	query_oids("DELETE FROM segment.config_changes c USING pg_event_trigger_dropped_objects() d"
			   " WHERE c.changes = d.objid AND d.classid = 'pg_class'::regclass"
			   " AND d.objsubid = 0 RETURNING c.tbl::oid");
	if (define_is_own_ddl())
		PG_RETURN_NULL();
	foreach(lc, query_oids("SELECT s.tbl::oid FROM pg_event_trigger_dropped_objects() d"
						   " JOIN segment.config_source s ON s.relation = d.objid"
						   " JOIN segment.config_table t ON t.tbl = s.tbl"
						   " WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0"
						   " AND s.kind = 'attributes' AND EXISTS"
						   "   (SELECT FROM pg_event_trigger_dropped_objects() t"
						   "    WHERE t.classid = 'pg_trigger'::regclass"
						   "    AND t.address_names[1:2] = d.address_names[1:2])"))
		drop_attributes_of(lfirst_oid(lc), is_restricted(data->parsetree));
	streamless = query_oids("UPDATE segment.config_table t SET events = NULL"
							" FROM pg_event_trigger_dropped_objects() d"
							" WHERE t.events = d.objid AND d.classid = 'pg_class'::regclass"
							" AND d.objsubid = 0 RETURNING t.tbl::oid");
	relids = dropped_parts();
	forget_sources(streamless);
	look_at_sources(relids);
	PG_RETURN_NULL();
}
