/*
 * outcome.c
 *		What became of those who entered a segment: who converted, what they
 *		were worth, who was lost; for each arm of an experiment.
 *
 * The history says who entered when, the stream what they did after that.  Who
 * entered less than "within" before the as-of instant is not judged yet.
 */
#include "postgres.h"

#include "catalog/event_names.h"
#include "catalog/pg_type.h"
#include "catalog/trust.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "look/look.h"
#include "refresh/refresh.h"
#include "rule/rule.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(segment_outcome);

/* The arguments; where they stand in the query is one more. */
enum
{
	ARG_TBL, ARG_SEGMENT, ARG_EVENT, ARG_WITHIN, ARG_SINCE, ARG_UNTIL, ARG_EXPERIMENT, ARG_WEIGHTS,
	ARG_ARMS, ARG_CONTROL, ARG_CHURN, ARG_ALREADY_IN, ARG_LEVEL, ARGS
};

/* The place of a column in the result, from 1 on. */
#define RESULT_CONVERTED 6

/* $1, which is the table as an argument, is the as-of instant in the query. */
static Oid types[ARGS] = {
	TIMESTAMPTZOID, TEXTOID, TEXTOID, INTERVALOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, JSONBOID,
	TEXTOID, TEXTOID, TEXTOID, BOOLOID, FLOAT8OID
};

typedef struct Question
{
	FunctionCallInfo fcinfo;
	SegmentTable *table;
	Datum		values[ARGS];
	char		nulls[ARGS + 1];
	const char *sql;
	const char *events_there;	/* set where the event is not among them */
} Question;

static bool
given(const Question *question, int arg)
{
	return question->nulls[arg] != 'n';
}

static char *
text_argument(const Question *question, int arg)
{
	return TextDatumGetCString(question->values[arg]);
}

static void
check_instants(const Question *question)
{
	const Interval *within = DatumGetIntervalP(question->values[ARG_WITHIN]);
	TimestampTz since = DatumGetTimestampTz(question->values[ARG_SINCE]);
	TimestampTz until = DatumGetTimestampTz(question->values[ARG_UNTIL]);

	if (within->month < 0 || within->day < 0 || within->time < 0 ||
		(within->month == 0 && within->day == 0 && within->time == 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("within must be positive")));
	if (since > until)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("since must not be after until"),
				 errdetail("since is %s, until is %s.", pstrdup(timestamptz_to_str(since)),
						   pstrdup(timestamptz_to_str(until)))));
}

/* What the user calls a segment, a group or a band, of one kind or (-1) of any. */
static Column *
find_recorded(const SegmentTable *table, const char *name, int kind)
{
	Column	   *column = catalog_find_column(table, name);

	return column != NULL && catalog_is_recorded(column) &&
		(kind < 0 || column->kind == (ColumnKind) kind) ? column : NULL;
}

static void
refuse_name(const SegmentTable *table, const char *kind, const char *name, const char *view)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("segment table %s has no %s \"%s\"", catalog_qualified_name(table->relid), kind, name),
			 errhint("See segment.%s.", view)));
}

/* In the SPI connection: a segment that was dropped is in the history still. */
static bool
is_in_history(const Question *question)
{
	Oid			type = TEXTOID;
	Datum		name = question->values[ARG_SEGMENT];

	return context_run(psprintf("SELECT FROM %s h WHERE h.segment = $1 LIMIT 1",
								catalog_qualified_name(question->table->history)),
					   1, &type, &name, NULL, true) > 0;
}

