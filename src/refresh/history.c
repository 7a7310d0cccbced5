/*
 * history.c
 *		Who was in which segment and which group when.
 *
 * A segment's interval says that the customer was a member; a group's has the
 * label that the customer had.  Of each at most one is open.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "refresh/internal.h"
#include "rule/rule.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* "member, label" of a column's value: for a segment, value is boolean and not null. */
static char *
member_and_label(const Column *column, const char *value)
{
	if (column->kind == COLUMN_SEGMENT)
		return psprintf("%s, NULL::text", value);
	return psprintf("%s IS NOT NULL, %s::text", value, value);
}

/* The value before, under the name that history_append_before gives it. */
static char *
value_before(const Column *column, const char *prefix)
{
	return psprintf("%s.__segment_was_%d", prefix, column->position);
}

static char *
value_now(const Column *column, const char *prefix)
{
	return psprintf("%s.%s", prefix, quote_identifier(column->name));
}

void
history_append_before(StringInfo sql, const SegmentTable *table)
{
	ListCell   *lc;

	foreach(lc, table->columns)
	{
		Column	   *column = lfirst(lc);

		if (catalog_is_recorded(column))
			appendStringInfo(sql, column->kind == COLUMN_SEGMENT ?
							 ", COALESCE(o.%s, false) AS __segment_was_%d" :
							 ", o.%s AS __segment_was_%d",
							 quote_identifier(column->name), column->position);
	}
}

/*
 * The recorded columns have numbers, groups the first.  That a column has moved
 * is its number, negative if the customer is out of it, else NULL.
 */
typedef struct Moves
{
	int			count;
	StringInfoData names;		/* by number */
	StringInfoData labels;		/* of groups after the change, by number */
	StringInfoData changes;		/* of rows of diff */
	StringInfoData entries;		/* of rows of diff before which nothing was */
	StringInfoData ends;		/* of rows of gone */
} Moves;

/* Has a value of the column the customer be in it?  A segment's is boolean and not null. */
static char *
is_member(const Column *column, const char *value)
{
	return column->kind == COLUMN_SEGMENT ? pstrdup(value) : psprintf("%s IS NOT NULL", value);
}

static void
list_move(Moves *moves, const Column *column, int number, const char *comma)
{
	bool		labelled = column->kind != COLUMN_SEGMENT;
	char	   *was = value_before(column, "d");
	char	   *now = value_now(column, "d");

	appendStringInfo(&moves->changes, "%sCASE WHEN d.__segment_is_back OR %s%s %s %s%s"
					 " THEN CASE WHEN %s THEN %d ELSE %d END END", comma,
					 was, labelled ? "::text" : "", labelled ? "IS DISTINCT FROM" : "<>",
					 now, labelled ? "::text" : "", is_member(column, now), number, -number);
	appendStringInfo(&moves->entries, "%sCASE WHEN %s THEN %d END", comma, is_member(column, now), number);
	appendStringInfo(&moves->ends, "%sCASE WHEN %s THEN %d END", comma,
					 is_member(column, value_before(column, "g")), number);
}

static void
list_moves(const SegmentTable *table, Moves *moves)
{
	StringInfoData segments;
	int			labelled = 0;
	int			plain;
	ListCell   *lc;

	moves->count = 0;
	initStringInfo(&segments);
	initStringInfo(&moves->names);
	initStringInfo(&moves->labels);
	initStringInfo(&moves->changes);
	initStringInfo(&moves->entries);
	initStringInfo(&moves->ends);
	foreach(lc, table->columns)
	{
		Column	   *column = lfirst(lc);

		if (!catalog_is_recorded(column))
			continue;
		moves->count++;
		if (column->kind == COLUMN_SEGMENT)
			appendStringInfo(&segments, ", %s", quote_literal_cstr(column->name));
		else
		{
			const char *comma = labelled++ > 0 ? ", " : "";

			appendStringInfo(&moves->names, "%s%s", comma, quote_literal_cstr(column->name));
			appendStringInfo(&moves->labels, "%s%s::text", comma, value_now(column, "d"));
		}
	}
	appendStringInfoString(&moves->names, segments.data + (labelled > 0 || segments.len == 0 ? 0 : 2));
	plain = labelled;
	labelled = 0;
	foreach(lc, table->columns)
	{
		Column	   *column = lfirst(lc);

		if (catalog_is_recorded(column))
			list_move(moves, column, column->kind == COLUMN_SEGMENT ? ++plain : ++labelled,
					  moves->ends.len > 0 ? ", " : "");
	}
}

