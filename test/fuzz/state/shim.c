/*
 * shim.c
 *		Memory, errors and the wire, without a server.
 */
#include "shim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "catalog/pg_type.h"
#include "guc.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "nodes/primnodes.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED
#endif
#endif

#ifdef SANITIZED
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, size) ((void) (at), (void) (size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void) (at), (void) (size))
#endif

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

/* Memory ---------------------------------------------------------------- */

typedef struct Context
{
	MemoryContextData base;		/* reset_cbs: what a reset calls */
	struct Block *first;
} Context;

/* Stands before what it describes, poisoned. */
typedef struct Block
{
	Context    *context;
	struct Block *next;
	struct Block *previous;
	Size		size;
} Block;

MemoryContext CurrentMemoryContext = NULL;
MemoryContext TopMemoryContext = NULL;
MemoryContext shim_states = NULL;
MemoryContext shim_row = NULL;
MemoryContext shim_query = NULL;

static Block *
block_of(void *pointer)
{
	Block	   *block = (Block *) pointer - 1;

	ASAN_UNPOISON_MEMORY_REGION(block, sizeof(Block));
	return block;
}

static void
hide(Block *block)
{
	ASAN_POISON_MEMORY_REGION(block, sizeof(Block));
}

/* Nothing of a few kilobytes is worth more. */
#define ALLOCATION_MAX ((Size) 64 * 1024 * 1024)

static void *
allocate(MemoryContext in, Size size, bool huge)
{
	static unsigned char garbage = 0;
	Context    *context = (Context *) in;
	Block	   *block;

	if (!huge && !AllocSizeIsValid(size))
		ereport(ERROR, (errmsg_internal("invalid memory alloc request size %zu", size)));
	if (context == NULL)
		shim_fail("no memory context");
	if (size > ALLOCATION_MAX)
		shim_fail("%zu bytes are asked for", size);

	block = malloc(sizeof(Block) + size);
	if (block == NULL)
		shim_fail("out of memory at %zu bytes", size);
	block->context = context;
	block->size = size;
	block->previous = NULL;
	block->next = context->first;
	if (block->next != NULL)
	{
		block_of(block->next + 1)->previous = block;
		hide(block->next);
	}
	context->first = block;
	hide(block);
	/* Whatever is read before it is written shall differ each time. */
	garbage += 59;
	memset(block + 1, garbage, Min(size, 4096));
	return block + 1;
}

SHIM(void, pfree, (void *pointer))
{
	Block	   *block = block_of(pointer);

	if (block->next != NULL)
	{
		block_of(block->next + 1)->previous = block->previous;
		hide(block->next);
	}
	if (block->previous != NULL)
	{
		block_of(block->previous + 1)->next = block->next;
		hide(block->previous);
	}
	else
		block->context->first = block->next;
	free(block);
}

/* Always moves, so that old pointers are found out. */
static void *
reallocate(void *pointer, Size size, bool huge)
{
	Block	   *block = block_of(pointer);
	Context    *context = block->context;
	Size		old_size = block->size;
	void	   *moved;

	hide(block);
	moved = allocate(&context->base, size, huge);
	memcpy(moved, pointer, Min(size, old_size));
	shim_pfree(pointer);
	return moved;
}

SHIM(void, MemoryContextRegisterResetCallback, (MemoryContext context,
											   MemoryContextCallback *callback))
{
	callback->next = context->reset_cbs;
	context->reset_cbs = callback;
}

SHIM(void, MemoryContextReset, (MemoryContext context))
{
	while (context->reset_cbs != NULL)
	{
		MemoryContextCallback *callback = context->reset_cbs;

		context->reset_cbs = callback->next;
		callback->func(callback->arg);
	}
	while (((Context *) context)->first != NULL)
		shim_pfree(((Context *) context)->first + 1);
}

static void
make_context(MemoryContext *context)
{
	if (*context == NULL)
	{
		*context = calloc(1, sizeof(Context));
		(*context)->type = T_AllocSetContext;
	}
	shim_MemoryContextReset(*context);
}

