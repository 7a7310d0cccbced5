/*
 * explain.c
 *		Why a customer is in a segment or not, and until when.
 *
 * A rule's parts are computed as columns of the customer's row, now and, one
 * after the other, at the instants at which time alone may change any of them:
 * the first at which a part differs is when time flips it.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "catalog/trust.h"
#include "context.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "look/explain.h"
#include "look/look.h"
#include "miscadmin.h"
#include "parser/parse_coerce.h"
#include "pgtime.h"
#include "refresh/refresh.h"
#include "rule/rule.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(segment_explain);

/* So many instants are looked at in search of the one that flips a part. */
#define MAX_INSTANTS 100

/* What a line says. */
typedef struct Line
{
	const Part *part;
	char	   *value;			/* as text; NULL for NULL */
	char	   *shown;			/* the values it reads, as they are shown */
	TimestampTz changes_at;		/* infinity: never */
	bool		settled;		/* changes_at is known */
} Line;

/* The customer's row as of an instant; all of it in the current memory context. */
typedef struct Row
{
	TupleTableSlot *slot;
	TupleDesc	desc;
	bool		exists;			/* there are events or attributes of the customer */
} Row;

/* named: an error says which column fails. */
static void
read_row(const SegmentTable *table, Datum keys, TimestampTz as_of, bool named, Row *row)
{
	Selection	selection = {.whom = RULE_KEYS,.keys = keys,.future = true,.snapshot_of_caller = true};
	Evaluation *evaluation;

	context_set_as_of(as_of);
	evaluation = named ? evaluate_named(table, &selection, as_of) : evaluate(table, &selection);
	row->desc = evaluation->desc;
	row->slot = MakeSingleTupleTableSlot(row->desc, &TTSOpsMinimalTuple);
	row->exists = tuplestore_gettupleslot(evaluation->rows, true, true, row->slot);
	tuplestore_end(evaluation->rows);
}

static void
close_row(Row *row)
{
	ExecDropSingleTupleTableSlot(row->slot);
}

typedef struct RowAttempt
{
	const SegmentTable *table;
	Datum		keys;
	TimestampTz as_of;
	Row		   *row;
} RowAttempt;

static void
row_step(void *arg)
{
	RowAttempt *a = arg;

	read_row(a->table, a->keys, a->as_of, false, a->row);
}

/* The same; false if an expression raises an error. */
static bool
try_row(const SegmentTable *table, Datum keys, TimestampTz as_of, Row *row)
{
	RowAttempt	a = {.table = table,.keys = keys,.as_of = as_of,.row = row};

	return guard_run(row_step, &a, GUARD_EXPRESSIONS) == NULL;
}

static Datum
value_of(const Row *row, const char *name, bool *isnull)
{
	return slot_getattr(row->slot, SPI_fnumber(row->desc, name), isnull);
}

/* A column's value as text, or NULL. */
static char *
text_of(const Row *row, const char *name)
{
	Oid			type = SPI_gettypeid(row->desc, SPI_fnumber(row->desc, name));
	Oid			output;
	bool		is_varlena;
	bool		isnull;
	Datum		value = value_of(row, name, &isnull);

	if (isnull)
		return NULL;
	if (type == BOOLOID)
		return DatumGetBool(value) ? "true" : "false";
	getTypeOutputInfo(type, &output, &is_varlena);
	return OidOutputFunctionCall(output, value);
}

/* "column = value, ..."; text in quotes. */
static void
append_value(StringInfo shown, const Row *row, const char *name)
{
	Oid			type = SPI_gettypeid(row->desc, SPI_fnumber(row->desc, name));
	char	   *text = text_of(row, name);

	if (text != NULL && TypeCategory(type) == TYPCATEGORY_STRING)
		text = quote_literal_cstr(text);
	appendStringInfo(shown, "%s%s = %s", shown->len == 0 ? "" : ", ", quote_identifier(name),
					 text == NULL ? "NULL" : text);
}

/* "from 2 and 3 of 7 events": as many as its aggregates read; the last count is of all. */
static void
append_counts(StringInfo shown, const Row *row, List *counts)
{
	char	   *all;
	ListCell   *lc;

	if (counts == NIL)
		return;
	appendStringInfoString(shown, shown->len == 0 ? "from " : ", from ");
	all = text_of(row, llast(counts));
	if (strcmp(all, "0") == 0)
	{
		appendStringInfoString(shown, "no event");
		return;
	}
	foreach(lc, counts)
	{
		if (foreach_current_index(lc) > 0)
			appendStringInfoString(shown, lnext(counts, lc) == NULL ? " of " : " and ");
		appendStringInfoString(shown, text_of(row, lfirst(lc)));
	}
	appendStringInfoString(shown, strcmp(all, "1") == 0 ? " event" : " events");
}

/* Is a part evaluated at all? */
static bool
is_reached(const Row *row, const Part *part)
{
	bool		isnull;

	return part->reached == NULL || (DatumGetBool(value_of(row, part->reached, &isnull)) && !isnull);
}

