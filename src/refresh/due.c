/*
 * due.c
 *		Customers whose instant has come, the longest due first.
 *
 * They are looked up some batches ahead, and kept in memory until a batch
 * takes them: at a midnight at which everybody is due, each batch leaves dead
 * entries behind at the low end of the index, and a search for each batch
 * would walk over those of all batches before it.  For the same reason a
 * search begins at the instant before which nothing is due.
 *
 * Customers set aside whom it is time to look at again are due like the others.
 * Nothing of them stands in segment.work: another refresh of the table could
 * have gone past any place there, and none would look for it again.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "context.h"
#include "executor/spi.h"
#include "guc.h"
#include "refresh/internal.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* How many batches are looked up at once. */
#define BATCHES_AHEAD 10

/* Rows of the segment table, of segment.pending, or of segment.aside. */
typedef struct DueList
{
	MemoryContext context;
	TimestampTz *instants;		/* in order */
	char	  **keys;
	uint64		count;
	uint64		next;			/* the first that was not taken yet */
	TimestampTz from;			/* nothing before it is due any more */
	char	   *first;			/* the key that stood first when it was filled last, or NULL */
	bool		all;			/* there are none beyond these */
} DueList;

struct DueQueue
{
	DueList		rows;
	DueList		pending;
	DueList		aside;			/* all of them from the beginning */
};

static void
list_begin(DueList *list, MemoryContext parent, TimestampTz from, TimestampTz until)
{
	list->context = AllocSetContextCreate(parent, "segment due customers", ALLOCSET_DEFAULT_SIZES);
	list->from = from;
	list->all = from > until;
}

/* Keeps the rows of the last statement: instant, key. */
static void
list_keep(DueList *list, uint64 limit)
{
	MemoryContext old;

	list->count = SPI_processed;
	list->next = 0;
	list->all = list->count < limit;
	if (list->count == 0)
		return;
	old = MemoryContextSwitchTo(list->context);
	list->instants = palloc(list->count * sizeof(TimestampTz));
	list->keys = palloc(list->count * sizeof(char *));
	for (uint64 i = 0; i < list->count; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		bool		isnull;

		list->instants[i] = DatumGetTimestampTz(SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &isnull));
		list->keys[i] = TextDatumGetCString(SPI_getbinval(row, SPI_tuptable->tupdesc, 2, &isnull));
	}
	MemoryContextSwitchTo(old);
	SPI_freetuptable(SPI_tuptable);
}

/* Those set aside whose time has come; all, where a column is new, which is not computed for them. */
static void
list_aside(Refresh *refresh, DueList *list)
{
	Oid			types[] = {OIDOID, TIMESTAMPTZOID};
	Datum		values[] = {ObjectIdGetDatum(refresh->relid), TimestampTzGetDatum(refresh->started)};

	run_sql("SELECT retry_at, key FROM segment.aside WHERE tbl = $1 AND (retry_at <= $2"
			" OR EXISTS (SELECT FROM segment.new_column WHERE tbl = $1)) ORDER BY retry_at",
			2, types, values, false);
	list_keep(list, PG_UINT64_MAX);
}

/* No row can be due before table_state.next_due, whatever dead entries the index has. */
static void
queue_begin(Refresh *refresh)
{
	Oid			types[] = {OIDOID};
	Datum		values[] = {ObjectIdGetDatum(refresh->relid)};
	TimestampTz from;
	bool		isnull;
	RunContext	ctx;

	context_enter_catalog(&ctx);
	run_sql("SELECT next_due FROM segment.table_state WHERE tbl = $1", 1, types, values, false);
	from = DatumGetTimestampTz(first_value(&isnull));
	if (isnull)
		from = DT_NOBEGIN;
	refresh->due = MemoryContextAllocZero(refresh->run_context, sizeof(DueQueue));
	list_begin(&refresh->due->rows, refresh->run_context, from, refresh->started);
	list_begin(&refresh->due->pending, refresh->run_context, from, refresh->started);
	list_begin(&refresh->due->aside, refresh->run_context, from, refresh->started);
	list_aside(refresh, &refresh->due->aside);
	context_leave(&ctx);
}

