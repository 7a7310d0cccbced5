/*
 * places.c
 *		From which block of a log on the marks stand that were not collected.
 *
 * Writers begin each statement at the last block of a log.  So a transaction
 * whose number was not given out yet when a log had a block B writes no mark
 * before B.  Collections note such pairs; whose marks a collection can be the
 * first to see follows from two snapshots, and the least of these transactions
 * tells where to begin.  A transaction that stays open costs nothing until it
 * ends.  docs/architecture.md has the proof.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "capture/capture.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "context.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(segment_mark_place);

/*
 * As stored: the file of each log, then for each place a transaction number and
 * a block of each log, in the order of both.
 */
#define HEAD 2
#define FIELDS 3

typedef struct Running
{
	uint64		xmax;
	int			count;
	uint64	   *xids;			/* in progress below xmax, in order */
} Running;

/* Reads a pg_snapshot's text, xmin:xmax:xid,xid,... */
static Running
parse_snapshot(const char *text)
{
	Running		s = {0};
	char	   *end = NULL;
	const char *p = strchr(text, ':');

	if (p != NULL)
		s.xmax = strtou64(p + 1, &end, 10);
	if (end == NULL || *end != ':')
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not read snapshot \"%s\"", text)));
	s.xids = palloc(sizeof(uint64) * (strlen(text) / 2 + 1));
	for (p = end + 1; *p != '\0'; p = *end == ',' ? end + 1 : end)
	{
		s.xids[s.count++] = strtou64(p, &end, 10);
		if (end == p)
			break;
	}
	return s;
}

/* The first of the running transactions that is not below xid. */
static int
search(const Running *s, uint64 xid)
{
	int			low = 0;
	int			high = s->count;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (s->xids[middle] < xid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
ended(const Running *s, uint64 xid)
{
	int			i = search(s, xid);

	return xid < s->xmax && (i == s->count || s->xids[i] != xid);
}

static int64 *
elements(Datum places, int *count)
{
	ArrayType  *array = DatumGetArrayTypeP(places);

	*count = ARR_NDIM(array) == 1 ? ARR_DIMS(array)[0] : 0;
	if (ARR_ELEMTYPE(array) != INT8OID || ARR_HASNULL(array) ||
		*count < HEAD || (*count - HEAD) % FIELDS != 0)
		*count = 0;
	return (int64 *) ARR_DATA_PTR(array);
}

/* The file that a log has now: it changes when the log is emptied or rewritten. */
static int64
file_of(int log)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(marklog_relation(log)));
	int64		file = 0;

	if (HeapTupleIsValid(tuple))
	{
		file = ((Form_pg_class) GETSTRUCT(tuple))->relfilenode;
		ReleaseSysCache(tuple);
	}
	return file;
}

BlockNumber
places_begin(Datum places, const char *collected, const char *now, int log)
{
	Running		before = parse_snapshot(collected);
	Running		after = parse_snapshot(now);
	uint64		first = before.xmax;
	int64		block = 0;
	int			count;
	int64	   *e = elements(places, &count);

	if (count == 0 || e[log] != file_of(log))
		return 0;
	for (int i = 0; i < before.count; i++)
		if (ended(&after, before.xids[i]))
		{
			first = Min(first, before.xids[i]);
			break;
		}
	for (int i = HEAD; i < count && (uint64) e[i] <= first; i += FIELDS)
		block = e[i + 1 + log];
	return (BlockNumber) block;
}

BlockNumber
places_unfinished(Datum places, const char *now, int log)
{
	return places_begin(places, now, "1:18446744073709551615:", log);
}

/* Will a place be asked for, the next one being of transactions from next on? */
static bool
is_needed(const Running *s, uint64 xid, uint64 next)
{
	int			i = search(s, xid);

	return next > s->xmax || (i < s->count && s->xids[i] < next);
}

Datum
places_note(Datum places, const char *now, const BlockNumber *last)
{
	Running		s = parse_snapshot(now);
	int			count;
	int64	   *old = elements(places, &count);
	Datum	   *result = palloc(sizeof(Datum) * (HEAD + count + FIELDS));
	int64	   *all = palloc0(sizeof(int64) * (HEAD + count + FIELDS));
	int64	   *new;
	int			kept = HEAD;

	memcpy(all, old, sizeof(int64) * count);
	count = Max(count, HEAD);
	new = all + count;
	new[0] = (int64) U64FromFullTransactionId(ReadNextFullTransactionId());
	for (int log = 0; log < 2; log++)
	{
		int64		file = file_of(log);
		bool		same = all[log] == file;

		for (int i = HEAD; i < count; i += FIELDS)
			if (!same)
				all[i + 1 + log] = 0;
		new[1 + log] = same && last[log] != InvalidBlockNumber ? last[log] : 0;
		if (count > HEAD)
			new[1 + log] = Max(new[1 + log], new[1 + log - FIELDS]);
		all[log] = file;
		result[log] = Int64GetDatum(file);
	}
	/* the same place is the better the older it is */
	if (count == HEAD || new[1] != new[1 - FIELDS] || new[2] != new[2 - FIELDS])
		count += FIELDS;
	for (int i = HEAD; i < count; i += FIELDS)
		if (is_needed(&s, (uint64) all[i],
					  i + FIELDS < count ? (uint64) all[i + FIELDS] : PG_UINT64_MAX))
			for (int j = 0; j < FIELDS; j++)
				result[kept++] = Int64GetDatum(all[i + j]);
	return PointerGetDatum(construct_array(result, kept, INT8OID, sizeof(int64),
										   FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/*
 * mark_place(places bigint[], collected pg_snapshot, log int) → tid: where a
 * query is to begin that looks for marks which it sees and are not collected.
 */
Datum
segment_mark_place(PG_FUNCTION_ARGS)
{
	ItemPointer result = palloc(sizeof(ItemPointerData));
	int			log = PG_GETARG_INT32(2);
	char	   *collected;
	char	   *now;

	if (log != 0 && log != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no mark log %d", log),
				 errhint("Give 0 or 1.")));
	collected = DatumGetCString(DirectFunctionCall1(pg_snapshot_out, PG_GETARG_DATUM(1)));
	now = DatumGetCString(DirectFunctionCall1(pg_snapshot_out,
											  DirectFunctionCall1(pg_current_snapshot, (Datum) 0)));
	ItemPointerSet(result, places_begin(PG_GETARG_DATUM(0), collected, now, log), 0);
	PG_RETURN_POINTER(result);
}
