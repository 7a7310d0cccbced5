/*
 * slots.h
 *		What schedulers and jobs say to each other, in shared memory.
 *
 * A slot stands for one job worker from the moment it is asked for until its
 * end is known.  Every change is made under one lock; none waits for anything.
 *
 *		FREE -> STARTING -> RUNNING <-> IDLE -> FREE
 *		            \----------\---------\----> DIED -> FREE
 *
 * STARTING: reserved by a scheduler; RUNNING: the process has it; IDLE: it has
 * finished a run and lingers for the next; DIED: it ended without finishing,
 * and its scheduler has not yet taken note.
 */
#ifndef SEGMENT_SLOTS_H
#define SEGMENT_SLOTS_H

#include "datatype/timestamp.h"

/* Names one use of a slot; handed to the job worker in bgw_extra. */
typedef struct JobTicket
{
	int			slot;
	uint64		number;			/* never used twice */
	Oid			database;
	Oid			tbl;
	Oid			owner;			/* of the segment table */
	bool		as_owner;		/* connect as the owner, else as the bootstrap superuser */
} JobTicket;

/* Called from _PG_init while the library is being preloaded. */
extern void slots_init(void);

/* Is there shared memory, that is, was the library preloaded? */
extern bool slots_available(void);

/* scheduler */

/* Reserves a slot for a job of this database; false if none is free. */
extern bool slots_reserve(Oid tbl, TimestampTz now, JobTicket *ticket);

/* Gives a reserved slot back: no worker could be had. */
extern void slots_cancel(const JobTicket *ticket);

/* The worker of a ticket is gone; if it never took its slot, it counts as died. */
extern void slots_stopped(const JobTicket *ticket);

/*
 * Is a job worker of this table alive?  If so, asks it to look again.  One
 * whose death the scheduler has still to take note of counts as alive: the
 * look that takes note decides when the next comes.
 */
extern bool slots_nudge(Oid tbl);

/* Has a job of this database died, or never come up? */
extern bool slots_any_dead(TimestampTz now);

/* The tables of this database whose jobs died, each told once. */
extern List *slots_take_dead(TimestampTz now);

/* Somebody could not get a worker: idle ones are to go. */
extern void slots_crowded(TimestampTz now);

/* Ends the jobs of a database, as pg_terminate_backend would. */
extern void slots_end(Oid database);

/* job */

/* Takes the slot; false if it has been given up meanwhile. */
extern bool slots_attach(const JobTicket *ticket);

/* A run is over; the job lingers.  True if it is to go for others' sake. */
extern bool slots_idle(TimestampTz now);

/* Was this job asked to look again since?  Clears it, and is RUNNING if so. */
extern bool slots_nudged(void);

/* Ends the job properly; false if it was asked to look again. */
extern bool slots_leave(bool force);

#endif							/* SEGMENT_SLOTS_H */
