/*
 * health.c
 *		What is odd about a segment table, as its rows, its history and its
 *		events show it.
 *
 * Rows are read once.  Of the history and of events a bounded number of blocks
 * is read, unless all are asked for.  Each step runs by itself: where one
 * fails, that is a finding, and the others say what they have to say.
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "guc.h"
#include "lib/stringinfo.h"
#include "look/health.h"
#include "miscadmin.h"
#include "refresh/refresh.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/timestamp.h"

#define SAMPLE_BLOCKS 1000		/* of a relation are read at most */

PG_FUNCTION_INFO_V1(segment_check_health);

/* The size of a relation, which is locked, with all its parts, in blocks. */
static int64
count_blocks(Oid relation)
{
	int64		blocks = 0;
	ListCell   *lc;

	foreach(lc, find_all_inheritors(relation, AccessShareLock, NULL))
	{
		Relation	rel = relation_open(lfirst_oid(lc), NoLock);

		if (RELKIND_HAS_STORAGE(rel->rd_rel->relkind))
			blocks += RelationGetNumberOfBlocks(rel);
		relation_close(rel, NoLock);
	}
	return blocks;
}

char *
health_sample(const HealthCheck *check, Oid relation, bool *sampled)
{
	char	   *name;
	int64		blocks;

	LockRelationOid(relation, AccessShareLock);
	name = catalog_qualified_name(relation);
	blocks = check->thorough ? 0 : count_blocks(relation);
	*sampled = blocks > SAMPLE_BLOCKS;
	if (!*sampled)
		return name;
	return psprintf("%s TABLESAMPLE pg_catalog.system (%.6f) REPEATABLE (1)", name,
					100.0 * SAMPLE_BLOCKS / blocks);
}

/* A query of findings. */
typedef struct Finding
{
	const HealthCheck *check;
	const char *sql;
	Oid			type;			/* of its parameter */
	Datum		value;
} Finding;

static void
return_findings(void *arg)
{
	Finding    *finding = arg;

	look_return(finding->check->fcinfo, finding->sql, 1, &finding->type, &finding->value, NULL);
}

void
health_return(const HealthCheck *check, const char *sql, Oid type, Datum value)
{
	Finding		finding = {.check = check,.sql = sql,.type = type,.value = value};

	/* they join more than the planner can count, and would be compiled for seconds */
	context_set("jit", "off");
	guard_hide_sql(return_findings, &finding, sql,
				   psprintf("health of segment table %s", catalog_qualified_name(check->table->relid)));
}

void
health_add(const HealthCheck *check, const char *sql)
{
	RunContext	ctx;

	SPI_connect();
	look_enter(&ctx, check->table, check->as_of);
	health_return(check, sql, TIMESTAMPTZOID, TimestampTzGetDatum(check->as_of));
	context_leave(&ctx);
	SPI_finish();
}

/* The positions of the bands, which are not what somebody would call a segment, as an array. */
static char *
band_positions(const SegmentTable *table)
{
	StringInfoData result;
	ListCell   *lc;

	initStringInfo(&result);
	appendStringInfoString(&result, "'{");
	foreach(lc, table->columns)
	{
		Column	   *column = lfirst(lc);

		if (column->kind == COLUMN_BAND)
			appendStringInfo(&result, "%s%d", result.data[result.len - 1] == '{' ? "" : ",",
							 column->position);
	}
	appendStringInfoString(&result, "}'::int[]");
	return result.data;
}

/* Do the rows have what the definition says?  Else all that is new looks empty. */
static bool
is_computed(const HealthCheck *check)
{
	Oid			types[] = {OIDOID};
	Datum		values[] = {ObjectIdGetDatum(check->table->relid)};
	bool		result;
	RunContext	ctx;

	SPI_connect();
	look_enter(&ctx, check->table, check->as_of);
	context_set("jit", "off");
	result = context_run("SELECT FROM segment.status WHERE tbl = $1 AND as_of IS NOT NULL"
						 " AND NOT needs_rebuild AND new_columns IS NULL", 1, types, values, NULL, true) > 0;
	context_leave(&ctx);
	SPI_finish();
	return result;
}