void
shim_begin(void)
{
	make_context(&shim_states);
	make_context(&shim_row);
	make_context(&shim_query);
	TopMemoryContext = shim_query;
	CurrentMemoryContext = shim_row;
	shim_error_code = 0;
	shim_error_message[0] = '\0';
}

static void *
zeroed(void *pointer, Size size)
{
	return memset(pointer, 0, size);
}

SHIM(void *, MemoryContextAlloc, (MemoryContext context, Size size))
{
	return allocate(context, size, false);
}

SHIM(void *, MemoryContextAllocZero, (MemoryContext context, Size size))
{
	return zeroed(allocate(context, size, false), size);
}

SHIM(void *, MemoryContextAllocZeroAligned, (MemoryContext context, Size size))
{
	return zeroed(allocate(context, size, false), size);
}

SHIM(void *, MemoryContextAllocHuge, (MemoryContext context, Size size))
{
	return allocate(context, size, true);
}

SHIM(void *, MemoryContextAllocExtended, (MemoryContext context, Size size, int flags))
{
	void	   *pointer = allocate(context, size, (flags & MCXT_ALLOC_HUGE) != 0);

	return (flags & MCXT_ALLOC_ZERO) != 0 ? zeroed(pointer, size) : pointer;
}

SHIM(void *, palloc, (Size size))
{
	return allocate(CurrentMemoryContext, size, false);
}

SHIM(void *, palloc0, (Size size))
{
	return zeroed(allocate(CurrentMemoryContext, size, false), size);
}

SHIM(void *, palloc_extended, (Size size, int flags))
{
	return shim_MemoryContextAllocExtended(CurrentMemoryContext, size, flags);
}

SHIM(void *, repalloc, (void *pointer, Size size))
{
	return reallocate(pointer, size, false);
}

SHIM(void *, repalloc_huge, (void *pointer, Size size))
{
	return reallocate(pointer, size, true);
}

SHIM(void *, repalloc0, (void *pointer, Size old_size, Size size))
{
	char	   *moved = reallocate(pointer, size, false);

	memset(moved + old_size, 0, size - old_size);
	return moved;
}

SHIM(MemoryContext, GetMemoryChunkContext, (void *pointer))
{
	Block	   *block = block_of(pointer);
	MemoryContext context = &block->context->base;

	hide(block);
	return context;
}

SHIM(char *, MemoryContextStrdup, (MemoryContext context, const char *text))
{
	return memcpy(allocate(context, strlen(text) + 1, false), text, strlen(text) + 1);
}

SHIM(char *, pstrdup, (const char *text))
{
	return shim_MemoryContextStrdup(CurrentMemoryContext, text);
}

SHIM(char *, pnstrdup, (const char *text, Size length))
{
	char	   *copy;

	length = strnlen(text, length);
	copy = shim_palloc(length + 1);
	memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

SHIM(char *, psprintf, (const char *format,...))
{
	char		text[1024];
	va_list		args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return shim_pstrdup(text);
}

SHIM(int, pg_snprintf, (char *text, size_t size, const char *format,...))
{
	va_list		args;
	int			length;

	va_start(args, format);
	length = vsnprintf(text, size, format, args);
	va_end(args);
	return length;
}

/* The wire -------------------------------------------------------------- */

SHIM(void, initStringInfo, (StringInfo wire))
{
	wire->data = shim_palloc(1);
	wire->data[0] = '\0';
	wire->maxlen = 1;
	wire->len = wire->cursor = 0;
}

/* Exactly as much room as was asked for. */
SHIM(void, enlargeStringInfo, (StringInfo wire, int needed))
{
	if (needed < 0 || (Size) needed >= MaxAllocSize - (Size) wire->len)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("out of memory")));
	if (wire->len + needed + 1 <= wire->maxlen)
		return;
	wire->maxlen = wire->len + needed + 1;
	wire->data = shim_repalloc(wire->data, wire->maxlen);
}