/* The names of the arms (of char *), in their order; NIL: there are none. */
static List *
arms_of(const Question *question)
{
	List	   *result = NIL;
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	v;
	Column	   *column;

	if (given(question, ARG_EXPERIMENT) != given(question, ARG_WEIGHTS))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("experiment and weights belong together"),
				 errhint("Give both, as segment.arm() was given them.")));
	if (given(question, ARG_EXPERIMENT) && given(question, ARG_ARMS))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("arms come from an experiment or from a group, not from both")));
	if (given(question, ARG_ARMS))
	{
		column = find_recorded(question->table, text_argument(question, ARG_ARMS), COLUMN_GROUP);
		if (column == NULL)
			refuse_name(question->table, "group", text_argument(question, ARG_ARMS), "groups");
		return column->labels;
	}
	if (!given(question, ARG_EXPERIMENT))
		return NIL;
	look_check_experiment(DatumGetTextPP(question->values[ARG_EXPERIMENT]),
						  DatumGetJsonbP(question->values[ARG_WEIGHTS]));
	it = JsonbIteratorInit(&DatumGetJsonbP(question->values[ARG_WEIGHTS])->root);
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			result = lappend(result, pnstrdup(v.val.string.val, v.val.string.len));
	}
	return result;
}

static bool
has_name(List *names, const char *name)
{
	ListCell   *lc;

	foreach(lc, names)
	{
		if (strcmp(lfirst(lc), name) == 0)
			return true;
	}
	return false;
}

/* The arm that the others are compared with: the one given, or the one that is called so. */
static void
find_control(Question *question, List *arms)
{
	bool		control = has_name(arms, "control");

	if (given(question, ARG_CONTROL))
	{
		if (!has_name(arms, text_argument(question, ARG_CONTROL)))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("there is no arm \"%s\"", text_argument(question, ARG_CONTROL)),
					 errhint("The control arm is one of the experiment's, or a label of the group that gives the arms.")));
	}
	else if (control != has_name(arms, "holdout"))
	{
		question->values[ARG_CONTROL] = CStringGetTextDatum(control ? "control" : "holdout");
		question->nulls[ARG_CONTROL] = ' ';
	}
}

/* The key of a member as segment.arm() takes it. */
static const char *
key_for_arm(const SegmentTable *table)
{
	Oid			type = getBaseType(table->key_type);
	char		category;
	bool		preferred;

	get_type_category_preferred(type, &category, &preferred);
	if (type == INT8OID || type == INT4OID || type == INT2OID)
		return "m.k::bigint";
	if (type == UUIDOID)
		return "m.k::uuid";
	if (category != TYPCATEGORY_STRING)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("an experiment has no arms for keys of type %s", format_type_be(table->key_type)),
				 errhint("Add a group whose rules call segment.arm() with the key as text, and give its name as arms.")));
	return "m.k::text";
}

/* The value of an event as a number, of a stream whose values are numbers. */
static const char *
value_of_event(const SegmentTable *table)
{
	ListCell   *lc;

	foreach(lc, rule_stream_columns(table))
	{
		StreamColumn *column = lfirst(lc);

		if (strcmp(column->name, "value") != 0)
			continue;
		switch (getBaseType(column->type))
		{
			case INT2OID:
			case INT4OID:
			case INT8OID:
			case FLOAT4OID:
				return "e.value::float8";
			case FLOAT8OID:
			case NUMERICOID:
				/* else their sums, and those of squares, might be none */
				return "CASE WHEN e.value > 1e130 AND e.value < 'Infinity' THEN 'Infinity'"
					" WHEN e.value < -1e130 THEN '-Infinity' ELSE e.value::float8 END";
			default:
				break;
		}
	}
	return "NULL::float8";
}

/*
 * Common table expressions:
 *
 *		member (id, k, label, left_at, entered, ends, who, judged, gone)
 *			each customer who came to a label of the segment, or into it, with the
 *			first time that counts; who: the one that the key counts for now
 *		conduct (id, events, value, anything)
 *			what the judged ones did until it ends
 */