/*
 * How large segments are, and which are the same.  Who names a band makes a
 * segment of it: that the two are the same is meant.
 */
static void
check_sizes(void *arg)
{
	const HealthCheck *check = arg;
	char	   *bands = band_positions(check->table);

	if (!is_computed(check))
		return;
	health_add(check, psprintf(
							   "%s, shared AS (SELECT a.position AS a, a.label AS la, b.position AS b, b.label AS lb,"
							   "   sum(a.n)::bigint AS n FROM member a JOIN member b ON a.id = b.id"
							   "   AND a.position < b.position WHERE a.position <> ALL (%s) AND b.position <> ALL (%s) GROUP BY 1, 2, 3, 4),"
							   " pair AS (SELECT DISTINCT ON (b.position, b.place, b.label) concat_ws(': ', a.segment, a.label) AS a, concat_ws(': ', b.segment, b.label) AS b,"
							   "   a.members AS ma, b.members AS mb, s.n, s.n::float8 / (a.members + b.members - s.n) AS jaccard,"
							   "   a.position, a.place, b.position AS position_b, b.place AS place_b"
							   "   FROM shared s JOIN size a ON a.position = s.a AND a.label IS NOT DISTINCT FROM s.la"
							   "   JOIN size b ON b.position = s.b AND b.label IS NOT DISTINCT FROM s.lb"
							   "   ORDER BY b.position, b.place, b.label, jaccard DESC, a.position, a.place),"
							   " total AS (SELECT coalesce(sum(__segment_n), 0)::bigint AS n FROM pattern),"
							   " found AS (SELECT 0 AS place, 0 AS x, 0 AS y, 'no_customers' AS finding, NULL AS subject, 'no row' AS detail,"
							   "   'Look whether its sources have events, and whom set_eligible() lets in.' AS advice"
							   "   FROM total WHERE n = 0"
							   " UNION ALL SELECT 1, s.position, s.place, CASE WHEN s.members = 0 THEN 'empty' ELSE 'too_small' END,"
							   "   concat_ws(': ', s.segment, s.label),"
							   "   format('%%s of %%s customers (%%s %%%%)', s.members, t.n, round(100.0 * s.members / t.n, 3)),"
							   "   CASE WHEN s.members > 0 THEN 'Widen the rule, join it with another segment, or lower segment.health_min_share.'"
							   "     WHEN s.label IS NULL THEN 'For somebody who should be in it, explain() says why not; if there is nobody, drop it.'"
							   "     ELSE 'A label may be empty. For somebody who should have it, explain() shows which label holds first.' END"
							   "   FROM size s, total t WHERE t.n > 0 AND s.position <> ALL (%s)"
							   "   AND (s.members = 0 OR s.members < %.17g * t.n)"
							   " UNION ALL SELECT 2, position * 10000 + position_b, coalesce(place, 0) * 10000 + coalesce(place_b, 0),"
							   "   'nearly_identical', concat(a, ' = ', b),"
							   "   format('%%s and %%s members, %%s in both (Jaccard index %%s)', ma, mb, n, round(jaccard::numeric, 4)),"
							   "   'Drop one of them, unless they are meant to part later.'"
							   "   FROM pair WHERE jaccard >= %.17g)"
							   " SELECT finding, subject, detail, advice FROM found WHERE $1 IS NOT NULL ORDER BY place, x, y",
							   look_population(check->table, ""), bands, bands, bands,
							   segment_health_min_share, segment_health_similarity));
}