/*
 * A query of "__segment_move", the number of each move of the rows of a
 * relation, beside a list of their columns.  VALUES, one row for each column,
 * would prepare every one of them anew for each customer; OFFSET 0 has a
 * column not computed anew for each move.
 */
static char *
each_move(const char *moves, const char *columns, const char *from)
{
	return psprintf("SELECT *, unnest(__segment_moves) AS __segment_move FROM (SELECT %s,"
					" array_remove(ARRAY[%s]::int[], NULL) AS __segment_moves FROM %s OFFSET 0) __segment_m",
					columns, moves, from);
}

/* Nothing can be open, so nothing ends, and nothing stands in the way of what opens. */
static void
append_first(StringInfo sql, const SegmentTable *table, const Moves *moves, const char *returning)
{
	const char *key = quote_identifier(table->key_name);

	appendStringInfo(sql, ", opened AS (INSERT INTO %s (%s, segment, label, entered_at)"
					 " SELECT m.%s, (ARRAY[%s]::text[])[__segment_move], __segment_labels[__segment_move], $1"
					 " FROM (%s) m RETURNING %s), ended AS (SELECT o.* FROM opened o WHERE false)",
					 catalog_qualified_name(table->history), key, key, moves->names.data,
					 each_move(moves->entries.data,
							   psprintf("d.%s, ARRAY[%s]::text[] AS __segment_labels", key, moves->labels.data),
							   "diff d"),
					 returning);
}

/* What differs, with the state after it. */
static void
append_moves(StringInfo sql, const SegmentTable *table, const Moves *moves, HistoryScope scope)
{
	const char *key = quote_identifier(table->key_name);

	appendStringInfo(sql, ", moves AS MATERIALIZED ("
					 "SELECT m.%s, (ARRAY[%s]::text[])[abs(__segment_move)] AS segment,"
					 " __segment_move > 0 AS __segment_member,"
					 " __segment_labels[__segment_move] AS __segment_label FROM (%s) m"
					 " UNION ALL SELECT g.%s, (ARRAY[%s]::text[])[__segment_move], false, NULL FROM (%s) g",
					 key, moves->names.data,
					 each_move(moves->changes.data,
							   psprintf("d.%s, ARRAY[%s]::text[] AS __segment_labels", key, moves->labels.data),
							   "diff d"),
					 key, moves->names.data,
					 each_move(moves->ends.data, psprintf("g.%s", key), "gone g"));
	if (scope == HISTORY_OF_ALL)
		appendStringInfo(sql, " UNION ALL SELECT h.%s, h.segment, false, NULL FROM %s h"
						 " WHERE h.left_at IS NULL AND NOT EXISTS (SELECT FROM %s o WHERE %s)"
						 " AND NOT EXISTS (SELECT FROM diff d WHERE %s)",
						 key, catalog_qualified_name(table->history), catalog_qualified_name(table->relid),
						 same_key(table, "o", "h"), same_key(table, "d", "h"));
	appendStringInfoChar(sql, ')');
}

/*
 * Intervals that end.  They are found by customer and segment before their
 * beginning is looked at: that few have begun just now is no reason to read all
 * of the history in search of them.  Nor is that many might have moved, of which
 * the planner knows nothing: where some customers alone are concerned, OFFSET 0
 * has their intervals looked up one by one.
 */