SHIM(void, appendBinaryStringInfoNT, (StringInfo wire, const void *data, int length))
{
	shim_enlargeStringInfo(wire, length);
	memcpy(wire->data + wire->len, data, length);
	wire->len += length;
}

SHIM(void, appendBinaryStringInfo, (StringInfo wire, const void *data, int length))
{
	shim_appendBinaryStringInfoNT(wire, data, length);
	wire->data[wire->len] = '\0';
}

SHIM(void, appendStringInfoString, (StringInfo wire, const char *text))
{
	shim_appendBinaryStringInfo(wire, text, strlen(text));
}

SHIM(void, appendStringInfoChar, (StringInfo wire, char c))
{
	shim_appendBinaryStringInfo(wire, &c, 1);
}

SHIM(void, pq_sendbytes, (StringInfo wire, const void *data, int length))
{
	shim_appendBinaryStringInfoNT(wire, data, length);
}

/* In the server's own encoding nothing is converted. */
SHIM(void, pq_sendtext, (StringInfo wire, const char *text, int length))
{
	shim_appendBinaryStringInfo(wire, text, length);
}

SHIM(void, pq_sendfloat8, (StringInfo wire, float8 value))
{
	int64		bits;

	memcpy(&bits, &value, sizeof(bits));
	pq_sendint64(wire, bits);
}

SHIM(void, pq_begintypsend, (StringInfo wire))
{
	shim_initStringInfo(wire);
	shim_appendBinaryStringInfo(wire, "\0\0\0\0", VARHDRSZ);
}

SHIM(bytea *, pq_endtypsend, (StringInfo wire))
{
	SET_VARSIZE(wire->data, wire->len);
	return (bytea *) wire->data;
}

SHIM(void, pq_copymsgbytes, (StringInfo wire, void *data, int length))
{
	if (length < 0 || length > wire->len - wire->cursor)
		ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION),
						errmsg("insufficient data left in message")));
	memcpy(data, wire->data + wire->cursor, length);
	wire->cursor += length;
}

SHIM(const char *, pq_getmsgbytes, (StringInfo wire, int length))
{
	const char *at = wire->data + wire->cursor;

	if (length < 0 || length > wire->len - wire->cursor)
		ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION),
						errmsg("insufficient data left in message")));
	wire->cursor += length;
	return at;
}

SHIM(int, pq_getmsgbyte, (StringInfo wire))
{
	return (unsigned char) *shim_pq_getmsgbytes(wire, 1);
}

SHIM(unsigned int, pq_getmsgint, (StringInfo wire, int size))
{
	const unsigned char *at = (const unsigned char *) shim_pq_getmsgbytes(wire, size);
	unsigned int value = 0;

	if (size != 1 && size != 2 && size != 4)
		shim_fail("integer of %d bytes", size);
	for (int i = 0; i < size; i++)
		value = value << 8 | at[i];
	return value;
}

SHIM(int64, pq_getmsgint64, (StringInfo wire))
{
	uint64		high = shim_pq_getmsgint(wire, 4);

	return (int64) (high << 32 | shim_pq_getmsgint(wire, 4));
}

SHIM(float8, pq_getmsgfloat8, (StringInfo wire))
{
	int64		bits = shim_pq_getmsgint64(wire);
	float8		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* In the server's own encoding it is checked, but here any bytes may be texts. */
SHIM(char *, pq_getmsgtext, (StringInfo wire, int length, int *bytes))
{
	const char *at = shim_pq_getmsgbytes(wire, length);
	char	   *text = shim_palloc(length + 1);

	memcpy(text, at, length);
	text[length] = '\0';
	*bytes = length;
	return text;
}

SHIM(void, pq_getmsgend, (StringInfo wire))
{
	if (wire->cursor != wire->len)
		ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION), errmsg("invalid message format")));
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
