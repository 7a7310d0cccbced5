/*
 * shim.h
 *		What the aggregates need of a server, for programs that try them without
 *		one.
 *
 * Memory contexts are lists of malloc'd blocks, so that a sanitizer sees every
 * access outside of them; errors are caught by shim_call.  A function of the
 * server that nobody has needed yet ends the program with its name when it is
 * called (run.sh sees to that): add it to values.c, types.c or time.c.
 */
#ifndef SHIM_H
#define SHIM_H

#include "postgres.h"

#include "compat.h"
#include "fmgr.h"
#include "utils/memutils.h"

/* PostgreSQL's own need its libraries. */
#undef printf
#undef fprintf
#undef snprintf
#undef vsnprintf
#undef vfprintf
#undef sprintf

/*
 * Defines a function of the server.  Its declaration may differ between major
 * versions, by const and the like, so it gets another name in C.
 */
#define SHIM(type, name, arguments) \
	type shim_##name arguments __asm__(#name); \
	type shim_##name arguments

/* The as-of instant: 2024-03-01 12:00 UTC */
#define SHIM_AS_OF INT64CONST(762609600000000)

/* What the call of a function knows of its arguments' types. */
typedef struct ShimTypes
{
	int			count;
	Oid			types[FUNC_MAX_ARGS];
} ShimTypes;

extern MemoryContext shim_states;	/* the aggregate's: states live here */
extern MemoryContext shim_row;		/* of one row: current in every call */
extern MemoryContext shim_query;	/* what outlives rows: fn_mcxt */

/* The last error. */
extern int	shim_error_code;
extern char shim_error_message[1024];

/* The type of what is anyelement: text or bigint. */
extern Oid	shim_value_type;

/* Makes the contexts at the first call, and empties them at each. */
extern void shim_begin(void);

/* Calls a function in shim_row; false if it ended in an error. */
extern bool shim_call(PGFunction function, FunctionCallInfo fcinfo, Datum *result);

/* Prints a message and what is known of the last error, and aborts. */
extern void shim_fail(const char *format,...) pg_attribute_printf(1, 2) __attribute__((noreturn));

/* A varlena value of these bytes, in the given context. */
extern struct varlena *shim_varlena(const void *data, size_t length, MemoryContext context);

/* A one-dimensional array without NULLs, in the current context. */
extern void *shim_array(const Datum *values, int count, Oid type, int length, bool by_value);

/*
 * A value as text in the current context.  Its type is a word of SQL, or those
 * of a composite type's columns in parentheses.
 */
extern char *shim_show(Datum value, bool is_null, const char *type);

/* The type of the result of the function that is called, as above. */
extern const char *shim_result_type;

#endif							/* SHIM_H */
