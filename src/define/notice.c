/*
 * notice.c
 *		What is said of rules whose changes with time are not analyzed.
 */
#include "postgres.h"

#include "define/define.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* The column on account of which alone a rule moves with time, or NULL. */
static const char *
moving_column(const SegmentTable *table, const CheckedRule *rule)
{
	ListCell   *lc;

	if (rule_is_moving(rule->node, NULL))
		return NULL;
	foreach(lc, rule->depends)
	{
		Column	   *column = catalog_find_column(table, lfirst(lc));

		if (column != NULL && column->unanalyzed != NULL)
			return column->name;
	}
	return NULL;
}

void
define_notice_unanalyzed(const SegmentTable *table, const CheckedRule *rule, const char *what)
{
	const char *column;

	if (rule->unanalyzed == NULL)
		return;
	column = moving_column(table, rule);
	if (column != NULL)
	{
		/* which has had a NOTICE of its own */
		ereport(NOTICE,
				(errmsg("%s reads \"%s\", and is exact as of refreshed_at as that is", what, column)));
		return;
	}
	ereport(NOTICE,
			(errmsg("%s moves with time in a way that is not analyzed: %s", what, rule->unanalyzed),
			 errdetail("It is exact as of refreshed_at; customers are due again within max_age, %s.",
					   DatumGetCString(DirectFunctionCall1(interval_out,
														   IntervalPGetDatum(table->max_age)))),
			 errhint("Comparisons are exact at every instant where the moving side follows from now() by known steps or is an engagement; see \"Time\" in the reference.")));
}
