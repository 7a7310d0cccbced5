/*
 * worker.h
 *		Launcher, scheduler, job: what keeps segment tables fresh by itself.
 */
#ifndef SEGMENT_WORKER_H
#define SEGMENT_WORKER_H

/* Called from _PG_init: registers the launcher when preloaded. */
extern void worker_init(void);

#endif							/* SEGMENT_WORKER_H */
