/*
 * read.c
 *		Reading the keys of rows that changed.
 */
#include "postgres.h"

#include "capture/capture_private.h"
#include "context.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/uuid.h"

struct RowReader
{
	const KeyReader *reader;

	/* KEY_OTHER only */
	ErrorContextCallback callback;
	RunContext	ctx;
	EState	   *estate;
	ExprState  *state;
	FmgrInfo	output;
};

RowReader *
rows_begin(const KeyReader *reader)
{
	RowReader  *rows = palloc0(sizeof(RowReader));
	MemoryContext old;

	rows->reader = reader;
	if (reader->form != KEY_OTHER)
		return rows;

	/*
	 * Made for each statement: after an error, functions may have left behind
	 * what is not fit for use.
	 */
	rows->estate = CreateExecutorState();
	rows->callback.callback = key_error_context;
	rows->callback.arg = reader->label;
	rows->callback.previous = error_context_stack;
	error_context_stack = &rows->callback;
	if (reader->as_owner)
		context_enter_owner(&rows->ctx, reader->owner, reader->time_zone);
	else
		context_enter_settings(&rows->ctx, reader->time_zone);
	old = MemoryContextSwitchTo(rows->estate->es_query_cxt);
	rows->state = ExecInitExpr(reader->expr, NULL);
	fmgr_info(reader->output, &rows->output);
	MemoryContextSwitchTo(old);
	return rows;
}

void
rows_end(RowReader *rows)
{
	if (rows->reader->form == KEY_OTHER)
	{
		context_leave(&rows->ctx);
		error_context_stack = rows->callback.previous;
		FreeExecutorState(rows->estate);
	}
	pfree(rows);
}

/* A key that is evaluated, or put out by its type. */
static bool
add_expression(RowReader *rows, TupleTableSlot *slot, KeySet *keys)
{
	ExprContext *econtext = GetPerTupleExprContext(rows->estate);
	MemoryContext old;
	bool		room = true;
	bool		isnull;
	Datum		value;

	econtext->ecxt_scantuple = slot;
	value = ExecEvalExprSwitchContext(rows->state, econtext, &isnull);
	if (!isnull)
	{
		char	   *key;

		old = MemoryContextSwitchTo(econtext->ecxt_per_tuple_memory);
		key = OutputFunctionCall(&rows->output, value);
		MemoryContextSwitchTo(old);
		room = keyset_add_bytes(keys, key, strlen(key));
	}
	ResetExprContext(econtext);
	return room;
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

bool
rows_add(RowReader *rows, TupleTableSlot *slot, KeySet *keys)
{
	const KeyReader *reader = rows->reader;
	bool		isnull;
	bool		room;
	Datum		value;
	text	   *string;

	if (reader->form == KEY_OTHER)
		return add_expression(rows, slot, keys);
	value = slot_getattr(slot, reader->attno, &isnull);
	if (isnull)
		return true;
	if (reader->form == KEY_INTEGER)
		return keyset_add_integer(keys, integer_value(value, reader->width));
	if (reader->form == KEY_UUID)
		return keyset_add_bytes(keys, (char *) DatumGetUUIDP(value)->data, UUID_LEN);
	string = DatumGetTextPP(value);
	room = keyset_add_bytes(keys, VARDATA_ANY(string), VARSIZE_ANY_EXHDR(string));
	if ((Pointer) string != DatumGetPointer(value))
		pfree(string);
	return room;
}

void
key_put(MarkWriter *writer, KeyForm form, const void *key, Size length)
{
	if (form == KEY_INTEGER)
	{
		char		digits[MAXINT8LEN + 1];

		length = pg_lltoa(*(const int64 *) key, digits);
		mark_put(writer, digits, length);
	}
	else if (form == KEY_UUID)
	{
		char	   *text = DatumGetCString(DirectFunctionCall1(uuid_out, PointerGetDatum(key)));

		mark_put(writer, text, strlen(text));
		pfree(text);
	}
	else
		mark_put(writer, key, length);
}
