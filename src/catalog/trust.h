/*
 * trust.h
 *		May a segment table's owner read a source?  Asked when the source is
 *		added and again at every run.  And may the current role read a segment table?
 */
#ifndef SEGMENT_TRUST_H
#define SEGMENT_TRUST_H

#include "catalog/definition.h"
#include "compat.h"

/*
 * Error if the owner may not read the relation, if rows of it are hidden from
 * him by row level security, if it is no table any more, or if a superuser
 * would read somebody else's table, or one that has such a part.
 */
extern void trust_check_source(const SegmentTable *table, Oid relation);

/*
 * Error unless the current role may read all of a segment table or history:
 * every column, and no row hidden by row level security.  For functions that
 * show with the owner's rights what can be read there.
 */
extern void trust_check_reader(Oid relation);

/* For whom something is computed with the owner's rights. */
typedef struct TrustedReader
{
	char	   *table;			/* its name, for messages */
	bool		is_member;		/* has the rights of the table's owner anyway */
	MemoryContext context;		/* of the caller */
} TrustedReader;

/* The current role; to be called before the owner's rights are taken. */
extern void trust_reader(TrustedReader *reader, const SegmentTable *table);

/*
 * In PG_CATCH: raises the error again, but to others than members of the owner
 * without a word of its own, which may be a value of a row that they may not
 * read.
 */
pg_noreturn extern void trust_rethrow(const TrustedReader *reader);

#endif							/* SEGMENT_TRUST_H */