static void
append_members(StringInfo sql, const Question *question)
{
	const SegmentTable *table = question->table;
	const char *key = quote_identifier(table->key_name);

	appendStringInfo(sql, "WITH member AS MATERIALIZED (SELECT row_number() OVER () AS id, f.*, %s AS who,"
					 "   f.ends <= $1 AS judged, coalesce(f.left_at <= f.ends, false) AS gone"
					 " FROM (SELECT DISTINCT ON (h.%s, h.label) h.%s AS k, h.label, h.left_at,"
					 "     greatest(h.entered_at, $5) AS entered, greatest(h.entered_at, $5) + $4 AS ends"
					 "   FROM %s h WHERE h.segment = $2 AND h.entered_at < $6 AND h.entered_at <= $1"
					 "     AND (h.entered_at >= $5 OR $12 AND (h.left_at IS NULL OR h.left_at > $5))"
					 "   ORDER BY h.%s, h.label, h.entered_at) f)",
					 rule_customer(table, "f.k"), key, key, catalog_qualified_name(table->history), key);
	appendStringInfo(sql, ", conduct AS (SELECT m.id, count(*) AS anything,"
					 "   count(*) FILTER (WHERE e.event = $3) AS events,"
					 "   sum(%s) FILTER (WHERE e.event = $3) AS value"
					 " FROM member m JOIN %s e ON e.%s %s m.who AND e.at > m.entered AND e.at <= m.ends"
					 " WHERE m.judged AND e.at > $5 AND e.at <= $1%s GROUP BY 1)",
					 value_of_event(table), rule_customers_stream(table), key,
					 catalog_equality(table->key_type),
					 given(question, ARG_CHURN) ? " AND e.event = $3" : "");
}

/* A join with the history for who was where at an instant of m; a customer is in one place at most. */
static void
append_presence(StringInfo sql, const Question *question, const char *alias, int parameter,
				const char *instant)
{
	appendStringInfo(sql, " LEFT JOIN %s %s ON %s.segment = $%d AND %s.%s %s m.k"
					 " AND %s.entered_at <= %s AND (%s.left_at IS NULL OR %s.left_at > %s)",
					 catalog_qualified_name(question->table->history), alias, alias, parameter, alias,
					 quote_identifier(question->table->key_name),
					 catalog_equality(question->table->key_type), alias, instant, alias, alias, instant);
}

/*
 *		person (label, arm, judged, gone, events, value, churned)
 *			the same with the arm
 *		cell (label, arm, entered, pending, n, hits, events, value, mean, variance, gone, churned)
 *			counted
 */
static void
append_cells(StringInfo sql, const Question *question)
{
	const char *arm = "NULL::text";

	if (given(question, ARG_EXPERIMENT))
		arm = psprintf("segment.arm(%s, $7, $8)", key_for_arm(question->table));
	else if (given(question, ARG_ARMS))
		arm = "a.label";
	appendStringInfo(sql, ", person AS (SELECT m.label, %s AS arm, m.judged, m.gone,"
					 "   coalesce(c.events, 0) AS events, %s AS value, %s AS churned"
					 " FROM member m LEFT JOIN conduct c ON c.id = m.id", arm,
					 strcmp(value_of_event(question->table), "NULL::float8") == 0 ? "NULL::float8" :
					 "coalesce(c.value, 0)",
					 given(question, ARG_CHURN) ? "x.segment IS NOT NULL" : "coalesce(c.anything, 0) = 0");
	if (given(question, ARG_ARMS))
		append_presence(sql, question, "a", ARG_ARMS + 1, "m.entered");
	if (given(question, ARG_CHURN))
		append_presence(sql, question, "x", ARG_CHURN + 1, "m.ends");
	appendStringInfoString(sql, "), cell AS (SELECT label, arm, count(*) AS entered,"
						   "   count(*) FILTER (WHERE NOT judged) AS pending,"
						   "   count(*) FILTER (WHERE judged) AS n,"
						   "   count(*) FILTER (WHERE judged AND events > 0) AS hits,"
						   "   coalesce(sum(events) FILTER (WHERE judged), 0)::bigint AS events,"
						   "   sum(value) FILTER (WHERE judged) AS value,"
						   "   avg(value) FILTER (WHERE judged) AS mean,"
						   "   var_samp(value) FILTER (WHERE judged) AS variance,"
						   "   count(*) FILTER (WHERE judged AND gone) AS gone,"
						   "   count(*) FILTER (WHERE judged AND churned) AS churned"
						   " FROM person GROUP BY 1, 2)");
}