static void
append_ended(StringInfo sql, const SegmentTable *table, HistoryScope scope)
{
	const char *key = quote_identifier(table->key_name);

	appendStringInfo(sql, ", ended AS MATERIALIZED (SELECT h.* FROM moves m, LATERAL ("
					 "SELECT i.ctid AS place, i.entered_at, i.%s, i.segment, i.label FROM %s i"
					 " WHERE %s AND i.segment = m.segment AND i.left_at IS NULL"
					 " AND (NOT m.__segment_member OR i.label IS DISTINCT FROM m.__segment_label)%s) h"
					 " WHERE NOT m.__segment_member OR m.__segment_label IS NOT NULL)",
					 key, catalog_qualified_name(table->history), same_key(table, "i", "m"),
					 scope == HISTORY_OF_KEYS ? " OFFSET 0" : "");
}

/* An interval that would end where it began never was: it is removed. */
bool
history_append_moves(StringInfo sql, const SegmentTable *table, HistoryScope scope)
{
	char	   *history = catalog_qualified_name(table->history);
	const char *key = quote_identifier(table->key_name);
	const char *interval = psprintf("%s, segment, label", key);
	const char *returning = OidIsValid(table->changes) ? interval : "1";
	Moves		moves;

	list_moves(table, &moves);
	if (moves.count == 0)
		return false;
	if (scope == HISTORY_IS_EMPTY)
		append_first(sql, table, &moves, returning);
	else
	{
		append_moves(sql, table, &moves, scope);
		append_ended(sql, table, scope);
		appendStringInfo(sql, ", undone AS (DELETE FROM %s h USING ended e"
						 " WHERE h.ctid = e.place AND e.entered_at >= $1 RETURNING 1)", history);
		appendStringInfo(sql, ", closed AS (UPDATE %s h SET left_at = $1 FROM ended e"
						 " WHERE h.ctid = e.place AND e.entered_at < $1 RETURNING 1)", history);

		/*
		 * The counts see to it that what ends has ended before something
		 * opens, of which the index allows one.  An interval may be open if
		 * the row was deleted by hand: who is in it still goes on with it.
		 */
		appendStringInfo(sql, ", opened AS (INSERT INTO %s (%s, segment, label, entered_at)"
						 " SELECT %s, segment, __segment_label, $1 FROM moves WHERE __segment_member"
						 " AND (SELECT count(*) FROM undone) >= 0 AND (SELECT count(*) FROM closed) >= 0"
						 " ON CONFLICT DO NOTHING RETURNING %s)", history, key, key, returning);
	}
	if (OidIsValid(table->changes))
		appendStringInfo(sql, ", kept AS (%s)",
						 catalog_changes_insert(table, psprintf("SELECT %s, false AS entered FROM ended"
															" UNION ALL SELECT %s, true FROM opened",
															interval, interval)));
	return true;
}

bool
history_is_empty(const SegmentTable *table)
{
	bool		isnull;

	run_sql(psprintf("SELECT NOT EXISTS (SELECT FROM %s)", catalog_qualified_name(table->history)),
			0, NULL, NULL, false);
	return DatumGetBool(first_value(&isnull));
}

char *
history_members_sql(const SegmentTable *table, const char *from)
{
	StringInfoData values;
	ListCell   *lc;

	initStringInfo(&values);
	appendStringInfoString(&values, "(NULL::text, false, NULL::text)");
	foreach(lc, table->columns)
	{
		Column	   *column = lfirst(lc);

		if (catalog_is_recorded(column))
			appendStringInfo(&values, ", (%s, %s)", quote_literal_cstr(column->name),
							 member_and_label(column, value_now(column, "o")));
	}
	return psprintf("SELECT o.%s, s.segment, s.label FROM %s o,"
					" LATERAL (VALUES %s) s(segment, member, label) WHERE s.member",
					quote_identifier(table->key_name), from, values.data);
}

/*
 * Counts, and keeps as changes, how what is open will differ from what it is;
 * members is a query of who is in what then.
 */
