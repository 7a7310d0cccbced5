/*
 * together.c
 *		What is bought together: pairs of items of the stream, by baskets.
 *
 * The reader may read the stream's view; it is read with the owner's rights,
 * since the texts of items may be made by casts that are the owner's.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "look/look.h"
#include "refresh/refresh.h"
#include "rule/rule.h"
#include "tcop/dest.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(segment_bought_together);

enum
{
	ARG_TBL, ARG_EVENTS, ARG_BASKET, ARG_GAP, ARG_SINCE, ARG_UNTIL, ARG_ITEM,
	ARG_MIN_BASKETS, ARG_MIN_SUPPORT, ARG_MAX_ITEMS, NARGS
};

/* Columns of the query behind those of the result: baskets, and those that are too large. */
#define NRESULT 10
#define NCOLUMNS (NRESULT + 2)

/* Receives pairs into a tuplestore, and what the query says of all baskets. */
typedef struct PairReceiver
{
	DestReceiver pub;
	ReturnSetInfo *result;
	int64		baskets;
	int64		large;
} PairReceiver;

static void
receiver_startup(DestReceiver *self, int operation, TupleDesc typeinfo)
{
	Assert(typeinfo->natts == NCOLUMNS);
}

static bool
receive_pair(TupleTableSlot *slot, DestReceiver *self)
{
	PairReceiver *receiver = (PairReceiver *) self;

	slot_getallattrs(slot);
	receiver->baskets = DatumGetInt64(slot->tts_values[NRESULT]);
	receiver->large = DatumGetInt64(slot->tts_values[NRESULT + 1]);
	/* where there is no pair, the query has one row that says so */
	if (!slot->tts_isnull[0])
		tuplestore_putvalues(receiver->result->setResult, receiver->result->setDesc,
							 slot->tts_values, slot->tts_isnull);
	return true;
}

static void
receiver_shutdown(DestReceiver *self)
{
}

static void
invalid(const char *message)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s", message)));
}

static void
check_arguments(FunctionCallInfo fcinfo)
{
	double		min_support = PG_GETARG_FLOAT8(ARG_MIN_SUPPORT);

	if (!PG_ARGISNULL(ARG_BASKET) && !PG_ARGISNULL(ARG_GAP))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("basket and gap exclude each other"),
				 errhint("Either a column says which events are of one basket, or their time.")));
	if (!PG_ARGISNULL(ARG_GAP))
	{
		Interval   *gap = PG_GETARG_INTERVAL_P(ARG_GAP);

		if (gap->month < 0 || gap->day < 0 || gap->time < 0)
			invalid("gap must not be negative");
	}
	if (PG_GETARG_INT64(ARG_MIN_BASKETS) < 1)
		invalid("min_baskets must be at least 1");
	if (isnan(min_support) || min_support < 0 || min_support > 1)
		invalid("min_support must be between 0 and 1");
	if (PG_GETARG_INT32(ARG_MAX_ITEMS) < 2)
		invalid("max_items must be at least 2");
}

/* A column of the stream, quoted; error if there is none of that name, or none that tells baskets apart. */
static char *
stream_column(const SegmentTable *table, const text *name, bool is_basket)
{
	char	   *wanted = text_to_cstring(name);
	AttrNumber	attnum = get_attnum(table->events, wanted);
	Oid			type;

	if (attnum <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("the event stream of %s has no column \"%s\"",
						catalog_qualified_name(table->relid), wanted),
				 errhint("It has the columns of the view %s. Further ones are given to add_source as \"extra\".",
						 catalog_qualified_name(table->events))));
	type = get_atttype(table->events, attnum);
	if (is_basket && !OidIsValid(lookup_type_cache(type, TYPECACHE_EQ_OPR)->eq_opr))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("column \"%s\" of the event stream can not tell baskets apart: values of type %s have no equality",
						wanted, format_type_be(type)),
				 errhint("Cast it in add_source.")));
	return (char *) quote_identifier(wanted);
}

/*
 * What is one basket: rows with the same key and the same __segment_b.
 * Sessions end where the time to the next event is longer than the gap, $4.
 */
