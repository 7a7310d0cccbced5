/*
 * database.c
 *		Makes way for commands that need a database for themselves.
 *
 * DROP DATABASE and its like fail while a session is connected to the database.
 * PostgreSQL ends its own background processes for them; so do we.  Those who
 * come back meanwhile wait for the lock that such a command holds.
 */
#include "postgres.h"

#include "capture/capture.h"
#include "catalog/pg_database.h"
#include "commands/dbcommands.h"
#include "commands/defrem.h"
#include "compat.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/syscache.h"
#include "worker/slots.h"
#include "worker/worker.h"

static ProcessUtility_hook_type previous_utility = NULL;

static const char *
option(List *options, const char *name)
{
	ListCell   *lc;

	foreach(lc, options)
	{
		DefElem    *element = lfirst(lc);

		if (strcmp(element->defname, name) == 0 && element->arg != NULL)
			return defGetString(element);
	}
	return NULL;
}

static bool
is_template(Oid database)
{
	HeapTuple	tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(database));
	bool		result = false;

	if (HeapTupleIsValid(tuple))
	{
		result = ((Form_pg_database) GETSTRUCT(tuple))->datistemplate;
		ReleaseSysCache(tuple);
	}
	return result;
}

/*
 * The database that a statement needs without sessions, if its caller has the
 * right to the statement; else InvalidOid.
 */
static Oid
needed_alone(Node *statement)
{
	const char *name = NULL;
	bool		copied = false;
	Oid			database;

	switch (nodeTag(statement))
	{
		case T_DropdbStmt:
			name = castNode(DropdbStmt, statement)->dbname;
			break;
		case T_CreatedbStmt:
			name = option(castNode(CreatedbStmt, statement)->options, "template");
			if (name == NULL)
				name = "template1";
			copied = true;
			break;
		case T_AlterDatabaseStmt:
			if (option(castNode(AlterDatabaseStmt, statement)->options, "tablespace") != NULL)
				name = castNode(AlterDatabaseStmt, statement)->dbname;
			break;
		case T_RenameStmt:
			if (castNode(RenameStmt, statement)->renameType == OBJECT_DATABASE)
				name = castNode(RenameStmt, statement)->subname;
			break;
		default:
			break;
	}
	if (name == NULL)
		return InvalidOid;
	database = get_database_oid(name, true);
	if (!OidIsValid(database) || database == MyDatabaseId)
		return InvalidOid;
	if (copied && !have_createdb_privilege())
		return InvalidOid;
	if (!segment_owns_database(database, GetUserId()) && !(copied && is_template(database)))
		return InvalidOid;
	return database;
}

static void
process_utility(PlannedStmt *pstmt, const char *query, bool read_only_tree,
				ProcessUtilityContext context, ParamListInfo params,
				QueryEnvironment *env, DestReceiver *dest, QueryCompletion *qc)
{
	Oid			database = InvalidOid;

	if (context == PROCESS_UTILITY_TOPLEVEL && slots_available())
		database = needed_alone(pstmt->utilityStmt);
	if (OidIsValid(database))
	{
		wake_end(database);
		slots_end(database);
	}
	if (previous_utility)
		previous_utility(pstmt, query, read_only_tree, context, params, env, dest, qc);
	else
		standard_ProcessUtility(pstmt, query, read_only_tree, context, params, env, dest, qc);
}

void
database_init(void)
{
	previous_utility = ProcessUtility_hook;
	ProcessUtility_hook = process_utility;
}
