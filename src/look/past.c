/*
 * past.c
 *		What the history says of everybody: who went from where to where, and
 *		how large segments were.
 *
 * An interval of the history counts from entered_at until just before left_at.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "look/look.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define MOST_INSTANTS 1000000

PG_FUNCTION_INFO_V1(segment_flow);
PG_FUNCTION_INFO_V1(segment_sizes_over_time);

/* The end of a period: the argument, or the present. */
static TimestampTz
period_end(FunctionCallInfo fcinfo, int arg)
{
	return PG_ARGISNULL(arg) ? context_instant() : PG_GETARG_TIMESTAMPTZ(arg);
}

static void
check_period(TimestampTz since, TimestampTz until)
{
	if (since > until)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("since must not be after until"),
				 errdetail("since is %s, until is %s.", pstrdup(timestamptz_to_str(since)),
						   pstrdup(timestamptz_to_str(until)))));
}

/* "h was a member at the instant", that of a parameter. */
static char *
was_member(const char *instant)
{
	return psprintf("(h.entered_at <= %s AND (h.left_at IS NULL OR h.left_at > %s))", instant, instant);
}

/*
 * From $1 to $2.  Who stayed is counted by the interval alone; the others, of
 * whom there are mostly few, have one of one instant, of the other, or of each.
 * At an instant, a customer has one label of a group at most.
 */
static char *
flow_sql(const SegmentTable *table)
{
	const char *history = catalog_qualified_name(table->history);
	const char *key = quote_identifier(table->key_name);
	const char *then = was_member("$1");
	const char *now = was_member("$2");
	const char *some = psprintf("SELECT h.%s AS __segment_key, h.segment, coalesce(h.label, h.segment) AS place FROM %s h",
								key, history);

	return psprintf("SELECT segment, origin, target, sum(n)::bigint FROM ("
					"SELECT h.segment, coalesce(h.label, h.segment) AS origin, coalesce(h.label, h.segment) AS target,"
					"   count(*) AS n FROM %s h WHERE %s AND %s GROUP BY 1, 2"
					" UNION ALL SELECT coalesce(a.segment, b.segment), a.place, b.place, count(*)"
					"   FROM (%s WHERE %s AND NOT %s) a FULL JOIN (%s WHERE %s AND NOT %s) b"
					"   ON a.__segment_key %s b.__segment_key AND a.segment = b.segment GROUP BY 1, 2, 3) c"
					" GROUP BY 1, 2, 3 ORDER BY 1, 2 NULLS FIRST, 3 NULLS FIRST",
					history, then, now, some, then, now, some, now, then,
					catalog_equality(table->key_type));
}

/* flow(tbl, since, until) → (segment, from, to, customers) */
Datum
segment_flow(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"tbl", "since"};
	Oid			types[] = {TIMESTAMPTZOID, TIMESTAMPTZOID};
	Datum		values[2];
	TimestampTz until;
	SegmentTable *table;
	RunContext	ctx;

	context_refuse_nulls(fcinfo, 2, names);
	until = period_end(fcinfo, 2);
	check_period(PG_GETARG_TIMESTAMPTZ(1), until);
	InitMaterializedSRF(fcinfo, 0);
	table = look_open_history(PG_GETARG_OID(0));
	values[0] = TimestampTzGetDatum(PG_GETARG_TIMESTAMPTZ(1));
	values[1] = TimestampTzGetDatum(until);
	SPI_connect();
	look_enter(&ctx, table, context_instant());
	context_set("jit", "off");
	look_return(fcinfo, flow_sql(table), 2, types, values, NULL);
	context_leave(&ctx);
	SPI_finish();
	return (Datum) 0;
}

/*
 * Sizes at the instants $1 + n * $3 until $2.  Each interval adds one from the
 * first of them that is not before its beginning, and takes it away from the
 * first that is not before its end: one reading of the history, however many
 * instants there are.  $4: how much longer to look for them, since a series
 * made by adding up may be ahead of one made by multiplying.
 */
