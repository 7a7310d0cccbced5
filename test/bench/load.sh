# Events without end into a segment table that is kept fresh all the time:
# how soon they show, what writers pay, what stays behind; sourced by run.sh.

# Anonymous memory in kB of the processes of a type ("segment job").
memory_of() {
	local pid
	for pid in $(value "SELECT pid FROM pg_stat_activity WHERE backend_type = '$1'"); do
		sed -n 's/^RssAnon:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status" 2>/dev/null || true
	done | sort -g | tail -n 1
}

# load_writers FILE SECONDS [OPTION...]: writers of single events, each a transaction.
load_writers() {
	local file=$1 seconds=$2
	shift 2
	as_worker "$PG_BIN/pgbench" -n -M prepared -c 8 -j 1 -T "$seconds" -f "$BUILD/tmp/$file.pgbench" "$@"
}

load_sizes() {
	value "SELECT string_agg(format('%s %s MB', n, round(pg_total_relation_size(r) / 1048576.0, 1)), ', ' ORDER BY n)
		FROM (VALUES ('table', 'load.customers'::regclass), ('history', 'load.customers_history'), ('work', 'segment.work'),
		             ('log 0', 'segment.mark_log_0'), ('log 1', 'segment.mark_log_1')) v(n, r)"
	value "SELECT format('(%s rows of history)', count(*)) FROM load.customers_history"
}

# Until everything that was committed is shown.
load_drain() {
	for _ in $(seq 6000); do
		[ "$(value "SELECT backlog = 0 AND NOT needs_rebuild FROM segment.status WHERE tbl = 'load.customers'::regclass")" != t ] || return 0
		sleep 0.1
	done
	die "the worker does not keep up"
}

measure_load() {
	local table run until probe probes=()
	sql -c "ALTER SYSTEM SET segment.databases = 'bench'" -c "SELECT pg_reload_conf()" -o "$BUILD/measured"
	sql -v customers="$LOAD_CUSTOMERS" -v events="$LOAD_EVENTS" -f "$TOP/test/bench/load.sql"
	for table in plain events; do
		cat >"$BUILD/tmp/$table.pgbench" <<-SQL
			\set customer random(1, $LOAD_CUSTOMERS)
			\set kind random(0, 4)
			INSERT INTO load.$table VALUES (:customer, now(), (ARRAY['visit', 'login', 'cart', 'purchase', 'mail'])[1 + :kind], 20);
		SQL
	done
	sql -c "CALL segment.rebuild('load.customers')" -c "VACUUM ANALYZE" -c CHECKPOINT
	sql -c "SELECT segment.schedule('load.customers', 'continuous')" -o "$BUILD/measured"
	load_drain
	load_writers events 5 >"$BUILD/measured"
	load_drain
	LOAD_BEFORE=$(load_sizes)
	LOAD_RUNS=$(value "SELECT max(id) FROM segment.runs")
	until=$(value "SELECT clock_timestamp() + interval '$LOAD_SECONDS seconds'")
	for probe in 1 2; do
		sql -c "CALL load.probe($probe, 7919 * $probe, $LOAD_CUSTOMERS, '$until')" &
		probes+=($!)
	done
	load_watch "$until" >"$BUILD/tmp/load.memory" &
	probes+=($!)
	load_writers events "$LOAD_SECONDS" -R "$LOAD_RATE" >"$BUILD/tmp/load.writers"
	for probe in "${probes[@]}"; do
		wait "$probe"
	done
	load_drain
	LOAD_AFTER=$(load_sizes)
	LOAD_REFRESHES=$(value "SELECT max(id) - $LOAD_RUNS FROM segment.runs")
	# how fast writers can be, by turns, while the worker goes on
	for run in $(seq "$LONG_RUNS"); do
		for table in $([ $((run % 2)) -eq 0 ] && echo plain events || echo events plain); do
			load_writers "$table" 20 >"$BUILD/measured"
			sed -n "s/^tps = \([0-9.]*\).*/load-$table \1/p" "$BUILD/measured" >>"$BUILD/figures"
			load_drain
		done
	done
	[ "$(value "SELECT count(*) FROM segment.verify('load.customers')")" -eq 0 ] || die "verify() found differences"
	sql -c "SELECT segment.unschedule('load.customers')" -o "$BUILD/measured"
}

# The memory of the processes every ten seconds.
load_watch() {
	while [ "$(value "SELECT clock_timestamp() < '$1'")" = t ]; do
		printf '%s %s\n' "$(memory_of 'segment job')" "$(memory_of 'segment scheduler')"
		sleep 10
	done
}

# first, middle and last of a column of the memory, in MB
load_memory() {
	awk -v c="$1" '$c != "" { v[++n] = $c / 1024; if (v[n] > most) most = v[n] }
		END { printf "%.1f MB, %.1f MB, %.1f MB; most %.1f MB", v[2], v[int((n + 1) / 2)], v[n], most }' "$BUILD/tmp/load.memory"
}

report_load() {
	printf '\n### Continuous: %s events a second for %s seconds, %s customers, 50 segments\n\n' \
		"$(grouped "$LOAD_RATE")" "$LOAD_SECONDS" "$(grouped "$LOAD_CUSTOMERS")"
	printf 'Written, in a transaction each, by 8 clients: %s.\n' \
		"$(sed -n 's/^number of transactions actually processed: //p' "$BUILD/tmp/load.writers")"
	printf 'Refreshes: %s.\n' "$LOAD_REFRESHES"
	printf 'From the commit of an event until another session sees it in the row: %s.\n' "$(value "
		SELECT format('median %s ms, 99th percentile %s ms (goal: at most 1,000), longest %s ms, of %s', p[1], p[2], p[3], n)
		FROM (SELECT array(SELECT round(1000 * extract(epoch FROM d)) FROM unnest(percentile_disc(ARRAY[0.5, 0.99, 1.0])
		                   WITHIN GROUP (ORDER BY seen_at - committed_at)) WITH ORDINALITY u(d, i) ORDER BY i) AS p, count(*) AS n
		      FROM load.probe) q")"
	printf 'Memory of the job when warm, in the middle, in the end: %s; of the scheduler: %s.\n' "$(load_memory 1)" "$(load_memory 2)"
	printf 'Sizes before: %s; after: %s.\n' "${LOAD_BEFORE//$'\n'/ }" "${LOAD_AFTER//$'\n'/ }"
	header "Writers as fast as they can, 8 clients, the worker beside them" "a table without the trigger" "the source" "ratio"
	row "single-row INSERT" tps load-plain load-events load-events load-plain ""
}
