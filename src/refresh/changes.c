/*
 * changes.c
 *		Changes of memberships: telling listeners, and forgetting what is old.
 *
 * Who writes the history holds the lock on the table's work until the
 * transaction ends.  So the numbers of changes increase in the order in which
 * they are committed: whoever sees one sees all before it, and a number is a
 * cursor that misses nothing.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "context.h"
#include "executor/spi.h"
#include "notify.h"
#include "refresh/internal.h"
#include "utils/timestamp.h"

/* Under a continuous schedule, one run in so many looks for changes to forget. */
#define TRIM_RUNS 64

void
changes_announce(Refresh *refresh)
{
	int64		entered = refresh->run.entered - refresh->told_entered;
	int64		left = refresh->run.left - refresh->told_left;

	if (entered + left == 0)
		return;
	refresh->told_entered = refresh->run.entered;
	refresh->told_left = refresh->run.left;
	notify_moves(catalog_qualified_name(refresh->relid), entered, left,
				 Max(refresh->started, refresh->latest));
}

/* Each run would walk over the dead entries that those before it left. */
static bool
trim_is_worth_it(const Refresh *refresh)
{
	Oid			types[] = {OIDOID, INT8OID};
	Datum		values[] = {ObjectIdGetDatum(refresh->relid), Int64GetDatum(refresh->run.id)};
	bool		isnull;
	bool		seldom;
	RunContext	ctx;

	if (refresh->rebuild || refresh->run.id % TRIM_RUNS == 0)
		return true;
	context_enter_catalog(&ctx);
	run_sql("SELECT (SELECT started_at FROM segment.run WHERE tbl = $1 AND id < $2 ORDER BY id DESC LIMIT 1)"
			" > clock_timestamp() - interval '10 minutes'", 2, types, values, false);
	seldom = !DatumGetBool(first_value(&isnull));
	context_leave(&ctx);
	return seldom || isnull;
}

/*
 * The newest of those that are too old stays, and with it the cursor of who has
 * read all that is old.
 */
void
changes_trim(Refresh *refresh, const SegmentTable *table)
{
	Oid			types[] = {INTERVALOID};
	Datum		values[1];
	char	   *name;
	RunContext	ctx;

	if (!OidIsValid(table->changes))
		return;
	name = catalog_qualified_name(table->changes);
	values[0] = IntervalPGetDatum(table->changes_kept);
	SPI_connect();
	if (trim_is_worth_it(refresh))
	{
		context_enter_owner(&ctx, table->owner, table->time_zone);
		context_set("enable_seqscan", "off");
		run_sql(psprintf("DELETE FROM %s WHERE change < (SELECT o.change FROM %s o WHERE o.change <"
						 "   coalesce((SELECT y.change FROM %s y WHERE y.written_at >= clock_timestamp() - $1"
						 "     ORDER BY y.change LIMIT 1), 9223372036854775807)"
						 "   ORDER BY o.change DESC LIMIT 1)", name, name, name),
				1, types, values, false);
		context_leave(&ctx);
	}
	SPI_finish();
}
