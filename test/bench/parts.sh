# What is measured, part by part; sourced by run.sh.  Of each part measure_PART
# gathers figures and report_PART prints their table.

# The trigger beside the same table without it: COPY. ------------------------

# name, distinct keys, indexes
COPIES=(
	"few 100 no"
	"many 9000 no"
	"all 100000 no"
	"indexed 9000 yes"
)

measure_capture() {
	local copy name keys indexed run order table
	sql -f "$TOP/test/bench/capture.sql"
	for copy in "${COPIES[@]}"; do
		read -r name keys indexed <<<"$copy"
		sql -v rows="$ROWS" -v keys="$keys" -v file="$BUILD/tmp/$name.copy" <<-'SQL'
			COPY (SELECT 1 + floor(random() * :keys)::bigint, now() - random() * interval '90 days',
			             'page view', round((100 * random())::numeric, 2)
			      FROM generate_series(1, :rows)) TO :'file';
		SQL
		[ "$indexed" = no ] ||
			sql -c 'CREATE INDEX ON capture.plain (customer_id)' -c 'CREATE INDEX ON capture.traced (customer_id)'
		for run in $(seq 0 "$RUNS"); do
			# the first run warms up, and the two take turns in being first
			order="plain traced"
			[ $((run % 2)) -eq 0 ] || order="traced plain"
			for table in $order; do
				measure -v table="capture.$table" -v file="$BUILD/tmp/$name.copy" \
					-v label="$([ "$run" -eq 0 ] || echo "@copy-$name-$table")" <<-'SQL'
					\timing off
					TRUNCATE :table;
					CHECKPOINT;
					SELECT pg_sleep(0.1) \g /dev/null
					\timing on
					\echo :label
					COPY :table FROM :'file';
				SQL
			done
		done
		rm -f "$BUILD/tmp/$name.copy"
	done
	sql -c 'TRUNCATE capture.plain, capture.traced'
}

report_capture() {
	local n
	n=$(grouped "$ROWS")
	header "Capture: COPY of $n rows" "without the trigger" "with it" "ratio"
	row "100 keys, no index" ms copy-few-plain copy-few-traced copy-few-traced copy-few-plain "≤ 1.15 ×"
	row "9,000 keys, no index" ms copy-many-plain copy-many-traced copy-many-traced copy-many-plain "≤ 1.15 ×"
	row "100,000 keys (one mark for all), no index" ms copy-all-plain copy-all-traced copy-all-traced copy-all-plain "≤ 1.15 ×"
	row "9,000 keys, index on the key" ms copy-indexed-plain copy-indexed-traced copy-indexed-traced copy-indexed-plain "≤ 1.15 ×"
}

# The trigger beside the same table without it: single rows. -----------------

measure_commit() {
	local clients run table order
	sql -c 'DROP SCHEMA IF EXISTS capture CASCADE' 2>/dev/null
	sql -f "$TOP/test/bench/capture.sql"
	sql -c 'CREATE INDEX ON capture.plain (customer_id)' -c 'CREATE INDEX ON capture.traced (customer_id)'
	for table in plain traced; do
		cat >"$BUILD/tmp/$table.pgbench" <<-SQL
			\set customer random(1, 100000)
			INSERT INTO capture.$table VALUES (:customer, now(), 'page view', 9.99);
		SQL
	done
	for clients in 1 8; do
		for run in $(seq 0 "$RUNS"); do
			order="plain traced"
			[ $((run % 2)) -eq 0 ] || order="traced plain"
			for table in $order; do
				as_worker "$PG_BIN/pgbench" -n -M prepared -c "$clients" -j "$(nproc)" \
					-T "$([ "$run" -eq 0 ] && echo 2 || echo "$PGBENCH_SECONDS")" -f "$BUILD/tmp/$table.pgbench" >"$BUILD/measured"
				[ "$run" -eq 0 ] ||
					sed -n "s/^tps = \([0-9.]*\).*/insert-$clients-$table \1/p" "$BUILD/measured" >>"$BUILD/figures"
			done
		done
	done
}