/* Batches took these rows, and they are as they were: so it would go on for ever. */
static void
refuse_to_go_round(const Refresh *refresh, const char *key)
{
	ereport(ERROR,
			(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
			 errmsg("rows of segment table %s stay due although they were refreshed",
					catalog_qualified_name(refresh->relid)),
			 errdetail("One of them is that of customer %s.", key),
			 errhint("A trigger or rule on the table may keep it from being written.")));
}

/* Looks up more, if all that were known have been taken. */
static void
list_fill(Refresh *refresh, const SegmentTable *table, DueList *list)
{
	int64		limit = segment_batch_size * INT64CONST(1) * BATCHES_AHEAD;
	Oid			types[] = {TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID, OIDOID, TEXTARRAYOID};
	Datum		values[] = {TimestampTzGetDatum(list->from), TimestampTzGetDatum(refresh->started),
	Int64GetDatum(limit), ObjectIdGetDatum(refresh->relid), (Datum) 0};
	RunContext	ctx;

	if (list->next < list->count || list->all)
		return;
	MemoryContextReset(list->context);
	if (list == &refresh->due->rows)
	{
		values[4] = aside_keys(refresh->relid, false);
		context_enter_owner(&ctx, table->owner, table->time_zone);
		/* how many are due the statistics can't know, which are of yesterday */
		context_set("enable_seqscan", "off");
		run_sql(psprintf("SELECT valid_until, %s::text FROM %s"
						 " WHERE valid_until >= $1 AND valid_until <= $2 AND valid_until < 'infinity'%s"
						 " ORDER BY valid_until LIMIT $3", quote_identifier(table->key_name),
						 catalog_qualified_name(table->relid), not_aside(table, values[4], "$5")),
				values[4] != (Datum) 0 ? 5 : 3, types, values, false);
	}
	else
	{
		context_enter_catalog(&ctx);
		context_set("enable_seqscan", "off");
		run_sql("SELECT due, key FROM segment.pending WHERE tbl = $4 AND due >= $1 AND due <= $2"
				" ORDER BY due LIMIT $3", 4, types, values, false);
	}
	list_keep(list, limit);
	context_leave(&ctx);
	if (list->count == 0)
		return;
	if (list->count == (uint64) limit && list->first != NULL && list->from == list->instants[0] &&
		strcmp(list->first, list->keys[0]) == 0)
		refuse_to_go_round(refresh, list->first);
	list->first = MemoryContextStrdup(refresh->run_context, list->keys[0]);
	list->from = list->instants[list->count - 1];
}

int64
due_ready(Refresh *refresh, const SegmentTable *table)
{
	DueQueue   *queue;

	SPI_connect();
	if (refresh->due == NULL)
		queue_begin(refresh);
	queue = refresh->due;
	list_fill(refresh, table, &queue->rows);
	list_fill(refresh, table, &queue->pending);
	SPI_finish();
	return (queue->rows.count - queue->rows.next) + (queue->pending.count - queue->pending.next) +
		(queue->aside.count - queue->aside.next);
}

/* Takes the one that is due next, which must be there. */
static const char *
take_next(DueQueue *queue)
{
	DueList    *lists[] = {&queue->rows, &queue->pending, &queue->aside};
	DueList    *first = NULL;

	for (int i = 0; i < lengthof(lists); i++)
	{
		DueList    *list = lists[i];

		if (list->next < list->count &&
			(first == NULL || list->instants[list->next] < first->instants[first->next]))
			first = list;
	}
	Assert(first != NULL);
	return first->keys[first->next++];
}

Datum
due_keys(const Refresh *refresh, int64 count)
{
	DueQueue	queue = *refresh->due;
	Datum	   *keys = palloc(Max(count, 1) * sizeof(Datum));

	for (int64 i = 0; i < count; i++)
		keys[i] = CStringGetTextDatum(take_next(&queue));
	return PointerGetDatum(construct_array(keys, count, TEXTOID, -1, false, TYPALIGN_INT));
}

void
due_taken(Refresh *refresh, int64 count)
{
	for (int64 i = 0; i < count; i++)
		(void) take_next(refresh->due);
}

bool
due_left(const Refresh *refresh)
{
	const DueQueue *queue = refresh->due;

	return queue->rows.next < queue->rows.count || !queue->rows.all ||
		queue->pending.next < queue->pending.count || !queue->pending.all ||
		queue->aside.next < queue->aside.count;
}
