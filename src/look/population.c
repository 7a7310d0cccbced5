/*
 * population.c
 *		The segments of everybody, by the stored rows: how large they are, and
 *		how they overlap.
 *
 * Rows are first counted by what they are members of.  There are far fewer
 * such patterns than customers, and all else is asked of the patterns.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "look/look.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(segment_sizes);
PG_FUNCTION_INFO_V1(segment_overlap);

/*
 * The columns that say where a row belongs.  One that was dropped by hand says
 * nothing: of the others there is an answer all the same.
 */
static List *
membership_columns(const SegmentTable *table)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, table->columns)
	{
		Column	   *column = lfirst(lc);

		if (catalog_is_recorded(column) &&
			get_attnum(table->relid, column->name) != InvalidAttrNumber)
			result = lappend(result, column);
	}
	return result;
}

/* "(position, segment, label, member)" of a column of p; a label is as the history has it. */
static char *
membership(const Column *column)
{
	const char *name = quote_identifier(column->name);

	if (column->kind == COLUMN_SEGMENT)
		return psprintf("(%d, %s, NULL, p.%s)", column->position, quote_literal_cstr(column->name), name);
	return psprintf("(%d, %s, p.%s::text, p.%s IS NOT NULL)", column->position,
					quote_literal_cstr(column->name), name, name);
}

char *
look_labels(const SegmentTable *table)
{
	List	   *columns = membership_columns(table);
	StringInfoData sql;
	ListCell   *lc,
			   *lc2;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "(VALUES (0, 0, NULL::text, NULL::text)");
	foreach(lc, columns)
	{
		Column	   *column = lfirst(lc);
		char	   *name = quote_literal_cstr(column->name);

		if (column->kind == COLUMN_SEGMENT)
			appendStringInfo(&sql, ", (%d, 0, %s, NULL)", column->position, name);
		foreach(lc2, column->labels)
			appendStringInfo(&sql, ", (%d, %d, %s, %s)", column->position,
							 foreach_current_index(lc2), name, quote_literal_cstr(lfirst(lc2)));
		for (int band = 1; band <= column->bands; band++)
			appendStringInfo(&sql, ", (%d, %d, %s, '%d')", column->position, band, name, band);
	}
	appendStringInfoChar(&sql, ')');
	return sql.data;
}

char *
look_population(const SegmentTable *table, const char *extra)
{
	List	   *columns = membership_columns(table);
	StringInfoData sql;
	StringInfoData members;
	ListCell   *lc;

	initStringInfo(&sql);
	initStringInfo(&members);
	appendStringInfo(&sql, "WITH pattern AS MATERIALIZED (SELECT *, row_number() OVER () AS __segment_id"
					 " FROM (SELECT %s", extra);
	foreach(lc, columns)
	{
		Column	   *column = lfirst(lc);

		appendStringInfo(&sql, "%s, ", quote_identifier(column->name));
		appendStringInfo(&members, ", %s", membership(column));
	}
	appendStringInfo(&sql, "count(*) AS __segment_n FROM %s",
					 catalog_qualified_name(table->relid));
	for (int i = 1; i <= list_length(columns) + (*extra == '\0' ? 0 : 1); i++)
		appendStringInfo(&sql, "%s%d", i == 1 ? " GROUP BY " : ", ", i);
	appendStringInfo(&sql, ") p), member AS MATERIALIZED (SELECT p.__segment_id AS id,"
					 " p.__segment_n AS n, s.position, s.segment, s.label FROM pattern p,"
					 " LATERAL (VALUES (0, NULL::text, NULL::text, false)%s)"
					 "   s(position, segment, label, member) WHERE s.member)"
					 ", size AS MATERIALIZED (SELECT position, segment, label, sum(n)::bigint AS members,"
					 "   max(place) AS place"
					 " FROM (SELECT position, NULL::int AS place, segment, label, n FROM member UNION ALL"
					 "   SELECT s.position, s.place, s.segment, s.label, 0 FROM %s s(position, place, segment, label)"
					 "   WHERE s.position > 0) s GROUP BY 1, 2, 3)",
					 members.data, look_labels(table));
	return sql.data;
}

/* Runs a question about the stored rows: the expressions above, then what is given. */
static Datum
answer(FunctionCallInfo fcinfo, const char *question)
{
	SegmentTable *table;
	RunContext	ctx;

	InitMaterializedSRF(fcinfo, 0);
	table = look_open(PG_GETARG_OID(0));
	SPI_connect();
	look_enter(&ctx, table, context_instant());
	/* compiling an expression for each segment takes longer than it saves */
	context_set("jit", "off");
	look_return(fcinfo, psprintf("%s %s", look_population(table, ""), question), 0, NULL, NULL, NULL);
	context_leave(&ctx);
	SPI_finish();
	return (Datum) 0;
}

/* sizes(tbl) → (segment, label, members, customers, share) */
Datum
segment_sizes(PG_FUNCTION_ARGS)
{
	return answer(fcinfo,
				  "SELECT s.segment, s.label, s.members, c.n, s.members::float8 / nullif(c.n, 0)"
				  " FROM size s, (SELECT coalesce(sum(__segment_n), 0)::bigint AS n FROM pattern) c"
				  " ORDER BY s.position, s.place, s.label");
}

/* overlap(tbl) → (a, b, members_a, members_b, shared, jaccard) */
Datum
segment_overlap(PG_FUNCTION_ARGS)
{
	return answer(fcinfo,
				  ", shared AS (SELECT a.position AS a, a.label AS la, b.position AS b, b.label AS lb,"
				  "   sum(a.n)::bigint AS n FROM member a JOIN member b ON a.id = b.id"
				  "   AND a.position < b.position GROUP BY 1, 2, 3, 4)"
				  " SELECT concat_ws(': ', a.segment, a.label), concat_ws(': ', b.segment, b.label),"
				  "   a.members, b.members, coalesce(s.n, 0),"
				  "   coalesce(s.n, 0)::float8 / nullif(a.members + b.members - coalesce(s.n, 0), 0)"
				  " FROM size a JOIN size b ON a.position < b.position"
				  " LEFT JOIN shared s ON s.a = a.position AND s.b = b.position"
				  "   AND s.la IS NOT DISTINCT FROM a.label AND s.lb IS NOT DISTINCT FROM b.label"
				  " ORDER BY a.position, a.place, a.label, b.position, b.place, b.label");
}
