# What time alone costs: a midnight at which everybody is due, a refresh with
# nothing to do, and changes of the definition; sourced by run.sh.

# crowd DAY NAME: all are due at the midnight that begins this day.
crowd() {
	sql -c "SET segment.as_of = '$1'; SET client_min_messages = error" -c "CALL segment.rebuild('crowd.customers')" -c CHECKPOINT
	# a session of its own, whose memory is the refresh's alone
	measure -v day="$1" -v name="$2" <<-'SQL'
		\timing off
		SELECT :'day'::timestamptz + interval '24 hours 1 second' AS after \gset
		SET segment.as_of = :'after';
		SELECT set_config('crowd.run', :'name', false) \g /dev/null
		\timing on
		\echo @:name
		CALL segment.refresh('crowd.customers');
	SQL
}

# change NAME RULE KIND PROCEDURE: SQL that adds a segment, computes it by refresh or
# rebuild, and drops it again.
change() {
	cat <<-SQL
		\timing on
		\echo @define-$3
		SELECT segment.add_segment('crowd.customers', '$1', \$\$$2\$\$);
		\echo @$4-$3
		CALL segment.$4('crowd.customers');
		\timing off
		SELECT segment.drop_segment('crowd.customers', '$1');
		CALL segment.refresh('crowd.customers');
		VACUUM crowd.customers;
		CHECKPOINT;
		\timing on
	SQL
}

measure_due() {
	local run day
	sql -v customers="$DUE_CUSTOMERS" -v events="$DUE_EVENTS" -f "$TOP/test/bench/due.sql"
	crowd 2026-03-01 crowd-free
	# what a snapshot keeps from being cleared away
	sql -c "BEGIN ISOLATION LEVEL REPEATABLE READ" -c "SELECT count(*) FROM crowd.batch" -c "SELECT pg_sleep(3600)" \
		>"$BUILD/held" 2>&1 &
	crowd 2026-03-01 crowd-held
	measure <<-'SQL'
		\timing off
		SET segment.as_of = '2026-03-02 00:00:02+00';
		CALL segment.refresh('crowd.customers');
		\timing on
		\echo @idle-held
		CALL segment.refresh('crowd.customers');
		\echo @idle-held
		CALL segment.refresh('crowd.customers');
		\echo @idle-held
		CALL segment.refresh('crowd.customers');
	SQL
	sql -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(3600)'" -o "$BUILD/measured"
	wait %% 2>/dev/null || true
	sql -c 'VACUUM ANALYZE'
	# one session, as a worker's is that has run before: the first two runs don't count
	{
		for run in $(seq -1 "$RUNS"); do
			day=2026-04-$((run + 3))
			cat <<-SQL
				\timing off
				SET segment.as_of = '$day 11:00+00';
				CALL crowd.log_in($DIRTY, '$day');
				\timing on
				\echo $([ "$run" -lt 1 ] || echo @wake-dirty)
				CALL segment.refresh('crowd.customers');
				\echo $([ "$run" -lt 1 ] || echo @wake-idle)
				CALL segment.refresh('crowd.customers');
				\timing off
				SET segment.as_of = '2026-04-$((run + 4)) 00:00+00';
				\timing on
				\echo $([ "$run" -lt 1 ] || echo @wake-due)
				CALL segment.refresh('crowd.customers');
			SQL
		done
	} | measure
	for run in $(seq "$LONG_RUNS"); do
		{
			cat <<-'SQL'
				\timing off
				SET segment.as_of = '2026-05-01';
				\o /dev/null
			SQL
			# the first is not measured
			change warmed 'spent > 0' warm refresh
			change spender 'spent >= 500' still refresh
			change spender 'spent >= 500' still rebuild
			change lapsed "last_login < now() - interval '60 days'" moving refresh
			change lapsed "last_login < now() - interval '60 days'" moving rebuild
			cat <<-'SQL'
				\echo @time-rebuild
				CALL segment.rebuild('crowd.customers');
				\echo @time-evaluate
				SELECT count("row") FROM segment.evaluate('crowd.customers', '2026-01-01');
				\echo @time-evaluate-rows
				SELECT count(r) FROM segment.evaluate_rows(NULL::crowd.customers, '2026-01-01') r;
			SQL
		} | measure
	done
	[ "$(value "SET segment.as_of = '2026-05-01'; SELECT count(*) FROM segment.verify('crowd.customers')")" -eq 0 ] ||
		die "verify() found differences"
}

# The batches of a crowd: the time of the first and of the last ones, and memory.
report_batches() {
	sql -At -v run="$2" <<-'SQL' | sed "s/^/| $1 /"
		WITH b AS (SELECT row_number() OVER w AS n, count(*) OVER () AS total, bytes, process,
		                  1000 * extract(epoch FROM at - lag(at) OVER w) AS ms
		           FROM crowd.batch WHERE run = :'run' WINDOW w AS (ORDER BY id))
		SELECT format('| %s | %s ms | %s ms | %s MB, %s MB | %s MB, %s MB |', max(total),
		              round(percentile_disc(0.5) WITHIN GROUP (ORDER BY ms) FILTER (WHERE n BETWEEN 2 AND total * 0.2)),
		              round(percentile_disc(0.5) WITHIN GROUP (ORDER BY ms) FILTER (WHERE n > total * 0.8)),
		              round(max(bytes) FILTER (WHERE n = least(10, total)) / 1048576.0, 1),
		              max(process::int) FILTER (WHERE n = least(10, total)) / 1024,
		              round(max(bytes) FILTER (WHERE n = total) / 1048576.0, 1),
		              max(process::int) FILTER (WHERE n = total) / 1024)
		FROM b;
	SQL
}

report_due() {
	local n
	n=$(grouped "$DUE_CUSTOMERS")
	printf '\n### Midnight: %s customers due at one instant\n\n' "$n"
	printf 'All of it: %s; while another session holds a snapshot: %s.\n\n' "$(show ms $(summary crowd-free))" "$(show ms $(summary crowd-held))"
	printf '| | batches | one of the first fifth | one of the last fifth | memory after 10 batches: contexts, process | in the end |\n'
	printf '|---|---|---|---|---|---|\n'
	report_batches "nobody else" crowd-free
	report_batches "a snapshot held" crowd-held
	header "Time beside events: $(grouped "$DIRTY") of $n customers" "an event each" "due" "ratio"
	row "refresh" ms wake-dirty wake-due wake-due wake-dirty ""
	header "A refresh with nothing to do, $n customers" "after a refresh of $(grouped "$DIRTY")" "after midnight, a snapshot held" "ratio"
	row "refresh" ms wake-idle idle-held idle-held wake-idle "milliseconds"
	header "A change of the definition, $n customers, $(grouped $((DUE_CUSTOMERS * DUE_EVENTS))) events" "CALL rebuild with the same change" "segment" "ratio"
	row "add_segment over a score" ms rebuild-still define-still define-still rebuild-still ""
	row "the refresh after it" ms rebuild-still refresh-still refresh-still rebuild-still ""
	row "add_segment that moves with time" ms rebuild-moving define-moving define-moving rebuild-moving ""
	row "the refresh after it" ms rebuild-moving refresh-moving refresh-moving rebuild-moving ""
	header "Everybody as of another day" "CALL rebuild" "evaluate" "ratio"
	row "evaluate()" ms time-rebuild time-evaluate time-evaluate time-rebuild ""
	row "evaluate_rows()" ms time-rebuild time-evaluate-rows time-evaluate-rows time-rebuild ""
}
