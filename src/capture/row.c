/*
 * row.c
 *		Marks of the trigger for each row, where no other fires: in a session
 *		with session_replication_role = replica, and where a subscription
 *		applies changes.
 *
 * There, rows come one by one, a thousand of one customer in a transaction.
 * One mark of a key is enough for a subtransaction: it says under which
 * transaction the events become visible, not when they were written.  What was
 * marked is remembered until another subtransaction writes, since one that is
 * rolled back takes its marks along.
 */
#include "postgres.h"

#include "access/xact.h"
#include "capture/capture_private.h"
#include "guc.h"
#include "utils/memutils.h"

/* What the current transaction has marked for one source, row by row. */
typedef struct Marked
{
	int			source;
	FullTransactionId xid;		/* nothing below is good in another transaction */
	SubTransactionId subid;
	uint64		era;
	Oid			tbl;
	KeyForm		form;
	bool		all;			/* everybody */
	MemoryContext context;		/* of keys */
	KeySet	   *keys;
} Marked;

/* of Marked, as many as sources were written to so; in TopMemoryContext */
static List *sources = NIL;

/* What was marked in an earlier one may have been deleted from the logs. */
static uint64 era = 0;

typedef struct RowTarget
{
	Marked	   *marked;
	MarkWriter	writer;
	bool		open;			/* the writer */
	bool		full;
} RowTarget;

static Marked *
find_source(int source)
{
	MemoryContext old;
	Marked	   *marked;
	ListCell   *lc;

	foreach(lc, sources)
	{
		marked = lfirst(lc);
		if (marked->source == source)
			return marked;
	}
	old = MemoryContextSwitchTo(TopMemoryContext);
	marked = palloc0(sizeof(Marked));
	marked->source = source;
	sources = lappend(sources, marked);
	MemoryContextSwitchTo(old);
	return marked;
}

/* What this subtransaction has marked, nothing at first. */
static Marked *
marked_here(int source, const KeyReader *reader)
{
	Marked	   *marked = find_source(source);
	FullTransactionId xid = GetTopFullTransactionId();
	SubTransactionId subid = GetCurrentSubTransactionId();
	bool		same = FullTransactionIdEquals(marked->xid, xid);
	MemoryContext old;

	if (same && marked->subid == subid && marked->era == era &&
		marked->tbl == reader->tbl && marked->form == reader->form)
		return marked;

	/* that of an earlier transaction went with it */
	if (same)
		MemoryContextDelete(marked->context);
	marked->xid = InvalidFullTransactionId;
	marked->context = AllocSetContextCreate(TopTransactionContext, "segment keys of rows",
											ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(marked->context);
	marked->keys = keyset_create(reader->form == KEY_INTEGER ? KEYSET_INTEGERS : KEYSET_BYTES,
								 segment_mark_limit);
	MemoryContextSwitchTo(old);
	marked->xid = xid;
	marked->subid = subid;
	marked->era = era;
	marked->tbl = reader->tbl;
	marked->form = reader->form;
	marked->all = false;
	return marked;
}

/* Marks a key unless it is marked. */
static void
put_new_key(const void *key, Size length, void *arg)
{
	RowTarget  *target = arg;
	Marked	   *marked = target->marked;
	int			before = keyset_count(marked->keys);
	bool		room;

	room = marked->form == KEY_INTEGER ? keyset_add_integer(marked->keys, *(const int64 *) key) :
		keyset_add_bytes(marked->keys, key, length);
	if (!room)
		target->full = true;
	else if (keyset_count(marked->keys) > before)
	{
		if (!target->open)
			mark_begin(&target->writer, marked->tbl);
		target->open = true;
		key_put(&target->writer, marked->form, key, length);
	}
}

void
capture_row(int source, const KeyReader *reader, TriggerData *trigdata)
{
	RowTarget	target = {.marked = marked_here(source, reader)};
	RowReader  *rows;
	KeySet	   *keys;

	if (target.marked->all)
		return;
	keys = keyset_create(reader->form == KEY_INTEGER ? KEYSET_INTEGERS : KEYSET_BYTES, 2);
	rows = rows_begin(reader);
	rows_add(rows, trigdata->tg_trigslot, keys);
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		rows_add(rows, trigdata->tg_newslot, keys);
	rows_end(rows);

	keyset_visit(keys, put_new_key, &target);
	if (target.open)
		mark_end(&target.writer);
	if (target.full)
	{
		marklog_append_all(reader->tbl);
		target.marked->all = true;
	}
}

void
capture_forget_marked(void)
{
	era++;
}
