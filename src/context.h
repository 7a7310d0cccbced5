/*
 * context.h
 *		Whose rights and which settings a piece of work runs with.
 *
 * Everything that comes from a user's expression is parsed and run inside
 * context_enter_owner .. context_leave; everything that touches the
 * configuration tables inside context_enter_catalog .. context_leave.
 * An error needs no leave: the abort of the (sub)transaction restores both
 * the role and the settings.
 */
#ifndef SEGMENT_CONTEXT_H
#define SEGMENT_CONTEXT_H

#include "datatype/timestamp.h"
#include "fmgr.h"

typedef struct RunContext
{
	Oid			userid;			/* role to go back to */
	int			sec_context;	/* its security context */
	int			nestlevel;		/* GUC nest level to go back to */
} RunContext;

/*
 * Takes the rights of a role in a security-restricted operation, and pins
 * every setting that could change the meaning of an expression: search_path
 * is pg_catalog alone, row_security off (hidden rows are an error).
 */
extern void context_enter_owner(RunContext *ctx, Oid owner, const char *time_zone);

/*
 * For parsing: the same with another search_path, names that are not qualified
 * being looked up in pg_catalog and then in segment.  Parsing runs code of
 * users, too: the input of a literal checks the constraints of domains.  The
 * author is whoever answers for the text: for a definition the segment table's
 * owner, whoever has it parsed.
 */
extern void context_enter_parse(RunContext *ctx, Oid author, const char *time_zone);

/* Pins the settings alone, keeping the caller's rights: no code of users runs here. */
extern void context_enter_settings(RunContext *ctx, const char *time_zone);

/* Pins only the path under which canonical expressions are written and run. */
extern void context_enter_canonical(RunContext *ctx);

/* Takes the rights of the extension's owner, to reach the configuration tables. */
extern void context_enter_catalog(RunContext *ctx);

/* Sets segment.as_of until context_leave. */
extern void context_set_as_of(TimestampTz as_of);

/* Sets any other setting until context_leave. */
extern void context_set(const char *name, const char *value);

extern void context_leave(RunContext *ctx);

/*
 * Runs a statement in the SPI connection that stands; error unless it
 * succeeds.  nulls as SPI has it, or NULL if there is none; returns SPI_processed.
 */
extern uint64 context_run(const char *sql, int nargs, Oid *types, Datum *values,
						  const char *nulls, bool read_only);

/*
 * The instant a refresh or a verification speaks about: segment.as_of if set,
 * else the clock, which unlike now() moves on within a transaction.
 */
extern TimestampTz context_instant(void);

/* OID of the schema segment, and of a relation or function in it (error if missing). */
extern Oid	context_schema(void);
extern Oid	context_relation(const char *name);

/* The owner of any relation; error if it is gone. */
extern Oid	context_relation_owner(Oid relid);

/* Error (22004) if one of the first n arguments is NULL; names are those of the arguments. */
extern void context_refuse_nulls(FunctionCallInfo fcinfo, int n, const char *const *names);

/* Error on a standby, which can only be read. */
extern void context_refuse_standby(const char *function);

/*
 * Error in a transaction whose snapshot may be older than the locks to be
 * taken; what, such as "a recut", needs READ COMMITTED, and why.
 */
extern void context_need_read_committed(const char *what, const char *why);

/* Is the extension there?  (A library can be loaded without it.) */
extern bool context_extension_exists(void);

#endif							/* SEGMENT_CONTEXT_H */