static char *
lines_sql(const SegmentTable *table, const char *item, const char *basket, bool by_gap)
{
	const char *key = quote_identifier(table->key_name);
	char	   *rows;

	rows = psprintf("SELECT e.%s AS __segment_k, e.at AS __segment_at, %s%s AS __segment_b,"
					"   (e.%s)::text COLLATE \"C\" AS __segment_i FROM %s e"
					" WHERE e.%s IS NOT NULL AND isfinite(e.at)"
					"   AND ($1 IS NULL OR e.event COLLATE \"C\" = ANY ($1))"
					"   AND ($2 IS NULL OR e.at >= $2) AND ($3 IS NULL OR e.at < $3)",
					key, basket == NULL ? "" : "e.", basket == NULL ? "e.at" : basket,
					item, rule_customers_stream(table), item);
	if (basket != NULL)
		rows = psprintf("%s AND e.%s IS NOT NULL", rows, basket);
	if (!by_gap)
		return rows;
	return psprintf("SELECT __segment_k, __segment_i, sum(CASE WHEN __segment_at - __segment_before <= $4 THEN 0 ELSE 1 END)"
					"   OVER (PARTITION BY __segment_k ORDER BY __segment_at) AS __segment_b"
					" FROM (SELECT r.*, lag(__segment_at) OVER"
					"   (PARTITION BY __segment_k ORDER BY __segment_at) AS __segment_before FROM (%s) r) r",
					rows);
}

/*
 * Counts baskets, items and pairs.  Items that are too rare for a pair are
 * left out before pairs are made, and items have numbers, which are compared
 * faster than texts.  $5 min_baskets, $6 min_support, $7 max_items.
 */
static char *
pairs_sql(const char *lines)
{
	return psprintf("WITH basket AS MATERIALIZED (SELECT array_agg(DISTINCT __segment_i) AS items"
					"   FROM (%s) l GROUP BY __segment_k, __segment_b),"
					" whole AS MATERIALIZED (SELECT count(*) FILTER (WHERE cardinality(items) <= $7) AS baskets,"
					"   count(*) FILTER (WHERE cardinality(items) > $7) AS large FROM basket),"
					" small AS MATERIALIZED (SELECT row_number() OVER () AS n, items FROM basket"
					"   WHERE cardinality(items) <= $7),"
					" item AS MATERIALIZED (SELECT u.i, count(*) AS baskets,"
					"     (row_number() OVER (ORDER BY u.i COLLATE \"C\"))::int AS id"
					"   FROM small CROSS JOIN LATERAL unnest(items) u(i) GROUP BY u.i"
					"   HAVING count(*) >= $5 AND count(*)::float8 / (SELECT baskets FROM whole) >= $6),"
					" numbered AS MATERIALIZED (SELECT array_agg(m.id ORDER BY m.id) AS ids"
					"   FROM small CROSS JOIN LATERAL unnest(items) u(i) JOIN item m ON m.i = u.i"
					"   GROUP BY n HAVING count(*) > 1),"
					" pair AS MATERIALIZED (SELECT a.id AS a, b.id AS b, count(*) AS shared FROM numbered"
					"   CROSS JOIN LATERAL unnest(ids) WITH ORDINALITY a(id, place)"
					"   CROSS JOIN LATERAL unnest(ids[a.place + 1:]) b(id) GROUP BY 1, 2"
					"   HAVING count(*) >= $5 AND count(*)::float8 / (SELECT baskets FROM whole) >= $6),"
					" rated AS (SELECT x.i AS a, y.i AS b, x.baskets AS baskets_a, y.baskets AS baskets_b, p.shared,"
					"     w.baskets, p.shared::float8 / w.baskets AS support,"
					"     p.shared::float8 / x.baskets AS confidence_ab, p.shared::float8 / y.baskets AS confidence_ba,"
					"     p.shared::float8 * w.baskets / (x.baskets::float8 * y.baskets) AS lift"
					"   FROM pair p JOIN item x ON x.id = p.a JOIN item y ON y.id = p.b CROSS JOIN whole w)"
					" SELECT r.*, w.baskets, w.large FROM whole w LEFT JOIN rated r ON true"
					" ORDER BY r.shared DESC, r.lift DESC, r.a, r.b", lines);
}

