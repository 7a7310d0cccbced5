# What a transaction costs that stays open for an hour of 1,000 events a second:
# one that only looks, and one that has written marks; sourced by run.sh.

# rounds NAME COUNT: a thousand events, collected by the refresh of a table that
# has nothing else to do, then processed.  Timed are the last 100 rounds.
rounds() {
	local i
	{
		echo '\timing off'
		for ((i = 1; i <= $2; i++)); do
			echo "INSERT INTO hour.login (customer) SELECT 1 + (random() * 99999)::int FROM generate_series(1, 1000);"
			[ $((i + 100)) -le "$2" ] || printf '%s\n' '\timing on' "\\echo @collect-$1"
			echo "CALL segment.refresh('hour.idle');"
			[ $((i + 100)) -le "$2" ] || echo "\\echo @refresh-$1"
			echo "CALL segment.refresh('hour.customers');"
			[ $((i + 100)) -le "$2" ] || echo '\timing off'
		done
	} | measure
	value "SELECT '$1 ' || sum(pg_total_relation_size(oid)) FROM pg_class WHERE oid IN
		('segment.mark_log_0'::regclass, 'segment.mark_log_1'::regclass)" >>"$BUILD/log_sizes"
	value "SELECT '$1 ' || pg_total_relation_size('segment.work')" >>"$BUILD/work_sizes"
}

# held NAME STATEMENT: rounds while a transaction is open that has run it, and after it.
held() {
	sql -c "BEGIN ISOLATION LEVEL REPEATABLE READ" -c "$2" -c "SELECT pg_sleep(36000)" >"$BUILD/held" 2>&1 &
	until [ "$(value "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(36000)'")" = 1 ]; do :; done
	rounds "$1" "$ROTATION_ROUNDS"
	sql -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(36000)'" -o "$BUILD/measured"
	wait %% 2>/dev/null || true
	rounds "$1-after" 100
}

# Customers of a table that nobody refreshes: segment.work keeps them all the while.
wait_in_vain() {
	local from
	for ((from = 1; from <= ROTATION_WAITING; from += 5000)); do
		echo "INSERT INTO hour.visit SELECT generate_series($from, least($from + 4999, $ROTATION_WAITING));"
	done | sql
}

measure_rotation() {
	sql <<-'SQL'
		SET client_min_messages = error;
		CREATE SCHEMA hour;
		CREATE TABLE hour.login (customer int, at timestamptz DEFAULT now());
		CREATE TABLE hour.nothing (customer int, at timestamptz DEFAULT now());
		INSERT INTO hour.login SELECT 1 + i % 100000, now() - i * interval '10 seconds' FROM generate_series(1, 200000) i;
		CREATE INDEX ON hour.login (customer);
		\o /dev/null
		SELECT segment.create_table('hour.customers', 'customer', 'int');
		SELECT segment.add_source('hour.customers', 'hour.login', 'customer', 'at');
		SELECT segment.add_score('hour.customers', 'n', 'count(*)');
		SELECT segment.add_segment('hour.customers', 'active', 'n > 0');
		SELECT segment.create_table('hour.idle', 'customer', 'int');
		SELECT segment.add_source('hour.idle', 'hour.nothing', 'customer', 'at');
		SELECT segment.add_segment('hour.idle', 'here', 'true');
		CREATE TABLE hour.visit (customer int, at timestamptz DEFAULT now());
		SELECT segment.create_table('hour.waiting', 'customer', 'int');
		SELECT segment.add_source('hour.waiting', 'hour.visit', 'customer', 'at');
		SELECT segment.add_segment('hour.waiting', 'here', 'true');
		CALL segment.refresh('hour.customers');
		CALL segment.refresh('hour.waiting');
	SQL
	wait_in_vain
	sql <<-'SQL'
		CALL segment.refresh('hour.idle');
		VACUUM ANALYZE;
	SQL
	rounds free 300
	held looks "SELECT count(*) FROM hour.nothing"
	sql -c 'VACUUM ANALYZE'
	held writes "INSERT INTO hour.login VALUES (1)"
	[ "$(value "SELECT count(*) FROM segment.verify('hour.customers')")" = 0 ] || die "verify() is not empty"
	sql -c 'DROP SCHEMA hour CASCADE' 2>"$BUILD/held"
}

size_of() {
	awk -v name="$2" '$1 == name { printf "%.1f MB", $2 / 1048576 }' "$BUILD/$1_sizes"
}

report_rotation() {
	local name text
	printf '\n### A transaction that stays open while %s events are written, 1,000 a refresh, while %s customers wait for the refresh of another table\n' \
		"$(grouped "${ROTATION_ROUNDS}000")" "$(grouped "$ROTATION_WAITING")"
	printf '\n| | collect | beside nobody | refresh | beside nobody | logs | work |\n|---|---|---|---|---|---|---|\n'
	for name in free looks looks-after writes writes-after; do
		case $name in
			free) text="nobody" ;;
			looks) text="one that only looks" ;;
			writes) text="one that wrote an event" ;;
			*) text="100 refreshes after it has ended" ;;
		esac
		printf '| %s | %s | %.2f × | %s | %.2f × | %s | %s |\n' "$text" "$(show ms $(summary "collect-$name"))" \
			"$(ratio "collect-$name" collect-free)" "$(show ms $(summary "refresh-$name"))" \
			"$(ratio "refresh-$name" refresh-free)" "$(size_of log "$name")" "$(size_of work "$name")"
	done
}
