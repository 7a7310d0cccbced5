/*
 * tables.c
 *		Making and dropping segment tables.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "capture/capture.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "context.h"
#include "define/define.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "lock.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"
#include "utils/varlena.h"

PG_FUNCTION_INFO_V1(segment_create_table);
PG_FUNCTION_INFO_V1(segment_drop_table);
PG_FUNCTION_INFO_V1(segment_set_max_age);

#define MAX_AGE_MONTHS (100 * 12)

void
define_require(FunctionCallInfo fcinfo, int n, const char *const *names)
{
	context_refuse_standby(psprintf("segment.%s()", get_func_name(fcinfo->flinfo->fn_oid)));
	context_refuse_nulls(fcinfo, n, names);
}

SegmentTable *
define_open(Oid relid)
{
	SegmentTable *table;
	ListCell   *lc;

	/* fails early, with the clearer error, before anything is locked */
	(void) catalog_load(relid);
	catalog_check_owner(relid);

	/* in the order in which refreshes lock */
	catalog_lock_work(relid, ExclusiveLock, true);
	lock_one(relid, ShareRowExclusiveLock);
	table = catalog_load(relid);
	catalog_check_owner(relid);
	foreach(lc, table->sources)
		rule_follow_renames(table, lfirst(lc), false);
	return catalog_load(relid);
}

/* Dropped columns keep their places, until nothing can be added any more. */
static void
check_room(const SegmentTable *table)
{
	Relation	relation = table_open(table->relid, NoLock);
	int			natts = RelationGetNumberOfAttributes(relation);

	table_close(relation, NoLock);
	if (natts >= MaxHeapAttributeNumber)
		ereport(ERROR,
				(errcode(ERRCODE_TOO_MANY_COLUMNS),
				 errmsg("segment table %s can not have another column", catalog_qualified_name(table->relid)),
				 errdetail("It has had %d, and PostgreSQL counts those that were dropped as well.", natts),
				 errhint("Make the table anew: keep segment.definition(), then segment.drop_table() and segment.apply_definition().")));
}

void
define_check_new_name(const SegmentTable *table, const char *name, const char *what)
{
	check_room(table);
	catalog_check_name(name, what);
	if (get_attnum(table->relid, name) != InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_COLUMN),
				 errmsg("segment table %s has a column \"%s\" already",
						catalog_qualified_name(table->relid), name),
				 errhint("Drop it first, or choose another name.")));
}

/* How many statements of ours are under way, one within the other. */
static int	own_ddl = 0;

bool
define_is_own_ddl(void)
{
	return own_ddl > 0;
}

void
define_ddl(const SegmentTable *table, const char *format,...)
{
	RunContext	ctx;
	StringInfoData sql;

	initStringInfo(&sql);
	for (;;)
	{
		va_list		args;
		int			needed;

		va_start(args, format);
		needed = appendStringInfoVA(&sql, format, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&sql, needed);
	}
	context_enter_owner(&ctx, table->owner, table->time_zone);
	SPI_connect();
	own_ddl++;
	PG_TRY();
	{
		context_run(sql.data, 0, NULL, NULL, NULL, false);
	}
	PG_FINALLY();
	{
		own_ddl--;
	}
	PG_END_TRY();
	SPI_finish();
	context_leave(&ctx);
	CommandCounterIncrement();
}

/* Is it one of the zones with a name?  POSIX has others, whose sign is not what it seems. */
static bool
is_named_zone(pg_tz *zone)
{
	pg_tzenum  *all = pg_tzenumerate_start();
	pg_tz	   *one;
	bool		found = false;

	while (!found && (one = pg_tzenumerate_next(all)) != NULL)
		found = pg_strcasecmp(pg_get_timezone_name(one), pg_get_timezone_name(zone)) == 0;
	pg_tzenumerate_end(all);
	return found;
}

