/*
 * trust.c
 *		May a segment table's owner read a source, and a reader a segment table?
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/trust.h"
#include "context.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"

/*
 * Planning a query runs code that a table's owner has attached to it: constants
 * in expressions of indexes, and in constraints.  Partitions have owners of
 * their own.
 */
static void
check_owners(Oid relation)
{
	ListCell   *lc;

	foreach(lc, find_all_inheritors(relation, AccessShareLock, NULL))
	{
		if (!superuser_arg(context_relation_owner(lfirst_oid(lc))))
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("a segment table owned by a superuser may not read another role's table %s",
							catalog_qualified_name(lfirst_oid(lc))),
					 errdetail("What that role attaches to its table would run with a superuser's rights."),
					 errhint("Let an ordinary role own the segment table.")));
	}
}

void
trust_check_source(const SegmentTable *table, Oid relation)
{
	char	   *name = catalog_qualified_name(relation);
	char	   *owner_name = GetUserNameFromId(table->owner, false);
	char		relkind = get_rel_relkind(relation);

	if (superuser_arg(table->owner))
		check_owners(relation);
	/* a table can become a view, of whatever its owner likes */
	if (relkind != RELKIND_RELATION && relkind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("%s is not a table", name),
				 errhint("A source is an ordinary or a partitioned table: its changes are seen by triggers.")));
	if (pg_class_aclcheck(relation, table->owner, ACL_SELECT) != ACLCHECK_OK &&
		pg_attribute_aclcheck_all(relation, table->owner, ACL_SELECT, ACLMASK_ANY) != ACLCHECK_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("role \"%s\" may not read %s", owner_name, name),
				 errhint("GRANT SELECT ON %s TO %s.", name, quote_identifier(owner_name))));
	if (check_enable_rls(relation, table->owner, true) == RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("row level security hides rows of %s from role \"%s\"", name, owner_name),
				 errdetail("Scores over a part of the events would be wrong."),
				 errhint("Let a role with BYPASSRLS own the segment table, or the table's owner if row level security is not forced.")));
}

void
trust_check_reader(Oid relation)
{
	if (pg_class_aclcheck(relation, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(relation));
	if (check_enable_rls(relation, GetUserId(), true) == RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("row level security hides rows of %s from role \"%s\"",
						catalog_qualified_name(relation), GetUserNameFromId(GetUserId(), false)),
				 errhint("Read the table itself.")));
}

/* May the expressions have raised it, and not what goes on around them? */
static bool
is_of_expressions(int sqlstate)
{
	int			category = ERRCODE_TO_CATEGORY(sqlstate);

	return category != ERRCODE_TO_CATEGORY(ERRCODE_OPERATOR_INTERVENTION) &&
		category != ERRCODE_TO_CATEGORY(ERRCODE_INSUFFICIENT_RESOURCES) &&
		category != ERRCODE_TO_CATEGORY(ERRCODE_SYSTEM_ERROR);
}

void
trust_reader(TrustedReader *reader, const SegmentTable *table)
{
	reader->table = catalog_qualified_name(table->relid);
	reader->is_member = has_privs_of_role(GetUserId(), table->owner);
	reader->context = CurrentMemoryContext;
}

void
trust_rethrow(const TrustedReader *reader)
{
	ErrorData  *error;

	MemoryContextSwitchTo(reader->context);
	error = CopyErrorData();
	if (reader->is_member || !is_of_expressions(error->sqlerrcode))
		PG_RE_THROW();
	FlushErrorState();
	ereport(LOG_SERVER_ONLY,
			(errcode(error->sqlerrcode),
			 errmsg("computing rows of segment table %s for a reader failed: %s", reader->table,
					error->message),
			 error->detail != NULL ? errdetail_internal("%s", error->detail) : 0,
			 error->context != NULL ? errcontext("%s", error->context) : 0));
	ereport(ERROR,
			(errcode(error->sqlerrcode),
			 errmsg("an expression of segment table %s failed", reader->table),
			 errdetail("What it says may tell of rows that only the table's owner may read."),
			 errhint("The table's owner sees the error, and so does the server log.")));
}