report_commit() {
	header "Capture: single-row INSERT, each a transaction, index on the key" "without the trigger" "with it" "ratio"
	row "1 client" tps insert-1-plain insert-1-traced insert-1-traced insert-1-plain "≥ 0.95 ×"
	row "8 clients" tps insert-8-plain insert-8-traced insert-8-traced insert-8-plain "≥ 0.95 ×"
}

# Refresh and rebuild beside a materialized view and CREATE TABLE AS. --------

shop_ready=
prepare_shop() {
	[ -z "$shop_ready" ] || return 0
	shop_ready=yes
	sql -v customers="$CUSTOMERS" -v events="$EVENTS" -f "$TOP/test/bench/shop.sql"
	sql <<-'SQL'
		SELECT 'CREATE MATERIALIZED VIEW shop.view AS ' || shop.plain_sql() \gexec
		CREATE UNIQUE INDEX ON shop.view (customer_id);
	SQL
}

measure_rebuild() {
	local run
	prepare_shop
	for run in $(seq "$LONG_RUNS"); do
		sql -c "DROP TABLE IF EXISTS shop.plain" 2>/dev/null
		measure -v command="CREATE TABLE shop.plain AS $(value 'SELECT shop.plain_sql()')" <<-'SQL'
			\timing off
			SELECT segment.drop_table('shop.customers') FROM segment.tables WHERE tbl = to_regclass('shop.customers') \g /dev/null
			CALL shop.define('shop.customers', 'shop.events');
			CHECKPOINT;
			\timing on
			\echo @rebuild-plain
			:command;
			\timing off
			CHECKPOINT;
			\timing on
			\echo @rebuild-first
			CALL segment.rebuild('shop.customers');
			\timing off
			VACUUM ANALYZE shop.customers, shop.customers_history;
			CHECKPOINT;
			\timing on
			\echo @rebuild-again
			CALL segment.rebuild('shop.customers');
		SQL
	done
	compare_with shop.plain
}

report_rebuild() {
	header "Rebuild: $(grouped "$CUSTOMERS") customers, $(grouped "$EVENTS") events" "CREATE TABLE AS" "segment" "ratio"
	row "of an empty segment table, with indexes and history" ms rebuild-plain rebuild-first rebuild-first rebuild-plain "≤ 1.5 ×"
	row "of a filled one, nothing changed" ms rebuild-plain rebuild-again rebuild-again rebuild-plain "≤ 1.5 ×"
}

