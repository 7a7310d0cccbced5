#!/bin/bash
# The long tests, against a PostgreSQL of their own: what `make test` tries for
# seconds, for an hour and a half.  The last line is "N passed, N failed".
#
#   SOAK_PARTS="rules cron clock crash"
#   SOAK_SEED=1             of the writers and of the faults; rules have seeds of their own
#   SOAK_RULES=100000       rules: random rules over time (test/oracle/time)
#   SOAK_CRON=300           cron: random cron lines, each in ten time zones (test/oracle/cron)
#   SOAK_SECONDS=600        clock: a worker beside the clock, windows of seconds
#   SOAK_CUSTOMERS=1000
#   SOAK_RATE=40            transactions a second
#   SOAK_KILLS=200          crash: kill -9 of processes where they stand and at random,
#   SOAK_TERMINATIONS=20    pg_terminate_backend,
#   SOAK_STOPS=40           immediate shutdowns,
#   SOAK_PROMOTIONS=10      and promotions, under eight writers
#   PG_MAJOR=16             the PostgreSQL to use, where several are installed

. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

PARTS=${SOAK_PARTS:-rules cron clock crash}
SEED=${SOAK_SEED:-1}
RULES=${SOAK_RULES:-100000}
CRON=${SOAK_CRON:-300}
LENGTH=${SOAK_SECONDS:-600}
CUSTOMERS=${SOAK_CUSTOMERS:-1000}
RATE=${SOAK_RATE:-40}
PASSED=0
FAILED=0

sql() {
	as_worker "$PG_BIN/psql" -Xq -v ON_ERROR_STOP=1 "$@"
}

value() {
	sql -At -c "$1"
}

# check TEXT EXPRESSION: is it true?
check() {
	if [ "$(value "SET search_path = clockwork; SELECT $2")" = t ]; then
		PASSED=$((PASSED + 1))
		say "ok: $1"
	else
		FAILED=$((FAILED + 1))
		say "not ok: $1"
	fi
}

