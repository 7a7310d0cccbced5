/*
 * capture.h
 *		Which customers changed: the triggers and the mark log.
 *
 * A mark is written in the event's own transaction, never waits, and is never
 * lost.  See docs/architecture.md for the protocol.
 */
#ifndef SEGMENT_CAPTURE_H
#define SEGMENT_CAPTURE_H

#include "catalog/definition.h"
#include "datatype/timestamp.h"
#include "storage/block.h"

/* Called from _PG_init. */
extern void capture_init(void);

/* marklog.c */

/* Appends marks for keys (of char *) of a segment table. */
extern void marklog_append(Oid tbl, List *keys);

/* Appends a mark for every customer of a segment table. */
extern void marklog_append_all(Oid tbl);

/* The OID of log 0 or 1. */
extern Oid	marklog_relation(int log);

/*
 * In a collection's transaction, READ COMMITTED, which has locked the bookmark:
 * empties the log that writers have left, if nobody holds it and all of it is
 * collected by this snapshot, and points writers to it (*active) when the other
 * has grown.  Never waits.  True if anything changed; the caller stores it.
 */
extern bool marklog_rotate(const char *collected, Datum places, int *active);

/*
 * places.c: from which block of a log on marks can stand.  places: as the
 * bookmark has them, a bigint[].  Snapshots as texts.  The caller has a lock
 * on the log.
 */

/* Marks of transactions that ended between two snapshots, and of later ones. */
extern BlockNumber places_begin(Datum places, const char *collected, const char *now, int log);

/* Marks of transactions that this snapshot does not see. */
extern BlockNumber places_unfinished(Datum places, const char *now, int log);

/*
 * What the next collection needs to know.  last: of each log a block with a
 * mark that was visible in the snapshot, or InvalidBlockNumber.
 */
extern Datum places_note(Datum places, const char *now, const BlockNumber *last);

/* install.c */

/*
 * Creates the triggers of a source that are missing or disabled, on the
 * relation and on all its partitions and children; the current role needs the
 * right TRIGGER on the relation.  Returns whether changes may have gone
 * unmarked: a trigger was missing, or capture_changed(), and a WARNING says so
 * if somebody has meddled with triggers.  Cheap if not; else notes how things
 * are, and waits for writers, without making others wait (lock.h).
 *
 * *disabled becomes the command with which the owner of a relation enables
 * triggers that the current role may not; until then changes go unnoticed.
 */
extern bool capture_install(const Source *source, char **disabled);

/*
 * Has anything happened since the last capture_install that the triggers could
 * not see: a partition that came or went, a trigger that was off for a while?
 * As a snapshot sees what was noted then; NULL: the latest.  Takes no locks.
 */
extern bool capture_changed(const Source *source, Snapshot snapshot);

/*
 * Drops the triggers of a source wherever they are, whoever owns the relation.
 * Waits for its users, without making others wait.
 */
extern void capture_remove(const Source *source);

/* Adds the locks that these two take, for whoever takes them with others. */
extern List *capture_wish_install(List *wishes, const Source *source);
extern List *capture_wish_remove(List *wishes, const Source *source);

/* row.c: marks were deleted: this transaction writes those that it needs once more */
extern void capture_forget_marked(void);

/* wake.c: schedulers that want to know of commits that wrote marks */

/* The calling process wants its latch set when marks are committed in this database. */
extern void wake_register(void);
extern void wake_unregister(void);

/*
 * Has anything been committed since the last call?  (Registered processes
 * only; clears the flag, so ask before looking for work.  The first call says
 * yes: something may have been committed before the process registered.)
 */
extern bool wake_pending(void);

/* Sets the latch of this database's scheduler when the transaction commits. */
extern void wake_at_commit(void);

/* Sets it now: a schedule or a due instant changed. */
extern void wake_now(void);

/* Ends the schedulers of a database, as pg_terminate_backend would. */
extern void wake_end(Oid database);

#endif							/* SEGMENT_CAPTURE_H */
