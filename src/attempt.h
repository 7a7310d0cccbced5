/*
 * attempt.h
 *		Something that may fail, in a subtransaction.
 */
#ifndef SEGMENT_ATTEMPT_H
#define SEGMENT_ATTEMPT_H

#include "utils/elog.h"

typedef void (*AttemptStep) (void *arg);

/*
 * Runs the step in a subtransaction, which undo rolls back even if it succeeds.
 * Returns NULL, or the error, in the caller's memory context; whoever does not
 * know what to do about it raises it again (ReThrowError).
 */
extern ErrorData *attempt_run(AttemptStep step, void *arg, bool undo);

#endif							/* SEGMENT_ATTEMPT_H */
