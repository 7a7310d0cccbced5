/*
 * shim.c
 *		Errors and calls, without a server.
 */
#include "shim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "catalog/pg_type.h"
#include "guc.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "nodes/primnodes.h"

/* Errors ---------------------------------------------------------------- */

sigjmp_buf *PG_exception_stack = NULL;
ErrorContextCallback *error_context_stack = NULL;
volatile sig_atomic_t InterruptPending = false;
volatile sig_atomic_t QueryCancelPending = false;

int			shim_error_code;
char		shim_error_message[1024];

void
shim_fail(const char *format,...)
{
	va_list		args;

	fputs("FAILED: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n(last error: %s)\n", shim_error_message);
	abort();
}

SHIM(void, ExceptionalCondition, (const char *condition))
{
	shim_fail("Assert(%s)", condition);
}

SHIM(bool, errstart, (int level, const char *domain))
{
	if (level < ERROR)
		return false;
	if (level > ERROR)
		shim_fail("an error that ends the session");
	shim_error_code = ERRCODE_INTERNAL_ERROR;
	shim_error_message[0] = '\0';
	return true;
}

SHIM(bool, errstart_cold, (int level, const char *domain))
{
	return shim_errstart(level, domain);
}

SHIM(void, pg_re_throw, (void))
{
	siglongjmp(*PG_exception_stack, 1);
}

/* What users can cause has a code of its own. */
SHIM(void, errfinish, (const char *file, int line, const char *function))
{
	if (shim_error_code == ERRCODE_INTERNAL_ERROR)
		shim_fail("internal error at %s:%d", file, line);
	siglongjmp(*PG_exception_stack, 1);
}

SHIM(int, errcode, (int code))
{
	shim_error_code = code;
	return 0;
}

/* Every text is made, so that the sanitizer sees its arguments. */
#define ERROR_TEXT(name) \
	SHIM(int, name, (const char *format,...)) \
	{ \
		size_t		length = strlen(shim_error_message); \
		va_list		args; \
		va_start(args, format); \
		vsnprintf(shim_error_message + length, \
				  sizeof(shim_error_message) - length, format, args); \
		va_end(args); \
		return 0; \
	}

ERROR_TEXT(errmsg)
ERROR_TEXT(errmsg_internal)
ERROR_TEXT(errdetail)
ERROR_TEXT(errdetail_internal)
ERROR_TEXT(errhint)
ERROR_TEXT(errhint_internal)
ERROR_TEXT(errcontext_msg)

SHIM(int, errmsg_plural, (const char *one, const char *many, unsigned long n,...))
{
	return 0;
}

SHIM(int, errdetail_plural, (const char *one, const char *many, unsigned long n,...))
{
	return 0;
}

SHIM(int, set_errcontext_domain, (const char *domain))
{
	return 0;
}

SHIM(void, ProcessInterrupts, (void))
{
}

SHIM(void, check_stack_depth, (void))
{
}

bool
shim_call(PGFunction function, FunctionCallInfo fcinfo, Datum *result)
{
	sigjmp_buf	here;
	bool		done = false;

	CurrentMemoryContext = shim_row;
	fcinfo->isnull = false;
	PG_exception_stack = &here;
	if (sigsetjmp(here, 0) == 0)
	{
		*result = function(fcinfo);
		done = true;
	}
	PG_exception_stack = NULL;
	if (done && CurrentMemoryContext != shim_row)
		shim_fail("a function has not restored the memory context");
	return done;
}

/* Calls ----------------------------------------------------------------- */

SHIM(int, AggCheckCallContext, (FunctionCallInfo fcinfo, MemoryContext *context))
{
	if (context != NULL)
		*context = shim_states;
	return 1;					/* AGG_CONTEXT_AGGREGATE */
}

bool
guc_as_of(TimestampTz *as_of)
{
	*as_of = SHIM_AS_OF;
	return true;
}

SHIM(Oid, get_fn_expr_argtype, (FmgrInfo *flinfo, int argument))
{
	const ShimTypes *types = (const ShimTypes *) flinfo->fn_expr;

	return types == NULL || argument < 0 || argument >= types->count ?
		InvalidOid : types->types[argument];
}

SHIM(bool, get_fn_expr_variadic, (FmgrInfo *flinfo))
{
	return false;
}

/* Whatever the values of a case are. */
Oid			shim_value_type = TEXTOID;

SHIM(Aggref *, AggGetAggref, (FunctionCallInfo fcinfo))
{
	static ListCell cell;
	static List arguments = {.type = T_OidList,.length = 1,.max_length = 1,.elements = &cell};
	static Aggref call = {.aggargtypes = &arguments};

	cell.oid_value = shim_value_type;
	return &call;
}

SHIM(Datum, DirectFunctionCall1Coll, (PGFunction function, Oid collation, Datum a))
{
	LOCAL_FCINFO(fcinfo, 1);

	InitFunctionCallInfoData(*fcinfo, NULL, 1, collation, NULL, NULL);
	fcinfo->args[0].value = a;
	fcinfo->args[0].isnull = false;
	return function(fcinfo);
}

SHIM(Datum, DirectFunctionCall2Coll, (PGFunction function, Oid collation, Datum a, Datum b))
{
	LOCAL_FCINFO(fcinfo, 2);

	InitFunctionCallInfoData(*fcinfo, NULL, 2, collation, NULL, NULL);
	fcinfo->args[0].value = a;
	fcinfo->args[0].isnull = false;
	fcinfo->args[1].value = b;
	fcinfo->args[1].isnull = false;
	return function(fcinfo);
}