char *
define_time_zone(const char *time_zone)
{
	pg_tz	   *tz = pg_tzset(time_zone);

	if (tz == NULL || !pg_tz_acceptable(tz) || !is_named_zone(tz))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" not recognized", time_zone),
				 errhint("See the view pg_timezone_names.")));
	for (int month = 1; month <= 7; month += 6)
	{
		struct pg_tm tm = {.tm_year = 2020, .tm_mon = month, .tm_mday = 1};
		Timestamp	local;
		TimestampTz in_zone;
		TimestampTz as_operator;
		int			offset = DetermineTimeZoneOffset(&tm, tz);

		tm2timestamp(&tm, 0, NULL, &local);
		tm2timestamp(&tm, 0, &offset, &in_zone);
		as_operator = DatumGetTimestampTz(DirectFunctionCall2(timestamp_zone,
															  CStringGetTextDatum(time_zone),
															  TimestampGetDatum(local)));
		/* AT TIME ZONE prefers abbreviations, which know no summer time */
		if (in_zone != as_operator)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("time zone \"%s\" is also an abbreviation with another meaning", time_zone),
					 errhint("Name a place, such as Europe/Brussels.")));
	}

	/* as it is spelled where zones are listed */
	return pstrdup(pg_get_timezone_name(tz));
}

static void
check_key(const char *key, Oid key_type)
{
	static const char *const taken[] = {
		"at", "event", "value", "item", "source", "refreshed_at", "valid_until",
		"segment", "label", "entered_at", "left_at"
	};
	TypeCacheEntry *type;

	catalog_check_name(key, "key");
	for (int i = 0; i < lengthof(taken); i++)
	{
		if (strcmp(key, taken[i]) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_RESERVED_NAME),
					 errmsg("key name \"%s\" is the name of another column", key),
					 errhint("Choose the name of the customer's column, such as customer_id.")));
	}
	type = lookup_type_cache(key_type, TYPECACHE_BTREE_OPFAMILY);
	if (get_typtype(key_type) == TYPTYPE_PSEUDO || !OidIsValid(type->btree_opf))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("type %s can not be a key", format_type_be(key_type)),
				 errhint("A key's type needs a default btree operator class.")));
}

static Oid
relation_named(const char *nspname, const char *relname)
{
	return get_relname_relid(relname, get_namespace_oid(nspname, false));
}

/* NAME with a suffix, in the same schema; error if it is taken, though NAME is free. */
static char *
sibling(const char *nspname, const char *relname, const char *suffix)
{
	char	   *name = psprintf("%s%s", relname, suffix);

	if (strlen(name) >= NAMEDATALEN)
		ereport(ERROR,
				(errcode(ERRCODE_NAME_TOO_LONG),
				 errmsg("table name \"%s\" is too long", relname),
				 errhint("Its history is called \"%s\"; names may be up to %d bytes long.",
						 name, NAMEDATALEN - 1)));
	if (OidIsValid(relation_named(nspname, name)) && !OidIsValid(relation_named(nspname, relname)))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_TABLE),
				 errmsg("relation \"%s\" already exists", name),
				 errhint("DROP TABLE of a segment table leaves its history and its stream: drop %s, too, or choose another name.",
						 quote_qualified_identifier(nspname, name))));
	return quote_qualified_identifier(nspname, name);
}

static void
create_relations(SegmentTable *table, const char *nspname, const char *relname)
{
	const char *key = quote_identifier(table->key_name);
	const char *type = catalog_type_name(table->key_type);
	char	   *name = quote_qualified_identifier(nspname, relname);
	char	   *history = sibling(nspname, relname, "_history");

	sibling(nspname, relname, "_events");
	define_ddl(table, "CREATE TABLE %s (%s %s PRIMARY KEY, refreshed_at timestamptz NOT NULL,"
			   " valid_until timestamptz NOT NULL)", name, key, type);
	define_ddl(table, "CREATE INDEX ON %s (valid_until) WHERE valid_until < 'infinity'", name);
	define_ddl(table, "CREATE TABLE %s (%s %s NOT NULL, segment text NOT NULL, label text,"
			   " entered_at timestamptz NOT NULL, left_at timestamptz,"
			   " CHECK (entered_at < left_at))", history, key, type);
	define_ddl(table, "CREATE UNIQUE INDEX ON %s (%s, segment) WHERE left_at IS NULL", history, key);
	define_ddl(table, "COMMENT ON TABLE %s IS 'one row a customer, kept fresh by segment'", name);
	define_ddl(table, "COMMENT ON TABLE %s IS 'who was in which segment when, written by segment'",
			   history);
	table->relid = relation_named(nspname, relname);
	table->history = relation_named(nspname, psprintf("%s_history", relname));
}

