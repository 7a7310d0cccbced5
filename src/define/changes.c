/*
 * changes.c
 *		Keeping changes of memberships for whoever reads on from a cursor.
 */
#include "postgres.h"

#include "context.h"
#include "define/define.h"
#include "fmgr.h"
#include "lock.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(segment_keep_changes);
PG_FUNCTION_INFO_V1(segment_drop_changes);

#define MOST_KEPT_DAYS (100.0 * 12 * DAYS_PER_MONTH)

static void
check_kept(const Interval *kept)
{
	double		days = (double) kept->month * DAYS_PER_MONTH + kept->day + (double) kept->time / USECS_PER_DAY;

	/* no field negative: '1 month -29 days' may be nothing at all */
	if (kept->month < 0 || kept->day < 0 || kept->time < 0 ||
		days == 0 || days > MOST_KEPT_DAYS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("keep must be positive and at most 100 years"),
				 errhint("Give an interval such as '30 days'.")));
}

static void
check_key_name(const SegmentTable *table)
{
	static const char *const taken[] = {"change", "entered", "written_at"};

	for (int i = 0; i < lengthof(taken); i++)
	{
		if (strcmp(table->key_name, taken[i]) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_RESERVED_NAME),
					 errmsg("changes of %s can not be kept: its key \"%s\" has the name of a column of theirs",
							catalog_qualified_name(table->relid), table->key_name),
					 errhint("Make the segment table with another name for its key.")));
	}
}

/* NAME_changes, with an entry that is no change: the cursor of who has read nothing yet. */
static Oid
create_changes(const SegmentTable *table)
{
	Oid			namespace = get_rel_namespace(table->relid);
	char	   *relname = psprintf("%s_changes", get_rel_name(table->relid));
	char	   *name = quote_qualified_identifier(get_namespace_name(namespace), relname);

	check_key_name(table);
	if (strlen(relname) >= NAMEDATALEN)
		ereport(ERROR,
				(errcode(ERRCODE_NAME_TOO_LONG),
				 errmsg("table name \"%s\" is too long", get_rel_name(table->relid)),
				 errhint("Its changes are kept in \"%s\"; names may be up to %d bytes long.",
						 relname, NAMEDATALEN - 1)));
	if (OidIsValid(get_relname_relid(relname, namespace)))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_TABLE),
				 errmsg("relation \"%s\" already exists", relname),
				 errhint("Changes of %s are kept under that name: rename or drop it.",
						 catalog_qualified_name(table->relid))));
	define_ddl(table, "CREATE TABLE %s (change bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
			   " %s %s, segment text, label text, entered boolean, at timestamptz NOT NULL,"
			   " written_at timestamptz NOT NULL DEFAULT clock_timestamp())", name,
			   quote_identifier(table->key_name), catalog_type_name(table->key_type));
	define_ddl(table, "COMMENT ON TABLE %s IS 'who entered and left which segment, as it was committed,"
			   " written by segment'",
			   name);
	define_ddl(table, "INSERT INTO %s (at) VALUES (segment.now())", name);
	return get_relname_relid(relname, namespace);
}

/* keep_changes(tbl regclass, keep interval) → regclass */
Datum
segment_keep_changes(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"tbl", "keep"};
	SegmentTable *table;

	define_require(fcinfo, 2, names);
	check_kept(PG_GETARG_INTERVAL_P(1));
	table = define_open(PG_GETARG_OID(0));
	if (!OidIsValid(table->changes))
		table->changes = create_changes(table);
	catalog_set_changes(table->relid, table->changes, PG_GETARG_INTERVAL_P(1));
	PG_RETURN_OID(table->changes);
}

/* drop_changes(tbl regclass) */
Datum
segment_drop_changes(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"tbl"};
	SegmentTable *table;

	define_require(fcinfo, 1, names);
	table = define_open(PG_GETARG_OID(0));
	if (OidIsValid(table->changes))
	{
		lock_all(lock_wish(NIL, table->changes, AccessExclusiveLock));
		define_ddl(table, "DROP TABLE %s", catalog_qualified_name(table->changes));
	}
	else
		ereport(NOTICE,
				(errmsg("no changes of %s are kept", catalog_qualified_name(table->relid))));
	catalog_set_changes(table->relid, InvalidOid, NULL);
	PG_RETURN_VOID();
}
