/*
 * trust.c
 *		May a segment table's owner read a source, and a reader a segment table?
 */
#include "postgres.h"

#include "catalog/trust.h"
#include "context.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"

void
trust_check_source(const SegmentTable *table, Oid relation)
{
	char	   *name = catalog_qualified_name(relation);
	char	   *owner_name = GetUserNameFromId(table->owner, false);

	if (superuser_arg(table->owner) && !superuser_arg(context_relation_owner(relation)))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("a segment table owned by a superuser may not read another role's table %s", name),
				 errdetail("What that role attaches to its table would run with a superuser's rights."),
				 errhint("Let an ordinary role own the segment table.")));
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
				 errhint("Let a role with BYPASSRLS or the table's owner own the segment table.")));
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
