/*
 * segment.c
 *		Module entry: one call for each room.
 */
#include "postgres.h"

#include "capture/capture.h"
#include "fmgr.h"
#include "guc.h"
#include "refresh/refresh.h"
#include "rule/rule.h"
#include "worker/worker.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

void
_PG_init(void)
{
	guc_init();
	capture_init();
	rule_init();
	refresh_init();
	worker_init();
}
