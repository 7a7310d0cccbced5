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

PG_FUNCTION_INFO_V1(segment_sizes);
PG_FUNCTION_INFO_V1(segment_overlap);

/* The columns that say where a row belongs. */
static List *
membership_columns(const SegmentTable *table)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, table->columns)
	{
		if (((Column *) lfirst(lc))->kind == COLUMN_SEGMENT)
			result = lappend(result, lfirst(lc));
	}
	return result;
}

/* "(position, segment, label, member)" of a column of p. */
static char *
membership(const Column *column)
{
	return psprintf("(%d, %s, NULL, p.%s)", column->position, quote_literal_cstr(column->name),
					quote_identifier(column->name));
}

char *
look_population(const SegmentTable *table, const char *extra)
{
	List	   *columns = membership_columns(table);
	StringInfoData sql;
	StringInfoData members;
	StringInfoData segments;
	ListCell   *lc;

	initStringInfo(&sql);
	initStringInfo(&members);
	initStringInfo(&segments);
	appendStringInfo(&sql, "WITH pattern AS MATERIALIZED (SELECT *, row_number() OVER () AS __segment_id"
					 " FROM (SELECT %s", extra);
	foreach(lc, columns)
	{
		Column	   *column = lfirst(lc);

		appendStringInfo(&sql, "%s, ", quote_identifier(column->name));
		appendStringInfo(&members, ", %s", membership(column));
		appendStringInfo(&segments, ", (%d, %s)", column->position, quote_literal_cstr(column->name));
	}
	appendStringInfo(&sql, "count(*) AS __segment_n FROM %s",
					 catalog_qualified_name(table->relid));
	for (int i = 1; i <= list_length(columns) + (*extra == '\0' ? 0 : 1); i++)
		appendStringInfo(&sql, "%s%d", i == 1 ? " GROUP BY " : ", ", i);
	appendStringInfo(&sql, ") p), member AS MATERIALIZED (SELECT p.__segment_id AS id,"
					 " p.__segment_n AS n, s.position, s.segment, s.label FROM pattern p,"
					 " LATERAL (VALUES (0, NULL::text, NULL::text, false)%s)"
					 "   s(position, segment, label, member) WHERE s.member)"
					 ", size AS MATERIALIZED (SELECT position, segment, label, sum(n)::bigint AS members"
					 " FROM (SELECT position, segment, label, n FROM member UNION ALL"
					 "   SELECT s.position, s.segment, NULL, 0 FROM (VALUES (0, NULL::text)%s)"
					 "     s(position, segment) WHERE s.position > 0) s GROUP BY 1, 2, 3)",
					 members.data, segments.data);
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
				  " ORDER BY s.position, s.label");
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
				  " ORDER BY a.position, a.label, b.position, b.label");
}
