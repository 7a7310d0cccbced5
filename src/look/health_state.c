/*
 * health_state.c
 *		What is odd about a segment table, as the extension's own tables show it:
 *		its freshness, its schedule, its bands, its triggers.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "look/health.h"

/* With the rights of who asks: the views hide from him what is not his. */
static const char *const state_sql =
"SELECT f.* FROM segment.status s LEFT JOIN segment.jobs j ON j.tbl = s.tbl"
" CROSS JOIN LATERAL (VALUES"
"  ('never_refreshed', s.as_of IS NULL, 'no row is up to date', 'CALL segment.refresh(), or schedule() it.'),"
"  ('stale', s.lag > current_setting('segment.health_lag')::interval,"
"   format('%s behind, %s customers wait', s.lag, CASE WHEN s.needs_rebuild THEN 'all' ELSE s.backlog::text END),"
"   CASE WHEN s.schedule IS NULL THEN 'Nothing refreshes it by itself: schedule() it.'"
"     ELSE 'See segment.jobs and segment.runs: what fails, what takes long, and whether workers run.' END),"
"  ('schedule_fails', j.failures > 0, concat(j.failures, ' failures in a row', ': ' || j.last_error),"
"   'Mend what the error says; the server log has it with its context.'),"
"  ('schedule_late', NOT j.running AND j.next_run_at < clock_timestamp() - interval '5 minutes',"
"   format('planned for %s', j.next_run_at),"
"   'Look whether the library is preloaded, segment.databases names this database, and a background worker is free.'),"
"  ('set_aside', s.set_aside > 0, format('%s customers', s.set_aside),"
"   'Their rows are stale: segment.set_aside says which expression fails for them.'),"
"  ('ignored_events', s.ignored_events > 0, format('%s events at the rebuild of %s', s.ignored_events, s.rebuilt_at),"
"   'They have no key or no time: mend what writes them; the next rebuild counts anew.'))"
"  v(finding, holds, detail, advice)"
" CROSS JOIN LATERAL (SELECT v.finding, NULL::text, v.detail, v.advice) f WHERE s.tbl = $1 AND v.holds";

static const char *const bands_sql =
"SELECT 'band_drift', b.name::text, format('shares %s, each ideally %s', b.shares, b.ideal),"
" 'recut() it; if that does not help, many scores are equal: choose fewer bands.'"
" FROM segment.bands b WHERE b.tbl = $1 AND EXISTS (SELECT FROM unnest(b.shares) u(share)"
"  WHERE abs(u.share - b.ideal) > b.ideal * current_setting('segment.health_band_drift')::numeric)"
" ORDER BY b.position";

/* With the rights of the extension's owner. */
static const char *const triggers_sql =
"SELECT 'trigger_disabled', p.relation::regclass::text, string_agg(g.tgname::text, ', ' ORDER BY g.tgname),"
" 'Changes of it go unnoticed: as its owner, ALTER TABLE ... ENABLE TRIGGER USER; the next refresh then computes everybody.'"
" FROM (SELECT DISTINCT p.relation FROM segment.source_part p WHERE p.tbl = $1) p"
" JOIN pg_trigger g ON g.tgrelid = p.relation AND g.tgenabled = 'D' AND g.tgfoid = 'segment.capture'::regproc"
" GROUP BY p.relation ORDER BY 2";

static void
add(const HealthCheck *check, const char *sql, bool as_extension)
{
	Oid			types[] = {OIDOID};
	Datum		values[] = {ObjectIdGetDatum(check->table->relid)};
	RunContext	ctx;

	SPI_connect();
	if (as_extension)
		context_enter_catalog(&ctx);
	else
		context_enter_settings(&ctx, check->table->time_zone);
	/* the views join more than the planner can count, and would be compiled for seconds */
	context_set("jit", "off");
	look_return(check->fcinfo, sql, 1, types, values, NULL);
	context_leave(&ctx);
	SPI_finish();
}

void
health_check_state(void *arg)
{
	const HealthCheck *check = arg;

	add(check, state_sql, false);
	add(check, bands_sql, false);
	add(check, triggers_sql, true);
}