/* A line for each label and arm that there is or was. */
static void
append_lines(StringInfo sql, const Question *question, List *arms)
{
	ListCell   *lc;

	appendStringInfoString(sql, ", arm (place, arm) AS (VALUES ");
	if (arms == NIL)
		appendStringInfoString(sql, "(0, NULL::text)");
	foreach(lc, arms)
		appendStringInfo(sql, "%s(%d, %s)", foreach_current_index(lc) == 0 ? "" : ", ",
						 foreach_current_index(lc), quote_literal_cstr(lfirst(lc)));
	appendStringInfo(sql, "), line AS (SELECT label, arm, max(place) AS place, max(arm_place) AS arm_place"
					 " FROM (SELECT s.label, a.arm, s.place, a.place AS arm_place"
					 "     FROM %s s(position, place, segment, label), arm a"
					 "     WHERE s.position > 0 AND s.segment = $2"
					 "   UNION ALL SELECT label, arm, NULL, NULL FROM cell) l GROUP BY 1, 2)",
					 look_labels(question->table));
}

static char *
outcome_sql(const Question *question, List *arms)
{
	StringInfoData sql;

	initStringInfo(&sql);
	append_members(&sql, question);
	append_cells(&sql, question);
	append_lines(&sql, question, arms);
	appendStringInfoString(&sql,
						   ", full_line AS (SELECT l.*, coalesce(c.entered, 0) AS entered,"
						   "   coalesce(c.pending, 0) AS pending, coalesce(c.n, 0) AS n,"
						   "   coalesce(c.hits, 0) AS hits, coalesce(c.events, 0) AS events,"
						   "   c.value, c.mean, c.variance, coalesce(c.gone, 0) AS gone,"
						   "   coalesce(c.churned, 0) AS churned, coalesce(l.arm = $10, false) AS is_control"
						   " FROM line l LEFT JOIN cell c ON c.label IS NOT DISTINCT FROM l.label"
						   "   AND c.arm IS NOT DISTINCT FROM l.arm)"
						   " SELECT t.label, t.arm, t.entered, t.pending, t.n, t.hits,"
						   "   t.hits::float8 / nullif(t.n, 0), r.low, r.high,"
						   "   t.hits::float8 / nullif(t.n, 0) - k.hits::float8 / nullif(k.n, 0), d.low, d.high,"
						   "   t.hits::float8 / nullif(t.n, 0) * k.n / nullif(k.hits, 0) - 1,"
						   "   t.events, t.value, t.mean, v.low, v.high, t.mean - k.mean, w.low, w.high,"
						   "   t.gone, t.churned, t.churned::float8 / nullif(t.n, 0), u.low, u.high"
						   " FROM full_line t"
						   " LEFT JOIN full_line k ON k.is_control AND NOT t.is_control"
						   "   AND k.label IS NOT DISTINCT FROM t.label,"
						   " segment.rate_interval(t.hits, t.n, $13) r,"
						   " segment.rate_interval(t.churned, t.n, $13) u,"
						   " segment.rate_difference_interval(t.hits, t.n, k.hits, k.n, $13) d,"
						   " segment.mean_interval(t.mean, t.variance, t.n, $13) v,"
						   " segment.mean_difference_interval(t.mean, t.variance, t.n,"
						   "   k.mean, k.variance, k.n, $13) w"
						   " ORDER BY t.place, t.label, t.is_control DESC, t.arm_place, t.arm");
	return sql.data;
}

/* Does no line of the result have anybody who converted? */
static bool
nobody_converted(const ReturnSetInfo *result)
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(result->setDesc, &TTSOpsMinimalTuple);
	bool		nobody = true;
	bool		isnull;

	while (nobody && tuplestore_gettupleslot(result->setResult, true, false, slot))
		nobody = DatumGetInt64(slot_getattr(slot, RESULT_CONVERTED, &isnull)) == 0;
	ExecDropSingleTupleTableSlot(slot);
	tuplestore_rescan(result->setResult);
	return nobody;
}

