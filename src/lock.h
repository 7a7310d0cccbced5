/*
 * lock.h
 *		Locks that nobody queues behind.
 *
 * Whoever waits in PostgreSQL's queue for a strong lock makes all wait who come
 * later, even those who would not disturb the present holder.  These functions
 * wait beside the queue instead, up to segment.ddl_wait.
 */
#ifndef SEGMENT_LOCK_H
#define SEGMENT_LOCK_H

#include "nodes/pg_list.h"
#include "storage/lockdefs.h"

/* Adds a relation and a mode to the locks to be taken together; returns the list. */
extern List *lock_wish(List *wishes, Oid relid, LOCKMODE mode);

/*
 * Takes all of them until the end of the transaction, none while one of them
 * can't be had.  Error (55P03) after segment.ddl_wait or lock_timeout.
 */
extern void lock_all(List *wishes);

/* The same for one. */
extern void lock_one(Oid relid, LOCKMODE mode);

#endif							/* SEGMENT_LOCK_H */