/* What a line shows of the present. */
static void
fill_line(Line *line, const Row *row, TimestampTz due_again)
{
	const Part *part = line->part;
	StringInfoData shown;
	ListCell   *lc;

	initStringInfo(&shown);
	line->value = text_of(row, part->name);
	if (!is_reached(row, part))
		appendStringInfoString(&shown, "not reached");
	else if (!part->is_condition && !part->is_below)
		append_value(&shown, row, part->name);
	if (is_reached(row, part))
	{
		foreach(lc, part->reads)
			append_value(&shown, row, lfirst(lc));
		append_counts(&shown, row, part->counts);
	}
	line->shown = shown.len == 0 ? NULL : shown.data;
	line->changes_at = part->exact ? DT_NOEND : due_again;
	line->settled = !part->exact;
}

/* The lines of some parts, in the time zone of the session. */
static List *
make_lines(List *parts, const Row *row, const char *time_zone, TimestampTz due_again)
{
	List	   *lines = NIL;
	RunContext	ctx;
	ListCell   *lc;

	context_enter_canonical(&ctx);
	context_set("TimeZone", time_zone);
	foreach(lc, parts)
	{
		Line	   *line = palloc0(sizeof(Line));

		line->part = lfirst(lc);
		fill_line(line, row, due_again);
		lines = lappend(lines, line);
	}
	context_leave(&ctx);
	return lines;
}

/* Settles the lines whose value is another one as of an instant; returns how many are left. */
static int
compare_lines(List *lines, const Row *row, const char *time_zone, TimestampTz as_of)
{
	int			left = 0;
	RunContext	ctx;
	ListCell   *lc;

	context_enter_canonical(&ctx);
	context_set("TimeZone", time_zone);
	foreach(lc, lines)
	{
		Line	   *line = lfirst(lc);
		char	   *value;

		if (line->settled)
			continue;
		value = text_of(row, line->part->name);
		if ((value == NULL) != (line->value == NULL) ||
			(value != NULL && strcmp(value, line->value) != 0))
		{
			line->changes_at = as_of;
			line->settled = true;
		}
		else
			left++;
	}
	context_leave(&ctx);
	return left;
}

/* Are there events whose time is still to come? */
static bool
has_future_events(const SegmentTable *table, Datum keys, TimestampTz as_of)
{
	SegmentTable quiet = *table;
	TimestampTz next;
	Row			row;
	bool		isnull;
	ListCell   *lc;

	/* where nothing moves, only an event ends what a row says */
	quiet.columns = NIL;
	foreach(lc, table->columns)
	{
		Column	   *column = memcpy(palloc(sizeof(Column)), lfirst(lc), sizeof(Column));

		column->crossings = NIL;
		quiet.columns = lappend(quiet.columns, column);
	}
	if (!try_row(&quiet, keys, as_of, &row))
		return false;
	next = DatumGetTimestampTz(value_of(&row, VALID_UNTIL_COLUMN, &isnull));
	close_row(&row);
	return !TIMESTAMP_NOT_FINITE(next);
}

/*
 * Goes from instant to instant until every line is settled or nothing moves any
 * more.  Where the rule itself fails there is no further; false where a part
 * does that the rule may not evaluate.
 */
static bool
look_ahead(const Explanation *e, Datum keys, List *lines, TimestampTz next, const char *time_zone)
{
	MemoryContext step = AllocSetContextCreate(CurrentMemoryContext, "segment explain",
											   ALLOCSET_DEFAULT_SIZES);
	int			left = 1;
	bool		future;
	ListCell   *lc;

	for (int i = 0; i < MAX_INSTANTS && left > 0 && !TIMESTAMP_NOT_FINITE(next); i++)
	{
		MemoryContext old = MemoryContextSwitchTo(step);
		TimestampTz as_of = next;
		Row			row;
		bool		isnull;

		CHECK_FOR_INTERRUPTS();
		if (!try_row(e->computed, keys, as_of, &row))
		{
			MemoryContextSwitchTo(old);
			if (!e->strict)
				return false;
			break;
		}
		if (!row.exists)
			ereport(ERROR,
					(errcode(ERRCODE_INTERNAL_ERROR),
					 errmsg("a customer's row is gone as time passes")));
		left = compare_lines(lines, &row, time_zone, as_of);
		next = DatumGetTimestampTz(value_of(&row, VALID_UNTIL_COLUMN, &isnull));
		close_row(&row);
		MemoryContextSwitchTo(old);
		MemoryContextReset(step);
	}
	MemoryContextDelete(step);
	future = left > 0 && !TIMESTAMP_NOT_FINITE(next) && has_future_events(e->computed, keys, next);
	foreach(lc, lines)
	{
		Line	   *line = lfirst(lc);

		/* not before this instant; infinity if nothing moves any more */
		if (!line->settled)
			line->changes_at = line->part->moves || future ? next : DT_NOEND;
	}
	return true;
}