/* A query to run. */
typedef struct PairQuery
{
	FunctionCallInfo fcinfo;
	const char *sql;
	PairReceiver *receiver;
} PairQuery;

static void
run_query(void *arg)
{
	PairQuery  *query = arg;
	FunctionCallInfo fcinfo = query->fcinfo;
	static const Oid types[] = {
		TEXTARRAYOID, TIMESTAMPTZOID, TIMESTAMPTZOID, INTERVALOID, INT8OID, FLOAT8OID, INT4OID
	};
	static const int args[] = {
		ARG_EVENTS, ARG_SINCE, ARG_UNTIL, ARG_GAP, ARG_MIN_BASKETS, ARG_MIN_SUPPORT, ARG_MAX_ITEMS
	};
	ParamListInfo params = makeParamList(lengthof(args));
	SPIExecuteOptions options = {.params = params,.read_only = true,.dest = &query->receiver->pub};
	int			status;

	for (int i = 0; i < lengthof(args); i++)
	{
		params->params[i].value = PG_GETARG_DATUM(args[i]);
		params->params[i].isnull = PG_ARGISNULL(args[i]);
		params->params[i].ptype = types[i];
		params->params[i].pflags = PARAM_FLAG_CONST;
	}
	status = SPI_execute_extended(query->sql, &options);
	if (status < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not run \"%s\": %s", query->sql, SPI_result_code_string(status))));
}

/* What of the result is not seen in it. */
static void
tell(const PairReceiver *receiver, int max_items)
{
	if (receiver->large > 0)
		ereport(NOTICE,
				(errmsg_plural("%lld basket of more than %d items was left out",
							   "%lld baskets of more than %d items were left out",
							   receiver->large, (long long) receiver->large, max_items),
				 errhint("Raise max_items to count them; the pairs of a basket grow with the square of its items.")));
	else if (receiver->baskets == 0)
		ereport(NOTICE,
				(errmsg("there are no baskets"),
				 errdetail("No event with one of these names and an item was found in this time.")));
}

/* bought_together(tbl, ...) → pairs; the arguments are those of the enum above */
Datum
segment_bought_together(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"tbl", "item", "min_baskets", "min_support", "max_items"};
	static const int required[] = {ARG_TBL, ARG_ITEM, ARG_MIN_BASKETS, ARG_MIN_SUPPORT, ARG_MAX_ITEMS};
	PairReceiver receiver = {
		.pub = {receive_pair, receiver_startup, receiver_shutdown, receiver_shutdown, DestNone}
	};
	PairQuery	query = {.fcinfo = fcinfo,.receiver = &receiver};
	SegmentTable *table;
	char	   *basket = NULL;
	char	   *item;
	RunContext	ctx;

	for (int i = 0; i < lengthof(required); i++)
	{
		if (PG_ARGISNULL(required[i]))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s must not be null", names[i])));
	}
	check_arguments(fcinfo);
	InitMaterializedSRF(fcinfo, 0);
	receiver.result = (ReturnSetInfo *) fcinfo->resultinfo;
	table = look_open_events(PG_GETARG_OID(ARG_TBL));
	item = stream_column(table, PG_GETARG_TEXT_PP(ARG_ITEM), false);
	if (!PG_ARGISNULL(ARG_BASKET))
		basket = stream_column(table, PG_GETARG_TEXT_PP(ARG_BASKET), true);
	look_check_sources(table);
	SPI_connect();
	look_enter(&ctx, table, context_instant());
	context_set("jit", "off");
	query.sql = pairs_sql(lines_sql(table, item, basket, !PG_ARGISNULL(ARG_GAP)));
	guard_hide_sql(run_query, &query, query.sql,
				   psprintf("pairs of items of segment table %s", catalog_qualified_name(table->relid)));
	context_leave(&ctx);
	SPI_finish();
	tell(&receiver, PG_GETARG_INT32(ARG_MAX_ITEMS));
	return (Datum) 0;
}
