/*
 * trigger.c
 *		segment.capture(): marks the customers whose events a statement changed.
 */
#include "postgres.h"

#include "capture/capture_private.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "guc.h"
#include "miscadmin.h"
#include "parser/parse_func.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(segment_capture);

typedef struct MarkTarget
{
	MarkWriter	writer;
	KeyForm		form;
} MarkTarget;

void
capture_init(void)
{
	wake_init();
}

Oid
capture_function(void)
{
	return LookupFuncName(list_make2(makeString("segment"), makeString("capture")),
						  0, NULL, false);
}

/* Refuses any other way of being called than capture_install's. */
static TriggerData *
check_call(FunctionCallInfo fcinfo)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("segment.capture() can only be called as a trigger"),
				 errhint("segment.add_source() makes the triggers.")));
	if (!TRIGGER_FIRED_AFTER(trigdata->tg_event) || trigdata->tg_trigger->tgnargs != 1)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" must be an AFTER trigger with one argument",
						trigdata->tg_trigger->tgname),
				 errhint("Drop the trigger; segment.add_source() makes the right ones.")));
	if (TRIGGER_FIRED_FOR_ROW(trigdata->tg_event))
		return trigdata;
	if ((TRIGGER_FIRED_BY_INSERT(trigdata->tg_event) && trigdata->tg_newtable == NULL) ||
		(TRIGGER_FIRED_BY_DELETE(trigdata->tg_event) && trigdata->tg_oldtable == NULL) ||
		(TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) &&
		 (trigdata->tg_oldtable == NULL || trigdata->tg_newtable == NULL)))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" has no transition tables",
						trigdata->tg_trigger->tgname),
				 errhint("Drop the trigger; segment.add_source() makes the right ones.")));
	return trigdata;
}

/* Another trigger of the statement may have read the store before us. */
static void
rewind_store(Tuplestorestate *store)
{
	tuplestore_select_read_pointer(store,
								   tuplestore_alloc_read_pointer(store, EXEC_FLAG_REWIND));
	tuplestore_rescan(store);
}

static bool
next_row(Tuplestorestate *store, TupleTableSlot *slot)
{
	CHECK_FOR_INTERRUPTS();
	return tuplestore_gettupleslot(store, true, false, slot);
}

/* The distinct keys of the rows the statement changed, or NULL if they are too many. */
static KeySet *
read_keys(const KeyReader *reader, TriggerData *trigdata)
{
	Tuplestorestate *stores[2] = {NULL, NULL};
	TupleTableSlot *slot;
	RowReader  *rows;
	KeySet	   *keys;
	bool		room = true;

	if (!TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		stores[0] = trigdata->tg_oldtable;
	if (!TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		stores[1] = trigdata->tg_newtable;

	keys = keyset_create(reader->form == KEY_INTEGER ? KEYSET_INTEGERS : KEYSET_BYTES,
						 segment_mark_limit);
	slot = MakeSingleTupleTableSlot(RelationGetDescr(trigdata->tg_relation),
									&TTSOpsMinimalTuple);
	rows = rows_begin(reader);
	for (int i = 0; i < 2; i++)
	{
		if (stores[i] == NULL)
			continue;
		rewind_store(stores[i]);
		while (room && next_row(stores[i], slot))
			room = rows_add(rows, slot, keys);
	}
	rows_end(rows);
	ExecDropSingleTupleTableSlot(slot);
	return room ? keys : NULL;
}

static void
put_key(const void *key, Size length, void *arg)
{
	MarkTarget *target = arg;

	key_put(&target->writer, target->form, key, length);
}

/*
 * segment.capture(): the argument of the trigger is the id of the source.
 *
 * A relation that is no part of the source has nothing to tell: a partition
 * keeps its triggers when it is detached, and its writers must go on.  The
 * same holds when the source or the segment table is gone.
 */
Datum
segment_capture(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_call(fcinfo);
	int			source = pg_strtoint32(trigdata->tg_trigger->tgargs[0]);
	KeyReader	reader;
	KeySet	   *keys = NULL;

	if (!key_reader_find(&reader, source, trigdata->tg_relation))
		return PointerGetDatum(NULL);
	if (TRIGGER_FIRED_FOR_ROW(trigdata->tg_event))
	{
		capture_row(source, &reader, trigdata);
		return PointerGetDatum(NULL);
	}
	if (!TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event))
		keys = read_keys(&reader, trigdata);
	if (keys == NULL)
		marklog_append_all(reader.tbl);
	else if (!keyset_is_empty(keys))
	{
		MarkTarget	target = {.form = reader.form};

		mark_begin(&target.writer, reader.tbl);
		keyset_visit(keys, put_key, &target);
		mark_end(&target.writer);
	}
	return PointerGetDatum(NULL);
}
