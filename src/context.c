/*
 * context.c
 *		Whose rights and which settings a piece of work runs with.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "commands/extension.h"
#include "context.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "guc.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(segment_now);

/* Most settings have their pinned value already, and asking is cheaper than setting. */
static void
pin(const char *name, const char *value)
{
	const char *current = GetConfigOption(name, true, false);

	if (current != NULL && strcmp(current, value) == 0)
		return;
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

/* pg_temp last: else it would come first for tables and types */
#define CANONICAL_PATH "pg_catalog, pg_temp"
#define PARSE_PATH "pg_catalog, segment, pg_temp"

static void
pin_settings(const char *search_path, const char *time_zone)
{
	pin("search_path", search_path);
	pin("TimeZone", time_zone);
	pin("DateStyle", "ISO, MDY");
	pin("IntervalStyle", "postgres");
	pin("extra_float_digits", "1");
	pin("bytea_output", "hex");
	pin("standard_conforming_strings", "on");
	pin("transform_null_equals", "off");
	pin("quote_all_identifiers", "off");
	pin("xmloption", "content");
	pin("lc_monetary", "C");
	pin("lc_numeric", "C");
	pin("lc_time", "C");
	pin("timezone_abbreviations", "Default");
	pin("default_text_search_config", "pg_catalog.simple");
	pin("array_nulls", "on");
	pin("xmlbinary", "base64");
}

static void
remember(RunContext *ctx)
{
	GetUserIdAndSecContext(&ctx->userid, &ctx->sec_context);
	ctx->nestlevel = NewGUCNestLevel();
}

void
context_enter_owner(RunContext *ctx, Oid owner, const char *time_zone)
{
	remember(ctx);
	SetUserIdAndSecContext(owner,
						   ctx->sec_context | SECURITY_RESTRICTED_OPERATION);
	pin_settings(CANONICAL_PATH, time_zone);
	pin("row_security", "off");
}

void
context_enter_parse(RunContext *ctx, Oid author, const char *time_zone)
{
	remember(ctx);
	SetUserIdAndSecContext(author, ctx->sec_context | SECURITY_RESTRICTED_OPERATION);
	pin_settings(PARSE_PATH, time_zone);
}

void
context_enter_settings(RunContext *ctx, const char *time_zone)
{
	remember(ctx);
	pin_settings(CANONICAL_PATH, time_zone);
}

void
context_enter_canonical(RunContext *ctx)
{
	remember(ctx);
	pin("search_path", CANONICAL_PATH);
}

void
context_enter_catalog(RunContext *ctx)
{
	Oid			owner = context_relation_owner(context_relation("config_table"));

	remember(ctx);
	SetUserIdAndSecContext(owner,
						   ctx->sec_context | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_RESTRICTED_OPERATION);
	pin_settings(CANONICAL_PATH, "UTC");
}

void
context_set_as_of(TimestampTz as_of)
{
	pin("segment.as_of", timestamptz_to_str(as_of));
}

void
context_set(const char *name, const char *value)
{
	pin(name, value);
}

void
context_leave(RunContext *ctx)
{
	AtEOXact_GUC(false, ctx->nestlevel);
	SetUserIdAndSecContext(ctx->userid, ctx->sec_context);
}

uint64
context_run(const char *sql, int nargs, Oid *types, Datum *values, const char *nulls,
			bool read_only)
{
	int			result = SPI_execute_with_args(sql, nargs, types, values, nulls, read_only, 0);

	if (result < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not run \"%s\": %s", sql, SPI_result_code_string(result))));
	return SPI_processed;
}

TimestampTz
context_instant(void)
{
	TimestampTz as_of;

	return guc_as_of(&as_of) ? as_of : GetCurrentTimestamp();
}

Oid
context_schema(void)
{
	return get_namespace_oid("segment", false);
}

Oid
context_relation(const char *name)
{
	Oid			relid = get_relname_relid(name, context_schema());

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"segment.%s\" does not exist", name),
				 errhint("Run CREATE EXTENSION segment in this database.")));
	return relid;
}

Oid
context_relation_owner(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

void
context_need_read_committed(const char *what, const char *why)
{
	if (IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("%s needs a READ COMMITTED transaction", what),
				 errdetail_internal("%s", why),
				 errhint("Call it outside a transaction block, or begin with ISOLATION LEVEL READ COMMITTED.")));
}

bool
context_extension_exists(void)
{
	return OidIsValid(get_extension_oid("segment", true)) &&
		OidIsValid(get_namespace_oid("segment", true));
}

/* segment.now(): segment.as_of if set, else the transaction's now(). */
Datum
segment_now(PG_FUNCTION_ARGS)
{
	TimestampTz as_of;

	if (!guc_as_of(&as_of))
		as_of = GetCurrentTransactionStartTimestamp();
	PG_RETURN_TIMESTAMPTZ(as_of);
}

void
context_refuse_nulls(FunctionCallInfo fcinfo, int n, const char *const *names)
{
	for (int i = 0; i < n; i++)
	{
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s must not be null", names[i])));
	}
}

void
context_refuse_standby(const char *function)
{
	if (RecoveryInProgress())
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("cannot execute %s during recovery", function),
				 errhint("Run it on the primary: a standby shows what comes of it.")));
}