static void
run_question(void *arg)
{
	Question   *question = arg;
	Oid			type = TEXTOID;
	Datum		event = question->values[ARG_EVENT];
	const char *stream = catalog_qualified_name(question->table->events);

	look_return(question->fcinfo, question->sql, ARGS, types, question->values,
				question->nulls);
	if (nobody_converted((ReturnSetInfo *) question->fcinfo->resultinfo) &&
		context_run(psprintf("SELECT FROM %s WHERE event = $1 LIMIT 1", stream), 1, &type, &event, NULL, true) == 0)
		question->events_there = event_names_there(question->table);
}

/* The definition, its history and stream being readable and locked. */
static SegmentTable *
open_table(Oid relid)
{
	SegmentTable *table;

	(void) look_open_history(relid);
	table = look_open_events(relid);
	look_check_sources(table);
	return table;
}

static void
read_arguments(Question *question, FunctionCallInfo fcinfo)
{
	for (int i = 0; i < ARGS; i++)
	{
		question->values[i] = PG_ARGISNULL(i) ? (Datum) 0 : PG_GETARG_DATUM(i);
		question->nulls[i] = PG_ARGISNULL(i) ? 'n' : ' ';
	}
	question->nulls[ARGS] = '\0';
	question->values[ARG_TBL] = TimestampTzGetDatum(context_instant());
	if (!given(question, ARG_UNTIL))
		question->values[ARG_UNTIL] = TimestampTzGetDatum(DT_NOEND);
	question->nulls[ARG_UNTIL] = ' ';
	check_instants(question);
	look_check_level(DatumGetFloat8(question->values[ARG_LEVEL]));
}

/* outcome(tbl, segment, event, within, since, ...) → a row for each label and arm */
Datum
segment_outcome(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"tbl", "segment", "event", "within", "since"};
	Question	question = {.fcinfo = fcinfo};
	TrustedReader reader;
	RunContext	ctx;
	List	   *arms;

	context_refuse_nulls(fcinfo, lengthof(names), names);
	if (PG_ARGISNULL(ARG_ALREADY_IN) || PG_ARGISNULL(ARG_LEVEL))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("already_in and level must not be null")));
	read_arguments(&question, fcinfo);
	InitMaterializedSRF(fcinfo, 0);
	question.table = open_table(PG_GETARG_OID(ARG_TBL));
	arms = arms_of(&question);
	find_control(&question, arms);
	if (given(&question, ARG_CHURN) &&
		find_recorded(question.table, text_argument(&question, ARG_CHURN), COLUMN_SEGMENT) == NULL)
		refuse_name(question.table, "segment", text_argument(&question, ARG_CHURN), "segments");
	question.sql = outcome_sql(&question, arms);
	trust_reader(&reader, question.table);
	SPI_connect();
	look_enter(&ctx, question.table, DatumGetTimestampTz(question.values[ARG_TBL]));
	context_set("jit", "off");
	if (find_recorded(question.table, text_argument(&question, ARG_SEGMENT), -1) == NULL &&
		!is_in_history(&question))
		refuse_name(question.table, "segment, group or band", text_argument(&question, ARG_SEGMENT),
					"segments, segment.groups and segment.bands");
	PG_TRY();
	{
		guard_hide_sql(run_question, &question, question.sql,
					   psprintf("outcome of segment table %s", catalog_qualified_name(question.table->relid)));
	}
	PG_CATCH();
	{
		trust_rethrow(&reader);
	}
	PG_END_TRY();
	context_leave(&ctx);
	if (question.events_there != NULL)
		ereport(NOTICE,
				(errmsg("the stream of segment table %s has no event \"%s\"",
						catalog_qualified_name(question.table->relid), text_argument(&question, ARG_EVENT)),
				 errdetail("The stream has %s.", question.events_there)));
	SPI_finish();
	return (Datum) 0;
}
