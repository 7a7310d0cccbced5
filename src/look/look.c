/*
 * look.c
 *		What the questions share: rights, and rows as a function's result.
 */
#include "postgres.h"

#include "catalog/trust.h"
#include "executor/spi.h"
#include "executor/tstoreReceiver.h"
#include "funcapi.h"
#include "look/look.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "refresh/refresh.h"
#include "rule/rule.h"
#include "storage/lmgr.h"
#include "tcop/dest.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* What is to be read. */
typedef enum LookRelation
{
	LOOK_TABLE,
	LOOK_HISTORY,
	LOOK_EVENTS,
	LOOK_CHANGES				/* the table, where no changes are kept */
} LookRelation;

/* The definition, read again behind the lock on the relation that is to be read. */
static SegmentTable *
open_relation(Oid relid, LookRelation which)
{
	SegmentTable *table = catalog_load(relid);
	Oid			relation = relid;

	if (which == LOOK_HISTORY)
	{
		refresh_check_history(table);
		relation = table->history;
	}
	else if (which == LOOK_EVENTS)
		relation = table->events;
	else if (which == LOOK_CHANGES && OidIsValid(table->changes))
		relation = table->changes;

	/* says what to do */
	if (which == LOOK_EVENTS && (!OidIsValid(relation) || get_rel_name(relation) == NULL))
		(void) rule_stream_columns(table);
	trust_check_reader(relation);
	LockRelationOid(relation, AccessShareLock);
	return catalog_load(relid);
}

SegmentTable *
look_open(Oid relid)
{
	return open_relation(relid, LOOK_TABLE);
}

SegmentTable *
look_open_history(Oid relid)
{
	return open_relation(relid, LOOK_HISTORY);
}

SegmentTable *
look_open_events(Oid relid)
{
	return open_relation(relid, LOOK_EVENTS);
}

SegmentTable *
look_open_changes(Oid relid)
{
	return open_relation(relid, LOOK_CHANGES);
}

void
look_enter(RunContext *ctx, const SegmentTable *table, TimestampTz as_of)
{
	bool		is_member = has_privs_of_role(GetUserId(), table->owner);

	context_enter_owner(ctx, table->owner, table->time_zone);
	context_set_as_of(as_of);
	/* what expressions say besides is no reader's business */
	if (!is_member)
		context_set("client_min_messages", "error");
}

void
look_check_sources(const SegmentTable *table)
{
	ListCell   *lc;

	foreach(lc, table->sources)
		trust_check_source(table, ((Source *) lfirst(lc))->relation);
	rule_check_trust_again(table);
}

void
look_return(FunctionCallInfo fcinfo, const char *sql, int nargs, Oid *types, Datum *values,
			const char *nulls)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	DestReceiver *receiver = CreateDestReceiver(DestTuplestore);
	ParamListInfo params = makeParamList(nargs);
	SPIExecuteOptions options = {.params = params,.read_only = true,.dest = receiver};
	int			status;

	for (int i = 0; i < nargs; i++)
	{
		params->params[i].value = values[i];
		params->params[i].isnull = nulls != NULL && nulls[i] == 'n';
		params->params[i].ptype = types[i];
		params->params[i].pflags = PARAM_FLAG_CONST;
	}
	SetTuplestoreDestReceiverParams(receiver, result->setResult,
									result->econtext->ecxt_per_query_memory, false,
									result->setDesc, "rows are not of the declared type");
	status = SPI_execute_extended(sql, &options);
	if (status < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not run \"%s\": %s", sql, SPI_result_code_string(status))));
	receiver->rDestroy(receiver);
}
