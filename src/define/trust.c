/*
 * trust.c
 *		What a segment table may read and run with its owner's rights.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "define/define.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

static bool
untrusted_function(Oid funcid, void *context)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(funcid));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		return true;
	owner = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
	ReleaseSysCache(tuple);
	return !superuser_arg(owner);
}

static bool
trust_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (check_functions_in_node(node, untrusted_function, NULL))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("a segment table owned by a superuser may not call another role's functions"),
				 errhint("Let an ordinary role own the segment table.")));
	return expression_tree_walker(node, trust_walker, context);
}

void
define_check_trust(const SegmentTable *table, Node *node)
{
	if (superuser_arg(table->owner))
		trust_walker(node, NULL);
}
