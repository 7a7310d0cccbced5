# All presets in one segment table beside a statement of plain SQL for each;
# sourced by run.sh.

PRESETS_NOW="timestamptz '2026-06-17 14:30:00+02'"
PRESETS_ADD='SELECT segment.add_preset($$presets.customer$$, preset, options) FROM presets.option ORDER BY preset COLLATE "C" \g /dev/null'

presets_plain() {
	local file before
	before=$(wc -l <"$BUILD/figures")
	sql -c 'SET client_min_messages = warning' -c 'DROP SCHEMA IF EXISTS plain CASCADE' -c 'CREATE SCHEMA plain' -c CHECKPOINT
	{
		printf "SET timezone = 'Europe/Berlin';\n"
		for file in "$TOP"/test/bench/presets/*.sql; do
			printf '\\echo @presets-plain-%s\n\\i %s\n' "$(basename "$file" .sql)" "$file"
		done
	} | measure -v now="$PRESETS_NOW"
	tail -n "+$((before + 1))" "$BUILD/figures" | awk '{ sum += $2 } END { print "presets-plain", sum }' >"$BUILD/tmp/sum"
	cat "$BUILD/tmp/sum" >>"$BUILD/figures"
}

presets_segment() {
	measure -v now="$PRESETS_NOW" <<-SQL
		\timing off
		SET client_min_messages = warning;
		SELECT set_config('segment.as_of', (:now)::text, false) \g /dev/null
		CALL presets.define();
		\timing on
		\echo @presets-add
		$PRESETS_ADD
		\timing off
		CHECKPOINT;
		\timing on
		\echo @presets-first
		CALL segment.rebuild('presets.customer');
		\timing off
		VACUUM ANALYZE presets.customer, presets.customer_history;
		CHECKPOINT;
		\timing on
		\echo @presets-again
		CALL segment.rebuild('presets.customer');
	SQL
}

measure_presets() {
	local run
	sql -v customers="$CUSTOMERS" -v events="$EVENTS" -v now="$PRESETS_NOW" -f "$TOP/test/bench/presets.sql"
	for run in $(seq "$LONG_RUNS"); do
		presets_plain
		presets_segment
	done
	PRESETS_DIFFER=$(value "SELECT string_agg(format('%s of %s', differ, name), ', ') FROM presets.differences() WHERE differ > 0")
	[ -z "$PRESETS_DIFFER" ] || die "plain SQL has others: $PRESETS_DIFFER"
	{
		printf '\\timing off\nSELECT set_config($$segment.as_of$$, (:now)::text, false) \\g /dev/null\n'
		for run in $(seq -1 "$RUNS"); do
			cat <<-SQL
				\timing off
				CALL presets.make_dirty($DIRTY);
				\timing on
				\echo $([ "$run" -lt 1 ] || echo @presets-refresh)
				CALL segment.refresh('presets.customer');
				\echo $([ "$run" -lt 1 ] || echo @presets-idle)
				CALL segment.refresh('presets.customer');
			SQL
		done
	} | measure -v now="$PRESETS_NOW"
	[ "$(sql -At -v now="$PRESETS_NOW" <<-'SQL'
		SELECT set_config('segment.as_of', (:now)::text, false) \g /dev/null
		SELECT count(*) FROM segment.verify('presets.customer');
	SQL
	)" = 0 ] || die "verify() found differences"
}

report_presets() {
	local file name
	header "All $(value 'SELECT count(*) FROM presets.option') presets together: $(grouped "$CUSTOMERS") customers, $(grouped "$(value 'SELECT count(*) FROM presets.event')") events" \
		"plain SQL, the sum of a statement for each" "segment" "ratio"
	row "rebuild of an empty segment table, with indexes and history" ms presets-plain presets-first presets-first presets-plain "< 1 ×"
	row "rebuild of a filled one, nothing changed" ms presets-plain presets-again presets-again presets-plain "< 1 ×"
	row "refresh of $(grouped "$DIRTY") dirty" ms presets-plain presets-refresh presets-refresh presets-plain "milliseconds"
	row "refresh, nothing dirty" ms presets-plain presets-idle presets-idle presets-plain ""
	printf '\nAdding all presets to an empty segment table: %s.\n' "$(show ms $(summary presets-add))"
	value "SELECT format('The segment table has %s columns, %s of them segments and groups, all as in plain SQL; a row has %s bytes, the table %s MB, its history %s MB.',
		(SELECT count(*) FROM pg_attribute WHERE attrelid = 'presets.customer'::regclass AND attnum > 0 AND NOT attisdropped),
		(SELECT count(*) FROM presets.differences()),
		(SELECT round(avg(pg_column_size(c))) FROM presets.customer c),
		pg_total_relation_size('presets.customer') / 1048576, pg_total_relation_size('presets.customer_history') / 1048576)"
	printf '\n| plain SQL | seconds |\n|---|---|\n'
	for file in "$TOP"/test/bench/presets/*.sql; do
		name=$(basename "$file" .sql)
		printf '| %s | %s |\n' "$name" "$(show ms $(summary "presets-plain-$name"))"
	done
}