# What does not move with time must be the same in both.
compare_with() {
	local differ
	differ=$(value "SELECT count(*) FROM shop.customers c FULL JOIN $1 p USING (customer_id)
		WHERE (c.events, c.spent, c.basket, c.returner) IS DISTINCT FROM (p.events, p.spent, p.basket, p.returner)")
	[ "$differ" -eq 0 ] || die "$differ customers differ from $1"
}

measure_refresh() {
	local run
	prepare_shop
	[ -n "$(value "SELECT to_regclass('shop.customers')")" ] || {
		sql -c "CALL shop.define('shop.customers', 'shop.events')"
		sql -c "CALL segment.rebuild('shop.customers')"
	}
	sql -c "CALL shop.define('shop.sparse_customers', 'shop.sparse_events')"
	sql -c "CALL segment.rebuild('shop.sparse_customers')"
	sql -c "VACUUM ANALYZE"
	sql -c CHECKPOINT
	# one session, as a worker's is that has run before: the first two runs don't count
	{
		for run in $(seq -1 "$RUNS"); do
			cat <<-SQL
				\timing off
				CALL shop.make_dirty('shop.sparse_events', $DIRTY);
				CALL shop.make_dirty('shop.events', $DIRTY);
				\timing on
				\echo $([ "$run" -lt 1 ] || echo @refresh-sparse)
				CALL segment.refresh('shop.sparse_customers');
				\echo $([ "$run" -lt 1 ] || echo @refresh-dense)
				CALL segment.refresh('shop.customers');
				\echo $([ "$run" -lt 1 ] || echo @refresh-idle)
				CALL segment.refresh('shop.customers');
			SQL
		done
	} | measure
	for run in $(seq "$RUNS"); do
		sql -c "CALL shop.make_dirty('shop.events', $DIRTY)"
		measure <<-'SQL'
			\echo @refresh-cold
			CALL segment.refresh('shop.customers');
		SQL
	done
	sql -c 'CREATE INDEX covering ON shop.events (customer_id) INCLUDE (occurred_at, kind, amount)' \
		-c 'VACUUM ANALYZE shop.events'
	{
		for run in $(seq -1 "$RUNS"); do
			cat <<-SQL
				\timing off
				CALL shop.make_dirty('shop.events', $DIRTY);
				\timing on
				\echo $([ "$run" -lt 1 ] || echo @refresh-covered)
				CALL segment.refresh('shop.customers');
			SQL
		done
	} | measure
	sql -c 'DROP INDEX shop.covering'
	for run in $(seq "$LONG_RUNS"); do
		measure <<-SQL
			\timing off
			CALL shop.make_dirty('shop.events', $DIRTY);
			\timing on
			\echo @refresh-one
			CALL segment.refresh('shop.customers');
			\echo @refresh-view
			REFRESH MATERIALIZED VIEW CONCURRENTLY shop.view;
		SQL
	done
	compare_with shop.view
	[ "$(value "SELECT count(*) FROM segment.verify('shop.customers')")" -eq 0 ] || die "verify() found differences"
}

report_refresh() {
	header "Refresh: $(grouped "$DIRTY") dirty of $(grouped "$CUSTOMERS") customers, $(grouped "$EVENTS") events" \
		"REFRESH MATERIALIZED VIEW CONCURRENTLY" "segment.refresh" "times faster"
	row "in a session that has refreshed before" ms refresh-view refresh-dense refresh-view refresh-dense "≥ 200 ×"
	row "the same, with an index that covers the columns" ms refresh-view refresh-covered refresh-view refresh-covered "≥ 200 ×"
	row "the first in its session" ms refresh-view refresh-cold refresh-view refresh-cold ""
	row "nothing dirty" ms refresh-view refresh-idle refresh-view refresh-idle ""
	header "Refresh of the same customers as everybody else's history grows" \
		"$(grouped "$(value 'SELECT count(*) FROM shop.sparse_events')") events" \
		"$(grouped "$(value 'SELECT count(*) FROM shop.events')") events" "ratio"
	row "$(grouped "$DIRTY") dirty" ms refresh-sparse refresh-dense refresh-dense refresh-sparse "≤ 1.3 ×"
}

# The C aggregates beside plain SQL, and beside the least that grouping costs. --

# run_score NAME WORKERS QUERY
run_score() {
	measure -v label="$1" -v workers="$2" -v query="$3" <<-'SQL'
		\timing off
		\o /dev/null
		SET work_mem = '4GB';
		SET max_parallel_workers_per_gather = :workers;
		\timing on
		\echo @:label
		:query;
	SQL
}

# The memory of the hash table with all its states, and whether workers share the
# work: "megabytes yes" or "megabytes no".
explain_score() {
	sql -At -v query="$1" <<-'SQL' | awk -F'[ :]+' '
		/Memory Usage/ { for (i = 1; i <= NF; i++) if ($i == "Usage") { kb = $(i + 1); sub("kB", "", kb) } if (kb > most) most = kb }
		/Finalize/ { parallel = 1 }
		END { printf "%.0f %s\n", most / 1024, parallel ? "yes" : "no" }'
		SET work_mem = '4GB';
		SET max_parallel_workers_per_gather = 0;
		EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) :query;
		SET max_parallel_workers_per_gather = 2;
		EXPLAIN (COSTS OFF) :query;
	SQL
}

scores_ready=
prepare_scores() {
	local differ
	[ -z "$scores_ready" ] || return 0
	scores_ready=yes
	sql -v events="$STREAM" -v customers="$STREAM_CUSTOMERS" -f "$TOP/test/bench/scores.sql"
	differ=$(value 'SELECT string_agg(name, $$, $$) FROM scores.differences()')
	[ -z "$differ" ] || die "C and plain SQL differ: $differ"
}

