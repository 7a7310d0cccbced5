/*
 * search.c
 *		When the value of an expression changes next, by evaluating it.
 *
 * What moves in it only at midnights, or at other beginnings of a unit on one
 * clock, can change it only at these.  So the expression itself is compared
 * with what it will be at each of the next ones, in order, and the first at
 * which it differs is the instant: no knowledge of its functions is needed.
 * Images are compared, as when rows are written: '30 days' equals '1 mon', but
 * its month does not.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "rule/analysis.h"
#include "rule/local.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

/* How many instants are looked at: of a day or more, for a year; of less, for a week. */
#define MOST_DAYS	400
#define MOST_HOURS	200

/* And where they are computed for each row. */
#define MOST_CHANGES	30

typedef struct Search
{
	const TimeWalk *walk;
	char	   *unit;			/* the shortest of the units met */
	char	   *zone;			/* the one clock, as SQL */
	bool		clocks;			/* there is more than one, or one that is not known */
	char	   *steps;			/* of the one value that moves, as SQL */
	int			count;			/* of values that move */
	bool		failed;
} Search;

static int64
unit_length(const char *unit)
{
	int			code;

	return local_unit(cstring_to_text(unit), &code) ? local_unit_length(code) : 0;
}

/* One more value that steps at the beginnings of a unit; weeks and months begin at midnights. */
static void
add_clock(Search *search, const Chain *chain)
{
	if (chain->unit == NULL || chain->hasty || (search->zone != NULL && strcmp(search->zone, chain->zone) != 0))
		search->clocks = true;
	else if (search->unit == NULL)
		search->unit = chain->unit;
	else if (strcmp(search->unit, chain->unit) != 0)
	{
		if (unit_length(search->unit) > USECS_PER_DAY && unit_length(chain->unit) > USECS_PER_DAY)
			search->unit = "day";
		else if (unit_length(chain->unit) < unit_length(search->unit))
			search->unit = chain->unit;
	}
	search->zone = chain->zone;
}

/* One more value that steps; where there is no other, its own changes can be looked at. */
static void
add_steps(Search *search, const Chain *chain)
{
	bool		known = !chain->hasty && (chain->domain <= CHAIN_DATE || chain->domain == CHAIN_FIELD);

	if (search->steps == NULL && known && search->count == 0)
		search->steps = pstrdup(chain->steps.data);
	else if (!known || search->steps == NULL || strcmp(search->steps, chain->steps.data) != 0)
		search->steps = NULL;
	search->count++;
}

/* Gathers the clocks of what moves. */
static bool
search_walker(Node *node, void *context)
{
	Search	   *search = context;
	Chain		chain;

	if (node == NULL || !walk_moving(search->walk, node))
		return false;
	if (chain_of(search->walk, node, &chain) && chain.stepping)
	{
		add_clock(search, &chain);
		add_steps(search, &chain);
		search->failed = search->failed || (search->clocks && search->steps == NULL);
		return search->failed;
	}
	if (IsA(node, Var) || IsA(node, Aggref) || rule_moves_itself(node))
		search->failed = true;
	return search->failed || expression_tree_walker(node, search_walker, search);
}

/*
 * Is there an aggregate that reads no column?  In a sub-select it would be
 * taken for one of its own.
 */
static bool
bare_aggregate_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Aggref))
		return pull_var_clause(node, PVC_RECURSE_AGGREGATES) == NIL;
	return expression_tree_walker(node, bare_aggregate_walker, context);
}

bool
search_can_enclose(Node *node)
{
	return !bare_aggregate_walker(node, NULL);
}

/* now() becomes the instant that is looked at. */
static Node *
at_instant_mutator(Node *node, void *context)
{
	if (node == NULL)
		return NULL;
	if (rule_is_now(node))
		return (Node *) makeVar(2, 1, TIMESTAMPTZOID, -1, InvalidOid, 0);
	return expression_tree_mutator(node, at_instant_mutator, context);
}

/* The instants to look at, as SQL; *most: at most so many. */
static char *
instants_of(const Search *search, int *most)
{
	if (search->clocks)
	{
		*most = MOST_CHANGES;
		return psprintf("segment.next_changes(%d%s)", *most, search->steps);
	}
	*most = unit_length(search->unit) < USECS_PER_DAY ? MOST_HOURS : MOST_DAYS;
	return psprintf("segment.boundaries('%s'::text, %s, %d)", search->unit, search->zone, *most);
}

char *
search_change(const TimeWalk *walk, Node *node)
{
	Search		search = {.walk = walk};
	Oid			type = exprType(node);
	char	   *instants;
	char	   *now;
	char	   *then;
	char	   *result;
	int			most;

	if (IsA(node, List) || IsA(node, TargetEntry) || !(walk->conditional ? rule_is_harmless_evaluated(node) : rule_stays_harmless(node)) ||
		!search_can_enclose(node) ||
		!OidIsValid(lookup_type_cache(type, TYPECACHE_EQ_OPR)->eq_opr))
		return NULL;
	search_walker(node, &search);
	if (search.failed || search.count == 0)
		return NULL;
	instants = instants_of(&search, &most);
	now = walk_text(walk, node);
	then = rule_deparse_with(at_instant_mutator(node, NULL), walk->relation, "__segment_instant");
	result = psprintf("COALESCE((SELECT __segment_instant"
					  " FROM pg_catalog.unnest(%s) __segment_instants(__segment_instant)"
					  " WHERE ROW(%s)::record OPERATOR(pg_catalog.*<>) ROW(%s)::record LIMIT 1),"
					  " (%s)[%d])", instants, then, now, instants, most);
	/* what is NULL now is so for a value that does not move */
	return walk_is_strict(node) ? walk_guarded(psprintf("(%s) IS NOT NULL", now), result) : result;
}