Oid
define_create_table(const RangeVar *name, const char *key, Oid key_type, const char *time_zone)
{
	SegmentTable *table = palloc0(sizeof(SegmentTable));
	char	   *nspname;

	table->key_name = pstrdup(key);
	table->key_type = key_type;
	table->owner = GetUserId();
	check_key(table->key_name, table->key_type);
	table->time_zone = define_time_zone(time_zone);
	catalog_check_name(name->relname, "table");
	if (name->catalogname != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("improper qualified name: %s.%s.%s", name->catalogname,
						name->schemaname, name->relname),
				 errhint("Give schema.table or table.")));
	nspname = get_namespace_name(RangeVarGetCreationNamespace(name));

	create_relations(table, nspname, name->relname);
	catalog_insert_table(table);
	define_rebuild_stream(table->relid);
	return table->relid;
}

/* create_table(name text, key text, key_type regtype, time_zone text) → regclass */
Datum
segment_create_table(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"name", "key", "key_type", "time_zone"};
	RangeVar   *name;

	define_require(fcinfo, 4, names);
	name = makeRangeVarFromNameList(textToQualifiedNameList(PG_GETARG_TEXT_PP(0)));
	PG_RETURN_OID(define_create_table(name, text_to_cstring(PG_GETARG_TEXT_PP(1)),
									  PG_GETARG_OID(2), text_to_cstring(PG_GETARG_TEXT_PP(3))));
}

/* The locks that dropping a segment table takes. */
static List *
wish_drop(const SegmentTable *table)
{
	List	   *wishes = NIL;
	ListCell   *lc;

	foreach(lc, table->sources)
		wishes = capture_wish_remove(wishes, lfirst(lc));
	wishes = define_wish_stream(table, NIL, wishes);
	if (get_rel_name(table->history) != NULL)
		wishes = lock_wish(wishes, table->history, AccessExclusiveLock);
	if (OidIsValid(table->changes))
		wishes = lock_wish(wishes, table->changes, AccessExclusiveLock);
	return lock_wish(wishes, table->relid, AccessExclusiveLock);
}

/* drop_table(tbl regclass) */
Datum
segment_drop_table(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"tbl"};
	SegmentTable *table;
	char	   *name;
	ListCell   *lc;

	define_require(fcinfo, 1, names);
	table = define_open(PG_GETARG_OID(0));
	name = catalog_qualified_name(table->relid);

	lock_all(wish_drop(table));
	foreach(lc, table->sources)
		capture_remove(lfirst(lc));
	if (OidIsValid(table->events) && get_rel_name(table->events) != NULL)
		define_ddl(table, "DROP VIEW %s", catalog_qualified_name(table->events));
	if (get_rel_name(table->history) != NULL)
		define_ddl(table, "DROP TABLE %s", catalog_qualified_name(table->history));
	if (OidIsValid(table->changes))
		define_ddl(table, "DROP TABLE %s", catalog_qualified_name(table->changes));
	define_ddl(table, "DROP TABLE %s", name);
	catalog_delete_table(table->relid);
	PG_RETURN_VOID();
}

void
define_set_max_age(const SegmentTable *table, const Interval *max_age)
{
	/* no field negative: '1 month -29 days' may be nothing at all */
	if (max_age->month < 0 || max_age->day < 0 || max_age->time < 0 ||
		(max_age->month == 0 && max_age->day == 0 && max_age->time == 0) ||
		max_age->month > MAX_AGE_MONTHS || max_age->day > MAX_AGE_MONTHS * 30)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_age must be positive and at most 100 years"),
				 errhint("Give an interval such as '1 day'.")));
	catalog_set_max_age(table->relid, max_age);
}

/* set_max_age(tbl regclass, max_age interval) */
Datum
segment_set_max_age(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"tbl", "max_age"};
	SegmentTable *table;

	define_require(fcinfo, 2, names);
	table = define_open(PG_GETARG_OID(0));
	define_set_max_age(table, PG_GETARG_INTERVAL_P(1));
	marklog_append_all(table->relid);
	PG_RETURN_VOID();
}
