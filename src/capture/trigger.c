/*
 * trigger.c
 *		segment.capture(): marks the customers whose events a statement changed.
 */
#include "postgres.h"

#include "capture/capture_private.h"
#include "commands/trigger.h"
#include "context.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "guc.h"
#include "miscadmin.h"
#include "parser/parse_func.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"
#include "utils/uuid.h"

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
	if (!TRIGGER_FIRED_AFTER(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_STATEMENT(trigdata->tg_event) ||
		trigdata->tg_trigger->tgnargs != 1)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" must be an AFTER trigger for each statement, with one argument",
						trigdata->tg_trigger->tgname),
				 errhint("Drop the trigger; segment.add_source() makes the right ones.")));
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

static inline int64
integer_value(Datum value, int width)
{
	switch (width)
	{
		case 2:
			return DatumGetInt16(value);
		case 4:
			return DatumGetInt32(value);
		default:
			return DatumGetInt64(value);
	}
}

/* Keys that are a column as it stands; false if the set is full. */
static bool
read_columns(const KeyReader *reader, Tuplestorestate *store, TupleTableSlot *slot,
			 KeySet *keys)
{
	bool		room = true;

	rewind_store(store);
	while (room && next_row(store, slot))
	{
		bool		isnull;
		Datum		value = slot_getattr(slot, reader->attno, &isnull);

		if (isnull)
			continue;
		if (reader->form == KEY_INTEGER)
			room = keyset_add_integer(keys, integer_value(value, reader->width));
		else if (reader->form == KEY_UUID)
			room = keyset_add_bytes(keys, (char *) DatumGetUUIDP(value)->data, UUID_LEN);
		else
		{
			text	   *string = DatumGetTextPP(value);

			room = keyset_add_bytes(keys, VARDATA_ANY(string), VARSIZE_ANY_EXHDR(string));
			if ((Pointer) string != DatumGetPointer(value))
				pfree(string);
		}
	}
	return room;
}

/* Keys that are evaluated, or put out by their type; false if the set is full. */
static bool
read_expressions(const KeyReader *reader, Tuplestorestate *stores[2],
				 TupleTableSlot *slot, KeySet *keys)
{
	ErrorContextCallback callback = {error_context_stack, key_error_context, reader->label};
	EState	   *estate = CreateExecutorState();
	ExprContext *econtext = GetPerTupleExprContext(estate);
	MemoryContext old;
	RunContext	ctx;
	ExprState  *state;
	FmgrInfo	output;
	bool		room = true;

	error_context_stack = &callback;
	if (reader->as_owner)
		context_enter_owner(&ctx, reader->owner, reader->time_zone);
	else
		context_enter_settings(&ctx, reader->time_zone);

	/*
	 * Made for each statement: after an error, functions may have left behind
	 * what is not fit for use.
	 */
	old = MemoryContextSwitchTo(estate->es_query_cxt);
	state = ExecInitExpr(reader->expr, NULL);
	fmgr_info(reader->output, &output);
	MemoryContextSwitchTo(old);

	econtext->ecxt_scantuple = slot;
	for (int i = 0; i < 2; i++)
	{
		if (stores[i] == NULL)
			continue;
		rewind_store(stores[i]);
		while (room && next_row(stores[i], slot))
		{
			bool		isnull;
			Datum		value = ExecEvalExprSwitchContext(state, econtext, &isnull);

			if (!isnull)
			{
				char	   *key;

				old = MemoryContextSwitchTo(econtext->ecxt_per_tuple_memory);
				key = OutputFunctionCall(&output, value);
				MemoryContextSwitchTo(old);
				room = keyset_add_bytes(keys, key, strlen(key));
			}
			ResetExprContext(econtext);
		}
	}
	context_leave(&ctx);
	error_context_stack = callback.previous;
	FreeExecutorState(estate);
	return room;
}

/* The distinct keys of the rows the statement changed, or NULL if they are too many. */
static KeySet *
read_keys(const KeyReader *reader, TriggerData *trigdata)
{
	Tuplestorestate *stores[2] = {NULL, NULL};
	TupleTableSlot *slot;
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
	if (reader->form == KEY_OTHER)
		room = read_expressions(reader, stores, slot, keys);
	else
		for (int i = 0; i < 2 && room; i++)
			if (stores[i] != NULL)
				room = read_columns(reader, stores[i], slot, keys);
	ExecDropSingleTupleTableSlot(slot);
	return room ? keys : NULL;
}

static void
put_key(const void *key, Size length, void *arg)
{
	MarkTarget *target = arg;

	if (target->form == KEY_INTEGER)
	{
		char		digits[MAXINT8LEN + 1];

		length = pg_lltoa(*(const int64 *) key, digits);
		mark_put(&target->writer, digits, length);
	}
	else if (target->form == KEY_UUID)
	{
		char	   *text = DatumGetCString(DirectFunctionCall1(uuid_out, PointerGetDatum(key)));

		mark_put(&target->writer, text, strlen(text));
		pfree(text);
	}
	else
		mark_put(&target->writer, key, length);
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
