# The mistakes: each was somebody's, or is what a rule of docs/architecture.md
# is there against.  Sourced by run.sh.

mutation marks_on_conflict 'isolation:writers isolation:refresh_midway' \
	'a set of dirty keys, ON CONFLICT DO NOTHING, instead of the logs'
mutate_marks_on_conflict() {
	swap src/capture/marklog.c 'static void flush_marks(MarkWriter *writer) {' '
#include "executor/spi.h"

static void
insert_dirty(MarkWriter *writer, HeapTuple tuple)
{
	bool		none;
	Datum		key = heap_getattr(tuple, 3, RelationGetDescr(writer->log), &none);
	Oid			types[] = {OIDOID, BOOLOID, TEXTOID, TIMESTAMPTZOID};
	Datum		values[] = {writer->tbl, BoolGetDatum(none),
	none ? CStringGetTextDatum("") : key, writer->marked_at};
	RunContext	ctx;

	context_enter_catalog(&ctx);
	SPI_connect();
	context_run("INSERT INTO segment.work (tbl, whole, key, marked_at)"
				" VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING", 4, types, values, NULL, false);
	SPI_finish();
	context_leave(&ctx);
}

static void
flush_marks(MarkWriter *writer)
{' &&
	swap src/capture/marklog.c 'heap_insert(writer->log, writer->first, GetCurrentCommandId(true), AT_THE_END, NULL);' \
		'insert_dirty(writer, writer->first);' &&
	swap src/capture/marklog.c 'heap_multi_insert(writer->log, writer->slots, writer->count, GetCurrentCommandId(true), AT_THE_END, NULL);' \
		'for (int i = 0; i < writer->count; i++) insert_dirty(writer, ExecFetchSlotHeapTuple(writer->slots[i], false, NULL));'
}

mutation marks_once_a_transaction 'isolation:refresh_stopped,writers' \
	'a key is marked once in a transaction, whatever was rolled back since'
mutate_marks_once_a_transaction() {
	swap src/capture/marklog.c 'CHECK_FOR_INTERRUPTS(); if (writer->count == MARKS_AT_ONCE)' '
	static Datum last_xid;
	static char last[64];
	static Size last_length;

	CHECK_FOR_INTERRUPTS();
	if (key != NULL && length < sizeof(last))
	{
		if (last_xid == writer->xid && last_length == length && memcmp(last, key, length) == 0)
			return;
		last_xid = writer->xid;
		last_length = length;
		memcpy(last, key, length);
	}
	if (writer->count == MARKS_AT_ONCE)' &&
	swap src/capture/marklog.c 'flush_marks(MarkWriter *writer) { if (writer->count == 0)' \
		'flush_marks(MarkWriter *writer) { if (writer->count == 0 || (writer->slots == NULL && writer->first == NULL))'
}

mutation old_key_unmarked 'regress:capture_triggers' 'an UPDATE marks the new key alone'
mutate_old_key_unmarked() {
	swap src/capture/trigger.c 'if (!TRIGGER_FIRED_BY_INSERT(trigdata->tg_event)) stores[0]' \
		'if (TRIGGER_FIRED_BY_DELETE(trigdata->tg_event)) stores[0]'
}

mutation mark_limit_forgotten 'regress:capture_triggers' 'beyond segment.mark_limit the first keys alone are marked'
mutate_mark_limit_forgotten() {
	swap src/capture/trigger.c 'return room ? keys : NULL;' '(void) room; return keys;'
}

mutation missed_not_marked 'regress:capture_ddl' 'triggers are put back, but what they missed is not computed'
mutate_missed_not_marked() {
	swap src/refresh/refresh.c 'if (missing) marklog_append_all' 'if (false) marklog_append_all'
}

mutation bookmark_ahead 'isolation:refresh_stopped' 'marks are read in an older snapshot than the one that is noted'
mutate_bookmark_ahead() {
	swap src/refresh/collect.c 'snapshot = $2::pg_snapshot,"' 'snapshot = coalesce(pg_current_snapshot(), $2::pg_snapshot),"'
}

mutation own_marks_collected 'isolation:refresh_block' 'a transaction that goes on after its refresh counts as seen'
mutate_own_marks_collected() {
	swap src/refresh/collect.c 'UNION SELECT pg_current_xact_id_if_assigned()) AS i(x)"' ') AS i(x)"'
}

mutation collection_waits 'isolation:refresh_others isolation:refresh_midway,two_refreshes' 'a collection waits for batches under way'
mutate_collection_waits() {
	swap src/refresh/collect.c 'if (!catalog_lock_work(DatumGetObjectId(tbl), ShareLock, false))' 'if (false)'
}

mutation log_emptied_early 'isolation:refresh_stopped' 'a log is emptied though a mark in it was not collected'
mutate_log_emptied_early() {
	swap src/capture/marklog.c 'pg_current_xact_id_if_assigned()) LIMIT 1", n), 2, types, values, NULL, false) > 0)' \
		'pg_current_xact_id_if_assigned()) LIMIT 1", n), 2, types, values, NULL, false) > 1)'
}

mutation work_not_put_back 'tap:rotation' 'who waits is forgotten when work is written anew'
mutate_work_not_put_back() {
	swap src/refresh/backlog.c 'run_sql(put_back_sql, 0, NULL, NULL, false);' ''
}

mutation log_given_back 'isolation:refresh_stopped' 'a writer gives its log back before it commits'
mutate_log_given_back() {
	swap src/capture/marklog.c 'table_close(writer->log, NoLock);' 'table_close(writer->log, RowExclusiveLock);'
}

mutation snapshot_before_lock 'isolation:refresh_stopped isolation:two_refreshes,refresh_midway' \
	'a batch takes its snapshot before it has the lock on its work'
mutate_snapshot_before_lock() {
	swap src/refresh/refresh.c 'catalog_lock_work(refresh->relid, ExclusiveLock, true); table = open_table(refresh); due =' \
		'PushActiveSnapshot(GetTransactionSnapshot()); catalog_lock_work(refresh->relid, ExclusiveLock, true); table = open_table(refresh); due =' &&
	swap src/refresh/process.c 'a->except,.future = a->future};' \
		'a->except,.future = a->future,.snapshot_of_caller = a->keys != (Datum) 0};' &&
	swap src/refresh/refresh.c 'process_keys(refresh, table, keys); more' '{ process_keys(refresh, table, keys); } PopActiveSnapshot(); more'
}

mutation claim_after_evaluation 'isolation:refresh_midway,refresh_stopped' 'work is deleted by key after its evaluation'
mutate_claim_after_evaluation() {
	swap src/refresh/claim.c 'WITH taken AS (DELETE FROM segment.work w WHERE' 'WITH taken AS (SELECT w.key, w.collection FROM segment.work w WHERE' &&
	swap src/refresh/claim.c '" RETURNING w.key, w.collection),"' '"),"' &&
	swap src/refresh/process.c 'if (!a->evaluate_only) apply_pending(table, a->keys);' '
	if (!a->evaluate_only)
		apply_pending(table, a->keys);
	if (a->keys != (Datum) 0)
	{
		Oid			types[] = {OIDOID, TEXTARRAYOID};
		Datum		values[] = {ObjectIdGetDatum(refresh->relid), a->keys};

		context_enter_catalog(&ctx);
		run_sql("DELETE FROM segment.work WHERE tbl = $1 AND NOT whole AND key = ANY ($2)", 2, types, values, false);
		context_leave(&ctx);
	}'
}

mutation claim_committed_first 'isolation:refresh_midway,refresh_fails' 'the claim is committed before its result'
mutate_claim_committed_first() {
	swap src/refresh/refresh.c 'if (keys != (Datum) 0) process_keys(refresh, table, keys);' 'if (keys != (Datum) 0)
	{
		if (refresh->nonatomic)
		{
			SPI_commit();
			catalog_lock_work(refresh->relid, ExclusiveLock, true);
		}
		process_keys(refresh, table, keys);
	}'
}

mutation claim_after_rebuild 'isolation:refresh_midway' 'a rebuild deletes work after its evaluation'
mutate_claim_after_rebuild() {
	swap src/refresh/refresh.c 'claim_all(refresh); catalog_forget' 'catalog_forget' &&
	swap src/refresh/refresh.c 'process_everybody(refresh, survey.future, rewind);' 'process_everybody(refresh, survey.future, rewind); claim_all(refresh);'
}

mutation batches_overlap 'isolation:refresh_stopped isolation:two_refreshes,refresh_midway' 'two batches of one table at once'
mutate_batches_overlap() {
	swap src/refresh/refresh.c 'catalog_lock_work(refresh->relid, ExclusiveLock, true); table = open_table(refresh); due =' \
		'table = open_table(refresh); due ='
}

mutation rebuild_overlaps 'isolation:refresh_stopped isolation:refresh_midway,two_refreshes' 'a rebuild beside a batch'
mutate_rebuild_overlaps() {
	swap src/refresh/refresh.c 'catalog_lock_work(refresh->relid, ExclusiveLock, true); table = open_table(refresh); progress_start' \
		'table = open_table(refresh); progress_start'
}

mutation missing_combine 'regress:aggregate_sessions,aggregate_streak,aggregate_engagement' \
	'the states of parallel workers are not combined'
mutate_missing_combine() {
	swap src/aggregate/support.c 'state->kind->merge(state, other, context);' ''
}

mutation missing_combine_function 'regress:aggregate_states,aggregate_sessions' 'an aggregate without a combine function'
mutate_missing_combine_function() {
	swap sql/aggregate/engagement.sql 'COMBINEFUNC = segment.aggregate_combine,' ''
}

mutation instant_late 'regress:rule_crossing regress:refresh_time' 'valid_until is a microsecond late'
mutate_instant_late() {
	swap src/rule/crossing.c 'PG_RETURN_TIMESTAMPTZ(result); } /* segment.crossing(at timestamptz, shift, after) */' \
		'PG_RETURN_TIMESTAMPTZ(result + 1); } /* segment.crossing(at timestamptz, shift, after) */'
}

mutation due_late 'regress:refresh_due regress:refresh_time' 'who is due at this very instant is not'
mutate_due_late() {
	swap src/refresh/due.c 'valid_until >= $1 AND valid_until <= $2' 'valid_until >= $1 AND valid_until < $2'
}

mutation next_due_not_lowered 'regress:refresh_due regress:refresh_time' 'a batch does not say that somebody falls due earlier'
mutate_next_due_not_lowered() {
	swap src/refresh/apply.c 's.next_due > r.due"' 's.next_due > r.due AND false"'
}

mutation pending_forgotten 'regress:refresh_due regress:refresh_time,refresh_attributes' 'who has no row yet is not looked at when time brings one'
mutate_pending_forgotten() {
	swap src/refresh/apply.c "valid_until < 'infinity'\" \" ON CONFLICT (tbl, key)" "false\" \" ON CONFLICT (tbl, key)"
}

mutation interruption_forgotten 'tap:worker_crash' 'a run whose process is gone is running for ever'
mutate_interruption_forgotten() {
	swap src/refresh/runs.c "WHERE r.status = 'running' AND (\$1 = 0 OR r.id" "WHERE r.status = 'running' AND false AND (\$1 = 0 OR r.id"
}

mutation history_open 'regress:history,groups' 'who leaves a segment stays in its history'
mutate_history_open() {
	swap src/refresh/history.c 'WHERE h.ctid = e.place AND e.entered_at < $1 RETURNING 1)", history);' \
		'WHERE h.ctid = e.place AND e.entered_at < $1 AND false RETURNING 1)", history);'
}

mutation rewind_forgotten 'regress:refresh_asof,history' 'the history of a time that was undone stays'
mutate_rewind_forgotten() {
	swap src/refresh/history.c '"DELETE FROM %s WHERE entered_at > $1"' '"DELETE FROM %s WHERE entered_at > $1 AND false"'
}

mutation first_merge_missed 'isolation:merge' 'a merge between the definition and the claim of a batch is not seen'
mutate_first_merge_missed() {
	swap src/refresh/process.c 'merged.merged = merged_any(table->relid, NULL);' '(void) merged_any;'
}

mutation merged_not_computed 'regress:refresh_merge' 'events of a merged key mark nobody else'
mutate_merged_not_computed() {
	swap src/refresh/process.c 'keys = keys_and_customers(&merged, keys, NULL);' ''
}

mutation merges_unlocked 'isolation:merge' 'two merges at once may go in a circle'
mutate_merges_unlocked() {
	swap src/refresh/merge.c 'merged_lock(relid);' ''
}

mutation verify_judges_dirty 'isolation:refresh_stopped' 'verify() reports who is dirty'
mutate_verify_judges_dirty() {
	swap src/refresh/verify.c 'FROM segment.work w WHERE w.tbl = $1"' 'FROM segment.work w WHERE w.tbl = $1 AND false"'
}

mutation verify_unlocked 'isolation:refresh_stopped' 'verify() lets a log be emptied between its look at marks and at work'
mutate_verify_unlocked() {
	swap src/refresh/verify.c 'LockRelationOid(marklog_relation(0), AccessShareLock);' '' &&
	swap src/refresh/verify.c 'LockRelationOid(marklog_relation(1), AccessShareLock);' ''
}

mutation verify_without_history 'regress:verify_detects,history' 'verify() does not look at the history'
mutate_verify_without_history() {
	swap src/refresh/verify.c 'judge_history(&v); SPI_finish();' 'if (false) judge_history(&v); SPI_finish();'
}

mutation preset_text_is_sql "regress:preset_engine" "a text given as an option is put into the SQL as it stands"
mutate_preset_text_is_sql() {
	swap src/preset/values.c "option->sql = quote_literal_cstr(read_string(&reader));" \
		"option->sql = psprintf(\"'%s'\", read_string(&reader));"
}

mutation preset_rule_unparsed "regress:preset_engine" "a rule given as an option is put into a template as it stands"
mutate_preset_rule_unparsed() {
	swap src/preset/values.c 'return psprintf("(%s)", rule->expression);' 'return psprintf("(%s)", string_of(text));'
}

mutation preset_drops_shared "regress:preset_engine" "drop_preset takes columns along that another preset has"
mutate_preset_drops_shared() {
	swap src/preset/install.c "if (!is_remembered(others, installed, lfirst(lc)))" "if (lfirst(lc) != NULL)"
}

mutation preset_takes_users_columns "regress:preset_engine" "a column that was there before is taken for the preset's"
mutate_preset_takes_users_columns() {
	swap src/preset/install.c "if (is_remembered(adding->others, NULL, old->name))" "if (old->name != NULL)"
}

mutation preset_events_as_caller "regress:preset_engine" "the stream is asked for events with the caller's rights"
mutate_preset_events_as_caller() {
	swap src/preset/events.c "context_enter_owner(&ctx, table->owner, table->time_zone);" \
		"context_enter_settings(&ctx, table->time_zone);"
}
