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
"  ('not_computed', s.as_of IS NOT NULL AND (s.needs_rebuild OR s.new_columns IS NOT NULL),"
"   CASE WHEN s.needs_rebuild THEN 'all customers wait' ELSE concat('new columns wait: ', array_to_string(s.new_columns, ', ')) END,"
"   'CALL segment.refresh(), or schedule() it; sizes are judged after that.'),"
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

/* Shares of few customers can not be even: less than one customer is no drift. */
static const char *const bands_sql =
"SELECT 'band_drift', b.name::text, format('in bands 1 to %s are %s %% of the customers, ideally %s %% in each', b.bands,"
"  (SELECT string_agg(round(100 * u.share, 1)::text, ', ' ORDER BY u.n) FROM unnest(b.shares) WITH ORDINALITY u(share, n)),"
"  round(100 * b.ideal, 1)),"
" 'Cut it anew by recut(). If that does not help, many customers have the same score, and equal scores share a band:"
" choose fewer bands, or cuts of your own, which the preset rfm has options for.'"
" FROM segment.bands b CROSS JOIN LATERAL (SELECT max(abs(u.share - b.ideal)) AS most FROM unnest(b.shares) u(share)) d"
" WHERE b.tbl = $1 AND CASE WHEN d.most > b.ideal * current_setting('segment.health_band_drift')::numeric"
"  THEN (SELECT d.most * sum(s.members) >= 1 FROM segment.sizes(b.tbl) s WHERE s.segment = b.name) END"
" ORDER BY b.position";

/*
 * With the rights of the extension's owner.  Off is also a trigger that is gone,
 * and one that fires only where rows are replicated, but that which is meant to.
 */
static const char *const triggers_sql =
"SELECT 'trigger_disabled', c.oid::regclass::text,"
" string_agg(DISTINCT coalesce(g.tgname, e.name || ' is missing'), ', '),"
" 'Changes of it go unnoticed: as its owner, ALTER TABLE ... ENABLE TRIGGER USER; the next refresh puts back what is missing, and computes everybody.'"
" FROM segment.source_part p JOIN pg_class c ON c.oid = p.relation"
" JOIN (VALUES (4, 'insert'), (8, 'delete'), (16, 'update'), (32, 'truncate'), (29, 'row')) e(type, name)"
"   ON e.type <> 29 OR c.relkind = 'r'"
" LEFT JOIN pg_trigger g ON g.tgrelid = c.oid AND g.tgtype = e.type AND g.tgfoid = 'segment.capture'::regproc"
"   AND g.tgargs = p.source::text::bytea || '\\x00'::bytea"
" WHERE p.tbl = $1 AND (g.tgenabled IS NULL OR g.tgenabled = 'D' OR g.tgenabled = 'R' AND e.type <> 29)"
" GROUP BY c.oid ORDER BY 2";

static void
add(const HealthCheck *check, const char *sql, bool as_extension)
{
	RunContext	ctx;

	SPI_connect();
	if (as_extension)
		context_enter_catalog(&ctx);
	else
		context_enter_settings(&ctx, check->table->time_zone);
	health_return(check, sql, OIDOID, ObjectIdGetDatum(check->table->relid));
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