# count_results PART: what the last line of an oracle's log says.
count_results() {
	local log=$BUILD/$1.log passed failed
	grep '^#' "$log" || true
	if [[ $(tail -n 1 "$log") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
		passed=${BASH_REMATCH[1]} failed=${BASH_REMATCH[2]}
	else
		tail -n 20 "$log"
		passed=0 failed=1
	fi
	PASSED=$((PASSED + passed))
	FAILED=$((FAILED + failed))
}

# Random rules: no value changes before the instant that the analysis gives.
soak_rules() {
	say "rules: $RULES random rules over time (seeds 1 to $((RULES / 10)))"
	attend as_worker env PATH="$PG_BIN:$PATH" TIME_SEEDS="1 $((RULES / 10))" \
		sh "$BUILD/src/test/oracle/time/run.sh" >"$BUILD/rules.log" 2>&1 || true
	count_results rules
}

# Random cron lines: the runs of twenty years in ten time zones.
soak_cron() {
	say "cron: $CRON random lines, each in ten time zones (seeds 1 to $CRON)"
	attend as_worker env PATH="$PG_BIN:$PATH" CRON_SEEDS="1 $CRON" CRON_MOST=20000 \
		sh "$BUILD/src/test/oracle/cron/run.sh" >"$BUILD/cron.log" 2>&1 || true
	count_results cron
}

# A worker and the clock: each change of a membership is visible soon after its
# instant, which plain SQL finds afterwards.
soak_clock() {
	local started until stopped writer pids=()
	say "clock: $CUSTOMERS customers, $RATE transactions a second for $LENGTH s, seed $SEED"
	sql -v customers="$CUSTOMERS" -f "$BUILD/src/test/soak/shop.sql"
	sql -c "SELECT segment.schedule('clockwork.members', 'continuous')" -o "$BUILD/scheduled"
	for _ in $(seq 300); do
		[ "$(value "SELECT as_of IS NOT NULL FROM segment.status WHERE tbl = 'clockwork.members'::regclass")" != t ] || break
		sleep 0.1
	done
	read -r started until stopped <<<"$(value "SELECT format('%s %s %s', extract(epoch FROM now() + interval '1 second'),
		extract(epoch FROM now() + interval '$LENGTH seconds'), extract(epoch FROM now() + interval '$((LENGTH + 25)) seconds'))")"
	sql -c "CALL clockwork.observe(to_timestamp($stopped))" &
	pids+=($!)
	for writer in 1 2; do
		sql -c "CALL clockwork.write((sin($SEED * 10 + $writer)), $RATE / 2.0, to_timestamp($until))" &
		pids+=($!)
	done
	for writer in "${pids[@]}"; do
		wait "$writer" || die "a writer or the observer failed"
	done
	sql -v long='1 second' -v started="$(value "SELECT to_timestamp($started)")" -v stopped="$(value "SELECT to_timestamp($stopped) - interval '1 second'")" \
		-f "$BUILD/src/test/soak/truth.sql"
	say "$(sql -At <<-'SQL'
		SET search_path = clockwork;
		SELECT format('%s events and trials committed, %s rows of history written in %s transactions',
		              (SELECT count(*) FROM version), (SELECT count(*) FROM feed), (SELECT count(DISTINCT xid) FROM feed));
		SELECT format('%s changes of memberships by plain SQL: %s seen, %s missed; %s lasted less than a second and were not seen,'
		              ' so that %s others were never interrupted; %s seen that were never true',
		              count(*), count(*) FILTER (WHERE fate = 'seen'), count(*) FILTER (WHERE fate IN ('missed', 'overlooked')),
		              count(*) FILTER (WHERE fate = 'brief'), count(*) FILTER (WHERE fate = 'stayed'),
		              (SELECT count(*) FROM spurious)) FROM verdict;
		SELECT format('delay from the true instant until another session sees it: median %s ms, 99th percentile %s ms, most %s ms',
		              p[1], p[2], p[3])
		FROM (SELECT array_agg(round(1000 * extract(epoch FROM d)) ORDER BY i) AS p
		      FROM (SELECT percentile_disc(ARRAY[0.5, 0.99, 1]) WITHIN GROUP (ORDER BY delay) AS ds FROM verdict WHERE fate = 'seen') s,
		           unnest(ds) WITH ORDINALITY u(d, i)) q;
		SELECT format('    %s: %s seen, 99th percentile %s ms', rpad(segment, 8), count(*) FILTER (WHERE fate = 'seen'),
		              round(1000 * extract(epoch FROM percentile_disc(0.99) WITHIN GROUP (ORDER BY delay))))
		FROM verdict GROUP BY segment ORDER BY segment;
		SELECT format('# %s: %s %s customer %s, %s from %s until %s', fate, segment, coalesce(label, '-'), customer, before, at, until)
		FROM verdict WHERE fate IN ('missed', 'overlooked') ORDER BY at LIMIT 10;
		SELECT format('# spurious: %s %s customer %s, seen %s as of %s', segment, coalesce(label, '-'), customer, at, as_of)
		FROM spurious ORDER BY at LIMIT 10;
	SQL
	)"
	check "memberships changed" "(SELECT count(DISTINCT segment) = 8 FROM verdict WHERE fate = 'seen')"
	check "no change was missed" "NOT EXISTS (SELECT FROM verdict WHERE fate IN ('missed', 'overlooked'))"
	check "none was seen that was never true" "NOT EXISTS (SELECT FROM spurious)"
	check "99 % of the changes were seen within a second" \
		"(SELECT percentile_disc(0.99) WITHIN GROUP (ORDER BY delay) <= interval '1 second' FROM verdict WHERE fate = 'seen')"
	check "verify() is empty" "NOT EXISTS (SELECT FROM segment.verify('members'))"
	check "no run failed" "NOT EXISTS (SELECT FROM segment.runs WHERE status NOT IN ('succeeded', 'running'))"
}

# Crashes under load, in clusters of its own: after each all goes on by itself,
# and nothing is lost or wrong.
soak_crash() {
	local pgxs log=$BUILD/crash.log passed failed status=0
	pgxs=$(dirname "$(dirname "$("$PG_CONFIG" --pgxs)")")
	say "crash: ${SOAK_KILLS:-200} kills, ${SOAK_TERMINATIONS:-20} terminations, ${SOAK_STOPS:-40} immediate shutdowns, ${SOAK_PROMOTIONS:-10} promotions, seed $SEED"
	attend crash_run "$pgxs" "$log" || status=$?
	passed=$(grep -c '^ok ' "$log" || true)
	failed=$(grep -c '^not ok ' "$log" || true)
	[ "$status" -eq 0 ] || [ "$failed" -gt 0 ] || { tail -n 20 "$log"; failed=1; }
	PASSED=$((PASSED + passed))
	FAILED=$((FAILED + failed))
}

crash_run() {
	cd "$BUILD/src"
	as_worker env -u PGHOST -u PGPORT -u PGUSER -u PGDATABASE TESTDIR="$BUILD" PATH="$PG_BIN:$PATH" \
		PG_REGRESS="$1/test/regress/pg_regress" CRASH_SEED="$SEED" CRASH_KILLS="${SOAK_KILLS:-200}" \
		CRASH_TERMINATIONS="${SOAK_TERMINATIONS:-20}" CRASH_STOPS="${SOAK_STOPS:-40}" CRASH_PROMOTIONS="${SOAK_PROMOTIONS:-10}" \
		perl -I "$1/test/perl" test/soak/crash.pl 2>&1 | tee "$2" | { grep --line-buffered -E '^(not )?ok |^#' || true; }
}

clean_environment
need_packages gcc libc6-dev make perl libipc-run-perl postgresql-MAJOR postgresql-server-dev-MAJOR
open_build soak
private_postgres
say "Soaking segment in $("$PG_CONFIG" --version), in $BUILD"
build -s -j2 install >"$BUILD/build.log" 2>&1 || { tail -n 50 "$BUILD/build.log" >&2; die "the build failed"; }
start_cluster postgres "shared_preload_libraries = 'segment'" "segment.databases = 'postgres'" \
	'track_commit_timestamp = on' 'segment.runs_kept = 1000000' 'fsync = off' 'max_wal_size = 4GB'
for part in $PARTS; do
	SECONDS=0
	"soak_$part"
	say "    $part took ${SECONDS}s"
done
say ""
say "$PASSED passed, $FAILED failed"
[ "$FAILED" -eq 0 ] && [ "$PASSED" -gt 0 ]