static char *
sizes_over_time_sql(const SegmentTable *table)
{
	return psprintf("WITH point AS MATERIALIZED (SELECT array_agg(at ORDER BY at) AS at FROM"
					"   (SELECT $1 + (n - 1) * $3 AS at"
					"    FROM generate_series($1, $2 + $4, $3) WITH ORDINALITY g(t, n)) g WHERE at <= $2),"
					" delta AS MATERIALIZED (SELECT h.segment, h.label,"
					"   width_bucket(e.at - interval '1 microsecond', (SELECT at FROM point)) + 1 AS n, sum(e.d) AS d"
					"   FROM %s h, LATERAL (VALUES (h.entered_at, 1), (h.left_at, -1)) e(at, d)"
					"   WHERE e.at <= $2 AND (h.left_at IS NULL OR h.left_at > $1) GROUP BY 1, 2, 3),"
					" kind AS (SELECT segment, label FROM delta UNION"
					"   SELECT s.segment, s.label FROM %s s(position, place, segment, label)"
					"   WHERE s.position > 0)"
					" SELECT p.at, k.segment, k.label, coalesce(sum(d.d) OVER"
					"     (PARTITION BY k.segment, k.label ORDER BY p.n), 0)::bigint"
					"   FROM kind k CROSS JOIN unnest((SELECT at FROM point)) WITH ORDINALITY p(at, n)"
					"   LEFT JOIN delta d ON d.n = p.n AND d.segment = k.segment"
					"     AND d.label IS NOT DISTINCT FROM k.label"
					" ORDER BY 1, 2, 3",
					catalog_qualified_name(table->history), look_labels(table));
}

/* A line for each instant and segment is made: more than anybody reads would fill the disk. */
static void
check_step(const Interval *step, TimestampTz since, TimestampTz until)
{
	double		length = (double) step->time +
		((double) step->month * DAYS_PER_MONTH + (double) step->day) * (double) USECS_PER_DAY;

	if (step->month < 0 || step->day < 0 || step->time < 0 || length <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("step must be positive")));
	if (((double) until - (double) since) / length > MOST_INSTANTS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the period has more than %d steps", MOST_INSTANTS),
				 errhint("Choose a larger step, or a shorter period.")));
}

/* sizes_over_time(tbl, step, since, until) → (at, segment, label, members) */
Datum
segment_sizes_over_time(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"tbl", "step", "since"};
	Oid			types[] = {TIMESTAMPTZOID, TIMESTAMPTZOID, INTERVALOID, INTERVALOID};
	Interval	zero = {0};
	Interval	day = {.day = 1};
	Interval   *step;
	TimestampTz since;
	TimestampTz until;
	Datum		values[4];
	SegmentTable *table;
	RunContext	ctx;

	context_refuse_nulls(fcinfo, 3, names);
	step = PG_GETARG_INTERVAL_P(1);
	since = PG_GETARG_TIMESTAMPTZ(2);
	until = period_end(fcinfo, 3);
	check_period(since, until);
	if (TIMESTAMP_NOT_FINITE(since) || TIMESTAMP_NOT_FINITE(until))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("since and until must be finite")));
	check_step(step, since, until);
	InitMaterializedSRF(fcinfo, 0);
	table = look_open_history(PG_GETARG_OID(0));
	values[0] = TimestampTzGetDatum(since);
	values[1] = TimestampTzGetDatum(until);
	values[2] = IntervalPGetDatum(step);
	values[3] = IntervalPGetDatum(step->month > 0 || step->day > 0 ? &day : &zero);
	SPI_connect();
	look_enter(&ctx, table, context_instant());
	context_set("jit", "off");
	look_return(fcinfo, sizes_over_time_sql(table), 4, types, values, NULL);
	context_leave(&ctx);
	SPI_finish();
	return (Datum) 0;
}
