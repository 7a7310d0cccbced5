/*
 * claim.c
 *		Taking keys out of work, by deletion: a transaction that fails gives them
 *		back.  That nobody else takes them, the lock on work sees to.
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

/*
 * Each batch goes on where the one before it ended, also one of an earlier
 * refresh, so that it need not walk over the dead entries of the index.  What
 * comes meanwhile stands behind.
 */
Datum
claim_keys(Refresh *refresh, int64 due, int64 *marked)
{
	Oid			types[] = {OIDOID, INT8OID, INT8OID, TEXTARRAYOID, INT8OID, TEXTOID};
	Datum		values[] = {ObjectIdGetDatum(refresh->relid), Int64GetDatum(*marked), (Datum) 0,
	due_keys(refresh, due), Int64GetDatum(segment_batch_size), (Datum) 0};
	MemoryContext caller = CurrentMemoryContext;
	Datum		keys;
	bool		isnull;
	RunContext	ctx;

	context_enter_catalog(&ctx);
	context_set("enable_seqscan", "off");
	context_set("jit", "off");
	SPI_connect();
	if (refresh->claimed == NULL)
		refresh->claim_from = state_claim_from(refresh);
	values[2] = Int64GetDatum(refresh->claim_from);
	values[5] = CStringGetTextDatum(refresh->claimed != NULL ? refresh->claimed : "");
	/* by place: whatever the statistics say, each row is found once */
	run_sql("WITH taken AS (DELETE FROM segment.work w WHERE w.ctid = ANY (ARRAY("
			"   SELECT ctid FROM segment.work WHERE tbl = $1 AND NOT whole AND (collection, key) >= ($3, $6)"
			"   ORDER BY collection, key LIMIT $2))"
			"  RETURNING w.key, w.collection),"
			" t AS (SELECT count(*) AS n FROM taken),"
			" l AS (SELECT collection, key FROM taken ORDER BY collection DESC, key DESC LIMIT 1)"
			" SELECT array_agg(DISTINCT key), (SELECT n FROM t), (SELECT collection FROM l), (SELECT key FROM l)"
			" FROM (SELECT key FROM taken UNION ALL"
			"   SELECT ($4)[i] FROM t, generate_series(1, least(cardinality($4), $5 - n)) i) k",
			6, types, values, false);
	keys = first_value(&isnull);
	*marked = 0;
	if (!isnull)
	{
		HeapTuple	row = SPI_tuptable->vals[0];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		MemoryContext old = MemoryContextSwitchTo(caller);
		int64		last;
		char	   *key;

		keys = PointerGetDatum(DatumGetArrayTypePCopy(keys));
		MemoryContextSwitchTo(old);
		*marked = DatumGetInt64(SPI_getbinval(row, desc, 2, &isnull));
		last = DatumGetInt64(SPI_getbinval(row, desc, 3, &isnull));
		key = SPI_getvalue(row, desc, 4);
		if (!isnull)
		{
			refresh->claim_from = last;
			refresh->claimed = MemoryContextStrdup(refresh->run_context, key);
			state_store_claimed(refresh, last);
		}
	}
	else
		keys = (Datum) 0;
	SPI_finish();
	context_leave(&ctx);
	due_taken(refresh, Min(due, segment_batch_size - *marked));
	return keys;
}

void
claim_all(Refresh *refresh)
{
	Oid			types[] = {OIDOID};
	Datum		values[] = {ObjectIdGetDatum(refresh->relid)};
	Datum		last;
	bool		isnull;
	RunContext	ctx;

	context_enter_catalog(&ctx);
	SPI_connect();
	run_sql("WITH gone AS (DELETE FROM segment.work WHERE tbl = $1 RETURNING whole, collection)"
			" SELECT max(collection) FROM gone WHERE NOT whole", 1, types, values, false);
	last = first_value(&isnull);
	if (!isnull)
		state_store_claimed(refresh, DatumGetInt64(last));
	SPI_finish();
	context_leave(&ctx);
}
