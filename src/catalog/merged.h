/*
 * merged.h
 *		Keys whose events count for another key.
 *
 * Each merged key stands in segment.merged once, with the key that it was
 * merged into and the one at the end of the chain, for which its events count;
 * that one is itself not merged.
 */
#ifndef SEGMENT_MERGED_H
#define SEGMENT_MERGED_H

#include "catalog/definition.h"

/* Is there any of a segment table?  snapshot NULL: the latest, as for the others. */
extern bool merged_any(Oid relid, Snapshot snapshot);

/* The key that a merged one counts for, or NULL.  A key is given as the key's type writes it. */
extern char *merged_target(Oid relid, const char *key, Snapshot snapshot);

/* The key that it was merged into, which may be merged itself, or NULL. */
extern char *merged_parent(Oid relid, const char *key);

/* The keys (of char *) that count for one. */
extern List *merged_members(Oid relid, const char *key);

/*
 * Are keys of this type equal exactly if their texts are, and is the text the
 * same under any settings?  Else merged keys are compared as values.
 */
extern bool merged_by_text(Oid type);

/*
 * Until the end of the transaction, no other may change which keys of a
 * segment table are merged.  A refresh takes no notice: what changes is marked.
 */
extern void merged_lock(Oid relid);

/*
 * With that lock, in any isolation level: a key that is not merged counts for
 * target from now on, and so do those that counted for it; into lies on the way.
 */
extern void merged_add(Oid relid, const char *from, const char *into, const char *target,
					   TimestampTz at);

/* Undoes that.  Those merged into it, directly or not, count for it again. */
extern void merged_remove(Oid relid, const char *from, const char *target);

/* None counts for a key any more; returns how many did. */
extern int64 merged_forget(Oid relid, const char *target);

#endif							/* SEGMENT_MERGED_H */
