/*
 * guc.c
 *		Every setting of the extension.
 */
#include "postgres.h"

#include <limits.h>

#include "compat.h"
#include "guc.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

char	   *segment_databases = NULL;
int			segment_batch_size = 10000;
int			segment_mark_limit = 10000;
int			segment_log_rotation_size = 1024;
int			segment_backlog_limit = 1000000;
int			segment_runs_kept = 1000;
int			segment_ddl_wait = 60000;
int			segment_set_aside_limit = 100;
int			segment_job_timeout = 6 * 60 * 60 * 1000;

char	   *segment_notify_channel = NULL;
double		segment_health_min_share = 0.001;
double		segment_health_similarity = 0.95;
double		segment_health_band_drift = 0.5;
int			segment_health_lag = SECS_PER_DAY;
int			segment_health_quiet = 7 * SECS_PER_DAY;
int			segment_health_stay = 90 * SECS_PER_DAY;

static char *as_of_string = NULL;
static bool as_of_is_set = false;
static TimestampTz as_of_value = 0;

/*
 * Reads a timestamp without raising an error, since a check hook may run where
 * an error is fatal.
 */
static bool
parse_instant(const char *text, TimestampTz *result)
{
	char		workbuf[MAXDATELEN + MAXDATEFIELDS];
	char	   *field[MAXDATEFIELDS];
	int			ftype[MAXDATEFIELDS];
	int			nf;
	int			dtype;
	int			tz = 0;
	fsec_t		fsec;
	struct pg_tm tm;

	if (ParseDateTime(text, workbuf, sizeof(workbuf), field, ftype,
					  MAXDATEFIELDS, &nf) != 0 ||
		segment_decode_datetime(field, ftype, nf, &dtype, &tm, &fsec, &tz) != 0)
		return false;
	return dtype == DTK_DATE && tm2timestamp(&tm, fsec, &tz, result) == 0;
}

/*
 * The value is rewritten in UTC with its offset, so that it means the same in
 * a parallel worker that restores it before TimeZone.
 */
static bool
check_as_of(char **newval, void **extra, GucSource source)
{
	TimestampTz *instant;
	TimestampTz parsed;
	struct pg_tm tm;
	fsec_t		fsec;
	char		text[MAXDATELEN + 1];
	int			utc = 0;
	char	   *canonical;

	if (*newval == NULL || **newval == '\0')
		return true;
	if (!parse_instant(*newval, &parsed) ||
		timestamp2tm(parsed, NULL, &tm, &fsec, NULL, NULL) != 0)
	{
		GUC_check_errdetail("\"%s\" is not a finite timestamp.", *newval);
		GUC_check_errhint("Give a timestamp such as '2026-01-31 12:00:00+00', or an empty string for the present.");
		return false;
	}
	tm.tm_isdst = 0;			/* else the offset is left out */
	EncodeDateTime(&tm, fsec, true, utc, NULL, USE_ISO_DATES, text);

	instant = (TimestampTz *) segment_guc_alloc(sizeof(TimestampTz));
	canonical = (char *) segment_guc_alloc(strlen(text) + 1);
	if (instant == NULL || canonical == NULL)
	{
		segment_guc_free(instant);
		segment_guc_free(canonical);
		return false;
	}
	*instant = parsed;
	strcpy(canonical, text);
	segment_guc_free(*newval);
	*newval = canonical;
	*extra = instant;
	return true;
}

static void
assign_as_of(const char *newval, void *extra)
{
	as_of_is_set = extra != NULL;
	if (extra != NULL)
		as_of_value = *(TimestampTz *) extra;
}

bool
guc_as_of(TimestampTz *as_of)
{
	if (as_of_is_set)
		*as_of = as_of_value;
	return as_of_is_set;
}