static void
return_lines(FunctionCallInfo fcinfo, List *lines)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	ListCell   *lc;

	foreach(lc, lines)
	{
		Line	   *line = lfirst(lc);
		const Part *part = line->part;
		Datum		values[6];
		bool		nulls[6] = {false};

		values[0] = Int32GetDatum(foreach_current_index(lc) + 1);
		values[1] = Int32GetDatum(part->level);
		values[2] = CStringGetTextDatum(psprintf("%*s%s", 2 * part->level, "", part->text));
		nulls[3] = !part->is_condition || line->value == NULL;
		values[3] = BoolGetDatum(!nulls[3] && strcmp(line->value, "true") == 0);
		nulls[4] = line->shown == NULL;
		values[4] = nulls[4] ? (Datum) 0 : CStringGetTextDatum(line->shown);
		nulls[5] = line->changes_at == DT_NOEND;
		values[5] = TimestampTzGetDatum(line->changes_at);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/* The instant by which a row is due again whose changes with time are not analyzed. */
static TimestampTz
due_again(const SegmentTable *table, TimestampTz as_of)
{
	return DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval,
												   TimestampTzGetDatum(as_of),
												   IntervalPGetDatum(table->max_age)));
}

/*
 * Explains a column by its parts; no lines if the customer is none.  Of a
 * customer who is not eligible, whose row is not there to be read, only the
 * owner learns more than that.  False if a part fails that the rule may not
 * evaluate.
 */
static bool
explain_parts(const Explanation *e, Datum keys, TimestampTz as_of, const char *time_zone,
			  bool is_owner, List **lines)
{
	TimestampTz again = due_again(e->table, as_of);
	Row			row;
	bool		isnull;
	bool		result;

	*lines = NIL;
	if (e->strict)
		read_row(e->computed, keys, as_of, true, &row);
	else if (!try_row(e->computed, keys, as_of, &row))
		return false;
	if (!row.exists || !DatumGetBool(value_of(&row, PRESENT_COLUMN, &isnull)))
	{
		close_row(&row);
		return true;
	}
	*lines = make_lines(e->parts, &row, time_zone, again);
	if (e->eligible != NIL && !DatumGetBool(value_of(&row, ELIGIBLE_NAME, &isnull)))
	{
		List	   *eligible = make_lines(e->eligible, &row, time_zone, again);

		if (!is_owner)
		{
			close_row(&row);
			((Line *) linitial(eligible))->changes_at = DT_NOEND;
			*lines = list_make1(linitial(eligible));
			return true;
		}
		*lines = list_concat(eligible, *lines);
	}
	result = look_ahead(e, keys, *lines, DatumGetTimestampTz(value_of(&row, VALID_UNTIL_COLUMN, &isnull)),
						time_zone);
	close_row(&row);
	return result;
}

/*
 * The parts that can do no harm are computed in any case.  If one does after
 * all, as where a number is out of range, each is computed only where the rule
 * does it.
 */
static List *
explain(const SegmentTable *table, const Column *column, Datum key, const char *time_zone,
		bool is_owner)
{
	TimestampTz as_of = context_instant();
	Datum		keys = PointerGetDatum(construct_array(&key, 1, TEXTOID, -1, false, TYPALIGN_INT));
	List	   *lines;

	/* what was warned of when it was defined need not be said again */
	context_set("client_min_messages", "error");
	if (!explain_parts(explain_take_apart(table, column, false), keys, as_of, time_zone, is_owner, &lines))
		explain_parts(explain_take_apart(table, column, true), keys, as_of, time_zone, is_owner, &lines);
	return lines;
}

/* explain(tbl, key, name) → (step, level, condition, holds, values, changes_at) */
Datum
segment_explain(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"tbl", "key", "name"};
	const char *time_zone = pstrdup(pg_get_timezone_name(session_timezone));
	SegmentTable *table;
	Column	   *column;
	char	   *name;
	TrustedReader reader;
	List	   *volatile lines = NIL;
	RunContext	ctx;

	context_refuse_nulls(fcinfo, 3, names);
	InitMaterializedSRF(fcinfo, 0);
	table = look_open(PG_GETARG_OID(0));
	look_check_sources(table);
	name = text_to_cstring(PG_GETARG_TEXT_PP(2));
	column = catalog_find_column(table, name);
	if (column == NULL || column->kind == COLUMN_ELIGIBLE)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("segment table %s has no segment, group, score, band or attribute \"%s\"",
						catalog_qualified_name(table->relid), name),
				 errhint("See the views segment.segments, segment.groups, segment.scores and segment.bands.")));
	trust_reader(&reader, table);
	SPI_connect();
	context_enter_owner(&ctx, table->owner, table->time_zone);
	current_check_key(table, PG_GETARG_DATUM(1));
	PG_TRY();
	{
		lines = explain(table, column, CStringGetTextDatum(key_customer(table, PG_GETARG_DATUM(1))),
						time_zone, reader.is_member);
	}
	PG_CATCH();
	{
		trust_rethrow(&reader);
	}
	PG_END_TRY();
	context_leave(&ctx);
	return_lines(fcinfo, lines);
	SPI_finish();
	if (lines == NIL)
		ereport(NOTICE,
				(errmsg("customer \"%s\" has no event and no attributes as of now",
						text_to_cstring(PG_GETARG_TEXT_PP(1)))));
	return (Datum) 0;
}