measure_scores() {
	local run name
	prepare_scores
	for run in $(seq "$LONG_RUNS"); do
		while read -r name; do
			run_score "scores-$name-floor" 0 "$(value "SELECT scores.timed(c) FROM scores.score WHERE name = 'floor'")"
			run_score "scores-$name-c" 0 "$(value "SELECT scores.timed(c) FROM scores.score WHERE split_part(name, ' ', 1) = '$name'")"
			[ "$run" -gt "$PLAIN_RUNS" ] ||
				run_score "scores-$name-plain" 0 "$(value "SELECT scores.timed(plain) FROM scores.score WHERE split_part(name, ' ', 1) = '$name'")"
		done < <(value "SELECT split_part(name, ' ', 1) FROM scores.score WHERE plain IS NOT NULL ORDER BY position")
	done
}

# The middle figure alone; and a ratio, of neighbours where there are as many of both.
middle() {
	show ms $(summary "$1") | sed 's/ (.*//'
}

times() {
	ratio "$1" "$2" | awk '{ printf($1 >= 20 ? "%.0f ×" : "%.2f ×", $1) }'
}

report_scores() {
	local name full keeps faster memory parallel goal
	printf '\n### Aggregates over %s events of %s customers\n\n' "$(grouped "$STREAM")" "$(grouped "$STREAM_CUSTOMERS")"
	printf 'The floor (`count(*)`, `max(at)`, `sum(value)` by customer): %s.\n\n' "$(show ms $(summary 'scores-[a-z_]*-floor'))"
	printf '| aggregate | keeps | C | plain SQL | times faster | goal | times the floor | goal | memory |\n'
	printf '|---|---|---|---|---|---|---|---|---|\n'
	while IFS='|' read -r full keeps faster; do
		name=${full%% *}
		read -r memory parallel <<<"$(explain_score "$(value "SELECT scores.timed(c) FROM scores.score WHERE name = '$full'")")"
		goal='≤ 2.5 ×'
		[ "$keeps" != 'O(1)' ] || goal='≤ 1.5 ×'
		[ "$keeps" != values ] || goal=
		printf '| %s | %s | %s | %s | %s | %s | %s | %s | %s MB |\n' "$full" "$keeps" \
			"$(show ms $(summary "scores-$name-c"))" "$(middle "scores-$name-plain")" \
			"$(times "scores-$name-plain" "scores-$name-c")" "$faster" \
			"$([ "$keeps" = values ] || times "scores-$name-c" "scores-$name-floor")" "$goal" "$memory"
	done < <(value "SELECT name, keeps, faster FROM scores.score WHERE plain IS NOT NULL ORDER BY position")
}

# The same aggregates over a thousand groups: there, workers have something to share. --

measure_cohorts() {
	local run name
	prepare_scores
	for run in $(seq "$LONG_RUNS"); do
		while read -r name; do
			run_score "cohorts-$name-serial" 0 "$(value "SELECT scores.timed(c, 'cohort') FROM scores.score WHERE name = '$name'")"
			run_score "cohorts-$name-parallel" 2 "$(value "SELECT scores.timed(c, 'cohort') FROM scores.score WHERE name = '$name'")"
		done < <(value "SELECT name FROM scores.score WHERE c LIKE '%{events}%' ORDER BY position")
	done
}

report_cohorts() {
	local name parallel memory
	header "Aggregates over $(grouped "$STREAM") events in 1,000 groups" "one process" "two workers beside it" "times faster"
	while read -r name; do
		read -r memory parallel <<<"$(explain_score "$(value "SELECT scores.timed(c, 'cohort') FROM scores.score WHERE name = '$name'")")"
		row "$name$([ "$parallel" = yes ] || echo ' (plan not parallel)')" ms "cohorts-$name-serial" "cohorts-$name-parallel" \
			"cohorts-$name-serial" "cohorts-$name-parallel" "> 1 ×"
	done < <(value "SELECT name FROM scores.score WHERE c LIKE '%{events}%' ORDER BY position")
}