/* Async_Notify takes no longer names. */
static bool
check_channel(char **newval, void **extra, GucSource source)
{
	if (*newval == NULL || strlen(*newval) < NAMEDATALEN)
		return true;
	GUC_check_errdetail("The name of a channel may be up to %d bytes long.", NAMEDATALEN - 1);
	return false;
}

/* From where on the view health finds fault. */
static void
define_health(void)
{
	DefineCustomRealVariable("segment.health_min_share",
							 "Share of the customers below which a segment is found too small.",
							 NULL, &segment_health_min_share, 0.001, 0, 1,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomRealVariable("segment.health_similarity",
							 "Jaccard index from which on two segments are found nearly identical.",
							 NULL, &segment_health_similarity, 0.95, 0, 1,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomRealVariable("segment.health_band_drift",
							 "How far a band's share may lie from the ideal one, relative to it.",
							 NULL, &segment_health_band_drift, 0.5, 0, 1000,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("segment.health_lag",
							"How far a segment table may be behind before it is found stale.",
							NULL, &segment_health_lag, SECS_PER_DAY, 0, INT_MAX,
							PGC_USERSET, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("segment.health_quiet",
							"How long a source may have no event before it is found quiet.",
							NULL, &segment_health_quiet, 7 * SECS_PER_DAY, 0, INT_MAX,
							PGC_USERSET, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("segment.health_stay",
							"How long nobody may have left a segment before that is found odd.",
							NULL, &segment_health_stay, 90 * SECS_PER_DAY, 0, INT_MAX,
							PGC_USERSET, GUC_UNIT_S, NULL, NULL, NULL);
}

void
guc_init(void)
{
	define_health();
	DefineCustomStringVariable("segment.notify_channel",
							   "Channel on which changes of memberships are told; empty for none.",
							   NULL, &segment_notify_channel, "segment",
							   PGC_USERSET, 0, check_channel, NULL, NULL);
	DefineCustomStringVariable("segment.as_of",
							   "The instant that segment.now() returns; empty for the present.",
							   NULL, &as_of_string, "",
							   PGC_USERSET, 0,
							   check_as_of, assign_as_of, NULL);
	DefineCustomStringVariable("segment.databases",
							   "Databases in which schedules run, separated by commas.",
							   NULL, &segment_databases, "",
							   PGC_SIGHUP, GUC_LIST_INPUT, NULL, NULL, NULL);
	DefineCustomIntVariable("segment.batch_size",
							"Customers that a refresh processes in one transaction.",
							NULL, &segment_batch_size, 10000, 1, INT_MAX,
							PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("segment.mark_limit",
							"Distinct keys that one statement marks one by one; beyond it, it marks the whole segment table.",
							NULL, &segment_mark_limit, 10000, 0, INT_MAX,
							PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("segment.log_rotation_size",
							"Size beyond which a mark log is rotated.",
							NULL, &segment_log_rotation_size, 1024, 8, INT_MAX,
							PGC_SUSET, GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomIntVariable("segment.backlog_limit",
							"Customers waiting for a refresh beyond which it computes the whole segment table.",
							NULL, &segment_backlog_limit, 1000000, 1, INT_MAX,
							PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("segment.runs_kept",
							"Runs that segment.runs remembers for each segment table.",
							NULL, &segment_runs_kept, 1000, 1, INT_MAX,
							PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("segment.ddl_wait",
							"How long a definition tries to lock a table that others use.",
							NULL, &segment_ddl_wait, 60000, 0, INT_MAX,
							PGC_USERSET, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("segment.set_aside_limit",
							"Customers for whom an expression may fail before the refresh fails, too.",
							NULL, &segment_set_aside_limit, 100, 0, INT_MAX,
							PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("segment.job_timeout",
							"How long a scheduled refresh may take; 0 for as long as it likes.",
							NULL, &segment_job_timeout, 6 * 60 * 60 * 1000, 0, INT_MAX,
							PGC_SUSET, GUC_UNIT_MS, NULL, NULL, NULL);
	MarkGUCPrefixReserved("segment");
}