static void
rewind_changes(Run *run, const SegmentTable *table, const char *members, int nargs, Oid *types,
			   Datum *values)
{
	const char *key = quote_identifier(table->key_name);
	const char *history = catalog_qualified_name(table->history);
	const char *same = psprintf("%s AND m.segment = h.segment AND m.label IS NOT DISTINCT FROM h.label",
								same_key(table, "m", "h"));
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "WITH members AS MATERIALIZED (%s), moved AS MATERIALIZED ("
					 "SELECT h.%s, h.segment, h.label, false AS entered FROM %s h"
					 " WHERE h.left_at IS NULL AND NOT EXISTS (SELECT FROM members m WHERE %s)"
					 " UNION ALL SELECT m.%s, m.segment, m.label, true FROM members m"
					 " WHERE NOT EXISTS (SELECT FROM %s h WHERE h.left_at IS NULL AND %s))",
					 members, key, history, same, key, history, same);
	if (OidIsValid(table->changes))
		appendStringInfo(&sql, ", kept AS (%s)",
						 catalog_changes_insert(table, psprintf("SELECT %s, segment, label, entered FROM moved",
															key)));
	appendStringInfoString(&sql, " SELECT count(*) FILTER (WHERE entered), count(*) FILTER (WHERE NOT entered)"
						   " FROM moved WHERE $1 IS NOT NULL");
	run_sql(sql.data, nargs, types, values, false);
	count_moves(run, 1);
}

void
history_rewind(Run *run, const SegmentTable *table, Datum except, TimestampTz as_of)
{
	char	   *history = catalog_qualified_name(table->history);
	const char *key = quote_identifier(table->key_name);
	char	   *present = psprintf("(SELECT * FROM %s WHERE %s)", ROWS_NAME, PRESENT_COLUMN);
	char	   *members = history_members_sql(table, present);
	Oid			types[] = {TIMESTAMPTZOID, TEXTARRAYOID};
	Datum		values[] = {TimestampTzGetDatum(as_of), except};

	if (except != (Datum) 0)
		members = psprintf("%s UNION ALL %s AND o.%s %s ANY (SELECT u::%s FROM unnest($2) u)",
						   members, history_members_sql(table, catalog_qualified_name(table->relid)),
						   key, catalog_equality(table->key_type), catalog_type_name(table->key_type));
	rewind_changes(run, table, members, except != (Datum) 0 ? 2 : 1, types, values);
	run_sql(psprintf("DELETE FROM %s WHERE entered_at > $1", history), 1, types, values, false);
	run_sql(psprintf("UPDATE %s SET left_at = NULL WHERE left_at > $1", history), 1, types,
			values, false);
	run_sql(psprintf("WITH members AS MATERIALIZED (%s),"
					 " stale AS MATERIALIZED (SELECT h.ctid AS place, h.entered_at FROM %s h"
					 "   WHERE h.left_at IS NULL AND NOT EXISTS"
					 "   (SELECT FROM members m WHERE %s AND m.segment = h.segment"
					 "     AND m.label IS NOT DISTINCT FROM h.label)),"
					 " undone AS (DELETE FROM %s h USING stale s"
					 "   WHERE h.ctid = s.place AND s.entered_at >= $1 RETURNING 1),"
					 " closed AS (UPDATE %s h SET left_at = $1 FROM stale s"
					 "   WHERE h.ctid = s.place AND s.entered_at < $1 RETURNING 1)"
					 " INSERT INTO %s (%s, segment, label, entered_at)"
					 " SELECT %s, segment, label, $1 FROM members"
					 " WHERE (SELECT count(*) FROM undone) >= 0 AND (SELECT count(*) FROM closed) >= 0"
					 " ON CONFLICT DO NOTHING",
					 members, history,
					 same_key(table, "m", "h"), history, history, history, key, key),
			except != (Datum) 0 ? 2 : 1, types, values, false);
}