/* Keys of text that are perhaps of one customer. */
static void
check_keys(void *arg)
{
	const HealthCheck *check = arg;
	const char *key = quote_identifier(check->table->key_name);

	health_add(check, psprintf(
							   "SELECT 'similar_keys', NULL::text, format('%%s groups of keys differ in case or blanks alone, such as %%L and %%L',"
							   "   count(*), (array_agg(one ORDER BY one))[1], (array_agg(other ORDER BY one))[1]),"
							   "   'If they are the same customer, make the key of the sources one, such as lower(btrim(email)).'"
							   " FROM (SELECT min(%s::text COLLATE \"C\") AS one, max(%s::text COLLATE \"C\") AS other FROM %s"
							   "   GROUP BY lower(regexp_replace(%s::text, '[[:space:]]+', '', 'g')) HAVING count(*) > 1) k"
							   " WHERE $1 IS NOT NULL HAVING count(*) > 0",
							   key, key, catalog_qualified_name(check->table->relid), key));
}

/* Segments and labels that nobody has left for long. */
static void
check_leaving(void *arg)
{
	const HealthCheck *check = arg;
	Oid			relation = check->table->history;
	char	   *history;
	bool		sampled;

	refresh_check_history(check->table);
	/* a reader of the segment table need not be one of its history */
	if (pg_class_aclcheck(relation, GetUserId(), ACL_SELECT) != ACLCHECK_OK ||
		check_enable_rls(relation, InvalidOid, true) == RLS_ENABLED)
		return;
	history = health_sample(check, relation, &sampled);
	health_add(check, psprintf(
							   "SELECT 'never_left', concat_ws(': ', h.segment, h.label),"
							   "   format('%%s members%s, nobody has left since %%s', h.members, coalesce(h.last, h.first)),"
							   "   'If it should be left by time, write the rule with now(); a segment of what once happened is never left.'"
							   " FROM (SELECT segment, label, count(*) FILTER (WHERE left_at IS NULL) AS members,"
							   "   min(entered_at) AS first, max(left_at) AS last FROM %s GROUP BY 1, 2) h"
							   " JOIN %s s(position, place, segment, label) ON s.segment = h.segment"
							   "   AND s.label IS NOT DISTINCT FROM h.label AND s.position <> ALL (%s)"
							   " WHERE h.members > 0 AND greatest(h.first, h.last) < $1 - make_interval(secs => %d)"
							   " ORDER BY s.position, s.place",
							   sampled ? " in a sample" : "", history, look_labels(check->table),
							   band_positions(check->table), segment_health_stay));
}

/* A step that fails: its error is for the owner, since it may quote events. */
static void
add_failure(const HealthCheck *check, const char *what, const ErrorData *error, bool is_member)
{
	ReturnSetInfo *result = (ReturnSetInfo *) check->fcinfo->resultinfo;
	Datum		values[4];
	bool		nulls[4] = {false};

	values[0] = CStringGetTextDatum("not_checked");
	values[1] = CStringGetTextDatum(what);
	values[2] = CStringGetTextDatum(is_member ? error->message : "an expression or a right is missing or fails");
	values[3] = CStringGetTextDatum("Mend what the error says; a refresh is likely to fail, too.");
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

static void
run_step(HealthCheck *check, AttemptStep step, const char *what)
{
	ErrorData  *error = guard_run(step, check, GUARD_EXPRESSIONS);

	if (error != NULL)
		add_failure(check, what, error, has_privs_of_role(GetUserId(), check->table->owner));
}

/* check_health(tbl, thorough) → (finding, subject, detail, advice) */
Datum
segment_check_health(PG_FUNCTION_ARGS)
{
	HealthCheck check = {.fcinfo = fcinfo,.thorough = PG_GETARG_BOOL(1)};
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	check.table = look_open(PG_GETARG_OID(0));
	check.as_of = context_instant();
	run_step(&check, health_check_state, "state");
	run_step(&check, check_sizes, "sizes");
	run_step(&check, check_leaving, "history");
	if (check.table->key_type == TEXTOID || check.table->key_type == VARCHAROID)
		run_step(&check, check_keys, "keys");
	foreach(lc, check.table->sources)
	{
		check.source = lfirst(lc);
		run_step(&check, health_check_source, check.source->name);
	}
	run_step(&check, health_check_presets, "presets");
	return (Datum) 0;
}
